package command

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/badge-engine/badge-engine/app/command/artwork"
	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/platform/config"
)

const demoRecipient = "ada.lovelace@example.org"

func demoCommand() *cobra.Command {
	var out, picture string
	demo := &cobra.Command{
		Use:   "demo [--out DIR] [--image FILE]",
		Short: "Issue, bake and verify a first badge, from nothing, in a folder",
		Long: "Starts the whole application on the embedded default and walks the main way through its public HTTP surface alone: " +
			"issuer profile, picture, achievement, credential, baking, extraction, verification. No network is used.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := &demo{dir: out, picture: picture, w: cmd.OutOrStdout(), begun: time.Now()}
			err := d.run(cmd.Context())
			if err != nil {
				fmt.Fprintf(d.w, "\nThe demo failed at %q.\n", d.step)
			}
			return err
		},
	}
	demo.Flags().StringVar(&out, "out", "./badge-engine-demo", "the folder for the badge and all that was made on the way")
	demo.Flags().StringVar(&picture, "image", "", "a PNG or SVG of your own to bake into")
	return demo
}

// demo is one walk, and what it has in its hands so far.
type demo struct {
	dir, picture string
	w            io.Writer
	begun        time.Time

	step  string
	steps []demoStep
	api   *client

	png, svg           []byte // the plain pictures
	issuerID, imageID  string
	achievementID      string
	credentialID       string
	credential         json.RawMessage
	bakedPNG, bakedSVG []byte
	reports            map[string]json.RawMessage
}

type demoStep struct {
	Step         string  `json:"step"`
	Result       string  `json:"result"`
	Milliseconds float64 `json:"milliseconds"`
}

// do runs one step and shows what came of it and how long it took.
func (d *demo) do(ctx context.Context, step string, fn func(ctx context.Context) (string, error)) error {
	d.step = step
	begun := time.Now()
	result, err := fn(ctx)
	if err != nil {
		fmt.Fprintf(d.w, "  ✗ %s\n", step)
		return fmt.Errorf("%s: %w", step, err)
	}
	took := float64(time.Since(begun).Microseconds()) / 1000
	d.steps = append(d.steps, demoStep{step, result, took})
	fmt.Fprintf(d.w, "  ✓ %-27s %8.1f ms   %s\n", step, took, result)
	return nil
}

func (d *demo) run(ctx context.Context) error {
	fmt.Fprint(d.w, "\nBadge Engine demo\n\n")
	d.reports = map[string]json.RawMessage{}
	var e *engine.Engine
	err := d.do(ctx, "start the application", func(ctx context.Context) (result string, err error) {
		e, result, err = d.boot(ctx)
		return result, err
	})
	if err != nil {
		return err
	}
	walk := func() error {
		for _, s := range []struct {
			name string
			fn   func(context.Context) (string, error)
		}{
			{"create an issuer profile", d.createIssuer},
			{"upload the picture", d.upload},
			{"define an achievement", d.define},
			{"issue the credential", d.issue},
			{"bake it into a PNG", func(ctx context.Context) (_ string, err error) {
				d.bakedPNG, err = d.api.get(ctx, "/credentials/"+d.credentialID+"/badge.png")
				return fmt.Sprintf("%d bytes", len(d.bakedPNG)), err
			}},
			{"bake it into an SVG", func(ctx context.Context) (_ string, err error) {
				d.bakedSVG, err = d.api.get(ctx, "/credentials/"+d.credentialID+"/badge.svg")
				return fmt.Sprintf("%d bytes", len(d.bakedSVG)), err
			}},
			{"extract it from the PNG", func(ctx context.Context) (string, error) { return d.extract(ctx, "image/png", d.bakedPNG) }},
			{"extract it from the SVG", func(ctx context.Context) (string, error) { return d.extract(ctx, "image/svg+xml", d.bakedSVG) }},
			{"verify the PNG", func(ctx context.Context) (string, error) { return d.verify(ctx, "badge.png", d.bakedPNG) }},
			{"verify the SVG", func(ctx context.Context) (string, error) { return d.verify(ctx, "badge.svg", d.bakedSVG) }},
		} {
			if err := d.do(ctx, s.name, s.fn); err != nil {
				return err
			}
		}
		return nil
	}
	err = walk()
	if stopped := e.Stop(context.WithoutCancel(ctx)); err == nil {
		err = stopped
	}
	if err != nil {
		return err
	}
	if err := d.do(ctx, "write the files", d.write); err != nil {
		return err
	}
	fmt.Fprintf(d.w, "\nDone in %.1f s. In %s:\n\n", time.Since(d.begun).Seconds(), d.dir)
	fmt.Fprint(d.w, "  badge.png, badge.svg   the badge: send it to its recipient, drop it into any verifier\n"+
		"  credential.json        the signed credential inside it\n"+
		"  report.json            what was done and what the verifier checked\n\n")
	return nil
}

// boot starts the whole application on the embedded default, on a free loopback
// port, with a token that lives as long as this process.
func (d *demo) boot(ctx context.Context) (*engine.Engine, string, error) {
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return nil, "", err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	token := hex.EncodeToString(secret)
	cfg := engine.In(filepath.Join(d.dir, "data"))
	cfg.PublicURL = "http://" + listener.Addr().String()
	cfg.Issuance.Status.Size = 0 // the badge outlives this server, so it must not name a list that nobody will find
	cfg.Auth.BootstrapAdminToken = config.Secret(token)
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	e, err := engine.New(engine.Options{Config: cfg, Listener: listener, Log: log})
	if err == nil {
		err = e.Start(ctx)
	}
	if err != nil {
		return nil, "", errors.Join(err, listener.Close())
	}
	d.api = &client{base: cfg.PublicURL, token: token}
	return e, cfg.PublicURL + ", SQLite, in-process cache", nil
}

func (d *demo) createIssuer(ctx context.Context) (string, error) {
	var issuer struct{ ID string }
	err := d.api.post(ctx, "/api/v1/issuers", map[string]any{
		"name":        "Analytical Academy",
		"description": "An academy that exists to show what a badge looks like.",
		"url":         "https://academy.example.org",
		"email":       "badges@academy.example.org",
	}, &issuer)
	d.issuerID = issuer.ID
	if err != nil {
		return "", err
	}
	var public struct{ ID string }
	err = d.api.getJSON(ctx, "/issuers/"+d.issuerID, &public)
	return short(public.ID), err
}

// upload uses the default badge in whichever format the caller's own picture lacks.
func (d *demo) upload(ctx context.Context) (string, error) {
	d.png, d.svg = artwork.PNG(512), artwork.SVG("First Steps in Computing")
	pictures := [][]byte{d.png, d.svg}
	if d.picture != "" {
		own, err := os.ReadFile(d.picture)
		if err != nil {
			return "", err
		}
		if bytes.HasPrefix(own, []byte("\x89PNG")) {
			d.png, d.svg, pictures = own, nil, [][]byte{own} // the SVG badge will show the PNG
		} else {
			d.svg, pictures = own, [][]byte{own, d.png}
		}
	}
	var image struct {
		ID         string
		Renditions []struct {
			Format        string
			Width, Height int
		}
	}
	if err := d.api.send(ctx, "POST", "/api/v1/images", mediaType(pictures[0]), pictures[0], &image); err != nil {
		return "", err
	}
	d.imageID = image.ID
	for _, further := range pictures[1:] {
		if err := d.api.send(ctx, "PUT", "/api/v1/images/"+d.imageID, mediaType(further), further, &image); err != nil {
			return "", err
		}
	}
	var shown []string
	for _, r := range image.Renditions {
		text := strings.ToUpper(r.Format)
		if r.Width > 0 {
			text += fmt.Sprintf(" %d × %d", r.Width, r.Height)
		}
		shown = append(shown, text)
	}
	return strings.Join(shown, ", "), nil
}

func mediaType(picture []byte) string {
	if bytes.HasPrefix(picture, []byte("\x89PNG")) {
		return "image/png"
	}
	return "image/svg+xml"
}

func (d *demo) define(ctx context.Context) (string, error) {
	var achievement struct{ ID, Name string }
	err := d.api.post(ctx, "/api/v1/achievements", map[string]any{
		"issuerId":        d.issuerID,
		"imageId":         d.imageID,
		"name":            "First Steps in Computing",
		"description":     "Wrote, ran and explained a first program.",
		"achievementType": "Badge",
		"criteria":        map[string]any{"narrative": "Write a program that computes Bernoulli numbers, run it, and explain each step to another learner."},
		"tag":             []string{"computing", "mathematics"},
		"alignment": []any{map[string]any{
			"targetName": "Computational thinking", "targetUrl": "https://academy.example.org/frameworks/computing#thinking",
			"targetFramework": "Analytical Academy framework",
		}},
		"resultDescription": []any{map[string]any{"name": "Grade", "resultType": "LetterGrade", "allowedValue": []string{"C", "B", "A"}}},
	}, &achievement)
	d.achievementID = achievement.ID
	return achievement.Name, err
}

func (d *demo) issue(ctx context.Context) (string, error) {
	var achievement struct {
		ResultDescription []struct{ ID string }
	}
	if err := d.api.getJSON(ctx, "/api/v1/achievements/"+d.achievementID, &achievement); err != nil {
		return "", err
	}
	if len(achievement.ResultDescription) != 1 {
		return "", fmt.Errorf("the achievement has %d result descriptions instead of 1", len(achievement.ResultDescription))
	}
	var issued struct {
		ID         string
		Credential json.RawMessage
	}
	err := d.api.post(ctx, "/api/v1/credentials", map[string]any{
		"achievementId": d.achievementID,
		"recipient":     map[string]any{"email": demoRecipient},
		"narrative":     "Computed the numbers and found a mistake in the textbook.",
		"result":        []any{map[string]any{"resultDescription": achievement.ResultDescription[0].ID, "value": "A"}},
		"evidence":      []any{map[string]any{"name": "Note G", "narrative": "The program and its explanation."}},
	}, &issued)
	if err != nil {
		return "", err
	}
	if bytes.Contains(issued.Credential, []byte(demoRecipient)) {
		return "", errors.New("the credential shows the recipient's e-mail address")
	}
	d.credentialID, d.credential = issued.ID, issued.Credential
	return "eddsa-rdfc-2022, to a salted hash of " + demoRecipient, nil
}

func (d *demo) extract(ctx context.Context, mediaType string, baked []byte) (string, error) {
	var found struct{ Credential json.RawMessage }
	if err := d.api.send(ctx, "POST", "/api/v1/extract", mediaType, baked, &found); err != nil {
		return "", err
	}
	var was, is bytes.Buffer
	if err := errors.Join(json.Compact(&was, d.credential), json.Compact(&is, found.Credential)); err != nil {
		return "", err
	}
	if !bytes.Equal(was.Bytes(), is.Bytes()) {
		return "", errors.New("what came out is not what went in")
	}
	return "the very credential that went in", nil
}

func (d *demo) verify(ctx context.Context, name string, baked []byte) (string, error) {
	var form bytes.Buffer
	fields := multipart.NewWriter(&form)
	file, err := fields.CreateFormFile("file", name)
	if err != nil {
		return "", err
	}
	_, err = file.Write(baked)
	if err = errors.Join(err, fields.WriteField("recipient", demoRecipient), fields.Close()); err != nil {
		return "", err
	}
	var report json.RawMessage
	if err := d.api.send(ctx, "POST", "/api/v1/verify", fields.FormDataContentType(), form.Bytes(), &report); err != nil {
		return "", err
	}
	d.reports[name] = report
	var verdict struct {
		Verified bool
		Checks   []struct{ Name, Outcome, Detail string }
	}
	if err := json.Unmarshal(report, &verdict); err != nil {
		return "", err
	}
	passed := 0
	for _, check := range verdict.Checks {
		if check.Outcome == "passed" {
			passed++
		}
		if check.Outcome == "failed" {
			return "", fmt.Errorf("%s: %s", check.Name, check.Detail)
		}
	}
	if !verdict.Verified {
		return "", errors.New("the verifier says no")
	}
	return fmt.Sprintf("verified: %d checks passed", passed), nil
}

func (d *demo) write(context.Context) (string, error) {
	report, err := json.MarshalIndent(map[string]any{
		"generated": time.Now().UTC().Format(time.RFC3339), "steps": d.steps, "verification": d.reports,
	}, "", "  ")
	if err != nil {
		return "", err
	}
	for name, data := range map[string][]byte{
		"credential.json": d.credential, "badge.png": d.bakedPNG, "badge.svg": d.bakedSVG, "report.json": append(report, '\n'),
	} {
		if err := os.WriteFile(filepath.Join(d.dir, name), data, 0o644); err != nil {
			return "", err
		}
	}
	return "4 files", nil
}

func short(s string) string {
	if len(s) > 48 {
		return s[:45] + "…"
	}
	return s
}
