package auth

import (
	"context"
	"time"

	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/metric"
)

// ClientTable is the URLs of OAuth clients, and the dialects of their endpoints.
func ClientTable(clients *Clients, now func() time.Time) (httpserver.Table, []httpserver.Dialect) {
	return ClientRoutes(newClientHandlers(clients, now)), []httpserver.Dialect{oauthDialect(tokenPath)(), oauthDialect(scimTokenPath)()}
}

// Look is one round of the calendar.
func (c *Calendar) Look(ctx context.Context) error { return c.look(ctx) }

// Gauge is what the calendar tells the metrics.
func (c *Calendar) Gauge() metric.Gauge { return c.gauge() }
