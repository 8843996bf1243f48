package filter_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/scim/filter"
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

const acme = "urn:ietf:params:scim:schemas:extension:Acme:2.0:User"

var registry = func() *schema.Registry {
	list, err := schema.ParseDeclarations(`[{"resourceType":"User","id":"` + acme + `","name":"Acme","description":"",
		"attributes":[{"name":"level","type":"integer"},{"name":"score","type":"decimal"},{"name":"hired","type":"dateTime"},{"name":"tags","multiValued":true},{"name":"code","caseExact":true}]}]`)
	if err != nil {
		panic(err)
	}
	r, err := schema.NewRegistry(list...)
	if err != nil {
		panic(err)
	}
	return r
}()

func object(t testing.TB, text string) *tree.Object {
	t.Helper()
	o, err := tree.ParseObject(strings.NewReplacer("ENT", schema.EnterpriseUserURN, "ACME", acme).Replace(text))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// dana has most kinds of value; nobody has none.
const (
	dana = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","ENT"],"id":"Ab1","externalId":"X7","userName":"Dana.Kim","displayName":"Straße ÉCOLE","title":"","active":true,
		"name":{"familyName":"Kim","givenName":"Dana"},
		"emails":[{"type":"work","value":"dana@work.example","primary":true},{"type":"home","value":"dana@home.example"},{"value":"bare@x"}],
		"groups":[{"value":"G1"}],"x509Certificates":[{"value":"MIIB"}],
		"ENT":{"department":"Learning","manager":{"value":"M1"}},
		"ACME":{"level":99999999999999999999,"score":1.50,"hired":"2020-06-01T12:00:00+02:00","tags":["Red","Blue"],"code":"Q"},
		"meta":{"resourceType":"User","created":"2026-01-10T08:00:00.5Z","lastModified":"2026-01-10T08:00:00.5Z"}}`
	nobody = `{"id":"2","userName":"nobody"}`
)

func TestMatch(t *testing.T) {
	for _, row := range []struct {
		text         string
		dana, nobody bool
	}{
		{`userName eq "DANA.kim"`, true, false},
		{`USERNAME EQ dana.kim`, true, false},
		{`userName ne "dana.kim"`, false, true},
		{`userName co "NA.K"`, true, false},
		{`userName sw "dan"`, true, false},
		{`userName ew "KIM"`, true, false},
		{`userName ew ""`, true, true},
		{`title co ""`, true, false}, // an empty text is one, but not present
		{`title pr`, false, false},
		{`userName gt "c"`, true, true},
		{`userName lt "dana.kio"`, true, false},
		{`userName ge "dana.kim" and userName le "dana.kim"`, true, false},
		{`displayName eq "STRASSE école"`, true, false},
		{"displayName eq \"strasse e\u0301cole\"", true, false},
		{`id eq "Ab1"`, true, false},
		{`id eq "ab1"`, false, false},
		{`externalId eq "x7"`, false, false},
		{`externalId ne "x7"`, true, true},
		{`active eq true`, true, false},
		{`active eq "True"`, true, false},
		{`active eq FALSE`, false, false},
		{`active ne true`, false, true},
		{`not (active eq true)`, false, true},
		{`active eq null`, false, true},
		{`active ne null`, true, false},
		{`active pr`, true, false},
		{`name pr`, true, false},
		{`name.middleName pr`, false, false},
		{`name.familyName eq "kim"`, true, false},
		{`name[familyName eq "kim" and givenName eq "dana"]`, true, false},
		{`name[middleName ne "x"]`, true, false}, // one who has no name has no part of it
		{`emails pr`, true, false},
		{`emails.type pr`, true, false},
		{`emails.display pr`, false, false},
		{`emails eq "dana@home.example"`, true, false},
		{`emails co "@HOME"`, true, false},
		{`emails.value eq "dana@home.example"`, true, false},
		{`emails.value ne "dana@home.example"`, true, true}, // another one differs; none at all
		{`emails.type ne "work"`, true, true},
		{`emails[type ne "work"]`, true, false},
		{`emails[not (type pr)]`, true, false},
		{`emails[type eq "work"].value eq "DANA@work.example"`, true, false},
		{`emails[type eq "work"].value eq "dana@home.example"`, false, false},
		{`emails[type eq "work" and value co "@home"]`, false, false}, // of one element
		{`emails.type eq "work" and emails.value co "@home"`, true, false},
		{`emails[type eq "home" or value sw "bare"].primary pr`, false, false},
		{`emails[primary eq "True"].value pr`, true, false},
		{`groups.value eq "G1"`, true, false},
		{`groups eq "g1"`, false, false},
		{`x509Certificates.value eq "MIIB"`, true, false},
		{`manager eq "M1"`, true, false},
		{`manager eq "m1"`, false, false},
		{`id eq "Ab1" and manager eq "M1"`, true, false},
		{`department eq "learning"`, true, false},
		{schema.EnterpriseUserURN + `:department eq "learning"`, true, false},
		{strings.ToUpper(schema.EnterpriseUserURN) + `:DEPARTMENT eq "learning"`, true, false},
		{schema.EnterpriseUserURN + `:manager.value eq "M1"`, true, false},
		{schema.UserURN + `:userName sw "d"`, true, false},
		{`schemas eq "URN:ietf:params:scim:schemas:core:2.0:user"`, true, false},
		{`schemas co "enterprise"`, true, false},
		{`meta.resourceType eq "User"`, true, false},
		{`meta.lastModified gt "2026-01-10T09:00:00+01:00"`, true, false}, // half a second later
		{`meta.created gt 2019-10-10T14:38:21.8617979-07:00`, true, false},
		{`meta.created lt "2026-01-10T08:00:00.500001Z"`, true, false},
		{`meta.created eq "2026-01-10T10:00:00.500+02:00"`, true, false},
		{`meta.created ne "2026-01-10T10:00:00.500+02:00"`, false, true},
		{acme + `:level gt 99999999999999999998`, true, false},
		{acme + `:level eq 99999999999999999999.0`, true, false},
		{acme + `:level eq "99999999999999999999"`, true, false},
		{acme + `:level lt -1`, false, false},
		{acme + `:score eq 15e-1`, true, false},
		{acme + `:score le 1.5`, true, false},
		{acme + `:score ne 2`, true, true},
		{acme + `:hired eq "2020-06-01T10:00:00Z"`, true, false},
		{acme + `:hired gt 2020-06-01`, true, false},
		{acme + `:tags eq "blue"`, true, false},
		{acme + `:tags ne "blue"`, true, true},
		{acme + `:tags pr`, true, false},
		{acme + `:code eq "q"`, false, false},
		{`not (userName pr) or not (emails pr) and userName eq "nobody"`, false, true},
		{`employeeNumber eq 88121`, false, false},
	} {
		t.Run(row.text, func(t *testing.T) {
			n, err := filter.Parse(row.text, filter.DefaultLimits)
			if err != nil {
				t.Fatal(err)
			}
			p, err := filter.Compile(n, registry.User)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Match(object(t, dana)); got != row.dana {
				t.Errorf("dana: %t", got)
			}
			if got := p.Match(object(t, nobody)); got != row.nobody {
				t.Errorf("nobody: %t", got)
			}
		})
	}
}

func TestCompileRefusesWhatMeansNothing(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{`shoeSize eq 9`, `a User has no attribute "shoeSize", at byte 0.`},
		{`userName pr and name.shoeSize eq 9`, `a User has no attribute "name.shoeSize", at byte 16.`},
		{`password eq "x"`, `no attribute "password"`},
		{`urn:x:y:2.0:User:a pr`, `no attribute`},
		{`urn:ietf:params:scim:schemas:core:2.0:User: pr`, `no attribute`},
		{schema.EnterpriseUserURN + ` pr`, `is a schema, not an attribute`},
		{`emails[size eq 1]`, `emails has no sub-attribute "size", at byte 7.`},
		{`emails[type eq "work"].size pr`, `emails has no sub-attribute "size", at byte 23.`},
		{`userName[value eq 1]`, `userName has no sub-attributes to put in brackets`},
		{`emails.value[value eq 1]`, `emails.value has no sub-attributes`},
		{`name eq "x"`, `name is complex; compare one of its sub-attributes`},
		{`meta gt "x"`, `meta is complex`},
		{`active gt true`, `active is of type boolean, which gt does not compare`},
		{`active co "r"`, `active is of type boolean, which co does not compare`},
		{`active eq 1`, `active is compared with true or false, not with "1"`},
		{`x509Certificates.value lt "x"`, `is of type binary, which lt does not compare`},
		{acme + `:level co 1`, `is of type integer, which co does not compare`},
		{acme + `:level eq "one"`, `is compared with a number, not with "one"`},
		{`meta.created sw "2026"`, `is of type dateTime, which sw does not compare`},
		{`meta.created gt "yesterday"`, `is compared with a time such as 2026-01-31T12:00:00Z, not with "yesterday"`},
		{`userName gt null`, `null can be compared by eq and ne only`},
		{`members.value eq "x"`, `a User has no attribute "members.value"`},
	} {
		t.Run(row.text, func(t *testing.T) {
			n, err := filter.Parse(row.text, filter.DefaultLimits)
			if err != nil {
				t.Fatal(err)
			}
			_, err = filter.Compile(n, registry.User)
			if e, ok := refusal.From(err); !ok || e.Status != 400 || e.Type != refusal.InvalidFilter || !strings.Contains(e.Detail, row.want) {
				t.Errorf("refused with %v", err)
			}
		})
	}
}

func TestAcrossTypesAMissingAttributeHasNoValue(t *testing.T) {
	for _, row := range []struct {
		text string
		want bool
	}{
		{`displayName eq "g"`, true}, {`userName eq "g"`, false}, {`userName ne "g"`, true}, {`userName pr`, false}, {`not (userName pr)`, true},
		{`userName eq null`, true}, {`userName ne null`, false}, {`emails[type eq "work"]`, false}, {`userName eq "x" or meta.resourceType eq "Group"`, true},
	} {
		n, err := filter.Parse(row.text, filter.DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		p, err := filter.CompileAcross(n, registry.Group)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(object(t, `{"id":"1","displayName":"G","meta":{"resourceType":"Group"}}`)); got != row.want {
			t.Errorf("%s: %t", row.text, got)
		}
	}
}

func TestFold(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"", ""}, {"dana", "dana"}, {"DANA.Kim", "dana.kim"}, {"ÉCOLE", "école"}, {"E\u0301COLE", "école"}, {"Straße", "strasse"}, {"ΣΑΣ", "σασ"}, {"σας", "σασ"}, {"İ", "i̇"}, {"K", "k"},
	} {
		if got := filter.Fold(row.text); got != row.want {
			t.Errorf("%q: %q", row.text, got)
		}
	}
}

func TestNumberKeysAreInTheOrderOfNumbers(t *testing.T) {
	sorted := [][]string{
		{"-1e999999998"}, {"-99999999999999999999"}, {"-123", "-1.23E+2"}, {"-12.5"}, {"-12"}, {"-1"}, {"-0.5"}, {"-0.05"}, {"-1e-300"},
		{"0", "-0", "0.000", "0e5", "-0e-5"}, {"1e-300"}, {"0.05"}, {"0.5", "5e-1"}, {"1", "1.0", "10e-1", "0.1e1"}, {"1.0000000000000000000001"}, {"9"}, {"10"}, {"12"}, {"12.5"}, {"123"},
		{"9007199254740992"}, {"9007199254740993"}, {"99999999999999999999"}, {"1e20", "100000000000000000000"}, {"1e400"}, {"1e999999998"},
	}
	var keys []string
	for _, same := range sorted {
		first, ok := filter.NumberKey(same[0])
		if !ok {
			t.Fatalf("%s is refused", same[0])
		}
		for _, other := range same {
			if key, ok := filter.NumberKey(other); !ok || key != first {
				t.Errorf("%s is %q, %s is %q", same[0], first, other, key)
			}
		}
		keys = append(keys, first)
	}
	if !slices.IsSorted(keys) {
		t.Errorf("not in order: %q", keys)
	}
	for _, bad := range []string{"", "-", "01", "1.", ".5", "1e", "0x1", "1e99999999999999999999", "1e-99999999999999999999", "NaN", "1 "} {
		if key, ok := filter.NumberKey(bad); ok {
			t.Errorf("%q is %q", bad, key)
		}
	}
}

// BenchmarkFilter reads, checks and evaluates what Entra asks.
func BenchmarkFilter(b *testing.B) {
	user := object(b, dana)
	for _, row := range []struct{ name, text string }{
		{"userName", `userName eq "dana.kim@contoso.example"`},
		{"e-mail", `emails[type eq "work"].value eq "dana@work.example"`},
		{"long", `name.FamilyName eq Employee and (emails.Value co example.com or emails.Value co example.org) and meta.created gt 2019-10-10T14:38:21.8617979-07:00`},
	} {
		b.Run(row.name+"/parse", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := filter.Parse(row.text, filter.DefaultLimits); err != nil {
					b.Fatal(err)
				}
			}
		})
		n, err := filter.Parse(row.text, filter.DefaultLimits)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(row.name+"/compile", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := filter.Compile(n, registry.User); err != nil {
					b.Fatal(err)
				}
			}
		})
		p, err := filter.Compile(n, registry.User)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(row.name+"/match", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Match(user)
			}
		})
	}
}
