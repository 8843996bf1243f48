// Package probe is a named health check that any part of the program may offer.
//
// It owns the value and the helper that offers it to the graph; module health
// asks every probe. It imports nothing of ours.
package probe
