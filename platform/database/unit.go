package database

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"gorm.io/gorm"

	"github.com/badge-engine/badge-engine/platform/tracing"
)

// unit is one transaction, whether somebody in it has given up, and what is to follow.
type unit struct {
	conn   *sql.Conn // of the transaction, for what gorm cannot say
	tx     *gorm.DB
	failed error
	after  []func() // it has ended
	stored []func() // and was stored
}

var errPanicked = errors.New("database: a part of the unit of work panicked")

// unitKey is the place of a database's unit in a context; two databases have two places.
type unitKey struct{ db *DB }

func (d *DB) unit(ctx context.Context) *unit {
	u, _ := ctx.Value(unitKey{d}).(*unit)
	return u
}

// Do runs fn as one unit of work: all that is written with the context given to
// fn is stored together when fn returns nil, and nothing of it otherwise, not
// even when fn panics. A Do inside another joins it, and if the inner one fails
// the outer one cannot succeed any more.
//
// Do itself answers [ErrUnavailable] when the unit cannot begin or end; errors
// of fn come back as they are. It does not try again.
//
// Inside fn: no signing, no network, no cache write, no goroutine.
func (d *DB) Do(ctx context.Context, fn func(ctx context.Context) error) error {
	if outer := d.unit(ctx); outer != nil {
		before := outer.failed
		outer.failed = errPanicked // should fn not return
		err := fn(ctx)
		outer.failed = cmp.Or(before, err)
		return err
	}
	ctx, step := tracing.Step(ctx, "unit of work")
	defer step.End()
	u, err := d.begin(ctx)
	if err != nil {
		step.Fail(kind(err))
		return err
	}
	committed, stored := false, false
	defer func() {
		if !committed { // fn failed or panics
			u.tx.Rollback()
			step.Fail("rolled_back")
		}
		_ = u.conn.Close() // it goes back
		for _, fn := range u.after {
			fn()
		}
		if stored {
			for _, fn := range u.stored {
				fn()
			}
		}
	}()
	if err := fn(context.WithValue(ctx, unitKey{d}, u)); err != nil {
		return err
	}
	if u.failed != nil {
		return u.failed
	}
	committed = true
	_, commit := d.statement(ctx, "COMMIT")
	defer commit.End()
	err = u.tx.Commit().Error
	stored = err == nil
	if err != nil {
		commit.Fail(kind(err))
		step.Fail(kind(err))
	}
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil { // database/sql was faster to roll back than we to commit
		return d.Translate(ctx.Err())
	}
	return err
}

// begin begins a transaction on a connection that is its own. As database/sql does, it
// takes another one where that proves to be gone.
func (d *DB) begin(ctx context.Context) (*unit, error) {
	for tries := 2; ; tries-- {
		conn, err := d.writes.Conn(ctx)
		if err != nil {
			return nil, d.Translate(err)
		}
		session := d.writer.WithContext(ctx)
		session.Statement.ConnPool = conn
		tx := session.Begin()
		if tx.Error == nil {
			return &unit{conn: conn, tx: tx}, nil
		}
		_ = conn.Close()
		if tries == 0 || !errors.Is(tx.Error, driver.ErrBadConn) {
			return nil, tx.Error
		}
	}
}

// Stored runs fn once the unit in ctx is stored, before its Do answers, and never if it is
// not: for what says that something was done. It runs fn at once where there is no unit.
func (d *DB) Stored(ctx context.Context, fn func()) {
	if u := d.unit(ctx); u != nil {
		u.stored = append(u.stored, fn)
		return
	}
	fn()
}

// Afterwards runs fn once the unit in ctx has ended, before its Do answers, whether it
// was stored or not: for what depends on what is stored, and must not be done before.
// It runs fn at once where there is no unit.
func (d *DB) Afterwards(ctx context.Context, fn func()) {
	if u := d.unit(ctx); u != nil {
		u.after = append(u.after, fn)
		return
	}
	fn()
}
