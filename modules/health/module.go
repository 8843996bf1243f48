package health

import (
	"log/slog"

	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/metric"
	"github.com/badge-engine/badge-engine/platform/probe"
)

// Module watches every probe that is offered and serves what it sees. It asks for
// a Config and the Phase.
var Module = fx.Module("health",
	logging.Scope("health"),
	fx.Provide(probe.Collect(assemble)),
	metric.Provide(gauge),
	httpserver.Mount(Routes),
)

// assemble is New with the probes first, as Collect wants them.
func assemble(probes []probe.Probe, lifecycle fx.Lifecycle, cfg Config, phase Phase, log *slog.Logger) *Service {
	s := New(cfg, probes, phase, log)
	lifecycle.Append(fx.StartStopHook(s.Start, s.Stop))
	return s
}
