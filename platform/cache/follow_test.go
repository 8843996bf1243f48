package cache_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/cache/memory"
	"github.com/badge-engine/badge-engine/platform/metric"
	"github.com/badge-engine/badge-engine/platform/telemetry"
)

// away is a store that answers nothing.
type away struct{ cache.Store }

func (away) Get(context.Context, string) ([]byte, bool, error) {
	return nil, false, cache.ErrUnavailable
}

func TestWhatACacheIsAskedIsCounted(t *testing.T) {
	count := cache.NewCounter()
	store := cache.Follow(memory.New(1<<20, time.Now), cache.Default(), count)
	ctx := t.Context()
	if _, found, err := store.Get(ctx, "auth.token.1"); found || err != nil {
		t.Error(found, err)
	}
	if err := store.Set(ctx, "auth.token.1", []byte("x"), time.Minute); err != nil {
		t.Error(err)
	}
	if value, found, err := store.Get(ctx, "auth.token.1"); !found || err != nil || string(value) != "x" {
		t.Error(found, err)
	}
	if added, err := store.Add(ctx, "fetch:a.b.c", nil, time.Minute); !added || err != nil {
		t.Error(added, err)
	}
	if n, err := store.Increment(ctx, "ratelimit.callers.ada", time.Minute); n != 1 || err != nil {
		t.Error(n, err)
	}
	if err := errors.Join(store.Delete(ctx, "auth.token.1"), store.Delete(ctx)); err != nil {
		t.Error(err)
	}
	if _, _, err := cache.Follow(away{}, cache.Default(), count).Get(ctx, "auth.token.2"); !errors.Is(err, cache.ErrUnavailable) {
		t.Error(err)
	}
	m, err := telemetry.New([]metric.Metric{count})
	if err != nil {
		t.Fatal(err)
	}
	text, err := m.Text()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{cache="auth.token",operation="get",result="miss"} 1`, `{cache="auth.token",operation="get",result="hit"} 1`, `{cache="auth.token",operation="get",result="error"} 1`,
		`{cache="auth.token",operation="set",result="done"} 1`, `{cache="fetch",operation="add",result="done"} 1`, `{cache="ratelimit.callers",operation="increment",result="done"} 1`,
		`{cache="auth.token",operation="delete",result="done"} 1`, `{cache="other",operation="delete",result="done"} 1`,
	} {
		if !strings.Contains(string(text), "badge_engine_cache_operations_total"+want) {
			t.Errorf("there is no %s in\n%s", want, text)
		}
	}
}

func TestFamily(t *testing.T) {
	for key, want := range map[string]string{
		"auth.token.0192": "auth.token", "fetch:abc.def": "fetch", "ratelimit.callers.a.b": "ratelimit.callers", "doctor:X": "doctor",
		"": "other", "secret": "other", "a.secret": "other", ".": "other", ":": "other",
	} {
		if got := cache.Family(key); got != want {
			t.Errorf("%q is of %s, not of %s", key, got, want)
		}
	}
}
