package schema

import (
	"strings"

	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// Path leads to an attribute of a resource type. Paths are comparable; the zero Path leads nowhere.
type Path struct {
	// Extension is the extension schema the attribute belongs to; nil for core and common attributes.
	Extension *Schema
	// Attribute is the attribute; nil when the path is the bare URN of an extension.
	Attribute *Attribute
	// Sub is the sub-attribute, or nil.
	Sub *Attribute
}

// Leaf is the attribute the path ends at: the sub-attribute if there is one.
func (p Path) Leaf() *Attribute {
	if p.Sub != nil {
		return p.Sub
	}
	return p.Attribute
}

// Unbounded reports whether the path leads to the members of a group, which may be any number.
func (p Path) Unbounded() bool { return p.Attribute != nil && p.Attribute.unbounded }

// String is the path in canonical form: "emails.value", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value".
func (p Path) String() string {
	s := ""
	if p.Extension != nil {
		s = p.Extension.ID
		if p.Attribute != nil {
			s += ":"
		}
	}
	if p.Attribute != nil {
		s += p.Attribute.Name
	}
	if p.Sub != nil {
		s += "." + p.Sub.Name
	}
	return s
}

// Fault tells why a path leads nowhere.
type Fault int

// The faults of a path.
const (
	Found     Fault = iota
	Malformed       // the text is no attribute path (RFC 7644, 3.10)
	Unknown         // the resource type has no such attribute
)

// Resolve finds the attribute that a client names (RFC 7644, 3.10). Names and URNs are compared without regard to case. A URN
// is matched by the longest schema of the resource type, so that the dot in "2.0" separates nothing. A name without URN that
// the core schema lacks and exactly one extension has is that extension's, as Entra writes "manager".
func (t *ResourceType) Resolve(text string) (Path, Fault) {
	// Nearly every path is a name, or a name and a sub-name.
	if strings.IndexByte(text, ':') < 0 {
		return t.resolveName(nil, false, text)
	}
	longest := (*Schema)(nil)
	rest := ""
	for _, s := range t.schemas {
		if !tree.HasPrefixName(text, s.ID) || longest != nil && len(s.ID) <= len(longest.ID) {
			continue
		}
		switch after := text[len(s.ID):]; {
		case after == "":
			longest, rest = s, ""
		case after[0] == ':', after[0] == '.': // some write the attribute behind a dot
			longest, rest = s, after[1:]
		}
	}
	switch {
	case longest == nil:
		return Path{}, Unknown
	case rest == "" && len(text) > len(longest.ID): // a colon and nothing behind it
		return Path{}, Malformed
	case rest == "" && longest == t.Schema:
		return Path{}, Unknown
	case rest == "":
		return Path{Extension: longest}, Found
	case longest == t.Schema:
		return t.resolveName(nil, true, rest)
	}
	return t.resolveName(longest, true, rest)
}

// resolveName resolves what is left of a path when its URN is taken off: of the extension, or without one of the core.
func (t *ResourceType) resolveName(extension *Schema, qualified bool, text string) (Path, Fault) {
	name, subName, dotted := strings.Cut(text, ".")
	p := Path{Extension: extension}
	switch {
	case extension != nil:
		p.Attribute = extension.Attribute(name)
	default:
		if p.Attribute = t.Attribute(name); p.Attribute == nil && !qualified {
			for _, e := range t.Extensions {
				a := e.Schema.Attribute(name)
				if a == nil {
					continue
				}
				if p.Attribute != nil { // two extensions have it: the client must say which
					p = Path{}
					break
				}
				p = Path{Extension: e.Schema, Attribute: a}
			}
		}
	}
	if p.Attribute == nil {
		if !tree.IsName(name) || dotted && !tree.IsName(subName) {
			return Path{}, Malformed
		}
		return Path{}, Unknown
	}
	if !dotted {
		return p, Found
	}
	if p.Sub = p.Attribute.Sub(subName); p.Sub == nil {
		if !tree.IsName(subName) {
			return Path{}, Malformed
		}
		return Path{}, Unknown
	}
	return p, Found
}
