package tracing_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/badge-engine/badge-engine/platform/diagnosis"
	"github.com/badge-engine/badge-engine/platform/tracing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receiver is a collector that decodes what it is sent with the published messages.
type receiver struct {
	*httptest.Server
	t      *testing.T
	answer func(attempt int, w http.ResponseWriter)

	mu       sync.Mutex
	attempts int
	header   http.Header
	about    map[string]string
	spans    []*collector.Span
}

func listen(t *testing.T, answer func(attempt int, w http.ResponseWriter)) *receiver {
	r := &receiver{t: t, answer: answer}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// ServeHTTP implements [http.Handler].
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts++
	r.header = request.Header.Clone()
	body := io.Reader(request.Body)
	if request.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			r.t.Error(err)
			return
		}
		body = unpacked
	}
	data, err := io.ReadAll(body)
	// On the wire it is an ExportTraceServiceRequest.
	var sent collector.TracesData
	if err != nil || proto.Unmarshal(data, &sent) != nil || len(sent.ProtoReflect().GetUnknown()) > 0 || request.URL.Path != "/v1/traces" {
		r.t.Errorf("%s %v: no traces", request.URL, err)
	}
	if r.answer != nil {
		recorded := httptest.NewRecorder()
		r.answer(r.attempts, recorded)
		for name, values := range recorded.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(recorded.Body.Bytes())
		if recorded.Code != http.StatusOK {
			return
		}
	}
	for _, of := range sent.ResourceSpans {
		r.about = map[string]string{}
		for _, kv := range of.Resource.Attributes {
			r.about[kv.Key] = kv.Value.GetStringValue()
		}
		for _, scope := range of.ScopeSpans {
			r.spans = append(r.spans, scope.Spans...)
		}
	}
}

func (r *receiver) span(name string) *collector.Span {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.spans {
		if s.Name == name {
			return s
		}
	}
	r.t.Fatalf("there is no span %s among %d", name, len(r.spans))
	return nil
}

func tracer(t *testing.T, endpoint string, log io.Writer, change func(*tracing.Config)) *tracing.Tracer {
	t.Helper()
	cfg := tracing.Default()
	cfg.Endpoint = endpoint
	if change != nil {
		change(&cfg)
	}
	if err := cfg.Check(); err != nil {
		t.Fatal(err)
	}
	if log == nil {
		log = io.Discard
	}
	tr, err := tracing.New(cfg, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

const (
	caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	asleep = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
)

func TestATraceArrivesAsItWas(t *testing.T) {
	r := listen(t, nil)
	tr := tracer(t, r.URL, nil, func(c *tracing.Config) {
		c.Headers, c.Compression, c.Attributes = "authorization=Bearer%20key,tenant=a", "gzip", "deployment.environment.name=test,service.name=other"
	})
	begun := time.Now()
	ctx, root := tr.Begin(t.Context(), "GET", caller, "vendor=1")
	root.Name("GET /things/{id}")
	root.Set(slog.String("text", "é"), slog.Int("number", -7), slog.Bool("yes", true), slog.Bool("no", false), slog.Float64("share", 0.5), slog.String("empty", ""))
	_, question := tracing.Client(ctx, "SELECT things")
	question.Fail("database.unavailable")
	question.End()
	_, step := tracing.Step(ctx, "step")
	step.End()
	root.End()
	tr.Stop(t.Context())

	s := r.span("GET /things/{id}")
	if fmt.Sprintf("%x-%x", s.TraceId, s.ParentSpanId) != "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331" || s.TraceState != "vendor=1" || s.Kind != collector.Span_SPAN_KIND_SERVER || s.Flags != 0x301 {
		t.Errorf("the root is %v", s)
	}
	if at := time.Unix(0, int64(s.StartTimeUnixNano)); at.Before(begun.Add(-time.Millisecond)) || s.EndTimeUnixNano < s.StartTimeUnixNano || time.Since(at) > time.Minute {
		t.Errorf("it began %s and ended %d ns later", at, s.EndTimeUnixNano-s.StartTimeUnixNano)
	}
	attributes := ""
	for _, kv := range s.Attributes {
		attributes += fmt.Sprintf("%s=%v;", kv.Key, kv.Value.GetValue())
	}
	for _, want := range []string{"text=&{é};", "number=&{-7};", "yes=&{true};", "no=&{false};", "share=&{0.5};", "empty=&{};", "http.request.method=&{GET};"} {
		if !strings.Contains(attributes, want) {
			t.Errorf("%s lacks %s", attributes, want)
		}
	}
	q := r.span("SELECT things")
	if !bytes.Equal(q.ParentSpanId, s.SpanId) || !bytes.Equal(q.TraceId, s.TraceId) || q.Kind != collector.Span_SPAN_KIND_CLIENT || q.Status.GetCode() != collector.Status_STATUS_CODE_ERROR || q.Flags != 0x101 {
		t.Errorf("the question is %v", q)
	}
	if i := r.span("step"); i.Kind != collector.Span_SPAN_KIND_INTERNAL || i.Status.GetCode() != collector.Status_STATUS_CODE_UNSET {
		t.Errorf("the step is %v", i)
	}
	if r.header.Get("Authorization") != "Bearer key" || r.header.Get("Tenant") != "a" || r.header.Get("Content-Type") != "application/x-protobuf" {
		t.Errorf("the headers are %v", r.header)
	}
	if r.about["service.name"] != "other" || r.about["deployment.environment.name"] != "test" || r.about["service.instance.id"] == "" {
		t.Errorf("the resource is %v", r.about)
	}
}

func TestWhatTheCallerOrTheSamplerDecidedIsRespected(t *testing.T) {
	for _, row := range []struct {
		name, sampler, arg, traceparent string
		followed                        bool
	}{
		{"everything by default", "parentbased_always_on", "", "", true},
		{"not what the caller does not follow", "parentbased_always_on", "", asleep, false},
		{"what the caller follows, though nothing else", "parentbased_always_off", "", caller, true},
		{"nothing of one's own then", "parentbased_always_off", "", "", false},
		{"whatever the caller decided", "always_on", "", asleep, true},
		{"a share of nothing", "parentbased_traceidratio", "0", "", false},
		{"a share of nothing, also for callers who ask for more", "traceidratio", "0", caller, false},
		{"a traceparent that cannot be read is none", "parentbased_always_on", "", "00-zz-01", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := listen(t, nil)
			tr := tracer(t, r.URL, nil, func(c *tracing.Config) { c.Sampler, c.SamplerArg = row.sampler, row.arg })
			ctx, root := tr.Begin(t.Context(), "GET", row.traceparent, "")
			_, below := tracing.Client(ctx, "below")
			below.End()
			root.End()
			tr.Stop(t.Context())
			if got := len(r.spans); got != map[bool]int{true: 2, false: 0}[row.followed] {
				t.Errorf("%d spans arrived", got)
			}
			if row.traceparent == asleep && tracing.ID(ctx) != "0af7651916cd43dd8448eb211c80319c" {
				t.Errorf("the log cannot name the trace %q", tracing.ID(ctx))
			}
		})
	}
}

func TestOutboundRequestsAreFollowedWithoutTheirSecrets(t *testing.T) {
	r := listen(t, nil)
	tr := tracer(t, r.URL, nil, nil)
	var heard []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		heard = append(heard, request.Header.Get("traceparent")+"|"+request.Header.Get("tracestate"))
		if request.URL.Path == "/gone" {
			w.WriteHeader(http.StatusGone)
		}
	}))
	defer other.Close()
	client := &http.Client{Transport: tracing.Transport(http.DefaultTransport)}
	defer client.CloseIdleConnections()
	ask := func(ctx context.Context, path string) {
		t.Helper()
		request, err := http.NewRequestWithContext(ctx, "GET", other.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if request.Header.Get("traceparent") != "" {
			t.Error("the caller's request was changed")
		}
	}
	ask(t.Context(), "/")
	unsampled, _ := tr.Begin(t.Context(), "GET", asleep, "vendor=1")
	ask(unsampled, "/")
	ctx, root := tr.Begin(t.Context(), "GET", caller, "vendor=1")
	root.Name("root")
	ask(ctx, "/gone?token=hunter2")
	refused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = refused.Close()
	request, _ := http.NewRequestWithContext(ctx, "POST", "http://"+refused.Addr().String()+"/hunter2", nil)
	if response, err := client.Do(request); err == nil {
		_ = response.Body.Close()
		t.Error("nobody listens there")
	}
	root.End()
	tr.Stop(t.Context())

	all := fmt.Sprint(r.spans)
	if strings.Contains(all, "hunter2") || strings.Contains(all, "/gone") {
		t.Errorf("the spans tell too much: %s", all)
	}
	if !strings.Contains(all, "410") || !strings.Contains(all, "connection") || !strings.Contains(all, "127.0.0.1") {
		t.Errorf("the spans tell too little: %s", all)
	}
	asked := r.span("GET")
	const trace = "00-0af7651916cd43dd8448eb211c80319c-"
	if len(heard) != 3 || heard[0] != "|" || !strings.HasPrefix(heard[1], trace) || !strings.HasSuffix(heard[1], "-00|") || heard[2] != trace+fmt.Sprintf("%x-01|", asked.SpanId) {
		t.Errorf("the other server heard %q", heard)
	}
}

func TestACollectorInTroubleIsAskedAgainOrGivenUpAndNeverWaitedFor(t *testing.T) {
	partly := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 1)
	partly = protowire.AppendString(protowire.AppendTag(partly, 2, protowire.BytesType), "too old")
	partly = protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), partly)
	for _, row := range []struct {
		name       string
		answer     func(attempt int, w http.ResponseWriter)
		attempts   int
		sent, lost int64
		says       string
	}{
		{"busy at first", func(attempt int, w http.ResponseWriter) {
			if attempt < 3 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}, 3, 2, 0, ""},
		{"no such key", func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusUnauthorized) }, 1, 0, 2, "the collector answers 401"},
		{"elsewhere", func(_ int, w http.ResponseWriter) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, 1, 0, 2, "the collector answers 307"},
		{"it takes one of two", func(_ int, w http.ResponseWriter) { _, _ = w.Write(partly) }, 1, 1, 1, "too old"},
		{"it answers nonsense", func(_ int, w http.ResponseWriter) { _, _ = w.Write([]byte("\xff\xff<html>")) }, 1, 2, 0, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			var log bytes.Buffer
			r := listen(t, row.answer)
			tr := tracer(t, r.URL, &log, nil)
			tracing.Hurry(tr)
			ctx, root := tr.Begin(t.Context(), "GET", "", "")
			_, below := tracing.Client(ctx, "below")
			below.End()
			root.End()
			tr.Stop(t.Context())
			sent, lost := tracing.Counts(tr)
			if r.attempts != row.attempts || sent != row.sent || lost != row.lost {
				t.Errorf("after %d attempts %d spans are sent and %d lost", r.attempts, sent, lost)
			}
			if row.says == "" && log.Len() > 0 || !strings.Contains(log.String(), row.says) {
				t.Errorf("the log says %s", log.String())
			}
		})
	}
}

func TestATracerWhoseCollectorHangsNeitherBlocksNorFillsTheLog(t *testing.T) {
	hang := make(chan struct{})
	r := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		_, _ = io.Copy(io.Discard, request.Body) // or its end is not noticed
		select {
		case <-hang:
		case <-request.Context().Done():
		}
	}))
	defer r.Close()
	defer close(hang)
	var log bytes.Buffer
	tr := tracer(t, r.URL, &log, func(c *tracing.Config) { c.Queue, c.Batch, c.Delay, c.Timeout = 8, 4, 1, 100 })
	begun := time.Now()
	for range 10_000 { // far more than may wait
		_, span := tr.Begin(t.Context(), "GET", "", "")
		span.End()
	}
	if took := time.Since(begun); took > 5*time.Second { // one batch waits 100 ms for the collector
		t.Errorf("10,000 spans took %s", took)
	}
	tr.Stop(t.Context())
	if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), "traces are lost") {
		t.Errorf("the log says\n%s", log.String())
	}
}

func TestWithoutAnEndpointNothingIsDone(t *testing.T) {
	for name, change := range map[string]func(*tracing.Config){
		"nothing is set": func(*tracing.Config) {},
		"disabled":       func(c *tracing.Config) { c.Endpoint, c.Disabled = "http://127.0.0.1:1", true },
		"no exporter":    func(c *tracing.Config) { c.Endpoint, c.Exporter = "http://127.0.0.1:1", "none" },
	} {
		t.Run(name, func(t *testing.T) {
			tr := tracer(t, "", nil, change)
			tr.Start(t.Context())
			defer tr.Stop(t.Context())
			ctx, span := tr.Begin(t.Context(), "GET", caller, "")
			if tr.On() || span.On() || ctx != t.Context() {
				t.Error("it is followed")
			}
			if n := testing.AllocsPerRun(100, func() {
				ctx, span := tr.Begin(ctx, "GET", caller, "")
				_, below := tracing.Client(ctx, "SELECT")
				below.End()
				span.End()
			}); n != 0 {
				t.Errorf("it allocates %v times", n)
			}
		})
	}
	var none *tracing.Tracer
	if _, span := none.Begin(t.Context(), "GET", caller, ""); none.On() || span.On() {
		t.Error("a nil tracer follows")
	}
}

func TestExamine(t *testing.T) {
	for _, row := range []struct {
		name   string
		answer func(int, http.ResponseWriter)
		status string
		says   string
	}{
		{"well", nil, diagnosis.OK, "takes traces"},
		{"a key is wanted", func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusUnauthorized) }, diagnosis.Warning, "OTEL_EXPORTER_OTLP_HEADERS"},
		{"another path", func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }, diagnosis.Warning, "without /v1/traces"},
		{"no collector", func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusTeapot) }, diagnosis.Warning, "418"},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := tracing.Default()
			cfg.Endpoint = listen(t, row.answer).URL
			judge(t, cfg, row.status, row.says)
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		r := listen(t, nil)
		r.Close()
		cfg := tracing.Default()
		cfg.Endpoint = r.URL
		judge(t, cfg, diagnosis.Warning, "4318, not 4317")
	})
	t.Run("none", func(t *testing.T) { judge(t, tracing.Default(), diagnosis.OK, "No traces") })
}

func judge(t *testing.T, cfg tracing.Config, status, says string) {
	t.Helper()
	report := diagnosis.Examine(t.Context(), 10*time.Second, tracing.Examine(cfg))
	if f := report.Findings[0]; len(report.Findings) != 1 || f.Check != "tracing.endpoint" || f.Status != status || !strings.Contains(f.Found+f.Remedy, says) {
		t.Errorf("%+v", report.Findings)
	}
}

func TestACollectorIsKnownByItsCertificate(t *testing.T) {
	r := &receiver{t: t}
	r.Server = httptest.NewUnstartedServer(r)
	r.Config.ErrorLog = log.New(io.Discard, "", 0) // the refusal is meant
	r.StartTLS()
	t.Cleanup(r.Close)
	authority := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, authority string
		sent, lost      int64
	}{
		{"of an authority that is named", authority, 1, 0},
		{"of one that nobody knows", "", 0, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			tr := tracer(t, r.URL, nil, func(c *tracing.Config) { c.Authority, c.Timeout = row.authority, 500 })
			_, span := tr.Begin(t.Context(), "GET", "", "")
			span.End()
			tr.Stop(t.Context())
			if sent, lost := tracing.Counts(tr); sent != row.sent || lost != row.lost {
				t.Errorf("%d spans are sent and %d lost", sent, lost)
			}
		})
	}
}
