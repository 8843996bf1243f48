// Package status reads status lists: whether a credential was revoked or suspended.
//
// It owns the forms of a Bitstring Status List and of a 1EdTech revocation list.
// Fetching a list and checking its proof is for package credential.
//
// Standards: Bitstring Status List 1.0; 1EdTech Verifiable Credentials Revocation
// List 1.0.
package status
