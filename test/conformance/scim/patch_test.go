package scim

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/app/command/scimprobe"
)

// row is one form of PATCH: what a user had, what Entra sends, what the user then has.
type row struct {
	Name        string
	Given, Then object
	Send        []object
	Only        bool // the form itself matters: it is not rewritten for the other dialect
	Status      int  // of a refusal, after which nothing may have changed
	ScimType    string
}

// rows reads the catalogue. ENT stands for the schema of the enterprise extension.
func rows(t *testing.T) (list []row) {
	t.Helper()
	data, err := os.ReadFile("testdata/entra/patch.json")
	if err != nil {
		t.Fatal(err)
	}
	data = bytes.ReplaceAll(data, []byte(`"ENT`), []byte(`"`+scimprobe.EnterpriseSchema))
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&list); err != nil {
		t.Fatal(err)
	}
	return list
}

// dialects are the ways in which Entra puts the same change.
var dialects = []struct {
	name string
	put  func(ops []object) []object
}{
	// Without the flag the verbs begin with a capital.
	{"flag off", func(ops []object) []object {
		return reworded(ops, func(s string) string { return strings.ToUpper(s[:1]) + strings.ToLower(s[1:]) })
	}},
	// With it they are small, and all that needs no filter goes into one object without a path.
	{"flag on", func(ops []object) []object { return merged(reworded(ops, strings.ToLower)) }},
}

func reworded(ops []object, word func(string) string) (out []object) {
	for _, o := range ops {
		n := object{}
		for name, value := range o {
			n[name] = value
		}
		n["op"] = word(o["op"].(string))
		out = append(out, n)
	}
	return out
}

// merged puts the operations on plain paths into one for each verb.
func merged(ops []object) (out []object) {
	whole := map[string]object{}
	for _, o := range ops {
		verb, path := o["op"].(string), ""
		path, _ = o["path"].(string)
		if verb == "remove" || path == "" || strings.Contains(path, "[") {
			out = append(out, o)
			continue
		}
		if whole[verb] == nil {
			whole[verb] = object{}
			out = append(out, object{"op": verb, "value": whole[verb]})
		}
		whole[verb][path] = o["value"]
	}
	return out
}

// TestEveryFormOfPatch plays the catalogue: a user is created, Entra's request is sent,
// and the whole user is compared, so that nothing else may have changed.
func TestEveryFormOfPatch(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		neighbour, about := d.create("/Users", person(nil))
		for _, r := range rows(t) {
			for _, dialect := range dialects {
				send := dialect.put(r.Send)
				if r.Only && dialect.name == "flag on" {
					send = reworded(r.Send, strings.ToLower)
				}
				t.Run(r.Name+"/"+dialect.name, func(t *testing.T) {
					d := d.in(t)
					filled := strings.NewReplacer("@NEIGHBOURID", neighbour, "@NEIGHBOUR", about["userName"].(string), "@FRESH", scimprobe.GUID())
					var given, then object
					var ops []object
					fill(t, filled, r.Given, &given)
					fill(t, filled, r.Then, &then)
					fill(t, filled, send, &ops)
					body := person(given)
					id, before := d.create("/Users", body)
					if r.Status != 0 {
						d.refused(r.Status, r.ScimType, "PATCH", "/Users/"+id, operations(ops...))
						if after := d.get("/Users/" + id); js(after) != js(before) {
							t.Errorf("a refused request changed the user:\n%s\n%s", js(before), js(after))
						}
						return
					}
					if then["userName"] == nil {
						then["userName"] = body["userName"]
					}
					after := d.patchUser(id, ops...)
					compare(t, after, then)
				})
			}
		}
	})
}

func fill(t *testing.T, with *strings.Replacer, from, into any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(with.Replace(js(from))))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		t.Fatal(err)
	}
}

// compare holds a whole user against what it must be. What the server adds by itself
// is left aside: id, meta, and references made from a value. The schemas must be those
// of which the user has anything.
func compare(t *testing.T, got, want object) {
	t.Helper()
	schemas := []string{scimprobe.UserSchema}
	for name := range want {
		if strings.HasPrefix(name, "urn:") {
			schemas = append(schemas, name)
		}
	}
	var named []string
	listed, _ := got["schemas"].([]any)
	for _, s := range listed {
		text, _ := s.(string)
		named = append(named, text)
	}
	slices.Sort(schemas)
	slices.Sort(named)
	if !slices.Equal(named, schemas) {
		t.Errorf("the schemas are %q, not %q", named, schemas)
	}
	rest := object{}
	for name, value := range got {
		if name != "id" && name != "meta" && name != "schemas" {
			rest[name] = value
		}
	}
	if g, w := js(plain(rest, want)), js(plain(want, nil)); g != w {
		t.Errorf("the user is\n%s\nnot\n%s", g, w)
	}
}

// plain leaves out the references that a server makes from values, and a primary that
// is false where want says that it may be either absent or false.
func plain(value, want any) any {
	switch v := value.(type) {
	case object:
		w, _ := want.(object)
		out := object{}
		for name, member := range v {
			if name == "$ref" || member == "@CLEARED" || member == false && w[name] == "@CLEARED" {
				continue
			}
			out[name] = plain(member, w[name])
		}
		return out
	case []any:
		w, _ := want.([]any)
		out := []any{}
		for i, element := range v {
			var counterpart any
			if i < len(w) {
				counterpart = w[i]
			}
			out = append(out, plain(element, counterpart))
		}
		return out
	}
	return value
}
