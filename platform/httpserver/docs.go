package httpserver

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"net/http"

	"github.com/gofiber/fiber/v2"
)

//go:embed docs/index.html docs/app.js docs/style.css
var docs embed.FS

const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ownRoutes are the description of the interface, for programs and for people.
func (s *Server) ownRoutes() Table {
	own := func(path, summary string, h fiber.Handler) Route {
		return Route{Method: http.MethodGet, Path: path, Access: Public(), Handler: h, Summary: summary, Tag: "Interface", Hidden: true}
	}
	document := own("/openapi.json", "The OpenAPI document", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, "no-cache")
		if Fresh(c, s.document.tag) {
			return nil
		}
		return Bytes(c, http.StatusOK, fiber.MIMEApplicationJSON, s.document.body)
	})
	document.AnyOrigin = true
	return Table{
		document,
		own("/docs", "A page to browse the interface", docsFile("index.html", "text/html; charset=utf-8")),
		own("/docs/app.js", "Its program", docsFile("app.js", "text/javascript; charset=utf-8")),
		own("/docs/style.css", "Its looks", docsFile("style.css", "text/css; charset=utf-8")),
	}
}

func docsFile(name, mediaType string) fiber.Handler {
	data, err := docs.ReadFile("docs/" + name)
	tag := fingerprint(data)
	return func(c *fiber.Ctx) error {
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderContentSecurityPolicy, docsPolicy)
		c.Set(fiber.HeaderCacheControl, "no-cache")
		if Fresh(c, tag) {
			return nil
		}
		return Bytes(c, http.StatusOK, mediaType, data)
	}
}

// document is the OpenAPI document as it is served.
type document struct {
	body []byte
	tag  string
}

func fingerprint(data []byte) string {
	sum := sha256.Sum256(data)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}
