package integrity

import (
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// Proof is an embedded proof, its members in the order in which they are written.
// Data Integrity 1.0, Proofs.
type Proof struct {
	Context            any    `json:"@context,omitempty"`
	ID                 string `json:"id,omitempty"`
	Type               string `json:"type"`
	Cryptosuite        string `json:"cryptosuite"`
	Created            string `json:"created,omitempty"`
	Expires            string `json:"expires,omitempty"`
	VerificationMethod string `json:"verificationMethod"`
	ProofPurpose       string `json:"proofPurpose"`
	Domain             string `json:"domain,omitempty"`
	Challenge          string `json:"challenge,omitempty"`
	Nonce              string `json:"nonce,omitempty"`
	PreviousProof      any    `json:"previousProof,omitempty"` // a string or several
	ProofValue         string `json:"proofValue"`
}

// AppendJSON writes the proof as encoding/json would.
func (p Proof) AppendJSON(dst []byte) ([]byte, error) {
	if p.Context == nil && p.PreviousProof == nil {
		if text, ok := p.plain(dst); ok {
			return text, nil
		}
	}
	text, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("integrity: write a proof: %w", err)
	}
	return append(dst, text...), nil
}

// plain writes a proof whose members are all texts in which nothing needs an escape.
func (p Proof) plain(dst []byte) ([]byte, bool) {
	dst = append(dst, '{')
	for i, member := range [...]struct {
		key, value string
		needed     bool
	}{
		{`"id":`, p.ID, false}, {`"type":`, p.Type, true}, {`"cryptosuite":`, p.Cryptosuite, true}, {`"created":`, p.Created, false},
		{`"expires":`, p.Expires, false}, {`"verificationMethod":`, p.VerificationMethod, true}, {`"proofPurpose":`, p.ProofPurpose, true},
		{`"domain":`, p.Domain, false}, {`"challenge":`, p.Challenge, false}, {`"nonce":`, p.Nonce, false}, {`"proofValue":`, p.ProofValue, true},
	} {
		if member.value == "" && !member.needed {
			continue
		}
		if i > 0 && dst[len(dst)-1] == '"' {
			dst = append(dst, ',')
		}
		var ok bool
		if dst, ok = strictjson.AppendPlain(append(dst, member.key...), member.value); !ok {
			return dst, false
		}
	}
	return append(dst, '}'), true
}

// Options are what a proof says beside the signature. The zero value makes a proof
// of assertion without a date.
type Options struct {
	ID            string
	Created       time.Time // whole seconds are written
	Expires       time.Time
	Purpose       string // assertionMethod when empty
	Domain        string
	Challenge     string
	Nonce         string
	PreviousProof []string // ids of proofs in the document that this one covers

	// MandatoryPointers are JSON Pointers to what a holder must always show, for
	// ecdsa-sd-2023 alone. None makes nothing mandatory, not even the issuer.
	MandatoryPointers []string

	// Transformed, when the caller has it, is the very document to be signed, so that
	// it is not canonicalized again.
	Transformed *Transformed
}

func (p Proof) configuration() *strictjson.Node {
	config := make([]*strictjson.Node, 0, 12)
	for _, member := range [...]struct{ name, value string }{
		{"type", p.Type}, {"cryptosuite", p.Cryptosuite}, {"verificationMethod", p.VerificationMethod}, {"proofPurpose", p.ProofPurpose},
		{"id", p.ID}, {"created", p.Created}, {"expires", p.Expires}, {"domain", p.Domain}, {"challenge", p.Challenge}, {"nonce", p.Nonce},
	} {
		if member.value != "" {
			config = append(config, strictjson.NewString(member.name, member.value))
		}
	}
	if p.PreviousProof != nil {
		config = append(config, strictjson.NodeOf(p.PreviousProof).As("previousProof"))
	}
	if p.Context != nil {
		config = append(config, strictjson.NodeOf(p.Context).As("@context"))
	}
	return strictjson.NewObject(config...)
}

// Transformed is a document that is hashed and ready to be signed, any number of
// times and by anybody.
type Transformed struct {
	suite   suite
	hash    crypto.Hash
	context *strictjson.Node
	digest  []byte
	framing *Framing // may be nil
}

// Transform hashes a document for eddsa-rdfc-2022, and with it for every suite that
// canonicalizes by RDFC-1.0 and hashes by SHA-256; a member proof is left aside. Its
// error wraps that of the canonicalizer.
func Transform(c Canonicalizer, document *strictjson.Node) (*Transformed, error) {
	return transform(c, suites[EdDSARDFC2022], crypto.SHA256, document, nil)
}

func transform(c Canonicalizer, s suite, hash crypto.Hash, document *strictjson.Node, previous []*strictjson.Node) (*Transformed, error) {
	unsecured := without(document, previous)
	digest, err := s.digest(c, hash, unsecured)
	if err != nil {
		return nil, err
	}
	return &Transformed{suite: s, hash: hash, context: unsecured.Get("@context"), digest: digest}, nil
}

// without is the document as one proof covers it: with no proofs but the previous
// ones it names. Data Integrity 1.0, Add Proof Set/Chain.
func without(document *strictjson.Node, previous []*strictjson.Node) *strictjson.Node {
	switch {
	case previous != nil:
		return document.Altered([]string{"proof"}, strictjson.NewArray("proof", previous...))
	case document.Get("proof") == nil:
		return document
	}
	return document.Altered([]string{"proof"})
}

// Create makes a proof of any suite that is written here. Proofs already in the
// document are not covered, unless o.PreviousProof names them. The key of the signer
// must be of the kind that the suite signs with; the kind chooses the hash.
//
// Data Integrity 1.0, Add Proof, Add Proof Set/Chain; Data Integrity EdDSA
// Cryptosuites 1.0 and ECDSA Cryptosuites 1.0, Create Proof of each suite.
func Create(ctx context.Context, c Canonicalizer, cryptosuite string, signer Signer, document map[string]any, o Options) (Proof, error) {
	n := strictjson.NodeOf(document)
	if n == nil {
		return Proof{}, trouble(ProofTransformationError, "Read the document with a JSON parser.", "the document holds a value that is no JSON")
	}
	return CreateOf(ctx, c, cryptosuite, signer, n, o)
}

// CreateOf is [Create] for a document that was read into nodes.
func CreateOf(ctx context.Context, c Canonicalizer, cryptosuite string, signer Signer, document *strictjson.Node, o Options) (Proof, error) {
	s, ok := suites[cryptosuite]
	if !ok || s.legacy {
		return Proof{}, trouble(ProofGenerationError, "Use eddsa-rdfc-2022.", "no proof is made by the cryptosuite %s", shown(cryptosuite)).with(ErrUnsupported)
	}
	hash := s.hashFor(signer.Public())
	if hash == 0 {
		return Proof{}, trouble(ProofGenerationError, "Sign with a key of that kind, or by another cryptosuite.", "the key is not of the kind that %s signs with", s.name)
	}
	if !s.sd && len(o.MandatoryPointers) > 0 {
		return Proof{}, trouble(ProofGenerationError, "Leave the pointers out, or use "+ECDSASD2023+".", "%s always shows the whole document, and takes no mandatory pointers", s.name)
	}
	var previous []*strictjson.Node
	if len(o.PreviousProof) > 0 {
		if s.sd {
			return Proof{}, trouble(ProofGenerationError, "Make it a proof of its own.", "a proof of %s covers no previous proofs, since a derived one could not keep them", s.name)
		}
		proofs, err := proofsOf(document)
		if err == nil {
			previous, err = matching(proofs, o.PreviousProof)
		}
		if err != nil {
			return Proof{}, trouble(ProofGenerationError, "Name proofs that are in the document.", "the previous proofs are not there").with(err)
		}
	}
	if s.sd {
		return createBase(ctx, c, s, signer, document.Map(), o, newSecrets)
	}
	if t := o.Transformed; t != nil && previous == nil && t.suite.jcs == s.jcs && t.hash == hash {
		return t.as(s).sign(ctx, c, signer, o)
	}
	t, err := transform(c, s, hash, document, previous)
	if err != nil {
		return Proof{}, err
	}
	return t.sign(ctx, c, signer, o)
}

func (t Transformed) as(s suite) *Transformed {
	t.suite = s
	return &t
}

// proof is all of a proof but its value.
func (o Options) proof(s suite, signer Signer, context *strictjson.Node) Proof {
	proof := Proof{
		ID: o.ID, Type: typeDataIntegrity, Cryptosuite: s.name, VerificationMethod: signer.VerificationMethod(),
		ProofPurpose: o.Purpose, Domain: o.Domain, Challenge: o.Challenge, Nonce: o.Nonce, Created: stamp(o.Created), Expires: stamp(o.Expires),
	}
	if proof.ProofPurpose == "" {
		proof.ProofPurpose = assertionMethod
	}
	switch len(o.PreviousProof) {
	case 0:
	case 1:
		proof.PreviousProof = o.PreviousProof[0]
	default:
		ids := make([]any, len(o.PreviousProof))
		for i, id := range o.PreviousProof {
			ids[i] = id
		}
		proof.PreviousProof = ids
	}
	if s.jcs {
		proof.Context = context.Value()
	}
	return proof
}

func (t *Transformed) sign(ctx context.Context, c Canonicalizer, signer Signer, o Options) (Proof, error) {
	proof := o.proof(t.suite, signer, t.context)
	data, err := t.hashData(c, proof)
	if err != nil {
		return Proof{}, err
	}
	signature, err := signer.Sign(ctx, data)
	if err != nil {
		return Proof{}, trouble(ProofGenerationError, "", "the signer did not sign").with(err)
	}
	if size := 2 * t.hash.Size(); len(signature) != size {
		// Both halves of a signature are as long as the hash, on all three curves.
		return Proof{}, trouble(ProofGenerationError, "", "the signer answered %d bytes instead of the %d of a signature", len(signature), size)
	}
	proof.ProofValue = encodeSignature(signature)
	return proof, nil
}

// hashData is what gets signed.
func (t *Transformed) hashData(c Canonicalizer, proof Proof) ([]byte, error) {
	if t.framing != nil && t.hash == crypto.SHA256 && !t.suite.jcs {
		if data, ok := t.framing.hashData(c, t.context, proof, t.digest); ok {
			return data, nil
		}
	}
	return t.suite.hashData(c, t.hash, t.suite.configuration(proof.configuration(), t.context), t.digest)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Truncate(time.Second).Format(time.RFC3339)
}
