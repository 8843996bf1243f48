package intake

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/modules/internal/report"
	"github.com/badge-engine/badge-engine/platform/database"
)

func former(assertion, class string) report.Report {
	return report.Report{Edition: report.OpenBadges2, ID: "https://a.example/1", Issuer: report.Party{Name: "Academy"}, Achievement: report.Summary{ID: "https://a.example/class"},
		Documents: map[string]json.RawMessage{"assertion": json.RawMessage(assertion), "badge": json.RawMessage(class)}}
}

func TestReadOpenBadges2(t *testing.T) {
	s, err := read(former(`{"issuedOn":"2020-05-06","expires":"2030-01-01T00:00:00+02:00","narrative":"n","evidence":["https://a.example/e",{"id":"https://a.example/f","narrative":"m"}],
		"recipient":{"type":["email"],"hashed":false,"identity":"ada@example.org"}}`,
		`{"name":"Teamwork","description":"d","criteria":"https://a.example/c","image":{"id":"https://a.example/i.png"},"tags":"one","alignment":{"targetName":"T","targetUrl":"https://a.example/t"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if s.details.Name != "Teamwork" || s.details.Criteria.ID != "https://a.example/c" || s.picture != "https://a.example/i.png" || len(s.details.Tag) != 1 || s.details.Alignment[0].TargetURL != "https://a.example/t" ||
		s.credential.AwardedDate != "2020-05-06T00:00:00Z" || s.credential.ValidUntil != "2029-12-31T22:00:00Z" || s.email != "ada@example.org" || s.classID != "https://a.example/class" ||
		len(s.credential.Evidence) != 3 || s.credential.Evidence[0].ID != "https://a.example/e" || s.credential.Evidence[1].Narrative != "m" {
		t.Errorf("%+v", s)
	}
	if last := s.credential.Evidence[2]; last.ID != "https://a.example/1" || last.Narrative != "First issued by Academy on 6 May 2020, and imported from there." {
		t.Errorf("%+v", last)
	}
	hashed, err := read(former(`{"issuedOn":"2020-05-06","recipient":{"type":"email","hashed":true,"identity":"sha256$00"}}`, `{"name":"T","criteria":{"narrative":"n"}}`))
	if err != nil || hashed.email != "" || hashed.id != "" || hashed.details.Criteria.Narrative != "n" {
		t.Errorf("%+v, %v", hashed, err)
	}
	byURI, err := read(former(`{"recipient":{"type":"url","hashed":false,"identity":"https://ada.example"}}`, `{"name":"T"}`))
	if err != nil || byURI.id != "https://ada.example" {
		t.Errorf("%+v, %v", byURI, err)
	}
}

func TestReadOpenBadges3(t *testing.T) {
	of := func(text string) report.Report {
		return report.Report{Edition: report.OpenBadges3, ID: "urn:uuid:1", Issuer: report.Party{ID: "did:example:1"}, Credential: json.RawMessage(text)}
	}
	s, err := read(of(`{"@context":"x","type":"VerifiableCredential","issuer":"did:example:1","issuanceDate":"2024-01-01T00:00:00Z","expirationDate":"2034-01-01T00:00:00Z","name":"N","proof":{"type":"P"},
		"credentialSchema":{"id":"x","type":"y"},"evidence":{"type":"Evidence","id":"https://a.example/e"},
		"credentialSubject":{"id":"mailto:ada@example.org","type":"AchievementSubject","creditsEarned":3.5,"identifier":{"type":"IdentityObject","hashed":true,"identityHash":"sha256$00","identityType":"emailAddress"},
			"result":{"type":"Result","value":"A"},
			"achievement":{"id":"urn:uuid:2","type":"Achievement","name":"Teamwork","description":"d","criteria":{"narrative":"n"},"tag":"one","creator":{"id":"x","type":"Profile"},
				"image":{"id":"https://a.example/i.png","type":"Image"},"endorsementJwt":"e30.e30.AA","otherIdentifier":{"type":"IdentifierEntry","identifier":"1","identifierType":"isbn"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if s.details.Name != "Teamwork" || s.details.Tag[0] != "one" || s.details.EndorsementJwt != nil || len(s.notes) != 1 || s.picture != "https://a.example/i.png" || s.email != "ada@example.org" || s.id != "" ||
		s.credential.AwardedDate != "2024-01-01T00:00:00Z" || s.credential.ValidUntil != "2034-01-01T00:00:00Z" || *s.credential.CredentialSubject.CreditsEarned != 3.5 || s.credential.CredentialSubject.Result[0].Value != "A" ||
		s.details.OtherIdentifier[0].Type != "IdentifierEntry" || s.classID != "urn:uuid:2" || len(s.credential.Evidence) != 2 {
		t.Errorf("%+v", s)
	}
	refreshed := of(`{"credentialSubject":{"achievement":{"name":"Old"}}}`)
	refreshed.Refreshed = json.RawMessage(`{"credentialSubject":{"achievement":{"name":"New"}}}`)
	if s, err := read(refreshed); err != nil || s.details.Name != "New" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestReadRefusesWhatIsNoAward(t *testing.T) {
	for _, text := range []string{`{}`, `[]`, `{"credentialSubject":[]}`, `{"credentialSubject":{"achievement":{"name":5}}}`, `{"credentialSubject":{"id":"x"}}`} {
		if _, err := read(report.Report{Edition: report.OpenBadges3, Credential: json.RawMessage(text)}); !errors.Is(err, ErrKind) {
			t.Errorf("%s: %v", text, err)
		}
		if _, err := read(former(text, text)); !errors.Is(err, ErrKind) {
			t.Errorf("2.0: %s: %v", text, err)
		}
	}
	if _, err := read(report.Report{Edition: report.OpenBadges2}); !errors.Is(err, ErrKind) {
		t.Error(err)
	}
}

func TestKeysTellOriginalsApart(t *testing.T) {
	if key("a", "bc") == key("ab", "c") {
		t.Error("two originals have one key")
	}
	if got := clip(strings.Repeat("ü", 600) + "\x00"); len(got) > 1000 || strings.Contains(got, "\x00") {
		t.Error(got)
	}
}

// FuzzRead: whatever a verifier may have passed can be read or refused.
func FuzzRead(f *testing.F) {
	f.Add(`{"credentialSubject":{"achievement":{"name":"T","tag":{},"type":[[]]},"identifier":[[]]}}`, `{"name":"T","image":[]}`)
	f.Add(`{"name":"T","criteria":5,"alignment":"x","evidence":[[]],"recipient":{"type":{}}}`, `{"name":"T","tags":{}}`)
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, r := range []report.Report{{Edition: report.OpenBadges3, Credential: json.RawMessage(a), ID: b}, former(a, b)} {
			if s, err := read(r); err == nil && s.details.Name == "" {
				t.Errorf("an award of nothing: %+v", s)
			}
		}
	})
}

func TestModuleIsComplete(t *testing.T) {
	err := fx.ValidateApp(fx.NopLogger, Module,
		fx.Supply(slog.New(slog.DiscardHandler)),
		fx.Provide(func() func() time.Time { return time.Now }, func() *database.DB { return nil }, func() Work { return nil }, func() Verifier { return nil },
			func() Achievements { return nil }, func() Credentials { return nil }, func() Documents { return nil }),
		fx.Invoke(func(*Service) {}))
	if err != nil {
		t.Error(err)
	}
}
