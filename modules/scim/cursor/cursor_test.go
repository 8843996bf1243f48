package cursor_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/badge-engine/badge-engine/modules/scim/cursor"
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
)

var start = time.Date(2026, 1, 10, 8, 0, 0, 0, time.UTC)

func keeper(secret string, at time.Time) *cursor.Keeper {
	return cursor.New([]byte(secret), time.Hour, func() time.Time { return at })
}

var query = cursor.Query{Caller: "token 7", Endpoint: "/Users", Filter: `userName sw "d"`, Sort: "userName ascending"}

func TestACursorIsGoodForItsQueryOnly(t *testing.T) {
	secret := strings.Repeat("s", 32)
	place := cursor.Position{Keys: []string{"dana", "01J8"}}
	text := keeper(secret, start).Seal(query, place)
	if strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("%s must be quoted in an address", text)
	}
	got, err := keeper(secret, start.Add(time.Hour-time.Second)).Open(text, query)
	if err != nil || !reflect.DeepEqual(got, place) {
		t.Fatalf("got %v, %v", got, err)
	}
	for _, row := range []struct {
		name   string
		change func(q *cursor.Query)
	}{
		{"another caller", func(q *cursor.Query) { q.Caller = "token 8" }},
		{"another list", func(q *cursor.Query) { q.Endpoint = "/Groups" }},
		{"another filter", func(q *cursor.Query) { q.Filter = "" }},
		{"another order", func(q *cursor.Query) { q.Sort = "userName descending" }},
		{"the same letters in other fields", func(q *cursor.Query) { q.Caller, q.Endpoint = "token 7/", "Users" }},
	} {
		t.Run(row.name, func(t *testing.T) {
			q := query
			row.change(&q)
			refused(t, keeper(secret, start), text, q, refusal.InvalidCursor)
		})
	}
	t.Run("another secret", func(t *testing.T) {
		refused(t, keeper(strings.Repeat("t", 32), start), text, query, refusal.InvalidCursor)
	})
	t.Run("an hour later", func(t *testing.T) {
		refused(t, keeper(secret, start.Add(time.Hour)), text, query, refusal.ExpiredCursor)
	})
	t.Run("an hour later and of another query", func(t *testing.T) {
		refused(t, keeper(secret, start.Add(time.Hour)), text, cursor.Query{}, refusal.InvalidCursor)
	})
	t.Run("every letter counts", func(t *testing.T) {
		for i := range text {
			for _, c := range "AQgw_" {
				if other := text[:i] + string(c) + text[i+1:]; other != text {
					refused(t, keeper(secret, start), other, query, refusal.InvalidCursor)
				}
			}
			refused(t, keeper(secret, start), text[:i], query, refusal.InvalidCursor)
		}
		refused(t, keeper(secret, start), text+"A", query, refusal.InvalidCursor)
		refused(t, keeper(secret, start), text+"=", query, refusal.InvalidCursor)
		refused(t, keeper(secret, start), strings.Repeat("A", 1<<20), query, refusal.InvalidCursor)
	})
}

func refused(t *testing.T, k *cursor.Keeper, text string, q cursor.Query, want refusal.Type) {
	t.Helper()
	p, err := k.Open(text, q)
	if e, ok := refusal.From(err); !ok || e.Status != 400 || e.Type != want {
		t.Errorf("%q is %v, %v", text, p, err)
	}
}

func TestEveryPlaceComesBack(t *testing.T) {
	k := keeper(strings.Repeat("s", 32), start)
	rapid.Check(t, func(t *rapid.T) {
		q := cursor.Query{Caller: rapid.String().Draw(t, "caller"), Filter: rapid.String().Draw(t, "filter")}
		p := cursor.Position{Keys: rapid.SliceOfN(rapid.String(), 1, 4).Draw(t, "keys"), Before: rapid.Bool().Draw(t, "before")}
		if got, err := k.Open(k.Seal(q, p), q); err != nil || !reflect.DeepEqual(got, p) {
			t.Fatalf("%v becomes %v, %v", p, got, err)
		}
	})
}

// FuzzOpen opens anything: it never panics, and opens nothing but what it sealed.
func FuzzOpen(f *testing.F) {
	k := keeper(strings.Repeat("s", 32), start)
	for _, p := range []cursor.Position{{}, {Keys: []string{"dana", "1"}}, {Keys: []string{"", "é"}, Before: true}} {
		f.Add(k.Seal(query, p))
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := k.Open(text, query)
		if err != nil {
			if e, ok := refusal.From(err); !ok || e.Type != refusal.InvalidCursor {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if again := k.Seal(query, p); again != text {
			t.Fatalf("%q opens as %v, which is %q", text, p, again)
		}
	})
}

func BenchmarkCursor(b *testing.B) {
	k := keeper(strings.Repeat("s", 32), start)
	p := cursor.Position{Keys: []string{"dana.kim@contoso.example", "01J8Z6QW3E"}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Open(k.Seal(query, p), query); err != nil {
			b.Fatal(err)
		}
	}
}
