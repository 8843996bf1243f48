// Package topology runs what docker-compose.yml describes, without containers: a
// PostgreSQL, a Redis with a password, two replicas of the program and nginx in
// front of them, all throwaway and on free loopback ports. Each part can be killed,
// paused and started again; the tests of this package do, under load.
//
// Between the replicas and Redis stands a proxy that can be slow.
//
// nginx reads docs/deploy/nginx.conf, with only names and ports exchanged.
package topology
