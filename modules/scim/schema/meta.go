package schema

// The schemas that describe the service itself. They are published as RFC 7643, 8.7.2 defines them, under the names that
// clients look for; nobody writes resources of them.

// serviceProviderConfigSchema is RFC 7643, 5, with the pagination of RFC 9865, 4.
func serviceProviderConfigSchema() *Schema {
	supported := func() *Attribute {
		return attribute("supported", "Whether the feature is offered", Boolean, required, readOnly)
	}
	return &Schema{ID: ServiceProviderConfigURN, Name: "ServiceProviderConfig", Description: "What the service provider offers", Attributes: []*Attribute{
		attribute("documentationUri", "Address of the documentation", Reference, readOnly, references("external")),
		attribute("patch", "Changing resources by PATCH", Complex, required, readOnly, parts(supported())),
		attribute("bulk", "Many operations in one request", Complex, required, readOnly, parts(
			supported(),
			attribute("maxOperations", "Most operations in a request", Integer, required, readOnly),
			attribute("maxPayloadSize", "Most bytes of a request", Integer, required, readOnly),
		)),
		attribute("filter", "Filters", Complex, required, readOnly, parts(
			supported(),
			attribute("maxResults", "Most resources in an answer", Integer, required, readOnly),
		)),
		attribute("changePassword", "Changing passwords", Complex, required, readOnly, parts(supported())),
		attribute("sort", "Sorting of results", Complex, required, readOnly, parts(supported())),
		attribute("etag", "Versions of resources", Complex, required, readOnly, parts(supported())),
		attribute("pagination", "Paging through results", Complex, readOnly, parts(
			attribute("cursor", "Whether pages are found by cursor", Boolean, required, readOnly),
			attribute("index", "Whether pages are found by index", Boolean, required, readOnly),
			attribute("defaultPaginationMethod", "The method used when a client names none", String, readOnly, canonical("cursor", "index")),
			attribute("defaultPageSize", "Resources in a page when a client names no count", Integer, readOnly),
			attribute("maxPageSize", "Most resources in a page", Integer, readOnly),
			attribute("cursorTimeout", "Seconds for which a cursor can be used", Integer, readOnly),
		)),
		attribute("authenticationSchemes", "Ways to authenticate", Complex, many, required, readOnly, parts(
			attribute("type", "Kind of scheme", String, required, readOnly,
				canonical("oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest")),
			attribute("name", "Name for people to read", String, required, readOnly),
			attribute("description", "Description of the scheme", String, required, readOnly),
			attribute("specUri", "Address of the specification", Reference, readOnly, references("external")),
			attribute("documentationUri", "Address of the documentation", Reference, readOnly, references("external")),
			attribute("primary", "Whether this is the preferred scheme", Boolean, readOnly),
		)),
	}}
}

// resourceTypeSchema is RFC 7643, 6.
func resourceTypeSchema() *Schema {
	return &Schema{ID: ResourceTypeURN, Name: "ResourceType", Description: "A kind of resource and where it is served", Attributes: []*Attribute{
		attribute("id", "Identifier of the resource type", String, readOnly),
		attribute("name", "Name of the resource type", String, required, readOnly),
		attribute("description", "Description of the resource type", String, readOnly),
		attribute("endpoint", "Where resources of the type are served, relative to the base address", Reference, required, readOnly, references("uri")),
		attribute("schema", "URN of the core schema", Reference, exact, required, readOnly, references("uri")),
		attribute("schemaExtensions", "Extensions of the resource type", Complex, many, readOnly, parts(
			attribute("schema", "URN of the extension schema", Reference, exact, required, readOnly, references("uri")),
			attribute("required", "Whether each resource must have the extension", Boolean, required, readOnly),
		)),
	}}
}

// schemaSchema is RFC 7643, 7.
func schemaSchema() *Schema {
	characteristics := func(more ...*Attribute) trait {
		return parts(append([]*Attribute{
			attribute("name", "Name of the attribute", String, exact, required, readOnly),
			attribute("type", "Data type", String, required, readOnly,
				canonical("string", "complex", "boolean", "decimal", "integer", "dateTime", "reference", "binary")),
			attribute("multiValued", "Whether it has many values", Boolean, required, readOnly),
			attribute("description", "Description for people to read", String, readOnly),
			attribute("required", "Whether it must have a value", Boolean, required, readOnly),
			attribute("canonicalValues", "Suggested values", String, exact, many, readOnly),
			attribute("caseExact", "Whether case makes a difference", Boolean, required, readOnly),
			attribute("mutability", "When it may be written", String, exact, required, readOnly,
				canonical("readOnly", "readWrite", "immutable", "writeOnly")),
			attribute("returned", "When it is part of an answer", String, exact, required, readOnly,
				canonical("always", "never", "default", "request")),
			attribute("uniqueness", "Among what its values are unique", String, exact, required, readOnly,
				canonical("none", "server", "global")),
			attribute("referenceTypes", "Kinds of resource it may refer to", String, exact, many, readOnly),
		}, more...)...)
	}
	return &Schema{ID: SchemaURN, Name: "Schema", Description: "A schema and its attributes", Attributes: []*Attribute{
		attribute("id", "URN of the schema", String, exact, required, readOnly),
		attribute("name", "Name of the schema", String, required, readOnly),
		attribute("description", "Description of the schema", String, readOnly),
		attribute("attributes", "Attributes of the schema", Complex, many, required, readOnly, characteristics(
			attribute("subAttributes", "Attributes of a complex attribute", Complex, many, readOnly, characteristics()))),
	}}
}
