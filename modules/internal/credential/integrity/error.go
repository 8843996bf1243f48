package integrity

import (
	"errors"
	"fmt"
)

// Code is the name of an error. Data Integrity 1.0, Processing Errors.
type Code string

// The names.
const (
	ParsingError             Code = "PARSING_ERROR"
	ProofGenerationError     Code = "PROOF_GENERATION_ERROR"
	ProofVerificationError   Code = "PROOF_VERIFICATION_ERROR"
	ProofTransformationError Code = "PROOF_TRANSFORMATION_ERROR"
	InvalidDomainError       Code = "INVALID_DOMAIN_ERROR"
	InvalidChallengeError    Code = "INVALID_CHALLENGE_ERROR"
)

// ErrUnsupported is in the chain of an error that says no more than that a
// cryptosuite is not known here.
var ErrUnsupported = errors.New("integrity: unsupported cryptosuite")

// Error is every error of this package but those of the resolver.
type Error struct {
	Code    Code
	Problem string // a sentence without its full stop
	Remedy  string // a sentence that says what would be right; may be empty
	cause   error
}

// Error implements error.
func (e *Error) Error() string {
	if e.cause != nil {
		return "integrity: " + e.Problem + ": " + e.cause.Error()
	}
	return "integrity: " + e.Problem
}

// Unwrap gives the cause, such as the canonicalizer's error.
func (e *Error) Unwrap() error { return e.cause }

// Type is the URL that names the error in problem details.
func (e *Error) Type() string { return "https://w3id.org/security#" + string(e.Code) }

func trouble(code Code, remedy, format string, args ...any) *Error {
	return &Error{Code: code, Problem: fmt.Sprintf(format, args...), Remedy: remedy}
}

func (e *Error) with(cause error) *Error {
	e.cause = cause
	return e
}

// shown shortens what strangers sent, so that no error grows with it.
func shown(v any) string {
	s, ok := v.(string)
	if !ok {
		return fmt.Sprintf("a value of type %T", v)
	}
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return fmt.Sprintf("%q", s)
}
