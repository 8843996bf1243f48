package vcapi

import (
	"context"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
)

// Issuers knows who signs under an identifier. Module issuance serves it.
type Issuers interface {
	// SignerOf answers the issuer here whose identifier it is, and a signer under that
	// very identifier with the cryptosuite it signs by: the one that is asked for, or
	// the usual one of the key. A fault of kind not found tells that the identifier is
	// nobody's here.
	SignerOf(ctx context.Context, controller, cryptosuite string) (issuerID, suite string, signer integrity.Signer, err error)
	// TokenSignerOf is SignerOf for a token by an algorithm, or by that which most
	// verifiers read. The URL of the key is what the header of the token names.
	TokenSignerOf(ctx context.Context, controller, algorithm string) (issuerID, keyURL string, signer integrity.Signer, err error)
}

// Act is a change of status.
type Act string

// The acts.
const (
	Revoke  Act = "revoke"  // for good
	Suspend Act = "suspend" // until it is resumed
	Resume  Act = "resume"  // lift a suspension
)

// Place is an entry of a status list; the zero value is none.
type Place struct {
	List  string
	Index int64
}

// Statuses gives away entries of the status lists of an issuer, and changes them.
// Module issuance serves it.
type Statuses interface {
	// Reserve answers an entry that no other credential has, and how a credential names
	// it for each purpose; nothing where there are no lists. It must be called outside
	// of a unit.
	Reserve(ctx context.Context, issuerID string, purposes []string) (at Place, entries []any, err error)
	// Change marks an entry, or lifts a mark, and reports whether that changed anything;
	// it joins the unit in ctx. A fault of kind conflict says why it cannot be done.
	Change(ctx context.Context, act Act, credentialID string, at Place, reason string) (changed bool, err error)
}

// Awards changes the status of credentials that were issued here as awards. Module
// issuance serves it.
type Awards interface {
	// ChangeAward does it to the credential of that public address. known is false for
	// an address that is none of an award here.
	ChangeAward(ctx context.Context, act Act, address, reason string) (known bool, err error)
}

// Verifier judges credentials and presentations. Module verification serves it.
type Verifier interface {
	VerifyParsed(ctx context.Context, p *credential.Parsed, o credential.Options) (credential.Report, error)
	VerifyPresentation(ctx context.Context, document map[string]any, o credential.PresentationOptions) (credential.PresentationReport, error)
}

// Work runs fn as one unit: all of it is stored or none. Platform database serves it.
type Work interface {
	Do(ctx context.Context, fn func(ctx context.Context) error) error
}

// Audit writes down what was done. Module audit serves it.
type Audit interface {
	// Record joins the unit in ctx. With a failure there is no deed; then it never fails.
	Record(ctx context.Context, action, target, detail string, failure error) error
}
