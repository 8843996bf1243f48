package sqlite

import (
	"strconv"
	"strings"
)

// JSONText implements [database.JSON].
func (Driver) JSONText(column string, path ...string) (sql string, values []any) {
	return "json_extract(" + column + ", ?)", []any{steps(path)}
}

// JSONEach implements [database.JSON].
func (Driver) JSONEach(column, alias string, path ...string) (sql string, values []any) {
	at := steps(path)
	return "json_each(CASE WHEN json_type(" + column + ", ?) = 'array' THEN " + column + " ELSE '{}' END, ?) AS " + alias, []any{at, at}
}

// Contains implements [database.JSON].
func (Driver) Contains(text string) (sql string) { return "instr(" + text + ", ?) > 0" }

// steps writes a path as SQLite's functions read it.
func steps(path []string) string {
	var b strings.Builder
	b.WriteByte('$')
	for _, step := range path {
		if _, err := strconv.ParseUint(step, 10, 31); err == nil {
			b.WriteString("[" + step + "]")
		} else {
			b.WriteString(`."` + step + `"`)
		}
	}
	return b.String()
}
