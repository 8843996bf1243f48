package issuance_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/platform/database"
)

func TestWhatEverybodyAsksForCostsNoDatabase(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, secure)
		h.award.pictures[image.PNG] = picture(t, 20)
		c := h.issue(t, order())
		first, err := h.Published(t.Context(), c.ID)
		must(t, err)
		baked, err := h.PublishedBadge(t.Context(), c.ID, image.PNG)
		must(t, err)
		// What is behind the service's back is not seen at once, which shows that nobody asked.
		must(t, db.Session(t.Context()).Exec("UPDATE achievement_credentials SET version = 7 WHERE id = ?", c.ID).Error)
		h.award.err = errBroken
		for _, same := range []string{c.ID, strings.ToUpper(c.ID)} {
			again, err := h.Published(t.Context(), same)
			if err != nil || again.Version != first.Version || !bytes.Equal(again.Document, c.Document) {
				t.Errorf("%s is version %d, %v", same, again.Version, err)
			}
			badge, err := h.PublishedBadge(t.Context(), same, image.PNG)
			if err != nil || !bytes.Equal(badge.Body, baked.Body) || badge.Tag != baked.Tag {
				t.Errorf("the badge of %s is another one: %v", same, err)
			}
		}
		h.award.err = nil
		h.at = h.at.Add(time.Second)
		if later, err := h.Published(t.Context(), c.ID); err != nil || later.Version != 7 {
			t.Errorf("after a second it is version %d, %v", later.Version, err)
		}
	})
}

func TestAChangeIsSeenAtOnceHereAndSoonElsewhere(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		here, elsewhere := build(t, db, secure), build(t, db, secure)
		c := here.issue(t, order())
		for _, replica := range []*house{here, elsewhere} {
			_, err := replica.Published(t.Context(), c.ID)
			must(t, err)
		}
		here.at = here.at.Add(time.Minute)
		next, err := here.Reissue(as(t, "token:1"), c.ID, c.Version, issuance.Award{})
		must(t, err)
		if seen, err := here.Published(t.Context(), c.ID); err != nil || seen.Version != next.Version {
			t.Errorf("it is version %d, %v", seen.Version, err)
		}
		elsewhere.at = elsewhere.at.Add(time.Second)
		if seen, err := elsewhere.Published(t.Context(), c.ID); err != nil || seen.Version != next.Version {
			t.Errorf("a second later it is version %d elsewhere, %v", seen.Version, err)
		}
		must(t, here.Withdraw(as(t, "token:1"), c.ID))
		_, err = here.Published(t.Context(), c.ID)
		wants(t, err, issuance.ErrWithdrawn)
		elsewhere.at = elsewhere.at.Add(2 * time.Second)
		_, err = elsewhere.Published(t.Context(), c.ID)
		wants(t, err, issuance.ErrWithdrawn)
		for _, bad := range []string{"", "x", id(404)} {
			_, err = here.Published(t.Context(), bad)
			wants(t, err, issuance.ErrNotFound)
			_, err = here.PublishedBadge(t.Context(), bad, image.PNG)
			wants(t, err, issuance.ErrNotFound)
		}
	})
}

// TestAChangeWinsAgainstAReaderUnderWay asks all the time while a credential is withdrawn.
func TestAChangeWinsAgainstAReaderUnderWay(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, secure)
		for range 20 {
			c := h.issue(t, order())
			var wg sync.WaitGroup
			gone := make(chan struct{})
			for range 4 {
				wg.Go(func() {
					for {
						select {
						case <-gone:
							return
						default:
							_, _ = h.Published(t.Context(), c.ID)
						}
					}
				})
			}
			must(t, h.Withdraw(as(t, "token:1"), c.ID))
			_, err := h.Published(t.Context(), c.ID)
			close(gone)
			wg.Wait()
			wants(t, err, issuance.ErrWithdrawn)
			_, err = h.Published(t.Context(), c.ID)
			wants(t, err, issuance.ErrWithdrawn)
		}
	})
}
