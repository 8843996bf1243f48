package achievements

import (
	"context"

	"github.com/badge-engine/badge-engine/modules/internal/did"
)

// Keys knows under which identifier an issuer signs. Module issuance serves it.
type Keys interface {
	// Forge makes the first signing key of a new issuer where provider says, or as is
	// configured; it may take its time, outside of a unit. keep stores it, and joins the
	// unit in its ctx.
	Forge(ctx context.Context, issuerID, provider string) (keep func(ctx context.Context) error, err error)
	// Discard forgets the keys of an issuer that is deleted; it joins the unit in ctx.
	Discard(ctx context.Context, issuerID string) error
	// Identity answers the identifier that stands as issuer in credentials, and
	// the document that lists the verification methods, retired ones included.
	Identity(ctx context.Context, issuerID string) (id string, document did.Document, err error)
}

// Ledger knows what was issued. Module issuance serves it.
type Ledger interface {
	// Issued reports whether a credential of this issuer, and of this achievement
	// unless it is empty, was ever reserved or issued.
	Issued(ctx context.Context, issuerID, achievementID string) (bool, error)
}

// Work runs fn as one unit: all of it is stored or none. Platform database serves it.
type Work interface {
	Do(ctx context.Context, fn func(ctx context.Context) error) error
}

// Audit writes down what was done. Module audit serves it.
type Audit interface {
	// Record joins the unit in ctx, so that a deed and its event are stored
	// together, or neither. With a failure there is no deed; then it never fails.
	Record(ctx context.Context, action, target, detail string, failure error) error
}
