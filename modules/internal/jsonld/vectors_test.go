package jsonld_test

import (
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

func parse(t testing.TB, text string) map[string]any {
	t.Helper()
	v, err := strictjson.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	object, ok := v.(map[string]any)
	if !ok {
		t.Fatalf("%s is no object", text)
	}
	return object
}

func without(doc map[string]any, names ...string) map[string]any {
	rest := map[string]any{}
	for k, v := range doc {
		rest[k] = v
	}
	for _, n := range names {
		delete(rest, n)
	}
	return rest
}

// alumni is the credential of the eddsa-rdfc-2022 test vectors of vc-di-eddsa.
const alumni = `{"@context":["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/examples/v2"],
 "id":"urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33","type":["VerifiableCredential","AlumniCredential"],
 "name":"Alumni Credential","description":"A minimum viable example of an Alumni Credential.",
 "issuer":"https://vc.example/issuers/5678","validFrom":"2023-01-01T00:00:00Z",
 "credentialSubject":{"id":"did:example:abcdefgh","alumniOf":"The School of Examples"}}`

const alumniProof = `{"@context":["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/examples/v2"],
 "type":"DataIntegrityProof","cryptosuite":"eddsa-rdfc-2022","created":"2023-02-24T23:36:38Z",
 "verificationMethod":"did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2#z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2",
 "proofPurpose":"assertionMethod"}`

// teamwork is a minimal Open Badges 3.0 credential whose hashes are known from its signature.
const teamwork = `{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
 "id":"http://example.com/credentials/3527","type":["VerifiableCredential","OpenBadgeCredential"],
 "issuer":{"id":"https://example.com/issuers/876543","type":["Profile"],"name":"Example Corp"},
 "validFrom":"2010-01-01T00:00:00Z","name":"Teamwork Badge",
 "credentialSubject":{"id":"did:example:ebfeb1f712ebc6f1c276e12ec21","type":["AchievementSubject"],
  "achievement":{"id":"https://example.com/achievements/21st-century-skills/teamwork","type":["Achievement"],
   "criteria":{"narrative":"Team members are nominated for this badge by their peers and recognized upon review by Example Corp management."},
   "description":"This badge recognizes the development of the capacity to collaborate within a group environment.","name":"Teamwork"}}}`

const teamworkProof = `{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
 "type":"DataIntegrityProof","created":"2010-01-01T19:23:24Z",
 "verificationMethod":"https://example.com/issuers/876543#z6MkjZRZv3aez3r18pB1RBFJR1kwUVJ5jHt92JmQwXbd5hwi",
 "cryptosuite":"eddsa-rdfc-2022","proofPurpose":"assertionMethod"}`

// eachWay tests the direct and the general way to a canonical form.
func eachWay(t *testing.T, test func(t *testing.T, p *jsonld.Processor)) {
	t.Run("direct", func(t *testing.T) { test(t, jsonld.New()) })
	t.Run("general", func(t *testing.T) { test(t, jsonld.NewGeneral()) })
}

func TestCanonicalizeReproducesKnownHashes(t *testing.T) { eachWay(t, reproducesKnownHashes) }

func reproducesKnownHashes(t *testing.T, p *jsonld.Processor) {
	for _, c := range []struct {
		name, doc, hash string
		quads           int
	}{
		{"the alumni credential", alumni, "517744132ae165a5349155bef0bb0cf2258fff99dfe1dbd914b938d775a36017", 8},
		{"the alumni proof", alumniProof, "bea7b7acfbad0126b135104024a5f1733e705108f42d59668b05c0c50004c6b0", 5},
		{"the teamwork badge", teamwork, "5a43ed5b537b74f4e4660666cfe81da954dcdea9f599b82cf006a7ba26182369", 15},
		{"the teamwork proof", teamworkProof, "896dbd843ce6394ba0f154e0a452ab575efe641e9909aa343aac35ad3bbdd880", 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := p.Canonicalize(parse(t, c.doc))
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(got), "\n"); n != c.quads {
				t.Errorf("%d quads, want %d", n, c.quads)
			}
			if sum := sha256.Sum256(got); hex.EncodeToString(sum[:]) != c.hash {
				t.Errorf("hash %x of\n%s", sum, got)
			}
		})
	}
}

// TestCanonicalizePassesThePublishedVectors reads every canonical document and proof of vc-di-eddsa and vc-di-ecdsa.
func TestCanonicalizePassesThePublishedVectors(t *testing.T) { eachWay(t, passesThePublishedVectors) }

func passesThePublishedVectors(t *testing.T, p *jsonld.Processor) {
	cases := 0
	err := filepath.WalkDir(standards(t), func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := filepath.Base(path)
		dir := filepath.Dir(path)
		isJCS := strings.Contains(path, "jcs-20")
		kind := ""
		switch {
		case strings.HasPrefix(base, "canonDoc"):
			kind = "signed" + strings.TrimSuffix(strings.TrimPrefix(base, "canonDoc"), ".txt") + ".json"
		case strings.HasPrefix(base, "proofCanon"):
			kind = "proofConfig" + strings.TrimSuffix(strings.TrimPrefix(base, "proofCanon"), ".txt") + ".json"
		default:
			return nil
		}
		cases++
		t.Run(filepath.Base(dir)+" "+base, func(t *testing.T) {
			doc := without(parse(t, string(read(t, dir, kind))), "proof", "proofValue")
			if contexts, ok := doc["@context"].([]any); ok {
				// This context has no use here: testdata/citizen.json defines what the vectors
				// say in it, as their canonical forms tell.
				if at := slices.Index(contexts, any("https://w3id.org/citizenship/v4rc1")); at >= 0 {
					contexts[at] = parse(t, string(read(t, "testdata", "citizen.json")))
				}
			}
			want := string(read(t, path))
			var got []byte
			var err error
			switch {
			case isJCS:
				got, err = jsonld.JCS(doc)
			case strings.Contains(path, "p384"):
				got, err = p.CanonicalizeWith(crypto.SHA384, doc)
			default:
				got, err = p.Canonicalize(doc)
			}
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if cases < 20 {
		t.Errorf("only %d vectors were found", cases)
	}
}

func TestEmbeddedContextsAreThePublishedOnes(t *testing.T) {
	dir := standards(t, "contexts")
	for url, file := range map[string]string{
		"https://www.w3.org/2018/credentials/v1":                         "2018-credentials-v1.jsonld",
		"https://www.w3.org/ns/credentials/v2":                           "credentials-v2.jsonld",
		"https://www.w3.org/ns/did/v1":                                   "did-v1.jsonld",
		"https://w3id.org/security/data-integrity/v1":                    "data-integrity-v1.jsonld",
		"https://w3id.org/security/suites/ed25519-2020/v1":               "suites-ed25519-2020.jsonld",
		"https://purl.imsglobal.org/spec/ob/v3p0/context.json":           "ob-v3p0.json",
		"https://purl.imsglobal.org/spec/ob/v3p0/context/ob_v3p0.jsonld": "ob-v3p0.json",
		"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json":     "ob-v3p0-3.0.1.json",
		"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json":     "ob-v3p0-3.0.2.json",
		"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json":     "ob-v3p0-3.0.3.json",
		"https://purl.imsglobal.org/spec/ob/v3p0/extensions.json":        "ob-v3p0-extensions.json",
	} {
		t.Run(url, func(t *testing.T) {
			text, ok := jsonld.Context(url)
			if !ok {
				t.Fatal("it is not embedded")
			}
			var got, want any
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(read(t, dir, file), &want); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Error("it differs")
			}
		})
	}
}

func TestEveryEmbeddedContextCanBeProcessed(t *testing.T) {
	p := jsonld.New()
	for _, url := range jsonld.ContextURLs() {
		doc := map[string]any{"@context": url, "@id": "urn:a", "urn:p": "x"}
		if quads, err := p.Quads(doc); err != nil || len(quads) != 1 {
			t.Errorf("%s: %v, %v", url, quads, err)
		}
	}
}
