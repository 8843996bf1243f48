// Package scim holds the directory of the booted house against the provisioning
// service of Microsoft Entra: real HTTP, on every database engine, in both dialects
// (the flag aadOptscim062020 off and on).
//
// What Entra sends, and what must be true afterwards, stands in testdata/entra where it
// is data. Besides there are the three suites by which Microsoft checks a server, a
// model that random sequences of operations are compared with, requests of any form,
// and a golden file of every form of answer, seen directly and through nginx. Every
// answer of every test is also held against the rules of form in
// app/command/scimprobe.
//
// An independent tester of the standard, scim2-tester from PyPI, looks for what we
// would not think of. It runs in a Python environment of its own, which these tests set
// up where CI=true and else skip with the command that does.
package scim
