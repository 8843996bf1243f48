package auth

import (
	"log/slog"
	"sync/atomic"
	"time"

	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/migrations"
	"github.com/badge-engine/badge-engine/modules/auth/entra"
	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/metric"
)

// Module is the graph of this module. It provides the [*Service], [*People], [*Roles],
// and the guard of the server.
var Module = fx.Module("auth",
	logging.Scope("auth"),
	migrations.Provide(Schema),
	fx.Provide(
		fx.Annotate(NewStore, fx.As(new(Tokens)), fx.As(new(Touch))),
		NewUsage,
		tokens,
		fx.Annotate(NewShutoutStore, fx.As(new(Shutouts)), fx.As(new(Eras))),
		func(parts Parts, shutouts Shutouts, db *database.DB) *People { return NewPeople(parts, shutouts, db) },
		NewVerifier,
		fx.Annotate(NewGuard, fx.As(new(httpserver.Guard))),
	),
	fx.Provide(NewRoles),
	fx.Provide(gather, NewSessions, NewSignIn, NewBearers, newDoors, fx.Private),
	fx.Provide(
		fx.Annotate(NewClientStore, fx.As(new(ClientRecords))),
		NewCalendar,
		NewAssertions,
		clients,
	),
	fx.Provide(newHandlers, newClientHandlers, fx.Private),
	metric.Provide((*Calendar).gauge),
	metric.Provide(certificateGauge),
	httpserver.Mount(Routes),
	httpserver.Mount(ClientRoutes),
	httpserver.Mount(Doors),
	httpserver.Speak(func(d *doors) httpserver.Dialect { return httpserver.Dialect{Prefix: "/auth/", Write: d.refused} }),
	httpserver.Speak(oauthDialect(tokenPath)),
	httpserver.Speak(oauthDialect(scimTokenPath)),
	fx.Invoke(func(lifecycle fx.Lifecycle, service *Service, usage *Usage, calendar *Calendar, people *People, roles *Roles, signIn *SignIn) {
		lifecycle.Append(fx.StartHook(service.Start))
		lifecycle.Append(fx.StartStopHook(usage.Start, usage.Stop))
		lifecycle.Append(fx.StartStopHook(calendar.Start, calendar.Stop))
		lifecycle.Append(fx.StartStopHook(people.Start, people.Stop))
		lifecycle.Append(fx.StartHook(roles.Start))
		lifecycle.Append(fx.StartHook(signIn.Start))
	}),
)

// chronicle is where it is written down what happens to tokens.
type chronicle struct {
	fx.In

	DB    *database.DB
	Audit Audit `optional:"true"`
}

func tokens(cfg Config, kept Tokens, cache cache.Cache, usage *Usage, now func() time.Time, log *slog.Logger, c chronicle) (*Service, error) {
	s, err := New(cfg, kept, cache, usage, now, log)
	if err != nil {
		return nil, err
	}
	return s.Audited(c.DB, c.Audit), nil
}

// clientParts are what clients are built from.
type clientParts struct {
	fx.In

	Config     Config
	Records    ClientRecords
	Tokens     *Service
	DB         *database.DB
	Assertions Assertions
	Audit      Audit `optional:"true"`
	Log        *slog.Logger
}

func clients(p clientParts) *Clients {
	return NewClients(p.Config, p.Records, p.Tokens, ClientNeighbours{Work: p.DB, Assertions: p.Assertions, Audit: p.Audit}, p.Log)
}

// surroundings are what the graph has for those who know people.
type surroundings struct {
	fx.In

	Config    Config
	Tenant    entra.Config
	HTTP      httpserver.Config
	Cache     cache.Cache
	Now       func() time.Time
	Log       *slog.Logger
	Verifier  *entra.Verifier
	Eras      Eras
	Directory Directory `optional:"true"`
	Audit     Audit     `optional:"true"`
}

// gather makes the parts. What Entra is not set up for is missing.
func gather(s surroundings) (Parts, error) {
	if err := s.Config.Loopback(s.HTTP.Host); err != nil {
		return Parts{}, err
	}
	parts := Parts{Config: s.Config, Tenant: s.Tenant, Cache: s.Cache, Now: s.Now, Log: s.Log, Eras: s.Eras, Era: new(atomic.Int64), Directory: s.Directory, Audit: s.Audit}
	if s.Verifier != nil {
		parts.Verifier = s.Verifier
	}
	if s.Verifier != nil && s.Tenant.Confidential() {
		parts.Flow = entra.NewCodeFlow(s.Tenant, nil, s.Verifier, s.Now)
		parts.Memberships = entra.NewGraph(s.Tenant, nil, s.Now, s.Log)
	}
	return parts, nil
}

// NewVerifier makes what checks tokens of Entra, and has its keys fetched from the
// start to the stop. It is nil where Entra is not set up.
func NewVerifier(cfg entra.Config, now func() time.Time, log *slog.Logger, lifecycle fx.Lifecycle) (*entra.Verifier, error) {
	if err := cfg.Check(); err != nil || !cfg.Enabled() {
		return nil, err
	}
	keys := entra.NewKeys(cfg, nil, now, log)
	lifecycle.Append(fx.StartStopHook(keys.Start, keys.Stop))
	return entra.NewVerifier(cfg, keys, now), nil
}
