package httpserver

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/platform/tracing"
)

// passage is what the server knows of one request on its way. It is also the context of
// the request, with its id and where it came from: one value instead of several that
// would be wrapped around each other.
type passage struct {
	context.Context
	server      *Server
	started     time.Time
	route       *Route // nil until one fits
	id, address string
}

type passageKey struct{}

// Value implements [context.Context].
func (p *passage) Value(key any) any {
	switch key {
	case passageKey{}:
		return p
	case logging.RequestKey:
		return p.id
	case principal.AddressKey:
		return p.address
	}
	return p.Context.Value(key)
}

// passageOf is nil for a request that did not come through the door.
func passageOf(c *fiber.Ctx) *passage {
	p, _ := c.UserContext().Value(passageKey{}).(*passage)
	return p
}

// pattern is that of the route the request came to, or "-": never the path itself,
// which strangers choose.
func pattern(c *fiber.Ctx) string {
	if p := passageOf(c); p != nil && p.route != nil {
		return p.route.Path
	}
	return "-"
}

// surround is the middleware around every request: its id, the headers that
// every answer bears, refusals, panics, and one line in the log.
func (s *Server) surround(base context.Context) fiber.Handler {
	return func(c *fiber.Ctx) error {
		s.prepare(c, base)
		p := passageOf(c)
		span := s.follow(c)
		defer span.End()
		if !s.cors(c) {
			if err := next(c); err != nil {
				if err := s.refuse(c, err); err != nil {
					return err
				}
			}
		}
		route, level := "-", slog.LevelInfo
		if p.route != nil {
			route = p.route.Path
		}
		if route == "/health" || strings.HasPrefix(route, "/health/") {
			level = slog.LevelDebug
		}
		size := c.Response().Header.ContentLength()
		if !c.Response().IsBodyStream() {
			size = len(c.Response().Body())
		}
		s.told(span, c, route)
		took := time.Since(p.started)
		if s.observer != nil {
			s.observer.Observe(c.Method(), route, c.Response().StatusCode(), took)
		}
		if ctx := c.UserContext(); s.log.Enabled(ctx, level) {
			s.log.LogAttrs(ctx, level, "request answered",
				slog.String("method", c.Method()), slog.String("route", route), slog.Int("status", c.Response().StatusCode()),
				slog.Duration("duration", took), slog.Int("bytes", size))
		}
		return nil
	}
}

// follow opens the span of a request, where requests are traced. Health probes ask
// all the time and are not.
func (s *Server) follow(c *fiber.Ctx) tracing.Span {
	if path := c.Path(); !s.tracer.On() || path == "/health" || strings.HasPrefix(path, "/health/") {
		return tracing.Span{}
	}
	header := &c.Request().Header
	ctx, span := s.tracer.Begin(c.UserContext(), c.Method(), string(header.Peek("traceparent")), string(header.Peek("tracestate")))
	c.SetUserContext(ctx)
	return span
}

// told names the span by the route and never by the path, which strangers choose and
// which may hold what is secret.
//
// OpenTelemetry semantic conventions, HTTP server spans: only 5xx are the server's errors.
func (s *Server) told(span tracing.Span, c *fiber.Ctx, route string) {
	if !span.On() {
		return
	}
	if route != "-" {
		span.Name(c.Method() + " " + route)
		span.Set(slog.String("http.route", route))
	}
	status := c.Response().StatusCode()
	scheme := "http"
	if s.encrypted(c) {
		scheme = "https"
	}
	span.Set(slog.Int("http.response.status_code", status), slog.String("url.scheme", scheme),
		slog.String("badge_engine.request_id", logging.RequestID(c.UserContext())))
	if status >= 500 {
		span.Fail(strconv.Itoa(status))
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
	started := c.Context().Time()
	if started.IsZero() { // it came without a connection
		started = time.Now()
	}
	id := string(c.Request().Header.Peek(fiber.HeaderXRequestID))
	if !sane(id) {
		id = requestID(started)
	}
	c.SetUserContext(&passage{Context: base, server: s, started: started, id: id, address: s.remoteIP(c)})
	header := &c.Response().Header
	header.Set(fiber.HeaderXRequestID, id)
	for _, h := range everywhere {
		header.SetCanonical(h.name, h.value)
	}
	// RFC 6797, 7.2 (HTTP Request Type): never over plain HTTP.
	if s.encrypted(c) {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
}

// everywhere are the headers of every answer. Pages that need more say so themselves.
var everywhere = func() (list []struct{ name, value []byte }) {
	for _, h := range [][2]string{
		{fiber.HeaderXContentTypeOptions, "nosniff"},
		{fiber.HeaderReferrerPolicy, "no-referrer"},
		{fiber.HeaderXFrameOptions, "DENY"},
		{fiber.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'"},
		// What none of our pages uses (W3C Permissions Policy).
		{"Permissions-Policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"},
	} {
		list = append(list, struct{ name, value []byte }{[]byte(h[0]), []byte(h[1])})
	}
	return list
}()

// requestID makes the id of a request. It tells requests apart and opens nothing, so the
// generator of the runtime will do, and costs no system call.
//
// RFC 9562, 5.7 (UUID Version 7).
func requestID(at time.Time) string {
	const digits = "0123456789abcdef"
	chance := rand.Uint64()
	halves := [2]uint64{
		uint64(at.UnixMilli())<<16 | 7<<12 | chance&0xfff,
		1<<63 | rand.Uint64()>>2,
	}
	var text [36]byte
	digit := 0
	for i := range text {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			text[i] = '-'
			continue
		}
		text[i] = digits[halves[digit/16]>>(60-digit%16*4)&0xf]
		digit++
	}
	return string(text[:])
}

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
	if w := watchedOf(c.Context().Conn()); w != nil && len(s.proxies) == 0 {
		return w.peer
	}
	peer, ok := netip.AddrFromSlice(c.Context().RemoteIP())
	if !ok {
		return ""
	}
	ip := peer.Unmap()
	if len(s.proxies) == 0 {
		return ip.String()
	}
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
