package issuance_test

import (
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/migrations"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// noon is when the tests happen.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// id makes the n-th identifier; a higher n sorts later.
func id(n int) string { return fmt.Sprintf("0192f0c0-abcd-7000-8000-%012d", n) }

func each(t *testing.T, run func(t *testing.T, db *database.DB)) {
	dbtest.Each(t, run, issuance.Schema())
}

func migrationsOf(db *database.DB) (*migrations.Runner, error) {
	return migrations.New(db, []migrations.Set{issuance.Schema()}, slog.New(slog.DiscardHandler))
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func wants(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error is %v instead of %v", err, want)
	}
}

// reserved is the n-th reservation.
func reserved(n int) issuance.Credential {
	return issuance.Credential{
		ID: id(n), IssuerID: id(9001), AchievementID: id(9002), State: issuance.Reserved, Name: fmt.Sprint("Badge ", n),
		ValidFrom: noon, Version: 1, Created: noon, Updated: noon,
	}
}

// signed is what a reservation becomes.
func signed(c issuance.Credential) issuance.Credential {
	c.State, c.Document = issuance.Issued, []byte(`{"id":"`+c.ID+`","name":"Été 学院"}`)
	return c
}

func TestStoreTakesACredentialFromReservationToWithdrawal(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, store := t.Context(), issuance.NewStore(db)
		until := noon.Add(24 * time.Hour)
		c := reserved(1).For("index").Keyed("token:1", "key", "hash")
		c.ValidUntil = &until
		must(t, store.Reserve(ctx, c))
		listed := func(f issuance.Filter) []string {
			page, err := store.Credentials(ctx, f, paging.Query{Limit: 10, Sort: "createdAt"})
			must(t, err)
			var ids []string
			for _, item := range page.Items {
				ids = append(ids, item.ID)
			}
			return ids
		}
		state := func(want issuance.State) issuance.Credential {
			t.Helper()
			got, err := store.Credential(ctx, c.ID)
			if err != nil || got.State != want {
				t.Fatalf("credential is %+v, %v", got, err)
			}
			return got
		}

		if got := state(issuance.Reserved); got.Document != nil || !got.ValidUntil.Equal(until) || !got.ValidFrom.Equal(noon) || got.Name != "Badge 1" {
			t.Errorf("reserved as %+v", got)
		}
		if ids := listed(issuance.Filter{}); len(ids) != 0 {
			t.Errorf("a reservation is listed: %v", ids)
		}
		next := signed(c)
		next.Version = 2
		wants(t, store.Replace(ctx, next), issuance.ErrVersion)
		wants(t, store.Withdraw(ctx, c.ID, id(77), noon), issuance.ErrNotFound)

		must(t, store.Complete(ctx, signed(c)))
		if got := state(issuance.Issued); string(got.Document) != string(signed(c).Document) {
			t.Errorf("stored %s", got.Document)
		}
		wants(t, store.Complete(ctx, signed(c)), issuance.ErrSettled)
		must(t, store.Release(ctx, c.ID)) // what is signed stays
		state(issuance.Issued)
		if ids := listed(issuance.Filter{Recipient: "index"}); !slices.Equal(ids, []string{c.ID}) {
			t.Errorf("the recipient has %v", ids)
		}

		next.Name, next.Document, next.ValidFrom, next.ValidUntil, next.Updated = "Badge II", []byte(`{"version":2}`), noon.Add(time.Second), nil, noon.Add(time.Hour)
		must(t, store.Replace(ctx, next))
		got := state(issuance.Issued)
		if got.Version != 2 || got.Name != "Badge II" || string(got.Document) != `{"version":2}` || got.ValidUntil != nil || !got.ValidFrom.Equal(next.ValidFrom) || !got.Created.Equal(noon) || !got.Updated.Equal(next.Updated) {
			t.Errorf("replaced by %+v", got)
		}
		wants(t, store.Replace(ctx, next), issuance.ErrVersion)

		must(t, store.Withdraw(ctx, c.ID, id(77), noon.Add(2*time.Hour)))
		if got := state(issuance.Withdrawn); got.Document != nil || !got.Updated.Equal(noon.Add(2*time.Hour)) {
			t.Errorf("withdrawn as %+v", got)
		}
		if ids := listed(issuance.Filter{Recipient: "index"}); len(ids) != 0 {
			t.Errorf("the recipient still has %v", ids)
		}
		if ids := listed(issuance.Filter{State: "withdrawn"}); len(ids) != 1 {
			t.Errorf("withdrawn are %v", ids)
		}
		if before, err := store.ByIdempotencyKey(ctx, "token:1", "key"); err != nil || before.ID != c.ID || before.State != issuance.Withdrawn {
			t.Errorf("the order came to %+v, %v", before, err)
		}
		wants(t, store.Withdraw(ctx, c.ID, id(77), noon), issuance.ErrNotFound)

		_, err := store.Credential(ctx, id(404))
		wants(t, err, issuance.ErrNotFound)
		wants(t, store.Complete(ctx, signed(reserved(404))), issuance.ErrSettled)
		must(t, store.Release(ctx, id(404)))
	})
}

// TestInsertForgetsNoColumn compares the row of a credential that was inserted with that
// of one which gorm made of everything that the row has.
func TestInsertForgetsNoColumn(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, store := t.Context(), issuance.NewStore(db)
		row := func(c issuance.Credential) (found map[string]any) {
			t.Helper()
			must(t, db.Session(ctx).Table("achievement_credentials").Where("id = ?", c.ID).Take(&found).Error, db.Session(ctx).Exec("DELETE FROM achievement_credentials").Error)
			return found
		}
		c := reserved(1).Whole()
		must(t, store.Reserve(ctx, c))
		want := row(c)
		must(t, store.Insert(ctx, []issuance.Credential{c}))
		if got := row(c); !reflect.DeepEqual(got, want) {
			t.Errorf("inserted as %v\ninstead of    %v", got, want)
		}
		many := []issuance.Credential{c} // which the engine may have another way for
		for n := range 100 {
			many = append(many, signed(reserved(n+2)))
		}
		must(t, store.Insert(ctx, many))
		if got := row(c); !reflect.DeepEqual(got, want) {
			t.Errorf("with others inserted as %v\ninstead of    %v", got, want)
		}
		for column, value := range want {
			if empty := value == nil; empty != slices.Contains([]string{"owner", "idempotency_key", "request_hash", "withdrawn_by"}, column) {
				t.Errorf("%s is %v", column, value)
			}
		}
	})
}

func TestIdempotencyKeysAreUniqueForTheirOwner(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, store := t.Context(), issuance.NewStore(db)
		n := 0
		reserve := func(owner, key string) error {
			n++
			return store.Reserve(ctx, reserved(n).Keyed(owner, key, "hash"))
		}
		must(t, reserve("token:1", "a"), reserve("token:2", "a"), reserve("token:1", "b"), reserve("", "a"))
		must(t, reserve("token:1", ""), reserve("token:1", ""), reserve("", ""), reserve("", "")) // no key repeats nothing
		wants(t, reserve("token:1", "a"), issuance.ErrRepeated)
		wants(t, reserve("", "a"), issuance.ErrRepeated)
		must(t, reserve("token:1", "A"))
		for _, row := range []struct{ owner, key, want string }{
			{"token:1", "a", id(1)}, {"token:2", "a", id(2)}, {"token:1", "b", id(3)}, {"", "a", id(4)}, {"token:3", "a", ""}, {"token:1", "", ""},
		} {
			found, err := store.ByIdempotencyKey(ctx, row.owner, row.key)
			if row.want == "" {
				wants(t, err, issuance.ErrNotFound)
			} else if err != nil || found.ID != row.want {
				t.Errorf("%s of %s is %s, %v", row.key, row.owner, found.ID, err)
			}
		}
		// A key is free again once its reservation is released.
		must(t, store.Release(ctx, id(1)), reserve("token:1", "a"))
	})
}

func TestOfManyReservationsByOneKeyOneIsMade(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		store := issuance.NewStore(db)
		const callers = 10
		var errs [callers]error
		var wg sync.WaitGroup
		for n := range callers {
			wg.Go(func() { errs[n] = store.Reserve(t.Context(), reserved(n).Keyed("token:1", "key", "hash")) })
		}
		wg.Wait()
		made := 0
		for _, err := range errs {
			if err == nil {
				made++
			} else {
				wants(t, err, issuance.ErrRepeated)
			}
		}
		if made != 1 {
			t.Errorf("%d reservations", made)
		}
	})
}

func TestSweepTakesOldReservationsOnly(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, store := t.Context(), issuance.NewStore(db)
		old := reserved(1)
		old.Created = noon.Add(-time.Second)
		issued := reserved(3)
		issued.Created = noon.Add(-time.Hour)
		must(t, store.Reserve(ctx, old), store.Reserve(ctx, reserved(2)), store.Reserve(ctx, issued), store.Complete(ctx, signed(issued)))
		if swept, err := store.Sweep(ctx, noon); err != nil || swept != 1 {
			t.Errorf("swept %d, %v", swept, err)
		}
		_, err := store.Credential(ctx, id(1))
		wants(t, err, issuance.ErrNotFound)
		for _, n := range []int{2, 3} {
			if _, err := store.Credential(ctx, id(n)); err != nil {
				t.Errorf("%d is gone: %v", n, err)
			}
		}
		wants(t, store.Complete(ctx, signed(old)), issuance.ErrSettled)
	})
}

func TestAReservationIsSignedOrSweptButNeverBoth(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, store := t.Context(), issuance.NewStore(db)
		for n := range 20 {
			must(t, store.Reserve(ctx, reserved(n)))
			var completed error
			var swept int64
			var wg sync.WaitGroup
			wg.Go(func() { completed = store.Complete(ctx, signed(reserved(n))) })
			wg.Go(func() { swept, _ = store.Sweep(ctx, noon.Add(time.Hour)) })
			wg.Wait()
			if (completed == nil) == (swept == 1) {
				t.Fatalf("completed: %v, swept: %d", completed, swept)
			}
			if completed != nil {
				wants(t, completed, issuance.ErrSettled)
			}
		}
	})
}

func TestSweepAsksAnIndex(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		if db.Dialect() != "sqlite" {
			return // a planner with statistics of its own may well read an empty table as it stands
		}
		var plan []struct{ Detail string }
		must(t, db.Reader(t.Context()).Raw("EXPLAIN QUERY PLAN DELETE FROM achievement_credentials WHERE state = 'reserved' AND created_at < ?", noon).Scan(&plan).Error)
		if len(plan) == 0 || !strings.Contains(plan[0].Detail, "idx_credentials_reserved") {
			t.Errorf("the plan is %+v", plan)
		}
	})
}

func TestAnyCredentialCounts(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, store := t.Context(), issuance.NewStore(db)
		must(t, store.Reserve(ctx, reserved(1)))
		for _, row := range []struct {
			issuer, achievement string
			want                bool
		}{
			{id(9001), "", true}, {id(9001), id(9002), true}, {id(9001), id(9003), false}, {id(9003), "", false}, {id(9003), id(9002), false},
		} {
			if got, err := issuance.NewLedger(store).Issued(ctx, row.issuer, row.achievement); err != nil || got != row.want {
				t.Errorf("%s, %q: %t, %v", row.issuer, row.achievement, got, err)
			}
		}
	})
}

func TestCredentialsAreListedInEveryOrder(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, store := t.Context(), issuance.NewStore(db)
		type row struct{ n, created, from int } // seconds after noon
		rows := []row{{1, 0, 9}, {2, 1, 5}, {3, 1, 5}, {4, 1, 1}, {5, 3, 5}, {6, 2, 0}, {7, 2, 5}}
		for _, r := range rows {
			c := reserved(r.n)
			c.Created, c.ValidFrom = noon.Add(time.Duration(r.created)*time.Second), noon.Add(time.Duration(r.from)*time.Second)
			if r.n%2 == 0 {
				c.IssuerID, c.AchievementID = id(9003), id(9004)
			}
			must(t, store.Reserve(ctx, c.For([]string{"x", "y", "z"}[r.n%3])), store.Complete(ctx, signed(c)))
		}
		must(t, store.Reserve(ctx, reserved(8)))
		walk := func(t *testing.T, f issuance.Filter, q paging.Query) (ids []string) {
			for range 20 {
				page, err := store.Credentials(ctx, f, q)
				must(t, err)
				for _, c := range page.Items {
					ids = append(ids, c.ID)
				}
				if q.Cursor = page.Next; q.Cursor == "" {
					return ids
				}
			}
			t.Fatal("the list has no end")
			return nil
		}
		for sort, key := range map[string]func(row) int{"createdAt": func(r row) int { return r.created }, "validFrom": func(r row) int { return r.from }} {
			for _, descending := range []bool{false, true} {
				sorted := slices.SortedFunc(slices.Values(rows), func(a, b row) int {
					if key(a) != key(b) {
						return key(a) - key(b)
					}
					return a.n - b.n
				})
				if descending {
					slices.Reverse(sorted)
				}
				var want []string
				for _, r := range sorted {
					want = append(want, id(r.n))
				}
				for _, limit := range []int{1, 2, 7, 50} {
					t.Run(fmt.Sprintf("%s, descending %t, %d a page", sort, descending, limit), func(t *testing.T) {
						if got := walk(t, issuance.Filter{}, paging.Query{Limit: limit, Sort: sort, Descending: descending}); !slices.Equal(got, want) {
							t.Errorf("listed as %v instead of %v", got, want)
						}
					})
				}
			}
		}
		for _, row := range []struct {
			name   string
			filter issuance.Filter
			want   []int
		}{
			{"by issuer", issuance.Filter{IssuerID: id(9003)}, []int{2, 4, 6}},
			{"by achievement", issuance.Filter{AchievementID: id(9002)}, []int{1, 3, 5, 7}},
			{"by recipient", issuance.Filter{Recipient: "x"}, []int{3, 6}},
			{"by all at once", issuance.Filter{IssuerID: id(9003), Recipient: "x", State: "issued"}, []int{6}},
			{"what is withdrawn", issuance.Filter{State: "withdrawn"}, nil},
			{"of nobody", issuance.Filter{IssuerID: id(404)}, nil},
		} {
			t.Run(row.name, func(t *testing.T) {
				got := walk(t, row.filter, paging.Query{Limit: 2, Sort: "createdAt"})
				slices.Sort(got)
				var want []string
				for _, n := range row.want {
					want = append(want, id(n))
				}
				if !slices.Equal(got, want) {
					t.Errorf("listed %v", got)
				}
			})
		}
		for _, row := range []struct {
			name string
			at   paging.Position
		}{
			{"an id that is none", paging.Position{Value: noon.Format(time.RFC3339), ID: "x"}},
			{"no id", paging.Position{Value: noon.Format(time.RFC3339)}},
			{"a time that is none", paging.Position{Value: "\x00", ID: id(1)}},
		} {
			t.Run("a stranger's cursor with "+row.name, func(t *testing.T) {
				q := paging.Query{Limit: 2, Sort: "validFrom"}
				q.Cursor = q.Next(row.at, "", "", "", "")
				_, err := store.Credentials(ctx, issuance.Filter{}, q)
				wants(t, err, paging.ErrCursor)
			})
		}
	})
}

// storedKey is a new key as the store gives it back.
func storedKey(t testing.TB, n, issuer int, kind issuance.Kind) issuance.Key {
	t.Helper()
	public, _, err := issuance.MakeKey(kind)
	must(t, err)
	key := issuance.Key{ID: id(n), IssuerID: id(issuer), Kind: kind, Public: public, Purposes: []string{issuance.Assertion}, Provider: issuance.Local, Created: noon}
	if kind != issuance.KindRSA {
		key.Multikey, err = did.EncodeMultikey(public)
		must(t, err)
	}
	return key
}

func TestStoreKeepsKeys(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, store := t.Context(), issuance.NewStore(db)
		if _, _, found, err := store.NewestKey(ctx); found || err != nil {
			t.Errorf("there is a key in an empty table: %v", err)
		}
		first, second, other := storedKey(t, 1, 10, issuance.KindEd25519), storedKey(t, 2, 10, issuance.KindRSA), storedKey(t, 3, 11, issuance.KindP256)
		must(t, store.InsertKey(ctx, first, []byte("sealed\x00\xff1")), store.InsertKey(ctx, second, []byte("sealed 2")), store.InsertKey(ctx, other, []byte("sealed 3")))
		keys, sealed, err := store.ActiveKeys(ctx, id(10))
		if err != nil || !reflect.DeepEqual(keys, []issuance.Key{second, first}) || string(sealed[0]) != "sealed 2" || string(sealed[1]) != "sealed\x00\xff1" {
			t.Errorf("signs by %+v, %q, %v", keys, sealed, err)
		}
		if keys, err := store.Keys(ctx, id(10)); err != nil || !reflect.DeepEqual(keys, []issuance.Key{second, first}) {
			t.Errorf("keys %+v, %v", keys, err)
		}
		if key, sealed, found, err := store.NewestKey(ctx); err != nil || !found || key.ID != other.ID || string(sealed) != "sealed 3" {
			t.Errorf("newest %+v, %v", key, err)
		}
		twice := first
		twice.ID, twice.IssuerID = id(4), id(12)
		if err := store.InsertKey(ctx, twice, nil); err == nil {
			t.Error("two issuers have one key")
		}
		// A key ends once, and what is retired may still be revoked.
		wants(t, store.RetireKey(ctx, id(404), noon), issuance.ErrKeyState)
		must(t, store.RetireKey(ctx, id(2), noon))
		wants(t, store.RetireKey(ctx, id(2), noon), issuance.ErrKeyState)
		must(t, store.RevokeKey(ctx, id(2), noon, "lost"))
		wants(t, store.RevokeKey(ctx, id(2), noon, ""), issuance.ErrKeyState)
		wants(t, store.RetireKey(ctx, id(2), noon), issuance.ErrKeyState)
		if keys, err := store.Keys(ctx, id(10)); err != nil || len(keys) != 2 || keys[0].ID != id(1) || keys[1].State() != issuance.Revoked || keys[1].Reason != "lost" || !keys[1].Revoked.Equal(noon) {
			t.Errorf("keys %+v, %v", keys, err)
		}
		must(t, store.DeleteKeys(ctx, id(10)), store.DeleteKeys(ctx, id(404)))
		_, err = store.Keys(ctx, id(10))
		wants(t, err, issuance.ErrIssuerUnknown)
		_, _, err = store.ActiveKeys(ctx, id(10))
		wants(t, err, issuance.ErrIssuerUnknown)
	})
}

// Credentials from before keys were noted get the key that stands in their document.
func TestMigrationsNoteWhoSigned(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, store := t.Context(), issuance.NewStore(db)
		runner, err := migrationsOf(db)
		must(t, err, runner.Up(ctx))
		key, other := storedKey(t, 1, 10, issuance.KindEd25519), storedKey(t, 2, 10, issuance.KindP256)
		must(t, store.InsertKey(ctx, key, []byte("s")), store.InsertKey(ctx, other, []byte("s")))
		for n, multikey := range map[int]string{1: key.Multikey, 2: other.Multikey, 3: "z6MkNobody"} {
			must(t, store.Reserve(ctx, issuance.Credential{
				ID: id(n), IssuerID: id(10), AchievementID: id(20), State: issuance.Issued, Name: "x", ValidFrom: noon, Created: noon, Updated: noon, Version: 1,
				Document: []byte(`{"proof":[{"verificationMethod":"https://example.org/issuers/1#` + multikey + `"}]}`),
			}))
		}
		for { // back to before
			must(t, runner.Down(ctx, "issuance"))
			var version int
			must(t, db.Session(ctx).Raw("SELECT max(version_id) FROM issuance_schema_version WHERE is_applied").Scan(&version).Error)
			if version < 6 {
				break
			}
		}
		must(t, runner.Up(ctx))
		for _, row := range []struct {
			key  issuance.Key
			want string
		}{{key, id(1)}, {other, id(2)}} {
			if ids, err := store.SignedBy(ctx, row.key, "", 10); err != nil || !slices.Equal(ids, []string{row.want}) {
				t.Errorf("%s signed %v, %v", row.key.Kind, ids, err)
			}
		}
	})
}

func TestMigrationsGoUpAndDown(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		runner, err := migrationsOf(db)
		must(t, err)
		own := func() (tables []string) {
			all, err := db.Tables(ctx)
			must(t, err)
			for _, name := range all {
				if (strings.HasPrefix(name, "achievement") || strings.HasPrefix(name, "issuance")) && !strings.HasSuffix(name, "_schema_version") {
					tables = append(tables, name)
				}
			}
			return tables
		}
		for range 2 {
			must(t, runner.Up(ctx), runner.Check(ctx))
			if got := own(); !slices.Contains(got, "achievement_credentials") || !slices.Contains(got, "issuance_keys") || !slices.Contains(got, "issuance_status_marks") {
				t.Errorf("up makes %v", got)
			}
			for len(own()) > 0 {
				must(t, runner.Down(ctx, "issuance"))
			}
		}
		wants(t, runner.Down(ctx, "issuance"), migrations.ErrNothing)
	})
}
