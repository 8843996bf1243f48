package cache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/platform/fault"
)

// Cache keeps bytes under keys for a while. Implementations are safe for
// concurrent use, honour ctx, and neither keep nor give away a slice that a
// caller can alter afterwards. Every method may answer [ErrUnavailable]. A time
// to live must be positive, or the method answers [ErrTTL] and does nothing.
type Cache interface {
	// Get finds the value of a key; false says that there is none.
	Get(ctx context.Context, key string) ([]byte, bool, error)

	// Set stores a value, in place of any other.
	Set(ctx context.Context, key string, value []byte, ttl time.Duration) error

	// Add stores a value only if the key has none, and says whether it did. Of
	// any number of concurrent calls one succeeds. That it is true twice within
	// the time to live must not do harm: the cache may have forgotten the first.
	Add(ctx context.Context, key string, value []byte, ttl time.Duration) (bool, error)

	// Delete forgets keys; a key without a value is no error.
	Delete(ctx context.Context, keys ...string) error

	// Increment adds one to the counter of a key and gives its new value. A
	// counter begins at 1 and lives for ttl from then on, however often it is
	// incremented. Its value reads as decimal digits.
	Increment(ctx context.Context, key string, ttl time.Duration) (int64, error)

	// Ping asks for a sign of life.
	Ping(ctx context.Context) error
}

// Store is a cache together with what it holds open.
type Store interface {
	Cache
	Close() error
}

// Driver is a cache plug-in.
type Driver interface {
	// Schemes are the schemes of REDIS_URL that choose this driver.
	Schemes() []string

	// Open makes a store. It must not dial. An error names the variable that is
	// wrong and must not repeat its value.
	Open(cfg Config, now func() time.Time) (Store, error)
}

var (
	// ErrUnavailable says that the cache did not do what it was asked.
	ErrUnavailable = fault.New(fault.Unavailable, "cache.unavailable",
		"The cache cannot be reached at the moment.").RetryAfter(5 * time.Second)

	// ErrTTL says that a time to live was not positive.
	ErrTTL = errors.New("cache: a time to live must be positive")

	// ErrNotCounter says that the value to increment is no number.
	ErrNotCounter = errors.New("cache: the value is not a counter")
)

// New chooses among drivers by the scheme of cfg.URL and makes a store. It opens
// no connection.
func New(cfg Config, now func() time.Time, drivers ...Driver) (Store, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	var known []string
	for _, driver := range drivers {
		if slices.Contains(driver.Schemes(), cfg.Scheme()) {
			return driver.Open(cfg, now)
		}
		known = append(known, driver.Schemes()...)
	}
	return nil, fmt.Errorf("REDIS_URL has an unknown scheme; this program knows: %s", strings.Join(known, ", "))
}
