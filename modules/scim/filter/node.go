package filter

import (
	"strings"

	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// Op is a comparison operator (RFC 7644, table 3). "pr" is none: see [Present].
type Op string

// The operators.
const (
	Eq Op = "eq"
	Ne Op = "ne"
	Co Op = "co"
	Sw Op = "sw"
	Ew Op = "ew"
	Gt Op = "gt"
	Ge Op = "ge"
	Lt Op = "lt"
	Le Op = "le"
)

// Kind tells how the value of a comparison was written.
type Kind uint8

// The ways to write a value.
const (
	Quoted Kind = iota // "a JSON string"
	Word               // a bare word, as Entra's tools write: userName sw O
	Number             // a JSON number, its text exactly kept
	Bool               // true or false
	Null               // null
)

// Literal is the value of a comparison as it was written.
type Literal struct {
	Kind Kind
	Text string // a quoted string without its quotes and escapes; else the text itself
}

// String writes the literal as it would be parsed again.
func (l Literal) String() string {
	if l.Kind == Quoted {
		return string(tree.AppendText(nil, l.Text))
	}
	return l.Text
}

// Node is a parsed filter: one of [And], [Or], [Not], [Compare], [Present] and [ValuePath]. Its String is a filter that
// parses to the same tree.
type Node interface {
	String() string
	write(b *strings.Builder)
}

// And holds when all of its terms do. It has at least two, none of which is an And.
type And []Node

// Or holds when one of its terms does. It has at least two, none of which is an Or.
type Or []Node

// Not holds when its term does not.
type Not struct{ Term Node }

// Compare compares an attribute with a value.
type Compare struct {
	Name  string // attribute path as written; inside of a value path the name of a sub-attribute
	Op    Op
	Value Literal
	At    int // the byte of the filter at which it stands
}

// Present holds when the attribute has a value (pr).
type Present struct {
	Name string
	At   int
}

// ValuePath holds when one element of the attribute satisfies the filter and, if there is one, the test behind the bracket:
// emails[type eq "work"].value eq "x", which only Entra writes.
type ValuePath struct {
	Name   string
	Filter Node
	Rest   Node // nil, [Compare] or [Present] of a sub-attribute
	At     int
}

// Path is a parsed attribute path of a PATCH operation, of sortBy or of a projection (RFC 7644, figure 7).
type Path struct {
	Name   string // attribute path as written, with its URN and at most one sub-attribute; may be the bare URN of a schema
	Filter Node   // nil without brackets
	Sub    string // the sub-attribute behind the brackets, or empty
}

func (n And) write(b *strings.Builder) {
	for i, term := range n {
		if i > 0 {
			b.WriteString(" and ")
		}
		if or, ok := term.(Or); ok {
			b.WriteByte('(')
			or.write(b)
			b.WriteByte(')')
			continue
		}
		term.write(b)
	}
}

func (n Or) write(b *strings.Builder) {
	for i, term := range n {
		if i > 0 {
			b.WriteString(" or ")
		}
		term.write(b)
	}
}

func (n Not) write(b *strings.Builder) {
	b.WriteString("not (")
	n.Term.write(b)
	b.WriteByte(')')
}

func (n Compare) write(b *strings.Builder) {
	b.WriteString(n.Name)
	b.WriteByte(' ')
	b.WriteString(string(n.Op))
	b.WriteByte(' ')
	b.WriteString(n.Value.String())
}

func (n Present) write(b *strings.Builder) {
	b.WriteString(n.Name)
	b.WriteString(" pr")
}

func (n ValuePath) write(b *strings.Builder) {
	b.WriteString(n.Name)
	b.WriteByte('[')
	n.Filter.write(b)
	b.WriteByte(']')
	if n.Rest != nil {
		b.WriteByte('.')
		n.Rest.write(b)
	}
}

func render(n Node) string {
	var b strings.Builder
	n.write(&b)
	return b.String()
}

// String implements [Node].
func (n And) String() string { return render(n) }

// String implements [Node].
func (n Or) String() string { return render(n) }

// String implements [Node].
func (n Not) String() string { return render(n) }

// String implements [Node].
func (n Compare) String() string { return render(n) }

// String implements [Node].
func (n Present) String() string { return render(n) }

// String implements [Node].
func (n ValuePath) String() string { return render(n) }

// String writes the path as it would be parsed again.
func (p Path) String() string {
	if p.Filter == nil {
		return p.Name
	}
	s := p.Name + "[" + p.Filter.String() + "]"
	if p.Sub != "" {
		s += "." + p.Sub
	}
	return s
}
