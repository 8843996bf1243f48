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
)

// bakery sets up the independent baker of Open Badges 2.0 and answers how to call it.
func bakery(t *testing.T) func(t *testing.T, command string, files ...[]byte) []byte {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("Node.js is not installed: the independent baker cannot run")
	}
	dir, err := filepath.Abs("bakery")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "openbadges-bakery")); err != nil {
		npm, err := exec.LookPath("npm")
		if os.Getenv("CI") == "" || err != nil {
			t.Skip("set up the independent baker with: npm ci --prefix test/conformance/bakery")
		}
		if out, err := exec.Command(npm, "ci", "--no-audit", "--no-fund", "--prefix", dir).CombinedOutput(); err != nil {
			t.Fatalf("npm ci: %v\n%s", err, out)
		}
	}
	return func(t *testing.T, command string, files ...[]byte) []byte {
		t.Helper()
		args := []string{"peer.mjs", command}
		for i, data := range files {
			name := filepath.Join(t.TempDir(), string(rune('a'+i)))
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Fatal(err)
			}
			args = append(args, name)
		}
		cmd := exec.CommandContext(t.Context(), node, args...)
		cmd.Dir = dir
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v: %s", command, err, &errs)
		}
		return out
	}
}

// public gets what anybody may read.
func public(t *testing.T, url string) []byte {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("%s answered %s: %s %v", url, response.Status, data, err)
	}
	return data
}

// TestAnIndependentBakerReadsOurOpenBadges2 has our pictures of the former edition read by
// a published package, and reads what that package bakes.
func TestAnIndependentBakerReadsOurOpenBadges2(t *testing.T) {
	call := bakery(t)
	base := bootAt(t)
	id := func(data []byte) string {
		var v struct{ ID string }
		if err := json.Unmarshal(data, &v); err != nil || v.ID == "" {
			t.Fatalf("no id in %s", data)
		}
		return v.ID
	}
	const js = "application/json"
	plain, err := os.ReadFile("../../docs/plain.png")
	if err != nil {
		t.Fatal(err)
	}
	svg := []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9v9z"/></svg>`)
	img := id(post(t, base+"/api/v1/images", "image/png", plain))
	issuer := id(post(t, base+"/api/v1/issuers", js, []byte(`{"name":"Academy","url":"https://academy.example.org","email":"a@academy.example.org"}`)))
	achievement := id(post(t, base+"/api/v1/achievements", js, []byte(`{"issuerId":"`+issuer+`","imageId":"`+img+`","name":"Teamwork ]]> ✓","description":"<d>","criteria":{"narrative":"n"}}`)))
	credential := id(post(t, base+"/api/v1/credentials", js, []byte(`{"achievementId":"`+achievement+`","recipient":{"email":"ada@example.org"},"narrative":"Did ]]> \"it\" & more ✓"}`)))
	assertion := public(t, base+"/ob2/assertions/"+credential)

	var want, got any
	if err := json.Unmarshal(assertion, &want); err != nil {
		t.Fatal(err)
	}
	same := func(what string, data []byte) {
		t.Helper()
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatalf("%s: %v in %s", what, err, data)
		}
		x, _ := json.Marshal(want)
		if y, _ := json.Marshal(got); !bytes.Equal(x, y) {
			t.Errorf("%s holds %s, want %s", what, y, x)
		}
	}
	same("the PNG", call(t, "extract", public(t, base+"/ob2/assertions/"+credential+"/badge.png")))
	same("the SVG", call(t, "extract", public(t, base+"/ob2/assertions/"+credential+"/badge.svg")))

	// They do not mask what ends a CDATA section, so that they get a milder text.
	mild := id(post(t, base+"/api/v1/credentials", js, []byte(`{"achievementId":"`+achievement+`","recipient":{"email":"ada@example.org"},"narrative":"Did \"it\" & more ✓"}`)))
	theirs := call(t, "bake", svg, public(t, base+"/ob2/assertions/"+mild))
	var report struct {
		Verified bool
		Edition  string
	}
	data := post(t, base+"/api/v1/verify?recipient=ada@example.org", "image/svg+xml", theirs)
	if err := json.Unmarshal(data, &report); err != nil || !report.Verified || report.Edition != "2.0" {
		t.Errorf("what they baked: %s of %s", data, theirs)
	}
}
