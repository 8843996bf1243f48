// Package scim is the directory: the people and groups of the organisation, as a
// provisioning service such as Microsoft Entra's keeps them.
//
// It owns users, groups and memberships, their rows and the rules of the protocol over
// them. Operators query the tables users and groups by name. It remembers who
// provisions and what was refused, and tells administrators.
//
// Routes: /scim/v2, for tokens with the scope scim, the documents about the service for
// anybody; /api/v1/provisioning, for admins.
//
// # Many people, large groups
//
// Members are rows of their own, and no change of a group reads them: adding one to a
// group of half a million is the insertion of a row. Duplicates are refused by unique
// indexes, never by looking first, so that of two parallel creations one succeeds.
// What a resource is found by lies beside its document, folded by this program alone,
// so that every engine finds the same; see [compiler].
//
// # What follows from a change
//
// Whoever is deactivated or deleted is shut out in the same unit of work: should that
// fail, the change has failed. Groups and memberships are asked for when they are needed.
//
// It leaves to the packages below it what the protocol says: resources, filters,
// changes, bulk plans and cursors. Who may call is for the route table and module auth.
//
// Standards: RFC 7643 (SCIM Core Schema), RFC 7644 (SCIM Protocol), RFC 9865 (Cursor-based Pagination).
package scim
