package audit

import (
	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/migrations"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
)

// Module is the graph of this module. It provides the [*Service] and, being the
// same, the witness of the server. Stand it before all modules that record, so
// that it stops after them and seals what they did last.
var Module = fx.Module("audit",
	logging.Scope("audit"),
	migrations.Provide(Schema),
	fx.Provide(
		NewStore,
		fx.Annotate(New, fx.As(fx.Self()), fx.As(new(httpserver.Witness))),
		NewSealer,
	),
	fx.Provide(newHandlers, fx.Private),
	httpserver.Mount(Routes),
	fx.Invoke(func(lifecycle fx.Lifecycle, sealer *Sealer) {
		lifecycle.Append(fx.StartStopHook(sealer.Start, sealer.Stop))
	}),
)
