// Package datamodel holds credentials and presentations of any kind to the Verifiable
// Credentials Data Model, 2.0 and 1.1.
//
// It owns the rules that hold for every credential, whatever it is about: contexts,
// types, identifiers, issuer, subject, dates, status, schemas, languages, related
// resources. It leaves the rules of badges to package openbadges, the meaning of terms
// to package jsonld, proofs to package credential.
//
// Standards: Verifiable Credentials Data Model 2.0 and 1.1 (W3C).
package datamodel
