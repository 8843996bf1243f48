package cache

import (
	"context"
	"log/slog"
	"time"

	"github.com/badge-engine/badge-engine/platform/metric"
	"github.com/badge-engine/badge-engine/platform/probe"
	"go.uber.org/fx"
)

// counter is the one of this package among others of its type.
type counter struct{ *metric.Counter }

// Module offers the [Cache] that one of drivers opens, until the stop, and the
// probe "cache". A cache that is away stops no start: it is only slower without.
func Module(drivers ...Driver) fx.Option {
	return fx.Module("cache",
		fx.Provide(func() *counter { return &counter{NewCounter()} }),
		metric.Provide(func(c *counter) *metric.Counter { return c.Counter }),
		fx.Provide(func(lifecycle fx.Lifecycle, cfg Config, count *counter, log *slog.Logger, now func() time.Time) (Cache, error) {
			store, err := New(cfg, now, drivers...)
			if err != nil {
				return nil, err
			}
			if cfg.Scheme() != "memory" {
				store = Spare(store, now)
			}
			store = Follow(store, cfg, count.Counter)
			log = log.With(slog.String("module", "cache"))
			lifecycle.Append(fx.StartStopHook(func(ctx context.Context) {
				if err := store.Ping(ctx); err != nil {
					log.WarnContext(ctx, "cache is away", slog.Any("url", cfg), slog.Any("error", err))
				}
			}, store.Close))
			return store, nil
		}),
		probe.Provide(func(cache Cache) probe.Probe { return probe.Probe{Name: "cache", Check: cache.Ping, Spare: true} }),
	)
}
