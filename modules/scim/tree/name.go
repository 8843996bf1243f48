package tree

import "strings"

// Names of attributes and URNs of schemas are ASCII and compared without regard to case (RFC 7643, 2.1; RFC 8141, 3.1).
// Letters beyond ASCII are left alone: the Kelvin sign is no k.

// SameName reports whether two names are the same whatever their case.
func SameName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// FoldName is the form of a name that is the same for every case of it. It does not allocate for a name that has that form.
func FoldName(name string) string {
	for i := range len(name) {
		if lower(name[i]) != name[i] {
			b := make([]byte, len(name))
			for i := range b {
				b[i] = lower(name[i])
			}
			return string(b)
		}
	}
	return name
}

// HasPrefixName reports whether s begins with prefix whatever the case.
func HasPrefixName(s, prefix string) bool {
	return len(s) >= len(prefix) && SameName(s[:len(prefix)], prefix)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// IsName reports whether s is an attribute name: ATTRNAME of RFC 7643, 2.1, which also is literally "$ref".
func IsName(s string) bool {
	if SameName(s, "$ref") {
		return true
	}
	if s == "" || !letter(s[0]) {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool {
		return r >= 0x80 || !letter(byte(r)) && (r < '0' || r > '9') && r != '-' && r != '_'
	}) < 0
}

func letter(c byte) bool {
	c = lower(c)
	return c >= 'a' && c <= 'z'
}
