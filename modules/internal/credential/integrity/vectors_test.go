package integrity_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// published finds the published test vectors, or skips.
func published(t testing.TB, parts ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("there is no go.mod above")
		}
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(append([]string{dir, "..", "shared", "standards"}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skip("the published test vectors are not here")
	}
	return path
}

func text(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func object(t testing.TB, data string) map[string]any {
	t.Helper()
	value, err := strictjson.Parse([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return value.(map[string]any)
}

// citizen stands in for a context of the published vectors that no credential here
// uses: it defines what they say in it, as their canonical forms tell.
var citizen = sync.OnceValue(func() any {
	data, err := os.ReadFile("../../jsonld/testdata/citizen.json")
	if err != nil {
		panic(err)
	}
	terms, err := strictjson.Parse(data)
	if err != nil {
		panic(err)
	}
	return terms
})

// supplied is a processor that knows that context as well.
type supplied struct{ *jsonld.Processor }

func (s supplied) known(doc map[string]any) map[string]any {
	contexts, _ := doc["@context"].([]any)
	at := slices.Index(contexts, any("https://w3id.org/citizenship/v4rc1"))
	if at < 0 {
		return doc
	}
	doc, contexts = maps.Clone(doc), slices.Clone(contexts)
	contexts[at] = citizen()
	doc["@context"] = contexts
	return doc
}

func (s supplied) Canonicalize(doc map[string]any) ([]byte, error) {
	return s.Processor.Canonicalize(s.known(doc))
}

func (s supplied) DigestOf(doc *strictjson.Node) ([sha256.Size]byte, error) {
	return s.Processor.Digest(s.known(doc.Map()))
}

func (s supplied) CanonicalizeWith(hash crypto.Hash, doc map[string]any) ([]byte, error) {
	return s.Processor.CanonicalizeWith(hash, s.known(doc))
}

func (s supplied) Sourced(doc map[string]any) ([]jsonld.Quad, []string, error) {
	return s.Processor.Sourced(s.known(doc))
}

// recorder notes what a signer was asked to sign.
type recorder struct {
	integrity.Signer
	message []byte
}

func (r *recorder) Sign(ctx context.Context, message []byte) ([]byte, error) {
	r.message = append([]byte(nil), message...)
	return r.Signer.Sign(ctx, message)
}

// signer makes a signer of a published key pair.
func signer(t testing.TB, public, secret string) *recorder {
	t.Helper()
	data, err := did.DecodeBase58(secret[1:])
	if err != nil {
		t.Fatal(err)
	}
	method := did.KeyDID(public) + "#" + public
	switch data = data[2:]; public[:2] {
	case "z6":
		return &recorder{Signer: integrity.NewEd25519Signer(ed25519.NewKeyFromSeed(data), method)}
	case "zD":
		return &recorder{Signer: integrity.NewECDSASigner(ecKey(t, elliptic.P256(), data), method)}
	default:
		return &recorder{Signer: integrity.NewECDSASigner(ecKey(t, elliptic.P384(), data), method)}
	}
}

func ecKey(t testing.TB, curve elliptic.Curve, data []byte) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.ParseRawPrivateKey(curve, data)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Every folder of the published vectors: the canonical forms, the hashes, the
// signature where signing is deterministic, and the verification.
func TestPublishedVectors(t *testing.T) { eachWay(t, publishedVectors) }

// eachWay tests the direct and the general way to a canonical form.
func eachWay(t *testing.T, test func(t *testing.T, processor *jsonld.Processor)) {
	t.Run("direct", func(t *testing.T) { test(t, jsonld.New()) })
	t.Run("general", func(t *testing.T) { test(t, jsonld.NewGeneral()) })
}

func publishedVectors(t *testing.T, processor *jsonld.Processor) {
	c := supplied{processor}
	for _, row := range []struct{ standard, folder, suffix, keys string }{
		{"vc-di-eddsa", "eddsa-rdfc-2022", "DataInt", "keyPair"},
		{"vc-di-eddsa", "eddsa-rdfc-2022/employ", "DataInt", "keyPair"},
		{"vc-di-eddsa", "eddsa-jcs-2022", "JCS", "keyPair"},
		{"vc-di-eddsa", "Ed25519Signature2020", "EdSig", "keyPair"},
		{"vc-di-ecdsa", "ecdsa-rdfc-2019-p256", "ECDSAP256", "p256KeyPair"},
		{"vc-di-ecdsa", "ecdsa-rdfc-2019-p256/employ", "ECDSAP256", "p256KeyPair"},
		{"vc-di-ecdsa", "ecdsa-rdfc-2019-p384", "ECDSAP384", "p384KeyPair"},
		{"vc-di-ecdsa", "ecdsa-rdfc-2019-p384/employ", "ECDSAP384", "p384KeyPair"},
		{"vc-di-ecdsa", "ecdsa-jcs-2019-p256", "JCSECDSAP256", "p256KeyPair"},
		{"vc-di-ecdsa", "ecdsa-jcs-2019-p384", "JCSECDSAP384", "p384KeyPair"},
	} {
		t.Run(row.folder, func(t *testing.T) {
			root := published(t, row.standard)
			file := func(name, ext string) string { return text(t, filepath.Join(root, row.folder, name+row.suffix+ext)) }
			document := object(t, file("signed", ".json"))

			results, err := integrity.Verify(t.Context(), c, did.Resolver{}, strictjson.NodeOf(document), integrity.Expectation{})
			if err != nil || len(results) != 1 || results[0].Err != nil {
				t.Fatalf("Verify = %+v, %v", results, err)
			}
			changed := object(t, strings.Replace(file("signed", ".json"), "2023-02-24T23:36:38Z", "2023-02-24T23:36:39Z", 1))
			if results, err = integrity.Verify(t.Context(), c, did.Resolver{}, strictjson.NodeOf(changed), integrity.Expectation{}); err != nil || results[0].Err == nil {
				t.Errorf("a changed proof verifies: %+v, %v", results, err)
			}

			if row.folder == "Ed25519Signature2020" {
				return // read, never written
			}
			proof := document["proof"].(map[string]any)
			pair := object(t, text(t, filepath.Join(root, row.keys+".json")))
			secret, ok := pair["secretKeyMultibase"].(string)
			if !ok {
				secret = pair["privateKeyMultibase"].(string)
			}
			by := signer(t, pair["publicKeyMultibase"].(string), secret)
			created, err := time.Parse(time.RFC3339, proof["created"].(string))
			if err != nil {
				t.Fatal(err)
			}
			made, err := integrity.Create(t.Context(), c, proof["cryptosuite"].(string), by, document, integrity.Options{Created: created})
			if err != nil {
				t.Fatal(err)
			}
			hash := func(s string) string {
				if row.keys == "p384KeyPair" {
					return fmt.Sprintf("%x", sha512.Sum384([]byte(s)))
				}
				return fmt.Sprintf("%x", sha256.Sum256([]byte(s)))
			}
			message := hex.EncodeToString(by.message)
			if want := strings.TrimSpace(file("combinedHash", ".txt")); message != want {
				t.Errorf("the signed message is %s, want %s", message, want)
			}
			if want := hash(file("proofCanon", ".txt")) + hash(file("canonDoc", ".txt")); message != want {
				t.Errorf("the signed message is %s, want the hashes of the canonical forms %s", message, want)
			}
			if want := strings.TrimSpace(file("sigBTC58", ".txt")); made.ProofValue != want {
				t.Errorf("the signature is %s, want %s", made.ProofValue, want)
			}
			written, err := json.Marshal(made)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := jcs(t, object(t, string(written))), jcs(t, proof); got != want {
				t.Errorf("the proof is %s, want %s", got, want)
			}
		})
	}
}

func jcs(t testing.TB, v any) string {
	t.Helper()
	out, err := jsonld.JCS(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestPublishedProofSetsAndChains(t *testing.T) { eachWay(t, publishedProofSetsAndChains) }

func publishedProofSetsAndChains(t *testing.T, processor *jsonld.Processor) {
	root := published(t, "vc-di-eddsa", "proof-set-chain")
	for name, count := range map[string]int{"signedProofSet1": 1, "signedProofSet2": 2, "signedProofChain1": 3, "signedProofChain2": 4} {
		t.Run(name, func(t *testing.T) {
			document := object(t, text(t, filepath.Join(root, name+".json")))
			results, err := integrity.Verify(t.Context(), processor, did.Resolver{}, strictjson.NodeOf(document), integrity.Expectation{})
			if err != nil || len(results) != count {
				t.Fatalf("Verify = %d results, %v; want %d", len(results), err, count)
			}
			for i, r := range results {
				if r.Err != nil {
					t.Errorf("proof %d: %v", i, r.Err)
				}
			}
		})
	}
	pairs := object(t, text(t, filepath.Join(root, "multiKeyPairs.json")))
	for name, row := range map[string]struct{ config, document, key string }{
		"the first of a set":    {"proofSetConfigSigned1", "unsigned", "keyPair1"},
		"the second of a set":   {"proofSetConfigSigned2", "unsigned", "keyPair2"},
		"the first of a chain":  {"proofChainConfigSigned1", "signedProofSet2", "keyPair3"},
		"the second of a chain": {"proofChainConfigSigned2", "signedProofChain1", "keyPair4"},
	} {
		t.Run(name, func(t *testing.T) {
			want := object(t, text(t, filepath.Join(root, row.config+".json")))
			pair := pairs[row.key].(map[string]any)
			created, err := time.Parse(time.RFC3339, want["created"].(string))
			if err != nil {
				t.Fatal(err)
			}
			o := integrity.Options{Created: created}
			o.ID, _ = want["id"].(string)
			switch previous := want["previousProof"].(type) {
			case string:
				o.PreviousProof = []string{previous}
			case []any:
				for _, id := range previous {
					o.PreviousProof = append(o.PreviousProof, id.(string))
				}
			}
			by := signer(t, pair["publicKeyMultibase"].(string), pair["privateKeyMultibase"].(string))
			document := object(t, text(t, filepath.Join(root, row.document+".json")))
			made, err := integrity.Create(t.Context(), processor, integrity.EdDSARDFC2022, by, document, o)
			if err != nil {
				t.Fatal(err)
			}
			if made.ProofValue != want["proofValue"] {
				t.Errorf("the signature is %s, want %s", made.ProofValue, want["proofValue"])
			}
		})
	}
}
