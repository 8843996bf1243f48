package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/badge-engine/badge-engine/platform/database"
	"gorm.io/gorm"
	"modernc.org/sqlite"
)

// Driver opens sqlite:PATH addresses.
type Driver struct{}

var _ database.Driver = Driver{}

const (
	// common is what every connection needs: times as UTC text that sorts, and
	// foreign keys, which SQLite leaves unchecked unless asked.
	// The file is made by Prepare alone, so that looking makes none.
	common = "mode=rw&_time_format=sqlite&_timezone=UTC&_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)"
	// writing begins each transaction with the lock it will need, so that none
	// fails half way because another was faster.
	writing = common + "&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"
	reading = common + "&_pragma=query_only(1)"
	// locking waits only shortly in SQLite, which does not heed a context.
	locking = "_pragma=busy_timeout(100)&_txlock=exclusive"
)

// Dialect implements [database.Driver].
func (Driver) Dialect() string { return "sqlite" }

// Schemes implements [database.Driver].
func (Driver) Schemes() []string { return []string{"sqlite"} }

// Open implements [database.Driver].
func (Driver) Open(cfg database.Config) (writer, reader *sql.DB, err error) {
	file, err := path(cfg)
	if err != nil {
		return nil, nil, err
	}
	if writer, err = pool(file, writing, 1); err != nil {
		return nil, nil, err
	}
	if reader, err = pool(file, reading, cfg.PoolSize); err != nil {
		return nil, nil, errors.Join(err, writer.Close())
	}
	return writer, reader, nil
}

// path reads sqlite:PATH, and sqlite://PATH, as the absolute path of a file.
func path(cfg database.Config) (string, error) {
	_, name, _ := strings.Cut(cfg.URL, ":")
	name = strings.TrimPrefix(name, "//")
	if name == "" || strings.Contains(name, ":memory:") || strings.HasSuffix(name, "/") {
		return "", errors.New("DATABASE_URL names no SQLite file; give one such as sqlite:./data/badge-engine.db")
	}
	absolute, err := filepath.Abs(filepath.FromSlash(name))
	if err != nil {
		return "", fmt.Errorf("DATABASE_URL: %w", err)
	}
	return absolute, nil
}

func pool(file, parameters string, size int) (*sql.DB, error) {
	connector, err := sqlite.NewConnector(dsn(file, parameters))
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	return pool, nil
}

func dsn(file, parameters string) string {
	slashed := filepath.ToSlash(file)
	if !strings.HasPrefix(slashed, "/") { // C:/…
		slashed = "/" + slashed
	}
	return "file://" + (&url.URL{Path: slashed}).EscapedPath() + "?" + parameters
}

// Prepare implements [database.Driver]: it creates the folder and the file, for
// the owner alone. SQLite gives the files beside it the same rights.
func (Driver) Prepare(_ context.Context, cfg database.Config) error {
	file, err := path(cfg)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	created, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return created.Close()
}

// Dialector implements [database.Driver].
func (d Driver) Dialector(pool *sql.DB) gorm.Dialector { return dialector{pool: pool, driver: d} }

// Insert implements [database.Driver]: one statement, prepared once, is run for each row.
// A statement of many rows would have to be parsed for each number of them, and keeps what
// the pages were before it, should it fail half way.
func (Driver) Insert(ctx context.Context, conn *sql.Conn, several []database.Rows) error {
	for _, rows := range several {
		statement, err := conn.PrepareContext(ctx, rows.Statement(func(b *strings.Builder, _ int) { b.WriteByte('?') }))
		if err != nil {
			return err
		}
		for _, values := range rows.Values {
			if err = ctx.Err(); err == nil {
				// A row takes no time; to watch the context meanwhile would take a goroutine.
				_, err = statement.ExecContext(context.WithoutCancel(ctx), values...)
			}
			if err != nil {
				break
			}
		}
		if err = errors.Join(err, statement.Close()); err != nil {
			return err
		}
	}
	return nil
}

// Tables implements [database.Driver].
func (Driver) Tables() string {
	return "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
}

// Indexes implements [database.Driver].
func (Driver) Indexes() string {
	return "SELECT name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
}

// Lock implements [database.Driver]. The lock is an exclusive transaction on an
// empty database beside the file, so that the file itself stays usable. The
// operating system frees it if the process dies.
func (d Driver) Lock(ctx context.Context, cfg database.Config, name string) (release func(), err error) {
	file, err := path(cfg)
	if err != nil {
		return nil, err
	}
	connections, err := pool(file+"."+name+".lock", locking, 1)
	if err != nil {
		return nil, err
	}
	for {
		// The transaction outlives the wait for it, hence not ctx itself.
		tx, err := connections.BeginTx(context.WithoutCancel(ctx), nil)
		if err == nil {
			return func() {
				_ = tx.Rollback()
				_ = connections.Close()
			}, nil
		}
		if ctx.Err() != nil {
			err = ctx.Err()
		} else if busy(err) {
			continue
		}
		_ = connections.Close()
		return nil, fmt.Errorf("sqlite: lock %s: %w", name, err)
	}
}
