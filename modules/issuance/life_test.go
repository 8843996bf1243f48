package issuance_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// verify checks a credential of the house by the house's clock.
func (h *house) verify(t testing.TB, db *database.DB, document []byte, recipient string) bool {
	t.Helper()
	verifier := credential.Verifier{Canonicalizer: processor, Resolver: did.Resolver{Local: keyring(t, db, secure, "k")}, Statuses: h.statuses, Now: func() time.Time { return h.at }}
	report, err := verifier.Verify(t.Context(), document, credential.Options{Recipient: recipient})
	must(t, err)
	return report.Verified
}

func TestANewVersionIsValidAtOnce(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		h.at = noon.Add(300 * time.Millisecond)
		c := h.issue(t, order())
		h.at = noon.Add(600 * time.Millisecond)
		next, err := h.Reissue(ctx, c.ID, issuance.AnyVersion, issuance.Award{})
		must(t, err)
		if !slices.Equal(h.waited, []time.Duration{400 * time.Millisecond}) || !next.ValidFrom.Equal(noon.Add(time.Second)) || !h.verify(t, db, next.Document, "") {
			t.Errorf("waited %v for a version that is valid from %s", h.waited, next.ValidFrom)
		}
		h.at = h.at.Add(time.Second)
		if _, err = h.Reissue(ctx, c.ID, issuance.AnyVersion, issuance.Award{}); err != nil || len(h.waited) != 1 {
			t.Errorf("waited %v, %v", h.waited, err)
		}
		// What begins later than now is not waited for.
		o := order()
		o.ValidFrom = "2026-12-24T00:00:00Z"
		later := h.issue(t, o)
		next, err = h.Reissue(ctx, later.ID, issuance.AnyVersion, issuance.Award{})
		if err != nil || len(h.waited) != 1 || !next.ValidFrom.Equal(later.ValidFrom.Add(time.Second)) {
			t.Errorf("waited %v for %s, %v", h.waited, next.ValidFrom, err)
		}
	})
}

func TestARenewedCredentialSaysTheSameForLonger(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		o := order()
		o.ValidUntil, o.Narrative, o.Role, o.LicenseNumber = "2027-11-23T12:00:00Z", "Did it.", "lead", "L1"
		o.Evidence = []openbadges.Evidence{{Narrative: "Seen."}}
		c := h.issue(t, o)
		h.at = noon.AddDate(1, 1, 0)
		if h.verify(t, db, c.Document, "") || !h.Expired(c) {
			t.Error("it did not expire")
		}
		next, err := h.Renew(ctx, c.ID, 1, "")
		must(t, err)
		before, doc := decode(t, c), decode(t, next)
		if want := h.at.Add(365 * 24 * time.Hour); !next.ValidUntil.Equal(want) || next.Version != 2 || !next.ValidFrom.Equal(h.at) || !h.verify(t, db, next.Document, "ada@example.org") {
			t.Errorf("renewed as %+v", next)
		}
		if doc.AwardedDate != before.ValidFrom || doc.CredentialSubject.Narrative != "Did it." || doc.CredentialSubject.Role != "lead" || doc.CredentialSubject.LicenseNumber != "L1" || len(doc.Evidence) != 1 || doc.CredentialStatus.ID != before.CredentialStatus.ID {
			t.Errorf("renewed as %s", next.Document)
		}
		if next, err = h.Renew(ctx, c.ID, issuance.AnyVersion, "2040-01-01T00:00:00Z"); err != nil || next.ValidUntil.Year() != 2040 {
			t.Errorf("renewed as %+v, %v", next, err)
		}
		_, err = h.Renew(ctx, c.ID, issuance.AnyVersion, "2020-01-01T00:00:00Z")
		violates(t, err, "/validUntil")
		endless := h.issue(t, order())
		h.at = h.at.Add(time.Hour)
		if next, err = h.Renew(ctx, endless.ID, issuance.AnyVersion, ""); err != nil || next.ValidUntil != nil {
			t.Errorf("renewed as %+v, %v", next, err)
		}
	})
}

func TestTheRecipientMayBeCalledOtherwise(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		c := h.issue(t, order())
		h.at = noon.Add(time.Hour)
		next, err := h.ChangeRecipient(ctx, c.ID, 1, issuance.Recipient{Email: "ada@new.example"})
		must(t, err)
		if next.ID != c.ID || h.verify(t, db, next.Document, "ada@example.org") || !h.verify(t, db, next.Document, "Ada@new.example") {
			t.Errorf("readdressed as %s", next.Document)
		}
		for recipient, want := range map[string]int{"ada@example.org": 0, "ada@new.example": 1} {
			page, err := h.Credentials(ctx, issuance.Filter{Recipient: recipient}, paging.Query{Limit: 5, Sort: "createdAt"})
			if err != nil || len(page.Items) != want {
				t.Errorf("%s has %d, %v", recipient, len(page.Items), err)
			}
		}
		_, err = h.ChangeRecipient(ctx, c.ID, issuance.AnyVersion, issuance.Recipient{})
		violates(t, err, "/recipient")
		_, err = h.ChangeRecipient(ctx, c.ID, issuance.AnyVersion, issuance.Recipient{Email: "nobody"})
		violates(t, err, "/recipient/email")
	})
}

func TestARefreshableCredentialNamesItsAddress(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		yes, no := true, false
		plain := h.issue(t, order())
		if doc := decode(t, plain); doc.RefreshService != nil || len(doc.Context) != 2 {
			t.Errorf("it was not asked for: %s", plain.Document)
		}
		o := order()
		o.Refreshable = &yes
		c := h.issue(t, o)
		refreshable := func(c issuance.Credential) bool {
			doc := decode(t, c)
			if (doc.RefreshService != nil) != (len(doc.Context) == 3 && doc.Context[2] == openbadges.ExtensionsContext) {
				t.Errorf("the contexts are %v", doc.Context)
			}
			return doc.RefreshService != nil && *doc.RefreshService == openbadges.RefreshService{ID: h.URL(c.ID) + "/refresh", Type: "1EdTechCredentialRefresh"}
		}
		if !refreshable(c) {
			t.Errorf("issued as %s", c.Document)
		}
		h.at = noon.Add(time.Hour)
		next, err := h.Reissue(ctx, c.ID, issuance.AnyVersion, issuance.Award{}) // unless it says otherwise, as before
		if err != nil || !refreshable(next) || !h.verify(t, db, next.Document, "") {
			t.Errorf("reissued as %s, %v", next.Document, err)
		}
		h.at = noon.Add(2 * time.Hour)
		if next, err = h.Reissue(ctx, c.ID, issuance.AnyVersion, issuance.Award{Refreshable: &no}); err != nil || refreshable(next) {
			t.Errorf("reissued as %s, %v", next.Document, err)
		}
	})
}

func TestWhoeverAsksToBeForgottenIs(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		o := keyed("key", "hash")
		o.Name = "Ada's badge"
		first, second := h.issue(t, o), h.issue(t, order())
		o = order()
		o.Recipient.Email = "bob@example.org"
		other := h.issue(t, o)
		query := statuslist.Query{Recipient: "Ada@Example.org"}
		s, err := h.SurveyWithdrawal(ctx, query)
		if err != nil || s.Affected != 2 || len(s.Examples) != 2 {
			t.Errorf("surveyed %+v, %v", s, err)
		}
		_, err = h.WithdrawWhere(ctx, query, 3)
		wants(t, err, statuslist.ErrExpected)
		_, err = h.WithdrawWhere(ctx, statuslist.Query{}, 3)
		wants(t, err, statuslist.ErrQuery)
		if deed, err := h.WithdrawWhere(ctx, query, 2); err != nil || deed.Changed != 2 {
			t.Errorf("%+v, %v", deed, err)
		}
		for _, c := range []issuance.Credential{first, second} {
			_, err := h.Credential(ctx, c.ID)
			wants(t, err, issuance.ErrWithdrawn)
			if !h.verify(t, db, c.Document, "ada@example.org") {
				t.Error("a copy is not valid any more")
			}
		}
		if _, err := h.Credential(ctx, other.ID); err != nil {
			t.Error(err)
		}
		var kept []map[string]any
		must(t, db.Reader(ctx).Table("achievement_credentials").Where("state = 'withdrawn'").Find(&kept).Error)
		for _, row := range kept {
			if row["document"] != nil || row["recipient_index"] != nil || row["request_hash"] != nil || row["name"] != "" || row["status_list"] == nil {
				t.Errorf("kept %v", row)
			}
		}
		_, _, err = h.Issue(ctx, keyed("key", "hash"))
		wants(t, err, issuance.ErrWithdrawn)
		if _, err := h.Change(ctx, statuslist.Revoke, first.ID, ""); err != nil || h.verify(t, db, first.Document, "") || !h.verify(t, db, second.Document, "") {
			t.Errorf("a copy cannot be revoked: %v", err)
		}
		if strings.Contains(h.log.String(), "Ada") || strings.Contains(h.log.String(), "ada@") {
			t.Errorf("the log tells of it: %s", h.log.String())
		}
	})
}

// TestTenReplicasIssueWithoutSharingAnEntry issues from ten processes at once, and one
// by one, in batches and again; in the end no entry belongs to two credentials.
func TestTenReplicasIssueWithoutSharingAnEntry(t *testing.T) {
	for _, engine := range dbtest.Engines(t) {
		t.Run(engine.Name, func(t *testing.T) {
			db := dbtest.Open(t, engine.URL)
			runner, err := migrationsOf(db)
			must(t, err, runner.Up(t.Context()))
			first := build(t, db, secure)
			replicas := []*house{first}
			for range 9 {
				replicas = append(replicas, build(t, dbtest.Open(t, engine.URL), secure))
			}
			const each = 12
			var wg sync.WaitGroup
			for n, h := range replicas {
				wg.Go(func() {
					for i := range each {
						o := order()
						if i%3 == 0 {
							o = keyed(fmt.Sprintf("%d-%d", n, i), "hash")
						}
						if _, _, err := h.Issue(as(t, "token:1"), o); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			b := batches(first)
			if _, _, err := b.Accept(as(t, "token:1"), batch(emails(30))); err != nil {
				t.Fatal(err)
			}
			_, err = b.Work(t.Context())
			must(t, err)
			var counts struct{ Credentials, Entries int64 }
			must(t, db.Reader(t.Context()).Raw("SELECT count(*) AS credentials, (SELECT count(*) FROM (SELECT DISTINCT status_list, status_index FROM achievement_credentials WHERE status_list IS NOT NULL) e) AS entries FROM achievement_credentials").Scan(&counts).Error)
			if counts.Credentials != 10*each+30 || counts.Entries != counts.Credentials {
				t.Errorf("%d credentials have %d entries", counts.Credentials, counts.Entries)
			}
		})
	}
}

func TestCredentialsAreListedByTheirStatus(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		valid, suspended, revoked, both := h.issue(t, order()), h.issue(t, order()), h.issue(t, order()), h.issue(t, order())
		for _, row := range []struct {
			act statuslist.Act
			c   issuance.Credential
		}{{statuslist.Suspend, suspended}, {statuslist.Revoke, revoked}, {statuslist.Suspend, both}, {statuslist.Revoke, both}, {statuslist.Suspend, valid}, {statuslist.Resume, valid}} {
			_, err := h.Change(ctx, row.act, row.c.ID, "")
			must(t, err)
		}
		for status, want := range map[string][]string{"": {valid.ID, suspended.ID, revoked.ID, both.ID}, "revoked": {revoked.ID, both.ID}, "suspended": {suspended.ID}} {
			page, err := h.Credentials(ctx, issuance.Filter{IssuerID: issuerID, Status: status}, paging.Query{Limit: 10, Sort: "createdAt"})
			must(t, err)
			var got []string
			for _, c := range page.Items {
				got = append(got, c.ID)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q lists %v instead of %v", status, got, want)
			}
		}
	})
}
