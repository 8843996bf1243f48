package image_test

import (
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/image"
)

func TestInspectPNG(t *testing.T) {
	head, data, end := pieces()
	whole := string(pixel())
	flipped := []byte(whole)
	flipped[len(flipped)-20] ^= 1
	for _, test := range []struct {
		name string
		file string
		want image.Code
	}{
		{"the smallest PNG passes", whole, ""},
		{"no bytes are no picture", "", image.NotImage},
		{"a JPEG is no PNG", "\xff\xd8\xff\xe0\x00\x10JFIF", image.NotImage},
		{"a WebP is no PNG", "RIFF\x00\x00\x00\x00WEBPVP8 ", image.NotImage},
		{"a signature mangled by a text transfer is no PNG", "\x89PNG\n\x1a\n" + whole[8:], image.NotImage},
		{"the signature alone is damaged", signature, image.Damaged},
		{"a file cut in the middle of a chunk is damaged", whole[:len(whole)-20], image.Damaged},
		{"a file cut before IEND is damaged", whole[:len(whole)-12], image.Damaged},
		{"a flipped bit is damaged", string(flipped), image.Damaged},
		{"a chunk of 4 GB is damaged", signature + head + "\xff\xff\xff\xffIDAT" + data[8:] + end, image.Damaged},
		{"a chunk one byte longer than the file is damaged", signature + head + "\x00\x00\x00\x01IEND\xae\x42\x60\x82", image.Damaged},
		{"a chunk of 2 GB at the limit is damaged", signature + head + "\x7f\xff\xff\xffIDAT" + data[8:] + end, image.Damaged},
		{"a chunk type with a digit is damaged", signature + head + chunk("ID4T", "") + data + end, image.Damaged},
		{"an unknown critical chunk is damaged", signature + head + chunk("ABCD", "") + data + end, image.Damaged},
		{"an unknown ancillary chunk passes", signature + head + chunk("abCd", "x") + data + end, ""},
		{"a header that is not first is damaged", signature + data + head + end, image.Damaged},
		{"two headers are damaged", signature + head + head + data + end, image.Damaged},
		{"a header of 12 bytes is damaged", signature + chunk("IHDR", "\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00") + data + end, image.Damaged},
		{"no width is damaged", signature + ihdr(0, 1, "\x08\x00\x00\x00\x00") + data + end, image.Damaged},
		{"a colour type that does not exist is damaged", signature + ihdr(1, 1, "\x08\x05\x00\x00\x00") + data + end, image.Damaged},
		{"a bit depth that does not exist is damaged", signature + ihdr(1, 1, "\x03\x00\x00\x00\x00") + data + end, image.Damaged},
		{"8192 pixels a side pass", signature + ihdr(8192, 8192, "\x08\x00\x00\x00\x00") + data + end, ""},
		{"more pixels than that are too large", signature + ihdr(8193, 1, "\x08\x00\x00\x00\x00") + data + end, image.TooLarge},
		{"no IDAT is damaged", signature + head + end, image.Damaged},
		{"two IDAT in a row pass", signature + head + data + data + end, ""},
		{"IDAT with another chunk between is damaged", signature + head + data + chunk("tIME", "1234567") + data + end, image.Damaged},
		{"a palette that is needed and missing is damaged", signature + ihdr(1, 1, "\x08\x03\x00\x00\x00") + data + end, image.Damaged},
		{"a palette in front of the data passes", signature + ihdr(1, 1, "\x08\x03\x00\x00\x00") + chunk("PLTE", "abc") + data + end, ""},
		{"a palette behind the data is damaged", signature + head + data + chunk("PLTE", "abc") + end, image.Damaged},
		{"a palette of 4 bytes is damaged", signature + head + chunk("PLTE", "abcd") + data + end, image.Damaged},
		{"an IEND with content is damaged", signature + head + data + chunk("IEND", "x"), image.Damaged},
		{"a ZIP behind the end is damaged", whole + "PK\x03\x04", image.Damaged},
		{"17 MiB are too large", whole + strings.Repeat(" ", 17<<20), image.TooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			info, err := image.Inspect([]byte(test.file))
			wantCode(t, err, test.want)
			if err == nil && (info.Format != image.PNG || info.MediaType != "image/png" || info.Width == 0 || info.Height == 0) {
				t.Errorf("info %+v", info)
			}
		})
	}
}

func TestInspectSVG(t *testing.T) {
	within := func(s string) string { return `<svg xmlns="http://www.w3.org/2000/svg">` + s + `</svg>` }
	attr := func(s string) string { return within("<path " + s + "/>") }
	deep := func(n int) string { return within(strings.Repeat("<g>", n) + strings.Repeat("</g>", n)) }
	for _, test := range []struct {
		name string
		file string
		want image.Code
	}{
		{"a plain drawing passes", plainSVG, ""},
		{"a self-closing root passes", `<svg xmlns="http://www.w3.org/2000/svg"/>`, ""},
		{"a prefixed root passes", `<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:g/></s:svg>`, ""},
		{"prolog, comment and DOCTYPE pass", "\ufeff<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- <svg> -->\n<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\">\n" + plainSVG + "\n<!-- end -->\n", ""},
		{"gradients, own styles, fragments and raster data pass", within(`<style>.a{fill:url(#g)}@font-face{src:url("data:font/woff2;base64,AA")}</style><use href="#a" xlink:href="#b" xmlns:xlink="http://www.w3.org/1999/xlink"/><image href="data:image/png;base64,AA"/><path fill="url('#g')" style="stroke:url( #g )"/>`), ""},
		{"an editor's metadata passes", within(`<metadata><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" r:about="http://example.org/"/></metadata>`), ""},
		{"text that speaks of scripts passes", within(`<title>How to &lt;script&gt; url(http://x)</title>`), ""},

		{"text is no picture", "hello", image.NotImage},
		{"an HTML page is no picture", "<!DOCTYPE html><html></html>", image.NotImage},
		{"an SVG in UTF-16 is no picture", "\xff\xfe<\x00s\x00v\x00g\x00", image.NotImage},
		{"a prolog without a root is no picture", `<?xml version="1.0"?><!-- -->`, image.NotImage},

		{"a root outside the namespace is damaged", `<svg><path/></svg>`, image.Damaged},
		{"a root of a foreign namespace is damaged", `<svg xmlns="http://example.org/"/>`, image.Damaged},
		{"a root that is never closed is damaged", `<svg xmlns="http://www.w3.org/2000/svg">`, image.Damaged},
		{"a tag cut in the middle is damaged", plainSVG[:20], image.Damaged},
		{"mismatched tags are damaged", within(`<g><a></g></a>`), image.Damaged},
		{"two roots are damaged", plainSVG + plainSVG, image.Damaged},
		{"text behind the root is damaged", plainSVG + "x", image.Damaged},
		{"an empty CDATA section behind the root is damaged", plainSVG + "<![CDATA[]]>", image.Damaged},
		{"a second byte order mark is damaged", "\ufeff \ufeff" + plainSVG, image.NotImage},
		{"an attribute given twice is damaged", attr(`d="" d=""`), image.Damaged},
		{"an attribute given under two prefixes of one namespace is damaged", attr(`xmlns:a="u" xmlns:b="u" a:x="" b:x=""`), image.Damaged},
		{"one name in two namespaces passes", attr(`xmlns:a="u" xmlns:b="v" a:x="" b:x="" x=""`), ""},
		{"attributes without a space between are damaged", attr(`d=""id=""`), image.Damaged},
		{"an undeclared prefix of an element is damaged", within(`<a:b/>`), image.Damaged},
		{"an undeclared prefix of an attribute is damaged", attr(`xlink:href="#a"`), image.Damaged},
		{"a prefix out of scope is damaged", within(`<g xmlns:a="u"/><a:b/>`), image.Damaged},
		{"an undeclared prefix by empty value is damaged", attr(`xmlns:a=""`), image.Damaged},
		{"a declared xmlns prefix is damaged", attr(`xmlns:xmlns="u"`), image.Damaged},
		{"an unknown entity is damaged", within(`&nbsp;`), image.Damaged},
		{"a control character is damaged", within("\x01"), image.Damaged},
		{"a control character in a comment is damaged", within("<!-- \x01 -->"), image.Damaged},
		{"a reference to a surrogate is damaged", within(`&#000055296;`), image.Damaged},
		{"a reference to a surrogate in an attribute is damaged", attr(`d="&#xDfFf;"`), image.Damaged},
		{"a reference to an astral character passes", within(`&#x1F600;<![CDATA[&#xD800;]]>`), ""},
		{"an instruction with a colon in its name is damaged", within(`<?a:b c?>`), image.Damaged},
		{"an XML declaration without a version is damaged", `<?xml encoding="UTF-8"?>` + plainSVG, image.Damaged},
		{"an unfinished DOCTYPE is damaged", `<!DOCTYPE svg PUBLIC "a">` + plainSVG, image.Damaged},
		{"bytes that are not UTF-8 are damaged", within("\xff"), image.Damaged},
		{"another encoding is damaged", `<?xml version="1.0" encoding="ISO-8859-1"?>` + plainSVG, image.Damaged},
		{"an XML declaration that is not first is damaged", `<!-- --><?xml version="1.0"?>` + plainSVG, image.Damaged},
		{"an unescaped < in an attribute is damaged", attr(`d="<"`), image.Damaged},
		{"a DOCTYPE within the root is damaged", within(`<!DOCTYPE svg>`), image.Damaged},
		{"two DOCTYPEs are damaged", `<!DOCTYPE svg><!DOCTYPE svg>` + plainSVG, image.Damaged},
		{"a stray declaration is damaged", `<!ENTITY a "b">` + plainSVG, image.Damaged},

		{"an entity bomb is unsafe", `<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>` + within(`&b;`), image.Unsafe},
		{"an external entity is unsafe", `<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + within(`&a;`), image.Unsafe},
		{"a script is unsafe", within(`<script>alert(1)</script>`), image.Unsafe},
		{"a script in another case is unsafe", within(`<SCRIPT/>`), image.Unsafe},
		{"a script of XHTML is unsafe", within(`<h:script xmlns:h="http://www.w3.org/1999/xhtml"/>`), image.Unsafe},
		{"any element of XHTML is unsafe", within(`<h:p xmlns:h="http://www.w3.org/1999/xhtml"/>`), image.Unsafe},
		{"foreignObject is unsafe", within(`<foreignObject/>`), image.Unsafe},
		{"an event handler is unsafe", `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, image.Unsafe},
		{"a script address is unsafe", within(`<a href="javascript:alert(1)"/>`), image.Unsafe},
		{"a script address with noise is unsafe", within(`<a href=" java&#10;Script&#x3a;alert(1)"/>`), image.Unsafe},
		{"an animated script address is unsafe", within(`<a><set attributeName="href" to="#a"/></a>`), image.Unsafe},
		{"an animated event handler is unsafe", within(`<set attributeName="onclick" to="x"/>`), image.Unsafe},
		{"a link to the outside is unsafe", within(`<a href="https://example.org/"/>`), image.Unsafe},
		{"an outside image is unsafe", within(`<image x:href="//example.org/a.png" xmlns:x="http://www.w3.org/1999/xlink"/>`), image.Unsafe},
		{"a relative reference is unsafe", within(`<use href="other.svg#a"/>`), image.Unsafe},
		{"a page as data is unsafe", within(`<a href="data:text/html,x"/>`), image.Unsafe},
		{"an SVG as data is unsafe", within(`<image href="data:image/svg+xml,x"/>`), image.Unsafe},
		{"xml:base is unsafe", within(`<g xml:base="http://example.org/"/>`), image.Unsafe},
		{"an outside paint is unsafe", attr(`fill="url(http://example.org/#a)"`), image.Unsafe},
		{"an outside paint behind spaces is unsafe", attr(`fill="url(` + strings.Repeat(" ", 200) + `'http://example.org/')"`), image.Unsafe},
		{"an outside paint behind escapes is unsafe", attr(`style="fill:u\72 l(http://example.org/)"`), image.Unsafe},
		{"an outside paint behind a harmless one is unsafe", attr(`style="fill:url(#a);stroke:url(http://example.org/)"`), image.Unsafe},
		{"an imported style sheet is unsafe", within(`<style>@import "http://example.org/a.css";</style>`), image.Unsafe},
		{"an imported style sheet in pieces is unsafe", within(`<style>@im<!-- --><![CDATA[port]]> "a.css";</style>`), image.Unsafe},
		{"a style sheet instruction is unsafe", `<?xml-stylesheet href="a.css"?>` + plainSVG, image.Unsafe},

		{"100 levels pass", deep(100), ""},
		{"10,000 levels are too large", deep(10_000), image.TooLarge},
		{"1,000 attributes are too large", attr(strings.Repeat(`a="" `, 1000)), image.TooLarge},
		{"100 namespaces in force are too large", within(strings.Repeat(`<g xmlns:a="u">`, 100) + strings.Repeat(`</g>`, 100)), image.TooLarge},
		{"9 MiB are too large", within(strings.Repeat(" ", 9<<20)), image.TooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			info, err := image.Inspect([]byte(test.file))
			wantCode(t, err, test.want)
			if err == nil && (info.Format != image.SVG || info.MediaType != "image/svg+xml") {
				t.Errorf("info %+v", info)
			}
		})
	}
}

func TestInspectTellsTheSizeOfAnSVG(t *testing.T) {
	for _, test := range []struct {
		name, attributes string
		width, height    int
	}{
		{"pixels", `width="12px" height=" 7.5 "`, 12, 8},
		{"a view box where the size is relative", `width="100%" height="100%" viewBox="0 0,30 40"`, 30, 40},
		{"nothing", ``, 0, 0},
		{"nonsense", `width="NaN" height="-1" viewBox="a b c d"`, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			info, err := image.Inspect([]byte(`<svg xmlns="http://www.w3.org/2000/svg" ` + test.attributes + `/>`))
			if err != nil || info.Width != test.width || info.Height != test.height {
				t.Errorf("%d by %d (%v), want %d by %d", info.Width, info.Height, err, test.width, test.height)
			}
		})
	}
}

func TestSniffLooksOnlyAtTheBeginning(t *testing.T) {
	for _, test := range []struct {
		name, file string
		format     image.Format
		ok         bool
	}{
		{"a PNG by its signature", signature + "rubbish", image.PNG, true},
		{"an SVG by its root", `<svg rubbish`, image.SVG, true},
		{"an SVG behind a DOCTYPE with an internal subset", "<!DOCTYPE svg [<!ENTITY a '>'> ]>\n<svg>", image.SVG, true},
		{"an SVG spoken of in a comment is none", "<!-- <svg> --><html>", "", false},
		{"an element that begins like svg is none", "<svgx/>", "", false},
		{"a credential is none", credential, "", false},
		{"a declaration without an end is none", "<!DOCTYPE svg", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if format, ok := image.Sniff([]byte(test.file)); format != test.format || ok != test.ok {
				t.Errorf("%q, %v", format, ok)
			}
		})
	}
}
