package auth_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/auth"
	"github.com/badge-engine/badge-engine/platform/cache/memory"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

func TestStoreKeepsTokens(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, store := t.Context(), auth.NewStore(db)
		at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		log := slog.New(slog.DiscardHandler)
		usage := auth.NewUsage(store, log)
		service, err := auth.New(auth.Default(), store, memory.New(1<<20, func() time.Time { return at }), usage, func() time.Time { return at }, log)
		if err != nil {
			t.Fatal(err)
		}
		text, first, err := service.Create(ctx, "first", []string{principal.ScopeSCIM, principal.ScopeCredentialsRead}, at.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		at = at.Add(time.Second)
		_, second, err := service.Create(ctx, "second", []string{principal.ScopeAdmin}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}

		t.Run("a token comes back as it was", func(t *testing.T) {
			p, err := service.Authenticate(ctx, httpserver.Credentials{Authorization: "Bearer " + text})
			if err != nil || p.ID != "token:"+first.ID {
				t.Fatalf("principal is %+v, error %v", p, err)
			}
			got, err := store.Find(ctx, first.ID)
			if err != nil {
				t.Fatal(err)
			}
			if got.Name != "first" || got.Prefix != first.Prefix || !slices.Equal(got.Scopes, first.Scopes) || !got.Created.Equal(first.Created) ||
				!got.Expires.Equal(first.Expires) || !got.Revoked.IsZero() || !got.LastUsed.IsZero() {
				t.Errorf("token is %+v, was %+v", got, first)
			}
		})
		t.Run("the newest is listed first", func(t *testing.T) {
			list, err := store.List(ctx)
			if err != nil || len(list) != 2 || list[0].ID != second.ID || !list[0].Expires.IsZero() || list[1].ID != first.ID {
				t.Errorf("list is %+v, error %v", list, err)
			}
		})
		t.Run("an unknown token is not found", func(t *testing.T) {
			if _, err := store.Find(ctx, "0192f0c0-0000-7000-8000-000000000000"); !errors.Is(err, auth.ErrNotFound) {
				t.Errorf("error is %v", err)
			}
		})
		t.Run("a token cannot be stored twice", func(t *testing.T) {
			if err := store.Insert(ctx, first); err == nil {
				t.Error("it was")
			}
		})
		t.Run("the time of use never moves back", func(t *testing.T) {
			for _, minutes := range []time.Duration{5, 3} {
				if err := store.Touch(ctx, first.ID, at.Add(minutes*time.Minute)); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := store.Find(ctx, first.ID); err != nil || !got.LastUsed.Equal(at.Add(5*time.Minute)) {
				t.Errorf("last used %v, error %v", got.LastUsed, err)
			}
			if got, err := store.Find(ctx, second.ID); err != nil || !got.LastUsed.IsZero() {
				t.Errorf("the other token was last used %v, error %v", got.LastUsed, err)
			}
		})
		t.Run("the first revocation stays", func(t *testing.T) {
			for _, minutes := range []time.Duration{1, 2} {
				if err := store.Revoke(ctx, first.ID, at.Add(minutes*time.Minute)); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := store.Find(ctx, first.ID); err != nil || !got.Revoked.Equal(at.Add(time.Minute)) {
				t.Errorf("revoked %v, error %v", got.Revoked, err)
			}
			if got, err := store.Find(ctx, second.ID); err != nil || !got.Revoked.IsZero() {
				t.Errorf("the other token is revoked %v, error %v", got.Revoked, err)
			}
		})
		t.Run("a unit that fails keeps nothing", func(t *testing.T) {
			stop := errors.New("stop")
			err := db.Do(ctx, func(ctx context.Context) error {
				if _, _, err := service.Create(ctx, "third", []string{principal.ScopeAdmin}, time.Time{}); err != nil {
					return err
				}
				return stop
			})
			if list, _ := store.List(ctx); !errors.Is(err, stop) || len(list) != 2 {
				t.Errorf("error is %v, %d tokens", err, len(list))
			}
		})
		t.Run("a database that is away is no invalid token", func(t *testing.T) {
			text, _, err := service.Create(ctx, "fourth", []string{principal.ScopeAdmin}, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := service.Authenticate(ctx, httpserver.Credentials{Authorization: "Bearer " + text}); !errors.Is(err, database.ErrUnavailable) {
				t.Errorf("error is %v", err)
			}
		})
	}, auth.Schema())
}
