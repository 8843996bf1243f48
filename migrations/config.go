package migrations

import (
	"errors"
	"time"
)

// Config says when the schema is brought up to date.
type Config struct {
	OnStart     string        `env:"MIGRATE_ON_START" help:"auto, always or never: whether a start migrates; auto does on SQLite and in development"` // auto, always or never
	Environment string        `env:"APP_ENV" help:"development lets a start migrate on every engine"`                                                 // development is the one that matters here
	Wait        time.Duration `env:"MIGRATE_WAIT" help:"how long a start that does not migrate waits for somebody who does, before it refuses a schema older than this program"`
	AcceptNewer bool          `env:"MIGRATE_ACCEPT_NEWER" help:"whether to start on a schema that a newer version made, as when rolling back"`
}

// Default migrates by itself only where no operator does it.
func Default() Config { return Config{OnStart: "auto", Wait: time.Minute} }

// Check names the first variable whose value cannot be used.
func (c Config) Check() error {
	switch c.OnStart {
	case "auto", "always", "never":
	default:
		return errors.New("MIGRATE_ON_START must be auto, always or never")
	}
	if c.Wait < 0 || c.Wait > 24*time.Hour {
		return errors.New("MIGRATE_WAIT must be between 0s and 24h, such as 1m")
	}
	return nil
}

// Automatic reports whether a start on this dialect migrates by itself.
func (c Config) Automatic(dialect string) bool {
	return c.OnStart == "always" ||
		c.OnStart == "auto" && (dialect == "sqlite" || c.Environment == "development")
}
