package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// collector takes traces and decodes them with the published messages.
type collector struct {
	*httptest.Server
	t *testing.T

	mu    sync.Mutex
	raw   []byte
	spans []*otlp.Span
}

func collect(t *testing.T) *collector {
	c := &collector{t: t}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

// ServeHTTP implements [http.Handler].
func (c *collector) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(r.Body)
	var sent otlp.TracesData // on the wire the same as an ExportTraceServiceRequest
	if err != nil || proto.Unmarshal(data, &sent) != nil {
		c.t.Errorf("no traces: %v", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw = append(c.raw, data...)
	for _, of := range sent.ResourceSpans {
		for _, scope := range of.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
}

// attribute is one of a span's, or nothing.
func attribute(s *otlp.Span, name string) string {
	for _, kv := range s.Attributes {
		if kv.Key == name {
			if text := kv.Value.GetStringValue(); text != "" {
				return text
			}
			return fmt.Sprint(kv.Value.GetIntValue())
		}
	}
	return ""
}

// TestOneTraceFollowsARequestThroughEverything imports a badge of another server, which
// asks the database, the cache and that server, and looks at the trace of it. What is
// gathered for longer than the test takes arrives because the server sends it when it stops.
func TestOneTraceFollowsARequestThroughEverything(t *testing.T) {
	const trace, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			// The other server, and who stands before it and hears what it is asked.
			var heard sync.Map
			var there *url.URL
			door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				heard.Store(r.Header.Get("traceparent"), r.URL.Path)
				httputil.NewSingleHostReverseProxy(there).ServeHTTP(w, r)
			}))
			t.Cleanup(door.Close)
			other := boot(t, func(cfg *engine.Config) { cfg.PublicURL = door.URL })
			there, _ = url.Parse(other.base)
			id := other.must(201, other.send("POST", "/api/v1/credentials", order(other.achievement(other.issuer(), "")))).id(t)
			badge := other.must(200, other.send("GET", "/credentials/"+id+"?format=json", nil, "Accept", "application/json")).body

			c := collect(t)
			var token, importID string
			t.Run("the server", func(t *testing.T) {
				h := boot(t, func(cfg *engine.Config) {
					cfg.Database.URL = e.URL
					if e.Name == "postgres" {
						cfg.Cache.URL = dbtest.Redis(t)
					}
					cfg.Fetch.AllowPrivate, cfg.Fetch.AllowHTTP = true, true
					cfg.Tracing.Endpoint, cfg.Tracing.Delay = c.URL, 600_000
				})
				issuer := h.issuer()
				var made struct{ Token string }
				h.must(201, h.send("POST", "/api/v1/tokens", map[string]any{"name": "importer", "scopes": []string{"admin"}})).into(t, &made)
				token = made.Token
				done := h.must(201, h.send("POST", "/api/v1/import?issuerId="+issuer+"&recipient=ada@example.org", badge, "Content-Type", "application/json",
					"Authorization", "Bearer "+token, "traceparent", "00-"+trace+"-"+caller+"-01", "tracestate", "vendor=1", "X-Request-Id", "import-1"))
				var out imported
				done.into(t, &out)
				importID = out.Credential.ID
				refused := h.must(404, h.send("GET", "/api/v1/credentials/"+id, nil, "traceparent", "00-"+trace+"-"+caller+"-01"))
				if !strings.Contains(string(refused.body), `"traceId":"`+trace+`"`) {
					t.Errorf("the refusal does not name its trace: %s", refused.body)
				}
				h.must(200, h.send("GET", "/health", nil, "traceparent", "00-"+trace+"-"+caller+"-01"))
				h.must(404, h.send("GET", "/no/such/place", nil))
			})

			c.mu.Lock()
			defer c.mu.Unlock()
			byID := map[string]*otlp.Span{}
			var root *otlp.Span
			for _, s := range c.spans {
				byID[string(s.SpanId)] = s
				if s.Name == "POST /api/v1/import" {
					root = s
				}
				if strings.Contains(s.Name, "/health") || strings.Contains(s.Name, "/no/such") {
					t.Errorf("there is a span %s", s.Name)
				}
			}
			if root == nil {
				t.Fatalf("there is no span of the request among %d", len(c.spans))
			}
			if fmt.Sprintf("%x-%x", root.TraceId, root.ParentSpanId) != trace+"-"+caller || root.TraceState != "vendor=1" || root.Kind != otlp.Span_SPAN_KIND_SERVER ||
				attribute(root, "http.route") != "/api/v1/import" || attribute(root, "http.response.status_code") != "201" || attribute(root, "badge_engine.request_id") != "import-1" {
				t.Errorf("the span of the request is %v", root)
			}
			// Everything in the trace hangs below the request, and lies within it.
			kinds := map[string]int{}
			for _, s := range c.spans {
				if !bytes.Equal(s.TraceId, root.TraceId) || s.Kind == otlp.Span_SPAN_KIND_SERVER {
					continue
				}
				top := s
				for up := s; up != nil; up = byID[string(up.ParentSpanId)] {
					top = up
				}
				if top != root {
					if top.Kind != otlp.Span_SPAN_KIND_SERVER {
						t.Errorf("%s hangs in the air", s.Name)
					}
					continue
				}
				if s.StartTimeUnixNano < root.StartTimeUnixNano || s.EndTimeUnixNano > root.EndTimeUnixNano {
					t.Errorf("%s is not within the request", s.Name)
				}
				switch {
				case attribute(s, "db.query.text") != "" && byID[string(s.ParentSpanId)].Name == "unit of work":
					kinds["SQL in a unit of work"]++
				case attribute(s, "db.query.text") != "":
					kinds["SQL"]++
				case s.Name == "COMMIT":
					kinds["COMMIT"]++
				case attribute(s, "db.system.name") == "redis":
					kinds["Redis "+attribute(s, "badge_engine.cache")]++
				case attribute(s, "server.address") == "127.0.0.1" && attribute(s, "http.response.status_code") == "200":
					kinds["outbound"]++
					if _, told := heard.Load(fmt.Sprintf("00-%s-%x-01", trace, s.SpanId)); !told {
						t.Errorf("the other server was not told of the span %x", s.SpanId)
					}
				case s.Name == "unit of work":
				default:
					t.Errorf("an unexpected span: %v", s)
				}
			}
			for _, want := range []string{"SQL", "SQL in a unit of work", "COMMIT", "outbound", "Redis auth.token", "Redis fetch"} {
				if kinds[want] == 0 && (e.Name == "postgres" || !strings.HasPrefix(want, "Redis")) {
					t.Errorf("the trace has no %s, but %v", want, kinds)
				}
			}
			t.Logf("%d spans arrived; below the request: %v", len(c.spans), kinds)
			for what, secret := range map[string]string{"a recipient": "ada@example.org", "a token": token, "an id": importID, "the administrator's token": admin, "a path": "/credentials/" + id} {
				if bytes.Contains(c.raw, []byte(secret)) {
					t.Errorf("the traces hold %s", what)
				}
			}
		})
	}
}

// TestTracesCostNobodyAnythingWhileTheCollectorIsAway answers as ever and stops in time.
func TestTracesCostNobodyAnythingWhileTheCollectorIsAway(t *testing.T) {
	c := collect(t)
	c.Close()
	var h *house
	t.Run("the server", func(t *testing.T) {
		h = boot(t, func(cfg *engine.Config) {
			cfg.Tracing.Endpoint, cfg.Tracing.Delay, cfg.Tracing.Queue, cfg.Tracing.Batch = c.URL, 1, 16, 8
			cfg.Tracing.Timeout = 50
		})
		for range 50 {
			h.must(200, h.send("GET", "/api/v1/issuers", nil))
		}
	})
	if got := strings.Count(h.log.String(), "traces are lost"); got != 1 {
		t.Errorf("the log says %d times that traces are lost", got)
	}
}
