// Package jsonld turns credentials into the bytes that are signed, and never signs less than it was given.
//
// A [Processor] expands a JSON-LD document straight into RDF quads and canonicalizes them. It is strict: a member without
// a definition, a relative id, an unknown type, a null, anything that JSON-LD would drop in silence is an [Error] with
// its place and its remedy, since what is dropped is not signed. Contexts are embedded as data; nothing is ever fetched,
// so a context that is neither embedded nor written inline is an error as well.
//
// Of JSON-LD 1.1 it leaves out what credentials do not use, and says so when it meets it: @reverse, @nest, @included,
// @index, @import, id, index and type maps, @base. Text direction it refuses too, unless [Processor.Directed] or
// [Processor.Undirected] is asked. There is no compaction and no framing.
//
// There are two ways from a document to its canonical form. The general one is the algorithms of the standards. The direct
// one reads what the embedded contexts mean from tables, which the general one makes, and writes N-Quads in one pass. It
// takes only what it is sure of: embedded contexts, defined members and types, trees whose blank nodes their first-degree
// hashes tell apart. Everything else, and every refusal, is the general one's. The bytes are the same; tests compare the two
// over random credentials, whole and mutilated.
//
// [Canonicalize] is RDF Dataset Canonicalization with a bound on its work, [JCS] the JSON Canonicalization Scheme.
//
// Standards: JSON-LD 1.1 and JSON-LD 1.1 Processing Algorithms and API (W3C, 2020), RDF Dataset Canonicalization
// (RDFC-1.0, W3C, 2024), RFC 8785 (JCS), RFC 3987 (IRIs). The sources of the embedded contexts are in the NOTICE file.
package jsonld
