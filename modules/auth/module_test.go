package auth_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"

	"github.com/badge-engine/badge-engine/modules/auth"
	"github.com/badge-engine/badge-engine/modules/auth/entra"
	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/cache/memory"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/page"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

func TestMain(m *testing.M) {
	// fasthttp keeps one clock for the process, and a stopped server's cleaner
	// notices only when it next wakes up, within ten seconds.
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

// serve boots the module behind the real server and gives a way to call it.
func serve(t *testing.T, db *database.DB) func(method, path, token, body string) (status int, header http.Header, answer string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
	app := fxtest.New(t, fx.NopLogger,
		fx.Supply(auth.Config{BootstrapAdminToken: bootstrap}, entra.Default(), httpserver.Default(), db, slog.New(slog.DiscardHandler), fx.Annotate(listener, fx.As(new(net.Listener)))),
		fx.Provide(func() func() time.Time { return now }, func() cache.Cache { return memory.New(1<<20, now) }),
		page.Module, httpserver.Module, auth.Module)
	app.RequireStart()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	t.Cleanup(func() { app.RequireStop() })
	return func(method, path, token, body string) (int, http.Header, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+listener.Addr().String()+path, bytes.NewBufferString(body))
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		if body != "" {
			request.Header.Set("Content-Type", "application/json")
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		answer, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, response.Header, string(answer)
	}
}

func TestTokensOverHTTP(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		call := serve(t, db)
		status, header, answer := call("POST", "/api/v1/tokens", bootstrap, `{"name":"ops","scopes":["admin"],"expires":"90d"}`)
		var ops struct{ ID, Token, ExpiresAt string }
		if err := json.Unmarshal([]byte(answer), &ops); err != nil || status != 201 || header.Get("Cache-Control") != "no-store" || ops.ExpiresAt != "2027-02-21T12:00:00Z" {
			t.Fatalf("%d %v %s", status, header, answer)
		}
		_, _, answer = call("POST", "/api/v1/tokens", ops.Token, `{"name":"reader","scopes":["credentials:read"]}`)
		var reader struct{ ID, Token string }
		if err := json.Unmarshal([]byte(answer), &reader); err != nil {
			t.Fatalf("%v: %s", err, answer)
		}

		for _, row := range []struct {
			name, method, path, token, body string
			status                          int
			must, mustNot                   string
		}{
			{"nobody may list", "GET", "/api/v1/tokens", "", "", 401, `"httpserver.unauthenticated"`, ops.ID},
			{"a wrong token may not list", "GET", "/api/v1/tokens", "be_wrong", "", 401, `"auth.token_invalid"`, "form"},
			{"a reader may not list", "GET", "/api/v1/tokens", reader.Token, "", 403, `"httpserver.forbidden"`, ops.ID},
			{"a reader may not create", "POST", "/api/v1/tokens", reader.Token, `{"name":"x","scopes":["admin"]}`, 403, `"httpserver.forbidden"`, `"token":`},
			{"an admin lists without secrets", "GET", "/api/v1/tokens", ops.Token, "", 200, reader.ID, strings.Split(ops.Token, "_")[2]},
			{"an unknown scope is named with its place", "POST", "/api/v1/tokens", ops.Token, `{"name":"x","scopes":["admin","root"]}`, 422, `"/scopes/1"`, `"token":`},
			{"an expiry that is none is named with its place", "POST", "/api/v1/tokens", ops.Token, `{"name":"x","scopes":["admin"],"expires":"soon"}`, 422, `"/expires"`, `"token":`},
			{"an unknown member is refused", "POST", "/api/v1/tokens", ops.Token, `{"name":"x","scopes":["admin"],"expiry":"90d"}`, 422, `/expiry`, `"token":`},
			{"half a body cannot be read", "POST", "/api/v1/tokens", ops.Token, `{"name":"x"`, 400, `"errors"`, `"token":`},
			{"a name revokes nothing here", "DELETE", "/api/v1/tokens/reader", ops.Token, "", 404, `"auth.token_not_found"`, reader.ID},
			{"an unknown id is not found", "DELETE", "/api/v1/tokens/0192f0c0-0000-7000-8000-000000000000", ops.Token, "", 404, `"auth.token_not_found"`, reader.ID},
			{"an admin revokes", "DELETE", "/api/v1/tokens/" + reader.ID, ops.Token, "", 204, "", "error"},
			{"revoking again is fine", "DELETE", "/api/v1/tokens/" + reader.ID, ops.Token, "", 204, "", "error"},
			{"a revoked token opens nothing", "GET", "/api/v1/tokens", reader.Token, "", 401, `"auth.token_invalid"`, "revoked"},
			{"lists show the revocation", "GET", "/api/v1/tokens", ops.Token, "", 200, `"revokedAt":"2026-11-23T12:00:00Z"`, reader.Token},
		} {
			t.Run(row.name, func(t *testing.T) {
				status, header, answer := call(row.method, row.path, row.token, row.body)
				if status != row.status || !strings.Contains(answer, row.must) || strings.Contains(answer, row.mustNot) {
					t.Errorf("%d %s", status, answer)
				}
				if status == 401 && !strings.HasPrefix(header.Get("WWW-Authenticate"), "Bearer") {
					t.Errorf("WWW-Authenticate is %q", header.Get("WWW-Authenticate"))
				}
			})
		}
	}, auth.Schema())
}

func TestUseIsWrittenDownWhenTheModuleStops(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		var id string
		t.Run("serving", func(t *testing.T) {
			call := serve(t, db)
			_, _, answer := call("POST", "/api/v1/tokens", bootstrap, `{"name":"ops","scopes":["`+principal.ScopeAdmin+`"]}`)
			var ops struct{ ID, Token string }
			if err := json.Unmarshal([]byte(answer), &ops); err != nil {
				t.Fatalf("%v: %s", err, answer)
			}
			if status, _, answer := call("GET", "/api/v1/tokens", ops.Token, ""); status != 200 {
				t.Fatalf("%d %s", status, answer)
			}
			id = ops.ID
		})
		if token, err := auth.NewStore(db).Find(t.Context(), id); err != nil || token.LastUsed.IsZero() {
			t.Errorf("token is %+v, error %v", token, err)
		}
	}, auth.Schema())
}
