package health

import (
	"errors"
	"time"
)

// Config bounds what asking for health may cost.
type Config struct {
	Timeout time.Duration `env:"HEALTH_TIMEOUT" help:"how long one health probe may take"`
	Cache   time.Duration `env:"HEALTH_CACHE" help:"how long the answers of the probes are reused"`
}

// Default waits two seconds and asks at most once a second.
func Default() Config { return Config{Timeout: 2 * time.Second, Cache: time.Second} }

// Check refuses bounds that are none.
func (c Config) Check() error {
	if c.Timeout <= 0 {
		return errors.New("HEALTH_TIMEOUT must be longer than nothing, such as 2s")
	}
	if c.Cache < 0 {
		return errors.New("HEALTH_CACHE must not be negative")
	}
	return nil
}
