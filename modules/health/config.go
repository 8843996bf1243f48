package health

import (
	"errors"
	"time"
)

// Config is how closely the parts are watched.
type Config struct {
	Interval time.Duration `env:"HEALTH_INTERVAL" help:"how long after its answer each health probe is asked again"`
	Timeout  time.Duration `env:"HEALTH_TIMEOUT" help:"how long one health probe may take"`
}

// Default asks each second and waits two for an answer.
func Default() Config { return Config{Interval: time.Second, Timeout: 2 * time.Second} }

// Check refuses what would never or always ask.
func (c Config) Check() error {
	var errs []error
	if c.Interval < 10*time.Millisecond || c.Interval > time.Hour {
		errs = append(errs, errors.New("HEALTH_INTERVAL must be between 10ms and 1h, such as 1s"))
	}
	if c.Timeout < 10*time.Millisecond || c.Timeout > time.Hour {
		errs = append(errs, errors.New("HEALTH_TIMEOUT must be between 10ms and 1h, such as 2s"))
	}
	return errors.Join(errs...)
}
