// Package postgres is the storage plug-in for PostgreSQL 14 and newer, and for
// the engines that speak its protocol and dialect.
//
// It owns the connections, the meaning of SQLSTATE codes and the lock. Each
// connection works in UTC and keeps its own prepared statements; behind a pooler
// that shares connections between transactions add
// default_query_exec_mode=exec to DATABASE_URL.
package postgres
