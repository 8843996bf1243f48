package strictjson_test

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// values makes up what Parse could read.
func values() *rapid.Generator[any] {
	names := rapid.StringMatching(`[a-c@]{0,3}|[a-z]{4,12}`)
	scalars := rapid.OneOf(
		rapid.Just[any](nil), rapid.Map(rapid.Bool(), func(b bool) any { return b }), rapid.Map(rapid.String(), func(s string) any { return strings.ToValidUTF8(s, "?") }),
		rapid.Map(rapid.Int(), func(n int) any { return json.Number(fmt.Sprint(n)) }))
	tree := scalars
	for range 3 {
		below := tree
		tree = rapid.OneOf(scalars,
			rapid.Map(rapid.SliceOfN(below, 0, 4), func(items []any) any { return items }),
			rapid.Map(rapid.MapOfN(names, below, 0, 40), func(members map[string]any) any { return members }))
	}
	return tree
}

// TestNodesSayWhatMapsSay takes values there and back.
func TestNodesSayWhatMapsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := values().Draw(t, "value")
		n := strictjson.NodeOf(value)
		if got := n.Value(); !reflect.DeepEqual(got, value) {
			t.Fatalf("%#v became %#v", value, got)
		}
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		read, err := strictjson.Read(text)
		if err != nil || !strictjson.Equal(read, n) || !strictjson.Equal(n, read) {
			t.Fatalf("%s is read as %#v, %v", text, read.Value(), err)
		}
		if read.Solid() == hollow(value) {
			t.Fatalf("%s: solid is %t", text, read.Solid())
		}
		members, _ := value.(map[string]any)
		for name, member := range members {
			if got := read.Get(name); got == nil || !reflect.DeepEqual(got.Value(), member) {
				t.Fatalf("the member %q is %#v", name, got.Value())
			}
			less := read.Altered([]string{name}, strictjson.NewString("a new one", name))
			if less.Get(name) != nil || less.Member("a new one") != name || less.Len() != read.Len() || read.Get(name) == nil {
				t.Fatalf("without %q it is %#v", name, less.Value())
			}
		}
		if len(members) > 0 && strictjson.Equal(read, read.Altered([]string{read.First().Name})) {
			t.Fatal("an object equals a part of it")
		}
	})
}

// hollow reports whether there is a null or an empty array.
func hollow(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case []any:
		for _, item := range v {
			if hollow(item) {
				return true
			}
		}
		return len(v) == 0
	case map[string]any:
		for _, member := range v {
			if hollow(member) {
				return true
			}
		}
	}
	return false
}

func TestNodeOfRefusesWhatIsNoJSON(t *testing.T) {
	deep := any("x")
	for range strictjson.MaxDepth + 1 {
		deep = []any{deep}
	}
	for name, value := range map[string]any{
		"not a number": math.NaN(), "infinity": []any{math.Inf(1)}, "a type of Go": map[string]any{"a": struct{}{}}, "nesting beyond the limit": deep,
	} {
		if n := strictjson.NodeOf(value); n != nil {
			t.Errorf("%s became %#v", name, n.Value())
		}
	}
}

// A name that stands twice is found among few members and among many, wherever it stands.
func TestAMemberTwiceIsRefusedHoweverManyThereAre(t *testing.T) {
	for _, count := range []int{1, 2, 23, 24, 25, 26, 100} {
		for _, twice := range []int{0, count / 2, count - 1} {
			var members []string
			for i := range count {
				members = append(members, fmt.Sprintf(`"member%d":%d`, i, i))
			}
			if _, err := strictjson.Read([]byte("{" + strings.Join(members, ",") + "}")); err != nil {
				t.Fatal(err)
			}
			again := fmt.Sprintf(`"member%d":0`, twice)
			_, err := strictjson.Read([]byte("{" + strings.Join(append(members, again), ",") + "}"))
			if want := fmt.Sprintf("the member %q appears twice", fmt.Sprint("member", twice)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("of %d members one stands twice: %v, want %q", count, err, want)
			}
		}
	}
}

// TestStringsAreReadInEightsAndSingly puts every byte at every place of a string.
func TestStringsAreReadInEightsAndSingly(t *testing.T) {
	for at := range 20 {
		for b := range 256 {
			text := []byte(`["` + strings.Repeat("x", 20) + `"]`)
			text[2+at] = byte(b)
			n, err := strictjson.Read(text)
			if good := json.Valid(text) && b < 0x80; good != (err == nil) {
				t.Fatalf("the byte %#x at %d: %v", b, at, err)
			} else if !good {
				continue
			}
			if plain := b != 0x7f; n.First().Plain() != plain || n.First().Text != string(text[2:22]) {
				t.Fatalf("the byte %#x at %d: plain is %t", b, at, n.First().Plain())
			}
		}
	}
}

// TestPlainStringsAreWrittenInEightsAndSingly holds every byte at every place to encoding/json.
func TestPlainStringsAreWrittenInEightsAndSingly(t *testing.T) {
	for at := range 20 {
		for b := range 256 {
			text := []byte(strings.Repeat("x", 20))
			text[at] = byte(b)
			want, err := json.Marshal(string(text))
			if err != nil {
				t.Fatal(err)
			}
			got, plain := strictjson.AppendPlain([]byte("before"), string(text))
			if as := string(want) == `"`+string(text)+`"` && b < 0x7f; plain != as || plain && string(got) != "before"+string(want) || !plain && string(got) != "before" {
				t.Fatalf("the byte %#x at %d: %s, %t, want %s", b, at, got, plain, want)
			}
		}
	}
}

func TestAnIndexFindsWhatIsInIt(t *testing.T) {
	entries := map[string]int{}
	for i := range 300 {
		entries[strings.Repeat("n", i%20)+fmt.Sprint(i)] = i + 1
	}
	entries[""] = 1000
	index := strictjson.NewIndex(entries)
	for name, want := range entries {
		if index.At(name) != want || index.Of(strictjson.NewString(name, "")) != want || index.At(name+"?") != 0 {
			t.Errorf("%q is %d, want %d", name, index.At(name), want)
		}
	}
	var none strictjson.Index[int]
	if none.At("x") != 0 {
		t.Error("an index of nothing finds something")
	}
}
