package issuance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	stdimage "image"
	"image/png"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/platform/shelf"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

var (
	processor = jsonld.New()
	errNone   = fault.New(fault.NotFound, "test.none", "There is none.")
	errBroken = errors.New("it is broken")
)

var issuerID, achievementID = id(9001), id(9002)

// award is what can be awarded: one achievement, with pictures.
type award struct {
	details  openbadges.AchievementDetails
	pictures map[image.Format][]byte
	asked    atomic.Int64 // for a snapshot
	gone     error        // since the snapshot
	edition  string
	err      error
}

func (a *award) Snapshot(_ context.Context, id string) (string, openbadges.Achievement, openbadges.Profile, error) {
	a.asked.Add(1)
	if id != achievementID {
		return "", openbadges.Achievement{}, openbadges.Profile{}, errNone
	}
	return issuerID, openbadges.Achievement{ID: "https://badges.example.org/achievements/" + id, Type: []string{"Achievement"}, AchievementDetails: a.details},
		openbadges.Profile{Type: []string{"Profile"}, ProfileDetails: openbadges.ProfileDetails{Name: "Academy"}}, a.err
}

func (a *award) Hold(_ context.Context, id string) (string, error) {
	if id != achievementID {
		return "", errNone
	}
	return a.edition, a.gone
}

func (a *award) Picture(_ context.Context, _ string, format image.Format) ([]byte, error) {
	if a.err != nil {
		return nil, a.err
	}
	if picture, ok := a.pictures[format]; ok {
		return picture, nil
	}
	return nil, errNone
}

// signing is the canonicalizer, which is asked a second time for each credential when it is
// signed: that is the moment at which a test may meddle.
type signing struct {
	mu      sync.Mutex
	meddle  func() error
	meddled bool
}

func (s *signing) Canonicalize(doc map[string]any) ([]byte, error) {
	s.mu.Lock()
	meddle := s.meddle
	if _, proof := doc["proofPurpose"]; !proof || s.meddled {
		meddle = nil
	} else {
		s.meddled = true
	}
	s.mu.Unlock()
	if meddle != nil {
		if err := meddle(); err != nil {
			return nil, err
		}
	}
	return processor.Canonicalize(doc)
}

// house is the service with its neighbours and its clock.
type house struct {
	*issuance.Service
	store *issuance.Store
	award *award
	sign  *signing
	at    time.Time    // set while nobody else looks
	later atomic.Int64 // nanoseconds that have passed since, for who sets it while others look
	log   bytes.Buffer
	seal  *issuance.Sealer

	statuses *statuslist.Register
	shelf    *shelf.Shelf
	waited   []time.Duration
	units    *units
	audit    *trail
}

// units counts units of work, and may make each take its time.
type units struct {
	*database.DB
	done  atomic.Int64
	delay func()
}

func (u *units) Do(ctx context.Context, fn func(ctx context.Context) error) error {
	err := u.DB.Do(ctx, func(ctx context.Context) error {
		if u.delay != nil {
			u.delay()
		}
		return fn(ctx)
	})
	u.done.Add(1)
	return err
}

// trail keeps in memory who did what.
type trail struct {
	mu   sync.Mutex
	said []string
}

func (a *trail) Record(ctx context.Context, action, target, _ string, failure error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.said = append(a.said, fmt.Sprint(principal.From(ctx).ID, " ", action, " ", target, " ", failure == nil))
	return nil
}

func (a *trail) RecordEach(_ context.Context, action string, targets []string, by []context.Context) error {
	for i, target := range targets {
		_ = a.Record(by[i], action, target, "", nil)
	}
	return nil
}

func build(t testing.TB, db *database.DB, address string) *house {
	t.Helper()
	public, err := config.ParsePublicURL(address)
	must(t, err)
	h := &house{at: noon, units: &units{DB: db}, audit: &trail{}, sign: &signing{}, seal: sealer(t, "k"), store: issuance.NewStore(db), award: &award{
		details:  openbadges.AchievementDetails{Name: "Teamwork", Description: "Worked well.", Criteria: openbadges.Criteria{Narrative: "Peers say so."}},
		pictures: map[image.Format][]byte{},
	}}
	now := func() time.Time { return h.at.Add(time.Duration(h.later.Load())) }
	log := slog.New(slog.NewTextHandler(&h.log, nil))
	h.shelf = shelf.New(db, nil, now, log)
	ring := issuance.NewKeyring(public, h.store, h.seal, now).Publishing(h.shelf)
	must(t, provision(context.WithoutCancel(t.Context()), ring, issuerID))
	h.statuses = statuslist.New(statuslist.Default(), public, statuslist.NewStore(db), db, ring, processor, now, log).Publishing(h.shelf)
	h.Service = issuance.New(public, issuance.Parts{Store: h.store, Work: h.units, Audit: h.audit, Keyring: ring, Sealer: h.seal, Statuses: h.statuses, Achievements: h.award, Canonical: h.sign, Shelf: h.shelf,
		Pause: func(_ context.Context, d time.Duration) error {
			h.waited = append(h.waited, d)
			h.at = h.at.Add(d)
			return nil
		}},
		now, log)
	return h
}

// as is the context of a caller.
func as(t testing.TB, who string) context.Context {
	return principal.With(t.Context(), principal.Principal{ID: who})
}

func order() issuance.Order {
	return issuance.Order{AchievementID: achievementID, Recipient: issuance.Recipient{Email: "ada@example.org"}}
}

func keyed(key, hash string) issuance.Order {
	o := order()
	o.IdempotencyKey, o.RequestHash = key, hash
	return o
}

func (h *house) issue(t testing.TB, o issuance.Order) issuance.Credential {
	t.Helper()
	c, replayed, err := h.Issue(as(t, "token:1"), o)
	must(t, err)
	if replayed {
		t.Fatal("it was issued before")
	}
	return c
}

func (h *house) count(t testing.TB, db *database.DB) (rows int64) {
	t.Helper()
	must(t, db.Reader(context.WithoutCancel(t.Context())).Table("achievement_credentials").Count(&rows).Error)
	return rows
}

func decode(t testing.TB, c issuance.Credential) (doc openbadges.AchievementCredential) {
	t.Helper()
	must(t, json.Unmarshal(c.Document, &doc))
	return doc
}

func TestWhatIsIssuedVerifies(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		for _, address := range []string{secure, local} {
			t.Run(address, func(t *testing.T) {
				h := build(t, db, address)
				h.at = noon.Add(700 * time.Millisecond)
				o := order()
				o.AchievementID = strings.ToUpper(achievementID)
				o.Recipient = issuance.Recipient{Email: "Ada@Example.org", ID: "did:example:ada", Identifier: []issuance.Identifier{{Identifier: "S-0815", IdentifierType: "systemId"}}}
				o.ValidUntil = "2027-11-23T13:00:00.5+01:00"
				o.Narrative, o.Evidence = "She <did> it.", []openbadges.Evidence{{Narrative: "Seen."}}
				c := h.issue(t, o)

				if c.State != issuance.Issued || c.Version != 1 || c.IssuerID != issuerID || c.AchievementID != achievementID || c.Name != "Teamwork" || !c.Created.Equal(noon) || !c.ValidFrom.Equal(noon) || !c.ValidUntil.Equal(noon.AddDate(1, 0, 0)) {
					t.Errorf("issued as %+v", c)
				}
				doc := decode(t, c)
				if doc.ID != address+"/credentials/"+c.ID || doc.ID != h.URL(c.ID) || doc.ValidFrom != "2026-11-23T12:00:00Z" || doc.ValidUntil != "2027-11-23T13:00:00+01:00" || len(doc.CredentialSubject.Identifier) != 2 {
					t.Errorf("document %s", c.Document)
				}
				kept, err := h.Credential(t.Context(), strings.ToUpper(c.ID))
				if err != nil || !bytes.Equal(kept.Document, c.Document) {
					t.Errorf("kept %s, %v", kept.Document, err)
				}
				if text, err := json.Marshal(c.Document); err != nil || !bytes.Equal(text, c.Document) {
					t.Error("the document is not the same inside another one")
				}
				for _, secret := range []string{"ada@example", "S-0815"} {
					if strings.Contains(strings.ToLower(string(c.Document)), strings.ToLower(secret)) || strings.Contains(strings.ToLower(h.log.String()), strings.ToLower(secret)) {
						t.Errorf("%s shows", secret)
					}
				}
				for _, word := range []string{"credential signing", "credential issued"} {
					if strings.Count(h.log.String(), word) != 1 {
						t.Errorf("the log does not say %q once: %s", word, h.log.String())
					}
				}

				ring := keyring(t, db, address, "k")
				verifier := credential.Verifier{Canonicalizer: processor, Resolver: did.Resolver{Local: ring}, Statuses: h.statuses, Now: func() time.Time { return noon }}
				for recipient, want := range map[string]bool{"ada@example.org": true, "S-0815": true, "did:example:ada": true, "eve@example.org": false} {
					report, err := verifier.Verify(t.Context(), c.Document, credential.Options{Recipient: recipient})
					if err != nil || report.Verified != want {
						t.Errorf("for %s it is %t: %+v, %v", recipient, report.Verified, report.Checks, err)
					}
				}
				must(t, db.Session(t.Context()).Exec("DELETE FROM issuance_keys").Error)
			})
		}
	})
}

func TestRecipientsAreFoundHoweverTheyAreWritten(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, secure)
		email := h.issue(t, order())
		named := order()
		named.Recipient = issuance.Recipient{ID: "did:example:ada"}
		subject := h.issue(t, named)
		other := order()
		other.Recipient = issuance.Recipient{Identifier: []issuance.Identifier{{Identifier: "Bob@Example.org", IdentifierType: "emailAddress"}}}
		bob := h.issue(t, other)
		for recipient, want := range map[string]string{
			"ada@example.org": email.ID, " ADA@example.ORG": email.ID, "did:example:ada": subject.ID, "Bob@Example.org": bob.ID, "bob@example.org": bob.ID,
			"eve@example.org": "", "\x00": "", "\xff": "",
		} {
			page, err := h.Credentials(t.Context(), issuance.Filter{Recipient: recipient}, paging.Query{Limit: 5, Sort: "createdAt"})
			if err != nil || (want == "") != (len(page.Items) == 0) || want != "" && page.Items[0].ID != want {
				t.Errorf("%q has %+v, %v", recipient, page.Items, err)
			}
		}
	})
}

func TestAnOrderThatIsRepeatedIssuesOnce(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, secure)
		first := h.issue(t, keyed("key", "hash"))
		asked := h.award.asked.Load()
		again, replayed, err := h.Issue(as(t, "token:1"), keyed("key", "hash"))
		if err != nil || !replayed || again.ID != first.ID || !bytes.Equal(again.Document, first.Document) || h.award.asked.Load() != asked {
			t.Errorf("replayed %t as %+v, %v", replayed, again, err)
		}
		_, _, err = h.Issue(as(t, "token:1"), keyed("key", "another hash"))
		wants(t, err, issuance.ErrMismatch)
		if other, replayed, err := h.Issue(as(t, "token:2"), keyed("key", "another hash")); err != nil || replayed || other.ID == first.ID {
			t.Errorf("the key of another caller came to %s, %t, %v", other.ID, replayed, err)
		}
		var kept []string
		must(t, db.Reader(t.Context()).Raw("SELECT request_hash FROM achievement_credentials").Scan(&kept).Error)
		for _, hash := range kept {
			if hash == "hash" || hash == "another hash" {
				t.Error("the hash of the request is kept so that its e-mail address can be guessed")
			}
		}
		must(t, h.Withdraw(as(t, "token:1"), first.ID))
		_, _, err = h.Issue(as(t, "token:1"), keyed("key", "hash"))
		wants(t, err, issuance.ErrWithdrawn)
		if a, b := h.issue(t, order()), h.issue(t, order()); a.ID == b.ID {
			t.Error("orders without a key are one order")
		}
	})
}

func TestAnOrderThatIsBeingWorkedOnIsNotStartedAgain(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, secure)
		var meanwhile error
		h.sign.meddle = func() error {
			_, _, meanwhile = h.Issue(as(t, "token:1"), keyed("key", "hash"))
			return nil
		}
		h.issue(t, keyed("key", "hash"))
		wants(t, meanwhile, issuance.ErrInProgress)
		if f, ok := fault.From(meanwhile); !ok || f.Wait() <= 0 {
			t.Error("it does not say when to come again")
		}
		if rows := h.count(t, db); rows != 1 {
			t.Errorf("%d credentials", rows)
		}
	})
}

func TestOneOrderFromManyCallersAtOnceIssuesOnce(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, secure)
		var wg sync.WaitGroup
		var mu sync.Mutex
		ids := map[string]bool{}
		for range 8 {
			wg.Go(func() {
				for {
					c, _, err := h.Issue(as(t, "token:1"), keyed("key", "hash"))
					if errors.Is(err, issuance.ErrInProgress) {
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					ids[c.ID] = true
					mu.Unlock()
					return
				}
			})
		}
		wg.Wait()
		if rows := h.count(t, db); len(ids) != 1 || rows != 1 {
			t.Errorf("issued %v in %d rows", ids, rows)
		}
	})
}

func TestAReservationThatWasLeftBehindIsTakenOver(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, secure)
		must(t, h.store.Reserve(t.Context(), reserved(1).Keyed("token:1", "key", h.seal.Index("hash"))))
		for _, age := range []time.Duration{0, issuance.Abandoned - time.Second} {
			h.at = noon.Add(age)
			_, _, err := h.Issue(as(t, "token:1"), keyed("key", "hash"))
			wants(t, err, issuance.ErrInProgress)
		}
		h.at = noon.Add(issuance.Abandoned)
		_, _, err := h.Issue(as(t, "token:1"), keyed("key", "another"))
		wants(t, err, issuance.ErrMismatch)
		c := h.issue(t, keyed("key", "hash"))
		if _, err := h.store.Credential(t.Context(), id(1)); c.ID == id(1) || !errors.Is(err, issuance.ErrNotFound) {
			t.Errorf("the old reservation is still there: %v", err)
		}
		if again, replayed, err := h.Issue(as(t, "token:1"), keyed("key", "hash")); err != nil || !replayed || again.ID != c.ID {
			t.Errorf("replayed %t as %s, %v", replayed, again.ID, err)
		}
	})
}

func TestWhoeverSignsTooLateHasIssuedNothing(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, secure)
		h.sign.meddle = func() error {
			swept, err := h.store.Sweep(t.Context(), noon.Add(time.Hour))
			if swept != 1 {
				t.Errorf("swept %d", swept)
			}
			return err
		}
		_, _, err := h.Issue(as(t, "token:1"), keyed("key", "hash"))
		wants(t, err, issuance.ErrSettled)
		if f, ok := fault.From(err); !ok || f.Kind() != fault.Unavailable {
			t.Errorf("%v does not ask to try again", err)
		}
		if rows := h.count(t, db); rows != 0 {
			t.Errorf("%d credentials", rows)
		}
		h.issue(t, keyed("key", "hash"))
	})
}

func TestAnOrderThatFailsLeavesNothingBehind(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		t.Run("the signature fails", func(t *testing.T) {
			h := build(t, db, secure)
			h.sign.meddle = func() error { return errBroken }
			_, _, err := h.Issue(as(t, "token:1"), keyed("key", "hash"))
			wants(t, err, errBroken)
			if rows := h.count(t, db); rows != 0 {
				t.Errorf("%d reservations are left", rows)
			}
			if !strings.Contains(h.log.String(), "credential issuing failed") {
				t.Errorf("the log ends with %s", h.log.String())
			}
			c := h.issue(t, keyed("key", "hash")) // at once, not when it counts as abandoned
			must(t, h.Withdraw(t.Context(), c.ID))
		})
		t.Run("the caller's time is up", func(t *testing.T) {
			h := build(t, db, secure)
			before := h.count(t, db)
			ctx, cancel := context.WithCancel(as(t, "token:1"))
			h.sign.meddle = func() error { cancel(); return nil }
			if _, _, err := h.Issue(ctx, keyed("key 2", "hash")); err == nil {
				t.Error("it was issued")
			}
			if rows := h.count(t, db); rows != before {
				t.Errorf("%d reservations are left", rows-before)
			}
		})
	})
}

func TestOrdersThatBreakARuleAreRefusedWithTheirPlace(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, secure)
		h.award.details.ResultDescription = []openbadges.ResultDescription{{ID: "urn:uuid:" + id(5), Type: []string{"ResultDescription"}, Name: "Grade", ResultType: "Percent", ValueMax: "100"}}
		for _, row := range []struct {
			name, pointer string
			change        func(*issuance.Order)
		}{
			{"nobody", "/recipient", func(o *issuance.Order) { o.Recipient = issuance.Recipient{} }},
			{"an achievement that is not there", "/achievementId", func(o *issuance.Order) { o.AchievementID = id(404) }},
			{"an achievement id that is none", "/achievementId", func(o *issuance.Order) { o.AchievementID = "\x00" }},
			{"a relative recipient", "/recipient/id", func(o *issuance.Order) { o.Recipient.ID = "ada" }},
			{"an unknown kind of identifier", "/recipient/identifier/0/identifierType", func(o *issuance.Order) {
				o.Recipient.Identifier = []issuance.Identifier{{Identifier: "x", IdentifierType: "shoeSize"}}
			}},
			{"a date without a zone", "/validFrom", func(o *issuance.Order) { o.ValidFrom = "2026-01-01T00:00:00" }},
			{"an end before the beginning", "/validUntil", func(o *issuance.Order) { o.ValidUntil = "2020-01-01T00:00:00Z" }},
			{"a beginning before the calendar", "/validFrom", func(o *issuance.Order) { o.ValidFrom = "0000-06-01T00:00:00Z" }},
			{"an end after the calendar", "/validUntil", func(o *issuance.Order) { o.ValidUntil = "9999-12-31T23:59:59-01:00" }},
			{"a value out of range", "/result/0/value", func(o *issuance.Order) {
				o.Result = []openbadges.Result{{ResultDescription: "urn:uuid:" + id(5), Value: "101"}}
			}},
			{"a result of another achievement", "/result/0/resultDescription", func(o *issuance.Order) {
				o.Result = []openbadges.Result{{ResultDescription: "urn:uuid:" + id(6), Value: "1"}}
			}},
			{"an activity that ends first", "/activityEndDate", func(o *issuance.Order) {
				o.ActivityStartDate, o.ActivityEndDate = "2026-01-02T00:00:00.25Z", "2026-01-01T00:00:00Z"
			}},
			{"relative evidence", "/evidence/0/id", func(o *issuance.Order) { o.Evidence = []openbadges.Evidence{{ID: "page"}} }},
		} {
			t.Run(row.name, func(t *testing.T) {
				o := keyed("key", "hash")
				row.change(&o)
				_, _, err := h.Issue(as(t, "token:1"), o)
				violates(t, err, row.pointer)
			})
		}
		t.Run("an achievement that goes at the last moment", func(t *testing.T) {
			h.award.gone = errNone
			_, _, err := h.Issue(as(t, "token:1"), keyed("key", "hash"))
			violates(t, err, "/achievementId")
		})
		t.Run("a neighbour that fails", func(t *testing.T) {
			h.award.gone = errBroken
			_, _, err := h.Issue(as(t, "token:1"), keyed("key", "hash"))
			wants(t, err, errBroken)
			h.award.err = errBroken
			_, _, err = h.Issue(as(t, "token:1"), keyed("key", "hash"))
			wants(t, err, errBroken)
		})
		if rows := h.count(t, db); rows != 0 {
			t.Errorf("%d rows were stored of it", rows)
		}
	})
}

func TestANewVersionSupersedesTheOldOne(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		first := h.issue(t, order())
		before := decode(t, first)
		h.award.details.Name = "Teamwork II"

		second, err := h.Reissue(ctx, first.ID, 1, issuance.Award{Narrative: "Corrected."})
		must(t, err)
		doc := decode(t, second)
		switch {
		case second.ID != first.ID || second.Version != 2 || second.Name != "Teamwork II" || !second.Created.Equal(first.Created):
			t.Errorf("reissued as %+v", second)
		case doc.ID != before.ID || doc.CredentialSubject.Identifier[0] != before.CredentialSubject.Identifier[0] || doc.CredentialSubject.Narrative != "Corrected.":
			t.Errorf("reissued as %s", second.Document)
		case doc.AwardedDate != before.ValidFrom:
			t.Errorf("first awarded %s", doc.AwardedDate)
		case !second.ValidFrom.After(first.ValidFrom) || second.ValidFrom.After(h.at): // within the same second
			t.Errorf("valid from %s, then from %s, at %s", first.ValidFrom, second.ValidFrom, h.at)
		}
		h.at = noon.Add(time.Hour)
		third, err := h.Reissue(ctx, first.ID, issuance.AnyVersion, issuance.Award{})
		if err != nil || third.Version != 3 || !third.ValidFrom.Equal(h.at) || decode(t, third).AwardedDate != before.ValidFrom {
			t.Errorf("reissued as %+v, %v", third, err)
		}
		if kept, err := h.Credential(ctx, first.ID); err != nil || !bytes.Equal(kept.Document, third.Document) || kept.Version != 3 {
			t.Errorf("kept %+v, %v", kept, err)
		}
		page, err := h.Credentials(ctx, issuance.Filter{Recipient: "ada@example.org"}, paging.Query{Limit: 5, Sort: "createdAt"})
		if err != nil || len(page.Items) != 1 {
			t.Errorf("the recipient has %d, %v", len(page.Items), err)
		}

		_, err = h.Reissue(ctx, first.ID, 1, issuance.Award{})
		wants(t, err, issuance.ErrVersion)
		_, err = h.Reissue(ctx, first.ID, 3, issuance.Award{ValidFrom: "2026-11-23T12:30:00Z"})
		violates(t, err, "/validFrom")
		_, err = h.Reissue(ctx, first.ID, 3, issuance.Award{ValidUntil: "2020-01-01T00:00:00Z"})
		violates(t, err, "/validUntil")
		_, err = h.Reissue(ctx, first.ID, 3, issuance.Award{ValidUntil: "9999-12-31T23:59:59-01:00"})
		violates(t, err, "/validUntil")
		if kept, err := h.Credential(ctx, first.ID); err != nil || kept.Version != 3 {
			t.Errorf("a refused version was kept: %+v, %v", kept, err)
		}
	})
}

func TestOfTwoNewVersionsAtOnceOneIsKept(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		first := h.issue(t, order())
		h.sign.meddled = false
		h.sign.meddle = func() error {
			_, err := h.Reissue(ctx, first.ID, issuance.AnyVersion, issuance.Award{Narrative: "faster"})
			return err
		}
		_, err := h.Reissue(ctx, first.ID, issuance.AnyVersion, issuance.Award{Narrative: "slower"})
		wants(t, err, issuance.ErrVersion)
		kept, err := h.Credential(ctx, first.ID)
		if err != nil || kept.Version != 2 || decode(t, kept).CredentialSubject.Narrative != "faster" {
			t.Errorf("kept %s, %v", kept.Document, err)
		}
	})
}

func TestWhatIsWithdrawnIsGone(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		c := h.issue(t, order())
		must(t, h.Withdraw(ctx, strings.ToUpper(c.ID)))
		_, err := h.Credential(ctx, c.ID)
		wants(t, err, issuance.ErrWithdrawn)
		wants(t, h.Withdraw(ctx, c.ID), issuance.ErrWithdrawn)
		_, err = h.Reissue(ctx, c.ID, issuance.AnyVersion, issuance.Award{})
		wants(t, err, issuance.ErrWithdrawn)
		_, err = h.Badge(ctx, c.ID, image.PNG)
		wants(t, err, issuance.ErrWithdrawn)
		var rows []struct{ Document, RecipientIndex *string }
		must(t, db.Reader(ctx).Raw("SELECT document, recipient_index FROM achievement_credentials").Scan(&rows).Error)
		if len(rows) != 1 || rows[0].Document != nil || rows[0].RecipientIndex != nil {
			t.Errorf("kept %+v", rows)
		}
		if issued, err := issuance.NewLedger(h.store).Issued(ctx, issuerID, achievementID); err != nil || !issued {
			t.Errorf("copies are in the world, but it counts as never issued: %v", err)
		}
	})
}

func TestBadIdentifiersAndFiltersAreRefused(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		must(t, h.store.Reserve(ctx, reserved(7)))
		for _, bad := range []string{"", "x", "\x00", "\xff", strings.Repeat("a", 5000), strings.ReplaceAll(id(1), "-", ""), "urn:uuid:" + id(1), id(404), id(7)} {
			_, err := h.Credential(ctx, bad)
			wants(t, err, issuance.ErrNotFound)
			_, err = h.Reissue(ctx, bad, issuance.AnyVersion, issuance.Award{})
			wants(t, err, issuance.ErrNotFound)
			wants(t, h.Withdraw(ctx, bad), issuance.ErrNotFound)
			_, err = h.Badge(ctx, bad, image.SVG)
			wants(t, err, issuance.ErrNotFound)
		}
		for _, f := range []issuance.Filter{{IssuerID: "x"}, {AchievementID: "\x00"}, {State: "reserved"}, {State: "\x00"}, {Status: "valid"}} {
			_, err := h.Credentials(ctx, f, paging.Query{Limit: 5, Sort: "createdAt"})
			wants(t, err, issuance.ErrFilter)
		}
		page, err := h.Credentials(ctx, issuance.Filter{IssuerID: strings.ToUpper(issuerID)}, paging.Query{Limit: 5, Sort: "createdAt"})
		if err != nil || page.Items == nil || len(page.Items) != 0 {
			t.Errorf("listed %+v, %v", page, err)
		}
	})
}

func TestStartSettlesWhatACrashLeft(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, secure)
		must(t, h.store.Reserve(t.Context(), reserved(1)))
		h.at = noon.Add(issuance.Abandoned)
		h.Settle(t.Context()) // it may still be worked on
		if rows := h.count(t, db); rows != 1 || h.log.Len() != 0 {
			t.Errorf("%d rows, %s", rows, h.log.String())
		}
		h.at = h.at.Add(time.Second)
		h.Settle(t.Context())
		if rows := h.count(t, db); rows != 0 || !strings.Contains(h.log.String(), "count=1") {
			t.Errorf("%d rows, %s", rows, h.log.String())
		}
		must(t, db.Session(t.Context()).Exec("DROP TABLE achievement_credentials").Error)
		h.Settle(t.Context())
		if !strings.Contains(h.log.String(), "reservations not settled") {
			t.Errorf("a schema that is not there is not told of: %s", h.log.String())
		}
	})
}

// picture is a PNG with this many pixels a side, which compress badly.
func picture(t testing.TB, side int) []byte {
	t.Helper()
	img := stdimage.NewGray(stdimage.Rect(0, 0, side, side))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range img.Pix {
		img.Pix[i] = byte(random.Uint32())
	}
	var out bytes.Buffer
	must(t, png.Encode(&out, img))
	return out.Bytes()
}

const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="3" height="2"><path d="M0 0h3v2z"/></svg>`

func TestBadgesAreBakedIntoWhatPictureThereIs(t *testing.T) {
	small := picture(t, 4)
	huge := picture(t, 2600) // its frame is larger than an SVG may be
	each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, secure)
		c := h.issue(t, order())
		for _, row := range []struct {
			name     string
			pictures map[image.Format][]byte
			shown    image.Format
			png, svg error
			frame    bool
		}{
			{"both", map[image.Format][]byte{image.PNG: small, image.SVG: []byte(drawing)}, image.PNG, nil, nil, false},
			{"a PNG, and a frame round it", map[image.Format][]byte{image.PNG: small}, image.PNG, nil, nil, true},
			{"an SVG alone", map[image.Format][]byte{image.SVG: []byte(drawing)}, image.SVG, issuance.ErrPicture, nil, false},
			{"none", nil, "", issuance.ErrPicture, issuance.ErrPicture, false},
			{"a PNG too large for a frame", map[image.Format][]byte{image.PNG: huge}, image.PNG, nil, issuance.ErrPicture, false},
		} {
			t.Run(row.name, func(t *testing.T) {
				h.award.pictures = row.pictures
				h.shelf.Changed(t.Context()) // as whoever changes pictures says
				if shown, err := h.PictureFormat(t.Context(), c); err != nil || shown != row.shown {
					t.Errorf("shown as %q, %v", shown, err)
				}
				for format, want := range map[image.Format]error{image.PNG: row.png, image.SVG: row.svg} {
					badge, err := h.Badge(t.Context(), c.ID, format)
					wants(t, err, want)
					if want != nil || err != nil {
						continue
					}
					out, err := image.Extract(badge)
					if err != nil || out.Format != format || !bytes.Equal(out.Payload, c.Document) || len(out.Warnings) != 0 {
						t.Errorf("%s: another credential came out: %+v, %v", format, out, err)
					}
					info, err := image.Inspect(badge)
					if err != nil || len(info.Baked) != 1 {
						t.Errorf("%s is not sound: %+v, %v", format, info, err)
					}
					if format == image.SVG && row.frame != bytes.Contains(badge, []byte("data:image/png;base64,")) {
						t.Errorf("the SVG is %.200s", badge)
					}
					if format == image.SVG && row.frame && (info.Width != 4 || info.Height != 4) {
						t.Errorf("the frame has %d by %d", info.Width, info.Height)
					}
				}
			})
		}
		t.Run("a neighbour that fails", func(t *testing.T) {
			h.award.err = errBroken
			h.shelf.Changed(t.Context())
			for _, format := range []image.Format{image.PNG, image.SVG} {
				_, err := h.Badge(t.Context(), c.ID, format)
				wants(t, err, errBroken)
			}
			_, err := h.PictureFormat(t.Context(), c)
			wants(t, err, errBroken)
		})
	})
}

// BenchmarkIssue is one order after another: built, linted, reserved, signed, stored.
func BenchmarkIssue(b *testing.B) {
	for _, engine := range dbtest.Engines(b) {
		b.Run(engine.Name, func(b *testing.B) {
			db := dbtest.Open(b, engine.URL)
			runner, err := migrationsOf(db)
			must(b, err, runner.Up(b.Context()))
			h := build(b, db, secure)
			ctx := as(b, "token:1")
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n++
				if _, _, err := h.Issue(ctx, keyed(fmt.Sprint(n), "hash")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
