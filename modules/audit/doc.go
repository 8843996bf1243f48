// Package audit keeps the trail: who did what to which thing, when, from where,
// and what came of it.
//
// It owns the events, the chain that makes a change of them noticed, the check of
// that chain, and the count of refusals. What is worth an event is for the
// modules, each of which records through a port of its own; who was refused it
// hears from the server, as its witness.
//
// Routes: GET /api/v1/audit, for auditors.
//
// # From the deed to the chain
//
// An event is stored in the unit of work of its deed, as a row of audit_pending:
// either both are there or neither. It carries a mark, an HMAC of its values. Where one
// unit does many deeds, such as issuing for all who wait, their events are one row of
// audit_parcels, packed and marked together. Within half a second one [Sealer] of the
// cluster, holding the row audit_head, moves them to audit_events, each with the next
// number and with a hash over its values and the hash before it. So whoever issues waits
// for one small row, not for everybody else who issues. Rows of audit_events are inserted
// and never touched again: the user of the database may be denied UPDATE and DELETE on
// that table.
//
// Refusals are strangers' doing and therefore counted in memory, bounded, and
// written down once a minute; a crash loses those of the last minute.
//
// # What the chain proves
//
// The hashes are keyed by a key derived from the key-encryption key, which never
// enters the database. An unkeyed chain could be computed anew by whoever can
// write to the table, that is by the only one who could have changed it. The
// price is that only a holder of the key can check.
//
// Noticed are: a row changed, removed, moved, put in between or added at the end;
// the end cut off, since the head names number and hash of the last row under a
// signature; and an event put into audit_pending or audit_parcels by somebody else,
// which is sealed as forged, as is a parcel that was changed there. Not noticed by the
// database alone is somebody who puts back a whole earlier state, head included:
// against that each server remembers the head while it runs, writes it to the log
// every hour, and [Service.Verify] takes such heads. An event deleted within the half
// second before it is sealed leaves no gap.
//
// # What an event never holds
//
// No names, no addresses of e-mail, no secrets: identifiers and codes only. A
// value that is neither is withheld.
//
// Standards: RFC 2104 (HMAC), RFC 9562, 5.7 (UUID Version 7).
package audit
