package statuslist

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/badge-engine/badge-engine/modules/internal/credential/status"
	"github.com/badge-engine/badge-engine/platform/database"
)

// forever is the end of a mark that has none yet.
var forever = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// Store keeps status lists on any engine.
type Store struct{ db *database.DB }

// NewStore makes a store over db.
func NewStore(db *database.DB) *Store { return &Store{db: db} }

// take counts n more entries of the issuer's newest list as given away, and answers
// the list and the first of them; fresh is the list that follows one with no room.
//
// It is one statement where there is room: of any number of processes at once, each
// gets entries of its own.
func (s *Store) take(ctx context.Context, issuerID string, n int64, fresh func() listRow) (listRow, int64, error) {
	for range 100 {
		var rows []listRow
		err := s.db.Session(ctx).Where("issuer_id = ?", issuerID).Order("number DESC").Limit(1).Find(&rows).Error
		if err != nil {
			return listRow{}, 0, err
		}
		var number int64
		if len(rows) > 0 {
			var taken []int64
			err := s.db.Session(ctx).Raw("UPDATE issuance_status_lists SET taken = taken + ? WHERE id = ? AND taken + ? <= size RETURNING taken", n, rows[0].ID, n).Scan(&taken).Error
			if err != nil {
				return listRow{}, 0, err
			}
			if len(taken) > 0 {
				return rows[0], taken[0] - n, nil
			}
			number = rows[0].Number + 1
		}
		next := fresh()
		next.IssuerID, next.Number = issuerID, number
		// Where another process was faster its list is the next one.
		if err := s.db.Session(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&next).Error; err != nil {
			return listRow{}, 0, err
		}
	}
	return listRow{}, 0, fmt.Errorf("statuslist: no room for %d entries", n)
}

// list reads one list, or answers [ErrUnknown].
func (s *Store) list(ctx context.Context, id string) (listRow, error) {
	var row listRow
	err := s.db.Reader(ctx).Take(&row, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = ErrUnknown
	}
	return row, err
}

// standing is a mark that has not ended, with the reason for it.
type standing struct {
	ListID    string
	ListIndex int64
	Purpose   string
	BeginsAt  time.Time
	Reason    string
}

// standings reads the marks of some entries of one list that have not ended.
func (s *Store) standings(ctx context.Context, listID string, indexes []int64) ([]standing, error) {
	var found []standing
	for chunk := range slices.Chunk(indexes, 500) {
		var rows []standing
		err := s.db.Reader(ctx).Raw(`SELECT m.list_id, m.list_index, m.purpose, m.begins_at, o.reason FROM issuance_status_marks m
			JOIN issuance_status_operations o ON o.id = m.operation_id WHERE m.list_id = ? AND m.list_index IN ? AND m.ends_at = ?`, listID, chunk, forever).Scan(&rows).Error
		if err != nil {
			return nil, err
		}
		found = append(found, rows...)
	}
	return found, nil
}

// listed reads the marks of an issuer's credentials that name the plain list, and have
// not ended.
func (s *Store) listed(ctx context.Context, issuerID string) (rows []Listed, err error) {
	err = s.db.Reader(ctx).Raw(`SELECT c.id AS credential_id, MIN(o.reason) AS reason FROM issuance_status_lists l JOIN issuance_status_marks m ON m.list_id = l.id
		JOIN issuance_status_operations o ON o.id = m.operation_id JOIN achievement_credentials c ON c.id = m.credential_id
		WHERE l.issuer_id = ? AND m.ends_at = ? AND c.status_purpose = ? GROUP BY c.id ORDER BY c.id`, issuerID, forever, Plain).Scan(&rows).Error
	return rows, err
}

// insertOperation stores a call that changes statuses, before the marks it makes.
func (s *Store) insertOperation(ctx context.Context, o operationRow) error {
	return s.db.Session(ctx).Create(&o).Error
}

// drop forgets an operation that changed nothing.
func (s *Store) drop(ctx context.Context, operationID string) error {
	return s.db.Session(ctx).Delete(&operationRow{}, "id = ?", operationID).Error
}

// entry is a place in a list.
type entry struct {
	ListID    string
	ListIndex int64
}

// mark stores one mark unless it is there already, and reports whether it did.
func (s *Store) mark(ctx context.Context, m markRow) (bool, error) {
	tx := s.db.Session(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&m)
	return tx.RowsAffected > 0, tx.Error
}

// unmark ends the suspension of an entry, and reports whether there was one. One
// that lasted no time at all leaves no trace.
func (s *Store) unmark(ctx context.Context, e entry, o operationRow) (bool, error) {
	at := o.BeginsAt
	open := s.db.Session(ctx).Where("list_id = ? AND list_index = ? AND purpose = ? AND ends_at = ?", e.ListID, e.ListIndex, Suspension, forever)
	tx := open.Session(&gorm.Session{}).Where("begins_at >= ?", at).Delete(&markRow{})
	if tx.Error != nil || tx.RowsAffected > 0 {
		return tx.RowsAffected > 0, tx.Error
	}
	tx = open.Session(&gorm.Session{}).Model(&markRow{}).Updates(map[string]any{"ends_at": at, "ended_by": o.ID})
	return tx.RowsAffected > 0, tx.Error
}

// Where writes a query as a condition on achievement_credentials c.
func (q Query) Where() (string, []any) {
	conditions, values := []string{"c.state IN ('issued', 'withdrawn')"}, []any{}
	add := func(condition string, value any) {
		conditions, values = append(conditions, condition), append(values, value)
	}
	if q.IssuerID != "" {
		add("c.issuer_id = ?", q.IssuerID)
	}
	if q.AchievementID != "" {
		add("c.achievement_id = ?", q.AchievementID)
	}
	if q.Recipient != "" {
		add("c.recipient_index = ?", q.Recipient)
	}
	if !q.Since.IsZero() {
		add("c.created_at >= ?", q.Since)
	}
	if !q.Before.IsZero() {
		add("c.created_at < ?", q.Before)
	}
	if len(q.IDs) > 0 {
		add("c.id IN ?", q.IDs)
	}
	if q.KeyID != "" { // a UUID, so that no sign of it is a pattern
		add("c.key_ids LIKE ?", "%"+q.KeyID+"%")
	}
	return strings.Join(conditions, " AND "), values
}

const (
	isRevoked   = "EXISTS (SELECT 1 FROM issuance_status_marks r WHERE r.list_id = c.status_list AND r.list_index = c.status_index AND r.purpose = 'revocation')"
	isSuspended = "EXISTS (SELECT 1 FROM issuance_status_marks u WHERE u.list_id = c.status_list AND u.list_index = c.status_index AND u.purpose = 'suspension' AND u.ends_at = ?)"
)

// Marked is the condition on achievement_credentials for those that are revoked, or
// suspended and not revoked; empty for any other word.
func Marked(status string) (string, []any) {
	const mark = "EXISTS (SELECT 1 FROM issuance_status_marks m WHERE m.list_id = achievement_credentials.status_list AND m.list_index = achievement_credentials.status_index AND m.purpose = ? AND m.ends_at = ?)"
	switch status {
	case "revoked":
		return mark, []any{Revocation, forever}
	case "suspended":
		return mark + " AND NOT " + mark, []any{Suspension, forever, Revocation, forever}
	}
	return "", nil
}

// affected is the condition on achievement_credentials c for what an act changes.
func (q Query) affected(act Act) (string, []any) {
	where, values := q.Where()
	where += " AND c.status_list IS NOT NULL AND NOT " + isRevoked
	switch act {
	case Suspend:
		where, values = where+" AND NOT "+isSuspended, append(values, forever)
	case Resume:
		where, values = where+" AND "+isSuspended, append(values, forever)
	}
	return where, values
}

// survey counts what a query matches and what an act would change of it, and gives
// some examples of that.
func (s *Store) survey(ctx context.Context, act Act, q Query, examples int) (matched, affected, without int64, ids []string, err error) {
	where, values := q.Where()
	var counts struct{ Matched, Without int64 }
	err = s.db.Reader(ctx).Raw("SELECT count(*) AS matched, count(*) - count(c.status_list) AS without FROM achievement_credentials c WHERE "+where, values...).Scan(&counts).Error
	if err != nil {
		return 0, 0, 0, nil, err
	}
	where, values = q.affected(act)
	if err = s.db.Reader(ctx).Raw("SELECT count(*) FROM achievement_credentials c WHERE "+where, values...).Scan(&affected).Error; err != nil {
		return 0, 0, 0, nil, err
	}
	err = s.db.Reader(ctx).Raw("SELECT c.id FROM achievement_credentials c WHERE "+where+" ORDER BY c.id LIMIT ?", append(values, examples)...).Scan(&ids).Error
	return counts.Matched, affected, counts.Without, ids, err
}

// markWhere stores a mark of an operation for each credential that it is about, in
// one statement, and answers their entries.
func (s *Store) markWhere(ctx context.Context, operationID string, act Act, q Query) ([]entry, error) {
	where, values := q.affected(act)
	var entries []entry
	err := s.db.Session(ctx).Raw(`INSERT INTO issuance_status_marks (list_id, list_index, purpose, ends_at, begins_at, credential_id, operation_id)
		SELECT c.status_list, c.status_index, o.purpose, o.ends_at, o.begins_at, c.id, o.id
		FROM issuance_status_operations o CROSS JOIN achievement_credentials c WHERE o.id = ? AND `+where+`
		ON CONFLICT DO NOTHING RETURNING list_id, list_index`, append([]any{operationID}, values...)...).Scan(&entries).Error
	return entries, err
}

// unmarkWhere ends the suspensions of the credentials that it is about.
func (s *Store) unmarkWhere(ctx context.Context, o operationRow, q Query) ([]entry, error) {
	at := o.BeginsAt
	where, values := q.affected(Resume)
	open := ` WHERE purpose = 'suspension' AND ends_at = ? AND credential_id IN (SELECT c.id FROM achievement_credentials c WHERE ` + where + `)`
	var gone, ended []entry
	err := s.db.Session(ctx).Raw("DELETE FROM issuance_status_marks"+open+" AND begins_at >= ? RETURNING list_id, list_index",
		slices.Concat([]any{forever}, values, []any{at})...).Scan(&gone).Error
	if err != nil {
		return nil, err
	}
	err = s.db.Session(ctx).Raw("UPDATE issuance_status_marks SET ends_at = ?, ended_by = ?"+open+" RETURNING list_id, list_index",
		slices.Concat([]any{at, o.ID, forever}, values)...).Scan(&ended).Error
	return append(gone, ended...), err
}

// history reads the acts that marked an entry, that ended a mark, or of that id.
func (s *Store) history(ctx context.Context, e entry, operationID string) (past []Past, err error) {
	const columns = "o.id AS operation, o.act, o.reason, o.principal, o.credentials, o.query"
	if e.ListID != "" {
		const of = " FROM issuance_status_marks m LEFT JOIN issuance_status_operations o ON o.id = m."
		err = s.db.Reader(ctx).Raw("SELECT m.begins_at AS at, 0 AS ended, "+columns+of+"operation_id WHERE m.list_id = ? AND m.list_index = ? UNION ALL SELECT m.ends_at AS at, 1 AS ended, "+
			columns+of+"ended_by WHERE m.list_id = ? AND m.list_index = ? AND m.ends_at < ?", e.ListID, e.ListIndex, e.ListID, e.ListIndex, forever).Scan(&past).Error
	}
	if err != nil || operationID == "" {
		return past, err
	}
	var one []Past
	err = s.db.Reader(ctx).Raw("SELECT o.begins_at AS at, "+columns+" FROM issuance_status_operations o WHERE o.id = ?", operationID).Scan(&one).Error
	return append(past, one...), err
}

// touch counts a change of each segment in which one of the entries lies, on these
// sides of the list. Segments come in order, so that two who change the same ones
// never wait for each other in a circle.
func (s *Store) touch(ctx context.Context, entries []entry, purposes ...string) error {
	type place struct {
		list, purpose string
		number        int64
	}
	known := map[place]bool{}
	var rows []segmentRow
	for _, e := range entries {
		for _, purpose := range purposes {
			at := place{e.ListID, purpose, e.ListIndex / status.SegmentBits}
			if !known[at] {
				known[at] = true
				rows = append(rows, segmentRow{ListID: at.list, Purpose: at.purpose, Number: at.number, Changes: 1})
			}
		}
	}
	slices.SortFunc(rows, func(a, b segmentRow) int {
		return cmp.Or(strings.Compare(a.ListID, b.ListID), strings.Compare(a.Purpose, b.Purpose), cmp.Compare(a.Number, b.Number))
	})
	for chunk := range slices.Chunk(rows, 1000) {
		err := s.db.Session(ctx).Clauses(clause.OnConflict{
			Columns:   []clause.Column{{Name: "list_id"}, {Name: "purpose"}, {Name: "number"}},
			DoUpdates: clause.Assignments(map[string]any{"changes": gorm.Expr("issuance_status_segments.changes + 1")}),
		}).Create(&chunk).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// changes counts the changes of one side of a list: its version.
func (s *Store) changes(ctx context.Context, listID, purpose string) (n int64, err error) {
	err = s.db.Reader(ctx).Raw("SELECT COALESCE(SUM(changes), 0) FROM issuance_status_segments WHERE list_id = ? AND purpose = ?", listID, purpose).Scan(&n).Error
	return n, err
}

// segments reads the segments of one side of a list in which anything ever changed.
func (s *Store) segments(ctx context.Context, listID, purpose string) (rows []segmentRow, err error) {
	err = s.db.Reader(ctx).Where("list_id = ? AND purpose = ?", listID, purpose).Find(&rows).Error
	return rows, err
}

// bits reads which entries of a range are marked: now, or at a time before. What is
// revoked is marked on the side of suspension too.
//
// Now is what has not ended, not what has begun by our clock: that of the process
// that made a mark may be ahead.
func (s *Store) bits(ctx context.Context, listID, purpose string, first, end int64, at time.Time) (indexes []int64, err error) {
	query, values := "SELECT list_index FROM issuance_status_marks WHERE list_id = ? AND list_index >= ? AND list_index < ?", []any{listID, first, end}
	if purpose == Revocation {
		query += " AND purpose = 'revocation'"
	}
	if at.IsZero() {
		query, values = query+" AND ends_at = ?", append(values, forever)
	} else {
		query, values = query+" AND begins_at <= ? AND ends_at > ?", append(values, at, at)
	}
	err = s.db.Reader(ctx).Raw(query, values...).Scan(&indexes).Error
	return indexes, err
}

// pack stores a segment packed, unless somebody packed a newer state of it.
func (s *Store) pack(ctx context.Context, row segmentRow) error {
	return s.db.Session(ctx).Model(&segmentRow{}).Where("list_id = ? AND purpose = ? AND number = ? AND packed_changes < ?", row.ListID, row.Purpose, row.Number, row.PackedChanges).
		Updates(map[string]any{"packed": row.Packed, "crc": row.CRC, "packed_changes": row.PackedChanges}).Error
}

// signed reads one side of a list as it was signed last, if it ever was.
func (s *Store) signed(ctx context.Context, listID, purpose string) (signedRow, bool, error) {
	var rows []signedRow
	err := s.db.Reader(ctx).Where("list_id = ? AND purpose = ?", listID, purpose).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return signedRow{}, false, err
	}
	return rows[0], true, nil
}

// sign stores one side of a list as signed, unless somebody signed a newer state.
func (s *Store) sign(ctx context.Context, row signedRow) error {
	return s.db.Session(ctx).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "list_id"}, {Name: "purpose"}},
		DoUpdates: clause.AssignmentColumns([]string{"changes", "method", "document", "valid_from", "valid_until"}),
		Where:     clause.Where{Exprs: []clause.Expression{gorm.Expr("issuance_status_signed.changes <= excluded.changes")}},
	}).Create(&row).Error
}
