package intake

import (
	"context"

	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/report"
)

// Judged is what is said of a badge.
type Judged struct{ report.Report }

// Verifier judges badges. Module verification serves it.
type Verifier interface {
	// Judge checks an upload: a document, a token or a picture.
	Judge(ctx context.Context, upload []byte, recipient string) (Judged, error)
	// JudgeAt checks what is at an address.
	JudgeAt(ctx context.Context, address, recipient string) (Judged, error)
}

// Definition is an achievement to be made.
type Definition struct {
	IssuerID string
	Details  openbadges.AchievementDetails
	Picture  []byte // PNG or SVG; may be empty
}

// Achievements keeps what can be awarded. Module achievements serves it.
type Achievements interface {
	// Issuer tells that there is such an issuer profile, by its name, or answers a fault.
	Issuer(ctx context.Context, id string) (name string, err error)
	// Achievement tells whose an achievement is and what it is called, or answers a fault.
	Achievement(ctx context.Context, id string) (issuerID, name string, err error)
	// Adopt makes an achievement; it joins the unit in ctx.
	Adopt(ctx context.Context, d Definition) (achievementID string, err error)
}

// Award is what is issued for a badge.
type Award struct {
	AchievementID string
	Email, ID     string // the recipient: one of them or both
	openbadges.AchievementCredential

	// Key makes the order safe to repeat, Hash tells it from another.
	Key, Hash string
}

// Credentials issues. Module issuance serves it.
type Credentials interface {
	// Award issues a credential and answers its id and public address. Of the embedded
	// credential it takes what the achievement and the recipient do not say. The same
	// key issues once.
	Award(ctx context.Context, a Award) (id, address string, err error)
	// Address is the public address of a credential.
	Address(id string) string
}

// Documents fetches pictures that badges point at. It must guard itself.
type Documents interface {
	Get(ctx context.Context, url string) ([]byte, error)
}

// Work runs fn as one unit: all of it is stored or none. Platform database serves it.
type Work interface {
	Do(ctx context.Context, fn func(ctx context.Context) error) error
}

// Audit writes down what was done. Module audit serves it.
type Audit interface {
	// Record joins the unit in ctx. With a failure there is no deed; then it never fails.
	Record(ctx context.Context, action, target, detail string, failure error) error
}
