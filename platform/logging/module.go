package logging

import (
	"log/slog"

	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"
)

// Scope names the module in every record that is logged inside the fx.Module it stands in.
func Scope(module string) fx.Option {
	return fx.Decorate(func(log *slog.Logger) *slog.Logger { return log.With(ModuleKey, module) })
}

// FxLogger writes the events of the graph: at debug, failures at error. They name
// modules of their own, hence the group.
func FxLogger(log *slog.Logger) fxevent.Logger {
	l := &fxevent.SlogLogger{Logger: log.With(ModuleKey, "fx").WithGroup("fx")}
	l.UseLogLevel(slog.LevelDebug)
	return l
}
