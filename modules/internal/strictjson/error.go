package strictjson

import (
	"strings"
)

// Error says why a text was refused, where, and how to mend it.
type Error struct {
	Pointer string // JSON Pointer of the refused value; empty for the whole document
	Problem string // what is wrong, without a full stop
	Remedy  string // what to do about it, a whole sentence
	Syntax  bool   // true: the text is no acceptable JSON; false: readable, but of the wrong shape
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

var escaper = strings.NewReplacer("~", "~0", "/", "~1")

// Child is the JSON Pointer of a member or an array index below parent (RFC 6901, 3).
func Child(parent, token string) string {
	return parent + "/" + escaper.Replace(token)
}

// Location tells an HTTP edge the place, whether the text cannot be read at all,
// the problem and the remedy.
func (e *Error) Location() (pointer string, syntax bool, problem, remedy string) {
	return e.Pointer, e.Syntax, e.Problem, e.Remedy
}
