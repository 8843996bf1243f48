package httpserver

import (
	"context"
	"log/slog"
	"net"

	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/metric"
	"github.com/badge-engine/badge-engine/platform/ratelimit"
	"github.com/badge-engine/badge-engine/platform/tracing"
)

const (
	tables   = `group:"http.tables"`
	dialects = `group:"http.dialects"`
)

// Mount serves the Table that constructor returns.
func Mount(constructor any) fx.Option {
	return fx.Provide(fx.Annotate(constructor, fx.ResultTags(tables)))
}

// Speak has refusals written in the Dialect that constructor returns.
func Speak(constructor any) fx.Option {
	return fx.Provide(fx.Annotate(constructor, fx.ResultTags(dialects)))
}

// Module serves every table that was mounted. A Guard is needed as soon as one
// route is not public; a net.Listener may be supplied.
var Module = fx.Module("httpserver",
	logging.Scope("httpserver"),
	fx.Provide(NewPhase, assemble),
	metric.Provide(certificateGauge),
	fx.Invoke(run),
)

type parts struct {
	fx.In

	Config   Config
	Tables   []Table           `group:"http.tables"`
	Dialects []Dialect         `group:"http.dialects"`
	Guard    Guard             `optional:"true"`
	Witness  Witness           `optional:"true"`
	Observer Observer          `optional:"true"`
	Tracer   *tracing.Tracer   `optional:"true"`
	Limits   *ratelimit.Limits `optional:"true"`
	Phase    *Phase
	Listener net.Listener `optional:"true"`
	Log      *slog.Logger
}

func assemble(p parts) (*Server, error) {
	return New(p.Config, Parts{Tables: p.Tables, Dialects: p.Dialects, Guard: p.Guard, Witness: p.Witness, Observer: p.Observer, Tracer: p.Tracer, Limits: p.Limits, Phase: p.Phase, Listener: p.Listener}, p.Log)
}

func run(lifecycle fx.Lifecycle, s *Server, shutdown fx.Shutdowner) {
	s.onLost = func() {
		if err := shutdown.Shutdown(fx.ExitCode(1)); err != nil {
			s.log.Error("shutdown was refused", "error", err)
		}
	}
	lifecycle.Append(fx.Hook{
		OnStart: func(ctx context.Context) error { return s.Start(ctx) },
		OnStop:  func(ctx context.Context) error { return s.Stop(ctx) },
	})
}
