package image

import (
	"encoding/xml"
	"strconv"
	"strings"
)

func unsafeSVG(offset int, format string, args ...any) *Error {
	e := trouble(Unsafe, offset, "Remove it, or save the picture as plain SVG; a badge may hold only drawing.", format, args...)
	e.Problem = "the SVG is not harmless: " + e.Problem
	return e
}

// forbidden are the elements that run code or embed foreign documents, whatever
// their namespace: XHTML within SVG works in browsers (SVG 1.1, 23.2).
var forbidden = map[string]bool{
	"script": true, "foreignobject": true, "iframe": true, "frame": true, "embed": true, "object": true, "applet": true,
	"audio": true, "video": true, "handler": true, "listener": true, "link": true, "meta": true, "base": true, "form": true,
}

const xhtmlNamespace = "http://www.w3.org/1999/xhtml"

// harmless checks one start tag of an upload.
func harmless(t xml.StartElement, namespace string, start int) error {
	if forbidden[strings.ToLower(t.Name.Local)] || namespace == xhtmlNamespace {
		return unsafeSVG(start, "it has an element %s", written(t.Name))
	}
	for _, a := range t.Attr {
		if a.Name.Space == "xmlns" {
			continue
		}
		local := strings.ToLower(a.Name.Local)
		squeezed := squeeze(a.Value)
		switch {
		case a.Name.Space == "" && strings.HasPrefix(local, "on"):
			return unsafeSVG(start, "the attribute %s of %s is an event handler", written(a.Name), written(t.Name))
		case strings.Contains(squeezed, "javascript:") || strings.Contains(squeezed, "vbscript:"):
			return unsafeSVG(start, "the attribute %s of %s runs a script", written(a.Name), written(t.Name))
		case (local == "href" || local == "src") && !ownReference(squeezed):
			return unsafeSVG(start, "the attribute %s of %s refers to something outside the picture", written(a.Name), written(t.Name))
		case a.Name.Space == "xml" && local == "base":
			return unsafeSVG(start, "the attribute xml:base of %s moves every reference outside the picture", written(t.Name))
		case local == "attributename" && animatesReference(squeezed):
			return unsafeSVG(start, "%s animates the attribute %s", written(t.Name), a.Value)
		case a.Name.Space == "":
			if problem := harmfulCSS(a.Value); problem != "" {
				return unsafeSVG(start, "the attribute %s of %s %s", written(a.Name), written(t.Name), problem)
			}
		}
	}
	return nil
}

// squeeze lowers the case and drops what browsers drop before they look at a scheme.
func squeeze(s string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s))
}

// ownReference reports whether a squeezed reference stays within the file: a
// fragment, or a raster image or font as data. An SVG as data would go uninspected.
func ownReference(s string) bool {
	if s == "" || s[0] == '#' {
		return true
	}
	kind, ok := strings.CutPrefix(s, "data:")
	for _, allowed := range [...]string{"image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp", "image/avif", "image/bmp", "font/", "application/font-", "application/x-font-"} {
		if ok && strings.HasPrefix(kind, allowed) {
			return true
		}
	}
	return false
}

func animatesReference(name string) bool {
	if _, local, ok := strings.Cut(name, ":"); ok {
		name = local
	}
	return name == "href" || name == "src" || strings.HasPrefix(name, "on")
}

// harmfulCSS says what is wrong with a style sheet, a style attribute or any
// attribute that may hold a url(); nothing if nothing is.
func harmfulCSS(css string) string {
	if !strings.ContainsAny(css, `(@\`) {
		return ""
	}
	s := strings.ToLower(unescapeCSS(css))
	for _, word := range [...]string{"@import", "expression(", "-moz-binding", "image-set(", "src("} {
		if strings.Contains(s, word) {
			return "loads or runs something by " + strings.TrimRight(word, "(")
		}
	}
	for {
		_, rest, ok := strings.Cut(s, "url(")
		if !ok {
			return ""
		}
		target := strings.TrimLeftFunc(rest, func(r rune) bool { return r <= ' ' || r == '"' || r == '\'' })
		if !ownReference(squeeze(target[:min(len(target), 64)])) {
			return "refers to something outside the picture by url()"
		}
		s = rest
	}
}

// unescapeCSS undoes backslash escapes (CSS Syntax Level 3, 4.3.7), behind
// which the words above could hide.
func unescapeCSS(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		digits := 0
		for digits < 6 && i+1+digits < len(s) && strings.IndexByte("0123456789abcdefABCDEF", s[i+1+digits]) >= 0 {
			digits++
		}
		if digits == 0 {
			continue // the character behind the backslash stands for itself
		}
		code, _ := strconv.ParseUint(s[i+1:i+1+digits], 16, 32)
		b.WriteRune(rune(code))
		i += digits
		if i+1 < len(s) && strings.IndexByte(" \t\r\n\f", s[i+1]) >= 0 {
			i++
		}
	}
	return b.String()
}
