package database

import (
	"context"
	"log/slog"
	"strings"
	"time"
)

// Rows are rows of one table on their way in.
type Rows struct {
	Table   string
	Columns []string
	Values  [][]any // of each row one for each column: what database/sql takes, or a pointer to it that may be nil
}

// Statement inserts one row; placeholder writes that of the n-th value, from 1.
func (r Rows) Statement(placeholder func(b *strings.Builder, n int)) string {
	var b strings.Builder
	b.WriteString(`INSERT INTO "` + r.Table + `" ("` + strings.Join(r.Columns, `", "`) + `") VALUES (`)
	for i := range r.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		placeholder(&b, i+1)
	}
	b.WriteString(")")
	return b.String()
}

// Insert stores rows, one table after the other, in the unit of work in ctx or in one of
// their own. It is for many rows at a time, or few very often: it does without gorm, the
// statement for one row is prepared and used for all, and an engine that is asked over a
// network is sent all of them at once.
//
// Names of tables and columns are those of the program; they are quoted and not escaped.
func (d *DB) Insert(ctx context.Context, several ...Rows) error {
	return d.Do(ctx, func(ctx context.Context) error {
		begin := time.Now()
		_, span := d.statement(ctx, "INSERT")
		defer span.End()
		err := d.Translate(d.driver.Insert(ctx, d.unit(ctx).conn, several))
		if span.On() {
			sql, n := told(several)
			span.Name(sql)
			span.Set(slog.String("db.query.text", sql), slog.String("db.operation.name", "INSERT"), slog.Int64("db.operation.batch.size", n))
			if err != nil {
				span.Fail(kind(err))
			}
		}
		d.writer.Logger.Trace(ctx, begin, func() (string, int64) { return told(several) }, err)
		return err
	})
}

// told are rows as logs and traces may show them, and how many they are.
func told(several []Rows) (sql string, n int64) {
	var tables []string
	for _, rows := range several {
		tables, n = append(tables, "INSERT INTO "+rows.Table), n+int64(len(rows.Values))
	}
	return strings.Join(tables, "; "), n
}
