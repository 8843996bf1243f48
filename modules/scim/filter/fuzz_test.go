package filter_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	oracle "github.com/scim2/filter-parser/v2"
	"pgregory.net/rapid"

	"github.com/badge-engine/badge-engine/modules/scim/filter"
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

var seeds = []string{
	`userName eq "dana.kim@contoso.example"`, `emails[type eq "work"].value eq "x@y"`, `emails[type eq "work" and value co "@x"]`, `externalId eq jyoung`,
	`id eq "a" and manager eq "b"`, `not (a pr) and (b.c ge 1.5e3 or d lt null)`, `meta.Created gt 2019-10-10T14:38:21.8617979-07:00`,
	`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "b"`, `a eq "\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00"`, `emails[not (type pr)].value pr or members.$ref sw ""`,
	`userName eq "x" or not(active eq "True")`, strings.Repeat("(", 40), `a eq 99999999999999999999`, `displayName eq "ÉCOLE"`,
}

// FuzzParse reads anything as a filter. It never panics; what is read is written so that it reads the same; what cannot be
// is refused with a place; and what can be applied gives one answer and the complement the other.
func FuzzParse(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	user := object(f, dana)
	f.Fuzz(func(t *testing.T, text string) {
		n, err := filter.Parse(text, filter.DefaultLimits)
		if err != nil {
			if e, ok := refusal.From(err); !ok || e.Type != refusal.InvalidFilter || e.Status != 400 || !strings.Contains(e.Detail, ", at byte ") {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		roomy := filter.Limits{Length: 1 << 20, Depth: 1 << 10, Terms: 1 << 10} // written it may be longer and deeper
		again, err := filter.Parse(n.String(), roomy)
		if err != nil {
			t.Fatalf("%q from %q: %v", n.String(), text, err)
		}
		if !reflect.DeepEqual(placeless(n), placeless(again)) {
			t.Fatalf("%q from %q reads as %#v", n.String(), text, again)
		}
		for _, kind := range registry.ResourceTypes() {
			p, err := filter.Compile(n, kind)
			if err != nil {
				if _, ok := refusal.From(err); !ok {
					t.Fatal(err)
				}
				continue
			}
			inverse, err := filter.Compile(filter.Not{Term: n}, kind)
			if err != nil {
				t.Fatal(err)
			}
			if p.Match(user) == inverse.Match(user) {
				t.Fatalf("%q and its complement agree", text)
			}
		}
	})
}

// FuzzParsePath reads anything as a path.
func FuzzParsePath(f *testing.F) {
	for _, seed := range []string{`name.givenName`, `emails[type eq "work"].Value`, `members[value eq "U1"].$ref`, `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User`,
		schema.EnterpriseUserURN + `:manager.value`, `roles[primary eq "True" and not (type pr)]`, `a b`, `[`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := filter.ParsePath(text, filter.DefaultLimits)
		if err != nil {
			if e, ok := refusal.From(err); !ok || e.Type != refusal.InvalidPath && e.Type != refusal.InvalidFilter {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		again, err := filter.ParsePath(p.String(), filter.Limits{Length: 1 << 20, Depth: 1 << 10, Terms: 1 << 10})
		if err != nil || again.String() != p.String() || again.Sub != p.Sub || again.Name != p.Name {
			t.Fatalf("%q from %q reads as %#v, %v", p.String(), text, again, err)
		}
		// A path resolves to one whose canonical form resolves to itself.
		for _, kind := range registry.ResourceTypes() {
			if at, fault := kind.Resolve(p.Name); fault == schema.Found {
				if same, fault := kind.Resolve(at.String()); fault != schema.Found || same != at {
					t.Fatalf("%s of %q resolves to %s", at, p.Name, same)
				}
			}
		}
	})
}

// FuzzFold holds that folding is done once and for all.
func FuzzFold(f *testing.F) {
	for _, seed := range []string{"Straße", "E\u0301COLE", "İI", "ǰ\u0323", "ΐ", "\u0345", "ﬃ", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once := filter.Fold(text)
		if twice := filter.Fold(once); twice != once {
			t.Fatalf("%q becomes %q and then %q", text, once, twice)
		}
	})
}

// foreign turns a tree of the other parser into ours.
func foreign(e oracle.Expression) filter.Node {
	switch e := e.(type) {
	case *oracle.LogicalExpression:
		left, right := foreign(e.Left), foreign(e.Right)
		if e.Operator == oracle.AND {
			return appendAnd(appendAnd(nil, left), right)
		}
		return appendOr(appendOr(nil, left), right)
	case *oracle.NotExpression:
		return filter.Not{Term: foreign(e.Expression)}
	case *oracle.ValuePath:
		return filter.ValuePath{Name: e.AttributePath.String(), Filter: foreign(e.ValueFilter)}
	case *oracle.AttributeExpression:
		op := strings.ToLower(string(e.Operator))
		if op == "pr" {
			return filter.Present{Name: e.AttributePath.String()}
		}
		c := filter.Compare{Name: e.AttributePath.String(), Op: filter.Op(op)}
		switch v := e.CompareValue.(type) {
		case string:
			c.Value = filter.Literal{Kind: filter.Quoted, Text: v}
		case json.Number:
			c.Value = filter.Literal{Kind: filter.Number, Text: v.String()}
		case bool:
			c.Value = filter.Literal{Kind: filter.Bool, Text: "false"}
			if v {
				c.Value.Text = "true"
			}
		case nil:
			c.Value = filter.Literal{Kind: filter.Null, Text: "null"}
		}
		return c
	}
	return nil
}

func appendAnd(list filter.And, n filter.Node) filter.And {
	if more, ok := n.(filter.And); ok {
		return append(list, more...)
	}
	return append(list, n)
}

func appendOr(list filter.Or, n filter.Node) filter.Or {
	if more, ok := n.(filter.Or); ok {
		return append(list, more...)
	}
	return append(list, n)
}

// FuzzAgainstAnotherParser compares with an independent implementation: what it reads, ours reads as the same tree. It keeps
// escapes as they are and is given none here; how it groups and and or inside of brackets is its own, too.
func FuzzAgainstAnotherParser(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 300 || !utf8.ValidString(text) || strings.ContainsAny(text, `\[`) || strings.Count(text, "(") > 8 {
			return
		}
		theirs, err := oracle.ParseFilterNumber([]byte(text))
		if err != nil {
			return
		}
		ours, err := filter.Parse(text, filter.DefaultLimits)
		if err != nil {
			if strings.ContainsRune(text, 0) || !strings.Contains(strings.ToLower(text), "urn:") && strings.Contains(text, ":") {
				return // it takes U+0000, and any scheme for a URN
			}
			if strings.Contains(text, "$") {
				return // it takes names with a dollar other than $ref
			}
			t.Fatalf("%q is refused with %v, and means %s", text, err, theirs)
		}
		if want := foreign(theirs); !reflect.DeepEqual(lowerWords(placeless(ours)), lowerWords(want)) {
			t.Fatalf("%q is %#v and not %#v", text, placeless(ours), want)
		}
	})
}

// lowerWords makes bare words that the other parser knows as true, false and null in any case the same.
func lowerWords(n filter.Node) filter.Node {
	switch n := n.(type) {
	case filter.And:
		for i := range n {
			n[i] = lowerWords(n[i])
		}
		return n
	case filter.Or:
		for i := range n {
			n[i] = lowerWords(n[i])
		}
		return n
	case filter.Not:
		n.Term = lowerWords(n.Term)
		return n
	case filter.ValuePath:
		n.Filter = lowerWords(n.Filter)
		return n
	case filter.Compare:
		if word := strings.ToLower(n.Value.Text); n.Value.Kind == filter.Word {
			switch word {
			case "true", "false":
				n.Value = filter.Literal{Kind: filter.Bool, Text: word}
			case "null":
				n.Value = filter.Literal{Kind: filter.Null, Text: word}
			}
		}
		return n
	}
	return n
}

// TestBothParsersReadWhatWeWrite compares trees of the subset that both know.
func TestBothParsersReadWhatWeWrite(t *testing.T) {
	name := rapid.SampledFrom([]string{"userName", "name.familyName", "emails", "$ref", schema.EnterpriseUserURN + ":manager", schema.UserURN + ":name.givenName"})
	inner := rapid.SampledFrom([]string{"type", "value", "primary"})
	op := rapid.SampledFrom([]filter.Op{filter.Eq, filter.Ne, filter.Co, filter.Sw, filter.Ew, filter.Gt, filter.Ge, filter.Lt, filter.Le})
	literal := rapid.OneOf(
		rapid.Map(rapid.StringMatching(`[a-zA-Z0-9 @.()\]é-]{0,8}`), func(s string) filter.Literal { return filter.Literal{Kind: filter.Quoted, Text: s} }),
		rapid.Map(rapid.SampledFrom([]string{"0", "-1", "42", "1.5", "99999999999999999999"}), func(s string) filter.Literal { return filter.Literal{Kind: filter.Number, Text: s} }),
		rapid.SampledFrom([]filter.Literal{{Kind: filter.Bool, Text: "true"}, {Kind: filter.Bool, Text: "false"}, {Kind: filter.Null, Text: "null"}}))
	test := func(name *rapid.Generator[string]) *rapid.Generator[filter.Node] {
		return rapid.Custom(func(t *rapid.T) filter.Node {
			if rapid.IntRange(0, 4).Draw(t, "pr") == 0 {
				return filter.Present{Name: name.Draw(t, "name")}
			}
			return filter.Compare{Name: name.Draw(t, "name"), Op: op.Draw(t, "op"), Value: literal.Draw(t, "value")}
		})
	}
	var node func(depth int) *rapid.Generator[filter.Node]
	node = func(depth int) *rapid.Generator[filter.Node] {
		return rapid.Custom(func(t *rapid.T) filter.Node {
			kind := rapid.IntRange(0, 6).Draw(t, "kind")
			if depth == 0 {
				kind = min(kind, 2)
			}
			switch kind {
			case 3:
				return appendAnd(appendAnd(nil, node(depth-1).Draw(t, "left")), node(depth-1).Draw(t, "right"))
			case 4:
				return appendOr(appendOr(nil, node(depth-1).Draw(t, "left")), node(depth-1).Draw(t, "right"))
			case 5:
				return filter.Not{Term: node(depth-1).Draw(t, "term")}
			case 6:
				return filter.ValuePath{Name: "emails", Filter: test(inner).Draw(t, "inner")}
			}
			return test(name).Draw(t, "test")
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		want := node(4).Draw(t, "filter")
		text := want.String()
		ours, err := filter.Parse(text, filter.DefaultLimits)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !reflect.DeepEqual(placeless(ours), want) {
			t.Fatalf("%s is %#v", text, ours)
		}
		theirs, err := oracle.ParseFilterNumber([]byte(text))
		if err != nil {
			t.Fatalf("%s: the other parser: %v", text, err)
		}
		if got := foreign(theirs); !reflect.DeepEqual(got, want) {
			t.Fatalf("%s is %#v to the other parser", text, got)
		}
	})
}

// TestMatchAgreesWithASlowOracle evaluates random filters of one user's scalars, and compares with the truth table worked out
// on paper: an atom for each attribute and operator over the folded or plain text.
func TestMatchAgreesWithASlowOracle(t *testing.T) {
	word := rapid.SampledFrom([]string{"", "a", "A", "ab", "Ba", "é", "É", "ß", "SS"})
	maybe := rapid.SampledFrom([]bool{true, false})
	op := rapid.SampledFrom([]filter.Op{filter.Eq, filter.Ne, filter.Co, filter.Sw, filter.Ew, filter.Gt, filter.Ge, filter.Lt, filter.Le})
	holds := func(op filter.Op, v, w string) bool {
		switch op {
		case filter.Eq:
			return v == w
		case filter.Ne:
			return v != w
		case filter.Co:
			return strings.Contains(v, w)
		case filter.Sw:
			return strings.HasPrefix(v, w)
		case filter.Ew:
			return strings.HasSuffix(v, w)
		case filter.Gt:
			return v > w
		case filter.Ge:
			return v >= w
		case filter.Lt:
			return v < w
		}
		return v <= w
	}
	rapid.Check(t, func(t *rapid.T) {
		user := &tree.Object{}
		values := map[string][]string{} // of each attribute; of emails one for each element
		for _, name := range []string{"displayName", "externalId", "title"} {
			if maybe.Draw(t, name) {
				values[name] = []string{word.Draw(t, "value")}
				user.Set(name, tree.Text(values[name][0]))
			}
		}
		var emails []tree.Value
		for range rapid.IntRange(0, 3).Draw(t, "emails") {
			values["emails.value"] = append(values["emails.value"], word.Draw(t, "email"))
			emails = append(emails, tree.Of(tree.NewObject(tree.Member{Name: "value", Value: tree.Text(values["emails.value"][len(emails)])})))
		}
		if len(emails) > 0 {
			user.Set("emails", tree.Items(emails...))
		}
		var random func(depth int) (filter.Node, bool)
		random = func(depth int) (filter.Node, bool) {
			kind := rapid.IntRange(0, 5).Draw(t, "kind")
			if depth == 0 {
				kind = 0
			}
			switch kind {
			case 1:
				left, a := random(depth - 1)
				right, b := random(depth - 1)
				return filter.And{left, right}, a && b
			case 2:
				left, a := random(depth - 1)
				right, b := random(depth - 1)
				return filter.Or{left, right}, a || b
			case 3:
				term, a := random(depth - 1)
				return filter.Not{Term: term}, !a
			}
			name := rapid.SampledFrom([]string{"displayName", "externalId", "title", "emails.value"}).Draw(t, "name")
			c := filter.Compare{Name: name, Op: op.Draw(t, "op"), Value: filter.Literal{Text: word.Draw(t, "operand")}}
			if len(values[name]) == 0 {
				return c, c.Op == filter.Ne
			}
			for _, v := range values[name] {
				w := c.Value.Text
				if name != "externalId" {
					v, w = slowFold(v), slowFold(w)
				}
				if holds(c.Op, v, w) {
					return c, true
				}
			}
			return c, false
		}
		n, want := random(4)
		p, err := filter.Compile(n, registry.User)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(user); got != want {
			t.Fatalf("%s of %s is %t", n, user.Append(nil), got)
		}
	})
}

// slowFold folds the few words of the test by hand.
func slowFold(s string) string {
	return strings.NewReplacer("A", "a", "B", "b", "S", "s", "É", "é", "ß", "ss").Replace(s)
}
