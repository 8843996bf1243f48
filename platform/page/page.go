package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/problem"
)

//go:embed templates/layout.html templates/problem.html
var templates embed.FS

//go:embed static/style.css
var style []byte

// policy lets pages load the style sheet and pictures, and post forms to this server alone.
const policy = "default-src 'none'; style-src 'self'; img-src 'self' data: https:; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Pages are the parsed templates of a module.
type Pages struct{ set *template.Template }

// Parse reads templates whose names are their file names. Beside the functions
// of html/template they know date, which shows an RFC 3339 time to people.
func Parse(files fs.FS, patterns ...string) (*Pages, error) {
	set, err := template.New("").Funcs(functions).ParseFS(files, patterns...)
	if err != nil {
		return nil, fmt.Errorf("page: parse templates: %w", err)
	}
	return &Pages{set: set}, nil
}

var functions = template.FuncMap{"date": date}

func date(s string) string {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return s
	}
	return t.UTC().Format("2 January 2006")
}

// View is one page: what it says about itself, and its body.
type View struct {
	Title        string // also the OpenGraph title
	Description  string
	ImageURL     string // absolute; what other sites show beside a link
	CanonicalURL string // absolute
	Pages        *Pages // the module's templates
	Body         string // the name of one of them: "credential.html"
	Data         any
}

// Renderer puts views into the layout.
type Renderer struct {
	own       *Pages
	styleName string
	notice    string
}

// New makes a Renderer. The templates it needs are part of the program.
func New() *Renderer {
	sum := sha256.Sum256(style)
	return &Renderer{
		own:       &Pages{set: template.Must(template.New("").Funcs(functions).ParseFS(templates, "templates/*.html"))},
		styleName: "style." + hex.EncodeToString(sum[:6]) + ".css",
	}
}

// Announce has every page say something. It must be called before the first one
// is rendered.
func (r *Renderer) Announce(notice string) { r.notice = notice }

// Render answers with the view.
func (r *Renderer) Render(c *fiber.Ctx, status int, v View) error {
	if v.Pages == nil || v.Pages.set.Lookup(v.Body) == nil {
		return fmt.Errorf("page: there is no template %q", v.Body)
	}
	var body, page bytes.Buffer
	if err := v.Pages.set.ExecuteTemplate(&body, v.Body, v.Data); err != nil {
		return fmt.Errorf("page: %s: %w", v.Body, err)
	}
	frame := struct {
		View
		Style   string
		Notice  string
		Content template.HTML // escaped by the module's template
	}{v, "/static/" + r.styleName, r.notice, template.HTML(body.String())}
	if err := r.own.set.ExecuteTemplate(&page, "layout.html", frame); err != nil {
		return fmt.Errorf("page: layout: %w", err)
	}
	c.Set(fiber.HeaderContentSecurityPolicy, policy)
	return httpserver.Bytes(c, status, fiber.MIMETextHTMLCharsetUTF8, page.Bytes())
}

// Problem is a [problem.Dialect]: a page for callers who prefer HTML, RFC 9457 for
// all others. Modules with public pages put it over their paths by [httpserver.Speak].
func (r *Renderer) Problem(c *fiber.Ctx, p problem.Problem) error {
	if !httpserver.WantsHTML(c) {
		return problem.Write(c, p)
	}
	return r.Render(c, p.Status, View{Title: strings.TrimSuffix(p.Title, "."), Pages: r.own, Body: "problem.html", Data: p})
}

// Routes serve the style sheet. Its name changes with its bytes, so it may be
// kept for ever.
func (r *Renderer) Routes() httpserver.Table {
	return httpserver.Table{{
		Method: http.MethodGet, Path: "/static/" + r.styleName, Access: httpserver.Public(), Hidden: true,
		Summary: "The style sheet of the pages", Tag: "Pages",
		Handler: func(c *fiber.Ctx) error {
			c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
			return httpserver.Bytes(c, http.StatusOK, "text/css; charset=utf-8", style)
		},
	}}
}
