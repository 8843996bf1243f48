package e2e

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// TestTheVCAPIOfTheBootedHouse signs under the address, the did:web and the did:key of an
// issuer, has what was signed verified, revokes it, and sees that it no longer verifies.
func TestTheVCAPIOfTheBootedHouse(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			const public = "https://badges.example.org"
			h := boot(t, func(cfg *engine.Config) {
				cfg.Database.URL = e.URL
				cfg.PublicURL = public
				if e.Name == "postgres" {
					cfg.Cache.URL = dbtest.Redis(t)
				}
			})
			issuer := h.issuer()
			h.must(201, h.send("POST", "/api/v1/issuers/"+issuer+"/keys", map[string]any{"kind": "P-256"}))
			var keys struct {
				Items []struct{ Kind, PublicKeyMultibase string }
			}
			h.must(200, h.send("GET", "/api/v1/issuers/"+issuer+"/keys", nil)).into(t, &keys)
			var multikey string
			for _, key := range keys.Items {
				if key.Kind == "Ed25519" {
					multikey = key.PublicKeyMultibase
				}
			}
			if multikey == "" {
				t.Fatalf("no key of the issuer: %+v", keys)
			}
			address := public + "/issuers/" + issuer
			written := func(id, issuer string) map[string]any {
				return map[string]any{
					"@context": []any{"https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"}, "id": id, "type": []any{"VerifiableCredential", "AlumniCredential"},
					"issuer": issuer, "validFrom": "2026-01-01T00:00:00Z", "credentialSubject": map[string]any{"id": "did:example:1", "alumniOf": "The School of Examples"},
				}
			}
			for _, row := range []struct{ name, issuer, suite string }{
				{"the address", address, ""},
				{"the address, by the other key", address, "ecdsa-rdfc-2019"},
				{"did:web", "did:web:badges.example.org:issuers:" + issuer, ""},
				{"did:key", "did:key:" + multikey, ""},
			} {
				t.Run(row.name, func(t *testing.T) {
					h := &house{t: t, base: h.base, log: h.log}
					id := "urn:example:" + strings.ReplaceAll(row.name, " ", "-")
					var out struct {
						VerifiableCredential map[string]any
					}
					h.must(201, h.send("POST", "/vc/credentials/issue?cryptosuite="+row.suite, map[string]any{"credential": written(id, row.issuer)})).into(t, &out)
					if method := out.VerifiableCredential["proof"].(map[string]any)["verificationMethod"].(string); !strings.HasPrefix(method, row.issuer+"#") {
						t.Errorf("the method is %s", method)
					}
					verify := func(status int, says string) {
						t.Helper()
						a := h.send("POST", "/vc/credentials/verify", map[string]any{"verifiableCredential": out.VerifiableCredential}, "Authorization", "")
						if a.status != status || !bytes.Contains(a.body, []byte(says)) {
							t.Errorf("%d: %s", a.status, a.body)
						}
					}
					verify(200, "It is not revoked")
					list := out.VerifiableCredential["credentialStatus"].(map[string]any)["statusListCredential"].(string)
					h.must(200, h.send("GET", strings.TrimPrefix(list, public), nil, "Authorization", "", "Accept", "application/vc+ld+json"))
					h.must(200, h.send("POST", "/vc/credentials/status", map[string]any{"credentialId": id, "credentialStatus": map[string]any{"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}, "status": true}))
					verify(400, "revoked")
				})
			}
			for name, row := range map[string]struct{ issuer, kid string }{
				"the address": {address, address + "/jwk/"},
				"did:web":     {"did:web:badges.example.org:issuers:" + issuer, "did:web:badges.example.org:issuers:" + issuer + "#"},
				"did:key":     {"did:key:" + multikey, "did:key:" + multikey + "#" + multikey},
			} {
				t.Run(name+", a token that is suspended", func(t *testing.T) {
					h := &house{t: t, base: h.base, log: h.log}
					id := "urn:example:token-" + strings.ReplaceAll(name, " ", "-")
					var out struct {
						VerifiableCredential map[string]any
					}
					h.must(201, h.send("POST", "/vc/credentials/issue", map[string]any{"credential": written(id, row.issuer), "options": map[string]any{"format": "vc+jwt", "statusPurpose": []string{"revocation", "suspension"}}})).into(t, &out)
					token, ok := strings.CutPrefix(fmt.Sprint(out.VerifiableCredential["id"]), "data:application/vc+jwt,")
					if !ok || out.VerifiableCredential["type"] != "EnvelopedVerifiableCredential" {
						t.Fatalf("%+v", out)
					}
					head, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
					if err != nil || !bytes.Contains(head, []byte(`"kid":"`+row.kid)) {
						t.Errorf("the header is %s, %v", head, err)
					}
					for _, step := range []struct {
						status  any // to be set, if any
						purpose string
						want    int
						says    string
					}{{nil, "", 200, "it is not suspended"}, {true, "suspension", 400, "The issuer suspended it"}, {false, "suspension", 200, "it is not suspended"}, {true, "revocation", 400, "The issuer revoked it"}} {
						if step.status != nil {
							h.must(200, h.send("POST", "/vc/credentials/status", map[string]any{"credentialId": id, "credentialStatus": map[string]any{"type": "BitstringStatusListEntry", "statusPurpose": step.purpose}, "status": step.status}))
						}
						a := h.send("POST", "/vc/credentials/verify", map[string]any{"verifiableCredential": out.VerifiableCredential}, "Authorization", "")
						if a.status != step.want || !bytes.Contains(a.body, []byte(step.says)) {
							t.Errorf("%+v: %d: %s", step, a.status, a.body)
						}
					}
				})
			}
			// The issuer's own choice holds where the options say nothing.
			h.must(200, h.send("PUT", "/api/v1/issuers/"+issuer+"/signing", map[string]any{"proof": []any{map[string]any{"cryptosuite": "ecdsa-jcs-2019"}}}))
			if a := h.must(201, h.send("POST", "/vc/credentials/issue", map[string]any{"credential": written("urn:example:chosen", address)})); !bytes.Contains(a.body, []byte(`"ecdsa-jcs-2019"`)) {
				t.Errorf("the issuer chose ecdsa-jcs-2019: %s", a.body)
			}
			if a := h.send("POST", "/vc/credentials/issue", map[string]any{"credential": written("urn:example:none", address), "options": map[string]any{"format": "vc+jwt", "alg": "ES384"}}); a.status != 400 || !bytes.Contains(a.body, []byte("vcapi.option")) {
				t.Errorf("no such key: %d: %s", a.status, a.body)
			}
			for name, issuer := range map[string]string{
				"an issuer of nobody":        public + "/issuers/0192f5a0-0000-7000-8000-000000000001",
				"an issuer in capitals":      public + "/issuers/" + strings.ToUpper(issuer),
				"a path below the issuer":    address + "/x",
				"the same path elsewhere":    "https://evil.example/issuers/" + issuer,
				"did:web of another host":    "did:web:evil.example:issuers:" + issuer,
				"did:web that hides a slash": "did:web:badges.example.org:issuers%2F" + issuer,
			} {
				if a := h.send("POST", "/vc/credentials/issue", map[string]any{"credential": written("urn:example:1", issuer)}); a.status != 400 || !bytes.Contains(a.body, []byte("vcapi.issuer")) {
					t.Errorf("%s: %d: %s", name, a.status, a.body)
				}
			}
			// What was signed must stay verifiable: the issuer and its keys cannot go.
			if a := h.send("DELETE", "/api/v1/issuers/"+issuer, nil, "If-Match", "*"); a.status != 409 {
				t.Errorf("the issuer went: %d: %s", a.status, a.body)
			}
		})
	}
}
