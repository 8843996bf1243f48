package vcapi

import (
	"time"

	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/migrations"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
)

// perhaps are the neighbours without whom the module works too.
type perhaps struct {
	fx.In

	Audit Audit `optional:"true"`
}

// Module is the graph of this module.
var Module = fx.Module("vcapi",
	logging.Scope("vcapi"),
	migrations.Provide(Schema),
	fx.Provide(NewStore, New),
	fx.Provide(func(public config.PublicURL, s *Store, w Work, i Issuers, t Statuses, a Awards, v Verifier, o perhaps, now func() time.Time) Parts {
		return Parts{Public: public, Store: s, Work: w, Issuers: i, Statuses: t, Awards: a, Verifier: v, Audit: o.Audit, Canonical: jsonld.New().Directed(), Now: now}
	}, fx.Private),
	httpserver.Mount(Routes),
)
