package baking

import (
	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/metric"
)

// counter is the one of this module among others of its type.
type counter struct{ *metric.Counter }

// Module serves baking and extracting. It asks for nothing.
var Module = fx.Module("baking",
	fx.Provide(func() *counter { return &counter{NewCounter()} }),
	metric.Provide(func(c *counter) *metric.Counter { return c.Counter }),
	fx.Provide(func(c *counter) *Service { return New().Counting(c.Counter) }),
	httpserver.Mount(Routes),
)
