package credential_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
)

// TestATemplateMakesTheSameBadges awards one achievement in many ways, each as a whole by the general processor, as a
// whole, and by the template: every byte must be the same, and so must every refusal.
func TestATemplateMakesTheSameBadges(t *testing.T) {
	private, multikey := key(t, "a")
	signer := integrity.NewEd25519Signer(private, did.KeyDID(multikey)+"#"+multikey)
	c := realistic(did.KeyDID(multikey))
	general := jsonld.NewGeneral()
	template, err := credential.NewTemplate(processor, c)
	if err != nil {
		t.Fatal(err)
	}
	created := now
	outcome := func(p *credential.Prepared, err error) (string, error) {
		if err != nil {
			return "", err
		}
		signed, err := p.Issue(t.Context(), signer, created)
		return string(signed), err
	}
	random := rand.New(rand.NewPCG(3, 4))
	one := func(of ...string) string { return of[random.IntN(len(of))] }
	chance := func(n int) bool { return random.IntN(n) == 0 }
	issued, refused := 0, 0
	for range 2000 {
		d := c
		created = now.Add(time.Duration(random.IntN(1e6)) * time.Second)
		d.ID = fmt.Sprintf("https://badges.example.org/credentials/%d", random.IntN(1e6))
		d.Name = one("Bookbinding", "<b> & \"é\"\n", "\u2028", "")
		d.ValidFrom = one("2026-01-01T00:00:00Z", "2026-01-01T00:00:00+01:00", "2026-01-01", "2027-13-01T00:00:00Z")
		d.ValidUntil = one("", "", "2030-01-01T00:00:00Z", "2020-01-01T00:00:00Z")
		s := &d.CredentialSubject
		s.ID = one("", "did:example:alice", "mailto:ada@example.org", "no uri", d.Issuer.ID, c.CredentialSubject.Achievement.ID)
		s.Narrative, s.Role = one("", "Bound a fourth book."), one("", "\xff", "apprentice")
		s.Identifier = nil
		for range random.IntN(3) {
			s.Identifier = append(s.Identifier, openbadges.NewEmailIdentity(one("a@example.org", "b@example.org"), one("salt", "pepper")))
		}
		d.Evidence = nil
		for range random.IntN(4) {
			d.Evidence = append(d.Evidence, openbadges.Evidence{ID: one("", "https://portfolio.example.org/1", "https://portfolio.example.org/2", "\x00"), Type: []string{"Evidence"}, Name: one("", "Books", "Books", "Pictures")})
		}
		if s.Source = nil; chance(3) { // it may say the same of the issuer as the issuer does, or more
			s.Source = &openbadges.Profile{ID: one(d.Issuer.ID, "https://example.org/assessor"), Type: []string{"Profile"}, ProfileDetails: openbadges.ProfileDetails{Name: one(d.Issuer.Name, "Another")}}
		}
		if chance(8) {
			credits := random.Float64()*100 - 10
			s.CreditsEarned = &credits
		}
		if chance(8) {
			s.Result = []openbadges.Result{{Type: []string{"Result"}, Value: one("A", "B"), ResultDescription: one("", "urn:uuid:x")}}
		}
		if chance(8) {
			d.Context = append(openbadges.Contexts(), one(openbadges.ExtensionsContext, "https://example.org/context"))
		}
		if chance(10) {
			d.CredentialStatus = &openbadges.CredentialStatus{ID: "https://badges.example.org/status/1#7", Type: one("BitstringStatusListEntry", "1EdTechRevocationList"), StatusPurpose: "revocation", StatusListIndex: one("7", "x"), StatusListCredential: "https://badges.example.org/status/1"}
		}
		if chance(12) {
			d.Endorsement = []json.RawMessage{[]byte(one(`{"a":1,"a":2}`, `{`, `{"type":["VerifiableCredential","EndorsementCredential"]}`))}
		}
		if chance(20) {
			d.Proof = []json.RawMessage{[]byte("{}")}
		}
		want, wantErr := outcome(credential.Prepare(general, d))
		whole, wholeErr := outcome(credential.Prepare(processor, d))
		awarded := d
		awarded.Issuer, awarded.CredentialSubject.Achievement = openbadges.Profile{}, openbadges.Achievement{}
		got, gotErr := outcome(template.Prepare(&awarded))
		if whole != want || !reflect.DeepEqual(wholeErr, wantErr) {
			t.Fatalf("directly\n%s %v\nin general\n%s %v", whole, wholeErr, want, wantErr)
		}
		if got != want || !reflect.DeepEqual(gotErr, wantErr) {
			t.Fatalf("by the template\n%s %v\nin general\n%s %v", got, gotErr, want, wantErr)
		}
		if wantErr != nil {
			refused++
		} else {
			issued++
		}
	}
	if issued < 150 || refused < 150 {
		t.Errorf("%d badges were issued and %d refused: too few to prove anything", issued, refused)
	}
}

func TestATemplateIsMadeOfAGoodBadge(t *testing.T) {
	c := badge("https://example.org/issuers/1")
	c.CredentialSubject.Achievement.Name = ""
	if _, err := credential.NewTemplate(processor, c); err == nil {
		t.Error("there is a template of an achievement without a name")
	}
}

// TestATemplateOfWhatIsEndorsed: the proofs of endorsements are graphs of their own in the canonical form, wherever the
// achievement and the issuer stand among the blank nodes of a badge.
func TestATemplateOfWhatIsEndorsed(t *testing.T) {
	private, multikey := key(t, "a")
	signer := integrity.NewEd25519Signer(private, did.KeyDID(multikey)+"#"+multikey)
	c := realistic(did.KeyDID(multikey))
	endorsed := func(id string) json.RawMessage {
		e := openbadges.EndorsementCredential{ID: "urn:uuid:0198f2a0-0000-7000-8000-00000000000" + id[len(id)-1:], Name: "Well made", ValidFrom: "2026-01-01T00:00:00Z",
			Issuer: openbadges.Profile{ID: did.KeyDID(multikey)}, CredentialSubject: openbadges.EndorsementSubject{ID: id, EndorsementComment: "We know them."}}
		e.Complete(func() string { return "urn:uuid:0198f2a0-0000-7000-8000-00000000000a" })
		prepared, err := credential.PrepareEndorsement(processor, e)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := prepared.Issue(t.Context(), signer, now)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	c.CredentialSubject.Achievement.Endorsement = []json.RawMessage{endorsed(c.CredentialSubject.Achievement.ID)}
	c.Issuer.Endorsement = []json.RawMessage{endorsed(c.Issuer.ID)}
	template, err := credential.NewTemplate(processor, c)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		d := c
		d.ID = fmt.Sprintf("https://badges.example.org/credentials/%d", i)
		d.CredentialSubject.Identifier = nil
		for n := range 1 + i%3 {
			d.CredentialSubject.Identifier = append(d.CredentialSubject.Identifier, openbadges.NewEmailIdentity(fmt.Sprint(n, "@example.org"), fmt.Sprint("salt", i)))
		}
		whole, err := credential.Prepare(jsonld.NewGeneral(), d)
		if err != nil {
			t.Fatal(err)
		}
		want, err := whole.Issue(t.Context(), signer, now)
		if err != nil {
			t.Fatal(err)
		}
		awarded, err := template.Prepare(&d)
		if err != nil {
			t.Fatal(err)
		}
		got, err := awarded.Issue(t.Context(), signer, now)
		if err != nil || string(got) != string(want) {
			t.Fatalf("badge %d by the template: %v\n%s\nin general\n%s", i, err, got, want)
		}
	}
}

// FuzzATemplateMakesTheSameBadges puts any texts into a badge, which goes all three ways: by the general processor, whole,
// and by the template.
func FuzzATemplateMakesTheSameBadges(f *testing.F) {
	private, multikey := key(f, "a")
	signer := integrity.NewEd25519Signer(private, did.KeyDID(multikey)+"#"+multikey)
	c := realistic(did.KeyDID(multikey))
	general := jsonld.NewGeneral()
	template, err := credential.NewTemplate(processor, c)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("https://badges.example.org/credentials/1", "Bookbinding", "mailto:ada@example.org", "Bound a fourth book.", "https://portfolio.example.org/1", "2026-01-01T00:00:00Z", 3.5)
	f.Add("urn:uuid:0198f2a0-0000-7000-8000-000000000001", "e\u0301 \u00e9 <&>\u2028", "did:key:z6Mk", "\u0000\"\\/\b\f\n\r\t\u007f", "urn:x:%41", "2026-01-01T00:00:00+14:00", 2251799813685248.5)
	f.Add("_:c14n0", "@type", "@id", "_:b0", "../1", "2026-02-30T00:00:00Z", 1e-7)
	f.Add(c.Issuer.ID, "\xff", c.CredentialSubject.Achievement.ID, "\U0001f600", "https://example.org/#a#b", "", 1e21)
	f.Fuzz(func(t *testing.T, id, name, subject, narrative, evidence, from string, credits float64) {
		d := c
		d.ID, d.Name, d.ValidFrom = id, name, from
		s := &d.CredentialSubject
		s.ID, s.Narrative, s.Role, s.CreditsEarned = subject, narrative, name, &credits
		d.Evidence = []openbadges.Evidence{{ID: evidence, Type: []string{"Evidence"}, Name: name}, {Type: []string{"Evidence"}, Narrative: narrative}}
		outcome := func(p *credential.Prepared, err error) (string, error) {
			if err != nil {
				return "", err
			}
			signed, err := p.Issue(t.Context(), signer, now)
			return string(signed), err
		}
		want, wantErr := outcome(credential.Prepare(general, d))
		for way, prepare := range map[string]func() (*credential.Prepared, error){
			"whole":           func() (*credential.Prepared, error) { return credential.Prepare(processor, d) },
			"by the template": func() (*credential.Prepared, error) { awarded := d; return template.Prepare(&awarded) },
		} {
			if got, err := outcome(prepare()); got != want || fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Errorf("%s\n%s %v\nin general\n%s %v", way, got, err, want, wantErr)
			}
		}
	})
}
