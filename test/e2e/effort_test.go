package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"
)

// TestWhatIsMadeToTakeForEverIsGivenUp sends documents whose blank nodes are linked all to all, so that telling them apart
// would take longer the more there are, without end: each is refused with 422 after the same work, whatever its size and
// however it comes, and what is honest is signed and verified beside them.
func TestWhatIsMadeToTakeForEverIsGivenUp(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		issuer := h.issuer()
		good := h.achievement(issuer, h.must(201, h.send("POST", "/api/v1/images", picture(t), "Content-Type", "image/png")).id(t))
		var keys struct {
			Items []struct{ PublicKeyMultibase string }
		}
		h.must(200, h.send("GET", "/api/v1/issuers/"+issuer+"/keys", nil)).into(t, &keys)
		if len(keys.Items) == 0 {
			t.Fatal("the issuer has no key")
		}
		self := "did:key:" + keys.Items[0].PublicKeyMultibase
		contexts := []any{"https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"}
		poison := func(nodes int) map[string]any {
			var all []any
			for i := range nodes {
				var others []any
				for j := range nodes {
					if i != j {
						others = append(others, map[string]any{"id": fmt.Sprint("_:n", j)})
					}
				}
				all = append(all, map[string]any{"id": fmt.Sprint("_:n", i), "knows": others})
			}
			return map[string]any{
				"@context": contexts, "id": "urn:example:poison", "type": []any{"VerifiableCredential", "AlumniCredential"}, "issuer": self, "validFrom": "2026-01-01T00:00:00Z",
				"credentialSubject": map[string]any{"id": "did:example:1", "alumniOf": "The School of Examples", "knows": all},
			}
		}
		proof := map[string]any{
			"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "proofPurpose": "assertionMethod",
			"verificationMethod": self + "#key", "proofValue": "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq",
		}
		signed := func(nodes int) map[string]any {
			d := poison(nodes)
			d["proof"] = proof
			return d
		}
		token := func(payload map[string]any) string {
			text, err := json.Marshal(payload)
			if err != nil {
				t.Fatal(err)
			}
			encode := base64.RawURLEncoding.EncodeToString
			return encode([]byte(`{"alg":"EdDSA","typ":"JWT","kid":"did:key:z6Mk#z6Mk"}`)) + "." + encode(text) + "." + encode(make([]byte, 64))
		}
		const js = "application/json"
		for _, row := range []struct {
			name, path, kind string
			body             any
			code             string
		}{
			{"to be signed", "/vc/credentials/issue", js, map[string]any{"credential": poison(30)}, "vcapi.effort"},
			{"to be signed, larger", "/vc/credentials/issue", js, map[string]any{"credential": poison(60)}, "vcapi.effort"},
			{"to be signed by JCS, in a token", "/vc/credentials/issue", js, map[string]any{"credential": poison(30), "options": map[string]any{"format": "vc+jwt"}}, "vcapi.effort"},
			{"to be verified", "/vc/credentials/verify", js, map[string]any{"verifiableCredential": signed(30)}, "vcapi.effort"},
			{"to be verified, larger", "/vc/credentials/verify", js, map[string]any{"verifiableCredential": signed(60)}, "vcapi.effort"},
			{"presented", "/vc/presentations/verify", js, map[string]any{"verifiablePresentation": map[string]any{
				"@context": contexts[:1], "type": []any{"VerifiablePresentation"}, "verifiableCredential": []any{signed(30)}, "proof": proof}}, "vcapi.effort"},
			{"dropped on the verifier", "/api/v1/verify", js, signed(30), "verification.effort"},
			{"dropped on the verifier, larger", "/api/v1/verify", js, signed(60), "verification.effort"},
			{"dropped on the verifier with options", "/api/v1/verify", js, map[string]any{"verifiableCredential": signed(30), "options": map[string]any{"recipient": "ada@example.org"}}, "verification.effort"},
			{"in a token", "/api/v1/verify", "text/plain", token(poison(30)), "verification.effort"},
		} {
			t.Run(row.name, func(t *testing.T) {
				h := &house{t: t, base: h.base, log: h.log}
				a := h.send("POST", row.path, row.body, "Content-Type", row.kind)
				var said struct{ Code, Detail string }
				a.into(t, &said)
				if a.status != 422 || said.Code != row.code {
					t.Errorf("status %d, code %q: %.600s", a.status, said.Code, a.body)
				}
			})
		}
		// Many that are alike are told apart, as long as it takes no more than that.
		honest := poison(3)
		h.must(201, h.send("POST", "/vc/credentials/issue", map[string]any{"credential": honest}))
		badge := h.must(201, h.send("POST", "/api/v1/credentials", order(good)))
		var issued struct{ Credential rawJSON }
		badge.into(t, &issued)
		var report struct{ Verified bool }
		if h.must(200, h.send("POST", "/api/v1/verify", string(issued.Credential), "Content-Type", js)).into(t, &report); !report.Verified {
			t.Error("a badge of the house is not verified any more")
		}
	})
}
