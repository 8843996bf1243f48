// Package strictjson reads JSON that must mean one thing only.
//
// It refuses what encoding/json lets pass in silence: duplicate member names, invalid UTF-8, unpaired surrogates,
// unknown members, names that differ in case, nulls. A signed document that two readers could understand differently
// is worth nothing, and a client whose misspelt member is ignored learns of it too late.
//
// It reads into maps, or into nodes: the same at a fraction of the cost, for what is read and written most.
//
// Every refusal is an [Error] that names the place (RFC 6901, JSON Pointer), the problem and the remedy.
//
// Standards: RFC 8259 (JSON), RFC 7493 (I-JSON, 2.1 and 2.3), RFC 6901 (JSON Pointer).
package strictjson
