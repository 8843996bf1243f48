package strictjson

import (
	"encoding"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Known is what stands in the place of a field: its text, and what [Read] reads in it.
type Known struct {
	At    any // a pointer to the field
	Text  []byte
	Value *Node
}

// Write answers the text that encoding/json makes of a struct, and the nodes that [Read] reads in that text, at the cost
// of neither. It passes over a field that is known. What it does not do itself it leaves to those two; the errors are
// theirs: *[Error] for what cannot be read, and those of encoding/json.
func Write(v any, known ...Known) ([]byte, *Node, error) {
	value := reflect.ValueOf(v)
	if value.Kind() != reflect.Pointer || value.IsNil() {
		return nil, nil, fmt.Errorf("strictjson: write a %T: it is no pointer", v)
	}
	nodes, size := 112, 3072 // a badge has about as many
	if len(known) > 0 {
		nodes, size = 48, 1024
		for _, k := range known {
			size += len(k.Text)
		}
	}
	w := writer{text: make([]byte, 0, size), known: known, arena: arena{chunk: make([]Node, 0, nodes)}}
	w.at = w.few[:0]
	for _, k := range known {
		w.at = append(w.at, reflect.ValueOf(k.At).Pointer())
	}
	root := w.node()
	if w.value(root, value.Elem(), planOf(value.Type().Elem()), 0) {
		root.solid = !w.hollow
		return w.text, root, nil
	}
	if len(known) > 0 {
		return nil, nil, errUnwritten
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, nil, err
	}
	root, err = Read(text)
	return text, root, err
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
	hash  uint32
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
		p.fields = append(p.fields, fieldPlan{index: index, name: name, hash: hashOf(name), key: strconv.Quote(name) + ":", omit: options == "omitempty", plan: makePlan(f.Type, made)})
	}
	return true
}

type writer struct {
	arena
	text   []byte
	known  []Known
	at     []uintptr // where the known fields are, which the caller holds
	few    [4]uintptr
	hollow bool // a null or an empty array was written
}

// value writes a value, and into n what Read would read; false where it is not written here.
func (w *writer) value(n *Node, v reflect.Value, p *plan, depth int) bool {
	switch p.kind {
	case reflect.String:
		return w.str(n, v.String())
	case reflect.Bool:
		n.Kind = False
		if v.Bool() {
			n.Kind = True
		}
		w.text = strconv.AppendBool(w.text, v.Bool())
	case reflect.Int, reflect.Int64:
		start := len(w.text)
		w.text = strconv.AppendInt(w.text, v.Int(), 10)
		n.Kind, n.Text = Number, string(w.text[start:])
	case reflect.Float64:
		text, err := json.Marshal(v.Float())
		w.text = append(w.text, text...)
		n.Kind, n.Text = Number, string(text)
		return err == nil
	case reflect.Interface:
		s, ok := v.Interface().(string)
		return ok && w.str(n, s)
	case reflect.Pointer:
		if !v.IsNil() {
			return w.value(n, v.Elem(), p.elem, depth)
		}
		w.null(n)
	case reflect.Slice:
		return w.slice(n, v, p, depth)
	case reflect.Struct:
		return w.object(n, v, p, depth)
	default:
		return false
	}
	return true
}

func (w *writer) null(n *Node) {
	n.Kind, w.hollow = Null, true
	w.text = append(w.text, "null"...)
}

func (w *writer) slice(n *Node, v reflect.Value, p *plan, depth int) bool {
	if v.IsNil() {
		w.null(n)
		return true
	}
	if depth > maxWritten {
		return false
	}
	n.Kind = Array
	w.hollow = w.hollow || v.Len() == 0
	w.text = append(w.text, '[')
	var last *Node
	for i := range v.Len() {
		if i > 0 {
			w.text = append(w.text, ',')
		}
		item := w.node()
		n.link(&last, item)
		if !w.value(item, v.Index(i), p.elem, depth+1) {
			return false
		}
	}
	w.text = append(w.text, ']')
	return true
}

func (w *writer) object(n *Node, v reflect.Value, p *plan, depth int) bool {
	if depth > maxWritten {
		return false
	}
	n.Kind = Object
	if len(w.at) > 0 && v.CanAddr() {
		at := v.Addr().Pointer()
		for i := range w.at {
			if w.at[i] == at && reflect.TypeOf(w.known[i].At).Elem() == v.Type() {
				w.text = append(w.text, w.known[i].Text...)
				known := w.known[i].Value
				n.Kind, n.first, n.count = known.Kind, known.first, known.count
				w.hollow = w.hollow || !known.solid
				return true
			}
		}
	}
	w.text = append(w.text, '{')
	var last *Node
	for i := range p.fields {
		f := &p.fields[i]
		inner := fieldOf(v, f.index)
		if f.omit && empty(inner) {
			continue
		}
		if last != nil {
			w.text = append(w.text, ',')
		}
		w.text = append(w.text, f.key...)
		m := w.node()
		m.Name, m.hash = f.name, f.hash
		n.link(&last, m)
		if !w.value(m, inner, f.plan, depth+1) {
			return false
		}
	}
	w.text = append(w.text, '}')
	return true
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
func (w *writer) str(n *Node, s string) bool {
	n.Kind, n.Text = String, s
	if w.text, n.plain = AppendPlain(w.text, s); n.plain {
		return true
	}
	n.plain = plainText(s)
	if !utf8.ValidString(s) {
		return false
	}
	text, err := json.Marshal(s)
	w.text = append(w.text, text...)
	return err == nil
}

// AppendPlain writes a string as encoding/json does, if that is only to put it between quotes; else it writes nothing.
func AppendPlain(dst []byte, s string) ([]byte, bool) {
	start := len(dst)
	dst = append(append(append(dst, '"'), s...), '"')
	if !asItIs(dst[start+1 : len(dst)-1]) {
		return dst[:start], false
	}
	return dst, true
}

// asItIs reports whether encoding/json writes every byte as it is, each being a character of ASCII.
func asItIs(text []byte) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; len(text) >= 8; text = text[8:] {
		x := binary.LittleEndian.Uint64(text)
		quote, slash, del, less, more, and := x^ones*'"', x^ones*'\\', x^ones*0x7f, x^ones*'<', x^ones*'>', x^ones*'&'
		others := x | (x-ones*' ')&^x | (quote-ones)&^quote | (slash-ones)&^slash | (del-ones)&^del | (less-ones)&^less | (more-ones)&^more | (and-ones)&^and
		if others&tops != 0 {
			return false
		}
	}
	for _, c := range text {
		if c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

// plainText reports whether a text is printable ASCII without quotes and backslashes.
func plainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
