package audit

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/paging"
)

// errMoved says that what was to be sealed is not as it was read.
var errMoved = errors.New("audit: pending events or the head changed while they were sealed")

// Store keeps the trail on any engine.
type Store struct{ db *database.DB }

// NewStore makes a store over db.
func NewStore(db *database.DB) *Store { return &Store{db: db} }

// skipLocked takes a row that nobody else holds. On SQLite, where one unit writes
// at a time, it is left out.
var skipLocked = clause.Locking{Strength: clause.LockingStrengthUpdate, Options: clause.LockingOptionsSkipLocked}

// saidColumns are those of what an event says.
var saidColumns = []string{"id", "at", "principal", "principal_kind", "action", "target", "outcome", "reason", "detail", "remote_ip", "request_id", "count"}

func (e Event) values() []any {
	return []any{e.ID, e.At, e.Principal, e.Kind, e.Action, e.Target, string(e.Outcome), e.Reason, e.Detail, e.RemoteIP, e.RequestID, e.Count}
}

// Append stores events that wait for their place; it joins the unit in ctx.
func (s *Store) Append(ctx context.Context, events ...Event) error {
	rows := database.Rows{Table: pendingRow{}.TableName(), Columns: append(saidColumns[:len(saidColumns):len(saidColumns)], "mark"), Values: make([][]any, len(events))}
	for i, e := range events {
		rows.Values[i] = append(e.values(), e.mark)
	}
	return s.db.Insert(ctx, rows)
}

// Deliver stores a parcel whose events wait for their places; it joins the unit in ctx.
func (s *Store) Deliver(ctx context.Context, p Parcel) error {
	return s.db.Insert(ctx, database.Rows{Table: parcelRow{}.TableName(), Columns: []string{"id", "count", "events", "mark"}, Values: [][]any{{p.ID, p.Count, p.Events, p.mark}}})
}

// Waiting counts the events that wait, those of so many rows at most.
func (s *Store) Waiting(ctx context.Context, limit int) (n int64, err error) {
	some := s.db.Reader(ctx).Model(&pendingRow{}).Select("1 AS events").Limit(limit)
	packed := s.db.Reader(ctx).Model(&parcelRow{}).Select("count AS events").Limit(limit)
	for _, waiting := range []*gorm.DB{some, packed} {
		var found int64
		if err := s.db.Reader(ctx).Table("(?) AS waiting", waiting).Select("COALESCE(SUM(events), 0)").Scan(&found).Error; err != nil {
			return 0, err
		}
		n += found
	}
	return n, nil
}

// Pending reads the oldest events that wait on their own.
func (s *Store) Pending(ctx context.Context, limit int) ([]Event, error) {
	var rows []pendingRow
	err := s.db.Session(ctx).Order("id").Limit(limit).Find(&rows).Error
	events := make([]Event, len(rows))
	for i, r := range rows {
		events[i] = r.event()
	}
	return events, err
}

// Parcels reads the oldest parcels that wait.
func (s *Store) Parcels(ctx context.Context, limit int) ([]Parcel, error) {
	var rows []parcelRow
	err := s.db.Session(ctx).Order("id").Limit(limit).Find(&rows).Error
	parcels := make([]Parcel, len(rows))
	for i, r := range rows {
		parcels[i] = Parcel{ID: r.ID, Events: r.Events, Count: r.Count, mark: r.Mark}
	}
	return parcels, err
}

// Sealed tells which of the events have a place already.
func (s *Store) Sealed(ctx context.Context, ids []string) (map[string]bool, error) {
	var found []string
	err := s.db.Session(ctx).Model(&eventRow{}).Where("id IN ?", ids).Pluck("id", &found).Error
	sealed := map[string]bool{}
	for _, id := range found {
		sealed[id] = true
	}
	return sealed, err
}

// TakeHead reads the head and keeps others from it until the unit in ctx ends;
// mine is false if somebody else has it.
func (s *Store) TakeHead(ctx context.Context) (head Head, mine bool, err error) {
	var row headRow
	err = s.db.Session(ctx).Clauses(skipLocked).Take(&row, "id = ?", 1).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Head{}, false, nil
	}
	return Head{Sequence: row.Sequence, Hash: row.Hash, signature: row.Signature}, err == nil, err
}

// Link adds events to the end of the chain, and takes away what held them while they
// waited: events by their ids, and parcels. It must be called in a unit that took the head.
func (s *Store) Link(ctx context.Context, events []Event, pending, parcels []string, head Head) error {
	rows := database.Rows{Table: eventRow{}.TableName(), Columns: append(saidColumns[:len(saidColumns):len(saidColumns)], "sequence", "forged", "hash"), Values: make([][]any, len(events))}
	for i, e := range events {
		rows.Values[i] = append(e.values(), e.Sequence, e.Forged, e.Hash)
	}
	if err := s.db.Insert(ctx, rows); err != nil {
		return err
	}
	for _, gone := range []struct {
		row any
		ids []string
	}{{&pendingRow{}, pending}, {&parcelRow{}, parcels}} {
		if len(gone.ids) == 0 {
			continue
		}
		tx := s.db.Session(ctx).Delete(gone.row, "id IN ?", gone.ids)
		if tx.Error == nil && tx.RowsAffected != int64(len(gone.ids)) {
			tx.Error = errMoved
		}
		if tx.Error != nil {
			return tx.Error
		}
	}
	next := s.db.Session(ctx).Model(&headRow{}).Where("id = ? AND sequence = ?", 1, head.Sequence-int64(len(events))).
		Updates(map[string]any{"sequence": head.Sequence, "hash": head.Hash, "signature": head.signature})
	if next.Error == nil && next.RowsAffected != 1 {
		return errMoved
	}
	return next.Error
}

// Head reads the head, and the number of the last event at the same instant; found
// is false where there is no head.
func (s *Store) Head(ctx context.Context) (head Head, last int64, found bool, err error) {
	var row struct {
		Sequence  int64
		Hash      []byte
		Signature []byte
		Last      int64
	}
	tx := s.db.Reader(ctx).Raw("SELECT sequence, hash, signature, (SELECT COALESCE(MAX(sequence), 0) FROM audit_events) AS last FROM audit_head WHERE id = 1").Scan(&row)
	return Head{Sequence: row.Sequence, Hash: row.Hash, signature: row.Signature}, row.Last, tx.RowsAffected == 1, tx.Error
}

// Chain reads the events after a number, up to and with another, at most limit.
func (s *Store) Chain(ctx context.Context, after, through int64, limit int) ([]Event, error) {
	var rows []eventRow
	err := s.db.Reader(ctx).Where("sequence > ? AND sequence <= ?", after, through).Order("sequence").Limit(limit).Find(&rows).Error
	return unpack(rows), err
}

func unpack(rows []eventRow) []Event {
	events := make([]Event, len(rows))
	for i, r := range rows {
		events[i] = r.event()
	}
	return events
}

// like escapes what LIKE takes for a pattern.
var like = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Events reads a page of the chain, or answers [paging.ErrCursor].
func (s *Store) Events(ctx context.Context, f Filter, q paging.Query) (paging.Page[Event], error) {
	filters := []string{f.Action, f.Principal, f.Target, string(f.Outcome), stamp(f.From), stamp(f.To)}
	after, further, err := q.After(filters...)
	if err != nil {
		return paging.Page[Event]{}, err
	}
	var number int64
	if further { // anybody can make a cursor: it must not reach the engine unread
		if number, err = strconv.ParseInt(after.Value, 10, 64); err == nil {
			_, err = uuid.Parse(after.ID)
		}
		if err != nil {
			return paging.Page[Event]{}, paging.ErrCursor.With(err)
		}
	}
	tx := s.db.Reader(ctx)
	if f.Action != "" {
		tx = tx.Where(`action LIKE ? ESCAPE '\'`, like.Replace(f.Action)+"%")
	}
	for _, w := range [][2]string{{"principal", f.Principal}, {"target", f.Target}, {"outcome", string(f.Outcome)}} {
		if w[1] != "" {
			tx = tx.Where(w[0]+" = ?", w[1])
		}
	}
	if !f.From.IsZero() {
		tx = tx.Where("at >= ?", f.From.UTC())
	}
	if !f.To.IsZero() {
		tx = tx.Where("at < ?", f.To.UTC())
	}
	var rows []eventRow
	if err := database.Keyset(tx, "sequence", q.Descending, number, after.ID, q.Limit+1).Find(&rows).Error; err != nil {
		return paging.Page[Event]{}, err
	}
	return paging.Cut(q, unpack(rows), func(e Event) paging.Position {
		return paging.Position{Value: strconv.FormatInt(e.Sequence, 10), ID: e.ID}
	}, filters...), nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
