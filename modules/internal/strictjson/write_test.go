package strictjson_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

type part struct {
	Name  string   `json:"name,omitempty"`
	Words []string `json:"words,omitempty"`
}

type written struct {
	Context []any             `json:"@context,omitempty"`
	ID      string            `json:"id"`
	Types   []string          `json:"type"`
	Flag    bool              `json:"flag,omitempty"`
	Count   int               `json:"count"`
	Credits *float64          `json:"credits,omitempty"`
	Inner   part              `json:"inner"`
	Other   *part             `json:"other,omitempty"`
	Null    *part             `json:"null"`
	Several []part            `json:"several,omitempty"`
	Raw     []json.RawMessage `json:"raw,omitempty"`
	Parent  *written          `json:"parent,omitempty"`
	Hidden  string            `json:"-"`
	part
}

// TestWriteIsMarshalAndParse holds Write to encoding/json and Parse.
func TestWriteIsMarshalAndParse(t *testing.T) {
	text := rapid.StringOf(rapid.RuneFrom([]rune("ab \"\\\n\r\té製😀<>&'\u2028\u0000\u007f/")))
	words := rapid.SliceOfN(text, 0, 3)
	inners := rapid.Custom(func(t *rapid.T) part { return part{text.Draw(t, "name"), words.Draw(t, "words")} })
	structs := rapid.Custom(func(t *rapid.T) written {
		w := written{
			ID: text.Draw(t, "id"), Types: words.Draw(t, "types"), Flag: rapid.Bool().Draw(t, "flag"), Count: rapid.Int().Draw(t, "count"),
			Inner: inners.Draw(t, "inner"), Several: rapid.SliceOfN(inners, 0, 3).Draw(t, "several"), Hidden: "x", part: inners.Draw(t, "embedded"),
		}
		for _, s := range words.Draw(t, "context") {
			w.Context = append(w.Context, s)
		}
		if rapid.Bool().Draw(t, "credited") {
			f := rapid.Float64Range(-1e30, 1e30).Draw(t, "credits")
			w.Credits = &f
		}
		if rapid.Bool().Draw(t, "another") {
			i := inners.Draw(t, "other")
			w.Other = &i
		}
		switch rapid.IntRange(0, 9).Draw(t, "odd") {
		case 0:
			w.Raw = []json.RawMessage{[]byte(`{"a": [1, "<"]}`)}
		case 1:
			w.Context = append(w.Context, map[string]any{"a": 1.5})
		case 2:
			w.ID = "\xff"
		case 3:
			w.Raw = []json.RawMessage{[]byte(`{"a":1,"a":2}`)}
		case 4:
			w.Raw = []json.RawMessage{[]byte(`{`)}
		case 5:
			for range 40 {
				above := w
				w = written{ID: "x", Parent: &above}
			}
		}
		return w
	})
	rapid.Check(t, func(t *rapid.T) {
		w := structs.Draw(t, "struct")
		wantText, wantErr := json.Marshal(&w)
		var want any
		if wantErr == nil {
			want, wantErr = strictjson.Parse(wantText)
		}
		got, tree, err := strictjson.Write(&w)
		if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
			t.Fatalf("Write: %v, want %v", err, wantErr)
		}
		if err == nil && (!bytes.Equal(got, wantText) || !reflect.DeepEqual(tree.Value(), want)) {
			t.Fatalf("got\n%s\n%#v\nwant\n%s\n%#v", got, tree.Value(), wantText, want)
		}
		if err == nil {
			read, err := strictjson.Read(got)
			if err != nil || !same(tree, read) || tree.Solid() != read.Solid() {
				t.Fatalf("the nodes of %s are not those that are read: %v", got, err)
			}
		}
	})
}

// same reports whether two trees of nodes are the same in every respect.
func same(a, b *strictjson.Node) bool {
	if a.Name != b.Name || a.Text != b.Text || a.Kind != b.Kind || a.Len() != b.Len() || a.Plain() && !plain(a.Text) || b.Plain() && !plain(b.Text) {
		return false
	}
	x, y := a.First(), b.First()
	for ; x != nil && y != nil; x, y = x.Next(), y.Next() {
		if !same(x, y) {
			return false
		}
	}
	return x == nil && y == nil
}

func plain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f || r == '"' || r == '\\' })
}

func TestWritePutsKnownPartsInTheirPlace(t *testing.T) {
	w := written{ID: "x", Inner: part{Name: "never written"}, Other: &part{Name: "written"}}
	known, err := strictjson.Read([]byte(`{"name":"known"}`))
	if err != nil {
		t.Fatal(err)
	}
	text, tree, err := strictjson.Write(&w, strictjson.Known{At: &w.Inner, Text: []byte(`{"name":"known"}`), Value: known})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"id":"x","type":null,"count":0,"inner":{"name":"known"},"other":{"name":"written"},"null":null}`; string(text) != want {
		t.Errorf("got %s, want %s", text, want)
	}
	again, err := strictjson.Parse(text)
	if err != nil || !reflect.DeepEqual(tree.Value(), again) {
		t.Errorf("got %#v, want %#v, %v", tree.Value(), again, err)
	}
	if !tree.Get("inner").Same(known) || tree.Get("other").Same(known) {
		t.Error("the known part is not the very one that was given")
	}
	w.Raw = []json.RawMessage{[]byte("1")}
	if _, _, err := strictjson.Write(&w, strictjson.Known{At: &w.Inner, Text: []byte(`{}`), Value: known}); err == nil {
		t.Error("what cannot be written with known parts is written")
	}
}
