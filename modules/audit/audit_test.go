package audit_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/badge-engine/badge-engine/migrations"
	"github.com/badge-engine/badge-engine/modules/audit"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// fasthttp keeps one clock for the process, and a stopped pool looks up once in ten seconds.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func key(t testing.TB, secret string) audit.Key {
	t.Helper()
	sum := sha256.Sum256([]byte(secret))
	k, err := audit.NewKey(sum[:])
	must(t, err)
	return k
}

// house is one replica of the module.
type house struct {
	*audit.Service
	sealer *audit.Sealer
	db     *database.DB
	log    *bytes.Buffer
}

func build(t testing.TB, db *database.DB) *house { return withKey(t, db, "secret") }

func withKey(t testing.TB, db *database.DB, secret string) *house {
	t.Helper()
	h := &house{db: db, log: new(bytes.Buffer)}
	h.Service = audit.New(key(t, secret), audit.NewStore(db), func() time.Time { return noon })
	h.sealer = audit.NewSealer(h.Service, db, slog.New(slog.NewTextHandler(h.log, nil)))
	return h
}

// record writes events down, numbered, and seals them.
func (h *house) record(t testing.TB, n int) {
	t.Helper()
	must(t, h.db.Do(t.Context(), func(ctx context.Context) error {
		for i := range n {
			if err := h.Record(ctx, "issuance.credential.issued", fmt.Sprintf("credential-%d", i), "", nil); err != nil {
				return err
			}
		}
		return nil
	}))
	h.seal(t)
}

func (h *house) seal(t testing.TB) {
	t.Helper()
	_, err := h.sealer.Seal(t.Context())
	must(t, err)
}

func (h *house) exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	must(t, h.db.Session(t.Context()).Exec(statement, args...).Error)
}

func (h *house) verify(t testing.TB, earlier ...audit.Head) audit.Report {
	t.Helper()
	report, err := h.Verify(t.Context(), earlier...)
	must(t, err)
	return report
}

// all answers the whole trail, oldest first.
func (h *house) all(t testing.TB) []audit.Event {
	t.Helper()
	page, err := h.Events(t.Context(), audit.Filter{}, paging.Query{Limit: paging.MaxLimit, Sort: "sequence"})
	must(t, err)
	return page.Items
}

func TestAnEventSaysWhoWhatWhenFromWhereAndByWhichRequest(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db)
		ctx := principal.With(t.Context(), principal.Principal{ID: "token:0192", Name: "Ada Lovelace"})
		ctx = principal.WithAddress(logging.ContextWith(ctx, "request-1"), "192.0.2.7")
		must(t, h.Record(ctx, "issuance.credential.issued", "0193", "version:2", nil))
		must(t, h.Record(t.Context(), "auth.role.granted", "ada@example.org", "Ada Lovelace", nil))
		must(t, h.Write(principal.WithAddress(t.Context(), "2001:db8::1"), audit.Deed{Action: "auth.user.signed_in", Actor: "user:t/o"}))
		h.seal(t)
		got := h.all(t)
		for i, want := range []audit.Event{
			{Sequence: 1, At: noon, Principal: "token:0192", Kind: "token", Action: "issuance.credential.issued", Target: "0193", Outcome: audit.Succeeded, Detail: "version:2", RemoteIP: "192.0.2.7", RequestID: "request-1", Count: 1},
			{Sequence: 2, At: noon, Kind: "system", Action: "auth.role.granted", Target: "[withheld]", Outcome: audit.Succeeded, Detail: "[withheld]", Count: 1},
			{Sequence: 3, At: noon, Principal: "user:t/o", Kind: "user", Action: "auth.user.signed_in", Outcome: audit.Succeeded, RemoteIP: "2001:db8::1", Count: 1},
		} {
			e := got[i]
			if e.ID == "" || len(e.Hash) != sha256.Size {
				t.Errorf("event %d has id %q and hash %x", i, e.ID, e.Hash)
			}
			want.ID, want.Hash = e.ID, e.Hash
			if fmt.Sprintf("%+v", e) != fmt.Sprintf("%+v", want) {
				t.Errorf("got  %+v\nwant %+v", e, want)
			}
		}
		if report := h.verify(t); report.Breach != nil || report.Checked != 3 || report.Waiting != 0 {
			t.Errorf("report is %+v", report)
		}
	}, audit.Schema())
}

func TestADeedAndItsEventAreStoredTogetherOrNotAtAll(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db)
		broken := errors.New("the deed failed")
		err := db.Do(t.Context(), func(ctx context.Context) error {
			must(t, h.Record(ctx, "issuance.credential.issued", "x", "", nil))
			return broken
		})
		if !errors.Is(err, broken) {
			t.Fatal(err)
		}
		if report := h.verify(t); report.Waiting != 0 {
			t.Errorf("%d events of a deed that was not done", report.Waiting)
		}
		must(t, h.Record(t.Context(), "issuance.credential.issued", "y", "", nil))
		if report := h.verify(t); report.Waiting != 1 || report.Checked != 0 || report.Breach != nil {
			t.Errorf("an event not sealed is told as %+v", report)
		}
	}, audit.Schema())
}

// tampering is what somebody with the database, but without the key, may do.
var tampering = []struct {
	name    string
	do      func(t *testing.T, h *house)
	at      int64
	problem string
}{
	{"a target is changed", func(t *testing.T, h *house) { h.exec(t, "UPDATE audit_events SET target = 'other' WHERE sequence = 3") }, 3, "changed"},
	{"a time is changed", func(t *testing.T, h *house) {
		h.exec(t, "UPDATE audit_events SET at = ? WHERE sequence = 5", noon.Add(time.Hour))
	}, 5, "changed"},
	{"a count is changed", func(t *testing.T, h *house) { h.exec(t, "UPDATE audit_events SET count = 2 WHERE sequence = 1") }, 1, "changed"},
	{"text moves from one column to the next", func(t *testing.T, h *house) {
		h.exec(t, "UPDATE audit_events SET target = '', detail = target WHERE sequence = 4")
	}, 4, "changed"},
	{"a hash is changed", func(t *testing.T, h *house) {
		h.exec(t, "UPDATE audit_events SET hash = (SELECT e.hash FROM audit_events e WHERE e.sequence = 6) WHERE sequence = 2")
	}, 2, "changed"},
	{"the first event is removed", func(t *testing.T, h *house) { h.exec(t, "DELETE FROM audit_events WHERE sequence = 1") }, 1, "missing"},
	{"one in the middle is removed", func(t *testing.T, h *house) { h.exec(t, "DELETE FROM audit_events WHERE sequence = 4") }, 4, "missing"},
	{"one in the middle is removed and the rest move up", func(t *testing.T, h *house) {
		h.exec(t, "DELETE FROM audit_events WHERE sequence = 4")
		for i := 5; i <= 9; i++ {
			h.exec(t, "UPDATE audit_events SET sequence = ? WHERE sequence = ?", i-1, i)
		}
	}, 4, "changed"},
	{"two change places", func(t *testing.T, h *house) {
		for _, move := range [][2]int{{3, 100}, {4, 3}, {100, 4}} {
			h.exec(t, "UPDATE audit_events SET sequence = ? WHERE sequence = ?", move[1], move[0])
		}
	}, 3, "changed"},
	{"one is put in between", func(t *testing.T, h *house) {
		for i := 9; i >= 5; i-- {
			h.exec(t, "UPDATE audit_events SET sequence = ? WHERE sequence = ?", i+1, i)
		}
		h.exec(t, strings.ReplaceAll(copied, "WHERE", "WHERE sequence = 4 AND"), 5)
	}, 5, "changed"},
	{"one is put at the end", func(t *testing.T, h *house) {
		h.exec(t, strings.ReplaceAll(copied, "WHERE", "WHERE sequence = 9 AND"), 10)
	}, 10, "after the head"},
	{"the end is cut off", func(t *testing.T, h *house) { h.exec(t, "DELETE FROM audit_events WHERE sequence > 6") }, 7, "missing"},
	{"the end is cut off and the head put back by hand", func(t *testing.T, h *house) {
		h.exec(t, "DELETE FROM audit_events WHERE sequence > 6")
		h.exec(t, "UPDATE audit_head SET sequence = 6, hash = (SELECT hash FROM audit_events WHERE sequence = 6)")
	}, 0, "not signed"},
	{"everything goes", func(t *testing.T, h *house) { h.exec(t, "DELETE FROM audit_events") }, 1, "missing"},
	{"everything goes, and the head with it", func(t *testing.T, h *house) {
		h.exec(t, "DELETE FROM audit_events")
		h.exec(t, "DELETE FROM audit_head")
	}, 0, "head of the trail is gone"},
	{"the signature of the head is removed", func(t *testing.T, h *house) { h.exec(t, "UPDATE audit_head SET signature = hash") }, 0, "not signed"},
	{"an event is put in before it is sealed", func(t *testing.T, h *house) {
		h.exec(t, `INSERT INTO audit_pending SELECT '0192f0c0-0000-7000-8000-000000000000', at, principal, principal_kind, action, target, outcome, reason, detail, remote_ip, request_id, count, hash FROM audit_events WHERE sequence = 1`)
		h.record(t, 2)
	}, 10, "put in before it was sealed"},
}

// copied puts a copy of an event at another place.
const copied = `INSERT INTO audit_events (sequence, id, at, principal, principal_kind, action, target, outcome, reason, detail, remote_ip, request_id, count, forged, hash)
	SELECT ?, id, at, principal, principal_kind, action, target, outcome, reason, detail, remote_ip, request_id, count, forged, hash FROM audit_events WHERE 1 = 1`

func TestWhatWasDoneToTheTrailIsNoticedAndNamed(t *testing.T) {
	for _, row := range tampering {
		t.Run(row.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *database.DB) {
				h := build(t, db)
				h.record(t, 9)
				if report := h.verify(t); report.Breach != nil || report.Checked != 9 {
					t.Fatalf("before anything was done: %+v", report)
				}
				row.do(t, h)
				breach := h.verify(t).Breach
				if breach == nil || breach.Sequence != row.at || !strings.Contains(breach.Problem, row.problem) {
					t.Errorf("got %v, want %q at %d", breach, row.problem, row.at)
				}
				fresh := build(t, db) // a server that was just started
				fresh.sealer.Patrol(t.Context())
				if got := fresh.log.String(); !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "audit trail is broken") {
					t.Errorf("the patrol says %q", got)
				}
			}, audit.Schema())
		})
	}
}

func TestAnEarlierStateThatIsPutBackIsNoticedByWhoRemembers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db)
		h.record(t, 5)
		h.sealer.Patrol(t.Context())
		h.exec(t, "CREATE TABLE kept AS SELECT * FROM audit_head")
		h.record(t, 5)
		h.sealer.Patrol(t.Context())
		later := h.verify(t).Head
		back, err := audit.ParseHead(later.String())
		must(t, err)

		h.exec(t, "DELETE FROM audit_events WHERE sequence > 5")
		h.exec(t, "DELETE FROM audit_head")
		h.exec(t, "INSERT INTO audit_head SELECT * FROM kept")
		if breach := h.verify(t).Breach; breach != nil {
			t.Errorf("the database alone cannot tell, yet it says %v", breach)
		}
		if breach := h.verify(t, back).Breach; breach == nil || breach.Sequence != 6 {
			t.Errorf("against a head from before: %v", breach)
		}
		h.log.Reset()
		h.sealer.Patrol(t.Context())
		if !strings.Contains(h.log.String(), "audit trail is broken") {
			t.Errorf("the patrol says %q", h.log)
		}

		h.record(t, 7) // other events take the numbers
		if breach := h.verify(t, back).Breach; breach == nil || breach.Sequence != 10 || !strings.Contains(breach.Problem, "continued") {
			t.Errorf("against a head from before: %v", breach)
		}
		h.log.Reset()
		h.sealer.Patrol(t.Context())
		if !strings.Contains(h.log.String(), "continued") {
			t.Errorf("the patrol says %q", h.log)
		}
	}, audit.Schema())
}

func TestAnEventThatComesTwiceIsSealedAsForged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db)
		must(t, h.Record(t.Context(), "auth.token.created", "x", "", nil))
		h.exec(t, "CREATE TABLE kept AS SELECT * FROM audit_pending")
		h.seal(t)
		h.exec(t, "INSERT INTO audit_pending SELECT * FROM kept")
		h.record(t, 1)
		if breach := h.verify(t).Breach; breach == nil || breach.Sequence != 2 {
			t.Errorf("got %v", breach)
		}
		if got := h.all(t); len(got) != 3 || got[0].Forged || !got[1].Forged || got[2].Forged {
			t.Errorf("the trail is %+v", got)
		}
	}, audit.Schema())
}

func TestWithAnotherKeyNothingIsSealedOnTop(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db)
		h.record(t, 2)
		other := withKey(t, db, "another")
		if err := other.Open(t.Context()); !errors.Is(err, audit.ErrKey) {
			t.Errorf("opening says %v", err)
		}
		must(t, h.Record(t.Context(), "auth.token.created", "x", "", nil))
		if n, err := other.sealer.Seal(t.Context()); n != 0 || !errors.Is(err, audit.ErrKey) {
			t.Errorf("%d sealed, %v", n, err)
		}
		if breach := other.verify(t).Breach; breach == nil || breach.Sequence != 0 {
			t.Errorf("got %v", breach)
		}
		h.seal(t)
		must(t, h.Open(t.Context()))
		if report := h.verify(t); report.Breach != nil || report.Checked != 3 {
			t.Errorf("report is %+v", report)
		}
	}, audit.Schema())
}

// patiently repeats what a busy database refuses, as every caller may: SQLite serves
// the handles that wait in no order, and on a loaded machine one can wait too long.
func patiently(deed func() error) (err error) {
	for range 20 {
		if err = deed(); !errors.Is(err, database.ErrUnavailable) {
			return err
		}
	}
	return err
}

func TestTenSealersAtOnceLeaveOneChainWithoutGaps(t *testing.T) {
	const replicas, each = 10, 60
	for _, engine := range dbtest.Engines(t) {
		t.Run(engine.Name, func(t *testing.T) {
			first := dbtest.Open(t, engine.URL)
			runner, err := migrations.New(first, []migrations.Set{audit.Schema()}, slog.New(slog.DiscardHandler))
			must(t, err)
			must(t, runner.Up(t.Context()))
			houses := make([]*house, replicas)
			for i := range houses {
				houses[i] = build(t, dbtest.Open(t, engine.URL))
			}
			var writing, sealing sync.WaitGroup
			written := make(chan struct{})
			for _, h := range houses {
				writing.Go(func() {
					for i := range each {
						record := func() error { return h.Record(t.Context(), "issuance.credential.issued", fmt.Sprint(i), "", nil) }
						if i%3 == 0 {
							record = func() error { return h.together(t, 1) }
						}
						if err := patiently(record); err != nil {
							t.Error(err)
						}
					}
				})
				sealing.Go(func() {
					for done := false; !done; {
						select {
						case <-written:
							done = true
						default:
						}
						if err := patiently(func() error { _, err := h.sealer.Seal(t.Context()); return err }); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			writing.Wait()
			close(written)
			sealing.Wait()
			houses[0].seal(t) // the last round of each may have met another's
			if report := houses[0].verify(t); report.Breach != nil || report.Checked != replicas*each || report.Waiting != 0 {
				t.Errorf("report is %+v", report)
			}
		})
	}
}

var errNo = fault.New(fault.Unauthenticated, "auth.token_invalid", "No.")

func TestRefusalsAreCountedBySourceAndBounded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db)
		refuse := func(ip, path string, err error) {
			ctx := logging.ContextWith(principal.WithAddress(t.Context(), ip), "r-"+ip)
			h.Refused(ctx, httpserver.Refusal{Method: "GET", Route: path, Err: err})
		}
		for range 1000 {
			refuse("192.0.2.7", "/api/v1/tokens", errNo)
		}
		refuse("192.0.2.7", "/api/v1/audit", fault.New(fault.Forbidden, "httpserver.forbidden", "No."))
		for i := range 500 { // one customer of a provider with IPv6
			refuse(fmt.Sprintf("2001:db8:1:2::%x", i), "/api/v1/tokens", errNo)
		}
		must(t, h.Record(t.Context(), "issuance.credential.issued", "x", "", errors.New("disk full at ada@example.org")))
		if report := h.verify(t); report.Waiting != 0 {
			t.Errorf("a refusal waits for the database: %+v", report)
		}
		must(t, h.Flush(t.Context()))
		h.seal(t)
		counts := map[string]int64{}
		for _, e := range h.all(t) {
			counts[strings.Join([]string{e.Kind, e.RemoteIP, e.Action, e.Target, string(e.Outcome), e.Reason}, " ")] = e.Count
		}
		want := map[string]int64{
			"anonymous 192.0.2.7 httpserver.request.refused GET:/api/v1/tokens refused auth.token_invalid":         1000,
			"anonymous 192.0.2.7 httpserver.request.refused GET:/api/v1/audit refused httpserver.forbidden":        1,
			"anonymous 2001:db8:1:2::/64 httpserver.request.refused GET:/api/v1/tokens refused auth.token_invalid": 500,
			"system  issuance.credential.issued x failed internal":                                                 1,
		}
		if fmt.Sprint(counts) != fmt.Sprint(want) {
			t.Errorf("got  %v\nwant %v", counts, want)
		}

		for i := range 100_000 {
			refuse(fmt.Sprintf("198.%d.%d.%d", i>>16, i>>8&255, i&255), "/api/v1/tokens", errNo)
		}
		must(t, h.Flush(t.Context()))
		h.seal(t)
		page, err := h.Events(t.Context(), audit.Filter{Action: "httpserver."}, paging.Query{Limit: 500, Sort: "sequence", Descending: true})
		must(t, err)
		var total, rest int64
		for _, e := range page.Items[:len(page.Items)-3] { // those of before
			total += e.Count
			if e.Kind == "several" {
				rest += e.Count
			}
		}
		if len(page.Items)-3 > 257 || total != 100_000 || rest != 100_000-256 {
			t.Errorf("100,000 strangers became %d rows that count %d, %d of them together", len(page.Items)-3, total, rest)
		}
		if report := h.verify(t); report.Breach != nil {
			t.Errorf("report is %+v", report)
		}
	}, audit.Schema())
}

func TestRefusalsAreKeptWhileTheyCannotBeWritten(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db)
		h.Refused(t.Context(), httpserver.Refusal{Method: "GET", Route: "/x", Err: errNo})
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := h.Flush(gone); err == nil {
			t.Fatal("a flush with an ended context succeeded")
		}
		h.Refused(t.Context(), httpserver.Refusal{Method: "GET", Route: "/x", Err: errNo})
		must(t, h.Flush(t.Context()))
		must(t, h.Flush(t.Context()))
		h.seal(t)
		if got := h.all(t); len(got) != 1 || got[0].Count != 2 {
			t.Errorf("the trail is %+v", got)
		}
	}, audit.Schema())
}

func TestPagesAndFilters(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db)
		h.record(t, 25)
		ada := principal.With(t.Context(), principal.Principal{ID: "user:t/ada"})
		must(t, h.Record(ada, "auth.token_x.created", "t1", "", nil))
		must(t, h.Record(ada, "auth.tokenax.created", "t2", "", nil))
		h.seal(t)

		q := paging.Query{Limit: 10, Sort: "sequence", Descending: true}
		var got []int64
		for pages := 0; ; pages++ {
			page, err := h.Events(t.Context(), audit.Filter{}, q)
			must(t, err)
			for _, e := range page.Items {
				got = append(got, e.Sequence)
			}
			if pages == 0 {
				h.record(t, 3) // what is added meanwhile moves nothing
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				break
			}
		}
		if len(got) != 27 || got[0] != 27 || got[26] != 1 {
			t.Errorf("pages held %v", got)
		}

		for _, row := range []struct {
			name   string
			filter audit.Filter
			want   int
		}{
			{"the beginning of an action", audit.Filter{Action: "auth."}, 2},
			{"an underscore means itself", audit.Filter{Action: "auth.token_"}, 1},
			{"a principal", audit.Filter{Principal: "user:t/ada"}, 2},
			{"a target", audit.Filter{Target: "credential-1"}, 2},
			{"an outcome", audit.Filter{Outcome: audit.Refused}, 0},
			{"from a time on", audit.Filter{From: noon}, 30},
			{"before a time", audit.Filter{To: noon}, 0},
			{"all together", audit.Filter{Action: "auth", Principal: "user:t/ada", Target: "t2", Outcome: audit.Succeeded, From: noon, To: noon.Add(time.Second)}, 1},
		} {
			page, err := h.Events(t.Context(), row.filter, paging.Query{Limit: 100, Sort: "sequence"})
			if err != nil || len(page.Items) != row.want {
				t.Errorf("%s: %d events instead of %d, %v", row.name, len(page.Items), row.want, err)
			}
		}
		for _, f := range []audit.Filter{{Action: "auth.%"}, {Action: "Ü"}, {Outcome: "lost"}} {
			if _, err := h.Events(t.Context(), f, paging.Query{Limit: 1, Sort: "sequence"}); !errors.Is(err, audit.ErrFilter) {
				t.Errorf("%+v answers %v", f, err)
			}
		}
		for _, position := range []paging.Position{{Value: "x", ID: "0192f0c0-0000-7000-8000-000000000000"}, {Value: "1", ID: "x"}} {
			q := paging.Query{Limit: 1, Sort: "sequence"}
			q.Cursor = q.Next(position, "", "", "", "", "", "")
			if _, err := h.Events(t.Context(), audit.Filter{}, q); !errors.Is(err, paging.ErrCursor) {
				t.Errorf("a cursor made by hand answers %v", err)
			}
		}
	}, audit.Schema())
}

func TestAHeadReadsAsItIsWritten(t *testing.T) {
	for _, s := range []string{"", ":", "1:", "0:" + strings.Repeat("00", 32), "x:" + strings.Repeat("00", 32), "1:" + strings.Repeat("00", 31), "-1:" + strings.Repeat("00", 32), "1:" + strings.Repeat("zz", 32)} {
		if _, err := audit.ParseHead(s); !errors.Is(err, audit.ErrHead) {
			t.Errorf("%q is read, %v", s, err)
		}
	}
	s := "42:" + strings.Repeat("9f", 32)
	if head, err := audit.ParseHead(s); err != nil || head.String() != s {
		t.Errorf("%q is read as %v, %v", s, head, err)
	}
}
