package cachetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/platform/cache"
)

// Subject is the cache under test.
type Subject struct {
	Cache cache.Cache
	// Pass lets the time pass by which Cache forgets.
	Pass func(time.Duration)
}

// ttl is short enough to be waited for where time cannot be made to pass.
const ttl = 300 * time.Millisecond

// Run tests that the cache which open returns keeps the promises of
// [cache.Cache]. Keys do not collide with those of other runs.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	for _, tt := range []struct {
		name string
		test func(t *testing.T, s Subject, key string)
	}{
		{"what was set is found, and nothing else", get},
		{"a value may be empty or any bytes", bytes},
		{"setting replaces value and time to live", replace},
		{"an entry is forgotten after its time to live", expire},
		{"adding succeeds only where nothing is", add},
		{"of many that add at once one succeeds", addAtOnce},
		{"deleting forgets every key named", remove},
		{"a counter counts for one time to live", increment},
		{"many that count at once lose nothing", incrementAtOnce},
		{"a value that is no number is no counter", notCounter},
		{"a slice stays its owner's", ownership},
		{"a time to live must be positive", positive},
		{"a context that has ended makes every method unavailable", ended},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t), "cachetest:"+rand.Text()) })
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func find(t *testing.T, s Subject, key, want string) {
	t.Helper()
	value, ok, err := s.Cache.Get(t.Context(), key)
	must(t, err)
	if !ok || string(value) != want {
		t.Errorf("found %q, %t; want %q", value, ok, want)
	}
}

func miss(t *testing.T, s Subject, key string) {
	t.Helper()
	value, ok, err := s.Cache.Get(t.Context(), key)
	must(t, err)
	if ok || value != nil {
		t.Errorf("found %q, %t; want nothing", value, ok)
	}
}

func get(t *testing.T, s Subject, key string) {
	miss(t, s, key)
	must(t, s.Cache.Set(t.Context(), key, []byte("value"), time.Minute))
	find(t, s, key, "value")
	miss(t, s, key+"x")
	must(t, s.Cache.Ping(t.Context()))
}

func bytes(t *testing.T, s Subject, key string) {
	for _, value := range []string{"", "\x00\xff\r\n", "ü"} {
		must(t, s.Cache.Set(t.Context(), key, []byte(value), time.Minute))
		find(t, s, key, value)
	}
}

func replace(t *testing.T, s Subject, key string) {
	must(t, s.Cache.Set(t.Context(), key, []byte("old"), ttl))
	must(t, s.Cache.Set(t.Context(), key, []byte("new"), time.Minute))
	s.Pass(2 * ttl)
	find(t, s, key, "new")
}

func expire(t *testing.T, s Subject, key string) {
	must(t, s.Cache.Set(t.Context(), key, []byte("value"), ttl))
	find(t, s, key, "value")
	s.Pass(2 * ttl)
	miss(t, s, key)
}

func add(t *testing.T, s Subject, key string) {
	for _, want := range []bool{true, false} {
		added, err := s.Cache.Add(t.Context(), key, []byte(fmt.Sprint(want)), ttl)
		must(t, err)
		if added != want {
			t.Errorf("added %t, want %t", added, want)
		}
	}
	find(t, s, key, "true")
	s.Pass(2 * ttl)
	added, err := s.Cache.Add(t.Context(), key, []byte("again"), time.Minute)
	must(t, err)
	if !added {
		t.Error("nothing could be added after the time to live")
	}
}

func atOnce(t *testing.T, call func() error) {
	t.Helper()
	var group sync.WaitGroup
	failures := make(chan error, 20)
	for range cap(failures) {
		group.Go(func() { failures <- call() })
	}
	group.Wait()
	close(failures)
	for err := range failures {
		must(t, err)
	}
}

func addAtOnce(t *testing.T, s Subject, key string) {
	var succeeded atomic.Int32
	atOnce(t, func() error {
		added, err := s.Cache.Add(t.Context(), key, []byte("mine"), time.Minute)
		if added {
			succeeded.Add(1)
		}
		return err
	})
	if n := succeeded.Load(); n != 1 {
		t.Errorf("%d succeeded, want 1", n)
	}
}

func remove(t *testing.T, s Subject, key string) {
	must(t, s.Cache.Set(t.Context(), key+"1", []byte("value"), time.Minute))
	must(t, s.Cache.Set(t.Context(), key+"2", []byte("value"), time.Minute))
	must(t, s.Cache.Delete(t.Context(), key+"1", key+"2", key+"3"))
	must(t, s.Cache.Delete(t.Context()))
	miss(t, s, key+"1")
	miss(t, s, key+"2")
}

func increment(t *testing.T, s Subject, key string) {
	count := func(want int64, ttl time.Duration) {
		t.Helper()
		got, err := s.Cache.Increment(t.Context(), key, ttl)
		must(t, err)
		if got != want {
			t.Errorf("counted %d, want %d", got, want)
		}
	}
	count(1, ttl)
	count(2, time.Minute) // does not prolong its life
	find(t, s, key, "2")
	s.Pass(2 * ttl)
	count(1, ttl)
}

func incrementAtOnce(t *testing.T, s Subject, key string) {
	atOnce(t, func() error {
		_, err := s.Cache.Increment(t.Context(), key, time.Minute)
		return err
	})
	find(t, s, key, "20")
}

func notCounter(t *testing.T, s Subject, key string) {
	must(t, s.Cache.Set(t.Context(), key, []byte("value"), time.Minute))
	if _, err := s.Cache.Increment(t.Context(), key, time.Minute); !errors.Is(err, cache.ErrNotCounter) {
		t.Errorf("got %v, want ErrNotCounter", err)
	}
	find(t, s, key, "value")
}

func ownership(t *testing.T, s Subject, key string) {
	value := []byte("value")
	must(t, s.Cache.Set(t.Context(), key, value, time.Minute))
	value[0] = 'X'
	got, _, err := s.Cache.Get(t.Context(), key)
	must(t, err)
	got[1] = 'X'
	find(t, s, key, "value")
}

func positive(t *testing.T, s Subject, key string) {
	for _, ttl := range []time.Duration{0, -time.Second} {
		_, adding := s.Cache.Add(t.Context(), key, nil, ttl)
		_, counting := s.Cache.Increment(t.Context(), key, ttl)
		for _, err := range []error{s.Cache.Set(t.Context(), key, nil, ttl), adding, counting} {
			if !errors.Is(err, cache.ErrTTL) {
				t.Errorf("%v: got %v, want ErrTTL", ttl, err)
			}
		}
	}
	miss(t, s, key)
}

func ended(t *testing.T, s Subject, key string) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, getting := s.Cache.Get(ctx, key)
	_, adding := s.Cache.Add(ctx, key, nil, time.Minute)
	_, counting := s.Cache.Increment(ctx, key, time.Minute)
	for _, err := range []error{getting, adding, counting, s.Cache.Set(ctx, key, nil, time.Minute), s.Cache.Delete(ctx, key), s.Cache.Ping(ctx)} {
		if !errors.Is(err, cache.ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want ErrUnavailable for context.Canceled", err)
		}
	}
	miss(t, s, key)
}
