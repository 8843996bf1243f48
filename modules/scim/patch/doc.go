// Package patch changes resources as RFC 7644, 3.5.2 says and as Entra needs it.
//
// It works in two steps. [Normalize] turns a PatchOp message, in whichever of Entra's dialects it is written, into changes of
// one form: resolved paths, values in the types of the schema. [Patch.Apply] does them one after the other and either all of
// them or none. Changes of a group's members are kept apart as operations on the set, so that a service can apply them
// without ever reading the members.
//
// Deviations from the RFC, for Entra's sake: a path whose filter matches nothing makes an element that does, if the filter is
// made of eq only; removing members with a value removes these members only; empties clear; unknown attributes in a value
// without path are ignored.
//
// Standards: RFC 7644, 3.5.2 (Modifying with PATCH).
package patch
