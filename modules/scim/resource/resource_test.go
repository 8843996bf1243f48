package resource_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/resource"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

const acme = "urn:ietf:params:scim:schemas:extension:Acme:2.0:User"

var registry = func() *schema.Registry {
	list, err := schema.ParseDeclarations(`[{"resourceType":"User","id":"` + acme + `","name":"Acme","description":"",
		"attributes":[{"name":"badgeLevel","type":"integer"},{"name":"score","type":"decimal"},{"name":"hired","type":"dateTime","mutability":"immutable"},
			{"name":"tags","multiValued":true},{"name":"secret","returned":"request"},{"name":"key","returned":"always"},
			{"name":"desk","type":"complex","subAttributes":[{"name":"floor","type":"integer","required":true},{"name":"room"},{"name":"code","returned":"request"}]}]}]`)
	if err != nil {
		panic(err)
	}
	r, err := schema.NewRegistry(list...)
	if err != nil {
		panic(err)
	}
	return r
}()

func expand(text string) string {
	return strings.NewReplacer("ENT", schema.EnterpriseUserURN, "ACME", acme).Replace(text)
}

func TestDecodeIsTolerantInFormAndExactInContent(t *testing.T) {
	for _, row := range []struct{ name, kind, body, want string }{
		{"what Entra creates", "User", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","ENT"],
			"externalId":"3c1f","userName":"dana.kim@contoso.example","active":true,"displayName":"Dana Kim",
			"emails":[{"primary":true,"type":"work","value":"dana.kim@contoso.example"}],"meta":{"resourceType":"User"},
			"name":{"formatted":"Dana Kim","familyName":"Kim","givenName":"Dana"},"title":null,"addresses":null,"roles":[],
			"ENT":{"employeeNumber":"88121","department":"Learning"}}`,
			`{"externalId":"3c1f","userName":"dana.kim@contoso.example","active":true,"displayName":"Dana Kim","emails":[{"primary":true,"type":"work","value":"dana.kim@contoso.example"}],"name":{"formatted":"Dana Kim","familyName":"Kim","givenName":"Dana"},"ENT":{"employeeNumber":"88121","department":"Learning"}}`},
		{"a group as Entra creates it", "Group", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],"externalId":"8a2c","displayName":"Badge Issuers","meta":{"resourceType":"Group"}}`,
			`{"externalId":"8a2c","displayName":"Badge Issuers"}`},
		{"booleans as strings", "User", `{"userName":"d","active":"True","roles":[{"value":"x","primary":"True"}]}`, `{"userName":"d","active":true,"roles":[{"value":"x","primary":true}]}`},
		{"names in any case", "User", `{"USERNAME":"d","Name":{"FAMILYNAME":"K"},"Emails":[{"Value":"a","TYPE":"Work"}],"urn:IETF:params:scim:schemas:extension:Enterprise:2.0:user":{"Department":"L"}}`,
			`{"userName":"d","name":{"familyName":"K"},"emails":[{"value":"a","type":"Work"}],"ENT":{"department":"L"}}`},
		{"unknown members, a misspelt schema, top-level leftovers", "User", `{"schemas":["urn:ietf:params:scim:schemas:extension:enterprise:2.0User"],"userName":"d","shoeSize":9,"urn:ietf:params:scim:schemas:extension:enterprise:2.0User":{"department":"L"},"department":null,"manager":null,"emails":[{"value":"a","rank":1}]}`,
			`{"userName":"d","emails":[{"value":"a"}]}`},
		{"without schemas", "User", `{"userName":"d"}`, `{"userName":"d"}`},
		{"readOnly attributes", "User", `{"id":"7","userName":"d","groups":[{"value":"g"}],"meta":{"version":"x"},"ENT":{"manager":{"value":"m","displayName":"M"}}}`, `{"userName":"d","ENT":{"manager":{"value":"m"}}}`},
		{"no password", "User", `{"userName":"d","password":"hunter2"}`, `{"userName":"d"}`},
		{"empties", "User", `{"userName":"d","title":"","nickName":null,"name":{},"emails":[],"roles":[{}],"phoneNumbers":[{"type":"work","value":""}],"ENT":{"department":"","manager":{"value":""}}}`, `{"userName":"d"}`},
		{"manager as a string, in an array, empty with an address", "User", `{"userName":"d","ENT":{"manager":["m"]}}`, `{"userName":"d","ENT":{"manager":{"value":"m"}}}`},
		{"a manager without value", "User", `{"userName":"d","ENT":{"manager":{"$ref":"u","value":""}}}`, `{"userName":"d"}`},
		{"an element without array", "User", `{"userName":"d","emails":{"value":"a"},"roles":"Reader"}`, `{"userName":"d","emails":[{"value":"a"}],"roles":[{"value":"Reader"}]}`},
		{"scalars in wrappers", "User", `{"userName":["d"],"title":{"$ref":null,"value":"T"},"displayName":[{"value":"D"}]}`, `{"userName":"d","title":"T","displayName":"D"}`},
		{"numbers and booleans for strings", "User", `{"userName":42,"title":true,"ENT":{"employeeNumber":88121.50}}`, `{"userName":"42","title":"true","ENT":{"employeeNumber":"88121.50"}}`},
		{"integers", "User", `{"userName":"d","ACME":{"badgeLevel":"0099999999999999999999","score":1.50e3}}`, `{"userName":"d","ACME":{"badgeLevel":99999999999999999999,"score":1.50e3}}`},
		{"junk in every format is nobody's business", "User", `{"userName":" Dana ","profileUrl":"BAPNQLJS","locale":"RJWN","timezone":"nowhere","preferredLanguage":"xx","x509Certificates":[{"value":"%%%"}],"ACME":{"hired":"yesterday"}}`,
			`{"userName":" Dana ","profileUrl":"BAPNQLJS","locale":"RJWN","timezone":"nowhere","preferredLanguage":"xx","x509Certificates":[{"value":"%%%"}],"ACME":{"hired":"yesterday"}}`},
		{"members", "Group", `{"displayName":"G","members":[{"value":"U1","type":"User","display":"D"},"U2",{"value":null}]}`, `{"displayName":"G","members":[{"value":"U1","type":"User"},{"value":"U2"}]}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, err := resource.Decode(registry.ResourceType(row.kind), expand(row.body))
			if err != nil {
				t.Fatal(err)
			}
			if got := string(r.Append(nil)); got != expand(row.want) {
				t.Errorf("got  %s\nwant %s", got, expand(row.want))
			}
			again, err := resource.Load(r.Type, string(r.Append(nil)))
			if err != nil || !tree.Of(again.Attributes).Equal(tree.Of(r.Attributes)) {
				t.Errorf("what is stored reads as %v, %v", again, err)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, row := range []struct {
		name, body string
		want       refusal.Type
		says       string
	}{
		{"nothing", ``, refusal.InvalidSyntax, "empty"},
		{"junk", `junk`, refusal.InvalidSyntax, "a value was expected, at byte 0"},
		{"an array", `[{"userName":"d"}]`, refusal.InvalidSyntax, "The body is an array. Send one JSON object."},
		{"two objects", `{"userName":"d"}{}`, refusal.InvalidSyntax, "something follows the end"},
		{"a duplicate", `{"userName":"d","emails":[],"userName":"e"}`, refusal.InvalidSyntax, `twice, and the case of a name makes no difference, at byte 38 in "userName"`},
		{"a duplicate in another case", `{"userName":"d","username":"e"}`, refusal.InvalidSyntax, "twice"},
		{"a duplicate among many", `{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"A":1}`, refusal.InvalidSyntax, "twice"},
		{"U+0000", `{"userName":"d\u0000"}`, refusal.InvalidValue, "U+0000"},
		{"a lone surrogate", `{"userName":"\ud83d"}`, refusal.InvalidSyntax, "unpaired surrogate"},
		{"surrogates in the wrong order", `{"userName":"\ude00\ud83d"}`, refusal.InvalidSyntax, "unpaired surrogate"},
		{"bytes that are no UTF-8", "{\"userName\":\"\xed\xa0\x80\"}", refusal.InvalidSyntax, "not UTF-8"},
		{"depth", `{"userName":` + strings.Repeat("[", 1000), refusal.InvalidSyntax, "nests deeper than 32 levels"},
		{"no userName", `{"displayName":"D"}`, refusal.InvalidValue, "userName is required."},
		{"an empty userName", `{"userName":""}`, refusal.InvalidValue, "userName is required."},
		{"a boolean that is none", `{"userName":"d","active":"yes"}`, refusal.InvalidValue, "active must be true or false, not another text."},
		{"a string for an object", `{"userName":"d","name":"Dana"}`, refusal.InvalidValue, "name must be an object, not a string."},
		{"an object for a string", `{"userName":{"a":1}}`, refusal.InvalidValue, "userName must be a string, not an object."},
		{"a fraction for an integer", `{"userName":"d","ACME":{"badgeLevel":1.5}}`, refusal.InvalidValue, ":badgeLevel must be a whole number, not a number."},
		{"an extension that is none", `{"userName":"d","ENT":[]}`, refusal.InvalidValue, "must be an object, not an array."},
		{"two primary values", `{"userName":"d","emails":[{"value":"a","primary":true},{"value":"b","primary":true}]}`, refusal.InvalidValue, "emails has 2 primary values; at most one may be."},
		{"a required part", `{"userName":"d","ACME":{"desk":{"room":"1"}}}`, refusal.InvalidValue, "desk.floor is required."},
		{"a thousand and one values", `{"userName":"d","roles":["` + strings.Repeat(`x","`, 1000) + `x"]}`, refusal.InvalidValue, "roles has more than 1000 values."},
		{"a member without an id", `{"displayName":"G","members":[{"value":"U1"},{"type":"User"}]}`, refusal.InvalidValue, "A member has no value, which is its id."},
		{"a member that has a name only", `{"displayName":"G","members":[{"display":"Ada"}]}`, refusal.InvalidValue, "A member has no value, which is its id."},
	} {
		t.Run(row.name, func(t *testing.T) {
			kind := registry.User
			if strings.Contains(row.body, "members") {
				kind = registry.Group
			}
			_, err := resource.Decode(kind, expand(row.body))
			if e, ok := refusal.From(err); !ok || e.Status != 400 || e.Type != row.want || !strings.Contains(e.Detail, row.says) {
				t.Errorf("refused with %v", err)
			}
		})
	}
}

func TestReplaceKeepsWhatIsImmutable(t *testing.T) {
	read := func(text string) *resource.Resource {
		r, err := resource.Decode(registry.User, expand(text))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	old := read(`{"userName":"d","ACME":{"hired":"2020"}}`)
	for _, row := range []struct{ name, next, want string }{
		{"the same value", `{"userName":"e","ACME":{"hired":"2020"}}`, `{"userName":"e","ACME":{"hired":"2020"}}`},
		{"left out", `{"userName":"e"}`, `{"userName":"e","ACME":{"hired":"2020"}}`},
		{"another value", `{"userName":"e","ACME":{"hired":"2021"}}`, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			next := read(row.next)
			err := resource.CheckReplace(old, next)
			if row.want == "" {
				if e, ok := refusal.From(err); !ok || e.Type != refusal.Mutability {
					t.Errorf("refused with %v", err)
				}
			} else if got := string(next.Append(nil)); err != nil || got != expand(row.want) {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
}

// stored is a user with everything that the server knows too.
const stored = `{"id":"7","externalId":"x7","userName":"dana","displayName":"D","name":{"givenName":"Dana","familyName":"Kim"},
	"emails":[{"type":"work","value":"w","primary":true},{"type":"home","value":"h"}],"groups":[{"value":"g1","type":"direct"}],
	"ENT":{"department":"L","manager":{"value":"m"}},
	"ACME":{"secret":"s","key":"k","tags":["a","b"],"desk":{"floor":1,"code":"c"}},
	"meta":{"resourceType":"User","version":"W/\"1\""}}`

func TestProjection(t *testing.T) {
	const head = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","ENT","ACME"],"id":"7"`
	const meta = `,"meta":{"resourceType":"User","version":"W/\"1\""}}`
	const key = `,"ACME":{"key":"k"}`
	const core = `,"userName":"dana","displayName":"D","name":{"givenName":"Dana","familyName":"Kim"}`
	const emails = `,"emails":[{"type":"work","value":"w","primary":true},{"type":"home","value":"h"}]`
	const groups = `,"groups":[{"value":"g1","type":"direct"}]`
	const ent = `,"ENT":{"department":"L","manager":{"value":"m"}}`
	const rest = `,"ACME":{"key":"k","tags":["a","b"],"desk":{"floor":1}}`
	const ext = `,"externalId":"x7"`
	for _, row := range []struct{ name, attributes, excluded, want string }{
		{"by default", "", "", head + ext + core + emails + groups + ent + rest + meta},
		{"two names", "userName,emails", "", head + `,"userName":"dana"` + emails + key + `}`},
		{"in another case, with blanks", " USERNAME , Name.FamilyName ", "", head + `,"userName":"dana","name":{"familyName":"Kim"}` + key + `}`},
		{"with the schema's URN", "urn:ietf:params:scim:schemas:core:2.0:User:userName", "", head + `,"userName":"dana"` + key + `}`},
		{"parts of elements", "emails.value", "", head + `,"emails":[{"value":"w"},{"value":"h"}]` + key + `}`},
		{"elements by filter", `emails[type eq "work"]`, "", head + `,"emails":[{"type":"work","value":"w","primary":true}]` + key + `}`},
		{"a part of elements by filter", `emails[type eq "work"].value`, "", head + `,"emails":[{"value":"w"}]` + key + `}`},
		{"elements by a filter with a comma", `userName,emails[type eq "a,b" or value eq "h"]`, "", head + `,"userName":"dana","emails":[{"type":"home","value":"h"}]` + key + `}`},
		{"an attribute of an extension", "ENT:department", "", head + `,"ENT":{"department":"L"}` + key + `}`},
		{"without its schema", "manager", "", head + `,"ENT":{"manager":{"value":"m"}}` + key + `}`},
		{"a whole extension", "ENT", "", head + ent + key + `}`},
		{"a whole extension has its defaults", "ACME", "", head + rest + `}`},
		{"what is returned on request", "ACME:secret", "", head + `,"ACME":{"secret":"s","key":"k"}}`},
		{"a part that is returned on request", "ACME:desk.code", "", head + `,"ACME":{"key":"k","desk":{"code":"c"}}}`},
		{"unknown names", "shoeSize,urn:x:y:z", "", head + key + `}`},
		{"meta", "meta.version", "", head + key + `,"meta":{"version":"W/\"1\""}}`},
		{"without some", "", "emails,groups,meta", head + ext + core + ent + rest + `}`},
		{"without a part", "", "name.familyName,emails.type", head + ext + `,"userName":"dana","displayName":"D","name":{"givenName":"Dana"},"emails":[{"value":"w","primary":true},{"value":"h"}]` + groups + ent + rest + meta},
		{"without elements by filter", "", `emails[type eq "work"]`, head + ext + core + `,"emails":[{"type":"home","value":"h"}]` + groups + ent + rest + meta},
		{"without an extension", "", "ENT", head + ext + core + emails + groups + rest + meta},
		{"without what is always returned", "", "id,schemas,ACME:key,userName", head + ext + `,"displayName":"D","name":{"givenName":"Dana","familyName":"Kim"}` + emails + groups + ent + rest + meta},
		{"a core name leaves the extension alone", "", "department,displayName", head + ext + `,"userName":"dana","name":{"givenName":"Dana","familyName":"Kim"}` + emails + groups + `,"ENT":{"manager":{"value":"m"}}` + rest + meta},
		{"both", "userName", "userName", head + `,"userName":"dana"` + key + `}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, err := resource.Load(registry.User, expand(stored))
			if err != nil {
				t.Fatal(err)
			}
			before := string(r.Append(nil))
			p, err := resource.ParseProjection(r.Type, resource.SplitNames(expand(row.attributes)), resource.SplitNames(expand(row.excluded)))
			if err != nil {
				t.Fatal(err)
			}
			if got := string(p.Apply(r).Append(nil)); got != expand(row.want) {
				t.Errorf("got  %s\nwant %s", got, expand(row.want))
			}
			if string(r.Append(nil)) != before {
				t.Error("the resource was changed")
			}
		})
	}
	for _, bad := range []string{`a b`, `emails[type is "x"]`, `emails[`, `1`, `title[value eq "x"]`, `emails[size eq "x"]`} {
		if _, err := resource.ParseProjection(registry.User, []string{bad}, nil); err == nil {
			t.Errorf("%s is taken", bad)
		} else if e, ok := refusal.From(err); !ok || e.Status != 400 {
			t.Errorf("%s is refused with %v", bad, err)
		}
	}
}

func TestTheStoreIsToldWhatIsWanted(t *testing.T) {
	for _, row := range []struct {
		attributes, excluded string
		want                 bool
	}{
		{"", "", true}, {"members", "", true}, {"MEMBERS.value", "", true}, {`members[type eq "User"]`, "", true}, {"displayName", "", false},
		{"nonsense", "", false}, {"", "members", false}, {"", "urn:ietf:params:scim:schemas:core:2.0:Group:Members", false}, {"", "members.display", true}, {"", "displayName", true}, {"displayName", "members", false},
	} {
		p, err := resource.ParseProjection(registry.Group, resource.SplitNames(row.attributes), resource.SplitNames(row.excluded))
		if err != nil || p.Wants("members") != row.want {
			t.Errorf("%q without %q: %t, %v", row.attributes, row.excluded, p.Wants("members"), err)
		}
	}
}

func TestSort(t *testing.T) {
	users := []string{
		`{"id":"1","userName":"ZOE","emails":[{"value":"a"},{"value":"z","primary":true}],"ACME":{"badgeLevel":10,"hired":"2020-01-01T00:00:00+02:00"},"meta":{"created":"2026-01-01T00:00:00.5Z"}}`,
		`{"id":"2","userName":"amy","emails":[{"value":"B"}],"ACME":{"badgeLevel":9,"hired":"2019-12-31T23:00:00Z"},"meta":{"created":"1960-01-01T00:00:00Z"}}`,
		`{"id":"3","userName":"Émile","ACME":{"badgeLevel":-10.5},"meta":{"created":"2026-01-01T00:00:00Z"}}`,
	}
	for _, row := range []struct{ by, want string }{
		{"userName", "2 1 3"}, // folded; é sorts by its code
		{"USERNAME", "2 1 3"},
		{"emails", "2 1 -3"}, // primary, else first; missing last
		{"emails.value", "2 1 -3"},
		{"ACME:badgeLevel", "3 2 1"},
		{"ACME:hired", "1 2 -3"},
		{"meta.created", "2 3 1"},
		{"id", "1 2 3"},
	} {
		t.Run(row.by, func(t *testing.T) {
			s, err := resource.ParseSort(registry.User, expand(row.by), "")
			if err != nil {
				t.Fatal(err)
			}
			type keyed struct {
				id, key string
				present bool
			}
			var list []keyed
			for _, text := range users {
				r, err := resource.Load(registry.User, expand(text))
				if err != nil {
					t.Fatal(err)
				}
				key, present := s.Key(r)
				list = append(list, keyed{r.Get("id").Text(), key, present})
			}
			slices.SortStableFunc(list, func(a, b keyed) int {
				if a.present != b.present {
					if a.present {
						return -1
					}
					return 1
				}
				return strings.Compare(a.key, b.key)
			})
			var ids []string
			for _, k := range list {
				if !k.present {
					k.id = "-" + k.id
				}
				ids = append(ids, k.id)
			}
			if got := strings.Join(ids, " "); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
	for _, row := range []struct {
		by, order string
		want      refusal.Type
	}{
		{"shoeSize", "", refusal.InvalidPath}, {"name", "", refusal.InvalidPath}, {"a b", "", refusal.InvalidPath}, {schema.EnterpriseUserURN, "", refusal.InvalidPath},
		{"userName", "upward", refusal.InvalidValue}, {`userName; DROP TABLE users`, "", refusal.InvalidPath},
	} {
		if _, err := resource.ParseSort(registry.User, row.by, row.order); err == nil {
			t.Errorf("%q is taken", row.by)
		} else if e, _ := refusal.From(err); e.Type != row.want {
			t.Errorf("%q is refused with %v", row.by, err)
		}
	}
	s, err := resource.ParseSort(registry.User, "NAME.familyname", "Descending")
	if err != nil || s.String() != "name.familyName descending" {
		t.Errorf("it is %q, %v", s, err)
	}
}

// FuzzDecode reads anything as a user or a group: it never panics, and what it makes is stored and read again as the same,
// and decoded again as the same.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{stored, `{"userName":["d"],"emails":{"value":"a"}}`, `{"displayName":"G","members":["a",{"value":"b","type":"User"}]}`,
		`{"userName":1e400,"active":"TRUE","name":{"value":""},"ACME":{"badgeLevel":"-0","desk":[{"floor":"1"}]}}`} {
		f.Add(expand(seed))
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, kind := range registry.ResourceTypes() {
			r, err := resource.Decode(kind, body)
			if err != nil {
				if e, ok := refusal.From(err); !ok || e.Status != 400 || e.Detail == "" {
					t.Fatalf("refused with %v", err)
				}
				continue
			}
			text := string(r.Append(nil))
			again, err := resource.Decode(kind, text)
			if err != nil {
				t.Fatalf("%s is refused with %v", text, err)
			}
			if !tree.Of(again.Attributes).Equal(tree.Of(r.Attributes)) {
				t.Fatalf("%s becomes %s", text, again.Append(nil))
			}
			for _, p := range []*resource.Projection{nil, {}} {
				p.Apply(r)
			}
		}
	})
}

// BenchmarkDecode is the user that Entra creates.
func BenchmarkDecode(b *testing.B) {
	body := expand(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","ENT"],"externalId":"3c1f0d92-6f0c-4a55-9b0e-0f1f4b7a2d10",
		"userName":"dana.kim@contoso.example","active":true,"displayName":"Dana Kim","emails":[{"primary":true,"type":"work","value":"dana.kim@contoso.example"}],
		"meta":{"resourceType":"User"},"name":{"formatted":"Dana Kim","familyName":"Kim","givenName":"Dana"},"ENT":{"employeeNumber":"88121","department":"Learning"}}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := resource.Decode(registry.User, body); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAnswer is writing a user as it is answered.
func BenchmarkAnswer(b *testing.B) {
	r, err := resource.Load(registry.User, expand(stored))
	if err != nil {
		b.Fatal(err)
	}
	var p *resource.Projection
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = p.Apply(r).Append(out[:0])
	}
}
