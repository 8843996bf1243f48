package auth

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/badge-engine/badge-engine/platform/database"
)

var (
	_ Tokens = (*Store)(nil)
	_ Touch  = (*Store)(nil)

	_ ClientRecords = (*ClientStore)(nil)
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
	if err := s.db.Reader(ctx).Where("client_id IS NULL").Order("created_at DESC, id DESC").Find(&rows).Error; err != nil {
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

// ClientStore keeps OAuth clients and the tokens they were granted, on any engine.
type ClientStore struct{ db *database.DB }

// NewClientStore makes a store over db.
func NewClientStore(db *database.DB) *ClientStore { return &ClientStore{db: db} }

// Insert implements [ClientRecords].
func (s *ClientStore) Insert(ctx context.Context, c Client) error {
	row := toClientRow(c)
	if err := s.db.Session(ctx).Create(&row).Error; err != nil {
		return err
	}
	for _, secret := range c.Secrets {
		if err := s.AddSecret(ctx, c.ID, secret); err != nil {
			return err
		}
	}
	return nil
}

// Find implements [ClientRecords].
func (s *ClientStore) Find(ctx context.Context, id string) (Client, error) {
	return s.find(s.db.Reader(ctx), s.db.Reader(ctx), id)
}

// Lock implements [ClientRecords].
func (s *ClientStore) Lock(ctx context.Context, id string) (Client, error) {
	// SQLite knows no row locks and needs none: one unit writes at a time.
	return s.find(s.db.Session(ctx).Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}), s.db.Session(ctx), id)
}

func (s *ClientStore) find(clients, secrets *gorm.DB, id string) (Client, error) {
	var row clientRow
	err := clients.Where("id = ?", id).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Client{}, ErrClientNotFound
	}
	if err != nil {
		return Client{}, err
	}
	var rows []clientSecretRow
	err = secrets.Where("client_id = ?", id).Order("created_at DESC, id DESC").Find(&rows).Error
	return row.client(rows), err
}

// List implements [ClientRecords].
func (s *ClientStore) List(ctx context.Context) ([]Client, error) {
	var rows []clientRow
	if err := s.db.Reader(ctx).Order("created_at DESC, id DESC").Find(&rows).Error; err != nil {
		return nil, err
	}
	var secrets []clientSecretRow
	if err := s.db.Reader(ctx).Order("created_at DESC, id DESC").Find(&secrets).Error; err != nil {
		return nil, err
	}
	of := map[string][]clientSecretRow{}
	for _, secret := range secrets {
		of[secret.ClientID] = append(of[secret.ClientID], secret)
	}
	clients := make([]Client, len(rows))
	for i, row := range rows {
		clients[i] = row.client(of[row.ID])
	}
	return clients, nil
}

// AddSecret implements [ClientRecords].
func (s *ClientStore) AddSecret(ctx context.Context, client string, secret ClientSecret) error {
	row := toSecretRow(client, secret)
	return s.db.Session(ctx).Create(&row).Error
}

// RevokeSecret implements [ClientRecords].
func (s *ClientStore) RevokeSecret(ctx context.Context, client, secret string, at time.Time) ([]string, error) {
	err := s.db.Session(ctx).Model(&clientSecretRow{}).Where("id = ? AND client_id = ? AND revoked_at IS NULL", secret, client).Update("revoked_at", at).Error
	if err != nil {
		return nil, err
	}
	return s.revoke(ctx, at, "client_id = ? AND secret_id = ?", client, secret)
}

// Disable implements [ClientRecords].
func (s *ClientStore) Disable(ctx context.Context, client string, at time.Time) ([]string, error) {
	err := s.db.Session(ctx).Model(&clientRow{}).Where("id = ? AND disabled_at IS NULL", client).Update("disabled_at", at).Error
	if err != nil {
		return nil, err
	}
	return s.revoke(ctx, at, "client_id = ?", client)
}

// revoke revokes the live tokens that a condition finds and answers their ids.
func (s *ClientStore) revoke(ctx context.Context, at time.Time, condition string, args ...any) ([]string, error) {
	live := func() *gorm.DB {
		return s.db.Session(ctx).Model(&tokenRow{}).Where(condition, args...).Where("revoked_at IS NULL AND expires_at > ?", at)
	}
	var ids []string
	if err := live().Pluck("id", &ids).Error; err != nil || len(ids) == 0 {
		return nil, err
	}
	return ids, live().Update("revoked_at", at).Error
}

// Grant implements [ClientRecords].
func (s *ClientStore) Grant(ctx context.Context, t Token) error {
	row := toRow(t)
	if err := s.db.Session(ctx).Create(&row).Error; err != nil {
		return err
	}
	if t.Secret != "" {
		if err := s.db.Session(ctx).Model(&clientSecretRow{}).Where("id = ?", t.Secret).Update("last_used_at", t.Created).Error; err != nil {
			return err
		}
	}
	return s.db.Session(ctx).Model(&clientRow{}).Where("id = ?", t.Client).Update("last_used_at", t.Created).Error
}

// Sweep implements [ClientRecords].
func (s *ClientStore) Sweep(ctx context.Context, before time.Time) error {
	return s.db.Session(ctx).Where("client_id IS NOT NULL AND expires_at < ?", before).Delete(&tokenRow{}).Error
}

var _ Shutouts = (*ShutoutStore)(nil)

// ShutoutStore keeps who is shut out on any engine.
type ShutoutStore struct{ db *database.DB }

// NewShutoutStore makes a store over db.
func NewShutoutStore(db *database.DB) *ShutoutStore { return &ShutoutStore{db: db} }

// Shut implements [Shutouts].
func (s *ShutoutStore) Shut(ctx context.Context, tenantID, objectID string) (bool, error) {
	var rows []shutoutRow
	err := s.db.Session(ctx).Where("tenant_id = ? AND object_id = ?", tenantID, objectID).Limit(1).Find(&rows).Error
	return len(rows) == 1 && !rows[0].Active, err
}

// Mark implements [Shutouts]. The sequence is counted in a row of its own, whose
// lock lasts until the commit: no greater number is ever visible before a smaller one.
func (s *ShutoutStore) Mark(ctx context.Context, c Shutout) error {
	session := s.db.Session(ctx)
	if err := session.Exec("UPDATE auth_shutout_sequence SET value = value + 1 WHERE id = 1").Error; err != nil {
		return err
	}
	return session.Exec(`INSERT INTO auth_shutouts (tenant_id, object_id, active, at, sequence)
		VALUES (?, ?, ?, ?, (SELECT value FROM auth_shutout_sequence WHERE id = 1))
		ON CONFLICT (tenant_id, object_id) DO UPDATE SET active = excluded.active, sequence = excluded.sequence,
		at = CASE WHEN excluded.active THEN auth_shutouts.at ELSE excluded.at END`, c.TenantID, c.ObjectID, c.Active, c.At).Error
}

var _ Eras = (*ShutoutStore)(nil)

// Era implements [Eras].
func (s *ShutoutStore) Era(ctx context.Context) (era int64, err error) {
	err = s.db.Reader(ctx).Raw("SELECT value FROM auth_role_era WHERE id = 1").Scan(&era).Error
	return era, err
}

// Advance implements [Eras].
func (s *ShutoutStore) Advance(ctx context.Context) error {
	return s.db.Session(ctx).Exec("UPDATE auth_role_era SET value = value + 1 WHERE id = 1").Error
}

// Since implements [Shutouts].
func (s *ShutoutStore) Since(ctx context.Context, sequence int64, limit int) ([]Shutout, error) {
	var rows []shutoutRow
	if err := s.db.Reader(ctx).Where("sequence > ?", sequence).Order("sequence").Limit(limit).Find(&rows).Error; err != nil {
		return nil, err
	}
	changes := make([]Shutout, len(rows))
	for i, r := range rows {
		changes[i] = Shutout{r.TenantID, r.ObjectID, r.Active, r.At.UTC(), r.Sequence}
	}
	return changes, nil
}
