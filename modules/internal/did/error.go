package did

import "fmt"

// Code says what kind of trouble an [Error] is. Those in capitals are the names
// of Controlled Identifiers 1.0, Processing Errors.
type Code string

// The kinds of trouble.
const (
	InvalidDocumentID   Code = "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID"
	InvalidDocument     Code = "INVALID_CONTROLLED_IDENTIFIER_DOCUMENT"
	InvalidURL          Code = "INVALID_VERIFICATION_METHOD_URL"
	InvalidMethod       Code = "INVALID_VERIFICATION_METHOD"
	InvalidRelationship Code = "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"
	Unsupported         Code = "unsupported" // a DID method or kind of key that is not known here
	Unreachable         Code = "unreachable" // the document could not be fetched; another time it may be
)

// Error is every error of this package: what is wrong and how to mend it.
type Error struct {
	Code    Code
	Problem string // a sentence without its full stop
	Remedy  string // a sentence that says what would be right; may be empty
	cause   error
}

// Error implements error.
func (e *Error) Error() string {
	if e.cause != nil {
		return "did: " + e.Problem + ": " + e.cause.Error()
	}
	return "did: " + e.Problem
}

// Unwrap gives the cause, such as the error of a fetch.
func (e *Error) Unwrap() error { return e.cause }

func trouble(code Code, remedy, format string, args ...any) *Error {
	return &Error{Code: code, Problem: fmt.Sprintf(format, args...), Remedy: remedy}
}

// shown shortens what strangers sent, so that no error grows with it.
func shown(s string) string {
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return fmt.Sprintf("%q", s)
}
