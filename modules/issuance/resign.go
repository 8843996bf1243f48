package issuance

import (
	"context"
	"errors"

	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/platform/fault"
)

// How many credentials are issued again at a time.
const (
	usualResigned = 100
	mostResigned  = 500
)

// Resigned is what came of issuing again some of what a key signed.
type Resigned struct {
	Changed int
	Failed  []NotResigned
	Next    string // where to go on; empty at the end
}

// NotResigned is a credential that could not be issued again.
type NotResigned struct {
	ID     string
	Reason *fault.Fault
}

// SurveyResign counts what [Service.Resign] would issue again from the beginning, and what
// it would leave because it is revoked. It answers with [ErrIssuerUnknown] or
// [ErrKeyNotFound].
func (s *Service) SurveyResign(ctx context.Context, issuerID, keyID string) (again, revoked int64, err error) {
	key, err := s.keyring.Key(ctx, issuerID, keyID)
	if err != nil {
		return 0, 0, err
	}
	signed, revoked, err := s.store.CountSignedBy(ctx, key)
	return signed - revoked, revoked, err
}

// Resign issues again what a key signed, some credentials at a time: the same
// identifier, recipient, words and date of the award, signed by the keys of today. It
// is for a key that was revoked, or will be. It may be repeated from the beginning at
// any time, since what was done is no longer signed by the key.
//
// It answers with [ErrIssuerUnknown], [ErrKeyNotFound], [ErrNoKey] or [ErrKeyState],
// the last for a key that still signs, so that it would sign again.
func (s *Service) Resign(ctx context.Context, issuerID, keyID, after string, limit int) (Resigned, error) {
	key, err := s.keyring.Key(ctx, issuerID, keyID)
	if err != nil {
		return Resigned{}, err
	}
	if key.State() == Active {
		return Resigned{}, ErrKeyState.Detailf("It signs: rotate, retire or revoke it first.")
	}
	if after != "" {
		if after, err = known(after, ErrFilter.Detailf("Give as after what next was.")); err != nil {
			return Resigned{}, err
		}
	}
	switch {
	case limit == 0:
		limit = usualResigned
	case limit < 0 || limit > mostResigned:
		return Resigned{}, ErrFilter.Detailf("Between 1 and %d are issued again at a time.", mostResigned)
	}
	ids, err := s.store.SignedBy(ctx, key, after, limit)
	if err != nil {
		return Resigned{}, err
	}
	var out Resigned
	for _, id := range ids {
		_, err := s.revise(ctx, id, AnyVersion, "issuance.credential.resigned", func(before openbadges.AchievementCredential) (revision, error) {
			return revision{award: awardOf(before)}, nil
		})
		f, known := fault.From(err)
		switch {
		case err == nil:
			out.Changed++
		case errors.Is(err, ErrNoKey):
			return Resigned{}, err
		case known && f.Kind() != fault.Unavailable && f.Kind() != fault.Internal:
			out.Failed = append(out.Failed, NotResigned{ID: id, Reason: f})
		default:
			return Resigned{}, err
		}
	}
	if len(ids) == limit {
		out.Next = ids[len(ids)-1]
	}
	return out, nil
}
