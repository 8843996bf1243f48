package memory_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/cache/cachetest"
	"github.com/badge-engine/badge-engine/platform/cache/memory"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func TestSuite(t *testing.T) {
	cachetest.Run(t, func(t *testing.T) cachetest.Subject {
		c := &clock{}
		store, err := cache.New(cache.Default(), c.now, memory.Driver{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		return cachetest.Subject{Cache: store, Pass: c.pass}
	})
}

func TestTheLeastRecentlyUsedGoesFirst(t *testing.T) {
	c := memory.New(10*(1000+200), new(clock).now)
	value := []byte(strings.Repeat("x", 1000))
	set := func(key string) {
		t.Helper()
		if err := c.Set(t.Context(), key, value, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	has := func(key string) bool {
		t.Helper()
		_, ok, err := c.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	for i := range 10 {
		set(fmt.Sprint(i))
	}
	has("0")
	set("10")
	set("11")
	if !has("0") || has("1") || !has("11") {
		t.Errorf("0: %t, 1: %t, 11: %t; want only 1 to be gone", has("0"), has("1"), has("11"))
	}
	for range 100 {
		set("0") // the same key again takes no more room
	}
	if !has("11") {
		t.Error("setting one key again pushed out another")
	}
}

func TestAValueLargerThanTheCacheIsNotKeptAndPushesNothingOut(t *testing.T) {
	c := memory.New(2000, new(clock).now)
	if err := c.Set(t.Context(), "small", []byte("x"), time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := c.Set(t.Context(), "large", make([]byte, 4000), time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := c.Get(t.Context(), "large"); ok {
		t.Error("the large value was kept")
	}
	if _, ok, _ := c.Get(t.Context(), "small"); !ok {
		t.Error("the small value was pushed out")
	}
}

func BenchmarkGet(b *testing.B) {
	c := memory.New(1<<20, time.Now)
	_ = c.Set(b.Context(), "key", make([]byte, 2700), time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		_, _, _ = c.Get(b.Context(), "key")
	}
}
