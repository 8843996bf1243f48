package resource

import (
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// Resource is the attributes of one resource. Extensions are objects under their URN. What is not set is not there: there are
// no nulls, no empty arrays, no empty objects. "schemas" is no attribute of it; answers compute it from what is set.
type Resource struct {
	Type       *schema.ResourceType
	Attributes *tree.Object
}

// New is a resource without attributes.
func New(t *schema.ResourceType) *Resource {
	return &Resource{Type: t, Attributes: &tree.Object{}}
}

// Load reads what [Resource.Append] wrote. The text is trusted to be of this form.
func Load(t *schema.ResourceType, text string) (*Resource, error) {
	o, err := tree.ParseObject(text)
	if err != nil {
		return nil, err
	}
	return &Resource{Type: t, Attributes: o}, nil
}

// Append writes the attributes as JSON, for the store.
func (r *Resource) Append(b []byte) []byte { return r.Attributes.Append(b) }

// Get is the value of an attribute of the core schema, or a common one, by its canonical name; null when it is not set.
func (r *Resource) Get(name string) tree.Value {
	v, _ := r.Attributes.Get(name)
	return v
}

// Set gives an attribute of the core schema, or a common one, a value by its canonical name. null takes it away. The value
// must be of the attribute's type: this is for what the server knows, such as id, meta and groups.
func (r *Resource) Set(name string, v tree.Value) {
	if v.Empty() {
		r.Attributes.Delete(name)
		return
	}
	r.Attributes.Set(name, v)
}

// Value is what a path leads to; null when nothing is there, and for a sub-attribute of a multi-valued attribute, which has
// no one value.
func (r *Resource) Value(p schema.Path) tree.Value {
	o := r.Attributes
	if p.Extension != nil {
		v, _ := o.Get(p.Extension.ID)
		if p.Attribute == nil {
			return v
		}
		o = v.Object()
	}
	v, _ := o.Get(p.Attribute.Name)
	if p.Sub == nil {
		return v
	}
	v, _ = v.Object().Get(p.Sub.Name)
	return v
}

// Schemas are the URNs of the core schema and of each extension that has an attribute (RFC 7643, 3: "schemas").
func (r *Resource) Schemas() []string {
	list := []string{r.Type.Schema.ID}
	for _, e := range r.Type.Extensions {
		if v, ok := r.Attributes.Get(e.Schema.ID); ok && !v.Empty() {
			list = append(list, e.Schema.ID)
		}
	}
	return list
}

// Member is a member of a group as a client names it. Only Value is certain to be there.
type Member struct {
	Value   string
	Type    string // "User" or "Group" when the client said so
	Ref     string
	Display string
}

// Members takes the members out of an array of them, each value once, in order.
func Members(v tree.Value) []Member {
	list := make([]Member, 0, len(v.Items()))
	seen := make(map[string]bool, len(v.Items()))
	for _, item := range v.Items() {
		m := Member{}
		for _, part := range item.Object().Members() {
			switch part.Name {
			case "value":
				m.Value = part.Value.Text()
			case "type":
				m.Type = part.Value.Text()
			case "$ref":
				m.Ref = part.Value.Text()
			case "display":
				m.Display = part.Value.Text()
			}
		}
		if m.Value != "" && !seen[m.Value] {
			seen[m.Value] = true
			list = append(list, m)
		}
	}
	return list
}
