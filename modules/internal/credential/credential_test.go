package credential_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

var (
	now       = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	processor = jsonld.New()
)

// key makes an Ed25519 key out of one letter, and its Multikey.
func key(t testing.TB, letter string) (ed25519.PrivateKey, string) {
	t.Helper()
	private := ed25519.NewKeyFromSeed([]byte(strings.Repeat(letter, 32)))
	multikey, err := did.EncodeMultikey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return private, multikey
}

// badge is a good badge of the issuer, unsigned.
func badge(issuer string) openbadges.AchievementCredential {
	c := openbadges.AchievementCredential{
		ID: "https://example.org/credentials/1", Name: "Teamwork", ValidFrom: "2026-01-01T00:00:00Z",
		Issuer: openbadges.Profile{ID: issuer, ProfileDetails: openbadges.ProfileDetails{Name: "Example Corp"}},
		CredentialSubject: openbadges.AchievementSubject{
			Identifier: []openbadges.IdentityObject{openbadges.NewEmailIdentity("a@example.com", "Kosher")},
			Achievement: openbadges.Achievement{ID: "https://example.org/achievements/1", AchievementDetails: openbadges.AchievementDetails{
				Name: "Teamwork", Description: "Works well with others & <asks>", Criteria: openbadges.Criteria{Narrative: "Ask the team."},
			}},
		},
	}
	c.Complete(func() string { return "urn:uuid:0198f2a0-0000-7000-8000-000000000001" })
	return c
}

// issued is the badge signed under its issuer's name.
func issued(t testing.TB, c openbadges.AchievementCredential, private ed25519.PrivateKey, multikey string) []byte {
	t.Helper()
	p, err := credential.Prepare(processor, c)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := p.Issue(t.Context(), integrity.NewEd25519Signer(private, c.Issuer.ID+"#"+multikey), now)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func web(pages map[string]string) func(context.Context, string) ([]byte, error) {
	return func(_ context.Context, url string) ([]byte, error) {
		if page, ok := pages[url]; ok {
			return []byte(page), nil
		}
		return nil, errors.New("no such page: " + url)
	}
}

func verifier(pages map[string]string) credential.Verifier {
	return credential.Verifier{Canonicalizer: processor, Resolver: did.Resolver{Fetch: web(pages)}, Now: func() time.Time { return now }}
}

// outcomes is a report in one line, without the checks that passed or were skipped.
func outcomes(r credential.Report) string {
	var out []string
	for _, c := range r.Checks {
		if c.Outcome == credential.Failed || c.Outcome == credential.Unknown || c.Outcome == credential.Warning {
			out = append(out, c.Name+" "+string(c.Outcome))
		}
	}
	return strings.Join(out, ", ")
}

func TestIssueSignsExactlyWhatWasPrepared(t *testing.T) {
	private, multikey := key(t, "a")
	issuer := did.KeyDID(multikey)
	p, err := credential.Prepare(processor, badge(issuer))
	if err != nil {
		t.Fatal(err)
	}
	document := bytes.Clone(p.Document())
	signer := integrity.NewEd25519Signer(private, issuer+"#"+multikey)
	signed, err := p.Issue(t.Context(), signer, now.Add(time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(signed, document[:len(document)-1]) || !json.Valid(signed) {
		t.Errorf("the signed document %s does not begin with the prepared one %s", signed, document)
	}
	var shape struct {
		Proof []map[string]any `json:"proof"`
	}
	if err := json.Unmarshal(signed, &shape); err != nil || len(shape.Proof) != 1 {
		t.Fatalf("the proof is no array of one: %v", err)
	}
	for name, want := range map[string]string{"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "created": "2026-06-01T12:00:00Z", "proofPurpose": "assertionMethod", "verificationMethod": issuer + "#" + multikey} {
		if shape.Proof[0][name] != want {
			t.Errorf("the member %s of the proof is %v, want %s", name, shape.Proof[0][name], want)
		}
	}
	if _, there := shape.Proof[0]["@context"]; there {
		t.Error("the context that was signed with the proof stands in it")
	}
	again := issued(t, badge(issuer), private, multikey)
	if third := issued(t, badge(issuer), private, multikey); !bytes.Equal(again, third) {
		t.Error("the same badge is not written in the same way twice")
	}
	r, err := verifier(nil).Verify(t.Context(), signed, credential.Options{Recipient: "A@example.com "})
	if err != nil || !r.Verified || outcomes(r) != "" {
		t.Errorf("the report is %+v, %v", r, err)
	}
}

func TestIssueWorksOnce(t *testing.T) {
	private, multikey := key(t, "a")
	issuer := did.KeyDID(multikey)
	p, err := credential.Prepare(processor, badge(issuer))
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	results := make([]error, 16)
	for i := range results {
		group.Go(func() {
			_, results[i] = p.Issue(context.Background(), integrity.NewEd25519Signer(private, issuer+"#"+multikey), now)
		})
	}
	group.Wait()
	good := 0
	for _, err := range results {
		if err == nil {
			good++
		} else if !errors.Is(err, credential.ErrIssued) {
			t.Error(err)
		}
	}
	if good != 1 {
		t.Errorf("it was issued %d times", good)
	}
}

func TestIssueRefusesTheKeyOfAnother(t *testing.T) {
	private, multikey := key(t, "a")
	issuer := "https://example.org/issuers/1"
	p, err := credential.Prepare(processor, badge(issuer))
	if err != nil {
		t.Fatal(err)
	}
	for name, method := range map[string]string{
		"did:key under an https issuer": did.KeyDID(multikey) + "#" + multikey,
		"another issuer":                "https://example.org/issuers/2#" + multikey,
		"no fragment":                   issuer,
		"a longer name":                 issuer + "/#" + multikey,
	} {
		if _, err := p.Issue(t.Context(), integrity.NewEd25519Signer(private, method), now); !errors.Is(err, credential.ErrForeignKey) {
			t.Errorf("%s: err = %v", name, err)
		}
	}
	if _, err := p.Issue(t.Context(), integrity.NewEd25519Signer(private, issuer+"#"+multikey), now); err != nil {
		t.Errorf("the right key after wrong ones: %v", err)
	}
}

func TestPrepareSaysWhichRuleWouldBeBroken(t *testing.T) {
	for name, row := range map[string]struct {
		change  func(*openbadges.AchievementCredential)
		pointer string
		says    string
	}{
		"a date without a zone":          {func(c *openbadges.AchievementCredential) { c.ValidFrom = "2026-01-01T00:00:00" }, "/validFrom", ""},
		"an end before the beginning":    {func(c *openbadges.AchievementCredential) { c.ValidUntil = "2025-01-01T00:00:00Z" }, "/validUntil", ""},
		"a relative id":                  {func(c *openbadges.AchievementCredential) { c.ID = "credentials/1" }, "/id", ""},
		"nobody who earned it":           {func(c *openbadges.AchievementCredential) { c.CredentialSubject.Identifier = nil }, "/credentialSubject", ""},
		"a type that no context defines": {func(c *openbadges.AchievementCredential) { c.Type = append(c.Type, "GoldStar") }, "/type/2", "undefined"},
		"a context that is not known": {func(c *openbadges.AchievementCredential) {
			c.Context = append(c.Context, "https://example.org/context")
		}, "/@context/2", ""},
		"an endorsement that is no JSON": {func(c *openbadges.AchievementCredential) { c.Endorsement = []json.RawMessage{json.RawMessage("{")} }, "", ""},
		"an endorsement with a double name": {func(c *openbadges.AchievementCredential) {
			c.Endorsement = []json.RawMessage{json.RawMessage(`{"id":"urn:1","id":"urn:2"}`)}
		}, "", ""},
		"a proof already": {func(c *openbadges.AchievementCredential) { c.Proof = []json.RawMessage{json.RawMessage("{}")} }, "/proof", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := badge("https://example.org/issuers/1")
			row.change(&c)
			_, err := credential.Prepare(processor, c)
			var lint *credential.LintError
			if !errors.As(err, &lint) || len(lint.Violations) == 0 {
				t.Fatalf("err = %v, want a LintError", err)
			}
			v := lint.Violations[0]
			if !strings.HasPrefix(v.Pointer, row.pointer) || v.Rule == "" || v.Detail == "" || v.Remedy == "" || !strings.Contains(v.Rule+v.Detail, row.says) {
				t.Errorf("the violation is %+v", v)
			}
		})
	}
}

// failing answers an error for everything.
type failing struct{}

func (failing) Sign(context.Context, []byte) ([]byte, error) { return nil, errors.New("no key") }
func (failing) Public() crypto.PublicKey {
	return ed25519.PublicKey(make([]byte, ed25519.PublicKeySize))
}
func (failing) VerificationMethod() string { return "https://example.org/issuers/1#k" }

func TestIssueIsSpentByASignerThatFails(t *testing.T) {
	p, err := credential.Prepare(processor, badge("https://example.org/issuers/1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Issue(t.Context(), failing{}, now); err == nil || errors.Is(err, credential.ErrIssued) {
		t.Errorf("err = %v, want the signer's", err)
	}
	if _, err := p.Issue(t.Context(), failing{}, now); !errors.Is(err, credential.ErrIssued) {
		t.Errorf("err = %v, want ErrIssued", err)
	}
}

func BenchmarkPrepareAndIssue(b *testing.B) {
	private, multikey := key(b, "a")
	c := badge(did.KeyDID(multikey))
	signer := integrity.NewEd25519Signer(private, c.Issuer.ID+"#"+multikey)
	b.ReportAllocs()
	for b.Loop() {
		p, err := credential.Prepare(processor, c)
		if err == nil {
			_, err = p.Issue(b.Context(), signer, now)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIssue(b *testing.B) {
	private, multikey := key(b, "a")
	c := badge(did.KeyDID(multikey))
	signer := integrity.NewEd25519Signer(private, c.Issuer.ID+"#"+multikey)
	p, err := credential.Prepare(processor, c)
	if err != nil {
		b.Fatal(err)
	}
	document := map[string]any{}
	if err := json.Unmarshal(p.Document(), &document); err != nil {
		b.Fatal(err)
	}
	transformed, err := integrity.Transform(processor, strictjson.NodeOf(document))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := integrity.Create(b.Context(), processor, integrity.EdDSARDFC2022, signer, document, integrity.Options{Created: now, Transformed: transformed}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	private, multikey := key(b, "a")
	signed := issued(b, badge(did.KeyDID(multikey)), private, multikey)
	v := verifier(nil)
	b.SetBytes(int64(len(signed)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := v.Verify(b.Context(), signed, credential.Options{})
		if err != nil || !r.Verified {
			b.Fatal(r, err)
		}
	}
}
