package memory

import (
	"bytes"
	"container/list"
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/badge-engine/badge-engine/platform/cache"
)

// Driver opens memory: addresses.
type Driver struct{}

var _ cache.Driver = Driver{}

// Schemes implements [cache.Driver].
func (Driver) Schemes() []string { return []string{"memory"} }

// Open implements [cache.Driver].
func (Driver) Open(cfg cache.Config, now func() time.Time) (cache.Store, error) {
	return New(cfg.MemoryBytes, now), nil
}

// Cache is a bounded cache in memory.
type Cache struct {
	limit int64
	now   func() time.Time

	mu      sync.Mutex
	held    int64
	entries map[string]*list.Element
	recent  *list.List // of *entry, the most recently used first
}

var _ cache.Store = (*Cache)(nil)

type entry struct {
	key     string
	value   []byte
	expires time.Time
}

// overhead is roughly what an entry costs beside its key and value.
const overhead = 160

func (e *entry) size() int64 { return int64(len(e.key)+len(e.value)) + overhead }

// New makes a cache that holds at most limit bytes, the bookkeeping included,
// by the clock now.
func New(limit int64, now func() time.Time) *Cache {
	return &Cache{limit: limit, now: now, entries: map[string]*list.Element{}, recent: list.New()}
}

// Get implements [cache.Cache].
func (c *Cache) Get(ctx context.Context, key string) ([]byte, bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, false, cache.ErrUnavailable.With(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.find(key); e != nil {
		return bytes.Clone(e.value), true, nil
	}
	return nil, false, nil
}

// Set implements [cache.Cache]. A value larger than the whole cache is forgotten at once.
func (c *Cache) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := ready(ctx, ttl); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(key, value, c.now().Add(ttl))
	return nil
}

// Add implements [cache.Cache].
func (c *Cache) Add(ctx context.Context, key string, value []byte, ttl time.Duration) (bool, error) {
	if err := ready(ctx, ttl); err != nil {
		return false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.find(key) != nil {
		return false, nil
	}
	c.put(key, value, c.now().Add(ttl))
	return true, nil
}

// Delete implements [cache.Cache].
func (c *Cache) Delete(ctx context.Context, keys ...string) error {
	if err := ctx.Err(); err != nil {
		return cache.ErrUnavailable.With(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range keys {
		if at, ok := c.entries[key]; ok {
			c.drop(at)
		}
	}
	return nil
}

// Increment implements [cache.Cache].
func (c *Cache) Increment(ctx context.Context, key string, ttl time.Duration) (int64, error) {
	if err := ready(ctx, ttl); err != nil {
		return 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	count, expires := int64(0), c.now().Add(ttl)
	if e := c.find(key); e != nil {
		var err error
		if count, err = strconv.ParseInt(string(e.value), 10, 64); err != nil {
			return 0, cache.ErrNotCounter
		}
		expires = e.expires
	}
	count++
	c.put(key, strconv.AppendInt(nil, count, 10), expires)
	return count, nil
}

// Ping implements [cache.Cache].
func (c *Cache) Ping(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return cache.ErrUnavailable.With(err)
	}
	return nil
}

// Close forgets everything.
func (c *Cache) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = 0
	clear(c.entries)
	c.recent.Init()
	return nil
}

func ready(ctx context.Context, ttl time.Duration) error {
	if ttl <= 0 {
		return cache.ErrTTL
	}
	if err := ctx.Err(); err != nil {
		return cache.ErrUnavailable.With(err)
	}
	return nil
}

// find gives the entry of a key that has not expired, and counts as its use.
func (c *Cache) find(key string) *entry {
	at, ok := c.entries[key]
	if !ok {
		return nil
	}
	e := at.Value.(*entry)
	if !c.now().Before(e.expires) {
		c.drop(at)
		return nil
	}
	c.recent.MoveToFront(at)
	return e
}

func (c *Cache) put(key string, value []byte, expires time.Time) {
	if at, ok := c.entries[key]; ok {
		c.drop(at)
	}
	e := &entry{key: key, value: bytes.Clone(value), expires: expires}
	if e.size() > c.limit {
		return
	}
	c.entries[key] = c.recent.PushFront(e)
	for c.held += e.size(); c.held > c.limit; {
		c.drop(c.recent.Back())
	}
}

func (c *Cache) drop(at *list.Element) {
	e := c.recent.Remove(at).(*entry)
	delete(c.entries, e.key)
	c.held -= e.size()
}
