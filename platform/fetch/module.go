package fetch

import "go.uber.org/fx"

// Module offers the [Client].
var Module = fx.Module("fetch",
	fx.Provide(New),
	fx.Invoke(func(lifecycle fx.Lifecycle, c *Client) {
		lifecycle.Append(fx.StopHook(c.Close))
	}),
)
