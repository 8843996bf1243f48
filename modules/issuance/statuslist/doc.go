// Package statuslist keeps the status lists of the issuers: which entry belongs to
// which credential, and which are revoked or suspended.
//
// Each list has a revocation side and a suspension side with the same entries. A
// credential has one entry, the same on both, and names one side of it: Open Badges
// 3.0 allows a single status, and by Bitstring Status List 1.0 a revocation cannot be
// undone, so one bit could not mean both. What is revoked counts on both sides.
//
// An entry is a random index that no other credential has or had. A counter in the
// list says how many are given away, and a permutation keyed by the seed of the list
// scatters them. Processes take counters in blocks of their own, in statements of
// their own; what a crash loses of a block is never used.
//
// That a credential is revoked or suspended is a row with a beginning and an end, a
// mark: it is stored with one insert, and what a list said at any time can be told.
// Lists are signed when somebody asks and something changed since the last time;
// segments in which nothing changed are not unpacked for it.
//
// It leaves who may do what, and the words of the API, to package issuance.
//
// Standards: Bitstring Status List 1.0.
package statuslist
