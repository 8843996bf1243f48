// Package telemetry is what the program tells a Prometheus server about itself.
//
// Route: /metrics, for tokens with the scope metrics:read. It owns the registry, the
// metrics of requests and of the process, and the helper by which any part offers a
// gauge of its own. It leaves what is worth measuring to those parts.
//
// Standards: the Prometheus text format 0.0.4 and OpenMetrics 1.0, by the library.
package telemetry
