// Package entra speaks the protocols of Microsoft Entra for module auth.
//
// It owns the signing keys of one tenant ([Keys]), the verification of access
// tokens, ID tokens and client assertions ([Verifier]), browser sign-in by
// authorization code ([CodeFlow]), and questions about groups to Microsoft Graph
// ([Graph]). It trusts one tenant, whose id is configured, and calls two hosts,
// which are configured too: never an address that stands in a token.
//
// It leaves to module auth who a caller is to this server, what roles follow
// from the claims, and everything kept: sessions, states, nonces. A refused
// token is a [*Refusal], an error of the authority an [*AuthorityError], and
// whatever could not be asked wraps [ErrUnavailable].
//
// Standards: RFC 6749 (OAuth 2.0), RFC 7515 (JWS), RFC 7519 (JWT), RFC 7523
// (client assertions), RFC 7636 (PKCE), RFC 8725 (JWT best practices), RFC 9068
// (JWT access tokens), OpenID Connect Core 1.0, OpenID Connect Discovery 1.0,
// OpenID Connect RP-Initiated Logout 1.0.
package entra
