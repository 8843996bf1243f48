package patch

import (
	"fmt"

	"github.com/badge-engine/badge-engine/modules/scim/filter"
	"github.com/badge-engine/badge-engine/modules/scim/resource"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// MaxOperations is how many operations a message may have. Entra merges what it has to say about a resource into a few; many
// members are one operation.
const MaxOperations = 1000

// Op is what an operation does.
type Op string

// The operations (RFC 7644, 3.5.2).
const (
	Add     Op = "add"
	Replace Op = "replace"
	Remove  Op = "remove"
)

// Patch is a PatchOp message in normal form.
type Patch struct {
	// Members are the changes of a group's members, in order. There is more than one step only where a filter stands
	// between others.
	Members []MemberStep
	// Ignored are the names in values without path that no schema has, for whoever looks for mistakes in a mapping.
	Ignored []string

	changes []change
}

// change is one thing to do to one attribute.
type change struct {
	op   Op
	path schema.Path // the attribute is nil for a whole extension
	// where chooses elements of a multi-valued attribute, or none of them.
	where filter.Predicate
	terms int // comparisons of where
	// stamp are the sub-attributes of an element that where would match, if it can be made.
	stamp []tree.Member
	// value is in the type of what the path leads to; null unassigns. For a remove it narrows what is removed.
	value tree.Value
	at    place
}

// place is where a change stands in the message.
type place struct {
	operation int
	key       string // in a value without path
}

func (p place) String() string {
	if p.key == "" {
		return fmt.Sprintf("Operations[%d]", p.operation)
	}
	return fmt.Sprintf("Operations[%d].value[%s]", p.operation, tree.Excerpt(p.key))
}

// Touches reports whether the patch can change anything but members.
func (p *Patch) Touches() bool { return len(p.changes) > 0 }

// MemberStep is one change of the set of members. Remove and Add have no member in common, so that their order makes no
// difference; both come after Clear. Removing who is no member and adding who is one change nothing and are no error.
type MemberStep struct {
	Clear  bool              // remove everybody first: with Add this is a replacement
	Remove []string          // ids
	Add    []resource.Member // each id once
	Where  filter.Predicate  // if set, remove exactly the members that match (paths are members.value, members.type, …), and nothing else
}

// membership collects changes of the set of members into as few steps as there can be: a later change takes back an earlier
// one of the same member.
type membership struct {
	done  []MemberStep
	open  bool
	clear bool
	ids   map[string]int // of both lists: index+1 of Add, or -(index+1) of Remove
	add   []resource.Member
	drop  []string
}

func (m *membership) begin() {
	if !m.open {
		m.open = true
		m.ids = make(map[string]int)
	}
}

func (m *membership) insert(who resource.Member) {
	m.begin()
	switch i := m.ids[who.Value]; {
	case i > 0:
		return
	case i < 0:
		m.drop[-i-1] = ""
	}
	m.add = append(m.add, who)
	m.ids[who.Value] = len(m.add)
}

func (m *membership) remove(id string) {
	m.begin()
	switch i := m.ids[id]; {
	case i < 0:
		return
	case i > 0:
		m.add[i-1] = resource.Member{}
		delete(m.ids, id)
	}
	if !m.clear { // else there is nobody but those added
		m.drop = append(m.drop, id)
		m.ids[id] = -len(m.drop)
	}
}

func (m *membership) empty() {
	m.begin()
	m.clear, m.add, m.drop = true, nil, nil
	clear(m.ids)
}

func (m *membership) where(p filter.Predicate) {
	m.close()
	m.done = append(m.done, MemberStep{Where: p})
}

// close ends the step that is being collected.
func (m *membership) close() {
	if !m.open {
		return
	}
	s := MemberStep{Clear: m.clear}
	for _, who := range m.add {
		if who.Value != "" {
			s.Add = append(s.Add, who)
		}
	}
	for _, id := range m.drop {
		if id != "" {
			s.Remove = append(s.Remove, id)
		}
	}
	if s.Clear || len(s.Add) > 0 || len(s.Remove) > 0 {
		m.done = append(m.done, s)
	}
	*m = membership{done: m.done}
}
