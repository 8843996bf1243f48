package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of thing went wrong; the edge turns it into a status.
type Kind string

// The kinds of fault. Each stands for one HTTP status, named behind it.
const (
	Malformed       Kind = "malformed"        // 400: the request cannot be read
	Unauthenticated Kind = "unauthenticated"  // 401: nobody known is calling
	Forbidden       Kind = "forbidden"        // 403: the caller may not do this
	NotFound        Kind = "not_found"        // 404: there is no such thing
	Conflict        Kind = "conflict"         // 409: the state of things refuses it
	Gone            Kind = "gone"             // 410: there was such a thing
	Precondition    Kind = "precondition"     // 412: the version named is not the current one
	TooLarge        Kind = "too_large"        // 413: more bytes than the limit
	Unsupported     Kind = "unsupported_type" // 415: a media type that is not taken here
	Invalid         Kind = "invalid"          // 422: readable, but against a rule
	TooMany         Kind = "too_many"         // 429: more requests than the limit
	Internal        Kind = "internal"         // 500: ours to mend
	Unavailable     Kind = "unavailable"      // 503: try again later
)

// Violation is one broken rule: which one, where, and how to mend it.
type Violation struct {
	Pointer string `json:"pointer"`          // JSON Pointer (RFC 6901) into the request body or document
	Rule    string `json:"rule"`             // the rule, by document and section where one rules
	Detail  string `json:"detail"`           // what is wrong
	Remedy  string `json:"remedy,omitempty"` // what would be right
}

// Fault is an error that a service answers with. It is a value: With, Detailf,
// Violating and RetryAfter return changed copies and never alter the receiver,
// so a package may declare its faults as variables.
type Fault struct {
	kind       Kind
	code       string
	message    string
	detail     string
	violations []Violation
	retryAfter time.Duration
	cause      error
}

// New declares a fault. The code is stable API, begins with the name of the
// module, and is never reused; the message is one plain sentence.
func New(kind Kind, code, message string) *Fault {
	return &Fault{kind: kind, code: code, message: message}
}

// Kind tells what sort of thing went wrong.
func (f *Fault) Kind() Kind { return f.kind }

// Code is the stable name of this fault, such as "issuance.not_found".
func (f *Fault) Code() string { return f.code }

// Message is the sentence the fault was declared with.
func (f *Fault) Message() string { return f.message }

// Detail is what Detailf said of this occurrence; it may be empty.
func (f *Fault) Detail() string { return f.detail }

// Violations are the broken rules; the caller must not alter them.
func (f *Fault) Violations() []Violation { return f.violations }

// Wait is how long a caller should wait before it tries again; zero says nothing.
func (f *Fault) Wait() time.Duration { return f.retryAfter }

// With returns a copy that wraps cause. The cause is for the log alone: it is
// never shown to a caller.
func (f *Fault) With(cause error) *Fault {
	c := *f
	c.cause = cause
	return &c
}

// Detailf returns a copy that says what is special about this occurrence. The
// text is shown to the caller.
func (f *Fault) Detailf(format string, args ...any) *Fault {
	c := *f
	c.detail = fmt.Sprintf(format, args...)
	return &c
}

// Violating returns a copy that carries the broken rules.
func (f *Fault) Violating(violations ...Violation) *Fault {
	c := *f
	c.violations = append(append([]Violation(nil), f.violations...), violations...)
	return &c
}

// RetryAfter returns a copy that asks the caller to wait.
func (f *Fault) RetryAfter(wait time.Duration) *Fault {
	c := *f
	c.retryAfter = wait
	return &c
}

// Error renders the fault for a log, the cause included.
func (f *Fault) Error() string {
	s := f.code + ": " + f.message
	if f.detail != "" {
		s += " " + f.detail
	}
	if f.cause != nil {
		s += ": " + f.cause.Error()
	}
	return s
}

// Unwrap gives the cause to [errors.Is] and [errors.As].
func (f *Fault) Unwrap() error { return f.cause }

// Is reports whether target is a fault of the same code, whatever its details.
func (f *Fault) Is(target error) bool {
	t, ok := target.(*Fault)
	return ok && t.code == f.code
}

// From finds the fault in err's chain.
func From(err error) (*Fault, bool) {
	var f *Fault
	ok := errors.As(err, &f)
	return f, ok
}
