package audit

import (
	"cmp"
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// Outcome is what came of a deed.
type Outcome string

// The outcomes.
const (
	Succeeded Outcome = "succeeded"
	Refused   Outcome = "refused" // it was against a rule
	Failed    Outcome = "failed"  // it was allowed, and something broke
)

// The kinds of those who are no principal.
const (
	anonymous = "anonymous" // a caller nobody knows
	system    = "system"    // the program itself
	several   = "several"   // more callers than are told apart
)

// Event is one line of the trail.
type Event struct {
	Sequence  int64 // place in the chain, from 1 without gaps; 0 while it has none
	ID        string
	At        time.Time // UTC, whole seconds
	Principal string    // who; empty for nobody known
	Kind      string    // what kind of principal: what stands before the colon of its id
	Action    string    // module.noun.verbed
	Target    string    // to which thing
	Outcome   Outcome
	Reason    string // why not: the code of a fault
	Detail    string // what exactly, such as the role that was granted
	RemoteIP  string
	RequestID string
	Count     int64  // how often, for refusals that were counted; else 1
	Forged    bool   // it did not come from this program, or came a second time
	Hash      []byte // over all this and the hash before; empty while not sealed

	mark []byte
}

// Deed is what was done. Who did it, from where and by which request is in the
// context that goes with it.
type Deed struct {
	Action  string  // module.noun.verbed
	Target  string  // to which thing
	Detail  string  // what exactly, as a code such as that of a role
	Outcome Outcome // empty: it succeeded
	Reason  string  // the code of why not
	Actor   string  // the id of a principal whom the context does not know yet
}

// describe makes the event of a deed.
func describe(ctx context.Context, d Deed) Event {
	e := Event{
		Principal: code(cmp.Or(d.Actor, principal.From(ctx).ID)), Action: code(d.Action), Target: code(d.Target),
		Outcome: cmp.Or(d.Outcome, Succeeded), Reason: code(d.Reason), Detail: code(d.Detail),
		RemoteIP: code(principal.Address(ctx)), RequestID: code(logging.RequestID(ctx)), Count: 1,
	}
	switch {
	case e.Principal != "":
		e.Kind, _, _ = strings.Cut(e.Principal, ":")
	case e.RemoteIP == "" && e.RequestID == "":
		e.Kind = system
	default:
		e.Kind = anonymous
	}
	return e
}

// withheld stands for a value that is no identifier and no code.
const withheld = "[withheld]"

// longest is the length of the longest code.
const longest = 200

// inCodes are the signs of codes and identifiers: no @ and no space, so that
// neither an address nor most names are any.
var inCodes = func() (signs [256]bool) {
	for _, sign := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:,;/_*<>{}+=~%-") {
		signs[sign] = true
	}
	return signs
}()

func code(s string) string {
	if len(s) > longest {
		return withheld
	}
	for i := range len(s) {
		if !inCodes[s[i]] {
			return withheld
		}
	}
	return s
}

// judge names what came of a deed that ended with err, and why.
func judge(err error) (Outcome, string) {
	f, ok := fault.From(err)
	switch {
	case !ok:
		return Failed, "internal"
	case f.Kind() == fault.Internal || f.Kind() == fault.Unavailable:
		return Failed, f.Code()
	}
	return Refused, f.Code()
}

// source is whom an address stands for: with IPv6 one customer has 64 bits of
// them, and could be a stranger with each request.
func source(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil || a.Is4() {
		return address
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return p.String()
}
