package statuslist_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/migrations"
	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/credential/jose"
	"github.com/badge-engine/badge-engine/modules/internal/credential/status"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

var (
	noon      = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	processor = jsonld.New()
	issuerID  = id(9001)
	issuerURI = "https://badges.example.org/issuers/" + issuerID
)

func id(n int) string { return fmt.Sprintf("0192f0c0-abcd-7000-8000-%012d", n) }

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

// signers signs for every issuer with one key, which can be changed.
type signers struct{ seed byte }

func (s *signers) Signer(_ context.Context, issuerID string) (string, integrity.Signer, error) {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{s.seed}, ed25519.SeedSize))
	multikey, err := did.EncodeMultikey(private.Public().(ed25519.PublicKey))
	uri := "https://badges.example.org/issuers/" + issuerID
	return uri, integrity.NewEd25519Signer(private, uri+"#"+multikey), err
}

func (s *signers) Token(ctx context.Context, issuerID string) (string, *credential.Enveloping, error) {
	uri, signer, err := s.Signer(ctx, issuerID)
	return uri, &credential.Enveloping{Signer: signer, KeyID: signer.VerificationMethod(), Profile: jose.VCJOSE}, err
}

func (s *signers) Named(ctx context.Context, issuerID, identifier string) (bool, error) {
	uri, _, err := s.Signer(ctx, issuerID)
	return identifier == uri, err
}

// room is a register with its clock.
type room struct {
	*statuslist.Register
	db    *database.DB
	creds *issuance.Store
	keys  *signers
	at    time.Time
	log   bytes.Buffer
}

func build(t testing.TB, db *database.DB, size int64) *room {
	t.Helper()
	public, err := config.ParsePublicURL("https://badges.example.org")
	must(t, err)
	r := &room{db: db, creds: issuance.NewStore(db), keys: &signers{1}, at: noon}
	r.Register = statuslist.New(statuslist.Config{Size: size, TTL: 5 * time.Minute}, public, statuslist.NewStore(db), db, r.keys, processor,
		func() time.Time { return r.at }, slog.New(slog.NewTextHandler(&r.log, nil)))
	return r
}

func each(t *testing.T, run func(t *testing.T, db *database.DB)) {
	dbtest.Each(t, run, issuance.Schema())
}

// issued stores n credentials, each with an entry.
func (r *room) issued(t testing.TB, first, n int) []issuance.Credential {
	t.Helper()
	places, err := r.Take(t.Context(), issuerID, n)
	must(t, err)
	credentials := make([]issuance.Credential, n)
	for i := range credentials {
		c := issuance.Credential{
			ID: id(first + i), IssuerID: issuerID, AchievementID: id(9002), State: issuance.Reserved, Name: "Badge", ValidFrom: noon, Version: 1,
			Created: r.at, Updated: r.at, Place: places[i], StatusPurpose: statuslist.Revocation,
		}
		must(t, r.creds.Reserve(t.Context(), c))
		c.State, c.Document = issuance.Issued, []byte("{}")
		must(t, r.creds.Complete(t.Context(), c))
		credentials[i] = c
	}
	return credentials
}

// change does an act to one credential in a unit of its own.
func (r *room) change(t testing.TB, act statuslist.Act, c issuance.Credential, reason string) (deed statuslist.Deed, err error) {
	t.Helper()
	err = r.db.Do(t.Context(), func(ctx context.Context) (err error) {
		deed, err = r.Change(ctx, act, c.ID, c.Place, reason)
		return err
	})
	return deed, err
}

func (r *room) changeWhere(t testing.TB, act statuslist.Act, q statuslist.Query, expected int64) (deed statuslist.Deed, err error) {
	t.Helper()
	err = r.db.Do(t.Context(), func(ctx context.Context) (err error) {
		deed, err = r.ChangeWhere(ctx, act, q, "by query", expected)
		return err
	})
	return deed, err
}

// published is one bit as the world reads it.
func published(t testing.TB, list statuslist.Signed, purpose string, index int64) bool {
	t.Helper()
	var document struct{ CredentialSubject map[string]any }
	must(t, json.Unmarshal(list.Text, &document))
	e, err := status.ReadEntry(map[string]any{"statusPurpose": purpose, "statusListCredential": "https://x", "statusListIndex": strconv.FormatInt(index, 10)})
	must(t, err)
	value, err := e.Lookup(document.CredentialSubject)
	must(t, err)
	return value == 1
}

func (r *room) shows(t testing.TB, c issuance.Credential, revoked, suspended bool) {
	t.Helper()
	for purpose, want := range map[string]bool{statuslist.Revocation: revoked, statuslist.Suspension: revoked || suspended} {
		list, err := r.Current(t.Context(), c.Place.List, purpose, statuslist.Document)
		must(t, err)
		if got := published(t, list, purpose, c.Place.Index); got != want {
			t.Errorf("the %s list says %t of %s", purpose, got, c.ID)
		}
		s, known, err := r.StatusOf(t.Context(), issuerURI, r.URL(c.Place.List, purpose), uint64(c.Place.Index))
		if err != nil || !known || s.Revoked != revoked || s.Suspended != suspended || s.Purpose != purpose {
			t.Errorf("the register says %+v, %t, %v", s, known, err)
		}
	}
}

// TestTenReplicasGiveNoEntryAwayTwice takes entries for one issuer and some others from
// ten processes at once, from lists so short that many must be begun.
func TestTenReplicasGiveNoEntryAwayTwice(t *testing.T) {
	for _, engine := range dbtest.Engines(t) {
		t.Run(engine.Name, func(t *testing.T) {
			db := dbtest.Open(t, engine.URL)
			runner, err := migrations.New(db, []migrations.Set{issuance.Schema()}, slog.New(slog.DiscardHandler))
			must(t, err, runner.Up(t.Context()))
			const replicas, workers, rounds, size = 10, 3, 40, 2048
			var mu sync.Mutex
			seen := map[statuslist.Place]bool{}
			lists := map[string]int{}
			var wg sync.WaitGroup
			for range replicas {
				r := build(t, dbtest.Open(t, engine.URL), size)
				for worker := range workers {
					wg.Go(func() {
						for round := range rounds {
							n := 1 + (round*7+worker)%23
							places, err := r.Take(t.Context(), id(1+round%2), n)
							if err != nil || len(places) != n {
								t.Errorf("took %d of %d, %v", len(places), n, err)
								return
							}
							mu.Lock()
							for _, p := range places {
								if seen[p] || p.Index < 0 || p.Index >= size {
									t.Errorf("%+v was given away twice, or lies outside", p)
								}
								seen[p] = true
								lists[p.List]++
							}
							mu.Unlock()
						}
					})
				}
			}
			wg.Wait()
			if len(lists) < 4 {
				t.Errorf("there are %d lists", len(lists))
			}
		})
	}
}

func TestEntriesThatAreGivenBackAreUsedOnce(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		r := build(t, db, status.SegmentBits)
		first, err := r.Take(t.Context(), issuerID, 1)
		must(t, err)
		r.Return(issuerID, first[0])
		r.Return(issuerID, statuslist.Place{List: id(1), Index: 5}) // of a list that is none of its own
		seen := map[statuslist.Place]bool{}
		for range 3 * 256 {
			p, err := r.Take(t.Context(), issuerID, 1)
			must(t, err)
			if seen[p[0]] {
				t.Fatalf("%+v was given away twice", p[0])
			}
			seen[p[0]] = true
		}
		if !seen[first[0]] {
			t.Error("what was given back is lost")
		}
	})
}

// TestOneCallerFetchesForAll lets many ask at once of a register that holds nothing yet:
// each block that is used up must cost one statement, not one for everybody who waits.
func TestOneCallerFetchesForAll(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		const callers, rounds, size = 32, 20, 1 << 17
		r := build(t, db, size)
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				for range rounds {
					if _, err := r.Take(t.Context(), issuerID, 1); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		var taken int64
		must(t, db.Session(t.Context()).Raw("SELECT taken FROM issuance_status_lists").Scan(&taken).Error)
		// Blocks of 8, 16, 32, … 512 hold 1016: were it otherwise, each caller would have some of its own.
		if taken < callers*rounds || taken > 1016 {
			t.Errorf("for %d entries %d were taken out of the list", callers*rounds, taken)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := build(t, db, size).Take(ended, issuerID, 1); err == nil {
			t.Error("took an entry without a database")
		}
	})
}

func TestWithoutListsThereAreNoEntries(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		r := build(t, db, 0)
		places, err := r.Take(t.Context(), issuerID, 2)
		if err != nil || len(places) != 2 || places[0].List != "" || r.Entry(places[0], statuslist.Revocation) != nil {
			t.Errorf("took %+v, %v", places, err)
		}
		_, err = r.Change(t.Context(), statuslist.Revoke, id(1), places[0], "")
		wants(t, err, statuslist.ErrNoEntry)
	})
}

func TestTheListsSayWhatWasDone(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		r := build(t, db, status.SegmentBits)
		all := r.issued(t, 1, 4)
		a, b, other := all[0], all[1], all[2]
		entry := r.Entry(a.Place, statuslist.Revocation)
		if entry.ID == entry.StatusListCredential || !strings.HasPrefix(entry.ID, entry.StatusListCredential+"#") || entry.StatusListIndex != strconv.FormatInt(a.Place.Index, 10) || entry.Type != "BitstringStatusListEntry" {
			t.Errorf("the entry is %+v", entry)
		}
		r.shows(t, a, false, false)

		for range 2 { // the second time nothing is left to do
			_, err := r.change(t, statuslist.Revoke, a, "a mistake")
			must(t, err)
			r.shows(t, a, true, false)
		}
		r.shows(t, other, false, false)
		standings, err := r.Standings(t.Context(), a.Place, b.Place)
		if s := standings[a.Place]; err != nil || !s.Revoked || s.Reason != "a mistake" || !s.Since.Equal(noon) || len(standings) != 1 {
			t.Errorf("it stands so: %+v, %v", standings, err)
		}
		_, err = r.change(t, statuslist.Suspend, a, "")
		wants(t, err, statuslist.ErrRevoked)
		_, err = r.change(t, statuslist.Resume, a, "")
		wants(t, err, statuslist.ErrRevoked)

		for range 3 { // in one and the same moment, and later
			_, err = r.change(t, statuslist.Suspend, b, "under review")
			must(t, err)
			r.shows(t, b, false, true)
			deed, err := r.change(t, statuslist.Resume, b, "")
			if err != nil || deed.Changed != 1 {
				t.Errorf("resumed %+v, %v", deed, err)
			}
			r.shows(t, b, false, false)
			if deed, err := r.change(t, statuslist.Resume, b, ""); err != nil || deed.Changed != 0 {
				t.Errorf("resumed again: %+v, %v", deed, err)
			}
		}
		_, err = r.change(t, statuslist.Suspend, b, "")
		must(t, err)
		_, err = r.change(t, statuslist.Revoke, b, "for good")
		must(t, err)
		r.shows(t, b, true, true)
		if s, _ := r.Standings(t.Context(), b.Place); s[b.Place].Reason != "for good" {
			t.Errorf("the reason is %+v", s)
		}
		for _, reason := range []string{strings.Repeat("a", 501), "\x00", "\xff"} {
			_, err = r.change(t, statuslist.Revoke, other, reason)
			wants(t, err, statuslist.ErrReason)
		}
	})
}

func TestAListIsSignedWhenSomethingChanged(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		r := build(t, db, 3*status.SegmentBits)
		all := r.issued(t, 1, 60) // in each segment some
		current := func() string {
			t.Helper()
			list, err := r.Current(t.Context(), all[0].Place.List, statuslist.Revocation, statuslist.Document)
			must(t, err)
			if list.TTL != 5*time.Minute || list.Past {
				t.Errorf("it may be kept for %s", list.TTL)
			}
			return string(list.Text)
		}
		signatures := func() int { return strings.Count(r.log.String(), "status list signed") }
		first := current()
		r.at = r.at.Add(time.Hour)
		if current() != first || signatures() != 1 {
			t.Error("it was signed again without need")
		}
		another := build(t, db, status.SegmentBits)
		another.at = r.at
		if list, err := another.Current(t.Context(), all[0].Place.List, statuslist.Revocation, statuslist.Document); err != nil || string(list.Text) != first {
			t.Errorf("another replica serves another list: %v", err)
		}
		for _, c := range all[:30] {
			_, err := r.change(t, statuslist.Revoke, c, "")
			must(t, err)
		}
		second := current()
		if second == first || signatures() != 2 {
			t.Errorf("%d signatures", signatures())
		}
		var packed int64
		must(t, db.Reader(t.Context()).Raw("SELECT count(*) FROM issuance_status_segments WHERE packed_changes = changes AND purpose = 'revocation'").Scan(&packed).Error)
		if packed < 2 {
			t.Fatalf("%d segments are packed", packed)
		}
		// What did not change is taken as it is packed: here it is made to differ.
		must(t, db.Session(t.Context()).Exec("UPDATE issuance_status_segments SET packed = ?, crc = ? WHERE number <> ?", status.Empty().Packed, int64(status.Empty().CRC), all[30].Place.Index/status.SegmentBits).Error)
		_, err := r.change(t, statuslist.Revoke, all[30], "")
		must(t, err)
		list, err := r.Current(t.Context(), all[0].Place.List, statuslist.Revocation, statuslist.Document)
		must(t, err)
		for i, c := range all[:31] {
			same := c.Place.Index/status.SegmentBits == all[30].Place.Index/status.SegmentBits
			if published(t, list, statuslist.Revocation, c.Place.Index) != same {
				t.Errorf("credential %d: a segment that did not change was unpacked, or one that did was not", i)
			}
		}

		r.keys.seed = 2
		if current() == string(list.Text) || signatures() != 4 {
			t.Error("a new key does not sign it")
		}
		fourth := current()
		r.at = r.at.AddDate(0, 0, 4)
		if current() == fourth || signatures() != 5 {
			t.Error("it is not renewed before it expires")
		}
	})
}

func TestAListIsAlsoAToken(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		r := build(t, db, status.SegmentBits)
		c := r.issued(t, 1, 1)[0]
		read := func(list statuslist.Signed, err error) bool {
			t.Helper()
			must(t, err)
			parsed, err := credential.Parse(list.Text)
			must(t, err)
			if parsed.Token == nil || parsed.Document()["id"] != r.URL(c.Place.List, statuslist.Revocation) {
				t.Errorf("it is %s", list.Text)
			}
			document, err := json.Marshal(parsed.Document())
			must(t, err)
			return published(t, statuslist.Signed{Text: document}, statuslist.Revocation, c.Place.Index)
		}
		current := func() (statuslist.Signed, error) {
			return r.Current(t.Context(), c.Place.List, statuslist.Revocation, statuslist.Token)
		}
		before, err := current()
		if read(before, err) {
			t.Error("nothing was revoked")
		}
		if again, err := current(); err != nil || !bytes.Equal(again.Text, before.Text) {
			t.Errorf("it was signed again without need: %v", err)
		}
		r.at = noon.Add(time.Hour)
		_, err = r.change(t, statuslist.Revoke, c, "")
		must(t, err)
		if !read(current()) {
			t.Error("the token does not tell of it")
		}
		r.at = noon.Add(2 * time.Hour)
		for minutes, want := range map[int]bool{30: false, 90: true} {
			at := noon.Add(time.Duration(minutes) * time.Minute).Format(time.RFC3339)
			if got := read(r.At(t.Context(), c.Place.List, statuslist.Revocation, statuslist.Token, at)); got != want {
				t.Errorf("after %d minutes it said %t", minutes, got)
			}
		}
		r.shows(t, c, true, false)
	})
}

func TestWhatAListSaidCanBeAskedFor(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		r := build(t, db, status.SegmentBits)
		c := r.issued(t, 1, 2)
		do := func(at time.Duration, act statuslist.Act, c issuance.Credential) {
			r.at = noon.Add(at)
			_, err := r.change(t, act, c, "")
			must(t, err)
		}
		do(time.Hour, statuslist.Suspend, c[0])
		do(2*time.Hour, statuslist.Resume, c[0])
		do(3*time.Hour, statuslist.Suspend, c[0])
		do(4*time.Hour, statuslist.Revoke, c[1])
		do(5*time.Hour, statuslist.Resume, c[0])
		r.at = noon.Add(24 * time.Hour)
		for minutes, want := range map[int][3]bool{30: {}, 60: {true}, 90: {true}, 120: {}, 150: {}, 200: {true}, 250: {true, true, true}, 310: {false, true, true}} {
			at := noon.Add(time.Duration(minutes) * time.Minute).Format(time.RFC3339)
			suspended, err := r.At(t.Context(), c[0].Place.List, statuslist.Suspension, statuslist.Document, at)
			must(t, err)
			revoked, err := r.At(t.Context(), c[0].Place.List, statuslist.Revocation, statuslist.Document, at)
			must(t, err)
			got := [3]bool{published(t, suspended, "suspension", c[0].Place.Index), published(t, suspended, "suspension", c[1].Place.Index), published(t, revoked, "revocation", c[1].Place.Index)}
			if got != want {
				t.Errorf("after %d minutes it said %v instead of %v", minutes, got, want)
			}
			again, err := r.At(t.Context(), c[0].Place.List, statuslist.Revocation, statuslist.Document, at)
			var document struct{ ValidFrom, ValidUntil time.Time }
			must(t, err, json.Unmarshal(again.Text, &document))
			if !bytes.Equal(again.Text, revoked.Text) || !again.Past || document.ValidFrom.Format(time.RFC3339) != at || !document.ValidUntil.Before(r.at) {
				t.Error("the past changes, or passes for the present")
			}
		}
		for _, bad := range []string{"yesterday", "2026-11-23T13:00:00", noon.Add(-time.Second).Format(time.RFC3339), r.at.Format(time.RFC3339), "9999-01-01T00:00:00Z"} {
			_, err := r.At(t.Context(), c[0].Place.List, statuslist.Revocation, statuslist.Document, bad)
			wants(t, err, statuslist.ErrTimestamp)
		}
		for _, name := range [][2]string{{"", "revocation"}, {"x", "revocation"}, {id(404), "revocation"}, {strings.ToUpper(c[0].Place.List), "revocation"}, {c[0].Place.List, "refresh"}, {c[0].Place.List, ""}} {
			_, err := r.At(t.Context(), name[0], name[1], statuslist.Document, noon.Format(time.RFC3339))
			wants(t, err, statuslist.ErrUnknown)
			_, err = r.Current(t.Context(), name[0], name[1], statuslist.Document)
			wants(t, err, statuslist.ErrUnknown)
		}
	})
}

func TestAQueryChangesAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		r := build(t, db, status.SegmentBits)
		early := r.issued(t, 1, 20)
		r.at = noon.Add(time.Hour)
		late := r.issued(t, 101, 10)
		must(t, r.creds.Reserve(t.Context(), issuance.Credential{ID: id(500), IssuerID: issuerID, AchievementID: id(9002), State: issuance.Reserved, Name: "x", Version: 1, ValidFrom: noon, Created: noon, Updated: noon}))
		old := issuance.Credential{ID: id(501), IssuerID: issuerID, AchievementID: id(9002), State: issuance.Reserved, Name: "x", Version: 1, ValidFrom: noon, Created: noon, Updated: noon}
		must(t, r.creds.Reserve(t.Context(), old))
		old.Document = []byte("{}")
		must(t, r.creds.Complete(t.Context(), old))
		_, err := r.change(t, statuslist.Revoke, early[0], "")
		must(t, err)
		must(t, r.creds.Withdraw(t.Context(), early[1].ID, id(77), noon))

		before := statuslist.Query{IssuerID: issuerID, Before: noon.Add(time.Minute)}
		s, err := r.Survey(t.Context(), statuslist.Revoke, before)
		if err != nil || s.Matched != 21 || s.Affected != 19 || s.Without != 1 || len(s.Examples) != 10 {
			t.Fatalf("surveyed %+v, %v", s, err)
		}
		_, err = r.changeWhere(t, statuslist.Revoke, before, 20)
		wants(t, err, statuslist.ErrExpected)
		r.shows(t, early[5], false, false)
		deed, err := r.changeWhere(t, statuslist.Suspend, before, 19)
		if err != nil || deed.Changed != 19 {
			t.Fatalf("%+v, %v", deed, err)
		}
		r.shows(t, early[1], false, true) // what is no longer kept too
		r.shows(t, late[0], false, false)
		if s, err := r.Survey(t.Context(), statuslist.Suspend, before); err != nil || s.Affected != 0 {
			t.Errorf("surveyed %+v, %v", s, err)
		}
		r.at = r.at.Add(time.Minute)
		some := statuslist.Query{IDs: []string{early[2].ID, early[3].ID, late[0].ID, id(404)}}
		if deed, err = r.changeWhere(t, statuslist.Resume, some, 2); err != nil || deed.Changed != 2 {
			t.Errorf("%+v, %v", deed, err)
		}
		r.shows(t, early[2], false, false)
		deed, err = r.changeWhere(t, statuslist.Revoke, statuslist.Query{AchievementID: id(9002), Since: noon}, 29)
		if err != nil || deed.Changed != 29 {
			t.Errorf("%+v, %v", deed, err)
		}
		r.shows(t, late[9], true, false)
		r.shows(t, early[4], true, true)
		_, err = r.changeWhere(t, statuslist.Revoke, statuslist.Query{}, 0)
		wants(t, err, statuslist.ErrQuery)
		var operations int64
		must(t, db.Reader(t.Context()).Raw("SELECT sum(credentials) FROM issuance_status_operations").Scan(&operations).Error)
		if operations != 1+19+2+29 {
			t.Errorf("%d changes are recorded", operations)
		}
	})
}

// TestChangesAtOnceAreAllInTheList revokes by queries, one by one, and signs the list
// all the while: when everything is done, everything is in the list.
func TestChangesAtOnceAreAllInTheList(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		r := build(t, db, 2*status.SegmentBits)
		all := r.issued(t, 1, 80)
		var wg sync.WaitGroup
		for worker := range 4 {
			wg.Go(func() {
				for i := worker; i < 40; i += 4 {
					if _, err := r.change(t, statuslist.Revoke, all[i], ""); err != nil {
						t.Error(err)
					}
					if _, err := r.Current(t.Context(), all[i].Place.List, statuslist.Revocation, statuslist.Document); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Go(func() {
			for i := 40; i < 80; i += 10 {
				var ids []string
				for _, c := range all[i : i+10] {
					ids = append(ids, c.ID)
				}
				if _, err := r.changeWhere(t, statuslist.Revoke, statuslist.Query{IDs: ids}, 10); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Wait()
		for _, c := range all {
			r.shows(t, c, true, false)
		}
	})
}

func TestStatusOfKnowsOnlyItsOwnLists(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		r := build(t, db, status.SegmentBits)
		c := r.issued(t, 1, 1)[0]
		if _, known, err := r.StatusOf(t.Context(), issuerURI, "https://other.example.org/status/"+c.Place.List+"/revocation", 0); known || err != nil {
			t.Errorf("it answers for others: %v", err)
		}
		var problem *status.Error
		if _, known, err := r.StatusOf(t.Context(), issuerURI, r.URL(id(404), "revocation"), 0); !known || !errors.As(err, &problem) {
			t.Errorf("a list that is not there: %v", err)
		}
		if _, known, err := r.StatusOf(t.Context(), issuerURI, r.URL(c.Place.List, "revocation"), status.SegmentBits); !known || !errors.As(err, &problem) || problem.Code != status.RangeError {
			t.Errorf("an index behind the end: %v", err)
		}
		// A stranger's credential that names an entry here borrows nobody's good standing.
		for _, stranger := range []string{"", "https://evil.example/issuers/1", "https://badges.example.org/issuers/" + id(9003)} {
			if _, known, err := r.StatusOf(t.Context(), stranger, r.URL(c.Place.List, "revocation"), uint64(c.Place.Index)); !known || !errors.As(err, &problem) || problem.Code != status.VerificationError {
				t.Errorf("a credential of %q: %v", stranger, err)
			}
		}
		if _, known, err := r.StatusOf(t.Context(), issuerURI, r.URL(c.Place.List, "message"), uint64(c.Place.Index)); !known || !errors.As(err, &problem) || problem.Code != status.RetrievalError {
			t.Errorf("a purpose that no list here has: %v", err)
		}
	})
}

func TestConfig(t *testing.T) {
	for _, row := range []struct {
		size int64
		ttl  time.Duration
		ok   bool
	}{{131072, time.Minute, true}, {0, time.Minute, true}, {10 * 131072, time.Second, true}, {131071, time.Minute, false}, {131073, time.Minute, false}, {1 << 40, time.Minute, false}, {-131072, time.Minute, false}, {131072, 0, false}, {131072, 48 * time.Hour, false}} {
		if err := (statuslist.Config{Size: row.size, TTL: row.ttl}).Check(); (err == nil) != row.ok {
			t.Errorf("%+v: %v", row, err)
		}
	}
	must(t, statuslist.Default().Check())
}

// BenchmarkRevokeByQuery revokes 10,000 of 20,000 credentials by a query, and for comparison
// updates the same rows in a statement of their own.
func BenchmarkRevokeByQuery(b *testing.B) {
	const n = 10000
	for _, engine := range dbtest.Engines(b) {
		db := dbtest.Open(b, engine.URL)
		runner, err := migrations.New(db, []migrations.Set{issuance.Schema()}, slog.New(slog.DiscardHandler))
		must(b, err, runner.Up(b.Context()))
		r := build(b, db, status.SegmentBits)
		for i := range 2 {
			places, err := r.Take(b.Context(), issuerID, n)
			must(b, err)
			must(b, db.Do(b.Context(), func(ctx context.Context) error {
				for j, p := range places {
					err := db.Session(ctx).Exec(`INSERT INTO achievement_credentials (id, issuer_id, achievement_id, state, name, document, valid_from, version, created_at, updated_at, status_list, status_index, status_purpose)
						VALUES (?, ?, ?, 'issued', 'Badge', ?, ?, 1, ?, ?, ?, ?, 'revocation')`, id(i*n+j), issuerID, id(9100+i), strings.Repeat("x", 2000), noon, noon, noon, p.List, p.Index).Error
					if err != nil {
						return err
					}
				}
				return nil
			}))
		}
		b.Run(engine.Name+"/revoke", func(b *testing.B) {
			for b.Loop() {
				deed, err := r.changeWhere(b, statuslist.Revoke, statuslist.Query{AchievementID: id(9100)}, n)
				if err != nil || deed.Changed != n {
					b.Fatalf("%+v, %v", deed, err)
				}
				b.StopTimer()
				must(b, db.Session(b.Context()).Exec("DELETE FROM issuance_status_marks").Error)
				b.StartTimer()
			}
		})
		b.Run(engine.Name+"/bare update", func(b *testing.B) {
			for b.Loop() {
				must(b, db.Session(b.Context()).Exec("UPDATE achievement_credentials SET updated_at = ? WHERE achievement_id = ?", noon, id(9100)).Error)
			}
		})
	}
}
