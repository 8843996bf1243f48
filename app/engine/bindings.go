package engine

import (
	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/modules/achievements"
	"github.com/badge-engine/badge-engine/modules/health"
	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/modules/verification"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/fetch"
	"github.com/badge-engine/badge-engine/platform/httpserver"
)

// bindings is the map: one line for each "A serves B".
var bindings = fx.Provide(
	func(db *database.DB) achievements.Work { return db },
	func(db *database.DB) issuance.Work { return db },
	func(k *issuance.Keyring) achievements.Keys { return k },
	func(l *issuance.Ledger) achievements.Ledger { return l },
	func(s *achievements.Service) issuance.Achievements { return s },
	func(k *issuance.Keyring) verification.Issuers { return k },
	func(c *fetch.Client) verification.Documents { return c },
	func(d *httpserver.Drain) health.Drainer { return d },
)
