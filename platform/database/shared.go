package database

import (
	"context"
	"sync"
	"time"

	"github.com/badge-engine/badge-engine/platform/fault"
)

const (
	// mostTogether is how many callers share one unit of work.
	mostTogether = 64
	// sharedTime is how long a shared unit may take. It cannot end with any one of its callers.
	sharedTime = 15 * time.Second
)

// Shared stores what many callers bring, in units of work that they share. Whoever comes
// while no unit is under way opens one at once; whoever comes meanwhile waits for the
// next, which stores what all of them bring. So a lone caller waits for nobody, and many
// wait for one another's disk no longer than for their own.
//
// There is one unit at a time. A second one beside it would only halve the callers of
// each, and where both hold the same row, PostgreSQL notes that in a list of its own.
type Shared[T any] struct {
	work   Work
	settle func(ctx context.Context, several []*Share[T]) error

	mu      sync.Mutex
	waiting []*Share[T]
	open    bool // a unit is under way
}

// Work runs fn as one unit, as [DB.Do] does.
type Work interface {
	Do(ctx context.Context, fn func(ctx context.Context) error) error
}

// Share is what one caller brings.
type Share[T any] struct {
	Context context.Context // of its caller
	Value   T

	err  error
	done chan struct{} // closed when err is known
	turn chan struct{} // tells its caller to open the next unit
}

// Refuse answers this caller alone with an error, while the others are stored.
func (s *Share[T]) Refuse(err error) { s.err = err }

// NewShared makes a Shared that stores by settle, which is given a unit of work and all
// who share it. What fails there fails for all of them, and is then tried for each alone,
// so that nobody fails by another's fault.
func NewShared[T any](work Work, settle func(ctx context.Context, several []*Share[T]) error) *Shared[T] {
	return &Shared[T]{work: work, settle: settle}
}

// Put stores v, alone or with others, and answers when that is durable or came to
// nothing. It must not be called within a unit of work.
func (s *Shared[T]) Put(ctx context.Context, v T) error {
	mine := &Share[T]{Context: ctx, Value: v, done: make(chan struct{}), turn: make(chan struct{}, 1)}
	s.mu.Lock()
	if s.open {
		s.waiting = append(s.waiting, mine)
		s.mu.Unlock()
		select {
		case <-mine.done: // another caller stored it with others
			return mine.err
		case <-mine.turn: // it was taken out of those that wait
		}
	} else {
		s.open = true
		s.mu.Unlock()
	}
	s.lead(mine)
	return mine.err
}

// lead stores a share and those that wait, and then gives the turn to the next.
func (s *Shared[T]) lead(first *Share[T]) {
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.waiting) == 0 {
			s.open = false
			return
		}
		next := s.waiting[0]
		s.waiting = s.waiting[1:]
		next.turn <- struct{}{} // never blocks: nobody else has this share
	}()
	s.store(first)
}

// join takes those that wait, as many as go together with some others.
func (s *Shared[T]) join(others []*Share[T]) []*Share[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.waiting), mostTogether-len(others))
	others = append(others, s.waiting[:n]...)
	if s.waiting = s.waiting[n:]; len(s.waiting) == 0 {
		s.waiting = nil
	}
	return others
}

// store answers a share and those that join it. They do once the unit of work has begun:
// on an engine where one unit writes at a time, that is when the one before has ended.
func (s *Shared[T]) store(first *Share[T]) {
	several := []*Share[T]{first}
	defer func() { // also should settle panic
		for _, a := range several {
			select {
			case <-a.done:
			default:
				if a.err == nil {
					a.err = errPanicked
				}
				close(a.done)
			}
		}
	}()
	var live []*Share[T]
	gathered := false
	gather := func() []*Share[T] {
		gathered = true
		several = s.join(several)
		for _, a := range several {
			if a.err = a.Context.Err(); a.err != nil {
				close(a.done) // its caller has gone
				continue
			}
			live = append(live, a)
		}
		return live
	}
	err := s.attempt(first.Context, gather)
	if !gathered { // there was no unit for anybody
		gather()
	}
	if f, ok := fault.From(err); err == nil || len(live) == 1 || ok && f.Kind() == fault.Unavailable {
		for _, a := range live {
			if a.err == nil {
				a.err = err
			}
			close(a.done)
		}
		return
	}
	for _, a := range live {
		a.err = nil
		if err := s.attempt(a.Context, func() []*Share[T] { return []*Share[T]{a} }); a.err == nil {
			a.err = err
		}
		close(a.done)
	}
}

func (s *Shared[T]) attempt(ctx context.Context, gather func() []*Share[T]) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sharedTime)
	defer cancel()
	return s.work.Do(ctx, func(ctx context.Context) error {
		several := gather()
		if len(several) == 0 {
			return nil
		}
		return s.settle(ctx, several)
	})
}
