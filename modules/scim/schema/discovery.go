package schema

import (
	"time"
)

// Discovery makes the documents by which a client learns what the service offers (RFC 7644, 4). They marshal to JSON without
// nulls and without empty addresses, neither of which Entra forgives.
type Discovery struct {
	// Base is the address of the service without a slash at the end: "https://badges.example/scim/v2".
	Base     string
	Registry *Registry
}

// Meta is the meta attribute of a discovery document.
type Meta struct {
	ResourceType string `json:"resourceType"`
	Location     string `json:"location"`
}

// Document is a discovery document that a client finds by its id.
type Document interface {
	DocumentID() string
}

type schemaDocument struct {
	Schemas     [1]string    `json:"schemas"`
	ID          string       `json:"id"`
	Name        string       `json:"name"`
	Description string       `json:"description,omitempty"`
	Attributes  []*Attribute `json:"attributes"`
	Meta        *Meta        `json:"meta,omitempty"`
}

// DocumentID implements [Document].
func (d schemaDocument) DocumentID() string { return d.ID }

type resourceTypeDocument struct {
	Schemas          [1]string           `json:"schemas"`
	ID               string              `json:"id"`
	Name             string              `json:"name"`
	Endpoint         string              `json:"endpoint"`
	Description      string              `json:"description,omitempty"`
	Schema           string              `json:"schema"`
	SchemaExtensions []extensionDocument `json:"schemaExtensions,omitempty"`
	Meta             Meta                `json:"meta"`
}

type extensionDocument struct {
	Schema   string `json:"schema"`
	Required bool   `json:"required"`
}

// DocumentID implements [Document].
func (d resourceTypeDocument) DocumentID() string { return d.ID }

// Schemas are the documents below /Schemas.
func (d Discovery) Schemas() []Document {
	var list []Document
	for _, s := range d.Registry.Schemas() {
		list = append(list, schemaDocument{
			Schemas: [1]string{SchemaURN}, ID: s.ID, Name: s.Name, Description: s.Description, Attributes: s.Attributes,
			Meta: &Meta{"Schema", d.Base + "/Schemas/" + s.ID},
		})
	}
	return list
}

// ResourceTypes are the documents below /ResourceTypes.
func (d Discovery) ResourceTypes() []Document {
	var list []Document
	for _, t := range d.Registry.ResourceTypes() {
		doc := resourceTypeDocument{
			Schemas: [1]string{ResourceTypeURN}, ID: t.ID, Name: t.ID, Endpoint: t.Endpoint, Description: t.Description,
			Schema: t.Schema.ID, Meta: Meta{"ResourceType", d.Base + "/ResourceTypes/" + t.ID},
		}
		for _, e := range t.Extensions {
			doc.SchemaExtensions = append(doc.SchemaExtensions, extensionDocument{e.Schema.ID, e.Required})
		}
		list = append(list, doc)
	}
	return list
}

// Offer is what an operator can change about the service.
type Offer struct {
	DocumentationURI string // optional
	BulkOperations   int
	BulkPayload      int // bytes
	MaxResults       int // of a page
	DefaultResults   int // of a page when the client names no count
	CursorTimeout    time.Duration
	AuthenticatedBy  []AuthenticationScheme
}

// AuthenticationScheme is a way to authenticate (RFC 7643, 5).
type AuthenticationScheme struct {
	Type             string `json:"type"`
	Name             string `json:"name"`
	Description      string `json:"description"`
	SpecURI          string `json:"specUri,omitempty"`
	DocumentationURI string `json:"documentationUri,omitempty"`
	Primary          bool   `json:"primary,omitempty"`
}

// ServiceProviderConfig is the document of the service (RFC 7643, 5; RFC 9865, 4).
type ServiceProviderConfig struct {
	Schemas          [1]string `json:"schemas"`
	DocumentationURI string    `json:"documentationUri,omitempty"`
	Patch            Supported `json:"patch"`
	Bulk             struct {
		Supported
		MaxOperations  int `json:"maxOperations"`
		MaxPayloadSize int `json:"maxPayloadSize"`
	} `json:"bulk"`
	Filter struct {
		Supported
		MaxResults int `json:"maxResults"`
	} `json:"filter"`
	ChangePassword Supported `json:"changePassword"`
	Sort           Supported `json:"sort"`
	ETag           Supported `json:"etag"`
	Pagination     struct {
		Cursor        bool   `json:"cursor"`
		Index         bool   `json:"index"`
		DefaultMethod string `json:"defaultPaginationMethod"`
		DefaultSize   int    `json:"defaultPageSize"`
		MaxSize       int    `json:"maxPageSize"`
		CursorTimeout int    `json:"cursorTimeout"`
	} `json:"pagination"`
	AuthenticationSchemes []AuthenticationScheme `json:"authenticationSchemes"`
	Meta                  Meta                   `json:"meta"`
}

// Supported says whether a feature is offered.
type Supported struct {
	Supported bool `json:"supported"`
}

// ServiceProviderConfig is the document below /ServiceProviderConfig. Paging by index stays the method of clients that name
// none, which is what Entra expects.
func (d Discovery) ServiceProviderConfig(o Offer) ServiceProviderConfig {
	c := ServiceProviderConfig{
		Schemas: [1]string{ServiceProviderConfigURN}, DocumentationURI: o.DocumentationURI,
		Patch: Supported{true}, Sort: Supported{true}, ETag: Supported{true},
		AuthenticationSchemes: append([]AuthenticationScheme{}, o.AuthenticatedBy...),
		Meta:                  Meta{"ServiceProviderConfig", d.Base + "/ServiceProviderConfig"},
	}
	c.Bulk.Supported.Supported, c.Bulk.MaxOperations, c.Bulk.MaxPayloadSize = true, o.BulkOperations, o.BulkPayload
	c.Filter.Supported.Supported, c.Filter.MaxResults = true, o.MaxResults
	p := &c.Pagination
	p.Cursor, p.Index, p.DefaultMethod = true, true, "index"
	p.DefaultSize, p.MaxSize, p.CursorTimeout = o.DefaultResults, o.MaxResults, int(o.CursorTimeout/time.Second)
	return c
}
