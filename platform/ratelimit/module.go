package ratelimit

import (
	"log/slog"
	"time"

	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/logging"
)

// Module offers the [*Limits] of the server.
var Module = fx.Module("ratelimit",
	logging.Scope("ratelimit"),
	fx.Provide(func(lifecycle fx.Lifecycle, cfg Config, where cache.Config, c cache.Cache, now func() time.Time, log *slog.Logger) (*Limits, error) {
		if where.Scheme() == "memory" { // nobody to share it with
			c = nil
		}
		limits, err := NewLimits(cfg, c, now, log)
		if err != nil {
			return nil, err
		}
		lifecycle.Append(fx.StartStopHook(limits.Start, limits.Stop))
		return limits, nil
	}),
)
