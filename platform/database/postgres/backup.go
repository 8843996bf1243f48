package postgres

import (
	"context"
	"database/sql"
	"errors"

	"github.com/badge-engine/badge-engine/platform/database"
)

// Backup implements [database.Driver]: PostgreSQL's own tools do that better.
func (Driver) Backup(context.Context, database.Config, *sql.DB, string) error {
	return errors.New("PostgreSQL has its own tool: pg_dump --format=custom --file=FILE \"$DATABASE_URL\"")
}

// Restore implements [database.Driver]: PostgreSQL's own tools do that better.
func (Driver) Restore(context.Context, database.Config, string, bool) error {
	return errors.New("PostgreSQL has its own tool, into an empty database: pg_restore --no-owner --exit-on-error --dbname=\"$DATABASE_URL\" FILE")
}
