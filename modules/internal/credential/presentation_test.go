package credential_test

import (
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/datamodel"
)

// TestAKeyPresentsOnlyIfItIsForThat: a key that signs credentials does not prove by that
// that its holder is talking, nor the other way round.
func TestAKeyPresentsOnlyIfItIsForThat(t *testing.T) {
	private, multikey := key(t, "a")
	const holder = "did:web:example.org"
	document := func(relationship string) string {
		return `{"id":"` + holder + `","` + relationship + `":["` + holder + `#k"],"verificationMethod":[{"id":"` + holder + `#k","type":"Multikey","controller":"` + holder + `","publicKeyMultibase":"` + multikey + `"}]}`
	}
	vp := map[string]any{"@context": []any{datamodel.ContextV2}, "type": []any{"VerifiablePresentation"}, "holder": holder}
	proof, err := integrity.Create(t.Context(), processor, integrity.EdDSARDFC2022, integrity.NewEd25519Signer(private, holder+"#k"), vp,
		integrity.Options{Created: now, Purpose: "authentication", Challenge: "c", Domain: "d"})
	if err != nil {
		t.Fatal(err)
	}
	vp["proof"] = parsed(t, mustJSON(t, proof))
	for name, row := range map[string]struct {
		pages map[string]string
		o     credential.PresentationOptions
		want  string // the check that is not in order, and how
	}{
		"a key for authentication":           {map[string]string{"https://example.org/.well-known/did.json": document("authentication")}, credential.PresentationOptions{Challenge: "c", Domain: "d"}, ""},
		"a key for signing credentials":      {map[string]string{"https://example.org/.well-known/did.json": document("assertionMethod")}, credential.PresentationOptions{}, "proof failed"},
		"a document that does not answer":    {nil, credential.PresentationOptions{}, "proof unknown"},
		"another challenge than was given":   {map[string]string{"https://example.org/.well-known/did.json": document("authentication")}, credential.PresentationOptions{Challenge: "x"}, "proof failed"},
		"a document that says it is another": {map[string]string{"https://example.org/.well-known/did.json": `{"id":"did:web:example.com"}`}, credential.PresentationOptions{}, "proof failed"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := verifier(row.pages).VerifyPresentation(t.Context(), vp, row.o)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, c := range r.Checks {
				if c.Outcome == credential.Failed || c.Outcome == credential.Unknown {
					got += c.Name + " " + string(c.Outcome)
				}
				if c.Rule == "" {
					t.Errorf("%s names no rule", c.Name)
				}
			}
			if got != row.want || r.Verified != (row.want == "") {
				t.Errorf("%q, want %q: %s", got, row.want, mustJSON(t, r))
			}
		})
	}
}
