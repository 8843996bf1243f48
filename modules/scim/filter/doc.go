// Package filter reads SCIM filters and attribute paths, checks them against a schema, and decides in memory whether a
// resource matches.
//
// It goes in two steps. [Parse] and [ParsePath] know the grammar only and give a [Node] or a [Path]; [Compile] resolves
// every name, refuses comparisons that mean nothing, and gives a [Predicate]. A predicate is what the store translates to SQL
// and what [Match] evaluates; both must select the same resources, so everything on which they could differ is decided here:
// which attributes fold case and how, what an absent value means, what a bare word is.
//
// The logic has two values. Nothing is unknown: a comparison with an absent attribute is false, but ne is true; "not" is the
// complement. Entra's forms are accepted beyond the grammar of the RFC: a sub-attribute behind a value path, words without
// quotes, operators and names in any case.
//
// Standards: RFC 7644, 3.4.2.2 (Filtering), 3.5.2 (paths of PATCH), 3.10 (attribute notation).
package filter
