package tree

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/badge-engine/badge-engine/modules/scim/refusal"
)

// MaxDepth is how deep arrays and objects may nest. A bulk request that carries a PATCH needs ten.
const MaxDepth = 32

// Parse reads one JSON text. It answers with a [*refusal.Error]: invalidSyntax for what is no acceptable JSON, invalidValue
// for a string with the character U+0000. The values share the memory of text.
func Parse(text string) (Value, error) {
	p := parser{text: text}
	v, err := p.document()
	if err != nil {
		return Value{}, err
	}
	return v, nil
}

// ParseObject is [Parse] for a text that must be an object, as every SCIM message is. A byte order mark, which some clients put
// in front, is passed over (RFC 8259, 8.1).
func ParseObject(text string) (*Object, error) {
	v, err := Parse(strings.TrimPrefix(text, "\ufeff"))
	if err != nil {
		return nil, err
	}
	if v.kind != Complex {
		return nil, refusal.New(refusal.InvalidSyntax, "The body is %s. Send one JSON object.", v.kind)
	}
	return v.object, nil
}

type parser struct {
	text  string
	at    int
	depth int
	path  []string // names of the members being read, for messages
}

func (p *parser) document() (Value, *refusal.Error) {
	p.space()
	if p.at == len(p.text) {
		return Value{}, refusal.New(refusal.InvalidSyntax, "The body is empty. Send one JSON object.")
	}
	v, err := p.value()
	if err != nil {
		return Value{}, err
	}
	p.space()
	if p.at < len(p.text) {
		return Value{}, p.fail("something follows the end of the JSON value")
	}
	return v, nil
}

func (p *parser) fail(problem string) *refusal.Error {
	return p.refuse(refusal.InvalidSyntax, problem)
}

func (p *parser) refuse(t refusal.Type, problem string) *refusal.Error {
	where := ""
	if len(p.path) > 0 && len(p.path) <= 8 {
		where = " in " + Excerpt(strings.Join(p.path, "."))
	}
	return refusal.New(t, "The body is no JSON that can be accepted: %s, at byte %d%s.", problem, p.at, where)
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

func (p *parser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) value() (Value, *refusal.Error) {
	switch c := p.peek(); {
	case c == '"':
		s, err := p.str()
		return Value{kind: String, text: s}, err
	case c == '{':
		return p.object()
	case c == '[':
		return p.array()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case strings.HasPrefix(p.text[p.at:], "true"):
		p.at += 4
		return Value{kind: Bool, text: "true"}, nil
	case strings.HasPrefix(p.text[p.at:], "false"):
		p.at += 5
		return Value{kind: Bool, text: "false"}, nil
	case strings.HasPrefix(p.text[p.at:], "null"):
		p.at += 4
		return Value{}, nil
	}
	if p.at >= len(p.text) {
		return Value{}, p.fail("it ends in the middle")
	}
	return Value{}, p.fail("a value was expected")
}

func (p *parser) object() (Value, *refusal.Error) {
	if p.depth++; p.depth > MaxDepth {
		return Value{}, p.fail(fmt.Sprintf("it nests deeper than %d levels", MaxDepth))
	}
	defer func() { p.depth-- }()
	p.at++
	o := &Object{}
	p.space()
	if p.peek() == '}' {
		p.at++
		return Of(o), nil
	}
	var seen map[string]struct{} // from the ninth member on; most objects are smaller
	for {
		if p.peek() != '"' {
			return Value{}, p.fail("a member name in double quotes was expected")
		}
		name, err := p.str()
		if err != nil {
			return Value{}, err
		}
		p.path = append(p.path, name)
		if o.duplicate(name, &seen) {
			return Value{}, p.fail("the member appears twice, and the case of a name makes no difference")
		}
		p.space()
		if p.peek() != ':' {
			return Value{}, p.fail("a colon was expected after the member name")
		}
		p.at++
		p.space()
		v, err := p.value()
		if err != nil {
			return Value{}, err
		}
		p.path = p.path[:len(p.path)-1]
		if o.members == nil {
			o.members = make([]Member, 0, 4)
		}
		o.members = append(o.members, Member{name, v})
		p.space()
		switch p.peek() {
		case ',':
			p.at++
			p.space()
		case '}':
			p.at++
			return Of(o), nil
		default:
			return Value{}, p.fail("a comma or a closing brace was expected")
		}
	}
}

// duplicate reports whether the object has the name already, in whatever case.
func (o *Object) duplicate(name string, seen *map[string]struct{}) bool {
	if len(o.members) < 8 {
		for i := range o.members {
			if SameName(o.members[i].Name, name) {
				return true
			}
		}
		return false
	}
	if *seen == nil {
		*seen = make(map[string]struct{}, 32)
		for i := range o.members {
			(*seen)[FoldName(o.members[i].Name)] = struct{}{}
		}
	}
	key := FoldName(name)
	if _, ok := (*seen)[key]; ok {
		return true
	}
	(*seen)[key] = struct{}{}
	return false
}

func (p *parser) array() (Value, *refusal.Error) {
	if p.depth++; p.depth > MaxDepth {
		return Value{}, p.fail(fmt.Sprintf("it nests deeper than %d levels", MaxDepth))
	}
	defer func() { p.depth-- }()
	p.at++
	p.space()
	if p.peek() == ']' {
		p.at++
		return Value{kind: List}, nil
	}
	items := make([]Value, 0, 2)
	for {
		v, err := p.value()
		if err != nil {
			return Value{}, err
		}
		items = append(items, v)
		p.space()
		switch p.peek() {
		case ',':
			p.at++
			p.space()
		case ']':
			p.at++
			return Value{kind: List, items: items}, nil
		default:
			return Value{}, p.fail("a comma or a closing bracket was expected")
		}
	}
}

// number reads -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? and keeps its text (RFC 8259, 6).
func (p *parser) number() (Value, *refusal.Error) {
	end, ok := ScanNumber(p.text[p.at:])
	if !ok {
		return Value{}, p.fail("a number is not well formed")
	}
	v := Literal(p.text[p.at : p.at+end])
	p.at += end
	return v, nil
}

// ScanNumber tells how many bytes of a JSON number s begins with, and whether that is a whole number of the grammar.
func ScanNumber(s string) (int, bool) {
	i := 0
	digits := func() bool {
		from := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(s) && s[i] == '-' {
		i++
	}
	if i < len(s) && s[i] == '0' {
		i++
	} else if !digits() {
		return i, false
	}
	if i < len(s) && s[i] == '.' {
		i++
		if !digits() {
			return i, false
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if !digits() {
			return i, false
		}
	}
	return i, true
}

func (p *parser) str() (string, *refusal.Error) {
	s, n, problem := ScanText(p.text[p.at:])
	if problem != "" {
		p.at += n
		if problem == ProblemNUL {
			return "", p.refuse(refusal.InvalidValue, problem)
		}
		return "", p.fail(problem)
	}
	p.at += n
	return s, nil
}

// ProblemNUL is what [ScanText] answers when a string contains the character U+0000.
const ProblemNUL = "a string contains the character U+0000, which cannot be stored"

// ScanText reads the JSON string that s begins with: its value, the bytes it takes, and what is wrong with it, if anything;
// then the second result is the place. A string without escapes shares the memory of s (RFC 8259, 7).
func ScanText(s string) (text string, size int, problem string) {
	if s == "" || s[0] != '"' {
		return "", 0, "a string in double quotes was expected"
	}
	for i := 1; i < len(s); {
		switch c := s[i]; {
		case c == '"':
			return s[1:i], i + 1, ""
		case c == '\\':
			return scanEscaped(s, i)
		case c < ' ':
			if c == 0 {
				return "", i, ProblemNUL
			}
			return "", i, "a control character in a string must be escaped"
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				return "", i, "a string is not UTF-8"
			}
			i += n
		}
	}
	return "", len(s), "a string does not end"
}

// scanEscaped goes on from the first backslash of a string.
func scanEscaped(s string, i int) (string, int, string) {
	b := make([]byte, 0, i+16)
	b = append(b, s[1:i]...)
	for i < len(s) {
		switch c := s[i]; {
		case c == '"':
			return string(b), i + 1, ""
		case c == '\\':
			if i+1 >= len(s) {
				return "", i, "a string does not end"
			}
			switch e := s[i+1]; e {
			case '"', '\\', '/':
				b = append(b, e)
			case 'b':
				b = append(b, '\b')
			case 'f':
				b = append(b, '\f')
			case 'n':
				b = append(b, '\n')
			case 'r':
				b = append(b, '\r')
			case 't':
				b = append(b, '\t')
			case 'u':
				r, n, problem := scanUnicode(s[i:])
				if problem != "" {
					return "", i, problem
				}
				b = utf8.AppendRune(b, r)
				i += n
				continue
			default:
				return "", i, "a string contains an escape that JSON does not have"
			}
			i += 2
		case c < ' ':
			if c == 0 {
				return "", i, ProblemNUL
			}
			return "", i, "a control character in a string must be escaped"
		case c < utf8.RuneSelf:
			b = append(b, c)
			i++
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				return "", i, "a string is not UTF-8"
			}
			b = append(b, s[i:i+n]...)
			i += n
		}
	}
	return "", len(s), "a string does not end"
}

// scanUnicode reads \uXXXX, or two of them where they are a surrogate pair.
func scanUnicode(s string) (r rune, size int, problem string) {
	first, ok := hex4(s)
	switch {
	case !ok:
		return 0, 0, "\\u must be followed by four hexadecimal digits"
	case first == 0:
		return 0, 0, ProblemNUL
	case first >= 0xDC00 && first < 0xE000:
		return 0, 0, "a string contains an unpaired surrogate"
	case first < 0xD800 || first >= 0xE000:
		return first, 6, ""
	}
	second, ok := hex4(s[6:])
	if !ok || second < 0xDC00 || second >= 0xE000 {
		return 0, 0, "a string contains an unpaired surrogate"
	}
	return (first-0xD800)<<10 + (second - 0xDC00) + 0x10000, 12, ""
}

func hex4(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s[2:6]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// Excerpt quotes the beginning of a text that came from outside, for a message.
func Excerpt(s string) string {
	const most = 64
	if len(s) <= most {
		return string(AppendText(nil, s))
	}
	end := most
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return string(AppendText(nil, s[:end])) + "…"
}
