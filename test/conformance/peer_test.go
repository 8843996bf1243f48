package conformance

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/badge-engine/badge-engine/test/houses"
)

const token = houses.Admin

// peerDir sets up the independent implementation and answers where it is, and Node.js.
func peerDir(t *testing.T) (dir, node string) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("Node.js is not installed: the independent implementation cannot run")
	}
	if dir, err = filepath.Abs("digitalbazaar"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "jose")); err != nil {
		npm, err := exec.LookPath("npm")
		if os.Getenv("CI") == "" || err != nil {
			t.Skip("set up the independent implementation with: npm ci --prefix test/conformance/digitalbazaar")
		}
		if out, err := exec.Command(npm, "ci", "--no-audit", "--no-fund", "--prefix", dir).CombinedOutput(); err != nil {
			t.Fatalf("npm ci: %v\n%s", err, out)
		}
	}
	return dir, node
}

// peer sets up the independent implementation and answers how to call it.
func peer(t *testing.T) func(t *testing.T, command string, document []byte) ([]byte, error) {
	t.Helper()
	dir, node := peerDir(t)
	return func(t *testing.T, command string, document []byte) ([]byte, error) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "credential.json")
		if err := os.WriteFile(file, document, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), node, "peer.mjs", command, file)
		cmd.Dir = dir
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		err := cmd.Run()
		t.Logf("%s: %s%s", command, &out, &errs)
		return out.Bytes(), err
	}
}

func post(t *testing.T, url, kind string, body []byte) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", kind)
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode/100 != 2 {
		t.Fatalf("%s answered %s: %s %v", url, response.Status, data, err)
	}
	return data
}

// TestWeAndAnIndependentImplementationVerifyEachOther goes both ways, with a
// credential that uses much of the data model, and with one that was tampered with.
func TestWeAndAnIndependentImplementationVerifyEachOther(t *testing.T) {
	call := peer(t)
	base, _ := houses.Boot(t, nil, nil)

	id := func(data []byte) string {
		var v struct{ ID string }
		if err := json.Unmarshal(data, &v); err != nil || v.ID == "" {
			t.Fatalf("no id in %s", data)
		}
		return v.ID
	}
	issuer := id(post(t, base+"/api/v1/issuers", "application/json", []byte(`{"name":"Academy","url":"https://academy.example.org",
		"address":{"addressCountry":"Switzerland","addressCountryCode":"CH","geo":{"latitude":47.37,"longitude":8}},
		"otherIdentifier":[{"identifier":"4711","identifierType":"sourcedId"}]}`)))
	const level = "urn:uuid:0192f5a0-0000-7000-8000-000000000002"
	achievement := id(post(t, base+"/api/v1/achievements", "application/json", []byte(`{"issuerId":"`+issuer+`","name":"Teamwork \"II\" ✓","description":"Line one\nline two",
		"achievementType":"Competency","criteria":{"id":"https://academy.example.org/criteria","narrative":"Do *it*."},"creditsAvailable":3.5,"inLanguage":"en-US",
		"fieldOfStudy":"Working","humanCode":"T2","specialization":"S","version":"2","tag":["a","b"],
		"alignment":[{"targetName":"T","targetUrl":"https://frameworks.example.org/t","targetType":"CFItem","targetCode":"c"}],
		"related":[{"id":"https://academy.example.org/achievements/1","inLanguage":"de"}],
		"resultDescription":[{"id":"urn:uuid:0192f5a0-0000-7000-8000-000000000001","name":"Level","resultType":"RubricCriterionLevel","allowedValue":["low","high"],
			"requiredLevel":"`+level+`","rubricCriterionLevel":[{"id":"`+level+`","name":"Mastered","level":"2","points":"10"}]}]}`)))
	var issued struct{ Credential json.RawMessage }
	answer := post(t, base+"/api/v1/credentials", "application/json", []byte(`{"achievementId":"`+achievement+`","recipient":{"email":"ada@example.org","id":"did:example:ada"},
		"creditsEarned":3,"awardedDate":"2026-01-02T03:04:05Z","activityStartDate":"2025-01-01T00:00:00Z","activityEndDate":"2025-06-01T00:00:00Z","validUntil":"2099-01-01T00:00:00Z",
		"licenseNumber":"L1","role":"lead","term":"spring","narrative":"Did it.",
		"result":[{"resultDescription":"urn:uuid:0192f5a0-0000-7000-8000-000000000001","achievedLevel":"`+level+`","alignment":[{"targetName":"T","targetUrl":"https://frameworks.example.org/t"}]}],
		"evidence":[{"id":"https://academy.example.org/evidence/1","name":"E","genre":"g","audience":"all"}]}`))
	if err := json.Unmarshal(answer, &issued); err != nil {
		t.Fatal(err)
	}

	t.Run("ours fits the published schema", func(t *testing.T) {
		file := filepath.Join("..", "..", "..", "shared", "standards", "ob3", "schema", "achievementcredential.json")
		if _, err := os.Stat(file); err != nil {
			t.Skip("the published schemas are not here")
		}
		schema, err := jsonschema.NewCompiler().Compile(file)
		if err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(issued.Credential))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document); err != nil {
			t.Errorf("%v for %s", err, issued.Credential)
		}
	})
	t.Run("they verify ours", func(t *testing.T) {
		if _, err := call(t, "verify", issued.Credential); err != nil {
			t.Errorf("%v for %s", err, issued.Credential)
		}
	})
	t.Run("they refuse ours when a word is changed", func(t *testing.T) {
		if _, err := call(t, "verify", bytes.Replace(issued.Credential, []byte("Did it."), []byte("Did it!"), 1)); err == nil {
			t.Error("a changed credential passed")
		}
	})
	t.Run("they see that ours is revoked", func(t *testing.T) {
		post(t, base+"/api/v1/credentials/"+id(answer)+"/revoke", "application/json", []byte(`{}`))
		out, err := call(t, "verify", issued.Credential)
		if err == nil {
			t.Errorf("a revoked credential passed: %s", out)
		}
	})
	t.Run("we verify theirs, and refuse it when a word is changed", func(t *testing.T) {
		theirs, err := call(t, "issue", issued.Credential)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range []struct {
			document []byte
			want     bool
		}{{theirs, true}, {bytes.Replace(theirs, []byte("Did it."), []byte("Did it!"), 1), false}} {
			var report struct{ Verified bool }
			data := post(t, base+"/api/v1/verify", "application/json", row.document)
			if err := json.Unmarshal(data, &report); err != nil || report.Verified != row.want {
				t.Errorf("verified %t instead of %t: %s", report.Verified, row.want, data)
			}
		}
	})
}
