package logging

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
)

// Config says what is logged and where to.
type Config struct {
	Level  string `env:"LOG_LEVEL" help:"debug, info, warn or error; per module as in info,auth=debug,database=warn, or by a variable of its own as in LOG_LEVEL_SCIM=debug"`
	Format string `env:"LOG_FORMAT" help:"json or text; text when empty and the standard error stream is a terminal, else json"`
	Dir    string `env:"LOG_DIR" help:"folder that receives error.log and migration_errors.log; none when empty"`
}

// Default logs at level info and keeps no files.
func Default() Config { return Config{Level: "info"} }

// Check refuses levels and formats that do not exist.
func (c Config) Check() error {
	if _, err := parseLevels(c.Level); err != nil {
		return err
	}
	switch c.Format {
	case "", "json", "text":
		return nil
	}
	return fmt.Errorf("LOG_FORMAT is %q; give json or text", c.Format)
}

// Modular takes the levels of single modules from variables of their own, such as
// LOG_LEVEL_SCIM. They win over those in LOG_LEVEL.
func (c Config) Modular(environ map[string]string) (Config, error) {
	const prefix = "LOG_LEVEL_"
	for _, name := range slices.Sorted(maps.Keys(environ)) {
		module, ok := strings.CutPrefix(name, prefix)
		if !ok || module == "" || environ[name] == "" {
			continue
		}
		if _, err := parseLevels(environ[name]); err != nil || strings.ContainsAny(environ[name], "=,") {
			return c, fmt.Errorf("%s is %q; give debug, info, warn or error", name, environ[name])
		}
		c.Level += "," + strings.ToLower(module) + "=" + environ[name]
	}
	return c, nil
}

// levels is a general level and those of the modules that differ from it.
type levels struct {
	general slog.Level
	modules map[string]slog.Level
}

func (l levels) of(module string) slog.Level {
	if level, ok := l.modules[module]; ok {
		return level
	}
	return l.general
}

func parseLevels(s string) (levels, error) {
	l := levels{general: slog.LevelInfo, modules: map[string]slog.Level{}}
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		module, word, scoped := strings.Cut(part, "=")
		if !scoped {
			word = module
		}
		var level slog.Level
		if err := level.UnmarshalText([]byte(strings.TrimSpace(word))); err != nil {
			return levels{}, fmt.Errorf("LOG_LEVEL has %q; give debug, info, warn or error, or module=level, separated by commas", part)
		}
		if scoped {
			l.modules[strings.TrimSpace(module)] = level
		} else {
			l.general = level
		}
	}
	return l, nil
}
