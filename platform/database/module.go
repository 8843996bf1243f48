package database

import (
	"log/slog"

	"github.com/badge-engine/badge-engine/platform/metric"
	"github.com/badge-engine/badge-engine/platform/probe"
	"go.uber.org/fx"
)

// Module offers the [*DB] that one of drivers opens, connected from start to
// stop, and the probe "database".
func Module(drivers ...Driver) fx.Option {
	return fx.Module("database",
		fx.Provide(func(lifecycle fx.Lifecycle, cfg Config, log *slog.Logger) (*DB, error) {
			db, err := New(cfg, log, drivers...)
			if err != nil {
				return nil, err
			}
			lifecycle.Append(fx.StartStopHook(db.Start, db.Close))
			return db, nil
		}),
		probe.Provide(func(db *DB) probe.Probe { return probe.Probe{Name: "database", Check: db.Ping} }),
		metric.Provide(gauge),
	)
}
