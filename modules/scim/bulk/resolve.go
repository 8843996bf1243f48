package bulk

import (
	"strings"

	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// Call is a step with its references replaced.
type Call struct {
	Method string
	Type   *schema.ResourceType
	ID     string // empty for POST
	Body   string // empty for DELETE
}

// Resolve fills the ids of resources that the request made, by bulkId, into a step. For a Link step made must also have the
// id of the operation's own bulkId. An id that is missing, because its operation failed, is refused with invalidValue.
func (r *Request) Resolve(s Step, made map[string]string) (Call, error) {
	op := &r.Operations[s.Operation]
	if op.Refused != nil {
		return Call{}, op.Refused
	}
	missing := ""
	fill := func(bulkID string) string {
		id, ok := made[bulkID]
		if !ok {
			missing = bulkID
		}
		return id
	}
	call := Call{Method: op.Method, Type: op.Type, ID: op.id}
	if s.Link {
		call.Method, call.ID = "PATCH", fill(op.BulkID)
		call.Body = op.link(op.bulkIDs(r), fill)
	} else {
		if tree.HasPrefixName(op.id, prefix) {
			call.ID = fill(op.id[len(prefix):])
		}
		switch {
		case op.data == nil:
		case len(op.withheld) > 0:
			call.Body = string(op.without(op.bulkIDs(r), fill).Append(nil))
		default:
			call.Body = string(op.walk(fill).Append(nil))
		}
	}
	if missing != "" {
		return Call{}, refusal.New(refusal.InvalidValue, "The resource of the bulkId %s was not made: its operation failed.", tree.Excerpt(missing))
	}
	return call, nil
}

// writable is the attribute that a member of the data sets; where nobody would look at it, a reference in it is none.
func (op *Operation) writable(e *schema.Schema, name string) bool {
	a := op.Type.Attribute(name)
	if e != nil {
		a = e.Attribute(name)
	}
	return a != nil && a.Mutability != schema.ReadOnly && a.Name != "schemas"
}

// walk is the data with each reference replaced by what the function says.
func (op *Operation) walk(fill func(bulkID string) string) *tree.Object {
	if op.Method == "PATCH" {
		members := make([]tree.Member, 0, op.data.Len())
		for _, m := range op.data.Members() {
			if tree.SameName(m.Name, "Operations") {
				m.Value = replaceOperations(m.Value, fill)
			}
			members = append(members, m)
		}
		return tree.NewObject(members...)
	}
	return op.each(func(_ *schema.Schema, m tree.Member) (tree.Member, bool) {
		m.Value = replace(m.Value, fill)
		return m, true
	})
}

// each goes through the attributes of the data of a POST or PUT, those of extensions too, and keeps what the function gives back.
// What no attribute is stays as it is.
func (op *Operation) each(visit func(e *schema.Schema, m tree.Member) (tree.Member, bool)) *tree.Object {
	members := make([]tree.Member, 0, op.data.Len())
	for _, m := range op.data.Members() {
		if e := op.Type.Extension(m.Name); e != nil && m.Value.Kind() == tree.Complex {
			parts := make([]tree.Member, 0, m.Value.Object().Len())
			for _, part := range m.Value.Object().Members() {
				if op.writable(e, part.Name) {
					var keep bool
					if part, keep = visit(e, part); !keep {
						continue
					}
				}
				parts = append(parts, part)
			}
			m.Value = tree.Of(tree.NewObject(parts...))
		} else if op.writable(nil, m.Name) {
			var keep bool
			if m, keep = visit(nil, m); !keep {
				continue
			}
		}
		members = append(members, m)
	}
	return tree.NewObject(members...)
}

// attribute is the value that the data has for a path.
func (op *Operation) attribute(p schema.Path) (v tree.Value, ok bool) {
	op.each(func(e *schema.Schema, m tree.Member) (tree.Member, bool) {
		if e == p.Extension && tree.SameName(m.Name, p.Attribute.Name) {
			v, ok = m.Value, true
		}
		return m, true
	})
	return v, ok
}

// without is the data of the first half: elements and attributes that mention what is withheld are left out.
func (op *Operation) without(withheld map[string]bool, fill func(string) string) *tree.Object {
	return op.each(func(_ *schema.Schema, m tree.Member) (tree.Member, bool) {
		if !mentions(m.Value, withheld) {
			m.Value = replace(m.Value, fill)
			return m, true
		}
		if m.Value.Kind() != tree.List {
			return m, false
		}
		kept := make([]tree.Value, 0, len(m.Value.Items()))
		for _, item := range m.Value.Items() {
			if !mentions(item, withheld) {
				kept = append(kept, replace(item, fill))
			}
		}
		m.Value = tree.Items(kept...)
		return m, true
	})
}

// link is the second half: a PatchOp message that adds what the first half left out.
func (op *Operation) link(withheld map[string]bool, fill func(string) string) string {
	var operations []tree.Value
	op.each(func(e *schema.Schema, m tree.Member) (tree.Member, bool) {
		if !mentions(m.Value, withheld) {
			return m, true
		}
		path, value := m.Name, m.Value
		if e != nil {
			path = e.ID + ":" + path
		}
		if value.Kind() == tree.List {
			var items []tree.Value
			for _, item := range value.Items() {
				if mentions(item, withheld) {
					items = append(items, item)
				}
			}
			value = tree.Items(items...)
		}
		operations = append(operations, tree.Of(tree.NewObject(
			tree.Member{Name: "op", Value: tree.Text("add")},
			tree.Member{Name: "path", Value: tree.Text(path)},
			tree.Member{Name: "value", Value: replace(value, fill)})))
		return m, true
	})
	return string(tree.NewObject(
		tree.Member{Name: "schemas", Value: tree.Items(tree.Text(schema.PatchOpURN))},
		tree.Member{Name: "Operations", Value: tree.Items(operations...)}).Append(nil))
}

// mentions reports whether a value has a reference to one of these.
func mentions(v tree.Value, bulkIDs map[string]bool) bool {
	found := false
	replace(v, func(bulkID string) string {
		found = found || bulkIDs[bulkID]
		return ""
	})
	return found
}

// replace gives a value in which every string that is a reference is what the function says. Values without references are
// shared.
func replace(v tree.Value, fill func(bulkID string) string) tree.Value {
	switch v.Kind() {
	case tree.String:
		if tree.HasPrefixName(v.Text(), prefix) {
			return tree.Text(fill(v.Text()[len(prefix):]))
		}
	case tree.List:
		items := make([]tree.Value, len(v.Items()))
		for i, item := range v.Items() {
			items[i] = replace(item, fill)
		}
		return tree.Items(items...)
	case tree.Complex:
		members := make([]tree.Member, v.Object().Len())
		for i, m := range v.Object().Members() {
			members[i] = tree.Member{Name: m.Name, Value: replace(m.Value, fill)}
		}
		return tree.Of(tree.NewObject(members...))
	}
	return v
}

// replaceOperations is [replace] for the operations of a PATCH, whose paths have references in quotes:
// members[value eq "bulkId:x"].
func replaceOperations(v tree.Value, fill func(bulkID string) string) tree.Value {
	items := make([]tree.Value, len(v.Items()))
	for i, item := range v.Items() {
		members := make([]tree.Member, item.Object().Len())
		for j, m := range item.Object().Members() {
			switch {
			case tree.SameName(m.Name, "value"):
				m.Value = replace(m.Value, fill)
			case tree.SameName(m.Name, "path") && m.Value.Kind() == tree.String:
				m.Value = tree.Text(replaceQuoted(m.Value.Text(), fill))
			}
			members[j] = m
		}
		if items[i] = item; item.Kind() == tree.Complex {
			items[i] = tree.Of(tree.NewObject(members...))
		}
	}
	if v.Kind() != tree.List {
		return v
	}
	return tree.Items(items...)
}

// replaceQuoted replaces the references that stand as whole strings in a path.
func replaceQuoted(path string, fill func(bulkID string) string) string {
	var b strings.Builder
	for {
		at := strings.IndexByte(path, '"')
		if at < 0 {
			b.WriteString(path)
			return b.String()
		}
		b.WriteString(path[:at])
		path = path[at:]
		text, size, problem := tree.ScanText(path)
		if problem != "" { // the path will be refused for it
			b.WriteString(path)
			return b.String()
		}
		if tree.HasPrefixName(text, prefix) {
			b.Write(tree.AppendText(nil, fill(text[len(prefix):])))
		} else {
			b.WriteString(path[:size])
		}
		path = path[size:]
	}
}
