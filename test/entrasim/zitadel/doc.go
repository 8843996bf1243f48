// Package zitadel starts an OpenID provider that somebody else wrote, zitadel's
// oidc library, in the shape of Microsoft Entra: its paths, its issuer and its
// claims tid, oid, roles. A login that works with it depends on no assumption of
// ours about how a provider behaves.
//
// It has one application and one user, a login form that a script (SignIn) or a
// browser fills in, and follows the real clock. Everything that needs control
// over tokens, keys or failures is in package entrasim.
package zitadel
