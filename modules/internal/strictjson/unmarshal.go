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
	tree, err := Parse(data)
	if err != nil {
		return err
	}
	if e := check(tree, target.Type().Elem(), ""); e != nil {
		return e
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

// check compares a tree with the type that shall hold it; the first difference in order of names is the answer.
func check(v any, t reflect.Type, at string) *Error {
	if v == nil {
		return &Error{Pointer: at, Problem: "null is not accepted", Remedy: "Leave the member out instead."}
	}
	for t.Kind() == reflect.Pointer && !t.Implements(jsonUnmarshaler) {
		t = t.Elem()
	}
	switch {
	case t.Implements(jsonUnmarshaler) || reflect.PointerTo(t).Implements(jsonUnmarshaler):
		t = anything // it decides for itself; below it only nulls are of interest
	case t == numberType:
		if _, ok := v.(json.Number); !ok {
			return mismatch(v, "a number", at)
		}
		return nil
	case t.Implements(textUnmarshaler) || reflect.PointerTo(t).Implements(textUnmarshaler):
		t = reflect.TypeFor[string]()
	}
	switch t.Kind() {
	case reflect.Interface:
		return checkAny(v, at)
	case reflect.Struct:
		return checkStruct(v, t, at)
	case reflect.Map:
		return checkMap(v, t.Elem(), at)
	case reflect.Slice, reflect.Array:
		return checkArray(v, t, at)
	default:
		return checkScalar(v, t, at)
	}
}

func checkAny(v any, at string) *Error {
	switch v := v.(type) {
	case string:
		return checkText(v, at)
	case map[string]any:
		return checkMap(v, anything, at)
	case []any:
		return checkItems(v, anything, at)
	}
	return nil
}

func checkText(s, at string) *Error {
	if strings.IndexByte(s, 0) >= 0 {
		return &Error{Pointer: at, Problem: "the text contains the character U+0000", Remedy: "Remove it."}
	}
	return nil
}

func checkStruct(v any, t reflect.Type, at string) *Error {
	members, ok := v.(map[string]any)
	if !ok {
		return mismatch(v, "an object", at)
	}
	fields := fieldsOf(t)
	for _, name := range sortedKeys(members) {
		f, known := fields.byName[name]
		if !known {
			return &Error{
				Pointer: Child(at, name),
				Problem: fmt.Sprintf("the member %q is not known here", name),
				Remedy:  fields.suggest(name),
			}
		}
		if f.quoted { // the ",string" option: the value stands between quotes
			if _, ok := members[name].(string); !ok {
				return mismatch(members[name], "a string", Child(at, name))
			}
			continue
		}
		if e := check(members[name], f.typ, Child(at, name)); e != nil {
			return e
		}
	}
	return nil
}

func checkMap(v any, elem reflect.Type, at string) *Error {
	members, ok := v.(map[string]any)
	if !ok {
		return mismatch(v, "an object", at)
	}
	for _, name := range sortedKeys(members) {
		if e := checkText(name, Child(at, name)); e != nil {
			return e
		}
		if e := check(members[name], elem, Child(at, name)); e != nil {
			return e
		}
	}
	return nil
}

func checkArray(v any, t reflect.Type, at string) *Error {
	if s, ok := v.(string); ok && t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
		if _, err := base64.StdEncoding.DecodeString(s); err != nil {
			return &Error{Pointer: at, Problem: "the text is not Base64", Remedy: "Encode the bytes by RFC 4648, section 4, with padding."}
		}
		return nil
	}
	items, ok := v.([]any)
	if !ok {
		return mismatch(v, "an array", at)
	}
	if t.Kind() == reflect.Array && len(items) != t.Len() {
		return &Error{Pointer: at, Problem: fmt.Sprintf("the array has %d items", len(items)), Remedy: fmt.Sprintf("Write exactly %d.", t.Len())}
	}
	return checkItems(items, t.Elem(), at)
}

func checkItems(items []any, elem reflect.Type, at string) *Error {
	for i, item := range items {
		if e := check(item, elem, Child(at, strconv.Itoa(i))); e != nil {
			return e
		}
	}
	return nil
}

func checkScalar(v any, t reflect.Type, at string) *Error {
	switch kind := t.Kind(); kind {
	case reflect.String:
		s, ok := v.(string)
		if !ok {
			return mismatch(v, "a string", at)
		}
		return checkText(s, at)
	case reflect.Bool:
		if _, ok := v.(bool); !ok {
			return mismatch(v, "true or false", at)
		}
		return nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		reflect.Float32, reflect.Float64:
		n, ok := v.(json.Number)
		if !ok {
			return mismatch(v, "a number", at)
		}
		if err := fits(string(n), t); err != nil {
			return &Error{Pointer: at, Problem: fmt.Sprintf("the number %s is not accepted here", shorten(string(n))), Remedy: numberRemedy(kind)}
		}
		return nil
	}
	return &Error{Pointer: at, Problem: "no value is accepted here", Remedy: "Leave the member out."}
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

func mismatch(v any, want, at string) *Error {
	return &Error{Pointer: at, Problem: "found " + nameOf(v) + " instead of " + want, Remedy: "Write " + want + "."}
}

func nameOf(v any) string {
	switch v.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "an array"
	case string:
		return "a string"
	case json.Number:
		return "a number"
	case bool:
		return "true or false"
	}
	return "null"
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
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
