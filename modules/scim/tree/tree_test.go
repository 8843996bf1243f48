package tree_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

func TestParseKeepsOrderAndNumbers(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{` { "b" : 1 , "a" : [ true , null , { } ] } `, `{"b":1,"a":[true,null,{}]}`},
		{`99999999999999999999.10e+400`, `99999999999999999999.10e+400`},
		{`-0`, `-0`},
		{`"\u00e9\uD83D\uDE00\/\b\f\n\r\t\"\\"`, `"é😀/\u0008\u000c\n\r\t\"\\"`},
		{"\"\u2028\u007f<>&\"", "\"\u2028\u007f<>&\""},
		{`{"a":{"a":{"A ":1}}}`, `{"a":{"a":{"A ":1}}}`},
		{"{\"k\":1,\"\u212a\":2,\"s\":3,\"\u017f\":4}", "{\"k\":1,\"\u212a\":2,\"s\":3,\"\u017f\":4}"}, // letters beyond ASCII have no case here
	} {
		v, err := tree.Parse(row.text)
		if err != nil {
			t.Errorf("%s: %v", row.text, err)
			continue
		}
		if got := string(v.Append(nil)); got != row.want {
			t.Errorf("%s is %s", row.text, got)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{``, ` `, `nul`, `truely`, `{`, `[`, `{"a"}`, `{"a":}`, `{"a":1,}`, `[1,]`, `{a:1}`, `{'a':1}`, `01`, `1.`, `-`, `1e`, `+1`, `.5`, `0x1`, `NaN`, `1 2`, `{} {}`,
		`"a`, `"\x"`, `"\u12"`, `"\ud800"`, `"\udc00"`, `"\ud800\ud800"`, "\"\x01\"", "\"\xff\"", "\"\xed\xa0\x80\"", `{"a":1,"a":2}`, `{"a":1,"A":2}`, `{"a":1,"\u0061":2}`,
		strings.Repeat("[", 33) + strings.Repeat("]", 33), strings.Repeat(`{"a":`, 40)} {
		v, err := tree.Parse(text)
		if e, ok := refusal.From(err); !ok || e.Type != refusal.InvalidSyntax || !strings.Contains(e.Detail, ".") {
			t.Errorf("%s is %s, %v", text, v.Append(nil), err)
		}
	}
	for _, text := range []string{`"\u0000"`, "\"\x00\"", `{"\u0000":1}`} {
		if _, err := tree.Parse(text); err == nil {
			t.Errorf("%q is taken", text)
		} else if e, _ := refusal.From(err); e.Type != refusal.InvalidValue {
			t.Errorf("%q is refused with %v", text, err)
		}
	}
	if _, err := tree.Parse(strings.Repeat("[", 32) + strings.Repeat("]", 32)); err != nil {
		t.Error(err)
	}
}

func TestEqual(t *testing.T) {
	for _, row := range []struct {
		a, b string
		want bool
	}{
		{`{"a":1,"b":[true,"x"]}`, `{"b":[true,"x"],"a":1}`, true},
		{`[1,2]`, `[2,1]`, false},
		{`1`, `1.0`, false},
		{`"1"`, `1`, false},
		{`{"a":1}`, `{"A":1}`, false},
		{`{"a":1}`, `{"a":1,"b":null}`, false},
		{`null`, `null`, true},
	} {
		a, _ := tree.Parse(row.a)
		b, _ := tree.Parse(row.b)
		if a.Equal(b) != row.want || b.Equal(a) != row.want {
			t.Errorf("%s and %s", row.a, row.b)
		}
	}
}

func TestObject(t *testing.T) {
	o, err := tree.ParseObject(`{"a":1,"B":2}`)
	if err != nil {
		t.Fatal(err)
	}
	if marked, err := tree.ParseObject("\ufeff{}"); err != nil || marked.Len() != 0 {
		t.Errorf("a byte order mark makes it %v", err)
	}
	c := o.Clone()
	c.Set("a", tree.Text("x"))
	c.Set("c", tree.Boolean(true))
	if !c.Delete("B") || c.Delete("B") {
		t.Error("B is deleted once")
	}
	if got := string(c.Append(nil)) + string(o.Append(nil)); got != `{"a":"x","c":true}{"a":1,"B":2}` {
		t.Error(got)
	}
	if _, ok := o.Get("b"); ok {
		t.Error("Get is exact")
	}
	if v, ok := o.Find("b"); !ok || v.Text() != "2" {
		t.Error("Find is not")
	}
	var none *tree.Object
	if none.Len() != 0 || string(none.Append(nil)) != "{}" || none.Clone().Len() != 0 {
		t.Error("nil is empty")
	}
}

func TestNames(t *testing.T) {
	for _, row := range []struct {
		name string
		want bool
	}{{"a", true}, {"userName", true}, {"x509Certificates", true}, {"a-b_c1", true}, {"$ref", true}, {"$REF", true}, {"", false}, {"1a", false}, {"$a", false}, {"a.b", false}, {"a b", false}, {"é", false}, {"aé", false}, {"-a", false}} {
		if tree.IsName(row.name) != row.want {
			t.Errorf("%q", row.name)
		}
	}
	if !tree.SameName("userNAME", "USERname") || tree.SameName("k", "\u212a") || tree.FoldName("ÀB") != "Àb" {
		t.Error("only ASCII has case")
	}
}

// FuzzParse compares with two other readers: what is read here they read as the same, and it is written as what reads the
// same. What the strict one of the kernel reads and this one does not has names that differ in case alone, or nests too deep,
// or U+0000.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-2.5e+3,true,false,null,"x\u00e9\ud83d\ude00"]}`, `{"a":1,"A":2}`, `"\ud800"`, `[[[]]]`, `{"":""}`, "\"\u2028\x7f\"", `{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"I":1}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := tree.Parse(text)
		strict, strictErr := strictjson.Parse([]byte(text))
		if err != nil {
			if _, ok := refusal.From(err); !ok {
				t.Fatal(err)
			}
			if strictErr == nil && !strings.Contains(err.Error(), "twice") && !strings.Contains(err.Error(), "deeper than") && !strings.Contains(err.Error(), "U+0000") {
				t.Fatalf("%q is refused with %v", text, err)
			}
			return
		}
		if strictErr != nil {
			t.Fatalf("%q is taken, the kernel refuses it with %v", text, strictErr)
		}
		written := string(v.Append(nil))
		again, err := tree.Parse(written)
		if err != nil || !again.Equal(v) {
			t.Fatalf("%q is written %q: %v", text, written, err)
		}
		if !json.Valid([]byte(written)) {
			t.Fatalf("%q is no JSON", written)
		}
		if other, err := strictjson.Parse([]byte(written)); err != nil || !reflect.DeepEqual(other, strict) {
			t.Fatalf("%q and %q are not the same: %v", text, written, err)
		}
	})
}

// BenchmarkParse reads a user.
func BenchmarkParse(b *testing.B) {
	const text = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"externalId":"3c1f0d92-6f0c-4a55-9b0e-0f1f4b7a2d10","userName":"dana.kim@contoso.example","active":true,"displayName":"Dana Kim","emails":[{"primary":true,"type":"work","value":"dana.kim@contoso.example"}],"name":{"formatted":"Dana Kim","familyName":"Kim","givenName":"Dana"}}`
	b.Run("tree", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := tree.Parse(text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var v any
			if err := json.Unmarshal([]byte(text), &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}
