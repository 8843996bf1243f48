package verification

import "context"

// Issuers knows the keys of the issuers that are kept here, so that no badge of our
// own needs the network. Module issuance serves it.
type Issuers interface {
	// KeyOf tells whether controller is the identifier of an issuer here, and
	// whether the key of that fragment signs for it.
	KeyOf(ctx context.Context, controller, fragment string) (known, listed bool, err error)
}

// Documents fetches what badges point at: keys, status lists. Platform fetch serves
// it; whoever does must guard itself, for the addresses come from strangers.
type Documents interface {
	Get(ctx context.Context, url string) ([]byte, error)
}
