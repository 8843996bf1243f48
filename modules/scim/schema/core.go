package schema

// common are the attributes of every resource, which no schema lists (RFC 7643, 3.1). They are resolved like the others.
var common = func() *Schema {
	s := &Schema{Attributes: []*Attribute{
		attribute("schemas", "URNs of the schemas that the resource follows", Reference, many, always, references("uri")),
		attribute("id", "Unique identifier, issued by the service provider", String, exact, readOnly, always, unique),
		attribute("externalId", "Identifier of the resource as issued by the provisioning client", String, exact),
		attribute("meta", "Metadata of the resource", Complex, readOnly, parts(
			attribute("resourceType", "Name of the resource type", String, exact, readOnly),
			attribute("created", "When the resource was made", DateTime, readOnly),
			attribute("lastModified", "When the resource was last changed", DateTime, readOnly),
			attribute("location", "Address of the resource", Reference, exact, readOnly, references("uri")),
			attribute("version", "Version of the resource, equal to its ETag", String, exact, readOnly),
		)),
	}}
	s.index()
	return s
}()

// A trait changes one characteristic from its default.
type trait func(*Attribute)

func many(a *Attribute)     { a.MultiValued = true }
func required(a *Attribute) { a.Required = true }
func exact(a *Attribute)    { a.CaseExact = true }
func readOnly(a *Attribute) { a.Mutability = ReadOnly }
func fixed(a *Attribute)    { a.Mutability = Immutable }
func always(a *Attribute)   { a.Returned = Always }
func unique(a *Attribute)   { a.Uniqueness = Server }
func endless(a *Attribute)  { a.unbounded = true }

func canonical(values ...string) trait {
	return func(a *Attribute) { a.CanonicalValues = values }
}

func references(types ...string) trait {
	return func(a *Attribute) { a.ReferenceTypes = types }
}

func parts(subs ...*Attribute) trait {
	return func(a *Attribute) { a.SubAttributes = subs }
}

// attribute is an attribute with the defaults of RFC 7643, 2.2, and the traits by which it differs.
func attribute(name, description string, t Type, traits ...trait) *Attribute {
	a := &Attribute{Name: name, Description: description, Type: t, Mutability: ReadWrite, Returned: Default, Uniqueness: None}
	for _, change := range traits {
		change(a)
	}
	return a
}

// plural is a multi-valued attribute with the sub-attributes of RFC 7643, 2.4: value, display, type and primary.
func plural(name, description string, value *Attribute, types ...string) *Attribute {
	return attribute(name, description, Complex, many, parts(
		value,
		attribute("display", "Name of the value for people to read", String),
		attribute("type", "What the value is for", String, canonical(types...)),
		attribute("primary", "Whether this is the preferred value; at most one is", Boolean),
	))
}

// userSchema is RFC 7643, 4.1. There is no password: who signs in is asked of the identity provider, and what is not stored
// cannot leak. There are no canonical values for roles and entitlements: with them Entra would address elements by type,
// not by primary.
func userSchema() *Schema {
	return &Schema{ID: UserURN, Name: "User", Description: "User account", Attributes: []*Attribute{
		attribute("userName", "Name that identifies the user to the service provider", String, required, unique),
		attribute("name", "Parts of the user's name", Complex, parts(
			attribute("formatted", "Whole name, formatted for display", String),
			attribute("familyName", "Family name", String),
			attribute("givenName", "Given name", String),
			attribute("middleName", "Middle names", String),
			attribute("honorificPrefix", "Title before the name", String),
			attribute("honorificSuffix", "Suffix after the name", String),
		)),
		attribute("displayName", "Name of the user for people to read", String),
		attribute("nickName", "Casual name of the user", String),
		attribute("profileUrl", "Address of the user's profile", Reference, references("external")),
		attribute("title", "Job title", String),
		attribute("userType", "Relation between the organization and the user", String),
		attribute("preferredLanguage", "Preferred written or spoken language", String),
		attribute("locale", "Locale for numbers, dates and currency", String),
		attribute("timezone", "Time zone of the user", String),
		attribute("active", "Whether the user may use the service", Boolean),
		plural("emails", "E-mail addresses", attribute("value", "E-mail address", String), "work", "home", "other"),
		plural("phoneNumbers", "Telephone numbers", attribute("value", "Telephone number", String),
			"work", "home", "mobile", "fax", "pager", "other"),
		plural("ims", "Instant messaging addresses", attribute("value", "Instant messaging address", String),
			"aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"),
		plural("photos", "Addresses of photos of the user", attribute("value", "Address of a photo", Reference, references("external")),
			"photo", "thumbnail"),
		attribute("addresses", "Physical mailing addresses", Complex, many, parts(
			attribute("formatted", "Whole address, formatted for display", String),
			attribute("streetAddress", "Street, house number and the like", String),
			attribute("locality", "City or locality", String),
			attribute("region", "State or region", String),
			attribute("postalCode", "Postal code", String),
			attribute("country", "Country", String),
			attribute("type", "What the address is for", String, canonical("work", "home", "other")),
			attribute("primary", "Whether this is the preferred address; at most one is", Boolean),
		)),
		attribute("groups", "Groups the user belongs to, directly or through another group", Complex, many, readOnly, parts(
			attribute("value", "Identifier of the group", String, exact, readOnly),
			attribute("$ref", "Address of the group", Reference, exact, readOnly, references("User", "Group")),
			attribute("display", "Name of the group for people to read", String, readOnly),
			attribute("type", "Whether the membership is direct", String, readOnly, canonical("direct", "indirect")),
		)),
		plural("entitlements", "Entitlements of the user", attribute("value", "Entitlement", String)),
		plural("roles", "Roles of the user", attribute("value", "Role", String)),
		plural("x509Certificates", "Certificates issued to the user", attribute("value", "Certificate, DER in base64", Binary, exact)),
	}}
}

// enterpriseSchema is RFC 7643, 4.3.
func enterpriseSchema() *Schema {
	return &Schema{ID: EnterpriseUserURN, Name: "EnterpriseUser", Description: "Attributes of users who belong to an organization", Attributes: []*Attribute{
		attribute("employeeNumber", "Identifier the organization gave the person", String),
		attribute("costCenter", "Cost center", String),
		attribute("organization", "Organization", String),
		attribute("division", "Division", String),
		attribute("department", "Department", String),
		attribute("manager", "Manager of the user", Complex, parts(
			attribute("value", "Identifier of the manager's user", String, exact),
			attribute("$ref", "Address of the manager's user", Reference, exact, references("User")),
			attribute("displayName", "Name of the manager for people to read", String, readOnly),
		)),
	}}
}

// groupSchema is RFC 7643, 4.2, where the text requires displayName and the sample forgets it.
func groupSchema() *Schema {
	return &Schema{ID: GroupURN, Name: "Group", Description: "Group of users and groups", Attributes: []*Attribute{
		attribute("displayName", "Name of the group for people to read", String, required),
		attribute("members", "Members of the group", Complex, many, endless, parts(
			attribute("value", "Identifier of the member", String, exact, fixed),
			attribute("$ref", "Address of the member", Reference, exact, fixed, references("User", "Group")),
			attribute("type", "Kind of the member", String, fixed, canonical("User", "Group")),
			attribute("display", "Name of the member for people to read", String, readOnly),
		)),
	}}
}
