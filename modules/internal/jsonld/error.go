package jsonld

import "strings"

// Codes of an [Error].
const (
	CodeUndefinedTerm  = "undefined-term"        // a member no context defines
	CodeUndefinedType  = "undefined-type"        // a type no context defines
	CodeRelativeIRI    = "relative-iri"          // an id that depends on where the document lies
	CodeInvalidIRI     = "invalid-iri"           // an id that is no IRI
	CodeDropped        = "dropped-value"         // a value that has no place in RDF and would go unsigned
	CodeInvalid        = "invalid-document"      // JSON-LD forbids it
	CodeUnsupported    = "unsupported"           // JSON-LD allows it, this package does not
	CodeDirection      = "text-direction"        // a text direction, which RDF has no agreed form for
	CodeUnknownContext = "unknown-context"       // a context that is not embedded
	CodeInvalidContext = "invalid-context"       // a context that JSON-LD forbids
	CodeProtectedTerm  = "protected-term"        // a context redefines a protected term
	CodeLimit          = "limit-exceeded"        // too deep, too large, too many contexts
	CodeWork           = "canonicalization-work" // only of [ErrWorkLimit]
)

// Error says why a document cannot be signed or verified, where, and how to mend it.
type Error struct {
	Code    string // one of the Code constants
	Pointer string // JSON Pointer into the document
	Term    string // the member name, type, id or context at fault, where there is one
	Problem string // what is wrong, without a full stop
	Remedy  string // what to do about it, a whole sentence
}

// Error implements the error interface in one line.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Pointer != "" {
		b.WriteString(e.Pointer)
		b.WriteString(": ")
	}
	b.WriteString(e.Problem)
	if e.Remedy != "" {
		b.WriteString(". ")
		b.WriteString(e.Remedy)
	}
	return b.String()
}

// ErrWorkLimit is the answer to a document whose blank nodes are linked so alike that telling them apart would take
// unreasonable time. RDFC-1.0, 7.1 (Dataset Poisoning): implementations must be able to defend themselves.
var ErrWorkLimit error = &Error{
	Code:    CodeWork,
	Problem: "the document takes too much work to canonicalize",
	Remedy:  "Give the objects that refer to one another ids of their own.",
}
