package image_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"image/png"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/badge-engine/badge-engine/modules/internal/image"
)

func TestBakePNGWritesWhatTheStandardsAsk(t *testing.T) {
	for _, test := range []struct {
		name, credential, keyword string
		version                   image.Version
	}{
		{"Open Badges 3.0 as JSON", credential, "openbadgecredential", image.OpenBadges3},
		{"Open Badges 3.0 as JWS", jws, "openbadgecredential", image.OpenBadges3},
		{"Open Badges 2.0 as JSON", assertion, "openbadges", image.OpenBadges2},
		{"Open Badges 2.0 as JWS", jws, "openbadges", image.OpenBadges2},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := pixel(chunk("iTXt", test.keyword+"\x00\x00\x00\x00\x00"+test.credential))
			got, err := image.Bake(pixel(), []byte(test.credential+"\n"), image.Options{Version: test.version})
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%q (%v), want %q", got, err, want)
			}
			if _, err := png.Decode(bytes.NewReader(got)); err != nil {
				t.Errorf("a decoder refuses it: %v", err)
			}
		})
	}
}

func TestBakeSVGWritesWhatTheStandardsAsk(t *testing.T) {
	const svgns, ob3, ob2 = `xmlns="http://www.w3.org/2000/svg"`, `xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0"`, `xmlns:openbadges="http://openbadges.org"`
	element := `<openbadges:credential><![CDATA[` + credential + `]]></openbadges:credential>`
	for _, test := range []struct {
		name, file, credential, want string
		options                      image.Options
	}{
		{"the element stands directly behind the root's start tag",
			"<?xml version='1.0'?>\n<!-- <svg> -->\n<svg " + svgns + "\n>\n<g/></svg>\n", credential,
			"<?xml version='1.0'?>\n<!-- <svg> -->\n<svg " + svgns + "\n " + ob3 + ">" + element + "\n<g/></svg>\n", image.Options{}},
		{"a JWS stands in the attribute verify",
			`<svg ` + svgns + `></svg>`, jws,
			`<svg ` + svgns + ` ` + ob3 + `><openbadges:credential verify="` + jws + `"/></svg>`, image.Options{}},
		{"a self-closing root is opened",
			`<s:svg xmlns:s="http://www.w3.org/2000/svg" />`, credential,
			`<s:svg xmlns:s="http://www.w3.org/2000/svg"  ` + ob3 + `>` + element + `</s:svg>`, image.Options{}},
		{"a prefix that is declared already is not declared again",
			`<svg ` + ob3 + ` ` + svgns + ` />`, credential,
			`<svg ` + ob3 + ` ` + svgns + ` >` + element + `</svg>`, image.Options{}},
		{"a prefix that means something else on the root is declared on the element",
			`<svg ` + ob2 + ` ` + svgns + `></svg>`, jws,
			`<svg ` + ob2 + ` ` + svgns + `><openbadges:credential ` + ob3 + ` verify="` + jws + `"/></svg>`, image.Options{}},
		{"the end of a CDATA section within the credential is escaped",
			`<svg ` + svgns + `/>`, `{"a":"]]>","b":[["x>"]] }`,
			`<svg ` + svgns + ` ` + ob3 + `><openbadges:credential><![CDATA[{"a":"]]\u003e","b":[["x>"]] }]]></openbadges:credential></svg>`, image.Options{}},
		{"characters that XML lacks are escaped",
			`<svg ` + svgns + `/>`, "{\"a\":\"\uffff\ufffe\ufffd\"}",
			`<svg ` + svgns + ` ` + ob3 + `><openbadges:credential><![CDATA[{"a":"\uffff\ufffe` + "\ufffd" + `"}]]></openbadges:credential></svg>`, image.Options{}},
		{"an assertion of 2.0 names where it is hosted by its id",
			`<svg ` + svgns + `/>`, assertion,
			`<svg ` + svgns + ` ` + ob2 + `><openbadges:assertion verify="https://example.org/assertions/1?a=1&amp;b=2"><![CDATA[` + assertion + `]]></openbadges:assertion></svg>`, image.Options{Version: image.OpenBadges2}},
		{"an assertion of 2.0 names where it is hosted as told",
			`<svg ` + svgns + `/>`, assertion,
			`<svg ` + svgns + ` ` + ob2 + `><openbadges:assertion verify="https://example.net/1"><![CDATA[` + assertion + `]]></openbadges:assertion></svg>`, image.Options{Version: image.OpenBadges2, HostedURL: "https://example.net/1"}},
		{"an assertion of 2.0 without an address names none",
			`<svg ` + svgns + `/>`, `{"id":"urn:uuid:1"}`,
			`<svg ` + svgns + ` ` + ob2 + `><openbadges:assertion><![CDATA[{"id":"urn:uuid:1"}]]></openbadges:assertion></svg>`, image.Options{Version: image.OpenBadges2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := image.Bake([]byte(test.file), []byte(test.credential), test.options)
			if err != nil || string(got) != test.want {
				t.Fatalf("\n%s (%v), want\n%s", got, err, test.want)
			}
			wellFormed(t, got)
		})
	}
}

// wellFormed asks an XML parser other than the one in this package's scan: the
// namespace-aware tokens of the standard library.
func wellFormed(t interface{ Fatalf(string, ...any) }, data []byte) {
	d := xml.NewDecoder(bytes.NewReader(data))
	for {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, data)
		}
	}
}

func TestBakeRefuses(t *testing.T) {
	baked, _ := image.Bake([]byte(plainSVG), []byte(credential), image.Options{})
	for _, test := range []struct {
		name, file, credential string
		options                image.Options
		want                   image.Code
	}{
		{"what is no picture", "hello", credential, image.Options{}, image.NotImage},
		{"a damaged PNG", string(pixel()[:60]), credential, image.Options{}, image.Damaged},
		{"a PNG with something behind its end", string(pixel()) + "x", credential, image.Options{}, image.Damaged},
		{"an SVG with a script", `<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`, credential, image.Options{}, image.Unsafe},
		{"a baked PNG", string(pixel(chunk("iTXt", "openbadgecredential\x00\x00\x00\x00\x00{}"))), credential, image.Options{}, image.AlreadyBaked},
		{"a PNG baked in a forbidden way", string(pixel(chunk("tEXt", "openbadgecredential\x00{}"))), credential, image.Options{}, image.AlreadyBaked},
		{"a baked SVG", string(baked), credential, image.Options{}, image.AlreadyBaked},
		{"no credential", plainSVG, " \n", image.Options{}, image.NotCredential},
		{"a JSON list", plainSVG, "[]", image.Options{}, image.NotCredential},
		{"JSON that breaks off", plainSVG, `{"a":`, image.Options{}, image.NotCredential},
		{"two JSON objects", plainSVG, `{}{}`, image.Options{}, image.NotCredential},
		{"JSON nested 100,000 deep", plainSVG, strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000), image.Options{}, image.NotCredential},
		{"JSON in Latin-1", plainSVG, "{\"a\":\"\xe4\"}", image.Options{}, image.NotCredential},
		{"JSON behind a byte order mark", plainSVG, "\ufeff{}", image.Options{}, image.NotCredential},
		{"a JWS of two parts", plainSVG, jws[:strings.LastIndex(jws, ".")], image.Options{}, image.NotCredential},
		{"a JWS of four parts", plainSVG, jws + ".AA", image.Options{}, image.NotCredential},
		{"a JWS without a signature", plainSVG, jws[:strings.LastIndex(jws, ".")+1], image.Options{}, image.NotCredential},
		{"a JWS with a detached payload", plainSVG, "eyJhbGciOiJFUzI1NiJ9..AA", image.Options{}, image.NotCredential},
		{"a JWS with padding", plainSVG, jws + "==", image.Options{}, image.NotCredential},
		{"a JWS whose header is no JSON", plainSVG, "AAAA.AAAA.AAAA", image.Options{}, image.NotCredential},
		{"a JWS whose header names no algorithm", plainSVG, "e30.AAAA.AAAA", image.Options{}, image.NotCredential},
		{"a hosted address that is none", plainSVG, assertion, image.Options{Version: image.OpenBadges2, HostedURL: "javascript:alert(1)"}, image.NotCredential},
		{"a credential of 5 MiB", plainSVG, `{"a":"` + strings.Repeat("a", 5<<20) + `"}`, image.Options{}, image.TooLarge},
		{"a result of more than 8 MiB as SVG", `<svg xmlns="http://www.w3.org/2000/svg">` + strings.Repeat(" ", 5<<20) + `</svg>`, `{"a":"` + strings.Repeat("a", 4<<20-9) + `"}`, image.Options{}, image.TooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := image.Bake([]byte(test.file), []byte(test.credential), test.options)
			wantCode(t, err, test.want)
		})
	}
}

func TestBakeOverwritesEveryOldOneOfItsEditionOnly(t *testing.T) {
	two := chunk("iTXt", "openbadges\x00\x00\x00\x00\x00"+assertion)
	time, text := chunk("tIME", "1234567"), chunk("tEXt", "Title\x00openbadgecredential")
	head, data, end := pieces()
	file := signature + head + chunk("tEXt", "openbadgecredential\x00{}") + time + two + chunk("zTXt", "openbadgecredential\x00\x00") + text + data + chunk("iTXt", "openbadgecredential\x00\x00\x00\x00\x00{}") + end
	want := signature + head + chunk("iTXt", "openbadgecredential\x00\x00\x00\x00\x00"+credential) + time + two + text + data + end
	if got, err := image.Bake([]byte(file), []byte(credential), image.Options{Overwrite: true}); err != nil || string(got) != want {
		t.Errorf("%q (%v), want %q", got, err, want)
	}

	const root = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="http://openbadges.org">`
	const second = `<openbadges:assertion verify="https://example.org/"/>`
	file = root + second + `<g xmlns:o="https://purl.imsglobal.org/ob/v3p0"><o:credential/> <o:credential><o:credential/></o:credential></g></svg>`
	want = root + `<openbadges:credential xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0" verify="` + jws + `"/>` + second + `<g xmlns:o="https://purl.imsglobal.org/ob/v3p0"> </g></svg>`
	if got, err := image.Bake([]byte(file), []byte(jws), image.Options{Overwrite: true}); err != nil || string(got) != want {
		t.Errorf("\n%s (%v), want\n%s", got, err, want)
	}
}

func TestInspectTellsWhatIsBaked(t *testing.T) {
	for _, file := range [][]byte{pixel(), []byte(plainSVG)} {
		for _, v := range []image.Version{image.OpenBadges2, image.OpenBadges3} {
			var err error
			if file, err = image.Bake(file, []byte(credential), image.Options{Version: v}); err != nil {
				t.Fatal(err)
			}
		}
		info, err := image.Inspect(file)
		if err != nil || !slices.Equal(info.Baked, []image.Version{image.OpenBadges3, image.OpenBadges2}) {
			t.Errorf("%+v (%v)", info, err)
		}
	}
}

// Generators of sound pictures, credentials and options.

func pngs() *rapid.Generator[[]byte] {
	return rapid.Custom(func(t *rapid.T) []byte {
		extra := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			return chunk(rapid.SampledFrom([]string{"tEXt", "iTXt", "zTXt", "gAMA", "acTL", "prVt"}).Draw(t, "kind"), rapid.String().Draw(t, "body"))
		}), 0, 4)
		head, data, end := pieces()
		return []byte(signature + head + strings.Join(extra.Draw(t, "before"), "") + strings.Repeat(data, rapid.IntRange(1, 3).Draw(t, "data")) + strings.Join(extra.Draw(t, "behind"), "") + end)
	})
}

// drawing is an SVG in the parts between which a badge goes.
type drawing struct{ prolog, name, attributes, content, trailer string }

func (d drawing) String() string {
	open := d.prolog + "<" + d.name + d.attributes
	if d.content == "" {
		return open + "/>" + d.trailer
	}
	return open + ">" + d.content + "</" + d.name + ">" + d.trailer
}

func drawings() *rapid.Generator[drawing] {
	return rapid.Custom(func(t *rapid.T) drawing {
		pick := func(label string, from ...string) string { return rapid.SampledFrom(from).Draw(t, label) }
		d := drawing{
			prolog:  pick("prolog", "", "\ufeff", "<?xml version=\"1.0\"?>\r\n", "<!-- <svg> --><!DOCTYPE svg>\n"),
			content: pick("content", "", " ", "<g><path d='M0 0'/></g>", "\r\n<title>]] &gt; <![CDATA[</svg>]]></title>\r\n", "<!-- x --><svg/>"),
			trailer: pick("trailer", "", "\n", "<!-- <svg/> -->"),
		}
		d.name = pick("name", "svg", "s:svg")
		if d.name == "svg" {
			d.attributes = pick("default", ` xmlns="http://www.w3.org/2000/svg"`, "\n\txmlns = 'http://www.w3.org/2000/svg'")
		} else {
			d.attributes = ` xmlns:s="http://www.w3.org/2000/svg"`
		}
		d.attributes += pick("more", "", " ", ` data-a="/>"`, "\r\nid='>'\t", ` xmlns:openbadges="http://openbadges.org"`, ` xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0"`, ` xmlns:openbadges="http://example.org/"`)
		return d
	})
}

func credentials() *rapid.Generator[[]byte] {
	return rapid.Custom(func(t *rapid.T) []byte {
		if rapid.Bool().Draw(t, "jws") {
			return []byte(jws)
		}
		doc := rapid.MapOf(rapid.String(), rapid.OneOf(rapid.String(), rapid.StringMatching(`[\]>"\\]{0,6}`))).Draw(t, "document")
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(rapid.Bool().Draw(t, "escaped"))
		if err := e.Encode(doc); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	})
}

func editions() *rapid.Generator[image.Version] {
	return rapid.SampledFrom([]image.Version{image.OpenBadges3, image.OpenBadges2})
}

// same compares payloads: byte for byte, except that an SVG may spell "]]>" otherwise.
func same(got, want []byte, format image.Format) bool {
	want = bytes.TrimSpace(want)
	if format == image.SVG && want[0] == '{' {
		var a, b any
		return json.Unmarshal(got, &a) == nil && json.Unmarshal(want, &b) == nil && fmt.Sprint(a) == fmt.Sprint(b) &&
			bytes.Equal(bytes.ReplaceAll(got, []byte(`]]\u003e`), []byte("]]>")), bytes.ReplaceAll(want, []byte(`]]\u003e`), []byte("]]>")))
	}
	return bytes.Equal(got, want)
}

func TestBakingProperties(t *testing.T) {
	pictures := map[string]*rapid.Generator[[]byte]{
		"a PNG":  pngs(),
		"an SVG": rapid.Map(drawings(), func(d drawing) []byte { return []byte(d.String()) }),
	}
	for name, picture := range pictures {
		t.Run(name+" gives back what was baked into it", rapid.MakeCheck(func(t *rapid.T) {
			file, c, v := picture.Draw(t, "picture"), credentials().Draw(t, "credential"), editions().Draw(t, "edition")
			before := bytes.Clone(file)
			baked, err := image.Bake(file, c, image.Options{Version: v})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(before, file) {
				t.Fatal("the picture given was altered")
			}
			x, err := image.Extract(baked)
			if err != nil || !same(x.Payload, c, x.Format) || x.Version != v || x.JWS != (c[0] != '{') || len(x.Warnings) > 0 {
				t.Fatalf("%+v %s (%v), want %s", x, x.Payload, err, c)
			}
			if info, err := image.Inspect(baked); err != nil || !slices.Equal(info.Baked, []image.Version{v}) {
				t.Fatalf("%+v (%v)", info, err)
			}
		}))
		t.Run("baking into "+name+" twice is baking once", rapid.MakeCheck(func(t *rapid.T) {
			file, v := picture.Draw(t, "picture"), editions().Draw(t, "edition")
			first, second := credentials().Draw(t, "first"), credentials().Draw(t, "second")
			once, err := image.Bake(file, second, image.Options{Version: v})
			if err != nil {
				t.Fatal(err)
			}
			old, err := image.Bake(file, first, image.Options{Version: v})
			if err != nil {
				t.Fatal(err)
			}
			twice, err := image.Bake(old, second, image.Options{Version: v, Overwrite: true})
			if err != nil || !bytes.Equal(once, twice) {
				t.Fatalf("once %q, twice %q (%v)", once, twice, err)
			}
		}))
	}
}

func TestEveryOtherByteOfAPNGStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		file, c, v := pngs().Draw(t, "picture"), credentials().Draw(t, "credential"), editions().Draw(t, "edition")
		baked, err := image.Bake(file, c, image.Options{Version: v})
		if err != nil {
			t.Fatal(err)
		}
		want, got := chunks(file), chunks(baked)
		if len(got) != len(want)+1 || !strings.HasPrefix(got[1][4:], "iTXtopenbadge") {
			t.Fatalf("%q", got)
		}
		if !slices.Equal(slices.Delete(got, 1, 2), want) {
			t.Fatalf("without the chunk %q, originally %q", got, want)
		}
	})
}

func TestEveryOtherByteOfAnSVGStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, c, v := drawings().Draw(t, "picture"), credentials().Draw(t, "credential"), editions().Draw(t, "edition")
		baked, err := image.Bake([]byte(d.String()), c, image.Options{Version: v})
		if err != nil {
			t.Fatal(err)
		}
		wellFormed(t, baked)
		rest, ok := strings.CutPrefix(string(baked), d.prolog+"<"+d.name+d.attributes)
		if !ok {
			t.Fatalf("the beginning was altered: %s", baked)
		}
		for _, declaration := range []string{` xmlns:openbadges="http://openbadges.org">`, ` xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0">`, ">"} {
			if rest, ok = strings.CutPrefix(rest, declaration); ok {
				break
			}
		}
		if !ok || !strings.HasPrefix(rest, "<openbadges:") {
			t.Fatalf("something other than a declaration was added to the root: %s", baked)
		}
		if rest, ok = strings.CutSuffix(rest, d.content+"</"+d.name+">"+d.trailer); !ok {
			t.Fatalf("what follows was altered: %s", baked)
		}
		if !strings.HasSuffix(rest, "</openbadges:credential>") && !strings.HasSuffix(rest, "</openbadges:assertion>") && !strings.HasSuffix(rest, "/>") {
			t.Fatalf("something other than the element was inserted: %s", rest)
		}
	})
}

// Baking 1 MB costs at most three copies of its bytes; it is one in fact.
func TestBakingCostsNoMoreThanThreeCopies(t *testing.T) {
	file := noise(t, 512)
	if len(file) < 1_000_000 {
		t.Fatalf("only %d bytes", len(file))
	}
	const rounds = 8
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range rounds {
		if _, err := image.Bake(file, []byte(credential), image.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if copies := float64(after.TotalAlloc-before.TotalAlloc) / rounds / float64(len(file)); copies > 3 {
		t.Errorf("%.2f copies", copies)
	} else {
		t.Logf("%.3f copies", copies)
	}
	if n := testing.AllocsPerRun(4, func() { image.Bake(file, []byte(credential), image.Options{}) }); n > 64 {
		t.Errorf("%v allocations", n)
	}
}

// TestAPictureThatWasCheckedIsBakedTheSame bakes with and without making checksums again.
func TestAPictureThatWasCheckedIsBakedTheSame(t *testing.T) {
	picture := noise(t, 20)
	once, err := image.Bake(picture, []byte(credential), image.Options{})
	if err != nil {
		t.Fatal(err)
	}
	again, err := image.Bake(picture, []byte(credential), image.Options{Checked: true})
	if err != nil || !bytes.Equal(once, again) {
		t.Errorf("it is another picture, %v", err)
	}
	if _, err := image.Bake(picture[:len(picture)-5], []byte(credential), image.Options{Checked: true}); err == nil {
		t.Error("half a picture is baked")
	}
}
