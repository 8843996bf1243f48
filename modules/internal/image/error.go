package image

import "fmt"

// Code says what kind of trouble an [Error] is. Codes are stable.
type Code string

// The kinds of trouble.
const (
	NotImage      Code = "not_image"      // neither a PNG nor an SVG
	Damaged       Code = "damaged"        // begins like one, but breaks its format
	Unsafe        Code = "unsafe"         // sound, but able to do harm to who opens it
	NotBaked      Code = "not_baked"      // carries no credential
	AlreadyBaked  Code = "already_baked"  // carries one, and overwriting was not asked for
	TooLarge      Code = "too_large"      // beyond a limit of this package
	NotCredential Code = "not_credential" // the payload is neither a JSON object nor a compact JWS
)

// Error is every error of this package: what is wrong, where, and how to mend it.
type Error struct {
	Code    Code
	Problem string // a sentence without its full stop
	Remedy  string // a sentence that says what would be right
	Offset  int64  // the byte at which it was found; 0 when it concerns the whole
}

// Error implements error.
func (e *Error) Error() string {
	if e.Offset > 0 {
		return fmt.Sprintf("image: %s (at byte %d)", e.Problem, e.Offset)
	}
	return "image: " + e.Problem
}

func trouble(code Code, offset int, remedy, format string, args ...any) *Error {
	return &Error{Code: code, Problem: fmt.Sprintf(format, args...), Remedy: remedy, Offset: int64(offset)}
}
