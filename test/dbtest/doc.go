// Package dbtest gives tests every engine there is.
//
// Each runs a test on every storage engine, migrated and empty; Engines gives
// the addresses, for tests that boot the whole application; Redis gives the
// address of a Redis. TEST_DATABASE_URL names a PostgreSQL server on which
// databases may be created, TEST_REDIS_URL a Redis; `go run ./test/run` starts
// both. Without them the tests concerned are skipped, but where CI is set they
// fail: an engine that nobody tests is an engine that does not work.
package dbtest
