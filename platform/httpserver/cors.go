package httpserver

import (
	"slices"

	"github.com/gofiber/fiber/v2"
)

// origins are those whose pages may call the API; none means nobody.
type origins []string

func (o origins) allow(origin string) bool {
	return slices.Contains(o, "*") || slices.Contains(o, origin)
}

// cors sets what the Fetch standard, 3.3 (CORS protocol) asks for, and reports
// whether the request was a preflight and is answered. Tokens travel in a header
// that the page sets itself, so credentials are never allowed.
func (s *Server) cors(c *fiber.Ctx) (answered bool) {
	if len(s.origins) == 0 {
		return false
	}
	c.Vary(fiber.HeaderOrigin)
	origin := c.Get(fiber.HeaderOrigin)
	if origin == "" || !s.origins.allow(origin) {
		return false
	}
	c.Set(fiber.HeaderAccessControlAllowOrigin, origin)
	c.Set(fiber.HeaderAccessControlExposeHeaders, "ETag, Link, Location, RateLimit-Limit, RateLimit-Policy, RateLimit-Remaining, RateLimit-Reset, Retry-After, WWW-Authenticate, X-Request-Id")
	if c.Method() != fiber.MethodOptions || c.Get(fiber.HeaderAccessControlRequestMethod) == "" {
		return false
	}
	c.Set(fiber.HeaderAccessControlAllowMethods, "GET, HEAD, POST, PUT, PATCH, DELETE")
	c.Set(fiber.HeaderAccessControlAllowHeaders, "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id")
	c.Set(fiber.HeaderAccessControlMaxAge, "600")
	c.Status(fiber.StatusNoContent)
	return true
}
