// Command run checks everything there is to check, on every engine, and needs
// only Go:
//
//	go run ./test/run [-short] [packages]
//
// It finds PostgreSQL and Redis, or installs them (Debian and Ubuntu packages,
// Homebrew), starts throwaway instances on free loopback ports, runs gofmt, go
// vet, staticcheck and go test -race, and stops what it started. Servers that
// already run, in containers for instance, are used instead where
// TEST_DATABASE_URL (with the right to create databases) and TEST_REDIS_URL
// name them.
//
//	go run ./test/run topology
//
// runs what docker-compose.yml describes, without containers, until it is
// interrupted: PostgreSQL, Redis, two replicas and nginx in front of them.
//
// An engine that can be neither found nor installed is left out with a notice;
// where CI is set that is a failure, and so is a missing C compiler, which the
// race detector needs.
package main
