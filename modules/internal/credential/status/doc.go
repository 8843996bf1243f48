// Package status reads and writes status lists: whether a credential was revoked or
// suspended.
//
// It owns the forms of a Bitstring Status List and of a 1EdTech revocation list, and
// the order in which the entries of a list are given away. Fetching a list, signing
// one and checking its proof is for package credential.
//
// A list is kept in segments, each compressed on its own. Putting it together costs
// a copy of what is compressed: a list of ten million entries in which one changed
// is made anew without looking into the others.
//
// Standards: Bitstring Status List 1.0; 1EdTech Verifiable Credentials Revocation
// List 1.0; RFC 1951 (DEFLATE); RFC 1952 (GZIP).
package status
