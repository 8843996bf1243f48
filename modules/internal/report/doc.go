// Package report is what a verifier says of a badge: what was looked at, what was
// found, by which rule, and what to do about it.
//
// It owns the form of the answer and the way it is put together ([Judgement]), so that
// every edition of Open Badges is reported in the same words. Judging is for packages
// credential (Open Badges 3.0) and assertion (2.0 and 2.1).
//
// Standards: RFC 9457 for problems, with the types of Verifiable Credentials Data Model
// 2.0, Problem Details; Verifiable Credential API, the members verified and
// problemDetails.
package report
