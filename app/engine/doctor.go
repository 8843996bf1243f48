package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/migrations"
	"github.com/badge-engine/badge-engine/modules/auth/entra"
	"github.com/badge-engine/badge-engine/modules/baking"
	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/diagnosis"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/tracing"
)

// examinationLimit is how long the examination of one part may take.
const examinationLimit = 20 * time.Second

// doctor examines the parts. What could not be built is nil, and why is in broken.
type doctor struct {
	cfg    Config
	public config.PublicURL
	now    func() time.Time

	db      *database.DB
	runner  *migrations.Runner
	store   cache.Cache
	keyring *issuance.Keyring
	baker   *baking.Service

	environment diagnosis.Examination // of the variables
	scimToken   config.Secret         // may be empty
}

// Examine implements the port of module health.
func (d *doctor) Examine(ctx context.Context) diagnosis.Report {
	return diagnosis.Examine(ctx, examinationLimit, d.examinations()...)
}

func (d *doctor) examinations() []diagnosis.Examination {
	all := []diagnosis.Examination{d.environment}
	if d.db != nil {
		all = append(all, database.Examine(d.db))
	}
	if d.runner != nil {
		all = append(all, migrations.Examine(d.runner))
	}
	if d.store != nil {
		all = append(all, cache.Examine(d.store, d.cfg.Cache))
	}
	all = append(all,
		httpserver.Examine(d.cfg.HTTP, d.public, d.scimToken),
		entra.Examine(d.cfg.Entra, []entra.Setting{
			{Variable: "ENTRA_ADMIN_GROUPS", Groups: d.cfg.Auth.AdminGroups},
			{Variable: "ENTRA_ISSUER_GROUPS", Groups: d.cfg.Auth.IssuerGroups},
			{Variable: "AUTH_AUDITOR_GROUPS", Groups: d.cfg.Auth.AuditorGroups},
		}, d.now),
		issuance.ExamineKey(d.cfg.Issuance),
	)
	if d.keyring != nil {
		all = append(all, issuance.Examine(d.keyring))
	}
	return append(all, baking.Examine(d.baker), logging.Examine(d.cfg.Log), tracing.Examine(d.cfg.Tracing), examineMachine(d.folders()))
}

// folders are where this program writes.
func (d *doctor) folders() []string {
	var folders []string
	if name, ok := strings.CutPrefix(d.cfg.Database.URL, "sqlite:"); ok {
		folders = append(folders, filepath.Dir(strings.TrimPrefix(name, "//")))
	}
	if d.cfg.Log.Dir != "" {
		folders = append(folders, d.cfg.Log.Dir)
	}
	return folders
}

// newDoctor examines a running server with what it has open. It has no token that it
// could show its own public address: that may be somebody else's by mistake.
func newDoctor(cfg Config, environment diagnosis.Examination) func(config.PublicURL, *database.DB, *migrations.Runner, cache.Cache, *issuance.Keyring, func() time.Time) *doctor {
	return func(public config.PublicURL, db *database.DB, runner *migrations.Runner, store cache.Cache, keyring *issuance.Keyring, now func() time.Time) *doctor {
		return &doctor{cfg: cfg, public: public, now: now, db: db, runner: runner, store: store, keyring: keyring, baker: baking.New(), environment: environment}
	}
}

// Examine looks at an environment, whatever of it is broken: what cannot be built
// is a finding, and everything else is examined all the same. It changes nothing
// and makes no file. sources say where each variable comes from; scimToken, which may be
// empty, is that with which Entra provisions.
func Examine(ctx context.Context, environ, sources map[string]string, scimToken config.Secret) diagnosis.Report {
	cfg, d, done, bad := prepare(environ)
	defer done()
	d.environment, d.scimToken = config.Examine(&cfg, environ, sources, bad), scimToken
	return d.Examine(ctx)
}

// examineNothing stands for the variables of a server that was not made from any.
func examineNothing(_ context.Context, n *diagnosis.Notes) {
	n.Skip("config.value", "the variables of the environment", "This server was not started from an environment.")
}

// ExamineToken explains a token as this environment would take it.
func ExamineToken(ctx context.Context, environ map[string]string, raw string) diagnosis.Report {
	cfg, _, done, _ := prepare(environ)
	defer done()
	return diagnosis.Examine(ctx, examinationLimit, entra.ExamineToken(cfg.Entra, raw, time.Now))
}

// prepare builds of an environment what can be built, without dialing or making
// anything.
func prepare(environ map[string]string) (cfg Config, d *doctor, done func(), bad error) {
	quiet := slog.New(slog.DiscardHandler)
	cfg = Default()
	bad = config.Load(&cfg, environ)
	public, err := cfg.public()
	if err != nil {
		bad = join(bad, err)
		public, _ = Default().public()
	}
	d = &doctor{cfg: cfg, public: public, now: time.Now, baker: baking.New()}
	var closers []func()
	if db, err := database.New(cfg.Database, quiet, databaseDrivers()...); err != nil {
		bad = join(bad, err)
	} else {
		d.db = db
		closers = append(closers, func() { _ = db.Close() })
		if d.runner, err = migrations.New(db, schemas(), quiet); err != nil {
			bad = join(bad, err)
		}
		if sealer := openSealer(cfg.Issuance); sealer != nil {
			d.keyring = issuance.NewKeyring(public, issuance.NewStore(db), sealer, time.Now)
		}
	}
	if store, err := cache.New(cfg.Cache, time.Now, cacheDrivers()...); err != nil {
		bad = join(bad, err)
	} else {
		d.store = store
		closers = append(closers, func() { _ = store.Close() })
	}
	return cfg, d, func() {
		for _, closer := range closers {
			closer()
		}
	}, bad
}

// openSealer opens the key-encryption key if there is one; it never makes one.
func openSealer(cfg issuance.Config) *issuance.Sealer {
	if cfg.Key == "" {
		if _, err := os.Stat(cfg.KeyFile); err != nil {
			return nil
		}
	}
	sealer, err := issuance.OpenSealer(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil // its own examination says why
	}
	return sealer
}

// join adds an error, unless it was said already.
func join(all, err error) error {
	if all != nil && strings.Contains(all.Error(), err.Error()) {
		return all
	}
	return errors.Join(all, err)
}

// SchemaVersion lists the migrations that the database has, a line each, or says why
// that cannot be told.
func SchemaVersion(ctx context.Context, environ map[string]string) string {
	_, d, done, _ := prepare(environ)
	defer done()
	if d.runner == nil {
		return "The database cannot be opened.\n"
	}
	list, err := d.runner.Status(ctx)
	if err != nil {
		return "The database cannot be asked.\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", d.db.Dialect())
	for _, m := range list {
		fmt.Fprintf(&b, "%s %s %t\n", m.Module, m.Name, m.Applied)
	}
	return b.String()
}
