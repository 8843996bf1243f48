package intake

import "github.com/badge-engine/badge-engine/platform/fault"

// The faults of this module.
var (
	ErrIssuer      = fault.New(fault.Invalid, "intake.issuer", "The issuer profile or the achievement to import under is not there.")
	ErrUnverified  = fault.New(fault.Invalid, "intake.unverified", "The badge is not verified, and was not imported.")
	ErrKind        = fault.New(fault.Invalid, "intake.kind", "This is no badge that can be imported.")
	ErrRecipient   = fault.New(fault.Invalid, "intake.recipient", "It is not known who received the badge.")
	ErrAchievement = fault.New(fault.Forbidden, "intake.achievement", "A new achievement would have to be made, and the token does not allow that.")
	ErrBegun       = fault.New(fault.Conflict, "intake.begun", "An import of this badge was begun by somebody else and is not finished.")
	ErrOption      = fault.New(fault.Malformed, "intake.option", "A parameter of the import cannot be used.")
	ErrRows        = fault.New(fault.TooLarge, "intake.rows", "The file has more badges than one request may bring.")
	ErrRow         = fault.New(fault.Invalid, "intake.row", "The line cannot be read.")
	ErrNothing     = fault.New(fault.Malformed, "intake.nothing", "There is no badge in the request.")
)
