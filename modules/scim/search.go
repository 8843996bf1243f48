package scim

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/badge-engine/badge-engine/modules/scim/filter"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// searchable is what a resource is found by: a document of the same shape in which
// every value is a text that compares, byte by byte, as the value does. Texts are
// folded unless they are caseExact, numbers and instants are keys, and of a
// multi-valued attribute the primary value comes first. What is found by a column or
// a table of its own is in there too, or not: see [compiler].
func searchable(t *schema.ResourceType, doc *tree.Object) string {
	found := &tree.Object{}
	gather(found, t.Schema, doc)
	if v, ok := doc.Get("externalId"); ok {
		found.Set("externalId", v)
	}
	for _, e := range t.Extensions {
		v, _ := doc.Get(e.Schema.ID)
		if inner := (&tree.Object{}); v.Object().Len() > 0 {
			gather(inner, e.Schema, v.Object())
			found.Set(e.Schema.ID, tree.Of(inner))
		}
	}
	return string(found.Append(nil))
}

func gather(into *tree.Object, s *schema.Schema, from *tree.Object) {
	for _, m := range from.Members() {
		a := s.Attribute(m.Name)
		if a == nil || a.Returned == schema.Never {
			continue
		}
		if v := comparable(a, m.Value); !v.Empty() {
			into.Set(a.Name, v)
		}
	}
}

// comparable is the value of an attribute as it is compared.
func comparable(a *schema.Attribute, v tree.Value) tree.Value {
	if !a.MultiValued {
		return comparableOne(a, v)
	}
	var first, rest []tree.Value
	for _, item := range v.Items() {
		c := comparableOne(a, item)
		switch {
		case c.Kind() == tree.Null:
			continue
		case a.Type != schema.Complex:
			c = tree.Of(tree.NewObject(tree.Member{Name: "value", Value: c}))
		}
		if primary, _ := item.Object().Get("primary"); primary.True() {
			first = append(first, c)
		} else {
			rest = append(rest, c)
		}
	}
	return tree.Items(append(first, rest...)...)
}

func comparableOne(a *schema.Attribute, v tree.Value) tree.Value {
	if a.Type != schema.Complex {
		return comparisonKey(a, v)
	}
	o := &tree.Object{}
	for _, m := range v.Object().Members() {
		if sub := a.Sub(m.Name); sub != nil {
			if c := comparable(sub, m.Value); !c.Empty() {
				o.Set(sub.Name, c)
			}
		}
	}
	return tree.Of(o)
}

func comparisonKey(a *schema.Attribute, v tree.Value) tree.Value {
	switch {
	case v.Kind() == tree.Null || v.Kind() == tree.Complex || v.Kind() == tree.List || v.Kind() == tree.String && v.Text() == "":
		return tree.Value{}
	case a.Type == schema.DateTime: // one that is no time is there, and equal to none
		return tree.Text(instantKey(v.Text()))
	case a.Type == schema.Integer || a.Type == schema.Decimal:
		key, _ := filter.NumberKey(v.Text())
		return tree.Text(key)
	case a.CaseExact || !a.Textual():
		return tree.Text(v.Text())
	}
	return tree.Text(filter.Fold(v.Text()))
}

func instantKey(text string) string {
	at, ok := filter.Instant(text)
	if !ok {
		return ""
	}
	return microsKey(at)
}

func microsKey(at int64) string {
	key, _ := filter.NumberKey(strconv.FormatInt(at, 10))
	return key
}

// indexed is a value in scim_user_values.
type indexed struct{ attribute, fold string }

// indexLength is how many characters of a value the index holds. Longer ones are
// found by their beginning and then compared as a whole.
const indexLength = 256

func indexFold(fold string) string {
	if len(fold) <= indexLength {
		return fold
	}
	for i, n := 0, 0; i < len(fold); n++ {
		if n == indexLength {
			return fold[:i]
		}
		_, size := utf8.DecodeRuneInString(fold[i:])
		i += size
	}
	return fold
}

const emailsAttribute = "emails"

// indexedValues are the values of a user in scim_user_values, in order.
func indexedValues(doc *tree.Object) []indexed {
	v, _ := doc.Get(emailsAttribute)
	var values []indexed
	for _, item := range v.Items() {
		value, _ := item.Object().Get("value")
		if value.Kind() == tree.String && value.Text() != "" {
			values = append(values, indexed{emailsAttribute, indexFold(filter.Fold(value.Text()))})
		}
	}
	slices.SortFunc(values, func(a, b indexed) int { return strings.Compare(a.fold, b.fold) })
	return slices.Compact(values)
}
