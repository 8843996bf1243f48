package jsonld_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/piprate/json-gold/ld"
	"pgregory.net/rapid"

	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
)

// loader serves the embedded contexts to the oracle.
type loader struct{}

func (loader) LoadDocument(url string) (*ld.RemoteDocument, error) {
	text, ok := jsonld.Context(url)
	if !ok {
		return nil, fmt.Errorf("no context %s", url)
	}
	var doc any
	err := json.Unmarshal(text, &doc)
	return &ld.RemoteDocument{DocumentURL: url, Document: doc}, err
}

// oracle canonicalizes by an independent implementation, which is lax: it is right about documents that ours accepts.
// It answers with "refused" where it refuses or breaks down.
func oracle(t interface{ Fatalf(string, ...any) }, doc map[string]any) (quads string) {
	defer func() {
		if recover() != nil {
			quads = "refused"
		}
	}()
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatalf("%v", err)
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		t.Fatalf("%v", err)
	}
	options := ld.NewJsonLdOptions("")
	options.ProcessingMode = ld.JsonLd_1_1
	options.Algorithm = ld.AlgorithmURDNA2015
	options.Format = "application/n-quads"
	options.DocumentLoader = loader{}
	out, err := ld.NewJsonLdProcessor().Normalize(plain, options)
	if err != nil {
		return "refused"
	}
	lines := slices.Compact(slices.Collect(strings.Lines(out.(string)))) // it repeats what a document repeats
	return strings.Join(lines, "")
}

func TestCanonicalizeAgreesWithTheOracleOnAFullCredential(t *testing.T) {
	doc := parse(t, string(read(t, "testdata", "full.json")))
	got, err := jsonld.New().Canonicalize(doc)
	if err != nil {
		t.Fatal(err)
	}
	if want := oracle(t, doc); string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, line := range []string{
		`<https://purl.imsglobal.org/spec/vc/ob/vocab.html#creditsEarned> "3.5E0"^^<https://www.w3.org/2001/XMLSchema#float> .`,
		`<https://purl.imsglobal.org/spec/vc/ob/vocab.html#creditsAvailable> "4"^^<https://www.w3.org/2001/XMLSchema#float> .`,
		`<https://purl.imsglobal.org/spec/vc/ob/vocab.html#awardedDate> "2025-03-01T10:00:00Z"^^<xsd:dateTime> .`,
	} {
		if !strings.Contains(string(got), line+"\n") {
			t.Errorf("the line %s is missing", line)
		}
	}
}

// openBadges makes up credentials out of one that uses all that there is: members left out, repeated and reworded, under
// the contexts of every edition.
func openBadges(t *testing.T) *rapid.Generator[map[string]any] {
	t.Helper()
	full := parse(t, string(read(t, "testdata", "full.json")))
	text := rapid.StringOf(rapid.RuneFrom([]rune("ab \"\\\n\r\té製😀<>'")))
	return rapid.Custom(func(t *rapid.T) map[string]any {
		doc := alter(t, full, "", text).(map[string]any)
		version := rapid.SampledFrom([]string{"", "-3.0.1", "-3.0.2", "-3.0.3"}).Draw(t, "version")
		credentials := "https://www.w3.org/ns/credentials/v2"
		if version == "" || version == "-3.0.1" { // these define anew what the second edition protects
			credentials = "https://www.w3.org/2018/credentials/v1"
		}
		contexts := []any{
			credentials,
			"https://purl.imsglobal.org/spec/ob/v3p0/context" + version + ".json",
			"https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
		}
		replaceContexts(doc, contexts)
		if version != "-3.0.3" && rapid.IntRange(0, 9).Draw(t, "older") > 0 { // what older contexts lack
			strip(doc, "awardedDate", "credentialStatus", "endorsementJwt", "inLanguage", "proof")
		}
		return doc
	})
}

// TestCanonicalizeAgreesWithTheOracleOnOpenBadges prunes, repeats and alters a full credential at random.
func TestCanonicalizeAgreesWithTheOracleOnOpenBadges(t *testing.T) {
	p := jsonld.New()
	documents := openBadges(t)
	accepted := 0
	for seed := range 150 {
		doc := documents.Example(seed)
		got, err := p.Canonicalize(doc)
		var e *jsonld.Error
		if errors.As(err, &e) && (e.Code == jsonld.CodeUndefinedTerm || e.Code == jsonld.CodeUndefinedType) {
			continue // older contexts lack some members
		}
		if err != nil {
			t.Fatal(err)
		}
		accepted++
		if want := oracle(t, doc); string(got) != want {
			text, _ := json.MarshalIndent(doc, "", " ")
			t.Fatalf("%s\ngot\n%s\nwant\n%s", text, got, want)
		}
	}
	if accepted < 100 {
		t.Errorf("only %d documents were accepted: too few to prove anything", accepted)
	}
}

// replaceContexts gives every object that has contexts the same ones, as contexts of different editions exclude each other.
func replaceContexts(v any, contexts []any) {
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v["@context"]; ok {
			v["@context"] = contexts
		}
		for _, member := range v {
			replaceContexts(member, contexts)
		}
	case []any:
		for _, item := range v {
			replaceContexts(item, contexts)
		}
	}
}

func strip(v any, names ...string) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range names {
			delete(v, name)
		}
		for _, member := range v {
			strip(member, names...)
		}
	case []any:
		for _, item := range v {
			strip(item, names...)
		}
	}
}

func alter(t *rapid.T, v any, name string, text *rapid.Generator[string]) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			if k == "type" || k == "@context" || rapid.IntRange(0, 9).Draw(t, "drop") > 0 {
				out[k] = alter(t, v[k], k, text)
			}
		}
		return out
	case []any:
		out := []any{}
		for _, item := range v {
			for range rapid.SampledFrom([]int{1, 1, 1, 1, 0, 2}).Draw(t, "times") {
				if name == "type" || name == "@context" {
					out = append(out, item)
					break
				}
				out = append(out, alter(t, item, name, text))
			}
		}
		if len(out) == 0 || name == "type" || name == "@context" {
			return v
		}
		if len(out) == 1 && rapid.Bool().Draw(t, "single") {
			return out[0]
		}
		return out
	case string:
		switch name {
		case "name", "narrative", "description", "tag", "allowedValue", "value", "caption":
			if rapid.Bool().Draw(t, "reword") {
				return text.Draw(t, "text")
			}
		}
		return v
	case json.Number:
		return json.Number(fmt.Sprint(rapid.OneOf(
			rapid.Float64Range(-1e9, 1e9), rapid.Map(rapid.IntRange(-1000, 1000), func(i int) float64 { return float64(i) }),
		).Draw(t, "number")))
	}
	return v
}
