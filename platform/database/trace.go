package database

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"gorm.io/gorm"

	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/tracing"
)

// followed is where a statement keeps its span meanwhile.
const followed = "database:span"

// follow has every statement of a handle open a span of its own, where the context it
// is made with belongs to a trace.
func (d *DB) follow(handle *gorm.DB) error {
	before := func(tx *gorm.DB) {
		if _, span := d.statement(tx.Statement.Context, "SQL"); span.On() {
			tx.InstanceSet(followed, span)
		}
	}
	after := func(tx *gorm.DB) {
		value, _ := tx.InstanceGet(followed)
		span, ok := value.(tracing.Span)
		if !ok {
			return
		}
		// As it was prepared: with the places of its values, never with them.
		sql := tx.Statement.SQL.String()
		operation, _, _ := strings.Cut(strings.TrimSpace(sql), " ")
		operation = strings.ToUpper(operation)
		span.Name(strings.TrimSpace(operation + " " + tx.Statement.Table))
		span.Set(slog.String("db.query.text", sql), slog.String("db.operation.name", operation))
		if tx.Statement.Table != "" {
			span.Set(slog.String("db.collection.name", tx.Statement.Table))
		}
		if tx.Error != nil && !errors.Is(tx.Error, gorm.ErrRecordNotFound) {
			span.Fail(kind(tx.Error))
		}
		span.End()
	}
	c := handle.Callback()
	return errors.Join(
		c.Create().Before("gorm:create").Register(followed+":before", before), c.Create().After("gorm:create").Register(followed+":after", after),
		c.Query().Before("gorm:query").Register(followed+":before", before), c.Query().After("gorm:query").Register(followed+":after", after),
		c.Update().Before("gorm:update").Register(followed+":before", before), c.Update().After("gorm:update").Register(followed+":after", after),
		c.Delete().Before("gorm:delete").Register(followed+":before", before), c.Delete().After("gorm:delete").Register(followed+":after", after),
		c.Row().Before("gorm:row").Register(followed+":before", before), c.Row().After("gorm:row").Register(followed+":after", after),
		c.Raw().Before("gorm:raw").Register(followed+":before", before), c.Raw().After("gorm:raw").Register(followed+":after", after),
	)
}

// statement opens the span of one question to the database.
//
// OpenTelemetry semantic conventions, database client spans.
func (d *DB) statement(ctx context.Context, name string) (context.Context, tracing.Span) {
	ctx, span := tracing.Client(ctx, name)
	if span.On() {
		system := d.Dialect()
		if system == "postgres" {
			system = "postgresql"
		}
		span.Set(slog.String("db.system.name", system))
	}
	return ctx, span
}

// kind is a word for an error: its code where it has one. Texts of engines quote values.
func kind(err error) string {
	if f, ok := fault.From(err); ok {
		return f.Code()
	}
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, gorm.ErrDuplicatedKey):
		return "duplicate"
	}
	return "statement"
}
