// Package did is about keys and the names they go by.
//
// It owns base58btc and Multikey, JSON Web Keys, DID URLs, the methods did:key,
// did:jwk and did:web, the document that lists an issuer's verification methods,
// and the [Resolver] that finds the key behind a verification method and says
// whether anything proves that it is its controller's.
//
// It never fetches by itself: a Resolver is given the function that does. What a
// key signed is for package credential.
//
// Standards: Controlled Identifiers 1.0; Decentralized Identifiers 1.0; the DID
// methods key, jwk and web; RFC 7517 (JSON Web Key), RFC 7638 (JWK Thumbprint),
// RFC 8037 (Edwards curves in JOSE).
package did
