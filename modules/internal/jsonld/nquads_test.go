package jsonld_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
)

// standards is the folder of published test vectors beside the repository.
func standards(t testing.TB, elem ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
	}
	path := filepath.Join(append([]string{dir, "..", "shared", "standards"}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skip("the published test vectors are not on this machine")
	}
	return path
}

func read(t testing.TB, elem ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// parseNQuads reads N-Quads as the test suite writes them.
func parseNQuads(text string) ([]jsonld.Quad, error) {
	var quads []jsonld.Quad
	for line := range strings.Lines(text) {
		p := lineParser{rest: strings.TrimSpace(line)}
		if p.rest == "" || p.rest[0] == '#' {
			continue
		}
		var terms []jsonld.Term
		for p.rest != "" && p.rest[0] != '.' {
			term, err := p.term()
			if err != nil {
				return nil, fmt.Errorf("%w in %q", err, line)
			}
			terms = append(terms, term)
		}
		switch len(terms) {
		case 3:
			quads = append(quads, jsonld.Quad{Subject: terms[0], Predicate: terms[1], Object: terms[2]})
		case 4:
			quads = append(quads, jsonld.Quad{Subject: terms[0], Predicate: terms[1], Object: terms[2], Graph: terms[3]})
		default:
			return nil, fmt.Errorf("%d terms in %q", len(terms), line)
		}
	}
	return quads, nil
}

type lineParser struct{ rest string }

func (p *lineParser) term() (jsonld.Term, error) {
	defer func() { p.rest = strings.TrimLeft(p.rest, " \t") }()
	switch {
	case p.rest[0] == '<':
		iri, rest, ok := strings.Cut(p.rest[1:], ">")
		p.rest = rest
		if !ok {
			return jsonld.Term{}, fmt.Errorf("an open IRI")
		}
		return jsonld.Term{Kind: jsonld.IRI, Value: unescape(iri)}, nil
	case strings.HasPrefix(p.rest, "_:"):
		n := strings.IndexAny(p.rest, " \t")
		if n < 0 {
			n = len(p.rest)
		}
		label := p.rest[2:n]
		p.rest = p.rest[n:]
		return jsonld.Term{Kind: jsonld.Blank, Value: label}, nil
	case p.rest[0] == '"':
		n := 1
		for n < len(p.rest) && p.rest[n] != '"' {
			if p.rest[n] == '\\' {
				n++
			}
			n++
		}
		if n >= len(p.rest) {
			return jsonld.Term{}, fmt.Errorf("an open literal")
		}
		t := jsonld.Term{Kind: jsonld.Literal, Value: unescape(p.rest[1:n])}
		p.rest = p.rest[n+1:]
		if strings.HasPrefix(p.rest, "^^<") {
			t.Datatype, p.rest, _ = strings.Cut(p.rest[3:], ">")
			t.Datatype = unescape(t.Datatype)
			if t.Datatype == "http://www.w3.org/2001/XMLSchema#string" {
				t.Datatype = ""
			}
		} else if strings.HasPrefix(p.rest, "@") {
			t.Language, p.rest, _ = strings.Cut(p.rest[1:], " ")
		}
		return t, nil
	}
	return jsonld.Term{}, fmt.Errorf("no term")
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'u', 'U':
			n := 4
			if s[i] == 'U' {
				n = 8
			}
			r, _ := strconv.ParseUint(s[i+1:i+1+n], 16, 32)
			b.WriteRune(rune(r))
			i += n
		default:
			b.WriteByte(map[byte]byte{'t': '\t', 'b': '\b', 'n': '\n', 'r': '\r', 'f': '\f', '"': '"', '\'': '\'', '\\': '\\'}[s[i]])
		}
	}
	return b.String()
}
