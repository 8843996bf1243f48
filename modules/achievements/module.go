package achievements

import (
	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/migrations"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/page"
	"github.com/badge-engine/badge-engine/platform/shelf"
)

// perhaps are the neighbours without whom the module works too.
type perhaps struct {
	fx.In

	Audit Audit        `optional:"true"`
	Shelf *shelf.Shelf `optional:"true"`
}

// Module is the graph of this module.
var Module = fx.Module("achievements",
	logging.Scope("achievements"),
	migrations.Provide(Schema),
	fx.Provide(NewStore, New),
	fx.Provide(
		func(keys Keys, ledger Ledger, work Work, o perhaps) Ports {
			return Ports{Keys: keys, Ledger: ledger, Work: work, Audit: o.Audit, Shelf: o.Shelf}
		},
		func(s *Service, r *page.Renderer, o perhaps) (*handlers, error) { return newHandlers(s, o.Shelf, r) },
		fx.Private,
	),
	httpserver.Mount(Routes),
	httpserver.Speak(func(r *page.Renderer) httpserver.Dialect {
		return httpserver.Dialect{Prefix: "/issuers/", Write: r.Problem}
	}),
	httpserver.Speak(func(r *page.Renderer) httpserver.Dialect {
		return httpserver.Dialect{Prefix: "/achievements/", Write: r.Problem}
	}),
)
