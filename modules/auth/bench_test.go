package auth_test

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/badge-engine/badge-engine/modules/auth"
	"github.com/badge-engine/badge-engine/platform/cache/memory"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/platform/ratelimit"
)

// BenchmarkGuardedRequest compares, over loopback and kept connections, a handler
// of fiber alone, the same behind a public route, and behind the guard with a token
// that is known, limits included. What the guard costs is the difference between
// the last two.
func BenchmarkGuardedRequest(b *testing.B) {
	log := slog.New(slog.DiscardHandler)
	store := &shelf{tokens: map[string]auth.Token{}}
	service, err := auth.New(auth.Default(), store, memory.New(1<<20, time.Now), auth.NewUsage(unused{}, log), time.Now, log)
	if err != nil {
		b.Fatal(err)
	}
	text, _, err := service.Create(b.Context(), "busy", []string{principal.ScopeCredentialsRead}, time.Time{})
	if err != nil {
		b.Fatal(err)
	}
	limits, err := ratelimit.NewLimits(ratelimit.Config{PerSecond: 1_000_000, Burst: 1_000_000, Failures: 60}, nil, time.Now, log)
	if err != nil {
		b.Fatal(err)
	}
	answer := func(c *fiber.Ctx) error { return c.SendString("ok") }
	route := func(path string, a httpserver.Access) httpserver.Route {
		return httpserver.Route{Method: "GET", Path: path, Access: a, Handler: answer, Summary: "s", Tag: "t"}
	}
	cfg := httpserver.Default()
	cfg.Host, cfg.Port = "127.0.0.1", 0
	server, err := httpserver.New(cfg, httpserver.Parts{Guard: service, Limits: limits, Tables: []httpserver.Table{{
		route("/public", httpserver.Public()), route("/guarded", httpserver.Scope(principal.ScopeCredentialsRead)),
	}}}, log)
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Stop(context.Background()) })

	bare := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true})
	bare.Get("/", answer)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = bare.Listener(listener) }()
	b.Cleanup(func() { _ = bare.Shutdown() })

	for _, row := range []struct{ name, address, request string }{
		{"bare", listener.Addr().String(), "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + text + "\r\n\r\n"},
		{"public", server.Addr().String(), "GET /public HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + text + "\r\n\r\n"},
		{"guarded", server.Addr().String(), "GET /guarded HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + text + "\r\n\r\n"},
	} {
		b.Run(row.name, func(b *testing.B) {
			conn, err := net.Dial("tcp", row.address)
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			reader, request := bufio.NewReader(conn), []byte(row.request)
			var response fasthttp.Response
			b.ReportAllocs()
			for b.Loop() {
				if _, err := conn.Write(request); err != nil {
					b.Fatal(err)
				}
				if err := response.Read(reader); err != nil || response.StatusCode() != 200 {
					b.Fatal(response.StatusCode(), err)
				}
			}
		})
	}
	if store.lookups > 200 {
		b.Errorf("the token was looked up %d times", store.lookups)
	}
}
