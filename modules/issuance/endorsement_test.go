package issuance_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/paging"
)

var endorserID = id(9003)

// Profile answers for the issuer and one that endorses.
func (a *award) Profile(_ context.Context, id string) (openbadges.Profile, error) {
	name, ok := map[string]string{issuerID: "Academy", endorserID: "Board"}[id]
	if !ok {
		return openbadges.Profile{}, errNone
	}
	return openbadges.Profile{Type: []string{"Profile"}, ProfileDetails: openbadges.ProfileDetails{Name: name}}, a.err
}

// endorsements are those of a house in which a second issuer has a key.
func endorsements(t testing.TB, h *house, db *database.DB) *issuance.Endorsements {
	t.Helper()
	public, err := config.ParsePublicURL(secure)
	must(t, err, provision(context.WithoutCancel(t.Context()), keyring(t, db, secure, "k"), endorserID))
	return issuance.NewEndorsements(public, h.Service, h.award)
}

func TestAnEndorsementIsAskedForGivenEmbeddedAndRevoked(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		e := endorsements(t, h, db)
		first := h.issue(t, order())
		given := map[string]issuance.Endorsement{}
		for kind, o := range map[string]issuance.EndorsementOrder{
			"achievement": {AchievementID: strings.ToUpper(achievementID)}, "issuer": {IssuerID: issuerID}, "credential": {CredentialID: first.ID},
		} {
			o.EndorserID, o.Note = endorserID, "Please."
			asked, err := e.Request(ctx, o)
			if err != nil || asked.State != issuance.EndorsementRequested || asked.SubjectKind != kind || asked.Note != "Please." {
				t.Fatalf("asked for %+v, %v", asked, err)
			}
			if _, err := e.Given(ctx, asked.ID); err == nil {
				t.Error("what is asked for is given already")
			}
			got, err := e.Give(ctx, asked.ID, issuance.EndorsementWords{Comment: "Sound.", ValidUntil: "2040-01-01T00:00:00Z"})
			must(t, err)
			var doc openbadges.EndorsementCredential
			must(t, json.Unmarshal(got.Document, &doc))
			if doc.ID != e.URL(got.ID) || doc.CredentialSubject.ID != asked.SubjectURI || doc.CredentialSubject.EndorsementComment != "Sound." || doc.Issuer.Name != "Board" || doc.CredentialStatus == nil || !h.verify(t, db, got.Document, "") {
				t.Errorf("%s: given as %s", kind, got.Document)
			}
			if kept, err := e.Given(ctx, got.ID); err != nil || string(kept.Document) != string(got.Document) {
				t.Errorf("kept %+v, %v", kept, err)
			}
			_, err = e.Give(ctx, asked.ID, issuance.EndorsementWords{})
			wants(t, err, issuance.ErrEndorsementSettled)
			_, err = e.Decline(ctx, asked.ID)
			wants(t, err, issuance.ErrEndorsementSettled)
			given[kind] = got
		}

		h.at = noon.Add(time.Hour)
		next, err := h.Reissue(ctx, first.ID, issuance.AnyVersion, issuance.Award{EndorsementIDs: []string{given["achievement"].ID, given["issuer"].ID, given["credential"].ID}})
		must(t, err)
		counts := func(c issuance.Credential) [3]int {
			doc := decode(t, c)
			return [3]int{len(doc.CredentialSubject.Achievement.Endorsement), len(doc.Issuer.Endorsement), len(doc.Endorsement)}
		}
		if counts(next) != [3]int{1, 1, 1} || !h.verify(t, db, next.Document, "ada@example.org") {
			t.Errorf("embedded as %s", next.Document)
		}
		o := order()
		o.EndorsementIDs = []string{given["achievement"].ID}
		plain, endorsed := h.issue(t, order()), h.issue(t, o)
		if counts(plain) != [3]int{} || counts(endorsed) != [3]int{1, 0, 0} || !h.verify(t, db, endorsed.Document, "") {
			t.Errorf("issued as %s", endorsed.Document)
		}
		o.EndorsementIDs = []string{given["credential"].ID} // of another one
		_, _, err = h.Issue(ctx, o)
		violates(t, err, "/endorsementIds/0")

		// It stays in the next version, until it is taken back.
		h.at = noon.Add(2 * time.Hour)
		if next, err = h.Renew(ctx, first.ID, issuance.AnyVersion, ""); err != nil || counts(next) != [3]int{1, 1, 1} {
			t.Errorf("renewed with %v, %v", counts(next), err)
		}
		_, err = e.Revoke(ctx, given["achievement"].ID, "no more")
		must(t, err)
		_, err = e.Revoke(ctx, given["credential"].ID, "")
		must(t, err)
		if h.verify(t, db, next.Document, "") || h.verify(t, db, given["achievement"].Document, "") {
			t.Error("with a revoked endorsement it verifies")
		}
		if s, err := e.Standings(ctx, given["achievement"]); err != nil || !s[given["achievement"].Place].Revoked {
			t.Errorf("it stands so: %v, %v", s, err)
		}
		h.at = noon.Add(3 * time.Hour)
		if next, err = h.Renew(ctx, first.ID, issuance.AnyVersion, ""); err != nil || counts(next) != [3]int{0, 1, 0} || !h.verify(t, db, next.Document, "") {
			t.Errorf("renewed with %v, %v", counts(next), err)
		}
		o.EndorsementIDs = []string{given["achievement"].ID}
		_, _, err = h.Issue(ctx, o)
		violates(t, err, "/endorsementIds/0")
		if issued, err := issuance.NewLedger(h.store).Issued(ctx, endorserID, ""); err != nil || !issued {
			t.Errorf("the endorser counts as one who signed nothing: %v", err)
		}

		page, err := e.List(ctx, issuance.EndorsementFilter{EndorserID: endorserID, State: "given"}, paging.Query{Limit: 2, Sort: "createdAt"})
		if err != nil || len(page.Items) != 2 || page.Next == "" {
			t.Errorf("listed %+v, %v", page, err)
		}
		if page, err = e.List(ctx, issuance.EndorsementFilter{EndorserID: endorserID, State: "given"}, paging.Query{Limit: 2, Sort: "createdAt", Cursor: page.Next}); err != nil || len(page.Items) != 1 || page.Next != "" {
			t.Errorf("listed %+v, %v", page, err)
		}
		if page, err = e.List(ctx, issuance.EndorsementFilter{SubjectID: issuerID}, paging.Query{Limit: 5, Sort: "createdAt"}); err != nil || len(page.Items) != 1 {
			t.Errorf("listed %+v, %v", page, err)
		}
	})
}

// TestEndorsementsAreEmbeddedAsTokens: Open Badges 3.0 has endorsementJwt beside
// endorsement, at each of the three places.
func TestEndorsementsAreEmbeddedAsTokens(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		e, ring := endorsements(t, h, db), keyring(t, db, secure, "k").Working(db)
		plainly, err := e.Request(ctx, issuance.EndorsementOrder{EndorserID: endorserID, AchievementID: achievementID})
		must(t, err)
		plainly, err = e.Give(ctx, plainly.ID, issuance.EndorsementWords{})
		must(t, err)
		_, err = ring.CreateKey(ctx, endorserID, issuance.Wanted{Kind: issuance.KindP256})
		must(t, err)
		_, err = ring.SetForm(ctx, endorserID, issuance.Form{Format: "vc+jwt"})
		must(t, err)
		h.at = noon.Add(time.Minute) // another replica follows within seconds
		first := h.issue(t, order())
		var ids []string
		for _, o := range []issuance.EndorsementOrder{{AchievementID: achievementID}, {IssuerID: issuerID}, {CredentialID: first.ID}} {
			o.EndorserID = endorserID
			asked, err := e.Request(ctx, o)
			must(t, err)
			given, err := e.Give(ctx, asked.ID, issuance.EndorsementWords{Comment: "Sound."})
			must(t, err)
			if given.Token == "" {
				t.Fatalf("given as %s", given.Document)
			}
			ids = append(ids, given.ID)
		}
		counts := func(c issuance.Credential) [6]int {
			d := decode(t, c)
			a := d.CredentialSubject.Achievement
			return [6]int{len(a.EndorsementJwt), len(d.Issuer.EndorsementJwt), len(d.EndorsementJwt), len(a.Endorsement), len(d.Issuer.Endorsement), len(d.Endorsement)}
		}
		h.at = noon.Add(time.Hour)
		next, err := h.Reissue(ctx, first.ID, issuance.AnyVersion, issuance.Award{EndorsementIDs: []string{plainly.ID}, EndorsementJwtIDs: ids})
		must(t, err)
		if counts(next) != [6]int{1, 1, 1, 1, 0, 0} || !h.verify(t, db, next.Document, "ada@example.org") {
			t.Errorf("embedded %v as %s", counts(next), next.Document)
		}
		h.at = noon.Add(2 * time.Hour)
		if next, err = h.Renew(ctx, first.ID, issuance.AnyVersion, ""); err != nil || counts(next) != [6]int{1, 1, 1, 1, 0, 0} {
			t.Errorf("renewed with %v, %v", counts(next), err)
		}
		_, err = e.Revoke(ctx, ids[0], "no more")
		must(t, err)
		if h.verify(t, db, next.Document, "") {
			t.Error("with a revoked token it verifies")
		}
		h.at = noon.Add(3 * time.Hour)
		if next, err = h.Renew(ctx, first.ID, issuance.AnyVersion, ""); err != nil || counts(next) != [6]int{0, 1, 1, 1, 0, 0} || !h.verify(t, db, next.Document, "") {
			t.Errorf("renewed with %v, %v", counts(next), err)
		}
		for name, row := range map[string][]string{"not a token": {plainly.ID}, "of another credential": {ids[2]}, "revoked": {ids[0]}, "unknown": {id(4711)}, "no id": {"x"}} {
			o := order()
			o.EndorsementJwtIDs = row
			_, _, err := h.Issue(ctx, o)
			if err == nil {
				t.Errorf("%s: it was issued", name)
			}
			violates(t, err, "/endorsementJwtIds/0")
		}
		o := order()
		o.EndorsementJwtIDs = []string{ids[1], ids[1]}
		_, _, err = h.Issue(ctx, o)
		violates(t, err, "/endorsementJwtIds/1")
	})
}

func TestEndorsementsThatCannotBeAreRefused(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := as(t, "token:1"), build(t, db, secure)
		e := endorsements(t, h, db)
		c := h.issue(t, order())
		for name, row := range map[string]struct {
			order   issuance.EndorsementOrder
			pointer string
		}{
			"of its own achievement":          {issuance.EndorsementOrder{EndorserID: issuerID, AchievementID: achievementID}, "/endorserId"},
			"of itself":                       {issuance.EndorsementOrder{EndorserID: issuerID, IssuerID: issuerID}, "/endorserId"},
			"of what it issued itself":        {issuance.EndorsementOrder{EndorserID: issuerID, CredentialID: c.ID}, "/endorserId"},
			"of nothing":                      {issuance.EndorsementOrder{EndorserID: endorserID}, ""},
			"of two things":                   {issuance.EndorsementOrder{EndorserID: endorserID, IssuerID: issuerID, CredentialID: c.ID}, ""},
			"of an achievement that is none":  {issuance.EndorsementOrder{EndorserID: endorserID, AchievementID: id(404)}, "/achievementId"},
			"of an issuer that is none":       {issuance.EndorsementOrder{EndorserID: endorserID, IssuerID: "x"}, "/issuerId"},
			"of a credential that is none":    {issuance.EndorsementOrder{EndorserID: endorserID, CredentialID: id(404)}, "/credentialId"},
			"by nobody":                       {issuance.EndorsementOrder{AchievementID: achievementID}, "/endorserId"},
			"by an issuer that is none":       {issuance.EndorsementOrder{EndorserID: id(404), AchievementID: achievementID}, "/endorserId"},
			"with a note that is a long tale": {issuance.EndorsementOrder{EndorserID: endorserID, AchievementID: achievementID, Note: strings.Repeat("a", 2001)}, "/note"},
		} {
			_, err := e.Request(ctx, row.order)
			t.Run(name, func(t *testing.T) { violates(t, err, row.pointer) })
		}
		asked, err := e.Request(ctx, issuance.EndorsementOrder{EndorserID: endorserID, AchievementID: achievementID})
		must(t, err)
		_, err = e.Give(ctx, asked.ID, issuance.EndorsementWords{ValidUntil: "2001-01-01T00:00:00Z"})
		violates(t, err, "/validUntil")
		_, err = e.Revoke(ctx, asked.ID, "")
		wants(t, err, issuance.ErrEndorsementUnknown)
		declined, err := e.Decline(ctx, asked.ID)
		if err != nil || declined.State != issuance.EndorsementDeclined {
			t.Errorf("declined %+v, %v", declined, err)
		}
		_, err = e.Give(ctx, asked.ID, issuance.EndorsementWords{})
		wants(t, err, issuance.ErrEndorsementSettled)
		for _, ids := range [][]string{{asked.ID}, {"x"}, {id(404)}} {
			o := order()
			o.EndorsementIDs = ids
			_, _, err = h.Issue(ctx, o)
			violates(t, err, "/endorsementIds/0")
		}
		for _, bad := range []string{"x", id(404)} {
			_, err = e.Endorsement(ctx, bad)
			wants(t, err, issuance.ErrEndorsementUnknown)
			_, err = e.Decline(ctx, bad)
			wants(t, err, issuance.ErrEndorsementUnknown)
		}
		for _, f := range []issuance.EndorsementFilter{{EndorserID: "x"}, {SubjectID: "\x00"}, {State: "revoked"}} {
			_, err = e.List(ctx, f, paging.Query{Limit: 5, Sort: "createdAt"})
			wants(t, err, issuance.ErrFilter)
		}
		// An endorsement brought along that endorses itself.
		o := order()
		o.Endorsement = []json.RawMessage{json.RawMessage(`{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],"id":"urn:uuid:` + id(7) + `","type":["VerifiableCredential","EndorsementCredential"],"name":"E","issuer":{"id":"https://e.example.org","type":["Profile"]},"validFrom":"2026-01-01T00:00:00Z","credentialSubject":{"id":"urn:uuid:` + id(7) + `","type":["EndorsementSubject"]}}`)}
		_, _, err = h.Issue(ctx, o)
		violates(t, err, "/endorsement/0/credentialSubject/id")
	})
}
