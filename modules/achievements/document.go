package achievements

import (
	"context"
	"encoding/base64"
	"errors"

	"github.com/badge-engine/badge-engine/modules/internal/assertion"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/report"
)

// MaxEmbeddedImage is the size in bytes up to which a picture travels inside a
// credential as a data URL, where this server has no https address that strangers
// could fetch it from.
const MaxEmbeddedImage = 32 << 10

// AchievementURL is the public address of an achievement, and its identifier.
func (s *Service) AchievementURL(id string) string { return s.public.Join("achievements", id) }

// IssuerURL is the public address of an issuer profile.
func (s *Service) IssuerURL(id string) string { return s.public.Join("issuers", id) }

// ImageURL is the public address of an image.
func (s *Service) ImageURL(id string) string { return s.public.Join("images", id) }

// Snapshot answers an achievement and its issuer as they go into a credential now,
// and the issuer's identifier here. The issuer's profile has no id: that depends
// on the key that signs.
func (s *Service) Snapshot(ctx context.Context, achievementID string) (issuerID string, a openbadges.Achievement, issuer openbadges.Profile, err error) {
	achievement, err := s.Achievement(ctx, achievementID)
	if err != nil {
		return "", a, issuer, err
	}
	if a, err = s.achievementDocument(ctx, achievement); err != nil {
		return "", a, issuer, err
	}
	kept, err := s.store.Issuer(ctx, achievement.IssuerID)
	if err != nil {
		return "", a, issuer, err
	}
	issuer, err = s.profileDocument(ctx, kept)
	return achievement.IssuerID, a, issuer, err
}

// Profile answers an issuer as it goes into what it signs, without an id: that depends
// on the key that signs. It answers with [ErrIssuerNotFound].
func (s *Service) Profile(ctx context.Context, issuerID string) (openbadges.Profile, error) {
	kept, err := s.Issuer(ctx, issuerID)
	if err != nil {
		return openbadges.Profile{}, err
	}
	return s.profileDocument(ctx, kept)
}

func (s *Service) achievementDocument(ctx context.Context, a Achievement) (openbadges.Achievement, error) {
	picture, err := s.imageDocument(ctx, a.ImageID, a.Details.Name)
	return openbadges.Achievement{
		ID: s.AchievementURL(a.ID), Type: []string{"Achievement"}, Image: picture, AchievementDetails: a.Details,
	}, err
}

func (s *Service) profileDocument(ctx context.Context, i Issuer) (openbadges.Profile, error) {
	picture, err := s.imageDocument(ctx, i.ImageID, i.Profile.Name)
	return openbadges.Profile{Type: []string{"Profile"}, Image: picture, ProfileDetails: i.Profile}, err
}

// imageDocument links a picture where strangers can fetch it, and otherwise embeds
// one that is small enough: a dead link helps nobody.
func (s *Service) imageDocument(ctx context.Context, imageID, caption string) (*openbadges.Image, error) {
	if imageID == "" {
		return nil, nil
	}
	if s.public.Secure() {
		return &openbadges.Image{ID: s.ImageURL(imageID), Type: "Image", Caption: caption}, nil
	}
	img, err := s.store.Image(ctx, imageID)
	if err != nil {
		return nil, err
	}
	var smallest *Rendition
	for i, r := range img.Renditions {
		if r.Size <= MaxEmbeddedImage && (smallest == nil || r.Size < smallest.Size) {
			smallest = &img.Renditions[i]
		}
	}
	if smallest == nil {
		return nil, nil
	}
	_, content, err := s.store.Content(ctx, imageID, smallest.Format)
	if err != nil {
		return nil, err
	}
	uri := "data:" + smallest.MediaType + ";base64," + base64.StdEncoding.EncodeToString(content)
	return &openbadges.Image{ID: uri, Type: "Image", Caption: caption}, nil
}

// PublicAchievement is the JSON-LD document at an achievement's address.
type PublicAchievement struct {
	Context []any `json:"@context"`
	openbadges.Achievement
}

// PublicIssuer is the JSON-LD document at an issuer's address. It is a profile and
// a controlled identifier document at once, so that a verifier that dereferences
// the verification method of a proof finds the key in it.
//
// Controlled Identifiers 1.0, 2 (data model); Open Badges 3.0, Profile.
type PublicIssuer struct {
	Context []any `json:"@context"`
	openbadges.Profile
	VerificationMethod []did.VerificationMethod `json:"verificationMethod,omitempty"`
	AssertionMethod    []string                 `json:"assertionMethod,omitempty"`
	Authentication     []string                 `json:"authentication,omitempty"`
}

// PublicAchievement answers what the world reads of an achievement.
func (s *Service) PublicAchievement(ctx context.Context, id string) (PublicAchievement, error) {
	achievement, err := s.Achievement(ctx, id)
	if err != nil {
		return PublicAchievement{}, err
	}
	doc, err := s.achievementDocument(ctx, achievement)
	if err != nil {
		return PublicAchievement{}, err
	}
	creator, err := s.PublicIssuer(ctx, achievement.IssuerID)
	if err != nil {
		return PublicAchievement{}, err
	}
	creator.Endorsement, creator.EndorsementJwt = nil, nil
	doc.Creator = &creator.Profile
	return PublicAchievement{Context: openbadges.Contexts(), Achievement: doc}, nil
}

// PublicIssuer answers what the world reads of an issuer.
func (s *Service) PublicIssuer(ctx context.Context, id string) (PublicIssuer, error) {
	issuer, err := s.Issuer(ctx, id)
	if err != nil {
		return PublicIssuer{}, err
	}
	profile, err := s.profileDocument(ctx, issuer)
	if err != nil {
		return PublicIssuer{}, err
	}
	uri, keys, err := s.keys.Identity(ctx, issuer.ID)
	if err != nil {
		return PublicIssuer{}, err
	}
	profile.ID = uri
	return PublicIssuer{
		Context: append(openbadges.Contexts(), "https://www.w3.org/ns/cid/v1"), Profile: profile,
		VerificationMethod: keys.VerificationMethod, AssertionMethod: keys.AssertionMethod, Authentication: keys.Authentication,
	}, nil
}

// BadgeClass answers an achievement as Open Badges 2.0 has it, or [ErrForm].
//
// Open Badges 2.0, BadgeClass.
func (s *Service) BadgeClass(ctx context.Context, id string) (assertion.BadgeClass, error) {
	achievement, err := s.Achievement(ctx, id)
	if err != nil {
		return assertion.BadgeClass{}, err
	}
	doc, err := s.achievementDocument(ctx, achievement)
	if err != nil {
		return assertion.BadgeClass{}, err
	}
	class, err := assertion.NewBadgeClass(doc, s.public.Join("ob2", "achievements", achievement.ID), s.public.Join("ob2", "issuers", achievement.IssuerID))
	return class, noForm(err)
}

// HostedIssuer answers an issuer profile as Open Badges 2.0 has it, or [ErrForm].
//
// Open Badges 2.0, Profile.
func (s *Service) HostedIssuer(ctx context.Context, id string) (assertion.Issuer, error) {
	issuer, err := s.Issuer(ctx, id)
	if err != nil {
		return assertion.Issuer{}, err
	}
	profile, err := s.profileDocument(ctx, issuer)
	if err != nil {
		return assertion.Issuer{}, err
	}
	hosted, err := assertion.NewIssuer(profile, s.public.Join("ob2", "issuers", issuer.ID))
	return hosted, noForm(err)
}

// noForm turns what has no form in Open Badges 2.0 into a fault.
func noForm(err error) error {
	var e *assertion.FormError
	if errors.As(err, &e) {
		return ErrForm.With(err).Detailf("%s %s", report.Sentence(e.Problem), e.Remedy)
	}
	return err
}
