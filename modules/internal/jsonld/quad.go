package jsonld

import "unicode/utf8"

// TermKind tells the kinds of RDF terms apart.
type TermKind uint8

// The kinds of RDF terms. None is the graph name of the default graph.
const (
	None TermKind = iota
	IRI
	Blank
	Literal
)

// Term is one term of a [Quad].
type Term struct {
	Kind     TermKind
	Value    string // the IRI, the blank node's label without "_:", or the lexical form
	Datatype string // of a literal; empty means xsd:string, or rdf:langString if Language is set
	Language string // of a literal
}

// Quad is one statement of an RDF dataset. It is comparable.
type Quad struct {
	Subject, Predicate, Object, Graph Term
}

// String is the statement as a line of canonical N-Quads, without the line feed.
func (q Quad) String() string {
	line := appendQuad(nil, &q, func(dst []byte, label string) []byte { return append(dst, label...) })
	return string(line[:len(line)-1])
}

// appendQuad writes a line of canonical N-Quads; label writes what follows "_:".
func appendQuad(dst []byte, q *Quad, label func(dst []byte, label string) []byte) []byte {
	term := func(t *Term) {
		if t.Kind == Blank {
			dst = append(dst, "_:"...)
			dst = label(dst, t.Value)
		} else {
			dst = appendGround(dst, t)
		}
		dst = append(dst, ' ')
	}
	term(&q.Subject)
	term(&q.Predicate)
	term(&q.Object)
	if q.Graph.Kind != None {
		term(&q.Graph)
	}
	return append(dst, ".\n"...)
}

// appendGround writes an IRI or a literal.
func appendGround(dst []byte, t *Term) []byte {
	if t.Kind == IRI {
		dst = append(dst, '<')
		dst = append(dst, t.Value...)
		return append(dst, '>')
	}
	dst = append(dst, '"')
	dst = appendEscaped(dst, t.Value)
	dst = append(dst, '"')
	switch {
	case t.Language != "":
		dst = append(dst, '@')
		dst = append(dst, t.Language...)
	case t.Datatype != "" && t.Datatype != xsdString:
		dst = append(dst, "^^<"...)
		dst = append(dst, t.Datatype...)
		dst = append(dst, '>')
	}
	return dst
}

// appendEscaped writes the text of a literal. RDFC-1.0, appendix A (A Canonical form of N-Quads): the seven short
// escapes, \u for the other control characters and U+007F, everything else as it is.
func appendEscaped(dst []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !escaped[c] {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c {
		case '\b':
			dst = append(dst, `\b`...)
		case '\t':
			dst = append(dst, `\t`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '"', '\\':
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	return append(dst, s[start:]...)
}

// escaped are the bytes that do not stand for themselves in a literal.
var escaped = func() (t [256]bool) {
	for c := range ' ' {
		t[c] = true
	}
	t['"'], t['\\'], t[0x7f] = true, true, true
	return t
}()

// validIRI reports whether s is an absolute IRI as N-Quads can carry it: a scheme, none of the characters that RFC 3987,
// 2.2 leaves out, whole percent triplets, one fragment at most.
func validIRI(s string) bool {
	i := schemeEnd(s)
	if i < 0 {
		return false
	}
	fragment := false
	for i++; i < len(s); i++ {
		if plainInIRI[s[i]] {
			continue
		}
		switch c := s[i]; {
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n <= 1 || r < 0xa0 {
				return false
			}
			i += n - 1
		case notInIRI[c]:
			return false
		case c == '%':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return false
			}
		case c == '#':
			if fragment {
				return false
			}
			fragment = true
		}
	}
	return true
}

// schemeEnd is the position of the colon that ends the scheme, or -1. RFC 3986, 3.1.
func schemeEnd(s string) int {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		case i > 0 && (c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.'):
		case i > 0 && c == ':':
			return i
		default:
			return -1
		}
	}
	return -1
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

var notInIRI = func() (t [utf8.RuneSelf]bool) {
	for c := range ' ' + 1 {
		t[c] = true
	}
	for _, c := range "<>\"{}|^`\\\x7f" {
		t[c] = true
	}
	return t
}()

// plainInIRI are the characters of which [validIRI] asks no more.
var plainInIRI = func() (t [256]bool) {
	for c := range utf8.RuneSelf {
		t[c] = !notInIRI[c] && c != '%' && c != '#'
	}
	return t
}()

// validLanguage reports whether s looks like a language tag. RFC 5646, 2.1, as far as JSON-LD 1.1 asks for.
func validLanguage(s string) bool {
	n := 0 // length of the subtag so far
	first := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || !first && c >= '0' && c <= '9':
			n++
		case c == '-' && n > 0:
			n, first = 0, false
			continue
		default:
			return false
		}
		if n > 8 {
			return false
		}
	}
	return n > 0
}
