package cache

import (
	"errors"
	"log/slog"
	"net/url"
	"strings"

	"github.com/badge-engine/badge-engine/platform/config"
)

// Config says where the cache is.
type Config struct {
	// URL chooses the plug-in by its scheme: redis://host:port/number, rediss://
	// with TLS, or memory:, which is also what an empty URL means.
	URL      string        `env:"REDIS_URL" help:"where the cache is: redis://host:port/number, rediss:// with TLS, or memory: for one in the process"`
	Password config.Secret `env:"REDIS_PASSWORD" help:"its password, where the URL carries none"` // where the URL carries none
	// MemoryBytes bounds the cache in the process.
	MemoryBytes int64 `env:"CACHE_MEMORY_BYTES" help:"how much the cache in the process may hold"`
}

// Default is a cache of 64 MiB in the process.
func Default() Config { return Config{URL: "memory:", MemoryBytes: 64 << 20} }

// Check names the first variable whose value cannot be used.
func (c Config) Check() error {
	switch {
	case c.URL != "" && !strings.Contains(c.URL, ":"):
		return errors.New("REDIS_URL has no scheme; give memory: or one such as redis://localhost:6379/0")
	case c.MemoryBytes < 1<<10:
		return errors.New("CACHE_MEMORY_BYTES must be at least 1024")
	}
	return nil
}

// Scheme is what stands before the first colon of the URL.
func (c Config) Scheme() string {
	scheme, _, _ := strings.Cut(c.URL, ":")
	if scheme == "" {
		return "memory"
	}
	return strings.ToLower(scheme)
}

// String shows the address without its password.
func (c Config) String() string {
	u, err := url.Parse(c.URL)
	if err != nil {
		return c.Scheme() + ":***"
	}
	return u.Redacted()
}

// LogValue implements [slog.LogValuer].
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
