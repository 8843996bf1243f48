// Package openbadges is the Open Badges 3.0 data model and its rules.
//
// It owns the classes of the standard as structs whose JSON members carry the
// standard's own names, the enumerations, the hashing of recipient identities,
// and one table of rules, by which [CheckCredential] judges a document before
// it is signed ([Issuing]) or after it came in from elsewhere ([Reading]).
//
// It leaves to others: which terms a JSON-LD context defines (package jsonld),
// proofs and their signatures (package credential), and where anything is
// stored. It reads no clock, so it does not say whether a credential is valid
// today, only whether its dates can be.
//
// A struct is made ready in two steps: the caller fills what it knows, Complete
// adds the types and the missing ids. Optional members are left out when empty,
// since the standard allows neither null nor an empty array.
//
// Standards: Open Badges Specification 3.0 (1EdTech), its data model and JSON
// serialization; Verifiable Credentials Data Model 2.0 and, to read only, 1.1
// (W3C); Bitstring Status List 1.0 (W3C). Rules are cited by class name, since
// section numbers move between editions.
package openbadges
