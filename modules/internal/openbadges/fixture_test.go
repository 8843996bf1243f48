package openbadges_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// ids answers with urn:uuid URIs in sequence.
func ids() func() string {
	n := 0
	return func() string {
		n++
		return fmt.Sprintf("urn:uuid:00000000-0000-7000-8000-%012d", n)
	}
}

func ptr[T any](v T) *T { return &v }

// simple is the smallest badge worth having.
func simple() openbadges.AchievementCredential {
	c := openbadges.AchievementCredential{
		ID:        "http://example.com/credentials/3527",
		Issuer:    openbadges.Profile{ID: "https://example.com/issuers/876543", ProfileDetails: openbadges.ProfileDetails{Name: "Example Corp"}},
		ValidFrom: "2010-01-01T00:00:00Z",
		Name:      "Teamwork Badge",
		CredentialSubject: openbadges.AchievementSubject{
			ID: "did:example:ebfeb1f712ebc6f1c276e12ec21",
			Achievement: openbadges.Achievement{
				ID: "https://example.com/achievements/teamwork",
				AchievementDetails: openbadges.AchievementDetails{
					Name:        "Teamwork",
					Description: "Works well with others.",
					Criteria:    openbadges.Criteria{Narrative: "Nominated by peers."},
				},
			},
		},
	}
	c.Complete(ids())
	return c
}

// full is a badge that uses every member of every class.
func full() openbadges.AchievementCredential {
	newID := ids()
	image := func(name string) *openbadges.Image {
		return &openbadges.Image{ID: "https://badges.example.org/images/" + name, Caption: "A " + name}
	}
	alignment := func() []openbadges.Alignment {
		return []openbadges.Alignment{{
			TargetName: "Cooperate", TargetURL: "https://skills.example.org/cooperate", TargetCode: "C1",
			TargetDescription: "Cooperation", TargetFramework: "Skills", TargetType: "CFItem",
		}}
	}
	other := []openbadges.IdentifierEntry{{Identifier: "978-3-16-148410-0", IdentifierType: "isbn"}}
	endorsement := openbadges.EndorsementCredential{
		ID:     "https://endorser.example.net/endorsements/1",
		Name:   "Endorsed",
		Issuer: openbadges.Profile{ID: "https://endorser.example.net/issuers/1"},
		CredentialSubject: openbadges.EndorsementSubject{
			ID: "https://badges.example.org/achievements/1", EndorsementComment: "Well done.",
		},
		Description: "An endorsement", ValidFrom: "2024-01-01T00:00:00Z", ValidUntil: "2034-01-01T00:00:00Z", AwardedDate: "2024-01-01T00:00:00Z",
		CredentialSchema: []openbadges.CredentialSchema{{ID: "https://endorser.example.net/schema.json", Type: "JsonSchema"}},
		CredentialStatus: &openbadges.CredentialStatus{ID: "https://endorser.example.net/status/1", Type: "ExampleStatus"},
		RefreshService:   &openbadges.RefreshService{ID: "https://endorser.example.net/refresh/1", Type: "ExampleRefresh"},
		TermsOfUse:       []openbadges.TermsOfUse{{ID: "https://endorser.example.net/terms", Type: "ExampleTerms"}},
		Evidence:         []openbadges.Evidence{{ID: "https://endorser.example.net/evidence", Type: []string{"Evidence"}}},
		Proof:            []json.RawMessage{json.RawMessage(`{"type":"DataIntegrityProof"}`)},
	}
	endorsement.Complete(newID)
	endorsed, err := json.Marshal(endorsement)
	if err != nil {
		panic(err)
	}
	raw := func() []json.RawMessage { return []json.RawMessage{endorsed} }
	jws := []string{"eyJh.eyJi.c2ln"}
	profile := func(name string) openbadges.Profile {
		return openbadges.Profile{
			ID: "https://badges.example.org/" + name, Image: image(name),
			ProfileDetails: openbadges.ProfileDetails{
				Name: name, URL: "https://" + name + ".example.org", Phone: "+41 44 555 01 23", Description: "The " + name,
				Endorsement: raw(), EndorsementJwt: jws, Email: name + "@example.org", OtherIdentifier: other, Official: "A. Official",
				Address: &openbadges.Address{
					AddressCountry: "Switzerland", AddressCountryCode: "CH", AddressRegion: "ZH", AddressLocality: "Zürich",
					StreetAddress: "Weg 1", PostOfficeBoxNumber: "12", PostalCode: "8000",
					Geo: &openbadges.GeoCoordinates{Latitude: 47.37, Longitude: 8.54},
				},
				FamilyName: "Beer", GivenName: "Ada", AdditionalName: "B.", PatronymicName: "C.", HonorificPrefix: "Dr.",
				HonorificSuffix: "M.D.", FamilyNamePrefix: "von", DateOfBirth: "1980-02-29",
			},
		}
	}
	issuer := profile("issuer")
	issuer.ParentOrg = ptr(profile("parent"))
	const level, grade, status = "urn:example:level", "urn:example:grade", "urn:example:status"
	c := openbadges.AchievementCredential{
		ID: "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33", Name: "Badge", Description: "A badge", Image: image("credential"),
		Issuer: issuer, ValidFrom: "2025-01-01T00:00:00Z", ValidUntil: "2035-01-01T00:00:00+01:00", AwardedDate: "2024-12-31T23:59:59-05:00",
		CredentialSubject: openbadges.AchievementSubject{
			ID:         "mailto:ada@example.org",
			Identifier: []openbadges.IdentityObject{openbadges.NewEmailIdentity("Ada@Example.org", "salt")},
			Achievement: openbadges.Achievement{
				ID: "https://badges.example.org/achievements/1", Creator: ptr(profile("creator")), Image: image("achievement"),
				AchievementDetails: openbadges.AchievementDetails{
					Name: "Achievement", Description: "What was done", AchievementType: "ext:Walk", Alignment: alignment(),
					Criteria:         openbadges.Criteria{ID: "https://badges.example.org/criteria", Narrative: "Do it."},
					CreditsAvailable: ptr(3.5), Endorsement: raw(), EndorsementJwt: jws, FieldOfStudy: "Walking", HumanCode: "W1",
					InLanguage: "de-CH", OtherIdentifier: other, Specialization: "Hills", Tag: []string{"walk"}, Version: "1",
					Related: []openbadges.Related{{ID: "https://badges.example.org/achievements/0", InLanguage: "en", Version: "0"}},
					ResultDescription: []openbadges.ResultDescription{
						{
							ID: grade, Name: "Grade", ResultType: "RawScore", Alignment: alignment(), AllowedValue: []string{"1", "2", "3"},
							RequiredLevel: level, RequiredValue: "2", ValueMin: "1", ValueMax: "3",
							RubricCriterionLevel: []openbadges.RubricCriterionLevel{{
								ID: level, Name: "Good", Alignment: alignment(), Description: "Well", Level: "1", Points: "10",
							}},
						},
						{ID: status, Name: "State", ResultType: "Status"},
					},
				},
			},
			ActivityStartDate: "2024-01-01T00:00:00Z", ActivityEndDate: "2024-06-01T00:00:00Z", CreditsEarned: ptr(3.0),
			Image: image("subject"), LicenseNumber: "L1", Narrative: "Walked.", Role: "Walker", Term: "Spring", Source: ptr(profile("source")),
			Result: []openbadges.Result{
				{ResultDescription: grade, Value: "3", AchievedLevel: level, Alignment: alignment()},
				{ResultDescription: status, Status: "Completed"},
			},
		},
		Evidence: []openbadges.Evidence{{
			ID: "https://badges.example.org/evidence/1", Narrative: "Seen.", Name: "Walk", Description: "A walk", Genre: "Photo", Audience: "All",
		}},
		Endorsement: raw(), EndorsementJwt: jws,
		CredentialSchema: []openbadges.CredentialSchema{{ID: "https://badges.example.org/schema.json", Type: openbadges.TypeJSONSchemaValidator}},
		CredentialStatus: &openbadges.CredentialStatus{
			ID: "https://badges.example.org/status/3#94567", Type: openbadges.TypeBitstringStatusListEntry, StatusPurpose: "revocation",
			StatusListIndex: "94567", StatusListCredential: "https://badges.example.org/status/3",
		},
		RefreshService: &openbadges.RefreshService{ID: "https://badges.example.org/refresh/1", Type: openbadges.TypeCredentialRefresh},
		TermsOfUse:     []openbadges.TermsOfUse{{ID: "https://badges.example.org/terms", Type: "ExampleTerms"}},
	}
	proof, err := json.Marshal(openbadges.Proof{
		Type: openbadges.TypeDataIntegrityProof, Created: "2025-01-01T00:00:00Z", Cryptosuite: "eddsa-rdfc-2022", Challenge: "c", Domain: "d", Nonce: "n",
		ProofPurpose: openbadges.ProofPurposeAssertion, ProofValue: "zSignature", VerificationMethod: issuer.ID + "#key",
	})
	if err != nil {
		panic(err)
	}
	c.Proof = []json.RawMessage{proof}
	c.Complete(newID)
	return c
}

// document is what a struct looks like on the wire.
func document(t testing.TB, v any) map[string]any {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := strictjson.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.(map[string]any)
}

// remove stands for a member that is to be taken out.
type remove struct{}

// set changes the value at a JSON Pointer; the last token may be new.
func set(t testing.TB, doc any, pointer string, value any) {
	t.Helper()
	tokens := strings.Split(pointer, "/")[1:]
	for i, token := range tokens {
		last := i == len(tokens)-1
		switch d := doc.(type) {
		case map[string]any:
			switch _, drop := value.(remove); {
			case last && drop:
				delete(d, token)
			case last:
				d[token] = value
			}
			doc = d[token]
		case []any:
			n, err := strconv.Atoi(token)
			if err != nil || n >= len(d) {
				t.Fatalf("no place %s", pointer)
			}
			if last {
				d[n] = value
			}
			doc = d[n]
		default:
			t.Fatalf("no place %s", pointer)
		}
	}
}

// decode reads a JSON value written in a test.
func decode(t testing.TB, text string) any {
	t.Helper()
	v, err := strictjson.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func show(violations []openbadges.Violation) string {
	var b strings.Builder
	for _, v := range violations {
		fmt.Fprintf(&b, "\n  %s | %s | %s | %s", v.Pointer, v.Rule, v.Detail, v.Remedy)
	}
	return b.String()
}
