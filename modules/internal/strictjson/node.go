package strictjson

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
)

// Kind tells the kinds of JSON values apart.
type Kind uint8

// The kinds. None is what no JSON text holds.
const (
	None Kind = iota
	Null
	False
	True
	Number
	String
	Array
	Object
)

// Node is one value of a document and, in an object, the name it has there. It says what the maps and slices of [Parse]
// say, in the order of the text, and costs a fraction: the nodes of a document lie side by side, and their texts are pieces of
// its own. It must not be altered. A nil Node is a value that is not there.
type Node struct {
	Name  string // of a member
	Text  string // of a string; of a number as it was written
	first *Node
	next  *Node
	count int32
	hash  uint32 // of the name
	Kind  Kind
	plain bool // the text is ASCII of which nothing needs an escape
	solid bool // of the whole document: no null and no empty array is in it
}

// First is the first member or item, or nil.
func (n *Node) First() *Node {
	if n == nil {
		return nil
	}
	return n.first
}

// Next is the member or item that follows, or nil.
func (n *Node) Next() *Node { return n.next }

// Len is how many members or items there are.
func (n *Node) Len() int {
	if n == nil {
		return 0
	}
	return int(n.count)
}

// Is reports whether the value is there and of a kind.
func (n *Node) Is(kind Kind) bool { return n != nil && n.Kind == kind }

// Plain reports whether the text is known to be printable ASCII without quotes and backslashes.
func (n *Node) Plain() bool { return n.plain }

// Solid reports whether it is known that nowhere in a whole document there is a null or an empty array.
func (n *Node) Solid() bool { return n.solid }

// Same reports whether two objects or arrays are one, not merely equal.
func (n *Node) Same(other *Node) bool {
	return n != nil && other != nil && n.first != nil && n.first == other.first
}

// Get is a member of an object, or nil.
func (n *Node) Get(name string) *Node {
	if n == nil || n.Kind != Object {
		return nil
	}
	for m := n.first; m != nil; m = m.next {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// Member is a member of an object as text; empty if it is no string.
func (n *Node) Member(name string) string { return n.Get(name).String() }

// String is the text of a string, and empty for any other value.
func (n *Node) String() string {
	if n == nil || n.Kind != String {
		return ""
	}
	return n.Text
}

// Items are the items of an array, or the one value that stands in their place.
func (n *Node) Items() []*Node {
	if n == nil || n.Kind != Array {
		if n == nil || n.Kind == Null {
			return nil
		}
		return []*Node{n}
	}
	items := make([]*Node, 0, n.count)
	for item := n.first; item != nil; item = item.next {
		items = append(items, item)
	}
	return items
}

// Value is what [Parse] would read: maps, slices, json.Number, string, bool and nil.
func (n *Node) Value() any {
	if n == nil {
		return nil
	}
	switch n.Kind {
	case False, True:
		return n.Kind == True
	case Number:
		return json.Number(n.Text)
	case String:
		return n.Text
	case Array:
		items := make([]any, 0, n.count)
		for item := n.first; item != nil; item = item.next {
			items = append(items, item.Value())
		}
		return items
	case Object:
		return n.Map()
	}
	return nil
}

// Map is an object as a map; nil for any other value.
func (n *Node) Map() map[string]any {
	if !n.Is(Object) {
		return nil
	}
	members := make(map[string]any, n.count)
	for m := n.first; m != nil; m = m.next {
		members[m.Name] = m.Value()
	}
	return members
}

// NewString is a member of an object, or a value without a name.
func NewString(name, text string) *Node {
	return &Node{Name: name, hash: hashOf(name), Text: text, Kind: String}
}

// NewArray is a list of values under a name. The values are copied, what is below them is not.
func NewArray(name string, items ...*Node) *Node {
	n := &Node{Name: name, hash: hashOf(name), Kind: Array}
	var last *Node
	for _, item := range items {
		n.link(&last, item.As(""))
	}
	return n
}

// NewObject is an object of members, which are copied.
func NewObject(members ...*Node) *Node { return (*Node)(nil).Altered(nil, members...) }

// Equal reports whether two values say the same, numbers digit by digit.
func Equal(a, b *Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind != b.Kind || a.Text != b.Text || a.count != b.count {
		return false
	}
	x, y := a.first, b.first
	for ; x != nil; x = x.next {
		with := y
		if a.Kind == Object {
			with = b.Get(x.Name)
		} else {
			y = y.next
		}
		if with == nil || !Equal(x, with) {
			return false
		}
	}
	return true
}

// As is the same value under another name; null if there is none.
func (n *Node) As(name string) *Node {
	if n == nil {
		return &Node{Name: name, hash: hashOf(name), Kind: Null}
	}
	return &Node{Name: name, hash: hashOf(name), Text: n.Text, Kind: n.Kind, plain: n.plain, first: n.first, count: n.count}
}

// Altered is an object with other members: without some, and then with more. What is below it stays the same.
func (n *Node) Altered(without []string, with ...*Node) *Node {
	a := arena{chunk: make([]Node, 0, n.Len()+len(with)+1)}
	altered := a.node()
	altered.Kind = Object
	var last *Node
	put := func(m *Node) {
		member := a.node()
		*member = *m
		member.next = nil
		altered.link(&last, member)
	}
	for m := n.First(); m != nil; m = m.next {
		if !slices.Contains(without, m.Name) {
			put(m)
		}
	}
	for _, m := range with {
		put(m)
	}
	return altered
}

// link puts a child behind the last one.
func (n *Node) link(last **Node, child *Node) {
	if *last == nil {
		n.first = child
	} else {
		(*last).next = child
	}
	*last = child
	n.count++
}

// NodeOf is the node of what [Parse] reads, with float64 and int beside json.Number. Its members are in no order. Where a
// value is no JSON the answer is nil.
func NodeOf(value any) *Node {
	a := arena{chunk: make([]Node, 0, 32)}
	n := a.node()
	if !a.fill(n, value, 0) {
		return nil
	}
	return n
}

func (a *arena) fill(n *Node, value any, depth int) bool {
	if depth > MaxDepth {
		return false
	}
	var last *Node
	switch v := value.(type) {
	case nil:
		n.Kind = Null
	case bool:
		n.Kind = False
		if v {
			n.Kind = True
		}
	case string:
		n.Kind, n.Text = String, v
	case json.Number:
		n.Kind, n.Text = Number, string(v)
	case int:
		n.Kind, n.Text = Number, strconv.Itoa(v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
		n.Kind, n.Text = Number, strconv.FormatFloat(v, 'g', -1, 64)
	case []any:
		n.Kind = Array
		for _, item := range v {
			child := a.node()
			n.link(&last, child)
			if !a.fill(child, item, depth+1) {
				return false
			}
		}
	case map[string]any:
		n.Kind = Object
		for name, member := range v {
			child := a.node()
			child.Name, child.hash = name, hashOf(name)
			n.link(&last, child)
			if !a.fill(child, member, depth+1) {
				return false
			}
		}
	default:
		return false
	}
	return true
}

// arena gives nodes that lie side by side.
type arena struct{ chunk []Node }

func (a *arena) node() *Node {
	if len(a.chunk) == cap(a.chunk) {
		a.chunk = make([]Node, 0, max(8, min(2*cap(a.chunk), 4096)))
	}
	a.chunk = a.chunk[:len(a.chunk)+1]
	return &a.chunk[len(a.chunk)-1]
}

// hashOf mixes the length of a name with both its ends.
func hashOf(s string) uint32 {
	h := uint64(len(s))
	switch {
	case len(s) >= 8:
		h ^= word(s) ^ word(s[len(s)-8:])*31
	case len(s) >= 4:
		h ^= half(s) ^ half(s[len(s)-4:])<<32
	case len(s) > 0:
		h ^= uint64(s[0])<<8 ^ uint64(s[len(s)/2])<<16 ^ uint64(s[len(s)-1])<<24
	}
	return uint32(h * 0x9e3779b97f4a7c15 >> 32)
}

func word(s string) uint64 { return half(s) | half(s[4:])<<32 }

func half(s string) uint64 {
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}

// Index finds what goes with the name of a member. It is made once and then only read.
type Index[T any] struct {
	slots []slot[T]
}

type slot[T any] struct {
	hash  uint32
	used  bool
	name  string
	value T
}

// NewIndex is an Index of what a map holds.
func NewIndex[T any](entries map[string]T) Index[T] {
	size := 8
	for size < 3*len(entries) {
		size *= 2
	}
	x := Index[T]{slots: make([]slot[T], size)}
	for name, value := range entries {
		h := hashOf(name)
		i := int(h) & (size - 1)
		for x.slots[i].used {
			i = (i + 1) & (size - 1)
		}
		x.slots[i] = slot[T]{hash: h, used: true, name: name, value: value}
	}
	return x
}

// Of is what goes with the name of a member, or the zero value.
func (x *Index[T]) Of(member *Node) (value T) {
	return x.find(member.hash, member.Name)
}

// At is what goes with a name, or the zero value.
func (x *Index[T]) At(name string) (value T) { return x.find(hashOf(name), name) }

func (x *Index[T]) find(hash uint32, name string) (value T) {
	mask := len(x.slots) - 1
	if mask < 0 {
		return value
	}
	for i := int(hash) & mask; ; i = (i + 1) & mask {
		s := &x.slots[i]
		if !s.used {
			return value
		}
		if s.hash == hash && s.name == name {
			return s.value
		}
	}
}
