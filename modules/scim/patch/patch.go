package patch

import (
	"github.com/badge-engine/badge-engine/modules/scim/filter"
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/resource"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
)

// Patch is a PatchOp message in normal form.
type Patch struct {
	// Members are the changes of a group's members, in order. There is more than one step only where a filter stands
	// between others.
	Members []MemberStep
}

// MemberStep is one change of the set of members. Remove and Add have no member in common, so that their order makes no
// difference; both come after Clear. Removing who is no member and adding who is one change nothing and are no error.
type MemberStep struct {
	Clear  bool              // remove everybody first: with Add this is a replacement
	Remove []string          // ids
	Add    []resource.Member // each id once
	Where  filter.Predicate  // if set, remove exactly the members that match (paths are members.value, members.type, …), and nothing else
}

// Normalize reads a PatchOp message for a resource type. It answers with a [*refusal.Error]: invalidSyntax for what is no such
// message or has an unknown op, invalidPath for a path that leads nowhere, invalidFilter for what is wrong between brackets,
// mutability for a readOnly attribute, noTarget for a remove without path, invalidValue for a value of the wrong type. A
// detail begins with the operation: "Operations[2]: …".
func Normalize(t *schema.ResourceType, body string) (*Patch, error) {
	return nil, refusal.Status(501, "Changes cannot be read yet.")
}

// Touches reports whether the patch can change anything but members.
func (p *Patch) Touches() bool { return false }

// Apply does the changes to a resource and gives the result, which shares what did not change, and whether there is any
// difference; if not, nothing may be written and the version stays. The resource itself is never altered. Members are not
// applied here.
func (p *Patch) Apply(r *resource.Resource) (*resource.Resource, bool, error) {
	return nil, false, refusal.Status(501, "Changes cannot be applied yet.")
}
