package integrity_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

const alumni = `{"@context":["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/examples/v2"],"id":"urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33","type":["VerifiableCredential","AlumniCredential"],"name":"Alumni Credential","description":"A minimum viable example of an Alumni Credential.","issuer":"https://vc.example/issuers/5678","validFrom":"2023-01-01T00:00:00Z","credentialSubject":{"id":"did:example:abcdefgh","alumniOf":"The School of Examples"}}`

// edSigner signs with the published test key.
func edSigner(t testing.TB) *recorder {
	return signer(t, "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2", "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq")
}

// add puts a proof into a document, as JSON would carry it.
func add(t testing.TB, document map[string]any, proof integrity.Proof) {
	t.Helper()
	written, err := json.Marshal(proof)
	if err != nil {
		t.Fatal(err)
	}
	proofs, _ := document["proof"].([]any)
	document["proof"] = append(proofs, object(t, string(written)))
}

// The figures of the standard, which hold where its files are not at hand.
func TestCreateReproducesThePublishedExample(t *testing.T) {
	by := edSigner(t)
	proof, err := integrity.Create(t.Context(), jsonld.New(), integrity.EdDSARDFC2022, by, object(t, alumni), integrity.Options{Created: time.Date(2023, 2, 24, 23, 36, 38, 5, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	const message = "bea7b7acfbad0126b135104024a5f1733e705108f42d59668b05c0c50004c6b0" + "517744132ae165a5349155bef0bb0cf2258fff99dfe1dbd914b938d775a36017"
	if got := hex.EncodeToString(by.message); got != message {
		t.Errorf("the signed message is %s, want %s", got, message)
	}
	if want := "z2YwC8z3ap7yx1nZYCg4L3j3ApHsF8kgPdSb5xoS1VR7vPG3F561B52hYnQF9iseabecm3ijx4K1FBTQsCZahKZme"; proof.ProofValue != want {
		t.Errorf("proofValue = %s, want %s", proof.ProofValue, want)
	}
}

func TestVerifyHoldsAProofToWhatIsExpected(t *testing.T) {
	c, now := jsonld.New(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	document := object(t, alumni)
	proof, err := integrity.Create(t.Context(), c, integrity.EdDSARDFC2022, edSigner(t), document,
		integrity.Options{Created: now, Expires: now.Add(time.Hour), Purpose: "authentication", Domain: "example.org", Challenge: "c1", Nonce: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	add(t, document, proof)
	for name, row := range map[string]struct {
		expect integrity.Expectation
		want   integrity.Code
	}{
		"all as it was made":         {integrity.Expectation{Purpose: "authentication", Domain: "example.org", Challenge: "c1", Now: now}, ""},
		"no domain and no challenge": {integrity.Expectation{Purpose: "authentication", Now: now}, ""},
		"another purpose":            {integrity.Expectation{Now: now}, integrity.ProofVerificationError},
		"another domain":             {integrity.Expectation{Purpose: "authentication", Domain: "example.com", Now: now}, integrity.InvalidDomainError},
		"another challenge":          {integrity.Expectation{Purpose: "authentication", Challenge: "c2", Now: now}, integrity.InvalidChallengeError},
		"after its end":              {integrity.Expectation{Purpose: "authentication", Now: now.Add(2 * time.Hour)}, integrity.ProofVerificationError},
	} {
		t.Run(name, func(t *testing.T) {
			results, err := integrity.Verify(t.Context(), c, did.Resolver{}, strictjson.NodeOf(document), row.expect)
			if err != nil {
				t.Fatal(err)
			}
			var e *integrity.Error
			if errors.As(results[0].Err, &e) != (row.want != "") || e != nil && e.Code != row.want {
				t.Errorf("err = %v, want %q", results[0].Err, row.want)
			}
		})
	}
}

func TestVerifyRefusesWhatIsNoProof(t *testing.T) {
	for name, proof := range map[string]string{
		"none":               `[]`,
		"null":               `null`,
		"a string":           `"proof"`,
		"a list of strings":  `["proof"]`,
		"more than anyone":   `[` + strings.Repeat(`{},`, 16) + `{}]`,
		"an object of a sum": `1`,
	} {
		document := object(t, alumni)
		document["proof"] = object(t, `{"p":`+proof+`}`)["p"]
		var e *integrity.Error
		if _, err := integrity.Verify(t.Context(), jsonld.New(), did.Resolver{}, strictjson.NodeOf(document), integrity.Expectation{}); !errors.As(err, &e) || e.Code != integrity.ParsingError {
			t.Errorf("%s: err = %v", name, err)
		}
	}
}

func TestVerifyNeverLetsAnUndefinedTermPass(t *testing.T) {
	c := jsonld.New()
	document := object(t, `{"@context":["https://www.w3.org/ns/credentials/v2"],"id":"urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33","type":["VerifiableCredential"],"issuer":"https://vc.example/issuers/5678","validFrom":"2023-01-01T00:00:00Z","credentialSubject":{"id":"did:example:abcdefgh"}}`)
	proof, err := integrity.Create(t.Context(), c, integrity.EdDSARDFC2022, edSigner(t), document, integrity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	add(t, document, proof)
	for name, change := range map[string]func(map[string]any){
		"in the document": func(d map[string]any) { d["goldStar"] = "yes" },
		"in the subject":  func(d map[string]any) { d["credentialSubject"].(map[string]any)["goldStar"] = "yes" },
		"in the proof":    func(d map[string]any) { d["proof"].([]any)[0].(map[string]any)["goldStar"] = "yes" },
	} {
		t.Run(name, func(t *testing.T) {
			altered := object(t, jcs(t, document))
			change(altered)
			results, err := integrity.Verify(t.Context(), c, did.Resolver{}, strictjson.NodeOf(altered), integrity.Expectation{})
			var undefined *jsonld.Error
			if err != nil || !errors.As(results[0].Err, &undefined) {
				t.Errorf("Verify = %+v, %v", results, err)
			}
		})
	}
	altered := object(t, jcs(t, document))
	altered["goldStar"] = "yes"
	if _, err := integrity.Create(t.Context(), c, integrity.EdDSARDFC2022, edSigner(t), altered, integrity.Options{}); err == nil {
		t.Error("an undefined term was signed")
	}
}

func TestChainsAreHeldTogether(t *testing.T) {
	c := jsonld.New()
	for _, suite := range []string{integrity.EdDSARDFC2022, integrity.EdDSAJCS2022} {
		document := object(t, alumni)
		first, err := integrity.Create(t.Context(), c, suite, edSigner(t), document, integrity.Options{ID: "urn:proof:1"})
		if err != nil {
			t.Fatal(err)
		}
		add(t, document, first)
		second, err := integrity.Create(t.Context(), c, suite, edSigner(t), document, integrity.Options{PreviousProof: []string{"urn:proof:1"}})
		if err != nil {
			t.Fatal(err)
		}
		add(t, document, second)
		for name, row := range map[string]struct {
			change func(map[string]any)
			want   bool
		}{
			"as it was made":             {func(map[string]any) {}, true},
			"without the first proof":    {func(d map[string]any) { d["proof"] = d["proof"].([]any)[1:] }, false},
			"with another date in front": {func(d map[string]any) { d["proof"].([]any)[0].(map[string]any)["created"] = "2020-01-01T00:00:00Z" }, false},
			"with ids that are no ids": {func(d map[string]any) {
				d["proof"].([]any)[1].(map[string]any)["previousProof"] = []any{json.Number("1")}
			}, false},
			"with a second proof of the first one's id": {func(d map[string]any) {
				proofs := d["proof"].([]any)
				d["proof"] = []any{proofs[0], map[string]any{"id": "urn:proof:1"}, proofs[1]}
			}, false},
			"with another id of the first": {func(d map[string]any) { d["proof"].([]any)[0].(map[string]any)["id"] = "urn:proof:2" }, false},
		} {
			altered := object(t, jcs(t, document))
			row.change(altered)
			results, err := integrity.Verify(t.Context(), c, did.Resolver{}, strictjson.NodeOf(altered), integrity.Expectation{})
			if err != nil {
				t.Fatal(err)
			}
			if last := results[len(results)-1]; (last.Err == nil) != row.want {
				t.Errorf("%s %s: err = %v", suite, name, last.Err)
			}
		}
		if _, err := integrity.Create(t.Context(), c, suite, edSigner(t), document, integrity.Options{PreviousProof: []string{"urn:proof:9"}}); err == nil {
			t.Error("a proof was chained to none")
		}
	}
}

// TestChainsRunOneWay: what covers itself by way of others was never signed, and is said
// to be so; and of two proofs the one that covers the other is the later.
func TestChainsRunOneWay(t *testing.T) {
	c := jsonld.New()
	document := object(t, alumni)
	var previous []string
	for _, at := range []string{"2026-06-01T12:00:00Z", "2026-06-01T12:00:00Z", "2026-05-01T12:00:00Z"} {
		created, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		id := fmt.Sprintf("urn:proof:%d", len(previous)+1)
		proof, err := integrity.Create(t.Context(), c, integrity.EdDSARDFC2022, edSigner(t), document, integrity.Options{ID: id, Created: created, PreviousProof: previous})
		if err != nil {
			t.Fatal(err)
		}
		add(t, document, proof)
		previous = append(previous, id)
	}
	verify := func(d map[string]any) []integrity.Result {
		results, err := integrity.Verify(t.Context(), c, did.Resolver{}, strictjson.NodeOf(d), integrity.Expectation{})
		if err != nil {
			t.Fatal(err)
		}
		return results
	}
	results := verify(document)
	for _, r := range results {
		if r.Err != nil {
			t.Errorf("%v", r.Err)
		}
	}
	if id := integrity.Backwards(results); id != "urn:proof:1" {
		t.Errorf("out of order is %q", id)
	}
	if id := integrity.Backwards(results[:2]); id != "" {
		t.Errorf("out of order is %q, though both were made at once", id)
	}
	for name, covered := range map[string]any{"itself": "urn:proof:1", "the last": []any{"urn:proof:3"}, "the second and nobody": []any{"urn:proof:9", "urn:proof:2"}} {
		altered := object(t, jcs(t, document))
		altered["proof"].([]any)[0].(map[string]any)["previousProof"] = covered
		var e *integrity.Error
		if r := verify(altered)[0]; !errors.As(r.Err, &e) || !strings.Contains(e.Problem, "circle") {
			t.Errorf("the first covers %s: %v", name, r.Err)
		}
	}
}

func TestJCSProofsHoldTheirContext(t *testing.T) {
	c := jsonld.New()
	document := object(t, alumni)
	proof, err := integrity.Create(t.Context(), c, integrity.EdDSAJCS2022, edSigner(t), document, integrity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	add(t, document, proof)
	for name, row := range map[string]struct {
		contexts string
		want     bool
	}{
		"a context behind":       {`["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/examples/v2","https://w3id.org/security/data-integrity/v2"]`, true},
		"a context in front":     {`["https://w3id.org/security/data-integrity/v2","https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/examples/v2"]`, false},
		"a context less":         {`["https://www.w3.org/ns/credentials/v2"]`, false},
		"the order turned round": {`["https://www.w3.org/ns/credentials/examples/v2","https://www.w3.org/ns/credentials/v2"]`, false},
	} {
		altered := object(t, jcs(t, document))
		altered["@context"] = object(t, `{"c":`+row.contexts+`}`)["c"]
		results, err := integrity.Verify(t.Context(), c, did.Resolver{}, strictjson.NodeOf(altered), integrity.Expectation{})
		if err != nil || (results[0].Err == nil) != row.want {
			t.Errorf("%s: %+v, %v", name, results, err)
		}
	}
}

// liar answers what no signer may.
type liar struct{ size int }

func (l liar) Sign(context.Context, []byte) ([]byte, error) { return make([]byte, l.size), nil }
func (liar) Public() crypto.PublicKey                       { return ed25519.PublicKey(make([]byte, 32)) }
func (liar) VerificationMethod() string                     { return "did:key:z#z" }

func p384Signer(t *testing.T) integrity.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return integrity.NewECDSASigner(key, "did:key:z#z")
}

func rsaSigner(t *testing.T) integrity.Signer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return integrity.NewRSASigner(key, "did:key:z#z")
}

func TestCreateRefuses(t *testing.T) {
	c := jsonld.New()
	for name, row := range map[string]struct {
		suite  string
		signer integrity.Signer
	}{
		"an unknown cryptosuite":     {"bbs-2023", edSigner(t)},
		"a suite only read":          {integrity.EdDSA2022, edSigner(t)},
		"a signature of wrong size":  {integrity.EdDSARDFC2022, liar{63}},
		"a key of no size":           {integrity.EdDSARDFC2022, integrity.NewEd25519Signer(ed25519.PrivateKey{1}, "did:key:z#z")},
		"a method that is no IRI":    {integrity.EdDSARDFC2022, integrity.NewEd25519Signer(make(ed25519.PrivateKey, 64), "key 1")},
		"a method that is relative":  {integrity.EdDSARDFC2022, integrity.NewEd25519Signer(make(ed25519.PrivateKey, 64), "#key")},
		"a type and not a suite":     {"DataIntegrityProof", edSigner(t)},
		"the old type as a suite":    {integrity.Ed25519Legacy, edSigner(t)},
		"nothing at all for a suite": {"", edSigner(t)},
		"a key of another kind":      {integrity.ECDSARDFC2019, edSigner(t)},
		"P-384 for P-256 alone":      {integrity.ECDSASD2023, p384Signer(t)},
		"an RSA key":                 {integrity.EdDSARDFC2022, rsaSigner(t)},
	} {
		var e *integrity.Error
		if proof, err := integrity.Create(t.Context(), c, row.suite, row.signer, object(t, alumni), integrity.Options{}); !errors.As(err, &e) {
			t.Errorf("%s: %+v, %v", name, proof, err)
		}
	}
}

func TestECDSASignaturesVerifyOnBothCurves(t *testing.T) {
	c := jsonld.New()
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		multikey, err := did.EncodeMultikey(&key.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		for _, suite := range []string{integrity.ECDSARDFC2019, integrity.ECDSAJCS2019} {
			document := object(t, alumni)
			proof, err := integrity.Create(t.Context(), c, suite, integrity.NewECDSASigner(key, did.KeyDID(multikey)+"#"+multikey), document, integrity.Options{})
			if err != nil {
				t.Fatal(err)
			}
			add(t, document, proof)
			results, err := integrity.Verify(t.Context(), c, did.Resolver{}, strictjson.NodeOf(document), integrity.Expectation{})
			if err != nil || results[0].Err != nil {
				t.Errorf("%s on %s: %+v, %v", suite, curve.Params().Name, results, err)
			}
		}
	}
}

func BenchmarkSign(b *testing.B) {
	c, by := jsonld.New(), edSigner(b)
	document := object(b, alumni)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := integrity.Create(b.Context(), c, integrity.EdDSARDFC2022, by, document, integrity.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	c := jsonld.New()
	document := object(b, alumni)
	proof, err := integrity.Create(b.Context(), c, integrity.EdDSARDFC2022, edSigner(b), document, integrity.Options{})
	if err != nil {
		b.Fatal(err)
	}
	add(b, document, proof)
	b.ReportAllocs()
	for b.Loop() {
		results, err := integrity.Verify(b.Context(), c, did.Resolver{}, strictjson.NodeOf(document), integrity.Expectation{})
		if err != nil || results[0].Err != nil {
			b.Fatal(results, err)
		}
	}
}

// eddsa-2022 is what badges of the first edition of the data model were signed by.
func TestTheFormerNameOfASuiteIsRead(t *testing.T) {
	c := jsonld.New()
	document := object(t, `{"@context":["https://www.w3.org/2018/credentials/v1","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json","https://w3id.org/security/data-integrity/v1"],
		"id":"urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33","type":["VerifiableCredential"],"issuer":{"id":"https://vc.example/issuers/5678","type":["Profile"]},
		"issuanceDate":"2023-01-01T00:00:00Z","credentialSubject":{"id":"did:example:abcdefgh"}}`)
	proof, err := integrity.CreateNamed(t.Context(), c, integrity.EdDSA2022, edSigner(t), document)
	if err != nil {
		t.Fatal(err)
	}
	add(t, document, proof)
	results, err := integrity.Verify(t.Context(), c, did.Resolver{}, strictjson.NodeOf(document), integrity.Expectation{})
	if err != nil || results[0].Err != nil || results[0].Suite != "eddsa-2022" {
		t.Errorf("Verify = %+v, %v", results, err)
	}
	document["issuanceDate"] = "2023-01-02T00:00:00Z"
	results, err = integrity.Verify(t.Context(), c, did.Resolver{}, strictjson.NodeOf(document), integrity.Expectation{})
	if err != nil || results[0].Err == nil {
		t.Errorf("a changed document: Verify = %+v, %v", results, err)
	}
}
