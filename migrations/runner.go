package migrations

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/pressly/goose/v3"
)

var (
	// ErrOlder says that the schema lacks migrations which this program needs.
	ErrOlder = fault.New(fault.Unavailable, "migrations.older",
		"The schema of the database is older than this program; run `badge-engine migrate up`.")

	// ErrNewer says that a newer version of this program changed the schema.
	ErrNewer = fault.New(fault.Unavailable, "migrations.newer",
		"The schema of the database is newer than this program.")

	// ErrUnknown says that no module of the name given has migrations.
	ErrUnknown = fault.New(fault.NotFound, "migrations.unknown",
		"No module of this name has migrations.")

	// ErrNothing says that a module has no migration left to take back.
	ErrNothing = fault.New(fault.Conflict, "migrations.nothing",
		"The module has no migration that could be taken back.")
)

// waitPause is how long a start that waits for a migration lets the database alone.
const waitPause = 500 * time.Millisecond

// lockName is the lock of the database under which the schema changes.
const lockName = "migrations"

// Runner moves the schema of one database. It is safe for concurrent use, and
// so are many of them in many processes.
type Runner struct {
	db   *database.DB
	sets []Set
	log  *slog.Logger
}

// New makes a runner for sets, in the order of their modules' names. It neither
// dials nor reads more than the names of files.
func New(db *database.DB, sets []Set, log *slog.Logger) (*Runner, error) {
	sets = slices.SortedFunc(slices.Values(sets), func(a, b Set) int { return strings.Compare(a.Module, b.Module) })
	for i, set := range sets {
		if err := set.check(db.Dialect()); err != nil {
			return nil, err
		}
		if i > 0 && sets[i-1].Module == set.Module {
			return nil, fmt.Errorf("migrations: module %s has two sets", set.Module)
		}
	}
	return &Runner{db: db, sets: sets, log: log.With(slog.String("module", "migrations"))}, nil
}

// Up applies every migration that is missing. Whoever comes second waits for
// the first and then finds nothing to do.
func (r *Runner) Up(ctx context.Context) error {
	if err := r.Check(ctx); err == nil || !errors.Is(err, ErrOlder) {
		return err // up to date, which is the common case, or out of reach
	}
	return r.locked(ctx, func() error {
		for _, set := range r.sets {
			if err := r.run(ctx, set, func(p *goose.Provider) ([]*goose.MigrationResult, error) {
				return p.Up(ctx)
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Down takes back the newest migration of one module, or answers [ErrUnknown]
// or [ErrNothing]. It loses whatever that migration made room for.
func (r *Runner) Down(ctx context.Context, module string) error {
	at := slices.IndexFunc(r.sets, func(s Set) bool { return s.Module == module })
	if at < 0 {
		return ErrUnknown.Detailf("There are migrations for: %s.", strings.Join(r.modules(), ", "))
	}
	return r.locked(ctx, func() error {
		return r.run(ctx, r.sets[at], func(p *goose.Provider) ([]*goose.MigrationResult, error) {
			version, err := p.GetDBVersion(ctx)
			if err != nil {
				return nil, err
			}
			if version == 0 {
				return nil, ErrNothing
			}
			result, err := p.Down(ctx)
			return []*goose.MigrationResult{result}, err
		})
	})
}

// Status is one migration and whether the database has it.
type Status struct {
	Module  string
	Version int64
	Name    string // the name of the file
	Applied bool
	At      time.Time // when it was applied, in UTC
}

// Status lists every migration by module and version. It changes nothing.
func (r *Runner) Status(ctx context.Context) ([]Status, error) {
	tables, err := r.db.Tables(ctx)
	if err != nil {
		return nil, err
	}
	var list []Status
	for _, set := range r.sets {
		provider, err := r.provider(set)
		if err != nil {
			return nil, err
		}
		var applied []struct {
			VersionID int64
			Tstamp    time.Time
		}
		if slices.Contains(tables, set.table()) {
			err := r.db.Reader(ctx).Table(set.table()).Select("version_id, tstamp").Where("version_id > 0").Scan(&applied).Error
			if err != nil {
				return nil, err
			}
		}
		for _, source := range provider.ListSources() {
			status := Status{Module: set.Module, Version: source.Version, Name: path.Base(source.Path)}
			for _, row := range applied {
				if row.VersionID == source.Version {
					status.Applied, status.At = true, row.Tstamp.UTC()
				}
			}
			list = append(list, status)
		}
	}
	return list, nil
}

// Check answers [ErrOlder] if the schema lacks a migration. A schema that is
// newer than this program is fine: each change works with the code before it.
func (r *Runner) Check(ctx context.Context) error {
	list, err := r.Status(ctx)
	if err != nil {
		return err
	}
	var missing []string
	for _, status := range list {
		if !status.Applied {
			missing = append(missing, status.Module+"/"+status.Name)
		}
	}
	if len(missing) > 0 {
		return ErrOlder.Detailf("Missing: %s.", strings.Join(missing, ", "))
	}
	return nil
}

// Unknown lists what the schema has and this program does not know: a newer version
// made it.
func (r *Runner) Unknown(ctx context.Context) ([]string, error) {
	tables, err := r.db.Tables(ctx)
	if err != nil {
		return nil, err
	}
	var unknown []string
	for _, set := range r.sets {
		provider, err := r.provider(set)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(tables, set.table()) {
			continue
		}
		var applied []int64
		if err := r.db.Reader(ctx).Table(set.table()).Where("version_id > 0").Order("version_id").Pluck("version_id", &applied).Error; err != nil {
			return nil, err
		}
		for _, version := range applied {
			known := func(s *goose.Source) bool { return s.Version == version }
			if !slices.ContainsFunc(provider.ListSources(), known) {
				unknown = append(unknown, fmt.Sprintf("%s/%05d", set.Module, version))
			}
		}
	}
	return unknown, nil
}

// Start brings the schema up to date if cfg says so. Otherwise it waits, as long as cfg
// says, for somebody who does, and then answers [ErrOlder]: replicas are often started
// together with the job that migrates. On a schema that a newer
// version of this program made it answers [ErrNewer], unless cfg says that this is
// meant. Servers that already run go on: a change of schema works with the code
// before it, so that an upgrade needs no pause.
func (r *Runner) Start(ctx context.Context, cfg Config) error {
	unknown, err := r.Unknown(ctx)
	if err != nil {
		return err
	}
	if len(unknown) > 0 && !cfg.AcceptNewer {
		return ErrNewer.Detailf("It has %s. %s To start all the same, as when rolling back, set MIGRATE_ACCEPT_NEWER=true.", strings.Join(unknown, ", "), newerRemedy)
	}
	if cfg.Automatic(r.db.Dialect()) {
		return r.Up(ctx)
	}
	until := time.Now().Add(cfg.Wait)
	for told := false; ; told = true {
		err := r.Check(ctx)
		if !errors.Is(err, ErrOlder) || time.Until(until) <= 0 {
			return err
		}
		if !told {
			r.log.WarnContext(ctx, "schema is older than this program: waiting for `badge-engine migrate up`", slog.Duration("patience", cfg.Wait), slog.Any("error", err))
		}
		select {
		case <-time.After(min(waitPause, time.Until(until))):
		case <-ctx.Done():
			return err
		}
	}
}

func (r *Runner) modules() []string {
	var modules []string
	for _, set := range r.sets {
		modules = append(modules, set.Module)
	}
	return modules
}

// locked runs fn while nobody else, in any process, changes the schema. A
// failure is logged here, besides being returned, because it belongs into a log
// file of its own.
func (r *Runner) locked(ctx context.Context, fn func() error) error {
	release, err := r.db.Lock(ctx, lockName)
	if err == nil {
		defer release()
		err = fn()
	}
	if err != nil {
		r.log.ErrorContext(ctx, "migration failed", slog.Any("error", err))
	}
	return err
}

func (r *Runner) provider(set Set) (*goose.Provider, error) {
	files, err := fs.Sub(set.Files, "migrations/"+r.db.Dialect())
	if err != nil {
		return nil, fmt.Errorf("migrations: module %s: %w", set.Module, err)
	}
	dialect := goose.DialectPostgres
	if r.db.Dialect() == "sqlite" {
		dialect = goose.DialectSQLite3
	}
	provider, err := goose.NewProvider(dialect, r.db.SQLDB(), files,
		goose.WithTableName(set.table()), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return nil, fmt.Errorf("migrations: module %s: %w", set.Module, err)
	}
	return provider, nil
}

func (r *Runner) run(ctx context.Context, set Set, step func(*goose.Provider) ([]*goose.MigrationResult, error)) error {
	provider, err := r.provider(set)
	if err != nil {
		return err
	}
	results, err := step(provider)
	var partial *goose.PartialError
	if errors.As(err, &partial) {
		results = partial.Applied
		err = fmt.Errorf("migrations: module %s, %s: %w", set.Module, path.Base(partial.Failed.Source.Path), r.db.Translate(partial.Err))
	} else if err != nil && !errors.Is(err, ErrNothing) {
		err = fmt.Errorf("migrations: module %s: %w", set.Module, r.db.Translate(err))
	}
	for _, result := range results {
		if result != nil {
			r.log.InfoContext(ctx, "migration applied", slog.String("set", set.Module), slog.String("name", path.Base(result.Source.Path)),
				slog.String("direction", result.Direction), slog.Duration("duration", result.Duration))
		}
	}
	return err
}
