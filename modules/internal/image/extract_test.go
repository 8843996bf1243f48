package image_test

import (
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/image"
)

func TestExtract(t *testing.T) {
	const keyword = "openbadgecredential\x00"
	head, data, end := pieces()
	svg := func(s string) string {
		return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:b="https://purl.imsglobal.org/ob/v3p0" xmlns:a="http://openbadges.org"><script/>` + s + `</svg>`
	}
	for _, test := range []struct {
		name, file string
		payload    string
		version    image.Version
		hosted     string
		warnings   int
	}{
		{"the chunk that the standard asks for", string(pixel(chunk("iTXt", keyword+"\x00\x00\x00\x00"+credential))), credential, image.OpenBadges3, "", 0},
		{"a chunk behind the data", signature + head + data + chunk("iTXt", keyword+"\x00\x00\x00\x00"+credential) + end, credential, image.OpenBadges3, "", 0},
		{"a chunk with a language and a translated keyword", string(pixel(chunk("iTXt", keyword+"\x00\x00de\x00Abzeichen\x00"+credential))), credential, image.OpenBadges3, "", 0},
		{"a trailing newline around a JWS", string(pixel(chunk("iTXt", keyword+"\x00\x00\x00\x00"+jws+"\n"))), jws, image.OpenBadges3, "", 0},
		{"a compressed chunk, with a warning", string(pixel(chunk("iTXt", keyword+"\x01\x00\x00\x00"+deflated(credential)))), credential, image.OpenBadges3, "", 1},
		{"a zTXt chunk, with warnings", string(pixel(chunk("zTXt", keyword+"\x00"+deflated(credential)))), credential, image.OpenBadges3, "", 2},
		{"a tEXt chunk in UTF-8, with a warning", string(pixel(chunk("tEXt", keyword+credential))), credential, image.OpenBadges3, "", 1},
		{"a tEXt chunk in Latin-1, with a warning", string(pixel(chunk("tEXt", keyword+"{\"a\":\"\xe4\"}"))), `{"a":"ä"}`, image.OpenBadges3, "", 1},
		{"the first of two, with a warning", string(pixel(chunk("iTXt", keyword+"\x00\x00\x00\x00"+credential), chunk("iTXt", keyword+"\x00\x00\x00\x00{}"))), credential, image.OpenBadges3, "", 1},
		{"the iTXt chunk before others, with a warning", string(pixel(chunk("tEXt", keyword+"{}"), chunk("iTXt", keyword+"\x00\x00\x00\x00"+credential))), credential, image.OpenBadges3, "", 1},
		{"3.0 before 2.0", string(pixel(chunk("iTXt", "openbadges\x00\x00\x00\x00\x00"+assertion), chunk("iTXt", keyword+"\x00\x00\x00\x00"+credential))), credential, image.OpenBadges3, "", 0},
		{"an assertion of 2.0", string(pixel(chunk("iTXt", "openbadges\x00\x00\x00\x00\x00"+assertion))), assertion, image.OpenBadges2, "", 0},
		{"the address of an early assertion, with warnings", string(pixel(chunk("tEXt", "openbadges\x00https://example.org/1"))), "", image.OpenBadges2, "https://example.org/1", 2},
		{"a PNG with something behind its end, with a warning", string(pixel(chunk("iTXt", keyword+"\x00\x00\x00\x00"+credential))) + "xx", credential, image.OpenBadges3, "", 1},

		{"the body of an element, wherever it stands, even of an SVG that could not be uploaded", svg(`<g><b:credential>` + "\n<![CDATA[" + credential + "]]>\n" + `</b:credential></g>`), credential, image.OpenBadges3, "", 0},
		{"a body without CDATA", svg(`<b:credential>{"a":"&lt;"}</b:credential>`), `{"a":"<"}`, image.OpenBadges3, "", 0},
		{"a body in several sections", svg(`<b:credential><![CDATA[{"a":"]]]]><![CDATA[>"}]]></b:credential>`), `{"a":"]]>"}`, image.OpenBadges3, "", 0},
		{"a JWS in the attribute", svg(`<b:credential verify="` + jws + `"></b:credential>`), jws, image.OpenBadges3, "", 0},
		{"a JWS before a body, with a warning", svg(`<b:credential verify="` + jws + `">{}</b:credential>`), jws, image.OpenBadges3, "", 1},
		{"the first of two elements, with a warning", svg(`<b:credential>{"a":1}</b:credential><b:credential>{}</b:credential>`), `{"a":1}`, image.OpenBadges3, "", 1},
		{"an assertion of 2.0 with its address", svg(`<a:assertion verify="https://example.org/1"><![CDATA[` + assertion + `]]></a:assertion>`), assertion, image.OpenBadges2, "https://example.org/1", 0},
		{"an assertion of 2.0 as JWS", svg(`<a:assertion verify="` + jws + `"/>`), jws, image.OpenBadges2, "", 0},
		{"the address of an assertion alone, with a warning", svg(`<a:assertion verify="https://example.org/1"/>`), "", image.OpenBadges2, "https://example.org/1", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			x, err := image.Extract([]byte(test.file))
			if err != nil {
				t.Fatal(err)
			}
			if string(x.Payload) != test.payload || x.Version != test.version || x.HostedURL != test.hosted || len(x.Warnings) != test.warnings {
				t.Errorf("%+v\npayload %s, want %s", x, x.Payload, test.payload)
			}
			if x.JWS != (test.payload == jws) {
				t.Errorf("taken for a JWS: %v", x.JWS)
			}
		})
	}
}

func TestExtractRefuses(t *testing.T) {
	const keyword = "openbadgecredential\x00"
	ob3 := func(s string) string {
		return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:b="https://purl.imsglobal.org/ob/v3p0">` + s + `</svg>`
	}
	for _, test := range []struct {
		name, file string
		want       image.Code
	}{
		{"what is no picture", credential, image.NotImage},
		{"a damaged PNG", string(pixel(chunk("iTXt", keyword+"\x00\x00\x00\x00{}"))[:90]), image.Damaged},
		{"a PNG without a badge", string(pixel()), image.NotBaked},
		{"a PNG with a longer keyword", string(pixel(chunk("iTXt", "openbadgecredentials\x00\x00\x00\x00\x00{}"))), image.NotBaked},
		{"a PNG with the keyword and no end to it", string(pixel(chunk("iTXt", "openbadgecredential"))), image.NotBaked},
		{"a chunk without its flags", string(pixel(chunk("iTXt", keyword+"\x00"))), image.Damaged},
		{"a chunk without the end of its language", string(pixel(chunk("iTXt", keyword+"\x00\x00{}{}"))), image.Damaged},
		{"a compression that does not exist", string(pixel(chunk("iTXt", keyword+"\x01\x01\x00\x00{}"))), image.Damaged},
		{"a compressed chunk that is none", string(pixel(chunk("zTXt", keyword+"\x00{}"))), image.Damaged},
		{"a compressed chunk that breaks off", string(pixel(chunk("zTXt", keyword+"\x00"+deflated(credential)[:40]))), image.Damaged},
		{"a decompression bomb", string(pixel(chunk("zTXt", keyword+"\x00"+deflated("{"+strings.Repeat(" ", 64<<20)+"}")))), image.TooLarge},
		{"text that is no credential", string(pixel(chunk("iTXt", keyword+"\x00\x00\x00\x00hello"))), image.NotCredential},
		{"no text", string(pixel(chunk("iTXt", keyword+"\x00\x00\x00\x00"))), image.NotCredential},
		{"text that is not UTF-8", string(pixel(chunk("iTXt", keyword+"\x00\x00\x00\x00{\"a\":\"\xe4\"}"))), image.NotCredential},
		{"an address where 3.0 wants a credential", string(pixel(chunk("iTXt", keyword+"\x00\x00\x00\x00https://example.org/1"))), image.NotCredential},
		{"an SVG without a badge", plainSVG, image.NotBaked},
		{"an element of another namespace", ob3(`<credential>{}</credential>`), image.NotBaked},
		{"an element spoken of in a comment", ob3(`<!-- <b:credential>{}</b:credential> -->`), image.NotBaked},
		{"an empty element", ob3(`<b:credential/>`), image.NotCredential},
		{"an SVG that breaks off in its element", ob3(`<b:credential>{}`), image.Damaged},
		{"an SVG with an entity bomb", `<!DOCTYPE svg [<!ENTITY a "{}">]>` + ob3(`<b:credential>&a;</b:credential>`), image.Unsafe},
		{"a body of 5 MiB", ob3(`<b:credential>{"a":"` + strings.Repeat("a", 5<<20) + `"}</b:credential>`), image.TooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := image.Extract([]byte(test.file))
			wantCode(t, err, test.want)
		})
	}
}

func TestParseVersion(t *testing.T) {
	for _, v := range []image.Version{image.OpenBadges3, image.OpenBadges2} {
		if got, err := image.ParseVersion(v.String()); err != nil || got != v {
			t.Errorf("%v came back as %v (%v)", v, got, err)
		}
	}
	if _, err := image.ParseVersion("1.0"); err == nil {
		t.Error("1.0 passed")
	}
}
