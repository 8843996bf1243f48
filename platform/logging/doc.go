// Package logging is the one slog handler of the program.
//
// It owns the levels per module, the attributes that every record takes from
// its context (request_id, principal), the redaction of whatever must never
// reach a log, and the log files of LOG_DIR. What is worth a record is for the
// caller to know; records about a request in general are written by package
// httpserver.
//
// Records go to the standard error stream, so that what a command prints on
// the standard output stays clean.
//
// Unless that stream is a terminal, lines below a warning may be held for a tenth of a
// second, so that an access log costs no system call for each request.
package logging
