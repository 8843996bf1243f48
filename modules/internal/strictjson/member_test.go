package strictjson

import (
	"reflect"
	"testing"
)

func TestMembersAreReadAsTheyStand(t *testing.T) {
	m := map[string]any{"name": "Ada", "age": 36.0}
	for name, want := range map[string]string{"name": "Ada", "age": "", "none": ""} {
		if got := Text(m, name); got != want {
			t.Errorf("%s reads as %q, not %q", name, got, want)
		}
	}
	for _, c := range []struct {
		value any
		list  []any
		texts []string
	}{
		{nil, nil, nil},
		{"a", []any{"a"}, []string{"a"}},
		{[]any{}, []any{}, nil},
		{[]any{"a", 1.0, "b"}, []any{"a", 1.0, "b"}, []string{"a", "b"}},
		{1.0, []any{1.0}, nil},
	} {
		if got := List(c.value); !reflect.DeepEqual(got, c.list) {
			t.Errorf("%v lists as %v, not %v", c.value, got, c.list)
		}
		if got := Texts(c.value); !reflect.DeepEqual(got, c.texts) {
			t.Errorf("%v has the strings %v, not %v", c.value, got, c.texts)
		}
	}
}
