// Package database is the handle through which modules keep what they must not
// lose.
//
// It owns the handle [DB], the unit of work [DB.Do], the translation of driver
// errors, and the contract [Driver] that a storage plug-in fulfils. It knows no
// table: rows and queries belong to the modules' stores, and the schema to
// their migrations.
//
// The variables DATABASE_URL, DB_POOL_SIZE, DB_MAX_OVERFLOW and SQL_ECHO
// configure it. The scheme of DATABASE_URL chooses the plug-in.
//
// # What a store may count on, on every engine
//
//   - A duplicate comes out as [gorm.ErrDuplicatedKey], a missing or still needed
//     neighbour as [gorm.ErrForeignKeyViolated], a refused row as
//     [gorm.ErrCheckConstraintViolated].
//   - A database that is away, busy, full, or that asks to try again comes out as
//     [ErrUnavailable]. A passed deadline does too, and stays recognizable as
//     [context.DeadlineExceeded].
//   - Times go in and come out in UTC, to the microsecond. Columns of type
//     timestamptz (PostgreSQL) and datetime (SQLite) compare and sort by time.
//   - JSON text belongs into a Go string: SQLite would store a []byte as a blob,
//     which its JSON functions do not read.
//   - clause.Locking works on PostgreSQL and means nothing on SQLite, where one
//     unit writes at a time anyway.
//   - Errors and logged statements never contain bound values.
//
// # What a unit of work asks in return
//
// Everything inside [DB.Do] must use the context it was given: on SQLite a
// Session with a foreign context would wait for the one writing connection that
// the unit itself holds. After an error inside a unit, return it; PostgreSQL
// refuses every further statement of that unit.
package database
