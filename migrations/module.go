package migrations

import (
	"context"
	"log/slog"

	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/probe"
	"go.uber.org/fx"
)

const group = `group:"migrations"`

// Provide offers the Set that constructor returns to the runner.
func Provide(constructor any) fx.Option {
	return fx.Provide(fx.Annotate(constructor, fx.ResultTags(group)))
}

// Module offers the [*Runner] over every Set provided, and the probe "schema".
// It starts the runner after the database; stand it before whatever reads a
// table when it starts, since hooks run in the order of construction.
var Module = fx.Module("migrations",
	fx.Provide(fx.Annotate(
		func(db *database.DB, sets []Set, log *slog.Logger) (*Runner, error) { return New(db, sets, log) },
		fx.ParamTags("", group),
	)),
	probe.Provide(func(runner *Runner) probe.Probe { return probe.Probe{Name: "schema", Check: runner.Check} }),
	fx.Invoke(func(lifecycle fx.Lifecycle, cfg Config, runner *Runner) {
		lifecycle.Append(fx.StartHook(func(ctx context.Context) error { return runner.Start(ctx, cfg) }))
	}),
)
