package probe

import "go.uber.org/fx"

const group = `group:"probes"`

// Provide offers the Probe that constructor returns to whoever asks with Collect.
func Provide(constructor any) fx.Option {
	return fx.Provide(fx.Annotate(constructor, fx.ResultTags(group)))
}

// Collect annotates constructor, whose first parameter must be a []Probe, so
// that it receives every probe offered. The order is random.
func Collect(constructor any) any {
	return fx.Annotate(constructor, fx.ParamTags(group))
}
