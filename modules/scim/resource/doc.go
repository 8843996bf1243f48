// Package resource is a SCIM resource: its attributes under their canonical names, with values in the types of the schema.
//
// It reads what clients send the way Entra needs it, tolerant in form and exact in content: names in any case, booleans as
// strings, scalars wrapped in arrays, empties that clear; but a value itself is never reformatted and its format never
// judged, because Entra compares what it gets back byte for byte. It decides which attributes an answer has, and by what
// resources are sorted. What is stored where, and every attribute that the server alone knows, is left to the module.
//
// Standards: RFC 7643, 2 and 3; RFC 7644, 3.3 (POST), 3.4.2.3 (sorting), 3.5.1 (PUT), 3.9 (attributes of answers).
package resource
