package issuance

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
	"github.com/badge-engine/badge-engine/platform/metric"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// pause waits by the clock of the machine.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// revision is what a new version of a credential says.
type revision struct {
	award     Award
	recipient *Recipient // nil: the same
}

// awardOf is the award that a credential tells of, so that another version can say
// the same: its members, but neither when it began nor what follows from elsewhere.
func awardOf(doc openbadges.AchievementCredential) Award {
	s := doc.CredentialSubject
	a := Award{
		Name: doc.Name, Description: doc.Description, ValidUntil: doc.ValidUntil, AwardedDate: doc.AwardedDate,
		ActivityStartDate: s.ActivityStartDate, ActivityEndDate: s.ActivityEndDate, CreditsEarned: s.CreditsEarned, LicenseNumber: s.LicenseNumber,
		Narrative: s.Narrative, Role: s.Role, Term: s.Term, Source: s.Source, Result: s.Result,
		Evidence: doc.Evidence, TermsOfUse: doc.TermsOfUse, Endorsement: doc.Endorsement, EndorsementJwt: doc.EndorsementJwt,
	}
	if a.Name == s.Achievement.Name {
		a.Name = "" // it follows the achievement
	}
	return a
}

// Reissue signs a new version of a credential: same identifier, recipient and
// achievement, a later validFrom, which is how Open Badges tells versions apart.
// The date of the first award stays in awardedDate.
//
// Open Badges 3.0, 9.3 (Credential equality): the newer validFrom supersedes.
//
// It answers with [ErrInvalid], [ErrNotFound], [ErrWithdrawn], [ErrVersion] or
// [statuslist.ErrRevoked].
func (s *Service) Reissue(ctx context.Context, id string, version int64, award Award) (Credential, error) {
	return s.revise(ctx, id, version, "issuance.credential.reissued", func(openbadges.AchievementCredential) (revision, error) {
		return revision{award: award}, nil
	})
}

// Renew signs a new version that says the same and is valid until another time: the
// one given, or for as long as the version before was. It answers like [Service.Reissue].
func (s *Service) Renew(ctx context.Context, id string, version int64, until string) (Credential, error) {
	return s.revise(ctx, id, version, "issuance.credential.renewed", func(before openbadges.AchievementCredential) (revision, error) {
		award := awardOf(before)
		if until == "" && before.ValidUntil != "" {
			from, err := moment("/validFrom", before.ValidFrom)
			if err != nil {
				return revision{}, err
			}
			end, err := moment("/validUntil", before.ValidUntil)
			if err != nil {
				return revision{}, err
			}
			until = s.now().UTC().Truncate(time.Second).Add(end.Sub(from)).Format(time.RFC3339)
		}
		award.ValidUntil = until
		return revision{award: award}, nil
	})
}

// ChangeRecipient signs a new version that says the same of somebody who is called
// otherwise now, such as by another e-mail address. It answers like [Service.Reissue].
func (s *Service) ChangeRecipient(ctx context.Context, id string, version int64, recipient Recipient) (Credential, error) {
	recipient, err := s.addressed(ctx, recipient)
	if err != nil {
		return Credential{}, err
	}
	return s.revise(ctx, id, version, "issuance.credential.readdressed", func(before openbadges.AchievementCredential) (revision, error) {
		return revision{award: awardOf(before), recipient: &recipient}, nil
	})
}

// revise signs the next version of a credential.
func (s *Service) revise(ctx context.Context, id string, version int64, action string, change func(before openbadges.AchievementCredential) (revision, error)) (Credential, error) {
	current, err := s.Credential(ctx, id)
	if err != nil {
		return Credential{}, err
	}
	if version != AnyVersion && version != current.Version {
		return Credential{}, ErrVersion.Detailf("You changed version %d, the current one is %d. Read it again and repeat your change.", version, current.Version)
	}
	standings, err := s.statuses.Standings(ctx, current.Place)
	if err != nil {
		return Credential{}, err
	}
	if standings[current.Place].Revoked {
		return Credential{}, statuslist.ErrRevoked.Detailf("Issue a new credential instead.")
	}
	var before openbadges.AchievementCredential
	if err := json.Unmarshal(current.whole(), &before); err != nil {
		return Credential{}, fmt.Errorf("issuance: decode %s: %w", current.ID, err)
	}
	r, err := change(before)
	if err != nil {
		return Credential{}, err
	}
	_, achievement, issuer, err := s.achievements.Snapshot(ctx, current.AchievementID)
	if err != nil {
		return Credential{}, err
	}
	plan, err := s.keyring.plan(ctx, current.IssuerID, current.form)
	if err != nil {
		return Credential{}, err
	}
	issuer.ID = plan.uri
	next := current
	doc := openbadges.AchievementCredential{
		ID: before.ID, Type: before.Type, Issuer: issuer,
		CredentialSubject: openbadges.AchievementSubject{
			ID: before.CredentialSubject.ID, Type: before.CredentialSubject.Type,
			Identifier: before.CredentialSubject.Identifier, Achievement: achievement,
		},
	}
	if r.recipient != nil {
		recipient, err := s.addressed(ctx, *r.recipient)
		if err != nil {
			return Credential{}, err
		}
		identities, lookup, err := recipient.identities()
		if err != nil {
			return Credential{}, err
		}
		doc.CredentialSubject.ID, doc.CredentialSubject.Identifier = r.recipient.ID, identities
		next.recipientIndex = s.sealer.Index(lookup)
	}
	if doc.CredentialSubject.ID == "" && plan.needsSubject() {
		doc.CredentialSubject.ID = newURN()
	}
	award := r.award
	if award.AwardedDate == "" {
		award.AwardedDate = before.AwardedDate
		if award.AwardedDate == "" {
			award.AwardedDate = before.ValidFrom
		}
	}
	if award.EndorsementIDs == nil && award.EndorsementJwtIDs == nil {
		if award.EndorsementIDs, award.EndorsementJwtIDs, err = s.embedded(ctx, before); err != nil {
			return Credential{}, err
		}
		award.Endorsement = slices.DeleteFunc(slices.Clone(award.Endorsement), func(raw json.RawMessage) bool { return s.endorsementID(raw) != "" })
		award.EndorsementJwt = slices.DeleteFunc(slices.Clone(award.EndorsementJwt), func(token string) bool { return s.endorsementTokenID(token) != "" })
	}
	if award.Refreshable == nil {
		refreshable := before.RefreshService != nil
		award.Refreshable = &refreshable
	}
	from, err := s.following(ctx, current.ValidFrom, award.ValidFrom == "")
	if err != nil {
		return Credential{}, err
	}
	if next.StatusPurpose, err = award.purpose(current.StatusPurpose); err != nil {
		return Credential{}, err
	}
	if next.Place.List == "" { // it was issued before there were status lists
		places, err := s.statuses.Take(ctx, current.IssuerID, 1)
		if err != nil {
			return Credential{}, err
		}
		next.Place = places[0]
	}
	doc.CredentialStatus = s.statusEntry(next)
	award.fill(&doc, from)
	if err := s.embed(ctx, &doc, award); err != nil {
		return Credential{}, err
	}
	prepared, err := credential.Prepare(s.canonical, doc)
	if err == nil {
		err = plan.fit(prepared)
	}
	if err != nil {
		given := Recipient{}
		if r.recipient != nil {
			given = *r.recipient
		}
		return Credential{}, lint(err, given)
	}
	now := s.now().UTC().Truncate(time.Second)
	next.Name, next.Version, next.Updated = doc.Name, current.Version+1, now
	if err := next.period(doc); err != nil {
		return Credential{}, err
	}
	if !next.ValidFrom.After(current.ValidFrom) {
		return Credential{}, refuse("/validFrom", "Open Badges 3.0: the newer validFrom supersedes", "The new version does not begin after the one it replaces.", "Leave validFrom out, or give one after "+current.ValidFrom.Format(time.RFC3339)+".")
	}
	log := s.log.With("credential", next.ID, "version", next.Version, "action", action, "by", principal.From(ctx).ID)
	log.InfoContext(ctx, "credential signing again")
	if err = plan.secure(ctx, s.canonical, prepared, &next, now); err != nil {
		return Credential{}, fmt.Errorf("issuance: sign %s: %w", next.ID, err)
	}
	err = s.recorded(ctx, action, next.ID, func(ctx context.Context) error { return s.store.Replace(ctx, next) })
	s.shelf.Changed(ctx)
	s.counts.credentials.Count(1, "version", metric.Outcome(err))
	if err != nil {
		return Credential{}, err
	}
	log.InfoContext(ctx, "credential issued again")
	return next, nil
}

// following is when a version begins that follows one which began at before: now.
// Times are whole seconds, so within the second in which that one began it waits for
// the next: a version that begins in the future would not be valid yet. One that
// does not begin now anyway is not waited for.
func (s *Service) following(ctx context.Context, before time.Time, nowIsMeant bool) (time.Time, error) {
	now := s.now().UTC()
	from := now.Truncate(time.Second)
	if from.After(before) {
		return from, nil
	}
	next := before.Add(time.Second)
	if wait := next.Sub(now); nowIsMeant && wait <= time.Second {
		if err := s.pause(ctx, wait); err != nil {
			return time.Time{}, err
		}
	}
	return next, nil
}

// Withdraw forgets the document of a credential, its recipient, and what was kept of
// the order; its address answers Gone from now on. It does not revoke: copies in the
// world stay valid, and its entry in the status list stays, so that they still can
// be. It answers with [ErrNotFound] or [ErrWithdrawn].
func (s *Service) Withdraw(ctx context.Context, id string) error {
	c, err := s.Credential(ctx, id)
	if err != nil {
		return err
	}
	at := s.now().UTC().Truncate(time.Second)
	err = s.recorded(ctx, "issuance.credential.withdrawn", c.ID, func(ctx context.Context) error {
		operation, err := s.statuses.Withdrawing(ctx, nil, 1)
		if err != nil {
			return err
		}
		return s.store.Withdraw(ctx, c.ID, operation, at)
	})
	s.shelf.Changed(ctx)
	if err != nil {
		return err
	}
	s.log.InfoContext(ctx, "credential withdrawn", "credential", c.ID, "by", principal.From(ctx).ID)
	return nil
}

// SurveyWithdrawal tells how many credentials [Service.WithdrawWhere] would withdraw.
func (s *Service) SurveyWithdrawal(ctx context.Context, q statuslist.Query) (statuslist.Survey, error) {
	q, err := s.query(ctx, q)
	if err != nil {
		return statuslist.Survey{}, err
	}
	var out statuslist.Survey
	out.Affected, out.Examples, err = s.store.Withdrawable(ctx, q, 10)
	out.Matched = out.Affected
	return out, err
}

// WithdrawWhere withdraws all credentials that a query matches, such as all of one
// person who asks to be forgotten: if they are as many as expected, and none of them
// otherwise. It answers with [statuslist.ErrQuery] or [statuslist.ErrExpected].
func (s *Service) WithdrawWhere(ctx context.Context, q statuslist.Query, expected int64) (statuslist.Deed, error) {
	q, err := s.query(ctx, q)
	if err != nil {
		return statuslist.Deed{}, err
	}
	const action = "issuance.credentials.withdrawn"
	var deed statuslist.Deed
	at := s.now().UTC().Truncate(time.Second)
	err = s.work.Do(ctx, func(ctx context.Context) error {
		var err error
		if deed.Operation, err = s.statuses.Withdrawing(ctx, &q, expected); err != nil {
			return err
		}
		if deed.Changed, err = s.store.WithdrawWhere(ctx, q, deed.Operation, at); err != nil {
			return err
		}
		if deed.Changed != expected {
			return statuslist.ErrExpected.Detailf("You expect %d, but it would withdraw %d. Survey it again with dryRun, and repeat with the number of that answer.", expected, deed.Changed)
		}
		return s.record(ctx, action, "operation:"+deed.Operation, fmt.Sprintf("credentials:%d;%s", deed.Changed, q.Code()))
	})
	s.shelf.Changed(ctx)
	if err != nil {
		s.failed(ctx, action, "", err)
		return statuslist.Deed{}, err
	}
	s.log.InfoContext(ctx, "credentials withdrawn", "operation", deed.Operation, "changed", deed.Changed, "by", principal.From(ctx).ID)
	return deed, nil
}
