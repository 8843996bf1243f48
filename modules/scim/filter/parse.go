package filter

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// Limits bound the work that one filter can cause.
type Limits struct {
	Length int // bytes
	Depth  int // parentheses and brackets within each other
	Terms  int // comparisons
}

// DefaultLimits is far more than any client known to us sends, and nothing that could be felt.
var DefaultLimits = Limits{Length: 16 << 10, Depth: 32, Terms: 256}

// Parse reads a filter. It answers with a [*refusal.Error] of type invalidFilter that says where.
func Parse(text string, limits Limits) (Node, error) {
	p := parser{text: text, limits: limits}
	n, err := p.whole()
	if err != nil {
		return nil, err
	}
	return n, nil
}

// ParsePath reads an attribute path, with or without a filter in brackets. It answers with a [*refusal.Error]: invalidFilter
// for what stands between the brackets, else invalidPath.
func ParsePath(text string, limits Limits) (Path, error) {
	p := parser{text: text, limits: limits, path: true}
	path, err := p.wholePath()
	if err != nil {
		return Path{}, err
	}
	return path, nil
}

type parser struct {
	text   string
	at     int
	limits Limits
	path   bool // outside of the brackets of a path
	inside bool // of the brackets of a value path
	depth  int
	terms  int
}

func (p *parser) fail(at int, format string, args ...any) *refusal.Error {
	kind, what := refusal.InvalidFilter, "The filter cannot be read"
	if p.path {
		kind, what = refusal.InvalidPath, "The path cannot be read"
	}
	return refusal.New(kind, "%s: %s, at byte %d.", what, fmt.Sprintf(format, args...), at)
}

// check refuses what no part of the grammar should have to think about.
func (p *parser) check() *refusal.Error {
	switch {
	case len(p.text) > p.limits.Length:
		return p.fail(p.limits.Length, "it is longer than %d bytes", p.limits.Length)
	case strings.IndexByte(p.text, 0) >= 0:
		return p.fail(strings.IndexByte(p.text, 0), "it contains the character U+0000")
	case !utf8.ValidString(p.text):
		return p.fail(0, "it is not UTF-8")
	}
	return nil
}

func (p *parser) whole() (Node, *refusal.Error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	p.space()
	if p.at == len(p.text) {
		return nil, p.fail(p.at, "it is empty")
	}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(p.text) {
		return nil, p.fail(p.at, "and, or or the end was expected before %s", tree.Excerpt(p.text[p.at:]))
	}
	return n, nil
}

func (p *parser) wholePath() (Path, *refusal.Error) {
	if err := p.check(); err != nil {
		return Path{}, err
	}
	p.space()
	name, err := p.name()
	if err != nil {
		return Path{}, err
	}
	path := Path{Name: name}
	if p.peek() == '[' {
		p.path = false
		if path.Filter, err = p.bracket(); err != nil {
			return Path{}, err
		}
		p.path = true
		if path.Sub, err = p.sub(); err != nil {
			return Path{}, err
		}
	}
	if p.space(); p.at < len(p.text) {
		return Path{}, p.fail(p.at, "the end was expected before %s", tree.Excerpt(p.text[p.at:]))
	}
	return path, nil
}

func (p *parser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

// space skips blanks and reports whether there were any.
func (p *parser) space() bool {
	from := p.at
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t') {
		p.at++
	}
	return p.at > from
}

// keyword takes a word of the grammar, whatever its case, that ends at a blank or at one of the stops.
func (p *parser) keyword(word, stops string) bool {
	if !tree.HasPrefixName(p.text[p.at:], word) {
		return false
	}
	if end := p.at + len(word); end < len(p.text) && p.text[end] != ' ' && p.text[end] != '\t' && strings.IndexByte(stops, p.text[end]) < 0 {
		return false
	}
	p.at += len(word)
	return true
}

func (p *parser) or() (Node, *refusal.Error) {
	first, err := p.and()
	if err != nil {
		return nil, err
	}
	var terms Or
	for {
		from := p.at
		if !p.space() || !p.keyword("or", "(") {
			p.at = from
			break
		}
		p.space()
		next, err := p.and()
		if err != nil {
			return nil, err
		}
		if terms == nil {
			terms = flattenOr(make(Or, 0, 2), first)
		}
		terms = flattenOr(terms, next)
	}
	if terms == nil {
		return first, nil
	}
	return terms, nil
}

func flattenOr(terms Or, n Node) Or {
	if more, ok := n.(Or); ok {
		return append(terms, more...)
	}
	return append(terms, n)
}

func (p *parser) and() (Node, *refusal.Error) {
	first, err := p.term()
	if err != nil {
		return nil, err
	}
	var terms And
	for {
		from := p.at
		if !p.space() || !p.keyword("and", "(") {
			p.at = from
			break
		}
		p.space()
		next, err := p.term()
		if err != nil {
			return nil, err
		}
		if terms == nil {
			terms = flattenAnd(make(And, 0, 2), first)
		}
		terms = flattenAnd(terms, next)
	}
	if terms == nil {
		return first, nil
	}
	return terms, nil
}

func flattenAnd(terms And, n Node) And {
	if more, ok := n.(And); ok {
		return append(terms, more...)
	}
	return append(terms, n)
}

func (p *parser) deeper() *refusal.Error {
	if p.depth++; p.depth > p.limits.Depth {
		return p.fail(p.at, "it nests deeper than %d levels", p.limits.Depth)
	}
	return nil
}

// term reads a filter in parentheses, negated or not, or a test of one attribute.
func (p *parser) term() (Node, *refusal.Error) {
	from := p.at
	if p.keyword("not", "(") {
		p.space()
		if p.peek() == '(' {
			n, err := p.parentheses()
			if err != nil {
				return nil, err
			}
			return Not{n}, nil
		}
		p.at = from // an attribute of that name
	}
	if p.peek() == '(' {
		return p.parentheses()
	}
	return p.test()
}

func (p *parser) parentheses() (Node, *refusal.Error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	opened := p.at
	p.at++
	p.space()
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	p.space()
	if p.peek() != ')' {
		return nil, p.missing(')', opened)
	}
	p.at++
	p.depth--
	return n, nil
}

func (p *parser) missing(closing byte, opened int) *refusal.Error {
	if p.at < len(p.text) {
		return p.fail(p.at, "and, or or %q was expected before %s", closing, tree.Excerpt(p.text[p.at:]))
	}
	return p.fail(opened, "what opens here is never closed by %q", closing)
}

func (p *parser) test() (Node, *refusal.Error) {
	from := p.at
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	if p.peek() != '[' {
		return p.comparison(name, from)
	}
	if p.inside {
		return nil, p.fail(p.at, "brackets cannot stand within brackets")
	}
	n, err := p.bracket()
	if err != nil {
		return nil, err
	}
	value := ValuePath{Name: name, Filter: n, At: from}
	at := p.at + 1
	sub, err := p.sub()
	if err != nil || sub == "" {
		return value, err
	}
	if value.Rest, err = p.comparison(sub, at); err != nil {
		return nil, err
	}
	return value, nil
}

// bracket reads the filter of a value path.
func (p *parser) bracket() (Node, *refusal.Error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	opened := p.at
	p.at++
	p.inside = true
	p.space()
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	p.inside = false
	p.space()
	if p.peek() != ']' {
		return nil, p.missing(']', opened)
	}
	p.at++
	p.depth--
	return n, nil
}

// sub reads the sub-attribute behind a bracket, if there is one.
func (p *parser) sub() (string, *refusal.Error) {
	if p.peek() != '.' {
		return "", nil
	}
	p.at++
	from := p.at
	for p.at < len(p.text) && nameByte(p.text[p.at]) {
		p.at++
	}
	if name := p.text[from:p.at]; tree.IsName(name) {
		return name, nil
	}
	return "", p.fail(from, "the name of a sub-attribute was expected")
}

// comparison reads what follows an attribute.
func (p *parser) comparison(name string, from int) (Node, *refusal.Error) {
	if p.terms++; p.terms > p.limits.Terms {
		return nil, p.fail(from, "it has more than %d comparisons", p.limits.Terms)
	}
	if !p.space() {
		return nil, p.fail(p.at, "a blank and an operator were expected after %s", tree.Excerpt(name))
	}
	if p.keyword("pr", ")]") {
		return Present{name, from}, nil
	}
	op, ok := p.op()
	if !ok {
		word, _, _ := strings.Cut(p.text[p.at:], " ")
		return nil, p.fail(p.at, "%s is no operator; eq, ne, co, sw, ew, gt, ge, lt, le and pr are", tree.Excerpt(word))
	}
	if !p.space() {
		return nil, p.fail(p.at, "a blank and a value were expected after %s", op)
	}
	value, err := p.literal()
	if err != nil {
		return nil, err
	}
	return Compare{name, op, value, from}, nil
}

func (p *parser) op() (Op, bool) {
	for _, op := range [...]Op{Eq, Sw, Co, Ew, Ne, Gt, Ge, Lt, Le} {
		if p.keyword(string(op), "") {
			return op, true
		}
	}
	return "", false
}

// literal reads a value. A bare word ends at a blank or at what closes; it is no JSON, but Entra's tools send it.
func (p *parser) literal() (Literal, *refusal.Error) {
	if p.peek() == '"' {
		s, n, problem := tree.ScanText(p.text[p.at:])
		if problem != "" {
			return Literal{}, p.fail(p.at+n, "%s", problem)
		}
		p.at += n
		return Literal{Quoted, s}, nil
	}
	from := p.at
	for p.at < len(p.text) && strings.IndexByte(" \t\"()[]", p.text[p.at]) < 0 {
		p.at++
	}
	word := p.text[from:p.at]
	switch word {
	case "":
		return Literal{}, p.fail(from, "a value was expected")
	case "true", "false":
		return Literal{Bool, word}, nil
	case "null":
		return Literal{Null, word}, nil
	}
	if first, _ := utf8.DecodeRuneInString(word); strings.ContainsRune("'`´‘’‚“”„«»", first) {
		return Literal{}, p.fail(from, "a value stands between double quotes, not between others")
	}
	if n, ok := tree.ScanNumber(word); ok && n == len(word) {
		return Literal{Number, word}, nil
	}
	return Literal{Word, word}, nil
}

func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '$'
}

// name reads an attribute path: [URN ":"] NAME ["." NAME]. Where the URN ends only the schemas know, so that everything up to
// the last colon may contain dots.
func (p *parser) name() (string, *refusal.Error) {
	from := p.at
	colon := -1
	for p.at < len(p.text) {
		c := p.text[p.at]
		if c == ':' {
			colon = p.at
		} else if !nameByte(c) && c != '.' {
			break
		}
		p.at++
	}
	text := p.text[from:p.at]
	switch {
	case text == "":
		if p.at == len(p.text) {
			return "", p.fail(p.at, "the name of an attribute was expected")
		}
		return "", p.fail(p.at, "the name of an attribute was expected before %s", tree.Excerpt(p.text[p.at:]))
	case colon >= 0 && !tree.HasPrefixName(text, "urn:"):
		return "", p.fail(from, "%s is no attribute; a URN begins with urn:", tree.Excerpt(text))
	}
	if colon < 0 {
		name, sub, dotted := strings.Cut(text, ".")
		if !tree.IsName(name) || dotted && !tree.IsName(sub) {
			return "", p.fail(from, "%s is no attribute", tree.Excerpt(text))
		}
	}
	return text, nil
}
