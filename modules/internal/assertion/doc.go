// Package assertion is Open Badges 2.0 and 2.1: assertions, badge classes and issuers,
// read, verified, and made of what is awarded here.
//
// A badge of these editions is trusted because its issuer publishes it (hosted), or
// because a key that its issuer publishes signed it (signed). So [Verifier] fetches the
// assertion, its badge class, its issuer, and what is revoked, and reports as package
// credential does of Open Badges 3.0.
//
// It owns the classes of these editions, their rules, and the way from a credential of
// ours to an assertion ([New]). It leaves Open Badges 3.0 to packages openbadges and
// credential, signatures to jose, pictures to package image. It fetches nothing by
// itself: it is given the function that does.
//
// Standards: Open Badges 2.0 (IMS Global, 2018) and 2.1; RFC 7515 (JWS).
package assertion
