package intake_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/intake"
	"github.com/badge-engine/badge-engine/platform/fault"
)

// office judges badges, of which none is good, until it breaks down.
type office struct {
	intake.Achievements
	judged  atomic.Int64
	breaks  int64 // with which badge
	seconds int64 // that each takes
}

func (*office) Issuer(context.Context, string) (string, error) { return "Academy", nil }

func (o *office) Judge(context.Context, []byte, string) (intake.Judged, error) {
	if n := o.judged.Add(1); o.breaks > 0 && n >= o.breaks {
		return intake.Judged{}, fault.New(fault.Unavailable, "t.away", "The database is away.")
	}
	return intake.Judged{}, nil
}

func (o *office) JudgeAt(ctx context.Context, _, recipient string) (intake.Judged, error) {
	return o.Judge(ctx, nil, recipient)
}

func (o *office) now() time.Time {
	return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(o.judged.Load()*o.seconds) * time.Second)
}

// TestWhatIsNotDealtWithIsSaid: a request ends in time, and stops where this server has
// trouble of its own; then it says where to go on.
func TestWhatIsNotDealtWithIsSaid(t *testing.T) {
	for name, row := range map[string]struct {
		office  *office
		failed  bool // as a whole
		some    bool // were dealt with, and not all
		trouble string
	}{
		"all goes well":           {&office{}, false, false, ""},
		"time runs out":           {&office{seconds: 10}, false, true, ""},
		"the database goes away":  {&office{breaks: 9}, false, true, "t.away"},
		"it was away all along":   {&office{breaks: 1}, true, false, ""},
		"both at the same moment": {&office{breaks: 9, seconds: 8}, false, true, "t.away"},
	} {
		t.Run(name, func(t *testing.T) {
			s := intake.New(intake.Parts{Verifier: row.office, Achievements: row.office, Now: row.office.now}, slog.New(slog.DiscardHandler))
			file := strings.Repeat("{\"url\":\"https://badges.example.org/1\"}\n\n", 40) // every other line is empty
			rows, err := intake.ReadRows([]byte(file), intake.Order{IssuerID: "1"})
			if err != nil || len(rows) != 40 {
				t.Fatalf("%d rows, %v", len(rows), err)
			}
			out, err := s.ImportMany(t.Context(), rows)
			if row.failed {
				if err == nil {
					t.Errorf("%+v", out)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if out.Trouble != row.trouble || out.Failed != len(out.Rows) || (out.Next > 0) != row.some || !row.some && len(out.Rows) != 40 {
				t.Errorf("%d rows, next %d, %q", len(out.Rows), out.Next, out.Trouble)
			}
			if row.some && (len(out.Rows) == 0 || out.Next != out.Rows[len(out.Rows)-1].Line+2) {
				t.Errorf("%d rows, next %d", len(out.Rows), out.Next)
			}
			for i, r := range out.Rows {
				if r.Line != 2*i+1 || r.State != "failed" || !strings.Contains(string(r.Problem), "intake.unverified") {
					t.Errorf("%+v %s", r, r.Problem)
				}
			}
		})
	}
}

func TestReadRows(t *testing.T) {
	all := intake.Order{IssuerID: "1", AchievementID: "2", DryRun: true}
	rows, err := intake.ReadRows([]byte(fmt.Sprintf("\r\n%s\r\n%s\n%s\n%s\n%s", `{"@context":[],"id":"x"}`, `"https://badges.example.org/1"`, `{"badge":"a.b.c","issuerId":"3","achievementId":"4","recipient":"a@example.org"}`, "e30.e30.AA", `"a.b.c"`)), all)
	if err != nil || len(rows) != 5 {
		t.Fatalf("%+v, %v", rows, err)
	}
	for i, want := range []intake.Order{
		{Upload: []byte(`{"@context":[],"id":"x"}`), IssuerID: "1", AchievementID: "2"},
		{Address: "https://badges.example.org/1", IssuerID: "1", AchievementID: "2"},
		{Upload: []byte("a.b.c"), IssuerID: "3", AchievementID: "4", Recipient: "a@example.org"},
		{Upload: []byte("e30.e30.AA"), IssuerID: "1", AchievementID: "2"},
		{Upload: []byte("a.b.c"), IssuerID: "1", AchievementID: "2"},
	} {
		want.DryRun = true
		if got := rows[i]; got.Line != i+2 || fmt.Sprint(got.Order) != fmt.Sprint(want) {
			t.Errorf("line %d: %s instead of %s", got.Line, fmt.Sprint(got.Order), fmt.Sprint(want))
		}
	}
}
