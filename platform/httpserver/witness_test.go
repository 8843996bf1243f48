package httpserver_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// witness notes what it hears.
type witness struct{ heard []string }

func (w *witness) Refused(ctx context.Context, r httpserver.Refusal) {
	f, _ := fault.From(r.Err)
	w.heard = append(w.heard, strings.Join([]string{r.Method, r.Route, f.Code(), principal.From(ctx).ID, principal.Address(ctx), logging.RequestID(ctx)}, " "))
}

func TestTheWitnessHearsOfWhoIsRefusedAndOfNothingElse(t *testing.T) {
	w := &witness{}
	cfg := config()
	cfg.TrustedProxies = []string{"127.0.0.1"}
	h := start(t, cfg, httpserver.Parts{Witness: w, Tables: []httpserver.Table{{
		get("/read/:id", httpserver.Scope(principal.ScopeCredentialsRead), ok),
		get("/admin", httpserver.Scope(principal.ScopeAdmin), ok),
		get("/own", httpserver.Public(), func(*fiber.Ctx) error { return fault.New(fault.Forbidden, "test.own", "The handler says no.") }),
		get("/invalid", httpserver.Public(), func(*fiber.Ctx) error { return fault.New(fault.Invalid, "test.invalid", "No.") }),
	}}})
	for _, request := range [][2]string{
		{"/read/secret-path", ""}, {"/read/1", "Bearer reader"}, {"/admin", "Bearer reader"}, {"/admin", "Bearer lost"}, {"/own", ""}, {"/invalid", ""}, {"/nothing", ""},
	} {
		h.do(t, "GET", request[0], "", "Authorization", request[1], "X-Request-Id", "r1", "X-Forwarded-For", "192.0.2.7")
	}
	want := []string{
		"GET /read/:id httpserver.unauthenticated  192.0.2.7 r1",
		"GET /admin httpserver.forbidden p1 192.0.2.7 r1",
		"GET /own test.own  192.0.2.7 r1",
	}
	if !slices.Equal(w.heard, want) {
		t.Errorf("got  %q\nwant %q", w.heard, want)
	}
}
