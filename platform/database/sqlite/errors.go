package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/badge-engine/badge-engine/platform/database"
	"gorm.io/gorm"
	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// Translate implements [database.Driver].
func (Driver) Translate(err error) error {
	if err == nil || errors.Is(err, database.ErrUnavailable) || errors.Is(err, context.Canceled) {
		return err
	}
	var said *sqlite.Error
	if errors.As(err, &said) {
		if known := results[said.Code()]; known != nil {
			if errors.Is(err, known) {
				return err
			}
			return fmt.Errorf("%w: %w", known, err)
		}
		if tryAgain(said.Code()) {
			return database.ErrUnavailable.With(err)
		}
		return err
	}
	if database.Lost(err) {
		return database.ErrUnavailable.With(err)
	}
	return err
}

// results are the extended result codes that stores act on.
var results = map[int]error{
	codes.SQLITE_CONSTRAINT_PRIMARYKEY: gorm.ErrDuplicatedKey,
	codes.SQLITE_CONSTRAINT_UNIQUE:     gorm.ErrDuplicatedKey,
	codes.SQLITE_CONSTRAINT_ROWID:      gorm.ErrDuplicatedKey,
	codes.SQLITE_CONSTRAINT_FOREIGNKEY: gorm.ErrForeignKeyViolated,
	codes.SQLITE_CONSTRAINT_CHECK:      gorm.ErrCheckConstraintViolated,
}

// tryAgain reports whether somebody else has the file, or the disk fails us.
func tryAgain(code int) bool {
	switch code & 0xff {
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED, codes.SQLITE_IOERR, codes.SQLITE_CANTOPEN,
		codes.SQLITE_FULL, codes.SQLITE_READONLY, codes.SQLITE_NOMEM, codes.SQLITE_PROTOCOL:
		return true
	}
	return false
}

func busy(err error) bool {
	var said *sqlite.Error
	return errors.As(err, &said) && said.Code()&0xff == codes.SQLITE_BUSY
}
