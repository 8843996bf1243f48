package verification

import (
	"time"

	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/page"
)

// Module is the graph of this module.
var Module = fx.Module("verification",
	logging.Scope("verification"),
	fx.Provide(func(d Documents, i Issuers, s Statuses, now func() time.Time) *Service {
		return New(d, i, now).Consulting(s)
	}),
	fx.Provide(NewPages, fx.Private),
	httpserver.Mount(Routes),
	httpserver.Speak(func(r *page.Renderer) httpserver.Dialect {
		return httpserver.Dialect{Prefix: "/verify", Write: r.Problem}
	}),
)
