package scim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/badge-engine/badge-engine/modules/scim/filter"
	"github.com/badge-engine/badge-engine/modules/scim/resource"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// acme is an extension with an attribute of every type.
const acme = `[{"resourceType":"User","id":"urn:example:acme:2.0:User","name":"Acme","attributes":[
	{"name":"level","type":"integer"},{"name":"ratio","type":"decimal"},{"name":"hired","type":"dateTime"},{"name":"remote","type":"boolean"},
	{"name":"badge","type":"string","caseExact":true},{"name":"tags","type":"string","multiValued":true},
	{"name":"marks","type":"complex","multiValued":true,"subAttributes":[{"name":"value","type":"integer"},{"name":"at","type":"dateTime"},{"name":"note","type":"string"}]}]}]`

func registryWith(t testing.TB, extensions string) *schema.Registry {
	t.Helper()
	declared, err := schema.ParseDeclarations(extensions)
	if err != nil {
		t.Fatal(err)
	}
	r, err := schema.NewRegistry(declared...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// words are where engines differ: case beyond ASCII, letters that fold into two,
// marks that combine, signs of patterns, quotes.
var words = []string{
	"Ada", "ada", "ADA", "École", "ÉCOLE", "e\u0301cole", "straße", "STRASSE", "İstanbul", "ǅ", "O'Neill", `back\slash`, `quo"te`, "100%", "a_b", "a%b",
	"Σίσυφος", "ΣΊΣΥΦΟΣ", "日本", "🙂", "work", "home", "true", "1", "zz", "a", " b ", "ﬁ", "fi",
}

type dice struct{ *rand.Rand }

func (d dice) word() string { return words[d.IntN(len(words))] }

func (d dice) number() string {
	return []string{"0", "-1", "1", "1.0", "2.50", "-2.5", "9007199254740993", "9007199254740992", "1e3", "1000", "123456789012345678901234567890", "-0.001"}[d.IntN(12)]
}

func (d dice) time() string {
	return []string{"2026-01-31T12:00:00Z", "2026-01-31T14:00:00+02:00", "2026-01-31T12:00:00.5Z", "1960-05-05", "2026-01-31T11:59:59.999999Z", "no time"}[d.IntN(6)]
}

func (d dice) scalar(a *schema.Attribute) tree.Value {
	switch a.Type {
	case schema.Boolean:
		return tree.Boolean(d.IntN(2) == 0)
	case schema.Integer:
		for {
			if n := d.number(); !strings.ContainsAny(n, ".e") {
				return tree.Literal(n)
			}
		}
	case schema.Decimal:
		return tree.Literal(d.number())
	case schema.DateTime:
		return tree.Text(d.time())
	}
	return tree.Text(d.word())
}

func (d dice) value(a *schema.Attribute) tree.Value {
	one := func() tree.Value {
		if a.Type != schema.Complex {
			return d.scalar(a)
		}
		o := &tree.Object{}
		for _, sub := range a.SubAttributes {
			if d.IntN(2) == 0 && sub.Name != "primary" {
				o.Set(sub.Name, d.scalar(sub))
			}
		}
		return tree.Of(o)
	}
	if !a.MultiValued {
		return one()
	}
	var items []tree.Value
	primary := d.IntN(3) // perhaps
	for i := range d.IntN(3) {
		item := one()
		if sub := a.Sub("primary"); sub != nil && item.Kind() == tree.Complex {
			if i == primary {
				item.Object().Set("primary", tree.Boolean(true))
			} else if d.IntN(4) == 0 {
				item.Object().Set("primary", tree.Boolean(false))
			}
		}
		if !item.Empty() {
			items = append(items, item)
		}
	}
	return tree.Items(items...)
}

func (d dice) attributes(t *schema.ResourceType) *resource.Resource {
	r := resource.New(t)
	for _, a := range t.Schema.Attributes {
		if a.Name == "groups" || a.Name == "members" {
			continue
		}
		if a.Required || d.IntN(3) == 0 {
			r.Set(a.Name, d.value(a))
		}
	}
	if d.IntN(2) == 0 {
		r.Set("externalId", tree.Text(d.word()))
	}
	for _, e := range t.Extensions {
		o := &tree.Object{}
		for _, a := range e.Schema.Attributes {
			if d.IntN(3) == 0 {
				if v := d.value(a); !v.Empty() {
					o.Set(a.Name, v)
				}
			}
		}
		r.Set(e.Schema.ID, tree.Of(o))
	}
	return r
}

// operand is the value of a comparison, sometimes one that cannot be.
func (d dice) operand(a *schema.Attribute, ids []string) filter.Literal {
	text := filter.Literal{Kind: filter.Quoted, Text: d.word()}
	switch {
	case d.IntN(12) == 0:
		return filter.Literal{Kind: filter.Null, Text: "null"}
	case a.Type == schema.Boolean:
		return filter.Literal{Kind: filter.Bool, Text: []string{"true", "false"}[d.IntN(2)]}
	case a.Type == schema.Integer || a.Type == schema.Decimal:
		return filter.Literal{Kind: filter.Number, Text: d.number()}
	case a.Type == schema.DateTime:
		text.Text = d.time()
	case a.CaseExact && d.IntN(2) == 0:
		text.Text = ids[d.IntN(len(ids))]
		if d.IntN(3) == 0 {
			text.Text = text.Text[:d.IntN(len(text.Text)+1)]
		}
	case d.IntN(3) == 0: // a part of a word
		runes := []rune(text.Text)
		from := d.IntN(len(runes) + 1)
		text.Text = string(runes[from : from+d.IntN(len(runes)-from+1)])
	}
	return text
}

var operators = []filter.Op{filter.Eq, filter.Ne, filter.Co, filter.Sw, filter.Ew, filter.Gt, filter.Ge, filter.Lt, filter.Le}

// node is a random filter over a type.
func (d dice) node(t *schema.ResourceType, depth int, ids []string) filter.Node {
	if depth > 0 {
		switch d.IntN(4) {
		case 0:
			return filter.And{d.node(t, depth-1, ids), d.node(t, depth-1, ids)}
		case 1:
			return filter.Or{d.node(t, depth-1, ids), d.node(t, depth-1, ids)}
		case 2:
			return filter.Not{Term: d.node(t, depth-1, ids)}
		}
	}
	urn, attributes := "", t.Schema.Attributes
	switch pick := d.IntN(6); {
	case pick == 0:
		name := []string{"id", "externalId", "meta", "schemas"}[d.IntN(4)]
		p, _ := t.Resolve(name)
		attributes = []*schema.Attribute{p.Attribute}
	case pick <= 2 && len(t.Extensions) > 0:
		e := t.Extensions[d.IntN(len(t.Extensions))]
		urn, attributes = e.Schema.ID+":", e.Schema.Attributes
	}
	a := attributes[d.IntN(len(attributes))]
	name := urn + a.Name
	if a.Type == schema.Complex && a.MultiValued && d.IntN(2) == 0 {
		return filter.ValuePath{Name: name, Filter: d.inside(a, 1, ids)}
	}
	if a.Type == schema.Complex && (d.IntN(4) > 0 || a.Value() == nil) {
		a = a.SubAttributes[d.IntN(len(a.SubAttributes))]
		name += "." + a.Name
	}
	return d.test(name, a, ids)
}

func (d dice) inside(a *schema.Attribute, depth int, ids []string) filter.Node {
	if depth > 0 {
		switch d.IntN(4) {
		case 0:
			return filter.And{d.inside(a, 0, ids), d.inside(a, 0, ids)}
		case 1:
			return filter.Or{d.inside(a, 0, ids), d.inside(a, 0, ids)}
		case 2:
			return filter.Not{Term: d.inside(a, 0, ids)}
		}
	}
	sub := a.SubAttributes[d.IntN(len(a.SubAttributes))]
	return d.test(sub.Name, sub, ids)
}

func (d dice) test(name string, a *schema.Attribute, ids []string) filter.Node {
	if d.IntN(8) == 0 {
		return filter.Present{Name: name}
	}
	return filter.Compare{Name: name, Op: operators[d.IntN(len(operators))], Value: d.operand(a, ids)}
}

// fill stores random users and groups with memberships, and answers what each is as a
// whole.
func fill(t *testing.T, d dice, s *Store, registry *schema.Registry, base string) (wholes map[string]*tree.Object, ids []string) {
	t.Helper()
	ctx := t.Context()
	service := &Service{store: s, base: base, cfg: Default()}
	var records []*Record
	names := map[string]bool{}
	for i := range 60 {
		kind := registry.User
		if i%3 == 0 {
			kind = registry.Group
		}
		r := &Record{Resource: d.attributes(kind), ID: uuid.Must(uuid.NewV7()).String(), Version: int64(1 + d.IntN(12)), Created: int64(1_700_000_000_000_000 + d.IntN(3)*1000), Modified: int64(1_769_860_800_000_000 + d.IntN(3)*500_000)}
		var err error
		if kind == registry.User {
			name := r.text("userName")
			for names[filter.Fold(name)] {
				name += d.word()
			}
			names[filter.Fold(name)] = true
			r.Set("userName", tree.Text(name))
			err = s.InsertUser(ctx, r)
		} else {
			err = s.InsertGroup(ctx, r)
		}
		if err != nil {
			t.Fatal(err)
		}
		records, ids = append(records, r), append(ids, r.ID)
	}
	for _, r := range records {
		if r.Type != registry.Group {
			continue
		}
		var members []Member
		for _, m := range records {
			if d.IntN(8) == 0 {
				members = append(members, Member{ID: m.ID, Kind: m.Type.ID})
			}
		}
		slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.ID, b.ID) })
		if _, err := s.AddMembers(ctx, r.ID, members); err != nil {
			t.Fatal(err)
		}
		r.MemberCount = int64(len(members))
		if err := s.TouchGroup(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	wholes = map[string]*tree.Object{}
	for _, r := range records {
		wholes[r.ID] = whole60(ctx, t, service, r)
	}
	return wholes, ids
}

// whole60 is a record as the filter sees it in memory.
func whole60(ctx context.Context, t *testing.T, service *Service, r *Record) *tree.Object {
	t.Helper()
	w := &resource.Resource{Type: r.Type, Attributes: r.Attributes.Clone()}
	w.Set("id", tree.Text(r.ID))
	w.Set("meta", tree.Of(tree.NewObject(
		tree.Member{Name: "resourceType", Value: tree.Text(r.Type.ID)},
		tree.Member{Name: "created", Value: tree.Text(stamp(r.Created))},
		tree.Member{Name: "lastModified", Value: tree.Text(stamp(r.Modified))},
		tree.Member{Name: "location", Value: tree.Text(service.location(r.Type.ID, r.ID))},
		tree.Member{Name: "version", Value: tree.Text(r.ETag())})))
	related, err := service.related(ctx, r.Type, []*Record{r}, nil, View{Attributes: []string{"members"}}, false)
	if err != nil {
		t.Fatal(err)
	}
	if r.Type.ID == userKind {
		w.Set("groups", related[r.ID])
	} else {
		w.Set("members", related[r.ID])
	}
	var urns []tree.Value
	for _, urn := range w.Schemas() {
		urns = append(urns, tree.Text(urn))
	}
	w.Set("schemas", tree.Items(urns...))
	return w.Attributes
}

// TestAFilterFindsTheSameInMemoryAndOnEveryEngine is what package filter promises and
// [compiler] must keep.
func TestAFilterFindsTheSameInMemoryAndOnEveryEngine(t *testing.T) {
	const base, filters = "https://badges.example.org/scim/v2", 3000
	registry := registryWith(t, acme)
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		seed := rand.Uint64()
		d := dice{rand.New(rand.NewPCG(seed, 1))}
		store := NewStore(db, registry)
		wholes, ids := fill(t, d, store, registry, base)
		tried, found := 0, 0
		for range filters {
			kind := registry.User
			if d.IntN(4) == 0 {
				kind = registry.Group
			}
			node := d.node(kind, 2, ids)
			text := node.String()
			parsed, err := filter.Parse(text, filter.DefaultLimits)
			if err != nil {
				t.Fatalf("seed %d: %s: %v", seed, text, err)
			}
			p, err := filter.Compile(parsed, kind)
			if err != nil {
				continue
			}
			where, err := newCompiler(db.JSON(), kind, base).compile(p)
			if err != nil {
				if !strings.Contains(text, "members.display") && !strings.Contains(text, "display") {
					t.Errorf("seed %d: %s: %v", seed, text, err)
				}
				continue
			}
			var got []string
			statement := glue("SELECT id FROM ", tableOf[kind.ID], " WHERE ", where, " ORDER BY id")
			if err := db.Reader(t.Context()).Raw(statement.sql, statement.values...).Scan(&got).Error; err != nil {
				t.Fatalf("seed %d: %s: %v\n%s", seed, text, err, where.sql)
			}
			var want []string
			for id, whole := range wholes {
				if v, _ := whole.Get("meta"); kindOf(v) == kind.ID && p.Match(whole) {
					want = append(want, id)
				}
			}
			slices.Sort(want)
			if !slices.Equal(got, want) {
				var which string
				for id, whole := range wholes {
					if slices.Contains(got, id) != slices.Contains(want, id) {
						which = fmt.Sprintf("in SQL %t, in memory %t: %s", slices.Contains(got, id), slices.Contains(want, id), whole.Append(nil))
					}
				}
				t.Fatalf("seed %d: %s: SQL finds %d, memory %d\n%s\n%s %q", seed, text, len(got), len(want), which, where.sql, where.values)
			}
			tried++
			if len(got) > 0 {
				found++
			}
		}
		if tried < filters/2 || found < filters/10 {
			t.Errorf("of %d filters %d could be tried and %d found anything", filters, tried, found)
		}
	}, Schema())
}

func kindOf(meta tree.Value) string {
	v, _ := meta.Object().Get("resourceType")
	return v.Text()
}
