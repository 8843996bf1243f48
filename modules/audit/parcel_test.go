package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/badge-engine/badge-engine/modules/audit"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// together records one deed of each of n callers, as one unit.
func (h *house) together(t testing.TB, n int) error {
	t.Helper()
	targets, by := make([]string, n), make([]context.Context, n)
	for i := range n {
		targets[i] = fmt.Sprint("credential-", i)
		ctx := principal.With(t.Context(), principal.Principal{ID: fmt.Sprint("token:", i/2)})
		by[i] = principal.WithAddress(logging.ContextWith(ctx, fmt.Sprint("request-", i)), "192.0.2.7")
	}
	return h.RecordEach(t.Context(), "issuance.credential.issued", targets, by)
}

func (h *house) rows(t testing.TB, table string) (n int64) {
	t.Helper()
	must(t, h.db.Reader(t.Context()).Table(table).Count(&n).Error)
	return n
}

func TestDeedsOfOneUnitWaitAsOneRow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db)
		must(t, h.together(t, 0))
		must(t, h.together(t, 7))
		must(t, h.Record(t.Context(), "auth.token.created", "x", "", nil))
		if parcels, pending := h.rows(t, "audit_parcels"), h.rows(t, "audit_pending"); parcels != 1 || pending != 1 {
			t.Errorf("%d parcels and %d events wait", parcels, pending)
		}
		if report := h.verify(t); report.Waiting != 8 || report.Checked != 0 || report.Breach != nil {
			t.Errorf("before they are sealed: %+v", report)
		}
		h.seal(t)
		if report := h.verify(t); report.Waiting != 0 || report.Checked != 8 || report.Breach != nil {
			t.Errorf("once they are sealed: %+v", report)
		}
		got := h.all(t)
		for i, e := range got[:7] {
			want := audit.Event{
				Sequence: int64(i + 1), ID: e.ID, At: noon, Principal: fmt.Sprint("token:", i/2), Kind: "token", Action: "issuance.credential.issued", Target: fmt.Sprint("credential-", i),
				Outcome: audit.Succeeded, RemoteIP: "192.0.2.7", RequestID: fmt.Sprint("request-", i), Count: 1, Hash: e.Hash,
			}
			if len(e.ID) != 36 || fmt.Sprintf("%+v", e) != fmt.Sprintf("%+v", want) {
				t.Errorf("got  %+v\nwant %+v", e, want)
			}
		}
		if got[7].Action != "auth.token.created" {
			t.Errorf("last is %+v", got[7])
		}
	}, audit.Schema())
}

// TestOneSealingTakesWhateverWaits has more parcels than one unit takes, and one that is
// larger than a unit.
func TestOneSealingTakesWhateverWaits(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db)
		must(t, h.together(t, 1200))
		for range 210 {
			must(t, h.together(t, 1))
		}
		if n, err := h.sealer.Seal(t.Context()); n != 1410 || err != nil {
			t.Errorf("%d sealed, %v", n, err)
		}
		if report := h.verify(t); report.Checked != 1410 || report.Waiting != 0 || report.Breach != nil {
			t.Errorf("report is %+v", report)
		}
	}, audit.Schema())
}

// TestAParcelIsOursOrForged does to parcels what somebody with the database, but without
// the key, may do.
func TestAParcelIsOursOrForged(t *testing.T) {
	const other = "0192f0c0-0000-7000-8000-000000000000"
	for _, row := range []struct {
		name   string
		do     func(t *testing.T, h *house)
		events int // that are sealed, of three that were recorded
		forged int64
	}{
		{"its events are changed", func(t *testing.T, h *house) {
			h.exec(t, "UPDATE audit_parcels SET events = ?", []byte("\x01\x00"))
		}, 1, 1},
		{"it says to hold fewer", func(t *testing.T, h *house) { h.exec(t, "UPDATE audit_parcels SET count = 2") }, 1, 1},
		{"it gets another name", func(t *testing.T, h *house) { h.exec(t, "UPDATE audit_parcels SET id = ?", other) }, 1, 1},
		{"it comes again", func(t *testing.T, h *house) {
			h.exec(t, "CREATE TABLE kept AS SELECT * FROM audit_parcels")
			h.seal(t)
			h.exec(t, "INSERT INTO audit_parcels SELECT * FROM kept")
		}, 6, 4},
		{"it comes again by another name", func(t *testing.T, h *house) {
			h.exec(t, "CREATE TABLE kept AS SELECT * FROM audit_parcels")
			h.seal(t)
			h.exec(t, "UPDATE kept SET id = ?", other)
			h.exec(t, "INSERT INTO audit_parcels SELECT * FROM kept")
		}, 4, 4},
		{"somebody puts one in", func(t *testing.T, h *house) {
			h.seal(t)
			h.exec(t, "INSERT INTO audit_parcels (id, count, events, mark) VALUES (?, 1, ?, ?)", other, []byte{1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}, []byte{})
		}, 4, 4},
	} {
		t.Run(row.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *database.DB) {
				h := build(t, db)
				must(t, h.together(t, 3))
				row.do(t, h)
				h.seal(t)
				must(t, h.together(t, 2)) // nothing is held up
				h.seal(t)
				if got := h.all(t); len(got) != row.events+2 {
					t.Errorf("%d events were sealed", len(got))
				}
				if breach := h.verify(t).Breach; breach == nil || breach.Sequence != row.forged {
					t.Errorf("got %v, want event %d", breach, row.forged)
				}
				if h.rows(t, "audit_parcels") != 0 {
					t.Error("a parcel is left")
				}
			}, audit.Schema())
		})
	}
}

func FuzzParcel(f *testing.F) {
	event := audit.Event{ID: "0192f0c0-0000-7000-8000-000000000000", At: noon, Principal: "token:1", Action: "a.b.c", Target: "t", Outcome: audit.Succeeded, Count: 3}
	next := event
	next.Target, next.At, next.Detail = "", noon.AddDate(0, 0, -1), "role:administrator"
	for _, events := range [][]audit.Event{{}, {event}, {event, next, event}} {
		packed, err := audit.Pack(events)
		must(f, err)
		if read, err := audit.Unpack(packed); err != nil || fmt.Sprintf("%+v", read) != fmt.Sprintf("%+v", events) {
			f.Errorf("%+v came back as %+v, %v", events, read, err)
		}
		f.Add(packed)
		for n := range packed { // cut off anywhere it is refused
			if _, err := audit.Unpack(packed[:n]); err == nil {
				f.Errorf("%x is taken for whole", packed[:n])
			}
		}
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		events, err := audit.Unpack(packed)
		if err != nil {
			return
		}
		again, err := audit.Pack(events)
		must(t, err)
		read, err := audit.Unpack(again)
		if err != nil || !slices.EqualFunc(read, events, func(a, b audit.Event) bool { return fmt.Sprintf("%+v", a) == fmt.Sprintf("%+v", b) }) {
			t.Errorf("%+v came back as %+v, %v", events, read, err)
		}
		if canonical, err := audit.Pack(read); err != nil || !bytes.Equal(canonical, again) {
			t.Errorf("packed as %x and %x, %v", again, canonical, err)
		}
	})
}
