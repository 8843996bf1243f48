package issuance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

func batches(h *house) *issuance.Batches {
	return issuance.NewBatches(h.Service, slog.New(slog.NewTextHandler(&h.log, nil)))
}

func emails(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"recipient":{"email":"person-%d@example.org"}}`+"\n", i)
	}
	return b.Bytes()
}

func batch(file []byte) issuance.BatchOrder {
	return issuance.BatchOrder{AchievementID: achievementID, Format: issuance.NDJSON, File: file}
}

// lines reads the whole report of a batch.
func lines(t testing.TB, b *issuance.Batches, ctx context.Context, id, state string) (all []issuance.BatchLine) {
	t.Helper()
	q := paging.Query{Limit: 40}
	for {
		page, err := b.Lines(ctx, id, state, q)
		must(t, err)
		all = append(all, page.Items...)
		if q.Cursor = page.Next; q.Cursor == "" {
			return all
		}
	}
}

func TestABatchIssuesEachOrderOnce(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		b := batches(h)
		file := append(emails(230), []byte(`
			{"recipient":{"email":"nobody"}}
			{"recipient":{"email":"ada@example.org"},"validUntil":"2001-01-01T00:00:00Z"}

			{"recipient":{"email":"ada@example.org"},"shoeSize":44}
			{"recipient":{"email":"ada@example.org"}
			{"recipient":{"email":"ada@example.org"},"achievementId":"`+id(404)+`"}
			{"recipient":{"email":"ada@example.org"},"achievementId":"`+strings.ToUpper(achievementID)+`","narrative":"Last."}`)...)
		accepted, replayed, err := b.Accept(ctx, batch(file))
		if err != nil || replayed || accepted.State != issuance.BatchRunning || accepted.Total != 236 || accepted.Processed != 0 {
			t.Fatalf("accepted %+v, %v", accepted, err)
		}
		var sealed []struct{ Orders []byte }
		must(t, db.Reader(ctx).Raw("SELECT orders FROM issuance_batch_blocks").Scan(&sealed).Error)
		for _, row := range sealed {
			if len(row.Orders) < 50 || bytes.Contains(row.Orders, []byte("example.org")) {
				t.Fatal("an address can be read in the table")
			}
		}
		worked, err := b.Work(ctx)
		if err != nil || !worked {
			t.Fatalf("worked %t, %v", worked, err)
		}
		done, err := b.Batch(ctx, strings.ToUpper(accepted.ID))
		if err != nil || done.State != issuance.BatchCompleted || done.Succeeded != 231 || done.Failed != 5 || done.Processed != 236 {
			t.Fatalf("it came to %+v, %v", done, err)
		}
		if worked, err := b.Work(ctx); worked || err != nil {
			t.Errorf("there is more to do: %v", err)
		}
		if rows := h.count(t, db); rows != 231 {
			t.Errorf("%d credentials", rows)
		}
		all := lines(t, b, ctx, done.ID, "")
		pointers := map[int64]string{231: "/recipient/email", 232: "/validUntil", 233: "/shoeSize", 234: "", 235: "/achievementId"}
		indexes := map[int64]bool{}
		for i, line := range all {
			if line.Number != int64(i+1) {
				t.Fatalf("line %d is number %d", i+1, line.Number)
			}
			pointer, bad := pointers[line.Number]
			if bad {
				var p struct {
					Code   string
					Errors []struct{ Pointer string }
				}
				must(t, json.Unmarshal(line.Problem, &p))
				if line.State != "failed" || line.CredentialID != "" || p.Code != "issuance.invalid" || len(p.Errors) == 0 || p.Errors[0].Pointer != pointer {
					t.Errorf("line %d: %s %s", line.Number, line.State, line.Problem)
				}
				continue
			}
			c, err := h.Credential(ctx, line.CredentialID)
			must(t, err)
			if line.State != "issued" || indexes[c.Place.Index] {
				t.Errorf("line %d is %s, or shares an entry", line.Number, line.State)
			}
			indexes[c.Place.Index] = true
			if named := decode(t, c).CredentialStatus; named == nil || named.StatusListIndex != fmt.Sprint(c.Place.Index) {
				t.Errorf("line %d names the entry %+v, and has %+v", line.Number, named, c.Place)
			}
			if recipient := fmt.Sprintf("person-%d@example.org", i); i%50 == 0 && !h.verify(t, db, c.Document, recipient) {
				t.Errorf("line %d does not verify for %s", line.Number, recipient)
			}
		}
		if failed := lines(t, b, ctx, done.ID, "failed"); len(failed) != 5 {
			t.Errorf("%d failed", len(failed))
		}
		var left int64
		must(t, db.Reader(ctx).Raw("SELECT count(*) FROM issuance_batch_blocks WHERE orders IS NOT NULL").Scan(&left).Error)
		if left != 0 || strings.Contains(h.log.String(), "@example.org") {
			t.Errorf("%d orders are still kept, or the log tells of them", left)
		}
	})
}

func TestADryRunIssuesNothing(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		b := batches(h)
		o := batch(append(emails(120), `{"recipient":{}}`...))
		o.DryRun = true
		accepted, _, err := b.Accept(ctx, o)
		must(t, err)
		_, err = b.Work(ctx)
		must(t, err)
		done, err := b.Batch(ctx, accepted.ID)
		if err != nil || done.State != issuance.BatchCompleted || done.Succeeded != 120 || done.Failed != 1 || h.count(t, db) != 0 {
			t.Errorf("it came to %+v, %v, with %d credentials", done, err, h.count(t, db))
		}
		for _, line := range lines(t, b, ctx, done.ID, "") {
			if line.CredentialID != "" || (line.State == "valid") == (line.Number == 121) {
				t.Errorf("line %+v", line)
			}
		}
	})
}

func TestABatchThatIsRepeatedIsOne(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		b := batches(h)
		o := batch(emails(3))
		o.IdempotencyKey, o.RequestHash = "key", "hash"
		var wg sync.WaitGroup
		var mu sync.Mutex
		ids := map[string]int{}
		for range 5 {
			wg.Go(func() {
				got, _, err := b.Accept(ctx, o)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				ids[got.ID]++
				mu.Unlock()
			})
		}
		wg.Wait()
		for {
			if worked, err := b.Work(ctx); !worked {
				must(t, err)
				break
			}
		}
		if len(ids) != 1 || h.count(t, db) != 3 {
			t.Errorf("%v with %d credentials", ids, h.count(t, db))
		}
		var taken int64
		must(t, db.Reader(ctx).Raw("SELECT SUM(taken) FROM issuance_status_lists").Row().Scan(&taken))
		if taken > 8 { // the smallest block of a register
			t.Errorf("for three credentials %d entries were taken", taken)
		}
		o.RequestHash = "another"
		_, _, err := b.Accept(ctx, o)
		wants(t, err, issuance.ErrMismatch)
		if _, replayed, err := b.Accept(as(t, "token:2"), o); replayed || err != nil {
			t.Errorf("the key of another caller: %t, %v", replayed, err)
		}
	})
}

// TestABatchGoesOnWhereItStopped stops in the middle in every way: asked to, killed
// before and after a chunk is stored, overtaken by another process, and by trouble.
func TestABatchGoesOnWhereItStopped(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		b := batches(h)
		accepted, _, err := b.Accept(ctx, batch(emails(450)))
		must(t, err)
		stop := func(meddle func() error) {
			h.sign.mu.Lock()
			h.sign.meddled, h.sign.meddle = false, meddle
			h.sign.mu.Unlock()
		}
		progress := func() int64 {
			t.Helper()
			got, err := b.Batch(ctx, accepted.ID)
			must(t, err)
			return got.Processed
		}

		asked, cancel := context.WithCancel(ctx)
		stop(func() error { cancel(); return nil })
		if _, err := b.Work(asked); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		first := progress()

		// Another process does all that is left while this one signs a chunk of it.
		other := batches(h)
		h.at = h.at.Add(time.Minute)
		stop(func() error {
			stop(nil)
			h.later.Add(int64(time.Minute)) // the lease is over
			_, err := other.Work(ctx)
			return err
		})
		_, err = b.Work(ctx)
		if err != nil || progress() != 450 || first >= 450 {
			t.Errorf("after %d lines it is at %d, %v", first, progress(), err)
		}
		if rows := h.count(t, db); rows != 450 {
			t.Errorf("%d credentials for 450 orders", rows)
		}

		accepted, _, err = b.Accept(ctx, batch(emails(10)))
		must(t, err)
		stop(func() error { return errBroken })
		if _, err := b.Work(ctx); !errors.Is(err, errBroken) {
			t.Errorf("the trouble is %v", err)
		}
		if got, _ := b.Batch(ctx, accepted.ID); got.Trouble == "" || got.Processed != 0 || h.count(t, db) != 450 {
			t.Errorf("it came to %+v", got)
		}
		if worked, _ := b.Work(ctx); worked {
			t.Error("it is tried again at once")
		}
		h.at = h.at.Add(time.Minute)
		_, err = b.Work(ctx)
		if got, _ := b.Batch(ctx, accepted.ID); err != nil || got.State != issuance.BatchCompleted || got.Trouble != "" || h.count(t, db) != 460 {
			t.Errorf("it came to %+v, %v", got, err)
		}
	})
}

// TestBatchesAtOnceShareNoEntry lets several processes work on many batches at once, and two
// of them on the same ones.
func TestBatchesAtOnceShareNoEntry(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx := as(t, "token:1")
		replicas := []*house{build(t, db, secure), build(t, db, secure)}
		const each, batchesAtOnce = 2*issuance.BlockLines + 10, 10
		var accepted []string
		for i := range batchesAtOnce {
			got, _, err := batches(replicas[i%2]).Accept(ctx, batch(emails(each)))
			must(t, err)
			accepted = append(accepted, got.ID)
		}
		var wg sync.WaitGroup
		for i := range 4 {
			b := batches(replicas[i%2])
			wg.Go(func() {
				for {
					if worked, err := b.Work(ctx); err != nil || !worked {
						if err != nil {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		wg.Wait()
		ids := map[string]bool{}
		b := batches(replicas[0])
		for _, id := range accepted {
			if got, err := b.Batch(ctx, id); err != nil || got.State != issuance.BatchCompleted || got.Succeeded != each {
				t.Errorf("it came to %+v, %v", got, err)
			}
			for _, line := range lines(t, b, ctx, id, "issued") {
				ids[line.CredentialID] = true
			}
		}
		var counts struct{ Credentials, Entries, Batches int64 }
		must(t, db.Reader(ctx).Raw("SELECT count(*) AS credentials, (SELECT count(*) FROM (SELECT DISTINCT status_list, status_index FROM achievement_credentials WHERE status_list IS NOT NULL) e) AS entries, count(DISTINCT batch_id) AS batches FROM achievement_credentials").Scan(&counts).Error)
		if counts.Credentials != each*batchesAtOnce || counts.Entries != counts.Credentials || counts.Batches != batchesAtOnce || len(ids) != each*batchesAtOnce {
			t.Errorf("there are %+v, and %d ids in the reports", counts, len(ids))
		}
		var taken int64
		must(t, db.Reader(ctx).Raw("SELECT SUM(taken) FROM issuance_status_lists").Row().Scan(&taken))
		if taken > 2*counts.Entries {
			t.Errorf("for %d credentials %d entries were taken", counts.Entries, taken)
		}
	})
}

func TestASmallBatchDoesNotWaitForALargeOne(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		b := batches(h)
		b.Turn(2)
		large, _, err := b.Accept(ctx, batch(emails(5*issuance.BlockLines)))
		must(t, err)
		small, _, err := b.Accept(ctx, batch(emails(3)))
		must(t, err)
		var order []string
		for range 4 {
			worked, err := b.Work(ctx)
			if err != nil || !worked {
				t.Fatalf("worked %t, %v", worked, err)
			}
			h.at = h.at.Add(5 * time.Millisecond)
			for _, id := range []string{large.ID, small.ID} {
				got, err := b.Batch(ctx, id)
				must(t, err)
				order = append(order, fmt.Sprint(got.Processed))
			}
		}
		if got := strings.Join(order, " "); got != "500 0 500 3 1000 3 1250 3" {
			t.Errorf("they came to %s", got)
		}
		if worked, err := b.Work(ctx); worked || err != nil {
			t.Errorf("there is more to do: %v", err)
		}
	})
}

// counter gives away entries by number, and remembers which came back.
type counter struct {
	taken int64
	back  []statuslist.Place
}

func (c *counter) Take(_ context.Context, issuerID string, n int) ([]statuslist.Place, error) {
	places := make([]statuslist.Place, n)
	for i := range places {
		c.taken++
		places[i] = statuslist.Place{List: issuerID, Index: c.taken}
	}
	return places, nil
}

func (c *counter) Return(_ string, p statuslist.Place) { c.back = append(c.back, p) }

func TestEntriesOfABatchAreGivenAwayOnce(t *testing.T) {
	const lines = 10000 // more than are reserved at a time
	register := &counter{}
	take, back, release := issuance.Reserve(register, lines)
	var mu sync.Mutex
	var held [][]statuslist.Place
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range lines / 2 {
				places, err := take(t.Context(), []string{"a", "b"}[worker%2], 1)
				if err != nil {
					t.Error(err)
				}
				if i%10 == 0 { // it was not used
					back(places[0].List, places[0])
					continue
				}
				mu.Lock()
				held = append(held, places) // and looks again later
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	release()
	seen := map[statuslist.Place]bool{}
	for _, places := range append(held, register.back) {
		for _, p := range places {
			if seen[p] {
				t.Fatalf("%+v was given away twice", p)
			}
			seen[p] = true
		}
	}
	if int64(len(seen)) != register.taken {
		t.Errorf("of %d entries %d are left", register.taken, len(seen))
	}
}

// TestABatchOfLinesIsCarriedOut ends what was begun before batches had blocks.
func TestABatchOfLinesIsCarriedOut(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		b := batches(h)
		accepted, err := b.AcceptLines(ctx, batch(append(emails(230), "{}\n{\n"...)))
		must(t, err)
		cancelled, err := b.AcceptLines(ctx, batch(emails(5)))
		must(t, err)
		if _, err := b.Cancel(ctx, cancelled.ID); err != nil {
			t.Error(err)
		}
		stopped, cancel := context.WithCancel(ctx)
		h.sign.meddle = func() error { cancel(); return nil }
		_, _ = b.Work(stopped) // dies
		h.at = h.at.Add(time.Minute)
		if worked, err := b.Work(ctx); !worked || err != nil {
			t.Errorf("worked %t, %v", worked, err)
		}
		done, err := b.Batch(ctx, accepted.ID)
		if err != nil || done.State != issuance.BatchCompleted || done.Succeeded != 230 || done.Failed != 2 || h.count(t, db) != 230 {
			t.Errorf("it came to %+v with %d credentials, %v", done, h.count(t, db), err)
		}
		issued, failed := lines(t, b, ctx, done.ID, "issued"), lines(t, b, ctx, done.ID, "failed")
		if len(issued) != 230 || len(failed) != 2 || len(failed[1].Problem) == 0 {
			t.Fatalf("the report has %d that were issued and %d that failed", len(issued), len(failed))
		}
		if _, err := h.Credential(ctx, issued[229].CredentialID); err != nil {
			t.Error(err)
		}
	})
}

func TestTheReportOfABatchIsReadInPages(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		b := batches(h)
		var file bytes.Buffer
		const total = 3*issuance.BlockLines + 7
		bad := map[int64]bool{1: true, issuance.BlockLines: true, issuance.BlockLines + 1: true, total - 1: true}
		for i := int64(1); i <= total; i++ {
			if bad[i] {
				file.WriteString("{}\n")
			} else {
				file.Write(emails(1))
			}
		}
		accepted, _, err := b.Accept(ctx, batch(file.Bytes()))
		must(t, err)
		if pending := lines(t, b, ctx, accepted.ID, "pending"); len(pending) != total || pending[total-1].CredentialID != "" {
			t.Errorf("%d lines are pending", len(pending))
		}
		_, err = b.Work(ctx)
		must(t, err)
		all, failed, issued := lines(t, b, ctx, accepted.ID, ""), lines(t, b, ctx, accepted.ID, "failed"), lines(t, b, ctx, accepted.ID, "issued")
		if len(all) != total || len(failed) != len(bad) || len(issued) != total-len(bad) || len(lines(t, b, ctx, accepted.ID, "pending"))+len(lines(t, b, ctx, accepted.ID, "valid")) != 0 {
			t.Errorf("%d lines, %d failed, %d issued", len(all), len(failed), len(issued))
		}
		ids := map[string]bool{}
		for i, line := range all {
			if line.Number != int64(i+1) || (line.State == "failed") != bad[line.Number] || ids[line.CredentialID] && line.CredentialID != "" {
				t.Errorf("line %d: %+v", i+1, line)
			}
			ids[line.CredentialID] = true
		}
		for _, cursor := range []string{"nonsense", lastCursor(t, b, ctx, accepted.ID)} {
			_, err := b.Lines(ctx, accepted.ID, "failed", paging.Query{Limit: 2, Cursor: cursor}) // of another listing
			wants(t, err, paging.ErrCursor)
		}
		for i, line := range issued {
			c, err := h.Credential(ctx, line.CredentialID)
			if err != nil || i%200 == 0 && !h.verify(t, db, c.Document, "person-0@example.org") {
				t.Fatalf("line %d: %v", line.Number, err)
			}
		}
		said := 0
		for _, event := range h.audit.said {
			if event == "token:1 issuance.batch.issued "+accepted.ID+" true" {
				said++
			}
		}
		if said != 4 {
			t.Errorf("the trail has %d events of 4 blocks", said)
		}
	})
}

func lastCursor(t *testing.T, b *issuance.Batches, ctx context.Context, id string) string {
	t.Helper()
	page, err := b.Lines(ctx, id, "", paging.Query{Limit: 2})
	must(t, err)
	return page.Next
}

func TestBatchesAreListed(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		b := batches(h)
		list := func(ctx context.Context, state string, limit int, descending bool) (ids []string, all []issuance.Batch) {
			t.Helper()
			for q := (paging.Query{Limit: limit, Sort: "createdAt", Descending: descending}); ; {
				page, err := b.Batches(ctx, state, q)
				must(t, err)
				for _, one := range page.Items {
					ids, all = append(ids, one.ID), append(all, one)
				}
				if q.Cursor = page.Next; q.Cursor == "" {
					return ids, all
				}
			}
		}
		var mine []string
		for n := range 3 {
			accepted, _, err := b.Accept(ctx, batch(emails(n+1)))
			must(t, err)
			mine = append(mine, accepted.ID)
		}
		theirs, _, err := b.Accept(as(t, "token:2"), batch(emails(1)))
		must(t, err)
		_, err = b.Cancel(ctx, mine[1])
		must(t, err)
		if ids, _ := list(ctx, "running", 50, false); !slices.Equal(ids, []string{mine[0], mine[2]}) {
			t.Errorf("running are %v of %v", ids, mine)
		}
		for more := true; more; {
			more, err = b.Work(ctx)
			must(t, err)
		}
		for _, limit := range []int{1, 2, 50} {
			ids, all := list(ctx, "", limit, false)
			if !slices.Equal(ids, mine) || all[0].Succeeded != 1 || all[1].State != issuance.BatchCancelled || all[2].Succeeded != 3 || all[2].State != issuance.BatchCompleted {
				t.Errorf("%d a page: %+v", limit, all)
			}
		}
		if ids, _ := list(ctx, "completed", 1, true); !slices.Equal(ids, []string{mine[2], mine[0]}) {
			t.Errorf("completed are %v of %v", ids, mine)
		}
		if ids, _ := list(as(t, "token:2"), "", 50, true); !slices.Equal(ids, []string{theirs.ID}) {
			t.Errorf("another sees %v", ids)
		}
		admin := principal.With(t.Context(), principal.Principal{ID: "token:9", Scopes: []string{principal.ScopeAdmin}})
		if ids, _ := list(admin, "", 50, true); len(ids) != 4 {
			t.Errorf("an administrator sees %v", ids)
		}
		page, err := b.Batches(ctx, "", paging.Query{Limit: 1, Sort: "createdAt"})
		must(t, err)
		for _, cursor := range []string{"nonsense", page.Next} {
			_, err := b.Batches(ctx, "completed", paging.Query{Limit: 1, Sort: "createdAt", Cursor: cursor})
			wants(t, err, paging.ErrCursor)
		}
	})
}

func TestABatchIsCancelled(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		b := batches(h)
		accepted, _, err := b.Accept(ctx, batch(emails(300)))
		must(t, err)
		h.sign.meddle = func() error { _, err := b.Cancel(ctx, accepted.ID); return err }
		if _, err := b.Work(ctx); err != nil {
			t.Error(err)
		}
		got, err := b.Batch(ctx, accepted.ID)
		if err != nil || got.State != issuance.BatchCancelled || got.Processed != h.count(t, db) || got.Processed > 300-issuance.BlockLines {
			t.Errorf("it came to %+v with %d credentials, %v", got, h.count(t, db), err)
		}
		var left int64
		must(t, db.Reader(ctx).Raw("SELECT count(*) FROM issuance_batch_blocks WHERE orders IS NOT NULL").Scan(&left).Error)
		if left != 0 {
			t.Errorf("%d orders are still kept", left)
		}
		_, err = b.Cancel(ctx, accepted.ID)
		wants(t, err, issuance.ErrBatchOver)
		for _, caller := range []context.Context{as(t, "token:2"), t.Context()} {
			_, err = b.Batch(caller, accepted.ID)
			wants(t, err, issuance.ErrBatchUnknown)
			_, err = b.Lines(caller, accepted.ID, "", paging.Query{Limit: 5})
			wants(t, err, issuance.ErrBatchUnknown)
			_, err = b.Cancel(caller, accepted.ID)
			wants(t, err, issuance.ErrBatchUnknown)
		}
		if _, err := b.Batch(principal.With(t.Context(), principal.Principal{ID: "token:9", Scopes: []string{principal.ScopeAdmin}}), accepted.ID); err != nil {
			t.Error(err)
		}
	})
}

func TestFilesOfBatches(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		b := batches(h)
		const head = "email,id,identifier,identifierType,name,narrative,creditsEarned,evidenceUrl,evidenceNarrative,refreshable,validUntil\n"
		for name, row := range map[string]struct {
			format issuance.Format
			file   string
			total  int64 // 0: refused
			failed int64
		}{
			"CSV": {issuance.CSV, "\ufeff" + head + "ada@example.org,did:example:ada,S-1,systemId,\"Badge, \"\"one\"\"\",\"two\nlines\",2.5,https://e.example.org/1,Seen,true,2040-01-01T00:00:00Z\r\nbob@example.org,,,,,,,,,,\r\n", 2, 0},
			"CSV of a spreadsheet where the comma divides numbers": {issuance.CSV, "email;name\nada@example.org;One\n", 1, 0},
			"a number that is none":                                {issuance.CSV, "email,creditsEarned,refreshable\na@b.org,many,\na@b.org,,perhaps\na@b.org,1,1\n", 3, 2},
			"an identifier without a type":                         {issuance.CSV, "identifier\nS-1\n", 1, 1},
			"a column nobody knows":                                {issuance.CSV, "email,shoeSize\na@b.org,44\n", 0, 0},
			"a column that is there twice":                         {issuance.CSV, "email,email\na@b.org,b@b.org\n", 0, 0},
			"a line with too many fields":                          {issuance.CSV, "email\na@b.org,b\n", 0, 0},
			"a quote that does not end":                            {issuance.CSV, "email\n\"a@b.org\n", 0, 0},
			"names of columns alone":                               {issuance.CSV, "email\n", 0, 0},
			"an empty CSV":                                         {issuance.CSV, "", 0, 0},
			"an empty file":                                        {issuance.NDJSON, "\n \n", 0, 0},
			"an array":                                             {issuance.NDJSON, `[{"recipient":{"email":"a@b.org"}}]`, 1, 1},
			"what is not UTF-8":                                    {issuance.NDJSON, "{\"recipient\":{\"email\":\"\xff@b.org\"}}", 0, 0},
			"a line that is too long":                              {issuance.NDJSON, `{"narrative":"` + strings.Repeat("a", 300<<10) + `"}`, 0, 0},
			"a member that is there twice":                         {issuance.NDJSON, `{"recipient":{"email":"a@b.org","email":"b@b.org"}}`, 1, 1},
			"null":                                                 {issuance.NDJSON, "null", 1, 1},
			"too many orders":                                      {issuance.CSV, "id\n" + strings.Repeat("urn:x:y\n", issuance.MostLines+1), 0, 0},
			"another format":                                       {"xml", "<x/>", 0, 0},
		} {
			t.Run(name, func(t *testing.T) {
				got, _, err := b.Accept(ctx, issuance.BatchOrder{AchievementID: achievementID, Format: row.format, File: []byte(row.file)})
				if row.total == 0 {
					wants(t, err, issuance.ErrBatchFile)
					return
				}
				must(t, err)
				_, err = b.Work(ctx)
				must(t, err)
				if got, err = b.Batch(ctx, got.ID); err != nil || got.Total != row.total || got.Failed != row.failed || got.State != issuance.BatchCompleted {
					t.Errorf("it came to %+v, %v: %s", got, err, lines(t, b, ctx, got.ID, "failed")[0].Problem)
				}
				if name == "CSV" {
					c, err := h.Credential(ctx, lines(t, b, ctx, got.ID, "")[0].CredentialID)
					must(t, err)
					doc := decode(t, c)
					if doc.Name != `Badge, "one"` || doc.CredentialSubject.Narrative != "two\nlines" || *doc.CredentialSubject.CreditsEarned != 2.5 || doc.Evidence[0].ID != "https://e.example.org/1" || doc.RefreshService == nil || len(doc.CredentialSubject.Identifier) != 2 {
						t.Errorf("issued %s", c.Document)
					}
				}
			})
		}
		var kept int64
		must(t, db.Reader(ctx).Raw("SELECT count(*) FROM issuance_batch_blocks l WHERE NOT EXISTS (SELECT 1 FROM issuance_batches b WHERE b.id = l.batch_id)").Scan(&kept).Error)
		if kept != 0 {
			t.Errorf("%d blocks of refused files are kept", kept)
		}
		for _, bad := range []string{"x", id(404)} {
			_, _, err := b.Accept(ctx, issuance.BatchOrder{AchievementID: bad, Format: issuance.NDJSON, File: emails(1)})
			violates(t, err, "/achievementId")
			_, err = b.Batch(ctx, bad)
			wants(t, err, issuance.ErrBatchUnknown)
		}
	})
}

// BenchmarkBatch issues a thousand at once, and for comparison one by one.
func BenchmarkBatch(b *testing.B) {
	const n = 1000
	for _, engine := range dbtest.Engines(b) {
		db := dbtest.Open(b, engine.URL)
		runner, err := migrationsOf(db)
		must(b, err, runner.Up(b.Context()))
		h := build(b, db, secure)
		ctx := as(b, "token:1")
		all := batches(h)
		b.Run(engine.Name+"/batch", func(b *testing.B) {
			for b.Loop() {
				accepted, _, err := all.Accept(ctx, batch(emails(n)))
				must(b, err)
				_, err = all.Work(ctx)
				must(b, err)
				if got, err := all.Batch(ctx, accepted.ID); err != nil || got.Succeeded != n {
					b.Fatalf("%+v, %v", got, err)
				}
			}
		})
		b.Run(engine.Name+"/one by one", func(b *testing.B) {
			for b.Loop() {
				for range n {
					if _, _, err := h.Issue(ctx, order()); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// FuzzBatchFile reads any file in either format: it never panics, and refuses with a
// declared fault what it does not read.
func FuzzBatchFile(f *testing.F) {
	for _, file := range []string{
		"email,name\nada@example.org,\"One, \"\"two\"\"\"\n", "email;name\r\na@b.org;x\r\n", "\ufeffemail\na@b.org", "email\n\"a", "creditsEarned,refreshable\nmany,perhaps\n",
		`{"recipient":{"email":"ada@example.org"}}` + "\n\n" + `{"recipient":null}`, `{"recipient":{"email":"a","email":"b"}}`, "[]", "{", "\xff", "",
	} {
		f.Add([]byte(file))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, format := range []issuance.Format{issuance.NDJSON, issuance.CSV} {
			orders, bad, err := format.Lines(file)
			if bad > orders || err == nil && orders == 0 {
				t.Errorf("%s: %d of %d orders are bad, %v", format, bad, orders, err)
			}
			if _, declared := fault.From(err); err != nil && !declared {
				t.Errorf("%s: %v is no refusal", format, err)
			}
		}
	})
}
