package issuance

import (
	"errors"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/platform/fault"
)

// The faults of this module.
var (
	ErrNotFound           = fault.New(fault.NotFound, "issuance.not_found", "There is no such credential.")
	ErrIssuerUnknown      = fault.New(fault.NotFound, "issuance.issuer_not_found", "There is no such issuer.")
	ErrKeyNotFound        = fault.New(fault.NotFound, "issuance.key_not_found", "The issuer has no such key.")
	ErrKeyKind            = fault.New(fault.Invalid, "issuance.key_kind", "There are no such keys.")
	ErrKeyState           = fault.New(fault.Conflict, "issuance.key_state", "The state of the key does not allow it.")
	ErrKeyRevoked         = fault.New(fault.Gone, "issuance.key_revoked", "The key was revoked: nothing that it signed must be believed.")
	ErrNoKey              = fault.New(fault.Conflict, "issuance.no_key", "The issuer has no active key of the kind that this needs.")
	ErrVault              = fault.New(fault.Unavailable, "issuance.vault", "The keys that are kept elsewhere cannot be used now.").RetryAfter(5 * time.Second)
	ErrWithdrawn          = fault.New(fault.Gone, "issuance.withdrawn", "The credential was withdrawn and is no longer kept here.")
	ErrInvalid            = fault.New(fault.Invalid, "issuance.invalid", "The credential would break rules of its standards, so it was not signed.")
	ErrMismatch           = fault.New(fault.Conflict, "issuance.idempotency_mismatch", "The idempotency key was used before for another request.")
	ErrInProgress         = fault.New(fault.Conflict, "issuance.in_progress", "The same request is being worked on.").RetryAfter(time.Second)
	ErrSettled            = fault.New(fault.Unavailable, "issuance.settled", "It took too long to sign, and the reservation was given up. Nothing was issued.").RetryAfter(time.Second)
	ErrFilter             = fault.New(fault.Malformed, "issuance.filter", "A filter of the list cannot be used.")
	ErrVersion            = fault.New(fault.Precondition, "issuance.version", "It was changed by someone else meanwhile.")
	ErrIdempotency        = fault.New(fault.Malformed, "issuance.idempotency_key", "The Idempotency-Key is not usable.")
	ErrPicture            = fault.New(fault.NotFound, "issuance.picture_not_found", "There is no picture to bake this credential into.")
	ErrEndorsementUnknown = fault.New(fault.NotFound, "issuance.endorsement_not_found", "There is no such endorsement.")
	ErrEndorsementSettled = fault.New(fault.Conflict, "issuance.endorsement_settled", "The request for an endorsement was answered before.")
	ErrBatchUnknown       = fault.New(fault.NotFound, "issuance.batch_not_found", "There is no such batch.")
	ErrBatchFile          = fault.New(fault.Invalid, "issuance.batch_file", "The file of the batch cannot be read.")
	ErrBatchOver          = fault.New(fault.Conflict, "issuance.batch_over", "The batch is over.")
	ErrForm               = fault.New(fault.NotFound, "issuance.no_form", "This award cannot be said in Open Badges 2.0.")
	ErrSealed             = fault.New(fault.Internal, "issuance.sealed", "A signing key does not open under the key-encryption key.")
)

// lint turns what the lint found into a fault whose pointers lead into the request,
// which gave this recipient.
func lint(err error, recipient Recipient) error {
	var found *credential.LintError
	if !errors.As(err, &found) {
		return err
	}
	f := ErrInvalid
	for _, v := range found.Violations {
		v.Pointer = requestPointer(v.Pointer, recipient)
		f = f.Violating(fault.Violation(v))
	}
	return f
}
