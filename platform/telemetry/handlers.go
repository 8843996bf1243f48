package telemetry

import (
	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
)

const textFormat = "text/plain; version=0.0.4; charset=utf-8"

// Routes serve the metrics.
func Routes(m *Metrics) httpserver.Table {
	return httpserver.Table{{
		Method: "GET", Path: "/metrics", Access: httpserver.Scope(principal.ScopeMetricsRead), Tag: "Health",
		Summary:  "Metrics in the text format of Prometheus",
		Response: httpserver.Body{MediaTypes: []string{"text/plain"}},
		Handler: func(c *fiber.Ctx) error {
			text, err := m.Text()
			if err != nil {
				return err
			}
			return httpserver.Bytes(c, fiber.StatusOK, textFormat, text)
		},
	}}
}
