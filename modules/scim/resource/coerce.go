package resource

import (
	"strings"

	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// MaxElements is how many values one multi-valued attribute may have. Members of groups are not bounded by it.
const MaxElements = 1000

// Coerce gives a value the type of the attribute that the path ends at: strings that say true or false become booleans, an
// array of one is unwrapped where one value is due, a plain value becomes the "value" of a complex attribute, and so on. What
// means nothing by RFC 7643, 2.5, or by what Entra sends to clear an attribute, becomes null: "", [], {}, {"value":""}.
// Sub-attributes that are unknown or readOnly are left out. Formats are not judged and values not changed. It answers with a
// [*refusal.Error] of type invalidValue.
func Coerce(p schema.Path, v tree.Value) (tree.Value, error) {
	out, err := coerce(p, v, false)
	if err != nil {
		return tree.Value{}, err
	}
	return out, nil
}

// CoerceParts is [Coerce] for a complex value of which only the parts that are named shall change: parts without a value
// stay in it as null, and a value of unknown parts is an empty object, which changes nothing.
func CoerceParts(p schema.Path, v tree.Value) (tree.Value, error) {
	p.Sub = nil
	out, err := coerceOne(p, v, true)
	if err != nil {
		return tree.Value{}, err
	}
	return out, nil
}

func wrong(p schema.Path, want string, v tree.Value) *refusal.Error {
	return refusal.New(refusal.InvalidValue, "%s must be %s, not %s.", p, want, v.Kind())
}

func coerce(p schema.Path, v tree.Value, parts bool) (tree.Value, *refusal.Error) {
	if !p.Leaf().MultiValued {
		return coerceOne(p, v, parts)
	}
	if v.Kind() != tree.List {
		one, err := coerceOne(p, v, false)
		if err != nil || one.Kind() == tree.Null {
			return tree.Value{}, err
		}
		return tree.Items(one), nil
	}
	if len(v.Items()) > MaxElements && !p.Unbounded() {
		return tree.Value{}, refusal.New(refusal.InvalidValue, "%s has more than %d values.", p, MaxElements)
	}
	items := make([]tree.Value, 0, len(v.Items()))
	primaries := 0
	for _, item := range v.Items() {
		if item.Kind() == tree.List {
			return tree.Value{}, wrong(p, "one array of values", item)
		}
		one, err := coerceOne(p, item, false)
		if err != nil {
			return tree.Value{}, err
		}
		if one.Kind() == tree.Null {
			continue
		}
		if Primary(one) {
			primaries++
		}
		items = append(items, one)
	}
	switch {
	case primaries > 1: // RFC 7643, 2.4
		return tree.Value{}, refusal.New(refusal.InvalidValue, "%s has %d primary values; at most one may be.", p, primaries)
	case len(items) == 0:
		return tree.Value{}, nil
	}
	return tree.Items(items...), nil
}

// Primary reports whether an element is marked as the preferred one.
func Primary(element tree.Value) bool {
	if element.Kind() != tree.Complex {
		return false
	}
	v, _ := element.Object().Get("primary")
	return v.True()
}

// coerceOne makes one value: of a single-valued attribute, or an element of a multi-valued one.
func coerceOne(p schema.Path, v tree.Value, parts bool) (tree.Value, *refusal.Error) {
	a := p.Leaf()
	if v.Kind() == tree.List {
		switch len(v.Items()) {
		case 0:
			return tree.Value{}, nil
		case 1:
			v = v.Items()[0]
		default:
			return tree.Value{}, refusal.New(refusal.InvalidValue, "%s has one value, not %d.", p, len(v.Items()))
		}
	}
	switch {
	case v.Kind() == tree.Null, v.Kind() == tree.String && v.Text() == "":
		return tree.Value{}, nil
	case a.Type == schema.Complex:
		return coerceComplex(p, v, parts)
	}
	if v.Kind() == tree.Complex { // {"value": x} for x
		if v.Object().Len() == 0 {
			return tree.Value{}, nil
		}
		inner, ok := v.Object().Find("value")
		if !ok || inner.Kind() == tree.Complex || inner.Kind() == tree.List {
			return tree.Value{}, wrong(p, wanted(a.Type), v)
		}
		if v = inner; v.Kind() == tree.Null || v.Kind() == tree.String && v.Text() == "" {
			return tree.Value{}, nil
		}
	}
	return coerceScalar(p, v)
}

func wanted(t schema.Type) string {
	switch t {
	case schema.Boolean:
		return "true or false"
	case schema.Integer:
		return "a whole number"
	case schema.Decimal:
		return "a number"
	}
	return "a string"
}

// coerceScalar makes a boolean, a number or a string of one that is not empty.
func coerceScalar(p schema.Path, v tree.Value) (tree.Value, *refusal.Error) {
	a := p.Leaf()
	text := v.Text()
	switch a.Type {
	case schema.Boolean:
		switch {
		case v.Kind() == tree.Bool:
			return v, nil
		case v.Kind() == tree.String && strings.EqualFold(text, "true"):
			return tree.Boolean(true), nil
		case v.Kind() == tree.String && strings.EqualFold(text, "false"):
			return tree.Boolean(false), nil
		}
	case schema.Integer:
		digits := strings.TrimPrefix(text, "-")
		if v.Kind() != tree.Bool && digits != "" && strings.Trim(digits, "0123456789") == "" {
			if digits = strings.TrimLeft(digits, "0"); digits == "" {
				return tree.Literal("0"), nil
			}
			if text[0] == '-' {
				digits = "-" + digits
			}
			return tree.Literal(digits), nil
		}
	case schema.Decimal:
		if n, ok := tree.ScanNumber(text); v.Kind() != tree.Bool && ok && n == len(text) {
			return tree.Literal(text), nil
		}
	default:
		return tree.Text(text), nil
	}
	if v.Kind() == tree.String {
		return tree.Value{}, refusal.New(refusal.InvalidValue, "%s must be %s, not another text.", p, wanted(a.Type))
	}
	return tree.Value{}, wrong(p, wanted(a.Type), v)
}

// coerceComplex makes an object with the canonical names of the sub-attributes.
func coerceComplex(p schema.Path, v tree.Value, parts bool) (tree.Value, *refusal.Error) {
	a := p.Attribute
	value := a.Value()
	if v.Kind() != tree.Complex {
		if value == nil {
			return tree.Value{}, wrong(p, "an object", v)
		}
		p.Sub = value
		one, err := coerceScalar(p, v)
		if err != nil {
			return tree.Value{}, err
		}
		return tree.Of(tree.NewObject(tree.Member{Name: value.Name, Value: one})), nil
	}
	given := v.Object().Members()
	members := make([]tree.Member, 0, len(given))
	emptied, kept, valued := false, false, false
	for _, m := range given {
		sub := a.Sub(m.Name)
		if sub == nil || sub.Mutability == schema.ReadOnly {
			continue
		}
		valued = valued || sub == value
		p.Sub = sub
		one, err := coerce(p, m.Value, false)
		if err != nil {
			return tree.Value{}, err
		}
		if one.Kind() == tree.Null {
			if sub == value && !a.MultiValued { // the value is what it is about: nothing is left without it
				return tree.Value{}, nil
			}
			if emptied = true; parts {
				members = append(members, tree.Member{Name: sub.Name})
			}
			continue
		}
		kept = kept || !Label(sub)
		members = append(members, tree.Member{Name: sub.Name, Value: one})
	}
	if p.Unbounded() && !valued && len(given) > 0 { // a member that is left out would be a loss that nobody notices
		return tree.Value{}, refusal.New(refusal.InvalidValue, "A member has no value, which is its id.")
	}
	switch {
	case len(members) == 0 && (len(given) == 0 || !parts):
		return tree.Value{}, nil
	case parts:
		return tree.Of(tree.NewObject(members...)), nil
	case emptied && !kept: // {"type":"work","value":null}
		return tree.Value{}, nil
	}
	for _, sub := range a.SubAttributes {
		if sub.Required && !has(members, sub.Name) {
			p.Sub = sub
			return tree.Value{}, refusal.New(refusal.InvalidValue, "%s is required.", p)
		}
	}
	return tree.Of(tree.NewObject(members...)), nil
}

func has(members []tree.Member, name string) bool {
	for i := range members {
		if members[i].Name == name {
			return true
		}
	}
	return false
}

// Label reports whether a sub-attribute only says what an element is for. An element of labels alone is none.
func Label(sub *schema.Attribute) bool {
	return sub.Name == "type" || sub.Name == "primary"
}
