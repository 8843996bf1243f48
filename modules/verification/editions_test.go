package verification_test

import (
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/verification"
)

// TestEveryContextOfOpenBadges3Verifies: old badges stay verifiable only if every version
// of their context does, in both data models. Those up to 3.0.1 are of data model 1.1
// alone: they define terms anew that the context of 2.0 protects.
func TestEveryContextOfOpenBadges3Verifies(t *testing.T) {
	const base = "https://purl.imsglobal.org/spec/ob/v3p0/"
	for _, name := range []string{"context.json", "context/ob_v3p0.jsonld", "context-3.0.1.json", "context-3.0.2.json", "context-3.0.3.json"} {
		for _, model := range []string{"https://www.w3.org/ns/credentials/v2", "https://www.w3.org/2018/credentials/v1"} {
			if former := name != "context-3.0.2.json" && name != "context-3.0.3.json"; former && model == "https://www.w3.org/ns/credentials/v2" {
				continue
			}
			t.Run(name+" in "+model, func(t *testing.T) {
				badge := altered(t, func(d map[string]any) {
					contexts := []any{model, base + name}
					if model == "https://www.w3.org/2018/credentials/v1" {
						contexts = append(contexts, "https://w3id.org/security/data-integrity/v2")
						d["issuanceDate"] = d["validFrom"]
						delete(d, "validFrom")
					}
					d["@context"] = contexts
				})
				r, err := verification.New(nil, nil, clock).Verify(t.Context(), badge, verification.Options{Recipient: "a@example.com"})
				if err != nil || !r.Verified || r.ValidFrom != "2026-01-01T00:00:00Z" {
					t.Errorf("%v, %+v", err, r.Checks)
				}
				changed := strings.Replace(string(badge), "Teamwork", "Leadership", 1)
				r, err = verification.New(nil, nil, clock).Verify(t.Context(), []byte(changed), verification.Options{})
				if c, _ := r.Check(credential.CheckProof); err != nil || r.Verified || c.Outcome != credential.Failed {
					t.Errorf("a changed one: %v, %+v", err, r.Checks)
				}
			})
		}
	}
}
