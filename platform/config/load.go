package config

import (
	"encoding"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/caarlos0/env/v11"
	"github.com/joho/godotenv"
)

// Environment gives the variables of the process; those that are not set there
// may come from a file named .env in dir, which need not exist.
func Environment(dir string) (map[string]string, error) {
	environ, err := godotenv.Read(filepath.Join(dir, ".env"))
	if errors.Is(err, os.ErrNotExist) {
		environ = map[string]string{}
	} else if err != nil {
		// The parser's own words may quote a line, and lines hold secrets.
		return nil, errors.New(".env cannot be read; each line is NAME=value, and values with spaces or # stand in quotes")
	}
	for _, pair := range os.Environ() {
		if name, value, ok := strings.Cut(pair, "="); ok {
			environ[name] = value
		}
	}
	return environ, nil
}

// Load fills into, a pointer to a struct of parts, from environ, and then calls
// Check on every part that has it. What is not set, or empty, keeps its value.
//
// A field names its variable by the tag env, a part the prefix of its variables
// by envPrefix. A [Secret] named NAME may also come from the file that NAME_FILE
// names, unless its tag file is "-" because its part reads that file itself. Errors name the variable; the value of a Secret is never shown.
func Load(into any, environ map[string]string) error {
	root := reflect.ValueOf(into)
	if root.Kind() != reflect.Pointer || root.IsNil() || root.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("config: %T is no pointer to a struct", into)
	}
	var errs []error
	var all []variable
	walk(root.Elem(), "", func(v variable) {
		all = append(all, v)
		if err := v.load(environ); err != nil {
			errs = append(errs, err)
		}
	})
	if len(errs) > 0 {
		return errors.Join(errs...) // checking half-filled parts would only add noise
	}
	for _, err := range leaves(check(root)) {
		errs = append(errs, given(err, all, environ))
	}
	return errors.Join(errs...)
}

// given adds to what a part says of its variables what they were given, unless it
// says so itself.
func given(err error, all []variable, environ map[string]string) error {
	said := err.Error()
	for _, v := range all {
		value := environ[v.name]
		if value == "" || !mentions(said, v.name) || strings.Contains(said, strconv.Quote(value)) {
			continue
		}
		said += fmt.Sprintf("; %s is %s", v.name, v.masked(value, false))
	}
	if said == err.Error() {
		return err
	}
	return fmt.Errorf("%w%s", err, said[len(err.Error()):])
}

// mentions reports whether a text names a variable, and not only one whose name
// begins or ends like it.
func mentions(text, name string) bool {
	for at := 0; ; at += len(name) {
		i := strings.Index(text[at:], name)
		if i < 0 {
			return false
		}
		at += i
		before, after := byte(' '), byte(' ')
		if at > 0 {
			before = text[at-1]
		}
		if at+len(name) < len(text) {
			after = text[at+len(name)]
		}
		if !part(before) && !part(after) {
			return true
		}
	}
}

// part reports whether a letter may stand in a variable's name.
func part(b byte) bool {
	return b == '_' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
}

// variable is a field that the environment fills.
type variable struct {
	name  string // the prefix included
	field reflect.StructField
	value reflect.Value
}

func walk(part reflect.Value, prefix string, visit func(variable)) {
	for i := range part.NumField() {
		field := part.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
		switch {
		case name == "-":
		case name != "":
			visit(variable{name: prefix + name, field: field, value: part.Field(i)})
		case field.Type.Kind() == reflect.Struct:
			walk(part.Field(i), prefix+field.Tag.Get("envPrefix"), visit)
		}
	}
}

func (v variable) secret() bool { return v.field.Type == reflect.TypeFor[Secret]() }

// fromFile reports whether the value may come from the file that NAME_FILE names.
func (v variable) fromFile() bool { return v.secret() && v.field.Tag.Get("file") != "-" }

func (v variable) load(environ map[string]string) error {
	if v.fromFile() {
		if done, err := v.loadFile(environ); done || err != nil {
			return err
		}
	}
	if environ[v.name] == "" && !v.value.IsZero() {
		return nil // a default of the part; it also satisfies "required"
	}
	// The library reads one field at a time, so that an error belongs to a variable.
	field := v.field
	field.Anonymous, field.PkgPath, field.Index, field.Offset = false, "", nil, 0
	one := reflect.New(reflect.StructOf([]reflect.StructField{field}))
	one.Elem().Field(0).Set(v.value)
	own, _, _ := strings.Cut(field.Tag.Get("env"), ",")
	environment := map[string]string{}
	if value, set := environ[v.name]; set {
		environment[own] = value
	}
	if err := env.ParseWithOptions(one.Interface(), env.Options{Environment: environment}); err != nil {
		return v.explain(err, environ[v.name])
	}
	v.value.Set(one.Elem().Field(0))
	return nil
}

func (v variable) loadFile(environ map[string]string) (done bool, err error) {
	path := environ[v.name+"_FILE"]
	if path == "" {
		return false, nil
	}
	if environ[v.name] != "" {
		return false, fmt.Errorf("%s and %s_FILE are both set; keep one of them", v.name, v.name)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return false, fmt.Errorf("%s_FILE cannot be read: %w", v.name, err)
	}
	v.value.SetString(strings.TrimRight(string(data), "\r\n"))
	return true, nil
}

func (v variable) explain(err error, value string) error {
	var missing env.VarIsNotSetError
	var empty env.EmptyVarError
	if errors.As(err, &missing) || errors.As(err, &empty) {
		return fmt.Errorf("%s must be set: %s", v.name, v.field.Tag.Get("help"))
	}
	if v.secret() {
		return fmt.Errorf("%s cannot be used; it is %s", v.name, v.masked(value, false))
	}
	if v.value.CanAddr() {
		if _, ok := v.value.Addr().Interface().(encoding.TextUnmarshaler); ok {
			var parse env.ParseError
			if errors.As(err, &parse) {
				err = parse.Err
			}
			if strings.HasPrefix(err.Error(), v.name) {
				return err
			}
			return fmt.Errorf("%s cannot be used: %w", v.name, err)
		}
	}
	return fmt.Errorf("%s is %q; give %s", v.name, withoutPassword(value), kindName(v.field.Type))
}

func kindName(t reflect.Type) string {
	switch {
	case t.String() == "time.Duration":
		return "a duration such as 30s or 5m"
	case t.Kind() == reflect.Bool:
		return "true or false, such as true"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64:
		return "a whole number, such as 10"
	case t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64:
		return "a number, such as 0.5"
	case t.Kind() == reflect.Slice:
		return "a list separated by commas, such as a,b"
	}
	return "a value of type " + t.String()
}

type checker interface{ Check() error }

// check asks the parts first, then the whole; v is a pointer to a struct.
func check(v reflect.Value) error {
	var errs []error
	for i := range v.Elem().NumField() {
		field := v.Elem().Field(i)
		if v.Elem().Type().Field(i).IsExported() && field.Kind() == reflect.Struct {
			errs = append(errs, check(field.Addr()))
		}
	}
	if c, ok := v.Interface().(checker); ok {
		errs = append(errs, c.Check())
	}
	return errors.Join(errs...)
}
