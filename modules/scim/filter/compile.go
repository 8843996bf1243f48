package filter

import (
	"fmt"
	"strings"

	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// Predicate is a filter whose names are resolved: one of [All], [Any], [Complement], [Comparison], [Presence], [Element] and
// [Constant]. Each is two-valued for every resource.
type Predicate interface {
	// Match decides for a whole resource with canonical names.
	Match(resource *tree.Object) bool
	// MatchElement decides for one element of the attribute of an [Element]; paths end at its sub-attributes.
	MatchElement(element tree.Value) bool
}

// All holds when every predicate does.
type All []Predicate

// Any holds when one predicate does.
type Any []Predicate

// Complement holds when its term does not.
type Complement struct{ Term Predicate }

// Comparison compares values of an attribute. It holds when one of the values does; where the attribute or, in an element,
// the sub-attribute has no value, it holds for ne only. The path never ends at a complex attribute.
//
//	emails.type ne "work"   no e-mail address, or one whose type is absent or another
type Comparison struct {
	Path    schema.Path
	Op      Op
	Operand Operand
}

// Presence holds when the attribute has a value that is not empty: of a complex attribute any sub-attribute, of a
// multi-valued one any element.
type Presence struct{ Path schema.Path }

// Element holds when one element of a multi-valued complex attribute satisfies the whole of Where, whose paths all begin with
// that attribute.
type Element struct {
	Path  schema.Path
	Where Predicate
}

// Constant always holds, or never: a comparison with an attribute that this type of resource does not have.
type Constant bool

// Operand is the value of a comparison in the type of the attribute.
type Operand struct {
	// Text is what texts are compared with: folded by [Fold] unless the attribute is caseExact. For numbers it is the
	// literal, for instants the text as written.
	Text string
	// Given is the value as the client wrote it, without quotes.
	Given string
	// Key is the [NumberKey] of a number.
	Key string
	// Micros is the [Instant] of a dateTime.
	Micros int64
	// True is the value for a boolean.
	True bool
}

// Compile checks a filter against a resource type. It answers with a [*refusal.Error] of type invalidFilter for a name the
// type does not have, for an operator that its type of value does not have, and for a value of another type.
func Compile(n Node, t *schema.ResourceType) (Predicate, error) {
	return compiled(compiler{t: t}.compile(n))
}

// CompileAcross is [Compile] for a search over several resource types, where an attribute that this type does not have is one
// without a value (RFC 7644, 3.4.2.1).
func CompileAcross(n Node, t *schema.ResourceType) (Predicate, error) {
	return compiled(compiler{t: t, across: true}.compile(n))
}

// CompileElement checks the filter of a value path against the attribute in front of the brackets. The answer is for
// [Predicate.MatchElement].
func CompileElement(n Node, attribute schema.Path) (Predicate, error) {
	return compiled(compiler{within: attribute}.compile(n))
}

func compiled(p Predicate, err *refusal.Error) (Predicate, error) {
	if err != nil {
		return nil, err
	}
	return p, nil
}

type compiler struct {
	t      *schema.ResourceType
	within schema.Path // the attribute of the brackets, or the zero Path
	across bool
}

// fail says what is wrong with the test at a byte of the filter.
func fail(at int, format string, args ...any) *refusal.Error {
	return refusal.New(refusal.InvalidFilter, "The filter cannot be applied: %s, at byte %d.", fmt.Sprintf(format, args...), at)
}

func (c compiler) compile(n Node) (Predicate, *refusal.Error) {
	switch n := n.(type) {
	case And:
		terms, err := c.terms(n)
		return All(terms), err
	case Or:
		terms, err := c.terms(n)
		return Any(terms), err
	case Not:
		term, err := c.compile(n.Term)
		if err != nil {
			return nil, err
		}
		return Complement{term}, nil
	case Present:
		p, known, err := c.resolve(n.Name, n.At)
		if err != nil || !known {
			return Constant(false), err
		}
		return Presence{p}, nil
	case Compare:
		return c.compare(n)
	case ValuePath:
		return c.valuePath(n)
	}
	return nil, fail(0, "it is empty")
}

func (c compiler) terms(nodes []Node) ([]Predicate, *refusal.Error) {
	list := make([]Predicate, len(nodes))
	for i, n := range nodes {
		var err *refusal.Error
		if list[i], err = c.compile(n); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// resolve finds an attribute. It is not known where a search across types asks for what this one lacks.
func (c compiler) resolve(name string, at int) (schema.Path, bool, *refusal.Error) {
	if a := c.within.Attribute; a != nil {
		p := c.within
		if p.Sub = a.Sub(name); p.Sub == nil {
			return p, false, fail(at, "%s has no sub-attribute %s", c.within, tree.Excerpt(name))
		}
		return p, true, readable(p, at)
	}
	p, fault := c.t.Resolve(name)
	switch {
	case fault == schema.Malformed:
		return p, false, fail(at, "%s is no attribute", tree.Excerpt(name))
	case fault == schema.Unknown && c.across:
		return p, false, nil
	case fault == schema.Unknown:
		return p, false, fail(at, "a %s has no attribute %s", c.t.ID, tree.Excerpt(name))
	case p.Attribute == nil:
		return p, false, fail(at, "%s is a schema, not an attribute", tree.Excerpt(name))
	}
	return p, true, readable(p, at)
}

// readable refuses what a filter would betray although no answer ever shows it.
func readable(p schema.Path, at int) *refusal.Error {
	if p.Leaf().Returned == schema.Never || p.Attribute.Returned == schema.Never {
		return fail(at, "%s is never returned and cannot be asked for", p)
	}
	return nil
}

func (c compiler) compare(n Compare) (Predicate, *refusal.Error) {
	p, known, err := c.resolve(n.Name, n.At)
	if err != nil {
		return nil, err
	}
	if !known {
		return Constant(n.Op == Ne != (n.Value.Kind == Null)), nil
	}
	if n.Value.Kind == Null {
		switch n.Op {
		case Eq:
			return Complement{Presence{p}}, nil
		case Ne:
			return Presence{p}, nil
		}
		return nil, fail(n.At, "null can be compared by eq and ne only")
	}
	if p.Leaf().Type == schema.Complex { // its value stands for it
		if p.Sub = p.Attribute.Value(); p.Sub == nil {
			return nil, fail(n.At, "%s is complex; compare one of its sub-attributes", p)
		}
	}
	operand, err := operandOf(p, n)
	if err != nil {
		return nil, err
	}
	operand.Given = n.Value.Text
	return Comparison{p, n.Op, operand}, nil
}

func operandOf(p schema.Path, n Compare) (Operand, *refusal.Error) {
	a := p.Leaf()
	text := n.Value.Text
	order := n.Op == Gt || n.Op == Ge || n.Op == Lt || n.Op == Le
	part := n.Op == Co || n.Op == Sw || n.Op == Ew
	mismatch := func(want string) *refusal.Error {
		return fail(n.At, "%s is compared with %s, not with %s", p, want, tree.Excerpt(text))
	}
	switch a.Type {
	case schema.Boolean:
		if order || part {
			break
		}
		switch {
		case strings.EqualFold(text, "true"):
			return Operand{Text: "true", True: true}, nil
		case strings.EqualFold(text, "false"):
			return Operand{Text: "false"}, nil
		}
		return Operand{}, mismatch("true or false")
	case schema.Integer, schema.Decimal:
		if part {
			break
		}
		key, ok := NumberKey(text)
		if !ok {
			return Operand{}, mismatch("a number")
		}
		return Operand{Text: text, Key: key}, nil
	case schema.DateTime:
		if part {
			break
		}
		micros, ok := Instant(text)
		if !ok {
			return Operand{}, mismatch("a time such as 2026-01-31T12:00:00Z")
		}
		return Operand{Text: text, Micros: micros}, nil
	default:
		if a.Type == schema.Binary && order {
			break
		}
		if !a.CaseExact {
			text = Fold(text)
		}
		return Operand{Text: text}, nil
	}
	// RFC 7644, 3.4.2.2: gt, ge, lt and le of boolean and binary values are an invalidFilter.
	return Operand{}, fail(n.At, "%s is of type %s, which %s does not compare", p, a.Type, n.Op)
}

func (c compiler) valuePath(n ValuePath) (Predicate, *refusal.Error) {
	p, known, err := c.resolve(n.Name, n.At)
	switch {
	case err != nil:
		return nil, err
	case !known:
		return Constant(false), nil
	case p.Sub != nil || p.Attribute.Type != schema.Complex:
		return nil, fail(n.At, "%s has no sub-attributes to put in brackets", p)
	}
	inner := compiler{within: p}
	where, err := inner.compile(n.Filter)
	if err != nil {
		return nil, err
	}
	if n.Rest != nil {
		rest, err := inner.compile(n.Rest)
		if err != nil {
			return nil, err
		}
		if all, ok := where.(All); ok {
			where = append(all, rest)
		} else {
			where = All{where, rest}
		}
	}
	if !p.Attribute.MultiValued { // its one value is the element
		return All{Presence{p}, where}, nil
	}
	return Element{p, where}, nil
}
