package httpserver_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/goleak"

	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/platform/problem"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// fasthttp keeps one clock for the process, and a stopped pool looks up once in ten seconds.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

func TestAMemberThatIsJSONAlreadyIsWrittenAsItIs(t *testing.T) {
	answer := func(v any, value string) fiber.Handler {
		return func(c *fiber.Ctx) error { return httpserver.JSONWith(c, 201, v, "document", []byte(value)) }
	}
	h := start(t, config(), httpserver.Parts{Tables: []httpserver.Table{{
		get("/with", httpserver.Public(), answer(map[string]string{"a": "b"}, `{"x": "<é>" , "n":1.0}`)),
		get("/without", httpserver.Public(), answer(map[string]string{"a": "b"}, "")),
		get("/empty", httpserver.Public(), answer(map[string]string{}, "1")),
		get("/list", httpserver.Public(), answer([]string{"abcdef"}, "1")),
	}}})
	for path, want := range map[string]string{
		"/with": `201 {"a":"b","document":{"x": "<é>" , "n":1.0}}`, "/without": `201 {"a":"b"}`, "/empty": `500 `, "/list": `500 `,
	} {
		answer, body := h.do(t, "GET", path, "")
		if got := fmt.Sprint(answer.StatusCode, " ", body); got != want && (want != "500 " || answer.StatusCode != 500) {
			t.Errorf("%s answers %s", path, got)
		}
		if answer.StatusCode == 201 && answer.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s is %s", path, answer.Header.Get("Content-Type"))
		}
	}
}

// guard knows three tokens.
type guard struct{}

func (guard) Authenticate(_ context.Context, c httpserver.Credentials) (principal.Principal, error) {
	switch c.Authorization {
	case "Bearer reader":
		return principal.Principal{ID: "p1", Name: c.RemoteIP, Scopes: []string{principal.ScopeCredentialsRead}}, nil
	case "Bearer admin":
		return principal.Principal{ID: "p2", Scopes: []string{principal.ScopeAdmin}}, nil
	case "Bearer lost":
		return principal.Principal{}, fault.New(fault.Unavailable, "auth.away", "The directory is away.")
	}
	return principal.Principal{}, nil
}

func ok(c *fiber.Ctx) error { return c.SendString("ok") }

func get(path string, a httpserver.Access, h fiber.Handler) httpserver.Route {
	return httpserver.Route{Method: "GET", Path: path, Access: a, Handler: h, Summary: "s", Tag: "t"}
}

func post(path string, h fiber.Handler) httpserver.Route {
	r := get(path, httpserver.Public(), h)
	r.Method = "POST"
	return r
}

type house struct {
	*httpserver.Server
	url    string
	client *http.Client
	log    *bytes.Buffer
}

func config() httpserver.Config {
	cfg := httpserver.Default()
	cfg.Host, cfg.Port = "127.0.0.1", 0
	return cfg
}

func start(t *testing.T, cfg httpserver.Config, parts httpserver.Parts) *house {
	t.Helper()
	log := new(bytes.Buffer)
	logger, _, err := logging.NewOn(log, logging.Config{Level: "debug", Format: "json"})
	if err != nil {
		t.Fatal(err)
	}
	if parts.Guard == nil {
		parts.Guard = guard{}
	}
	s, err := httpserver.New(cfg, parts, logger)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &house{Server: s, url: "http://" + s.Addr().String(), client: &http.Client{Transport: transport}, log: log}
}

func (h *house) do(t *testing.T, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := h.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(data)
}

func TestAnswers(t *testing.T) {
	slow := get("/slow", httpserver.Public(), func(c *fiber.Ctx) error {
		<-c.UserContext().Done()
		return errors.New("driver: interrupted")
	})
	slow.Deadline = time.Millisecond
	small := post("/small", ok)
	small.BodyLimit = 10
	open := get("/open", httpserver.Public(), ok)
	open.AnyOrigin = true
	h := start(t, config(), httpserver.Parts{
		Tables: []httpserver.Table{{
			get("/public", httpserver.Public(), ok),
			get("/known", httpserver.Authenticated(), func(c *fiber.Ctx) error {
				return c.SendString(principal.From(c.UserContext()).ID + " from " + principal.From(c.UserContext()).Name)
			}),
			get("/issue", httpserver.Scope(principal.ScopeCredentialsIssue, principal.ScopeIssuersWrite), ok),
			get("/things/:id", httpserver.Public(), func(c *fiber.Ctx) error { return c.SendString("thing " + c.Params("id")) }),
			get("/things/special", httpserver.Public(), func(c *fiber.Ctx) error { return c.SendString("the special one") }),
			get("/panic", httpserver.Public(), func(*fiber.Ctx) error { panic("ouch be_abcdefghijkl") }),
			get("/untyped", httpserver.Public(), func(c *fiber.Ctx) error {
				c.Set("ETag", `"x"`)
				return errors.New("pq: password=hunter2 someone@example.org")
			}),
			get("/away", httpserver.Public(), func(*fiber.Ctx) error {
				return fault.New(fault.Unavailable, "t.away", "Away.").RetryAfter(1500 * time.Millisecond)
			}),
			get("/scim/v2/Users", httpserver.Public(), func(*fiber.Ctx) error { return fault.New(fault.Conflict, "scim.exists", "Exists.") }),
			slow, small, open,
		}},
		Dialects: []httpserver.Dialect{{Prefix: "/scim/v2", Write: func(c *fiber.Ctx, p problem.Problem) error {
			return c.Status(p.Status).JSON(fiber.Map{"scim": p.Code})
		}}},
	})

	for _, row := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		contains                 []string
		lacks                    []string
		header                   map[string]string
	}{
		{name: "a public route needs no token", path: "/public", status: 200, contains: []string{"ok"},
			header: map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Strict-Transport-Security": ""}},
		{name: "a public route is open to a wrong token too", path: "/public", headers: []string{"Authorization", "Bearer lost"}, status: 200},
		{name: "nobody is refused with 401", path: "/known", status: 401,
			contains: []string{`"code":"httpserver.unauthenticated"`, `"instance":"/known"`}, header: map[string]string{"WWW-Authenticate": `Bearer realm="badge-engine"`, "Content-Type": "application/problem+json"}},
		{name: "a wrong token is named as such", path: "/known", headers: []string{"Authorization", "Bearer x"}, status: 401,
			header: map[string]string{"WWW-Authenticate": `Bearer realm="badge-engine", error="invalid_token"`}},
		{name: "any known principal passes", path: "/known", headers: []string{"Authorization", "Bearer reader"}, status: 200, contains: []string{"p1 from 127.0.0.1"}},
		{name: "an untrusted peer cannot choose its address", path: "/known", headers: []string{"Authorization", "Bearer reader", "X-Forwarded-For", "9.9.9.9"}, status: 200, contains: []string{"p1 from 127.0.0.1"}},
		{name: "a token without the scope is refused with 403", path: "/issue", headers: []string{"Authorization", "Bearer reader"}, status: 403,
			contains: []string{`"code":"httpserver.forbidden"`, "credentials:issue or issuers:write"}, header: map[string]string{"WWW-Authenticate": `Bearer realm="badge-engine", error="insufficient_scope", scope="credentials:issue issuers:write"`}},
		{name: "admin includes every scope", path: "/issue", headers: []string{"Authorization", "Bearer admin"}, status: 200},
		{name: "a guard that cannot tell is unavailable, not a refusal", path: "/issue", headers: []string{"Authorization", "Bearer lost"}, status: 503, header: map[string]string{"Retry-After": "5"}},
		{name: "a static segment wins over a parameter", path: "/things/special", status: 200, contains: []string{"the special one"}},
		{name: "a parameter takes the rest", path: "/things/other", status: 200, contains: []string{"thing other"}},
		{name: "HEAD answers as GET without the body", method: "HEAD", path: "/public", status: 200, header: map[string]string{"Content-Length": "2"}},
		{name: "an unknown path is 404", path: "/nowhere?token=secret", status: 404, contains: []string{`"code":"httpserver.not_found"`, `"instance":"/nowhere"`}, lacks: []string{"secret"}},
		{name: "paths are told apart by case", path: "/PUBLIC", status: 404},
		{name: "another method is 405 and says which are allowed", method: "DELETE", path: "/public", status: 405, contains: []string{"httpserver.method_not_allowed"}, header: map[string]string{"Allow": "GET, HEAD"}},
		{name: "a method that does not exist is 501", method: "BREW", path: "/public", status: 501, contains: []string{"httpserver.not_implemented"}},
		{name: "an expired deadline is 503 whatever the driver calls it", path: "/slow", status: 503, contains: []string{`"code":"httpserver.deadline"`}, lacks: []string{"driver"}, header: map[string]string{"Retry-After": "5"}},
		{name: "a fault's wait is rounded up", path: "/away", status: 503, header: map[string]string{"Retry-After": "2"}},
		{name: "a panic is 500 and says nothing of itself", path: "/panic", status: 500, contains: []string{`"code":"httpserver.internal"`}, lacks: []string{"ouch", "goroutine"}},
		{name: "an untyped error is 500 and says nothing of itself", path: "/untyped", status: 500, lacks: []string{"hunter2", "pq"}, header: map[string]string{"ETag": "", "Cache-Control": "no-store"}},
		{name: "a route may take less than the server", method: "POST", path: "/small", body: "01234567890", status: 413, contains: []string{"At most 10 bytes"}},
		{name: "a body at the limit is taken", method: "POST", path: "/small", body: "0123456789", status: 200},
		{name: "a compressed body is never unpacked", method: "POST", path: "/small", body: "x", headers: []string{"Content-Encoding", "gzip"}, status: 415, contains: []string{"httpserver.content_encoding"}},
		{name: "a request id is echoed", path: "/public", headers: []string{"X-Request-Id", "abc-1.2_3"}, status: 200, header: map[string]string{"X-Request-Id": "abc-1.2_3"}},
		{name: "the request id stands in the problem", path: "/nowhere", headers: []string{"X-Request-Id", "abc"}, status: 404, contains: []string{`"requestId":"abc"`}},
		{name: "without origins nobody passes CORS", path: "/public", headers: []string{"Origin", "https://evil.example"}, status: 200, header: map[string]string{"Access-Control-Allow-Origin": "", "Vary": ""}},
		{name: "without origins a preflight is refused", method: "OPTIONS", path: "/public", headers: []string{"Origin", "https://evil.example", "Access-Control-Request-Method", "GET"}, status: 405, header: map[string]string{"Access-Control-Allow-Origin": ""}},
		{name: "a public document may be open to every origin", path: "/open", headers: []string{"Origin", "https://evil.example"}, status: 200, header: map[string]string{"Access-Control-Allow-Origin": "*"}},
		{name: "a dialect writes the refusals below its prefix", path: "/scim/v2/Users", status: 409, contains: []string{`{"scim":"scim.exists"}`}},
		{name: "a dialect writes those of unknown paths too", path: "/scim/v2/Nothing", status: 404, contains: []string{`{"scim":"httpserver.not_found"}`}},
		{name: "a dialect ends at the segment", path: "/scim/v20", status: 404, contains: []string{`"type":"urn:badge-engine:problem:httpserver.not_found"`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.method == "" {
				row.method = "GET"
			}
			res, body := h.do(t, row.method, row.path, row.body, row.headers...)
			if res.StatusCode != row.status {
				t.Errorf("status %d, want %d: %s", res.StatusCode, row.status, body)
			}
			for _, s := range row.contains {
				if !strings.Contains(body, s) {
					t.Errorf("%q is missing in %s", s, body)
				}
			}
			for _, s := range row.lacks {
				if strings.Contains(body, s) {
					t.Errorf("%q is in %s", s, body)
				}
			}
			for name, want := range row.header {
				if got := strings.Join(res.Header.Values(name), ", "); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if res.Header.Get("X-Request-Id") == "" {
				t.Error("there is no request id")
			}
		})
	}

	t.Run("the log has the panic with its stack, and no secret", func(t *testing.T) {
		log := h.log.String()
		for _, s := range []string{"panic: ouch", "server_test.go", `"route":"/things/:id"`, `"route":"-"`, `"principal":"p2"`} {
			if !strings.Contains(log, s) {
				t.Errorf("%q is missing in the log", s)
			}
		}
		for _, s := range []string{"hunter2", "someone@", "abcdefghijkl"} {
			if strings.Contains(log, s) {
				t.Errorf("%q is in the log", s)
			}
		}
	})
}

func TestRequestIDsThatCouldForgeALogAreReplaced(t *testing.T) {
	h := start(t, config(), httpserver.Parts{Tables: []httpserver.Table{{get("/", httpserver.Public(), ok)}}})
	for _, id := range []string{strings.Repeat("x", 65), `a"b`, "a b", "ä"} {
		res, _ := h.do(t, "GET", "/", "", "X-Request-Id", id)
		if got := res.Header.Get("X-Request-Id"); got == id || len(got) != 36 {
			t.Errorf("id %q became %q", id, got)
		}
	}
}

func TestTrustedProxyNamesTheCaller(t *testing.T) {
	cfg := config()
	cfg.TrustedProxies = []string{"127.0.0.1", "10.0.0.0/8"}
	h := start(t, cfg, httpserver.Parts{Tables: []httpserver.Table{{get("/ip", httpserver.Authenticated(), func(c *fiber.Ctx) error {
		return c.SendString(principal.From(c.UserContext()).Name)
	})}}})
	for forwarded, want := range map[string]string{
		"":                               "127.0.0.1",
		"203.0.113.9":                    "203.0.113.9",
		"1.1.1.1, 203.0.113.9, 10.2.3.4": "203.0.113.9",
		"rubbish, 10.2.3.4":              "10.2.3.4",
	} {
		if _, got := h.do(t, "GET", "/ip", "", "Authorization", "Bearer reader", "X-Forwarded-For", forwarded); got != want {
			t.Errorf("%q means %s, want %s", forwarded, got, want)
		}
	}
}

func TestCORS(t *testing.T) {
	cfg := config()
	cfg.CORSOrigins = []string{"https://app.example"}
	h := start(t, cfg, httpserver.Parts{Tables: []httpserver.Table{{get("/x", httpserver.Public(), ok)}}})
	for _, row := range []struct {
		name, method, origin, want string
		status                     int
	}{
		{"a listed origin may read", "GET", "https://app.example", "https://app.example", 200},
		{"a preflight of a listed origin is answered", "OPTIONS", "https://app.example", "https://app.example", 204},
		{"another origin may not", "GET", "https://app.example.evil.example", "", 200},
		{"a preflight of another origin is refused", "OPTIONS", "http://app.example", "", 405},
	} {
		t.Run(row.name, func(t *testing.T) {
			res, _ := h.do(t, row.method, "/x", "", "Origin", row.origin, "Access-Control-Request-Method", "GET")
			if got := res.Header.Get("Access-Control-Allow-Origin"); got != row.want || res.StatusCode != row.status {
				t.Errorf("origin %q, status %d", got, res.StatusCode)
			}
			if res.Header.Get("Vary") != "Origin" {
				t.Error("caches are not told that the answer depends on the origin")
			}
			if res.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Error("credentials are allowed")
			}
		})
	}
}

func TestTablesAreRefused(t *testing.T) {
	valid := get("/a/:id", httpserver.Public(), ok)
	change := func(f func(*httpserver.Route)) httpserver.Table { r := valid; f(&r); return httpserver.Table{r} }
	for _, row := range []struct {
		name  string
		table httpserver.Table
		says  string
	}{
		{"a route declared twice", httpserver.Table{valid, get("/a/:other/", httpserver.Public(), ok)}, "declared twice"},
		{"a HEAD beside a GET", httpserver.Table{valid, {Method: "HEAD", Path: "/a/:id", Access: httpserver.Public(), Handler: ok, Summary: "s", Tag: "t"}}, "declared twice"},
		{"a route that does not say who may call", change(func(r *httpserver.Route) { r.Access = httpserver.Access{} }), "who may call"},
		{"a route for the empty list of scopes", change(func(r *httpserver.Route) { r.Access = httpserver.Scope() }), "who may call"},
		{"a route for the empty scope", change(func(r *httpserver.Route) { r.Access = httpserver.Scope("") }), "who may call"},
		{"a route without a summary", change(func(r *httpserver.Route) { r.Summary = "" }), "summary"},
		{"a route without a tag", change(func(r *httpserver.Route) { r.Tag = "" }), "tag"},
		{"a route without a handler", change(func(r *httpserver.Route) { r.Handler = nil }), "no handler"},
		{"a method that does not exist", change(func(r *httpserver.Route) { r.Method = "BREW" }), "no method"},
		{"a path without a slash", change(func(r *httpserver.Route) { r.Path = "a" }), "slash"},
		{"a private route for every origin", change(func(r *httpserver.Route) { r.Access, r.AnyOrigin = httpserver.Authenticated(), true }), "not public"},
		{"a private route without a guard", change(func(r *httpserver.Route) { r.Access = httpserver.Authenticated() }), "no guard"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := httpserver.New(config(), httpserver.Parts{Tables: []httpserver.Table{row.table}}, slog.New(slog.DiscardHandler))
			if err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("error %v does not say %q", err, row.says)
			}
		})
	}
}

func TestConfigIsRefused(t *testing.T) {
	for says, change := range map[string]func(*httpserver.Config){
		"PORT":             func(c *httpserver.Config) { c.Port = 70000 },
		"TLS_CERT_FILE":    func(c *httpserver.Config) { c.TLSCert = "x" },
		"REQUEST_TIMEOUT":  func(c *httpserver.Config) { c.RequestTimeout = 0 },
		"SHUTDOWN_TIMEOUT": func(c *httpserver.Config) { c.ShutdownTimeout = -1 },
		"DRAIN_DELAY":      func(c *httpserver.Config) { c.DrainDelay = -1 },
		"BODY_LIMIT":       func(c *httpserver.Config) { c.BodyLimit = 0 },
		"CORS_ORIGINS":     func(c *httpserver.Config) { c.CORSOrigins = []string{"https://a.example/"} },
		"TRUSTED_PROXIES":  func(c *httpserver.Config) { c.TrustedProxies = []string{"proxy"} },
	} {
		cfg := httpserver.Default()
		if err := cfg.Check(); err != nil {
			t.Fatal(err)
		}
		change(&cfg)
		if err := cfg.Check(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v does not name %s", err, says)
		}
	}
}

// A client that reads nothing before it has sent everything still gets its 413,
// however it announces the body.
func TestHugeUploadGetsACleanRefusal(t *testing.T) {
	h := start(t, config(), httpserver.Parts{Tables: []httpserver.Table{{post("/upload", ok)}}})
	const size = 100 << 20
	chunk := make([]byte, 1<<20)
	for name, head := range map[string]string{
		"with its length":  fmt.Sprintf("Content-Length: %d\r\n\r\n", size),
		"in one chunk":     fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n", size),
		"as a form":        fmt.Sprintf("Content-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n", size),
		"after a continue": fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", size),
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", h.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, "POST /upload HTTP/1.1\r\nHost: x\r\n"+head); err != nil {
				t.Fatal(err)
			}
			for sent := 0; sent < size; sent += len(chunk) {
				if _, err := conn.Write(chunk); err != nil {
					t.Fatalf("cut off after %d MiB: %v", sent>>20, err)
				}
			}
			r := bufio.NewReader(conn)
			res, err := http.ReadResponse(r, nil)
			if err == nil && res.StatusCode == http.StatusContinue {
				res, err = http.ReadResponse(r, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != 413 || res.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(string(body), `"code":"httpserver.too_large"`) {
				t.Errorf("%d %s", res.StatusCode, body)
			}
		})
	}
}

func TestUnreadableRequestsAreProblems(t *testing.T) {
	h := start(t, config(), httpserver.Parts{})
	for name, row := range map[string]struct {
		request string
		status  int
	}{
		"no HTTP at all":          {"rubbish\r\n\r\n", 400},
		"a header without an end": {"GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 20<<10) + "\r\n\r\n", 431},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", h.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, row.request); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			var p problem.Problem
			if err := json.NewDecoder(res.Body).Decode(&p); err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != row.status || p.Status != row.status || p.RequestID == "" || strings.Contains(p.Detail+p.Title, "rubbish") {
				t.Errorf("%d %+v", res.StatusCode, p)
			}
		})
	}
}

func TestBeforeTheStartOnlyEarlyRoutesAnswer(t *testing.T) {
	phase := httpserver.NewPhase()
	early := get("/early", httpserver.Public(), func(c *fiber.Ctx) error { return c.SendString(fmt.Sprint(phase.Starting())) })
	early.Early = true
	patient := get("/patient", httpserver.Public(), ok)
	patient.Deadline = time.Minute
	cfg := config()
	cfg.RequestTimeout = 50 * time.Millisecond // bounds the wait for the start
	s, err := httpserver.New(cfg, httpserver.Parts{Phase: phase, Tables: []httpserver.Table{{early, patient, get("/late", httpserver.Public(), ok)}}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	h := &house{Server: s, url: "http://" + s.Addr().String(), client: &http.Client{Transport: transport}}
	defer transport.CloseIdleConnections()
	if res, body := h.do(t, "GET", "/early", ""); res.StatusCode != 200 || body != "true" {
		t.Errorf("early: %d %s", res.StatusCode, body)
	}
	if res, body := h.do(t, "GET", "/late", ""); res.StatusCode != 503 || res.Header.Get("Retry-After") != "1" || !strings.Contains(body, "httpserver.starting") {
		t.Errorf("late: %d %s", res.StatusCode, body)
	}
	waited := make(chan int, 1)
	go func() {
		res, err := h.client.Get(h.url + "/patient")
		if err != nil {
			waited <- 0
			return
		}
		res.Body.Close()
		waited <- res.StatusCode
	}()
	address := s.Addr().String()
	if err := s.Start(t.Context()); err != nil || s.Addr().String() != address {
		t.Errorf("%v, now at %s", err, s.Addr())
	}
	if res, body := h.do(t, "GET", "/late", ""); res.StatusCode != 200 {
		t.Errorf("after the start: %d %s", res.StatusCode, body)
	}
	if _, body := h.do(t, "GET", "/early", ""); body != "false" {
		t.Errorf("still starting: %s", body)
	}
	if status := <-waited; status != 200 {
		t.Errorf("who came early was answered with %d", status)
	}
	if err := s.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestDrainOrder(t *testing.T) {
	entered, release, waiting, closed := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})
	phase := httpserver.NewPhase()
	h := start(t, config(), httpserver.Parts{Phase: phase, Tables: []httpserver.Table{{
		get("/work", httpserver.Public(), func(c *fiber.Ctx) error {
			close(entered)
			<-release
			return c.SendString("finished")
		}),
		get("/state", httpserver.Public(), func(c *fiber.Ctx) error { return c.SendString(fmt.Sprint(phase.Draining())) }),
	}}})
	h.DelayBy(func(context.Context, time.Duration) { close(waiting); <-closed })

	answer := make(chan string)
	go func() {
		res, err := h.client.Get(h.url + "/work")
		if err != nil {
			answer <- err.Error()
			return
		}
		defer res.Body.Close()
		data, _ := io.ReadAll(res.Body)
		answer <- string(data)
	}()
	<-entered
	if _, body := h.do(t, "GET", "/state", ""); body != "false" {
		t.Errorf("draining before Stop: %s", body)
	}
	stopped := make(chan error)
	go func() { stopped <- h.Stop(context.Background()) }()
	<-waiting
	// In the delay the server still serves, and says that it will not for long.
	if _, body := h.do(t, "GET", "/state", ""); body != "true" {
		t.Errorf("not draining after Stop: %s", body)
	}
	close(closed)
	// No new connection is taken once the listener is closed; the request in flight goes on.
	for {
		conn, err := net.Dial("tcp", h.Addr().String())
		if err != nil {
			break
		}
		conn.Close()
	}
	select {
	case err := <-stopped:
		t.Fatalf("stopped with a request in flight: %v", err)
	default:
	}
	close(release)
	if body := <-answer; body != "finished" {
		t.Errorf("the request in flight got %q", body)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	h.DelayBy(func(context.Context, time.Duration) {})
}

func TestRequestsThatDoNotFinishAreCutOff(t *testing.T) {
	cfg := config()
	cfg.ShutdownTimeout = 10 * time.Millisecond
	entered := make(chan struct{})
	logger := slog.New(slog.DiscardHandler)
	s, err := httpserver.New(cfg, httpserver.Parts{Tables: []httpserver.Table{{get("/work", httpserver.Public(), func(c *fiber.Ctx) error {
		close(entered)
		<-c.UserContext().Done()
		return c.UserContext().Err()
	})}}}, logger)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	status := make(chan int)
	go func() {
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		res, err := client.Get("http://" + s.Addr().String() + "/work")
		if err != nil {
			status <- 0
			return
		}
		res.Body.Close()
		status <- res.StatusCode
	}()
	<-entered
	if err := s.Stop(context.Background()); err == nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Stop says %v", err)
	}
	if got := <-status; got != 503 {
		t.Errorf("the request that was cut off got %d", got)
	}
}

func TestListenerMayBeGiven(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := start(t, httpserver.Default(), httpserver.Parts{Listener: l})
	if h.Addr().String() != l.Addr().String() {
		t.Error("it listens elsewhere")
	}
	if res, _ := h.do(t, "GET", "/openapi.json", ""); res.StatusCode != 200 {
		t.Error(res.StatusCode)
	}
}

func TestPortInUseIsNamed(t *testing.T) {
	h := start(t, config(), httpserver.Parts{})
	cfg := config()
	cfg.Port = h.Addr().(*net.TCPAddr).Port
	s, err := httpserver.New(cfg, httpserver.Parts{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("PORT %d", cfg.Port)) {
		t.Errorf("error %v", err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Errorf("stopping what never started: %v", err)
	}
}

type located struct {
	pointer string
	syntax  bool
}

func (l located) Error() string { return "inner words" }
func (l located) Location() (string, bool, string, string) {
	return l.pointer, l.syntax, "is wrong", "do right"
}

func TestRequestHelpers(t *testing.T) {
	unmarshal := func(data []byte, v any) error {
		switch string(data) {
		case "syntax":
			return fmt.Errorf("wrapped: %w", located{"/a", true})
		case "shape":
			return located{"/b", false}
		}
		return json.Unmarshal(data, v)
	}
	h := start(t, config(), httpserver.Parts{Tables: []httpserver.Table{{
		post("/decode", func(c *fiber.Ctx) error {
			var v struct{ A int }
			if err := httpserver.Decode(c, &v, unmarshal); err != nil {
				return err
			}
			return httpserver.JSON(c, 201, v)
		}),
		post("/upload", func(c *fiber.Ctx) error {
			data, mediaType, err := httpserver.Upload(c, "file")
			if err != nil {
				return err
			}
			return c.SendString(mediaType + ":" + string(data) + ":" + httpserver.Form(c, "note"))
		}),
		get("/list", httpserver.Public(), func(c *fiber.Ctx) error {
			q, err := httpserver.PageQuery(c, []string{"-createdAt", "name"})
			if err != nil {
				return err
			}
			at, later, err := q.After("filter")
			if err != nil {
				return err
			}
			return httpserver.JSON(c, 200, map[string]any{"q": q, "at": at, "later": later, "next": q.Next(paging.Position{Value: "v", ID: "i"}, "filter")})
		}),
		get("/version", httpserver.Public(), func(c *fiber.Ctx) error {
			if httpserver.Fresh(c, "v1") {
				return nil
			}
			return c.SendString("body")
		}),
		get("/html", httpserver.Public(), func(c *fiber.Ctx) error { return c.SendString(fmt.Sprint(httpserver.WantsHTML(c))) }),
		get("/accepts", httpserver.Public(), func(c *fiber.Ctx) error {
			return c.SendString("[" + httpserver.Accepts(c, "application/json", "image/png") + "]")
		}),
	}}})
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreatePart(map[string][]string{"Content-Disposition": {`form-data; name="file"; filename="a.png"`}, "Content-Type": {"image/png"}})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(part, "bytes")
	if err := errors.Join(w.WriteField("note", " n "), w.Close()); err != nil {
		t.Fatal(err)
	}
	_, list := h.do(t, "GET", "/list", "")
	var first struct{ Next string }
	if err := json.Unmarshal([]byte(list), &first); err != nil {
		t.Fatal(err)
	}
	cursor := "cursor=" + url.QueryEscape(first.Next)

	for _, row := range []struct {
		name, method, path, body, header, value string
		status                                  int
		contains                                string
	}{
		{"JSON is decoded", "POST", "/decode", `{"A":1}`, "Content-Type", "application/json; charset=utf-8", 201, `{"A":1}`},
		{"JSON by a suffix is decoded", "POST", "/decode", `{"A":1}`, "Content-Type", "application/ld+json", 201, `{"A":1}`},
		{"another media type is 415", "POST", "/decode", `{"A":1}`, "Content-Type", "text/plain", 415, "httpserver.media_type"},
		{"no media type is 415", "POST", "/decode", `{"A":1}`, "", "", 415, "httpserver.media_type"},
		{"no body is 400", "POST", "/decode", "", "Content-Type", "application/json", 400, "httpserver.empty"},
		{"a mistake of syntax is 400 with its place", "POST", "/decode", "syntax", "Content-Type", "application/json", 400, `"errors":[{"pointer":"/a","rule":"RFC 8259 (JSON)","detail":"is wrong","remedy":"do right"}]`},
		{"a mistake of form is 422 with its place", "POST", "/decode", "shape", "Content-Type", "application/json", 422, `"pointer":"/b"`},
		{"any other mistake of the reader is 400", "POST", "/decode", "{", "Content-Type", "application/json", 400, "httpserver.unreadable"},
		{"an upload may be the body", "POST", "/upload", "bytes", "Content-Type", "image/PNG", 200, "image/png:bytes:"},
		{"an upload may be a form", "POST", "/upload", form.String(), "Content-Type", w.FormDataContentType(), 200, "image/png:bytes:n"},
		{"an empty upload is 400", "POST", "/upload", "", "Content-Type", "image/png", 400, "httpserver.empty"},
		{"a form without the file is 400", "POST", "/upload", "--b--\r\n", "Content-Type", "multipart/form-data; boundary=b", 400, "httpserver.upload"},
		{"a broken form is 400", "POST", "/upload", "rubbish", "Content-Type", "multipart/form-data; boundary=b", 400, "httpserver.upload"},
		{"a list has defaults", "GET", "/list", "", "", "", 200, `"q":{"Limit":50,"Cursor":"","Sort":"createdAt","Descending":true}`},
		{"a list is sorted", "GET", "/list?sort=name&limit=500", "", "", "", 200, `"q":{"Limit":500,"Cursor":"","Sort":"name","Descending":false}`},
		{"a cursor goes on", "GET", "/list?" + cursor, "", "", "", 200, `"at":{"Value":"v","ID":"i"}`},
		{"a cursor of another order is 400", "GET", "/list?sort=name&" + cursor, "", "", "", 400, "paging.cursor"},
		{"a cursor of strangers is 400", "GET", "/list?cursor=abc", "", "", "", 400, "paging.cursor"},
		{"a limit of nothing is 400", "GET", "/list?limit=0", "", "", "", 400, "1 to 500"},
		{"a limit beyond the largest is 400", "GET", "/list?limit=501", "", "", "", 400, "1 to 500"},
		{"an unknown order is 400", "GET", "/list?sort=colour", "", "", "", 400, "createdAt, name"},
		{"a version that is known is not sent again", "GET", "/version", "", "If-None-Match", `"v0", W/"v1"`, 304, ""},
		{"a version that is not known is sent", "GET", "/version", "", "If-None-Match", `"v0"`, 200, "body"},
		{"nothing said means JSON", "GET", "/html", "", "", "", 200, "false"},
		{"anything means JSON", "GET", "/html", "", "Accept", "*/*", 200, "false"},
		{"a browser wants HTML", "GET", "/html", "", "Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 200, "true"},
		{"JSON named beside HTML means JSON", "GET", "/html", "", "Accept", "text/html, application/json", 200, "false"},
		{"HTML liked less means JSON", "GET", "/html", "", "Accept", "application/ld+json, text/html;q=0.5", 200, "false"},
		{"HTML liked better means HTML", "GET", "/html", "", "Accept", "application/json;q=0.5, text/html", 200, "true"},
		{"HTML refused means JSON", "GET", "/html", "", "Accept", "text/html;q=0", 200, "false"},
		{"the best offer is taken", "GET", "/accepts", "", "Accept", "application/json;q=0.2, image/*", 200, "[image/png]"},
		{"no offer may fit", "GET", "/accepts", "", "Accept", "text/plain", 200, "[]"},
		{"nothing said takes the first offer", "GET", "/accepts", "", "", "", 200, "[application/json]"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var headers []string
			if row.header != "" {
				headers = []string{row.header, row.value}
			}
			res, body := h.do(t, row.method, row.path, row.body, headers...)
			if res.StatusCode != row.status || !strings.Contains(body, row.contains) {
				t.Errorf("%d %s", res.StatusCode, body)
			}
			if strings.Contains(body, "inner words") {
				t.Error("the words of the reader are shown")
			}
		})
	}
}

func BenchmarkRequest(b *testing.B) {
	s, err := httpserver.New(config(), httpserver.Parts{Guard: guard{}, Tables: []httpserver.Table{{get("/a/:id", httpserver.Authenticated(), ok)}}}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	transport := &http.Transport{}
	client := &http.Client{Transport: transport}
	b.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := s.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	r, err := http.NewRequest("GET", "http://"+s.Addr().String()+"/a/b", nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer reader")
	b.ReportAllocs()
	for b.Loop() {
		res, err := client.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			b.Fatal(err)
		}
		res.Body.Close()
	}
}
