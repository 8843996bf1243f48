package verification_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/credential/status"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/verification"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/page"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

const (
	png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
	svg = `<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h1"/></svg>`
)

// issued is a good badge; the issuer is its own key when no other is named.
func issued(t testing.TB, issuer string) (badge, multikey string) {
	t.Helper()
	private := ed25519.NewKeyFromSeed([]byte(strings.Repeat("v", 32)))
	multikey, err := did.EncodeMultikey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	if issuer == "" {
		issuer = did.KeyDID(multikey)
	}
	c := openbadges.AchievementCredential{
		ID: "https://example.org/credentials/1", Name: "Teamwork", ValidFrom: "2026-01-01T00:00:00Z",
		Issuer: openbadges.Profile{ID: issuer, ProfileDetails: openbadges.ProfileDetails{Name: "Example Corp"}},
		CredentialSubject: openbadges.AchievementSubject{
			Identifier: []openbadges.IdentityObject{openbadges.NewEmailIdentity("a@example.com", "Kosher")},
			Achievement: openbadges.Achievement{ID: "https://example.org/achievements/1", AchievementDetails: openbadges.AchievementDetails{
				Name: "Teamwork", Description: "Works well with others", Criteria: openbadges.Criteria{Narrative: "Ask the team."},
			}},
		},
	}
	c.Complete(func() string { return "urn:uuid:0198f2a0-0000-7000-8000-000000000001" })
	prepared, err := credential.Prepare(jsonld.New(), c)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := prepared.Issue(t.Context(), integrity.NewEd25519Signer(private, issuer+"#"+multikey), now)
	if err != nil {
		t.Fatal(err)
	}
	return string(signed), multikey
}

func baked(t testing.TB, picture, badge string, v image.Version) string {
	t.Helper()
	out, err := image.Bake([]byte(picture), []byte(badge), image.Options{Version: v})
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func pngBytes(t testing.TB) string {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(png)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

type form struct{ name, content string }

func multiparted(t *testing.T, file string, fields ...form) (mediaType, body string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range fields {
		if err := w.WriteField(f.name, f.content); err != nil {
			t.Fatal(err)
		}
	}
	if file != "" {
		part, err := w.CreateFormFile("file", "badge")
		if err == nil {
			_, err = part.Write([]byte(file))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), b.String()
}

// serving answers the routes of the module; documents are its network.
func serving(t testing.TB, d verification.Documents) *httpserver.Server {
	t.Helper()
	service := verification.New(d, nil, clock)
	renderer := page.New()
	pages, err := verification.NewPages(service, renderer)
	if err != nil {
		t.Fatal(err)
	}
	server, err := httpserver.New(httpserver.Default(), httpserver.Parts{
		Tables:   []httpserver.Table{verification.Routes(service, pages)},
		Dialects: []httpserver.Dialect{{Prefix: "/verify", Write: renderer.Problem}},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func TestVerifyOverHTTP(t *testing.T) {
	badge, _ := issued(t, "")
	server := serving(t, documents{
		"https://example.org/badge.json": badge, "https://example.org/badge.png": baked(t, pngBytes(t), badge, image.OpenBadges3),
		"https://example.org/page":         "\n<!DOCTYPE html><title>A badge</title>",
		"https://example.org/assertions/1": hostedBadge,
		"https://example.org/class":        `{"@context":"https://w3id.org/openbadges/v2","type":"BadgeClass","id":"https://example.org/class","name":"Teamwork","description":"d","image":"https://example.org/i.png","criteria":{"narrative":"n"},"issuer":"https://example.org/issuer"}`,
		"https://example.org/issuer":       `{"@context":"https://w3id.org/openbadges/v2","type":"Issuer","id":"https://example.org/issuer","name":"Example Corp","url":"https://example.org/","email":"a@example.org"}`,
	})
	changed := strings.Replace(badge, "Example Corp", "Sample Corp", 1)
	token := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"id":"urn:1"}`)) + ".AAAA"
	quoted := func(s string) string {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	formType, formBody := multiparted(t, baked(t, pngBytes(t), badge, image.OpenBadges3), form{"recipient", "a@example.com"})
	wrongType, wrongBody := multiparted(t, badge, form{"recipient", "b@example.com"})
	emptyType, emptyBody := multiparted(t, "", form{"recipient", "b@example.com"})
	damaged := []byte(baked(t, pngBytes(t), badge, image.OpenBadges3))
	damaged[len(damaged)/2] ^= 1
	for name, row := range map[string]struct {
		mediaType, query, body string
		status                 int
		contains, lacks        []string
	}{
		"the credential itself":              {"application/json", "", badge, 200, []string{`"verified":true`, `"problemDetails":[]`, `"name":"Example Corp"`, `"format":"json"`}, []string{`"picture"`}},
		"the credential as linked data":      {"application/vc+ld+json; charset=utf-8", "", badge, 200, []string{`"verified":true`}, nil},
		"the credential in a wrapper":        {"application/json", "", `{"verifiableCredential":` + badge + `,"options":{"checks":["proof"],"recipient":"a@example.com"}}`, 200, []string{`"verified":true`, `"name":"recipient","outcome":"passed"`}, nil},
		"the wrapper asks for another":       {"application/json", "", `{"verifiableCredential":` + badge + `,"options":{"recipient":"b@example.com"}}`, 200, []string{`"verified":false`, `"name":"recipient","outcome":"failed"`}, []string{"b@example.com"}},
		"a recipient in the query":           {"image/svg+xml", "?recipient=a@example.com", baked(t, svg, badge, image.OpenBadges3), 200, []string{`"verified":true`, `"name":"recipient","outcome":"passed"`, `"picture":{"format":"svg"}`}, nil},
		"a changed credential":               {"application/json", "", changed, 200, []string{`"verified":false`, "PROOF_VERIFICATION_ERROR", `"name":"proof","outcome":"failed"`}, nil},
		"a PNG":                              {"image/png", "", baked(t, pngBytes(t), badge, image.OpenBadges3), 200, []string{`"verified":true`, `"picture":{"format":"png"}`}, nil},
		"an SVG that is called a PNG":        {"image/png", "", baked(t, svg, badge, image.OpenBadges3), 200, []string{`"verified":true`, `"picture":{"format":"svg"}`}, nil},
		"a form with a picture":              {formType, "", formBody, 200, []string{`"verified":true`, `"name":"recipient","outcome":"passed"`}, nil},
		"a form with a file of JSON":         {wrongType, "", wrongBody, 200, []string{`"verified":false`}, nil},
		"a form without a file":              {emptyType, "", emptyBody, 400, []string{"httpserver.upload"}, nil},
		"a token as text":                    {"text/plain", "", token + "\n", 200, []string{`"verified":false`, `"format":"jws"`}, nil},
		"a token of its own type":            {"application/vc+jwt", "", token, 200, []string{`"verified":false`}, nil},
		"a token in the wrapper":             {"application/json", "", `{"verifiableCredential":"` + token + `"}`, 200, []string{`"format":"jws"`}, nil},
		"a picture without a type":           {"application/octet-stream", "", baked(t, svg, badge, image.OpenBadges3), 200, []string{`"verified":true`}, nil},
		"an object that is no badge at all":  {"application/json", "", `{}`, 200, []string{`"verified":false`}, nil},
		"the address of a document":          {"application/json", "", `{"url":"https://example.org/badge.json"}`, 200, []string{`"verified":true`, `"address":"https://example.org/badge.json"`}, nil},
		"the address of a picture":           {"application/json", "", `{"url":"https://example.org/badge.png","options":{"recipient":"b@example.com"}}`, 200, []string{`"verified":false`, `"format":"png"`, `"name":"recipient","outcome":"failed"`}, nil},
		"the address of a web page":          {"application/json", "", `{"url":"https://example.org/page"}`, 400, []string{"verification.unreadable", "a web page"}, nil},
		"an address of nothing":              {"application/json", "", `{"url":"https://example.org/none"}`, 422, []string{"verification.unreachable"}, []string{"not found"}},
		"an address that is none":            {"application/json", "", `{"url":"file:///etc/passwd"}`, 422, []string{"verification.address"}, nil},
		"an address with a password":         {"application/json", "", `{"url":"https://a:b@example.org/badge.json"}`, 422, []string{"verification.address"}, nil},
		"an address that is a number":        {"application/json", "", `{"url":5}`, 200, []string{`"verified":false`}, nil},
		"nothing":                            {"application/json", "", "", 400, []string{"httpserver.empty"}, nil},
		"half a document":                    {"application/json", "", badge[:100], 400, []string{"verification.unreadable"}, nil},
		"duplicate members":                  {"application/json", "", `{"id":"a","id":"b"}`, 400, []string{"verification.unreadable", "/id"}, nil},
		"duplicate members in a wrapper":     {"application/json", "", `{"verifiableCredential":{"id":"a","id":"b"}}`, 400, []string{"verification.unreadable"}, nil},
		"two credentials in a wrapper":       {"application/json", "", `{"verifiableCredential":{},"verifiableCredential":` + badge + `}`, 400, []string{"verification.unreadable"}, []string{`"verified":true`}},
		"a wrapper in other letters":         {"application/json", "", `{"verifiableCredential":{"id":"urn:1"},"VerifiableCredential":` + badge + `}`, 200, []string{`"verified":false`}, nil},
		"nesting without end":                {"application/json", "", strings.Repeat("[", 10000), 400, []string{"verification.unreadable"}, nil},
		"a document as a string":             {"application/json", "", `{"verifiableCredential":` + quoted(badge) + `}`, 400, []string{"verification.unreadable", "/verifiableCredential"}, nil},
		"a wrapper around nothing":           {"application/json", "", `{"verifiableCredential":null}`, 400, []string{"verification.unreadable"}, nil},
		"an envelope without a token":        {"application/json", "", `{"type":"EnvelopedVerifiableCredential","id":"urn:1"}`, 422, []string{"verification.not_credential", "/id"}, nil},
		"a document that is too large":       {"application/json", "", `{"id":"` + strings.Repeat("x", 5<<20) + `"}`, 413, []string{"verification.too_large"}, nil},
		"another media type":                 {"text/html", "", badge, 415, []string{"verification.media_type"}, nil},
		"a JPEG":                             {"image/jpeg", "", "\xff\xd8\xff\xe0 a JPEG", 415, []string{"verification.media_type"}, nil},
		"a damaged PNG":                      {"image/png", "", string(damaged), 422, []string{"verification.picture"}, nil},
		"a PNG that ends too early":          {"image/png", "", pngBytes(t)[:40], 422, []string{"verification.picture"}, nil},
		"an SVG with an entity bomb":         {"image/svg+xml", "", `<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>`, 422, []string{"verification.picture"}, nil},
		"a PNG without a badge":              {"image/png", "", pngBytes(t), 404, []string{"verification.not_baked"}, nil},
		"an assertion of Open Badges 2.0":    {"application/json", "", hostedBadge, 200, []string{`"verified":true`, `"edition":"2.0"`, `"name":"hosted","outcome":"passed"`}, nil},
		"a changed assertion":                {"application/json", "", strings.Replace(hostedBadge, "2026-01-01", "2016-01-01", 1), 200, []string{`"verified":false`, `"pointer":"/issuedOn"`}, nil},
		"a picture of Open Badges 2.0":       {"image/png", "?recipient=a@example.com", baked(t, pngBytes(t), hostedBadge, image.OpenBadges2), 200, []string{`"verified":true`, `"edition":"2.0"`, `"picture":{"format":"png"`}, nil},
		"an SVG of Open Badges 2.0":          {"image/svg+xml", "", baked(t, svg, hostedBadge, image.OpenBadges2), 200, []string{`"verified":true`, `"edition":"2.0"`}, nil},
		"the address of an assertion":        {"application/json", "", `{"url":"https://example.org/assertions/1"}`, 200, []string{`"verified":true`, `"edition":"2.0"`}, nil},
		"the address of a revoked assertion": {"application/json", "", `{"url":"https://example.org/assertions/2"}`, 200, []string{`"verified":false`, `"edition":"2.0"`, "The issuer revoked it", "by mistake"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/api/v1/verify"+row.query, strings.NewReader(row.body))
			r.Header.Set("Content-Type", row.mediaType)
			answer, err := server.Test(r)
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != row.status {
				t.Errorf("the status is %d, want %d: %.500s", answer.StatusCode, row.status, data)
			}
			for _, s := range row.contains {
				if !strings.Contains(string(data), s) {
					t.Errorf("the answer lacks %s: %.2000s", s, data)
				}
			}
			for _, s := range row.lacks {
				if strings.Contains(string(data), s) {
					t.Errorf("the answer holds %s: %.2000s", s, data)
				}
			}
		})
	}
}

// ours knows one issuer; documents would be the network.
type ours struct {
	controller, fragment string
	err                  error
}

func (o ours) KeyOf(_ context.Context, controller, fragment string) (bool, bool, error) {
	return controller == o.controller, fragment == o.fragment, o.err
}

// hostedBadge is an assertion of Open Badges 2.0.
const hostedBadge = `{"@context":"https://w3id.org/openbadges/v2","type":"Assertion","id":"https://example.org/assertions/1","badge":"https://example.org/class","issuedOn":"2026-01-01T00:00:00Z","recipient":{"type":"email","hashed":false,"identity":"a@example.com"},"verification":{"type":"HostedBadge"}}`

// gone is what is said of a revoked assertion.
type gone struct{}

func (gone) Error() string { return "gone" }
func (gone) Gone() ([]byte, bool) {
	return []byte(`{"revoked":true,"revocationReason":"by mistake"}`), true
}

type documents map[string]string

func (d documents) Get(_ context.Context, url string) ([]byte, error) {
	if url == "https://example.org/assertions/2" {
		return nil, gone{}
	}
	if text, ok := d[url]; ok {
		return []byte(text), nil
	}
	return nil, errors.New("not found")
}

func TestVerifyAsksForTheKeysOfOurOwnIssuersAtHome(t *testing.T) {
	const issuer = "https://badges.example.org/issuers/1"
	badge, multikey := issued(t, issuer)
	doc, err := did.NewDocument(issuer, multikey)
	if err != nil {
		t.Fatal(err)
	}
	published, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		documents verification.Documents
		issuers   verification.Issuers
		want      bool
	}{
		"the issuer is ours and the key its own":            {nil, ours{controller: issuer, fragment: multikey}, true},
		"the issuer is ours and the key is not its own":     {documents{issuer: string(published)}, ours{controller: issuer, fragment: "z"}, false},
		"the issuer is not ours and publishes the key":      {documents{issuer: string(published)}, ours{}, true},
		"the issuer is not ours and nobody answers":         {documents{}, nil, false},
		"the issuer is not ours and there is no network":    {nil, nil, false},
		"the issuer is not ours and publishes something":    {documents{issuer: `{"id":"` + issuer + `"}`}, nil, false},
		"the issuer is not ours and publishes another's id": {documents{issuer: strings.ReplaceAll(string(published), `"id":"`+issuer+`"`, `"id":"urn:1"`)}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := verification.New(row.documents, row.issuers, clock).Verify(t.Context(), []byte(badge), verification.Options{})
			if err != nil || r.Verified != row.want {
				t.Errorf("verified %t, want %t: %+v, %v", r.Verified, row.want, r.Checks, err)
			}
		})
	}
	away := fault.New(fault.Unavailable, "database.unavailable", "It is away.")
	_, err = verification.New(nil, ours{err: away}, clock).Verify(t.Context(), []byte(badge), verification.Options{})
	if !errors.Is(err, away) {
		t.Errorf("with the database away: %v", err)
	}
}

// noLists keeps no status lists.
type noLists struct{}

func (noLists) StatusOf(context.Context, string, string, uint64) (status.Standing, bool, error) {
	return status.Standing{}, false, nil
}

func TestModuleIsComplete(t *testing.T) {
	err := fx.ValidateApp(fx.NopLogger, verification.Module,
		fx.Supply(slog.New(slog.DiscardHandler)),
		fx.Provide(func() time.Time { return now }, func() func() time.Time { return clock }, func() verification.Documents { return documents{} }, func() verification.Issuers { return ours{} }, func() verification.Statuses { return noLists{} }),
		fx.Provide(page.New), fx.Invoke(func(*verification.Service) {}))
	if err != nil {
		t.Error(err)
	}
}

func BenchmarkVerifyPNG(b *testing.B) {
	badge, _ := issued(b, "")
	picture := []byte(baked(b, pngBytes(b), badge, image.OpenBadges3))
	s := verification.New(nil, nil, clock)
	b.ReportAllocs()
	for b.Loop() {
		r, err := s.Verify(b.Context(), picture, verification.Options{})
		if err != nil || !r.Verified {
			b.Fatal(r, err)
		}
	}
}
