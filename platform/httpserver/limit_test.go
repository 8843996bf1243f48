package httpserver_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/platform/ratelimit"
)

// doorman knows every token by its own text, but for those that begin with bad.
type doorman struct{}

var errBad = fault.New(fault.Unauthenticated, "auth.token_invalid", "The token is not valid.")

func (doorman) Authenticate(_ context.Context, c httpserver.Credentials) (principal.Principal, error) {
	text := strings.TrimPrefix(c.Authorization, "Bearer ")
	switch {
	case text == "":
		return principal.Principal{}, nil
	case strings.HasPrefix(text, "bad"):
		return principal.Principal{}, errBad
	case text == "scim":
		return principal.Principal{ID: text, Scopes: []string{principal.ScopeSCIM}}, nil
	}
	return principal.Principal{ID: text, Scopes: []string{principal.ScopeCredentialsRead}}, nil
}

// limited serves with limits and a clock that stands still.
func limited(t *testing.T, cfg ratelimit.Config, at *time.Time) *house {
	t.Helper()
	limits, err := ratelimit.NewLimits(cfg, nil, func() time.Time { return *at }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return start(t, config(), httpserver.Parts{Guard: doorman{}, Limits: limits, Tables: []httpserver.Table{{
		get("/x", httpserver.Authenticated(), ok),
		get("/only", httpserver.Scope(principal.ScopeAuditRead), ok),
		get("/public", httpserver.Public(), ok),
		post("/oauth/token", func(*fiber.Ctx) error { return errBad }),
	}}})
}

// statuses counts the answers to n requests.
func (h *house) statuses(t *testing.T, n int, method, path, token string) (counts map[int]int, last *http.Response, body string) {
	t.Helper()
	counts = map[int]int{}
	for range n {
		var headers []string
		if token != "" {
			headers = []string{"Authorization", "Bearer " + token}
		}
		last, body = h.do(t, method, path, "", headers...)
		counts[last.StatusCode]++
	}
	return counts, last, body
}

func TestAPrincipalThatAsksTooOftenIsToldToWait(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	h := limited(t, ratelimit.Config{PerSecond: 1, Burst: 5}, &at)
	counts, last, body := h.statuses(t, 10, "GET", "/x", "a")
	if counts[200] != 5 || counts[429] != 5 {
		t.Fatalf("answers are %v", counts)
	}
	for name, want := range map[string]string{
		"Retry-After": "1", "RateLimit-Limit": "5", "RateLimit-Remaining": "0", "RateLimit-Reset": "1", "RateLimit-Policy": "5;w=5",
		"Content-Type": "application/problem+json", "Cache-Control": "no-store",
	} {
		if got := last.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if !strings.Contains(body, `"code":"ratelimit.exceeded"`) || !strings.Contains(body, `"help":"docs/TROUBLESHOOTING.md#ratelimitexceeded"`) {
		t.Errorf("body is %s", body)
	}
	if counts, _, _ := h.statuses(t, 1, "GET", "/x", "b"); counts[200] != 1 {
		t.Errorf("another principal gets %v", counts)
	}
	if counts, _, _ := h.statuses(t, 120, "GET", "/x", "scim"); counts[200] != 100 {
		t.Errorf("provisioning gets %v", counts)
	}
	if counts, _, _ := h.statuses(t, 20, "GET", "/public", ""); counts[200] != 20 {
		t.Errorf("a public route gives %v", counts)
	}
	at = at.Add(time.Second)
	if counts, _, _ := h.statuses(t, 2, "GET", "/x", "a"); counts[200] != 1 {
		t.Errorf("a second later there are %v", counts)
	}
}

func TestAFloodOfFailuresHindersNobodyWhoSucceeds(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	h := limited(t, ratelimit.Config{Failures: 30}, &at)
	counts, last, body := h.statuses(t, 300, "GET", "/x", "bad")
	if counts[401] != 30 || counts[429] != 270 || last.Header.Get("Retry-After") != "2" || strings.Contains(body, "token_invalid") {
		t.Fatalf("answers are %v, then %v %s", counts, last.Header, body)
	}
	for _, row := range []struct {
		name, method, path, token string
		status                    int
	}{
		{"a good token of the same address", "GET", "/x", "good", 200},
		{"a good token without the scope is refused as ever", "GET", "/only", "good", 403},
		{"a request that shows nothing guesses nothing", "GET", "/x", "", 401},
		{"the token endpoint counts with the rest", "POST", "/oauth/token", "", 429},
		{"a public route asks nobody", "GET", "/public", "bad", 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			if counts, _, _ := h.statuses(t, 40, row.method, row.path, row.token); counts[row.status] != 40 {
				t.Errorf("answers are %v", counts)
			}
		})
	}
	at = at.Add(2 * time.Second)
	if counts, _, _ := h.statuses(t, 2, "GET", "/x", "bad"); counts[401] != 1 {
		t.Errorf("after the time to wait there are %v", counts)
	}
}

func TestEveryAnswerBearsTheHeadersOfSecurity(t *testing.T) {
	at := time.Now()
	h := limited(t, ratelimit.Config{}, &at)
	for _, row := range []struct {
		name, path, token string
		cache             string
	}{
		{"a public answer", "/public", "", ""},
		{"an answer for one caller", "/x", "good", "no-store"},
		{"a refusal", "/x", "", "no-store"},
		{"nothing at all", "/nowhere", "", "no-store"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, last, _ := h.statuses(t, 1, "GET", row.path, row.token)
			for name, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Cache-Control": row.cache,
				"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Strict-Transport-Security": "",
			} {
				if got := last.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if !strings.Contains(last.Header.Get("Permissions-Policy"), "camera=()") {
				t.Error("there is no Permissions-Policy")
			}
		})
	}
}

func TestBrowsersAreKeptToTLSBehindATrustedProxyAlone(t *testing.T) {
	for _, row := range []struct {
		name    string
		proxies []string
		proto   string
		want    string
	}{
		{"a trusted proxy that speaks TLS", []string{"127.0.0.1"}, "https", "max-age=31536000"},
		{"a trusted proxy that does not", []string{"127.0.0.1"}, "http", ""},
		{"a stranger who says so", nil, "https", ""},
		{"a stranger beside the proxy", []string{"10.0.0.0/8"}, "https", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := config()
			cfg.TrustedProxies = row.proxies
			h := start(t, cfg, httpserver.Parts{Tables: []httpserver.Table{{get("/", httpserver.Public(), ok)}}})
			res, _ := h.do(t, "GET", "/", "", "X-Forwarded-Proto", row.proto)
			if got := res.Header.Get("Strict-Transport-Security"); got != row.want {
				t.Errorf("the header is %q", got)
			}
		})
	}
}

func TestCostlyRequestsWithoutATokenAreLimitedByAddress(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	limits, err := ratelimit.NewLimits(ratelimit.Config{Anonymous: 60, PerSecond: 1, Burst: 100}, nil, func() time.Time { return at }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	costly := get("/costly", httpserver.Public(), ok)
	costly.Costly, costly.AnyOrigin = true, true
	cfg := config()
	cfg.TrustedProxies = []string{"127.0.0.1"}
	h := start(t, cfg, httpserver.Parts{Guard: doorman{}, Limits: limits, Tables: []httpserver.Table{{
		costly, get("/cheap", httpserver.Public(), ok), get("/sometimes", httpserver.Public(), func(c *fiber.Ctx) error {
			if c.Query("much") != "" {
				if err := httpserver.Costs(c); err != nil {
					return err
				}
			}
			return ok(c)
		}),
	}}})
	ask := func(n int, path, address, token string) (counts map[int]int, last *http.Response) {
		counts = map[int]int{}
		for range n {
			headers := []string{"X-Forwarded-For", "203.0.113.7, " + address}
			if token != "" {
				headers = append(headers, "Authorization", "Bearer "+token)
			}
			last, _ = h.do(t, "GET", path, "", headers...)
			counts[last.StatusCode]++
		}
		return counts, last
	}
	if counts, last := ask(100, "/costly", "192.0.2.1", ""); counts[200] != 60 || counts[429] != 40 || last.Header.Get("Retry-After") != "1" ||
		last.Header.Get("RateLimit-Policy") != "60;w=60" || last.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("answers are %v, then %v", counts, last.Header)
	}
	for _, row := range []struct {
		name, path, address, token string
		n, taken                   int
	}{
		{"another address", "/costly", "192.0.2.2", "", 10, 10},
		{"a bad token is none", "/costly", "192.0.2.1", "bad", 10, 0},
		{"a neighbour who shows a token", "/costly", "192.0.2.1", "good", 110, 100},
		{"what costs little", "/cheap", "192.0.2.1", "", 70, 70},
		{"what costs little today", "/sometimes", "192.0.2.1", "", 70, 70},
		{"what costs much today", "/sometimes?much=1", "192.0.2.1", "", 10, 0},
		{"a host of IPv6", "/costly", "2001:db8:0:1::1", "", 60, 60},
		{"the same host under another address", "/costly", "2001:db8:0:1:2:3:4:5", "", 10, 0},
		{"another host of IPv6", "/costly", "2001:db8:0:2::1", "", 10, 10},
	} {
		t.Run(row.name, func(t *testing.T) {
			if counts, _ := ask(row.n, row.path, row.address, row.token); counts[200] != row.taken {
				t.Errorf("answers are %v", counts)
			}
		})
	}
	at = at.Add(time.Second)
	if counts, _ := ask(5, "/costly", "192.0.2.1", ""); counts[200] != 1 {
		t.Errorf("a second later there are %v", counts)
	}
}

func TestALimitForNobodyIsRefused(t *testing.T) {
	route := get("/x", httpserver.Authenticated(), ok)
	route.Costly = true
	if _, err := httpserver.New(config(), httpserver.Parts{Guard: doorman{}, Tables: []httpserver.Table{{route}}}, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("it is taken")
	}
}
