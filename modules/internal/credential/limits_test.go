package credential_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/piprate/json-gold/ld"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/credential/jose"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// realistic is a badge as universities award them: about 2.5 kB once it is signed.
func realistic(issuer string) openbadges.AchievementCredential {
	c := badge(issuer)
	c.ID = "https://badges.example.org/credentials/0192f6c4-7c1b-7e5e-9b0a-5f1f3a1c2d3e"
	c.Name, c.Description = "Foundations of Bookbinding", "Awarded for six weeks at the bench."
	c.Issuer.ProfileDetails = openbadges.ProfileDetails{Name: "Guild of Binders", URL: "https://guild.example.org/", Email: "guild@example.org", Description: "We bind, and teach how to bind."}
	s := &c.CredentialSubject
	s.Achievement.ID = "https://badges.example.org/achievements/0192f6c4-7c1b-7e5e-9b0a-5f1f3a1c2d3f"
	s.Achievement.Image = &openbadges.Image{ID: "https://badges.example.org/images/0192f6c4-7c1b-7e5e-9b0a-5f1f3a1c2d40.png", Caption: "A sewn book"}
	s.Narrative = "Came every week, and bound a fourth book at home."
	s.Achievement.AchievementDetails = openbadges.AchievementDetails{
		Name: "Foundations of Bookbinding", Description: "Six weeks at the bench: sewing, casing-in and finishing, from the first fold to the pressed book.",
		Criteria: openbadges.Criteria{Narrative: "Bind three books of different structure, and say of each why it was bound so. The assessor opens every one."},
		Tag:      []string{"books", "crafts"}, HumanCode: "BB-101", FieldOfStudy: "Crafts",
		Alignment: []openbadges.Alignment{
			{TargetName: "Sewing", TargetURL: "https://skills.example.org/sewing", TargetFramework: "Crafts"},
			{TargetName: "Casing-in", TargetURL: "https://skills.example.org/casing-in", TargetFramework: "Crafts"},
			{TargetName: "Finishing", TargetURL: "https://skills.example.org/finishing", TargetFramework: "Crafts"},
		},
	}
	c.Evidence = []openbadges.Evidence{{ID: "https://portfolio.example.org/1", Name: "Three books", Narrative: "Photographs of the three books and of the bench."}}
	c.Complete(func() string { return "urn:uuid:0198f2a0-0000-7000-8000-000000000001" })
	return c
}

// TestOthersAreMeasuredByTheSameBadge holds the file that go run ./test/load gives to other implementations to what is
// measured here; -update writes it.
func TestOthersAreMeasuredByTheSameBadge(t *testing.T) {
	_, multikey := key(t, "a")
	p, err := credential.Prepare(processor, realistic(did.KeyDID(multikey)))
	if err != nil {
		t.Fatal(err)
	}
	want := append(slices.Clone(p.Document()), '\n')
	name := filepath.Join("..", "..", "..", "test", "load", "testdata", "credential.json")
	if *update {
		if err := os.WriteFile(name, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != string(want) {
		t.Errorf("%s is another badge, %v; write it anew with -update", name, err)
	}
}

// BenchmarkLimits measures what the table of docs/PERFORMANCE.md compares; go run ./test/load reads its names.
func BenchmarkLimits(b *testing.B) {
	private, multikey := key(b, "a")
	c := realistic(did.KeyDID(multikey))
	signer := integrity.NewEd25519Signer(private, c.Issuer.ID+"#"+multikey)
	signed := issued(b, c, private, multikey)
	if n := len(signed); n < 2300 || n > 2700 {
		b.Fatalf("a realistic credential has %d bytes", n)
	}
	// The collector runs as often as in a server, whose heap is never empty.
	heap := make([]byte, 64<<20)
	defer runtime.KeepAlive(heap)
	message := make([]byte, 64)
	signature := ed25519.Sign(private, message)
	public := private.Public().(ed25519.PublicKey)
	run := func(name string, one func() error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			took := make([]time.Duration, 0, 1<<14)
			for b.Loop() {
				start := time.Now()
				if err := one(); err != nil {
					b.Fatal(err)
				}
				if len(took) < cap(took) {
					took = append(took, time.Since(start))
				}
			}
			// The mean of a busy machine tells more of its neighbours than of us.
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "median-ns/op")
		})
	}
	run("ed25519-sign", func() error { ed25519.Sign(private, message); return nil })
	run("ed25519-verify", func() error {
		if !ed25519.Verify(public, message, signature) {
			return fmt.Errorf("it does not verify")
		}
		return nil
	})
	run("issue", func() error {
		p, err := credential.Prepare(processor, c)
		if err == nil {
			_, err = p.Issue(b.Context(), signer, now)
		}
		return err
	})
	template, err := credential.NewTemplate(processor, c)
	if err != nil {
		b.Fatal(err)
	}
	run("issue-prepared", func() error {
		p, err := template.Prepare(&c)
		if err == nil {
			_, err = p.Issue(b.Context(), signer, now)
		}
		return err
	})
	named := c // a token names its subject
	named.CredentialSubject.ID = "mailto:ada@example.org"
	prepared, err := template.Prepare(&named)
	if err != nil {
		b.Fatal(err)
	}
	parsed, err := strictjson.Read(prepared.Document())
	if err != nil {
		b.Fatal(err)
	}
	const kid = "https://badges.example.org/issuers/1/keys/1"
	token := func() (string, error) {
		return jose.Secure(b.Context(), signer, kid, jose.OpenBadges, prepared.Document(), parsed, now)
	}
	made, err := token()
	if err != nil {
		b.Fatal(err)
	}
	signing := []byte(made[:strings.LastIndexByte(made, '.')])
	run("ed25519-sign-token", func() error { ed25519.Sign(private, signing); return nil })
	run("issue-jwt", func() error { _, err := token(); return err })
	v := verifier(nil)
	run("verify", func() error {
		report, err := v.Verify(b.Context(), signed, credential.Options{})
		if err == nil && !report.Verified {
			err = fmt.Errorf("it is not verified: %+v", report)
		}
		return err
	})
	jcs := func(suite string, signer integrity.Signer) func() error {
		return func() error {
			p, err := credential.Prepare(processor, c)
			if err == nil {
				_, err = p.Secure(b.Context(), credential.Securing{Created: now, Proofs: []credential.Embedding{{Cryptosuite: suite, Signer: signer}}})
			}
			return err
		}
	}
	verified := func(suite string, signer integrity.Signer, issuer string) func() error {
		named := c
		named.Issuer.ID = issuer
		p, err := credential.Prepare(processor, named)
		if err != nil {
			b.Fatal(err)
		}
		signed, err := p.Secure(b.Context(), credential.Securing{Created: now, Proofs: []credential.Embedding{{Cryptosuite: suite, Signer: signer}}})
		if err != nil {
			b.Fatal(err)
		}
		return func() error {
			report, err := v.Verify(b.Context(), signed.Document, credential.Options{})
			if err == nil && !report.Verified {
				err = fmt.Errorf("it is not verified: %+v", report)
			}
			return err
		}
	}
	run("issue-eddsa-jcs", jcs(integrity.EdDSAJCS2022, signer))
	run("verify-eddsa-jcs", verified(integrity.EdDSAJCS2022, signer, c.Issuer.ID))
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	sum := sha256.Sum256(message)
	der, err := p256.Sign(nil, sum[:], crypto.SHA256)
	if err != nil {
		b.Fatal(err)
	}
	run("p256-sign", func() error { _, err := p256.Sign(nil, sum[:], crypto.SHA256); return err })
	run("p256-verify", func() error {
		if !ecdsa.VerifyASN1(&p256.PublicKey, sum[:], der) {
			return fmt.Errorf("it does not verify")
		}
		return nil
	})
	curved, err := did.EncodeMultikey(&p256.PublicKey)
	if err != nil {
		b.Fatal(err)
	}
	self := did.KeyDID(curved)
	c.Issuer.ID = self // the issuer is whose key it is
	run("issue-ecdsa-jcs", jcs(integrity.ECDSAJCS2019, integrity.NewECDSASigner(p256, self+"#"+curved)))
	run("verify-ecdsa-jcs", verified(integrity.ECDSAJCS2019, integrity.NewECDSASigner(p256, self+"#"+curved), self))
	c.Issuer.ID = did.KeyDID(multikey)
	run("issue-json-gold", func() error { return issueByJSONGold(c, signer.VerificationMethod(), private) })
}

// issueByJSONGold signs as one does with a general processor, from the data of a request to the signed text: contexts are
// in memory, and no rules are asked.
func issueByJSONGold(c openbadges.AchievementCredential, method string, private ed25519.PrivateKey) error {
	options := ld.NewJsonLdOptions("")
	options.ProcessingMode, options.Algorithm, options.Format, options.DocumentLoader = ld.JsonLd_1_1, ld.AlgorithmURDNA2015, "application/n-quads", embeddedContexts{}
	canonical := func(doc any) (string, error) {
		out, err := ld.NewJsonLdProcessor().Normalize(doc, options)
		text, _ := out.(string)
		return text, err
	}
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		return err
	}
	proof := map[string]any{"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "created": now.Format(time.RFC3339), "proofPurpose": "assertionMethod", "verificationMethod": method, "@context": doc["@context"]}
	first, err := canonical(proof)
	if err != nil {
		return err
	}
	second, err := canonical(doc)
	if err != nil {
		return err
	}
	if strings.Count(second, "\n") < 20 {
		return fmt.Errorf("only %s", second)
	}
	delete(proof, "@context")
	configuration, document := sha256.Sum256([]byte(first)), sha256.Sum256([]byte(second))
	proof["proofValue"] = "z" + did.EncodeBase58(ed25519.Sign(private, append(configuration[:], document[:]...)))
	doc["proof"] = []any{proof}
	_, err = json.Marshal(doc)
	return err
}

// embeddedContexts serves the embedded contexts to json-gold, parsed once.
type embeddedContexts struct{}

var parsedContexts = map[string]any{}

func (embeddedContexts) LoadDocument(url string) (*ld.RemoteDocument, error) {
	doc, known := parsedContexts[url]
	if !known {
		text, ok := jsonld.Context(url)
		if !ok {
			return nil, fmt.Errorf("no context %s", url)
		}
		if err := json.Unmarshal(text, &doc); err != nil {
			return nil, err
		}
		parsedContexts[url] = doc
	}
	return &ld.RemoteDocument{DocumentURL: url, Document: doc}, nil
}

// BenchmarkSizes issues and verifies credentials with more and more evidence; go run ./test/load report reads its names.
func BenchmarkSizes(b *testing.B) {
	private, multikey := key(b, "a")
	signer := integrity.NewEd25519Signer(private, did.KeyDID(multikey)+"#"+multikey)
	for _, kilobytes := range []int{2, 5, 10, 20, 50, 100, 200} {
		c := realistic(did.KeyDID(multikey))
		for i := 0; ; i++ {
			if text, err := json.Marshal(c); err != nil || len(text) >= kilobytes*1000-400 {
				break
			}
			c.Evidence = append(c.Evidence, openbadges.Evidence{ID: fmt.Sprint("https://portfolio.example.org/more/", i), Type: []string{"Evidence"}, Narrative: strings.Repeat("Seen at the bench. ", 16)})
		}
		template, err := credential.NewTemplate(processor, c)
		if err != nil {
			b.Fatal(err)
		}
		signed := issued(b, c, private, multikey)
		v := verifier(nil)
		b.Run(fmt.Sprintf("issue/%dkB", kilobytes), func(b *testing.B) {
			for b.Loop() {
				p, err := template.Prepare(&c)
				if err == nil {
					_, err = p.Issue(b.Context(), signer, now)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("verify/%dkB", kilobytes), func(b *testing.B) {
			for b.Loop() {
				if report, err := v.Verify(b.Context(), signed, credential.Options{}); err != nil || !report.Verified {
					b.Fatal(report, err)
				}
			}
		})
	}
}

// BenchmarkStages takes the making of one credential apart; go run ./test/load report reads its names.
func BenchmarkStages(b *testing.B) {
	private, multikey := key(b, "a")
	c := realistic(did.KeyDID(multikey))
	signed := issued(b, c, private, multikey)
	text, document, err := strictjson.Write(&c)
	if err != nil {
		b.Fatal(err)
	}
	proof := strictjson.NewObject(document.Get("@context"), strictjson.NewString("type", "DataIntegrityProof"), strictjson.NewString("cryptosuite", "eddsa-rdfc-2022"),
		strictjson.NewString("created", now.Format(time.RFC3339)), strictjson.NewString("proofPurpose", "assertionMethod"), strictjson.NewString("verificationMethod", c.Issuer.ID+"#"+multikey))
	message, signature := make([]byte, 64), ed25519.Sign(private, make([]byte, 64))
	for _, stage := range []struct {
		name string
		do   func() error
	}{
		{"text and tree of the struct", func() error { _, _, err := strictjson.Write(&c); return err }},
		{"the rules of the standards", func() error {
			if found := openbadges.CheckCredentialOf(document, openbadges.Issuing); len(found) > 0 {
				return fmt.Errorf("%v", found)
			}
			return nil
		}},
		{"canonical form and digest", func() error { _, err := processor.DigestOf(document); return err }},
		{"SHA-256 of the canonical form alone", func() error { sha256.Sum256(make([]byte, 6500)); return nil }},
		{"canonical form by JCS", func() error { _, err := jsonld.JCS(document); return err }},
		{"digest of the proof's options", func() error { _, err := processor.DigestOf(proof); return err }},
		{"Ed25519 signature", func() error { ed25519.Sign(private, message); return nil }},
		{"base58 of the signature", func() error { did.EncodeBase58(signature); return nil }},
		{"strict parsing of the signed text", func() error { _, err := strictjson.Read(signed); return err }},
		{"marshalling by encoding-json, for comparison", func() error { _, err := json.Marshal(c); return err }},
		{"parsing by encoding-json, for comparison", func() error { var v any; return json.Unmarshal(text, &v) }},
	} {
		b.Run(strings.ReplaceAll(stage.name, " ", "_"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := stage.do(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
