package jsonld_test

import (
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
)

func TestCanonicalizePassesThePublishedSuite(t *testing.T) {
	dir := standards(t, "rdf-canon")
	var manifest struct {
		Entries []struct{ ID, Type, Name, HashAlgorithm, Action, Result string }
	}
	if err := json.Unmarshal(read(t, dir, "manifest.jsonld"), &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest.Entries) < 80 {
		t.Fatalf("only %d cases", len(manifest.Entries))
	}
	for _, e := range manifest.Entries {
		t.Run(e.ID[1:]+" "+e.Name, func(t *testing.T) {
			quads, err := parseNQuads(string(read(t, dir, e.Action)))
			if err != nil {
				t.Fatal(err)
			}
			hash := crypto.SHA256
			if e.HashAlgorithm == "SHA384" {
				hash = crypto.SHA384
			}
			got, err := jsonld.CanonicalizeWith(hash, quads, 0)
			switch e.Type {
			case "rdfc:RDFC10NegativeEvalTest":
				if !errors.Is(err, jsonld.ErrWorkLimit) {
					t.Fatalf("got %v, want the work limit", err)
				}
			case "rdfc:RDFC10MapTest":
				if err != nil {
					t.Fatal(err)
				}
				var want map[string]string
				if err := json.Unmarshal(read(t, dir, e.Result), &want); err != nil {
					t.Fatal(err)
				}
				if !maps.Equal(got.Labels, want) {
					t.Errorf("got %v\nwant %v", got.Labels, want)
				}
			case "rdfc:RDFC10EvalTest":
				if err != nil {
					t.Fatal(err)
				}
				if want := string(read(t, dir, filepath.FromSlash(e.Result))); string(got.NQuads) != want {
					t.Errorf("got\n%swant\n%s", got.NQuads, want)
				}
			default:
				t.Fatalf("a case of the unknown type %s", e.Type)
			}
		})
	}
}

func TestCanonicalizeRefusesOtherHashFunctions(t *testing.T) {
	if _, err := jsonld.CanonicalizeWith(crypto.SHA512, nil, 0); err == nil {
		t.Error("SHA-512 was accepted")
	}
}

// clique is n blank nodes of which each refers to all others.
func clique(n int) []jsonld.Quad {
	var quads []jsonld.Quad
	for i := range n {
		for j := range n {
			if i != j {
				quads = append(quads, jsonld.Quad{
					Subject:   jsonld.Term{Kind: jsonld.Blank, Value: fmt.Sprint("n", i)},
					Predicate: jsonld.Term{Kind: jsonld.IRI, Value: "https://example.com/knows"},
					Object:    jsonld.Term{Kind: jsonld.Blank, Value: fmt.Sprint("n", j)},
				})
			}
		}
	}
	return quads
}

func TestCanonicalizeStopsAtItsWorkLimit(t *testing.T) {
	if _, err := jsonld.Canonicalize(clique(3), 0); err != nil {
		t.Errorf("three mutually linked nodes: %v", err)
	}
	if _, err := jsonld.Canonicalize(clique(3), 10); !errors.Is(err, jsonld.ErrWorkLimit) {
		t.Errorf("with a small limit: got %v", err)
	}
	if _, err := jsonld.Canonicalize(clique(60), 0); !errors.Is(err, jsonld.ErrWorkLimit) {
		t.Errorf("sixty mutually linked nodes: got %v", err)
	}
	var e *jsonld.Error
	if !errors.As(jsonld.ErrWorkLimit, &e) || e.Remedy == "" {
		t.Error("the work limit is no *jsonld.Error")
	}
}

func TestCanonicalizeTakesBothFormsOfAPlainStringForOne(t *testing.T) {
	q := jsonld.Quad{Subject: jsonld.Term{Kind: jsonld.Blank, Value: "x"}, Predicate: jsonld.Term{Kind: jsonld.IRI, Value: "a:p"}, Object: jsonld.Term{Kind: jsonld.Literal, Value: "x"}}
	typed := q
	typed.Object.Datatype = "http://www.w3.org/2001/XMLSchema#string"
	got, err := jsonld.Canonicalize([]jsonld.Quad{typed, q}, 0)
	if err != nil || string(got) != "_:c14n0 <a:p> \"x\" .\n" {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestQuadsAreWrittenAsCanonicalNQuads(t *testing.T) {
	iri := func(s string) jsonld.Term { return jsonld.Term{Kind: jsonld.IRI, Value: s} }
	for _, c := range []struct {
		name string
		quad jsonld.Quad
		want string
	}{
		{"all kinds of nodes", jsonld.Quad{Subject: jsonld.Term{Kind: jsonld.Blank, Value: "x"}, Predicate: iri("a:p"), Object: iri("a:é"), Graph: iri("a:g")},
			`_:x <a:p> <a:é> <a:g> .`},
		{"escapes and nothing but", jsonld.Quad{Subject: iri("a:s"), Predicate: iri("a:p"), Object: jsonld.Term{Kind: jsonld.Literal, Value: "\x00\b\t\n\v\f\r\x1f \"\\'\x7f\u0080é😀"}},
			`<a:s> <a:p> "\u0000\b\t\n\u000B\f\r\u001F \"\\'\u007F` + "\u0080é😀" + `" .`},
		{"a language", jsonld.Quad{Subject: iri("a:s"), Predicate: iri("a:p"), Object: jsonld.Term{Kind: jsonld.Literal, Value: "x", Language: "de-at"}},
			`<a:s> <a:p> "x"@de-at .`},
		{"a datatype", jsonld.Quad{Subject: iri("a:s"), Predicate: iri("a:p"), Object: jsonld.Term{Kind: jsonld.Literal, Value: "x", Datatype: "a:t"}},
			`<a:s> <a:p> "x"^^<a:t> .`},
		{"no datatype for plain strings", jsonld.Quad{Subject: iri("a:s"), Predicate: iri("a:p"), Object: jsonld.Term{Kind: jsonld.Literal, Value: "x", Datatype: "http://www.w3.org/2001/XMLSchema#string"}},
			`<a:s> <a:p> "x" .`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.quad.String(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// FuzzCanonicalize holds that blank node labels and the order of statements do not matter, and that the answer is a
// fixed point.
func FuzzCanonicalize(f *testing.F) {
	f.Add("_:a <a:p> _:b .\n_:b <a:p> _:a .\n")
	f.Add("_:a <a:p> _:b _:g .\n_:b <a:q> \"x\\n\"@en .\n<a:s> <a:p> _:c .\n_:c <a:p> \"1\"^^<a:t> .\n")
	f.Add("_:a <a:p> _:b .\n_:b <a:p> _:c .\n_:c <a:p> _:a .\n_:d <a:p> _:e .\n_:e <a:p> _:f .\n_:f <a:p> _:d .\n")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "\\") && !strings.Contains(text, "\\n") {
			t.Skip("the parser of the tests trusts escapes")
		}
		quads, err := safeParse(text)
		if err != nil {
			t.Skip()
		}
		for _, q := range quads {
			if q.Subject.Kind == jsonld.Literal || q.Predicate.Kind != jsonld.IRI || q.Graph.Kind == jsonld.Literal {
				t.Skip()
			}
		}
		got, err := jsonld.Canonicalize(quads, 20_000)
		if err != nil {
			t.Skip()
		}
		var other []jsonld.Quad
		rename := func(t jsonld.Term) jsonld.Term {
			if t.Kind == jsonld.Blank {
				t.Value = fmt.Sprintf("r%x", t.Value)
			}
			return t
		}
		for i := len(quads) - 1; i >= 0; i-- {
			q := quads[i]
			q.Subject, q.Object, q.Graph = rename(q.Subject), rename(q.Object), rename(q.Graph)
			other = append(other, q, q)
		}
		again, err := jsonld.Canonicalize(other, 40_000)
		if err != nil {
			t.Skip()
		}
		if string(again) != string(got) {
			t.Fatalf("got\n%sand, renamed,\n%s", got, again)
		}
	})
}

func BenchmarkWorkLimit(b *testing.B) {
	quads := clique(10)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jsonld.Canonicalize(quads, 0); !errors.Is(err, jsonld.ErrWorkLimit) {
			b.Fatal(err)
		}
	}
}

func safeParse(text string) (quads []jsonld.Quad, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return parseNQuads(text)
}
