package credential_test

import (
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/datamodel"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
)

// TestATextDirectionIsTakenAndSpokenOf: some signers let the direction of a text stand in
// its canonical form, and some leave it out, so that somebody who alters it breaks no
// such signature. Both are verified, and of the latter the report warns.
func TestATextDirectionIsTakenAndSpokenOf(t *testing.T) {
	private, multikey := key(t, "a")
	self := did.KeyDID(multikey)
	signer := integrity.NewEd25519Signer(private, self+"#"+multikey)
	directed := func() map[string]any {
		return map[string]any{
			"@context": []any{datamodel.ContextV2}, "type": []any{"VerifiableCredential"}, "issuer": self,
			"name":              map[string]any{"@value": "كتاب", "@language": "ar", "@direction": "rtl"},
			"credentialSubject": map[string]any{"id": "did:example:1", "name": "A"},
		}
	}
	signed := func(c integrity.Canonicalizer, suites ...string) string {
		document, text := directed(), ""
		for _, suite := range suites {
			proof, err := integrity.Create(t.Context(), c, suite, signer, document, integrity.Options{Created: now})
			if err != nil {
				t.Fatal(err)
			}
			proofs, _ := document["proof"].([]any)
			document["proof"] = append(proofs, parsed(t, mustJSON(t, proof)))
			text = mustJSON(t, document)
		}
		return text
	}
	typed, dropped := signed(processor.Directed(), integrity.EdDSARDFC2022), signed(processor.Undirected(), integrity.EdDSARDFC2022)
	jcs := signed(processor, integrity.EdDSAJCS2022)
	turned := func(s string) string { return strings.Replace(s, `"rtl"`, `"ltr"`, 1) }
	for name, row := range map[string]struct {
		badge    string
		outcome  credential.Outcome
		verified bool
	}{
		"protected":                        {typed, credential.Passed, true},
		"protected, the direction turned":  {turned(typed), credential.Failed, false},
		"left out":                         {dropped, credential.Warning, true},
		"left out, the direction turned":   {turned(dropped), credential.Warning, true},
		"left out, the text changed":       {strings.Replace(dropped, "كتاب", "x", 1), credential.Failed, false},
		"by JCS":                           {jcs, credential.Passed, true},
		"by JCS, the direction turned":     {turned(jcs), credential.Failed, false},
		"left out by one, and by JCS":      {signed(processor.Undirected(), integrity.EdDSARDFC2022, integrity.EdDSAJCS2022), credential.Passed, true},
		"a direction that is none":         {strings.Replace(jcs, `"rtl"`, `"up"`, 1), credential.Failed, false},
		"a direction beside what is unset": {strings.Replace(dropped, `"@language":"ar"`, `"goldStar":"yes"`, 1), credential.Failed, false},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := verifier(nil).Verify(t.Context(), []byte(row.badge), credential.Options{Rules: func(map[string]any) []openbadges.Violation { return nil }})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range r.Checks {
				if c.Name == credential.CheckProof && (c.Outcome != row.outcome || (c.Outcome == credential.Warning) != strings.Contains(c.Detail, "/name/@direction") || c.Outcome == credential.Warning && c.Remedy == "") {
					t.Errorf("%+v", c)
				}
			}
			if r.Verified != row.verified {
				t.Errorf("verified %v: %s", r.Verified, mustJSON(t, r))
			}
		})
	}
}

// TestABadgeOfOursHasNoTextDirection: what is signed here is protected entirely.
func TestABadgeOfOursHasNoTextDirection(t *testing.T) {
	_, multikey := key(t, "a")
	doc := badge(did.KeyDID(multikey))
	doc.Context = append(doc.Context, map[string]any{"@direction": "rtl"})
	if _, err := credential.Prepare(processor, doc); err == nil {
		t.Error("it is prepared")
	}
}
