package strictjson_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

type inner struct {
	Street string `json:"street,omitempty"`
}

type Embedded struct {
	Name string `json:"name"`
	Kind string `json:"kind,omitempty"`
}

type document struct {
	Embedded
	ID       string            `json:"id"`
	Kind     int               `json:"kind"` // hides the embedded one
	Count    uint8             `json:"count"`
	Ratio    *float64          `json:"ratio"`
	On       bool              `json:"on"`
	Addr     *inner            `json:"addr"`
	Addrs    []inner           `json:"addrs"`
	Tags     map[string]string `json:"tags"`
	Raw      json.RawMessage   `json:"raw"`
	Raws     []json.RawMessage `json:"raws"`
	Any      any               `json:"any"`
	Exact    json.Number       `json:"exact"`
	Bytes    []byte            `json:"bytes"`
	Quoted   int               `json:"quoted,string"`
	Hidden   string            `json:"-"`
	Untagged string
}

func TestUnmarshalAcceptsWhatFitsTheType(t *testing.T) {
	var got document
	text := `{"id":"a","name":"n","kind":3,"count":255,"ratio":1.5e3,"on":true,"addr":{"street":"s"},"addrs":[{},{"street":"t"}],
	 "tags":{"a":"b"},"raw":{"x":[1,true]},"raws":["q",{"y":"z"}],"any":{"n":12345678901234567890},"exact":0.10,"bytes":"AAE=",
	 "quoted":"7","Untagged":"\u00e9\ud83d\ude00\n"}`
	if err := strictjson.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	ratio := 1500.0
	want := document{
		Embedded: Embedded{Name: "n"}, ID: "a", Kind: 3, Count: 255, Ratio: &ratio, On: true, Addr: &inner{"s"},
		Addrs: []inner{{}, {"t"}}, Tags: map[string]string{"a": "b"}, Raw: json.RawMessage(`{"x":[1,true]}`),
		Raws: []json.RawMessage{json.RawMessage(`"q"`), json.RawMessage(`{"y":"z"}`)},
		Any:  map[string]any{"n": json.Number("12345678901234567890")}, Exact: "0.10", Bytes: []byte{0, 1}, Quoted: 7, Untagged: "é😀\n",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestUnmarshalRefusesAndSaysWhere(t *testing.T) {
	for _, c := range []struct {
		name, text, pointer, problem string
		syntax                       bool
	}{
		{"an empty text", ``, "", "empty", true},
		{"white space alone", " \n", "", "empty", true},
		{"a text that ends in an object", `{"id":`, "/id", "ends in the middle", true},
		{"a comma after the last member", `{"id":"a",}`, "", "member name", true},
		{"a second value", `{"id":"a"} {}`, "", "follows the end", true},
		{"a byte order mark", "\ufeff{}", "", "a JSON value was expected", true},
		{"a bare word", `{"id":nope}`, "/id", "JSON value", true},
		{"single quotes", `{'id':1}`, "", "member name", true},
		{"a duplicate member", `{"id":"a","id":"b"}`, "/id", "appears twice", true},
		{"a duplicate that differs in escapes", `{"id":"a","\u0069d":"b"}`, "/id", "appears twice", true},
		{"a duplicate inside raw JSON", `{"raws":["q",{"y":1,"y":2}]}`, "/raws/1/y", "appears twice", true},
		{"an unpaired surrogate", `{"id":"\ud800"}`, "/id", "surrogate", true},
		{"two high surrogates", `{"id":"\ud800\ud800"}`, "/id", "surrogate", true},
		{"a low surrogate alone", `{"id":"\udc00"}`, "/id", "surrogate", true},
		{"bytes that are not UTF-8", "{\"id\":\"\xff\"}", "/id", "UTF-8", true},
		{"bytes that are not UTF-8 after an escape", "{\"id\":\"\\n\xc3\"}", "/id", "UTF-8", true},
		{"a bare control character", "{\"id\":\"a\nb\"}", "/id", "control character", true},
		{"an unknown escape", `{"id":"\x"}`, "/id", "unknown escape", true},
		{"a leading zero", `{"kind":01}`, "/kind", "begin with 0", true},
		{"a lone minus", `{"kind":-}`, "/kind", "digit", true},
		{"a decimal point without digits", `{"ratio":1.}`, "/ratio", "digit", true},
		{"a pointer that needs escaping", `{"tags":{"a/b~c":[}}`, "/tags/a~1b~0c/0", "JSON value", true},
		{"nesting beyond the limit", strings.Repeat("[", 65) + strings.Repeat("]", 65), "", "deeper than 64", true},
		{"nesting far beyond the limit", strings.Repeat(`{"a":`, 10000), "", "deeper than 64", true},
		{"an unknown member", `{"id":"a","colour":"red"}`, "/colour", "not known", false},
		{"an unknown member deep inside", `{"addrs":[{},{"zip":"1"}]}`, "/addrs/1/zip", "not known", false},
		{"a member in another case", `{"ID":"a"}`, "/ID", "not known", false},
		{"a member that is hidden from JSON", `{"Hidden":"a"}`, "/Hidden", "not known", false},
		{"a null", `{"id":null}`, "/id", "null", false},
		{"a null document", `null`, "", "null", false},
		{"a null inside raw JSON", `{"raw":{"x":[1,null]}}`, "/raw/x/1", "null", false},
		{"a null inside any", `{"any":[null]}`, "/any/0", "null", false},
		{"a null for a pointer", `{"addr":null}`, "/addr", "null", false},
		{"a number for a string", `{"id":1}`, "/id", "a number instead of a string", false},
		{"a string for an object", `{"addr":"x"}`, "/addr", "a string instead of an object", false},
		{"an object for an array", `{"addrs":{}}`, "/addrs", "an object instead of an array", false},
		{"an array for the document", `[]`, "", "an array instead of an object", false},
		{"a string for a boolean", `{"on":"true"}`, "/on", "instead of true or false", false},
		{"a string for an exact number", `{"exact":"1"}`, "/exact", "instead of a number", false},
		{"a number for a quoted number", `{"quoted":7}`, "/quoted", "instead of a string", false},
		{"a number beyond its type", `{"count":256}`, "/count", "256", false},
		{"a negative number for a natural one", `{"count":-1}`, "/count", "-1", false},
		{"a fraction for a whole number", `{"kind":1.0}`, "/kind", "1.0", false},
		{"a number beyond all doubles", `{"ratio":1e999}`, "/ratio", "1e999", false},
		{"bytes that are not Base64", `{"bytes":"?"}`, "/bytes", "Base64", false},
		{"the character U+0000", `{"id":"a\u0000"}`, "/id", "U+0000", false},
		{"the character U+0000 in a name", `{"tags":{"\u0000":"a"}}`, "/tags/\x00", "U+0000", false},
		{"the character U+0000 in raw JSON", `{"raw":["\u0000"]}`, "/raw/0", "U+0000", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d document
			err := strictjson.Unmarshal([]byte(c.text), &d)
			var e *strictjson.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want a *strictjson.Error", err)
			}
			if e.Pointer != c.pointer || !strings.Contains(e.Problem, c.problem) || e.Syntax != c.syntax || e.Remedy == "" {
				t.Errorf("got %+v", *e)
			}
		})
	}
}

func TestUnmarshalNamesTheMemberThatWasMeant(t *testing.T) {
	var d document
	err := strictjson.Unmarshal([]byte(`{"addr":{"Street":"x"}}`), &d)
	if err == nil || !strings.Contains(err.Error(), `Write "street"`) {
		t.Errorf("got %v", err)
	}
}

func TestUnmarshalAsksForAPointer(t *testing.T) {
	if err := strictjson.Unmarshal([]byte(`{}`), document{}); err == nil {
		t.Error("a value was accepted where only a pointer can be filled")
	}
}

func TestParseAcceptsTheDeepestNestingAllowed(t *testing.T) {
	text := strings.Repeat("[", strictjson.MaxDepth) + strings.Repeat("]", strictjson.MaxDepth)
	if _, err := strictjson.Parse([]byte(text)); err != nil {
		t.Error(err)
	}
}

func TestParseKeepsNullsAndTheDigitsOfNumbers(t *testing.T) {
	got, err := strictjson.Parse([]byte(` {"a":[null,-0.50e+1,false],"":{}} `))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"a": []any{nil, json.Number("-0.50e+1"), false}, "": map[string]any{}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v", got)
	}
}

// FuzzParse holds two promises: no input panics, and what is accepted means the same to encoding/json.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-2.5e-3,true,null,"x\u00e9\ud83d\ude00\\\"/"]}`, `[[[]]]`, `{"a":1,"a":2}`, `"\ud800"`, "\"\xff\"", `01`, `{"a"`, ` 0 `, `1e999`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := strictjson.Parse(data)
		if err != nil {
			var e *strictjson.Error
			if !errors.As(err, &e) || !e.Syntax || e.Problem == "" || e.Remedy == "" {
				t.Fatalf("poor refusal %#v", err)
			}
			return
		}
		dec := json.NewDecoder(strings.NewReader(string(data)))
		dec.UseNumber()
		var want any
		if err := dec.Decode(&want); err != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %#v, want %#v", got, want)
		}
		_ = strictjson.Unmarshal(data, new(document))
	})
}

func BenchmarkParse(b *testing.B) {
	text := []byte(`{"@context":["https://www.w3.org/ns/credentials/v2"],"id":"urn:uuid:1","type":["VerifiableCredential"],` +
		`"issuer":{"id":"https://example.com/i","name":"Example"},"credentialSubject":{"achievement":{"creditsAvailable":3.5,"tag":["a","b"]}}}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := strictjson.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	type recipient struct {
		ID    string `json:"id,omitempty"`
		Email string `json:"email,omitempty"`
		Name  string `json:"name,omitempty"`
	}
	type evidence struct {
		ID        string   `json:"id,omitempty"`
		Type      []string `json:"type,omitempty"`
		Name      string   `json:"name,omitempty"`
		Narrative string   `json:"narrative,omitempty"`
	}
	type order struct {
		AchievementID string     `json:"achievementId"`
		Recipient     recipient  `json:"recipient"`
		Narrative     string     `json:"narrative,omitempty"`
		ValidUntil    string     `json:"validUntil,omitempty"`
		Evidence      []evidence `json:"evidence,omitempty"`
	}
	text := []byte(`{"achievementId":"0192f5a0-0000-7000-8000-000000000001","recipient":{"email":"ada@example.org","name":"Ada"},"narrative":"Came every week, and bound a fourth book at home.","validUntil":"2030-01-01T00:00:00Z","evidence":[{"id":"https://portfolio.example.org/1","type":["Evidence"],"name":"Three books","narrative":"Photographs of the three books and of the bench."}]}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		var o order
		if err := strictjson.Unmarshal(text, &o); err != nil {
			b.Fatal(err)
		}
	}
}
