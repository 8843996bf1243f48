package tracing

import (
	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/platform/metric"
)

// Module offers the [*Tracer]. Stand it before whoever makes spans: hooks are undone
// in the opposite order, and the last spans are made while others stop.
var Module = fx.Module("tracing",
	fx.Provide(New),
	metric.Provide((*Tracer).spans),
	fx.Invoke(func(lifecycle fx.Lifecycle, t *Tracer) { lifecycle.Append(fx.StartStopHook(t.Start, t.Stop)) }),
)
