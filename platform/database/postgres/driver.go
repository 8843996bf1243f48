package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// Driver opens postgres://… and postgresql://… addresses.
type Driver struct{}

var _ database.Driver = Driver{}

const (
	connectTimeout = 5 * time.Second
	maxIdleTime    = 5 * time.Minute
	maxLifetime    = 30 * time.Minute // so that connections find their way to new nodes
)

// Dialect implements [database.Driver].
func (Driver) Dialect() string { return "postgres" }

// Schemes implements [database.Driver].
func (Driver) Schemes() []string { return []string{"postgres", "postgresql"} }

// Open implements [database.Driver]. One pool both writes and reads.
func (Driver) Open(cfg database.Config) (writer, reader *sql.DB, err error) {
	config, err := parse(cfg)
	if err != nil {
		return nil, nil, err
	}
	pool := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(timesInUTC))
	pool.SetMaxOpenConns(cfg.PoolSize + cfg.MaxOverflow)
	pool.SetMaxIdleConns(cfg.PoolSize)
	pool.SetConnMaxIdleTime(maxIdleTime)
	pool.SetConnMaxLifetime(maxLifetime)
	return pool, pool, nil
}

func parse(cfg database.Config) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(cfg.URL)
	if err != nil { // the error repeats the address, and with it perhaps the password
		return nil, errors.New("DATABASE_URL is not a PostgreSQL address; give one such as postgres://badge_user:password@localhost:5432/badge_engine")
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "badge-engine"
	}
	config.RuntimeParams["timezone"] = "UTC"
	return config, nil
}

// timesInUTC makes timestamptz come out in UTC instead of the zone of this machine.
func timesInUTC(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	return nil
}

// Prepare implements [database.Driver]. The database itself must exist.
func (Driver) Prepare(context.Context, database.Config) error { return nil }

// Dialector implements [database.Driver].
func (d Driver) Dialector(pool *sql.DB) gorm.Dialector {
	return dialector{Dialector: gormpostgres.New(gormpostgres.Config{Conn: pool}), driver: d}
}

// dialector is gorm's own with our translation of errors, and statements shown
// as they are.
type dialector struct {
	gorm.Dialector
	driver Driver
}

var (
	_ gorm.ErrorTranslator               = dialector{}
	_ gorm.SavePointerDialectorInterface = dialector{}
)

// Translate implements [gorm.ErrorTranslator].
func (d dialector) Translate(err error) error { return d.driver.Translate(err) }

// Explain implements [gorm.Dialector]: it shows the statement without values.
func (dialector) Explain(sql string, _ ...any) string { return sql }

// SavePoint implements [gorm.SavePointerDialectorInterface].
func (dialector) SavePoint(tx *gorm.DB, name string) error {
	return tx.Exec("SAVEPOINT " + name).Error
}

// RollbackTo implements [gorm.SavePointerDialectorInterface].
func (dialector) RollbackTo(tx *gorm.DB, name string) error {
	return tx.Exec("ROLLBACK TO SAVEPOINT " + name).Error
}

// Insert implements [database.Driver]: one statement, prepared once for a connection, is
// run for each row, and all of them are one message. A statement with the values of all
// rows takes the server as long, another plan for each number of rows, and the program
// twice the time. Very many rows go by COPY.
func (Driver) Insert(ctx context.Context, conn *sql.Conn, several []database.Rows) error {
	var said error
	err := conn.Raw(func(raw any) error {
		c, ok := raw.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("postgres: a connection is a %T", raw)
		}
		batch := &pgx.Batch{}
		send := func() {
			if said == nil && batch.Len() > 0 {
				said, batch = c.Conn().SendBatch(ctx, batch).Close(), &pgx.Batch{}
			}
		}
		for _, rows := range several {
			if len(rows.Values) >= fewest {
				if send(); said == nil {
					said = copyRows(ctx, c.Conn(), rows)
				}
				continue
			}
			statement := rows.Statement(func(b *strings.Builder, n int) { b.WriteString("$" + strconv.Itoa(n)) })
			for _, values := range rows.Values {
				batch.Queue(statement, values...)
			}
		}
		send()
		return nil
	})
	return errors.Join(err, said)
}

// Tables implements [database.Driver].
func (Driver) Tables() string {
	return "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema()"
}

// Indexes implements [database.Driver].
func (Driver) Indexes() string {
	return "SELECT c.relname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace WHERE s.nspname = current_schema() AND i.indisvalid"
}

// Lock implements [database.Driver]. It locks a row, not an advisory number:
// engines that speak this dialect know the one, but not always the other, and a
// pooler between us and the server keeps a transaction together, not a session.
func (d Driver) Lock(ctx context.Context, cfg database.Config, name string) (release func(), err error) {
	config, err := parse(cfg)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("postgres: lock %s: %w", name, err)
	}
	release = func() { // closing the connection ends its transaction
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
		defer cancel()
		_ = conn.Close(ctx)
	}
	if err := lock(ctx, conn, name); err != nil {
		release()
		return nil, fmt.Errorf("postgres: lock %s: %w", name, err)
	}
	return release, nil
}

// lockTries is how often creating the table of locks may collide with somebody
// else who is creating it; IF NOT EXISTS does not prevent that.
const lockTries = 20

func lock(ctx context.Context, conn *pgx.Conn, name string) (err error) {
	for range lockTries {
		if _, err = conn.Exec(ctx, "CREATE TABLE IF NOT EXISTS platform_locks (name text PRIMARY KEY)"); err == nil {
			break
		}
		if !collision(err) {
			return err
		}
	}
	if err != nil {
		return err
	}
	if _, err = conn.Exec(ctx, "INSERT INTO platform_locks (name) VALUES ($1) ON CONFLICT DO NOTHING", name); err != nil {
		return err
	}
	// The transaction idles while its holder works elsewhere.
	if _, err = conn.Exec(ctx, "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "SELECT name FROM platform_locks WHERE name = $1 FOR UPDATE", name)
	return err
}
