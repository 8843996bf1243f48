package patch

import (
	"strings"

	"github.com/badge-engine/badge-engine/modules/scim/filter"
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/resource"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// Normalize reads a PatchOp message for a resource type. It answers with a [*refusal.Error]: invalidSyntax for what is no such
// message or has an unknown op, invalidPath for a path that leads nowhere, invalidFilter for what is wrong between brackets,
// mutability for a readOnly attribute, noTarget for a remove without path, invalidValue for a value of the wrong type. A
// detail begins with the operation: "Operations[2]: …".
func Normalize(t *schema.ResourceType, body string) (*Patch, error) {
	o, err := tree.ParseObject(body)
	if err != nil {
		return nil, err
	}
	return FromObject(t, o)
}

// FromObject is [Normalize] for a message that is read already, as the data of a bulk operation is.
func FromObject(t *schema.ResourceType, o *tree.Object) (*Patch, error) {
	p, err := normalize(t, o)
	if err != nil {
		return nil, err
	}
	return p, nil
}

func normalize(t *schema.ResourceType, o *tree.Object) (*Patch, *refusal.Error) {
	if schemas, ok := o.Find("schemas"); ok && !names(schemas, schema.PatchOpURN) {
		return nil, refusal.New(refusal.InvalidSyntax, "The body is no PatchOp message: schemas must be [%q].", schema.PatchOpURN)
	}
	operations, ok := o.Find("Operations")
	switch {
	case !ok || operations.Kind() != tree.List:
		return nil, refusal.New(refusal.InvalidSyntax, "The body is no PatchOp message: Operations must be an array of operations.")
	case len(operations.Items()) > MaxOperations:
		return nil, refusal.Status(413, "The message has %d operations; at most %d are accepted.", len(operations.Items()), MaxOperations)
	}
	n := normalizer{t: t, changes: make([]change, 0, len(operations.Items()))}
	for i, operation := range operations.Items() {
		n.at = place{operation: i}
		if err := n.operation(operation); err != nil {
			return nil, err.At(n.at.String())
		}
	}
	n.members.close()
	return &Patch{Members: n.members.done, Ignored: n.ignored, changes: n.changes}, nil
}

// names reports whether an array of schemas, or one alone, has the URN.
func names(schemas tree.Value, urn string) bool {
	if schemas.Kind() == tree.String {
		return tree.SameName(schemas.Text(), urn)
	}
	for _, s := range schemas.Items() {
		if tree.SameName(s.Text(), urn) {
			return true
		}
	}
	return false
}

type normalizer struct {
	t       *schema.ResourceType
	changes []change
	members membership
	ignored []string

	at place
	op Op
}

// operation reads one operation.
func (n *normalizer) operation(v tree.Value) *refusal.Error {
	if v.Kind() != tree.Complex {
		return refusal.New(refusal.InvalidSyntax, "An operation must be an object, not %s.", v.Kind())
	}
	op, _ := v.Object().Find("op")
	switch name := op.Text(); { // Entra writes them with a capital, unless its compliance flag is on
	case op.Kind() != tree.String:
		return refusal.New(refusal.InvalidSyntax, "op is missing. It must be add, replace or remove.")
	case tree.SameName(name, string(Add)):
		n.op = Add
	case tree.SameName(name, string(Replace)):
		n.op = Replace
	case tree.SameName(name, string(Remove)):
		n.op = Remove
	default:
		return refusal.New(refusal.InvalidSyntax, "op must be add, replace or remove, not %s.", tree.Excerpt(name))
	}
	path, _ := v.Object().Find("path")
	if path.Kind() != tree.String && path.Kind() != tree.Null {
		return refusal.New(refusal.InvalidSyntax, "path must be a string, not %s.", path.Kind())
	}
	value, given := v.Object().Find("value")
	if strings.Trim(path.Text(), " ") == "" {
		return n.pathless(value)
	}
	if n.op == Remove {
		return n.remove(path.Text(), value)
	}
	if !given {
		return refusal.New(refusal.InvalidValue, "value is missing. Send null to take the value away.")
	}
	return n.explicit(path.Text(), value)
}

// pathless applies each member of a value in the order in which it is written (RFC 7644, 3.5.2.1 and 3.5.2.3: "path" omitted).
func (n *normalizer) pathless(v tree.Value) *refusal.Error {
	if n.op == Remove { // RFC 7644, 3.5.2.2
		return refusal.New(refusal.NoTarget, "path is missing. A remove must say what to remove.")
	}
	if items := v.Items(); len(items) == 1 {
		v = items[0]
	}
	if v.Kind() != tree.Complex {
		return refusal.New(refusal.InvalidValue, "Without a path the value must be an object of attributes, not %s.", v.Kind())
	}
	return n.expand("", v.Object())
}

// expand takes a value apart whose keys are attributes, dotted paths, paths with a filter, or URNs.
func (n *normalizer) expand(prefix string, o *tree.Object) *refusal.Error {
	for _, m := range o.Members() {
		n.at.key = m.Name
		text := prefix + m.Name
		if prefix == "" && tree.SameName(m.Name, n.t.Schema.ID) && m.Value.Kind() == tree.Complex {
			if err := n.expand("", m.Value.Object()); err != nil {
				return err
			}
			continue
		}
		if strings.IndexByte(text, '[') >= 0 {
			if err := n.explicit(text, m.Value); err != nil {
				return err
			}
			continue
		}
		path, fault := n.t.Resolve(text)
		if fault != schema.Found {
			n.ignored = append(n.ignored, text)
			continue
		}
		if readOnly(path) || path.Attribute != nil && path.Attribute.Name == "schemas" {
			continue // a client that sends back what it was given
		}
		if err := n.set(path, nil, nil, m.Value); err != nil {
			return err
		}
	}
	n.at.key = ""
	return nil
}

func readOnly(p schema.Path) bool {
	return p.Attribute != nil && (p.Attribute.Mutability == schema.ReadOnly || p.Leaf().Mutability == schema.ReadOnly)
}

// resolve reads a path that a client wrote on purpose: what is wrong with it is said, so that a mistake in a mapping is seen.
func (n *normalizer) resolve(text string) (path schema.Path, where filter.Predicate, stamp []tree.Member, err *refusal.Error) {
	read, problem := filter.ParsePath(text, filter.DefaultLimits)
	if problem != nil {
		err, _ = refusal.From(problem)
		return path, nil, nil, err
	}
	path, fault := n.t.Resolve(read.Name)
	switch fault {
	case schema.Malformed:
		return path, nil, nil, refusal.New(refusal.InvalidPath, "%s is no path of an attribute.", tree.Excerpt(text))
	case schema.Unknown:
		return path, nil, nil, refusal.New(refusal.InvalidPath, "A %s has no attribute %s.", n.t.ID, tree.Excerpt(read.Name))
	}
	if read.Filter != nil {
		if path.Attribute == nil || path.Sub != nil || path.Attribute.Type != schema.Complex {
			return path, nil, nil, refusal.New(refusal.InvalidPath, "%s has no elements to choose among.", path)
		}
		if where, problem = filter.CompileElement(read.Filter, path); problem != nil {
			err, _ = refusal.From(problem)
			return path, nil, nil, err
		}
		stamp = stampOf(where)
		if read.Sub != "" {
			if path.Sub = path.Attribute.Sub(read.Sub); path.Sub == nil {
				return path, nil, nil, refusal.New(refusal.InvalidPath, "%s has no sub-attribute %s.", path, tree.Excerpt(read.Sub))
			}
		}
	}
	if readOnly(path) {
		return path, nil, nil, refusal.New(refusal.Mutability, "%s is readOnly.", path)
	}
	return path, where, stamp, nil
}

// stampOf gives the sub-attributes of an element that a filter would match, if the filter is one or more eq, all of which must
// hold, on different sub-attributes that a client may write.
func stampOf(where filter.Predicate) []tree.Member {
	terms, ok := where.(filter.All)
	if !ok {
		terms = filter.All{where}
	}
	stamp := make([]tree.Member, 0, len(terms)+2)
	for _, term := range terms {
		c, ok := term.(filter.Comparison)
		if !ok || c.Op != filter.Eq || c.Path.Sub.Mutability == schema.ReadOnly {
			return nil
		}
		for _, m := range stamp {
			if m.Name == c.Path.Sub.Name {
				return nil
			}
		}
		v, err := resource.Coerce(c.Path, tree.Text(c.Operand.Given))
		if err != nil || v.Kind() == tree.Null {
			return nil
		}
		stamp = append(stamp, tree.Member{Name: c.Path.Sub.Name, Value: v})
	}
	return stamp
}

// terms counts the comparisons of a filter.
func terms(where filter.Predicate) (n int) {
	switch where := where.(type) {
	case nil:
	case filter.All:
		for _, term := range where {
			n += terms(term)
		}
	case filter.Any:
		for _, term := range where {
			n += terms(term)
		}
	case filter.Complement:
		n = terms(where.Term)
	default:
		n = 1
	}
	return n
}

// explicit is an add or a replace with a path.
func (n *normalizer) explicit(text string, v tree.Value) *refusal.Error {
	path, where, stamp, err := n.resolve(text)
	if err != nil {
		return err
	}
	if path.Attribute != nil && path.Attribute.Name == "schemas" {
		return nil // which schemas a resource follows is seen from its attributes
	}
	return n.set(path, where, stamp, v)
}

// set is an add or a replace of what a path leads to.
func (n *normalizer) set(path schema.Path, where filter.Predicate, stamp []tree.Member, v tree.Value) *refusal.Error {
	if path.Attribute == nil {
		return n.setExtension(path, v)
	}
	if path.Unbounded() {
		return n.setMembers(path, where, v)
	}
	a := path.Attribute
	if where != nil && path.Sub == nil || path.Sub == nil && a.Type == schema.Complex && !a.MultiValued {
		// Parts of an element, or of the one value, whose other parts stay.
		value, problem := resource.CoerceParts(path, v)
		if problem != nil {
			err, _ := refusal.From(problem)
			return err
		}
		if value.Kind() == tree.Complex && value.Object().Len() == 0 {
			return nil // none of its parts is one of ours
		}
		return n.append(change{op: n.op, path: path, where: where, stamp: stamp, value: value})
	}
	value, problem := resource.Coerce(path, v)
	if problem != nil {
		err, _ := refusal.From(problem)
		return err
	}
	if n.op == Add && value.Kind() == tree.Null && path.Leaf().MultiValued {
		return nil // nothing was added
	}
	return n.append(change{op: n.op, path: path, where: where, stamp: stamp, value: value})
}

// append refuses what can be refused without the resource.
func (n *normalizer) append(c change) *refusal.Error {
	leaf := c.path.Leaf()
	if c.value.Kind() == tree.Null && c.op != Remove && leaf.Required {
		return refusal.New(refusal.InvalidValue, "%s is required and cannot be empty.", c.path)
	}
	for _, m := range c.value.Object().Members() {
		if sub := c.path.Attribute.Sub(m.Name); c.op != Remove && m.Value.Kind() == tree.Null && sub.Required {
			c.path.Sub = sub
			return refusal.New(refusal.InvalidValue, "%s is required and cannot be empty.", c.path)
		}
	}
	c.at, c.terms = n.at, terms(c.where)
	n.changes = append(n.changes, c)
	return nil
}

func (n *normalizer) setExtension(path schema.Path, v tree.Value) *refusal.Error {
	switch {
	case v.Empty() || v.Kind() == tree.String && v.Text() == "":
		if n.op == Add {
			return nil
		}
		return n.removeExtension(path)
	case v.Kind() != tree.Complex:
		return refusal.New(refusal.InvalidValue, "%s must be an object of attributes, not %s.", path, v.Kind())
	}
	key := n.at.key
	err := n.expand(path.Extension.ID+":", v.Object())
	if err == nil {
		n.at.key = key
	}
	return err
}

func (n *normalizer) removeExtension(path schema.Path) *refusal.Error {
	for _, p := range n.t.Required() {
		if p.Extension == path.Extension {
			return refusal.New(refusal.Mutability, "%s is required and cannot be removed.", p)
		}
	}
	n.changes = append(n.changes, change{op: Remove, path: path, at: n.at})
	return nil
}

// remove is a remove with a path (RFC 7644, 3.5.2.2).
func (n *normalizer) remove(text string, v tree.Value) *refusal.Error {
	path, where, stamp, err := n.resolve(text)
	switch {
	case err != nil:
		return err
	case path.Attribute == nil:
		return n.removeExtension(path)
	case path.Attribute.Name == "schemas":
		return nil
	case path.Unbounded():
		return n.removeMembers(path, where, v)
	case where == nil && path.Leaf().Required && (path.Sub == nil || !path.Attribute.MultiValued):
		return refusal.New(refusal.Mutability, "%s is required and cannot be removed.", path)
	}
	c := change{op: Remove, path: path, where: where, stamp: stamp}
	if v.Kind() != tree.Null && (path.Attribute.MultiValued || path.Leaf().MultiValued) {
		// Entra names the value that shall go.
		value, problem := resource.Coerce(path, v)
		if problem != nil {
			err, _ := refusal.From(problem)
			return err
		}
		if value.Kind() == tree.Null && v.Kind() == tree.List {
			return nil // nothing of nothing
		}
		c.value = value
	}
	return n.append(c)
}

// setMembers is an add or a replace of the members of a group.
func (n *normalizer) setMembers(path schema.Path, where filter.Predicate, v tree.Value) *refusal.Error {
	if where != nil || path.Sub != nil { // RFC 7643, 4.2: members are added and removed, but never changed
		return refusal.New(refusal.Mutability, "%s cannot be changed. Add and remove whole members.", path)
	}
	list, err := memberList(path, v)
	if err != nil {
		return err
	}
	if len(list) == 0 && len(v.Items()) > 0 { // nothing is left of members that only have what is readOnly
		return errNoValue()
	}
	if n.op == Replace {
		n.members.empty()
	}
	for _, who := range list {
		n.members.insert(who)
	}
	return nil
}

// memberList reads members; every one of them must have a value.
func memberList(path schema.Path, v tree.Value) ([]resource.Member, *refusal.Error) {
	value, problem := resource.Coerce(path, v)
	if problem != nil {
		err, _ := refusal.From(problem)
		return nil, err
	}
	for _, item := range value.Items() {
		if id, ok := item.Object().Get("value"); !ok || id.Text() == "" {
			return nil, errNoValue()
		}
	}
	return resource.Members(value), nil
}

func errNoValue() *refusal.Error {
	return refusal.New(refusal.InvalidValue, "A member has no value, which is its id.")
}

// removeMembers removes those whom the value names, those whom the filter matches, or everybody. A value that names nobody
// removes nobody: a client that means everybody leaves it out.
func (n *normalizer) removeMembers(path schema.Path, where filter.Predicate, v tree.Value) *refusal.Error {
	if path.Sub != nil {
		return refusal.New(refusal.Mutability, "%s cannot be removed from a member. Remove the whole member.", path)
	}
	if where == nil {
		if v.Kind() == tree.Null {
			n.members.empty()
			return nil
		}
		list, err := memberList(path, v)
		if err != nil {
			return err
		}
		for _, who := range list {
			n.members.remove(who.Value)
		}
		return nil
	}
	ids, ok := idsOf(where)
	if !ok {
		n.members.where(where)
		return nil
	}
	for _, id := range ids {
		n.members.remove(id)
	}
	return nil
}

// idsOf gives the ids that a filter of members names, if it does nothing else: value eq "a" or value eq "b".
func idsOf(where filter.Predicate) ([]string, bool) {
	terms, ok := where.(filter.Any)
	if !ok {
		terms = filter.Any{where}
	}
	ids := make([]string, 0, len(terms))
	for _, term := range terms {
		c, ok := term.(filter.Comparison)
		if !ok || c.Op != filter.Eq || c.Path.Sub.Name != "value" {
			return nil, false
		}
		ids = append(ids, c.Operand.Text)
	}
	return ids, true
}
