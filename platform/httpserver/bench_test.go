package httpserver_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/shelf"
	"github.com/badge-engine/badge-engine/platform/telemetry"
)

// BenchmarkPublicDocument is what this server adds to a document that lies ready, beside a
// bare handler; the network is the same for both and left out. Logs are written to nowhere.
func BenchmarkPublicDocument(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 2500)
	bare := fiber.New()
	bare.Get("/credentials/:id", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, "application/vc+ld+json")
		return c.Send(body)
	})
	kept := shelf.New(nil, nil, func() (t time.Time) { return t }, slog.New(slog.DiscardHandler))
	document := get("/credentials/:id", httpserver.Public(), func(c *fiber.Ctx) error {
		found, err := shelf.Get(c.UserContext(), kept, c.Params("id"), func(context.Context) (*shelf.Document, error) { return shelf.Of(body), nil })
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderCacheControl, "public, max-age=60")
		kind := httpserver.Accepts(c, "application/vc+ld+json", fiber.MIMEApplicationJSON)
		if httpserver.Fresh(c, found.Tag) {
			return nil
		}
		return httpserver.Bytes(c, 200, kind, found.Body)
	})
	document.AnyOrigin = true
	ours := func(level string) fasthttp.RequestHandler {
		metrics, err := telemetry.New(nil)
		if err != nil {
			b.Fatal(err)
		}
		log, _, err := logging.NewOn(io.Discard, logging.Config{Level: level, Format: "json"})
		if err != nil {
			b.Fatal(err)
		}
		s, err := httpserver.New(config(), httpserver.Parts{Observer: metrics, Tables: []httpserver.Table{{document}}}, log)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = s.Stop(context.Background()) })
		return s.Handler()
	}
	for _, row := range []struct {
		name   string
		handle fasthttp.RequestHandler
	}{{"bare", bare.Handler()}, {"without-log", ours("warn")}, {"with-log", ours("info")}} {
		b.Run(row.name, func(b *testing.B) {
			var request fasthttp.Request
			request.SetRequestURI("http://badges.example.org/credentials/01a21e73-a385-72f3-b2cb-13082164bd4f")
			var c fasthttp.RequestCtx
			b.ReportAllocs()
			for b.Loop() {
				c.Init(&request, nil, nil)
				row.handle(&c)
				c.Response.Reset()
				c.ResetUserValues()
			}
		})
	}
}
