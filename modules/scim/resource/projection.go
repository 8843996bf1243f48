package resource

import (
	"github.com/badge-engine/badge-engine/modules/scim/filter"
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// Projection decides which attributes an answer has (RFC 7644, 3.9). A nil Projection is the default set.
type Projection struct {
	only  bool // the picks are all there is; else they are taken away
	picks []pick
}

// pick is one name of the parameters: an extension, an attribute, a sub-attribute, or those elements that match.
type pick struct {
	path  schema.Path
	where filter.Predicate
}

// ParseProjection reads the parameters attributes and excludedAttributes. Given both, attributes wins. Names that the type does
// not have are ignored; what is no name is refused with invalidValue.
func ParseProjection(t *schema.ResourceType, attributes, excluded []string) (*Projection, error) {
	names, parameter := attributes, "attributes"
	if len(names) == 0 {
		names, parameter = excluded, "excludedAttributes"
	}
	if len(names) == 0 {
		return nil, nil
	}
	p := &Projection{only: len(attributes) > 0}
	for _, name := range names {
		if len(p.picks) == MaxElements {
			return nil, refusal.New(refusal.InvalidValue, "%s has more than %d names.", parameter, MaxElements)
		}
		read, err := filter.ParsePath(name, filter.DefaultLimits)
		if err != nil {
			e, _ := refusal.From(err)
			return nil, refusal.New(refusal.InvalidValue, "%s: %s", parameter, e.Detail)
		}
		path, fault := t.Resolve(read.Name)
		if fault == schema.Malformed {
			return nil, refusal.New(refusal.InvalidValue, "%s: %s is no attribute.", parameter, tree.Excerpt(name))
		}
		if fault == schema.Unknown {
			continue
		}
		one := pick{path: path}
		if read.Filter != nil {
			if path.Attribute == nil || path.Sub != nil {
				return nil, refusal.New(refusal.InvalidValue, "%s: %s has no elements to choose among.", parameter, path)
			}
			if one.where, err = filter.CompileElement(read.Filter, path); err != nil {
				return nil, err
			}
			if read.Sub != "" {
				if one.path.Sub = path.Attribute.Sub(read.Sub); one.path.Sub == nil {
					continue
				}
			}
		}
		p.picks = append(p.picks, one)
	}
	return p, nil
}

// SplitNames takes a comma-separated list of a query apart. A comma inside of brackets or quotes separates nothing.
func SplitNames(list string) []string {
	var names []string
	add := func(s string) {
		for len(s) > 0 && s[0] == ' ' {
			s = s[1:]
		}
		for len(s) > 0 && s[len(s)-1] == ' ' {
			s = s[:len(s)-1]
		}
		if s != "" {
			names = append(names, s)
		}
	}
	from, depth, quoted := 0, 0, false
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			depth++
		case c == ']' && depth > 0:
			depth--
		case c == ',' && depth == 0:
			add(list[from:i])
			from = i + 1
		}
	}
	add(list[from:])
	return names
}

// Wants reports whether any part of a core attribute, by its canonical name, can be in the answer. The store asks it for
// "members" and "groups" before it loads them.
func (p *Projection) Wants(name string) bool {
	if p == nil {
		return true
	}
	for _, one := range p.picks {
		if a := one.path.Attribute; one.path.Extension == nil && a != nil && a.Name == name {
			if p.only || one.path.Sub == nil && one.where == nil {
				return p.only
			}
		}
	}
	return !p.only
}

// Apply is the resource as it is answered: "schemas" first, "meta" last, and of the rest what the projection leaves.
func (p *Projection) Apply(r *Resource) *tree.Object {
	members := make([]tree.Member, 0, r.Attributes.Len()+1)
	schemas := r.Schemas()
	urns := make([]tree.Value, len(schemas))
	for i, urn := range schemas {
		urns[i] = tree.Text(urn)
	}
	members = append(members, tree.Member{Name: "schemas", Value: tree.Items(urns...)})
	var meta tree.Value
	for _, m := range r.Attributes.Members() {
		v := m.Value
		if e := r.extension(m.Name); e != nil {
			v = p.extension(e, v)
		} else if a := r.Type.Attribute(m.Name); a != nil && a.Name != "schemas" {
			v = p.attribute(schema.Path{Attribute: a}, v)
			if a.Name == "meta" {
				meta = v
				continue
			}
		} else {
			continue
		}
		if !v.Empty() {
			members = append(members, tree.Member{Name: m.Name, Value: v})
		}
	}
	if !meta.Empty() {
		members = append(members, tree.Member{Name: "meta", Value: meta})
	}
	return tree.NewObject(members...)
}

// extension finds an extension by its exact URN: the attributes of a resource have canonical names.
func (r *Resource) extension(urn string) *schema.Schema {
	for i := range r.Type.Extensions {
		if s := r.Type.Extensions[i].Schema; s.ID == urn {
			return s
		}
	}
	return nil
}

// extension is what is left of an extension.
func (p *Projection) extension(e *schema.Schema, v tree.Value) tree.Value {
	if p.whole(e) {
		if p.only {
			p = nil
		} else {
			return tree.Value{}
		}
	}
	members := make([]tree.Member, 0, v.Object().Len())
	for _, m := range v.Object().Members() {
		if a := e.Attribute(m.Name); a != nil {
			if kept := p.attribute(schema.Path{Extension: e, Attribute: a}, m.Value); !kept.Empty() {
				members = append(members, tree.Member{Name: m.Name, Value: kept})
			}
		}
	}
	return tree.Of(tree.NewObject(members...))
}

// whole reports whether an extension is picked by its URN.
func (p *Projection) whole(e *schema.Schema) bool {
	if p == nil {
		return false
	}
	for _, one := range p.picks {
		if one.path.Extension == e && one.path.Attribute == nil {
			return true
		}
	}
	return false
}

// attribute is what is left of an attribute: the value, a part of it, or null.
func (p *Projection) attribute(at schema.Path, v tree.Value) tree.Value {
	switch at.Attribute.Returned {
	case schema.Never:
		return tree.Value{}
	case schema.Always:
		return v
	}
	picked, parts := false, false
	if p != nil {
		for _, one := range p.picks {
			if one.path.Extension != at.Extension || one.path.Attribute != at.Attribute {
				continue
			}
			if one.path.Sub == nil && one.where == nil {
				if !p.only {
					return tree.Value{}
				}
				picked, parts = true, false
				break
			}
			parts = true
		}
	}
	switch {
	case p != nil && p.only && !picked && !parts:
		return tree.Value{}
	case at.Attribute.Returned == schema.OnRequest && !picked && !(parts && p.only):
		return tree.Value{}
	case parts:
		return p.parts(at, v)
	case !at.Attribute.Selective():
		return v
	}
	return prune(v, func(sub *schema.Attribute, _ tree.Value) bool {
		return sub.Returned == schema.Default || sub.Returned == schema.Always
	}, at.Attribute)
}

// parts keeps or drops single sub-attributes and elements.
func (p *Projection) parts(at schema.Path, v tree.Value) tree.Value {
	return prune(v, func(sub *schema.Attribute, element tree.Value) bool {
		switch sub.Returned {
		case schema.Never:
			return false
		case schema.Always:
			return true
		}
		named := false
		for _, one := range p.picks {
			if one.path.Extension == at.Extension && one.path.Attribute == at.Attribute &&
				(one.path.Sub == nil || one.path.Sub == sub) && (one.where == nil || one.where.MatchElement(element)) {
				named = true
				break
			}
		}
		if p.only {
			return named
		}
		return !named && sub.Returned != schema.OnRequest
	}, at.Attribute)
}

// prune drops sub-attributes of an object, or of each element of an array, and then what is empty.
func prune(v tree.Value, keep func(sub *schema.Attribute, element tree.Value) bool, a *schema.Attribute) tree.Value {
	switch v.Kind() {
	case tree.List:
		items := make([]tree.Value, 0, len(v.Items()))
		for _, item := range v.Items() {
			if item = prune(item, keep, a); !item.Empty() {
				items = append(items, item)
			}
		}
		return tree.Items(items...)
	case tree.Complex:
		members := make([]tree.Member, 0, v.Object().Len())
		for _, m := range v.Object().Members() {
			if sub := a.Sub(m.Name); sub == nil || keep(sub, v) {
				members = append(members, m)
			}
		}
		return tree.Of(tree.NewObject(members...))
	}
	return v
}
