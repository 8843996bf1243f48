// Package integrity secures JSON documents with embedded proofs.
//
// It owns the cryptosuites eddsa-rdfc-2022 and eddsa-jcs-2022, ecdsa-rdfc-2019 and
// ecdsa-jcs-2019 on P-256 and P-384, to create and to verify; ecdsa-sd-2023, to
// create base proofs, to derive from them what a holder wants to show, and to verify
// that; eddsa-2022 and Ed25519Signature2020, to verify alone; proof sets and chains.
//
// It leaves finding keys to package did, and what a document means to package
// credential. It signs only what its [Canonicalizer] let pass: a term that no
// context defines must be an error there, since it would go unsigned.
//
// Standards: Verifiable Credential Data Integrity 1.0; Data Integrity EdDSA
// Cryptosuites 1.0; Data Integrity ECDSA Cryptosuites 1.0.
package integrity
