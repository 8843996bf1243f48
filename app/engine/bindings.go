package engine

import (
	"context"
	"strings"

	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/modules/achievements"
	"github.com/badge-engine/badge-engine/modules/audit"
	"github.com/badge-engine/badge-engine/modules/auth"
	"github.com/badge-engine/badge-engine/modules/auth/entra"
	"github.com/badge-engine/badge-engine/modules/health"
	"github.com/badge-engine/badge-engine/modules/intake"
	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
	"github.com/badge-engine/badge-engine/modules/scim"
	"github.com/badge-engine/badge-engine/modules/vcapi"
	"github.com/badge-engine/badge-engine/modules/verification"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/vault"
)

// bindings is the map: one line for each "A serves B".
var bindings = fx.Provide(
	func(db *database.DB) audit.Work { return db },
	auditKey,
	func(s *audit.Service) auth.Audit { return authAudit{s} },
	func(s *audit.Service) achievements.Audit { return s },
	func(s *audit.Service) issuance.Audit { return s },
	func(s *audit.Service) scim.Audit { return s },
	func(db *database.DB) scim.Work { return db },
	func(p *auth.People) scim.People { return p },
	func(r *auth.Roles) scim.Roles { return r },
	func(d *scim.Directory) auth.Directory { return d },
	func(d *scim.Directory) issuance.Recipients { return d },
	func(c entra.Config) scim.Tenant { return scim.Tenant(c.TenantID) },
	scimKey,
	func(db *database.DB) achievements.Work { return db },
	func(db *database.DB) issuance.Work { return db },
	issuanceVault,
	func(k *issuance.Keyring) achievements.Keys { return k },
	func(l *issuance.Ledger, s *vcapi.Store) achievements.Ledger { return ledgers{l, s} },
	func(s *achievements.Service) issuance.Achievements { return s },
	func(s *achievements.Service) issuance.Profiles { return s },
	func(k *issuance.Keyring) verification.Issuers { return k },
	func(r *statuslist.Register) verification.Statuses { return r },
	func(db *database.DB) vcapi.Work { return db },
	func(s *audit.Service) vcapi.Audit { return s },
	func(k *issuance.Keyring) vcapi.Issuers { return k },
	func(r *statuslist.Register) vcapi.Statuses { return entries{r} },
	func(p config.PublicURL, s *issuance.Service) vcapi.Awards { return awards{p, s} },
	func(s *verification.Service) vcapi.Verifier { return s },
	func(db *database.DB) intake.Work { return db },
	func(s *audit.Service) intake.Audit { return s },
	func(s *verification.Service) intake.Verifier { return judge{s} },
	func(s *achievements.Service) intake.Achievements { return catalogue{s} },
	func(s *issuance.Service) intake.Credentials { return orders{s} },
	func(h *home) intake.Documents { return h },
	newHome,
	func(h *home) verification.Documents { return h },
	func(p *httpserver.Phase) health.Phase { return p },
	func(d *doctor) health.Doctor { return d },
)

// issuanceVault keeps keys elsewhere, where a program for it is configured.
func issuanceVault(v *vault.Vault) issuance.Vault {
	if !v.Configured() {
		return nil
	}
	return v
}

// auditKey closes the audit trail with a key of its own from the key-encryption key.
func auditKey(s *issuance.Sealer) (audit.Key, error) {
	secret, err := s.Derive("audit trail v1")
	if err != nil {
		return audit.Key{}, err
	}
	return audit.NewKey(secret)
}

// scimKey seals the cursors of the directory with a key of its own from the
// key-encryption key, which is the same on every replica.
func scimKey(s *issuance.Sealer) (scim.Key, error) {
	secret, err := s.Derive("scim cursors v1")
	return secret, err
}

// authAudit writes down what module auth tells, in the words of the trail.
type authAudit struct{ service *audit.Service }

// Record implements [auth.Audit].
func (a authAudit) Record(ctx context.Context, e auth.Event) error {
	d := audit.Deed{Action: e.Action, Actor: e.Actor, Target: e.Target}
	codes := strings.ReplaceAll(e.Reason, " ", ",") // lists of scopes and roles
	if e.Outcome == "success" {
		d.Detail = codes
	} else {
		d.Outcome, d.Reason = audit.Outcome(e.Outcome), codes
	}
	return a.service.Write(ctx, d)
}
