package integrity_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// TestAFramingChangesNoProof signs over and over with one framing, and each time without.
func TestAFramingChangesNoProof(t *testing.T) {
	c, document := jsonld.New(), object(t, alumni)
	transformed, err := integrity.Transform(c, strictjson.NodeOf(document))
	if err != nil {
		t.Fatal(err)
	}
	framed, err := integrity.Transform(c, strictjson.NodeOf(document))
	if err != nil {
		t.Fatal(err)
	}
	framed.In(new(integrity.Framing))
	first, other := edSigner(t), edSigner(t)
	other.Signer = renamed{other.Signer, "https://example.org/keys/2026-01-02T03:04:05Z"}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i, row := range []struct {
		by *recorder
		o  integrity.Options
	}{
		{first, integrity.Options{Created: at}},
		{first, integrity.Options{Created: at.Add(time.Hour)}},
		{other, integrity.Options{Created: at}}, // the date stands in the name of the key, too
		{other, integrity.Options{Created: at.Add(time.Hour)}},
		{first, integrity.Options{}},
		{first, integrity.Options{Created: at, ID: "urn:uuid:1", Domain: "example.org", Challenge: "1", Nonce: "2", Purpose: "authentication"}},
		{first, integrity.Options{Created: at.Add(time.Minute), ID: "urn:uuid:1", Domain: "example.org", Challenge: "1", Nonce: "2", Purpose: "authentication"}},
		{first, integrity.Options{Created: at, Expires: at}},
		{first, integrity.Options{Created: at.Add(time.Hour), Expires: at}},
		{first, integrity.Options{Created: at}},
	} {
		want, err := integrity.Create(t.Context(), c, integrity.EdDSARDFC2022, row.by, document, withTransformed(row.o, transformed))
		if err != nil {
			t.Fatal(err)
		}
		got, err := integrity.Create(t.Context(), c, integrity.EdDSARDFC2022, row.by, document, withTransformed(row.o, framed))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("proof %d is %+v, %v, want %+v", i, got, err, want)
		}
	}
}

// renamed is a signer whose key has another name.
type renamed struct {
	integrity.Signer
	method string
}

func (r renamed) VerificationMethod() string { return r.method }

func withTransformed(o integrity.Options, t *integrity.Transformed) integrity.Options {
	o.Transformed = t
	return o
}

func TestAProofIsWrittenAsByEncodingJSON(t *testing.T) {
	for _, proof := range []integrity.Proof{
		{},
		{Type: "DataIntegrityProof", Cryptosuite: "eddsa-rdfc-2022", Created: "2026-01-01T00:00:00Z", VerificationMethod: "did:key:z6Mk#z6Mk", ProofPurpose: "assertionMethod", ProofValue: "z58"},
		{ID: "urn:uuid:1", Expires: "2026-01-01T00:00:00Z", Domain: "example.org", Challenge: "c", Nonce: "n"},
		{ID: "urn:uuid:1", Domain: "<&>\"\\\n\u2028é\x7f"},
		{Nonce: "\xff"},
		{Context: []any{"https://www.w3.org/ns/credentials/v2"}, PreviousProof: "urn:uuid:1"},
		{PreviousProof: []any{"urn:uuid:1", "urn:uuid:2"}},
	} {
		want, err := json.Marshal(proof)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := proof.AppendJSON([]byte("x")); err != nil || string(got) != "x"+string(want) {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}
