package tracing

import (
	"log/slog"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Span is one step of a trace, open until its End. The zero value is a step that
// nobody follows; all it does is nothing.
type Span struct{ span trace.Span }

// On reports whether what is told of the step will be sent. Ask before preparing it.
func (s Span) On() bool { return s.span != nil && s.span.IsRecording() }

// Name replaces the name, where it is known only later. It must be one of few.
func (s Span) Name(name string) {
	if s.On() {
		s.span.SetName(name)
	}
}

// Set adds attributes: texts, numbers and switches.
func (s Span) Set(attrs ...slog.Attr) {
	if !s.On() {
		return
	}
	list := make([]attribute.KeyValue, len(attrs))
	for i, a := range attrs {
		switch a.Value.Kind() {
		case slog.KindInt64:
			list[i] = attribute.Int64(a.Key, a.Value.Int64())
		case slog.KindBool:
			list[i] = attribute.Bool(a.Key, a.Value.Bool())
		case slog.KindFloat64:
			list[i] = attribute.Float64(a.Key, a.Value.Float64())
		default:
			list[i] = attribute.String(a.Key, a.Value.String())
		}
	}
	s.span.SetAttributes(list...)
}

// Fail says that the step came to nothing, and by which kind of error: a word, never
// the error's own text, which may hold values.
func (s Span) Fail(kind string) {
	if s.On() {
		s.span.SetStatus(codes.Error, "")
		s.span.SetAttributes(attribute.String("error.type", kind))
	}
}

// End closes the span.
func (s Span) End() {
	if s.span != nil {
		s.span.End()
	}
}
