package telemetry

import (
	"log/slog"

	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/platform/httpserver"
)

const group = `group:"telemetry.gauges"`

// Provide offers the [Gauge] that constructor returns.
func Provide(constructor any) fx.Option {
	return fx.Provide(fx.Annotate(constructor, fx.ResultTags(group)))
}

// Module offers the [*Metrics] over every gauge provided, and serves them.
var Module = fx.Module("telemetry",
	fx.Provide(fx.Annotate(New, fx.ParamTags(group), fx.As(fx.Self()), fx.As(new(httpserver.Observer)))),
	httpserver.Mount(Routes),
	fx.Invoke(func(lifecycle fx.Lifecycle, cfg Config, log *slog.Logger) {
		p := NewProfiler(cfg, log.With(slog.String("module", "telemetry")))
		lifecycle.Append(fx.StartStopHook(p.Start, p.Stop))
	}),
)
