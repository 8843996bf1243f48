// Package vcapi serves the W3C's Verifiable Credential API: signing, deriving and
// verifying credentials of any kind that the caller wrote.
//
// Routes below /vc: credentials/issue, credentials/derive, credentials/verify,
// credentials/status, presentations/verify. What cannot be accepted is answered with
// 400, as that API has it; a credential that does not verify too, with verified false.
//
// A credential is signed in the name of an issuer that is kept here and that the
// credential itself names, with the scope credentials:sign. What is signed is checked by
// the rules of the data model, by those of Open Badges where it says that it is one, and
// by strict expansion; contexts that a proof needs are added. It is signed by one proof,
// by a set or a chain of them, or in a token, as the options ask. It gets a status entry
// of its issuer, for revocation or suspension, unless it brings a status of its own. A
// text direction is signed as a datatype of the i18n namespace. It is not kept: one row says what was
// signed for whom, so that its status can be changed later.
//
// It leaves keys and status lists to module issuance and the judging of credentials to
// the kernel; it asks for both through ports.
//
// Standards: Verifiable Credential API 0.7 (W3C Credentials Community Group, VCALM);
// Verifiable Credentials Data Model 2.0 and 1.1; Data Integrity 1.0 and its EdDSA and
// ECDSA cryptosuites; Securing Verifiable Credentials using JOSE and COSE 1.0; Bitstring
// Status List 1.0.
package vcapi
