// Package telemetry is what the program tells a Prometheus server about itself.
//
// Route: /metrics, for tokens with the scope metrics:read. It owns the registry, the
// metrics of requests and of the process. It leaves what else is worth measuring to the
// parts, which offer it by package metric.
//
// Standards: the Prometheus text format 0.0.4 and OpenMetrics 1.0, by the library.
package telemetry
