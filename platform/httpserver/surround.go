package httpserver

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/principal"
)

type patternKey struct{}

// surround is the middleware around every request: its id, the headers that
// every answer bears, refusals, panics, and one line in the log.
func (s *Server) surround(base context.Context) fiber.Handler {
	return func(c *fiber.Ctx) error {
		started := time.Now()
		s.prepare(c, base)
		if !s.cors(c) {
			if err := next(c); err != nil {
				if err := s.refuse(c, err); err != nil {
					return err
				}
			}
		}
		pattern, known := c.Locals(patternKey{}).(string)
		if !known {
			pattern = "-" // never the path itself: strangers choose it
		}
		level := slog.LevelInfo
		if pattern == "/health" || strings.HasPrefix(pattern, "/health/") {
			level = slog.LevelDebug
		}
		size := c.Response().Header.ContentLength()
		if !c.Response().IsBodyStream() {
			size = len(c.Response().Body())
		}
		took := time.Since(started)
		if s.observer != nil {
			s.observer.Observe(c.Method(), pattern, c.Response().StatusCode(), took)
		}
		s.log.LogAttrs(c.UserContext(), level, "request answered",
			slog.String("method", c.Method()), slog.String("route", pattern), slog.Int("status", c.Response().StatusCode()),
			slog.Duration("duration", took), slog.Int("bytes", size))
		return nil
	}
}

// next calls the rest of the chain; a panic becomes an error with its stack.
func next(c *fiber.Ctx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return c.Next()
}

// prepare gives the request its id and the answer the headers that all answers bear.
func (s *Server) prepare(c *fiber.Ctx, base context.Context) {
	id := c.Get(fiber.HeaderXRequestID)
	if !sane(id) {
		if u, err := uuid.NewV7(); err == nil {
			id = u.String()
		}
	}
	c.SetUserContext(principal.WithAddress(logging.ContextWith(base, id), s.remoteIP(c)))
	c.Set(fiber.HeaderXRequestID, id)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	c.Set(fiber.HeaderXFrameOptions, "DENY")
	// Pages that need more say so themselves.
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'")
	c.Set("Permissions-Policy", permissions)
	// RFC 6797, 7.2 (HTTP Request Type): never over plain HTTP.
	if s.encrypted(c) {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
}

// permissions takes from our pages what none of them uses (W3C Permissions Policy).
const permissions = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"

// encrypted reports whether the caller speaks TLS, with us or with a trusted proxy.
func (s *Server) encrypted(c *fiber.Ctx) bool {
	if s.cfg.TLSCert != "" {
		return true
	}
	if len(s.proxies) == 0 {
		return false
	}
	peer, ok := netip.AddrFromSlice(c.Context().RemoteIP())
	return ok && s.trusted(peer.Unmap()) && strings.EqualFold(c.Get(fiber.HeaderXForwardedProto), "https")
}

// sane request ids are short and cannot forge a line of any log.
func sane(id string) bool {
	if len(id) == 0 || len(id) > 64 {
		return false
	}
	for _, b := range []byte(id) {
		if (b < '0' || b > '9') && (b < 'A' || b > 'Z') && (b < 'a' || b > 'z') && b != '-' && b != '_' && b != '.' {
			return false
		}
	}
	return true
}

// remoteIP is the caller's address: the peer's, or where the peer is a trusted
// proxy, the nearest address in X-Forwarded-For that is not one. Addresses
// further left are hearsay.
func (s *Server) remoteIP(c *fiber.Ctx) string {
	peer, ok := netip.AddrFromSlice(c.Context().RemoteIP())
	if !ok {
		return ""
	}
	ip := peer.Unmap()
	hops := strings.Split(c.Get(fiber.HeaderXForwardedFor), ",")
	for _, hop := range slices.Backward(hops) {
		if !s.trusted(ip) {
			break
		}
		a, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		ip = a.Unmap()
	}
	return ip.String()
}

func (s *Server) trusted(ip netip.Addr) bool {
	return slices.ContainsFunc(s.proxies, func(p netip.Prefix) bool { return p.Contains(ip) })
}
