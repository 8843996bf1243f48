package scim

import (
	"log/slog"
	"time"

	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/migrations"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/metric"
)

// counter is the one of this module among others of its type.
type counter struct{ *metric.Counter }

// surroundings are what the service is gathered from. Some neighbours may be missing.
type surroundings struct {
	fx.In

	Public   config.PublicURL
	Config   Config
	Registry *schema.Registry
	Store    *Store
	Work     Work
	Tenant   Tenant
	Key      Key
	People   People `optional:"true"`
	Roles    Roles  `optional:"true"`
	Audit    Audit  `optional:"true"`
	Count    *counter
	Now      func() time.Time
	Log      *slog.Logger
}

// Tenant is the tenant of Entra whose people are provisioned here; empty without one.
type Tenant string

// Module is the graph of this module. It provides the [*Service] and the [*Directory].
var Module = fx.Module("scim",
	logging.Scope("scim"),
	migrations.Provide(Schema),
	fx.Provide(func() *counter { return &counter{NewCounter()} }),
	metric.Provide(func(c *counter) *metric.Counter { return c.Counter }),
	fx.Provide(Config.registry, fx.Private),
	fx.Provide(
		NewStore,
		func(s surroundings) *Service {
			return New(Parts{
				Config: s.Config, Registry: s.Registry, Store: s.Store, Work: s.Work, People: s.People, Roles: s.Roles, Audit: s.Audit,
				Tenant: string(s.Tenant), Base: s.Public.String() + prefix, Key: s.Key, Count: s.Count.Counter, Now: s.Now, Log: s.Log,
			})
		},
		func(s *Store, tenant Tenant) *Directory { return NewDirectory(s, string(tenant)) },
		func(s *Store, now func() time.Time, log *slog.Logger) *Journal { return NewJournal(s, now, log) },
	),
	fx.Provide(newHandlers, fx.Private),
	httpserver.Mount(Routes),
	httpserver.Speak(func(h *handlers) httpserver.Dialect { return httpserver.Dialect{Prefix: prefix, Write: h.refused} }),
	httpserver.Speak(func(h *handlers) httpserver.Dialect { return httpserver.Dialect{Prefix: "/scim/v1", Write: h.refused} }),
	fx.Invoke(func(lifecycle fx.Lifecycle, journal *Journal) {
		lifecycle.Append(fx.StartStopHook(journal.Start, journal.Stop))
	}),
)
