package issuance_test

import (
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
	"github.com/badge-engine/badge-engine/platform/database"
)

// TestEachCredentialKnowsWhatWasDoneToIt: an act on many is one event of the trail, and
// stands in the history of each of them with what it was asked for.
func TestEachCredentialKnowsWhatWasDoneToIt(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		first, second := h.issue(t, order()), h.issue(t, order())
		past := func(c issuance.Credential) string {
			t.Helper()
			found, err := h.History(ctx, strings.ToUpper(c.ID))
			must(t, err)
			var lines []string
			for _, p := range found {
				if p.Principal != "token:1" || p.Operation == "" || p.At.IsZero() || p.Credentials < 1 {
					t.Errorf("%+v", p)
				}
				lines = append(lines, strings.TrimSpace(p.Act+" "+p.Reason+" "+p.Query))
			}
			return strings.Join(lines, ", ")
		}
		if got := past(first); got != "" {
			t.Errorf("a new one has a past: %s", got)
		}
		_, err := h.Change(ctx, statuslist.Suspend, first.ID, "asked")
		must(t, err)
		h.at = h.at.Add(time.Second)
		_, err = h.Change(ctx, statuslist.Resume, first.ID, "")
		must(t, err)
		h.at = h.at.Add(time.Second)
		query := statuslist.Query{IssuerID: first.IssuerID, Recipient: "ada@example.org", Before: h.at.Add(time.Hour)}
		for _, step := range []struct {
			act    statuslist.Act
			reason string
		}{{statuslist.Suspend, "inquiry"}, {statuslist.Resume, ""}, {statuslist.Revoke, "fraud"}} {
			if deed, err := h.ChangeWhere(ctx, step.act, query, step.reason, 2); err != nil || deed.Changed != 2 {
				t.Fatalf("%+v, %v", deed, err)
			}
			h.at = h.at.Add(time.Second)
		}
		if deed, err := h.WithdrawWhere(ctx, statuslist.Query{IDs: []string{second.ID}}, 1); err != nil || deed.Changed != 1 {
			t.Fatalf("%+v, %v", deed, err)
		}
		of := `{"issuerId":"` + first.IssuerID + `","issuedBefore":"` + query.Before.UTC().Format(time.RFC3339) + `","recipient":true}`
		byQuery := "revoke fraud " + of + ", resume  " + of + ", suspend inquiry " + of
		if got, want := past(first), byQuery+", resume, suspend asked"; got != want {
			t.Errorf("the history is\n%s, want\n%s", got, want)
		}
		if got, want := past(second), `withdraw  {"ids":1}, `+byQuery; got != want {
			t.Errorf("the history is\n%s, want\n%s", got, want)
		}
		for _, unknown := range []string{id(4711), "x"} {
			_, err := h.History(ctx, unknown)
			wants(t, err, issuance.ErrNotFound)
		}
		// The trail has one event for each act, which says how many and by what query, and
		// not who the recipient is.
		code := "issuer:" + first.IssuerID + ";before:" + query.Before.UTC().Format(time.RFC3339) + ";recipient"
		if got := query.Code(); got != code {
			t.Errorf("the code is %s", got)
		}
		whole := statuslist.Query{IssuerID: id(1), AchievementID: id(2), KeyID: id(3), Since: h.at, Before: h.at, IDs: make([]string, 10000), Recipient: "x"}
		if n := len("credentials:100000000;" + whole.Code()); n > 200 { // what the trail takes
			t.Errorf("the longest code has %d signs", n)
		}
	})
}
