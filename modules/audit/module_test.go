package audit_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/badge-engine/badge-engine/modules/audit"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// guard knows who has which scope by what they say.
type guard struct{}

func (guard) Authenticate(_ context.Context, c httpserver.Credentials) (principal.Principal, error) {
	scope, named := strings.CutPrefix(c.Authorization, "Bearer ")
	switch {
	case !named:
		return principal.Principal{}, nil
	case scope == "wrong":
		return principal.Principal{}, errNo
	}
	return principal.Principal{ID: "token:" + scope, Scopes: []string{scope}}, nil
}

// deed is a module that records.
func deed(service *audit.Service) httpserver.Table {
	return httpserver.Table{{
		Method: "POST", Path: "/deeds/:id", Access: httpserver.Authenticated(), Hidden: true,
		Handler: func(c *fiber.Ctx) error {
			return service.Record(c.UserContext(), "test.deed.done", c.Params("id"), "", nil)
		},
	}}
}

// serve boots the module behind the real server.
func serve(t *testing.T, db *database.DB) (call func(method, path, token string) (int, string), stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	app := fxtest.New(t, fx.NopLogger,
		fx.Supply(httpserver.Default(), db, key(t, "secret"), slog.New(slog.DiscardHandler), fx.Annotate(listener, fx.As(new(net.Listener)))),
		fx.Provide(
			func() func() time.Time { return func() time.Time { return noon } },
			func() httpserver.Guard { return guard{} },
			func() audit.Work { return db },
		),
		audit.Module, httpserver.Mount(deed), httpserver.Module)
	app.RequireStart()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return func(method, path, token string) (int, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+listener.Addr().String()+path, nil)
		must(t, err)
		request.Header.Set("X-Request-Id", "of-the-test")
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := client.Do(request)
		must(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		must(t, err)
		return response.StatusCode, string(body)
	}, app.RequireStop
}

func TestTheTrailOverHTTP(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		call, stop := serve(t, db)
		for _, id := range []string{"deed-1", "deed-2", "deed-3"} {
			if status, body := call("POST", "/deeds/"+id, principal.ScopeCredentialsIssue); status != 200 {
				t.Fatalf("%d %s", status, body)
			}
		}
		for range 3 {
			call("GET", "/api/v1/audit", "")
		}
		call("GET", "/api/v1/audit", "wrong")
		call("GET", "/api/v1/audit", principal.ScopeCredentialsRead)
		stop() // writes and seals what is left
		if report := build(t, db).verify(t); report.Breach != nil || report.Checked != 6 || report.Waiting != 0 {
			t.Fatalf("after the stop: %+v", report)
		}

		call, stop = serve(t, db)
		defer stop()
		_, body := call("GET", "/api/v1/audit?limit=2", principal.ScopeAuditRead)
		var page struct{ Next string }
		must(t, json.Unmarshal([]byte(body), &page))
		for _, row := range []struct {
			name, path, token string
			status            int
			must, mustNot     string
		}{
			{"nobody may read", "", "", 401, `"httpserver.unauthenticated"`, "deed-1"},
			{"an issuer may not read", "", principal.ScopeCredentialsIssue, 403, `"httpserver.forbidden"`, "deed-1"},
			{"an admin reads", "", principal.ScopeAdmin, 200, `"sequence":6`, "forged"},
			{"a deed says who, what, from where and by which request", "?target=deed-2", principal.ScopeAuditRead, 200, `"at":"2026-11-23T12:00:00Z","principal":"token:credentials:issue","principalKind":"token","action":"test.deed.done","target":"deed-2","outcome":"succeeded","remoteIp":"127.0.0.1","requestId":"of-the-test","count":1,"hash":"`, "deed-1"},
			{"refusals of strangers are counted", "?outcome=refused", principal.ScopeAuditRead, 200, `"principalKind":"anonymous","action":"httpserver.request.refused","target":"GET:/api/v1/audit","outcome":"refused","reason":"httpserver.unauthenticated","remoteIp":"127.0.0.1","requestId":"of-the-test","count":3`, "deed-1"},
			{"a refusal says who, if that is known", "?principal=token:credentials:read", principal.ScopeAuditRead, 200, `"reason":"httpserver.forbidden"`, "anonymous"},
			{"the oldest first", "?sort=sequence&limit=1", principal.ScopeAuditRead, 200, `"sequence":1`, `"sequence":2`},
			{"the second page", "?limit=2&cursor=" + url.QueryEscape(page.Next), principal.ScopeAuditRead, 200, `"sequence":4`, `"sequence":5`},
			{"a time to come", "?from=2026-11-23T12:00:01Z", principal.ScopeAuditRead, 200, `"items":[]`, "deed-1"},
			{"a time that is none", "?to=yesterday", principal.ScopeAuditRead, 400, `"audit.filter"`, "deed-1"},
			{"an outcome that is none", "?outcome=won", principal.ScopeAuditRead, 400, `"audit.filter"`, "deed-1"},
			{"an action that is none", "?action=%25", principal.ScopeAuditRead, 400, `"audit.filter"`, "deed-1"},
			{"a cursor of another list", "?outcome=refused&cursor=" + url.QueryEscape(page.Next), principal.ScopeAuditRead, 400, `"paging.cursor"`, "deed-1"},
		} {
			t.Run(row.name, func(t *testing.T) {
				status, body := call("GET", "/api/v1/audit"+row.path, row.token)
				if status != row.status || !strings.Contains(body, row.must) || strings.Contains(body, row.mustNot) {
					t.Errorf("%d %s", status, body)
				}
			})
		}
	}, audit.Schema())
}
