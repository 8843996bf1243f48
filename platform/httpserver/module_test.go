package httpserver_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/problem"
)

func TestModuleServesWhatIsMounted(t *testing.T) {
	var server *httpserver.Server
	app := fxtest.New(t, fx.NopLogger,
		fx.Supply(config(), slog.New(slog.DiscardHandler)),
		httpserver.Module,
		fx.Provide(func() httpserver.Guard { return guard{} }),
		// A part that reports on the drain is served by the server that drains.
		httpserver.Mount(func(*httpserver.Phase) httpserver.Table {
			return httpserver.Table{get("/one", httpserver.Authenticated(), ok)}
		}),
		httpserver.Mount(func() httpserver.Table {
			return httpserver.Table{get("/two", httpserver.Public(), func(*fiber.Ctx) error { return fault.New(fault.Gone, "t.gone", "Gone.") })}
		}),
		httpserver.Speak(func() httpserver.Dialect {
			return httpserver.Dialect{Prefix: "/two", Write: func(c *fiber.Ctx, p problem.Problem) error { return c.Status(p.Status).SendString("dialect") }}
		}),
		fx.Populate(&server),
	)
	app.RequireStart()
	defer app.RequireStop()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for path, want := range map[string]string{"/one": "401", "/two": "410 dialect"} {
		r, err := http.NewRequestWithContext(context.Background(), "GET", "http://"+server.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
		got := strings.TrimSpace(res.Status[:3] + " " + string(body))
		if err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %v %s", path, err, got)
		}
	}
}
