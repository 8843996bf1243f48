// Package ratelimit says how often somebody may ask.
//
// It owns the token bucket, its bounded memory, and how replicas that share a
// cache learn of each other's counts. Whom a limit is for, and what the answer
// looks like, is for the callers; [ErrExceeded] carries what the answer needs.
//
// A limit is taken in the process alone: a request never waits for the cache.
// Where the cache is shared, each replica reports its counts in batches behind
// the request, and whoever exceeds the limit on all of them together is refused
// on each until the window ends. A cache that is away leaves each replica with
// its own count.
//
// The variables RATE_LIMIT, RATE_LIMIT_BURST, RATE_LIMIT_FAILURES and
// RATE_LIMIT_ANONYMOUS configure it.
//
// Standards: RFC 6585, 4 (429 Too Many Requests), RFC 9110, 10.2.3
// (Retry-After), draft-ietf-httpapi-ratelimit-headers-06 (RateLimit-Limit,
// -Remaining, -Reset and -Policy; later drafts write one structured field).
package ratelimit
