package strictjson

import (
	"encoding/binary"
	"fmt"
	"math/bits"
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
	n, err := Read(data)
	if err != nil {
		return nil, err
	}
	return n.Value(), nil
}

// Read reads one JSON text into nodes, as [Parse] does into maps: what it refuses, and why, is the same.
func Read(data []byte) (*Node, error) {
	// A credential has a node for some twenty bytes.
	p := parser{data: string(data), raw: data, arena: arena{chunk: make([]Node, 0, min(len(data)/22+4, 4096))}}
	p.space()
	if p.at == len(data) {
		return nil, &Error{Problem: "the JSON text is empty", Remedy: "Send one JSON value.", Syntax: true}
	}
	p.root = p.node()
	if err := p.value(p.root); err != nil {
		return nil, err
	}
	p.space()
	if p.at < len(data) {
		return nil, p.fail("something follows the end of the JSON value", "Send exactly one JSON value and nothing after it.")
	}
	p.root.solid = !p.hollow
	return p.root, nil
}

type parser struct {
	arena
	data   string
	raw    []byte // the same
	at     int
	root   *Node
	path   []*Node // what is being read, below the root
	few    [12]*Node
	hollow bool // there was a null or an empty array
}

func (p *parser) pointer() string {
	var b strings.Builder
	parent := p.root
	for _, n := range p.path {
		b.WriteByte('/')
		if parent.Kind == Array {
			i := 0
			for item := parent.first; item != n; item = item.next {
				i++
			}
			b.WriteString(strconv.Itoa(i))
		} else {
			_, _ = escaper.WriteString(&b, n.Name)
		}
		parent = n
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

// value reads into n.
func (p *parser) value(n *Node) error {
	switch c := p.peek(); {
	case c == '"':
		n.Kind = String
		var err error
		n.Text, n.plain, err = p.str()
		return err
	case c == '{':
		return p.object(n)
	case c == '[':
		return p.array(n)
	case c == '-' || c >= '0' && c <= '9':
		return p.number(n)
	case c == 't':
		n.Kind = True
		return p.word("true")
	case c == 'f':
		n.Kind = False
		return p.word("false")
	case c == 'n':
		n.Kind, p.hollow = Null, true
		return p.word("null")
	}
	if p.at >= len(p.data) {
		return p.fail("the JSON text ends in the middle", "Send the whole text.")
	}
	return p.fail("a JSON value was expected", "Write an object, an array, a string, a number, true, false or null.")
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
	if p.path == nil {
		p.path = p.few[:0]
	}
	return nil
}

// manyMembers are so many that a name is no longer compared with each before it.
const manyMembers = 24

func (p *parser) object(n *Node) error {
	if err := p.deeper(); err != nil {
		return err
	}
	n.Kind = Object
	p.at++
	p.space()
	if p.peek() == '}' {
		p.at++
		return nil
	}
	top := len(p.path)
	var last *Node
	var names map[string]struct{} // where there are many
	for {
		// What goes wrong around a name belongs to the object.
		if p.peek() != '"' {
			return p.fail("a member name was expected", "Write member names between double quotes, and no comma after the last member.")
		}
		name, _, err := p.str()
		if err != nil {
			return err
		}
		m := p.node()
		m.Name, m.hash = name, hashOf(name)
		p.path = append(p.path, m)
		if names == nil && n.count == manyMembers {
			names = make(map[string]struct{})
			for before := n.first; before != nil; before = before.next {
				names[before.Name] = struct{}{}
			}
		}
		seen := false
		if names != nil {
			_, seen = names[name]
			names[name] = struct{}{}
		} else {
			for before := n.first; before != nil && !seen; before = before.next {
				seen = before.hash == m.hash && before.Name == name
			}
		}
		if seen {
			return p.fail(fmt.Sprintf("the member %q appears twice", name), "Write each member of an object once.")
		}
		n.link(&last, m)
		p.space()
		if p.peek() != ':' {
			return p.fail("a colon was expected after the member name", "Write \"name\": value.")
		}
		p.at++
		p.space()
		if err := p.value(m); err != nil {
			return err
		}
		p.space()
		p.path = p.path[:top]
		switch p.peek() {
		case ',':
			p.at++
			p.space()
		case '}':
			p.at++
			return nil
		default:
			return p.fail("a comma or a closing brace was expected", "Separate members by commas and close every object.")
		}
	}
}

func (p *parser) array(n *Node) error {
	if err := p.deeper(); err != nil {
		return err
	}
	n.Kind = Array
	p.at++
	p.space()
	if p.peek() == ']' {
		p.at++
		p.hollow = true
		return nil
	}
	top := len(p.path)
	var last *Node
	for {
		item := p.node()
		n.link(&last, item)
		p.path = append(p.path, item)
		if err := p.value(item); err != nil {
			return err
		}
		p.path = p.path[:top]
		p.space()
		switch p.peek() {
		case ',':
			p.at++
			p.space()
		case ']':
			p.at++
			return nil
		default:
			return p.fail("a comma or a closing bracket was expected", "Separate items by commas and close every array.")
		}
	}
}

// number keeps the digits as they were written.
func (p *parser) number(n *Node) error {
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
		return p.fail("a digit was expected", "Write numbers as in -12.5e3.")
	}
	if p.peek() == '.' {
		p.at++
		if !p.digits() {
			return p.fail("a digit was expected after the decimal point", "Write numbers as in -12.5e3.")
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.at++
		if c := p.peek(); c == '+' || c == '-' {
			p.at++
		}
		if !p.digits() {
			return p.fail("a digit was expected in the exponent", "Write numbers as in -12.5e3.")
		}
	}
	if c := p.peek(); c >= '0' && c <= '9' {
		return p.fail("a number must not begin with 0", "Leave the leading zeros out, or write the number as a string.")
	}
	n.Kind, n.Text = Number, p.data[start:p.at]
	return nil
}

func (p *parser) digits() bool {
	start := p.at
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.at++
	}
	return p.at > start
}

// str reads a string; plain says that all of it is printable ASCII without escapes.
func (p *parser) str() (s string, plain bool, err error) {
	p.at++
	start := p.at
	plain = true
	for {
		p.plain()
		if p.at >= len(p.data) {
			return "", false, p.fail("a string is not closed", "Send the whole text.")
		}
		switch c := p.data[p.at]; {
		case c == '"':
			s := p.data[start:p.at]
			p.at++
			return s, plain, nil
		case c == '\\':
			s, err := p.escaped(start)
			return s, false, err
		case c < ' ':
			return "", false, p.failControl()
		case c < utf8.RuneSelf: // U+007F
			plain = false
			p.at++
		default:
			plain = false
			if err := p.rune(); err != nil {
				return "", false, err
			}
		}
	}
}

// plain steps over printable ASCII other than quotes and backslashes, eight at a time.
func (p *parser) plain() {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for p.at+8 <= len(p.raw) {
		x := binary.LittleEndian.Uint64(p.raw[p.at:])
		quote, slash, del := x^ones*'"', x^ones*'\\', x^ones*0x7f
		// The lowest top bit that is left is that of the first other byte; above it borrows may have set some wrongly.
		others := (x | (x-ones*' ')&^x | (quote-ones)&^quote | (slash-ones)&^slash | (del-ones)&^del) & tops
		if others != 0 {
			p.at += bits.TrailingZeros64(others) / 8
			return
		}
		p.at += 8
	}
	for p.at < len(p.data) {
		if c := p.data[p.at]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return
		}
		p.at++
	}
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
