package cache

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/metric"
	"github.com/badge-engine/badge-engine/platform/tracing"
)

// NewCounter makes the counter of what a cache is asked.
func NewCounter() *metric.Counter {
	return metric.NewCounter("badge_engine_cache_operations_total", "What the cache was asked, by the family of the key, the operation and what came of it: hit, miss, done or error.", "cache", "operation", "result")
}

// Follow counts what a store is asked, and has every call of one that answers over the
// network open a span, where its context belongs to a trace. One in the process answers
// before a span is worth it. The counter may be nil.
func Follow(store Store, cfg Config, count *metric.Counter) Store {
	return followed{store, count, cfg.Scheme() != "memory"}
}

type followed struct {
	Store
	count  *metric.Counter
	remote bool
}

// question is one call of a store.
type question struct {
	span              tracing.Span
	operation, family string
}

// ask begins a question. It names the family of the key and never the key, which may
// stand for a secret.
//
// OpenTelemetry semantic conventions, Redis client spans.
func (f followed) ask(ctx context.Context, operation, key string) (context.Context, question) {
	q := question{operation: operation, family: Family(key)}
	if !f.remote {
		return ctx, q
	}
	ctx, q.span = tracing.Client(ctx, strings.ToUpper(operation))
	if q.span.On() {
		q.span.Set(slog.String("db.system.name", "redis"), slog.String("db.operation.name", operation), slog.String("badge_engine.cache", q.family))
	}
	return ctx, q
}

// answered ends it.
func (f followed) answered(q question, result string, err error) {
	if err != nil {
		result = "error"
		kind := "cache"
		if f, ok := fault.From(err); ok {
			kind = f.Code()
		}
		q.span.Fail(kind)
	}
	q.span.End()
	f.count.Count(1, q.family, q.operation, result)
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
	ctx, q := f.ask(ctx, "get", key)
	value, found, err := f.Store.Get(ctx, key)
	result := "miss"
	if found {
		result = "hit"
	}
	f.answered(q, result, err)
	return value, found, err
}

// Set implements [Cache].
func (f followed) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	ctx, q := f.ask(ctx, "set", key)
	err := f.Store.Set(ctx, key, value, ttl)
	f.answered(q, "done", err)
	return err
}

// Add implements [Cache].
func (f followed) Add(ctx context.Context, key string, value []byte, ttl time.Duration) (bool, error) {
	ctx, q := f.ask(ctx, "add", key)
	added, err := f.Store.Add(ctx, key, value, ttl)
	f.answered(q, "done", err)
	return added, err
}

// Delete implements [Cache].
func (f followed) Delete(ctx context.Context, keys ...string) error {
	first := ""
	if len(keys) > 0 {
		first = keys[0]
	}
	ctx, q := f.ask(ctx, "delete", first)
	err := f.Store.Delete(ctx, keys...)
	f.answered(q, "done", err)
	return err
}

// Increment implements [Cache].
func (f followed) Increment(ctx context.Context, key string, ttl time.Duration) (int64, error) {
	ctx, q := f.ask(ctx, "increment", key)
	count, err := f.Store.Increment(ctx, key, ttl)
	f.answered(q, "done", err)
	return count, err
}
