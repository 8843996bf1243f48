// Package vault lets signing keys be kept elsewhere, such as in a hardware module, by a
// program that it speaks to.
//
// A program and not a library: what speaks to hardware is written in C, needs cgo and
// crashes by its own rules, and none of that belongs into the server, which stays one
// static binary. The program runs as long as the server, is started when it is first
// needed and again when it ended, and is trusted with the environment of the server.
//
// The protocol is one JSON object a line over the standard streams of the program,
// several requests at a time, answered in any order:
//
//	{"id":1,"do":"hello"}                                              {"id":1,"name":"pkcs11"}
//	{"id":2,"do":"generate","kind":"P-256","label":"…"}                {"id":2,"handle":"…","public":"SPKI in base64"}
//	{"id":3,"do":"sign","kind":"P-256","handle":"…","message":"base64"} {"id":3,"signature":"base64"}
//	any of them                                                        {"id":3,"error":"what was wrong"}
//
// The kinds are Ed25519, P-256, P-384 and RSA-2048. A signature is over the message: for
// Ed25519 that of RFC 8032, for ECDSA both halves of IEEE P1363 over SHA-256 or SHA-384
// as the curve has it, for RSA that of RFC 8017, 8.2 over SHA-256.
//
// It leaves to module issuance what keys are for. app/pkcs11 is such a program.
package vault
