package cache_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/cache/cachetest"
	"github.com/badge-engine/badge-engine/platform/cache/memory"
)

// moody is a store that is away for a while, and counts what it is asked.
type moody struct {
	cache.Store
	away  bool
	asked int
}

func (m *moody) Get(ctx context.Context, key string) ([]byte, bool, error) {
	m.asked++
	if m.away {
		return nil, false, cache.ErrUnavailable.With(errors.New("timeout"))
	}
	return m.Store.Get(ctx, key)
}

func (m *moody) Ping(ctx context.Context) error {
	if m.away {
		return cache.ErrUnavailable
	}
	return m.Store.Ping(ctx)
}

func TestNobodyWaitsForAStoreThatIsAway(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	m := &moody{Store: memory.New(1<<20, time.Now)}
	s := cache.Spare(m, func() time.Time { return at })
	ask := func(ctx context.Context, times int) (asked int) {
		t.Helper()
		before := m.asked
		for range times {
			_, _, err := s.Get(ctx, "x.y.z")
			if m.away != errors.Is(err, cache.ErrUnavailable) && m.asked == before {
				t.Errorf("away %t: %v", m.away, err)
			}
		}
		return m.asked - before
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	for _, step := range []struct {
		name  string
		do    func()
		ctx   context.Context
		times int
		asked int
	}{
		{"while it answers everything is asked", func() {}, t.Context(), 10, 10},
		{"callers who went away say nothing of it", func() { m.away = true }, gone, 10, 10},
		{"two failures may happen", func() {}, t.Context(), 2, 2},
		{"an answer forgives them", func() { m.away = false }, t.Context(), 1, 1},
		{"after three it is let alone", func() { m.away = true }, t.Context(), 10, 3},
		{"for a second", func() { at = at.Add(999 * time.Millisecond) }, t.Context(), 10, 0},
		{"then one finds out", func() { at = at.Add(time.Millisecond) }, t.Context(), 10, 1},
		{"and each second one more", func() { at = at.Add(time.Second) }, t.Context(), 10, 1},
		{"a clock that is set back does not lock it out", func() { at = at.Add(-time.Hour) }, t.Context(), 10, 1},
		{"it is back, and the one who finds out tells all", func() { m.away = false; at = at.Add(time.Second) }, t.Context(), 10, 10},
		{"away once more", func() { m.away = true }, t.Context(), 10, 3},
		{"a ping finds out, too", func() {
			m.away = false
			if err := s.Ping(t.Context()); err != nil {
				t.Error(err)
			}
		}, t.Context(), 10, 10},
	} {
		step.do()
		if asked := ask(step.ctx, step.times); asked != step.asked {
			t.Errorf("%s: %d were asked, not %d", step.name, asked, step.asked)
		}
	}
}

func TestAStoreThatIsSparedIsAStore(t *testing.T) {
	cachetest.Run(t, func(*testing.T) cachetest.Subject {
		at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		now := func() time.Time { return at }
		return cachetest.Subject{Cache: cache.Follow(cache.Spare(memory.New(1<<20, now), now), cache.Default(), nil), Pass: func(d time.Duration) { at = at.Add(d) }}
	})
}
