package vcapi

import (
	"errors"
	"strings"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/credential/jose"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/platform/fault"
)

// The faults of this module. The API has 400 for whatever cannot be accepted; only what was given up, since it would take
// more work than any credential needs, is told apart.
var (
	ErrUnreadable = fault.New(fault.Malformed, "vcapi.unreadable", "The request cannot be read.")
	ErrMediaType  = fault.New(fault.Unsupported, "vcapi.media_type", "Requests of this API are JSON.")
	ErrOption     = fault.New(fault.Malformed, "vcapi.option", "An option is not known, or cannot be used.")
	ErrInvalid    = fault.New(fault.Malformed, "vcapi.invalid", "The credential breaks rules and cannot be signed.")
	ErrSecured    = fault.New(fault.Malformed, "vcapi.secured", "The credential is signed already.")
	ErrIssuer     = fault.New(fault.Malformed, "vcapi.issuer", "The issuer that the credential names is not kept here.")
	ErrReserved   = fault.New(fault.Malformed, "vcapi.reserved", "Only this server itself makes credentials of this kind or under this id.")
	ErrDerive     = fault.New(fault.Malformed, "vcapi.derive", "Nothing can be derived from this credential.")
	ErrEffort     = fault.New(fault.Invalid, "vcapi.effort", "To bring the document into its canonical form takes more work than any credential needs.")
	ErrNotFound   = fault.New(fault.NotFound, "vcapi.not_found", "No such credential was signed here.")
	ErrStatus     = fault.New(fault.Malformed, "vcapi.status", "The status cannot be changed so.")
)

// tooMuch is what [ErrEffort] says of a document to be judged.
var tooMuch = fault.Violation{Rule: "RDF Dataset Canonicalization, 7.1 (Dataset Poisoning)", Detail: "the document is made so that to bring it into its canonical form would take very long", Remedy: "Do not trust it; ask whoever it is from for another one."}

func invalid(found []openbadges.Violation) error {
	f := ErrInvalid
	violations := make([]fault.Violation, len(found))
	for i, v := range found {
		violations[i] = fault.Violation{Pointer: "/credential" + v.Pointer, Rule: v.Rule, Detail: v.Detail, Remedy: v.Remedy}
	}
	return f.Violating(violations...)
}

// refused turns what the kernel says of a document to be signed into a fault.
func refused(err error, f *fault.Fault) error {
	var expansion *jsonld.Error
	if errors.As(err, &expansion) {
		if expansion.Code == jsonld.CodeWork || expansion.Code == jsonld.CodeLimit {
			f = ErrEffort
		}
		return f.With(err).Violating(fault.Violation{Pointer: "/credential" + expansion.Pointer, Rule: "JSON-LD 1.1, strict expansion: " + expansion.Code, Detail: expansion.Problem, Remedy: expansion.Remedy})
	}
	var proof *integrity.Error
	if errors.As(err, &proof) {
		return f.With(err).Detailf("%s", sentence(proof.Problem)).Violating(fault.Violation{Rule: "Data Integrity 1.0: " + string(proof.Code), Detail: proof.Problem, Remedy: proof.Remedy})
	}
	var token *jose.Error
	if errors.As(err, &token) {
		return f.With(err).Detailf("%s", sentence(token.Problem)).Violating(fault.Violation{Pointer: "/credential", Rule: "Securing Verifiable Credentials using JOSE and COSE 1.0, 3.1.1", Detail: token.Problem, Remedy: token.Remedy})
	}
	var parse *credential.ParseError
	if errors.As(err, &parse) {
		return f.With(err).Detailf("%s", sentence(parse.Problem)).Violating(fault.Violation{Pointer: parse.Pointer, Rule: "request schema", Detail: parse.Problem, Remedy: parse.Remedy})
	}
	return err
}

func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
