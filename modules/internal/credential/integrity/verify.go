package integrity

import (
	"context"
	"crypto"
	"errors"
	"slices"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// maxProofs bounds the work on one document.
const maxProofs = 16

// Keys finds the key behind a verification method. [did.Resolver] does.
type Keys interface {
	Resolve(ctx context.Context, method string) (did.Key, error)
}

// Expectation is what a verifier asks of a proof beside its signature.
type Expectation struct {
	Purpose   string    // assertionMethod when empty
	Domain    string    // nothing is asked when empty
	Challenge string    // nothing is asked when empty
	Now       time.Time // a proof or key that expired before is refused

	// Transformed, when the caller has it, is the very document to be verified, so
	// that it is not canonicalized again.
	Transformed *Transformed
}

// Result is what became of one proof.
type Result struct {
	Proof *strictjson.Node
	Suite string  // the cryptosuite, as far as it is known
	Key   did.Key // the zero value when it was not found
	Err   error   // nil when the signature is good; [*Error], [*did.Error], or the context's
}

// Unsupported reports whether nothing is wrong with the proof but that its
// cryptosuite is not known here.
func (r Result) Unsupported() bool { return errors.Is(r.Err, ErrUnsupported) }

// Literal reports whether the proof covers the document as it is written, and not only
// what JSON-LD makes of it.
func (r Result) Literal() bool { return suites[r.Suite].jcs }

// Verify checks every proof of a document, each for itself; a proof of a chain
// covers the previous proofs it names. Whose key it was is in the results, and is
// for the caller to judge. An error says that there is no proof to check.
//
// Data Integrity 1.0, Verify Proof, Verify Proof Sets and Chains.
func Verify(ctx context.Context, c Canonicalizer, keys Keys, document *strictjson.Node, x Expectation) ([]Result, error) {
	proofs, err := proofsOf(document)
	if err != nil {
		return nil, err
	}
	v := verification{c: c, keys: keys, document: document, proofs: proofs, expect: x}
	if t := x.Transformed; t != nil {
		v.keep(form{t.suite.jcs, t.hash}, t.digest)
	}
	results := make([]Result, len(proofs))
	for i, proof := range proofs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		results[i] = v.verify(ctx, proof)
	}
	return results, nil
}

// proofsOf gives the proofs of a document, of which there may be one or several.
func proofsOf(document *strictjson.Node) ([]*strictjson.Node, error) {
	const remedy = "Sign the document, so that it has at least one proof."
	proof := document.Get("proof")
	if proof == nil || proof.Kind == strictjson.Null {
		return nil, trouble(ParsingError, remedy, "the document has no proof")
	}
	entries := proof.Items()
	if len(entries) == 0 || len(entries) > maxProofs {
		return nil, trouble(ParsingError, remedy, "the document has %d proofs, and 1 to %d are taken", len(entries), maxProofs)
	}
	for i, entry := range entries {
		if entry.Kind != strictjson.Object {
			return nil, trouble(ParsingError, "Give each proof as an object.", "proof %d is no object", i)
		}
	}
	return entries, nil
}

// matching gives the proofs of those ids.
func matching(proofs []*strictjson.Node, ids []string) ([]*strictjson.Node, error) {
	var found []*strictjson.Node
	for _, id := range ids {
		named := func(p *strictjson.Node) bool { return p.Get("id").Is(strictjson.String) && p.Member("id") == id }
		at := slices.IndexFunc(proofs, named)
		if at < 0 {
			return nil, trouble(ProofVerificationError, "Keep the proofs that later proofs cover.", "the previous proof %s is not in the document", shown(id))
		}
		if slices.ContainsFunc(proofs[at+1:], named) {
			return nil, trouble(ProofVerificationError, "Give each proof an id of its own.", "there are several proofs of the id %s, and a later proof covers one of them", shown(id))
		}
		found = append(found, proofs[at])
	}
	return found, nil
}

// circular tells whether a proof covers itself, if only by way of others: nobody can
// have signed that, and it is no chain.
func circular(proofs []*strictjson.Node, proof *strictjson.Node) bool {
	first := proof.Member("id")
	if first == "" {
		return false
	}
	seen := map[string]bool{}
	var leads func(from *strictjson.Node) bool
	leads = func(from *strictjson.Node) bool {
		ids, _ := previousOf(from) // what is no list of ids is found out where it stands
		for _, id := range ids {
			if id == first {
				return true
			}
			if seen[id] {
				continue
			}
			seen[id] = true
			for _, p := range proofs {
				if v := p.Get("id"); v.Is(strictjson.String) && v.Text == id && leads(p) {
					return true
				}
			}
		}
		return false
	}
	return leads(proof)
}

// Backwards answers the id of a proof that says it was made after a good one that
// covers it, of which one cannot be true; none where the chain is in order. Moments that
// are not given, or cannot be compared, are passed over.
func Backwards(results []Result) string {
	created := func(proof *strictjson.Node) time.Time {
		at, _ := time.Parse(time.RFC3339, proof.Member("created"))
		return at
	}
	for _, r := range results {
		ids, _ := previousOf(r.Proof)
		at := created(r.Proof)
		if r.Err != nil || at.IsZero() {
			continue
		}
		for _, before := range results {
			if id := before.Proof.Member("id"); slices.Contains(ids, id) && created(before.Proof).After(at) {
				return id
			}
		}
	}
	return ""
}

// form is one way in which the document was hashed.
type form struct {
	jcs  bool
	hash crypto.Hash
}

type verification struct {
	c        Canonicalizer
	keys     Keys
	document *strictjson.Node
	proofs   []*strictjson.Node
	expect   Expectation
	digests  []digested // of the document without proofs, in its own context
}

type digested struct {
	form
	digest []byte
}

func (v *verification) keep(f form, digest []byte) {
	v.digests = append(v.digests, digested{f, digest})
}

func (v *verification) kept(f form) []byte {
	for _, d := range v.digests {
		if d.form == f {
			return d.digest
		}
	}
	return nil
}

func (v *verification) verify(ctx context.Context, proof *strictjson.Node) (r Result) {
	r.Proof = proof
	var s suite
	if s, r.Err = suiteOf(proof); r.Err != nil {
		r.Suite = proof.Member("cryptosuite")
		return r
	}
	r.Suite = s.name
	if r.Err = v.expected(proof); r.Err != nil {
		return r
	}
	var signature []byte
	if s.sd {
		// Before anything is fetched for it: whether it is for verifiers at all.
		_, r.Err = forVerifiers(proof)
	} else {
		signature, r.Err = decodeSignature(proof.Get("proofValue"))
	}
	if r.Err != nil {
		return r
	}
	if r.Key, r.Err = v.keys.Resolve(ctx, proof.Member("verificationMethod")); r.Err != nil {
		return r
	}
	if !r.Key.Until.IsZero() && !v.expect.Now.Before(r.Key.Until) {
		r.Err = trouble(ProofVerificationError, "Ask the issuer for a badge signed with a key in force.", "the key expired or was revoked on %s", r.Key.Until.UTC().Format(time.RFC3339))
		return r
	}
	hash := s.hashFor(r.Key.Public)
	if hash == 0 {
		r.Err = trouble(ProofVerificationError, "", "the key is not of the kind that %s signs with", s.name)
		return r
	}
	if s.sd {
		r.Err = v.disclosed(ctx, s, proof, r.Key.Public)
	} else {
		r.Err = v.signed(s, hash, proof, r.Key.Public, signature)
	}
	return r
}

func (v *verification) signed(s suite, hash crypto.Hash, proof *strictjson.Node, pub crypto.PublicKey, signature []byte) error {
	document, err := v.digest(s, hash, proof)
	if err != nil {
		return err
	}
	data, err := s.hashData(v.c, hash, s.configuration(proof, v.document.Get("@context")), document)
	if err != nil {
		return err
	}
	if !check(pub, hash, data, signature) {
		return trouble(ProofVerificationError, "Take the badge from its issuer again; do not trust this copy.", "the signature does not fit: the document or its proof was changed, or another key signed")
	}
	return nil
}

// digest hashes what the proof covers.
func (v *verification) digest(s suite, hash crypto.Hash, proof *strictjson.Node) ([]byte, error) {
	ids, err := previousOf(proof)
	if err != nil {
		return nil, err
	}
	var previous []*strictjson.Node
	if len(ids) > 0 {
		if circular(v.proofs, proof) {
			return nil, trouble(ProofVerificationError, "Let each proof cover only proofs that were there before it.", "the proofs cover one another in a circle, which is no chain")
		}
		if previous, err = matching(v.proofs, ids); err != nil {
			return nil, err
		}
	}
	key := form{s.jcs, hash}
	own := previous == nil
	context := proof.Get("@context")
	if s.jcs && context != nil {
		// Data Integrity EdDSA Cryptosuites 1.0, 3.3.2 (Verify Proof): a later proof
		// may have added contexts behind those that this one covers.
		if !begins(v.document.Get("@context"), context) {
			return nil, trouble(ProofVerificationError, "", "the contexts of the document do not begin with those of the proof")
		}
		own = own && strictjson.Equal(v.document.Get("@context"), context)
	}
	if digest := v.kept(key); own && digest != nil {
		return digest, nil
	}
	unsecured := without(v.document, previous)
	if s.jcs && context != nil {
		unsecured = unsecured.Altered([]string{"@context"}, context)
	}
	digest, err := s.digest(v.c, hash, unsecured)
	if err == nil && own {
		v.keep(key, digest)
	}
	return digest, err
}

// begins tells whether the contexts of a document begin with those of a proof.
func begins(document, proof *strictjson.Node) bool {
	list := func(v *strictjson.Node) []*strictjson.Node {
		if v.Is(strictjson.Array) {
			return v.Items()
		}
		return []*strictjson.Node{v}
	}
	d, p := list(document), list(proof)
	return len(p) <= len(d) && slices.EqualFunc(d[:len(p)], p, strictjson.Equal)
}

func previousOf(proof *strictjson.Node) ([]string, error) {
	var ids []string
	switch v := proof.Get("previousProof"); {
	case v == nil, v.Kind == strictjson.Null:
	case v.Kind == strictjson.String:
		ids = []string{v.Text}
	case v.Kind == strictjson.Array:
		for _, entry := range v.Items() {
			if entry.Kind != strictjson.String || len(ids) == maxProofs {
				return nil, trouble(ProofVerificationError, "Give previousProof as ids.", "previousProof is no list of ids")
			}
			ids = append(ids, entry.Text)
		}
	default:
		return nil, trouble(ProofVerificationError, "Give previousProof as ids.", "previousProof is no list of ids")
	}
	return ids, nil
}

// expected checks all of a proof but its signature.
func (v *verification) expected(proof *strictjson.Node) error {
	for _, name := range [...]string{"verificationMethod", "proofPurpose"} {
		if proof.Member(name) == "" {
			return trouble(ProofVerificationError, "Give it as a string.", "the proof has no %s", name)
		}
	}
	purpose := v.expect.Purpose
	if purpose == "" {
		purpose = assertionMethod
	}
	if made := proof.Member("proofPurpose"); made != purpose {
		return trouble(ProofVerificationError, "Sign for "+purpose+".", "the proof is for %s, not for %s", shown(made), purpose)
	}
	for _, name := range [...]string{"created", "expires"} {
		value := proof.Get(name)
		if value == nil {
			continue
		}
		// Data Integrity 1.0, Proofs: a dateTimeStamp of XML Schema, which has a zone.
		at, err := time.Parse(time.RFC3339, value.String())
		if err != nil {
			return trouble(ProofVerificationError, "Give it as 2006-01-02T15:04:05Z.", "the member %q of the proof is no date-time with a zone", name)
		}
		if name == "expires" && !v.expect.Now.IsZero() && v.expect.Now.After(at) {
			return trouble(ProofVerificationError, "Ask the issuer for a new proof.", "the proof expired on %s", at.UTC().Format(time.RFC3339))
		}
	}
	if want := v.expect.Domain; want != "" {
		if !slices.ContainsFunc(proof.Get("domain").Items(), func(d *strictjson.Node) bool { return d.String() == want }) {
			return trouble(InvalidDomainError, "", "the proof is not made for the domain %s", shown(want))
		}
	}
	if want := v.expect.Challenge; want != "" && proof.Member("challenge") != want {
		return trouble(InvalidChallengeError, "", "the proof does not answer the challenge")
	}
	return nil
}
