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
func (e entries) Reserve(ctx context.Context, issuerID string, purposes []string) (vcapi.Place, []any, error) {
	places, err := e.register.Take(ctx, issuerID, 1)
	if err != nil {
		return vcapi.Place{}, nil, err
	}
	var named []any
	for _, purpose := range purposes {
		entry := e.register.Entry(places[0], purpose)
		if entry == nil {
			e.register.Return(issuerID, places[0])
			return vcapi.Place{}, nil, nil
		}
		named = append(named, map[string]any{
			"id": entry.ID, "type": entry.Type, "statusPurpose": entry.StatusPurpose,
			"statusListIndex": entry.StatusListIndex, "statusListCredential": entry.StatusListCredential,
		})
	}
	return vcapi.Place{List: places[0].List, Index: places[0].Index}, named, nil
}

// acts are what module issuance calls what module vcapi does.
var acts = map[vcapi.Act]statuslist.Act{vcapi.Revoke: statuslist.Revoke, vcapi.Suspend: statuslist.Suspend, vcapi.Resume: statuslist.Resume}

// Change implements [vcapi.Statuses].
func (e entries) Change(ctx context.Context, act vcapi.Act, credentialID string, at vcapi.Place, reason string) (bool, error) {
	deed, err := e.register.Change(ctx, acts[act], credentialID, statuslist.Place{List: at.List, Index: at.Index}, reason)
	return deed.Changed > 0, err
}

// awards lets module vcapi change the status of what module issuance issued.
type awards struct {
	public  config.PublicURL
	service *issuance.Service
}

var _ vcapi.Awards = awards{}

// ChangeAward implements [vcapi.Awards].
func (a awards) ChangeAward(ctx context.Context, act vcapi.Act, address, reason string) (bool, error) {
	id, ok := strings.CutPrefix(address, a.public.Join("credentials", ""))
	if !ok {
		return false, nil
	}
	_, err := a.service.Change(ctx, acts[act], id, reason)
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
