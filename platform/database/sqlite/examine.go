package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/diagnosis"
)

// Explain implements [database.Driver].
func (Driver) Explain(cfg database.Config, err error) (found, remedy string) {
	file, bad := path(cfg)
	if bad != nil {
		return bad.Error(), "Correct DATABASE_URL."
	}
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		return file + " is a folder.", "Name a file in DATABASE_URL, such as sqlite:" + filepath.Join(file, "badge-engine.db") + "."
	} else if errors.Is(err, os.ErrNotExist) {
		return file + " does not exist.", "Start the server, which makes it, or correct the path in DATABASE_URL."
	} else if errors.Is(err, os.ErrPermission) {
		return file + " may not be read.", "Give this program's user the right: chown and chmod 600 " + file + ", chmod 700 its folder."
	}
	var said *sqlite.Error
	if errors.As(err, &said) {
		switch said.Code() & 0xff {
		case codes.SQLITE_CANTOPEN, codes.SQLITE_READONLY, codes.SQLITE_PERM:
			return file + " cannot be opened for writing.", "Give this program's user the right: chown and chmod 600 " + file + ", chmod 700 its folder."
		case codes.SQLITE_NOTADB, codes.SQLITE_CORRUPT:
			return file + " is no SQLite database, or a damaged one.", "Move it away and bring back the last backup: badge-engine restore FILE."
		case codes.SQLITE_BUSY, codes.SQLITE_LOCKED:
			return file + " is locked by another program.", "End that program: fuser " + file + " names it. Two servers must not share an SQLite file over a network."
		case codes.SQLITE_FULL, codes.SQLITE_IOERR:
			return file + " cannot be written: the disk is full or fails.", "Make room on its disk, and look at dmesg."
		}
	}
	return file + " cannot be opened.", "Look at its rights and its disk."
}

// Examine implements [database.Driver].
func (Driver) Examine(ctx context.Context, _ database.Config, pool *sql.DB, n *diagnosis.Notes) {
	var version string
	if err := pool.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err == nil {
		n.OK("database.version", "the engine in this program", "SQLite %s.", version)
	}
	const looked = "every page of the file (PRAGMA quick_check)"
	var result string
	switch err := pool.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&result); {
	case ctx.Err() != nil:
		n.Skip("database.integrity", looked, "It took too long.")
	case err != nil || result != "ok":
		n.Fail("database.integrity", looked, fmt.Sprintf("The file is damaged: %s%v.", result, err), "Stop the server, keep a copy of the file, and bring back the last backup: badge-engine restore FILE.")
	default:
		n.OK("database.integrity", looked, "It is whole.")
	}
}
