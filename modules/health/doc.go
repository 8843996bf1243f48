// Package health tells orchestrators and people how the server is.
//
// It owns three public routes: GET /health, every probe with its latency;
// GET /health/live, which answers as long as the process runs; GET
// /health/ready, which fails while the server starts or drains and when a probe
// fails that it cannot work without. What healthy means is for each part to
// say, by the probe it offers.
//
// It also owns GET /api/v1/admin/doctor, which is for people: what every part
// finds when it examines itself, with the remedy.
//
// The probes are asked in the background, each with a deadline. A request only
// reads what they said last, so that it is answered at once whatever hangs. A
// failing probe's words go to the log, the answer only names the kind of trouble.
package health
