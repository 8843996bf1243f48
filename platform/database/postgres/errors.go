package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
)

// Translate implements [database.Driver].
func (Driver) Translate(err error) error {
	if err == nil || errors.Is(err, database.ErrUnavailable) || errors.Is(err, context.Canceled) {
		return err
	}
	var said *pgconn.PgError
	if errors.As(err, &said) {
		if known := states[said.Code]; known != nil && !errors.Is(err, known) {
			return fmt.Errorf("%w: %w", known, &Error{cause: said})
		}
		// Whatever a server says to somebody who connects: it is not there for us now.
		var refused *pgconn.ConnectError
		if tryAgain(said.Code) || errors.As(err, &refused) {
			return database.ErrUnavailable.With(&Error{cause: said})
		}
		var safe *Error
		if errors.As(err, &safe) || errors.Is(err, states[said.Code]) {
			return err
		}
		return &Error{cause: said}
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) || database.Lost(err) || pgconn.SafeToRetry(err) || pgconn.Timeout(err) || errors.Is(err, pgconn.ErrConnClosed) {
		return database.ErrUnavailable.With(err)
	}
	if strings.Contains(err.Error(), "failed to encode args") {
		// pgx repeats the value, and has no type for this error.
		return errors.New("postgres: a value does not fit the type of its column")
	}
	return err
}

// states are the SQLSTATE codes that stores act on.
var states = map[string]error{
	"23505": gorm.ErrDuplicatedKey,
	"23503": gorm.ErrForeignKeyViolated,
	"23001": gorm.ErrForeignKeyViolated, // restrict_violation
	"23514": gorm.ErrCheckConstraintViolated,
}

// tryAgain reports whether a state will pass by itself.
// PostgreSQL 16, Appendix A (PostgreSQL Error Codes).
func tryAgain(code string) bool {
	switch code[:min(2, len(code))] {
	case "08", // connection exception
		"40", // transaction rollback: serialization failure, deadlock
		"53", // insufficient resources: too many connections, disk full, out of memory
		"58", // system error, such as an I/O error
		"28", // invalid authorization: the password was changed under us
		"3D": // the database is gone
		return true
	}
	switch code {
	case "57P01", "57P02", "57P03", "57P05", // shut down, crashed, starting up, idle for too long
		"57014", // a time limit of the server, since ours ends the context
		"25006", // read-only: the server became a standby
		"55P03", // lock not available
		"0A000": // the plan of a prepared statement no longer fits the schema
		return true
	}
	return false
}

// collision reports whether two sessions created the same thing at once.
func collision(err error) bool {
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return false
	}
	switch said.Code {
	case "23505", "42P07", "42710", "40001", "XX000":
		return true
	}
	return false
}

// Error is what the server said, without the values it may have repeated.
type Error struct{ cause *pgconn.PgError }

// Error implements error.
func (e *Error) Error() string {
	text := "postgres: " + e.cause.Message
	if strings.HasPrefix(e.cause.Code, "22") { // data exception: the message quotes the value
		text = "postgres: a value is not of the right form"
	}
	if e.cause.ConstraintName != "" && !strings.Contains(text, e.cause.ConstraintName) {
		text += " (constraint " + e.cause.ConstraintName + ")"
	}
	return text + " (SQLSTATE " + e.cause.Code + ")"
}

// Unwrap gives the server's own error, whose details may contain values.
func (e *Error) Unwrap() error { return e.cause }
