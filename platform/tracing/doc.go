// Package tracing follows a request through the program: HTTP, SQL, the cache and
// calls to other servers are the spans of one trace, which go to a collector that
// speaks OTLP over HTTP, where one is configured.
//
// A step opens its span below that of the context it is given. A context without
// one, be it that nothing is configured, that the sampler decided so, or that nobody
// asked for the step, makes the step cost a look at the context and no more.
//
// Spans hold no values: routes and not paths, statements and not what is bound to
// them, hosts and not what they are asked. Spans that cannot be sent are dropped,
// never waited for.
//
// It owns the OTEL_… variables and the exporter. That is not the library's: it would
// bring the whole of gRPC along, for some two hundred lines of encoding.
//
// Standards: W3C Trace Context, OpenTelemetry's Trace SDK and environment variable
// specification, OTLP 1.x over HTTP, and its semantic conventions for HTTP and
// database clients.
package tracing
