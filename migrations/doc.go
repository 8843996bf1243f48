// Package migrations brings the schema to where this program needs it.
//
// It owns the runner that collects every module's migrations, the lock under
// which they run, and the probe "schema". The migrations themselves belong to
// the modules: SQL files named migrations/{postgres,sqlite}/NNNNN_name.sql in
// goose's format, embedded by each module's schema.go. Each module has a version
// table of its own, <module>_schema_version, so that modules can be moved
// forward and back one by one; no migration may name another module's table.
//
// The variable MIGRATE_ON_START says whether a start migrates by itself:
//
//   - auto (the default): on an embedded engine, and where APP_ENV is
//     development; elsewhere migrating is a step of its own, `badge-engine
//     migrate up`, and a start waits for it, as long as MIGRATE_WAIT says, and then refuses
//   - always: on every engine; any number of replicas may start at once
//   - never
//
// Failures are logged at level error with the attribute module=migrations.
package migrations
