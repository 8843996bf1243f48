package paging

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/badge-engine/badge-engine/platform/fault"
)

// The limits of a page.
const (
	DefaultLimit = 50
	MaxLimit     = 500
)

// ErrCursor refuses a cursor that is not ours or belongs to another list.
var ErrCursor = fault.New(fault.Malformed, "paging.cursor", "The cursor does not belong to this list.").
	Detailf("Take it from the member \"next\" of the page before, and keep sort and filters the same.")

// Query is what a caller asks of a list.
type Query struct {
	Limit      int    // 1 to MaxLimit
	Cursor     string // empty for the first page
	Sort       string // one of the names that the list offers
	Descending bool
}

// Position is the last item of a page: the value it is sorted by, and its id,
// which breaks ties. Values must be written so that the store can compare them.
type Position struct {
	Value string
	ID    string
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"Pass it as cursor to get the next page; absent on the last one."`
}

// After reads the cursor: where the page begins, and whether it is not the
// first. The filters must be those that the cursor was made with, else
// [ErrCursor].
func (q Query) After(filters ...string) (Position, bool, error) {
	if q.Cursor == "" {
		return Position{}, false, nil
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(q.Cursor)
	if err != nil {
		return Position{}, false, ErrCursor.With(err)
	}
	var c [3]string
	if err := json.Unmarshal(data, &c); err != nil {
		return Position{}, false, ErrCursor.With(err)
	}
	if c[0] != q.binding(filters) {
		return Position{}, false, ErrCursor
	}
	return Position{Value: c[1], ID: c[2]}, true, nil
}

// Next makes the cursor of the page after p.
func (q Query) Next(p Position, filters ...string) string {
	data, err := json.Marshal([3]string{q.binding(filters), p.Value, p.ID})
	if err != nil {
		return "" // strings always encode
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// binding names the order and the filters. It keeps honest callers from mixing
// up lists; it is no secret, since a cursor opens nothing.
func (q Query) binding(filters []string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %t", q.Sort, q.Descending)
	for _, f := range filters {
		fmt.Fprintf(h, " %d:%s", len(f), f)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:6])
}

// Cut makes a page of rows, of which the store read up to Limit+1: the one too
// many tells that there is a next page. at gives the position of an item.
func Cut[T any](q Query, rows []T, at func(T) Position, filters ...string) Page[T] {
	p := Page[T]{Items: rows}
	if len(rows) > q.Limit {
		p.Items = rows[:q.Limit]
		p.Next = q.Next(at(p.Items[q.Limit-1]), filters...)
	}
	if p.Items == nil {
		p.Items = []T{}
	}
	return p
}

// Map makes a page of other items with the same cursor.
func Map[T, U any](p Page[T], change func(T) U) Page[U] {
	items := make([]U, len(p.Items))
	for i, item := range p.Items {
		items[i] = change(item)
	}
	return Page[U]{Items: items, Next: p.Next}
}

// ParseSort reads "name" or "-name", descending; offered are the names that
// the list knows, the first is meant when s is empty and may itself bear the sign.
func ParseSort(s string, offered []string) (name string, descending, ok bool) {
	if s == "" && len(offered) > 0 {
		s = offered[0]
	}
	name, descending = strings.CutPrefix(s, "-")
	for _, o := range offered {
		if strings.TrimPrefix(o, "-") == name {
			return name, descending, true
		}
	}
	return "", false, len(offered) == 0 && s == ""
}
