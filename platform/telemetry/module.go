package telemetry

import (
	"log/slog"

	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/metric"
)

// Module offers the [*Metrics] over every metric that is offered, and serves them.
var Module = fx.Module("telemetry",
	fx.Provide(metric.Collect(New), func(m *Metrics) httpserver.Observer { return m }),
	httpserver.Mount(Routes),
	fx.Invoke(func(lifecycle fx.Lifecycle, cfg Config, log *slog.Logger) {
		p := NewProfiler(cfg, log.With(slog.String("module", "telemetry")))
		lifecycle.Append(fx.StartStopHook(p.Start, p.Stop))
	}),
)
