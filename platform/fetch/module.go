package fetch

import (
	"time"

	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/platform/cache"
)

// Module offers the [Client].
var Module = fx.Module("fetch",
	fx.Provide(func(cfg Config, kept cache.Cache, now func() time.Time) *Client { return New(cfg, kept).By(now) }),
	fx.Invoke(func(lifecycle fx.Lifecycle, c *Client) {
		lifecycle.Append(fx.StopHook(c.Close))
	}),
)
