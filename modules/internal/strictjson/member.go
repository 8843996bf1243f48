package strictjson

// Text is a member that is a string; empty for any other, and for none.
func Text(m map[string]any, name string) string {
	s, _ := m[name].(string)
	return s
}

// List is several values, or the one that stands in their place, as JSON-LD has it.
func List(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// Texts are the strings of a value that is one string or several.
func Texts(v any) []string {
	if s, ok := v.(string); ok {
		return []string{s}
	}
	var all []string
	items, _ := v.([]any)
	for _, item := range items {
		if s, ok := item.(string); ok {
			all = append(all, s)
		}
	}
	return all
}
