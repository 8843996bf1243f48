package postgres

import "strings"

// JSONText implements [database.JSON].
func (Driver) JSONText(column string, path ...string) (sql string, values []any) {
	sql, values = extract("jsonb_extract_path_text", column, path)
	return "(" + sql + ` COLLATE "C")`, values
}

// JSONEach implements [database.JSON].
func (Driver) JSONEach(column, alias string, path ...string) (sql string, values []any) {
	element, steps := extract("jsonb_extract_path", column, path)
	return "jsonb_array_elements(CASE WHEN jsonb_typeof(" + element + ") = 'array' THEN " + element + " ELSE '[]' END) AS " + alias + " (value)",
		append(steps, steps...)
}

// Contains implements [database.JSON].
func (Driver) Contains(text string) (sql string) { return "strpos(" + text + ", ?) > 0" }

func extract(function, column string, path []string) (sql string, steps []any) {
	for _, step := range path {
		steps = append(steps, step)
	}
	return function + "(" + column + strings.Repeat(", ?", len(path)) + ")", steps
}
