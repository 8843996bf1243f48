package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/cache/memory"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/ratelimit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a time that passes only by hand.
type clock struct{ at time.Time }

func newClock() *clock { return &clock{at: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time { return c.at }

// taken is how many of n requests are allowed at this moment.
func taken(n int, take func() ratelimit.Decision) (allowed int, last ratelimit.Decision) {
	for range n {
		if last = take(); last.Allowed {
			allowed++
		}
	}
	return allowed, last
}

func TestABucketGivesItsBurstAndThenItsRate(t *testing.T) {
	c := newClock()
	l := ratelimit.New("t", 100, c.now)
	rate := ratelimit.Rate{PerSecond: 25, Burst: 100}
	take := func() ratelimit.Decision { return l.Take("a", rate) }
	if d := take(); !d.Allowed || d.Remaining != 99 || d.Wait != 0 {
		t.Errorf("the first is %+v", d)
	}
	if n, last := taken(200, take); n != 99 || last.Wait != 40*time.Millisecond || last.Remaining != 0 {
		t.Errorf("%d more at once, the last %+v", n, last)
	}
	c.at = c.at.Add(39 * time.Millisecond)
	if n, _ := taken(1, take); n != 0 {
		t.Error("one comes early")
	}
	c.at = c.at.Add(time.Millisecond)
	if n, _ := taken(10, take); n != 1 {
		t.Errorf("after the time to wait there are %d", n)
	}
	c.at = c.at.Add(time.Second)
	if n, _ := taken(100, take); n != 25 {
		t.Errorf("a second later there are %d", n)
	}
	c.at = c.at.Add(time.Hour)
	if n, _ := taken(200, take); n != 100 {
		t.Errorf("after an hour there are %d, the burst is 100", n)
	}
	if n, _ := taken(200, func() ratelimit.Decision { return l.Take("b", rate) }); n != 100 {
		t.Errorf("a neighbour has %d", n)
	}
}

func TestNoLimitIsNoLimit(t *testing.T) {
	l := ratelimit.New("t", 100, newClock().now)
	if n, _ := taken(10_000, func() ratelimit.Decision { return l.Take("a", ratelimit.Rate{}) }); n != 10_000 {
		t.Errorf("%d of 10000", n)
	}
	var none *ratelimit.Limits
	if d := none.Principal("a", false); !d.Allowed || !none.Failure("192.0.2.1").Allowed || !none.Anonymous("192.0.2.1").Allowed {
		t.Error("no limits limit")
	}
}

// In every stretch of time a bucket allows at most its burst and what its rate
// fills up meanwhile, and whoever waits as long as told is never refused.
func TestABucketNeverGivesMoreThanItHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		l := ratelimit.New("t", 100, c.now)
		rate := ratelimit.Rate{PerSecond: float64(rapid.IntRange(1, 500).Draw(t, "rate")), Burst: rapid.IntRange(1, 200).Draw(t, "burst")}
		start, allowed := c.at, 0
		for _, pause := range rapid.SliceOfN(rapid.IntRange(0, 50), 1, 300).Draw(t, "pauses") {
			c.at = c.at.Add(time.Duration(pause) * time.Millisecond)
			d := l.Take("a", rate)
			if !d.Allowed && rapid.Bool().Draw(t, "patient") {
				c.at = c.at.Add(d.Wait)
				if d = l.Take("a", rate); !d.Allowed {
					t.Fatalf("whoever waits is refused: %+v", d)
				}
			}
			if d.Allowed {
				allowed++
			}
		}
		if most := float64(rate.Burst) + c.at.Sub(start).Seconds()*rate.PerSecond + 1e-3; float64(allowed) > most {
			t.Fatalf("%d allowed, at most %f", allowed, most)
		}
	})
}

func TestMemoryIsBoundedAndAFloodOfKeysFreesNobody(t *testing.T) {
	c := newClock()
	l := ratelimit.New("t", 1600, c.now)
	rate := ratelimit.Rate{PerSecond: 0.01, Burst: 10}
	if n, _ := taken(20, func() ratelimit.Decision { return l.Take("attacker", rate) }); n != 10 {
		t.Fatalf("%d at first", n)
	}
	for i := range 100_000 {
		c.at = c.at.Add(time.Microsecond)
		l.Take(fmt.Sprint("flood ", i), rate)
	}
	if n := l.Keys(); n > 1600 {
		t.Errorf("%d keys are remembered", n)
	}
	if d := l.Take("attacker", rate); d.Allowed {
		t.Error("a flood of keys freed the attacker")
	}
}

func limits(t *testing.T, cfg ratelimit.Config, shared cache.Cache, now func() time.Time) *ratelimit.Limits {
	t.Helper()
	l, err := ratelimit.NewLimits(cfg, shared, now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestProvisioningIsNeverHeldBelowItsRate(t *testing.T) {
	c := newClock()
	l := limits(t, ratelimit.Config{PerSecond: 1, Burst: 1}, nil, c.now)
	scim := func() ratelimit.Decision { return l.Principal("token:scim", true) }
	if n, _ := taken(200, scim); n != 100 {
		t.Errorf("%d at once", n)
	}
	for range 60 {
		c.at = c.at.Add(time.Second)
		if n, _ := taken(25, scim); n != 25 {
			t.Fatalf("%d in a second", n)
		}
	}
	if n, _ := taken(200, func() ratelimit.Decision { return l.Principal("token:other", false) }); n != 1 {
		t.Errorf("another token has %d", n)
	}
}

func TestAddressesAreCountedByWhatOneCallerHolds(t *testing.T) {
	for _, row := range []struct {
		name, one, other string
		same             bool
	}{
		{"two addresses of IPv4", "192.0.2.1", "192.0.2.2", false},
		{"one host of IPv6 with two addresses", "2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true},
		{"two networks of IPv6", "2001:db8:0:1::1", "2001:db8:0:2::1", false},
		{"something that is no address", "?", "?", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := limits(t, ratelimit.Config{Failures: 3, Anonymous: 3}, nil, newClock().now)
			for name, take := range map[string]func(string) ratelimit.Decision{"failures": l.Failure, "anonymous requests": l.Anonymous} {
				if n, _ := taken(5, func() ratelimit.Decision { return take(row.one) }); n != 3 {
					t.Fatalf("%d %s are taken", n, name)
				}
				if d := take(row.other); d.Allowed == row.same {
					t.Errorf("the other, in %s, is %+v", name, d)
				}
			}
		})
	}
}

func TestTheRefusalSaysHowLongAndHowMany(t *testing.T) {
	c := newClock()
	l := limits(t, ratelimit.Config{Failures: 60}, nil, c.now)
	n, last := taken(61, func() ratelimit.Decision { return l.Failure("192.0.2.1") })
	if n != 60 {
		t.Fatalf("%d are taken", n)
	}
	cause := errors.New("wrong secret")
	err := last.Because(cause)
	f, ok := fault.From(err)
	if !ok || !errors.Is(err, ratelimit.ErrExceeded) || !errors.Is(err, cause) || f.Wait() != time.Second || f.Kind() != fault.TooMany {
		t.Errorf("error is %v", err)
	}
	if strings.Contains(f.Detail()+f.Message(), "wrong secret") {
		t.Error("the caller is shown the cause")
	}
	want := [4][2]string{{"RateLimit-Limit", "60"}, {"RateLimit-Remaining", "0"}, {"RateLimit-Reset", "1"}, {"RateLimit-Policy", "60;w=60"}}
	if got := last.Fields(); got != want {
		t.Errorf("fields are %v", got)
	}
	if err := (ratelimit.Decision{Allowed: true}).Err(); err != nil {
		t.Errorf("an allowed request has the error %v", err)
	}
}

func TestReplicasThatShareACacheCountTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := ratelimit.Config{PerSecond: 10, Burst: 160} // a batch of 10, a window of 16 seconds
		shared := memory.New(1<<20, time.Now)
		var replicas []*ratelimit.Limits
		for range 4 {
			l := limits(t, cfg, shared, time.Now)
			l.Start()
			defer l.Stop()
			replicas = append(replicas, l)
		}
		begin := func() { // at the beginning of a window
			window := 16 * time.Second
			time.Sleep(window - time.Duration(time.Now().UnixNano())%window)
		}
		begin()
		for second := range 15 { // an honest client, over all of them: never more than the rate
			for i := range 10 {
				if d := replicas[i%4].Principal("honest", false); !d.Allowed {
					t.Fatalf("in second %d the honest client is refused", second)
				}
			}
			time.Sleep(time.Second)
		}
		begin()
		total := 0
		for range 100 { // another takes what each replica by itself would give
			for _, l := range replicas {
				if l.Principal("greedy", false).Allowed {
					total++
				}
			}
			synctest.Wait()
		}
		if total < 2*cfg.Burst || total > 2*cfg.Burst+4*10 {
			t.Errorf("the greedy one had %d of 400; twice the burst is %d", total, 2*cfg.Burst)
		}
		begin()
		if d := replicas[0].Principal("greedy", false); !d.Allowed {
			t.Errorf("in the next window it is still refused: %+v", d)
		}
	})
}

// away is a cache that does not answer.
type away struct{ cache.Cache }

func (away) Increment(ctx context.Context, _ string, _ time.Duration) (int64, error) {
	return 0, cache.ErrUnavailable
}

func TestWithoutTheCacheEachReplicaCountsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limits(t, ratelimit.Config{PerSecond: 10, Burst: 160}, away{}, time.Now)
		l.Start()
		defer l.Stop()
		if n, _ := taken(1000, func() ratelimit.Decision { d := l.Principal("a", false); synctest.Wait(); return d }); n != 160 {
			t.Errorf("%d of 1000", n)
		}
	})
}

func TestARequestNeverWaitsForTheCache(t *testing.T) {
	// Nobody was started to read the reports.
	l := limits(t, ratelimit.Config{Failures: 100_000}, away{}, newClock().now)
	if n, _ := taken(50_000, func() ratelimit.Decision { return l.Failure("192.0.2.1") }); n != 50_000 {
		t.Errorf("%d of 50000", n)
	}
	l.Stop()
}

func TestConfigIsRefused(t *testing.T) {
	if err := ratelimit.Default().Check(); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		cfg  ratelimit.Config
		says string
	}{
		{"a negative rate", ratelimit.Config{PerSecond: -1}, "RATE_LIMIT "},
		{"a rate without a burst", ratelimit.Config{PerSecond: 1}, "RATE_LIMIT_BURST"},
		{"negative failures", ratelimit.Config{Failures: -1}, "RATE_LIMIT_FAILURES"},
		{"negative strangers", ratelimit.Config{Anonymous: -1}, "RATE_LIMIT_ANONYMOUS"},
		{"strangers beyond any", ratelimit.Config{Anonymous: 1 << 40}, "RATE_LIMIT_ANONYMOUS"},
		{"a rate beyond any", ratelimit.Config{PerSecond: 1 << 40, Burst: 1}, "RATE_LIMIT"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := row.cfg.Check(); err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("error is %v", err)
			}
			if _, err := ratelimit.NewLimits(row.cfg, nil, time.Now, slog.New(slog.DiscardHandler)); err == nil {
				t.Error("it is taken")
			}
		})
	}
}

func BenchmarkTake(b *testing.B) {
	l := ratelimit.New("t", 1<<14, time.Now)
	rate := ratelimit.Rate{PerSecond: 1e6, Burst: 1e6}
	b.Run("one key", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			l.Take("token:0192f0c0-0000-7000-8000-000000000000", rate)
		}
	})
	b.Run("a flood of addresses", func(b *testing.B) {
		var keys [1 << 17]string
		for i := range keys {
			keys[i] = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String()
		}
		i := 0
		b.ReportAllocs()
		for b.Loop() {
			l.Take(keys[i%len(keys)], rate)
			i++
		}
	})
}
