package auth

import (
	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/migrations"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
)

// Module is the graph of this module. It provides the [*Service] and, being the
// same, the guard of the server.
var Module = fx.Module("auth",
	logging.Scope("auth"),
	migrations.Provide(Schema),
	fx.Provide(
		fx.Annotate(NewStore, fx.As(new(Tokens)), fx.As(new(Touch))),
		NewUsage,
		fx.Annotate(New, fx.As(fx.Self()), fx.As(new(httpserver.Guard))),
	),
	fx.Provide(newHandlers, fx.Private),
	httpserver.Mount(Routes),
	fx.Invoke(func(lifecycle fx.Lifecycle, service *Service, usage *Usage) {
		lifecycle.Append(fx.StartHook(service.Start))
		lifecycle.Append(fx.StartStopHook(usage.Start, usage.Stop))
	}),
)
