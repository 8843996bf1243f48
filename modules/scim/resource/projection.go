package resource

import (
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// Projection decides which attributes an answer has (RFC 7644, 3.9). A nil Projection is the default set.
type Projection struct{}

// ParseProjection reads the parameters attributes and excludedAttributes. Given both, attributes wins. Names that the type does
// not have are ignored; what is no name is refused with invalidValue.
func ParseProjection(t *schema.ResourceType, attributes, excluded []string) (*Projection, error) {
	return nil, refusal.Status(501, "Projections cannot be read yet.")
}

// SplitNames takes a comma-separated list of a query apart. A comma inside of brackets or quotes separates nothing.
func SplitNames(list string) []string { return nil }

// Wants reports whether any part of a core attribute, by its canonical name, can be in the answer. The store asks it for
// "members" and "groups" before it loads them.
func (p *Projection) Wants(name string) bool { return true }

// Apply is the resource as it is answered: "schemas" first, "meta" last, and of the rest what the projection leaves.
func (p *Projection) Apply(r *Resource) *tree.Object { return nil }

// Sort is the order of a list (RFC 7644, 3.4.2.3). The zero Sort is the order of the store.
type Sort struct {
	Path       schema.Path
	Descending bool
}

// ParseSort reads sortBy and sortOrder. It answers with a [*refusal.Error]: invalidPath for an attribute that the type does not
// have, invalidValue for another order than ascending and descending. Without sortBy sortOrder has no effect.
func ParseSort(t *schema.ResourceType, by, order string) (Sort, error) {
	return Sort{}, refusal.Status(501, "Orders cannot be read yet.")
}

// Key is the text by which a resource is sorted, byte by byte: folded unless the attribute is caseExact, of a multi-valued
// attribute its primary or else its first value. Resources without a value come last in ascending order, first in descending.
func (s Sort) Key(r *Resource) (key string, present bool) { return "", false }
