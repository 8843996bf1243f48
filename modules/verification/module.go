package verification

import (
	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
)

// Module is the graph of this module.
var Module = fx.Module("verification",
	logging.Scope("verification"),
	fx.Provide(New),
	httpserver.Mount(Routes),
)
