package resource

import (
	"fmt"
	"strings"

	"github.com/badge-engine/badge-engine/modules/scim/filter"
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// Sort is the order of a list (RFC 7644, 3.4.2.3). The zero Sort is the order of the store. The path never ends at a complex
// attribute.
type Sort struct {
	Path       schema.Path
	Descending bool
}

// ParseSort reads sortBy and sortOrder. It answers with a [*refusal.Error]: invalidPath for an attribute that the type does not
// have, invalidValue for another order than ascending and descending. Without sortBy sortOrder has no effect.
func ParseSort(t *schema.ResourceType, by, order string) (Sort, error) {
	s := Sort{}
	switch {
	case order == "" || strings.EqualFold(order, "ascending"):
	case strings.EqualFold(order, "descending"):
		s.Descending = true
	default:
		return Sort{}, refusal.New(refusal.InvalidValue, "sortOrder must be ascending or descending, not %s.", tree.Excerpt(order))
	}
	if by = strings.Trim(by, " "); by == "" {
		return Sort{}, nil
	}
	p, fault := t.Resolve(by)
	if fault != schema.Found || p.Attribute == nil || p.Leaf().Returned == schema.Never {
		return Sort{}, refusal.New(refusal.InvalidPath, "sortBy: a %s has no attribute %s.", t.ID, tree.Excerpt(by))
	}
	if p.Leaf().Type == schema.Complex {
		if p.Sub = p.Attribute.Value(); p.Sub == nil {
			return Sort{}, refusal.New(refusal.InvalidPath, "sortBy: %s is complex; sort by one of its sub-attributes.", p)
		}
	}
	s.Path = p
	return s, nil
}

// String is the path in canonical form and the direction; empty for the order of the store.
func (s Sort) String() string {
	switch {
	case s.Path.Attribute == nil:
		return ""
	case s.Descending:
		return s.Path.String() + " descending"
	}
	return s.Path.String() + " ascending"
}

// Key is the text by which a resource is sorted, byte by byte: folded unless the attribute is caseExact, of a multi-valued
// attribute its primary or else its first value. Resources without a value come last in ascending order, first in descending.
func (s Sort) Key(r *Resource) (key string, present bool) {
	if s.Path.Attribute == nil {
		return "", false
	}
	whole := s.Path
	whole.Sub = nil
	v := r.Value(whole)
	if items := v.Items(); len(items) > 0 {
		v = items[0]
		for _, item := range items {
			if Primary(item) {
				v = item
				break
			}
		}
	}
	if s.Path.Sub != nil {
		v, _ = v.Object().Get(s.Path.Sub.Name)
	}
	return SortKey(s.Path.Leaf(), v)
}

// SortKey is the text by which one scalar value of an attribute is sorted; none for null and for what is not of its type.
func SortKey(a *schema.Attribute, v tree.Value) (key string, present bool) {
	if v.Kind() == tree.Null || v.Kind() == tree.List || v.Kind() == tree.Complex {
		return "", false
	}
	switch a.Type {
	case schema.DateTime:
		micros, ok := filter.Instant(v.Text())
		if !ok {
			return "", false
		}
		return fmt.Sprintf("%020d", uint64(micros)^1<<63), true // negative ones first
	case schema.Integer, schema.Decimal:
		return filter.NumberKey(v.Text())
	}
	if a.Textual() && !a.CaseExact {
		return filter.Fold(v.Text()), true
	}
	return v.Text(), true
}
