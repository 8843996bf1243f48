package health

import (
	"log/slog"
	"time"

	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/probe"
)

// Module serves the health of every probe that is offered. It asks for a Config,
// a Drainer and the clock.
var Module = fx.Module("health",
	logging.Scope("health"),
	fx.Provide(probe.Collect(assemble)),
	httpserver.Mount(Routes),
)

// assemble is New with the probes first, as Collect wants them.
func assemble(probes []probe.Probe, cfg Config, drain Drainer, now func() time.Time, log *slog.Logger) *Service {
	return New(cfg, probes, drain, now, log)
}
