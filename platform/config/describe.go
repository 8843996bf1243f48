package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Variable is one line of the table of settings.
type Variable struct {
	Name    string
	Default string
	Help    string
}

// Describe lists the variables that Load would read into the given pointer to a
// struct, with the values they have now, or else the envDefault, as defaults.
// A secret's default is never shown.
func Describe(into any) []Variable {
	root := reflect.Indirect(reflect.ValueOf(into))
	if root.Kind() != reflect.Struct {
		return nil
	}
	var out []Variable
	walk(root, "", func(v variable) {
		help := v.field.Tag.Get("help")
		if v.fromFile() {
			help = strings.TrimSpace(help + " (or from the file that " + v.name + "_FILE names)")
		}
		out = append(out, Variable{Name: v.name, Default: v.shown(), Help: help})
	})
	return out
}

func (v variable) shown() string {
	if d := v.field.Tag.Get("envDefault"); v.value.IsZero() && d != "" && !v.secret() {
		return d
	}
	switch value := v.value.Interface().(type) {
	case time.Duration:
		return short(value)
	case []string:
		return strings.Join(value, ",")
	default:
		return fmt.Sprint(value)
	}
}

// short writes 30s and 5m, not 5m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
