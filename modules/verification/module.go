package verification

import (
	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/platform/fetch"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
)

// Module is the graph of this module.
var Module = fx.Module("verification",
	logging.Scope("verification"),
	fx.Provide(New),
	fx.Provide(newHandlers, func(c *fetch.Client) Documents { return c }, fx.Private),
	httpserver.Mount(Routes),
)
