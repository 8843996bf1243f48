package assertion_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/assertion"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// awarded is a credential that uses what the former edition can say, and more.
func awarded() openbadges.AchievementCredential {
	return openbadges.AchievementCredential{
		ID: "https://example.org/credentials/1", ValidFrom: "2026-02-01T00:00:00Z", AwardedDate: "2026-01-01T00:00:00Z", ValidUntil: "2027-01-01T00:00:00Z",
		CredentialSubject: openbadges.AchievementSubject{
			ID: "did:example:1", Narrative: "Did *it*.",
			Identifier: []openbadges.IdentityObject{{IdentityType: "userName", IdentityHash: "ada"}, openbadges.NewEmailIdentity("A@example.com", "Kosher")},
		},
		Evidence: []openbadges.Evidence{{ID: "https://example.org/evidence/1", Name: "E", Description: "d", Narrative: "n", Genre: "g", Audience: "a"}},
	}
}

func TestWhatIsServedOfAnAward(t *testing.T) {
	a, err := assertion.New(awarded(), host+"/assertions/1", host+"/classes/1", host+"/assertions/1/badge.png")
	if err != nil {
		t.Fatal(err)
	}
	class, err := assertion.NewBadgeClass(openbadges.Achievement{Image: &openbadges.Image{ID: host + "/i.png"}, AchievementDetails: openbadges.AchievementDetails{
		Name: "Teamwork", Description: "Works well.", Criteria: openbadges.Criteria{ID: host + "/criteria", Narrative: "Ask."}, Tag: []string{"a", "b"},
		Alignment: []openbadges.Alignment{{TargetName: "T", TargetURL: "https://example.org/t", TargetCode: "c", TargetDescription: "d", TargetFramework: "f", TargetType: "CFItem"}},
	}}, host+"/classes/1", host+"/issuer")
	if err != nil {
		t.Fatal(err)
	}
	profile := openbadges.Profile{Image: &openbadges.Image{ID: host + "/logo.png"}, ProfileDetails: openbadges.ProfileDetails{Name: "Example Corp", URL: host, Email: "a@example.org", Phone: "1", Description: "d"}}
	issuer, err := assertion.NewIssuer(profile, host+"/issuer")
	if err != nil {
		t.Fatal(err)
	}
	for name, document := range map[string]any{"assertion": a, "class": class, "issuer": issuer, "withdrawn": assertion.NewWithdrawn(host+"/assertions/1", "by mistake")} {
		got, err := json.MarshalIndent(document, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		file := "testdata/" + name + ".golden.json"
		if *update {
			if err := os.WriteFile(file, append(got, '\n'), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || string(want) != string(got)+"\n" {
			t.Errorf("%s is %s, want %s (%v)", name, got, want, err)
		}
	}
	// What is made here keeps to the rules by which others are judged.
	text := func(v any) doc {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var m doc
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	w := &web{pages: map[string]doc{a.ID: text(a), a.Badge: text(class), class.Issuer: text(issuer)}}
	check(t, verify(t, w, text(a), "a@example.com"), "", "")
}

func TestWhatTheFormerEditionCannotSay(t *testing.T) {
	nobody := awarded()
	nobody.CredentialSubject.ID, nobody.CredentialSubject.Identifier = "", nobody.CredentialSubject.Identifier[:1]
	byURI := awarded()
	byURI.CredentialSubject.Identifier = nil
	if a, err := assertion.New(byURI, "", "", ""); err != nil || a.Recipient != (assertion.Identity{Type: "id", Identity: "did:example:1"}) {
		t.Errorf("%+v, %v", a, err)
	}
	_, recipient := assertion.New(nobody, "", "", "")
	_, picture := assertion.NewBadgeClass(openbadges.Achievement{}, "", "")
	_, email := assertion.NewIssuer(openbadges.Profile{ProfileDetails: openbadges.ProfileDetails{Name: "A", URL: host}}, "")
	for name, err := range map[string]error{"a recipient by another name": recipient, "an achievement without a picture": picture, "an issuer without an e-mail address": email} {
		var e *assertion.FormError
		if !errors.As(err, &e) || e.Remedy == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
