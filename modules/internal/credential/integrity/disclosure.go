package integrity

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// ErrBaseProof is in the chain of an error that says no more than that a proof of
// ecdsa-sd-2023 is a base proof, which is meant for the holder of a credential alone.
var ErrBaseProof = errors.New("integrity: a base proof is for the holder alone")

// maxStatements bounds the signatures of one proof, each of which is a statement
// that can be shown or kept back.
const maxStatements = 5000

// Sizes of what a proof of ecdsa-sd-2023 holds.
const (
	p256Signature = 64
	p256Multikey  = 35 // two bytes for the kind, 33 for the compressed point
	hmacSize      = 32
)

// Data Integrity ECDSA Cryptosuites 1.0, serializeBaseProofValue and
// serializeDerivedProofValue: the first bytes of a proof.
var (
	headerBase    = []byte{0xd9, 0x5d, 0x00}
	headerDerived = []byte{0xd9, 0x5d, 0x01}
)

// sourcer is a Canonicalizer that tells of each statement where the document says it.
// Only making and deriving proofs of ecdsa-sd-2023 asks for it.
type sourcer interface {
	Sourced(doc map[string]any) (quads []jsonld.Quad, sources []string, err error)
}

// baseProof is a proof that a holder derives others from. Whoever has it can show
// any part of the credential.
type baseProof struct {
	signature  []byte   // by the issuer
	publicKey  []byte   // of the key that signed the statements, as Multikey
	hmacKey    []byte   // that made the labels of the blank nodes
	signatures [][]byte // of each statement that is not mandatory
	mandatory  []string // JSON Pointers
}

// derivedProof is a proof for verifiers.
type derivedProof struct {
	signature  []byte
	publicKey  []byte
	signatures [][]byte
	labels     map[int][]byte // by the number of the canonical label
	mandatory  []int          // which statements of the document are mandatory
}

func (p baseProof) encode() string {
	data := appendHead(slices.Clone(headerBase), cborArray, 5)
	data = appendBytes(appendBytes(appendBytes(data, p.signature), p.publicKey), p.hmacKey)
	data = appendSignatures(data, p.signatures)
	data = appendHead(data, cborArray, uint64(len(p.mandatory)))
	for _, pointer := range p.mandatory {
		data = append(appendHead(data, cborText, uint64(len(pointer))), pointer...)
	}
	return "u" + base64.RawURLEncoding.EncodeToString(data)
}

func (p derivedProof) encode() string {
	data := appendHead(slices.Clone(headerDerived), cborArray, 5)
	data = appendBytes(appendBytes(data, p.signature), p.publicKey)
	data = appendSignatures(data, p.signatures)
	data = appendHead(data, cborMap, uint64(len(p.labels)))
	for _, number := range slices.Sorted(maps.Keys(p.labels)) {
		data = appendBytes(appendHead(data, cborUnsigned, uint64(number)), p.labels[number])
	}
	data = appendHead(data, cborArray, uint64(len(p.mandatory)))
	for _, index := range p.mandatory {
		data = appendHead(data, cborUnsigned, uint64(index))
	}
	return "u" + base64.RawURLEncoding.EncodeToString(data)
}

func appendSignatures(dst []byte, signatures [][]byte) []byte {
	dst = appendHead(dst, cborArray, uint64(len(signatures)))
	for _, signature := range signatures {
		dst = appendBytes(dst, signature)
	}
	return dst
}

func (r *cborReader) signatures() [][]byte {
	signatures := make([][]byte, r.count(cborArray))
	for i := range signatures {
		signatures[i] = r.bytes(p256Signature)
	}
	return signatures
}

// disclosureValue decodes a proofValue of ecdsa-sd-2023, and tells by its header
// which of the two kinds of proof it is.
func disclosureValue(value any) (body []byte, derived bool, err error) {
	const remedy = "Give the proof in multibase base64url (u…)."
	text, ok := value.(string)
	if !ok || text == "" || text[0] != 'u' {
		return nil, false, trouble(ProofVerificationError, remedy, "the proof has no proofValue in base64url")
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(text[1:])
	if err != nil || bytes.ContainsAny([]byte(text), "\r\n") {
		return nil, false, trouble(ProofVerificationError, remedy, "the proofValue is not base64url")
	}
	switch {
	case bytes.HasPrefix(data, headerBase):
		return data[len(headerBase):], false, nil
	case bytes.HasPrefix(data, headerDerived):
		return data[len(headerDerived):], true, nil
	}
	return nil, false, trouble(ProofVerificationError, "", "the proofValue does not begin as one of %s does", ECDSASD2023)
}

// decodeBase reads what encode wrote: parseBaseProofValue.
func decodeBase(body []byte) (baseProof, error) {
	r := &cborReader{rest: body}
	if r.count(cborArray) != 5 {
		r.fail()
	}
	p := baseProof{signature: r.bytes(p256Signature), publicKey: r.bytes(p256Multikey), hmacKey: r.bytes(hmacSize), signatures: r.signatures()}
	p.mandatory = make([]string, r.count(cborArray))
	for i := range p.mandatory {
		p.mandatory[i] = r.text()
	}
	return p, r.end()
}

// decodeDerived reads what encode wrote: parseDerivedProofValue. No two blank nodes
// may get the same label, or two things could pass for one.
func decodeDerived(body []byte) (derivedProof, error) {
	r := &cborReader{rest: body}
	if r.count(cborArray) != 5 {
		r.fail()
	}
	p := derivedProof{signature: r.bytes(p256Signature), publicKey: r.bytes(p256Multikey), signatures: r.signatures()}
	count := r.count(cborMap)
	p.labels = make(map[int][]byte, min(count, maxStatements))
	taken := make(map[string]bool, min(count, maxStatements))
	for range count {
		number, label := r.number(), r.bytes(hmacSize)
		if _, twice := p.labels[number]; twice || taken[string(label)] {
			r.fail()
		}
		if r.bad {
			break
		}
		p.labels[number], taken[string(label)] = label, true
	}
	p.mandatory = make([]int, r.count(cborArray))
	for i := range p.mandatory {
		p.mandatory[i] = r.number()
		if i > 0 && p.mandatory[i] <= p.mandatory[i-1] {
			r.fail()
		}
	}
	return p, r.end()
}

func labelOf(digest []byte) string { return "u" + base64.RawURLEncoding.EncodeToString(digest) }

// statements are what a document says, in the order of their text, with the blank
// nodes named by keyed hashes, so that what is kept back cannot be guessed from
// names that depend on it.
type statements struct {
	lines   []string
	quads   []jsonld.Quad       // as the document came
	sources map[string][]string // of a line
	labels  map[string]string   // from the labels of quads to the keyed ones
	digests map[string][]byte   // the same, undisguised
}

// statementsOf is labelReplacementCanonicalizeJsonLd with
// createHmacIdLabelMapFunction: Data Integrity ECDSA Cryptosuites 1.0, Selective
// Disclosure Functions.
func statementsOf(c Canonicalizer, document map[string]any, hmacKey []byte) (*statements, error) {
	source, ok := c.(sourcer)
	if !ok {
		return nil, trouble(ProofTransformationError, "", "the canonicalizer cannot tell parts of a document apart")
	}
	quads, places, err := source.Sourced(document)
	var canonical *jsonld.Canonical
	if err == nil {
		canonical, err = jsonld.CanonicalizeWith(crypto.SHA256, quads, 0)
	}
	if err != nil {
		return nil, trouble(ProofTransformationError, "", "the document cannot be brought into its canonical form").with(err)
	}
	s := &statements{quads: quads, sources: make(map[string][]string, len(quads)), labels: make(map[string]string, len(canonical.Labels)), digests: make(map[string][]byte, len(canonical.Labels))}
	for from, to := range canonical.Labels {
		mac := hmac.New(sha256.New, hmacKey)
		mac.Write([]byte(to))
		digest := mac.Sum(nil)
		s.labels[from], s.digests[from] = labelOf(digest), digest
	}
	for i, q := range quads {
		line := s.line(q)
		if _, twice := s.sources[line]; !twice {
			s.lines = append(s.lines, line)
		}
		s.sources[line] = append(s.sources[line], places[i])
	}
	slices.Sort(s.lines)
	if len(s.lines) > maxStatements {
		return nil, trouble(ProofGenerationError, "Secure it by another cryptosuite.", "the document makes %d statements, and %s takes at most %d", len(s.lines), ECDSASD2023, maxStatements)
	}
	return s, nil
}

func (s *statements) line(q jsonld.Quad) string {
	for _, t := range [...]*jsonld.Term{&q.Subject, &q.Object, &q.Graph} {
		if t.Kind == jsonld.Blank {
			t.Value = s.labels[t.Value]
		}
	}
	return q.String() + "\n"
}

// group is the part of the statements that pointers select.
type group struct {
	document map[string]any // what a reader of the part gets to see
	indexes  []int          // of its lines among all of them, in order
	labels   map[string]string
}

// group selects statements, and makes sure that the selected part of the document,
// read alone, says exactly these.
//
// The standard puts names for the blank nodes into the document, selects, and takes
// them out again (canonicalizeAndGroup). Since every statement has a place here, the
// places are selected instead, and lists keep their cells.
func (s *statements) group(c Canonicalizer, document map[string]any, pointers []string) (group, error) {
	if len(pointers) == 0 {
		return group{}, nil
	}
	chosen, err := selectionOf(pointers)
	if err != nil {
		return group{}, err
	}
	var g group
	if g.document, err = chosen.of(document); err != nil {
		return group{}, err
	}
	in := make(map[string]bool, len(s.lines))
	for i, line := range s.lines {
		if slices.ContainsFunc(s.sources[line], chosen.covers) {
			g.indexes = append(g.indexes, i)
			in[line] = true
		}
	}
	var quads []jsonld.Quad
	for _, q := range s.quads {
		if in[s.line(q)] {
			quads = append(quads, q)
		}
	}
	canonical, err := jsonld.CanonicalizeWith(crypto.SHA256, quads, 0)
	if err != nil {
		return group{}, trouble(ProofTransformationError, "", "the selected part cannot be brought into its canonical form").with(err)
	}
	alone, err := c.Canonicalize(g.document)
	if err != nil || !bytes.Equal(alone, canonical.NQuads) {
		e := trouble(ProofGenerationError, "Point at lists, JSON values, texts with their language, and objects with contexts of their own as a whole.", "a part that the pointers select does not mean by itself what it means in the document")
		if err != nil {
			e.cause = err
		}
		return group{}, e
	}
	g.labels = canonical.Labels
	return g, nil
}

// Selectable tells whether JSON Pointers can be mandatory in a base proof of the
// document, or be what a derived one shows.
func Selectable(c Canonicalizer, document map[string]any, pointers []string) error {
	unsecured := unproven(document)
	all, err := statementsOf(c, unsecured, nil)
	if err != nil {
		return err
	}
	_, err = all.group(c, unsecured, pointers)
	return err
}

// secrets are what a base proof is made with, once.
type secrets struct {
	hmacKey []byte
	key     *ecdsa.PrivateKey // signs the single statements, and is then forgotten
}

func newSecrets() (secrets, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return secrets{}, trouble(ProofGenerationError, "", "no key could be made").with(err)
	}
	s := secrets{hmacKey: make([]byte, hmacSize), key: key}
	rand.Read(s.hmacKey) // never fails
	return s, nil
}

// unproven is a document without its proofs.
func unproven(document map[string]any) map[string]any {
	if _, there := document["proof"]; !there {
		return document
	}
	unsecured := maps.Clone(document)
	delete(unsecured, "proof")
	return unsecured
}

// createBase makes a base proof.
//
// Data Integrity ECDSA Cryptosuites 1.0, Create Base Proof (ecdsa-sd-2023), Base
// Proof Serialization (ecdsa-sd-2023).
func createBase(ctx context.Context, c Canonicalizer, s suite, signer Signer, document map[string]any, o Options, secret func() (secrets, error)) (Proof, error) {
	with, err := secret()
	if err != nil {
		return Proof{}, err
	}
	unsecured := unproven(document)
	proof := o.proof(s, signer, nil)
	configuration, err := s.digest(c, crypto.SHA256, s.configuration(proof.configuration(), strictjson.NodeOf(unsecured["@context"]).As("@context")))
	if err != nil {
		return Proof{}, err
	}
	all, err := statementsOf(c, unsecured, with.hmacKey)
	if err != nil {
		return Proof{}, err
	}
	g, err := all.group(c, unsecured, o.MandatoryPointers)
	if err != nil {
		return Proof{}, err
	}
	publicKey, err := with.key.PublicKey.Bytes()
	if err != nil {
		return Proof{}, trouble(ProofGenerationError, "", "the key of the statements is not usable").with(err)
	}
	p := baseProof{publicKey: compressed(publicKey), hmacKey: with.hmacKey, mandatory: o.MandatoryPointers}
	single := NewECDSASigner(with.key, "")
	said := sha256.New()
	for i, line := range all.lines {
		if _, is := slices.BinarySearch(g.indexes, i); is {
			said.Write([]byte(line))
			continue
		}
		signature, err := single.Sign(ctx, []byte(line))
		if err != nil {
			return Proof{}, trouble(ProofGenerationError, "", "a statement could not be signed").with(err)
		}
		p.signatures = append(p.signatures, signature)
	}
	if p.signature, err = signer.Sign(ctx, slices.Concat(configuration, p.publicKey, said.Sum(nil))); err != nil {
		return Proof{}, trouble(ProofGenerationError, "", "the signer did not sign").with(err)
	}
	if len(p.signature) != p256Signature {
		return Proof{}, trouble(ProofGenerationError, "", "the signer answered %d bytes instead of the %d of a signature", len(p.signature), p256Signature)
	}
	proof.ProofValue = p.encode()
	return proof, nil
}

// compressed is a point on P-256 as a Multikey holds it. SEC 1, 2.3.3.
func compressed(point []byte) []byte {
	return append([]byte{0x80, 0x24, 2 + point[len(point)-1]&1}, point[1:33]...)
}

// Derive makes of a credential with a base proof of ecdsa-sd-2023 one that shows
// what the issuer made mandatory and what the JSON Pointers select, with a proof for
// verifiers. Other proofs, which cover the whole document, are left out. Whether the
// base proof is good is not asked: verify what comes out.
//
// Data Integrity ECDSA Cryptosuites 1.0, Add Derived Proof (ecdsa-sd-2023).
func Derive(c Canonicalizer, document map[string]any, pointers []string) (map[string]any, error) {
	proofs, err := proofsOf(strictjson.NodeOf(document))
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(proofs, func(p *strictjson.Node) bool { return p.Member("cryptosuite") == ECDSASD2023 })
	if at < 0 {
		return nil, trouble(ProofGenerationError, "Ask the issuer for a credential secured by "+ECDSASD2023+".", "the document has no proof that another could be derived from")
	}
	body, derived, err := disclosureValue(proofs[at].Get("proofValue").Value())
	if err != nil {
		return nil, err
	}
	if derived {
		return nil, trouble(ProofGenerationError, "Derive from the credential as the issuer gave it.", "the proof is a derived one already, and shows all that it can")
	}
	base, err := decodeBase(body)
	if err != nil {
		return nil, trouble(ProofGenerationError, "Take the credential from its issuer again.", "the base proof cannot be read").with(err)
	}
	unsecured := unproven(document)
	all, err := statementsOf(c, unsecured, base.hmacKey)
	if err != nil {
		return nil, err
	}
	mandatory, err := all.group(c, unsecured, base.mandatory)
	if err != nil {
		return nil, err
	}
	if len(base.signatures) != len(all.lines)-len(mandatory.indexes) {
		return nil, trouble(ProofGenerationError, "Take the credential from its issuer again.", "the base proof is not one of this document")
	}
	part, err := all.group(c, unsecured, slices.Concat(base.mandatory, pointers))
	if err != nil {
		return nil, err
	}
	if part.document == nil {
		return nil, trouble(ProofGenerationError, "Name what is to be shown as JSON Pointers.", "nothing is selected, and nothing is mandatory")
	}
	d := derivedProof{signature: base.signature, publicKey: base.publicKey, labels: make(map[int][]byte, len(part.labels))}
	for n, index := range part.indexes {
		before, is := slices.BinarySearch(mandatory.indexes, index)
		if is {
			d.mandatory = append(d.mandatory, n)
		} else {
			d.signatures = append(d.signatures, base.signatures[index-before])
		}
	}
	for from, canonical := range part.labels {
		number, err := strconv.Atoi(canonical[len("c14n"):])
		if err != nil {
			return nil, trouble(ProofGenerationError, "", "a blank node has no number").with(err)
		}
		d.labels[number] = all.digests[from]
	}
	proof := proofs[at].Map()
	proof["proofValue"] = d.encode()
	result := maps.Clone(part.document)
	result["proof"] = proof
	return result, nil
}

const again = "Ask the holder to derive a proof again, from the credential as the issuer gave it."

// forVerifiers reads a derived proof, and refuses a base proof: who has it can show
// what the holder did not mean to.
func forVerifiers(proof *strictjson.Node) (derivedProof, error) {
	body, derived, err := disclosureValue(proof.Get("proofValue").Value())
	if err != nil {
		return derivedProof{}, err
	}
	if !derived {
		return derivedProof{}, trouble(ProofVerificationError, "Let the holder derive a credential that shows what you need, and verify that one; a base proof is to be kept secret.",
			"the proof is a base proof of %s: it is for the holder alone, who derives proofs for verifiers from it", ECDSASD2023).with(ErrBaseProof)
	}
	if ids, err := previousOf(proof); err != nil || len(ids) > 0 {
		return derivedProof{}, trouble(ProofVerificationError, again, "a proof of %s names previous proofs, which it cannot cover", ECDSASD2023)
	}
	p, err := decodeDerived(body)
	if err != nil {
		return derivedProof{}, trouble(ProofVerificationError, again, "the derived proof cannot be read").with(err)
	}
	return p, nil
}

// disclosed verifies a derived proof.
//
// Data Integrity ECDSA Cryptosuites 1.0, Verify Derived Proof (ecdsa-sd-2023).
func (v *verification) disclosed(ctx context.Context, s suite, proof *strictjson.Node, pub crypto.PublicKey) error {
	p, err := forVerifiers(proof)
	if err != nil {
		return err
	}
	single, err := did.DecodeMultikey("z" + did.EncodeBase58(p.publicKey))
	key, ok := single.(*ecdsa.PublicKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return trouble(ProofVerificationError, again, "the derived proof holds no key on P-256 for its statements")
	}
	text, err := s.canonical(v.c, crypto.SHA256, without(v.document, nil))
	if err != nil {
		return err
	}
	lines, err := relabelled(text, p.labels)
	if err != nil {
		return err
	}
	if n := len(p.mandatory); len(lines) > maxStatements || len(lines)-n != len(p.signatures) || n > 0 && p.mandatory[n-1] >= len(lines) {
		return trouble(ProofVerificationError, again, "the document makes other statements than the proof is about: something was added or left out")
	}
	configuration, err := s.digest(v.c, crypto.SHA256, s.configuration(proof, v.document.Get("@context")))
	if err != nil {
		return err
	}
	said := sha256.New()
	var others []string
	for i, line := range lines {
		if _, is := slices.BinarySearch(p.mandatory, i); is {
			said.Write([]byte(line))
		} else {
			others = append(others, line)
		}
	}
	changed := trouble(ProofVerificationError, "Take the badge from its holder or issuer again; do not trust this copy.", "the signature does not fit: the document or its proof was changed, or another key signed")
	if !check(pub, crypto.SHA256, slices.Concat(configuration, p.publicKey, said.Sum(nil)), p.signature) {
		return changed
	}
	for i, line := range others {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !check(key, crypto.SHA256, []byte(line), p.signatures[i]) {
			return changed
		}
	}
	return nil
}

// relabelled are the lines of canonical N-Quads with the blank nodes named as a proof
// says, in their new order. Every node must have a name, and every name a node.
func relabelled(text []byte, labels map[int][]byte) ([]string, error) {
	seen := map[int]bool{}
	var lines []string
	for rest := text; len(rest) > 0; {
		n := bytes.IndexByte(rest, '\n') + 1
		line, err := relabel(rest[:n], labels, seen)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
		rest = rest[n:]
	}
	if len(seen) != len(labels) {
		return nil, trouble(ProofVerificationError, "", "the proof names things that are not in the document")
	}
	slices.Sort(lines)
	return lines, nil
}

// relabel names the blank nodes of one line. A term begins where the line does or
// behind a space; only literals contain spaces, and a literal may look like anything.
func relabel(line []byte, labels map[int][]byte, seen map[int]bool) (string, error) {
	const prefix = "_:c14n"
	out := make([]byte, 0, len(line)+2*hmacSize)
	for len(line) > 0 {
		end := bytes.IndexByte(line, ' ') + 1
		switch {
		case line[0] == '"':
			end = 1
			for line[end] != '"' { // canonical N-Quads close every literal
				if line[end] == '\\' {
					end++
				}
				end++
			}
			end += bytes.IndexByte(line[end:], ' ') + 1
		case bytes.HasPrefix(line, []byte(prefix)):
			number, err := strconv.Atoi(string(line[len(prefix) : end-1]))
			digest, there := labels[number]
			if err != nil || !there {
				return "", trouble(ProofVerificationError, "", "the proof does not name everything that is in the document")
			}
			seen[number] = true
			out = append(append(out, "_:"...), labelOf(digest)...)
			out, line = append(out, ' '), line[end:]
			continue
		case line[0] == '.':
			end = len(line)
		}
		out, line = append(out, line[:end]...), line[end:]
	}
	return string(out), nil
}
