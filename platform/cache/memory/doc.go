// Package memory is the cache plug-in that lives in the process.
//
// It is bounded by the bytes it holds and forgets first what was used least
// recently. It runs no goroutine: what has expired goes when it is asked for, or
// when room is needed.
package memory
