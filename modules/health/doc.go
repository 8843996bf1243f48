// Package health tells orchestrators and people how the server is.
//
// It owns three public routes: GET /health, every probe with its latency;
// GET /health/live, which answers as long as the process runs; GET
// /health/ready, which fails when a probe fails or the server drains. What
// healthy means is for each part to say, by the probe it offers; a failing
// probe's words go to the log, the answer only names the kind of trouble.
package health
