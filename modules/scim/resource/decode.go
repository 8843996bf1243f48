package resource

import (
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
)

// Decode reads the body of a POST or PUT (RFC 7644, 3.3 and 3.5.1). Unknown members, unknown schemas and readOnly attributes
// are ignored; values are coerced by type; empties are not set. It answers with a [*refusal.Error]: invalidSyntax for what is
// no resource, invalidValue for a value of the wrong type, a missing required attribute, or two primary values. The members
// of a group stay an attribute; see [Members].
func Decode(t *schema.ResourceType, body string) (*Resource, error) {
	return nil, refusal.Status(501, "Resources cannot be read yet.")
}

// CheckReplace refuses a PUT that changes an immutable attribute which has a value already (RFC 7644, 3.5.1), with type
// mutability. Members of groups are not looked at: a member is replaced as a whole.
func CheckReplace(old, next *Resource) error {
	return refusal.Status(501, "Resources cannot be compared yet.")
}
