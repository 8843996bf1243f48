package page

import (
	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/platform/httpserver"
)

// Module provides the Renderer and serves what its pages need.
var Module = fx.Module("page",
	fx.Provide(New),
	httpserver.Mount(func(r *Renderer) httpserver.Table { return r.Routes() }),
)
