package statuslist

import "github.com/badge-engine/badge-engine/platform/fault"

// The faults of status lists.
var (
	ErrUnknown   = fault.New(fault.NotFound, "issuance.status_list_not_found", "There is no such status list.")
	ErrTimestamp = fault.New(fault.Malformed, "issuance.status_timestamp", "The timestamp of a status list cannot be used.")
	ErrRevoked   = fault.New(fault.Conflict, "issuance.revoked", "The credential is revoked, which cannot be undone.")
	ErrNoEntry   = fault.New(fault.Conflict, "issuance.no_status_entry", "The credential has no entry in a status list.")
	ErrExpected  = fault.New(fault.Conflict, "issuance.expected", "The query does not match as many credentials as you expect.")
	ErrQuery     = fault.New(fault.Invalid, "issuance.query", "The query cannot be used to change credentials.")
	ErrReason    = fault.New(fault.Invalid, "issuance.reason", "The reason cannot be kept.")
)
