package tracing

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/badge-engine/badge-engine/platform/diagnosis"
)

// Examine sends the collector a batch without spans.
func Examine(cfg Config) diagnosis.Examination {
	const check = "tracing.endpoint"
	return func(ctx context.Context, n *diagnosis.Notes) {
		if !cfg.On() {
			n.OK(check, "OTEL_EXPORTER_OTLP_ENDPOINT", "No traces are sent.")
			return
		}
		e, err := newExporter(cfg, slog.New(slog.DiscardHandler))
		if err != nil {
			n.Fail(check, "OTEL_EXPORTER_OTLP_ENDPOINT", err.Error(), "Correct the variable.")
			return
		}
		defer e.client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(ctx, milliseconds(cfg.Timeout))
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.address, http.NoBody)
		if err != nil {
			n.Fail(check, cfg.String(), "The address cannot be used.", "Correct OTEL_EXPORTER_OTLP_ENDPOINT.")
			return
		}
		request.Header = e.header.Clone()
		request.Header.Del("Content-Encoding")
		response, err := e.client.Do(request)
		if err != nil {
			n.Warn(check, cfg.String(), "The collector does not answer ("+kind(err)+").",
				"Start it, or correct OTEL_EXPORTER_OTLP_ENDPOINT: it is the port for OTLP over HTTP, 4318, not 4317. Requests are answered as ever meanwhile.")
			return
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxResponse))
		switch status := response.StatusCode; {
		case status == http.StatusUnauthorized || status == http.StatusForbidden:
			n.Warn(check, cfg.String(), fmt.Sprintf("The collector answers %d.", status), "Set OTEL_EXPORTER_OTLP_HEADERS to what it wants, such as authorization=Bearer%20KEY.")
		case status == http.StatusNotFound:
			n.Warn(check, cfg.String(), "There is nothing at this address.",
				"OTEL_EXPORTER_OTLP_ENDPOINT is the address without /v1/traces; OTEL_EXPORTER_OTLP_TRACES_ENDPOINT the one with it.")
		case status >= 300:
			n.Warn(check, cfg.String(), fmt.Sprintf("The collector answers %d.", status), "Look at its log: it must take OTLP over HTTP in protobuf, http/protobuf.")
		default:
			n.OK(check, cfg.String(), "The collector takes traces. The sampler is %s.", strings.TrimSpace(cfg.Sampler+" "+cfg.SamplerArg))
		}
	}
}
