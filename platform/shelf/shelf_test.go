package shelf_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/cache/memory"
	"github.com/badge-engine/badge-engine/platform/shelf"
)

var quiet = slog.New(slog.DiscardHandler)

// clock is a time that tests set.
type clock struct{ nanoseconds atomic.Int64 }

func (c *clock) now() time.Time       { return time.Unix(1_800_000_000, c.nanoseconds.Load()) }
func (c *clock) pass(d time.Duration) { c.nanoseconds.Add(int64(d)) }

// source is what is read, and counts how often.
type source struct {
	reads atomic.Int64
	text  atomic.Value
}

func from(text string) *source {
	s := &source{}
	s.text.Store(text)
	return s
}

func (s *source) read(context.Context) (*shelf.Document, error) {
	s.reads.Add(1)
	return shelf.Of([]byte(s.text.Load().(string))), nil
}

func (s *source) see(t *testing.T, kept *shelf.Shelf, want string, reads int64) {
	t.Helper()
	got, err := shelf.Get(t.Context(), kept, "key", s.read)
	if err != nil || string(got.Body) != want {
		t.Errorf("it says %v, %v; want %q", got, err, want)
	}
	if n := s.reads.Load(); n != reads {
		t.Errorf("it was read %d times, want %d", n, reads)
	}
}

func TestWithoutASharedCacheAnAnswerIsKeptForASecond(t *testing.T) {
	var c clock
	s, kept := from("one"), shelf.New(nil, nil, c.now, quiet)
	s.see(t, kept, "one", 1)
	s.text.Store("two")
	c.pass(time.Second - 1)
	s.see(t, kept, "one", 1)
	c.pass(1)
	s.see(t, kept, "two", 2)
	c.pass(-time.Minute) // a clock that was set back must not make it live for ever
	s.see(t, kept, "two", 3)
	s.text.Store("three")
	kept.Changed(t.Context())
	s.see(t, kept, "three", 4)
	s.see(t, nil, "three", 5)
	s.see(t, nil, "three", 6)
	(*shelf.Shelf)(nil).Changed(t.Context())
}

// fragile is a cache that may be away.
type fragile struct {
	cache.Cache
	away atomic.Bool
}

func (f *fragile) Get(ctx context.Context, key string) ([]byte, bool, error) {
	if f.away.Load() {
		return nil, false, cache.ErrUnavailable
	}
	return f.Cache.Get(ctx, key)
}

func (f *fragile) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if f.away.Load() {
		return cache.ErrUnavailable
	}
	return f.Cache.Set(ctx, key, value, ttl)
}

func TestReplicasThatShareACacheTellEachOtherOfChanges(t *testing.T) {
	var c clock
	shared := memory.New(1<<20, c.now)
	mine, theirs := &fragile{Cache: shared}, &fragile{Cache: shared}
	here, there := shelf.New(nil, mine, c.now, quiet), shelf.New(nil, theirs, c.now, quiet)
	beat := func() {
		here.Beat(t.Context())
		there.Beat(t.Context())
	}
	s, o := from("one"), from("one")
	see := func(text string, reads, others int64) {
		t.Helper()
		s.see(t, here, text, reads)
		o.see(t, there, text, others)
	}
	change := func(text string) {
		s.text.Store(text)
		o.text.Store(text)
		here.Changed(t.Context())
	}
	beat()
	see("one", 1, 1)
	for range 9 { // heard of no change, they keep it beyond a second
		c.pass(time.Second)
		beat()
		see("one", 1, 1)
	}
	c.pass(time.Second) // but not for ever
	see("one", 2, 2)
	change("two")
	beat()
	see("two", 3, 3)

	// Both change something at once; neither word is lost.
	change("three")
	there.Changed(t.Context())
	beat()
	beat()
	s.see(t, here, "three", 4)
	o.see(t, there, "three", 4)

	// The cache is away for who changed it: told later, and gone by itself before long.
	mine.away.Store(true)
	change("four")
	beat()
	s.see(t, here, "four", 5)
	o.see(t, there, "three", 4)
	for range 9 {
		c.pass(time.Second)
		beat()
	}
	o.see(t, there, "three", 4)
	c.pass(time.Second)
	beat()
	o.see(t, there, "four", 5)
	s.text.Store("five")
	o.text.Store("five")
	mine.away.Store(false)
	beat()
	o.see(t, there, "five", 6)

	// Away for all of them, each reads again after a second.
	mine.away.Store(true)
	theirs.away.Store(true)
	c.pass(3 * time.Second)
	beat()
	o.see(t, there, "five", 7)
	c.pass(time.Second)
	beat()
	o.see(t, there, "five", 8)
}

func TestTheWorkerTellsAtOnceAndBeforeItStops(t *testing.T) {
	synctest.Test(t, theWorkerTells)
}

func theWorkerTells(t *testing.T) {
	shared := &fragile{Cache: memory.New(1<<20, time.Now)}
	kept := shelf.New(nil, shared, time.Now, quiet)
	kept.Start()
	edition := func() string {
		value, _, err := shared.Cache.Get(t.Context(), "shelf:edition")
		if err != nil {
			t.Fatal(err)
		}
		return string(value)
	}
	kept.Changed(t.Context())
	synctest.Wait()
	before := edition()
	if before == "" {
		t.Error("a change was not told at once")
	}
	shared.away.Store(true)
	kept.Changed(t.Context())
	synctest.Wait() // the worker tried and failed
	shared.away.Store(false)
	kept.Stop(t.Context())
	if edition() == before {
		t.Error("a change was not told")
	}
	kept.Stop(t.Context())
}

func TestAThousandWhoAskAtOnceCauseOneLook(t *testing.T) {
	at := time.Now() // stands still: what was read must not be too old before all have asked
	kept := shelf.New(nil, nil, func() time.Time { return at }, quiet)
	var reads atomic.Int64
	begun, release := make(chan struct{}, 1002), make(chan struct{}) // nobody who reads waits for this test
	ask := func(ctx context.Context) error {
		got, err := shelf.Get(ctx, kept, "key", func(ctx context.Context) (*shelf.Document, error) {
			reads.Add(1)
			begun <- struct{}{}
			select {
			case <-release:
				return shelf.Of([]byte("one")), nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		})
		if err == nil && string(got.Body) != "one" {
			return errors.New(string(got.Body))
		}
		return err
	}
	// The first gives up while the others wait: that is nothing of theirs.
	first, giveUp := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := ask(first); !errors.Is(err, context.Canceled) {
			t.Errorf("the first was told %v", err)
		}
	})
	<-begun
	for range 1000 {
		wg.Go(func() {
			if err := ask(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	impatient, stop := context.WithCancel(t.Context())
	wg.Go(func() {
		if err := ask(impatient); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("who would not wait was told %v", err)
		}
	})
	stop()
	giveUp()
	<-begun
	close(release)
	wg.Wait()
	if n := reads.Load(); n > 3 { // the impatient one may have come last
		t.Errorf("it was read %d times", n)
	}
}

var errBroken = errors.New("broken")

func TestAnErrorIsAnsweredAndNotKept(t *testing.T) {
	kept := shelf.New(nil, nil, time.Now, quiet)
	for range 2 {
		if _, err := shelf.Get(t.Context(), kept, "key", func(context.Context) (*shelf.Document, error) { return nil, errBroken }); !errors.Is(err, errBroken) {
			t.Errorf("it answers %v", err)
		}
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = shelf.Get(t.Context(), kept, "key", func(context.Context) (*shelf.Document, error) { panic("down") })
	}()
	s := from("one")
	s.see(t, kept, "one", 1)
	if _, err := shelf.JSON(t.Context(), kept, "no JSON", func(context.Context) (any, error) { return func() {}, nil }); err == nil {
		t.Error("a function was written as JSON")
	}
}

func TestWhoAsksAfterAChangeSeesIt(t *testing.T) {
	kept := shelf.New(nil, nil, time.Now, quiet)
	begun, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { // read before the change, and slow
		_, _ = shelf.Get(t.Context(), kept, "key", func(context.Context) (*shelf.Document, error) {
			close(begun)
			<-release
			return shelf.Of([]byte("one")), nil
		})
	})
	<-begun
	kept.Changed(t.Context())
	s := from("two")
	s.see(t, kept, "two", 1) // does not wait for what was read before
	close(release)
	wg.Wait()
	s.see(t, kept, "two", 1) // nor is that kept
}

func TestMemoryIsBoundedAndWhatIsInUseStays(t *testing.T) {
	frozen := time.Now()
	kept := shelf.New(nil, nil, func() time.Time { return frozen }, quiet)
	put := func(key string, size int) (read bool) {
		_, err := shelf.Get(t.Context(), kept, key, func(context.Context) (*shelf.Document, error) {
			read = true
			return shelf.Of(make([]byte, size)), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return read
	}
	for i := range 200 {
		put(fmt.Sprint(i), 1<<20)
		if read := put("in use", 1<<10); read && i > 0 {
			t.Fatalf("what is in use was forgotten after %d others", i)
		}
		if bytes, _ := kept.Held(); bytes > shelf.Total {
			t.Fatalf("%d bytes are kept", bytes)
		}
	}
	if bytes, items := kept.Held(); bytes < shelf.Total/4 || items < 8 {
		t.Errorf("only %d answers with %d bytes are kept", items, bytes)
	}
	if put("huge", 5<<20); !put("huge", 5<<20) {
		t.Error("a huge answer is kept")
	}
}

// held is a unit of work that has not ended.
type held []func()

func (h *held) Afterwards(_ context.Context, fn func()) { *h = append(*h, fn) }

func TestAChangeCountsOnceItsUnitOfWorkHasEnded(t *testing.T) {
	var unit held
	kept := shelf.New(&unit, nil, time.Now, quiet)
	s := from("one")
	s.see(t, kept, "one", 1)
	kept.Changed(t.Context())
	s.see(t, kept, "one", 1) // what is stored is still what it was
	s.text.Store("two")
	for _, fn := range unit {
		fn()
	}
	s.see(t, kept, "two", 2)
}

func BenchmarkGet(b *testing.B) {
	kept := shelf.New(nil, nil, func() time.Time { return time.Time{} }, quiet)
	s := from("one")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := shelf.Get(b.Context(), kept, "key", s.read); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestWhatIsAskedIsCounted(t *testing.T) {
	kept := shelf.New(nil, nil, time.Now, quiet)
	failing := errors.New("away")
	for i, err := range []error{failing, nil, nil, nil} {
		_, got := shelf.Get(t.Context(), kept, "key", func(context.Context) (*shelf.Document, error) { return shelf.Of([]byte("value")), err })
		if !errors.Is(got, err) {
			t.Errorf("the question %d is answered with %v", i, got)
		}
	}
	if hits, misses := shelf.Asked(kept); hits != 2 || misses != 2 {
		t.Errorf("%d hits and %d misses are counted", hits, misses)
	}
}
