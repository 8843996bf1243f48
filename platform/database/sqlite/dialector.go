package sqlite

import (
	"database/sql"
	"strconv"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/callbacks"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/migrator"
	"gorm.io/gorm/schema"
)

// dialector lets gorm speak SQLite. gorm's own would do, but it brings the cgo
// driver along, which takes a minute to compile and a C compiler to begin with.
type dialector struct {
	pool   *sql.DB
	driver Driver
}

var (
	_ gorm.Dialector                     = dialector{}
	_ gorm.ErrorTranslator               = dialector{}
	_ gorm.SavePointerDialectorInterface = dialector{}
)

// Name implements [gorm.Dialector].
func (dialector) Name() string { return "sqlite" }

// Initialize implements [gorm.Dialector].
func (d dialector) Initialize(db *gorm.DB) error {
	db.ConnPool = d.pool
	callbacks.RegisterDefaultCallbacks(db, &callbacks.Config{
		CreateClauses:        []string{"INSERT", "VALUES", "ON CONFLICT", "RETURNING"},
		UpdateClauses:        []string{"UPDATE", "SET", "FROM", "WHERE", "RETURNING"},
		DeleteClauses:        []string{"DELETE", "FROM", "WHERE", "RETURNING"},
		LastInsertIDReversed: true,
	})
	db.ClauseBuilders["FOR"] = skipLocking
	db.ClauseBuilders["LIMIT"] = limit
	return nil
}

// skipLocking leaves FOR UPDATE out: SQLite knows no row locks and needs none,
// since one unit writes at a time.
func skipLocking(c clause.Clause, builder clause.Builder) {
	if _, locking := c.Expression.(clause.Locking); !locking {
		c.Build(builder)
	}
}

// limit writes LIMIT -1 where only an offset is given, which SQLite insists on.
func limit(c clause.Clause, builder clause.Builder) {
	l, ok := c.Expression.(clause.Limit)
	if !ok {
		return
	}
	rows := -1
	if l.Limit != nil && *l.Limit >= 0 {
		rows = *l.Limit
	}
	if rows >= 0 || l.Offset > 0 {
		_, _ = builder.WriteString("LIMIT " + strconv.Itoa(rows))
	}
	if l.Offset > 0 {
		_, _ = builder.WriteString(" OFFSET " + strconv.Itoa(l.Offset))
	}
}

// BindVarTo implements [gorm.Dialector].
func (dialector) BindVarTo(writer clause.Writer, _ *gorm.Statement, _ any) { _ = writer.WriteByte('?') }

// QuoteTo implements [gorm.Dialector].
func (dialector) QuoteTo(writer clause.Writer, name string) {
	for i, part := range strings.Split(name, ".") {
		if i > 0 {
			_ = writer.WriteByte('.')
		}
		if part != "*" {
			part = `"` + strings.ReplaceAll(strings.Trim(part, "\"`"), `"`, `""`) + `"`
		}
		_, _ = writer.WriteString(part)
	}
}

// Explain implements [gorm.Dialector]: it shows the statement without values.
func (dialector) Explain(sql string, _ ...any) string { return sql }

// DefaultValueOf implements [gorm.Dialector].
func (dialector) DefaultValueOf(*schema.Field) clause.Expression { return clause.Expr{SQL: "NULL"} }

// DataTypeOf implements [gorm.Dialector]. Only gorm's migrator asks, which we
// do not use, so it need not be clever.
func (dialector) DataTypeOf(field *schema.Field) string { return string(field.DataType) }

// Migrator implements [gorm.Dialector]. Migrations are SQL files; this one is
// gorm's general one and serves nobody.
func (d dialector) Migrator(db *gorm.DB) gorm.Migrator {
	return migrator.Migrator{Config: migrator.Config{DB: db, Dialector: d}}
}

// SavePoint implements [gorm.SavePointerDialectorInterface].
func (dialector) SavePoint(tx *gorm.DB, name string) error {
	return tx.Exec("SAVEPOINT " + name).Error
}

// RollbackTo implements [gorm.SavePointerDialectorInterface].
func (dialector) RollbackTo(tx *gorm.DB, name string) error {
	return tx.Exec("ROLLBACK TO SAVEPOINT " + name).Error
}

// Translate implements [gorm.ErrorTranslator].
func (d dialector) Translate(err error) error { return d.driver.Translate(err) }
