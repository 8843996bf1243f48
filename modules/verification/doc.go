// Package verification checks any badge from anywhere: a JSON document, a compact
// JWS, or a picture with a badge baked in.
//
// Routes: POST /api/v1/verify and the page /verify, open to everybody, since the
// verifier is for strangers too. Both take the badge itself or its address. Whatever
// can be read as a badge is answered with 200 and a report, verified or not; what
// cannot be read is refused.
//
// It keeps nothing. How a badge is judged is the kernel's: package credential for Open
// Badges 3.0, assertion for 2.0 and 2.1. Fetching is for platform fetch; which keys our
// own issuers have it asks through a port. Issuing and revoking are for module issuance.
//
// Standards: Open Badges 3.0, Verification and Validation; Open Badges 2.0,
// Verification; Verifiable Credential API, the answer's members verified and
// problemDetails.
package verification
