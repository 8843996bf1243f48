package jsonld_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
)

// TestCanonicalizeAgreesWithAnIndependentImplementation lets the canonicalizer that most verifiers in the world are made
// of, the npm packages jsonld and rdf-canonize, read made up credentials and compares each canonical form. CREDENTIALS
// says how many, and CREDENTIALS_FROM where to begin; theirs takes a hundredth of a second for each:
//
//	CREDENTIALS=100000 go test -timeout 2h -run IndependentImplementation ./modules/internal/jsonld
func TestCanonicalizeAgreesWithAnIndependentImplementation(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("Node.js is not installed: the independent implementation cannot run")
	}
	peer, err := filepath.Abs(filepath.Join("..", "..", "..", "test", "conformance", "digitalbazaar"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(peer, "node_modules", "rdf-canonize", "package.json")); os.Getenv("CI") != "" {
		peer = copied(t, peer) // the tests that live there may be setting it up at this moment
	} else if err != nil {
		t.Skip("set up the independent implementation with: npm ci --prefix test/conformance/digitalbazaar")
	}
	number := func(name string, otherwise int) int {
		text := os.Getenv(name)
		if text == "" {
			return otherwise
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	count, from := number("CREDENTIALS", 150), number("CREDENTIALS_FROM", 0)

	contexts := map[string]json.RawMessage{}
	for _, url := range jsonld.ContextURLs() {
		contexts[url], _ = jsonld.Context(url)
	}
	written, err := json.Marshal(contexts)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "contexts.json"), written, 0o600); err != nil {
		t.Fatal(err)
	}
	lines, err := os.Create(filepath.Join(dir, "credentials.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriter(lines)
	processor, documents := jsonld.New(), openBadges(t)
	seen := map[[sha256.Size]byte]bool{}
	var ours []string
	for seed := from; len(ours) < count; seed++ {
		if seed-from > 20*count+1000 {
			t.Fatalf("of %d credentials only %d were accepted", seed, len(ours))
		}
		document := documents.Example(seed)
		canonical, err := processor.Canonicalize(document)
		var e *jsonld.Error
		if errors.As(err, &e) && (e.Code == jsonld.CodeUndefinedTerm || e.Code == jsonld.CodeUndefinedType) {
			continue // older contexts lack some members
		}
		if e != nil && strings.Contains(e.Problem, "implementations disagree") {
			continue // that they do is why it is refused
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(text); seen[sum] {
			continue
		} else {
			seen[sum] = true
		}
		sum := sha256.Sum256(canonical)
		ours = append(ours, hex.EncodeToString(sum[:]))
		out.Write(text)
		out.WriteByte('\n')
	}
	if err := errors.Join(out.Flush(), lines.Close()); err != nil {
		t.Fatal(err)
	}

	cmd := exec.CommandContext(t.Context(), node, "canonize.mjs", lines.Name(), filepath.Join(dir, "contexts.json"))
	cmd.Dir = peer
	var errs bytes.Buffer
	cmd.Stderr = &errs
	answer, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &errs)
	}
	theirs := bytes.Split(bytes.TrimSpace(answer), []byte{'\n'})
	if len(theirs) != len(ours) {
		t.Fatalf("they read %d credentials of %d", len(theirs), len(ours))
	}
	wrong := 0
	for i, sum := range ours {
		if string(theirs[i]) == sum {
			continue
		}
		if wrong++; wrong > 5 {
			continue
		}
		text, _ := os.ReadFile(lines.Name())
		t.Errorf("theirs is %s, ours %s, of\n%s", theirs[i], sum, bytes.Split(text, []byte{'\n'})[i])
	}
	t.Logf("%d credentials compared, %d differ", len(ours), wrong)
}

// copied sets the independent implementation up in a folder of its own.
func copied(t *testing.T, from string) string {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("npm is not installed: the independent implementation cannot be set up")
	}
	to := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "canonize.mjs"} {
		data, err := os.ReadFile(filepath.Join(from, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.CommandContext(t.Context(), npm, "ci", "--no-audit", "--no-fund", "--prefix", to).CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	return to
}
