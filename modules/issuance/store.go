package issuance

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/paging"
)

// errRepeated says that the idempotency key is taken.
var errRepeated = errors.New("issuance: idempotency key is taken")

// Store keeps keys and credentials on any engine.
type Store struct{ db *database.DB }

// NewStore makes a store over db.
func NewStore(db *database.DB) *Store { return &Store{db: db} }

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func value(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// InsertKey stores a new key.
func (s *Store) InsertKey(ctx context.Context, key Key, sealed []byte) error {
	public, err := encodePublic(key.Public)
	if err != nil {
		return err
	}
	return s.db.Session(ctx).Create(&keyRow{
		ID: key.ID, IssuerID: key.IssuerID, Algorithm: string(key.Kind), Multikey: public, Sealed: sealed, CreatedAt: key.Created,
		Purposes: strings.Join(key.Purposes, " "), Provider: key.Provider,
	}).Error
}

// RetireKey makes an active key sign no more, or answers [ErrKeyState].
func (s *Store) RetireKey(ctx context.Context, id string, at time.Time) error {
	return database.Changed(s.db.Session(ctx).Model(&keyRow{}).Where("id = ? AND retired_at IS NULL AND revoked_at IS NULL", id).
		Update("retired_at", at), ErrKeyState.Detailf("Only an active key can be retired."))
}

// RevokeKey makes all that a key signed worthless, or answers [ErrKeyState].
func (s *Store) RevokeKey(ctx context.Context, id string, at time.Time, reason string) error {
	return database.Changed(s.db.Session(ctx).Model(&keyRow{}).Where("id = ? AND revoked_at IS NULL", id).
		Updates(map[string]any{"revoked_at": at, "reason": optional(reason)}), ErrKeyState.Detailf("It is revoked already."))
}

// DeleteKeys forgets all keys of an issuer.
func (s *Store) DeleteKeys(ctx context.Context, issuerID string) error {
	return s.db.Session(ctx).Delete(&keyRow{}, "issuer_id = ?", issuerID).Error
}

func (r keyRow) key() (Key, error) {
	public, err := decodePublic(r.Multikey)
	if err != nil {
		return Key{}, fmt.Errorf("issuance: key %s: %w", r.ID, err)
	}
	key := Key{
		ID: r.ID, IssuerID: r.IssuerID, Kind: kindOf(public), Public: public, Purposes: strings.Fields(r.Purposes), Provider: r.Provider,
		Created: r.CreatedAt.UTC(), Reason: value(r.Reason),
	}
	if key.Kind != KindRSA {
		key.Multikey = r.Multikey
	}
	for from, to := range map[*time.Time]**time.Time{r.RetiredAt: &key.Retired, r.RevokedAt: &key.Revoked} {
		if from != nil {
			at := from.UTC()
			*to = &at
		}
	}
	return key, nil
}

// ActiveKeys reads the keys of the issuer that sign, the newest first, with what seals
// their private sides. It answers [ErrIssuerUnknown] for an issuer that never had one.
func (s *Store) ActiveKeys(ctx context.Context, issuerID string) ([]Key, [][]byte, error) {
	var rows []keyRow
	err := s.db.Reader(ctx).Where("issuer_id = ? AND retired_at IS NULL AND revoked_at IS NULL", issuerID).Order("created_at DESC, id DESC").Find(&rows).Error
	if err != nil {
		return nil, nil, err
	}
	if len(rows) == 0 {
		_, err := s.Keys(ctx, issuerID)
		return nil, nil, err
	}
	keys, sealed := make([]Key, len(rows)), make([][]byte, len(rows))
	for i, row := range rows {
		if keys[i], err = row.key(); err != nil {
			return nil, nil, err
		}
		sealed[i] = row.Sealed
	}
	return keys, sealed, nil
}

// Keys reads all keys of the issuer, those that sign first and the newest before the
// older, or answers [ErrIssuerUnknown].
func (s *Store) Keys(ctx context.Context, issuerID string) ([]Key, error) {
	var rows []keyRow
	err := s.db.Reader(ctx).Omit("sealed").Where("issuer_id = ?", issuerID).
		Order("CASE WHEN retired_at IS NULL AND revoked_at IS NULL THEN 0 ELSE 1 END, created_at DESC, id DESC").Find(&rows).Error
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, ErrIssuerUnknown
	}
	keys := make([]Key, len(rows))
	for i, row := range rows {
		if keys[i], err = row.key(); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// IssuerOf tells whose key a Multikey is, or answers [ErrIssuerUnknown].
func (s *Store) IssuerOf(ctx context.Context, multikey string) (string, error) {
	var ids []string
	if err := s.db.Reader(ctx).Model(&keyRow{}).Where("multikey = ?", multikey).Limit(1).Pluck("issuer_id", &ids).Error; err != nil {
		return "", err
	}
	if len(ids) == 0 {
		return "", ErrIssuerUnknown
	}
	return ids[0], nil
}

// PublishedKeys reads keys of all issuers that are not revoked, the newest first.
func (s *Store) PublishedKeys(ctx context.Context, limit int) ([]Key, error) {
	var rows []keyRow
	if err := s.db.Reader(ctx).Omit("sealed").Where("revoked_at IS NULL").Order("id DESC").Limit(limit).Find(&rows).Error; err != nil {
		return nil, err
	}
	keys := make([]Key, len(rows))
	for i, row := range rows {
		var err error
		if keys[i], err = row.key(); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// Key reads a key of any issuer.
func (s *Store) Key(ctx context.Context, id string) (key Key, found bool, err error) {
	if id, err = known(id, ErrKeyNotFound); err != nil {
		return Key{}, false, nil
	}
	var rows []keyRow
	if err := s.db.Reader(ctx).Omit("sealed").Where("id = ?", id).Limit(1).Find(&rows).Error; err != nil || len(rows) == 0 {
		return Key{}, false, err
	}
	key, err = rows[0].key()
	return key, true, err
}

// SignedBy reads the ids of issued credentials whose current version a key of their
// issuer signed, in order.
func (s *Store) SignedBy(ctx context.Context, key Key, after string, limit int) (ids []string, err error) {
	tx := s.db.Session(ctx).Model(&credentialRow{}).Where("issuer_id = ? AND state = ? AND key_ids LIKE ?", key.IssuerID, string(Issued), "%"+key.ID+"%")
	if after != "" {
		tx = tx.Where("id > ?", after)
	}
	err = tx.Order("id").Limit(limit).Pluck("id", &ids).Error
	return ids, err
}

// CountSignedBy counts what [Store.SignedBy] reads, and of it what is revoked.
func (s *Store) CountSignedBy(ctx context.Context, key Key) (signed, revoked int64, err error) {
	tx := func() *gorm.DB {
		return s.db.Reader(ctx).Model(&credentialRow{}).Where("issuer_id = ? AND state = ? AND key_ids LIKE ?", key.IssuerID, string(Issued), "%"+key.ID+"%")
	}
	if err := tx().Count(&signed).Error; err != nil {
		return 0, 0, err
	}
	condition, values := statuslist.Marked("revoked")
	err = tx().Where(condition, values...).Count(&revoked).Error
	return signed, revoked, err
}

// SealedKeys reads what seals the private sides of keys, in the order of their ids.
func (s *Store) SealedKeys(ctx context.Context, after string, limit int) (ids []string, sealed [][]byte, err error) {
	tx := s.db.Session(ctx).Select("id", "sealed").Order("id").Limit(limit)
	if after != "" {
		tx = tx.Where("id > ?", after)
	}
	var rows []keyRow
	if err := tx.Find(&rows).Error; err != nil {
		return nil, nil, err
	}
	for _, row := range rows {
		ids, sealed = append(ids, row.ID), append(sealed, row.Sealed)
	}
	return ids, sealed, nil
}

// ResealKey stores another seal of a private side, unless somebody else did meanwhile.
func (s *Store) ResealKey(ctx context.Context, id string, before, after []byte) error {
	return s.db.Session(ctx).Model(&keyRow{}).Where("id = ? AND sealed = ?", id, before).Update("sealed", after).Error
}

// NewestKey reads the newest key of all, if there is any.
func (s *Store) NewestKey(ctx context.Context) (key Key, sealed []byte, found bool, err error) {
	var rows []keyRow
	err = s.db.Reader(ctx).Order("id DESC").Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return Key{}, nil, false, err
	}
	key, err = rows[0].key()
	return key, rows[0].Sealed, true, err
}

// CountKeys counts the keys of all issuers.
func (s *Store) CountKeys(ctx context.Context) (c KeyCensus, err error) {
	const active = "retired_at IS NULL AND revoked_at IS NULL"
	err = s.db.Reader(ctx).Model(&keyRow{}).
		Select("COALESCE(SUM(CASE WHEN " + active + " THEN 1 ELSE 0 END), 0) AS active, COALESCE(SUM(CASE WHEN retired_at IS NOT NULL AND revoked_at IS NULL THEN 1 ELSE 0 END), 0) AS retired, COALESCE(SUM(CASE WHEN revoked_at IS NOT NULL THEN 1 ELSE 0 END), 0) AS revoked").
		Scan(&c).Error
	if err != nil || c.Active == 0 {
		return c, err
	}
	var oldest []keyRow
	err = s.db.Reader(ctx).Select("created_at").Where(active).Order("created_at").Limit(1).Find(&oldest).Error
	if len(oldest) > 0 {
		c.Oldest = oldest[0].CreatedAt.UTC()
	}
	return c, err
}

func toRow(c Credential) credentialRow {
	row := credentialRow{
		ID: c.ID, IssuerID: c.IssuerID, AchievementID: c.AchievementID, State: string(c.State), Name: c.Name,
		RecipientIndex: optional(c.recipientIndex), Document: optional(string(c.Document)),
		HolderDocument: optional(string(c.Holder)), Token: optional(c.Token), KeyIDs: optional(strings.Join(c.keys, " ")), Form: c.form.text(),
		ValidFrom: c.ValidFrom, ValidUntil: c.ValidUntil, Version: c.Version,
		CreatedAt: c.Created, UpdatedAt: c.Updated,
	}
	row.BatchID = optional(c.Batch)
	if c.Place.List != "" {
		row.StatusList, row.StatusIndex, row.StatusPurpose = &c.Place.List, &c.Place.Index, &c.StatusPurpose
	}
	if c.idempotencyKey != "" { // NULL is never a duplicate of NULL
		row.Owner, row.IdempotencyKey, row.RequestHash = &c.owner, &c.idempotencyKey, &c.requestHash
	}
	return row
}

func (r credentialRow) credential() Credential {
	c := Credential{
		ID: r.ID, IssuerID: r.IssuerID, AchievementID: r.AchievementID, State: State(r.State), Name: r.Name,
		ValidFrom: r.ValidFrom.UTC(), Version: r.Version, Batch: value(r.BatchID), Created: r.CreatedAt.UTC(), Updated: r.UpdatedAt.UTC(),
		requestHash: value(r.RequestHash),
	}
	if r.ValidUntil != nil {
		until := r.ValidUntil.UTC()
		c.ValidUntil = &until
	}
	if r.Document != nil {
		c.Document = []byte(*r.Document)
	}
	if r.HolderDocument != nil {
		c.Holder = []byte(*r.HolderDocument)
	}
	c.Token, c.keys, c.form = value(r.Token), strings.Fields(value(r.KeyIDs)), formOf(value(r.Form))
	if r.StatusList != nil && r.StatusIndex != nil {
		c.Place, c.StatusPurpose = statuslist.Place{List: *r.StatusList, Index: *r.StatusIndex}, value(r.StatusPurpose)
	}
	return c
}

// Reserve stores what is about to be signed, or answers that its idempotency key is taken.
func (s *Store) Reserve(ctx context.Context, c Credential) error {
	row := toRow(c)
	err := s.db.Session(ctx).Create(&row).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return errRepeated
	}
	return err
}

// credentialColumns are those of a credential that was never reserved.
var credentialColumns = []string{
	"id", "issuer_id", "achievement_id", "state", "name", "recipient_index", "document", "holder_document", "token", "key_ids", "form",
	"valid_from", "valid_until", "version", "status_list", "status_index", "status_purpose", "batch_id", "created_at", "updated_at",
}

// Insert stores credentials that are signed, and of which nothing was reserved.
func (s *Store) Insert(ctx context.Context, several []Credential) error {
	rows := database.Rows{Table: credentialRow{}.TableName(), Columns: credentialColumns, Values: make([][]any, len(several))}
	for i, c := range several {
		r := toRow(c)
		rows.Values[i] = []any{
			r.ID, r.IssuerID, r.AchievementID, r.State, r.Name, r.RecipientIndex, r.Document, r.HolderDocument, r.Token, r.KeyIDs, r.Form,
			r.ValidFrom, r.ValidUntil, r.Version, r.StatusList, r.StatusIndex, r.StatusPurpose, r.BatchID, r.CreatedAt, r.UpdatedAt,
		}
	}
	return s.db.Insert(ctx, rows)
}

// signed adds what signing made of a credential.
func signed(c Credential, values map[string]any) map[string]any {
	values["document"], values["holder_document"], values["token"] = string(c.Document), optional(string(c.Holder)), optional(c.Token)
	values["key_ids"] = optional(strings.Join(c.keys, " "))
	return values
}

// Form reads how an issuer's credentials are secured, as far as it chose.
func (s *Store) Form(ctx context.Context, issuerID string) (Form, error) {
	var rows []formRow
	if err := s.db.Reader(ctx).Where("issuer_id = ?", issuerID).Limit(1).Find(&rows).Error; err != nil || len(rows) == 0 {
		return Form{}, err
	}
	return formOf(rows[0].Form), nil
}

// SetForm stores how an issuer's credentials are secured.
func (s *Store) SetForm(ctx context.Context, issuerID string, form Form) error {
	return s.db.Session(ctx).Save(&formRow{IssuerID: issuerID, Form: *form.or(usual()).text()}).Error
}

// Complete stores the signed document of a reservation, or answers [ErrSettled] if
// the reservation was given up meanwhile.
func (s *Store) Complete(ctx context.Context, c Credential) error {
	return database.Changed(s.db.Session(ctx).Model(&credentialRow{}).Where("id = ? AND state = ?", c.ID, string(Reserved)).
		Updates(signed(c, map[string]any{"state": string(Issued)})), ErrSettled)
}

// Replace stores the next version, or answers [ErrVersion] if the stored one is not
// its predecessor.
func (s *Store) Replace(ctx context.Context, c Credential) error {
	values := signed(c, map[string]any{
		"name": c.Name, "valid_from": c.ValidFrom, "valid_until": c.ValidUntil, "version": c.Version, "updated_at": c.Updated,
	})
	if c.recipientIndex != "" { // it is another
		values["recipient_index"] = c.recipientIndex
	}
	if c.Place.List != "" {
		values["status_list"], values["status_index"], values["status_purpose"] = c.Place.List, c.Place.Index, c.StatusPurpose
	}
	return database.Changed(s.db.Session(ctx).Model(&credentialRow{}).Where("id = ? AND state = ? AND version = ?", c.ID, string(Issued), c.Version-1).Updates(values), ErrVersion)
}

// withdrawn is what is left of a withdrawn credential: that it was, and its entry in
// a status list. The idempotency key stays, lest the order be repeated.
func withdrawn(operation string, at time.Time) map[string]any {
	return map[string]any{"state": string(Withdrawn), "document": nil, "holder_document": nil, "token": nil, "recipient_index": nil, "request_hash": nil, "name": "", "updated_at": at, "withdrawn_by": operation}
}

// WithdrawWhere forgets what [Store.Withdraw] does of all credentials that a query
// matches, and counts them.
func (s *Store) WithdrawWhere(ctx context.Context, q statuslist.Query, operation string, at time.Time) (int64, error) {
	where, values := q.Where()
	tx := s.db.Session(ctx).Table("achievement_credentials AS c").Where(where, values...).Where("c.state = ?", string(Issued)).Updates(withdrawn(operation, at))
	return tx.RowsAffected, tx.Error
}

// WithdrawnBy reads the operation that withdrew a credential; empty where none did.
func (s *Store) WithdrawnBy(ctx context.Context, id string) (string, error) {
	var operations []string
	err := s.db.Reader(ctx).Model(&credentialRow{}).Where("id = ? AND withdrawn_by IS NOT NULL", id).Limit(1).Pluck("withdrawn_by", &operations).Error
	if err != nil || len(operations) == 0 {
		return "", err
	}
	return operations[0], nil
}

// Withdrawable counts the credentials that [Store.WithdrawWhere] would withdraw, and
// gives the ids of some.
func (s *Store) Withdrawable(ctx context.Context, q statuslist.Query, examples int) (count int64, ids []string, err error) {
	where, values := q.Where()
	tx := func() *gorm.DB {
		return s.db.Reader(ctx).Table("achievement_credentials AS c").Where(where, values...).Where("c.state = ?", string(Issued))
	}
	if err := tx().Count(&count).Error; err != nil {
		return 0, nil, err
	}
	err = tx().Order("c.id").Limit(examples).Pluck("c.id", &ids).Error
	return count, ids, err
}

// Withdraw forgets the document and the recipient of an issued credential.
func (s *Store) Withdraw(ctx context.Context, id, operation string, at time.Time) error {
	return database.Changed(s.db.Session(ctx).Model(&credentialRow{}).Where("id = ? AND state = ?", id, string(Issued)).
		Updates(withdrawn(operation, at)), ErrNotFound)
}

// Release removes one reservation; what is signed stays.
func (s *Store) Release(ctx context.Context, id string) error {
	return s.db.Session(ctx).Delete(&credentialRow{}, "id = ? AND state = ?", id, string(Reserved)).Error
}

// Sweep removes all reservations made before a time and counts them. The state
// stands in the statement itself, or SQLite would not see that a partial index
// serves it, and read the whole table at every start.
func (s *Store) Sweep(ctx context.Context, before time.Time) (int64, error) {
	tx := s.db.Session(ctx).Delete(&credentialRow{}, "state = 'reserved' AND created_at < ?", before.UTC())
	return tx.RowsAffected, tx.Error
}

// Credential reads one credential in any state, or answers [ErrNotFound].
func (s *Store) Credential(ctx context.Context, id string) (Credential, error) {
	var row credentialRow
	if err := s.db.Reader(ctx).Take(&row, "id = ?", id).Error; err != nil {
		return Credential{}, database.One(err, ErrNotFound)
	}
	return row.credential(), nil
}

// ByIdempotencyKey reads what an order came to, or answers [ErrNotFound]. It asks the
// writing side, so that it sees what has just been reserved.
func (s *Store) ByIdempotencyKey(ctx context.Context, owner, key string) (Credential, error) {
	var rows []credentialRow
	if err := s.db.Session(ctx).Where("owner = ? AND idempotency_key = ?", owner, key).Limit(1).Find(&rows).Error; err != nil {
		return Credential{}, err
	}
	if len(rows) == 0 {
		return Credential{}, ErrNotFound
	}
	return rows[0].credential(), nil
}

// AnyCredential reports whether there is one of the issuer, and of the achievement
// unless it is empty.
func (s *Store) AnyCredential(ctx context.Context, issuerID, achievementID string) (bool, error) {
	tx := s.db.Reader(ctx).Select("id").Where("issuer_id = ?", issuerID).Limit(1)
	if achievementID != "" {
		tx = tx.Where("achievement_id = ?", achievementID)
	}
	var rows []credentialRow
	err := tx.Find(&rows).Error
	return len(rows) > 0, err
}

// AnyEndorsement reports whether an issuer was ever asked for one, or gave one.
func (s *Store) AnyEndorsement(ctx context.Context, endorserID string) (bool, error) {
	var rows []endorsementRow
	err := s.db.Reader(ctx).Select("id").Where("endorser_id = ?", endorserID).Limit(1).Find(&rows).Error
	return len(rows) > 0, err
}

// begin reads where a page of rows that are ordered by a time begins; on the first page the
// id is empty. Anybody can make a cursor: it must not reach the engine unread.
func begin(q paging.Query, filters ...string) (bound time.Time, id string, err error) {
	after, further, err := q.After(filters...)
	if err != nil || !further {
		return bound, "", err
	}
	if _, err = uuid.Parse(after.ID); err == nil {
		bound, err = time.Parse(time.RFC3339, after.Value)
	}
	if err != nil {
		return bound, "", paging.ErrCursor.With(err)
	}
	return bound.UTC(), after.ID, nil
}

// Credentials reads a page of credentials, without reservations.
func (s *Store) Credentials(ctx context.Context, f Filter, q paging.Query) (paging.Page[Credential], error) {
	filters := []string{f.IssuerID, f.AchievementID, f.Recipient, f.State, f.Status}
	bound, id, err := begin(q, filters...)
	if err != nil {
		return paging.Page[Credential]{}, err
	}
	column := map[string]string{"createdAt": "created_at", "validFrom": "valid_from"}[q.Sort]
	tx := s.db.Reader(ctx).Where("state <> ?", string(Reserved))
	for _, w := range [][2]string{{"issuer_id", f.IssuerID}, {"achievement_id", f.AchievementID}, {"recipient_index", f.Recipient}, {"state", f.State}} {
		if w[1] != "" {
			tx = tx.Where(w[0]+" = ?", w[1])
		}
	}
	if condition, values := statuslist.Marked(f.Status); condition != "" {
		tx = tx.Where(condition, values...)
	}
	var rows []credentialRow
	if err := database.Keyset(tx, column, q.Descending, bound, id, q.Limit+1).Find(&rows).Error; err != nil {
		return paging.Page[Credential]{}, err
	}
	cut := paging.Cut(q, rows, func(r credentialRow) paging.Position {
		at := r.CreatedAt
		if q.Sort == "validFrom" {
			at = r.ValidFrom
		}
		return paging.Position{Value: at.UTC().Format(time.RFC3339Nano), ID: r.ID}
	}, filters...)
	return paging.Map(cut, credentialRow.credential), nil
}

func (r batchRow) batch() Batch {
	b := Batch{
		ID: r.ID, DryRun: r.DryRun, State: BatchState(r.State), Total: r.Total, Processed: r.Processed, Succeeded: r.Succeeded, Failed: r.Failed,
		Trouble: r.Trouble, Created: r.CreatedAt.UTC(), Updated: r.UpdatedAt.UTC(), owner: r.Owner, requestHash: value(r.RequestHash), lined: r.Format == nil,
	}
	if r.State == issuing {
		b.State = BatchRunning
	}
	return b
}

// InsertBatch stores a batch, or answers that its idempotency key is taken.
func (s *Store) InsertBatch(ctx context.Context, row batchRow) error {
	err := s.db.Session(ctx).Create(&row).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return errRepeated
	}
	return err
}

// InsertBlocks stores blocks of a batch.
func (s *Store) InsertBlocks(ctx context.Context, blocks []batchBlock) error {
	rows := database.Rows{
		Table: batchBlock{}.TableName(), Columns: []string{"batch_id", "number", "first_line", "lines", "state", "seed", "orders", "succeeded", "failed"}, Values: make([][]any, len(blocks)),
	}
	for i, b := range blocks {
		rows.Values[i] = []any{b.BatchID, b.Number, b.FirstLine, b.Lines, b.State, b.Seed, b.Orders, b.Succeeded, b.Failed}
	}
	return s.db.Insert(ctx, rows)
}

// BatchRow reads a batch, or answers [ErrBatchUnknown].
func (s *Store) BatchRow(ctx context.Context, id string) (batchRow, error) {
	var row batchRow
	err := s.db.Session(ctx).Take(&row, "id = ?", id).Error
	return row, database.One(err, ErrBatchUnknown)
}

// Batch reads a batch and how far it is, or answers [ErrBatchUnknown].
func (s *Store) Batch(ctx context.Context, id string) (Batch, error) {
	var row batchRow
	if err := s.db.Reader(ctx).Take(&row, "id = ?", id).Error; err != nil {
		return Batch{}, database.One(err, ErrBatchUnknown)
	}
	err := s.progress(s.db.Reader(ctx), &row)
	return row.batch(), err
}

// BatchByKey reads what a request came to, or answers [ErrBatchUnknown].
func (s *Store) BatchByKey(ctx context.Context, owner, key string) (Batch, error) {
	var row batchRow
	if err := s.db.Session(ctx).Take(&row, "owner = ? AND idempotency_key = ?", owner, key).Error; err != nil {
		return Batch{}, database.One(err, ErrBatchUnknown)
	}
	err := s.progress(s.db.Session(ctx), &row)
	return row.batch(), err
}

// progress counts what was done of those batches that have blocks and are not over; in the
// row of one that is over stands what it came to.
func (s *Store) progress(tx *gorm.DB, rows ...*batchRow) error {
	going := map[string]*batchRow{}
	var ids []string
	for _, row := range rows {
		if row.State == issuing {
			going[row.ID] = row
			ids = append(ids, row.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var sums []struct {
		BatchID                      string
		Processed, Succeeded, Failed int64
	}
	err := tx.Raw("SELECT batch_id, SUM(lines) AS processed, SUM(succeeded) AS succeeded, SUM(failed) AS failed FROM issuance_batch_blocks WHERE batch_id IN ? AND state = ? GROUP BY batch_id",
		ids, blockDone).Scan(&sums).Error
	for _, sum := range sums {
		row := going[sum.BatchID]
		row.Processed, row.Succeeded, row.Failed = sum.Processed, sum.Succeeded, sum.Failed
	}
	return err
}

// Batches reads a page of the batches of an owner, or of everybody's if there is none, and
// how far they are; or answers [paging.ErrCursor].
func (s *Store) Batches(ctx context.Context, owner *string, state string, q paging.Query) (paging.Page[Batch], error) {
	filters := []string{value(owner), state}
	bound, id, err := begin(q, filters...)
	if err != nil {
		return paging.Page[Batch]{}, err
	}
	tx := s.db.Reader(ctx)
	if owner != nil {
		tx = tx.Where("owner = ?", *owner)
	}
	switch state {
	case "":
	case string(BatchRunning):
		tx = tx.Where(unfinished)
	default:
		tx = tx.Where("state = ?", state)
	}
	var rows []*batchRow
	if err := database.Keyset(tx, "created_at", q.Descending, bound, id, q.Limit+1).Find(&rows).Error; err != nil {
		return paging.Page[Batch]{}, err
	}
	cut := paging.Cut(q, rows, func(r *batchRow) paging.Position {
		return paging.Position{Value: r.CreatedAt.UTC().Format(time.RFC3339Nano), ID: r.ID}
	}, filters...)
	err = s.progress(s.db.Reader(ctx), cut.Items...)
	return paging.Map(cut, func(r *batchRow) Batch { return r.batch() }), err
}

// unfinished is the condition on batches that are not over. An index has it too, word by
// word, or SQLite would not use it.
const unfinished = "state IN ('running', 'issuing')"

// AnyBatch names a batch that waits for somebody to work on it, if there is any.
func (s *Store) AnyBatch(ctx context.Context, now time.Time) (string, error) {
	var ids []string
	err := s.db.Reader(ctx).Model(&batchRow{}).Where(unfinished+" AND lease_until < ?", now).Order("lease_until").Limit(1).Pluck("id", &ids).Error
	if err != nil || len(ids) == 0 {
		return "", err
	}
	return ids[0], nil
}

// LeaseBatch gives a batch to whoever asks first, until a time.
func (s *Store) LeaseBatch(ctx context.Context, id string, now, until time.Time) (bool, error) {
	tx := s.db.Session(ctx).Model(&batchRow{}).Where("id = ? AND "+unfinished+" AND lease_until < ?", id, now).Update("lease_until", until)
	return tx.RowsAffected > 0, tx.Error
}

// KeepBatch leaves a batch that has blocks to whoever works on it until a later time, or
// answers [ErrBatchOver]. well tells that nothing troubles it.
func (s *Store) KeepBatch(ctx context.Context, id string, until, at time.Time, well bool) error {
	values := map[string]any{"lease_until": until, "updated_at": at}
	if well {
		values["trouble"] = ""
	}
	return database.Changed(s.db.Session(ctx).Model(&batchRow{}).Where("id = ? AND state = ?", id, issuing).Updates(values), ErrBatchOver)
}

// ReleaseBatch lets another work on a batch.
func (s *Store) ReleaseBatch(ctx context.Context, id string, at time.Time) error {
	return s.db.Session(ctx).Model(&batchRow{}).Where("id = ?", id).Update("lease_until", at).Error
}

// Trouble notes what keeps a batch from going on.
func (s *Store) Trouble(ctx context.Context, id, code string) error {
	return s.db.Session(ctx).Model(&batchRow{}).Where("id = ?", id).Update("trouble", code).Error
}

// CancelBatch ends a batch that is not over, and forgets the orders that are left; or
// answers [ErrBatchOver].
func (s *Store) CancelBatch(ctx context.Context, id string, at time.Time) error {
	row, err := s.BatchRow(ctx, id)
	if err != nil {
		return err
	}
	// Blocks that are being stored just now are waited for, and counted.
	err = s.db.Session(ctx).Model(&batchBlock{}).Where("batch_id = ? AND state = ?", id, blockPending).
		Updates(map[string]any{"state": blockCancelled, "orders": nil}).Error
	if err != nil {
		return err
	}
	if err := s.progress(s.db.Session(ctx), &row); err != nil {
		return err
	}
	values := map[string]any{"state": string(BatchCancelled), "updated_at": at}
	if row.State == issuing {
		values["processed"], values["succeeded"], values["failed"] = row.Processed, row.Succeeded, row.Failed
	}
	if err := database.Changed(s.db.Session(ctx).Model(&batchRow{}).Where("id = ? AND "+unfinished, id).Updates(values), ErrBatchOver); err != nil {
		return err
	}
	return s.db.Session(ctx).Model(&batchLine{}).Where("batch_id = ? AND sealed IS NOT NULL", id).Update("sealed", nil).Error
}

// CompleteBatch ends a batch of which every block is done, and answers what it came to;
// or answers [ErrBatchOver] if somebody else did, or it has other blocks.
func (s *Store) CompleteBatch(ctx context.Context, id string, at time.Time) (batchRow, error) {
	row, err := s.BatchRow(ctx, id)
	if err != nil {
		return row, err
	}
	if err := s.progress(s.db.Session(ctx), &row); err != nil {
		return row, err
	}
	if row.State != issuing || row.Processed != row.Total {
		return row, ErrBatchOver
	}
	return row, database.Changed(s.db.Session(ctx).Model(&batchRow{}).Where("id = ? AND state = ?", id, issuing).
		Updates(map[string]any{
			"state": string(BatchCompleted), "processed": row.Processed, "succeeded": row.Succeeded, "failed": row.Failed, "trouble": "", "updated_at": at,
		}), ErrBatchOver)
}

// PendingBlocks numbers the blocks of a batch that are left, in order.
func (s *Store) PendingBlocks(ctx context.Context, id string) (numbers []int64, err error) {
	err = s.db.Session(ctx).Model(&batchBlock{}).Where("batch_id = ? AND state = ?", id, blockPending).Order("number").Pluck("number", &numbers).Error
	return numbers, err
}

// Block reads a block that is left, or answers [ErrBatchOver].
func (s *Store) Block(ctx context.Context, id string, number int64) (batchBlock, error) {
	var row batchBlock
	err := s.db.Reader(ctx).Take(&row, "batch_id = ? AND number = ? AND state = ?", id, number, blockPending).Error
	return row, database.One(err, ErrBatchOver)
}

// EndBlock stores what came of a block, and forgets its orders; or answers
// [ErrBatchOver] if somebody else did.
func (s *Store) EndBlock(ctx context.Context, b batchBlock) error {
	return database.Changed(s.db.Session(ctx).Model(&batchBlock{}).Where("batch_id = ? AND number = ? AND state = ?", b.BatchID, b.Number, blockPending).
		Updates(map[string]any{"state": blockDone, "orders": nil, "succeeded": b.Succeeded, "failed": b.Failed, "report": b.Report}), ErrBatchOver)
}

// BlocksBehind reads the blocks that have lines behind a number, in order, without their
// orders; where a state of lines is given, only blocks that may have such lines.
func (s *Store) BlocksBehind(ctx context.Context, id string, line int64, state string, limit int) (blocks []batchBlock, err error) {
	tx := s.db.Reader(ctx).Omit("orders").Where("batch_id = ? AND first_line + lines > ?", id, line+1)
	switch state {
	case linePending:
		tx = tx.Where("state <> ?", blockDone)
	case lineFailed:
		tx = tx.Where("failed > 0")
	case lineIssued, lineValid:
		tx = tx.Where("succeeded > 0")
	}
	err = tx.Order("number").Limit(limit).Find(&blocks).Error
	return blocks, err
}

// NextLines reads the lines of a batch behind a number, in order.
func (s *Store) NextLines(ctx context.Context, id string, after int64, n int) (lines []batchLine, err error) {
	err = s.db.Session(ctx).Where("batch_id = ? AND number > ?", id, after).Order("number").Limit(n).Find(&lines).Error
	return lines, err
}

// AdvanceBatch moves a batch on, or answers [ErrBatchOver] if somebody else did, or
// ended it.
func (s *Store) AdvanceBatch(ctx context.Context, from, to batchRow) error {
	return database.Changed(s.db.Session(ctx).Model(&batchRow{}).Where("id = ? AND state = 'running' AND processed = ?", from.ID, from.Processed).
		Updates(map[string]any{
			"state": to.State, "processed": to.Processed, "succeeded": to.Succeeded, "failed": to.Failed, "trouble": to.Trouble,
			"lease_until": to.LeaseUntil, "updated_at": to.UpdatedAt,
		}), ErrBatchOver)
}

// UpdateLines stores what came of lines, and forgets their orders.
func (s *Store) UpdateLines(ctx context.Context, lines []batchLine) error {
	numbers := map[string][]int64{}
	for _, l := range lines {
		if l.State != lineFailed {
			numbers[l.State] = append(numbers[l.State], l.Number)
			continue
		}
		err := s.db.Session(ctx).Model(&batchLine{}).Where("batch_id = ? AND number = ?", l.BatchID, l.Number).
			Updates(map[string]any{"state": lineFailed, "sealed": nil, "problem": l.Problem}).Error
		if err != nil {
			return err
		}
	}
	for state, list := range numbers {
		err := s.db.Session(ctx).Model(&batchLine{}).Where("batch_id = ? AND number IN ?", lines[0].BatchID, list).
			Updates(map[string]any{"state": state, "sealed": nil}).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// Lines reads a page of the lines of a batch, in their order.
func (s *Store) Lines(ctx context.Context, id, state string, q paging.Query) (paging.Page[BatchLine], error) {
	after, further, err := q.After(id, state)
	if err != nil {
		return paging.Page[BatchLine]{}, err
	}
	number := int64(0)
	if further {
		if number, err = strconv.ParseInt(after.Value, 10, 64); err != nil {
			return paging.Page[BatchLine]{}, paging.ErrCursor.With(err)
		}
	}
	tx := s.db.Reader(ctx).Omit("sealed").Where("batch_id = ? AND number > ?", id, number)
	if state != "" {
		tx = tx.Where("state = ?", state)
	}
	var rows []batchLine
	if err := tx.Order("number").Limit(q.Limit + 1).Find(&rows).Error; err != nil {
		return paging.Page[BatchLine]{}, err
	}
	cut := paging.Cut(q, rows, func(l batchLine) paging.Position {
		return paging.Position{Value: strconv.FormatInt(l.Number, 10), ID: l.BatchID}
	}, id, state)
	return paging.Map(cut, func(l batchLine) BatchLine {
		line := BatchLine{Number: l.Number, State: l.State}
		if l.State == lineIssued {
			line.CredentialID = l.CredentialID
		}
		if l.Problem != nil {
			line.Problem = []byte(*l.Problem)
		}
		return line
	}), nil
}

func (r endorsementRow) endorsement() Endorsement {
	e := Endorsement{
		ID: r.ID, EndorserID: r.EndorserID, SubjectKind: r.SubjectKind, SubjectID: r.SubjectID, SubjectURI: r.SubjectURI, SubjectName: r.SubjectName,
		State: EndorsementState(r.State), Note: r.Note, Token: value(r.Token), Created: r.CreatedAt.UTC(), Updated: r.UpdatedAt.UTC(), subjectIssuer: r.SubjectIssuer,
	}
	if r.Document != nil {
		e.Document = []byte(*r.Document)
	}
	if r.ValidFrom != nil {
		from := r.ValidFrom.UTC()
		e.ValidFrom = &from
	}
	if r.ValidUntil != nil {
		until := r.ValidUntil.UTC()
		e.ValidUntil = &until
	}
	if r.StatusList != nil && r.StatusIndex != nil {
		e.Place = statuslist.Place{List: *r.StatusList, Index: *r.StatusIndex}
	}
	return e
}

// InsertEndorsement stores a request for an endorsement.
func (s *Store) InsertEndorsement(ctx context.Context, e Endorsement) error {
	return s.db.Session(ctx).Create(&endorsementRow{
		ID: e.ID, EndorserID: e.EndorserID, SubjectKind: e.SubjectKind, SubjectID: e.SubjectID, SubjectIssuer: e.subjectIssuer, SubjectURI: e.SubjectURI,
		SubjectName: e.SubjectName, State: string(e.State), Note: e.Note, CreatedAt: e.Created, UpdatedAt: e.Updated,
	}).Error
}

// SettleEndorsement stores what came of a request, or answers [ErrEndorsementSettled]
// if something came of it before.
func (s *Store) SettleEndorsement(ctx context.Context, e Endorsement) error {
	values := map[string]any{
		"state": string(e.State), "document": optional(string(e.Document)), "token": optional(e.Token),
		"valid_from": e.ValidFrom, "valid_until": e.ValidUntil, "updated_at": e.Updated,
	}
	if e.Place.List != "" {
		values["status_list"], values["status_index"] = e.Place.List, e.Place.Index
	}
	return database.Changed(s.db.Session(ctx).Model(&endorsementRow{}).Where("id = ? AND state = ?", e.ID, string(EndorsementRequested)).Updates(values), ErrEndorsementSettled)
}

// Endorsement reads one endorsement, or answers [ErrEndorsementUnknown].
func (s *Store) Endorsement(ctx context.Context, id string) (Endorsement, error) {
	var row endorsementRow
	err := s.db.Reader(ctx).Take(&row, "id = ?", id).Error
	return row.endorsement(), database.One(err, ErrEndorsementUnknown)
}

// Endorsements reads a page of endorsements.
func (s *Store) Endorsements(ctx context.Context, f EndorsementFilter, q paging.Query) (paging.Page[Endorsement], error) {
	filters := []string{f.EndorserID, f.SubjectID, f.State}
	bound, id, err := begin(q, filters...)
	if err != nil {
		return paging.Page[Endorsement]{}, err
	}
	tx := s.db.Reader(ctx)
	for _, w := range [][2]string{{"endorser_id", f.EndorserID}, {"subject_id", f.SubjectID}, {"state", f.State}} {
		if w[1] != "" {
			tx = tx.Where(w[0]+" = ?", w[1])
		}
	}
	var rows []endorsementRow
	if err := database.Keyset(tx, "created_at", q.Descending, bound, id, q.Limit+1).Find(&rows).Error; err != nil {
		return paging.Page[Endorsement]{}, err
	}
	cut := paging.Cut(q, rows, func(r endorsementRow) paging.Position {
		return paging.Position{Value: r.CreatedAt.UTC().Format(time.RFC3339Nano), ID: r.ID}
	}, filters...)
	return paging.Map(cut, endorsementRow.endorsement), nil
}
