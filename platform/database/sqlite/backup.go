package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/badge-engine/badge-engine/platform/database"
)

// Backup implements [database.Driver]. It may run while others write: what it
// copies is one moment.
func (Driver) Backup(ctx context.Context, _ database.Config, pool *sql.DB, file string) error {
	if _, err := os.Stat(file); err == nil {
		return fmt.Errorf("%s is there already, and is not overwritten", file)
	}
	if _, err := pool.ExecContext(ctx, "VACUUM INTO ?", file); err != nil {
		return fmt.Errorf("%s cannot be written: %w", file, err)
	}
	if err := os.Chmod(file, 0o600); err != nil {
		return err
	}
	if err := synced(file); err != nil {
		return err
	}
	return whole(ctx, file)
}

// Restore implements [database.Driver]. The file that was there before stays
// beside, under another name. A database that somebody has open is not replaced.
func (d Driver) Restore(ctx context.Context, cfg database.Config, file string, replace bool) error {
	target, err := path(cfg)
	if err != nil {
		return err
	}
	if err := whole(ctx, file); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return err
	}
	if _, err := os.Stat(target); err == nil {
		if !replace {
			return fmt.Errorf("%s is there already; say --replace to put the backup in its place, which keeps the old file beside it", target)
		}
		if err := alone(ctx, target); err != nil {
			return err
		}
	}
	draft := target + ".restoring"
	if err := copied(draft, file); err != nil {
		return err
	}
	if _, err := os.Stat(target); err == nil {
		if err := os.Rename(target, target+".before-"+time.Now().UTC().Format("20060102-150405")); err != nil {
			return err
		}
		for _, end := range []string{"-wal", "-shm"} { // empty now, and of the old file
			if err := os.Remove(target + end); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
	}
	return os.Rename(draft, target)
}

// whole answers whether a file is an SQLite database without a damaged page.
func whole(ctx context.Context, file string) error {
	if _, err := os.Stat(file); err != nil {
		return err
	}
	absolute, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	connections, err := pool(absolute, "mode=ro&_pragma=query_only(1)", 1)
	if err != nil {
		return err
	}
	defer connections.Close()
	var result string
	if err := connections.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&result); err != nil || result != "ok" {
		return fmt.Errorf("%s is no whole SQLite database: %s%w", file, result, errors.Join(err))
	}
	return nil
}

// alone answers whether nobody else has the file open: only then does SQLite leave
// the write-ahead mode, which puts what stands in the log into the file.
func alone(ctx context.Context, file string) error {
	connections, err := pool(file, "mode=rw&_pragma=busy_timeout(1000)", 1)
	if err != nil {
		return err
	}
	defer connections.Close()
	var mode string
	err = connections.QueryRowContext(ctx, "PRAGMA journal_mode = DELETE").Scan(&mode)
	if busy(err) || err == nil && mode != "delete" {
		return fmt.Errorf("%s is in use: stop the server first", file)
	}
	return nil // a damaged file is what restoring is for
}

func copied(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

func synced(file string) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
