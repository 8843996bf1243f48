package shelf

import (
	"log/slog"
	"time"

	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/metric"
)

// Module offers the [*Shelf] of the server.
var Module = fx.Module("shelf",
	logging.Scope("shelf"),
	fx.Provide(func(lifecycle fx.Lifecycle, db *database.DB, where cache.Config, c cache.Cache, now func() time.Time, log *slog.Logger) *Shelf {
		if where.Scheme() == "memory" { // which no other replica sees
			c = nil
		}
		s := New(db, c, now, log)
		lifecycle.Append(fx.StartStopHook(s.Start, s.Stop))
		return s
	}),
	metric.Provide(asked),
)
