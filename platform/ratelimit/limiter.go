package ratelimit

import (
	"hash/maphash"
	"sync"
	"time"
)

// Rate is a token bucket: it holds Burst requests and fills by PerSecond.
type Rate struct {
	PerSecond float64
	Burst     int
}

// step is how long one request takes to fill up again.
func (r Rate) step() time.Duration { return max(time.Duration(float64(time.Second)/r.PerSecond), 1) }

// window is how long the empty bucket takes to fill. Nobody who keeps to the
// rate sends more than twice the burst in it.
func (r Rate) window() time.Duration { return r.step() * time.Duration(r.Burst) }

// batch is how many requests are reported to the other replicas at a time.
func (r Rate) batch() int { return max(r.Burst/16, 1) }

func (r Rate) unlimited() bool { return r.PerSecond <= 0 || r.Burst <= 0 }

const shards = 16

// Limiter is a bucket for each key. It holds at most as many as it was made for:
// past that it forgets, among a few, the one that has the least to wait for, so
// that a flood of new keys cannot win an old one its freedom cheaply. It is safe
// for concurrent use.
type Limiter struct {
	name   string
	start  time.Time
	now    func() time.Time
	each   int // keys in a shard
	seed   maphash.Seed
	tell   chan<- report // nil: alone
	shards [shards]shard
}

type shard struct {
	mu      sync.Mutex
	buckets map[string]bucket
}

// bucket is a token bucket written as the time at which it is full again, the
// virtual scheduling of the generic cell rate algorithm (ITU-T I.371, A): there is
// nothing to fill in the background.
type bucket struct {
	full   time.Duration // since the start of the limiter
	window int64         // in which used was counted
	used   int           // since it was last reported
}

// New makes a limiter for at most keys keys at a time, by the clock now. The name
// is that of its counters where replicas share them.
func New(name string, keys int, now func() time.Time) *Limiter {
	l := &Limiter{name: name, start: now(), now: now, each: max(keys/shards, 1), seed: maphash.MakeSeed()}
	for i := range l.shards {
		l.shards[i].buckets = map[string]bucket{}
	}
	return l
}

// Take takes one request out of the bucket of key. A request that is refused
// takes nothing. A rate of nothing is no limit.
func (l *Limiter) Take(key string, rate Rate) Decision {
	if rate.unlimited() {
		return Decision{Rate: rate, Allowed: true}
	}
	clock := l.now()
	now := clock.Sub(l.start) // monotonic: nobody waits longer because a clock was set
	step, depth := rate.step(), rate.window()

	s := l.shard(key)
	s.mu.Lock()
	b, known := s.buckets[key]
	full := max(b.full, now) + step
	if full-now > depth {
		s.mu.Unlock()
		return Decision{Rate: rate, Wait: full - now - depth}
	}
	if !known && len(s.buckets) >= l.each {
		s.evict(now)
	}
	b.full = full
	due := l.tell != nil && b.count(clock.UnixNano()/int64(depth), rate.batch())
	s.buckets[key] = b
	s.mu.Unlock()

	if due {
		select {
		case l.tell <- report{l, key, rate, b.window}:
		default: // the cache is slower than the requests: this replica's own count stands
		}
	}
	return Decision{Rate: rate, Allowed: true, Remaining: int((depth - (full - now)) / step)}
}

// count notes one request and reports whether a batch is complete.
func (b *bucket) count(window int64, batch int) bool {
	if b.window != window {
		b.window, b.used = window, 0
	}
	if b.used++; b.used < batch {
		return false
	}
	b.used = 0
	return true
}

// block empties the bucket of key until a time.
func (l *Limiter) block(key string, rate Rate, until time.Time) {
	s := l.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	b, known := s.buckets[key]
	if !known && len(s.buckets) >= l.each {
		s.evict(l.now().Sub(l.start))
	}
	b.full = max(b.full, until.Sub(l.start)+rate.window()-rate.step())
	s.buckets[key] = b
}

func (l *Limiter) shard(key string) *shard {
	return &l.shards[maphash.String(l.seed, key)%shards]
}

// evict makes room for one, by a look at a few that chance chooses.
func (s *shard) evict(now time.Duration) {
	looked, victim, least := 0, "", time.Duration(0)
	for key, b := range s.buckets {
		if b.full <= now {
			delete(s.buckets, key) // full: it says no more than a new one
			return
		}
		if looked == 0 || b.full < least {
			victim, least = key, b.full
		}
		if looked++; looked == 8 {
			break
		}
	}
	delete(s.buckets, victim)
}
