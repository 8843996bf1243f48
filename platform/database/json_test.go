package database_test

import (
	"fmt"
	"testing"

	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

func TestEveryEngineLooksIntoJSONAlike(t *testing.T) {
	const doc = `{"a": {"b.c:d": "Zoë"}, "list": [{"v": "x"}, {"v": "y"}, {"v": "x%"}], "flat": ["p", "q"]}`
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		text := doc
		for _, row := range []thing{{ID: "full", Doc: &text, At: noon}, {ID: "empty", At: noon}} {
			if err := db.Session(t.Context()).Create(&row).Error; err != nil {
				t.Fatal(err)
			}
		}
		js := db.JSON()
		found := func(condition string, values ...any) (n int64) {
			t.Helper()
			if err := db.Reader(t.Context()).Model(&thing{}).Where(condition, values...).Count(&n).Error; err != nil {
				t.Fatalf("%s: %v", condition, err)
			}
			return n
		}
		type piece struct {
			sql    string
			values []any
		}
		take := func(sql string, values []any) piece { return piece{sql, values} }
		for _, tt := range []struct {
			name      string
			piece     piece
			condition string
			value     any
			want      int64
		}{
			{"a text", take(js.JSONText("doc", "a", "b.c:d")), "%s = ?", "Zoë", 1},
			{"a text that is another", take(js.JSONText("doc", "a", "b.c:d")), "%s = ?", "zoë", 0},
			{"texts compare by their bytes", take(js.JSONText("doc", "a", "b.c:d")), "%s > ?", "Z", 1},
			{"upper case comes first", take(js.JSONText("doc", "a", "b.c:d")), "%s < ?", "a", 1},
			{"a text that is not there", take(js.JSONText("doc", "a", "nothing")), "%s IS NULL AND 'x' = ?", "x", 2},
			{"an element by its number", take(js.JSONText("doc", "list", "1", "v")), "%s = ?", "y", 1},
			{"an element of texts", take(js.JSONText("doc", "flat", "0")), "%s = ?", "p", 1},
			{"a part of a text", take(js.JSONText("doc", "a", "b.c:d")), "CONTAINS", "oë", 1},
			{"a part is no pattern", take(js.JSONText("doc", "list", "0", "v")), "CONTAINS", "%", 0},
			{"a part minds case", take(js.JSONText("doc", "a", "b.c:d")), "CONTAINS", "OË", 0},
		} {
			t.Run(tt.name, func(t *testing.T) {
				condition := fmt.Sprintf(tt.condition, tt.piece.sql)
				if tt.condition == "CONTAINS" {
					condition = js.Contains(tt.piece.sql)
				}
				if n := found(condition, append(tt.piece.values, tt.value)...); n != tt.want {
					t.Errorf("%d rows, want %d", n, tt.want)
				}
			})
		}
		each, values := js.JSONEach("doc", "e", "list")
		v, at := js.JSONText("e.value", "v")
		for term, want := range map[string]int64{"x": 1, "y": 1, "z": 0} {
			if got := found("EXISTS (SELECT 1 FROM "+each+" WHERE "+v+" = ?)", append(append(append([]any{}, values...), at...), term)...); got != want {
				t.Errorf("elements with %s: %d rows, want %d", term, got, want)
			}
		}
		each, values = js.JSONEach("doc", "e", "a") // no array
		if got := found("EXISTS (SELECT 1 FROM "+each+")", values...); got != 0 {
			t.Errorf("an object has elements in %d rows", got)
		}
	}, schema)
}
