package issuance_test

import (
	"context"
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
