// Package refusal is the one error of the SCIM protocol: a status, a scimType and a sentence.
//
// Every package below modules/scim answers with it, and the module's edge renders it. It knows nothing of HTTP servers;
// how a refusal reaches the wire, and what becomes of errors that are none, is left to the edge.
//
// Standards: RFC 7644, 3.12 (HTTP Status and Error Response Handling); RFC 9865, 2.1 (cursor errors).
package refusal
