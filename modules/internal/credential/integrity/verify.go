package integrity

import (
	"context"
	"crypto"
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/did"
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
	Proof map[string]any
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
func Verify(ctx context.Context, c Canonicalizer, keys Keys, document map[string]any, x Expectation) ([]Result, error) {
	proofs, err := proofsOf(document)
	if err != nil {
		return nil, err
	}
	v := verification{c: c, keys: keys, document: document, proofs: proofs, expect: x, digests: map[form][]byte{}}
	if t := x.Transformed; t != nil {
		v.digests[form{t.suite.jcs, t.hash}] = t.digest
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
func proofsOf(document map[string]any) ([]map[string]any, error) {
	const remedy = "Sign the document, so that it has at least one proof."
	var entries []any
	switch v := document["proof"].(type) {
	case nil:
		return nil, trouble(ParsingError, remedy, "the document has no proof")
	case []any:
		entries = v
	default:
		entries = []any{v}
	}
	if len(entries) == 0 || len(entries) > maxProofs {
		return nil, trouble(ParsingError, remedy, "the document has %d proofs, and 1 to %d are taken", len(entries), maxProofs)
	}
	proofs := make([]map[string]any, len(entries))
	for i, entry := range entries {
		var ok bool
		if proofs[i], ok = entry.(map[string]any); !ok {
			return nil, trouble(ParsingError, "Give each proof as an object.", "proof %d is no object", i)
		}
	}
	return proofs, nil
}

// matching gives the proofs of those ids.
func matching(proofs []map[string]any, ids []string) ([]any, error) {
	var found []any
	for _, id := range ids {
		named := func(p map[string]any) bool { return p["id"] == id }
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
func circular(proofs []map[string]any, proof map[string]any) bool {
	first, _ := proof["id"].(string)
	if first == "" {
		return false
	}
	seen := map[string]bool{}
	var leads func(from map[string]any) bool
	leads = func(from map[string]any) bool {
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
				if p["id"] == id && leads(p) {
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
	created := func(proof map[string]any) time.Time {
		text, _ := proof["created"].(string)
		at, _ := time.Parse(time.RFC3339, text)
		return at
	}
	for _, r := range results {
		ids, _ := previousOf(r.Proof)
		at := created(r.Proof)
		if r.Err != nil || at.IsZero() {
			continue
		}
		for _, before := range results {
			if id, _ := before.Proof["id"].(string); slices.Contains(ids, id) && created(before.Proof).After(at) {
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
	document map[string]any
	proofs   []map[string]any
	expect   Expectation
	digests  map[form][]byte // of the document without proofs, in its own context
}

func (v *verification) verify(ctx context.Context, proof map[string]any) (r Result) {
	r.Proof = proof
	var s suite
	if s, r.Err = suiteOf(proof); r.Err != nil {
		r.Suite, _ = proof["cryptosuite"].(string)
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
		signature, r.Err = decodeSignature(proof["proofValue"])
	}
	if r.Err != nil {
		return r
	}
	if r.Key, r.Err = v.keys.Resolve(ctx, proof["verificationMethod"].(string)); r.Err != nil {
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

func (v *verification) signed(s suite, hash crypto.Hash, proof map[string]any, pub crypto.PublicKey, signature []byte) error {
	document, err := v.digest(s, hash, proof)
	if err != nil {
		return err
	}
	data, err := s.hashData(v.c, hash, s.configuration(proof, v.document["@context"]), document)
	if err != nil {
		return err
	}
	if !check(pub, hash, data, signature) {
		return trouble(ProofVerificationError, "Take the badge from its issuer again; do not trust this copy.", "the signature does not fit: the document or its proof was changed, or another key signed")
	}
	return nil
}

// digest hashes what the proof covers.
func (v *verification) digest(s suite, hash crypto.Hash, proof map[string]any) ([]byte, error) {
	ids, err := previousOf(proof)
	if err != nil {
		return nil, err
	}
	var previous []any
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
	context, there := proof["@context"]
	if s.jcs && there {
		// Data Integrity EdDSA Cryptosuites 1.0, 3.3.2 (Verify Proof): a later proof
		// may have added contexts behind those that this one covers.
		if !begins(v.document["@context"], context) {
			return nil, trouble(ProofVerificationError, "", "the contexts of the document do not begin with those of the proof")
		}
		own = own && reflect.DeepEqual(v.document["@context"], context)
	}
	if digest := v.digests[key]; own && digest != nil {
		return digest, nil
	}
	unsecured := without(v.document, previous)
	if s.jcs && there {
		unsecured["@context"] = context
	}
	digest, err := s.digest(v.c, hash, unsecured)
	if err == nil && own {
		v.digests[key] = digest
	}
	return digest, err
}

// begins tells whether the contexts of a document begin with those of a proof.
func begins(document, proof any) bool {
	list := func(v any) []any {
		if l, ok := v.([]any); ok {
			return l
		}
		return []any{v}
	}
	d, p := list(document), list(proof)
	return len(p) <= len(d) && reflect.DeepEqual(d[:len(p)], p)
}

func previousOf(proof map[string]any) ([]string, error) {
	var ids []string
	switch v := proof["previousProof"].(type) {
	case nil:
	case string:
		ids = []string{v}
	case []any:
		for _, entry := range v {
			id, ok := entry.(string)
			if !ok || len(ids) == maxProofs {
				return nil, trouble(ProofVerificationError, "Give previousProof as ids.", "previousProof is no list of ids")
			}
			ids = append(ids, id)
		}
	default:
		return nil, trouble(ProofVerificationError, "Give previousProof as ids.", "previousProof is no list of ids")
	}
	return ids, nil
}

// expected checks all of a proof but its signature.
func (v *verification) expected(proof map[string]any) error {
	for _, name := range [...]string{"verificationMethod", "proofPurpose"} {
		if s, ok := proof[name].(string); !ok || s == "" {
			return trouble(ProofVerificationError, "Give it as a string.", "the proof has no %s", name)
		}
	}
	purpose := v.expect.Purpose
	if purpose == "" {
		purpose = assertionMethod
	}
	if proof["proofPurpose"] != purpose {
		return trouble(ProofVerificationError, "Sign for "+purpose+".", "the proof is for %s, not for %s", shown(proof["proofPurpose"]), purpose)
	}
	for _, name := range [...]string{"created", "expires"} {
		value, there := proof[name]
		if !there {
			continue
		}
		// Data Integrity 1.0, Proofs: a dateTimeStamp of XML Schema, which has a zone.
		text, _ := value.(string)
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return trouble(ProofVerificationError, "Give it as 2006-01-02T15:04:05Z.", "the member %q of the proof is no date-time with a zone", name)
		}
		if name == "expires" && !v.expect.Now.IsZero() && v.expect.Now.After(at) {
			return trouble(ProofVerificationError, "Ask the issuer for a new proof.", "the proof expired on %s", at.UTC().Format(time.RFC3339))
		}
	}
	if want := v.expect.Domain; want != "" && proof["domain"] != want {
		list, _ := proof["domain"].([]any)
		if !slices.Contains(list, any(want)) {
			return trouble(InvalidDomainError, "", "the proof is not made for the domain %s", shown(want))
		}
	}
	if want := v.expect.Challenge; want != "" && proof["challenge"] != want {
		return trouble(InvalidChallengeError, "", "the proof does not answer the challenge")
	}
	return nil
}
