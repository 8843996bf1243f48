package openbadges_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
)

// published finds a file of the published schemas beside the repository.
func published(t *testing.T, name string) []byte {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Skip("no go.mod above the working directory, so the published schemas cannot be found")
		}
		dir = parent
	}
	data, err := os.ReadFile(filepath.Join(dir, "..", "shared", "standards", "ob3", "schema", name))
	if err != nil {
		t.Skipf("the published schemas are not here: %v", err)
	}
	return data
}

func schema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	parsed, err := jsonschema.UnmarshalJSON(strings.NewReader(string(published(t, name))))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("https://schema.example/"+name, parsed); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("https://schema.example/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func TestTheFullBadgePassesThePublishedSchemas(t *testing.T) {
	badge := document(t, full())
	if err := schema(t, "achievementcredential.json").Validate(badge); err != nil {
		t.Errorf("badge: %v", err)
	}
	if err := schema(t, "endorsementcredential.json").Validate(badge["endorsement"].([]any)[0]); err != nil {
		t.Errorf("endorsement: %v", err)
	}
	if err := schema(t, "profile.json").Validate(badge["issuer"]); err != nil {
		t.Errorf("profile: %v", err)
	}
}

// TestStructsHaveEveryPublishedMember compares the structs with the published
// schema: the same classes, the same members, arrays where arrays are due.
func TestStructsHaveEveryPublishedMember(t *testing.T) {
	type definition struct {
		Properties map[string]struct {
			Type  string `json:"type"`
			AllOf []struct {
				Type string `json:"type"`
			} `json:"allOf"`
		} `json:"properties"`
	}
	var s struct {
		definition
		Definitions map[string]definition `json:"$defs"`
	}
	if err := json.Unmarshal(published(t, "achievementcredential.json"), &s); err != nil {
		t.Fatal(err)
	}
	s.Definitions["AchievementCredential"] = s.definition
	delete(s.Definitions, "Context")    // a string or an object
	delete(s.Definitions, "ProfileRef") // a string or a Profile
	// What later editions or other standards add.
	added := map[string][]string{
		"EndorsementCredential": {"evidence"},
		"CredentialStatus":      {"statusPurpose", "statusListIndex", "statusListCredential", "statusSize", "statusMessage"},
	}
	structs := map[string]reflect.Type{}
	for _, v := range []any{
		openbadges.AchievementCredential{}, openbadges.EndorsementCredential{}, openbadges.EndorsementSubject{}, openbadges.AchievementSubject{},
		openbadges.Achievement{}, openbadges.Profile{}, openbadges.Criteria{}, openbadges.Image{}, openbadges.IdentityObject{},
		openbadges.IdentifierEntry{}, openbadges.Alignment{}, openbadges.Evidence{}, openbadges.Related{}, openbadges.Result{},
		openbadges.ResultDescription{}, openbadges.RubricCriterionLevel{}, openbadges.Address{}, openbadges.GeoCoordinates{},
		openbadges.CredentialSchema{}, openbadges.CredentialStatus{}, openbadges.RefreshService{}, openbadges.TermsOfUse{}, openbadges.Proof{},
	} {
		structs[reflect.TypeOf(v).Name()] = reflect.TypeOf(v)
	}
	for class, d := range s.Definitions {
		if len(d.Properties) == 0 {
			continue
		}
		of, ok := structs[class]
		if !ok {
			t.Errorf("no struct %s", class)
			continue
		}
		delete(structs, class)
		fields := map[string]reflect.Type{}
		for _, f := range reflect.VisibleFields(of) {
			if f.Anonymous {
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			fields[name] = f.Type
			if f.Tag.Get("doc") == "" {
				t.Errorf("%s.%s has no doc tag", class, f.Name)
			}
		}
		for name, p := range d.Properties {
			field, ok := fields[name]
			if !ok {
				t.Errorf("%s has no member %s", class, name)
				continue
			}
			isArray := p.Type == "array" || len(p.AllOf) > 0
			if (field.Kind() == reflect.Slice) != isArray {
				t.Errorf("%s.%s is %s in Go", class, name, field)
			}
			delete(fields, name)
		}
		for _, name := range added[class] {
			delete(fields, name)
		}
		if len(fields) != 0 {
			t.Errorf("%s has members of its own: %v", class, slices.Sorted(maps.Keys(fields)))
		}
	}
	if len(structs) != 0 {
		t.Errorf("structs of no class: %v", slices.Sorted(maps.Keys(structs)))
	}
}

// mutations are the values put in place of every value of a badge.
var mutations = []any{
	remove{}, nil, true, json.Number("7"), "", "x y", []any{}, []any{json.Number("7")}, []any{"x"}, map[string]any{},
	"https://example.org/1", "2025-01-01T00:00:00", "2025-01-01", "ext:x", []any{map[string]any{}},
}

// places lists every place of a document, as JSON Pointers.
func places(at string, v any, found *[]string) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			*found = append(*found, at+"/"+name)
			places(at+"/"+name, v[name], found)
		}
		*found = append(*found, at+"/addedMember")
	case []any:
		for i, item := range v {
			if at == "/@context" {
				return // replaced as a whole
			}
			*found = append(*found, fmt.Sprintf("%s/%d", at, i))
			places(fmt.Sprintf("%s/%d", at, i), item, found)
		}
	}
}

// valueAt reads the value at a JSON Pointer and tells whether there is one.
func valueAt(doc any, pointer string) (any, bool) {
	for _, token := range strings.Split(pointer, "/")[1:] {
		switch d := doc.(type) {
		case map[string]any:
			v, ok := d[token]
			if !ok {
				return nil, false
			}
			doc = v
		case []any:
			var n int
			if _, err := fmt.Sscan(token, &n); err != nil || n >= len(d) {
				return nil, false
			}
			doc = d[n]
		}
	}
	return doc, true
}

// TestWhatThePublishedSchemaRefusesIsNotIssued puts every mutation at every
// place of the full badge, and asks that the table is at least as strict.
func TestWhatThePublishedSchemaRefusesIsNotIssued(t *testing.T) {
	compiled := schema(t, "achievementcredential.json")
	doc := document(t, full())
	var all []string
	places("", doc, &all)
	refused := 0
	for _, place := range all {
		if strings.Count(place, "/endorsement/") > 0 && !strings.HasPrefix(place, "/endorsement/0/") {
			continue // one endorsement is as good as the next
		}
		for _, mutation := range mutations {
			was, present := valueAt(doc, place)
			if _, drop := mutation.(remove); drop && (!present || isIndex(place)) {
				continue
			}
			set(t, doc, place, mutation)
			if err := compiled.Validate(doc); err != nil {
				refused++
				if len(openbadges.CheckCredential(doc, openbadges.Issuing)) == 0 {
					t.Errorf("%s as %#v would be issued, though %v", place, mutation, err)
				}
			}
			if present {
				set(t, doc, place, was)
			} else {
				set(t, doc, place, remove{})
			}
		}
	}
	if found := openbadges.CheckCredential(doc, openbadges.Issuing); len(found) != 0 {
		t.Fatalf("the badge was not restored:%s", show(found))
	}
	if refused < 1000 {
		t.Errorf("only %d of the mutations were refused by the schema", refused)
	}
	t.Logf("%d places, %d mutations refused by the schema", len(all), refused)
}

func isIndex(place string) bool {
	last := place[strings.LastIndex(place, "/")+1:]
	return last[0] >= '0' && last[0] <= '9'
}

// TestGeneratedBadgesPassTableAndSchema draws badges of all shapes: what we
// can write is right, and what a mutation breaks for the schema is not issued.
func TestGeneratedBadgesPassTableAndSchema(t *testing.T) {
	compiled := schema(t, "achievementcredential.json")
	rapid.Check(t, func(r *rapid.T) {
		c := drawCredential(r)
		data, err := json.Marshal(c)
		if err != nil {
			r.Fatal(err)
		}
		doc := decode(t, string(data)).(map[string]any)
		for _, s := range []openbadges.Strictness{openbadges.Issuing, openbadges.Reading} {
			if found := openbadges.CheckCredential(doc, s); len(found) != 0 {
				r.Fatalf("strictness %d: %s\nfound:%s", s, data, show(found))
			}
		}
		if err := compiled.Validate(doc); err != nil {
			r.Fatalf("%s\n%v", data, err)
		}
		var all []string
		places("", doc, &all)
		place := rapid.SampledFrom(all).Draw(r, "place")
		mutation := rapid.SampledFrom(mutations).Draw(r, "mutation")
		if _, drop := mutation.(remove); drop && isIndex(place) {
			return
		}
		set(t, doc, place, mutation)
		if err := compiled.Validate(doc); err != nil && len(openbadges.CheckCredential(doc, openbadges.Issuing)) == 0 {
			r.Fatalf("%s as %#v would be issued, though %v", place, mutation, err)
		}
	})
}

func maybe[T any](r *rapid.T, g *rapid.Generator[T]) T {
	var none T
	if rapid.Bool().Draw(r, "present") {
		return g.Draw(r, "value")
	}
	return none
}

func pointerTo[T any](g *rapid.Generator[T]) *rapid.Generator[*T] {
	return rapid.Custom(func(r *rapid.T) *T { return ptr(g.Draw(r, "pointed")) })
}

func some[T any](g *rapid.Generator[T]) *rapid.Generator[[]T] { return rapid.SliceOfN(g, 1, 3) }

var (
	words  = rapid.StringMatching(`[A-Za-zäöü<>&"\\][ -~äöü☃]{0,12}`)
	uris   = rapid.StringMatching(`(https://[a-z]{1,8}\.example/[a-zA-Z0-9/._~-]{0,10}|urn:uuid:[0-9a-f]{8}|did:key:z[a-zA-Z0-9]{4})`)
	urls   = rapid.StringMatching(`https?://[a-z]{1,8}\.example(:[1-9][0-9]{1,3})?/[a-z0-9%]{0}[a-z]{0,5}(\?[a-z]=1)?(#[a-z]{1,3})?`)
	dates  = rapid.StringMatching(`20[0-2][0-9]-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](Z|[+-]0[0-9]:[0-5][0-9])`)
	images = rapid.Custom(func(r *rapid.T) *openbadges.Image {
		return &openbadges.Image{ID: rapid.OneOf(urls, rapid.Just("data:image/png;base64,AAAA")).Draw(r, "url"), Caption: maybe(r, words)}
	})
	alignments = some(rapid.Custom(func(r *rapid.T) openbadges.Alignment {
		return openbadges.Alignment{
			TargetName: words.Draw(r, "name"), TargetURL: urls.Draw(r, "url"), TargetCode: maybe(r, words),
			TargetType: maybe(r, extended(openbadges.AlignmentTargetTypes)),
		}
	}))
	entries = some(rapid.Custom(func(r *rapid.T) openbadges.IdentifierEntry {
		return openbadges.IdentifierEntry{Identifier: words.Draw(r, "id"), IdentifierType: extended(openbadges.IdentifierTypes).Draw(r, "type")}
	}))
)

func extended(values []string) *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom(values), rapid.StringMatching(`ext:[A-Za-z0-9._][A-Za-z0-9._-]{0,8}`))
}

func profiles(depth int) *rapid.Generator[openbadges.Profile] {
	return rapid.Custom(func(r *rapid.T) openbadges.Profile {
		p := openbadges.Profile{ID: uris.Draw(r, "id"), Image: maybe(r, images), ProfileDetails: openbadges.ProfileDetails{
			Name: maybe(r, words), URL: maybe(r, urls), OtherIdentifier: maybe(r, entries), FamilyName: maybe(r, words),
			Email:       maybe(r, rapid.StringMatching(`[a-z]{1,9}@[a-z]{1,9}\.example`)),
			DateOfBirth: maybe(r, rapid.StringMatching(`19[0-9]{2}-0[1-9]-[12][0-8]`)),
			Address: maybe(r, pointerTo(rapid.Custom(func(r *rapid.T) openbadges.Address {
				return openbadges.Address{PostalCode: maybe(r, words), Geo: maybe(r, pointerTo(rapid.Custom(func(r *rapid.T) openbadges.GeoCoordinates {
					return openbadges.GeoCoordinates{Latitude: rapid.Float64Range(-90, 90).Draw(r, "lat"), Longitude: rapid.Float64Range(-180, 180).Draw(r, "long")}
				})))}
			}))),
		}}
		if depth > 0 {
			p.ParentOrg = maybe(r, pointerTo(profiles(depth-1)))
		}
		return p
	})
}

func drawCredential(r *rapid.T) openbadges.AchievementCredential {
	newID := ids()
	var descriptions []openbadges.ResultDescription
	var results []openbadges.Result
	for range rapid.IntRange(0, 3).Draw(r, "results") {
		d := openbadges.ResultDescription{ID: newID(), Name: words.Draw(r, "name"), ResultType: extended(openbadges.ResultTypes).Draw(r, "type"), Alignment: maybe(r, alignments)}
		result := openbadges.Result{ResultDescription: d.ID, Status: rapid.SampledFrom(openbadges.ResultStatusTypes).Draw(r, "status")}
		if rapid.Bool().Draw(r, "levels") {
			d.RubricCriterionLevel = []openbadges.RubricCriterionLevel{{ID: newID(), Name: words.Draw(r, "level"), Points: maybe(r, words)}}
			d.RequiredLevel = d.RubricCriterionLevel[0].ID
			result.AchievedLevel = d.RequiredLevel
		}
		if rapid.Bool().Draw(r, "allowed") {
			d.AllowedValue = rapid.SliceOfNDistinct(words, 1, 4, rapid.ID[string]).Draw(r, "values")
			result.Value = rapid.SampledFrom(d.AllowedValue).Draw(r, "value")
		} else if rapid.Bool().Draw(r, "range") {
			low, high := rapid.IntRange(-9, 9).Draw(r, "low"), rapid.IntRange(10, 99).Draw(r, "high")
			d.ValueMin, d.ValueMax = fmt.Sprint(low), fmt.Sprint(high)
			result.Value = fmt.Sprint(rapid.IntRange(low, high).Draw(r, "value"))
		}
		descriptions, results = append(descriptions, d), append(results, result)
	}
	c := openbadges.AchievementCredential{
		ID: "https://badges.example.org/credentials/1", Name: maybe(r, words), Image: maybe(r, images), AwardedDate: maybe(r, dates),
		Issuer: profiles(2).Draw(r, "issuer"), ValidFrom: dates.Draw(r, "from"),
		ValidUntil: maybe(r, rapid.Just("2099-12-31T23:59:59Z")),
		CredentialSubject: openbadges.AchievementSubject{
			Identifier:    []openbadges.IdentityObject{openbadges.NewEmailIdentity(rapid.StringMatching(`[a-z]{1,9}@[a-z]{1,9}\.example`).Draw(r, "email"), maybe(r, words))},
			ID:            maybe(r, rapid.StringMatching(`did:example:[a-z]{1,9}`)),
			CreditsEarned: maybe(r, pointerTo(rapid.Float64Range(0, 1e9))), Narrative: maybe(r, words), Source: maybe(r, pointerTo(profiles(0))), Result: results,
			Achievement: openbadges.Achievement{
				ID: "https://badges.example.org/achievements/1", Creator: maybe(r, pointerTo(profiles(0))), Image: maybe(r, images),
				AchievementDetails: openbadges.AchievementDetails{
					Name: words.Draw(r, "name"), Description: words.Draw(r, "description"), Criteria: openbadges.Criteria{ID: uris.Draw(r, "criteria"), Narrative: maybe(r, words)},
					AchievementType: maybe(r, extended(openbadges.AchievementTypes)), Alignment: maybe(r, alignments), ResultDescription: descriptions,
					InLanguage: maybe(r, rapid.StringMatching(`[a-z]{2,4}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?`)),
					Tag:        maybe(r, some(words)), OtherIdentifier: maybe(r, entries),
				},
			},
		},
		Evidence: maybe(r, some(rapid.Custom(func(r *rapid.T) openbadges.Evidence {
			return openbadges.Evidence{ID: maybe(r, uris), Narrative: maybe(r, words)}
		}))),
		CredentialSchema: maybe(r, some(rapid.Custom(func(r *rapid.T) openbadges.CredentialSchema {
			return openbadges.CredentialSchema{ID: urls.Draw(r, "id"), Type: rapid.SampledFrom([]string{"JsonSchema", openbadges.TypeJSONSchemaValidator}).Draw(r, "type")}
		}))),
	}
	c.Complete(newID)
	return c
}
