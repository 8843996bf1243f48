package strictjson

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// Unmarshal reads one JSON text into v, a non-nil pointer. Beyond what [Parse] refuses it refuses members that v has no
// field for (names match exactly), nulls anywhere, values of another type and the character U+0000, which no database
// column of text can hold. Numbers that land in an `any` become json.Number. Refusals are *[Error].
func Unmarshal(data []byte, v any) error {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return &json.InvalidUnmarshalError{Type: reflect.TypeOf(v)}
	}
	tree, err := Read(data)
	if err != nil {
		return err
	}
	// Most requests have nothing wrong; where one has, the first in the order of names is told.
	if e := (checker{}).check(tree, target.Type().Elem(), nil); e != nil {
		return (checker{sorted: true}).check(tree, target.Type().Elem(), nil)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(v); err != nil {
		// Only an Unmarshaler of v itself can still object.
		return &Error{Problem: err.Error(), Remedy: "Write the value in the form that the documentation gives for it."}
	}
	return nil
}

var (
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	numberType      = reflect.TypeFor[json.Number]()
	anything        = reflect.TypeFor[any]()
)

// place is where a value stands: below another one, as a member or as an item.
type place struct {
	above *place
	name  string
	item  int // where name is not that of a member
	array bool
}

// String is the JSON Pointer.
func (p *place) String() string {
	if p == nil {
		return ""
	}
	if p.array {
		return Child(p.above.String(), strconv.Itoa(p.item))
	}
	return Child(p.above.String(), p.name)
}

// checker compares nodes with the type that shall hold them, and answers the first difference.
type checker struct{ sorted bool }

func (c checker) check(v *Node, t reflect.Type, at *place) *Error {
	if v.Kind == Null {
		return &Error{Pointer: at.String(), Problem: "null is not accepted", Remedy: "Leave the member out instead."}
	}
	k := shapeOf(t)
	switch k.kind {
	case shapeAny:
		return c.any(v, at)
	case shapeNumber:
		if v.Kind != Number {
			return mismatch(v, "a number", at)
		}
		return nil
	case shapeStruct:
		return c.object(v, k.typ, at)
	case shapeMap:
		return c.members(v, k.typ.Elem(), at)
	case shapeArray:
		return c.array(v, k.typ, at)
	}
	return scalar(v, k.typ, at)
}

// shape is what a type asks of a value.
type shape struct {
	kind shapeKind
	typ  reflect.Type // behind pointers
}

type shapeKind uint8

const (
	shapeScalar shapeKind = iota
	shapeAny
	shapeNumber
	shapeStruct
	shapeMap
	shapeArray
)

var shapes sync.Map // reflect.Type to *shape

func shapeOf(t reflect.Type) *shape {
	if known, ok := shapes.Load(t); ok {
		return known.(*shape)
	}
	s := makeShape(t)
	shapes.Store(t, s)
	return s
}

func makeShape(t reflect.Type) *shape {
	for t.Kind() == reflect.Pointer && !t.Implements(jsonUnmarshaler) {
		t = t.Elem()
	}
	switch {
	case t.Implements(jsonUnmarshaler) || reflect.PointerTo(t).Implements(jsonUnmarshaler):
		return &shape{shapeAny, anything} // it decides for itself; below it only nulls are of interest
	case t == numberType:
		return &shape{shapeNumber, t}
	case t.Implements(textUnmarshaler) || reflect.PointerTo(t).Implements(textUnmarshaler):
		return &shape{shapeScalar, reflect.TypeFor[string]()}
	}
	switch t.Kind() {
	case reflect.Interface:
		return &shape{shapeAny, t}
	case reflect.Struct:
		return &shape{shapeStruct, t}
	case reflect.Map:
		return &shape{shapeMap, t}
	case reflect.Slice, reflect.Array:
		return &shape{shapeArray, t}
	}
	return &shape{shapeScalar, t}
}

func (c checker) any(v *Node, at *place) *Error {
	switch v.Kind {
	case String:
		return checkText(v.Text, at)
	case Object:
		return c.members(v, anything, at)
	case Array:
		return c.items(v, anything, at)
	}
	return nil
}

func checkText(s string, at *place) *Error {
	if strings.IndexByte(s, 0) >= 0 {
		return &Error{Pointer: at.String(), Problem: "the text contains the character U+0000", Remedy: "Remove it."}
	}
	return nil
}

// each goes through the members of an object until one of them is wrong.
func (c checker) each(v *Node, at *place, one func(m *Node, at *place) *Error) *Error {
	if !c.sorted {
		for m := v.first; m != nil; m = m.next {
			if e := one(m, &place{above: at, name: m.Name}); e != nil {
				return e
			}
		}
		return nil
	}
	members := make([]*Node, 0, v.count)
	for m := v.first; m != nil; m = m.next {
		members = append(members, m)
	}
	slices.SortFunc(members, func(a, b *Node) int { return strings.Compare(a.Name, b.Name) })
	for _, m := range members {
		if e := one(m, &place{above: at, name: m.Name}); e != nil {
			return e
		}
	}
	return nil
}

func (c checker) object(v *Node, t reflect.Type, at *place) *Error {
	if v.Kind != Object {
		return mismatch(v, "an object", at)
	}
	fields := fieldsOf(t)
	return c.each(v, at, func(m *Node, at *place) *Error {
		f := fields.index.Of(m)
		switch {
		case f == nil:
			return &Error{Pointer: at.String(), Problem: fmt.Sprintf("the member %q is not known here", m.Name), Remedy: fields.suggest(m.Name)}
		case f.quoted: // the ",string" option: the value stands between quotes
			if m.Kind != String {
				return mismatch(m, "a string", at)
			}
			return nil
		}
		return c.check(m, f.typ, at)
	})
}

func (c checker) members(v *Node, elem reflect.Type, at *place) *Error {
	if v.Kind != Object {
		return mismatch(v, "an object", at)
	}
	return c.each(v, at, func(m *Node, at *place) *Error {
		if e := checkText(m.Name, at); e != nil {
			return e
		}
		return c.check(m, elem, at)
	})
}

func (c checker) array(v *Node, t reflect.Type, at *place) *Error {
	if v.Kind == String && t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
		if _, err := base64.StdEncoding.DecodeString(v.Text); err != nil {
			return &Error{Pointer: at.String(), Problem: "the text is not Base64", Remedy: "Encode the bytes by RFC 4648, section 4, with padding."}
		}
		return nil
	}
	if v.Kind != Array {
		return mismatch(v, "an array", at)
	}
	if t.Kind() == reflect.Array && v.Len() != t.Len() {
		return &Error{Pointer: at.String(), Problem: fmt.Sprintf("the array has %d items", v.Len()), Remedy: fmt.Sprintf("Write exactly %d.", t.Len())}
	}
	return c.items(v, t.Elem(), at)
}

func (c checker) items(v *Node, elem reflect.Type, at *place) *Error {
	i := 0
	for item := v.first; item != nil; item = item.next {
		if e := c.check(item, elem, &place{above: at, item: i, array: true}); e != nil {
			return e
		}
		i++
	}
	return nil
}

func scalar(v *Node, t reflect.Type, at *place) *Error {
	switch kind := t.Kind(); kind {
	case reflect.String:
		if v.Kind != String {
			return mismatch(v, "a string", at)
		}
		return checkText(v.Text, at)
	case reflect.Bool:
		if v.Kind != True && v.Kind != False {
			return mismatch(v, "true or false", at)
		}
		return nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		reflect.Float32, reflect.Float64:
		if v.Kind != Number {
			return mismatch(v, "a number", at)
		}
		if err := fits(v.Text, t); err != nil {
			return &Error{Pointer: at.String(), Problem: fmt.Sprintf("the number %s is not accepted here", shorten(v.Text)), Remedy: numberRemedy(kind)}
		}
		return nil
	}
	return &Error{Pointer: at.String(), Problem: "no value is accepted here", Remedy: "Leave the member out."}
}

func fits(n string, t reflect.Type) error {
	var err error
	switch {
	case t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64:
		_, err = strconv.ParseFloat(n, t.Bits())
	case t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uintptr:
		_, err = strconv.ParseUint(n, 10, t.Bits())
	default:
		_, err = strconv.ParseInt(n, 10, t.Bits())
	}
	return err
}

func numberRemedy(kind reflect.Kind) string {
	switch {
	case kind == reflect.Float32 || kind == reflect.Float64:
		return "Write a smaller number."
	case kind >= reflect.Uint && kind <= reflect.Uintptr:
		return "Write a whole number that is not negative, without decimal point or exponent."
	}
	return "Write a whole number without decimal point or exponent."
}

func shorten(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

func mismatch(v *Node, want string, at *place) *Error {
	return &Error{Pointer: at.String(), Problem: "found " + nameOf(v) + " instead of " + want, Remedy: "Write " + want + "."}
}

func nameOf(v *Node) string {
	switch v.Kind {
	case Object:
		return "an object"
	case Array:
		return "an array"
	case String:
		return "a string"
	case Number:
		return "a number"
	case True, False:
		return "true or false"
	}
	return "null"
}

// field is where a member of an object lands.
type field struct {
	typ    reflect.Type
	quoted bool
	depth  int
	tagged bool
	clash  bool
}

type fieldSet struct {
	byName map[string]field
	index  Index[*field] // the same
	names  []string
}

// suggest names what the client may have meant.
func (f *fieldSet) suggest(name string) string {
	for _, n := range f.names {
		if strings.EqualFold(n, name) {
			return fmt.Sprintf("Write %q: member names are case sensitive.", n)
		}
	}
	switch {
	case len(f.names) == 0:
		return "Remove it: no members are known here."
	case len(f.names) > 16:
		return "Remove it, or correct its name."
	}
	return "Remove it, or use one of: " + strings.Join(f.names, ", ") + "."
}

var fieldSets sync.Map // reflect.Type to *fieldSet

func fieldsOf(t reflect.Type) *fieldSet {
	if cached, ok := fieldSets.Load(t); ok {
		return cached.(*fieldSet)
	}
	set := &fieldSet{byName: map[string]field{}}
	set.collect(t, 0, map[reflect.Type]bool{})
	for name, f := range set.byName {
		if f.clash {
			delete(set.byName, name)
			continue
		}
		set.names = append(set.names, name)
	}
	sort.Strings(set.names)
	index := make(map[string]*field, len(set.byName))
	for name, f := range set.byName {
		index[name] = &f
	}
	set.index = NewIndex(index)
	fieldSets.Store(t, set)
	return set
}

// collect follows the visibility rules of encoding/json: of several fields of one name the shallowest wins, among
// equals the tagged one, else none.
func (f *fieldSet) collect(t reflect.Type, depth int, above map[reflect.Type]bool) {
	if above[t] {
		return
	}
	above[t] = true
	defer delete(above, t)
	for i := range t.NumField() {
		sf := t.Field(i)
		tag := sf.Tag.Get("json")
		if tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if sf.Anonymous && name == "" {
			embedded := sf.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			if embedded.Kind() == reflect.Struct {
				f.collect(embedded, depth+1, above)
				continue
			}
		}
		if !sf.IsExported() {
			continue
		}
		found := field{typ: sf.Type, depth: depth, tagged: name != ""}
		if name == "" {
			name = sf.Name
		}
		for option := range strings.SplitSeq(options, ",") {
			found.quoted = found.quoted || option == "string"
		}
		f.add(name, found)
	}
}

func (f *fieldSet) add(name string, found field) {
	known, ok := f.byName[name]
	switch {
	case !ok || found.depth < known.depth:
	case found.depth > known.depth:
		return
	case found.tagged == known.tagged:
		known.clash = true
		f.byName[name] = known
		return
	case known.tagged:
		return
	}
	f.byName[name] = found
}
