package vault

import "go.uber.org/fx"

// Module is the graph of this package.
var Module = fx.Module("vault",
	fx.Provide(New),
	fx.Invoke(func(lc fx.Lifecycle, v *Vault) { lc.Append(fx.StopHook(v.Close)) }),
)
