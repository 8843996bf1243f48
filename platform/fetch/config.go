package fetch

import (
	"errors"
	"time"
)

// Config bounds what is fetched.
type Config struct {
	AllowPrivate bool          `env:"FETCH_ALLOW_PRIVATE" help:"also fetch from private and loopback addresses; for development only"`
	AllowHTTP    bool          `env:"FETCH_ALLOW_HTTP" help:"also fetch without TLS; for development only"`
	Timeout      time.Duration `env:"FETCH_TIMEOUT" help:"how long one document may take, redirects included"`
	MaxBytes     int64         `env:"FETCH_MAX_BYTES" help:"how large one document may be"`
	CacheTTL     time.Duration `env:"FETCH_CACHE_TTL" help:"how long a document is kept at most; 0 keeps none"`
}

// Default is ten seconds, one MiB and five minutes, and only what is public.
func Default() Config {
	return Config{Timeout: 10 * time.Second, MaxBytes: 1 << 20, CacheTTL: 5 * time.Minute}
}

// Check names the first variable whose value cannot be used.
func (c Config) Check() error {
	switch {
	case c.Timeout < 100*time.Millisecond || c.Timeout > 5*time.Minute:
		return errors.New("FETCH_TIMEOUT must be from 100ms to 5m")
	case c.MaxBytes < 1<<10 || c.MaxBytes > 64<<20:
		return errors.New("FETCH_MAX_BYTES must be from 1024 to 67108864")
	case c.CacheTTL < 0 || c.CacheTTL > 24*time.Hour:
		return errors.New("FETCH_CACHE_TTL must be from 0s to 24h")
	}
	return nil
}
