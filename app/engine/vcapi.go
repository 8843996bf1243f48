package engine

import (
	"context"
	"strings"

	"github.com/badge-engine/badge-engine/modules/achievements"
	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
	"github.com/badge-engine/badge-engine/modules/vcapi"
	"github.com/badge-engine/badge-engine/platform/config"
)

// entries gives module vcapi entries of the status lists of module issuance.
type entries struct{ register *statuslist.Register }

var _ vcapi.Statuses = entries{}

// Reserve implements [vcapi.Statuses].
func (e entries) Reserve(ctx context.Context, issuerID string) (vcapi.Place, map[string]any, error) {
	places, err := e.register.Take(ctx, issuerID, 1)
	if err != nil {
		return vcapi.Place{}, nil, err
	}
	named := e.register.Entry(places[0], statuslist.Revocation)
	if named == nil {
		e.register.Return(issuerID, places[0])
		return vcapi.Place{}, nil, nil
	}
	return vcapi.Place{List: places[0].List, Index: places[0].Index}, map[string]any{
		"id": named.ID, "type": named.Type, "statusPurpose": named.StatusPurpose,
		"statusListIndex": named.StatusListIndex, "statusListCredential": named.StatusListCredential,
	}, nil
}

// Revoke implements [vcapi.Statuses].
func (e entries) Revoke(ctx context.Context, credentialID string, at vcapi.Place, reason string) error {
	_, err := e.register.Change(ctx, statuslist.Revoke, credentialID, statuslist.Place{List: at.List, Index: at.Index}, reason)
	return err
}

// awards lets module vcapi revoke what module issuance issued.
type awards struct {
	public  config.PublicURL
	service *issuance.Service
}

var _ vcapi.Awards = awards{}

// RevokeAward implements [vcapi.Awards].
func (a awards) RevokeAward(ctx context.Context, address, reason string) (bool, error) {
	id, ok := strings.CutPrefix(address, a.public.Join("credentials", ""))
	if !ok {
		return false, nil
	}
	_, err := a.service.Change(ctx, statuslist.Revoke, id, reason)
	return true, err
}

// ledgers answer what was issued in an issuer's name in any way.
type ledgers struct {
	awards *issuance.Ledger
	others *vcapi.Store
}

var _ achievements.Ledger = ledgers{}

// Issued implements [achievements.Ledger].
func (l ledgers) Issued(ctx context.Context, issuerID, achievementID string) (bool, error) {
	issued, err := l.awards.Issued(ctx, issuerID, achievementID)
	if issued || err != nil || achievementID != "" {
		return issued, err
	}
	return l.others.Any(ctx, issuerID)
}
