package tracing

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/badge-engine/badge-engine/platform/metric"
)

// library is the name of the instrumentation in the traces.
const library = "github.com/badge-engine/badge-engine"

// flushTime is how long a stop may wait for the collector.
const flushTime = 3 * time.Second

// Tracer begins traces. One that is nil, or has nowhere to send them, begins none. It
// is safe for concurrent use.
type Tracer struct {
	cfg      Config
	log      *slog.Logger
	provider *sdk.TracerProvider // nil while nothing is configured
	tracer   trace.Tracer
	exporter *exporter
}

// New makes a tracer. Nothing is dialed before there is something to send.
func New(cfg Config, log *slog.Logger) (*Tracer, error) {
	t := &Tracer{cfg: cfg, log: log.With(slog.String("module", "tracing"))}
	if !cfg.On() {
		return t, nil
	}
	sampler, err := cfg.sampler()
	if err != nil {
		return nil, err
	}
	if t.exporter, err = newExporter(cfg, t.log); err != nil {
		return nil, err
	}
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	about, err := cfg.resource(version, uuid.NewString())
	if err != nil {
		return nil, err
	}
	t.provider = sdk.NewTracerProvider(
		sdk.WithSampler(sampler),
		sdk.WithResource(resource.NewSchemaless(about...)),
		sdk.WithSpanProcessor(sdk.NewBatchSpanProcessor(t.exporter,
			sdk.WithBatchTimeout(milliseconds(cfg.Delay)),
			sdk.WithExportTimeout(milliseconds(cfg.Timeout)),
			sdk.WithMaxQueueSize(cfg.Queue),
			sdk.WithMaxExportBatchSize(cfg.Batch),
		)),
	)
	t.tracer = t.provider.Tracer(library)
	return t, nil
}

// On reports whether traces go anywhere.
func (t *Tracer) On() bool { return t != nil && t.provider != nil }

// Start says where traces go.
func (t *Tracer) Start(ctx context.Context) {
	if t.On() {
		t.log.InfoContext(ctx, "traces are sent", slog.Any("to", t.cfg), slog.String("sampler", t.cfg.Sampler))
	}
}

// Stop sends what is left, as long as the collector takes it within [flushTime], and
// ends what sends.
func (t *Tracer) Stop(ctx context.Context) {
	if !t.On() {
		return
	}
	late := time.AfterFunc(flushTime, t.exporter.abort)
	defer late.Stop()
	// It always ends: what cannot be sent in time is dropped.
	_ = t.provider.Shutdown(context.WithoutCancel(ctx))
	t.exporter.abort()
}

// spans tells how many were sent and lost; nothing while nothing is configured.
func (t *Tracer) spans() metric.Gauge {
	return metric.Gauge{
		Name: "badge_engine_trace_spans_total", Help: "Spans of traces that the collector took, and that were lost.", Labels: []string{"outcome"}, Total: true,
		Read: func() []metric.Sample {
			if !t.On() {
				return nil
			}
			return []metric.Sample{
				{Labels: []string{"sent"}, Value: float64(t.exporter.sent.Load())},
				{Labels: []string{"lost"}, Value: float64(t.exporter.lost.Load())},
			}
		},
	}
}

var w3c = propagation.TraceContext{}

// Begin opens the span of a request that came from outside, below the one that its
// headers name.
//
// W3C Trace Context, 3.2 (Traceparent Header) and 3.3 (Tracestate Header): a
// traceparent that cannot be read begins a trace of its own.
func (t *Tracer) Begin(ctx context.Context, method, traceparent, tracestate string) (context.Context, Span) {
	if !t.On() {
		return ctx, Span{}
	}
	if traceparent != "" {
		ctx = w3c.Extract(ctx, propagation.MapCarrier{"traceparent": traceparent, "tracestate": tracestate})
	}
	ctx, span := t.tracer.Start(ctx, method, trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.request.method", method)))
	return ctx, Span{span}
}

// Client opens the span of a question to somebody else, such as a database, below
// that of ctx. Without one it opens none.
func Client(ctx context.Context, name string) (context.Context, Span) {
	return below(ctx, name, trace.SpanKindClient)
}

// Step opens the span of something the program does itself, below that of ctx.
// Without one it opens none.
func Step(ctx context.Context, name string) (context.Context, Span) {
	return below(ctx, name, trace.SpanKindInternal)
}

func below(ctx context.Context, name string, kind trace.SpanKind) (context.Context, Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, Span{}
	}
	ctx, span := parent.TracerProvider().Tracer(library).Start(ctx, name, trace.WithSpanKind(kind))
	return ctx, Span{span}
}

// ID is the trace that ctx belongs to, or nothing.
func ID(ctx context.Context) string {
	if at := trace.SpanContextFromContext(ctx); at.HasTraceID() {
		return at.TraceID().String()
	}
	return ""
}
