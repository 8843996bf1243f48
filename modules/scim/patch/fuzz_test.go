package patch_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/badge-engine/badge-engine/modules/scim/patch"
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/resource"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

const rich = `{"userName":"dana","active":true,"name":{"givenName":"Dana","familyName":"Kim"},"emails":[{"type":"work","value":"w@x","primary":true},{"type":"home","value":"h@x"}],
	"roles":[{"value":"Reader","primary":true}],"ENT":{"department":"L","manager":{"value":"m1","$ref":"u"}},"ACME":{"hired":"2020","tags":["a","b"],"desk":{"floor":1,"room":"2"}}}`

// FuzzPatch applies anything to a user and a group. It never panics; a resource that is refused or left alone stays as it was;
// what comes out is in the form that bodies are read into; and the operations of a message do what they do one by one.
func FuzzPatch(f *testing.F) {
	for _, seed := range []string{
		`{"op":"Replace","path":"active","value":"False"}`, `{"op":"add","value":{"name.givenName":"E","ENT:department":"","emails[type eq \"work\"].value":"n"}}`,
		`{"op":"Add","path":"emails[type eq \"other\"].primary","value":"True"},{"op":"Remove","path":"emails[type eq \"work\"].value","value":"W@x"}`,
		`{"op":"remove","path":"ENT"},{"op":"replace","path":"ENT:manager","value":[{"$ref":null,"value":"m2"}]}`, `{"op":"replace","path":"ACME:desk","value":{"floor":"2","room":null}}`,
		`{"op":"add","path":"ACME:tags","value":["c","a"]},{"op":"remove","path":"ACME:tags","value":"A"}`, `{"op":"replace","path":"emails.type","value":"x"},{"op":"remove","path":"emails[not (value pr)]"}`,
		`{"op":"Remove","path":"members","value":[{"value":"U1"}]},{"op":"add","path":"members","value":["U1",{"value":"U2"}]},{"op":"remove","path":"members[value eq \"U2\"]"}`,
		`{"op":"replace","path":"name[familyName sw \"k\"]","value":{"middleName":"M","givenName":""}}`,
	} {
		f.Add(message(seed))
	}
	user, group := load(f, "User", rich), load(f, "Group", `{"displayName":"G"}`)
	f.Fuzz(func(t *testing.T, body string) {
		for _, before := range []*resource.Resource{user, group} {
			kept := string(before.Append(nil))
			p, err := patch.Normalize(before.Type, body)
			var after *resource.Resource
			var changed bool
			if err == nil {
				after, changed, err = p.Apply(before)
			}
			if string(before.Append(nil)) != kept {
				t.Fatalf("%s makes %s of %s", body, before.Append(nil), kept)
			}
			if err != nil {
				if e, ok := refusal.From(err); !ok || e.Status != 400 && e.Status != 413 || e.Detail == "" {
					t.Fatalf("refused with %v", err)
				}
				continue
			}
			text := string(after.Append(nil))
			if changed == tree.Of(after.Attributes).Equal(tree.Of(before.Attributes)) {
				t.Fatalf("%s: changed is %t, from %s to %s", body, changed, kept, text)
			}
			normal, err := resource.Decode(after.Type, text)
			if err != nil {
				t.Fatalf("%s makes %s, which is refused with %v", body, text, err)
			}
			if !tree.Of(normal.Attributes).Equal(tree.Of(after.Attributes)) {
				t.Fatalf("%s makes %s, which reads as %s", body, text, normal.Append(nil))
			}
			o, err := tree.ParseObject(body)
			if err != nil {
				t.Fatal(err)
			}
			operations, _ := o.Find("Operations")
			step := before
			for _, op := range operations.Items() {
				one, err := patch.FromObject(before.Type, tree.NewObject(tree.Member{Name: "Operations", Value: tree.Items(op)}))
				if err != nil {
					t.Fatalf("%s alone is refused with %v", op.Append(nil), err)
				}
				if step, _, err = one.Apply(step); err != nil {
					t.Fatalf("%s alone is refused with %v", op.Append(nil), err)
				}
			}
			if !tree.Of(step.Attributes).Equal(tree.Of(after.Attributes)) {
				t.Fatalf("%s makes %s, one by one %s", body, text, step.Append(nil))
			}
		}
	})
}

// TestBothDialectsMeanTheSame writes the same changes with a path each, with a capital and booleans as strings, and merged into
// one operation without path.
func TestBothDialectsMeanTheSame(t *testing.T) {
	names := []string{"displayName", "title", "name.givenName", "name.familyName", "ENT:department", "ENT:manager", "ACME:badgeLevel", "active", "externalId", "manager", "nickName", "ENT:manager.value"}
	rapid.Check(t, func(t *rapid.T) {
		var old, merged []string
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 6, rapid.ID).Draw(t, "names") {
			plain, odd := `"`+rapid.StringMatching(`[a-zA-Z ]{0,6}`).Draw(t, "text")+`"`, ""
			switch name {
			case "active":
				plain, odd = "false", `"False"`
			case "ACME:badgeLevel":
				plain, odd = "3", `"3"`
			case "title":
				odd = `[{"$ref":null,"value":` + plain + `}]`
			}
			if odd == "" {
				odd = plain
			}
			old = append(old, fmt.Sprintf(`{"op":"Replace","path":"%s","value":%s}`, name, odd))
			merged = append(merged, fmt.Sprintf(`"%s":%s`, name, plain))
		}
		var results []string
		before, err := resource.Load(registry.User, expand(rich))
		if err != nil {
			t.Fatal(err)
		}
		var last *resource.Resource
		for _, operations := range []string{strings.Join(old, ","), `{"op":"replace","value":{` + strings.Join(merged, ",") + `}}`} {
			p, err := patch.Normalize(before.Type, message(operations))
			if err != nil {
				t.Fatal(err)
			}
			after, _, err := p.Apply(before)
			if err != nil {
				t.Fatal(err)
			}
			results = append(results, string(after.Append(nil)))
			if last != nil && !tree.Of(last.Attributes).Equal(tree.Of(after.Attributes)) {
				t.Fatalf("the results are %s", results)
			}
			last = after
		}
	})
}
