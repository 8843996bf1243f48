package httpserver

import (
	"bytes"
	"encoding"
	"encoding/json"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object that keeps the order of its members, so that the
// document reads as the Go code does.
type object []member

type member struct {
	key   string
	value any
}

// MarshalJSON implements [json.Marshaler].
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(m.key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Describer is a type that writes JSON in its own way and says how, as a JSON Schema.
type Describer interface{ JSONSchema() map[string]any }

// schemas collects the JSON Schemas of named Go types.
type schemas struct {
	names map[reflect.Type]string
	made  map[string]any // by component name; nil while it is being made
	order []string
}

func newSchemas() *schemas {
	return &schemas{names: map[reflect.Type]string{}, made: map[string]any{}}
}

func (s *schemas) components() object {
	slices.Sort(s.order)
	out := object{}
	for _, name := range s.order {
		out = append(out, member{name, s.made[name]})
	}
	return out
}

// of gives the schema of v's type: nil is anything.
func (s *schemas) of(v any) any {
	if v == nil {
		return object{}
	}
	return s.schema(reflect.TypeOf(v))
}

var (
	timeType      = reflect.TypeFor[time.Time]()
	rawType       = reflect.TypeFor[json.RawMessage]()
	marshaler     = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	describer     = reflect.TypeFor[Describer]()
)

func (s *schemas) schema(t reflect.Type) any {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	has := func(i reflect.Type) bool { return t.Implements(i) || reflect.PointerTo(t).Implements(i) }
	switch {
	case t == timeType:
		return object{{"type", "string"}, {"format", "date-time"}}
	case t == rawType:
		return object{}
	case has(describer):
		if d, ok := reflect.New(t).Interface().(Describer); ok {
			return s.named(t, func() any { return d.JSONSchema() })
		}
		return object{}
	case has(marshaler):
		return object{}
	case has(textMarshaler):
		return object{{"type", "string"}}
	}
	switch t.Kind() {
	case reflect.Bool:
		return object{{"type", "boolean"}}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return object{{"type", "integer"}}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{{"type", "integer"}, {"minimum", 0}}
	case reflect.Float32, reflect.Float64:
		return object{{"type", "number"}}
	case reflect.String:
		return object{{"type", "string"}}
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 && t.Kind() == reflect.Slice {
			return object{{"type", "string"}, {"contentEncoding", "base64"}}
		}
		return object{{"type", "array"}, {"items", s.schema(t.Elem())}}
	case reflect.Map:
		return object{{"type", "object"}, {"additionalProperties", s.schema(t.Elem())}}
	case reflect.Struct:
		return s.named(t, func() any { return s.structure(t) })
	}
	return object{}
}

// named puts the schema of a named type under components and refers to it; a
// type that is being made already is referred to, which ends recursion.
func (s *schemas) named(t reflect.Type, make func() any) any {
	if t.Name() == "" {
		return make()
	}
	name, known := s.names[t]
	if !known {
		name = s.name(t)
		s.names[t] = name
		s.made[name] = nil
		s.order = append(s.order, name)
		s.made[name] = make()
	}
	return object{{"$ref", "#/components/schemas/" + name}}
}

var importPath = regexp.MustCompile(`[A-Za-z0-9_.~-]+/`)

// name is package.Type; a generic type names its arguments behind it. Types of
// the same name in packages of the same name are numbered.
func (s *schemas) name(t reflect.Type) string {
	own := importPath.ReplaceAllString(t.Name(), "")
	own = strings.NewReplacer("[", "_of_", "]", "", ",", "_", "*", "", "{", "", "}", "", " ", "").Replace(own)
	base := path.Base(t.PkgPath()) + "." + own
	name := base
	for i := 2; ; i++ {
		if _, taken := s.made[name]; !taken {
			return name
		}
		name = base + strconv.Itoa(i)
	}
}

func (s *schemas) structure(t reflect.Type) object {
	var fields []field
	s.fields(t, 0, &fields)
	properties, required := object{}, []string{}
	for _, f := range fields {
		properties = append(properties, member{f.name, f.schema})
		if f.required {
			required = append(required, f.name)
		}
	}
	out := object{{"type", "object"}, {"properties", properties}}
	if len(required) > 0 {
		out = append(out, member{"required", required})
	}
	return out
}

type field struct {
	name     string
	schema   any
	required bool
	depth    int // of embedding: the shallower of two fields of one name is the one that encoding/json sees
}

func (s *schemas) fields(t reflect.Type, depth int, fields *[]field) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" && options == "" {
			continue
		}
		if f.Anonymous && name == "" {
			embedded := f.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			if embedded.Kind() == reflect.Struct {
				s.fields(embedded, depth+1, fields)
				continue
			}
		}
		if !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		flags := strings.Split(options, ",")
		schema := s.schema(f.Type)
		if slices.Contains(flags, "string") {
			schema = object{{"type", "string"}}
		}
		if o, ok := schema.(object); ok {
			schema = annotate(o, f)
		}
		found := field{name: name, schema: schema, depth: depth}
		found.required = !slices.Contains(flags, "omitempty") && !slices.Contains(flags, "omitzero")
		if at := slices.IndexFunc(*fields, func(o field) bool { return o.name == name }); at < 0 {
			*fields = append(*fields, found)
		} else if depth < (*fields)[at].depth {
			(*fields)[at] = found
		}
	}
}

// annotate adds what the tags doc, format, enum and example say. The format and
// the enum of a list speak of its items.
func annotate(schema object, f reflect.StructField) object {
	schema = slices.Clone(schema)
	if at := slices.IndexFunc(schema, func(m member) bool { return m.key == "items" }); at < 0 {
		schema = restrict(schema, f)
	} else if items, ok := schema[at].value.(object); ok {
		schema[at].value = restrict(slices.Clone(items), f)
	}
	if doc := f.Tag.Get("doc"); doc != "" {
		schema = append(schema, member{"description", doc})
	}
	if example := f.Tag.Get("example"); example != "" {
		var value any = example
		if f.Type.Kind() != reflect.String && json.Valid([]byte(example)) {
			value = json.RawMessage(example)
		}
		schema = append(schema, member{"examples", []any{value}})
	}
	return schema
}

func restrict(schema object, f reflect.StructField) object {
	if format := f.Tag.Get("format"); format != "" {
		schema = append(schema, member{"format", format})
	}
	if enum := f.Tag.Get("enum"); enum != "" {
		schema = append(schema, member{"enum", strings.Split(enum, ",")})
	}
	return schema
}
