package conformance

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/test/houses"
)

// address is where the house of these tests says that it is.
const address = "https://badges.example.org"

type task map[string]any

type result struct {
	Value json.RawMessage
	Error string
}

// carryOut lets the independent implementation do several things.
func carryOut(t *testing.T, base string, tasks ...task) []result {
	t.Helper()
	dir, node := peerDir(t)
	data, err := json.Marshal(tasks)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "tasks.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, "proofs.mjs", file, base, address)
	cmd.Dir = dir
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	var results []result
	if err != nil || json.Unmarshal(out, &results) != nil || len(results) != len(tasks) {
		t.Fatalf("%v: %s%s", err, out, &errs)
	}
	return results
}

// bootAt boots a house that says it is at address.
func bootAt(t *testing.T) (base string) {
	t.Helper()
	base, _ = houses.Boot(t, nil, func(cfg *engine.Config) { cfg.PublicURL = address })
	return base
}

// TestEveryProofCrossesOver goes both ways with every cryptosuite and every algorithm of
// tokens: what we issue they verify, and refuse when a word is changed, and so with
// theirs and us. Of selective disclosure they derive from ours, and we from ours.
func TestEveryProofCrossesOver(t *testing.T) {
	peerDir(t)
	base := bootAt(t)
	created := func(path string, body any) map[string]any {
		t.Helper()
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		var v map[string]any
		if err := json.Unmarshal(post(t, base+path, "application/json", data), &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	issuer := created("/api/v1/issuers", task{"name": "Academy", "url": "https://academy.example.org"})["id"].(string)
	keys := map[string]string{}
	for _, kind := range []string{"P-256", "P-384", "RSA-2048"} {
		keys[kind] = created("/api/v1/issuers/"+issuer+"/keys", task{"kind": kind})["id"].(string)
	}
	const grade = "urn:uuid:0192f5a0-0000-7000-8000-000000000001"
	define := func(more task) string {
		more["issuerId"], more["name"], more["description"], more["criteria"] = issuer, "Teamwork \"II\" ✓", "Line one\nline two", task{"narrative": "Do *it*."}
		more["achievementType"], more["creditsAvailable"], more["tag"] = "Competency", 3.5, []string{"a", "b"}
		return created("/api/v1/achievements", more)["id"].(string)
	}
	// Their selective disclosure breaks down on what JSON-LD makes a list, as allowedValue is.
	listless := define(task{})
	achievement := define(task{"resultDescription": []task{{"id": grade, "name": "Level", "resultType": "LetterGrade", "allowedValue": []string{"low", "high"}}}})
	order := func(form task) map[string]any {
		form["recipient"] = task{"email": "ada@example.org", "id": "did:example:ada"}
		form["narrative"], form["description"] = "Did it.", "For those who asked."
		if form["achievementId"] == nil {
			form["achievementId"], form["result"] = achievement, []task{{"resultDescription": grade, "value": "high"}}
		}
		return created("/api/v1/credentials", form)
	}
	changed := func(v any) json.RawMessage {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Replace(data, []byte("Teamwork"), []byte("Teamplay"), -1)
	}
	verified := func(t *testing.T, kind string, document []byte, want bool) {
		t.Helper()
		var report struct{ Verified bool }
		data := post(t, base+"/api/v1/verify", kind, document)
		if err := json.Unmarshal(data, &report); err != nil || report.Verified != want {
			t.Errorf("verified %t instead of %t: %s", report.Verified, want, data)
		}
	}
	// Their issuers list no key, but are it.
	pass := func(t *testing.T, name string, r result) {
		t.Helper()
		if r.Error != "" {
			t.Errorf("%s: %s", name, r.Error)
		}
	}
	refuse := func(t *testing.T, name string, r result) {
		t.Helper()
		if r.Error == "" {
			t.Errorf("%s passed", name)
		}
	}

	for _, row := range []struct{ suite, kind string }{
		{"eddsa-rdfc-2022", "Ed25519"}, {"eddsa-jcs-2022", "Ed25519"},
		{"ecdsa-rdfc-2019", "P-256"}, {"ecdsa-rdfc-2019", "P-384"}, {"ecdsa-jcs-2019", "P-256"}, {"ecdsa-jcs-2019", "P-384"},
	} {
		t.Run(row.suite+" "+row.kind, func(t *testing.T) {
			proof := task{"cryptosuite": row.suite}
			if key := keys[row.kind]; key != "" {
				proof["keyId"] = key
			}
			ours := order(task{"proof": []task{proof}})["credential"]
			r := carryOut(t, base,
				task{"do": "verify", "suite": row.suite, "credential": ours},
				task{"do": "verify", "suite": row.suite, "credential": changed(ours)},
				task{"do": "issue", "suite": row.suite, "curve": row.kind, "credential": ours})
			pass(t, "they verify ours", r[0])
			refuse(t, "ours with another word", r[1])
			pass(t, "they issue", r[2])
			verified(t, "application/json", r[2].Value, true)
			verified(t, "application/json", changed(r[2].Value), false)
		})
	}

	t.Run("ecdsa-sd-2023", func(t *testing.T) {
		const suite = "ecdsa-sd-2023"
		out := order(task{"achievementId": listless, "proof": []task{{"cryptosuite": suite}}})
		ours := out["credential"]
		world := get(t, base+strings.TrimPrefix(out["publicUrl"].(string), address)+"?format=json")
		deep := []string{"/credentialSubject/narrative", "/credentialSubject/achievement/tag/1", "/credentialSubject/achievement/creditsAvailable"}
		theirs := task{"do": "issue", "suite": suite, "curve": "P-256", "credential": ours, "mandatory": []string{"/issuer", "/validFrom", "/credentialSubject/achievement/name", "/credentialSubject/achievement/description", "/credentialSubject/achievement/criteria"}, "pointers": deep}
		r := carryOut(t, base,
			task{"do": "verify", "suite": suite, "credential": json.RawMessage(world)},
			task{"do": "derive", "credential": ours, "pointers": deep},
			task{"do": "derive", "credential": ours, "pointers": []string{"/description"}},
			task{"do": "verify", "suite": suite, "credential": changed(json.RawMessage(world))},
			theirs)
		pass(t, "they verify what we derived", r[0])
		refuse(t, "what we derived with another word", r[3])
		for i, name := range map[int]string{1: "they derive from ours", 2: "they derive less", 4: "they issue and derive"} {
			pass(t, name, r[i])
			verified(t, "application/json", r[i].Value, true)
			verified(t, "application/json", changed(r[i].Value), false)
		}
		again := carryOut(t, base, task{"do": "verify", "suite": suite, "credential": r[1].Value})
		pass(t, "they verify what they derived from ours", again[0])
		if bytes.Contains(r[2].Value, []byte("Did it.")) || !bytes.Contains(r[2].Value, []byte("For those who asked.")) {
			t.Errorf("they show %s", r[2].Value)
		}
	})

	for alg, kind := range map[string]string{"ES256": "P-256", "ES384": "P-384", "RS256": "RSA-2048", "EdDSA": "Ed25519"} {
		t.Run("a token by "+alg, func(t *testing.T) {
			key := keys[kind]
			if key == "" {
				for _, k := range list(t, base+"/api/v1/issuers/"+issuer+"/keys") {
					if k["kind"] == kind {
						key = k["id"].(string)
					}
				}
			}
			for _, format := range []string{"jwt", "vc+jwt"} {
				out := order(task{"format": format, "formatKeyId": key})
				ours := out["jwt"].(string)
				r := carryOut(t, base, task{"do": "verifyToken", "token": ours}, task{"do": "verifyToken", "token": tampered(t, ours)}, task{"do": "issueToken", "alg": alg, "credential": out["credential"]})
				pass(t, format+": they verify ours", r[0])
				refuse(t, format+": ours with another word", r[1])
				pass(t, format+": they issue", r[2])
				if !bytes.Contains(r[0].Value, []byte(`"alg":"`+alg+`"`)) || !bytes.Contains(r[0].Value, []byte("Did it.")) {
					t.Errorf("they read %s", r[0].Value)
				}
				var theirs string
				if err := json.Unmarshal(r[2].Value, &theirs); err != nil {
					t.Fatal(err)
				}
				verified(t, "application/jwt", []byte(theirs), true)
				verified(t, "application/jwt", []byte(tampered(t, theirs)), false)
			}
		})
	}
}

// tampered changes a word of the payload.
func tampered(t *testing.T, token string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || !bytes.Contains(payload, []byte("Did it.")) {
		t.Fatalf("the payload is %s, %v", payload, err)
	}
	parts[1] = base64.RawURLEncoding.EncodeToString(bytes.Replace(payload, []byte("Did it."), []byte("Did it!"), 1))
	return strings.Join(parts, ".")
}

func get(t *testing.T, url string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s answered %s: %s %v", url, response.Status, data, err)
	}
	return data
}

func list(t *testing.T, url string) []map[string]any {
	t.Helper()
	var out struct{ Items []map[string]any }
	if err := json.Unmarshal(get(t, url), &out); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", url, err))
	}
	return out.Items
}
