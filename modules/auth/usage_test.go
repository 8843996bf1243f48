package auth_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/badge-engine/badge-engine/modules/auth"
	"github.com/badge-engine/badge-engine/platform/cache/memory"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// touches notes who was written down when.
type touches struct {
	mu   sync.Mutex
	at   map[string][]time.Time
	away func() // called instead, while the database is away
}

func (t *touches) Touch(ctx context.Context, id string, at time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.away != nil {
		t.away()
		return database.ErrUnavailable
	}
	t.at[id] = append(t.at[id], at)
	return ctx.Err()
}

func (t *touches) of(id string) []time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.at[id]
}

func (t *touches) fail(away func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.away = away
}

func TestUseIsWrittenDownOnceAMinuteAndAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		touches := &touches{at: map[string][]time.Time{}}
		log := slog.New(slog.DiscardHandler)
		usage := auth.NewUsage(touches, log)
		service, err := auth.New(auth.Default(), &shelf{tokens: map[string]auth.Token{}}, memory.New(1<<20, time.Now), usage, time.Now, log)
		if err != nil {
			t.Fatal(err)
		}
		text, token, err := service.Create(t.Context(), "busy", []string{principal.ScopeAdmin}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		use := func() time.Time {
			t.Helper()
			if _, err := service.Authenticate(t.Context(), httpserver.Credentials{Authorization: "Bearer " + text}); err != nil {
				t.Error(err)
			}
			return time.Now().UTC().Truncate(time.Second)
		}
		expect := func(when string, want ...time.Time) {
			t.Helper()
			got := touches.of(token.ID)
			if len(got) != len(want) {
				t.Fatalf("%s: written down %d times, want %d", when, len(got), len(want))
			}
			for i := range got {
				if !got[i].Equal(want[i]) {
					t.Errorf("%s: written down %v, want %v", when, got[i], want[i])
				}
			}
		}
		pass := func(d time.Duration) { // by the synthetic clock: nobody waits
			time.Sleep(d)
			synctest.Wait()
		}
		usage.Start()
		var first time.Time
		for range 50 { // one request a second
			first = use()
			pass(time.Second)
		}
		expect("before a minute is over")
		pass(11 * time.Second)
		expect("after a minute", first)
		pass(5 * time.Minute)
		expect("after minutes of rest", first)

		var newer time.Time
		touches.fail(func() { newer = use() }) // a request comes while the round fails
		use()
		pass(time.Minute)
		touches.fail(nil)
		pass(time.Minute)
		expect("once the database is back", first, newer)

		last := use()
		usage.Stop(t.Context())
		expect("after the stop", first, newer, last)
		usage.Stop(t.Context())
		expect("after another stop", first, newer, last)
	})
}

func TestStopWithoutStartDoesNothing(t *testing.T) {
	auth.NewUsage(&touches{away: func() { t.Error("it does") }}, slog.New(slog.DiscardHandler)).Stop(t.Context())
}
