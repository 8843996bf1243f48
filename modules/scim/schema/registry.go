package schema

import (
	"strings"

	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// Extension is an extension schema attached to a resource type (RFC 7643, 6).
type Extension struct {
	Schema   *Schema
	Required bool
}

// ResourceType is a kind of resource and where it is served (RFC 7643, 6).
type ResourceType struct {
	ID          string // also its name
	Endpoint    string // such as "/Users"
	Description string
	Schema      *Schema
	Extensions  []Extension

	schemas   []*Schema // the core schema and every extension
	required  []Path
	immutable []Path
}

// Attribute finds an attribute of the core schema or a common one whatever the case of its name, or nil.
func (t *ResourceType) Attribute(name string) *Attribute {
	if a := t.Schema.Attribute(name); a != nil {
		return a
	}
	return common.Attribute(name)
}

// Required are the attributes that every resource must have a value of.
func (t *ResourceType) Required() []Path { return t.required }

// Immutable are the attributes and sub-attributes of single-valued ones that keep the value they once have.
func (t *ResourceType) Immutable() []Path { return t.immutable }

// index prepares what is asked for often.
func (t *ResourceType) index() {
	t.schemas = []*Schema{t.Schema}
	for _, e := range t.Extensions {
		t.schemas = append(t.schemas, e.Schema)
	}
	for i, s := range t.schemas {
		for _, a := range s.Attributes {
			p := Path{Attribute: a}
			if i > 0 {
				p.Extension = s
			}
			if a.Required {
				t.required = append(t.required, p)
			}
			if a.Mutability == Immutable {
				t.immutable = append(t.immutable, p)
				continue
			}
			for _, sub := range a.SubAttributes {
				if sub.Mutability == Immutable && !a.MultiValued {
					p.Sub = sub
					t.immutable = append(t.immutable, p)
				}
			}
		}
	}
}

// Extension finds an extension schema by its URN whatever the case, or nil.
func (t *ResourceType) Extension(urn string) *Schema {
	for _, e := range t.Extensions {
		if tree.SameName(e.Schema.ID, urn) {
			return e.Schema
		}
	}
	return nil
}

// Registry holds every schema and resource type. It does not change after it was made.
type Registry struct {
	User  *ResourceType
	Group *ResourceType

	schemas []*Schema // in the order of discovery
}

// NewRegistry is the built-in schemas and the extensions of an operator, each attached to the resource type that it names.
func NewRegistry(extensions ...Declaration) (*Registry, error) {
	user, enterprise, group := userSchema(), enterpriseSchema(), groupSchema()
	r := &Registry{
		User: &ResourceType{
			ID: "User", Endpoint: "/Users", Description: "User account", Schema: user,
			Extensions: []Extension{{Schema: enterprise}},
		},
		Group: &ResourceType{ID: "Group", Endpoint: "/Groups", Description: "Group of users and groups", Schema: group},
	}
	r.schemas = []*Schema{user, enterprise, group}
	for _, d := range extensions {
		if err := r.attach(d); err != nil {
			return nil, err
		}
	}
	r.schemas = append(r.schemas, serviceProviderConfigSchema(), resourceTypeSchema(), schemaSchema())
	for _, s := range r.schemas {
		s.index()
	}
	for _, t := range r.ResourceTypes() {
		t.index()
	}
	return r, nil
}

// ResourceTypes are all resource types, in the order of discovery.
func (r *Registry) ResourceTypes() []*ResourceType { return []*ResourceType{r.User, r.Group} }

// ResourceType finds a resource type by its name, "User", or nil.
func (r *Registry) ResourceType(name string) *ResourceType {
	for _, t := range r.ResourceTypes() {
		if t.ID == name {
			return t
		}
	}
	return nil
}

// Endpoint finds the resource type served below an endpoint, "/Users", or nil. Paths of URLs have an exact case.
func (r *Registry) Endpoint(endpoint string) *ResourceType {
	for _, t := range r.ResourceTypes() {
		if t.Endpoint == endpoint {
			return t
		}
	}
	return nil
}

// Schemas are all schemas, in the order of discovery.
func (r *Registry) Schemas() []*Schema { return r.schemas }

// Schema finds a schema by its URN whatever the case, or nil.
func (r *Registry) Schema(urn string) *Schema {
	for _, s := range r.schemas {
		if tree.SameName(s.ID, urn) {
			return s
		}
	}
	return nil
}

// URNs of the core schemas (RFC 7643, 10.3).
const (
	UserURN                  = "urn:ietf:params:scim:schemas:core:2.0:User"
	EnterpriseUserURN        = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	GroupURN                 = "urn:ietf:params:scim:schemas:core:2.0:Group"
	ServiceProviderConfigURN = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	ResourceTypeURN          = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	SchemaURN                = "urn:ietf:params:scim:schemas:core:2.0:Schema"
)

// messages is what the URN of every protocol message begins with.
const messages = "urn:ietf:params:scim:api:messages:2.0:"

// URNs of the protocol messages (RFC 7644, 8.2).
const (
	ListResponseURN  = messages + "ListResponse"
	SearchRequestURN = messages + "SearchRequest"
	PatchOpURN       = messages + "PatchOp"
	BulkRequestURN   = messages + "BulkRequest"
	BulkResponseURN  = messages + "BulkResponse"
	ErrorURN         = messages + "Error"
)

// reserved reports whether a URN is one that an extension must not take.
func reserved(urn string) bool {
	urn = tree.FoldName(urn)
	return strings.HasPrefix(urn, "urn:ietf:params:scim:api:") || strings.HasPrefix(urn, "urn:ietf:params:scim:schemas:core:")
}
