package tree

import (
	"strconv"
	"unicode/utf8"
)

// Kind tells what a value is.
type Kind uint8

// The kinds of JSON value. The zero Value is Null.
const (
	Null Kind = iota
	Bool
	Number
	String
	List
	Complex
)

var kindNames = [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}

// String names the kind as a sentence would, with its article.
func (k Kind) String() string { return kindNames[k] }

// Value is one JSON value. It must not be altered once it is shared: who changes a resource builds new lists and objects
// along the way and shares the rest.
type Value struct {
	kind   Kind
	text   string
	items  []Value
	object *Object
}

// Text is a string.
func Text(s string) Value { return Value{kind: String, text: s} }

// Boolean is true or false.
func Boolean(b bool) Value {
	if b {
		return Value{kind: Bool, text: "true"}
	}
	return Value{kind: Bool, text: "false"}
}

// Literal is a number by its JSON text, which the caller answers for.
func Literal(number string) Value { return Value{kind: Number, text: number} }

// Integer is a whole number.
func Integer(n int64) Value { return Literal(strconv.FormatInt(n, 10)) }

// Items is an array.
func Items(items ...Value) Value { return Value{kind: List, items: items} }

// Of is an object as a value.
func Of(o *Object) Value { return Value{kind: Complex, object: o} }

// Kind tells what the value is.
func (v Value) Kind() Kind { return v.kind }

// Text is the text of a scalar: a string itself, a number as it was written, "true" or "false". It is empty for anything else.
func (v Value) Text() string { return v.text }

// True reports whether the value is the boolean true.
func (v Value) True() bool { return v.kind == Bool && v.text == "true" }

// Items are the elements of an array. The caller must not alter them.
func (v Value) Items() []Value { return v.items }

// Object is the object of a [Complex] value, else nil. The caller must not alter it.
func (v Value) Object() *Object { return v.object }

// Empty reports whether the value is none by RFC 7643, 2.5: null, an empty array or an empty object. An empty string is a
// value here; what writes attributes decides on it.
func (v Value) Empty() bool {
	switch v.kind {
	case Null:
		return true
	case List:
		return len(v.items) == 0
	case Complex:
		return v.object.Len() == 0
	}
	return false
}

// Equal reports whether two values are the same JSON: objects whatever the order of their members, numbers and strings
// by their text.
func (v Value) Equal(w Value) bool {
	if v.kind != w.kind || v.text != w.text || len(v.items) != len(w.items) {
		return false
	}
	for i := range v.items {
		if !v.items[i].Equal(w.items[i]) {
			return false
		}
	}
	if v.kind != Complex {
		return true
	}
	if v.object.Len() != w.object.Len() {
		return false
	}
	for _, m := range v.object.Members() {
		other, ok := w.object.Get(m.Name)
		if !ok || !m.Value.Equal(other) {
			return false
		}
	}
	return true
}

// Member is a name and its value.
type Member struct {
	Name  string
	Value Value
}

// Object is a list of members in order. A nil Object is empty and may be read.
type Object struct {
	members []Member
}

// NewObject is an object of these members, whose names must differ.
func NewObject(members ...Member) *Object { return &Object{members: members} }

// Len is the number of members.
func (o *Object) Len() int {
	if o == nil {
		return 0
	}
	return len(o.members)
}

// Members are the members in order. The caller must not alter them.
func (o *Object) Members() []Member {
	if o == nil {
		return nil
	}
	return o.members
}

// Get finds a member by its exact name.
func (o *Object) Get(name string) (Value, bool) {
	if o == nil {
		return Value{}, false
	}
	for i := range o.members {
		if o.members[i].Name == name {
			return o.members[i].Value, true
		}
	}
	return Value{}, false
}

// Find finds a member whatever the case of its name (RFC 7643, 2.1: names are case insensitive).
func (o *Object) Find(name string) (Value, bool) {
	if v, ok := o.Get(name); ok {
		return v, true
	}
	for _, m := range o.Members() {
		if SameName(m.Name, name) {
			return m.Value, true
		}
	}
	return Value{}, false
}

// Set gives the member a value, in its place if it is there already, else as the last.
func (o *Object) Set(name string, v Value) {
	for i := range o.members {
		if o.members[i].Name == name {
			o.members[i].Value = v
			return
		}
	}
	o.members = append(o.members, Member{name, v})
}

// Delete removes a member and reports whether it was there.
func (o *Object) Delete(name string) bool {
	for i := range o.members {
		if o.members[i].Name == name {
			o.members = append(o.members[:i], o.members[i+1:]...)
			return true
		}
	}
	return false
}

// Clone is a copy whose members may be set and deleted. The values are shared.
func (o *Object) Clone() *Object {
	members := make([]Member, o.Len(), o.Len()+2)
	copy(members, o.Members())
	return &Object{members: members}
}

// MarshalJSON implements [encoding/json.Marshaler].
func (v Value) MarshalJSON() ([]byte, error) { return v.Append(nil), nil }

// MarshalJSON implements [encoding/json.Marshaler].
func (o *Object) MarshalJSON() ([]byte, error) { return o.Append(nil), nil }

// Append writes the value as compact JSON.
func (v Value) Append(b []byte) []byte {
	switch v.kind {
	case Bool, Number:
		return append(b, v.text...)
	case String:
		return AppendText(b, v.text)
	case List:
		b = append(b, '[')
		for i := range v.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = v.items[i].Append(b)
		}
		return append(b, ']')
	case Complex:
		return v.object.Append(b)
	}
	return append(b, "null"...)
}

// Append writes the object as compact JSON, its members in order.
func (o *Object) Append(b []byte) []byte {
	b = append(b, '{')
	for i, m := range o.Members() {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendText(b, m.Name)
		b = append(b, ':')
		b = m.Value.Append(b)
	}
	return append(b, '}')
}

const hex = "0123456789abcdef"

// AppendText writes a JSON string. Only what must be escaped is; a string that is not UTF-8 loses its bad bytes to U+FFFD.
func AppendText(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(b, s[from:i]...)
				b = append(b, "\ufffd"...)
				i++
				from = i
				continue
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		from = i
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}
