package paging_test

import (
	"errors"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/badge-engine/badge-engine/platform/paging"
)

func TestCursorsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := paging.Query{Sort: rapid.String().Draw(t, "sort"), Descending: rapid.Bool().Draw(t, "descending")}
		filters := rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "filters")
		p := paging.Position{Value: rapid.StringOf(rapid.Rune()).Draw(t, "value"), ID: rapid.String().Draw(t, "id")}
		q.Cursor = q.Next(p, filters...)
		got, later, err := q.After(filters...)
		if err != nil || !later || got != p {
			t.Fatalf("%+v came back as %+v, %v, %v", p, got, later, err)
		}
		if _, _, err := q.After(append(filters, "x")...); !errors.Is(err, paging.ErrCursor) {
			t.Fatalf("another list took it: %v", err)
		}
		q.Descending = !q.Descending
		if _, _, err := q.After(filters...); !errors.Is(err, paging.ErrCursor) {
			t.Fatalf("another order took it: %v", err)
		}
	})
}

func TestStrangeCursors(t *testing.T) {
	for _, cursor := range []string{"x", "AAAA", "bnVsbA", "W10", "%%%", "WzEsMiwzXQ"} {
		if _, _, err := (paging.Query{Cursor: cursor}).After(); !errors.Is(err, paging.ErrCursor) {
			t.Errorf("%q: %v", cursor, err)
		}
	}
}

func TestFiltersDoNotRunTogether(t *testing.T) {
	q := paging.Query{Sort: "name"}
	q.Cursor = q.Next(paging.Position{Value: "v", ID: "i"}, "a b", "c")
	if _, _, err := q.After("a", "b c"); !errors.Is(err, paging.ErrCursor) {
		t.Error(err)
	}
}

func TestWalkSeesEveryItemOnce(t *testing.T) {
	var all, seen []int
	for i := range 23 {
		all = append(all, i)
	}
	q := paging.Query{Limit: 5, Sort: "n"}
	for pages := 0; pages < 10; pages++ {
		at, later, err := q.After()
		if err != nil {
			t.Fatal(err)
		}
		from := 0
		if later {
			n, err := strconv.Atoi(at.Value)
			if err != nil {
				t.Fatal(err)
			}
			from = n + 1
		}
		page := paging.Cut(q, all[from:min(from+q.Limit+1, len(all))], func(n int) paging.Position { return paging.Position{Value: strconv.Itoa(n)} })
		seen = append(seen, page.Items...)
		if page.Next == "" {
			break
		}
		q.Cursor = page.Next
	}
	if !slices.Equal(all, seen) {
		t.Errorf("saw %v", seen)
	}
}

func TestEmptyPageIsAList(t *testing.T) {
	p := paging.Cut(paging.Query{Limit: 5}, nil, func(int) paging.Position { return paging.Position{} })
	if p.Items == nil || paging.Map(p, strconv.Itoa).Items == nil {
		t.Error("an empty page would be written as null")
	}
}

func TestParseSort(t *testing.T) {
	offered := []string{"-createdAt", "name"}
	for s, want := range map[string]struct {
		name       string
		descending bool
		ok         bool
	}{
		"":           {"createdAt", true, true},
		"createdAt":  {"createdAt", false, true},
		"-name":      {"name", true, true},
		"--name":     {"", false, false},
		"created_at": {"", false, false},
		"-":          {"", false, false},
	} {
		name, descending, ok := paging.ParseSort(s, offered)
		if name != want.name || descending != want.descending || ok != want.ok {
			t.Errorf("%q: %q %t %t", s, name, descending, ok)
		}
	}
	if _, _, ok := paging.ParseSort("", nil); !ok {
		t.Error("a list without an order is refused")
	}
	if _, _, ok := paging.ParseSort("name", nil); ok {
		t.Error("a list without an order takes one")
	}
}
