package metric

import "go.uber.org/fx"

const group = `group:"metrics"`

// Provide offers the [Gauge] or the [*Counter] that constructor returns.
func Provide(constructor any) fx.Option {
	return fx.Provide(fx.Annotate(constructor, fx.As(new(Metric)), fx.ResultTags(group)))
}

// Collect gives every metric that is offered to constructor, as its first argument.
func Collect(constructor any) any { return fx.Annotate(constructor, fx.ParamTags(group)) }
