package issuance

import (
	"context"

	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/platform/shelf"
)

// publication is a credential as it lies on the shelf.
type publication struct{ credential Credential }

// Weight implements [shelf.Weighed].
func (p *publication) Weight() int { return len(p.credential.Document) + len(p.credential.Token) }

// Published is [Service.Credential] as it lies on the shelf. Its document must not be
// altered.
func (s *Service) Published(ctx context.Context, id string) (Credential, error) {
	id, err := known(id, ErrNotFound)
	if err != nil {
		return Credential{}, err
	}
	found, err := shelf.Get(ctx, s.shelf, "credential "+id, func(ctx context.Context) (*publication, error) {
		c, err := s.Credential(ctx, id)
		return &publication{c}, err
	})
	if err != nil {
		return Credential{}, err
	}
	return found.credential, nil
}

// PublishedBadge is [Service.Badge] as it lies on the shelf.
func (s *Service) PublishedBadge(ctx context.Context, id string, format image.Format) (*shelf.Document, error) {
	return s.picture(ctx, "badge", id, format, s.Badge)
}

// PublishedAssertionBadge is [Service.AssertionBadge] as it lies on the shelf.
func (s *Service) PublishedAssertionBadge(ctx context.Context, id string, format image.Format) (*shelf.Document, error) {
	return s.picture(ctx, "assertion badge", id, format, s.AssertionBadge)
}

func (s *Service) picture(ctx context.Context, kind, id string, format image.Format, make func(context.Context, string, image.Format) ([]byte, error)) (*shelf.Document, error) {
	id, err := known(id, ErrNotFound)
	if err != nil {
		return nil, err
	}
	return shelf.Get(ctx, s.shelf, kind+" "+string(format)+" "+id, func(ctx context.Context) (*shelf.Document, error) {
		picture, err := make(ctx, id, format)
		if err != nil {
			return nil, err
		}
		return shelf.Of(picture), nil
	})
}

// PublishedAssertion is what the world reads of an assertion of Open Badges 2.0.
type PublishedAssertion struct {
	*shelf.Document
	Withdrawn bool // it was revoked or suspended, and the document says so
}

// PublishedAssertion is [Service.Assertion] as it lies on the shelf.
func (s *Service) PublishedAssertion(ctx context.Context, id string) (*PublishedAssertion, error) {
	id, err := known(id, ErrNotFound)
	if err != nil {
		return nil, err
	}
	return shelf.Get(ctx, s.shelf, "assertion "+id, func(ctx context.Context) (*PublishedAssertion, error) {
		document, withdrawn, err := s.Assertion(ctx, id)
		if err != nil {
			return nil, err
		}
		return &PublishedAssertion{shelf.Of(document), withdrawn}, nil
	})
}

// vouched is an endorsement as it lies on the shelf.
type vouched struct{ endorsement Endorsement }

// Weight implements [shelf.Weighed].
func (v *vouched) Weight() int { return len(v.endorsement.Document) + len(v.endorsement.Token) }

// Published is [Endorsements.Given] as it lies on the shelf. Its document must not be
// altered.
func (e *Endorsements) Published(ctx context.Context, id string) (Endorsement, error) {
	id, err := known(id, ErrEndorsementUnknown)
	if err != nil {
		return Endorsement{}, err
	}
	found, err := shelf.Get(ctx, e.service.shelf, "endorsement "+id, func(ctx context.Context) (*vouched, error) {
		given, err := e.Given(ctx, id)
		return &vouched{given}, err
	})
	if err != nil {
		return Endorsement{}, err
	}
	return found.endorsement, nil
}
