package problem

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/tracing"
)

// Dialect writes a problem in another form than RFC 9457, such as RFC 7644,
// 3.12 (HTTP Status and Error Response Handling). It sets status, media type
// and body; the headers that the status asks for are set already.
type Dialect func(c *fiber.Ctx, p Problem) error

type dialectKey struct{}

// Speak makes Render answer this request in the dialect; nil means RFC 9457.
func Speak(c *fiber.Ctx, d Dialect) { c.Locals(dialectKey{}, d) }

// Render answers with err, and logs what must be mended or has no other trace.
// It is called in one place, by the server.
func Render(c *fiber.Ctx, err error, log *slog.Logger) error {
	ctx := c.UserContext()
	p := Of(err)
	p.Instance = string(c.Context().URI().PathOriginal())
	p.RequestID, p.TraceID = logging.RequestID(ctx), tracing.ID(ctx)
	switch {
	case p.Status == http.StatusServiceUnavailable:
		log.WarnContext(ctx, "request refused for now", "code", p.Code, "error", err)
	case p.Status >= 500 && p.Status != http.StatusNotImplemented:
		log.ErrorContext(ctx, "request failed", "code", p.Code, "error", err)
	default:
		log.DebugContext(ctx, "request refused", "code", p.Code, "error", err)
	}

	// What the handler meant for its answer does not hold for this one.
	for _, name := range []string{fiber.HeaderETag, fiber.HeaderLastModified, fiber.HeaderContentDisposition, fiber.HeaderContentEncoding, fiber.HeaderLocation} {
		c.Response().Header.Del(name)
	}
	c.Response().ResetBody()
	c.Set(fiber.HeaderCacheControl, "no-store")
	if p.wait > 0 {
		c.Set(fiber.HeaderRetryAfter, seconds(p.wait))
	}
	if p.Status == http.StatusUnauthorized && c.GetRespHeader(fiber.HeaderWWWAuthenticate) == "" {
		c.Set(fiber.HeaderWWWAuthenticate, challenge(c))
	}
	if d, _ := c.Locals(dialectKey{}).(Dialect); d != nil {
		return d(c, p)
	}
	return Write(c, p)
}

// Write writes p as RFC 9457 has it; it is the dialect of a route that has no other.
func Write(c *fiber.Ctx, p Problem) error {
	body, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("problem: encode: %w", err)
	}
	c.Status(p.Status).Set(fiber.HeaderContentType, MediaType)
	return c.Send(body)
}

// RFC 6750, 3 (The WWW-Authenticate Response Header Field): without a token
// there is nothing to say but that one is needed.
func challenge(c *fiber.Ctx) string {
	if len(c.Request().Header.Peek(fiber.HeaderAuthorization)) == 0 {
		return `Bearer realm="badge-engine"`
	}
	return `Bearer realm="badge-engine", error="invalid_token"`
}
