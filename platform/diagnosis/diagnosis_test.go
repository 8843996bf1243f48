package diagnosis_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/badge-engine/badge-engine/platform/diagnosis"
)

func TestReportKeepsTheOrderAndTheWorst(t *testing.T) {
	ok := func(_ context.Context, n *diagnosis.Notes) { n.OK("database.connection", "it", "Fine, %d ms.", 3) }
	warn := func(_ context.Context, n *diagnosis.Notes) { n.Warn("cache.connection", "it", "Slow.", "Wait.") }
	fail := func(_ context.Context, n *diagnosis.Notes) { n.Fail("entra.discovery", "it", "Away.", "Look.") }
	skip := func(_ context.Context, n *diagnosis.Notes) { n.Skip("scim.answer", "it", "Not there.") }
	for _, row := range []struct {
		name, want, checks string
		examinations       []diagnosis.Examination
	}{
		{"nothing to find is fine", diagnosis.OK, "", nil},
		{"what is skipped is no fault", diagnosis.OK, "scim.answer database.connection", []diagnosis.Examination{skip, ok}},
		{"a warning counts more", diagnosis.Warning, "database.connection cache.connection database.connection", []diagnosis.Examination{ok, warn, ok}},
		{"a failure counts most", diagnosis.Failure, "cache.connection entra.discovery cache.connection", []diagnosis.Examination{warn, fail, warn}},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := diagnosis.Examine(t.Context(), time.Minute, row.examinations...)
			var checks []string
			for _, f := range r.Findings {
				checks = append(checks, f.Check)
				if strings.HasSuffix(f.Help, "#") || f.Looked == "" || f.Found == "" {
					t.Errorf("%+v", f)
				}
			}
			if r.Status != row.want || strings.Join(checks, " ") != row.checks {
				t.Errorf("%s: %v", r.Status, checks)
			}
		})
	}
}

func TestAnExaminationThatHangsOrBreaksIsAFinding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		r := diagnosis.Examine(t.Context(), time.Minute,
			func(context.Context, *diagnosis.Notes) { <-release },
			func(context.Context, *diagnosis.Notes) { panic("ouch") },
			func(ctx context.Context, n *diagnosis.Notes) {
				<-ctx.Done()
				n.Fail("database.connection", "it", "Too slow.", "Look.")
			})
		if len(r.Findings) != 3 || r.Status != diagnosis.Failure || !strings.Contains(r.Findings[0].Found, "1m0s") ||
			!strings.Contains(r.Findings[1].Found, "ouch") || r.Findings[2].Found != "Too slow." {
			t.Errorf("%+v", r)
		}
	})
}
