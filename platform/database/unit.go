package database

import (
	"cmp"
	"context"
	"database/sql"
	"errors"

	"gorm.io/gorm"
)

// unit is one transaction and whether somebody in it has given up.
type unit struct {
	tx     *gorm.DB
	failed error
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
	tx := d.writer.WithContext(ctx).Begin()
	if tx.Error != nil {
		return tx.Error
	}
	u, committed := &unit{tx: tx}, false
	defer func() {
		if !committed { // fn failed or panics
			tx.Rollback()
		}
	}()
	if err := fn(context.WithValue(ctx, unitKey{d}, u)); err != nil {
		return err
	}
	if u.failed != nil {
		return u.failed
	}
	committed = true
	err := tx.Commit().Error
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil { // database/sql was faster to roll back than we to commit
		return d.Translate(ctx.Err())
	}
	return err
}
