package auth

import (
	"strings"

	"github.com/badge-engine/badge-engine/platform/fault"
)

// The faults of this module.
var (
	ErrTokenInvalid = fault.New(fault.Unauthenticated, "auth.token_invalid", "The token is not valid.")
	ErrNotFound     = fault.New(fault.NotFound, "auth.token_not_found", "There is no such token.")
	ErrAmbiguous    = fault.New(fault.Conflict, "auth.token_ambiguous", "More than one token is meant.")
	ErrInvalid      = fault.New(fault.Invalid, "auth.invalid", "The token cannot be created like this.")
)

// invalid says every violation in the detail too, for callers at a terminal.
func invalid(violations ...fault.Violation) *fault.Fault {
	var sentences []string
	for _, v := range violations {
		sentences = append(sentences, v.Detail, v.Remedy)
	}
	return ErrInvalid.Detailf("%s", strings.Join(sentences, " ")).Violating(violations...)
}
