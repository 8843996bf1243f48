// Package command is the command line: serve, demo, migrate, token, bake, extract,
// verify, routes, config and healthcheck.
//
// Results go to standard output, everything else to standard error. A command ends
// with 0 when it did what was asked, with 1 when it could not or the answer is no,
// and with 2 when it was called wrongly.
package command
