package strictjson

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Known is what stands in the place of a field: its text, and what Parse reads in it.
type Known struct {
	At    any // a pointer to the field
	Text  []byte
	Value any
}

// Write answers the text that encoding/json makes of a struct, and the tree that [Parse] reads in that text, at the cost
// of neither. It passes over a field that is known. What it does not do itself it leaves to those two; the errors are
// theirs: *[Error] for what cannot be read, and those of encoding/json.
func Write(v any, known ...Known) ([]byte, any, error) {
	value := reflect.ValueOf(v)
	if value.Kind() != reflect.Pointer || value.IsNil() {
		return nil, nil, fmt.Errorf("strictjson: write a %T: it is no pointer", v)
	}
	w := writer{text: make([]byte, 0, 3072), known: known}
	for _, k := range known {
		w.at = append(w.at, reflect.ValueOf(k.At).UnsafePointer())
	}
	if tree, ok := w.value(value.Elem(), planOf(value.Type().Elem()), 0); ok {
		return w.text, tree, nil
	}
	if len(known) > 0 {
		return nil, nil, errUnwritten
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, nil, err
	}
	tree, err := Parse(text)
	return text, tree, err
}

// errUnwritten says that a struct is not one that can be written with known parts.
var errUnwritten = fmt.Errorf("strictjson: it cannot be written with known parts")

// maxWritten is deeper than credentials nest, and less deep than Parse reads.
const maxWritten = 24

// plan is how values of a type are written.
type plan struct {
	kind   reflect.Kind // Invalid: not here
	raw    bool         // json.RawMessage
	elem   *plan        // of what a pointer or slice leads to
	fields []fieldPlan
}

type fieldPlan struct {
	index []int
	name  string
	key   string // the name as it is written
	omit  bool   // when empty
	plan  *plan
}

var (
	plans         sync.Map // reflect.Type to *plan
	planning      sync.Mutex
	rawMessage    = reflect.TypeFor[json.RawMessage]()
	marshaler     = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

func planOf(t reflect.Type) *plan {
	if p, known := plans.Load(t); known {
		return p.(*plan)
	}
	planning.Lock()
	defer planning.Unlock()
	made := map[reflect.Type]*plan{}
	p := makePlan(t, made)
	for t, p := range made { // only when all of them are complete, as types refer to one another
		plans.LoadOrStore(t, p)
	}
	return p
}

func makePlan(t reflect.Type, made map[reflect.Type]*plan) *plan {
	if p := made[t]; p != nil {
		return p
	}
	p := &plan{}
	made[t] = p
	if t == rawMessage {
		p.raw = true
		return p
	}
	if t.Implements(marshaler) || t.Implements(textMarshaler) || reflect.PointerTo(t).Implements(marshaler) || reflect.PointerTo(t).Implements(textMarshaler) {
		return p
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64, reflect.Interface:
		p.kind = t.Kind()
	case reflect.Pointer, reflect.Slice:
		p.elem = makePlan(t.Elem(), made)
		if t.Elem().Kind() != reflect.Uint8 {
			p.kind = t.Kind()
		}
	case reflect.Struct:
		p.kind = reflect.Struct
		if !p.plan(t, nil, made) {
			p.kind = reflect.Invalid
		}
	}
	return p
}

// plan lists the fields of a struct, those of embedded structs in their place.
func (p *plan) plan(t reflect.Type, above []int, made map[reflect.Type]*plan) bool {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(slices.Clone(above), i)
		tag, tagged := f.Tag.Lookup("json")
		if f.Anonymous && !tagged && f.Type.Kind() == reflect.Struct {
			if !p.plan(f.Type, index, made) {
				return false
			}
			continue
		}
		if !f.IsExported() || tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if name == "" {
			name = f.Name
		}
		if options != "" && options != "omitempty" ||
			slices.ContainsFunc(p.fields, func(other fieldPlan) bool { return other.name == name }) {
			return false
		}
		p.fields = append(p.fields, fieldPlan{index: index, name: name, key: strconv.Quote(name) + ":", omit: options == "omitempty", plan: makePlan(f.Type, made)})
	}
	return true
}

type writer struct {
	text  []byte
	known []Known
	at    []any
}

// value writes a value and answers what Parse would read; false where it is not written here.
func (w *writer) value(v reflect.Value, p *plan, depth int) (any, bool) {
	switch p.kind {
	case reflect.String:
		return w.str(v.String())
	case reflect.Bool:
		w.text = strconv.AppendBool(w.text, v.Bool())
		return v.Bool(), true
	case reflect.Int, reflect.Int64:
		start := len(w.text)
		w.text = strconv.AppendInt(w.text, v.Int(), 10)
		return json.Number(w.text[start:]), true
	case reflect.Float64:
		text, err := json.Marshal(v.Float())
		w.text = append(w.text, text...)
		return json.Number(text), err == nil
	case reflect.Interface:
		s, ok := v.Interface().(string)
		if !ok {
			return nil, false
		}
		return w.str(s)
	case reflect.Pointer:
		if v.IsNil() {
			w.text = append(w.text, "null"...)
			return nil, true
		}
		return w.value(v.Elem(), p.elem, depth)
	case reflect.Slice:
		return w.slice(v, p, depth)
	case reflect.Struct:
		return w.object(v, p, depth)
	}
	return nil, false
}

func (w *writer) slice(v reflect.Value, p *plan, depth int) (any, bool) {
	if v.IsNil() {
		w.text = append(w.text, "null"...)
		return nil, true
	}
	if depth > maxWritten {
		return nil, false
	}
	items := make([]any, v.Len())
	w.text = append(w.text, '[')
	for i := range items {
		if i > 0 {
			w.text = append(w.text, ',')
		}
		var ok bool
		if items[i], ok = w.value(v.Index(i), p.elem, depth+1); !ok {
			return nil, false
		}
	}
	w.text = append(w.text, ']')
	return items, true
}

func (w *writer) object(v reflect.Value, p *plan, depth int) (any, bool) {
	if depth > maxWritten {
		return nil, false
	}
	if len(w.at) > 0 && v.CanAddr() {
		at := v.Addr().UnsafePointer()
		for i := range w.at {
			if w.at[i] == any(at) && reflect.TypeOf(w.known[i].At).Elem() == v.Type() {
				w.text = append(w.text, w.known[i].Text...)
				return w.known[i].Value, true
			}
		}
	}
	members := make(map[string]any, 8)
	w.text = append(w.text, '{')
	for i := range p.fields {
		f := &p.fields[i]
		inner := fieldOf(v, f.index)
		if f.omit && empty(inner) {
			continue
		}
		if len(members) > 0 {
			w.text = append(w.text, ',')
		}
		w.text = append(w.text, f.key...)
		value, ok := w.value(inner, f.plan, depth+1)
		if !ok {
			return nil, false
		}
		members[f.name] = value
	}
	w.text = append(w.text, '}')
	return members, true
}

func fieldOf(v reflect.Value, index []int) reflect.Value {
	for _, i := range index {
		v = v.Field(i)
	}
	return v
}

// empty is what encoding/json means by omitempty.
func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String, reflect.Slice, reflect.Map, reflect.Array:
		return v.Len() == 0
	case reflect.Pointer, reflect.Interface, reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
		return v.IsZero()
	}
	return false
}

// str writes a string. Characters that encoding/json escapes are left to it.
func (w *writer) str(s string) (any, bool) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' || c == 0x7f {
			if !utf8.ValidString(s) {
				return nil, false
			}
			text, err := json.Marshal(s)
			w.text = append(w.text, text...)
			return s, err == nil
		}
	}
	w.text = append(append(append(w.text, '"'), s...), '"')
	return s, true
}
