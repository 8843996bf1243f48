package cache

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	tolerated = 3           // failures in a row after which a store counts as away
	restTime  = time.Second // how long one that is away is let alone
)

// Spare spares callers the wait for a store that does not answer: after some failures in
// a row it is away, and what it is asked is answered with [ErrUnavailable] at once, but
// for one question a second, which finds out whether it is back. A ping is always asked.
func Spare(store Store, now func() time.Time) Store { return &spared{Store: store, now: now} }

type spared struct {
	Store
	now func() time.Time

	mu       sync.Mutex
	failures int       // in a row
	again    time.Time // when the next question may be asked while it is away
}

// asking says whether to ask.
func (s *spared) asking() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failures < tolerated {
		return true
	}
	now := s.now()
	// Also where the clock was set back.
	if now.Before(s.again) && s.again.Sub(now) <= restTime {
		return false
	}
	s.again = now.Add(restTime)
	return true
}

// heard notes what came of a question. That a caller went away says nothing.
func (s *spared) heard(ctx context.Context, err error) {
	unavailable := errors.Is(err, ErrUnavailable)
	if unavailable && errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !unavailable {
		s.failures = 0
		return
	}
	if s.failures++; s.failures >= tolerated {
		s.again = s.now().Add(restTime)
	}
}

// Get implements [Cache].
func (s *spared) Get(ctx context.Context, key string) ([]byte, bool, error) {
	if !s.asking() {
		return nil, false, ErrUnavailable
	}
	value, found, err := s.Store.Get(ctx, key)
	s.heard(ctx, err)
	return value, found, err
}

// Set implements [Cache].
func (s *spared) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if !s.asking() {
		return ErrUnavailable
	}
	err := s.Store.Set(ctx, key, value, ttl)
	s.heard(ctx, err)
	return err
}

// Add implements [Cache].
func (s *spared) Add(ctx context.Context, key string, value []byte, ttl time.Duration) (bool, error) {
	if !s.asking() {
		return false, ErrUnavailable
	}
	added, err := s.Store.Add(ctx, key, value, ttl)
	s.heard(ctx, err)
	return added, err
}

// Delete implements [Cache]. It is always asked: what is deleted should be gone, and
// what is deleted is seldom.
func (s *spared) Delete(ctx context.Context, keys ...string) error {
	err := s.Store.Delete(ctx, keys...)
	s.heard(ctx, err)
	return err
}

// Increment implements [Cache].
func (s *spared) Increment(ctx context.Context, key string, ttl time.Duration) (int64, error) {
	if !s.asking() {
		return 0, ErrUnavailable
	}
	count, err := s.Store.Increment(ctx, key, ttl)
	s.heard(ctx, err)
	return count, err
}

// Ping implements [Cache].
func (s *spared) Ping(ctx context.Context) error {
	err := s.Store.Ping(ctx)
	s.heard(ctx, err)
	return err
}
