package credential

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/credential/jose"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// ErrUnsecured says that a credential should be secured by nothing.
var ErrUnsecured = errors.New("credential: neither a proof nor a token is asked for, and what nobody signed must not leave")

// Securing is how a credential is secured: by embedded proofs, in a token, or both
// ways. The token is around the credential without the proofs.
//
// Open Badges 3.0, Proofs: several proofs are allowed, and a verifier may accept any.
type Securing struct {
	Created time.Time
	Proofs  []Embedding
	Token   *Enveloping
}

// Embedding is one embedded proof.
type Embedding struct {
	Cryptosuite string // eddsa-rdfc-2022 when empty
	Signer      integrity.Signer

	// ID names the proof for others that cover it, Previous the proofs before it that
	// it covers: Data Integrity 1.0, Proof Chains. Without, the proofs are a set.
	ID       string
	Previous []string

	// Mandatory are JSON Pointers to what a holder must always show, for ecdsa-sd-2023.
	// [Mandatory] lists what nobody should be able to hide.
	Mandatory []string
}

// Enveloping is a token around the credential.
type Enveloping struct {
	Signer  integrity.Signer
	KeyID   string // URL of the key as a JSON Web Key; the key stands in the header when empty
	Profile jose.Profile
}

// Secured is a credential in the forms that were asked for.
type Secured struct {
	Document []byte // with its proofs; nil when there are none
	Token    string // a compact JWS; empty when there is none
}

// Issue signs by eddsa-rdfc-2022 and answers the credential with its proof. It is
// [Prepared.Secure] for what most issuers want.
func (p *Prepared) Issue(ctx context.Context, signer integrity.Signer, created time.Time) ([]byte, error) {
	secured, err := p.Secure(ctx, Securing{Created: created, Proofs: []Embedding{{Signer: signer}}})
	return secured.Document, err
}

// Secure signs. The prepared document stands in each form byte for byte. It works
// once: a second call answers [ErrIssued], even if the first was not successful. A
// signer whose key is not the issuer's own is refused before that, with
// [ErrForeignKey]. Other errors are of packages integrity and jose.
func (p *Prepared) Secure(ctx context.Context, s Securing) (Secured, error) {
	if len(s.Proofs) == 0 && s.Token == nil {
		return Secured{}, ErrUnsecured
	}
	for _, e := range s.Proofs {
		if !p.own(e.Signer) {
			return Secured{}, ErrForeignKey
		}
	}
	if s.Token != nil && !p.own(s.Token.Signer) {
		return Secured{}, ErrForeignKey
	}
	if !p.issued.CompareAndSwap(false, true) {
		return Secured{}, ErrIssued
	}
	var out Secured
	var err error
	if len(s.Proofs) > 0 {
		if out.Document, err = p.embed(ctx, s); err != nil {
			return Secured{}, err
		}
	}
	if t := s.Token; t != nil {
		if out.Token, err = jose.Secure(ctx, t.Signer, t.KeyID, t.Profile, p.document, p.parsed, s.Created); err != nil {
			return Secured{}, err
		}
	}
	return out, nil
}

// own tells whether a key is the issuer's by its name. Open Badges 3.0, Verification
// and Validation: the key must belong to the issuer, and verifiers compare names.
func (p *Prepared) own(signer integrity.Signer) bool {
	controller, _, found := strings.Cut(signer.VerificationMethod(), "#")
	return found && controller == p.issuer
}

func (p *Prepared) embed(ctx context.Context, s Securing) ([]byte, error) {
	const member = `,"proof":[`
	size := len(p.document) + len(member)
	for _, e := range s.Proofs {
		size += 320 + len(e.Signer.VerificationMethod()) // about as much as a proof takes without pointers
	}
	signed := make([]byte, 0, size)
	signed = append(append(signed, p.document[:len(p.document)-1]...), member...)
	chained := slices.ContainsFunc(s.Proofs, func(e Embedding) bool { return len(e.Previous) > 0 })
	var proofs []*strictjson.Node
	for i, e := range s.Proofs {
		suite := e.Cryptosuite
		if suite == "" {
			suite = integrity.EdDSARDFC2022
		}
		document := p.parsed
		if len(e.Previous) > 0 {
			document = p.parsed.Altered([]string{"proof"}, strictjson.NewArray("proof", proofs...))
		}
		proof, err := integrity.CreateOf(ctx, p.canonicalizer, suite, e.Signer, document,
			integrity.Options{ID: e.ID, Created: s.Created, PreviousProof: e.Previous, MandatoryPointers: e.Mandatory, Transformed: p.transformed})
		if err != nil {
			return nil, err
		}
		if i > 0 {
			signed = append(signed, ',')
		}
		at := len(signed)
		if signed, err = proof.AppendJSON(signed); err != nil {
			return nil, err
		}
		if !chained {
			continue
		}
		read, err := strictjson.Read(signed[at:])
		if err != nil {
			return nil, fmt.Errorf("credential: read proof: %w", err)
		}
		proofs = append(proofs, read)
	}
	return append(signed, "]}"...), nil
}

// Selectable tells whether JSON Pointers can be mandatory in a proof of ecdsa-sd-2023;
// its error is of package integrity.
func (p *Prepared) Selectable(pointers []string) error {
	return integrity.Selectable(p.canonicalizer, p.parsed.Map(), pointers)
}

// Mandatory are JSON Pointers to what a holder must not hide of a credential that is
// secured by ecdsa-sd-2023: what Open Badges 3.0 requires of every achievement
// credential, and what would let an ended, revoked or replaced one pass for good.
func (p *Prepared) Mandatory() []string {
	var pointers []string
	add := func(in *strictjson.Node, at string, names ...string) {
		for _, name := range names {
			if in.Get(name) != nil {
				pointers = append(pointers, at+"/"+name)
			}
		}
	}
	add(p.parsed, "", "issuer", "validFrom", "validUntil", "credentialStatus", "credentialSchema", "refreshService", "termsOfUse")
	if subject := p.parsed.Get("credentialSubject"); subject.Is(strictjson.Object) {
		if subject.Get("id") == nil { // Open Badges 3.0, AchievementSubject: id or identifier
			add(subject, "/credentialSubject", "identifier")
		}
		if achievement := subject.Get("achievement"); achievement.Is(strictjson.Object) {
			add(achievement, "/credentialSubject/achievement", "name", "description", "criteria")
		}
	}
	return pointers
}
