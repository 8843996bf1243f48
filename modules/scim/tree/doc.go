// Package tree reads and writes the JSON of SCIM: ordered, exact, and refused where two readers could understand it
// differently.
//
// It differs from the kernel's strict JSON in what the protocol needs. Members keep their order, because a PATCH without a
// path is applied in the order in which it is written. Names are compared without regard to case (RFC 7643, 2.1), so that
// "userName" and "username" in one object are a duplicate. null is a value: it unassigns. Numbers keep their text, however
// large. Refused are duplicate names, unpaired surrogates, invalid UTF-8, the character U+0000, which no database can hold
// as text, nesting beyond a limit, and anything after the end.
//
// Standards: RFC 8259 (JSON); RFC 7493, 2.1 and 2.3 (I-JSON); RFC 7643, 2.1 and 2.3.
package tree
