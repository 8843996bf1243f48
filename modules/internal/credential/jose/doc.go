// Package jose secures credentials from outside, as compact JWS, and reads them.
//
// It owns the form of a token, its algorithms (RS256, ES256, ES384, EdDSA), the way
// from its header to the key, and the rules that tie its claims to the credential
// inside. The algorithm must be one of these and fit the key, so neither "none" nor
// an HMAC keyed with a public key ever verifies.
//
// Whose key it was is for the caller to judge: a key that came in the header proves
// nothing about an issuer.
//
// Standards: Open Badges 3.0, JSON Web Token Proof Format; Securing Verifiable
// Credentials using JOSE and COSE 1.0; RFC 7515 (JWS), RFC 7518 (JWA), RFC 7519
// (JWT), RFC 8037 (EdDSA).
package jose
