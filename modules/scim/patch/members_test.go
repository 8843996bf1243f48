package patch_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/badge-engine/badge-engine/modules/scim/patch"
	"github.com/badge-engine/badge-engine/modules/scim/resource"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// steps writes member steps as one line.
func steps(list []patch.MemberStep) string {
	var b strings.Builder
	for i, s := range list {
		if i > 0 {
			b.WriteString("; ")
		}
		if s.Where != nil {
			b.WriteString("where")
			continue
		}
		if s.Clear {
			b.WriteString("clear ")
		}
		for _, id := range s.Remove {
			b.WriteString("-" + id + " ")
		}
		for _, m := range s.Add {
			b.WriteString("+" + m.Value + " ")
		}
	}
	return strings.TrimRight(strings.ReplaceAll(b.String(), " ;", ";"), " ")
}

func TestMembersAreChangedAsASet(t *testing.T) {
	for _, row := range []struct{ name, operations, want string }{
		{"add", `{"op":"Add","path":"members","value":[{"$ref":null,"value":"U1"},{"$ref":null,"value":"U2"}]}`, "+U1 +U2"},
		{"add of one twice", `{"op":"Add","path":"members","value":[{"value":"U1"},{"value":"U1"}]}`, "+U1"},
		{"add without path", `{"op":"Add","value":{"members":[{"value":"U1"}]}}`, "+U1"},
		{"add of one object", `{"op":"add","path":"members","value":{"value":"U1","type":"User"}}`, "+U1"},
		{"add of ids alone", `{"op":"add","path":"members","value":["U1","U2"]}`, "+U1 +U2"},
		{"add of nobody", `{"op":"add","path":"members","value":[]}`, ""},
		{"removal by value, the flag being off, removes these only", `{"op":"Remove","path":"members","value":[{"$ref":null,"value":"U1"}]}`, "-U1"},
		{"removal of nobody by value", `{"op":"Remove","path":"members","value":[]}`, ""},
		{"removal by an empty string", `{"op":"Remove","path":"members","value":""}`, ""},
		{"removal by filter, the flag being on", `{"op":"remove","path":"members[value eq \"U1\"]"}`, "-U1"},
		{"removal of two by filter", `{"op":"remove","path":"members[value eq \"U1\" or value eq U2]"}`, "-U1 -U2"},
		{"removal by the full name", `{"op":"remove","path":"urn:ietf:params:scim:schemas:core:2.0:Group:MEMBERS[VALUE eq \"U1\"]"}`, "-U1"},
		{"removal of everybody", `{"op":"Remove","path":"members"}`, "clear"},
		{"removal of everybody by a client that writes null", `{"op":"Remove","path":"members","value":null}`, "clear"},
		{"removal by another filter", `{"op":"remove","path":"members[type eq \"Group\"]"}`, "where"},
		{"replacement", `{"op":"replace","path":"members","value":[{"value":"U1"}]}`, "clear +U1"},
		{"replacement without path", `{"op":"replace","value":{"members":[{"value":"U1"}],"displayName":"X"}}`, "clear +U1"},
		{"replacement by nobody", `{"op":"replace","path":"members","value":[]}`, "clear"},
		{"replacement by null", `{"op":"replace","value":{"members":null}}`, "clear"},
		{"add, then remove", `{"op":"add","path":"members","value":[{"value":"U1"},{"value":"U2"}]},{"op":"remove","path":"members[value eq \"U1\"]"}`, "-U1 +U2"},
		{"remove, then add", `{"op":"remove","path":"members","value":[{"value":"U1"}]},{"op":"add","path":"members","value":[{"value":"U1"}]}`, "+U1"},
		{"replace, then remove", `{"op":"replace","path":"members","value":[{"value":"U1"},{"value":"U2"}]},{"op":"remove","path":"members[value eq \"U1\"]"}`, "clear +U2"},
		{"add, then remove everybody", `{"op":"add","path":"members","value":["U1"]},{"op":"remove","path":"members"}`, "clear"},
		{"a filter between others", `{"op":"add","path":"members","value":["U1"]},{"op":"remove","path":"members[type eq \"Group\"]"},{"op":"remove","path":"members","value":["U2"]}`, "+U1; where; -U2"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, err := patch.Normalize(registry.Group, message(row.operations))
			if err != nil {
				t.Fatal(err)
			}
			if got := steps(p.Members); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
			if p.Touches() != strings.Contains(row.operations, "displayName") {
				t.Errorf("touches is %t", p.Touches())
			}
		})
	}
}

func TestWhatAClientSaysOfAMemberIsKept(t *testing.T) {
	p, err := patch.Normalize(registry.Group, message(`{"op":"add","path":"members","value":[{"value":"U1","type":"User","$ref":"https://h/Users/U1","display":"D"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := resource.Member{Value: "U1", Type: "User", Ref: "https://h/Users/U1"}
	if len(p.Members) != 1 || len(p.Members[0].Add) != 1 || p.Members[0].Add[0] != want {
		t.Errorf("got %+v", p.Members)
	}
}

// TestStepsMeanTheOperations compares the steps with the operations done one by one on a set.
func TestStepsMeanTheOperations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.SampledFrom([]string{"a", "b", "c", "d"})
		set := map[string]bool{}
		start := rapid.SliceOf(id).Draw(t, "start")
		for _, m := range start {
			set[m] = true
		}
		var operations []string
		for range rapid.IntRange(0, 8).Draw(t, "operations") {
			ids := rapid.SliceOfN(id, 1, 3).Draw(t, "ids")
			list := `["` + strings.Join(ids, `","`) + `"]`
			switch rapid.IntRange(0, 5).Draw(t, "kind") {
			case 0:
				operations = append(operations, `{"op":"add","path":"members","value":`+list+`}`)
				for _, m := range ids {
					set[m] = true
				}
			case 1:
				operations = append(operations, `{"op":"remove","path":"members","value":`+list+`}`)
				for _, m := range ids {
					delete(set, m)
				}
			case 2:
				operations = append(operations, `{"op":"replace","path":"members","value":`+list+`}`)
				clear(set)
				for _, m := range ids {
					set[m] = true
				}
			case 3:
				operations = append(operations, `{"op":"remove","path":"members"}`)
				clear(set)
			case 4:
				operations = append(operations, fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, ids[0]))
				delete(set, ids[0])
			case 5:
				operations = append(operations, fmt.Sprintf(`{"op":"remove","path":"members[value gt \"%s\"]"}`, ids[0]))
				maps.DeleteFunc(set, func(m string, _ bool) bool { return m > ids[0] })
			}
		}
		p, err := patch.Normalize(registry.Group, message(strings.Join(operations, ",")))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, m := range start {
			got[m] = true
		}
		for _, s := range p.Members {
			if s.Where != nil {
				maps.DeleteFunc(got, func(m string, _ bool) bool {
					return s.Where.MatchElement(tree.Of(tree.NewObject(tree.Member{Name: "value", Value: tree.Text(m)})))
				})
				continue
			}
			if s.Clear {
				clear(got)
			}
			for _, m := range s.Add {
				if slices.Contains(s.Remove, m.Value) {
					t.Fatalf("%s is added and removed", m.Value)
				}
				got[m.Value] = true
			}
			for _, m := range s.Remove {
				delete(got, m)
			}
		}
		if !maps.Equal(got, set) {
			t.Fatalf("the steps give %v, the operations %v", got, set)
		}
	})
}

// BenchmarkMembers is the message by which Entra adds or removes one member, however large the group.
func BenchmarkMembers(b *testing.B) {
	for _, row := range []struct{ name, operations string }{
		{"add", `{"op":"Add","path":"members","value":[{"$ref":null,"value":"2819c223-7f76-453a-919d-413861904646"}]}`},
		{"remove", `{"op":"remove","path":"members[value eq \"2819c223-7f76-453a-919d-413861904646\"]"}`},
	} {
		b.Run(row.name, func(b *testing.B) {
			body := message(row.operations)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := patch.Normalize(registry.Group, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPatch is a change of a user as Entra sends it, read and applied.
func BenchmarkPatch(b *testing.B) {
	before := load(b, "User", `{"userName":"dana.kim@contoso.example","active":true,"name":{"givenName":"Dana","familyName":"Kim"},"emails":[{"type":"work","value":"dana.kim@contoso.example","primary":true}],"ENT":{"department":"Learning"}}`)
	for _, row := range []struct{ name, operations string }{
		{"disable", `{"op":"Replace","path":"active","value":"False"}`},
		{"twelve", `{"op":"Replace","path":"displayName","value":"D"},{"op":"Replace","path":"name.givenName","value":"E"},{"op":"Replace","path":"name.familyName","value":"K"},
			{"op":"Replace","path":"emails[type eq \"work\"].value","value":"n@x"},{"op":"Add","path":"addresses[type eq \"work\"].streetAddress","value":"1 High St"},
			{"op":"Add","path":"addresses[type eq \"work\"].locality","value":"Leeds"},{"op":"Add","path":"phoneNumbers[type eq \"work\"].value","value":"1"},{"op":"Add","path":"phoneNumbers[type eq \"mobile\"].value","value":"2"},
			{"op":"Replace","path":"ENT:employeeNumber","value":"1"},{"op":"Replace","path":"ENT:department","value":"L"},{"op":"Add","path":"ENT:manager","value":"m1"},{"op":"Replace","path":"title","value":"Coach"}`},
	} {
		b.Run(row.name, func(b *testing.B) {
			body := message(row.operations)
			b.ReportAllocs()
			for b.Loop() {
				p, err := patch.Normalize(registry.User, body)
				if err != nil {
					b.Fatal(err)
				}
				if _, changed, err := p.Apply(before); err != nil || !changed {
					b.Fatal(err)
				}
			}
		})
	}
}
