package issuance_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/fault"
)

func TestOrdersAtOnceShareUnitsOfWork(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, secure)
		h.issue(t, order()) // now the achievement is known
		before := h.units.done.Load()
		h.units.delay = func() { time.Sleep(5 * time.Millisecond) } // as a disk does
		const callers = 60
		var wg sync.WaitGroup
		var mu sync.Mutex
		var said []string
		for n := range callers {
			wg.Go(func() {
				who := fmt.Sprint("token:", n)
				c, _, err := h.Issue(as(t, who), order())
				if err != nil {
					t.Error(err)
					return
				}
				if kept, err := h.Credential(context.WithoutCancel(t.Context()), c.ID); err != nil || string(kept.Document) != string(c.Document) {
					t.Errorf("it is answered and not there: %v", err)
				}
				mu.Lock()
				said = append(said, who+" issuance.credential.issued "+c.ID+" true")
				mu.Unlock()
			})
		}
		wg.Wait()
		if spent := h.units.done.Load() - before; spent >= callers/2 {
			t.Errorf("%d orders took %d units of work", callers, spent)
		}
		slices.Sort(said)
		recorded := slices.Sorted(slices.Values(h.audit.said[1:]))
		if !slices.Equal(said, recorded) {
			t.Errorf("recorded is\n%s\nwant\n%s", strings.Join(recorded, "\n"), strings.Join(said, "\n"))
		}
	})
}

func TestALoneOrderWaitsForNobody(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, secure)
		h.issue(t, order())
		before := h.units.done.Load()
		h.issue(t, order())
		if spent := h.units.done.Load() - before; spent != 1 {
			t.Errorf("it took %d units of work", spent)
		}
	})
}

func TestAnAchievementThatChangesIsAwardedAsItIs(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, secure)
		for _, o := range []issuance.Order{order(), keyed("key", "hash")} {
			h.issue(t, o)
			asked := h.award.asked.Load()
			h.award.details.Name, h.award.edition = "Teamwork of old", h.award.edition+"'"
			o.IdempotencyKey += "2"
			if o.RequestHash == "" {
				o.IdempotencyKey = ""
			}
			if c := h.issue(t, o); c.Name != "Teamwork of old" || decode(t, c).CredentialSubject.Achievement.Name != "Teamwork of old" {
				t.Errorf("the credential says %s", c.Document)
			}
			if h.award.asked.Load() == asked {
				t.Error("nobody asked what the achievement has become")
			}
			h.award.details.Name = "Teamwork"
			h.award.edition += "'"
		}
		asked := h.award.asked.Load()
		h.issue(t, order())
		h.issue(t, order())
		if again := h.award.asked.Load() - asked; again > 1 {
			t.Errorf("an achievement that did not change was read %d times", again)
		}
		rows := h.count(t, db)
		h.award.gone = errNone
		_, _, err := h.Issue(as(t, "token:1"), order())
		wants(t, err, issuance.ErrInvalid)
		if f, ok := fault.From(err); !ok || len(f.Violations()) == 0 || f.Violations()[0].Pointer != "/achievementId" {
			t.Errorf("%v does not lead to the achievement", err)
		}
		if now := h.count(t, db); now != rows {
			t.Errorf("%d credentials were stored", now-rows)
		}
	})
}

// work does units of work that store nothing, or cannot begin.
type work struct {
	err   error
	tries int
}

func (w *work) Do(ctx context.Context, fn func(ctx context.Context) error) error {
	if w.tries++; w.err != nil {
		return w.err
	}
	return fn(ctx)
}

// TestNobodyFailsByAnothersFault stores good credentials together with one that the database refuses.
func TestNobodyFailsByAnothersFault(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, secure)
		first := h.issue(t, order())
		bad := errors.New("the database refuses it")
		var stored []string
		settle := func(_ context.Context, several []issuance.Credential) error {
			for _, c := range several {
				if c.ID == "bad" {
					return bad
				}
			}
			for _, c := range several {
				stored = append(stored, c.ID)
			}
			return nil
		}
		var several []issuance.Credential
		for n := range 5 {
			c := first
			if c.ID = fmt.Sprint(n); n == 3 {
				c.ID = "bad"
			}
			several = append(several, c)
		}
		for n, err := range issuance.Together(t.Context(), &work{}, settle, several) {
			if n == 3 {
				wants(t, err, bad)
			} else if err != nil {
				t.Errorf("credential %d: %v", n, err)
			}
		}
		if slices.Sort(stored); !slices.Equal(stored, []string{"0", "1", "2", "4"}) {
			t.Errorf("stored are %v", stored)
		}
		over, cancel := context.WithCancel(t.Context())
		cancel()
		for _, err := range issuance.Together(over, &work{}, settle, several[:1]) {
			wants(t, err, context.Canceled)
		}
		for _, err := range issuance.Together(t.Context(), &work{}, func(context.Context, []issuance.Credential) error { panic("broken") }, several[:2]) {
			if err == nil {
				t.Error("a panic is answered as if it were stored")
			}
		}
		away := &work{err: database.ErrUnavailable}
		for _, err := range issuance.Together(t.Context(), away, settle, several) {
			wants(t, err, database.ErrUnavailable)
		}
		if away.tries != 1 {
			t.Errorf("a database that is away was tried %d times for callers who wait", away.tries)
		}
	})
}
