package verification

import (
	"time"

	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/metric"
	"github.com/badge-engine/badge-engine/platform/page"
)

// counter is the one of this module among others of its type.
type counter struct{ *metric.Counter }

// Module is the graph of this module.
var Module = fx.Module("verification",
	logging.Scope("verification"),
	fx.Provide(func() *counter { return &counter{NewCounter()} }),
	metric.Provide(func(c *counter) *metric.Counter { return c.Counter }),
	fx.Provide(func(d Documents, i Issuers, s Statuses, c *counter, now func() time.Time) *Service {
		return New(d, i, now).Consulting(s).Counting(c.Counter)
	}),
	fx.Provide(NewPages, fx.Private),
	httpserver.Mount(Routes),
	httpserver.Speak(func(r *page.Renderer) httpserver.Dialect {
		return httpserver.Dialect{Prefix: "/verify", Write: r.Problem}
	}),
)
