package vcapi

import (
	"context"
	"strings"

	"github.com/badge-engine/badge-engine/platform/database"
)

// Store keeps what was signed, on any engine.
type Store struct{ db *database.DB }

// NewStore makes a store over db.
func NewStore(db *database.DB) *Store { return &Store{db: db} }

// Insert stores one signing; it joins the unit in ctx.
func (s *Store) Insert(ctx context.Context, g Signing) error {
	row := credentialRow{ID: g.ID, IssuerID: g.IssuerID, Cryptosuite: g.Cryptosuite, Digest: g.Digest, Principal: g.Principal, CreatedAt: g.Created, Purposes: strings.Join(g.Purposes, " ")}
	if g.CredentialID != "" {
		row.CredentialID = &g.CredentialID
	}
	if g.At.List != "" {
		row.StatusList, row.StatusIndex = &g.At.List, &g.At.Index
	}
	return s.db.Session(ctx).Create(&row).Error
}

// Signings reads what was signed under an id of a credential, the newest first.
func (s *Store) Signings(ctx context.Context, credentialID string, limit int) ([]Signing, error) {
	var rows []credentialRow
	err := s.db.Session(ctx).Where("credential_id = ?", credentialID).Order("created_at DESC, id DESC").Limit(limit).Find(&rows).Error
	signings := make([]Signing, len(rows))
	for i, r := range rows {
		signings[i] = Signing{ID: r.ID, IssuerID: r.IssuerID, CredentialID: credentialID, Cryptosuite: r.Cryptosuite, Digest: r.Digest, Principal: r.Principal, Created: r.CreatedAt.UTC(), Purposes: strings.Fields(r.Purposes)}
		if r.StatusList != nil && r.StatusIndex != nil {
			signings[i].At = Place{List: *r.StatusList, Index: *r.StatusIndex}
		}
	}
	return signings, err
}

// Any reports whether anything was ever signed for the issuer.
func (s *Store) Any(ctx context.Context, issuerID string) (bool, error) {
	var ids []string
	err := s.db.Session(ctx).Model(&credentialRow{}).Where("issuer_id = ?", issuerID).Limit(1).Pluck("id", &ids).Error
	return len(ids) > 0, err
}
