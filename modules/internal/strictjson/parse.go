package strictjson

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may nest.
const MaxDepth = 64

// Parse reads one JSON text into map[string]any, []any, json.Number, string, bool and nil. It answers with *[Error],
// always with Syntax set. The strings share one copy of the text, which stays as long as any of them does.
func Parse(data []byte) (any, error) {
	p := parser{data: string(data)}
	p.space()
	if p.at == len(data) {
		return nil, &Error{Problem: "the JSON text is empty", Remedy: "Send one JSON value.", Syntax: true}
	}
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	p.space()
	if p.at < len(data) {
		return nil, p.fail("something follows the end of the JSON value", "Send exactly one JSON value and nothing after it.")
	}
	return v, nil
}

// step is one token of the path to the value being read.
type step struct {
	name  string
	index int // used when name is not a member name
	array bool
}

type parser struct {
	data string
	at   int
	path []step
}

func (p *parser) pointer() string {
	var b strings.Builder
	for _, s := range p.path {
		b.WriteByte('/')
		if s.array {
			b.WriteString(strconv.Itoa(s.index))
		} else {
			_, _ = escaper.WriteString(&b, s.name)
		}
	}
	return b.String()
}

// fail reports a problem at the current byte.
func (p *parser) fail(problem, remedy string) error {
	return &Error{
		Pointer: p.pointer(),
		Problem: fmt.Sprintf("%s (at byte %d)", problem, p.at),
		Remedy:  remedy,
		Syntax:  true,
	}
}

func (p *parser) space() {
	for p.at < len(p.data) {
		switch p.data[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// peek is the current byte, or 0 at the end: a NUL byte is no token either.
func (p *parser) peek() byte {
	if p.at < len(p.data) {
		return p.data[p.at]
	}
	return 0
}

func (p *parser) value() (any, error) {
	switch c := p.peek(); {
	case c == '{':
		return p.object()
	case c == '[':
		return p.array()
	case c == '"':
		return p.str()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case c == 't':
		return true, p.word("true")
	case c == 'f':
		return false, p.word("false")
	case c == 'n':
		return nil, p.word("null")
	}
	if p.at >= len(p.data) {
		return nil, p.fail("the JSON text ends in the middle", "Send the whole text.")
	}
	return nil, p.fail("a JSON value was expected", "Write an object, an array, a string, a number, true, false or null.")
}

func (p *parser) word(w string) error {
	if !strings.HasPrefix(p.data[p.at:], w) {
		return p.fail("a JSON value was expected", "Write strings between double quotes; the only bare words are true, false and null.")
	}
	p.at += len(w)
	return nil
}

func (p *parser) deeper() error {
	if len(p.path) >= MaxDepth {
		e := &Error{
			Problem: fmt.Sprintf("the JSON text nests deeper than %d levels", MaxDepth),
			Remedy:  "Flatten the document.",
			Syntax:  true,
		}
		return e // no pointer: it would be as absurd as the document
	}
	return nil
}

func (p *parser) object() (any, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	members := make(map[string]any)
	p.at++
	p.space()
	if p.peek() == '}' {
		p.at++
		return members, nil
	}
	p.path = append(p.path, step{})
	top := len(p.path) - 1
	for {
		p.path = p.path[:top] // what goes wrong around a name belongs to the object
		if p.peek() != '"' {
			return nil, p.fail("a member name was expected", "Write member names between double quotes, and no comma after the last member.")
		}
		name, err := p.str()
		if err != nil {
			return nil, err
		}
		p.path = append(p.path, step{name: name})
		if _, seen := members[name]; seen {
			return nil, p.fail(fmt.Sprintf("the member %q appears twice", name), "Write each member of an object once.")
		}
		p.space()
		if p.peek() != ':' {
			return nil, p.fail("a colon was expected after the member name", "Write \"name\": value.")
		}
		p.at++
		p.space()
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		members[name] = v
		p.space()
		switch p.peek() {
		case ',':
			p.at++
			p.space()
		case '}':
			p.at++
			p.path = p.path[:top]
			return members, nil
		default:
			p.path = p.path[:top]
			return nil, p.fail("a comma or a closing brace was expected", "Separate members by commas and close every object.")
		}
	}
}

func (p *parser) array() (any, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	items := []any{}
	p.at++
	p.space()
	if p.peek() == ']' {
		p.at++
		return items, nil
	}
	top := len(p.path)
	p.path = append(p.path, step{array: true})
	for {
		p.path[top].index = len(items)
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		items = append(items, v)
		p.space()
		switch p.peek() {
		case ',':
			p.at++
			p.space()
		case ']':
			p.at++
			p.path = p.path[:top]
			return items, nil
		default:
			p.path = p.path[:top]
			return nil, p.fail("a comma or a closing bracket was expected", "Separate items by commas and close every array.")
		}
	}
}

// number keeps the digits as they were written.
func (p *parser) number() (any, error) {
	start := p.at
	if p.peek() == '-' {
		p.at++
	}
	switch c := p.peek(); {
	case c == '0':
		p.at++
	case c >= '1' && c <= '9':
		p.digits()
	default:
		return nil, p.fail("a digit was expected", "Write numbers as in -12.5e3.")
	}
	if p.peek() == '.' {
		p.at++
		if !p.digits() {
			return nil, p.fail("a digit was expected after the decimal point", "Write numbers as in -12.5e3.")
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.at++
		if c := p.peek(); c == '+' || c == '-' {
			p.at++
		}
		if !p.digits() {
			return nil, p.fail("a digit was expected in the exponent", "Write numbers as in -12.5e3.")
		}
	}
	if c := p.peek(); c >= '0' && c <= '9' {
		return nil, p.fail("a number must not begin with 0", "Leave the leading zeros out, or write the number as a string.")
	}
	return json.Number(p.data[start:p.at]), nil
}

func (p *parser) digits() bool {
	start := p.at
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.at++
	}
	return p.at > start
}

func (p *parser) str() (string, error) {
	p.at++
	start := p.at
	for p.at < len(p.data) {
		switch c := p.data[p.at]; {
		case c == '"':
			s := p.data[start:p.at]
			p.at++
			return s, nil
		case c == '\\':
			return p.escaped(start)
		case c < ' ':
			return "", p.failControl()
		case c < utf8.RuneSelf:
			p.at++
		default:
			if err := p.rune(); err != nil {
				return "", err
			}
		}
	}
	return "", p.fail("a string is not closed", "Send the whole text.")
}

func (p *parser) failControl() error {
	return p.fail("a string contains a bare control character", "Escape it, as in \\n or \\u0007.")
}

// rune steps over one character of more than one byte.
func (p *parser) rune() error {
	r, n := utf8.DecodeRuneInString(p.data[p.at:])
	if r == utf8.RuneError && n <= 1 {
		return p.fail("a string is not valid UTF-8", "Encode the text as UTF-8.")
	}
	p.at += n
	return nil
}

// escaped reads on from the first backslash of a string that began at start.
func (p *parser) escaped(start int) (string, error) {
	out := append(make([]byte, 0, p.at-start+64), p.data[start:p.at]...)
	for p.at < len(p.data) {
		switch c := p.data[p.at]; {
		case c == '"':
			p.at++
			return string(out), nil
		case c == '\\':
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
		case c < ' ':
			return "", p.failControl()
		case c < utf8.RuneSelf:
			out = append(out, c)
			p.at++
		default:
			from := p.at
			if err := p.rune(); err != nil {
				return "", err
			}
			out = append(out, p.data[from:p.at]...)
		}
	}
	return "", p.fail("a string is not closed", "Send the whole text.")
}

func (p *parser) escape() (rune, error) {
	p.at++
	c := p.peek()
	p.at++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return p.unicode()
	}
	p.at--
	return 0, p.fail("a string contains an unknown escape", `Use \", \\, \/, \b, \f, \n, \r, \t or \u and four digits.`)
}

// unicode reads the four digits after \u, and the second half of a surrogate pair.
// RFC 7493, 2.1: a string must not contain an unpaired surrogate.
func (p *parser) unicode() (rune, error) {
	hi, err := p.hex()
	if err != nil {
		return 0, err
	}
	if !utf16.IsSurrogate(hi) {
		return hi, nil
	}
	if p.peek() == '\\' && p.at+1 < len(p.data) && p.data[p.at+1] == 'u' {
		p.at += 2
		lo, err := p.hex()
		if err != nil {
			return 0, err
		}
		if r := utf16.DecodeRune(hi, lo); r != utf8.RuneError {
			return r, nil
		}
	}
	return 0, p.fail("a string contains an unpaired surrogate", "Write both halves of the pair, or the character itself.")
}

func (p *parser) hex() (rune, error) {
	if p.at+4 > len(p.data) {
		return 0, p.fail("a \\u escape is cut off", "Write four hexadecimal digits after \\u.")
	}
	var r rune
	for _, c := range []byte(p.data[p.at : p.at+4]) {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, p.fail("a \\u escape is malformed", "Write four hexadecimal digits after \\u.")
		}
	}
	p.at += 4
	return r, nil
}
