// Package achievements owns what can be awarded: issuer profiles, achievements
// and the pictures that stand for both.
//
// Routes: /api/v1/issuers, /api/v1/achievements and /api/v1/images for those
// who manage them; /issuers/{id}, /achievements/{id} and /images/{id} for the
// world. An image has up to two renditions, one PNG and one SVG, so that a badge
// can be baked into either.
//
// It leaves keys, credentials and proofs to module issuance, and asks it, through
// the ports Keys and Ledger, under which identifier an issuer signs and whether
// something has been issued.
//
// Standards: Open Badges 3.0 (classes Profile, Achievement, Image and what they
// hold), RFC 9110 (conditional requests).
package achievements
