package verification

import (
	"context"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential/status"
)

// Issuers knows the keys of the issuers that are kept here, so that no badge of our
// own needs the network. Module issuance serves it.
type Issuers interface {
	// KeyOf tells whether controller is the identifier of an issuer here, and
	// whether the key of that fragment signs for it.
	KeyOf(ctx context.Context, controller, fragment string) (known, listed bool, err error)
}

// Statuses knows the status lists that are kept here, so that what was revoked a
// moment ago counts at once. Module issuance serves it.
type Statuses interface {
	// StatusOf tells whether the list of this address is kept here, and what it says of
	// one entry to a credential of an issuer, whose list it must be.
	StatusOf(ctx context.Context, issuer, list string, index uint64) (s status.Standing, known bool, err error)
}

// Documents fetches what badges point at: keys, status lists. Platform fetch serves
// it; whoever does must guard itself, for the addresses come from strangers.
type Documents interface {
	Get(ctx context.Context, url string) ([]byte, error)
}

// Aged are Documents that know how old what they give is. Those that do not give new ones.
type Aged interface {
	Documents
	// GetWithin is Get of a document that is no older than atMost.
	GetWithin(ctx context.Context, url string, atMost time.Duration) (data []byte, age time.Duration, err error)
}
