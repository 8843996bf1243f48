package database

import (
	"context"
	"database/sql"

	"gorm.io/gorm"

	"github.com/badge-engine/badge-engine/platform/diagnosis"
)

// Driver is a storage plug-in: everything that one engine does differently.
// It is a value without state; what it opens belongs to the caller.
type Driver interface {
	// Dialect names the engine. Migrations for it stand in a folder of this name.
	Dialect() string

	// Schemes are the schemes of DATABASE_URL that choose this driver.
	Schemes() []string

	// Open reads cfg and returns the pool that writes and the pool that reads;
	// they may be the same one. It must not dial or touch the disk. An error
	// names DATABASE_URL and must not repeat its value.
	Open(cfg Config) (writer, reader *sql.DB, err error)

	// Prepare makes ready what must be there before the first connection, such
	// as the folder of a file.
	Prepare(ctx context.Context, cfg Config) error

	// Dialector lets gorm speak to pool. It must translate errors as Translate does.
	Dialector(pool *sql.DB) gorm.Dialector

	// Translate turns an error of the engine into one a store knows: see the
	// package documentation. It leaves alone what it does not know, and what it
	// has translated already. The text of what it returns never contains values.
	Translate(err error) error

	// Insert stores rows by the shortest way that the engine has, in the transaction
	// of conn. It ends with the first that cannot be stored.
	Insert(ctx context.Context, conn *sql.Conn, several []Rows) error

	// Lock waits until nobody else, in any process, holds the lock of this name
	// in this database, or until ctx ends. It must not use the pools: whoever
	// holds the lock needs them. The lock goes with its holder's process.
	Lock(ctx context.Context, cfg Config, name string) (release func(), err error)

	// Tables is a statement that lists the names of all tables, one a row.
	Tables() string

	// Indexes is a statement that lists the names of all usable indexes, one a row.
	Indexes() string

	// Backup copies the database, as it is at one moment, into a new file and checks
	// the copy; an engine with tools of its own answers which to use instead.
	Backup(ctx context.Context, cfg Config, pool *sql.DB, file string) error

	// Restore puts a backup in the place of the database, which nobody may have
	// open; what is there already is replaced only when replace says so.
	Restore(ctx context.Context, cfg Config, file string, replace bool) error

	// Explain says in plain words why there is no connection, and the remedy; it
	// must not repeat values or the password.
	Explain(cfg Config, err error) (found, remedy string)

	// Examine notes what only this engine knows: its version, its settings, its
	// slowest statements. There is a connection.
	Examine(ctx context.Context, cfg Config, pool *sql.DB, n *diagnosis.Notes)

	JSON
}

// JSON is how an engine looks into a column of JSON (jsonb on PostgreSQL, text on
// SQLite) and into texts. Each answers a piece of SQL and the values of its
// placeholders, in order. Columns and aliases are names of the program; the steps
// of a path, which are bound and not written, may be anything that holds no quotation
// mark. A step is the name of a member or the number of an element.
type JSON interface {
	// JSONText is the text of what is at a path, compared byte by byte; NULL where
	// nothing is there. Of anything but a string it is some text.
	JSONText(column string, path ...string) (sql string, values []any)

	// JSONEach stands in FROM for the elements of the array at a path, each in the
	// column "value" of alias; for none where there is no array.
	JSONEach(column, alias string, path ...string) (sql string, values []any)

	// Contains is a condition with one placeholder: that the text contains the one
	// bound to it, byte by byte.
	Contains(text string) (sql string)
}
