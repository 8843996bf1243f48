package credential

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// Template is what all badges of one achievement by one issuer have in common: both are written, linted and brought into
// their canonical form once, and each badge only adds its own part. What it prepares is the same, byte for byte, as what
// [Prepare] would. It is safe for concurrent use.
type Template struct {
	canonicalizer integrity.Canonicalizer
	model         openbadges.AchievementCredential
	known         []strictjson.Known
	linted        []*strictjson.Node
	constants     *jsonld.Constants
	framing       integrity.Framing
}

// knower is a canonicalizer that remembers what constants become.
type knower interface {
	integrity.Canonicalizer
	DigestKnowing(doc *strictjson.Node, known *jsonld.Constants) ([sha256.Size]byte, error)
}

// NewTemplate prepares a badge, whose issuer and achievement the template keeps. It answers as [Prepare] does.
func NewTemplate(c integrity.Canonicalizer, model openbadges.AchievementCredential) (*Template, error) {
	if _, err := Prepare(c, model); err != nil {
		return nil, err
	}
	t := &Template{canonicalizer: c, model: model}
	for _, part := range []any{&t.model.Issuer, &t.model.CredentialSubject.Achievement} {
		text, value, err := strictjson.Write(part)
		if err != nil {
			return nil, fmt.Errorf("credential: write a template: %w", err)
		}
		t.known = append(t.known, strictjson.Known{Text: text, Value: value})
		t.linted = append(t.linted, value)
	}
	t.constants = jsonld.NewConstants(t.linted...)
	return t, nil
}

// Issuer is the issuer of every badge of the template.
func (t *Template) Issuer() openbadges.Profile { return t.model.Issuer }

// Achievement is what every badge of the template is awarded for.
func (t *Template) Achievement() openbadges.Achievement { return t.model.CredentialSubject.Achievement }

// Prepare is [Prepare] of a badge whose issuer and achievement become those of the template.
func (t *Template) Prepare(doc *openbadges.AchievementCredential) (*Prepared, error) {
	doc.Issuer, doc.CredentialSubject.Achievement = t.model.Issuer, t.model.CredentialSubject.Achievement
	with, ok := t.canonicalizer.(knower)
	// What is right under some contexts may be wrong under others.
	if !ok || len(doc.Proof) > 0 || len(doc.Endorsement) > 0 || !slices.EqualFunc(doc.Context, t.model.Context, sameURL) {
		return Prepare(t.canonicalizer, *doc)
	}
	text, document, err := strictjson.Write(doc,
		strictjson.Known{At: &doc.Issuer, Text: t.known[0].Text, Value: t.known[0].Value},
		strictjson.Known{At: &doc.CredentialSubject.Achievement, Text: t.known[1].Text, Value: t.known[1].Value})
	if err != nil {
		return Prepare(t.canonicalizer, *doc)
	}
	if violations := openbadges.CheckCredentialOf(document, openbadges.Issuing, t.linted...); len(violations) > 0 {
		return nil, &LintError{violations}
	}
	transformed, err := integrity.Transform(knowing{with, t.constants}, document)
	if err != nil {
		return nil, lint(err)
	}
	return &Prepared{canonicalizer: t.canonicalizer, document: text, parsed: document, issuer: doc.Issuer.ID, transformed: transformed.In(&t.framing)}, nil
}

// sameURL compares contexts; those that are objects are never the same.
func sameURL(a, b any) bool {
	x, ok := a.(string)
	y, alsoOK := b.(string)
	return ok && alsoOK && x == y
}

// knowing canonicalizes documents that hold constants.
type knowing struct {
	knower
	constants *jsonld.Constants
}

// Digest implements [integrity.Digester].
func (k knowing) DigestOf(doc *strictjson.Node) ([sha256.Size]byte, error) {
	return k.DigestKnowing(doc, k.constants)
}
