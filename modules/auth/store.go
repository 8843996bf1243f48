package auth

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/badge-engine/badge-engine/platform/database"
)

var (
	_ Tokens = (*Store)(nil)
	_ Touch  = (*Store)(nil)
)

// Store keeps tokens on any engine.
type Store struct{ db *database.DB }

// NewStore makes a store over db.
func NewStore(db *database.DB) *Store { return &Store{db: db} }

// Insert implements [Tokens].
func (s *Store) Insert(ctx context.Context, t Token) error {
	row := toRow(t)
	return s.db.Session(ctx).Create(&row).Error
}

// Find implements [Tokens].
func (s *Store) Find(ctx context.Context, id string) (Token, error) {
	var row tokenRow
	err := s.db.Reader(ctx).Where("id = ?", id).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Token{}, ErrNotFound
	}
	return row.token(), err
}

// List implements [Tokens].
func (s *Store) List(ctx context.Context) ([]Token, error) {
	var rows []tokenRow
	if err := s.db.Reader(ctx).Order("created_at DESC, id DESC").Find(&rows).Error; err != nil {
		return nil, err
	}
	tokens := make([]Token, len(rows))
	for i, row := range rows {
		tokens[i] = row.token()
	}
	return tokens, nil
}

// Revoke implements [Tokens].
func (s *Store) Revoke(ctx context.Context, id string, at time.Time) error {
	return s.db.Session(ctx).Model(&tokenRow{}).Where("id = ? AND revoked_at IS NULL", id).Update("revoked_at", at).Error
}

// Touch implements the port of the same name.
func (s *Store) Touch(ctx context.Context, id string, at time.Time) error {
	return s.db.Session(ctx).Model(&tokenRow{}).Where("id = ? AND (last_used_at IS NULL OR last_used_at < ?)", id, at).Update("last_used_at", at).Error
}
