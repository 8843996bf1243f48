package credential

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/credential/status"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

var (
	// ErrIssued says that a prepared credential was issued before.
	ErrIssued = errors.New("credential: this prepared credential was issued before; prepare it again")

	// ErrForeignKey says that the key of the signer is not the issuer's own by its
	// name, so that no verifier would believe it.
	ErrForeignKey = errors.New("credential: the verification method of the signer, without its fragment, is not the id of the issuer")
)

// LintError lists the rules that a credential would break, so that it cannot be issued.
type LintError struct{ Violations []openbadges.Violation }

// errSigned refuses a document that says it is signed before it is.
var errSigned = &LintError{[]openbadges.Violation{{Pointer: "/proof", Rule: "Data Integrity 1.0, Add Proof", Detail: "the credential is not signed yet, but has a proof", Remedy: "Leave it out; issuing adds it."}}}

// Error implements error.
func (e *LintError) Error() string {
	if len(e.Violations) == 0 {
		return "credential: it breaks a rule"
	}
	v := e.Violations[0]
	s := fmt.Sprintf("credential: it breaks %d rules, the first at %q: %s (%s)", len(e.Violations), v.Pointer, v.Detail, v.Rule)
	if v.Remedy != "" {
		s += "; " + v.Remedy
	}
	return s
}

// Prepared is a credential that passed the lint and may be issued once.
type Prepared struct {
	canonicalizer integrity.Canonicalizer
	document      []byte
	parsed        *strictjson.Node // the same
	issuer        string
	transformed   *integrity.Transformed
	issued        atomic.Bool
}

// Prepare lints a credential by every rule that concerns an issuer, and by strict
// expansion: a term that no context defines would go unsigned. It answers with a
// [*LintError], or [jsonld.ErrWorkLimit] in one.
func Prepare(c integrity.Canonicalizer, doc openbadges.AchievementCredential) (*Prepared, error) {
	if len(doc.Proof) > 0 {
		return nil, errSigned
	}
	return prepare(c, &doc, doc.Issuer.ID, func(doc *strictjson.Node, s openbadges.Strictness) []openbadges.Violation {
		return openbadges.CheckCredentialOf(doc, s)
	})
}

// PrepareEndorsement lints an endorsement as [Prepare] lints a badge.
func PrepareEndorsement(c integrity.Canonicalizer, doc openbadges.EndorsementCredential) (*Prepared, error) {
	if len(doc.Proof) > 0 {
		return nil, errSigned
	}
	return prepare(c, &doc, doc.Issuer.ID, openbadges.CheckEndorsementOf)
}

// PrepareList expands a status list strictly, so that it can be signed.
func PrepareList(c integrity.Canonicalizer, list status.List) (*Prepared, error) {
	return prepare(c, &list, list.Issuer, func(*strictjson.Node, openbadges.Strictness) []openbadges.Violation { return nil })
}

func prepare(c integrity.Canonicalizer, doc any, issuer string, check func(*strictjson.Node, openbadges.Strictness) []openbadges.Violation) (*Prepared, error) {
	text, document, err := strictjson.Write(doc)
	var syntax *strictjson.Error
	switch {
	case errors.As(err, &syntax):
		return nil, lint(err)
	case err != nil:
		return nil, &LintError{[]openbadges.Violation{{Rule: "RFC 8259 (JSON)", Detail: "an endorsement is no JSON", Remedy: "Give endorsements as JSON objects."}}}
	}
	if violations := check(document, openbadges.Issuing); len(violations) > 0 {
		return nil, &LintError{violations}
	}
	transformed, err := integrity.Transform(c, document)
	if err != nil {
		return nil, lint(err)
	}
	return &Prepared{canonicalizer: c, document: text, parsed: document, issuer: issuer, transformed: transformed}, nil
}

// lint makes a LintError of what a reader or the canonicalizer said.
func lint(err error) error {
	violation, ok := violationOf(err)
	if !ok {
		return err
	}
	return &LintError{[]openbadges.Violation{violation}}
}

func violationOf(err error) (openbadges.Violation, bool) {
	var expansion *jsonld.Error
	if errors.As(err, &expansion) {
		return openbadges.Violation{Pointer: expansion.Pointer, Rule: "JSON-LD 1.1, strict expansion: " + expansion.Code, Detail: expansion.Problem, Remedy: expansion.Remedy}, true
	}
	var syntax *strictjson.Error
	if errors.As(err, &syntax) {
		return openbadges.Violation{Pointer: syntax.Pointer, Rule: "RFC 8259 (JSON), RFC 7493 (I-JSON)", Detail: syntax.Problem, Remedy: syntax.Remedy}, true
	}
	return openbadges.Violation{}, false
}

// Document is the JSON that gets signed, without its proof. The caller must not alter it.
func (p *Prepared) Document() []byte { return p.document }
