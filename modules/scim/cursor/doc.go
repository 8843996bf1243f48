// Package cursor is the opaque place in a list at which the next page begins.
//
// A cursor carries the keys of the last resource of a page under a MAC that also covers the caller, the filter and the order,
// so that nobody can forge one, use another caller's, or go on with another query. Nothing is kept on the server.
//
// Standards: RFC 9865, 2 (Query Parameters and Response Attributes).
package cursor
