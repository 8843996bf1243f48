package resource

import (
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// Decode reads the body of a POST or PUT (RFC 7644, 3.3 and 3.5.1). Unknown members, unknown schemas and readOnly attributes
// are ignored; values are coerced by type; empties are not set. It answers with a [*refusal.Error]: invalidSyntax for what is
// no resource, invalidValue for a value of the wrong type, a missing required attribute, or two primary values. The members
// of a group stay an attribute; see [Members].
func Decode(t *schema.ResourceType, body string) (*Resource, error) {
	o, err := tree.ParseObject(body)
	if err != nil {
		return nil, err
	}
	return FromObject(t, o)
}

// FromObject is [Decode] for a body that is read already, as the data of a bulk operation is.
func FromObject(t *schema.ResourceType, o *tree.Object) (*Resource, error) {
	members := make([]tree.Member, 0, o.Len()+1) // the id will follow
	for _, m := range o.Members() {
		if e := t.Extension(m.Name); e != nil {
			part, err := decodeExtension(e, m.Value)
			if err != nil {
				return nil, err
			}
			if !part.Empty() {
				members = append(members, tree.Member{Name: e.ID, Value: part})
			}
			continue
		}
		a := t.Attribute(m.Name)
		if a == nil || a.Mutability == schema.ReadOnly || a.Name == "schemas" {
			continue
		}
		v, err := coerce(schema.Path{Attribute: a}, m.Value, false)
		if err != nil {
			return nil, err
		}
		if v.Kind() != tree.Null {
			members = append(members, tree.Member{Name: a.Name, Value: v})
		}
	}
	r := &Resource{Type: t, Attributes: tree.NewObject(members...)}
	if err := r.complete(); err != nil {
		return nil, err
	}
	return r, nil
}

func decodeExtension(e *schema.Schema, v tree.Value) (tree.Value, *refusal.Error) {
	switch v.Kind() {
	case tree.Null:
		return v, nil
	case tree.Complex:
	default:
		return tree.Value{}, refusal.New(refusal.InvalidValue, "%s must be an object, not %s.", e.ID, v.Kind())
	}
	members := make([]tree.Member, 0, v.Object().Len())
	for _, m := range v.Object().Members() {
		a := e.Attribute(m.Name)
		if a == nil || a.Mutability == schema.ReadOnly {
			continue
		}
		one, err := coerce(schema.Path{Extension: e, Attribute: a}, m.Value, false)
		if err != nil {
			return tree.Value{}, err
		}
		if one.Kind() != tree.Null {
			members = append(members, tree.Member{Name: a.Name, Value: one})
		}
	}
	return tree.Of(tree.NewObject(members...)), nil
}

// complete refuses a resource that lacks what its schemas require.
func (r *Resource) complete() *refusal.Error {
	for _, p := range r.Type.Required() {
		if r.Value(p).Kind() == tree.Null {
			return refusal.New(refusal.InvalidValue, "%s is required.", p)
		}
	}
	return nil
}

// CheckReplace prepares a PUT (RFC 7644, 3.5.1). It refuses, with type mutability, one that changes an immutable attribute
// which has a value already; one that leaves it out keeps it. Members of groups are not looked at: a member is replaced as
// a whole.
func CheckReplace(old, next *Resource) error {
	for _, p := range next.Type.Immutable() {
		before := old.Value(p)
		if before.Kind() == tree.Null {
			continue
		}
		switch after := next.Value(p); {
		case after.Kind() == tree.Null:
			next.put(p, before)
		case !after.Equal(before):
			return refusal.New(refusal.Mutability, "%s is immutable and has a value already.", p)
		}
	}
	return nil
}

// put sets what a path leads to, in an extension or an attribute that need not be there yet.
func (r *Resource) put(p schema.Path, v tree.Value) {
	into := func(o *tree.Object, name string, v tree.Value) tree.Value {
		c := o.Clone()
		c.Set(name, v)
		return tree.Of(c)
	}
	o := r.Attributes
	if p.Extension != nil {
		held, _ := o.Get(p.Extension.ID)
		o = held.Object()
	}
	if p.Sub != nil {
		held, _ := o.Get(p.Attribute.Name)
		v = into(held.Object(), p.Sub.Name, v)
	}
	if p.Extension != nil {
		r.Attributes.Set(p.Extension.ID, into(o, p.Attribute.Name, v))
		return
	}
	r.Attributes.Set(p.Attribute.Name, v)
}
