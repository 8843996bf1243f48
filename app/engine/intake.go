package engine

import (
	"context"

	"github.com/badge-engine/badge-engine/modules/achievements"
	"github.com/badge-engine/badge-engine/modules/intake"
	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/modules/verification"
)

// judge lets module intake verify what it takes over.
type judge struct{ service *verification.Service }

var _ intake.Verifier = judge{}

// Judge implements [intake.Verifier].
func (j judge) Judge(ctx context.Context, upload []byte, recipient string) (intake.Judged, error) {
	r, err := j.service.Verify(ctx, upload, verification.Options{Recipient: recipient})
	return intake.Judged{Report: r.Report}, err
}

// JudgeAt implements [intake.Verifier].
func (j judge) JudgeAt(ctx context.Context, address, recipient string) (intake.Judged, error) {
	r, err := j.service.VerifyAt(ctx, address, verification.Options{Recipient: recipient})
	return intake.Judged{Report: r.Report}, err
}

// catalogue lets module intake make achievements.
type catalogue struct{ service *achievements.Service }

var _ intake.Achievements = catalogue{}

// Issuer implements [intake.Achievements].
func (c catalogue) Issuer(ctx context.Context, id string) (string, error) {
	issuer, err := c.service.Issuer(ctx, id)
	return issuer.Profile.Name, err
}

// Achievement implements [intake.Achievements].
func (c catalogue) Achievement(ctx context.Context, id string) (issuerID, name string, err error) {
	a, err := c.service.Achievement(ctx, id)
	return a.IssuerID, a.Details.Name, err
}

// Adopt implements [intake.Achievements].
func (c catalogue) Adopt(ctx context.Context, d intake.Definition) (string, error) {
	imageID := ""
	if len(d.Picture) > 0 {
		img, err := c.service.UploadImage(ctx, d.Picture)
		if err != nil {
			return "", err
		}
		imageID = img.ID
	}
	a, err := c.service.CreateAchievement(ctx, d.IssuerID, d.Details, imageID)
	return a.ID, err
}

// orders lets module intake issue.
type orders struct{ service *issuance.Service }

var _ intake.Credentials = orders{}

// Award implements [intake.Credentials].
func (o orders) Award(ctx context.Context, a intake.Award) (id, address string, err error) {
	s := a.CredentialSubject
	issued, _, err := o.service.Issue(ctx, issuance.Order{
		AchievementID: a.AchievementID, Recipient: issuance.Recipient{Email: a.Email, ID: a.ID}, IdempotencyKey: a.Key, RequestHash: a.Hash,
		Award: issuance.Award{
			Name: a.Name, Description: a.Description, AwardedDate: a.AwardedDate, ValidUntil: a.ValidUntil, Evidence: a.Evidence,
			ActivityStartDate: s.ActivityStartDate, ActivityEndDate: s.ActivityEndDate, CreditsEarned: s.CreditsEarned, LicenseNumber: s.LicenseNumber,
			Narrative: s.Narrative, Role: s.Role, Term: s.Term, Source: s.Source, Result: s.Result,
		},
	})
	return issued.ID, o.service.URL(issued.ID), err
}

// Address implements [intake.Credentials].
func (o orders) Address(id string) string { return o.service.URL(id) }
