package schema

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// Declaration is an extension schema as an operator declares it in configuration.
type Declaration struct {
	ResourceType string                 `json:"resourceType"` // "User" or "Group"
	ID           string                 `json:"id"`           // the URN
	Name         string                 `json:"name"`
	Description  string                 `json:"description"`
	Attributes   []AttributeDeclaration `json:"attributes"`
}

// AttributeDeclaration is an attribute of a [Declaration]. What is left out has the default of RFC 7643, 2.2.
type AttributeDeclaration struct {
	Name            string                 `json:"name"`
	Type            Type                   `json:"type"`
	MultiValued     bool                   `json:"multiValued"`
	Description     string                 `json:"description"`
	Required        bool                   `json:"required"`
	CanonicalValues []string               `json:"canonicalValues"`
	CaseExact       bool                   `json:"caseExact"`
	Mutability      Mutability             `json:"mutability"`
	Returned        Returned               `json:"returned"`
	ReferenceTypes  []string               `json:"referenceTypes"`
	SubAttributes   []AttributeDeclaration `json:"subAttributes"`
}

// ParseDeclarations reads the extension schemas of an operator: a JSON array of [Declaration]. It refuses members it does not
// know, so that a misspelt one is seen at the start. An empty text declares nothing. What the declarations mean is checked by
// [NewRegistry].
func ParseDeclarations(text string) ([]Declaration, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var list []Declaration
	if err := strictjson.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("extension schemas: %w", err)
	}
	return list, nil
}

// urnForm is a URN of at least three parts (RFC 8141, 2), written in the characters that need no quoting in a filter.
var urnForm = regexp.MustCompile(`^(?i:urn):[A-Za-z0-9][A-Za-z0-9-]{0,31}(:[A-Za-z0-9._-]+)+$`)

// attach checks a declaration and adds its schema to the registry and the resource type.
func (r *Registry) attach(d Declaration) error {
	place := "extension schema " + tree.Excerpt(d.ID)
	t := r.ResourceType(d.ResourceType)
	switch {
	case t == nil:
		return fmt.Errorf("%s: resourceType must be User or Group, not %s", place, tree.Excerpt(d.ResourceType))
	case !urnForm.MatchString(d.ID):
		return fmt.Errorf("%s: id must be a URN such as urn:ietf:params:scim:schemas:extension:Acme:2.0:User", place)
	case reserved(d.ID):
		return fmt.Errorf("%s: the URN belongs to the protocol; choose one below urn:ietf:params:scim:schemas:extension: or of your own", place)
	case r.Schema(d.ID) != nil:
		return fmt.Errorf("%s: there is such a schema already", place)
	case d.Name == "":
		return fmt.Errorf("%s: name is missing", place)
	case len(d.Attributes) == 0:
		return fmt.Errorf("%s: it has no attributes", place)
	}
	// One URN must not be another's beginning: "urn:x:User" and "urn:x:User:a" could name the same attribute.
	for _, s := range r.schemas {
		if tree.HasPrefixName(s.ID+":", d.ID+":") || tree.HasPrefixName(d.ID+":", s.ID+":") {
			return fmt.Errorf("%s: one of the URNs %s and %s begins with the other", place, d.ID, s.ID)
		}
	}
	attributes, err := declared(d.Attributes, place, false)
	if err != nil {
		return err
	}
	required := false
	for _, a := range attributes {
		required = required || a.Required
	}
	s := &Schema{ID: d.ID, Name: d.Name, Description: d.Description, Attributes: attributes}
	t.Extensions = append(t.Extensions, Extension{Schema: s, Required: required})
	r.schemas = append(r.schemas, s)
	return nil
}

// declared makes attributes of declarations.
func declared(list []AttributeDeclaration, place string, nested bool) ([]*Attribute, error) {
	var made []*Attribute
	seen := map[string]bool{}
	for _, d := range list {
		at := place + ", attribute " + tree.Excerpt(d.Name)
		a := &Attribute{
			Name: d.Name, Type: d.Type, MultiValued: d.MultiValued, Description: d.Description, Required: d.Required,
			CanonicalValues: d.CanonicalValues, CaseExact: d.CaseExact, Mutability: d.Mutability, Returned: d.Returned,
			Uniqueness: None, ReferenceTypes: d.ReferenceTypes,
		}
		if a.Type == "" {
			a.Type = String
		}
		if a.Mutability == "" {
			a.Mutability = ReadWrite
		}
		if a.Returned == "" {
			a.Returned = Default
		}
		if err := a.check(at); err != nil {
			return nil, err
		}
		if folded := tree.FoldName(d.Name); seen[folded] {
			return nil, fmt.Errorf("%s: there are two of this name", at)
		} else {
			seen[folded] = true
		}
		switch {
		case a.Type == Complex && nested:
			return nil, fmt.Errorf("%s: a complex attribute cannot be part of another", at) // RFC 7643, 2.3.8
		case a.Type == Complex && len(d.SubAttributes) == 0:
			return nil, fmt.Errorf("%s: a complex attribute needs subAttributes", at)
		case a.Type != Complex && len(d.SubAttributes) > 0:
			return nil, fmt.Errorf("%s: only a complex attribute has subAttributes", at)
		}
		subs, err := declared(d.SubAttributes, at, true)
		if err != nil {
			return nil, err
		}
		a.SubAttributes = subs
		made = append(made, a)
	}
	return made, nil
}

// check judges the characteristics one by one.
func (a *Attribute) check(at string) error {
	switch {
	case !tree.IsName(a.Name):
		return fmt.Errorf("%s: a name is a letter and then letters, digits, - and _", at)
	case common.Attribute(a.Name) != nil:
		return fmt.Errorf("%s: every resource has an attribute of this name", at)
	}
	switch a.Type {
	case String, Boolean, Decimal, Integer, DateTime, Binary, Reference, Complex:
	default:
		return fmt.Errorf("%s: type must be string, boolean, decimal, integer, dateTime, binary, reference or complex, not %s", at, tree.Excerpt(string(a.Type)))
	}
	switch a.Mutability {
	case ReadWrite, Immutable:
	default: // nothing but the client could give a value to the others, or read it
		return fmt.Errorf("%s: mutability must be readWrite or immutable, not %s", at, tree.Excerpt(string(a.Mutability)))
	}
	switch a.Returned {
	case Default, Always, OnRequest:
	default:
		return fmt.Errorf("%s: returned must be default, always or request, not %s", at, tree.Excerpt(string(a.Returned)))
	}
	if (a.Type == Reference) != (len(a.ReferenceTypes) > 0) {
		return fmt.Errorf("%s: referenceTypes belong to type reference, and to no other", at)
	}
	return nil
}

// MarshalJSON writes the schema without its place (RFC 7643, 7). Discovery documents come from [Discovery].
func (s *Schema) MarshalJSON() ([]byte, error) {
	return json.Marshal(schemaDocument{Schemas: [1]string{SchemaURN}, ID: s.ID, Name: s.Name, Description: s.Description, Attributes: s.Attributes})
}
