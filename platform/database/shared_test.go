package database_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/badge-engine/badge-engine/platform/database"
)

// work does units of work that store nothing.
type work struct{}

func (work) Do(ctx context.Context, fn func(ctx context.Context) error) error { return fn(ctx) }

// crowd lets callers bring numbers while the unit of work of the first, who brings 0, is
// held up, and answers the numbers of each unit and what became of each number.
func crowd(t *testing.T, callers []context.Context, settle func(several []*database.Share[int]) error) (units [][]int, errs []error) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		shared := database.NewShared(work{}, func(_ context.Context, several []*database.Share[int]) error {
			var numbers []int
			for _, s := range several {
				numbers = append(numbers, s.Value)
			}
			units = append(units, numbers)
			if numbers[0] == 0 {
				<-free
				return nil
			}
			return settle(several)
		})
		errs = make([]error, len(callers)+1)
		put := func(ctx context.Context, n int) {
			defer func() {
				if recover() != nil {
					errs[n] = errBroken
				}
			}()
			errs[n] = shared.Put(ctx, n)
		}
		go put(t.Context(), 0)
		synctest.Wait()
		for i, ctx := range callers {
			go put(ctx, i+1)
			synctest.Wait() // so that they wait in their order
		}
		if len(units) > 0 {
			close(free)
		}
		synctest.Wait()
	})
	return units, errs
}

var errBroken = errors.New("it panicked")

func TestCallersShareUnitsOfWork(t *testing.T) {
	errBad := errors.New("the database refuses it")
	over, cancel := context.WithCancel(t.Context())
	cancel()
	fine := func([]*database.Share[int]) error { return nil }
	of := func(n int) (callers []context.Context) {
		for range n {
			callers = append(callers, t.Context())
		}
		return callers
	}
	for name, tt := range map[string]struct {
		callers []context.Context
		settle  func(several []*database.Share[int]) error
		units   [][]int
		fail    map[int]error
	}{
		"nobody but the first":         {of(0), fine, [][]int{{0}}, nil},
		"who waits is stored together": {of(4), fine, [][]int{{0}, {1, 2, 3, 4}}, nil},
		"one is refused and the others stored": {of(3), func(several []*database.Share[int]) error {
			several[1].Refuse(errBad)
			return nil
		}, [][]int{{0}, {1, 2, 3}}, map[int]error{2: errBad}},
		"one makes all fail": {of(3), func(several []*database.Share[int]) error {
			if slices.ContainsFunc(several, func(s *database.Share[int]) bool { return s.Value == 2 }) {
				return errBad
			}
			return nil
		}, [][]int{{0}, {1, 2, 3}, {1}, {2}, {3}}, map[int]error{2: errBad}},
		"the database goes away": {of(2), func([]*database.Share[int]) error { return database.ErrUnavailable }, [][]int{{0}, {1, 2}}, map[int]error{1: database.ErrUnavailable, 2: database.ErrUnavailable}},
		"some have gone":         {[]context.Context{over, t.Context(), over}, fine, [][]int{{0}, {2}}, map[int]error{1: context.Canceled, 3: context.Canceled}},
		"all have gone":          {[]context.Context{over, over}, fine, [][]int{{0}}, map[int]error{1: context.Canceled, 2: context.Canceled}},
	} {
		t.Run(name, func(t *testing.T) {
			units, errs := crowd(t, tt.callers, tt.settle)
			if !slices.EqualFunc(units, tt.units, slices.Equal[[]int]) {
				t.Errorf("the units were %v, want %v", units, tt.units)
			}
			for n, err := range errs {
				if !errors.Is(err, tt.fail[n]) {
					t.Errorf("number %d is answered %v, want %v", n, err, tt.fail[n])
				}
			}
		})
	}
	t.Run("a panic is nobody's success and holds nobody up", func(t *testing.T) {
		units, errs := crowd(t, of(70), func(several []*database.Share[int]) error {
			if len(several) == 64 {
				panic("broken")
			}
			return nil
		})
		if len(units) != 3 || len(units[1]) != 64 || len(units[2]) != 6 {
			t.Errorf("the units were %v", units)
		}
		for n, err := range errs {
			if failed := n >= 1 && n <= 64; failed != (err != nil) {
				t.Errorf("number %d is answered %v", n, err)
			}
		}
	})
}

// slow cannot begin a unit, and takes its time to say so.
type slow struct {
	tries int
	free  chan struct{}
}

func (s *slow) Do(context.Context, func(ctx context.Context) error) error {
	s.tries++
	<-s.free
	return database.ErrUnavailable
}

func TestADatabaseThatIsAwayIsTriedOnceForAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := &slow{free: make(chan struct{})}
		shared := database.NewShared(away, func(context.Context, []*database.Share[int]) error { return nil })
		var failed atomic.Int64
		for n := range 20 {
			go func() {
				if errors.Is(shared.Put(t.Context(), n), database.ErrUnavailable) {
					failed.Add(1)
				}
			}()
			synctest.Wait()
		}
		close(away.free)
		synctest.Wait()
		if away.tries != 1 || failed.Load() != 20 {
			t.Errorf("it was tried %d times, and %d were told", away.tries, failed.Load())
		}
	})
}
