package intake

import (
	"time"

	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/migrations"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
)

// perhaps are the neighbours without whom the module works too.
type perhaps struct {
	fx.In

	Audit Audit `optional:"true"`
}

// Module is the graph of this module.
var Module = fx.Module("intake",
	logging.Scope("intake"),
	migrations.Provide(Schema),
	fx.Provide(NewStore, New),
	fx.Provide(func(s *Store, w Work, v Verifier, a Achievements, c Credentials, d Documents, o perhaps, now func() time.Time) Parts {
		return Parts{Store: s, Work: w, Verifier: v, Achievements: a, Credentials: c, Documents: d, Audit: o.Audit, Now: now}
	}, fx.Private),
	httpserver.Mount(Routes),
)
