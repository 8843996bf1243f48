package baking

import (
	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/platform/httpserver"
)

// Module serves baking and extracting. It asks for nothing.
var Module = fx.Module("baking",
	fx.Provide(New),
	httpserver.Mount(Routes),
)
