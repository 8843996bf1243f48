package issuance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/badge-engine/badge-engine/modules/internal/assertion"
	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/report"
)

// AssertionURL is the public address of the Open Badges 2.0 form of a credential.
func (s *Service) AssertionURL(id string) string { return s.public.Join("ob2", "assertions", id) }

// Assertion answers an award as Open Badges 2.0 has it, or, with withdrawn, what is
// said of one that was revoked or suspended: consumers of that edition know no other
// word for it. It answers with [ErrNotFound], [ErrWithdrawn] or [ErrForm].
//
// Open Badges 2.0, Assertion; Verification: hosted badges.
func (s *Service) Assertion(ctx context.Context, id string) (document []byte, withdrawn bool, err error) {
	c, err := s.Credential(ctx, id)
	if err != nil {
		return nil, false, err
	}
	standings, err := s.Standings(ctx, c)
	if err != nil {
		return nil, false, err
	}
	if standing := standings[c.Place]; standing.Revoked || standing.Suspended {
		reason := standing.Reason
		if reason == "" && !standing.Revoked {
			reason = "Suspended"
		}
		document, err = json.Marshal(assertion.NewWithdrawn(s.AssertionURL(c.ID), reason))
		return document, true, err
	}
	a, err := s.assertion(ctx, c)
	if err != nil {
		return nil, false, err
	}
	document, err = json.Marshal(a)
	return document, false, err
}

func (s *Service) assertion(ctx context.Context, c Credential) (assertion.Assertion, error) {
	var doc openbadges.AchievementCredential
	if err := json.Unmarshal(c.Document, &doc); err != nil {
		return assertion.Assertion{}, fmt.Errorf("issuance: decode %s: %w", c.ID, err)
	}
	format, err := s.PictureFormat(ctx, c)
	if err != nil {
		return assertion.Assertion{}, err
	}
	picture := ""
	if format != "" {
		picture = s.AssertionURL(c.ID) + "/badge." + string(format)
	}
	a, err := assertion.New(doc, s.AssertionURL(c.ID), s.public.Join("ob2", "achievements", c.AchievementID), picture)
	return a, noForm(err)
}

// noForm turns what has no form in Open Badges 2.0 into a fault.
func noForm(err error) error {
	var e *assertion.FormError
	if errors.As(err, &e) {
		return ErrForm.With(err).Detailf("%s %s", report.Sentence(e.Problem), e.Remedy)
	}
	return err
}

// AssertionBadge is the picture of the achievement with the assertion baked in.
// [ErrPicture] tells that there is none in that format. What was revoked is not baked
// any more: [ErrNotFound].
func (s *Service) AssertionBadge(ctx context.Context, id string, format image.Format) ([]byte, error) {
	document, withdrawn, err := s.Assertion(ctx, id)
	if err != nil {
		return nil, err
	}
	if withdrawn {
		return nil, ErrNotFound.Detailf("It was revoked or suspended; its assertion says so.")
	}
	c, err := s.Credential(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.bake(ctx, c, format, document, image.Options{Overwrite: true, Version: image.OpenBadges2, HostedURL: s.AssertionURL(c.ID)})
}
