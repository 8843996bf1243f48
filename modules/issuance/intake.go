package issuance

import (
	"context"
	"errors"

	"github.com/badge-engine/badge-engine/platform/database"
)

// errMoved says that an achievement, or its issuer, changed after a credential was
// signed for it.
var errMoved = errors.New("issuance: the achievement changed meanwhile")

// arrival is a signed credential on its way into the database.
type arrival struct {
	credential Credential
	edition    string // of the achievement that it was signed for
}

// settle stores arrivals with their events, in the unit of work that they share, and
// refuses those that cannot be stored for a reason of their own.
func (s *Service) settle(ctx context.Context, several []*database.Share[arrival]) error {
	editions := map[string]string{}
	gone := map[string]error{}
	credentials, targets, by := make([]Credential, 0, len(several)), make([]string, 0, len(several)), make([]context.Context, 0, len(several))
	for _, a := range several {
		c := a.Value.credential
		id := c.AchievementID
		edition, held := editions[id]
		if !held && gone[id] == nil {
			var err error
			if edition, err = s.achievements.Hold(ctx, id); notFound(err) {
				gone[id] = noAchievement()
			} else if err != nil {
				return err
			}
			editions[id] = edition
		}
		switch {
		case gone[id] != nil:
			a.Refuse(gone[id])
		case edition != a.Value.edition:
			a.Refuse(errMoved)
		default:
			credentials, targets, by = append(credentials, c), append(targets, c.ID), append(by, a.Context)
		}
	}
	if len(credentials) == 0 {
		return nil
	}
	if err := s.store.Insert(ctx, credentials); err != nil {
		return err
	}
	if s.audit == nil {
		return nil
	}
	return s.audit.RecordEach(ctx, "issuance.credential.issued", targets, by)
}
