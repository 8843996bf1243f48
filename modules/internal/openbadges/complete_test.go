package openbadges_test

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

func TestCompleteLeavesWhatTheCallerSet(t *testing.T) {
	given := openbadges.AchievementDetails{
		Alignment: []openbadges.Alignment{{Type: []string{"Alignment", "https://example.org/Mine"}}, {}},
		ResultDescription: []openbadges.ResultDescription{
			{ID: "urn:example:kept"},
			{RubricCriterionLevel: []openbadges.RubricCriterionLevel{{}, {ID: "urn:example:level"}}},
		},
	}
	before, err := json.Marshal(given)
	if err != nil {
		t.Fatal(err)
	}
	done := given
	done.Complete(ids())
	if after, _ := json.Marshal(given); string(after) != string(before) {
		t.Errorf("the original changed:\n%s\nwas\n%s", after, before)
	}
	if got := done.Alignment[0].Type; len(got) != 2 {
		t.Errorf("type became %v", got)
	}
	if got := done.Alignment[1].Type; !reflect.DeepEqual(got, []string{"Alignment"}) {
		t.Errorf("type became %v", got)
	}
	got := []string{done.ResultDescription[0].ID, done.ResultDescription[1].ID, done.ResultDescription[1].RubricCriterionLevel[0].ID, done.ResultDescription[1].RubricCriterionLevel[1].ID}
	want := []string{"urn:example:kept", "urn:uuid:00000000-0000-7000-8000-000000000001", "urn:uuid:00000000-0000-7000-8000-000000000002", "urn:example:level"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("ids became %v, want %v", got, want)
	}
}

func TestCompleteNamesTheExtensionsContextOnlyWhenNeeded(t *testing.T) {
	c := simple()
	if len(c.Context) != 2 {
		t.Errorf("contexts of the simple badge: %v", c.Context)
	}
	c.Context = nil
	c.RefreshService = &openbadges.RefreshService{ID: "https://example.com/refresh", Type: openbadges.TypeCredentialRefresh}
	c.Complete(ids())
	if len(c.Context) != 3 || c.Context[2] != openbadges.ExtensionsContext {
		t.Errorf("contexts of a badge that refreshes: %v", c.Context)
	}
}

func TestMarshalledBadgeHasItsMembersInOneOrder(t *testing.T) {
	data, err := json.Marshal(simple())
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],` +
		`"id":"http://example.com/credentials/3527","type":["VerifiableCredential","OpenBadgeCredential"],"name":"Teamwork Badge",` +
		`"issuer":{"id":"https://example.com/issuers/876543","type":["Profile"],"name":"Example Corp"},"validFrom":"2010-01-01T00:00:00Z",` +
		`"credentialSubject":{"id":"did:example:ebfeb1f712ebc6f1c276e12ec21","type":["AchievementSubject"],` +
		`"achievement":{"id":"https://example.com/achievements/teamwork","type":["Achievement"],"name":"Teamwork",` +
		`"description":"Works well with others.","criteria":{"narrative":"Nominated by peers."}}}}`
	if string(data) != want {
		t.Errorf("got\n%s\nwant\n%s", data, want)
	}
}

func TestStructsReadBackWhatTheyWrite(t *testing.T) {
	want, err := json.Marshal(full())
	if err != nil {
		t.Fatal(err)
	}
	var read openbadges.AchievementCredential
	if err := strictjson.Unmarshal(want, &read); err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(read); err != nil || string(got) != string(want) {
		t.Errorf("%v: got\n%s\nwant\n%s", err, got, want)
	}
}

func TestDetailsAreCheckedAsTheyAreGiven(t *testing.T) {
	achievement := func(text string) []openbadges.Violation {
		var d openbadges.AchievementDetails
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatal(err)
		}
		return d.Check()
	}
	profile := func(text string) []openbadges.Violation {
		var d openbadges.ProfileDetails
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatal(err)
		}
		return d.Check()
	}
	for _, row := range []struct {
		name  string
		check func(string) []openbadges.Violation
		text  string
		want  string // pointers, in order
	}{
		{"nothing at all lacks criteria, description and name", achievement, `{}`, "/criteria /description /name"},
		{"types and ids may be absent", achievement, `{"name":"N","description":"D","criteria":{"narrative":"C"},"alignment":[{"targetName":"T","targetUrl":"https://example.org"}],"otherIdentifier":[{"identifier":"1","identifierType":"isbn"}],"resultDescription":[{"name":"R","resultType":"Percent","rubricCriterionLevel":[{"name":"L"}]}]}`, ""},
		{"an alignment without a target is named by its place", achievement, `{"name":"N","description":"D","criteria":{"narrative":"C"},"alignment":[{"targetName":"T","targetUrl":"https://example.org"},{"targetName":"T"}]}`, "/alignment/1/targetUrl"},
		{"an endorsement is looked into", achievement, `{"name":"N","description":"D","criteria":{"narrative":"C"},"endorsement":[7]}`, "/endorsement/0"},
		{"a profile may be empty", profile, `{}`, ""},
		{"an address needs no type", profile, `{"address":{"geo":{"latitude":47,"longitude":8}}}`, ""},
		{"a place off the globe is refused", profile, `{"address":{"geo":{"latitude":91,"longitude":8}}}`, "/address/geo/latitude"},
		{"url, phone and email must be sane", profile, `{"url":"example.org","phone":"none","email":"ada"}`, "/url /phone /email"},
		{"a parent organization needs an id", profile, `{"parentOrg":{"name":"Parent"}}`, "/parentOrg/id"},
		{"a birthday is a date", profile, `{"dateOfBirth":"2000-01-01T00:00:00Z"}`, "/dateOfBirth"},
	} {
		t.Run(row.name, func(t *testing.T) {
			found := row.check(row.text)
			var pointers []string
			for _, v := range found {
				pointers = append(pointers, v.Pointer)
			}
			if got := strings.Join(pointers, " "); got != row.want {
				t.Errorf("got %q, want %q:%s", got, row.want, show(found))
			}
		})
	}
}

func TestDetailsThatAreNoJSONAreRefused(t *testing.T) {
	d := openbadges.AchievementDetails{Name: "N", Description: "D", Criteria: openbadges.Criteria{Narrative: "C"}}
	d.CreditsAvailable = ptr(math.NaN())
	if found := d.Check(); len(found) != 1 {
		t.Errorf("found:%s", show(found))
	}
	d.CreditsAvailable, d.Endorsement = nil, []json.RawMessage{json.RawMessage(`{`)}
	if found := d.Check(); len(found) != 1 {
		t.Errorf("found:%s", show(found))
	}
}

func TestEndorsementsKeepToTheRules(t *testing.T) {
	e := openbadges.EndorsementCredential{
		ID: "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33", Name: "E", ValidFrom: "2025-01-01T00:00:00Z",
		Issuer:            openbadges.Profile{ID: "https://example.org/issuers/1"},
		CredentialSubject: openbadges.EndorsementSubject{ID: "https://example.org/achievements/1"},
	}
	e.Complete(ids())
	if found := openbadges.CheckEndorsement(document(t, e), openbadges.Issuing); len(found) != 0 {
		t.Errorf("found:%s", show(found))
	}
	e.ValidFrom = "2025"
	if found := openbadges.CheckEndorsement(document(t, e), openbadges.Issuing); len(found) != 1 || found[0].Pointer != "/validFrom" {
		t.Errorf("found:%s", show(found))
	}
}
