package problem_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/problem"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestRender(t *testing.T) {
	invalid := fault.New(fault.Invalid, "t.invalid", "The achievement breaks rules.").Violating(
		fault.Violation{Pointer: "/criteria/narrative", Rule: "Open Badges 3.0 (Criteria)", Detail: "It is empty.", Remedy: "Say what was done."},
		fault.Violation{Pointer: "", Rule: "r", Detail: "d"})
	for _, row := range []struct {
		name   string // also of the golden file
		err    error
		status int
		header map[string]string
		level  string
	}{
		{"a fault with rules", invalid.Detailf("Two of them."), 422, nil, "DEBUG"},
		{"a wrapped fault", fmt.Errorf("store: %w", fault.New(fault.NotFound, "t.not_found", "There is none.").With(errors.New("secret cause"))), 404, nil, "DEBUG"},
		{"nobody", fault.New(fault.Unauthenticated, "t.nobody", "Who are you?"), 401, map[string]string{"WWW-Authenticate": `Bearer realm="badge-engine"`}, "DEBUG"},
		{"too many", fault.New(fault.TooMany, "t.many", "Slow down.").RetryAfter(61 * time.Second), 429, map[string]string{"Retry-After": "61"}, "DEBUG"},
		{"unavailable", fault.New(fault.Unavailable, "t.away", "Away.").With(context.DeadlineExceeded), 503, map[string]string{"Retry-After": "5"}, "WARN"},
		{"a deadline", fmt.Errorf("store: %w", context.DeadlineExceeded), 503, map[string]string{"Retry-After": "5"}, "WARN"},
		{"an untyped error", errors.New("secret words"), 500, nil, "ERROR"},
		{"an internal fault", fault.New(fault.Internal, "t.broken", "Something broke.").With(errors.New("secret cause")), 500, nil, "ERROR"},
		{"a kind nobody knows", fault.New("odd", "t.odd", "Odd."), 500, nil, "ERROR"},
		{"a refusal of the machinery", fiber.NewError(415, "secret words"), 415, nil, "DEBUG"},
		{"a large header", fiber.ErrRequestHeaderFieldsTooLarge, 431, nil, "DEBUG"},
		{"a failure of the machinery", fiber.NewError(500, "secret words"), 500, nil, "ERROR"},
		{"a status of no refusal", fiber.NewError(200, "secret words"), 500, nil, "ERROR"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var log bytes.Buffer
			app := fiber.New(fiber.Config{ErrorHandler: func(c *fiber.Ctx, err error) error {
				return problem.Render(c, err, slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
			}})
			app.Get("/*", func(c *fiber.Ctx) error {
				c.SetUserContext(logging.ContextWith(context.Background(), "r-1"))
				c.Set("ETag", `"1"`)
				c.Set("Content-Disposition", "attachment")
				c.Set("Cache-Control", "public")
				if err := c.SendString("half an answer"); err != nil {
					return err
				}
				return row.err
			})
			res, err := app.Test(httptest.NewRequest("GET", "/a%20b?secret=1", nil))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != row.status || res.Header.Get("Content-Type") != problem.MediaType || res.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%d %v", res.StatusCode, res.Header)
			}
			if res.Header.Get("ETag") != "" || res.Header.Get("Content-Disposition") != "" {
				t.Error("headers of the answer that did not come are left")
			}
			for name, want := range row.header {
				if got := res.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if strings.Contains(string(body), "secret") {
				t.Errorf("a secret is shown: %s", body)
			}
			if !strings.Contains(log.String(), `"level":"`+row.level+`"`) || !strings.Contains(log.String(), row.err.Error()) {
				t.Errorf("log %s", log.String())
			}
			golden(t, row.name, body)
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, got, "", "  "); err != nil {
		t.Fatal(err)
	}
	pretty.WriteByte('\n')
	path := filepath.Join("testdata", strings.ReplaceAll(name, " ", "_")+".json")
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, pretty.Bytes(), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, pretty.Bytes()) {
		t.Errorf("%s differs; got\n%s", path, pretty.String())
	}
}

func TestDialect(t *testing.T) {
	app := fiber.New(fiber.Config{ErrorHandler: func(c *fiber.Ctx, err error) error {
		problem.Speak(c, func(c *fiber.Ctx, p problem.Problem) error {
			return c.Status(p.Status).SendString(p.Code + " " + p.Wait().String())
		})
		return problem.Render(c, err, slog.New(slog.DiscardHandler))
	}})
	app.Get("/", func(*fiber.Ctx) error {
		return fault.New(fault.Unavailable, "t.away", "Away.").RetryAfter(time.Second)
	})
	res, err := app.Test(httptest.NewRequest("GET", "/", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || string(body) != "t.away 1s" || res.Header.Get("Retry-After") != "1" {
		t.Errorf("%v %s %v", err, body, res.Header)
	}
}
