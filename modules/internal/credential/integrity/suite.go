package integrity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	_ "crypto/sha512" // SHA-384, by crypto.Hash
	"math/big"

	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// The cryptosuites, by the names that proofs give them.
const (
	EdDSARDFC2022 = "eddsa-rdfc-2022"
	EdDSAJCS2022  = "eddsa-jcs-2022"
	ECDSARDFC2019 = "ecdsa-rdfc-2019"
	ECDSAJCS2019  = "ecdsa-jcs-2019"
	ECDSASD2023   = "ecdsa-sd-2023"        // selective disclosure; see [Derive]
	EdDSA2022     = "eddsa-2022"           // the former name of eddsa-rdfc-2022
	Ed25519Legacy = "Ed25519Signature2020" // a proof type of its own, without a cryptosuite
)

const (
	typeDataIntegrity = "DataIntegrityProof"
	assertionMethod   = "assertionMethod"
)

// Canonicalizer turns a JSON-LD document into canonical N-Quads by RDFC-1.0. It
// must refuse what does not become a quad: a term without definition would
// otherwise be added or altered without breaking any signature.
type Canonicalizer interface {
	Canonicalize(doc map[string]any) ([]byte, error)
}

// Digester is a Canonicalizer that hashes by SHA-256 what it would answer, without putting it together first.
type Digester interface {
	DigestOf(doc *strictjson.Node) ([sha256.Size]byte, error)
}

// canonicalizerWith is a Canonicalizer that labels blank nodes by other hashes, too.
//
// Data Integrity ECDSA Cryptosuites 1.0, 3.2.3 (Transformation): the hash of
// RDFC-1.0 is that of the curve.
type canonicalizerWith interface {
	CanonicalizeWith(hash crypto.Hash, doc map[string]any) ([]byte, error)
}

type suite struct {
	name   string
	ecdsa  bool
	jcs    bool
	sd     bool // selective disclosure
	legacy bool // read, never written
}

var suites = map[string]suite{
	EdDSARDFC2022: {name: EdDSARDFC2022},
	EdDSAJCS2022:  {name: EdDSAJCS2022, jcs: true},
	ECDSARDFC2019: {name: ECDSARDFC2019, ecdsa: true},
	ECDSAJCS2019:  {name: ECDSAJCS2019, ecdsa: true, jcs: true},
	ECDSASD2023:   {name: ECDSASD2023, ecdsa: true, sd: true},
	EdDSA2022:     {name: EdDSA2022, legacy: true},
}

// suiteOf reads which suite a proof is of.
func suiteOf(proof *strictjson.Node) (suite, error) {
	const remedy = "Use a DataIntegrityProof with the cryptosuite eddsa-rdfc-2022."
	typ := proof.Get("type")
	if typ.Is(strictjson.Array) && typ.Len() == 1 {
		typ = typ.First()
	}
	switch {
	case typ.String() == typeDataIntegrity:
		name := proof.Member("cryptosuite")
		if s, ok := suites[name]; ok {
			return s, nil
		}
		if name == "" {
			return suite{}, trouble(ProofVerificationError, remedy, "the proof names no cryptosuite")
		}
		return suite{}, trouble(ProofVerificationError, remedy, "the cryptosuite %s is not supported", shown(name)).with(ErrUnsupported)
	case typ.String() == Ed25519Legacy:
		return suite{name: Ed25519Legacy, legacy: true}, nil
	case typ == nil, typ.Kind == strictjson.Null:
		return suite{}, trouble(ProofVerificationError, remedy, "the proof has no type")
	}
	return suite{}, trouble(ProofVerificationError, remedy, "proofs of the type %s are not supported", shown(typ.Value())).with(ErrUnsupported)
}

// hashFor is the hash that goes with a key; 0 when the key does not fit the suite.
func (s suite) hashFor(pub crypto.PublicKey) crypto.Hash {
	switch key := pub.(type) {
	case ed25519.PublicKey:
		if !s.ecdsa {
			return crypto.SHA256
		}
	case *ecdsa.PublicKey:
		switch {
		case s.ecdsa && key.Curve == elliptic.P256():
			return crypto.SHA256
		case s.ecdsa && !s.sd && key.Curve == elliptic.P384():
			return crypto.SHA384
		}
	}
	return 0
}

// canonical is the transformation of a document or of proof options.
func (s suite) canonical(c Canonicalizer, hash crypto.Hash, doc *strictjson.Node) ([]byte, error) {
	var text []byte
	var err error
	if s.jcs {
		text, err = jsonld.JCS(doc)
	} else if with, ok := c.(canonicalizerWith); ok && hash != crypto.SHA256 {
		text, err = with.CanonicalizeWith(hash, doc.Map())
	} else {
		text, err = c.Canonicalize(doc.Map())
	}
	if err != nil {
		return nil, untransformed(err)
	}
	return text, nil
}

func untransformed(err error) error {
	return trouble(ProofTransformationError, "", "the document cannot be brought into its canonical form").with(err)
}

func (s suite) digest(c Canonicalizer, hash crypto.Hash, doc *strictjson.Node) ([]byte, error) {
	if d, ok := c.(Digester); ok && hash == crypto.SHA256 && !s.jcs {
		sum, err := d.DigestOf(doc)
		if err != nil {
			return nil, untransformed(err)
		}
		return append(make([]byte, 0, 2*len(sum)), sum[:]...), nil // the other half of what is signed follows
	}
	text, err := s.canonical(c, hash, doc)
	if err != nil {
		return nil, err
	}
	h := hash.New()
	h.Write(text)
	return h.Sum(nil), nil
}

// configuration is the proof as it is hashed: without its value, and in the
// context of the document.
//
// Data Integrity EdDSA Cryptosuites 1.0, 3.2.5 and 3.3.5 (Proof Configuration).
func (s suite) configuration(proof, context *strictjson.Node) *strictjson.Node {
	switch {
	case s.jcs:
		return proof.Altered([]string{"proofValue"})
	case context == nil: // as if it were null: nothing is defined without one
		return proof.Altered([]string{"proofValue", "@context"}, strictjson.NodeOf(nil).As("@context"))
	}
	return proof.Altered([]string{"proofValue", "@context"}, context)
}

// hashData is what gets signed: 3.2.4 (Hashing), the proof first.
func (s suite) hashData(c Canonicalizer, hash crypto.Hash, config *strictjson.Node, document []byte) ([]byte, error) {
	sum, err := s.digest(c, hash, config)
	if err != nil {
		return nil, err
	}
	return append(sum, document...), nil
}

// check verifies a signature over hashData.
func check(pub crypto.PublicKey, hash crypto.Hash, data, signature []byte) bool {
	switch key := pub.(type) {
	case ed25519.PublicKey:
		return len(key) == ed25519.PublicKeySize && ed25519.Verify(key, data, signature)
	case *ecdsa.PublicKey:
		half := (key.Curve.Params().BitSize + 7) / 8
		if len(signature) != 2*half {
			return false
		}
		h := hash.New()
		h.Write(data)
		return ecdsa.Verify(key, h.Sum(nil), new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:]))
	}
	return false
}

func encodeSignature(signature []byte) string {
	var few [140]byte
	return string(did.AppendBase58(append(few[:0], 'z'), signature))
}

func decodeSignature(value *strictjson.Node) ([]byte, error) {
	const remedy = "Give the signature in multibase base58btc (z…)."
	text := value.String()
	if text == "" || text[0] != 'z' {
		return nil, trouble(ProofVerificationError, remedy, "the proof has no proofValue in base58btc")
	}
	signature, err := did.DecodeBase58(text[1:])
	if err != nil {
		return nil, trouble(ProofVerificationError, remedy, "the proofValue is not base58btc")
	}
	return signature, nil
}
