package achievements

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/paging"
)

// Store keeps issuer profiles, achievements and images on any engine.
type Store struct{ db *database.DB }

// NewStore makes a store over db.
func NewStore(db *database.DB) *Store { return &Store{db: db} }

// The locks of PostgreSQL; on SQLite, where one unit writes at a time, they are left out.
var (
	forUpdate   = clause.Locking{Strength: clause.LockingStrengthUpdate}
	forKeyShare = clause.Locking{Strength: "KEY SHARE"}
)

func optional(id string) *string {
	if id == "" {
		return nil
	}
	return &id
}

func value(id *string) string {
	if id == nil {
		return ""
	}
	return *id
}

// dangling turns a reference to what is not there, or no more, into a refusal. The
// service looks first; this is for what is deleted at the same moment.
func dangling(err error) error {
	if errors.Is(err, gorm.ErrForeignKeyViolated) {
		return ErrInvalid.With(err).Detailf("The issuer profile or the image that it names does not exist, or was just deleted.")
	}
	return err
}

func toIssuerRow(i Issuer) (issuerRow, error) {
	profile, err := json.Marshal(i.Profile)
	if err != nil {
		return issuerRow{}, fmt.Errorf("achievements: encode profile: %w", err)
	}
	return issuerRow{
		ID: i.ID, Name: i.Profile.Name, Profile: string(profile), ImageID: optional(i.ImageID),
		Version: i.Version, CreatedAt: i.Created, UpdatedAt: i.Updated,
	}, nil
}

func (r issuerRow) issuer() (Issuer, error) {
	i := Issuer{ID: r.ID, ImageID: value(r.ImageID), Version: r.Version, Created: r.CreatedAt.UTC(), Updated: r.UpdatedAt.UTC()}
	if err := json.Unmarshal([]byte(r.Profile), &i.Profile); err != nil {
		return Issuer{}, fmt.Errorf("achievements: decode profile %s: %w", r.ID, err)
	}
	return i, nil
}

// InsertIssuer stores a new profile; it answers [ErrInvalid] if its image is not there.
func (s *Store) InsertIssuer(ctx context.Context, i Issuer) error {
	row, err := toIssuerRow(i)
	if err != nil {
		return err
	}
	return dangling(s.db.Session(ctx).Create(&row).Error)
}

// Issuer reads one profile or answers [ErrIssuerNotFound].
func (s *Store) Issuer(ctx context.Context, id string) (Issuer, error) {
	return takeIssuer(s.db.Reader(ctx), id)
}

// LockIssuer reads one profile like [Store.Issuer], and keeps others from changing
// it until the unit in ctx ends.
func (s *Store) LockIssuer(ctx context.Context, id string) (Issuer, error) {
	return takeIssuer(s.db.Session(ctx).Clauses(forUpdate), id)
}

func takeIssuer(tx *gorm.DB, id string) (Issuer, error) {
	var row issuerRow
	if err := tx.Take(&row, "id = ?", id).Error; err != nil {
		return Issuer{}, database.One(err, ErrIssuerNotFound)
	}
	return row.issuer()
}

// UpdateIssuer stores the next version; it answers [ErrVersion] if the stored one
// is not its predecessor, [ErrInvalid] if its image is not there.
func (s *Store) UpdateIssuer(ctx context.Context, i Issuer) error {
	row, err := toIssuerRow(i)
	if err != nil {
		return err
	}
	return dangling(database.Changed(s.db.Session(ctx).Model(&issuerRow{}).Where("id = ? AND version = ?", i.ID, i.Version-1).
		Updates(map[string]any{"name": row.Name, "profile": row.Profile, "image_id": row.ImageID, "version": row.Version, "updated_at": row.UpdatedAt}), ErrVersion))
}

// DeleteIssuer removes a profile; it answers [ErrIssuerNotFound], or [ErrInUse]
// while achievements name it.
func (s *Store) DeleteIssuer(ctx context.Context, id string) error {
	err := database.Changed(s.db.Session(ctx).Delete(&issuerRow{}, "id = ?", id), ErrIssuerNotFound)
	if errors.Is(err, gorm.ErrForeignKeyViolated) {
		return ErrInUse.Detailf("The issuer profile still has achievements. Delete those first.").With(err)
	}
	return err
}

// position reads the sort column of a row for a cursor.
func position(sort, name, id string, created time.Time) paging.Position {
	if sort == "name" {
		return paging.Position{Value: name, ID: id}
	}
	return paging.Position{Value: created.UTC().Format(time.RFC3339Nano), ID: id}
}

// slice adds order, place and length of a page to a query.
func slice(tx *gorm.DB, q paging.Query, filters ...string) (*gorm.DB, error) {
	after, further, err := q.After(filters...)
	if err != nil {
		return nil, err
	}
	column, bound := "created_at", any(after.Value)
	if q.Sort == "name" {
		column = "name"
	}
	if further { // anybody can make a cursor: it must not reach the engine unread
		_, err := uuid.Parse(after.ID)
		if err == nil {
			err = searchable("cursor", after.Value)
		}
		if err == nil && column == "created_at" {
			bound, err = time.Parse(time.RFC3339, after.Value)
		}
		if err != nil {
			return nil, paging.ErrCursor.With(err)
		}
	}
	return database.Keyset(tx, column, q.Descending, bound, after.ID, q.Limit+1), nil
}

// beginning narrows to rows whose name begins so. LIKE would have to be told apart
// from its own signs, and minds case on one engine and not on the other.
func beginning(tx *gorm.DB, text string) *gorm.DB {
	if text == "" {
		return tx
	}
	return tx.Where("substr(name, 1, ?) = ?", utf8.RuneCountInString(text), text)
}

// Issuers reads a page of profiles.
func (s *Store) Issuers(ctx context.Context, f IssuerFilter, q paging.Query) (paging.Page[Issuer], error) {
	tx, err := slice(beginning(s.db.Reader(ctx), f.Name), q, f.Name)
	if err != nil {
		return paging.Page[Issuer]{}, err
	}
	var rows []issuerRow
	if err := tx.Find(&rows).Error; err != nil {
		return paging.Page[Issuer]{}, err
	}
	cut := paging.Cut(q, rows, func(r issuerRow) paging.Position { return position(q.Sort, r.Name, r.ID, r.CreatedAt) }, f.Name)
	return convert(cut, issuerRow.issuer)
}

func convert[R, T any](p paging.Page[R], one func(R) (T, error)) (paging.Page[T], error) {
	items := make([]T, len(p.Items))
	for i, row := range p.Items {
		item, err := one(row)
		if err != nil {
			return paging.Page[T]{}, err
		}
		items[i] = item
	}
	return paging.Page[T]{Items: items, Next: p.Next}, nil
}

func toAchievementRow(a Achievement) (achievementRow, error) {
	details, err := json.Marshal(a.Details)
	if err != nil {
		return achievementRow{}, fmt.Errorf("achievements: encode achievement: %w", err)
	}
	return achievementRow{
		ID: a.ID, CreatorID: a.IssuerID, Name: a.Details.Name, AchievementType: a.Details.AchievementType,
		Details: string(details), ImageID: optional(a.ImageID), Version: a.Version, CreatedAt: a.Created, UpdatedAt: a.Updated,
	}, nil
}

func (r achievementRow) achievement() (Achievement, error) {
	a := Achievement{ID: r.ID, IssuerID: r.CreatorID, ImageID: value(r.ImageID), Version: r.Version, Created: r.CreatedAt.UTC(), Updated: r.UpdatedAt.UTC()}
	if err := json.Unmarshal([]byte(r.Details), &a.Details); err != nil {
		return Achievement{}, fmt.Errorf("achievements: decode achievement %s: %w", r.ID, err)
	}
	return a, nil
}

// InsertAchievement stores a new achievement; it answers [ErrInvalid] if its issuer
// or its image is not there.
func (s *Store) InsertAchievement(ctx context.Context, a Achievement) error {
	row, err := toAchievementRow(a)
	if err != nil {
		return err
	}
	return dangling(s.db.Session(ctx).Create(&row).Error)
}

// Achievement reads one achievement or answers [ErrAchievementNotFound].
func (s *Store) Achievement(ctx context.Context, id string) (Achievement, error) {
	return takeAchievement(s.db.Reader(ctx), id)
}

// LockAchievement reads one achievement like [Store.Achievement], and keeps others
// from changing and from holding it until the unit in ctx ends.
func (s *Store) LockAchievement(ctx context.Context, id string) (Achievement, error) {
	return takeAchievement(s.db.Session(ctx).Clauses(forUpdate), id)
}

func takeAchievement(tx *gorm.DB, id string) (Achievement, error) {
	var row achievementRow
	if err := tx.Take(&row, "id = ?", id).Error; err != nil {
		return Achievement{}, database.One(err, ErrAchievementNotFound)
	}
	return row.achievement()
}

// HoldAchievement keeps an achievement from being deleted until the unit in ctx
// ends, and tells its version and its issuer's, or answers [ErrAchievementNotFound].
// Any number of units may hold it.
func (s *Store) HoldAchievement(ctx context.Context, id string) (version, issuerVersion int64, err error) {
	var held struct{ Version, IssuerVersion int64 }
	err = s.db.Session(ctx).Model(&achievementRow{}).Clauses(clause.Locking{Strength: forKeyShare.Strength, Table: clause.Table{Name: "achievements"}}).
		Select("achievements.version, achievements_issuers.version AS issuer_version").
		Joins("JOIN achievements_issuers ON achievements_issuers.id = achievements.creator_id").
		Where("achievements.id = ?", id).Take(&held).Error
	return held.Version, held.IssuerVersion, database.One(err, ErrAchievementNotFound)
}

// UpdateAchievement stores the next version; it answers [ErrVersion] if the stored
// one is not its predecessor, [ErrInvalid] if its image is not there.
func (s *Store) UpdateAchievement(ctx context.Context, a Achievement) error {
	row, err := toAchievementRow(a)
	if err != nil {
		return err
	}
	return dangling(database.Changed(s.db.Session(ctx).Model(&achievementRow{}).Where("id = ? AND version = ?", a.ID, a.Version-1).
		Updates(map[string]any{
			"name": row.Name, "achievement_type": row.AchievementType, "details": row.Details,
			"image_id": row.ImageID, "version": row.Version, "updated_at": row.UpdatedAt,
		}), ErrVersion))
}

// DeleteAchievement removes an achievement or answers [ErrAchievementNotFound].
func (s *Store) DeleteAchievement(ctx context.Context, id string) error {
	return database.Changed(s.db.Session(ctx).Delete(&achievementRow{}, "id = ?", id), ErrAchievementNotFound)
}

// Achievements reads a page of achievements.
func (s *Store) Achievements(ctx context.Context, f AchievementFilter, q paging.Query) (paging.Page[Achievement], error) {
	filters := []string{f.IssuerID, f.Name, f.AchievementType}
	tx := beginning(s.db.Reader(ctx), f.Name)
	if f.IssuerID != "" {
		tx = tx.Where("creator_id = ?", f.IssuerID)
	}
	if f.AchievementType != "" {
		tx = tx.Where("achievement_type = ?", f.AchievementType)
	}
	tx, err := slice(tx, q, filters...)
	if err != nil {
		return paging.Page[Achievement]{}, err
	}
	var rows []achievementRow
	if err := tx.Find(&rows).Error; err != nil {
		return paging.Page[Achievement]{}, err
	}
	cut := paging.Cut(q, rows, func(r achievementRow) paging.Position { return position(q.Sort, r.Name, r.ID, r.CreatedAt) }, filters...)
	return convert(cut, achievementRow.achievement)
}

// InsertImage stores a new image without renditions.
func (s *Store) InsertImage(ctx context.Context, i Image) error {
	return s.db.Session(ctx).Create(&imageRow{ID: i.ID, CreatedAt: i.Created, UpdatedAt: i.Updated}).Error
}

// TouchImage notes a change or answers [ErrImageNotFound].
func (s *Store) TouchImage(ctx context.Context, id string, at time.Time) error {
	return database.Changed(s.db.Session(ctx).Model(&imageRow{}).Where("id = ?", id).Update("updated_at", at), ErrImageNotFound)
}

// PutRendition adds the rendition or replaces the one of the same format; it
// answers [ErrImageNotFound] if there is no such image.
func (s *Store) PutRendition(ctx context.Context, imageID string, r Rendition, content []byte) error {
	row := renditionRow{
		ImageID: imageID, Format: string(r.Format), MediaType: r.MediaType,
		Width: int64(r.Width), Height: int64(r.Height), Size: int64(r.Size), SHA256: r.SHA256, Content: content,
	}
	err := s.db.Session(ctx).Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "image_id"}, {Name: "format"}}, UpdateAll: true,
	}).Create(&row).Error
	if errors.Is(err, gorm.ErrForeignKeyViolated) {
		return ErrImageNotFound.With(err)
	}
	return err
}

func (r renditionRow) rendition() Rendition {
	return Rendition{
		Format: image.Format(r.Format), MediaType: r.MediaType, Width: int(r.Width), Height: int(r.Height),
		Size: int(r.Size), SHA256: r.SHA256,
	}
}

// Image reads the description of an image or answers [ErrImageNotFound].
func (s *Store) Image(ctx context.Context, id string) (Image, error) {
	var row imageRow
	if err := s.db.Reader(ctx).Take(&row, "id = ?", id).Error; err != nil {
		return Image{}, database.One(err, ErrImageNotFound)
	}
	var rows []renditionRow
	if err := s.db.Reader(ctx).Omit("content").Order("format").Find(&rows, "image_id = ?", id).Error; err != nil {
		return Image{}, err
	}
	img := Image{ID: row.ID, Created: row.CreatedAt.UTC(), Updated: row.UpdatedAt.UTC()}
	for _, r := range rows {
		img.Renditions = append(img.Renditions, r.rendition())
	}
	return img, nil
}

// Content reads the bytes of one rendition; an empty format means the first there
// is. It answers [ErrImageNotFound] or [ErrRenditionNotFound].
func (s *Store) Content(ctx context.Context, id string, format image.Format) (Rendition, []byte, error) {
	tx := s.db.Reader(ctx).Where("image_id = ?", id).Order("format").Limit(1)
	if format != "" {
		tx = tx.Where("format = ?", string(format))
	}
	var rows []renditionRow
	if err := tx.Find(&rows).Error; err != nil {
		return Rendition{}, nil, err
	}
	if len(rows) == 0 {
		if _, err := s.Image(ctx, id); err != nil {
			return Rendition{}, nil, err
		}
		return Rendition{}, nil, ErrRenditionNotFound
	}
	return rows[0].rendition(), rows[0].Content, nil
}

// DeleteImage removes an image; it answers [ErrImageNotFound], or [ErrInUse] while
// a profile or an achievement shows it.
func (s *Store) DeleteImage(ctx context.Context, id string) error {
	err := database.Changed(s.db.Session(ctx).Delete(&imageRow{}, "id = ?", id), ErrImageNotFound)
	if errors.Is(err, gorm.ErrForeignKeyViolated) {
		return ErrInUse.Detailf("An issuer profile or an achievement shows the image. Give it another one first.").With(err)
	}
	return err
}
