package patch

import (
	"slices"
	"strings"

	"github.com/badge-engine/badge-engine/modules/scim/filter"
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/resource"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// Apply does the changes to a resource and gives the result, which shares what did not change, and whether there is any
// difference; if not, nothing may be written and the version stays. The resource itself is never altered. Members are not
// applied here. It answers with a [*refusal.Error]: noTarget for a filter that matches nothing and cannot be made to,
// mutability for an immutable attribute that has a value, invalidValue for two primary values or too many, 413 for more
// work than anybody needs.
func (p *Patch) Apply(r *resource.Resource) (*resource.Resource, bool, error) {
	if len(p.changes) == 0 {
		return r, false, nil
	}
	next := &resource.Resource{Type: r.Type, Attributes: r.Attributes.Clone()}
	touched := false
	work := 0
	for i := range p.changes {
		if work += p.changes[i].work(next); work > maxWork {
			return nil, false, refusal.Status(413, "The message compares too many elements with too many conditions. Send fewer operations at once.").At(p.changes[i].at.String())
		}
		did, err := p.changes[i].apply(next.Attributes)
		if err != nil {
			return nil, false, err.At(p.changes[i].at.String())
		}
		touched = touched || did
	}
	// What was taken away and given again is no difference.
	if !touched || tree.Of(next.Attributes).Equal(tree.Of(r.Attributes)) {
		return r, false, nil
	}
	return next, true, nil
}

// maxWork is how often a message may compare one element with one condition. A thousand operations on a hundred elements
// stay below it; more would be felt by other callers.
const maxWork = 500_000

// work is how many comparisons a change makes.
func (c *change) work(r *resource.Resource) int {
	if c.path.Attribute == nil || !c.path.Attribute.MultiValued {
		return 0
	}
	n := len(r.Value(schema.Path{Extension: c.path.Extension, Attribute: c.path.Attribute}).Items())
	if c.op == Remove {
		return n * (c.terms + len(c.value.Items()))
	}
	return n * c.terms
}

// apply does one change to the attributes of a resource, which nobody else holds; values below them are shared.
func (c *change) apply(attributes *tree.Object) (bool, *refusal.Error) {
	if c.path.Extension == nil {
		return c.change(attributes)
	}
	urn := c.path.Extension.ID
	held, there := attributes.Get(urn)
	if c.path.Attribute == nil { // remove the extension
		for _, m := range held.Object().Members() {
			if a := c.path.Extension.Attribute(m.Name); a != nil && a.Mutability == schema.Immutable {
				return false, immutable(schema.Path{Extension: c.path.Extension, Attribute: a})
			}
		}
		return attributes.Delete(urn), nil
	}
	part := held.Object().Clone()
	did, err := c.change(part)
	if err != nil || !did {
		return false, err
	}
	if part.Len() > 0 {
		attributes.Set(urn, tree.Of(part))
	} else if there {
		attributes.Delete(urn)
	}
	return true, nil
}

func immutable(p schema.Path) *refusal.Error {
	return refusal.New(refusal.Mutability, "%s is immutable and has a value already.", p)
}

// assign sets or, with null, deletes a member and reports whether that made a difference.
func assign(o *tree.Object, name string, v tree.Value) bool {
	before, there := o.Get(name)
	if v.Empty() {
		return there && o.Delete(name)
	}
	if there && before.Equal(v) {
		return false
	}
	o.Set(name, v)
	return true
}

// change does the change to the object that holds the attribute.
func (c *change) change(o *tree.Object) (bool, *refusal.Error) {
	a := c.path.Attribute
	before, there := o.Get(a.Name)
	if there && a.Mutability == schema.Immutable && (c.op == Remove || c.where != nil || c.path.Sub != nil || !before.Equal(c.value)) {
		return false, immutable(schema.Path{Extension: c.path.Extension, Attribute: a})
	}
	switch {
	case a.MultiValued:
		return c.many(o, before)
	case c.where != nil && !c.where.MatchElement(before):
		if c.op == Remove || c.value.Kind() == tree.Null {
			return false, nil
		}
		if there || c.stamp == nil {
			return false, c.noTarget()
		}
		before = tree.Of(tree.NewObject(c.stamp...))
		fallthrough
	case a.Type == schema.Complex && (c.path.Sub != nil || c.value.Kind() == tree.Complex):
		after, err := c.merge(before, there)
		if err != nil {
			return false, err
		}
		return assign(o, a.Name, after), nil
	case c.op == Remove:
		return o.Delete(a.Name), nil
	}
	return assign(o, a.Name, c.value), nil
}

func (c *change) noTarget() *refusal.Error {
	return refusal.New(refusal.NoTarget, "No element of %s matches the filter, and none can be made that would.", schema.Path{Extension: c.path.Extension, Attribute: c.path.Attribute})
}

// merge sets the parts of one complex value: the sub-attribute of the path, or those in the value. What is left of it is
// null if that is nothing.
func (c *change) merge(before tree.Value, there bool) (tree.Value, *refusal.Error) {
	o := before.Object().Clone()
	set := func(sub *schema.Attribute, v tree.Value) *refusal.Error {
		old, had := o.Get(sub.Name)
		if had && there && sub.Mutability == schema.Immutable && !old.Equal(v) {
			return immutable(schema.Path{Extension: c.path.Extension, Attribute: c.path.Attribute, Sub: sub})
		}
		if sub.Name == "value" && had && !old.Equal(v) {
			o.Delete("$ref") // it was the address of another value
		}
		assign(o, sub.Name, v)
		return nil
	}
	if c.path.Sub != nil {
		v := c.value
		if c.op == Remove {
			v = tree.Value{}
		}
		if err := set(c.path.Sub, v); err != nil {
			return tree.Value{}, err
		}
		if v.Kind() == tree.Null && (onlyLabels(c.path.Attribute, o) || c.path.Sub.Name == "value" && !c.path.Attribute.MultiValued) {
			return tree.Value{}, nil
		}
		return tree.Of(o), nil
	}
	// The value comes first: a $ref in the same operation is the address of it.
	cleared := false
	for pass := range 2 {
		for _, m := range c.value.Object().Members() {
			if (m.Name == "value") != (pass == 0) {
				continue
			}
			cleared = cleared || m.Value.Kind() == tree.Null
			if err := set(c.path.Attribute.Sub(m.Name), m.Value); err != nil {
				return tree.Value{}, err
			}
		}
	}
	if cleared && onlyLabels(c.path.Attribute, o) {
		return tree.Value{}, nil
	}
	return tree.Of(o), nil
}

// onlyLabels reports whether nothing is left of an element but what it is for.
func onlyLabels(a *schema.Attribute, o *tree.Object) bool {
	for _, m := range o.Members() {
		if !resource.Label(a.Sub(m.Name)) {
			return false
		}
	}
	return true
}

// many changes a multi-valued attribute.
func (c *change) many(o *tree.Object, before tree.Value) (bool, *refusal.Error) {
	var after []tree.Value
	var err *refusal.Error
	primary := -1 // the element that becomes the primary one
	items := before.Items()
	switch {
	case c.where == nil && c.path.Sub == nil && c.op == Replace:
		return assign(o, c.path.Attribute.Name, c.value), nil
	case c.where == nil && c.path.Sub == nil && c.op == Add:
		after, primary = c.union(items)
	case c.op == Remove:
		after = c.without(items)
	default:
		after, primary, err = c.elements(items)
	}
	if err != nil {
		return false, err
	}
	if len(after) > resource.MaxElements {
		return false, refusal.New(refusal.InvalidValue, "%s would have more than %d values.", schema.Path{Extension: c.path.Extension, Attribute: c.path.Attribute}, resource.MaxElements)
	}
	if primary >= 0 {
		// RFC 7644, 3.5.2: one that becomes primary takes it from the others.
		for i := range after {
			if i != primary && resource.Primary(after[i]) {
				other := after[i].Object().Clone()
				other.Set("primary", tree.Boolean(false))
				after[i] = tree.Of(other)
			}
		}
	}
	return assign(o, c.path.Attribute.Name, tree.Items(after...)), nil
}

// union appends the elements that are not there. One whose value and type are there already is the same element, whose
// other parts are set.
func (c *change) union(items []tree.Value) (after []tree.Value, primary int) {
	after = make([]tree.Value, len(items), len(items)+len(c.value.Items()))
	copy(after, items)
	primary = -1
	places := make(map[identity]int, len(items))
	for i, item := range items {
		if id := identify(item); places[id] == 0 {
			places[id] = i + 1
		}
	}
	for _, item := range c.value.Items() {
		id := identify(item)
		at := places[id] - 1
		if at < 0 {
			at = len(after)
			after = append(after, item)
			places[id] = at + 1
		} else if item.Kind() == tree.Complex {
			merged := after[at].Object().Clone()
			for _, m := range item.Object().Members() {
				assign(merged, m.Name, m.Value)
			}
			after[at] = tree.Of(merged)
		}
		if resource.Primary(item) {
			primary = at
		}
	}
	return after, primary
}

// identity is what makes two elements the same: value and type, or without a value everything.
type identity struct{ value, kind, all string }

func identify(item tree.Value) identity {
	value, ok := item.Object().Get("value")
	if ok {
		kind, _ := item.Object().Get("type")
		return identity{value: value.Text(), kind: kind.Text()}
	}
	if item.Kind() == tree.Complex {
		members := slices.Clone(item.Object().Members())
		slices.SortFunc(members, func(a, b tree.Member) int { return strings.Compare(a.Name, b.Name) })
		item = tree.Of(tree.NewObject(members...))
	}
	return identity{all: string(item.Append(nil))}
}

// without is the elements that a remove leaves, each without what it takes.
func (c *change) without(items []tree.Value) []tree.Value {
	after := make([]tree.Value, 0, len(items))
	for _, item := range items {
		switch {
		case c.where != nil && !c.where.MatchElement(item):
			after = append(after, item)
		case c.path.Sub == nil:
			if c.value.Kind() != tree.Null && !c.named(item) {
				after = append(after, item)
			}
		default:
			old, had := item.Object().Get(c.path.Sub.Name)
			if !had || c.value.Kind() != tree.Null && !same(c.path.Sub, old, c.value) {
				after = append(after, item)
				continue
			}
			left := item.Object().Clone()
			left.Delete(c.path.Sub.Name)
			if !onlyLabels(c.path.Attribute, left) {
				after = append(after, tree.Of(left))
			}
		}
	}
	return after
}

// named reports whether the value of a remove names an element: by all of the parts that it gives.
func (c *change) named(item tree.Value) bool {
	wanted := c.value.Items()
	if c.value.Kind() != tree.List {
		wanted = []tree.Value{c.value}
	}
	for _, w := range wanted {
		if w.Kind() != tree.Complex {
			if same(c.path.Attribute, item, w) {
				return true
			}
			continue
		}
		all := true
		for _, m := range w.Object().Members() {
			v, _ := item.Object().Get(m.Name)
			all = all && same(c.path.Attribute.Sub(m.Name), v, m.Value)
		}
		if all {
			return true
		}
	}
	return false
}

// same compares two scalars as a filter would.
func same(a *schema.Attribute, v, w tree.Value) bool {
	if v.Kind() == tree.String && w.Kind() == tree.String && !a.CaseExact {
		return filter.Fold(v.Text()) == filter.Fold(w.Text())
	}
	return v.Equal(w)
}

// elements sets parts of the elements that match, or of all of them, and makes one where there is none.
func (c *change) elements(items []tree.Value) (after []tree.Value, primary int, err *refusal.Error) {
	after = make([]tree.Value, 0, len(items)+1)
	primary = -1
	matched := false
	mark := func(element tree.Value) *refusal.Error {
		if !resource.Primary(element) {
			return nil
		}
		if primary >= 0 {
			return refusal.New(refusal.InvalidValue, "%s has more than one element that would become the primary one.", schema.Path{Extension: c.path.Extension, Attribute: c.path.Attribute})
		}
		primary = len(after) - 1
		return nil
	}
	for _, item := range items {
		if c.where != nil && !c.where.MatchElement(item) {
			after = append(after, item)
			continue
		}
		matched = true
		if c.value.Kind() == tree.Null && c.path.Sub == nil {
			continue // the whole element goes
		}
		changed, err := c.merge(item, true)
		if err != nil {
			return nil, 0, err
		}
		if changed.Empty() {
			continue
		}
		after = append(after, changed)
		if !c.marks() {
			continue
		}
		if err := mark(changed); err != nil {
			return nil, 0, err
		}
	}
	if matched || c.value.Kind() == tree.Null {
		return after, primary, nil
	}
	made, err := c.create()
	if err != nil {
		return nil, 0, err
	}
	after = append(after, made)
	return after, primary, mark(made)
}

// marks reports whether the change can make an element the primary one.
func (c *change) marks() bool {
	if c.path.Sub != nil && c.path.Sub.Name == "primary" {
		return true
	}
	for _, m := range c.value.Object().Members() {
		if m.Name == "primary" {
			return true
		}
	}
	return false
}

// create makes the element that the filter would match, with what was to be set in it. The RFC answers noTarget here, and
// Entra would never get its values in.
func (c *change) create() (tree.Value, *refusal.Error) {
	if c.where != nil && c.stamp == nil {
		return tree.Value{}, c.noTarget()
	}
	made, err := c.merge(tree.Of(tree.NewObject(c.stamp...)), false)
	if err != nil {
		return tree.Value{}, err
	}
	// What is set must not make it another element than the one that was asked for.
	if c.where != nil && !c.where.MatchElement(made) {
		return tree.Value{}, c.noTarget()
	}
	return made, nil
}
