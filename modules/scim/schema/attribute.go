package schema

import (
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// Type is the data type of an attribute (RFC 7643, 2.3).
type Type string

// The data types.
const (
	String    Type = "string"
	Boolean   Type = "boolean"
	Decimal   Type = "decimal"
	Integer   Type = "integer"
	DateTime  Type = "dateTime"
	Binary    Type = "binary"
	Reference Type = "reference"
	Complex   Type = "complex"
)

// Mutability says when a value may be written (RFC 7643, 7).
type Mutability string

// The mutabilities.
const (
	ReadOnly  Mutability = "readOnly"
	ReadWrite Mutability = "readWrite"
	Immutable Mutability = "immutable"
	WriteOnly Mutability = "writeOnly"
)

// Returned says when a value is part of an answer (RFC 7643, 7).
type Returned string

// The ways to be returned.
const (
	Always    Returned = "always"
	Never     Returned = "never"
	Default   Returned = "default"
	OnRequest Returned = "request"
)

// Uniqueness says among what a value is unique (RFC 7643, 7).
type Uniqueness string

// The uniquenesses.
const (
	None   Uniqueness = "none"
	Server Uniqueness = "server"
	Global Uniqueness = "global"
)

// Attribute is an attribute or sub-attribute with all its characteristics (RFC 7643, 2.2 and 7). Attributes belong to the
// [Registry] and are never altered; two of them are the same attribute when their pointers are equal.
type Attribute struct {
	Name            string       `json:"name"`
	Type            Type         `json:"type"`
	MultiValued     bool         `json:"multiValued"`
	Description     string       `json:"description"`
	Required        bool         `json:"required"`
	CanonicalValues []string     `json:"canonicalValues,omitempty"`
	CaseExact       bool         `json:"caseExact"`
	Mutability      Mutability   `json:"mutability"`
	Returned        Returned     `json:"returned"`
	Uniqueness      Uniqueness   `json:"uniqueness"`
	ReferenceTypes  []string     `json:"referenceTypes,omitempty"`
	SubAttributes   []*Attribute `json:"subAttributes,omitempty"`

	unbounded bool // the members of a group
	selective bool // a sub-attribute is returned in another way than by default
}

// Selective reports whether an answer by default lacks a sub-attribute.
func (a *Attribute) Selective() bool { return a.selective }

// Sub finds a sub-attribute whatever the case of its name, or nil.
func (a *Attribute) Sub(name string) *Attribute {
	for _, s := range a.SubAttributes {
		if s.Name == name {
			return s
		}
	}
	for _, s := range a.SubAttributes {
		if tree.SameName(s.Name, name) {
			return s
		}
	}
	return nil
}

// Value is the sub-attribute "value", which stands for a complex attribute that is compared or given as a plain value, or nil.
func (a *Attribute) Value() *Attribute { return a.Sub("value") }

// Textual reports whether values are compared as texts.
func (a *Attribute) Textual() bool {
	return a.Type == String || a.Type == Reference || a.Type == Binary
}

// Schema is a schema (RFC 7643, 7).
type Schema struct {
	ID          string
	Name        string
	Description string
	Attributes  []*Attribute

	byName map[string]*Attribute // by folded and by canonical name
}

// Attribute finds an attribute whatever the case of its name, or nil.
func (s *Schema) Attribute(name string) *Attribute {
	if a := s.byName[name]; a != nil {
		return a
	}
	return s.byName[tree.FoldName(name)]
}

func (s *Schema) index() {
	s.byName = index(s.Attributes)
}

func index(attributes []*Attribute) map[string]*Attribute {
	m := make(map[string]*Attribute, 2*len(attributes))
	for _, a := range attributes {
		for _, sub := range a.SubAttributes {
			a.selective = a.selective || sub.Returned == Never || sub.Returned == OnRequest
		}
		m[a.Name] = a
		m[tree.FoldName(a.Name)] = a
	}
	return m
}
