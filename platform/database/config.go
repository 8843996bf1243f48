package database

import (
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// Config says where the database is and how it may be used.
type Config struct {
	// URL chooses the engine by its scheme: sqlite:PATH or
	// postgres://user:password@host:port/name.
	URL string `env:"DATABASE_URL" help:"where the database is: sqlite:PATH or postgres://user:password@host:port/name"`
	// PoolSize is how many connections stay open, MaxOverflow how many more may
	// be opened under load. An embedded engine reads with at most PoolSize
	// connections and writes with one.
	PoolSize    int `env:"DB_POOL_SIZE" help:"how many connections stay open"`
	MaxOverflow int `env:"DB_MAX_OVERFLOW" help:"how many more may be opened under load"`
	// Slow is from which duration on a statement is logged as slow.
	Slow time.Duration `env:"SQL_SLOW" help:"from which duration on a statement is logged as slow, without its values; 0 logs none"`
	// Wait is how long a start waits for a database that comes up later.
	Wait time.Duration `env:"DB_WAIT" help:"how long a start waits for a database that cannot be reached yet"`
	// Echo logs every statement with its duration, without its values.
	Echo bool `env:"SQL_ECHO" help:"log every statement with its duration, without its values"`
}

// Default is an SQLite file below the working directory.
func Default() Config {
	return Config{URL: "sqlite:./data/badge-engine.db", PoolSize: 10, MaxOverflow: 10, Wait: time.Minute, Slow: 200 * time.Millisecond}
}

// Check names the first variable whose value cannot be used. Whether the
// address itself makes sense is for the plug-in to say, in [New].
func (c Config) Check() error {
	switch {
	case !strings.Contains(c.URL, ":"):
		return errors.New("DATABASE_URL has no scheme; give sqlite:./data/badge-engine.db or postgres://user:password@host:5432/badge_engine")
	case c.PoolSize < 1 || c.PoolSize > 1000:
		return errors.New("DB_POOL_SIZE must be between 1 and 1000")
	case c.MaxOverflow < 0 || c.MaxOverflow > 1000:
		return errors.New("DB_MAX_OVERFLOW must be between 0 and 1000")
	case c.Slow < 0:
		return errors.New("SQL_SLOW must not be negative, such as 200ms")
	case c.Wait < 0 || c.Wait > 24*time.Hour:
		return errors.New("DB_WAIT must be between 0s and 24h, such as 1m")
	}
	return nil
}

// Scheme is what stands before the first colon of the URL.
func (c Config) Scheme() string {
	scheme, _, _ := strings.Cut(c.URL, ":")
	return strings.ToLower(scheme)
}

// String shows the address without its password.
func (c Config) String() string {
	u, err := url.Parse(c.URL)
	if err != nil {
		return c.Scheme() + ":***"
	}
	if u.RawQuery != "" { // a password may stand there too
		u.RawQuery = "***"
	}
	return u.Redacted()
}

// LogValue implements [slog.LogValuer].
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
