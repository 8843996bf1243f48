// Package fault is the typed error that services answer with.
//
// It owns the kinds of fault and nothing else: how a fault looks on the wire
// is the business of package problem. It imports nothing of ours.
package fault
