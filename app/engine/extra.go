package engine

import (
	"context"

	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/modules/audit"
	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/httpserver"
)

// House is what routes may use that are added to those of the modules.
type House struct {
	DB *database.DB
	// Order reads the order for a credential that a request makes, as module issuance
	// does, and answers nothing, or what is wrong with it.
	Order httpserver.Handler
	// Record writes down in the trail what each of several callers did, in the unit of
	// work in ctx.
	Record func(ctx context.Context, action string, targets []string, by []context.Context) error
}

// mounted serves what extra adds, as all other routes are served: whoever embeds the
// engine finds admission, limits, deadlines and the log there.
func mounted(extra func(House) httpserver.Table) fx.Option {
	if extra == nil {
		return fx.Options()
	}
	return httpserver.Mount(func(db *database.DB, trail *audit.Service) httpserver.Table {
		return extra(House{DB: db, Record: trail.RecordEach, Order: issuance.CheckOrder})
	})
}
