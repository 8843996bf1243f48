// Package credential is the envelope of a badge: built, linted, secured, verified.
//
// It owns the way to a signature, which leads only through [Prepare] (lint, strict
// expansion, a value that can be issued once) and [Prepared.Issue]; reading what
// strangers send ([Parse]); and the [Verifier], which says of a badge what was
// checked, what was found and what it means.
//
// It leaves the rules of the data model to package openbadges, JSON-LD to package
// jsonld, signatures to its sub-packages integrity and jose, status lists to status,
// keys to package did. It fetches nothing by itself: the resolver is given the
// function that does.
//
// Standards: Open Badges 3.0, Proofs, Verification and Validation;
// Verifiable Credentials Data Model 2.0 and, to read only, 1.1.
package credential
