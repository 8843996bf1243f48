package bulk

import (
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
)

// Limits bound a request (RFC 7643, 5: bulk).
type Limits struct {
	Operations int
	Payload    int // bytes
}

// Request is a BulkRequest that can be worked through.
type Request struct {
	// FailOnErrors is after how many failures to stop; 0 goes on to the end.
	FailOnErrors int
	// Operations are in the order of the request, which also is the order of the answer.
	Operations []Operation
	// Steps are what to do, in order.
	Steps []Step
}

// Operation is one operation of the request.
type Operation struct {
	Method  string // upper case: POST, PUT, PATCH or DELETE
	Path    string // as written, for the answer
	BulkID  string
	Version string // the ETag for If-Match, or empty
	Type    *schema.ResourceType
	// Refused is why the operation cannot be done at all, or nil. It counts as a failure when its turn comes.
	Refused *refusal.Error
}

// Step is one thing to do.
type Step struct {
	// Operation is the index of the operation this belongs to.
	Operation int
	// Link marks the second half of an operation whose first half made the resource without references that did not exist
	// yet: a PATCH of the made resource. It is left out when the first half failed, and when it fails the operation has.
	Link bool
	// contains filtered or unexported fields
}

// Parse reads a BulkRequest and plans it. It answers with a [*refusal.Error]: 413 beyond the limits, invalidSyntax for what is no
// such message. What is wrong with one operation is in its Refused.
func Parse(registry *schema.Registry, body string, limits Limits) (*Request, error) {
	return nil, refusal.Status(501, "Bulk requests cannot be read yet.")
}

// Call is a step with its references replaced.
type Call struct {
	Method string
	Type   *schema.ResourceType
	ID     string // empty for POST
	Body   string // empty for DELETE
}

// Resolve fills the ids of resources that the request made, by bulkId, into a step. For a Link step made must also have the
// id of the operation's own bulkId. An id that is missing, because its operation failed, is refused with invalidValue.
func (r *Request) Resolve(s Step, made map[string]string) (Call, error) {
	return Call{}, refusal.Status(501, "Bulk requests cannot be planned yet.")
}
