package patch_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/scim/patch"
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/resource"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

const enterprise = schema.EnterpriseUserURN

// registry has the built-in schemas and an extension of an operator.
var registry = func() *schema.Registry {
	list, err := schema.ParseDeclarations(`[{"resourceType":"User","id":"urn:ietf:params:scim:schemas:extension:Acme:2.0:User","name":"Acme","description":"",
		"attributes":[{"name":"badgeLevel","type":"integer"},{"name":"hired","type":"dateTime","mutability":"immutable"},
			{"name":"tags","multiValued":true},{"name":"desk","type":"complex","subAttributes":[{"name":"floor","type":"integer","required":true},{"name":"room"}]}]}]`)
	if err != nil {
		panic(err)
	}
	r, err := schema.NewRegistry(list...)
	if err != nil {
		panic(err)
	}
	return r
}()

func kindOf(name string) *schema.ResourceType { return registry.ResourceType(name) }

// load reads the attributes of a resource; ENT and ACME stand for the URNs.
func load(t testing.TB, kind, text string) *resource.Resource {
	t.Helper()
	r, err := resource.Load(kindOf(kind), expand(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func expand(text string) string {
	return strings.NewReplacer("ENT", enterprise, "ACME", "urn:ietf:params:scim:schemas:extension:Acme:2.0:User").Replace(text)
}

func message(operations string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + expand(operations) + `]}`
}

const bare = `{"userName":"dana"}`

// TestEveryFormThatEntraSends has a row for each line of what the provisioning service and Microsoft's validators send, in
// both dialects.
func TestEveryFormThatEntraSends(t *testing.T) {
	for _, row := range []struct {
		name, before, operations, after string
	}{
		{"P1 boolean as a string with a capital", `{"userName":"dana","active":true}`, `{"op":"Replace","path":"active","value":"False"}`, `{"userName":"dana","active":false}`},
		{"P2 boolean as a string in lower case", `{"userName":"dana","active":true}`, `{"op":"Replace","path":"active","value":"false"}`, `{"userName":"dana","active":false}`},
		{"P2 True", bare, `{"op":"Replace","path":"active","value":"True"}`, `{"userName":"dana","active":true}`},
		{"P3 a real boolean", `{"userName":"dana","active":true}`, `{"op":"replace","path":"active","value":false}`, `{"userName":"dana","active":false}`},
		{"P4 without path", `{"userName":"dana","active":true}`, `{"op":"Replace","value":{"active":false}}`, `{"userName":"dana","active":false}`},
		{"P4 without path, as a string", `{"userName":"dana","active":true}`, `{"op":"Replace","value":{"active":"False"}}`, `{"userName":"dana","active":false}`},
		{"P5 add of a single value", bare, `{"op":"Add","path":"nickName","value":"Dee"}`, `{"userName":"dana","nickName":"Dee"}`},
		{"P6 replace of what is not there", bare, `{"op":"Replace","path":"displayName","value":"Dana"}`, `{"userName":"dana","displayName":"Dana"}`},
		{"P7 a part of a name that is not there", bare, `{"op":"Replace","path":"name.givenName","value":"Dana"}`, `{"userName":"dana","name":{"givenName":"Dana"}}`},
		{"P7 other parts stay", `{"userName":"dana","name":{"familyName":"Kim","givenName":"D"}}`, `{"op":"Replace","path":"name.givenName","value":"Dana"}`, `{"userName":"dana","name":{"familyName":"Kim","givenName":"Dana"}}`},
		{"P8 externalId", bare, `{"op":"Replace","path":"externalId","value":"3c1f"}`, `{"userName":"dana","externalId":"3c1f"}`},
		{"P8 userName", bare, `{"op":"Replace","path":"userName","value":"Dana.Kim"}`, `{"userName":"Dana.Kim"}`},
		{"P9 on the element that matches", `{"userName":"dana","emails":[{"type":"home","value":"h@x"},{"type":"work","value":"o@x","primary":true}]}`,
			`{"op":"Replace","path":"emails[type eq \"work\"].value","value":"n@x"}`,
			`{"userName":"dana","emails":[{"type":"home","value":"h@x"},{"type":"work","value":"n@x","primary":true}]}`},
		{"P9 where none matches one is made", bare, `{"op":"Replace","path":"emails[type eq \"work\"].value","value":"n@x"}`,
			`{"userName":"dana","emails":[{"type":"work","value":"n@x"}]}`},
		{"P10 primary takes it from the others", `{"userName":"dana","emails":[{"type":"home","value":"h@x","primary":true},{"type":"work","value":"w@x"}]}`,
			`{"op":"Add","path":"emails[type eq \"work\"].primary","value":true}`,
			`{"userName":"dana","emails":[{"type":"home","value":"h@x","primary":false},{"type":"work","value":"w@x","primary":true}]}`},
		{"P11 several operations build one element", bare,
			`{"op":"Add","path":"addresses[type eq \"work\"].streetAddress","value":"1 High St"},{"op":"Add","path":"addresses[type eq \"work\"].formatted","value":"1 High St\n"},
			 {"op":"Add","path":"addresses[type eq \"work\"].locality","value":"Leeds"},{"op":"Add","path":"addresses[type eq \"work\"].region","value":"Yorks"},
			 {"op":"Add","path":"addresses[type eq \"work\"].postalCode","value":"LS1"},{"op":"Add","path":"addresses[type eq \"work\"].country","value":"Sierra Leone"}`,
			`{"userName":"dana","addresses":[{"type":"work","streetAddress":"1 High St","formatted":"1 High St\n","locality":"Leeds","region":"Yorks","postalCode":"LS1","country":"Sierra Leone"}]}`},
		{"P12 sub-attributes in another case", bare,
			`{"op":"Add","path":"addresses[type eq \"other\"].Formatted","value":"PO 1"},{"op":"Add","path":"emails[type eq \"other\"].Value","value":"o@x"}`,
			`{"userName":"dana","addresses":[{"type":"other","formatted":"PO 1"}],"emails":[{"type":"other","value":"o@x"}]}`},
		{"P13 telephone numbers as they are", `{"userName":"dana","phoneNumbers":[{"type":"work","value":"1"}]}`,
			`{"op":"Replace","path":"phoneNumbers[type eq \"work\"].value","value":" +1 (425) 555-0100 "},{"op":"Add","path":"phoneNumbers[type eq \"mobile\"].value","value":"10-040-1308"},{"op":"Add","path":"phoneNumbers[type eq \"fax\"].value","value":"x"}`,
			`{"userName":"dana","phoneNumbers":[{"type":"work","value":" +1 (425) 555-0100 "},{"type":"mobile","value":"10-040-1308"},{"type":"fax","value":"x"}]}`},
		{"P14 an attribute of the enterprise extension", bare, `{"op":"Replace","path":"ENT:employeeNumber","value":"1"},{"op":"Replace","path":"ENT:department","value":"L"},{"op":"Replace","path":"ENT:costCenter","value":"C"},{"op":"Replace","path":"ENT:organization","value":"O"},{"op":"Replace","path":"ENT:division","value":"D"}`,
			`{"userName":"dana","ENT":{"employeeNumber":"1","department":"L","costCenter":"C","organization":"O","division":"D"}}`},
		{"P15 manager as a string", bare, `{"op":"Add","path":"ENT:manager","value":"m1"}`, `{"userName":"dana","ENT":{"manager":{"value":"m1"}}}`},
		{"P16 manager as an object", bare, `{"op":"replace","path":"ENT:manager","value":{"value":"m1"}}`, `{"userName":"dana","ENT":{"manager":{"value":"m1"}}}`},
		{"P17 manager without its schema, in an array", bare, `{"op":"Add","path":"manager","value":[{"$ref":"http://h/Users/m1","value":"m1"}]}`,
			`{"userName":"dana","ENT":{"manager":{"value":"m1","$ref":"http://h/Users/m1"}}}`},
		{"P18 manager in an array", bare, `{"op":"Add","path":"ENT:manager","value":[{"value":"m1"}]}`, `{"userName":"dana","ENT":{"manager":{"value":"m1"}}}`},
		{"P19 manager cleared by an empty string", `{"userName":"dana","ENT":{"manager":{"value":"m1","$ref":"u"}}}`, `{"op":"Replace","path":"ENT:manager","value":""}`, bare},
		{"P19 by an object with an empty value", `{"userName":"dana","ENT":{"manager":{"value":"m1","$ref":"u"}}}`, `{"op":"Replace","path":"ENT:manager","value":{"value":""}}`, bare},
		{"P19 by an object with null", `{"userName":"dana","ENT":{"manager":{"value":"m1","$ref":"u"}}}`, `{"op":"Replace","path":"ENT:manager","value":{"value":null}}`, bare},
		{"P19 by null", `{"userName":"dana","ENT":{"manager":{"value":"m1","$ref":"u"},"department":"L"}}`, `{"op":"Replace","path":"ENT:manager","value":null}`, `{"userName":"dana","ENT":{"department":"L"}}`},
		{"P19 by remove", `{"userName":"dana","ENT":{"manager":{"value":"m1","$ref":"u"}}}`, `{"op":"Remove","path":"ENT:manager"}`, bare},
		{"P20 manager.value", `{"userName":"dana","ENT":{"manager":{"value":"m1","$ref":"of m1"}}}`, `{"op":"Replace","path":"ENT:manager.value","value":"m2"}`, `{"userName":"dana","ENT":{"manager":{"value":"m2"}}}`},
		{"P21 a scalar wrapped by the old client", bare, `{"op":"Replace","path":"title","value":[{"$ref":null,"value":"Coach"}]}`, `{"userName":"dana","title":"Coach"}`},
		{"P22 dotted and URN keys", `{"userName":"dana","name":{"formatted":"D K"}}`,
			`{"op":"replace","value":{"displayName":"Dana Kim","name.givenName":"Dana","name.familyName":"Kim","ENT:employeeNumber":"88121","ENT:department":"Learning"}}`,
			`{"userName":"dana","name":{"formatted":"D K","givenName":"Dana","familyName":"Kim"},"displayName":"Dana Kim","ENT":{"employeeNumber":"88121","department":"Learning"}}`},
		{"P23 the extension as an object merges", `{"userName":"dana","ENT":{"division":"D"}}`, `{"op":"Add","value":{"ENT":{"department":"L"}}}`, `{"userName":"dana","ENT":{"division":"D","department":"L"}}`},
		{"P24 the extension as a path", `{"userName":"dana","ENT":{"division":"D"}}`, `{"op":"replace","path":"ENT","value":{"department":"L"}}`, `{"userName":"dana","ENT":{"division":"D","department":"L"}}`},
		{"P24 the extension removed", `{"userName":"dana","ENT":{"division":"D"}}`, `{"op":"remove","path":"ENT"}`, bare},
		{"P25 the primary role as a string", bare, `{"op":"Add","path":"roles[primary eq \"True\"].value","value":"Reader"},{"op":"Add","path":"roles[primary eq \"True\"].display","value":"A reader"},{"op":"Add","path":"roles[primary eq \"True\"].type","value":"t"}`,
			`{"userName":"dana","roles":[{"primary":true,"value":"Reader","display":"A reader","type":"t"}]}`},
		{"P26 a role that is JSON in a string", bare, `{"op":"Add","path":"roles","value":[{"value":"{\"id\":\"18d1\",\"value\":\"Admin\",\"displayName\":\"Admin\"}"}]}`,
			`{"userName":"dana","roles":[{"value":"{\"id\":\"18d1\",\"value\":\"Admin\",\"displayName\":\"Admin\"}"}]}`},
		{"P27 roles are only added", `{"userName":"dana","roles":[{"value":"Reader","display":"Reader","primary":false}]}`,
			`{"op":"add","path":"roles","value":[{"id":"18d1","value":"Admin","display":"Admin","primary":false}]}`,
			`{"userName":"dana","roles":[{"value":"Reader","display":"Reader","primary":false},{"value":"Admin","display":"Admin","primary":false}]}`},
		{"P28 all roles replaced", `{"userName":"dana","roles":[{"value":"Reader"}]}`, `{"op":"replace","path":"roles","value":[{"value":"A"},{"value":"B"}]}`, `{"userName":"dana","roles":[{"value":"A"},{"value":"B"}]}`},
		{"P29 remove with a value", `{"userName":"dana","emails":[{"type":"work","value":"old@x","primary":true},{"type":"home","value":"old@x"}]}`,
			`{"op":"Remove","path":"emails[type eq \"work\"].value","value":"OLD@x"}`, `{"userName":"dana","emails":[{"type":"home","value":"old@x"}]}`},
		{"P29 of another value removes nothing", `{"userName":"dana","emails":[{"type":"work","value":"new@x"}]}`,
			`{"op":"Remove","path":"emails[type eq \"work\"].value","value":"old@x"}`, `{"userName":"dana","emails":[{"type":"work","value":"new@x"}]}`},
		{"P29 leaves what has more than a label", `{"userName":"dana","emails":[{"type":"work","value":"old@x","display":"D"}]}`,
			`{"op":"Remove","path":"emails[type eq \"work\"].value","value":"old@x"}`, `{"userName":"dana","emails":[{"type":"work","display":"D"}]}`},
		{"P30 an extension of the operator", bare, `{"op":"Replace","path":"ACME:badgeLevel","value":"3"}`, `{"userName":"dana","ACME":{"badgeLevel":3}}`},
		{"P30 its URN in another case", bare, `{"op":"Replace","path":"URN:ietf:params:scim:schemas:extension:acme:2.0:user:BADGELEVEL","value":3}`, `{"userName":"dana","ACME":{"badgeLevel":3}}`},
		{"P31 empty strings clear", `{"userName":"dana","title":"T","name":{"givenName":"D","familyName":"K"},"emails":[{"type":"work","value":"w@x"}],"ENT":{"department":"L"}}`,
			`{"op":"replace","path":"title","value":""},{"op":"replace","path":"name.givenName","value":""},{"op":"replace","path":"emails[type eq \"work\"].value","value":""},{"op":"replace","path":"ENT:department","value":""}`,
			`{"userName":"dana","name":{"familyName":"K"}}`},
		{"P31 null clears", `{"userName":"dana","title":"T","name":{"givenName":"D"},"emails":[{"type":"work","value":"w@x","primary":true}]}`,
			`{"op":"replace","path":"title","value":null},{"op":"replace","path":"name.givenName","value":null},{"op":"replace","path":"emails[type eq \"work\"].value","value":null},{"op":"replace","path":"ENT:department","value":null}`, bare},
		{"P32 without path", `{"userName":"dana","title":"T","name":{"givenName":"D","familyName":"K"},"ENT":{"department":"L"}}`,
			`{"op":"replace","value":{"title":"","name.givenName":null,"ENT:department":""}}`, `{"userName":"dana","name":{"familyName":"K"}}`},
		{"P33 one after the other", `{"userName":"dana","displayName":"old"}`,
			`{"op":"remove","path":"displayName"},{"op":"add","path":"displayName","value":"A"},{"op":"replace","path":"displayName","value":"B"}`, `{"userName":"dana","displayName":"B"}`},
		{"P34 no address at all", `{"userName":"dana","emails":[{"type":"work","value":"w@x"}]}`, `{"op":"replace","path":"emails[type eq \"work\"].value","value":"upd-1a2b3c4d"}`, `{"userName":"dana","emails":[{"type":"work","value":"upd-1a2b3c4d"}]}`},
		{"no operations", bare, ``, bare},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := load(t, "User", row.before)
			kept := string(before.Append(nil))
			p, err := patch.Normalize(before.Type, message(row.operations))
			if err != nil {
				t.Fatal(err)
			}
			after, changed, err := p.Apply(before)
			if err != nil {
				t.Fatal(err)
			}
			want := load(t, "User", row.after)
			if !tree.Of(after.Attributes).Equal(tree.Of(want.Attributes)) {
				t.Errorf("got  %s\nwant %s", after.Append(nil), want.Append(nil))
			}
			if differs := row.before != row.after; changed != differs {
				t.Errorf("changed is %t", changed)
			}
			if string(before.Append(nil)) != kept {
				t.Errorf("the resource itself became %s", before.Append(nil))
			}
			// The same message again finds everything as it wants it.
			p, err = patch.Normalize(before.Type, message(row.operations))
			if err != nil {
				t.Fatal(err)
			}
			if again, changed, err := p.Apply(after); err != nil || changed {
				t.Errorf("a second time it changes to %s, %v", again.Append(nil), err)
			}
		})
	}
}

func TestRulesOfTheStandard(t *testing.T) {
	for _, row := range []struct {
		name, before, operations, after string
	}{
		{"add of what is there changes nothing", `{"userName":"dana","emails":[{"type":"work","value":"w@x"}]}`, `{"op":"add","path":"emails","value":[{"value":"w@x","type":"work"}]}`, `{"userName":"dana","emails":[{"type":"work","value":"w@x"}]}`},
		{"add of the same value with more to say", `{"userName":"dana","emails":[{"type":"work","value":"w@x"}]}`, `{"op":"add","path":"emails","value":{"value":"w@x","type":"work","display":"D"}}`, `{"userName":"dana","emails":[{"type":"work","value":"w@x","display":"D"}]}`},
		{"add of a primary element", `{"userName":"dana","emails":[{"type":"work","value":"w@x","primary":true}]}`, `{"op":"add","path":"emails","value":[{"value":"h@x","type":"home","primary":true}]}`,
			`{"userName":"dana","emails":[{"type":"work","value":"w@x","primary":false},{"value":"h@x","type":"home","primary":true}]}`},
		{"add of nothing", `{"userName":"dana","emails":[{"type":"work","value":"w@x"}]}`, `{"op":"add","path":"emails","value":[]}`, `{"userName":"dana","emails":[{"type":"work","value":"w@x"}]}`},
		{"replace by nothing", `{"userName":"dana","emails":[{"type":"work","value":"w@x"}]}`, `{"op":"replace","path":"emails","value":[]}`, bare},
		{"replace of a complex attribute sets the parts it names", `{"userName":"dana","name":{"givenName":"D","familyName":"K"}}`, `{"op":"replace","path":"name","value":{"GIVENNAME":"E"}}`, `{"userName":"dana","name":{"givenName":"E","familyName":"K"}}`},
		{"and clears the parts that are null", `{"userName":"dana","name":{"givenName":"D","familyName":"K"}}`, `{"op":"replace","value":{"name":{"givenName":null}}}`, `{"userName":"dana","name":{"familyName":"K"}}`},
		{"and is cleared by null", `{"userName":"dana","name":{"givenName":"D","familyName":"K"}}`, `{"op":"replace","path":"name","value":null}`, bare},
		{"parts nobody knows change nothing", `{"userName":"dana","name":{"givenName":"D"}}`, `{"op":"replace","path":"name","value":{"shoeSize":"9"}}`, `{"userName":"dana","name":{"givenName":"D"}}`},
		{"nor do readOnly parts", `{"userName":"dana","ENT":{"manager":{"value":"m1"}}}`, `{"op":"replace","path":"ENT:manager","value":{"displayName":"M"}}`, `{"userName":"dana","ENT":{"manager":{"value":"m1"}}}`},
		{"readOnly attributes in a value are ignored", bare, `{"op":"replace","value":{"id":"7","meta":{"version":"x"},"groups":[{"value":"g"}],"schemas":[],"title":"T"}}`, `{"userName":"dana","title":"T"}`},
		{"unknown attributes in a value are ignored", bare, `{"op":"replace","value":{"shoeSize":9,"urn:x:y":1,"a.b.c":2,"title":"T"}}`, `{"userName":"dana","title":"T"}`},
		{"the core schema as a key", bare, `{"op":"replace","value":{"urn:ietf:params:scim:schemas:core:2.0:User":{"title":"T"},"urn:ietf:params:scim:schemas:core:2.0:User:nickName":"D"}}`, `{"userName":"dana","title":"T","nickName":"D"}`},
		{"a path with a filter as a key", bare, `{"op":"add","value":{"emails[type eq \"work\"].value":"w@x"}}`, `{"userName":"dana","emails":[{"type":"work","value":"w@x"}]}`},
		{"a whole element by filter", `{"userName":"dana","emails":[{"type":"work","value":"w@x","display":"D"}]}`, `{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"n@x"}}`, `{"userName":"dana","emails":[{"type":"work","value":"n@x","display":"D"}]}`},
		{"a whole element by filter that is not there", bare, `{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"n@x"}}`, `{"userName":"dana","emails":[{"type":"work","value":"n@x"}]}`},
		{"a whole element cleared", `{"userName":"dana","emails":[{"type":"work","value":"w@x"},{"type":"home","value":"h@x"}]}`, `{"op":"replace","path":"emails[type eq \"work\"]","value":null}`, `{"userName":"dana","emails":[{"type":"home","value":"h@x"}]}`},
		{"an element whose value is cleared", `{"userName":"dana","emails":[{"type":"work","value":"w@x"}]}`, `{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":""}}`, bare},
		{"an element made by two conditions", bare, `{"op":"add","path":"emails[type eq \"work\" and primary eq true].value","value":"w@x"}`, `{"userName":"dana","emails":[{"type":"work","primary":true,"value":"w@x"}]}`},
		{"an element made primary takes it from the others", `{"userName":"dana","emails":[{"type":"home","value":"h","primary":true}]}`, `{"op":"add","path":"emails[type eq \"work\" and primary eq true].value","value":"w@x"}`,
			`{"userName":"dana","emails":[{"type":"home","value":"h","primary":false},{"type":"work","primary":true,"value":"w@x"}]}`},
		{"clearing what a filter does not find", bare, `{"op":"replace","path":"emails[type sw \"w\"].value","value":""}`, bare},
		{"a part of all elements", `{"userName":"dana","emails":[{"type":"work","value":"w"},{"type":"home","value":"h"}]}`, `{"op":"replace","path":"emails.display","value":"D"}`, `{"userName":"dana","emails":[{"type":"work","value":"w","display":"D"},{"type":"home","value":"h","display":"D"}]}`},
		{"remove by filter", `{"userName":"dana","emails":[{"type":"work","value":"w"},{"type":"home","value":"h"}]}`, `{"op":"remove","path":"emails[value ew \"w\"]"}`, `{"userName":"dana","emails":[{"type":"home","value":"h"}]}`},
		{"remove of the last element", `{"userName":"dana","emails":[{"type":"work","value":"w"}]}`, `{"op":"remove","path":"emails[type eq \"work\"]"}`, bare},
		{"remove by filter of what is not there", bare, `{"op":"remove","path":"emails[type eq \"work\"]"}`, bare},
		{"remove with a list of values", `{"userName":"dana","emails":[{"type":"work","value":"w"},{"type":"home","value":"h"},{"value":"o"}]}`, `{"op":"remove","path":"emails","value":[{"value":"W"},"o"]}`, `{"userName":"dana","emails":[{"type":"home","value":"h"}]}`},
		{"remove with an empty list", `{"userName":"dana","emails":[{"type":"work","value":"w"}]}`, `{"op":"remove","path":"emails","value":[]}`, `{"userName":"dana","emails":[{"type":"work","value":"w"}]}`},
		{"remove of everything", `{"userName":"dana","emails":[{"type":"work","value":"w"}]}`, `{"op":"remove","path":"emails"}`, bare},
		{"remove of a part", `{"userName":"dana","name":{"givenName":"D"}}`, `{"op":"remove","path":"name.givenName"}`, bare},
		{"remove of what is not there", bare, `{"op":"remove","path":"name.givenName"},{"op":"remove","path":"title"},{"op":"remove","path":"ENT:manager.value"}`, bare},
		{"taken and given again", `{"userName":"dana","title":"T"}`, `{"op":"remove","path":"title"},{"op":"add","path":"title","value":"T"}`, `{"userName":"dana","title":"T"}`},
		{"a condition on a single complex value", `{"userName":"dana","name":{"familyName":"Kim"}}`, `{"op":"replace","path":"name[familyName eq \"kim\"].givenName","value":"D"}`, `{"userName":"dana","name":{"familyName":"Kim","givenName":"D"}}`},
		{"a condition on a single complex value that is not there", bare, `{"op":"replace","path":"name[familyName eq \"Kim\"].givenName","value":"D"}`, `{"userName":"dana","name":{"familyName":"Kim","givenName":"D"}}`},
		{"a condition on a single complex value takes it away", `{"userName":"dana","name":{"familyName":"Kim"}}`, `{"op":"remove","path":"name[familyName eq \"other\"]"},{"op":"remove","path":"name[familyName eq \"kim\"]"},{"op":"replace","path":"name[familyName eq \"kim\"].givenName","value":""}`, bare},
		{"an address that is there already", `{"userName":"dana","addresses":[{"type":"work","locality":"Leeds"}]}`, `{"op":"add","path":"addresses","value":[{"locality":"Leeds","type":"work"},{"locality":"Leeds"}]}`, `{"userName":"dana","addresses":[{"type":"work","locality":"Leeds"},{"locality":"Leeds"}]}`},
		{"an extension by null and by nothing", `{"userName":"dana","ENT":{"division":"D"}}`, `{"op":"add","path":"ENT","value":{}},{"op":"replace","value":{"ENT":null}}`, bare},
		{"a path of schemas", bare, `{"op":"replace","path":"schemas","value":[]}`, bare},
		{"a value in an array without path", bare, `{"op":"add","value":[{"title":"T"}]}`, `{"userName":"dana","title":"T"}`},
		{"schemas in one string", bare, `{"op":"add","value":{"title":"T"}}`, `{"userName":"dana","title":"T"}`},
		{"a multi-valued attribute of plain values", `{"userName":"dana","ACME":{"tags":["a"]}}`, `{"op":"add","path":"ACME:tags","value":["b","a"]},{"op":"remove","path":"ACME:tags","value":"A"}`, `{"userName":"dana","ACME":{"tags":["b"]}}`},
		{"an immutable attribute once", bare, `{"op":"add","path":"ACME:hired","value":"2020-01-01T00:00:00.1234567Z"},{"op":"add","path":"ACME:hired","value":"2020-01-01T00:00:00.1234567Z"}`, `{"userName":"dana","ACME":{"hired":"2020-01-01T00:00:00.1234567Z"}}`},
		{"a new address with the new value", `{"userName":"dana","ENT":{"manager":{"value":"m1","$ref":"1"}}}`, `{"op":"replace","path":"manager","value":{"$ref":"2","value":"m2"}}`, `{"userName":"dana","ENT":{"manager":{"value":"m2","$ref":"2"}}}`},
		{"an integer beyond any register", bare, `{"op":"add","path":"ACME:badgeLevel","value":99999999999999999999}`, `{"userName":"dana","ACME":{"badgeLevel":99999999999999999999}}`},
		{"schemas is computed", bare, `{"op":"add","path":"schemas","value":["urn:x"]},{"op":"remove","path":"schemas"}`, bare},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := load(t, "User", row.before)
			p, err := patch.Normalize(before.Type, message(row.operations))
			if err != nil {
				t.Fatal(err)
			}
			after, changed, err := p.Apply(before)
			if err != nil {
				t.Fatal(err)
			}
			want := load(t, "User", row.after)
			if !tree.Of(after.Attributes).Equal(tree.Of(want.Attributes)) {
				t.Errorf("got  %s\nwant %s", after.Append(nil), want.Append(nil))
			}
			if changed != (row.before != row.after) {
				t.Errorf("changed is %t", changed)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	full := `{"userName":"dana","emails":[{"type":"work","value":"w"},{"type":"home","value":"h"}],"ACME":{"hired":"2020-01-01T00:00:00Z","desk":{"floor":1}}}`
	for _, row := range []struct {
		name, kind, body string
		want             refusal.Type
		says             string
	}{
		{"no JSON", "User", `{`, refusal.InvalidSyntax, "no JSON"},
		{"no object", "User", `[]`, refusal.InvalidSyntax, "Send one JSON object"},
		{"another message", "User", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[]}`, refusal.InvalidSyntax, "PatchOp"},
		{"no Operations", "User", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}`, refusal.InvalidSyntax, "Operations"},
		{"Operations of another type", "User", `{"Operations":{}}`, refusal.InvalidSyntax, "Operations"},
		{"an operation of another type", "User", message(`"add"`), refusal.InvalidSyntax, "Operations[0]: An operation must be an object, not a string."},
		{"no op", "User", message(`{"path":"title"}`), refusal.InvalidSyntax, "op is missing"},
		{"an op of another type", "User", message(`{"op":1,"path":"title"}`), refusal.InvalidSyntax, "op is missing"},
		{"an unknown op", "User", message(`{"op":"replace","path":"title","value":"x"},{"op":"move","path":"title"}`), refusal.InvalidSyntax, `Operations[1]: op must be add, replace or remove, not "move".`},
		{"a path of another type", "User", message(`{"op":"add","path":["title"],"value":"x"}`), refusal.InvalidSyntax, "path must be a string"},
		{"remove without path", "User", message(`{"op":"remove"}`), refusal.NoTarget, "must say what to remove"},
		{"remove with an empty path", "User", message(`{"op":"remove","path":"","value":{"title":"x"}}`), refusal.NoTarget, ""},
		{"no value", "User", message(`{"op":"add","path":"title"}`), refusal.InvalidValue, "value is missing"},
		{"no value and no path", "User", message(`{"op":"add"}`), refusal.InvalidValue, "must be an object"},
		{"a plain value without path", "User", message(`{"op":"replace","value":"x"}`), refusal.InvalidValue, "must be an object"},
		{"an unknown attribute", "User", message(`{"op":"add","path":"shoeSize","value":"9"}`), refusal.InvalidPath, `A User has no attribute "shoeSize".`},
		{"an unknown sub-attribute", "User", message(`{"op":"add","path":"name.shoeSize","value":"9"}`), refusal.InvalidPath, ""},
		{"an unknown sub-attribute behind a filter", "User", message(`{"op":"add","path":"emails[type eq \"work\"].size","value":"9"}`), refusal.InvalidPath, `emails has no sub-attribute "size"`},
		{"an unknown schema", "User", message(`{"op":"add","path":"urn:x:2.0:User:size","value":"9"}`), refusal.InvalidPath, ""},
		{"a path that is none", "User", message(`{"op":"add","path":"a b","value":"9"}`), refusal.InvalidPath, ""},
		{"a filter on what has no elements", "User", message(`{"op":"add","path":"title[value eq \"x\"]","value":"9"}`), refusal.InvalidPath, ""},
		{"a filter that is none", "User", message(`{"op":"add","path":"emails[type is \"work\"].value","value":"9"}`), refusal.InvalidFilter, "is no operator"},
		{"a filter of an unknown sub-attribute", "User", message(`{"op":"add","path":"emails[size eq \"work\"].value","value":"9"}`), refusal.InvalidFilter, ""},
		{"a filter of the wrong type", "User", message(`{"op":"add","path":"emails[primary gt true].value","value":"9"}`), refusal.InvalidFilter, ""},
		{"a readOnly attribute", "User", message(`{"op":"replace","path":"id","value":"9"}`), refusal.Mutability, "id is readOnly."},
		{"a readOnly part", "User", message(`{"op":"replace","path":"meta.version","value":"9"}`), refusal.Mutability, ""},
		{"groups of a user", "User", message(`{"op":"remove","path":"groups[value eq \"g\"]"}`), refusal.Mutability, ""},
		{"the manager's name", "User", message(`{"op":"replace","path":"manager.displayName","value":"M"}`), refusal.Mutability, ""},
		{"remove of a required attribute", "User", message(`{"op":"remove","path":"userName"}`), refusal.Mutability, "userName is required"},
		{"an empty required attribute", "User", message(`{"op":"replace","path":"userName","value":""}`), refusal.InvalidValue, "userName is required"},
		{"an empty required attribute without path", "User", message(`{"op":"replace","value":{"userName":null}}`), refusal.InvalidValue, `Operations[0].value["userName"]: userName is required`},
		{"a required part", "User", message(`{"op":"replace","path":"ACME:desk","value":{"floor":null,"room":"1"}}`), refusal.InvalidValue, ""},
		{"remove of a required part", "User", message(`{"op":"remove","path":"ACME:desk.floor"}`), refusal.Mutability, ""},
		{"a boolean that is none", "User", message(`{"op":"replace","path":"active","value":"maybe"}`), refusal.InvalidValue, "active must be true or false"},
		{"a boolean that is a number", "User", message(`{"op":"replace","path":"active","value":0}`), refusal.InvalidValue, "active must be true or false, not a number."},
		{"an integer that is none", "User", message(`{"op":"replace","path":"ACME:badgeLevel","value":"3.5"}`), refusal.InvalidValue, "must be a whole number"},
		{"many values for one", "User", message(`{"op":"replace","path":"title","value":["a","b"]}`), refusal.InvalidValue, "title has one value, not 2."},
		{"an object for a string", "User", message(`{"op":"replace","path":"title","value":{"a":"b"}}`), refusal.InvalidValue, "title must be a string, not an object."},
		{"a string for an object", "User", message(`{"op":"replace","path":"name","value":"Dana"}`), refusal.InvalidValue, "name must be an object, not a string."},
		{"an object for an extension", "User", message(`{"op":"replace","path":"ENT","value":"x"}`), refusal.InvalidValue, ""},
		{"arrays in arrays", "User", message(`{"op":"replace","path":"emails","value":[["x"]]}`), refusal.InvalidValue, ""},
		{"two primary values", "User", message(`{"op":"replace","path":"emails","value":[{"value":"a","primary":true},{"value":"b","primary":"True"}]}`), refusal.InvalidValue, "2 primary values"},
		{"all elements primary", "User", message(`{"op":"replace","path":"emails.primary","value":true}`), refusal.InvalidValue, "more than one element"},
		{"U+0000", "User", message(`{"op":"replace","path":"title","value":"a\u0000b"}`), refusal.InvalidValue, "U+0000"},
		{"an unpaired surrogate", "User", message(`{"op":"replace","path":"title","value":"\udc00"}`), refusal.InvalidSyntax, "surrogate"},
		{"a duplicate key", "User", message(`{"op":"replace","Op":"remove","path":"title","value":"x"}`), refusal.InvalidSyntax, "twice"},
		{"a filter that matches nothing and is not of eq", "User", message(`{"op":"replace","path":"emails[value sw \"z\"].value","value":"x"}`), refusal.NoTarget, ""},
		{"a filter with or that matches nothing", "User", message(`{"op":"replace","path":"emails[type eq \"a\" or type eq \"b\"].value","value":"x"}`), refusal.NoTarget, ""},
		{"an element that would not be the one asked for", "User", message(`{"op":"replace","path":"emails[type eq \"other\"].type","value":"pager"}`), refusal.NoTarget, ""},
		{"a condition that a single complex value does not meet", "User", message(`{"op":"replace","path":"ACME:desk[floor gt 3].room","value":"x"}`), refusal.NoTarget, ""},
		{"an element by or, as a filter of or and not", "User", message(`{"op":"replace","path":"emails[not (type pr)].value","value":"x"}`), refusal.NoTarget, ""},
		{"an element by two conditions on one part", "User", message(`{"op":"replace","path":"emails[type eq \"a\" and type eq \"b\"].value","value":"x"}`), refusal.NoTarget, ""},
		{"an element by the empty text", "User", message(`{"op":"replace","path":"emails[type eq \"\"].value","value":"x"}`), refusal.NoTarget, ""},
		{"a wrong value for a part of all elements", "User", message(`{"op":"remove","path":"emails.primary","value":"maybe"}`), refusal.InvalidValue, ""},
		{"a member's part", "Group", message(`{"op":"remove","path":"members.value","value":"b"}`), refusal.Mutability, ""},
		{"a member that is an object of objects", "Group", message(`{"op":"remove","path":"members","value":[{"value":{"a":1}}]}`), refusal.InvalidValue, ""},
		{"an immutable attribute that has a value", "User", message(`{"op":"replace","path":"ACME:hired","value":"2021-01-01T00:00:00Z"}`), refusal.Mutability, "is immutable"},
		{"remove of an immutable attribute", "User", message(`{"op":"remove","path":"ACME:hired"}`), refusal.Mutability, "is immutable"},
		{"remove of its extension", "User", message(`{"op":"remove","path":"ACME"}`), refusal.Mutability, "is immutable"},
		{"what fails last changes nothing", "User", message(`{"op":"replace","path":"title","value":"T"},{"op":"replace","path":"ACME:hired","value":"2021-01-01T00:00:00Z"}`), refusal.Mutability, "Operations[1]: "},
		{"a member's value", "Group", message(`{"op":"replace","path":"members[value eq \"a\"].value","value":"b"}`), refusal.Mutability, ""},
		{"a member's name", "Group", message(`{"op":"replace","path":"members.display","value":"b"}`), refusal.Mutability, ""},
		{"a member as a whole", "Group", message(`{"op":"replace","path":"members[value eq \"a\"]","value":{"value":"b"}}`), refusal.Mutability, ""},
		{"a member without a value", "Group", message(`{"op":"add","path":"members","value":[{"type":"User"}]}`), refusal.InvalidValue, "A member has no value"},
		{"a member that only has a name", "Group", message(`{"op":"add","path":"members","value":[{"display":"Ada"}]}`), refusal.InvalidValue, "A member has no value"},
		{"a group without a name", "Group", message(`{"op":"replace","path":"displayName","value":null}`), refusal.InvalidValue, ""},
		{"an attribute of users", "Group", message(`{"op":"replace","path":"userName","value":"x"}`), refusal.InvalidPath, "A Group has no attribute"},
	} {
		t.Run(row.name, func(t *testing.T) {
			text := full
			if row.kind == "Group" {
				text = `{"displayName":"G"}`
			}
			before := load(t, row.kind, text)
			p, err := patch.Normalize(before.Type, row.body)
			if err == nil {
				_, _, err = p.Apply(before)
			}
			e, ok := refusal.From(err)
			if !ok || e.Type != row.want || e.Status != 400 || !strings.Contains(e.Detail, row.says) {
				t.Errorf("refused with %v", err)
			}
			if string(before.Append(nil)) != expand(text) {
				t.Errorf("the resource became %s", before.Append(nil))
			}
		})
	}
	t.Run("more elements than there may be", func(t *testing.T) {
		var list []string
		for i := range 999 {
			list = append(list, fmt.Sprintf(`"x%d"`, i))
		}
		value := strings.Join(list, ",")
		for _, row := range []struct {
			operations string
			want       refusal.Type
		}{
			{`{"op":"add","path":"emails","value":[` + value + `]}`, refusal.InvalidValue}, // 1,001 with the two that are there
			{`{"op":"remove","path":"emails[type eq \"home\"]"},{"op":"add","path":"emails","value":[` + value + `]},{"op":"add","path":"emails[type eq \"fax\"].value","value":"x"}`, refusal.InvalidValue},
		} {
			p, err := patch.Normalize(registry.User, message(row.operations))
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = p.Apply(load(t, "User", full))
			if e, ok := refusal.From(err); !ok || e.Type != row.want || !strings.Contains(e.Detail, "more than 1000 values") {
				t.Errorf("refused with %v", err)
			}
		}
		list = list[:900]
		p, err := patch.Normalize(registry.User, message(`{"op":"add","path":"emails","value":[`+strings.Join(list, ",")+`]}`+strings.Repeat(`,{"op":"remove","path":"emails[value eq \"y\" or value eq \"z\"]"}`, 400)))
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = p.Apply(load(t, "User", full))
		if e, ok := refusal.From(err); !ok || e.Status != 413 || !strings.Contains(e.Detail, "Send fewer operations") {
			t.Errorf("too much work is refused with %v", err)
		}
	})
	t.Run("too many operations", func(t *testing.T) {
		_, err := patch.Normalize(registry.User, message(strings.Repeat(`{"op":"remove","path":"title"},`, 1000)+`{"op":"remove","path":"title"}`))
		if e, ok := refusal.From(err); !ok || e.Status != 413 {
			t.Errorf("refused with %v", err)
		}
	})
}
