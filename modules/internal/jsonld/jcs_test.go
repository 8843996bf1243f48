package jsonld_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

func TestJCSWritesCanonicalJSON(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"the example of RFC 8785, 3.2.2", `{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
		  "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
			`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`},
		{"the order of RFC 8785, 3.2.3", `{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
			"{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}"},
		{"short escapes", `"\b\t\n\f\r\"\\\u001f\u007f"`, `"\b\t\n\f\r\"\\\u001f` + "\u007f" + `"`},
		{"names that are prefixes", `{"aa":1,"a":2,"":3}`, `{"":3,"a":2,"aa":1}`},
		{"empty containers", `[{},[]]`, `[{},[]]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := strictjson.Parse([]byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			got, err := jsonld.JCS(v)
			if err != nil || string(got) != c.want {
				t.Errorf("got  %s, %v\nwant %s", got, err, c.want)
			}
		})
	}
}

// The samples are those of RFC 8785, appendix B (Number Serialization Samples).
func TestJCSWritesNumbersAsECMAScript(t *testing.T) {
	for bits, want := range map[uint64]string{
		0x0000000000000000: "0", 0x8000000000000000: "0", 0x0000000000000001: "5e-324", 0x8000000000000001: "-5e-324",
		0x7fefffffffffffff: "1.7976931348623157e+308", 0xffefffffffffffff: "-1.7976931348623157e+308",
		0x4340000000000000: "9007199254740992", 0xc340000000000000: "-9007199254740992", 0x4430000000000000: "295147905179352830000",
		0x44b52d02c7e14af5: "9.999999999999997e+22", 0x44b52d02c7e14af6: "1e+23", 0x44b52d02c7e14af7: "1.0000000000000001e+23",
		0x444b1ae4d6e2ef4e: "999999999999999700000", 0x444b1ae4d6e2ef4f: "999999999999999900000", 0x444b1ae4d6e2ef50: "1e+21",
		0x3eb0c6f7a0b5ed8c: "9.999999999999997e-7", 0x3eb0c6f7a0b5ed8d: "0.000001", 0x41b3de4355555553: "333333333.3333332",
		0x41b3de4355555554: "333333333.33333325", 0x41b3de4355555555: "333333333.3333333", 0x41b3de4355555556: "333333333.3333334",
		0x41b3de4355555557: "333333333.33333343", 0xbecbf647612f3696: "-0.0000033333333333333333", 0x43143ff3c1cb0959: "1424953923781206.2",
	} {
		if got, err := jsonld.JCS(math.Float64frombits(bits)); err != nil || string(got) != want {
			t.Errorf("%x: got %s, %v, want %s", bits, got, err, want)
		}
	}
}

func TestJCSRefusesWhatIsNoJSON(t *testing.T) {
	deep := any("x")
	for range 100 {
		deep = []any{deep}
	}
	for name, v := range map[string]any{
		"NaN": math.NaN(), "infinity": math.Inf(-1), "a number beyond all doubles": json.Number("1e999"), "bad UTF-8": "\xff",
		"bad UTF-8 in a name": map[string]any{"\xff": 1}, "a channel": make(chan int), "a channel in an array": []any{make(chan int)}, "too deep": deep,
	} {
		if got, err := jsonld.JCS(v); err == nil {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

// FuzzJCS holds that canonical JSON reads back as the same canonical JSON, in the order that UTF-16 demands.
func FuzzJCS(f *testing.F) {
	f.Add(`{"b":[1e21,-0,0.1],"a\u0000":"\ud83d\ude00","\uffee":{}}`)
	f.Add(`[1e-7,123456789012345678901234567890,"\u2028"]`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := strictjson.Parse([]byte(text))
		if err != nil {
			t.Skip()
		}
		once, err := jsonld.JCS(v)
		if err != nil {
			t.Skip()
		}
		v, err = strictjson.Parse(once)
		if err != nil {
			t.Fatalf("%s does not parse: %v", once, err)
		}
		if twice, err := jsonld.JCS(v); err != nil || string(twice) != string(once) {
			t.Fatalf("got %s, then %s, %v", once, twice, err)
		}
		if strings.ContainsAny(string(once), "\n\t\r") {
			t.Fatalf("white space in %q", once)
		}
	})
}
