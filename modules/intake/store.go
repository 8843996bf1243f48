package intake

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/badge-engine/badge-engine/platform/database"
)

// errThere says that somebody else stored the same meanwhile.
var errThere = errors.New("intake: it is there already")

// Store keeps what became of what, on any engine.
type Store struct{ db *database.DB }

// NewStore makes a store over db.
func NewStore(db *database.DB) *Store { return &Store{db: db} }

// Class reads which achievement stands for a class of elsewhere.
func (s *Store) Class(ctx context.Context, key string) (achievementID string, found bool, err error) {
	var rows []classRow
	err = s.db.Session(ctx).Where("source_key = ?", key).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return "", false, err
	}
	return rows[0].AchievementID, true, nil
}

// InsertClass stores it, or answers errThere; it joins the unit in ctx.
func (s *Store) InsertClass(ctx context.Context, key string, b Badge, achievementID string) error {
	return there(s.db.Session(ctx).Create(&classRow{SourceKey: key, IssuerID: b.IssuerID, SourceID: b.SourceID, AchievementID: achievementID, CreatedAt: b.Created}).Error)
}

// DeleteClass forgets a class whose achievement is gone; it joins the unit in ctx.
func (s *Store) DeleteClass(ctx context.Context, key, achievementID string) error {
	return s.db.Session(ctx).Where("source_key = ? AND achievement_id = ?", key, achievementID).Delete(&classRow{}).Error
}

// Badge reads what became of a badge.
func (s *Store) Badge(ctx context.Context, key string) (b Badge, found bool, err error) {
	var rows []badgeRow
	err = s.db.Session(ctx).Where("source_key = ?", key).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return Badge{}, false, err
	}
	r := rows[0]
	b = Badge{Key: r.SourceKey, IssuerID: r.IssuerID, SourceID: r.SourceID, Principal: r.Principal, Created: r.CreatedAt.UTC()}
	if r.CredentialID != nil {
		b.CredentialID = *r.CredentialID
	}
	return b, true, nil
}

// Begin stores that a badge is being taken over, or answers errThere.
func (s *Store) Begin(ctx context.Context, b Badge) error {
	return there(s.db.Session(ctx).Create(&badgeRow{SourceKey: b.Key, IssuerID: b.IssuerID, SourceID: b.SourceID, Principal: b.Principal, CreatedAt: b.Created}).Error)
}

// Drop forgets a badge that was begun and came to nothing.
func (s *Store) Drop(ctx context.Context, key string) error {
	return s.db.Session(ctx).Where("source_key = ? AND credential_id IS NULL", key).Delete(&badgeRow{}).Error
}

// Complete stores which credential was issued, and reports whether nobody did before; it
// joins the unit in ctx.
func (s *Store) Complete(ctx context.Context, key, credentialID string) (bool, error) {
	tx := s.db.Session(ctx).Model(&badgeRow{}).Where("source_key = ? AND credential_id IS NULL", key).Update("credential_id", credentialID)
	return tx.RowsAffected > 0, tx.Error
}

func there(err error) error {
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return errThere
	}
	return err
}
