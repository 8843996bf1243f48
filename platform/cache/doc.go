// Package cache is a place for what may be forgotten at any moment.
//
// It owns the contract [Cache] and the choice of a plug-in by the scheme of
// REDIS_URL: package redis where replicas share one cache, package memory where
// the process is alone. What may be kept, under which key and for how long is
// for the callers to say; keys begin with the caller's module.
//
// A cache never holds the only copy of anything. It may lose an entry before its
// time, and it may fail: every method then answers [ErrUnavailable], which
// callers treat as a miss and go on with the database. Nothing is written to a
// cache inside a unit of work, since the unit may still be undone.
//
// The variables REDIS_URL, REDIS_PASSWORD and CACHE_MEMORY_BYTES configure it.
package cache
