package audit

import "github.com/badge-engine/badge-engine/platform/fault"

// The faults of this module.
var (
	ErrFilter = fault.New(fault.Malformed, "audit.filter", "A filter of the list cannot be used.")
	ErrHead   = fault.New(fault.Malformed, "audit.head", "This is not the head of an audit trail.")
	ErrKey    = fault.New(fault.Conflict, "audit.key", "The audit trail does not open under the key-encryption key that is configured.").
			Detailf("Configure the key of the servers. If it is that key, somebody changed the table audit_head.")
)
