package issuance

import (
	"context"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
)

// ErrRepeated is what Reserve answers for an idempotency key that is taken.
var ErrRepeated = errRepeated

// RequestPointer leads from the credential into the request.
var RequestPointer = requestPointer

// Abandoned is how old a reservation must be to be swept away.
const Abandoned = abandoned

// Identities are what the recipient becomes in a credential, and in the index.
func (r Recipient) Identities() ([]openbadges.IdentityObject, string, error) { return r.identities() }

// Keyed is the credential with an idempotency key.
func (c Credential) Keyed(owner, key, hash string) Credential {
	c.owner, c.idempotencyKey, c.requestHash = owner, key, hash
	return c
}

// For is the credential with a recipient to be found by.
func (c Credential) For(index string) Credential {
	c.recipientIndex = index
	return c
}

// MakeKey makes a key and its secret.
var MakeKey = makeKey

// Fresh is how long a replica may go on with the keys that it read.
const Fresh = fresh

// Together stores credentials as one unit of work would, and answers each one's error.
func Together(ctx context.Context, settle func(ctx context.Context, several []Credential) error, several []Credential) []error {
	i := intake{settle: func(ctx context.Context, several []*arrival) error {
		credentials := make([]Credential, len(several))
		for n, a := range several {
			credentials[n] = a.credential
		}
		return settle(ctx, credentials)
	}}
	arrivals := make([]*arrival, len(several))
	for n, c := range several {
		arrivals[n] = &arrival{ctx: ctx, credential: c, done: make(chan struct{})}
	}
	func() {
		defer func() { _ = recover() }() // as the server does
		i.store(arrivals)
	}()
	errs := make([]error, len(arrivals))
	for n, a := range arrivals {
		<-a.done
		errs[n] = a.err
	}
	return errs
}

// Lines counts the orders of a file, and those of them that cannot be read.
func (f Format) Lines(file []byte) (orders, bad int, err error) {
	err = f.lines(file, func(number int64, _ OrderLine, problem error) error {
		if orders++; int64(orders) != number {
			panic("an order is counted wrongly")
		}
		if problem != nil {
			bad++
		}
		return nil
	})
	return orders, bad, err
}

// Whole gives a credential everything that one can have which was never reserved.
func (c Credential) Whole() Credential {
	until := c.ValidFrom.Add(24 * time.Hour)
	c.ValidUntil, c.Document, c.Holder, c.Token = &until, []byte(`{"a":1}`), []byte(`{"b":2}`), "a.b.c"
	c.Place, c.StatusPurpose = statuslist.Place{List: c.IssuerID, Index: 7}, statuslist.Suspension
	c.recipientIndex, c.keys, c.form, c.State = "index", []string{c.IssuerID, c.AchievementID}, usual(), Issued
	return c
}
