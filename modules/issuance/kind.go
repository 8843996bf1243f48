package issuance

import (
	"context"
	"sync"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
)

// kind is what the credentials of one achievement have in common, as of one edition of
// the achievement and its issuer.
type kind struct {
	edition     string
	issuerID    string
	achievement openbadges.Achievement
	issuer      openbadges.Profile // without an id

	mu       sync.Mutex
	uri      string // of the issuer in the template
	template *credential.Template
}

// maxKinds bounds the memory that achievements take which nobody awards any more.
const maxKinds = 512

// kinds remembers them. Whether one is still current is found out when a credential is
// stored, by its edition.
type kinds struct {
	mu   sync.Mutex
	byID map[string]*kind
}

func (k *kinds) get(achievementID string) *kind {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.byID[achievementID]
}

func (k *kinds) put(achievementID string, found *kind) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byID == nil || len(k.byID) >= maxKinds {
		k.byID = make(map[string]*kind) // what is in use returns at once
	}
	k.byID[achievementID] = found
}

func (k *kinds) forget(achievementID string, stale *kind) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byID[achievementID] == stale {
		delete(k.byID, achievementID)
	}
}

// kind answers what is known of an achievement, or reads it.
func (s *Service) kind(ctx context.Context, achievementID string) (*kind, error) {
	if found := s.kinds.get(achievementID); found != nil {
		return found, nil
	}
	found := &kind{}
	err := s.work.Do(ctx, func(ctx context.Context) (err error) {
		// The edition first: what is read after it may be newer, never older.
		if found.edition, err = s.achievements.Hold(ctx, achievementID); err != nil {
			return err
		}
		found.issuerID, found.achievement, found.issuer, err = s.achievements.Snapshot(ctx, achievementID)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.kinds.put(achievementID, found)
	return found, nil
}

// prepare prepares a credential of the kind. doc has its issuer and its achievement.
func (k *kind) prepare(s *Service, doc *openbadges.AchievementCredential) (*credential.Prepared, error) {
	k.mu.Lock()
	template := k.template
	if k.uri != doc.Issuer.ID {
		template = nil
	}
	k.mu.Unlock()
	if template != nil {
		return template.Prepare(doc)
	}
	template, err := credential.NewTemplate(s.canonical, *doc)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	k.uri, k.template = doc.Issuer.ID, template
	k.mu.Unlock()
	return template.Prepare(doc)
}
