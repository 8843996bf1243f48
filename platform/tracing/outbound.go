package tracing

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"go.opentelemetry.io/otel/propagation"
)

// Transport follows the requests that next sends, each hop of a redirect by itself.
// A span names the host; paths and queries may hold secrets and stay out of it.
//
// The other server is told the traceparent of the trace and not its tracestate, which
// is for the systems of whoever called us, and all that is asked from here belongs to others.
func Transport(next http.RoundTripper) http.RoundTripper { return transport{next} }

type transport struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if ID(r.Context()) == "" {
		return t.next.RoundTrip(r)
	}
	ctx, span := Client(r.Context(), r.Method)
	defer span.End()
	r = r.Clone(ctx) // a RoundTripper must not change the request it was given
	carrier := propagation.MapCarrier{}
	w3c.Inject(ctx, carrier)
	r.Header.Set("traceparent", carrier["traceparent"])
	if span.On() {
		span.Set(slog.String("http.request.method", r.Method), slog.String("url.scheme", r.URL.Scheme), slog.String("server.address", r.URL.Hostname()))
		if port, err := strconv.Atoi(r.URL.Port()); err == nil {
			span.Set(slog.Int("server.port", port))
		}
	}
	response, err := t.next.RoundTrip(r)
	switch {
	case err != nil:
		span.Fail(kind(err))
	case span.On():
		span.Set(slog.Int("http.response.status_code", response.StatusCode))
		if response.StatusCode >= 400 {
			span.Fail(strconv.Itoa(response.StatusCode))
		}
	}
	return response, err
}

// CloseIdleConnections lets [http.Client.CloseIdleConnections] reach next.
func (t transport) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// kind is a word for an error of the network.
func kind(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	}
	return "connection"
}
