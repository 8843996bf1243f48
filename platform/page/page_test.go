package page_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/page"
)

type credential struct{ Name, On, Issuer, Until string }

func server(t *testing.T, view page.View) *httpserver.Server {
	t.Helper()
	r := page.New()
	s, err := httpserver.New(httpserver.Default(), httpserver.Parts{
		Tables: []httpserver.Table{r.Routes(), {
			{Method: "GET", Path: "/credentials/one", Access: httpserver.Public(), Summary: "s", Tag: "t", Handler: func(c *fiber.Ctx) error { return r.Render(c, 200, view) }},
			{Method: "GET", Path: "/credentials/none", Access: httpserver.Public(), Summary: "s", Tag: "t", Handler: func(*fiber.Ctx) error {
				return fault.New(fault.NotFound, "t.none", "There is no <such> credential.")
			}},
		}},
		Dialects: []httpserver.Dialect{{Prefix: "/credentials", Write: r.Problem}},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func get(t *testing.T, s *httpserver.Server, path, accept string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Accept", accept)
	res, err := s.Test(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func view(t *testing.T, data any) page.View {
	t.Helper()
	pages, err := page.Parse(os.DirFS("testdata"), "*.html")
	if err != nil {
		t.Fatal(err)
	}
	return page.View{Title: `Gopher "first" <class>`, Description: "For & with gophers.", ImageURL: "https://b.example/badge.png",
		CanonicalURL: "https://b.example/credentials/one", Pages: pages, Body: "credential.html", Data: data}
}

func TestRender(t *testing.T) {
	s := server(t, view(t, credential{"<script>alert(1)</script>", "2026-03-01T12:00:00Z", "javascript:alert(1)", "for ever"}))
	res, body := get(t, s, "/credentials/one", "text/html")
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	for _, want := range []string{
		`<title>Gopher &#34;first&#34; &lt;class&gt; · Badge Engine</title>`,
		`<meta property="og:title" content="Gopher &#34;first&#34; &lt;class&gt;">`,
		`<meta property="og:description" content="For &amp; with gophers.">`,
		`<meta property="og:image" content="https://b.example/badge.png">`,
		`<meta property="og:url" content="https://b.example/credentials/one">`,
		`<link rel="canonical" href="https://b.example/credentials/one">`,
		`&lt;script&gt;alert(1)&lt;/script&gt;`, `1 March 2026`, `<dd>for ever</dd>`, `<html lang="en">`, `<main id="content">`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing in %s", want, body)
		}
	}
	for _, bad := range []string{"<script", `href="javascript:`, " style="} {
		if strings.Contains(body, bad) {
			t.Errorf("%q is in %s", bad, body)
		}
	}
	policy := res.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("%q is missing in the policy %q", want, policy)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Error(policy)
	}

	sheet := regexp.MustCompile(`href="(/static/style\.[0-9a-f]{12}\.css)"`).FindStringSubmatch(body)
	if sheet == nil {
		t.Fatal("there is no style sheet")
	}
	res, body = get(t, s, sheet[1], "")
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") || !strings.Contains(body, "prefers-color-scheme: dark") {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
}

func TestWhatIsNotSaidIsLeftOut(t *testing.T) {
	v := view(t, credential{})
	v.Description, v.ImageURL, v.CanonicalURL = "", "", ""
	_, body := get(t, server(t, v), "/credentials/one", "")
	for _, bad := range []string{"og:image", "og:url", "og:description", "canonical"} {
		if strings.Contains(body, bad) {
			t.Errorf("%q is in the page", bad)
		}
	}
}

func TestProblemPage(t *testing.T) {
	s := server(t, view(t, nil))
	res, body := get(t, s, "/credentials/none", "text/html,*/*;q=0.8")
	if res.StatusCode != 404 || !strings.Contains(body, "<h1>There is no &lt;such&gt; credential.</h1>") || !strings.Contains(body, "t.none") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	res, body = get(t, s, "/credentials/none", "application/json")
	if res.StatusCode != 404 || res.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	res, _ = get(t, s, "/credentials/unknown", "text/html")
	if res.StatusCode != 404 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
}

func TestTemplatesThatFail(t *testing.T) {
	if _, err := page.Parse(fstest.MapFS{"a.html": {Data: []byte("{{")}}, "*.html"); err == nil {
		t.Error("a broken template was parsed")
	}
	for name, change := range map[string]func(*page.View){
		"no templates":        func(v *page.View) { v.Pages = nil },
		"no such template":    func(v *page.View) { v.Body = "other.html" },
		"data that lacks all": func(v *page.View) { v.Data = 1 },
	} {
		v := view(t, credential{})
		change(&v)
		if res, body := get(t, server(t, v), "/credentials/one", "text/html"); res.StatusCode != 500 || strings.Contains(body, "template") {
			t.Errorf("%s: %d %s", name, res.StatusCode, body)
		}
	}
}

func TestModule(t *testing.T) {
	var s *httpserver.Server
	fxtest.New(t, fx.NopLogger, fx.Supply(httpserver.Default(), slog.New(slog.DiscardHandler)), httpserver.Module, page.Module, fx.Populate(&s), fx.Invoke(func(*page.Renderer) {}))
	found := false
	for _, r := range s.Routes() {
		found = found || strings.HasPrefix(r.Path, "/static/style.")
	}
	if !found {
		t.Error("the style sheet is not served")
	}
}
