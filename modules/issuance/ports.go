package issuance

import (
	"context"

	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
)

// Achievements knows what can be awarded. Module achievements serves it.
type Achievements interface {
	// Snapshot answers an achievement and its issuer's profile as they go into a
	// credential now; the profile has no id yet. A fault of kind not found tells
	// that there is no such achievement.
	Snapshot(ctx context.Context, achievementID string) (issuerID string, achievement openbadges.Achievement, issuer openbadges.Profile, err error)
	// Hold keeps the achievement from being deleted until the unit in ctx ends, or
	// answers a fault of kind not found. The edition is another one as soon as what
	// Snapshot answers changes.
	Hold(ctx context.Context, achievementID string) (edition string, err error)
	// Picture answers the achievement's picture in one format, or a fault of kind
	// not found.
	Picture(ctx context.Context, achievementID string, format image.Format) ([]byte, error)
}

// Recipients knows how the people of the organisation are reached. Module scim serves it.
type Recipients interface {
	// Recipient answers the e-mail address of a user who is named by one of id,
	// external id and userName; the others are empty. A fault of kind not found says
	// in its detail why there is none.
	Recipient(ctx context.Context, id, externalID, userName string) (email string, err error)
}

// Vault keeps private keys elsewhere, such as in a hardware module. Platform vault
// serves it.
type Vault interface {
	// Name is what keys remember of where they are.
	Name(ctx context.Context) (string, error)
	// Generate makes a key of a kind; public is SPKI in DER.
	Generate(ctx context.Context, kind, label string) (public []byte, handle string, err error)
	// Sign answers what integrity.Signer must.
	Sign(ctx context.Context, kind, handle string, message []byte) ([]byte, error)
}

// Work runs fn as one unit: all of it is stored or none. Platform database serves it.
type Work interface {
	Do(ctx context.Context, fn func(ctx context.Context) error) error
}

// Audit writes down what was done. Module audit serves it.
type Audit interface {
	// Record joins the unit in ctx, so that a deed and its event are stored
	// together, or neither. With a failure there is no deed; then it never fails.
	Record(ctx context.Context, action, target, detail string, failure error) error
	// RecordEach records one deed each of several callers, who are known from
	// contexts of their own; it joins the unit in ctx.
	RecordEach(ctx context.Context, action string, targets []string, by []context.Context) error
}
