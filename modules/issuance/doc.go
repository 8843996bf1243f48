// Package issuance owns what is promised in an issuer's name: signing keys and
// credentials.
//
// Routes: /api/v1/credentials for those who issue, look up, revoke and renew,
// /api/v1/batches for many at once, /api/v1/endorsements, and
// /api/v1/issuers/{id}/keys and /signing for what they sign with; for the world
// /credentials/{id} with its baked pictures and /refresh, /endorsements/{id},
// /status/{list}/{purpose}, and the DID document, keys and plain revocations of each
// issuer below /issuers/{id}; for consumers of Open Badges 2.0 /ob2/assertions/{id}.
//
// A credential is made like a certificate: built, linted, signed, stored, and only
// then answered; an order with an idempotency key is reserved before it is signed. What is reserved but not stored was never promised to
// anybody, and is swept away at start.
//
// Private keys are sealed with AES-256-GCM under a key-encryption key that never
// enters the database. The e-mail address of an order is neither stored nor
// published: a credential holds its salted hash, the table a keyed one to look it
// up by.
//
// It leaves what can be awarded to module achievements, pictures to the kernel's
// package image, checking other people's badges to module verification.
//
// Which entry of a status list belongs to which credential, and what the lists say, is
// kept by package statuslist.
//
// Standards: Open Badges 3.0; 1EdTech Credential Refresh 1.0; 1EdTech Verifiable
// Credentials Revocation List 1.0; Verifiable Credentials Data Model 2.0; Verifiable
// Credential Data Integrity 1.0 and its EdDSA and ECDSA cryptosuites; Securing
// Verifiable Credentials using JOSE and COSE 1.0; Controlled Identifiers 1.0; the DID
// methods key and web.
package issuance
