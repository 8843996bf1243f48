package filter_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/scim/filter"
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
)

func quoted(name string, op filter.Op, text string) filter.Compare {
	return filter.Compare{Name: name, Op: op, Value: filter.Literal{Kind: filter.Quoted, Text: text}}
}

func word(name string, op filter.Op, kind filter.Kind, text string) filter.Compare {
	return filter.Compare{Name: name, Op: op, Value: filter.Literal{Kind: kind, Text: text}}
}

// placeless drops where nodes stood.
func placeless(n filter.Node) filter.Node {
	switch n := n.(type) {
	case filter.And:
		list := make(filter.And, len(n))
		for i := range n {
			list[i] = placeless(n[i])
		}
		return list
	case filter.Or:
		list := make(filter.Or, len(n))
		for i := range n {
			list[i] = placeless(n[i])
		}
		return list
	case filter.Not:
		return filter.Not{Term: placeless(n.Term)}
	case filter.Compare:
		n.At = 0
		return n
	case filter.Present:
		n.At = 0
		return n
	case filter.ValuePath:
		n.At, n.Filter = 0, placeless(n.Filter)
		if n.Rest != nil {
			n.Rest = placeless(n.Rest)
		}
		return n
	}
	return n
}

func TestParseGivesTheTreeOfAFilter(t *testing.T) {
	a, b, c := filter.Present{Name: "a"}, filter.Present{Name: "b"}, filter.Present{Name: "c"}
	work := quoted("type", filter.Eq, "work")
	for _, row := range []struct {
		name, text string
		want       filter.Node
	}{
		{"the matching query", `userName eq "dana.kim@contoso.example"`, quoted("userName", filter.Eq, "dana.kim@contoso.example")},
		{"the matching query by e-mail, which only Entra writes", `emails[type eq "work"].value eq "x@y"`,
			filter.ValuePath{Name: "emails", Filter: work, Rest: quoted("value", filter.Eq, "x@y")}},
		{"pr behind a value path", `emails[type eq "work"].value pr`,
			filter.ValuePath{Name: "emails", Filter: work, Rest: filter.Present{Name: "value"}}},
		{"a value path", `emails[type eq "work" and value co "@x"]`,
			filter.ValuePath{Name: "emails", Filter: filter.And{work, quoted("value", filter.Co, "@x")}}},
		{"parentheses in brackets", `emails[(type eq "work" or a pr) and b pr]`,
			filter.ValuePath{Name: "emails", Filter: filter.And{filter.Or{work, a}, b}}},
		{"a bare word", `externalId eq jyoung`, word("externalId", filter.Eq, filter.Word, "jyoung")},
		{"a bare name with an apostrophe", `name.familyName eq O'Brien`, word("name.familyName", filter.Eq, filter.Word, "O'Brien")},
		{"a bare letter", `userName sw O`, word("userName", filter.Sw, filter.Word, "O")},
		{"an unquoted date with a zone", `meta.Created gt 2019-10-10T14:38:21.8617979-07:00`,
			word("meta.Created", filter.Gt, filter.Word, "2019-10-10T14:38:21.8617979-07:00")},
		{"names in odd case and a group of unquoted words",
			`name.FamilyName eq Employee and (emails.Value co example.com or emails.Value co example.org)`,
			filter.And{word("name.FamilyName", filter.Eq, filter.Word, "Employee"),
				filter.Or{word("emails.Value", filter.Co, filter.Word, "example.com"), word("emails.Value", filter.Co, filter.Word, "example.org")}}},
		{"the reference check", `id eq "a" and manager eq "b"`, filter.And{quoted("id", filter.Eq, "a"), quoted("manager", filter.Eq, "b")}},
		{"and binds closer than or", `a pr or b pr and c pr`, filter.Or{a, filter.And{b, c}}},
		{"or last too", `a pr and b pr or c pr`, filter.Or{filter.And{a, b}, c}},
		{"parentheses first", `(a pr or b pr) and c pr`, filter.And{filter.Or{a, b}, c}},
		{"not before and", `not (a pr) and b pr`, filter.And{filter.Not{Term: a}, b}},
		{"not without a blank", `not(a pr)`, filter.Not{Term: a}},
		{"not of not", `not (not (a pr))`, filter.Not{Term: filter.Not{Term: a}}},
		{"needless parentheses", `((a pr))`, a},
		{"a chain is one list", `a pr and (b pr and c pr)`, filter.And{a, b, c}},
		{"keywords in odd case", `A PR aNd NOT (b Pr) OR c EQ TRUE`,
			filter.Or{filter.And{filter.Present{Name: "A"}, filter.Not{Term: b}}, word("c", filter.Eq, filter.Word, "TRUE")}},
		{"attributes named like keywords", `not pr and or eq "x" or and pr`,
			filter.Or{filter.And{filter.Present{Name: "not"}, quoted("or", filter.Eq, "x")}, filter.Present{Name: "and"}}},
		{"operators as values", `a eq pr and b eq and`, filter.And{word("a", filter.Eq, filter.Word, "pr"), word("b", filter.Eq, filter.Word, "and")}},
		{"true, false and null", `a eq true and b ne false and c eq null`,
			filter.And{word("a", filter.Eq, filter.Bool, "true"), word("b", filter.Ne, filter.Bool, "false"), word("c", filter.Eq, filter.Null, "null")}},
		{"an integer beyond any register", `a gt 99999999999999999999`, word("a", filter.Gt, filter.Number, "99999999999999999999")},
		{"a number with everything", `a lt -1.50e+3`, word("a", filter.Lt, filter.Number, "-1.50e+3")},
		{"no number of JSON", `a eq 007`, word("a", filter.Eq, filter.Word, "007")},
		{"every escape of JSON", `a eq "\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00"`, quoted("a", filter.Eq, "\"\\/\b\f\n\r\té😀")},
		{"brackets and keywords in a string", `a eq "x) or ] and (\"b\" pr"`, quoted("a", filter.Eq, `x) or ] and ("b" pr`)},
		{"an empty string", `a co ""`, quoted("a", filter.Co, "")},
		{"a URN", `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "b"`,
			quoted("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value", filter.Eq, "b")},
		{"a reference", `members.$ref pr`, filter.Present{Name: "members.$ref"}},
		{"blanks around and between", "  a   pr \t and  ( b pr )  ", filter.And{a, b}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := filter.Parse(row.text, filter.DefaultLimits)
			if err != nil {
				t.Fatal(err)
			}
			if got = placeless(got); !reflect.DeepEqual(got, row.want) {
				t.Errorf("got %#v", got)
			}
			again, err := filter.Parse(got.String(), filter.DefaultLimits)
			if err != nil || !reflect.DeepEqual(placeless(again), row.want) {
				t.Errorf("%q is %#v, %v", got.String(), again, err)
			}
		})
	}
}

func TestParseSaysWhereAFilterIsWrong(t *testing.T) {
	for _, row := range []struct {
		name, text, want string
	}{
		{"nothing", "", "it is empty, at byte 0"},
		{"blanks", "   ", "it is empty, at byte 3"},
		{"an operator that is none", `userName like "x"`, `"like" is no operator; eq, ne, co, sw, ew, gt, ge, lt, le and pr are, at byte 9`},
		{"no operator", `userName`, `a blank and an operator were expected after "userName", at byte 8`},
		{"no value", `userName eq`, `a blank and a value were expected after eq, at byte 11`},
		{"no value before the closing", `(userName eq )`, `a value was expected, at byte 13`},
		{"an unterminated string", `userName eq "x`, `a string does not end, at byte 14`},
		{"an escape that is none", `userName eq "\x"`, `a string contains an escape that JSON does not have, at byte 13`},
		{"an unpaired surrogate", `userName eq "\ud800"`, `a string contains an unpaired surrogate, at byte 13`},
		{"an escaped U+0000", `userName eq "\u0000"`, `a string contains the character U+0000, which cannot be stored, at byte 13`},
		{"a bare U+0000", "userName eq \"a\x00\"", `it contains the character U+0000, at byte 14`},
		{"text that is not UTF-8", "userName eq \"\xff\"", `it is not UTF-8`},
		{"an open parenthesis", `(a pr`, `what opens here is never closed by ')', at byte 0`},
		{"an open bracket", `emails[a pr`, `what opens here is never closed by ']', at byte 6`},
		{"a closing too many", `a pr)`, `and, or or the end was expected before ")", at byte 4`},
		{"nothing after and", `a pr and`, `the name of an attribute was expected, at byte 8`},
		{"two tests without a word between", `a pr b pr`, `and, or or the end was expected before "b pr", at byte 5`},
		{"brackets within brackets", `a[b[c pr]]`, `brackets cannot stand within brackets, at byte 3`},
		{"empty brackets", `a[]`, `the name of an attribute was expected before "]", at byte 2`},
		{"a sub-attribute without a test", `emails[type eq "work"].value`, `a blank and an operator were expected after "value", at byte 28`},
		{"a name that is none", `1a pr`, `"1a" is no attribute, at byte 0`},
		{"two sub-attributes", `a.b.c pr`, `"a.b.c" is no attribute, at byte 0`},
		{"a colon without a URN", `core:userName pr`, `"core:userName" is no attribute; a URN begins with urn:, at byte 0`},
		{"a value in other quotes", `userName eq 'dana'`, `a value stands between double quotes, not between others, at byte 12`},
		{"a value in the quotes of a text processor", `userName eq “dana”`, `a value stands between double quotes, not between others, at byte 12`},
		{"SQL", `userName eq "x"; DROP TABLE users`, `and, or or the end was expected before "; DROP TABLE users", at byte 15`},
		{"too long", `userName eq "` + strings.Repeat("x", 1<<20) + `"`, `it is longer than 16384 bytes, at byte 16384`},
		{"ten thousand parentheses", strings.Repeat("(", 10_000), `it nests deeper than 32 levels, at byte 32`},
		{"ten thousand negations", strings.Repeat("not(", 4_000), `it nests deeper than 32 levels, at byte 131`},
		{"too many comparisons", strings.Repeat("a pr or ", 300) + "a pr", `it has more than 256 comparisons, at byte 2048`},
	} {
		t.Run(row.name, func(t *testing.T) {
			n, err := filter.Parse(row.text, filter.DefaultLimits)
			if err == nil {
				t.Fatalf("it is %#v", n)
			}
			e, ok := refusal.From(err)
			if !ok || e.Status != 400 || e.Type != refusal.InvalidFilter || !strings.Contains(e.Detail, row.want) {
				t.Errorf("refused with %v", err)
			}
		})
	}
}

func TestParsePath(t *testing.T) {
	work := quoted("type", filter.Eq, "work")
	for _, row := range []struct {
		text string
		want filter.Path
	}{
		{`displayName`, filter.Path{Name: "displayName"}},
		{`name.givenName`, filter.Path{Name: "name.givenName"}},
		{`emails[type eq "work"]`, filter.Path{Name: "emails", Filter: work}},
		{`emails[type eq "work"].Value`, filter.Path{Name: "emails", Filter: work, Sub: "Value"}},
		{`members[value eq "U1"].$ref`, filter.Path{Name: "members", Filter: quoted("value", filter.Eq, "U1"), Sub: "$ref"}},
		{`roles[primary eq "True"].value`, filter.Path{Name: "roles", Filter: quoted("primary", filter.Eq, "True"), Sub: "value"}},
		{`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User`, filter.Path{Name: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"}},
		{`urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq "work"]`,
			filter.Path{Name: "urn:ietf:params:scim:schemas:core:2.0:User:emails", Filter: work}},
	} {
		t.Run(row.text, func(t *testing.T) {
			got, err := filter.ParsePath(row.text, filter.DefaultLimits)
			if err != nil {
				t.Fatal(err)
			}
			if got.Filter != nil {
				got.Filter = placeless(got.Filter)
			}
			if !reflect.DeepEqual(got, row.want) {
				t.Errorf("got %#v", got)
			}
			if again, err := filter.ParsePath(got.String(), filter.DefaultLimits); err != nil || again.String() != got.String() {
				t.Errorf("%q is %#v, %v", got.String(), again, err)
			}
		})
	}
	for _, row := range []struct {
		text string
		want refusal.Type
	}{
		{``, refusal.InvalidPath},
		{`a b`, refusal.InvalidPath},
		{`emails[type eq "work"].`, refusal.InvalidPath},
		{`emails[type eq "work"]value`, refusal.InvalidPath},
		{`emails[type eq "work"].a.b`, refusal.InvalidPath},
		{`[type eq "work"]`, refusal.InvalidPath},
		{`emails[type eq "work"`, refusal.InvalidFilter},
		{`emails[type is "work"]`, refusal.InvalidFilter},
		{`emails[]`, refusal.InvalidFilter},
		{"a\x00", refusal.InvalidPath},
	} {
		t.Run("refused "+fmt.Sprintf("%q", row.text), func(t *testing.T) {
			_, err := filter.ParsePath(row.text, filter.DefaultLimits)
			if e, ok := refusal.From(err); !ok || e.Type != row.want {
				t.Errorf("refused with %v", err)
			}
		})
	}
}
