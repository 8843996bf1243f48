package auth_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/auth"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

func TestWhoIsShutOutLosesSessionsAndTokensOnEveryReplica(t *testing.T) {
	w := newTown(t, nil)
	other := w.another()
	value, raw := w.signedIn(), w.token(w.dana())
	w.at = w.at.Add(time.Second)
	later := w.dana()
	later.Issued = w.at
	replicas := []*replica{w.replica, other}
	check := func(why string, want error) {
		t.Helper()
		for i, r := range replicas {
			if _, err := r.session(t.Context(), value); !errors.Is(err, want) {
				t.Errorf("%s: the session at %d: %v", why, i, err)
			}
			if _, err := r.bearer(t.Context(), raw); !errors.Is(err, want) {
				t.Errorf("%s: the token at %d: %v", why, i, err)
			}
		}
	}
	check("before", nil)
	if err := w.people.SetActive(t.Context(), strings.ToUpper(tenant), strings.ToUpper(dana), false); err != nil {
		t.Fatal(err)
	}
	w.cache.err = context.DeadlineExceeded // the cache is away
	cached := w.cache.asked
	if _, err := w.session(t.Context(), value); !errors.Is(err, auth.ErrDeactivated) {
		t.Errorf("here, at once: %v", err)
	}
	if err := other.people.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := other.session(t.Context(), value); !errors.Is(err, auth.ErrDeactivated) {
		t.Errorf("there, at the next poll: %v", err)
	}
	if _, err := other.bearer(t.Context(), raw); !errors.Is(err, auth.ErrDeactivated) {
		t.Errorf("there, at the next poll: %v", err)
	}
	if w.cache.asked == cached {
		t.Log("the cache was not needed")
	}
	w.cache.err = nil
	if !w.trail.has("auth.person_deactivated", "success") {
		t.Errorf("the trail has %+v", w.trail.events)
	}

	w.at = w.at.Add(time.Minute)
	if err := w.people.SetActive(t.Context(), tenant, dana, true); err != nil {
		t.Fatal(err)
	}
	if _, err := w.session(t.Context(), value); err == nil {
		t.Error("a session from before came back")
	}
	if _, err := w.bearer(t.Context(), raw); !errors.Is(err, auth.ErrDeactivated) {
		t.Errorf("a token from before came back: %v", err)
	}
	fresh := w.dana()
	fresh.Issued = w.at
	if _, err := w.bearer(t.Context(), w.token(fresh)); err != nil {
		t.Errorf("a new token: %v", err)
	}
	if _, err := w.session(t.Context(), w.signedIn()); err != nil {
		t.Errorf("a new session: %v", err)
	}
}

func TestWhoIsShutOutCannotSignIn(t *testing.T) {
	w := newTown(t, nil)
	state, browser := w.begin("/")
	if err := w.people.SetActive(t.Context(), tenant, dana, false); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.signIn.Complete(t.Context(), auth.Answer{State: state, Code: "code"}, browser, ""); !errors.Is(err, auth.ErrDeactivated) {
		t.Errorf("error is %v", err)
	}
}

func TestNobodyIsLetInWhileItIsNotKnownWhoIsShutOut(t *testing.T) {
	w := newTown(t, nil)
	value, raw := w.signedIn(), w.token(w.dana())
	w.shutouts.err = database.ErrUnavailable
	knock := func(want error) {
		t.Helper()
		if _, err := w.session(t.Context(), value); !errors.Is(err, want) {
			t.Errorf("the session: %v", err)
		}
		if _, err := w.bearer(t.Context(), raw); !errors.Is(err, want) {
			t.Errorf("the token: %v", err)
		}
	}
	for range 10 {
		if err := w.people.Poll(t.Context()); err == nil {
			t.Fatal("a poll that failed says nothing")
		}
	}
	knock(nil) // a moment without the database shuts nobody out
	for range 10 {
		_ = w.people.Poll(t.Context())
	}
	knock(auth.ErrUnsure)
	if p, err := w.bearer(t.Context(), bootstrap); err != nil || p.Anonymous() {
		t.Errorf("tokens of our own: %v", err)
	}
	w.shutouts.err = nil
	if err := w.people.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	knock(nil)
}

func TestShuttingOutTwiceIsOneChange(t *testing.T) {
	w := newTown(t, nil)
	for _, active := range []bool{true, false, false, true, true} {
		if err := w.people.SetActive(t.Context(), tenant, dana, active); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.shutouts.list) != 2 {
		t.Errorf("%d changes: %+v", len(w.shutouts.list), w.shutouts.list)
	}
}

func TestPeopleAreNamedByGUIDs(t *testing.T) {
	w := newTown(t, nil)
	for _, id := range []string{"", "dana", "dana@example.org", "{" + dana + "}", dana + "0", strings.ReplaceAll(dana, "-", "")} {
		if err := w.people.SetActive(t.Context(), tenant, id, false); !errors.Is(err, auth.ErrPerson) {
			t.Errorf("%q: %v", id, err)
		}
		if err := w.people.SetActive(t.Context(), id, dana, false); !errors.Is(err, auth.ErrPerson) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestShutoutsOnEveryEngine(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, at := t.Context(), time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		now := func() time.Time { return at }
		var log bytes.Buffer
		parts := auth.Parts{Config: auth.Default(), Now: now, Log: slog.New(slog.NewTextHandler(&log, nil))}
		store := auth.NewShutoutStore(db)
		people := auth.NewPeople(parts, store, db)
		if changes, err := store.Since(ctx, 0, 10); err != nil || len(changes) != 0 {
			t.Fatalf("%+v, error %v", changes, err)
		}
		t.Run("a change that is taken back leaves nothing", func(t *testing.T) {
			back := errors.New("back")
			err := db.Do(ctx, func(ctx context.Context) error {
				if err := people.Deactivate(ctx, tenant, dana); err != nil {
					return err
				}
				return back
			})
			if changes, since := store.Since(ctx, 0, 10); !errors.Is(err, back) || since != nil || len(changes) != 0 || log.Len() > 0 {
				t.Errorf("%+v, errors %v and %v: %s", changes, err, since, &log)
			}
		})
		err := db.Do(ctx, func(ctx context.Context) error {
			err := people.Deactivate(ctx, tenant, dana)
			if log.Len() > 0 {
				t.Errorf("before it is stored the log says %s", &log)
			}
			return err
		})
		if err != nil || strings.Count(log.String(), "person deactivated") != 1 {
			t.Fatalf("%v: %s", err, &log)
		}
		if err := people.Deactivate(ctx, tenant, admins); err != nil {
			t.Fatal(err)
		}
		first, err := store.Since(ctx, 0, 10)
		if err != nil || len(first) != 2 || first[0].ObjectID != dana || first[0].Active || !first[0].At.Equal(at) || first[1].Sequence <= first[0].Sequence {
			t.Fatalf("%+v, error %v", first, err)
		}
		begun := at
		at = at.Add(time.Hour)
		if err := people.Reactivate(ctx, tenant, dana); err != nil {
			t.Fatal(err)
		}
		next, err := store.Since(ctx, first[1].Sequence, 10)
		if err != nil || len(next) != 1 || next[0].ObjectID != dana || !next[0].Active || !next[0].At.Equal(begun) {
			t.Errorf("%+v, error %v", next, err)
		}
		if shut, err := store.Shut(ctx, tenant, dana); err != nil || shut {
			t.Errorf("shut out %t, error %v", shut, err)
		}
		if page, err := store.Since(ctx, 0, 1); err != nil || len(page) != 1 || page[0].ObjectID != admins {
			t.Errorf("%+v, error %v", page, err)
		}
		// Another handle is like another replica.
		people.Start(ctx)
		people.Stop()
		people.Stop()
	}, auth.Schema())
}
