// Package problem renders any error as an answer: RFC 9457, Problem Details
// for HTTP APIs, unless the route speaks a dialect of its own.
//
// The type of a problem is the URN "urn:badge-engine:problem:" and the code of
// its fault: it does not depend on where a server stands, and clients that
// compare codes compare the same thing. The extension members are code, help,
// which names the section of docs/TROUBLESHOOTING.md that says what to do about it,
// requestId, and errors, a list of broken rules with pointer, rule, detail and
// remedy.
//
// An error that is no fault is answered with 500 and a fixed sentence; its
// text goes to the log with the request id, never to the caller.
package problem
