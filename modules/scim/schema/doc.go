// Package schema is what a SCIM resource may consist of: attributes with their characteristics, schemas, resource types,
// and the registry that knows all of them.
//
// It owns the schemas of User, EnterpriseUser and Group as RFC 7643 defines them, the three schemas that describe the
// service itself, and extension schemas that an operator declares in configuration. It resolves the path of an attribute,
// however a client writes it, and it is what the discovery documents are made of. Values, filters and changes are left to
// the packages above it.
//
// Standards: RFC 7643, 2 (attributes), 3 (resources), 4 (core schemas), 5 to 8 (discovery); RFC 9865, 4 (pagination).
package schema
