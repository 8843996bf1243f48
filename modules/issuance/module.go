package issuance

import (
	"log/slog"
	"time"

	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/migrations"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/metric"
	"github.com/badge-engine/badge-engine/platform/page"
	"github.com/badge-engine/badge-engine/platform/probe"
	"github.com/badge-engine/badge-engine/platform/shelf"
)

// perhaps are the neighbours without whom the module works too.
type perhaps struct {
	fx.In

	Audit      Audit             `optional:"true"`
	Vault      Vault             `optional:"true"`
	Recipients Recipients        `optional:"true"`
	Shelf      *shelf.Shelf      `optional:"true"`
	HTTP       httpserver.Config `optional:"true"`
}

// Module is the graph of this module.
var Module = fx.Module("issuance",
	logging.Scope("issuance"),
	migrations.Provide(Schema),
	fx.Provide(NewStore, OpenSealer, NewLedger, statuslist.NewStore),
	fx.Provide(func(cfg Config, public config.PublicURL, s *Store, seal *Sealer, w Work, now func() time.Time, o perhaps) *Keyring {
		return NewKeyring(public, s, seal, now).Providing(cfg.Provider).Audited(o.Audit).Working(w).Vaulted(o.Vault).Publishing(o.Shelf)
	}),
	fx.Provide(func() integrity.Canonicalizer { return jsonld.New() }, fx.Private),
	fx.Provide(func(cfg Config, public config.PublicURL, s *statuslist.Store, w Work, k *Keyring, c integrity.Canonicalizer, now func() time.Time, log *slog.Logger, o perhaps) *statuslist.Register {
		return statuslist.New(cfg.Status, public, s, w, k, c, now, log).Publishing(o.Shelf)
	}),
	fx.Provide(func(s *Store, w Work, k *Keyring, seal *Sealer, r *statuslist.Register, a Achievements, c integrity.Canonicalizer, counts *Counts, o perhaps) Parts {
		return Parts{Store: s, Work: w, Keyring: k, Sealer: seal, Statuses: r, Achievements: a, Audit: o.Audit, Recipients: o.Recipients, Canonical: c, Shelf: o.Shelf, Counts: counts, RequestTime: o.HTTP.RequestTimeout}
	}, fx.Private),
	fx.Provide(New, NewBatches, NewEndorsements, NewCounts, newCensus),
	metric.Provide(func(c *Counts) *metric.Counter { return c.credentials }),
	metric.Provide(func(c *Counts) *metric.Counter { return c.batches }),
	metric.Provide(func(c *Counts) *metric.Counter { return c.pictures }),
	metric.Provide((*census).states),
	metric.Provide((*census).oldest),
	fx.Provide(func(s *Service, b *Batches, e *Endorsements, k *Keyring, r *page.Renderer, o perhaps) (*handlers, error) {
		return newHandlers(s, b, e, k, o.Shelf, r)
	}, fx.Private),
	httpserver.Mount(Routes),
	httpserver.Speak(func(r *page.Renderer) httpserver.Dialect {
		return httpserver.Dialect{Prefix: "/credentials/", Write: r.Problem}
	}),
	probe.Provide(func(k *Keyring) probe.Probe { return probe.Probe{Name: "keys", Check: k.Check} }),
	fx.Invoke(func(lc fx.Lifecycle, k *Keyring, s *Service, b *Batches) {
		lc.Append(fx.StartHook(k.Vouch))
		lc.Append(fx.StartHook(s.Settle))
		lc.Append(fx.StartStopHook(b.Start, b.Stop))
	}),
)
