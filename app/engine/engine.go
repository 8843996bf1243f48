package engine

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net"
	"time"

	"go.uber.org/dig"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"

	"github.com/badge-engine/badge-engine/migrations"
	"github.com/badge-engine/badge-engine/modules/achievements"
	"github.com/badge-engine/badge-engine/modules/audit"
	"github.com/badge-engine/badge-engine/modules/auth"
	"github.com/badge-engine/badge-engine/modules/baking"
	"github.com/badge-engine/badge-engine/modules/health"
	"github.com/badge-engine/badge-engine/modules/intake"
	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/modules/scim"
	"github.com/badge-engine/badge-engine/modules/vcapi"
	"github.com/badge-engine/badge-engine/modules/verification"
	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/cache/memory"
	"github.com/badge-engine/badge-engine/platform/cache/redis"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/database/postgres"
	"github.com/badge-engine/badge-engine/platform/database/sqlite"
	"github.com/badge-engine/badge-engine/platform/diagnosis"
	"github.com/badge-engine/badge-engine/platform/fetch"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/page"
	"github.com/badge-engine/badge-engine/platform/ratelimit"
	"github.com/badge-engine/badge-engine/platform/shelf"
	"github.com/badge-engine/badge-engine/platform/telemetry"
	"github.com/badge-engine/badge-engine/platform/tracing"
	"github.com/badge-engine/badge-engine/platform/vault"
)

// Options are what an engine is made from. Only Config must be given.
type Options struct {
	Config   Config
	Listener net.Listener                 // nil: listen on the port of the configuration
	Log      *slog.Logger                 // nil: as the configuration says
	Now      func() time.Time             // nil: the clock of the machine
	Extra    func(House) httpserver.Table // routes beside those of the modules; nil: none

	// Environ is what Config was loaded from, and Sources say where each variable comes
	// from, for the doctor. Both may be nil.
	Environ, Sources map[string]string
}

// Engine is the whole application.
type Engine struct {
	app    *fx.App
	server *httpserver.Server
	public string
	closer io.Closer
}

// patience is how long a start may take once the database is there: its
// migrations may rewrite large tables, or wait for another replica that does.
const patience = 15 * time.Minute

// modules of the house, in the order in which they start.
var modules = fx.Options(
	audit.Module, // stops last, and seals what the others did
	auth.Module,
	achievements.Module,
	issuance.Module,
	scim.Module,
	verification.Module,
	vcapi.Module,
	intake.Module,
	baking.Module,
	health.Module,
)

// drivers that a URL may name.
func databaseDrivers() []database.Driver {
	return []database.Driver{postgres.Driver{}, sqlite.Driver{}}
}

func cacheDrivers() []cache.Driver { return []cache.Driver{redis.Driver{}, memory.Driver{}} }

// schemas of all modules that have tables.
func schemas() []migrations.Set {
	return []migrations.Set{audit.Schema(), auth.Schema(), achievements.Schema(), issuance.Schema(), scim.Schema(), vcapi.Schema(), intake.Schema()}
}

// graph is everything, from the ground up.
func graph(o Options, log *slog.Logger, now func() time.Time) (fx.Option, error) {
	cfg := o.Config
	public, err := cfg.public()
	if err != nil {
		return nil, err
	}
	environment := diagnosis.Examination(examineNothing)
	if o.Environ != nil {
		environment = config.Examine(&cfg, o.Environ, o.Sources, nil)
	}
	supplies := []any{
		public, log, now,
		cfg.HTTP, cfg.Database, cfg.Cache, cfg.Migrations, cfg.Fetch, cfg.Auth, cfg.Entra, cfg.Issuance, cfg.Vault, cfg.SCIM, cfg.Health, cfg.Limits, cfg.Telemetry, cfg.Tracing,
	}
	options := []fx.Option{
		fx.WithLogger(func() fxevent.Logger { return logging.FxLogger(log) }),
		fx.Supply(supplies...),
		tracing.Module, // stops last: others still make spans while they stop
		database.Module(databaseDrivers()...),
		migrations.Module,
		cache.Module(cacheDrivers()...),
		fetch.Module,
		ratelimit.Module,
		shelf.Module,
		vault.Module,
		page.Module,
		telemetry.Module,
		modules,
		bindings,
		fx.Provide(newDoctor(cfg, environment)),
		fx.Invoke((*home).move),
		mounted(o.Extra),
		httpserver.Module, // last to start, first to stop
	}
	if o.Listener != nil {
		options = append(options, fx.Supply(fx.Annotate(o.Listener, fx.As(new(net.Listener)))))
	}
	return fx.Options(options...), nil
}

// Validate checks that the graph fits together, without building it.
func Validate(cfg Config) error {
	option, err := graph(Options{Config: cfg}, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		return err
	}
	return fx.ValidateApp(option)
}

// New builds the application. Nothing is dialed or listened on until Start.
func New(o Options) (*Engine, error) {
	e := &Engine{}
	log := o.Log
	if log == nil {
		var err error
		if log, e.closer, err = logging.New(o.Config.Log); err != nil {
			return nil, err
		}
	}
	now := o.Now
	if now == nil {
		now = time.Now
	}
	option, err := graph(o, log, now)
	if err != nil {
		return nil, err
	}
	if public, err := o.Config.public(); err == nil {
		e.public = public.String()
	}
	e.app = fx.New(option, fx.Populate(&e.server), fx.StartTimeout(o.Config.Database.Wait+o.Config.Migrations.Wait+patience), fx.StopTimeout(2*time.Minute))
	if err := e.app.Err(); err != nil {
		e.close()
		return nil, dig.RootCause(err)
	}
	return e, nil
}

// Start starts the parts from the ground up; when it returns nil the server
// takes requests. Until then it says of itself that it is starting, and refuses
// the rest. After an error everything that had started is stopped again.
func (e *Engine) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, e.app.StartTimeout())
	defer cancel()
	if err := e.server.Listen(ctx); err != nil {
		e.close()
		return err
	}
	err := e.app.Start(ctx)
	if err != nil {
		err = errors.Join(err, e.server.Stop(context.WithoutCancel(ctx)))
		e.close()
	}
	return err
}

// close writes what the log still holds.
func (e *Engine) close() {
	if e.closer != nil {
		_ = e.closer.Close() // there is no log to tell it to
	}
}

// Stop drains the server and stops the parts in the opposite order.
func (e *Engine) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, e.app.StopTimeout())
	defer cancel()
	err := e.app.Stop(ctx)
	e.close()
	return err
}

// Wait answers when the application is asked to end, by a signal or from within.
func (e *Engine) Wait() <-chan fx.ShutdownSignal { return e.app.Wait() }

// Addr is where the server listens.
func (e *Engine) Addr() net.Addr { return e.server.Addr() }

// PublicURL is the address under which the world reaches the server.
func (e *Engine) PublicURL() string { return e.public }

// Routes lists every URL of a configuration without starting anything, and
// without touching what only a start may: no file is made for it.
func Routes(cfg Config) ([]httpserver.Route, error) {
	cfg.Database.URL = "sqlite:unused.db" // never opened
	cfg.Cache = cache.Default()
	cfg.Issuance.Key, cfg.Issuance.KeyFile = config.Secret(base64.StdEncoding.EncodeToString(make([]byte, 32))), ""
	e, err := New(Options{Config: cfg, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	return e.server.Routes(), nil
}
