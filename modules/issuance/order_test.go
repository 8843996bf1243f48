package issuance_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/platform/fault"
)

func TestRecipientsBecomeHashes(t *testing.T) {
	no := false
	for _, row := range []struct {
		name      string
		recipient issuance.Recipient
		lookup    string
		matches   []string // what each identity object stands for
		plain     string   // what may be read, and nothing else
	}{
		{"an e-mail address", issuance.Recipient{Email: " Ada@Example.ORG "}, "ada@example.org", []string{"ada@example.org"}, ""},
		{"an id alone", issuance.Recipient{ID: "did:example:ada"}, "did:example:ada", nil, ""},
		{"an e-mail address goes before an id", issuance.Recipient{Email: "ada@example.org", ID: "did:example:ada"}, "ada@example.org", []string{"ada@example.org"}, ""},
		{"another identifier is hashed", issuance.Recipient{Identifier: []issuance.Identifier{{Identifier: "S-0815", IdentifierType: "systemId"}}}, "S-0815", []string{"S-0815"}, ""},
		{"unless it is asked for plain", issuance.Recipient{Identifier: []issuance.Identifier{{Identifier: "S-0815", IdentifierType: "systemId", Hashed: &no}}}, "S-0815", []string{"S-0815"}, "S-0815"},
		{"an e-mail address among the others is the same however it is written", issuance.Recipient{Identifier: []issuance.Identifier{{Identifier: "Ada@Example.org", IdentifierType: "emailAddress"}}}, "ada@example.org", []string{"ada@example.org"}, ""},
		{"what only looks like one is hashed as it stands", issuance.Recipient{Identifier: []issuance.Identifier{{Identifier: "Ada@Host.example", IdentifierType: "userName"}}}, "ada@host.example", []string{"Ada@Host.example"}, ""},
		{"all of them", issuance.Recipient{Email: "ada@example.org", ID: "did:example:ada", Identifier: []issuance.Identifier{{Identifier: "S-0815", IdentifierType: "systemId"}, {Identifier: "Ada", IdentifierType: "name", Hashed: &no}}},
			"ada@example.org", []string{"ada@example.org", "S-0815", "Ada"}, "Ada"},
	} {
		t.Run(row.name, func(t *testing.T) {
			identities, lookup, err := row.recipient.Identities()
			must(t, err)
			if lookup != row.lookup || len(identities) != len(row.matches) {
				t.Fatalf("looked up as %q: %+v", lookup, identities)
			}
			salts := map[string]bool{}
			for i, identity := range identities {
				if !openbadges.MatchIdentity(identity, row.matches[i]) || openbadges.MatchIdentity(identity, "eve@example.org") || identity.Type != "IdentityObject" {
					t.Errorf("%+v does not stand for %s", identity, row.matches[i])
				}
				if identity.Hashed && (identity.IdentityHash != openbadges.HashIdentity(row.matches[i], identity.Salt) || len(identity.Salt) < 32 || salts[identity.Salt]) {
					t.Errorf("%+v is not the hash of %s with a salt of its own", identity, row.matches[i])
				}
				salts[identity.Salt] = true
			}
			text, err := json.Marshal(identities)
			must(t, err)
			for _, secret := range []string{"ada@example", "host.example", "s-0815", `"ada"`} {
				if strings.Contains(strings.ToLower(string(text)), secret) && strings.Trim(secret, `"`) != strings.ToLower(row.plain) {
					t.Errorf("%s shows %s", text, secret)
				}
			}
		})
	}
}

func TestOrdersForNobodyAreRefused(t *testing.T) {
	for _, row := range []struct {
		name      string
		recipient issuance.Recipient
		pointer   string
	}{
		{"nobody", issuance.Recipient{}, "/recipient"},
		{"no e-mail address", issuance.Recipient{Email: "nobody"}, "/recipient/email"},
		{"an empty identifier", issuance.Recipient{Email: "ada@example.org", Identifier: []issuance.Identifier{{Identifier: "x", IdentifierType: "name"}, {Identifier: " "}}}, "/recipient/identifier/1/identifier"},
		{"an identifier of the type e-mail address that is none", issuance.Recipient{Identifier: []issuance.Identifier{{Identifier: "nobody", IdentifierType: "emailAddress"}}}, "/recipient/identifier/0/identifier"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, _, err := row.recipient.Identities()
			violates(t, err, row.pointer)
		})
	}
}

func TestPointersLeadIntoTheRequest(t *testing.T) {
	email, none := issuance.Recipient{Email: "ada@example.org"}, issuance.Recipient{}
	for _, row := range []struct {
		recipient issuance.Recipient
		from, to  string
	}{
		{email, "", ""},
		{email, "/validUntil", "/validUntil"},
		{email, "/evidence/0/id", "/evidence/0/id"},
		{email, "/credentialSubject", "/recipient"},
		{email, "/credentialSubject/id", "/recipient/id"},
		{email, "/credentialSubject/identifier", "/recipient/identifier"},
		{email, "/credentialSubject/identifier/0/identityHash", "/recipient/email"},
		{email, "/credentialSubject/identifier/1/identityType", "/recipient/identifier/0/identifierType"},
		{none, "/credentialSubject/identifier/0/identityType", "/recipient/identifier/0/identifierType"},
		{none, "/credentialSubject/identifier/10/identityHash", "/recipient/identifier/10/identifier"},
		{none, "/credentialSubject/identifier/2/hashed", "/recipient/identifier/2/hashed"},
		{none, "/credentialSubject/identifier/2/salt", "/recipient/identifier/2"},
		{none, "/credentialSubject/identifier/2", "/recipient/identifier/2"},
		{none, "/credentialSubject/identifier/x", "/recipient/identifier"},
		{none, "/credentialSubject/result/0/value", "/result/0/value"},
		{none, "/credentialSubject/source/id", "/source/id"},
		{none, "/credentialSubject/activityEndDate", "/activityEndDate"},
		{none, "/credentialSubject/achievement", "/credentialSubject/achievement"},
		{none, "/credentialSubject/achievement/criteria", "/credentialSubject/achievement/criteria"},
	} {
		if got := issuance.RequestPointer(row.from, row.recipient); got != row.to {
			t.Errorf("%q leads to %q instead of %q", row.from, got, row.to)
		}
	}
}

// violates checks that a fault of this module names the place, the rule and the remedy.
func violates(t testing.TB, err error, pointer string) {
	t.Helper()
	f, ok := fault.From(err)
	if !ok || !errors.Is(f, issuance.ErrInvalid) {
		t.Fatalf("error is %v", err)
	}
	for _, v := range f.Violations() {
		if v.Pointer == pointer && v.Rule != "" && v.Detail != "" && v.Remedy != "" {
			return
		}
	}
	t.Errorf("nothing is said of %q: %+v", pointer, f.Violations())
}
