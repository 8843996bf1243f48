// Package fetch is the one way in which this program asks other servers for
// documents whose addresses come from strangers.
//
// It takes https alone, refuses every address that is not public at the moment of
// connecting (so that a name which changes its mind between look-up and connection
// gains nothing), asks no proxy, follows few redirects, reads no more than a limit,
// and keeps answers for a short while, of which it knows how old they are: in the cache
// for all replicas, and in its own memory. Failures are kept for ten seconds. What a
// document means is for whoever asked.
//
// Standards: RFC 9110 (HTTP Semantics); the IANA special-purpose address registries
// (RFC 6890).
package fetch
