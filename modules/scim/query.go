package scim

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/badge-engine/badge-engine/modules/scim/filter"
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// lookInto is how an engine looks into JSON. Package database serves it.
type lookInto interface {
	JSONText(column string, path ...string) (sql string, values []any)
	JSONEach(column, alias string, path ...string) (sql string, values []any)
	Contains(text string) (sql string)
}

// condition is a piece of SQL with the values of its placeholders. It is made of
// names of this program alone: whatever comes from outside is among the values.
type condition struct {
	sql    string
	values []any
}

var (
	always = condition{sql: "1 = 1"}
	never  = condition{sql: "1 = 0"}
)

func constant(b bool) condition {
	if b {
		return always
	}
	return never
}

// glue joins pieces: a text as it stands, a condition with its values, anything else
// as the value of the placeholder that the text before has.
func glue(pieces ...any) (c condition) {
	var b strings.Builder
	for _, p := range pieces {
		switch p := p.(type) {
		case string:
			b.WriteString(p)
		case condition:
			b.WriteString(p.sql)
			c.values = append(c.values, p.values...)
		case bound:
			b.WriteByte('?')
			c.values = append(c.values, p.value)
		}
	}
	c.sql = b.String()
	return c
}

// bound is a value that glue puts a placeholder for.
type bound struct{ value any }

// compiler makes SQL of predicates over one kind of resource.
//
// Every piece it makes is true or false and never NULL, so that NOT is the
// complement, as package filter has it. Names come out of the schema and are bound as
// steps of a path, never written; columns are those below.
type compiler struct {
	json lookInto
	kind string
	urn  string // of the core schema
	exts []string
	base string // the address of the service
}

func newCompiler(json lookInto, t *schema.ResourceType, base string) compiler {
	c := compiler{json: json, kind: t.ID, urn: t.Schema.ID, base: base}
	for _, e := range t.Extensions {
		c.exts = append(c.exts, e.Schema.ID)
	}
	return c
}

// compile makes the condition for a predicate over resources.
func (c compiler) compile(p filter.Predicate) (condition, error) {
	switch p := p.(type) {
	case filter.All:
		return c.join(p, " AND ", always, c.compile)
	case filter.Any:
		return c.join(p, " OR ", never, c.compile)
	case filter.Complement:
		term, err := c.compile(p.Term)
		return glue("NOT (", term, ")"), err
	case filter.Constant:
		return constant(bool(p)), nil
	case filter.Element:
		return c.element(p)
	case filter.Presence:
		return c.presence(p)
	case filter.Comparison:
		return c.comparison(p)
	}
	return never, nil
}

func (c compiler) join(terms []filter.Predicate, word string, none condition, compile func(filter.Predicate) (condition, error)) (condition, error) {
	if len(terms) == 0 {
		return none, nil
	}
	pieces := []any{"("}
	for i, term := range terms {
		if i > 0 {
			pieces = append(pieces, word)
		}
		t, err := compile(term)
		if err != nil {
			return condition{}, err
		}
		pieces = append(pieces, t)
	}
	return glue(append(pieces, ")")...), nil
}

func steps(p schema.Path) []string {
	var list []string
	if p.Extension != nil {
		list = append(list, p.Extension.ID)
	}
	return append(list, p.Attribute.Name)
}

func (c compiler) text(column string, path ...string) condition {
	sql, values := c.json.JSONText(column, path...)
	return condition{sql, values}
}

func (c compiler) each(path ...string) condition {
	sql, values := c.json.JSONEach("search", "e", path...)
	return condition{sql, values}
}

// common names an attribute that every resource has, or that has a place of its own.
func (c compiler) own(p schema.Path) string {
	if p.Extension != nil {
		return ""
	}
	switch name := p.Attribute.Name; name {
	case "id", "meta", "schemas", "groups", "members":
		return name
	case "userName":
		return "user_name_fold"
	case "displayName":
		if c.kind == groupKind {
			return "display_name_fold"
		}
	}
	return ""
}

func (c compiler) presence(p filter.Presence) (condition, error) {
	switch c.own(p.Path) {
	case "id", "meta", "schemas", "user_name_fold", "display_name_fold":
		return always, nil
	case "groups", "members":
		return c.related(p.Path, func(relation) (condition, error) { return always, nil })
	}
	path := steps(p.Path)
	if p.Path.Sub == nil {
		return glue(c.text("search", path...), " IS NOT NULL"), nil
	}
	if p.Path.Attribute.MultiValued {
		return glue("EXISTS (SELECT 1 FROM ", c.each(path...), " WHERE ", c.text("e.value", p.Path.Sub.Name), " IS NOT NULL)"), nil
	}
	return glue(c.text("search", append(path, p.Path.Sub.Name)...), " IS NOT NULL"), nil
}

func (c compiler) comparison(p filter.Comparison) (condition, error) {
	switch own := c.own(p.Path); own {
	case "id", "user_name_fold", "display_name_fold":
		return c.solid(condition{sql: own}, p.Op, p.Operand.Text), nil
	case "schemas":
		return c.schemas(p), nil
	case "meta":
		return c.meta(p), nil
	case "groups", "members":
		return c.relatedComparison(p)
	}
	path, key := steps(p.Path), operandKey(p)
	if p.Path.Attribute.MultiValued {
		sub := "value"
		if p.Path.Sub != nil {
			sub = p.Path.Sub.Name
		}
		some := glue("EXISTS (SELECT 1 FROM ", c.each(path...), " WHERE ", c.soft(p, c.text("e.value", sub), key), ")")
		if p.Op == filter.Ne { // where there is no value there is none that is equal
			return glue("(", c.text("search", path...), " IS NULL OR ", some, ")"), nil
		}
		return glue("(", c.assist(p.Path, p), some, ")"), nil
	}
	if p.Path.Sub != nil {
		path = append(path, p.Path.Sub.Name)
	}
	held := c.soft(p, c.text("search", path...), key)
	if p.Path.Extension == nil && p.Path.Attribute.Name == "externalId" && p.Op == filter.Eq {
		return glue("(external_id_fold IS NOT NULL AND external_id_fold = ", bound{filter.Fold(key)}, " AND ", held, ")"), nil
	}
	return held, nil
}

// operandKey is the operand as searchable has values.
func operandKey(p filter.Comparison) string {
	switch p.Path.Leaf().Type {
	case schema.DateTime:
		return microsKey(p.Operand.Micros)
	case schema.Integer, schema.Decimal:
		return p.Operand.Key
	}
	return p.Operand.Text
}

// soft compares a text that may be NULL.
func (c compiler) soft(p filter.Comparison, x condition, key string) condition {
	otherwise := never
	if p.Op == filter.Ne {
		otherwise = always
	}
	held := c.solid(x, p.Op, key)
	if p.Path.Leaf().Type == schema.DateTime && (p.Op == filter.Lt || p.Op == filter.Le) { // what is no time is not before one
		held = glue("(", held, " AND ", x, " <> '')")
	}
	return glue("COALESCE(", held, ", ", otherwise, ")")
}

var signs = map[filter.Op]string{filter.Eq: " = ", filter.Ne: " <> ", filter.Gt: " > ", filter.Ge: " >= ", filter.Lt: " < ", filter.Le: " <= "}

// solid compares a text that is never NULL.
func (c compiler) solid(x condition, op filter.Op, key string) condition {
	length := utf8.RuneCountInString(key)
	switch op {
	case filter.Co:
		return condition{c.json.Contains(x.sql), append(slices.Clone(x.values), key)}
	case filter.Sw:
		if next, ok := successor(key); ok && len(x.values) == 0 { // a column: an index knows its beginnings
			return glue("(", x, " >= ", bound{key}, " AND ", x, " < ", bound{next}, ")")
		}
		return glue("substr(", x, ", 1, ", bound{length}, ") = ", bound{key})
	case filter.Ew:
		return glue("(length(", x, ") >= ", bound{length}, " AND substr(", x, ", length(", x, ") - ", bound{length}, " + 1) = ", bound{key}, ")")
	}
	return glue("(", x, signs[op], bound{key}, ")")
}

// successor is the least text that is greater than every one that begins with s.
func successor(s string) (string, bool) {
	runes := []rune(s)
	for i, r := range slices.Backward(runes) {
		if r++; r == 0xd800 {
			r = 0xe000
		}
		if r <= utf8.MaxRune {
			return string(append(runes[:i:i], r)), true
		}
	}
	return "", false
}

// element makes the condition that one element satisfies a whole predicate.
func (c compiler) element(p filter.Element) (condition, error) {
	if own := c.own(p.Path); own == "groups" || own == "members" {
		return c.related(p.Path, func(r relation) (condition, error) { return c.within(p.Where, r.compare) })
	}
	where, err := c.within(p.Where, func(p filter.Comparison) (condition, error) {
		return c.soft(p, c.text("e.value", p.Path.Sub.Name), operandKey(p)), nil
	})
	if err != nil {
		return condition{}, err
	}
	return glue("(", c.assist(p.Path, p.Where), "EXISTS (SELECT 1 FROM ", c.each(steps(p.Path)...), " WHERE ", where, "))"), nil
}

// within makes the condition for the predicate of an element.
func (c compiler) within(p filter.Predicate, compare func(filter.Comparison) (condition, error)) (condition, error) {
	inner := func(p filter.Predicate) (condition, error) { return c.within(p, compare) }
	switch p := p.(type) {
	case filter.All:
		return c.join(p, " AND ", always, inner)
	case filter.Any:
		return c.join(p, " OR ", never, inner)
	case filter.Complement:
		term, err := inner(p.Term)
		return glue("NOT (", term, ")"), err
	case filter.Constant:
		return constant(bool(p)), nil
	case filter.Comparison:
		return compare(p)
	case filter.Presence:
		switch c.own(p.Path) {
		case "groups", "members": // each has all of its parts
			return always, nil
		}
		return glue(c.text("e.value", p.Path.Sub.Name), " IS NOT NULL"), nil
	}
	return never, nil
}

// assist is a condition that follows from the predicate and is answered by an index,
// with an AND behind it; or nothing.
func (c compiler) assist(path schema.Path, p filter.Predicate) condition {
	if c.kind != userKind || path.Extension != nil || path.Attribute.Name != emailsAttribute {
		return condition{}
	}
	switch p := p.(type) {
	case filter.All:
		for _, term := range p {
			if a := c.assist(path, term); a.sql != "" {
				return a
			}
		}
	case filter.Comparison:
		if p.Op == filter.Eq && p.Path.Sub == p.Path.Attribute.Value() && p.Path.Sub != nil {
			return glue("id IN (SELECT user_id FROM scim_user_values WHERE attribute = ", bound{emailsAttribute},
				" AND value_fold = ", bound{indexFold(p.Operand.Text)}, ") AND ")
		}
	}
	return condition{}
}

// schemas asks which schemas a resource follows: always its core schema, and every
// extension of which it has attributes.
func (c compiler) schemas(p filter.Comparison) condition {
	follows := func(urn string) bool {
		return p.Match(tree.NewObject(tree.Member{Name: "schemas", Value: tree.Items(tree.Text(urn))}))
	}
	if follows(c.urn) {
		return always
	}
	pieces := []any{"(", never}
	for _, urn := range c.exts {
		if follows(urn) {
			pieces = append(pieces, " OR ", c.text("search", urn), " IS NOT NULL")
		}
	}
	return glue(append(pieces, ")")...)
}

func (c compiler) meta(p filter.Comparison) condition {
	switch p.Path.Sub.Name {
	case "created":
		return glue("(created_us", signs[p.Op], bound{p.Operand.Micros}, ")")
	case "lastModified":
		return glue("(modified_us", signs[p.Op], bound{p.Operand.Micros}, ")")
	case "version":
		return c.solid(condition{sql: `('W/"' || CAST(version AS text) || '"')`}, p.Op, p.Operand.Text)
	case "location":
		return c.solid(glue("(CAST(", bound{c.base + endpointOf[c.kind] + "/"}, " AS text) || id)"), p.Op, p.Operand.Text)
	}
	kind := tree.Of(tree.NewObject(tree.Member{Name: "resourceType", Value: tree.Text(c.kind)}))
	return constant(p.Match(tree.NewObject(tree.Member{Name: "meta", Value: kind})))
}

// A relation is groups of a user, or members of a group: what stands in FROM, the
// column of this side, and the expression of each part.
type relation struct {
	c     compiler
	from  string
	self  string
	parts map[string]condition
}

func (c compiler) relation(name string) relation {
	if name == "groups" {
		return relation{c, "scim_group_members m JOIN groups g ON g.id = m.group_id", "m.member_id", map[string]condition{
			"value": {sql: "m.group_id"}, "display": {sql: "g.display_name_fold"}, "type": {sql: "CAST('direct' AS text)"},
			"$ref": glue("(CAST(", bound{c.base + "/Groups/"}, " AS text) || m.group_id)"),
		}}
	}
	return relation{c, "scim_group_members m", "m.group_id", map[string]condition{
		"value": {sql: "m.member_id"}, "type": {sql: "(CASE m.member_type WHEN 'User' THEN 'user' ELSE 'group' END)"},
		"$ref": glue("((CASE m.member_type WHEN 'User' THEN CAST(", bound{c.base + "/Users/"}, " AS text) ELSE CAST(", bound{c.base + "/Groups/"}, " AS text) END) || m.member_id)"),
	}}
}

func (r relation) compare(p filter.Comparison) (condition, error) {
	part, known := r.parts[p.Path.Sub.Name]
	if !known {
		return condition{}, refusal.New(refusal.InvalidFilter, "The filter cannot be applied: %s cannot be asked for; ask for %s.value.", p.Path, p.Path.Attribute.Name)
	}
	return r.c.solid(part, p.Op, p.Operand.Text), nil
}

// related makes the condition that one group or member satisfies a test.
func (c compiler) related(path schema.Path, test func(relation) (condition, error)) (condition, error) {
	if c.kind == groupKind == (path.Attribute.Name == "groups") {
		return never, nil
	}
	r := c.relation(path.Attribute.Name)
	where, err := test(r)
	if err != nil {
		return condition{}, err
	}
	if where.sql == always.sql {
		return glue("EXISTS (SELECT 1 FROM scim_group_members m WHERE ", r.self, " = ", tableOf[c.kind], ".id)"), nil
	}
	return glue("id IN (SELECT ", r.self, " FROM ", r.from, " WHERE ", where, ")"), nil
}

func (c compiler) relatedComparison(p filter.Comparison) (condition, error) {
	some, err := c.related(p.Path, func(r relation) (condition, error) { return r.compare(p) })
	if err != nil || p.Op != filter.Ne {
		return some, err
	}
	any, err := c.related(p.Path, func(relation) (condition, error) { return always, nil })
	return glue("(NOT ", any, " OR ", some, ")"), err
}

// order makes the key that a list is sorted by. Of a multi-valued attribute the
// primary value counts, else the first (RFC 7644, 3.4.2.3).
func (c compiler) order(p schema.Path) (o ordering, err error) {
	leaf := p.Leaf()
	if leaf.Type == schema.Complex {
		if p.Sub = p.Attribute.Value(); p.Sub == nil {
			return o, refusal.New(refusal.InvalidPath, "Resources cannot be sorted by %s, which is complex. Name one of its sub-attributes.", p)
		}
	}
	switch own := c.own(p); own {
	case "id":
		return o, nil
	case "user_name_fold", "display_name_fold":
		return ordering{key: condition{sql: own}, total: true}, nil
	case "meta":
		switch p.Sub.Name {
		case "created":
			return ordering{key: condition{sql: "created_us"}, integer: true, total: true}, nil
		case "lastModified":
			return ordering{key: condition{sql: "modified_us"}, integer: true, total: true}, nil
		}
		fallthrough
	case "schemas", "groups", "members":
		return o, refusal.New(refusal.InvalidPath, "Resources cannot be sorted by %s.", p)
	}
	path := steps(p)
	if p.Attribute.MultiValued {
		path = append(path, "0")
		if p.Sub == nil {
			path = append(path, "value")
		}
	}
	if p.Sub != nil {
		path = append(path, p.Sub.Name)
	}
	// Longer texts are sorted by their beginning, so that a cursor need not hold them.
	o.key = glue("substr(", c.text("search", path...), ", 1, 256)")
	return o, nil
}

// memberCondition is the condition for members of one group, over the columns of
// scim_group_members.
func memberCondition(json lookInto, base string, p filter.Predicate) (condition, error) {
	c := compiler{json: json, kind: groupKind, base: base}
	r := c.relation("members")
	for name, part := range r.parts {
		r.parts[name] = condition{strings.ReplaceAll(part.sql, "m.member", "member"), part.values}
	}
	return c.within(p, r.compare)
}
