package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"time"

	"github.com/badge-engine/badge-engine/platform/fault"
)

// ErrUnavailable says that the database cannot be reached, is busy, or asks to
// try again. Nothing of the unit in which it came was stored, unless it came
// from the commit itself: then nobody knows, and the caller must look.
var ErrUnavailable = fault.New(fault.Unavailable, "database.unavailable",
	"The database cannot be reached at the moment.").RetryAfter(5 * time.Second)

// Lost reports whether err, on any engine, means that the connection is gone or
// the time is up. Drivers add what only their engine says.
func Lost(err error) bool {
	var network net.Error
	return errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) ||
		errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &network) ||
		// database/sql keeps this error to itself, so its text is all there is.
		err != nil && err.Error() == "sql: database is closed"
}
