package conformance

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// ask posts to the VC API, which answers 400 for whatever is not verified.
func ask(t *testing.T, url string, body any) (int, map[string]any) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	var out map[string]any
	if err != nil || json.Unmarshal(text, &out) != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return response.StatusCode, out
}

// TestTheVCAPICrossesOver: what is signed below /vc an independent implementation
// verifies and derives from, and what it signs and presents is verified there.
func TestTheVCAPICrossesOver(t *testing.T) {
	peerDir(t)
	base := bootAt(t)
	var made struct{ ID string }
	if err := json.Unmarshal(post(t, base+"/api/v1/issuers", "application/json", []byte(`{"name":"Academy"}`)), &made); err != nil {
		t.Fatal(err)
	}
	post(t, base+"/api/v1/issuers/"+made.ID+"/keys", "application/json", []byte(`{"kind":"P-256"}`))
	issuer := address + "/issuers/" + made.ID
	document := func() task {
		return task{"@context": []any{"https://www.w3.org/ns/credentials/v2"}, "id": "urn:uuid:0198f2a0-0000-7000-8000-000000000001", "type": []any{"VerifiableCredential"},
			"issuer": issuer, "validFrom": "2026-01-01T00:00:00Z", "credentialSubject": task{"id": "did:example:1", "name": "Ada", "description": "A mathematician"}}
	}
	former := task{"@context": []any{"https://www.w3.org/2018/credentials/v1", task{"alumniOf": "https://schema.org/alumniOf"}}, "id": "urn:uuid:0198f2a0-0000-7000-8000-000000000002", "type": []any{"VerifiableCredential"},
		"issuer": issuer, "issuanceDate": "2026-01-01T00:00:00Z", "credentialSubject": task{"id": "did:example:1", "alumniOf": "The School of Examples"}}
	issue := func(t *testing.T, credential task, options task) any {
		t.Helper()
		status, out := ask(t, base+"/vc/credentials/issue", task{"credential": credential, "options": options})
		if status != 201 {
			t.Fatalf("%d: %v", status, out)
		}
		return out["verifiableCredential"]
	}
	for name, row := range map[string]struct {
		credential, options task
		suite               string
	}{
		"eddsa-rdfc-2022":                   {document(), nil, "eddsa-rdfc-2022"},
		"eddsa-jcs-2022":                    {document(), task{"cryptosuite": "eddsa-jcs-2022"}, "eddsa-jcs-2022"},
		"ecdsa-rdfc-2019":                   {document(), task{"cryptosuite": "ecdsa-rdfc-2019"}, "ecdsa-rdfc-2019"},
		"eddsa-rdfc-2022, data model 1.1":   {former, nil, "eddsa-rdfc-2022"},
		"ecdsa-sd-2023, derived over there": {document(), task{"mandatoryPointers": []string{"/issuer"}}, "ecdsa-sd-2023"},
	} {
		t.Run(name, func(t *testing.T) {
			credential := issue(t, row.credential, row.options)
			if row.suite == "ecdsa-sd-2023" {
				derived := carryOut(t, base, task{"do": "derive", "credential": credential, "pointers": []string{"/credentialSubject/name"}})[0]
				if derived.Error != "" {
					t.Fatal(derived.Error)
				}
				if err := json.Unmarshal(derived.Value, &credential); err != nil {
					t.Fatal(err)
				}
				status, out := ask(t, base+"/vc/credentials/verify", task{"verifiableCredential": credential})
				if status != 200 || out["verified"] != true {
					t.Errorf("%d: %v", status, out)
				}
			}
			if r := carryOut(t, base, task{"do": "verify", "credential": credential, "suite": row.suite})[0]; r.Error != "" {
				t.Errorf("%s for %v", r.Error, credential)
			}
		})
	}
	t.Run("a token, and a text with a direction", func(t *testing.T) {
		directed := document()
		directed["name"] = task{"@value": "كتاب", "@language": "ar", "@direction": "rtl"}
		envelope := issue(t, document(), task{"format": "vc+jwt"}).(map[string]any)
		token := strings.TrimPrefix(envelope["id"].(string), "data:application/vc+jwt,")
		r := carryOut(t, base, task{"do": "verifyToken", "token": token}, task{"do": "verify", "credential": issue(t, directed, nil), "suite": "eddsa-rdfc-2022"},
			task{"do": "present", "credential": directed, "domain": "d", "challenge": "c"})
		for i, name := range []string{"they verify the token", "they verify the text with a direction", "they sign one"} {
			if r[i].Error != "" {
				t.Errorf("%s: %s", name, r[i].Error)
			}
		}
		if !bytes.Contains(r[0].Value, []byte("A mathematician")) || !bytes.Contains(r[0].Value, []byte(`"vc+jwt"`)) {
			t.Errorf("they read %s", r[0].Value)
		}
		if status, out := ask(t, base+"/vc/presentations/verify", task{"verifiablePresentation": r[2].Value, "options": task{"domain": "d", "challenge": "c"}}); status != 200 || out["verified"] != true {
			t.Errorf("%d: %v", status, out)
		}
	})
	t.Run("they present", func(t *testing.T) {
		const domain, challenge = "github.com/w3c/vc-data-model-2.0-test-suite", "c0ffee"
		r := carryOut(t, base, task{"do": "present", "credential": document(), "domain": domain, "challenge": challenge})[0]
		if r.Error != "" {
			t.Fatal(r.Error)
		}
		for _, row := range []struct {
			challenge string
			want      int
		}{{challenge, 200}, {"other", 400}} {
			status, out := ask(t, base+"/vc/presentations/verify", task{"verifiablePresentation": r.Value, "options": task{"domain": domain, "challenge": row.challenge}})
			if status != row.want || out["verified"] != (row.want == 200) {
				t.Errorf("challenge %s: %d: %v", row.challenge, status, out)
			}
		}
	})
}
