package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
)

// DB is the handle of one database. It is safe for concurrent use.
type DB struct {
	cfg            Config
	driver         Driver
	log            *slog.Logger
	writes, reads  *sql.DB
	writer, reader *gorm.DB
}

// New chooses among drivers by the scheme of cfg.URL and makes a handle. It
// opens no connection: [DB.Start] does.
func New(cfg Config, log *slog.Logger, drivers ...Driver) (*DB, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	var known []string
	for _, driver := range drivers {
		if slices.Contains(driver.Schemes(), cfg.Scheme()) {
			return open(cfg, log.With(slog.String("module", "database")), driver)
		}
		known = append(known, driver.Schemes()...)
	}
	return nil, fmt.Errorf("DATABASE_URL has an unknown scheme; this program knows: %s", strings.Join(known, ", "))
}

func open(cfg Config, log *slog.Logger, driver Driver) (*DB, error) {
	writes, reads, err := driver.Open(cfg)
	if err != nil {
		return nil, err
	}
	db := &DB{cfg: cfg, driver: driver, log: log, writes: writes, reads: reads}
	if db.writer, err = db.handle(writes); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	db.reader = db.writer
	if reads != writes {
		if db.reader, err = db.handle(reads); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return db, nil
}

func (d *DB) handle(pool *sql.DB) (*gorm.DB, error) {
	handle, err := gorm.Open(d.driver.Dialector(pool), &gorm.Config{
		Logger:                 &echo{log: d.log, all: d.cfg.Echo, slow: d.cfg.Slow},
		NowFunc:                func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) },
		SkipDefaultTransaction: true, // units are opened by Do; a transaction a statement halves the speed of single inserts
		TranslateError:         true,
		QueryFields:            true, // a column added by a newer replica must not reach a SELECT * of an older one
		DisableAutomaticPing:   true,
		// PrepareStmt stays off. Its cache makes a unit wait for a statement that
		// somebody outside is preparing, who waits for the connection the unit
		// holds; and it hands one caller's cancellation to all who wait.
	})
	if err != nil {
		return nil, fmt.Errorf("database: open: %w", err)
	}
	// gorm translates every error but those of Rows and Scan.
	err = handle.Callback().Row().After("gorm:row").Register("database:translate", func(tx *gorm.DB) {
		tx.Error = d.Translate(tx.Error)
	})
	return handle, errors.Join(err, d.follow(handle))
}

// Start makes the place of the database ready and connects to it. For a database
// that cannot be reached yet it waits, as long as the configuration says.
func (d *DB) Start(ctx context.Context) error {
	if err := d.driver.Prepare(ctx, d.cfg); err != nil {
		return fmt.Errorf("DATABASE_URL: %w", err)
	}
	if err := d.await(ctx); err != nil {
		return err
	}
	d.log.InfoContext(ctx, "database opened", slog.String("dialect", d.Dialect()), slog.Any("url", d.cfg))
	return nil
}

const (
	firstPause = 100 * time.Millisecond
	longPause  = 2 * time.Second
)

// await tries to connect, at first quickly, until it succeeds or the time is up.
func (d *DB) await(ctx context.Context) error {
	until := time.Now().Add(d.cfg.Wait)
	pause := firstPause
	for {
		err := d.Translate(d.writes.PingContext(ctx))
		if err == nil || !errors.Is(err, ErrUnavailable) || time.Until(until) < pause {
			return err
		}
		if pause == firstPause {
			d.log.WarnContext(ctx, "database is away, waiting for it", slog.Any("url", d.cfg), slog.Duration("patience", d.cfg.Wait), slog.Any("error", errors.Unwrap(err)))
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
		pause = min(2*pause, longPause)
	}
}

// Close ends every connection. Statements after it answer [ErrUnavailable].
func (d *DB) Close() error {
	if d.reads == d.writes {
		return d.writes.Close()
	}
	return errors.Join(d.reads.Close(), d.writes.Close())
}

// Ping asks the database for a sign of life, or answers [ErrUnavailable].
func (d *DB) Ping(ctx context.Context) error {
	var one int
	return d.Translate(d.reads.QueryRowContext(ctx, "SELECT 1").Scan(&one))
}

// Session is where a store writes, and reads what it is about to write. It
// joins the unit of work in ctx, if there is one.
func (d *DB) Session(ctx context.Context) *gorm.DB {
	if u := d.unit(ctx); u != nil {
		return u.tx.WithContext(ctx)
	}
	return d.writer.WithContext(ctx)
}

// Reader is where a store only reads. It joins the unit of work in ctx, if
// there is one; otherwise it never waits for a writer.
func (d *DB) Reader(ctx context.Context) *gorm.DB {
	if u := d.unit(ctx); u != nil {
		return u.tx.WithContext(ctx)
	}
	return d.reader.WithContext(ctx)
}

// Dialect names the engine: "postgres" or "sqlite".
func (d *DB) Dialect() string { return d.driver.Dialect() }

// JSON says how the engine looks into JSON and texts.
func (d *DB) JSON() JSON { return d.driver }

// SQLDB is the pool that writes, for migrations and tests.
func (d *DB) SQLDB() *sql.DB { return d.writes }

// Translate turns an error of the engine into one that callers know. Stores
// need it only for rows they scan themselves; gorm's errors are translated.
func (d *DB) Translate(err error) error {
	if err == nil || errors.Is(err, ErrUnavailable) {
		return err
	}
	return d.driver.Translate(err)
}

// Backup copies the database into a new file; see [Driver].
func (d *DB) Backup(ctx context.Context, file string) error {
	return d.driver.Backup(ctx, d.cfg, d.writes, file)
}

// Restore puts a backup in the place of the database of this handle, which must not
// have been started; see [Driver].
func (d *DB) Restore(ctx context.Context, file string, replace bool) error {
	return d.driver.Restore(ctx, d.cfg, file, replace)
}

// Lock waits until nobody else, in any process, holds the lock of this name in
// this database. The caller must release it.
func (d *DB) Lock(ctx context.Context, name string) (release func(), err error) {
	release, err = d.driver.Lock(ctx, d.cfg, name)
	return release, d.Translate(err)
}

// Tables lists the names of all tables in order.
func (d *DB) Tables(ctx context.Context) ([]string, error) { return d.names(ctx, d.driver.Tables()) }

// Indexes lists the names of all usable indexes in order.
func (d *DB) Indexes(ctx context.Context) ([]string, error) { return d.names(ctx, d.driver.Indexes()) }

func (d *DB) names(ctx context.Context, statement string) ([]string, error) {
	var names []string
	if err := d.Reader(ctx).Raw(statement).Scan(&names).Error; err != nil {
		return nil, err
	}
	slices.Sort(names)
	return names, nil
}
