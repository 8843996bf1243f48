package filter

import (
	"strings"

	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// Match implements [Predicate].
func (p All) Match(resource *tree.Object) bool {
	for _, term := range p {
		if !term.Match(resource) {
			return false
		}
	}
	return true
}

// MatchElement implements [Predicate].
func (p All) MatchElement(element tree.Value) bool {
	for _, term := range p {
		if !term.MatchElement(element) {
			return false
		}
	}
	return true
}

// Match implements [Predicate].
func (p Any) Match(resource *tree.Object) bool {
	for _, term := range p {
		if term.Match(resource) {
			return true
		}
	}
	return false
}

// MatchElement implements [Predicate].
func (p Any) MatchElement(element tree.Value) bool {
	for _, term := range p {
		if term.MatchElement(element) {
			return true
		}
	}
	return false
}

// Match implements [Predicate].
func (p Complement) Match(resource *tree.Object) bool { return !p.Term.Match(resource) }

// MatchElement implements [Predicate].
func (p Complement) MatchElement(element tree.Value) bool { return !p.Term.MatchElement(element) }

// Match implements [Predicate].
func (p Constant) Match(*tree.Object) bool { return bool(p) }

// MatchElement implements [Predicate].
func (p Constant) MatchElement(tree.Value) bool { return bool(p) }

// Match implements [Predicate].
func (p Element) Match(resource *tree.Object) bool {
	for _, element := range find(resource, p.Path).Items() {
		if p.Where.MatchElement(element) {
			return true
		}
	}
	return false
}

// MatchElement implements [Predicate]. Elements have no elements.
func (p Element) MatchElement(tree.Value) bool { return false }

// Match implements [Predicate].
func (p Presence) Match(resource *tree.Object) bool {
	v := find(resource, p.Path)
	if p.Path.Sub == nil {
		return present(v)
	}
	if !p.Path.Attribute.MultiValued {
		return p.MatchElement(v)
	}
	for _, element := range v.Items() {
		if p.MatchElement(element) {
			return true
		}
	}
	return false
}

// MatchElement implements [Predicate].
func (p Presence) MatchElement(element tree.Value) bool {
	v, _ := element.Object().Get(p.Path.Sub.Name)
	return present(v)
}

// Match implements [Predicate].
func (p Comparison) Match(resource *tree.Object) bool {
	v := find(resource, p.Path)
	if p.Path.Sub == nil || !p.Path.Attribute.MultiValued {
		if p.Path.Sub != nil {
			v, _ = v.Object().Get(p.Path.Sub.Name)
		}
		return p.any(v)
	}
	if len(v.Items()) == 0 {
		return p.Op == Ne
	}
	for _, element := range v.Items() {
		if p.MatchElement(element) {
			return true
		}
	}
	return false
}

// MatchElement implements [Predicate].
func (p Comparison) MatchElement(element tree.Value) bool {
	v, _ := element.Object().Get(p.Path.Sub.Name)
	return p.any(v)
}

// any compares a value, or each of the values of a multi-valued attribute.
func (p Comparison) any(v tree.Value) bool {
	if v.Kind() != tree.List {
		return p.holds(v)
	}
	if len(v.Items()) == 0 {
		return p.Op == Ne
	}
	for _, item := range v.Items() {
		if p.holds(item) {
			return true
		}
	}
	return false
}

// holds compares one scalar. A value that is not of the attribute's type, which only a dateTime can be, is none.
func (p Comparison) holds(v tree.Value) bool {
	var order int
	switch a := p.Path.Leaf(); {
	case v.Kind() == tree.Null || v.Kind() == tree.Complex || v.Kind() == tree.List:
		return p.Op == Ne
	case a.Type == schema.Boolean:
		return v.True() == p.Operand.True == (p.Op == Eq)
	case a.Type == schema.DateTime:
		micros, ok := Instant(v.Text())
		if !ok {
			return p.Op == Ne
		}
		order = compare(micros, p.Operand.Micros)
	case a.Type == schema.Integer || a.Type == schema.Decimal:
		key, ok := NumberKey(v.Text())
		if !ok {
			return p.Op == Ne
		}
		order = strings.Compare(key, p.Operand.Key)
	default:
		text := v.Text()
		if !a.CaseExact {
			text = Fold(text)
		}
		switch p.Op {
		case Co:
			return strings.Contains(text, p.Operand.Text)
		case Sw:
			return strings.HasPrefix(text, p.Operand.Text)
		case Ew:
			return strings.HasSuffix(text, p.Operand.Text)
		}
		order = strings.Compare(text, p.Operand.Text)
	}
	switch p.Op {
	case Eq:
		return order == 0
	case Ne:
		return order != 0
	case Gt:
		return order > 0
	case Ge:
		return order >= 0
	case Lt:
		return order < 0
	case Le:
		return order <= 0
	}
	return false
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// find is the value of the attribute of a path, without its sub-attribute.
func find(resource *tree.Object, p schema.Path) tree.Value {
	if p.Extension != nil {
		v, _ := resource.Get(p.Extension.ID)
		resource = v.Object()
	}
	v, _ := resource.Get(p.Attribute.Name)
	return v
}

// present reports whether a value counts as one (RFC 7644, table 3: pr).
func present(v tree.Value) bool {
	switch v.Kind() {
	case tree.String:
		return v.Text() != ""
	case tree.List:
		for _, item := range v.Items() {
			if present(item) {
				return true
			}
		}
		return false
	case tree.Complex:
		for _, m := range v.Object().Members() {
			if present(m.Value) {
				return true
			}
		}
		return false
	}
	return v.Kind() != tree.Null
}
