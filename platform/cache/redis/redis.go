package redis

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/platform/cache"
	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Driver opens redis:// and rediss:// addresses.
type Driver struct{}

var _ cache.Driver = Driver{}

const (
	prefix      = "badge-engine:"
	dialTimeout = 2 * time.Second
	callTimeout = time.Second
)

// increment lets a counter live from its first count on, on every version of Redis.
var increment = goredis.NewScript(`
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count`)

// Schemes implements [cache.Driver].
func (Driver) Schemes() []string { return []string{"redis", "rediss"} }

// Open implements [cache.Driver]. Time passes by the server's clock.
func (Driver) Open(cfg cache.Config, _ func() time.Time) (cache.Store, error) {
	logging.Disable() // every error is returned; the client would also print it past our log
	options, err := goredis.ParseURL(cfg.URL)
	if err != nil { // the error repeats the address, and with it perhaps the password
		return nil, errors.New("REDIS_URL is not a Redis address; give one such as redis://localhost:6379/0")
	}
	if options.Password == "" {
		options.Password = cfg.Password.Reveal()
	}
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = dialTimeout, callTimeout, callTimeout
	options.ContextTimeoutEnabled = true
	options.MaxRetries = 1
	options.DialerRetries = 1
	options.DisableIdentity = true // older servers log an error for it
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return &Cache{client: goredis.NewClient(options)}, nil
}

// Cache is a cache in Redis.
type Cache struct{ client *goredis.Client }

var _ cache.Store = (*Cache)(nil)

// Get implements [cache.Cache].
func (c *Cache) Get(ctx context.Context, key string) ([]byte, bool, error) {
	value, err := c.client.Get(ctx, prefix+key).Bytes()
	if errors.Is(err, goredis.Nil) {
		return nil, false, nil
	}
	return value, err == nil, translate(err)
}

// Set implements [cache.Cache].
func (c *Cache) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if ttl <= 0 {
		return cache.ErrTTL
	}
	return translate(c.client.Set(ctx, prefix+key, value, whole(ttl)).Err())
}

// Add implements [cache.Cache].
func (c *Cache) Add(ctx context.Context, key string, value []byte, ttl time.Duration) (bool, error) {
	if ttl <= 0 {
		return false, cache.ErrTTL
	}
	err := c.client.SetArgs(ctx, prefix+key, value, goredis.SetArgs{Mode: "NX", TTL: whole(ttl)}).Err()
	if errors.Is(err, goredis.Nil) {
		return false, nil
	}
	return err == nil, translate(err)
}

// Delete implements [cache.Cache].
func (c *Cache) Delete(ctx context.Context, keys ...string) error {
	if len(keys) == 0 {
		return nil
	}
	full := make([]string, len(keys))
	for i, key := range keys {
		full[i] = prefix + key
	}
	return translate(c.client.Del(ctx, full...).Err())
}

// Increment implements [cache.Cache].
func (c *Cache) Increment(ctx context.Context, key string, ttl time.Duration) (int64, error) {
	if ttl <= 0 {
		return 0, cache.ErrTTL
	}
	count, err := increment.Run(ctx, c.client, []string{prefix + key}, whole(ttl).Milliseconds()).Int64()
	return count, translate(err)
}

// Ping implements [cache.Cache].
func (c *Cache) Ping(ctx context.Context) error { return translate(c.client.Ping(ctx).Err()) }

// Close ends every connection.
func (c *Cache) Close() error { return c.client.Close() }

// whole rounds up to the milliseconds in which Redis counts.
func whole(ttl time.Duration) time.Duration {
	return (ttl + time.Millisecond - 1).Truncate(time.Millisecond)
}

func translate(err error) error {
	if err == nil {
		return nil
	}
	var said goredis.Error
	if errors.As(err, &said) && strings.Contains(said.Error(), "not an integer") {
		return cache.ErrNotCounter
	}
	return cache.ErrUnavailable.With(err)
}
