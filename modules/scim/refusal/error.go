package refusal

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// Schema is the URN of the Error message.
const Schema = "urn:ietf:params:scim:api:messages:2.0:Error"

// Type is a detail error keyword, scimType on the wire (RFC 7644, table 9; RFC 9865, table 1).
type Type string

// The keywords. None stands for an error that has only a status.
const (
	None          Type = ""
	InvalidFilter Type = "invalidFilter" // 400: the filter cannot be read, or compares what cannot be compared
	TooMany       Type = "tooMany"       // 400: more results than the server is willing to work through
	Uniqueness    Type = "uniqueness"    // 409: the value is taken
	Mutability    Type = "mutability"    // 400: the attribute must not be changed like this
	InvalidSyntax Type = "invalidSyntax" // 400: the body is no such message
	InvalidPath   Type = "invalidPath"   // 400: the path cannot be read, or names nothing that exists
	NoTarget      Type = "noTarget"      // 400: the path leads to nothing
	InvalidValue  Type = "invalidValue"  // 400: a value is missing or of the wrong type
	InvalidVers   Type = "invalidVers"   // 400: the protocol version is not spoken here
	Sensitive     Type = "sensitive"     // 403: must not stand in an address; POST it to /.search
	InvalidCursor Type = "invalidCursor" // 400: the cursor is none of ours, or belongs to another query
	ExpiredCursor Type = "expiredCursor" // 400: the cursor is too old
	InvalidCount  Type = "invalidCount"  // 400: the page size cannot be used
)

// Status is the status that goes with a keyword.
func (t Type) Status() int {
	switch t {
	case Uniqueness:
		return 409
	case Sensitive:
		return 403
	}
	return 400
}

// Error is a refusal. It is a value: [Error.At] returns a changed copy.
type Error struct {
	Status int    // the HTTP status, which the body repeats as a string
	Type   Type   // the keyword; may be [None]
	Detail string // whole sentences for whoever reads the log of the other side: what is wrong, where, and the remedy
}

// New is a refusal with the keyword's own status.
func New(t Type, format string, args ...any) *Error {
	return &Error{Status: t.Status(), Type: t, Detail: fmt.Sprintf(format, args...)}
}

// Status is a refusal that has no keyword.
func Status(status int, format string, args ...any) *Error {
	return &Error{Status: status, Detail: fmt.Sprintf(format, args...)}
}

// From finds a refusal in err's chain.
func From(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// At returns a copy whose detail begins with the place, such as "Operations[2]".
func (e *Error) At(place string) *Error {
	c := *e
	c.Detail = place + ": " + e.Detail
	return &c
}

// Error renders the refusal in one line.
func (e *Error) Error() string {
	s := "scim: " + strconv.Itoa(e.Status)
	if e.Type != None {
		s += " " + string(e.Type)
	}
	return s + ": " + e.Detail
}

// Is reports whether target is a refusal of the same status and keyword, whatever its detail.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Status == e.Status && t.Type == e.Type
}

// MarshalJSON writes the Error message (RFC 7644, 3.12): the status is a string, an absent keyword is left out.
func (e *Error) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Schemas [1]string `json:"schemas"`
		Status  string    `json:"status"`
		Type    Type      `json:"scimType,omitempty"`
		Detail  string    `json:"detail,omitempty"`
	}{[1]string{Schema}, strconv.Itoa(e.Status), e.Type, e.Detail})
}
