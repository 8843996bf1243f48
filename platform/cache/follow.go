package cache

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/tracing"
)

// Follow has every call of a store that answers over the network open a span, where
// its context belongs to a trace. One in the process answers before that is worth it.
func Follow(store Store, cfg Config) Store {
	if cfg.Scheme() == "memory" {
		return store
	}
	return followed{store}
}

type followed struct{ Store }

// asked opens the span of one question. It names the family of the key and never the
// key, which may stand for a secret.
//
// OpenTelemetry semantic conventions, Redis client spans.
func asked(ctx context.Context, operation, key string) (context.Context, tracing.Span) {
	ctx, span := tracing.Client(ctx, operation)
	if span.On() {
		span.Set(slog.String("db.system.name", "redis"), slog.String("db.operation.name", operation), slog.String("badge_engine.cache", Family(key)))
	}
	return ctx, span
}

func answered(span tracing.Span, err error) {
	if err != nil {
		kind := "cache"
		if f, ok := fault.From(err); ok {
			kind = f.Code()
		}
		span.Fail(kind)
	}
	span.End()
}

// Family is what a key begins with, which says what the value is for: up to its colon
// or its second dot. There are only as many as the program has kinds of values.
func Family(key string) string {
	end := strings.IndexByte(key, ':')
	if first := strings.IndexByte(key, '.'); end < 0 && first >= 0 {
		if end = strings.IndexByte(key[first+1:], '.'); end >= 0 {
			end += first + 1
		}
	}
	if end <= 0 {
		return "other"
	}
	return key[:end]
}

// Get implements [Cache].
func (f followed) Get(ctx context.Context, key string) ([]byte, bool, error) {
	ctx, span := asked(ctx, "GET", key)
	value, found, err := f.Store.Get(ctx, key)
	span.Set(slog.Bool("badge_engine.cache.hit", found))
	answered(span, err)
	return value, found, err
}

// Set implements [Cache].
func (f followed) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	ctx, span := asked(ctx, "SET", key)
	err := f.Store.Set(ctx, key, value, ttl)
	answered(span, err)
	return err
}

// Add implements [Cache].
func (f followed) Add(ctx context.Context, key string, value []byte, ttl time.Duration) (bool, error) {
	ctx, span := asked(ctx, "SET", key)
	added, err := f.Store.Add(ctx, key, value, ttl)
	answered(span, err)
	return added, err
}

// Delete implements [Cache].
func (f followed) Delete(ctx context.Context, keys ...string) error {
	first := ""
	if len(keys) > 0 {
		first = keys[0]
	}
	ctx, span := asked(ctx, "DEL", first)
	err := f.Store.Delete(ctx, keys...)
	answered(span, err)
	return err
}

// Increment implements [Cache].
func (f followed) Increment(ctx context.Context, key string, ttl time.Duration) (int64, error) {
	ctx, span := asked(ctx, "INCR", key)
	count, err := f.Store.Increment(ctx, key, ttl)
	answered(span, err)
	return count, err
}
