package scim

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/badge-engine/badge-engine/modules/scim/resource"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/platform/database"
)

// Store keeps users, groups and memberships on any engine.
type Store struct {
	db    *database.DB
	types map[string]*schema.ResourceType
}

// NewStore makes a store over db.
func NewStore(db *database.DB, registry *schema.Registry) *Store {
	return &Store{db: db, types: map[string]*schema.ResourceType{userKind: registry.User, groupKind: registry.Group}}
}

// batch is how many rows or identifiers go into one statement at most.
const batch = 1000

// The locks of PostgreSQL; on SQLite, where one unit writes at a time, they are left
// out. Whoever takes several takes members before their groups, users before groups, and
// each by id, so that no two units wait for one another.
var (
	// forDelete keeps everybody else from the row.
	forDelete = clause.Locking{Strength: clause.LockingStrengthUpdate}
	// forChange keeps others from changing the row, not from making it a member.
	forChange = clause.Locking{Strength: "NO KEY UPDATE"}
	// forMention keeps others from deleting the row.
	forMention = clause.Locking{Strength: "KEY SHARE"}
)

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func plain(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// taken turns a violated unique index into the refusal.
func taken(err, refusal error) error {
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return refusal
	}
	return err
}

func one(tx *gorm.DB, refusal error) error {
	if tx.Error != nil {
		return tx.Error
	}
	if tx.RowsAffected == 0 {
		return refusal
	}
	return nil
}

// InsertUser stores a new user; it answers [ErrUserName] if the name is taken.
func (s *Store) InsertUser(ctx context.Context, u *Record) error {
	row := u.userRow()
	if err := s.db.Session(ctx).Create(&row).Error; err != nil {
		return taken(err, ErrUserName)
	}
	return s.insertValues(ctx, u.ID, indexedValues(u.Attributes))
}

func (s *Store) insertValues(ctx context.Context, id string, values []indexed) error {
	if len(values) == 0 {
		return nil
	}
	rows := make([]valueRow, len(values))
	for i, v := range values {
		rows[i] = valueRow{v.attribute, v.fold, id}
	}
	return s.db.Session(ctx).CreateInBatches(&rows, batch).Error
}

// User reads one user or answers [ErrNotFound].
func (s *Store) User(ctx context.Context, id string) (*Record, error) {
	return s.takeUser(s.db.Reader(ctx), id)
}

// LockUser reads one user like [Store.User], and keeps others from changing it until
// the unit in ctx ends.
func (s *Store) LockUser(ctx context.Context, id string) (*Record, error) {
	return s.takeUser(s.db.Session(ctx).Clauses(forChange), id)
}

func (s *Store) takeUser(tx *gorm.DB, id string) (*Record, error) {
	var row resourceRow
	err := tx.Table("users").Select("id", "doc", "version", "created_us", "modified_us").Where("id = ?", id).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, ErrNotFound.Detailf("User %s not found.", clip(id))
	}
	if err != nil {
		return nil, err
	}
	row.Kind = userKind
	return s.record(row)
}

// UpdateUser stores the next version of a user that was locked; before is what it
// was. It answers [ErrUserName] if the name is taken.
func (s *Store) UpdateUser(ctx context.Context, u, before *Record) error {
	row := u.userRow()
	err := one(s.db.Session(ctx).Model(&userRow{}).Where("id = ?", u.ID).Select("*").Omit("id", "created_us").Updates(&row), ErrNotFound)
	if err != nil {
		return taken(err, ErrUserName)
	}
	values, old := indexedValues(u.Attributes), indexedValues(before.Attributes)
	if slices.Equal(values, old) {
		return nil
	}
	if len(old) > 0 {
		if err := s.db.Session(ctx).Where("user_id = ?", u.ID).Delete(&valueRow{}).Error; err != nil {
			return err
		}
	}
	return s.insertValues(ctx, u.ID, values)
}

// DeleteUser removes a user from every group and then altogether. The user must have
// been locked by [Store.Condemn].
func (s *Store) DeleteUser(ctx context.Context, id string, at int64) error {
	if err := s.leave(ctx, id, at); err != nil {
		return err
	}
	return one(s.db.Session(ctx).Where("id = ?", id).Delete(&userRow{}), ErrNotFound)
}

// CondemnUser reads a user and keeps everybody else from it, since it will be
// deleted before the unit in ctx ends.
func (s *Store) CondemnUser(ctx context.Context, id string) (*Record, error) {
	return s.takeUser(s.db.Session(ctx).Clauses(forDelete), id)
}

// leave ends the memberships of somebody who is locked.
func (s *Store) leave(ctx context.Context, id string, at int64) error {
	var groups []string
	if err := s.db.Session(ctx).Model(&memberRow{}).Where("member_id = ?", id).Order("group_id").Pluck("group_id", &groups).Error; err != nil {
		return err
	}
	for part := range slices.Chunk(groups, batch) {
		var locked []string
		if err := s.db.Session(ctx).Model(&groupRow{}).Clauses(forChange).Where("id IN ?", part).Order("id").Pluck("id", &locked).Error; err != nil {
			return err
		}
		if err := s.db.Session(ctx).Where("group_id IN ? AND member_id = ?", part, id).Delete(&memberRow{}).Error; err != nil {
			return err
		}
		err := s.db.Session(ctx).Exec("UPDATE groups SET member_count = member_count - 1, version = version + 1, modified_us = ? WHERE id IN ?", at, part).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// InsertGroup stores a new group without members; it answers [ErrDisplayName] if the
// name is taken.
func (s *Store) InsertGroup(ctx context.Context, g *Record) error {
	row := g.groupRow()
	return taken(s.db.Session(ctx).Create(&row).Error, ErrDisplayName)
}

// Group reads one group without its members, or answers [ErrNotFound].
func (s *Store) Group(ctx context.Context, id string) (*Record, error) {
	return s.takeGroup(s.db.Reader(ctx), id)
}

// LockGroup reads one group like [Store.Group], and keeps others from changing it
// and its members until the unit in ctx ends.
func (s *Store) LockGroup(ctx context.Context, id string) (*Record, error) {
	return s.takeGroup(s.db.Session(ctx).Clauses(forChange), id)
}

// CondemnGroup reads a group and keeps everybody else from it, since it will be
// deleted before the unit in ctx ends.
func (s *Store) CondemnGroup(ctx context.Context, id string) (*Record, error) {
	return s.takeGroup(s.db.Session(ctx).Clauses(forDelete), id)
}

func (s *Store) takeGroup(tx *gorm.DB, id string) (*Record, error) {
	var row resourceRow
	err := tx.Table("groups").Select("id", "doc", "version", "created_us", "modified_us", "member_count").Where("id = ?", id).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, ErrNotFound.Detailf("Group %s not found.", clip(id))
	}
	if err != nil {
		return nil, err
	}
	row.Kind = groupKind
	return s.record(row)
}

// UpdateGroup stores the next version of a group that was locked; it answers
// [ErrDisplayName] if the name is taken.
func (s *Store) UpdateGroup(ctx context.Context, g *Record) error {
	row := g.groupRow()
	err := one(s.db.Session(ctx).Model(&groupRow{}).Where("id = ?", g.ID).Select("*").Omit("id", "created_us").Updates(&row), ErrNotFound)
	return taken(err, ErrDisplayName)
}

// TouchGroup stores the next version of a group that was locked and of which only
// the members changed.
func (s *Store) TouchGroup(ctx context.Context, g *Record) error {
	return one(s.db.Session(ctx).Exec("UPDATE groups SET member_count = ?, version = ?, modified_us = ? WHERE id = ?",
		g.MemberCount, g.Version, g.Modified, g.ID), ErrNotFound)
}

// DeleteGroup removes a group, its memberships, and itself from other groups. The
// group must have been locked by [Store.CondemnGroup].
func (s *Store) DeleteGroup(ctx context.Context, id string, at int64) error {
	if err := s.leave(ctx, id, at); err != nil {
		return err
	}
	// The members go with it: ON DELETE CASCADE.
	return one(s.db.Session(ctx).Where("id = ?", id).Delete(&groupRow{}), ErrNotFound)
}

// HoldMembers answers what kind of resource each of the identifiers is, of those
// that exist, and keeps them from being deleted until the unit in ctx ends.
func (s *Store) HoldMembers(ctx context.Context, ids []string) (map[string]string, error) {
	kinds := make(map[string]string, len(ids))
	for part := range slices.Chunk(ids, batch) {
		for _, kind := range []string{userKind, groupKind} {
			var found []string
			err := s.db.Session(ctx).Table(tableOf[kind]).Clauses(forMention).Where("id IN ?", part).Order("id").Pluck("id", &found).Error
			if err != nil {
				return nil, err
			}
			for _, id := range found {
				kinds[id] = kind
			}
			if len(found) == len(part) { // most often: all are users
				break
			}
			part = slices.DeleteFunc(slices.Clone(part), func(id string) bool { return kinds[id] != "" })
		}
	}
	return kinds, nil
}

// AddMembers adds members, of the kinds that [Store.HoldMembers] answered, to a
// group that was locked, and answers how many it had not had. It reads none of those
// the group has.
func (s *Store) AddMembers(ctx context.Context, group string, members []Member) (added int64, err error) {
	for part := range slices.Chunk(members, batch) {
		rows := make([]memberRow, len(part))
		for i, m := range part {
			rows[i] = memberRow{group, m.ID, m.Kind, m.Said}
		}
		tx := s.db.Session(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&rows)
		if tx.Error != nil {
			return 0, tx.Error
		}
		added += tx.RowsAffected
	}
	return added, nil
}

// RemoveMembers removes members from a group that was locked, and answers how many
// it had had.
func (s *Store) RemoveMembers(ctx context.Context, group string, ids []string) (removed int64, err error) {
	for part := range slices.Chunk(ids, batch) {
		tx := s.db.Session(ctx).Where("group_id = ? AND member_id IN ?", group, part).Delete(&memberRow{})
		if tx.Error != nil {
			return 0, tx.Error
		}
		removed += tx.RowsAffected
	}
	return removed, nil
}

// RemoveMembersWhere removes the members that meet a condition over columns of
// scim_group_members.
func (s *Store) RemoveMembersWhere(ctx context.Context, group string, c condition) (removed int64, err error) {
	tx := s.db.Session(ctx).Where("group_id = ?", group).Where(c.sql, c.values...).Delete(&memberRow{})
	return tx.RowsAffected, tx.Error
}

// ReplaceMembers gives a group that was locked these members and no others. Only
// what differs is written, by two statements over the sets, however large they are.
func (s *Store) ReplaceMembers(ctx context.Context, group string, members []Member) (added, removed int64, err error) {
	if len(members) == 0 {
		removed, err = s.RemoveMembersWhere(ctx, group, condition{sql: "1 = 1"})
		return 0, removed, err
	}
	stage := uuid.NewString()
	for part := range slices.Chunk(members, batch) {
		rows := make([]stageRow, len(part))
		for i, m := range part {
			rows[i] = stageRow{stage, m.ID, m.Kind, m.Said}
		}
		if err := s.db.Session(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error; err != nil {
			return 0, 0, err
		}
	}
	gone := s.db.Session(ctx).Exec(`DELETE FROM scim_group_members WHERE group_id = ? AND NOT EXISTS
		(SELECT 1 FROM scim_member_stage s WHERE s.stage_id = ? AND s.member_id = scim_group_members.member_id)`, group, stage)
	if gone.Error != nil {
		return 0, 0, gone.Error
	}
	come := s.db.Session(ctx).Exec(`INSERT INTO scim_group_members (group_id, member_id, member_type, said)
		SELECT ?, s.member_id, s.member_type, s.said FROM scim_member_stage s WHERE s.stage_id = ? AND NOT EXISTS
		(SELECT 1 FROM scim_group_members m WHERE m.group_id = ? AND m.member_id = s.member_id)`, group, stage, group)
	if come.Error != nil {
		return 0, 0, come.Error
	}
	err = s.db.Session(ctx).Where("stage_id = ?", stage).Delete(&stageRow{}).Error
	return come.RowsAffected, gone.RowsAffected, err
}

// Members reads the members of groups, each group's by id.
func (s *Store) Members(ctx context.Context, groups ...string) (map[string][]Member, error) {
	members := map[string][]Member{}
	for part := range slices.Chunk(groups, batch) {
		if err := s.readMembers(ctx, part, members); err != nil {
			return nil, err
		}
	}
	return members, nil
}

// readMembers reads row by row, since there may be half a million: each is kept once,
// and of what many rows share there is one text.
func (s *Store) readMembers(ctx context.Context, groups []string, into map[string][]Member) error {
	rows, err := s.db.Reader(ctx).Model(&memberRow{}).Select("group_id", "member_id", "member_type", "said").
		Where("group_id IN ?", groups).Order("group_id, member_id").Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	group, list := "", []Member(nil)
	keep := func() {
		if len(list) > 0 {
			into[group] = list
		}
	}
	var of, kind sql.RawBytes
	for rows.Next() {
		var m Member
		if err := rows.Scan(&of, &m.ID, &kind, &m.Said); err != nil {
			return s.db.Translate(err)
		}
		if string(of) != group {
			keep()
			group, list = string(of), nil
		}
		if m.Kind = userKind; string(kind) != userKind {
			m.Kind = groupKind
		}
		list = append(list, m)
	}
	keep()
	return s.db.Translate(rows.Err())
}

// Names answers what each of the resources is called.
func (s *Store) Names(ctx context.Context, ids []string) (map[string]string, error) {
	names := map[string]string{}
	for part := range slices.Chunk(ids, batch) {
		for table, column := range map[string]string{"users": "name", "groups": "display_name"} {
			var rows []struct{ ID, Name string }
			if err := s.db.Reader(ctx).Table(table).Select("id, "+column+" AS name").Where("id IN ?", part).Find(&rows).Error; err != nil {
				return nil, err
			}
			for _, r := range rows {
				names[r.ID] = r.Name
			}
		}
	}
	return names, nil
}

// GroupsOf reads the groups that have each of the members directly.
func (s *Store) GroupsOf(ctx context.Context, members ...string) (map[string][]GroupOf, error) {
	groups := map[string][]GroupOf{}
	for part := range slices.Chunk(members, batch) {
		var rows []struct{ MemberID, ID, DisplayName string }
		err := s.db.Reader(ctx).Raw(`SELECT m.member_id, g.id, g.display_name FROM scim_group_members m JOIN groups g ON g.id = m.group_id
			WHERE m.member_id IN ? ORDER BY m.member_id, g.id`, part).Scan(&rows).Error
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			groups[r.MemberID] = append(groups[r.MemberID], GroupOf{ID: r.ID, Display: r.DisplayName})
		}
	}
	return groups, nil
}

// ordering says by what a list is sorted: an expression that is NULL where a
// resource has no value to be sorted by. The zero ordering sorts by id alone.
type ordering struct {
	key        condition
	integer    bool // the key is one; else it is a text
	total      bool // the key is never NULL
	descending bool
}

// place is between two resources of a list: at the one of this id, whose key it is.
type place struct {
	id  string
	key *string // nil: it had none
}

// window is a piece of a list.
type window struct {
	offset int64
	at     *place // in place of an offset
	before bool   // it ends at the place instead of beginning there
	limit  int
}

// List reads a piece of the resources that sources find. Where there are several, all
// are sorted or none is.
func (s *Store) List(ctx context.Context, sources []source, w window) ([]Listed, error) {
	var rows []resourceRow
	order, from := sources[0].order, condition{}
	if len(sources) == 1 {
		from = glue("SELECT ", selected(sources[0].kind.ID, order.key), " FROM ", tableOf[sources[0].kind.ID], " WHERE (", sources[0].where, ")")
	} else {
		var union []any
		for i, f := range sources {
			if i > 0 {
				union = append(union, " UNION ALL ")
			}
			union = append(union, "SELECT ", selected(f.kind.ID, f.order.key), " FROM ", tableOf[f.kind.ID], " WHERE (", f.where, ")")
			order.descending = order.descending || f.order.descending
		}
		if order.key.sql != "" {
			// Keys are texts here: those of instants have the same length for the next 200 years.
			order = ordering{key: condition{sql: "sort_key"}, descending: order.descending}
		}
		from = glue("SELECT * FROM (", glue(union...), ") AS found WHERE (1 = 1)")
	}
	if w.before {
		order.descending = !order.descending
	}
	pieces := []any{from}
	if w.at != nil {
		pieces = append(pieces, " AND (", order.beyond(w.at), ")")
	}
	pieces = append(pieces, " ORDER BY ", order.clause(), " LIMIT ", bound{w.limit}, " OFFSET ", bound{w.offset})
	statement := glue(pieces...)
	if err := s.db.Reader(ctx).Raw(statement.sql, statement.values...).Scan(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]Listed, len(rows))
	for i, row := range rows {
		r, err := s.record(row)
		if err != nil {
			return nil, err
		}
		list[i] = Listed{r, row.SortKey}
	}
	if w.before {
		slices.Reverse(list)
	}
	return list, nil
}

func selected(kind string, key condition) condition {
	count := "0"
	if kind == groupKind {
		count = "member_count"
	}
	columns := "'" + kind + "' AS kind, id, doc, version, created_us, modified_us, " + count + " AS member_count"
	if key.sql == "" {
		return condition{sql: columns}
	}
	return glue(columns, ", CAST(", key, " AS text) AS sort_key")
}

// clause writes the order. RFC 7644, 3.4.2.3 (Sorting): resources without a value
// come last, and first when descending. The id makes the order total.
func (o ordering) clause() condition {
	direction := ""
	if o.descending {
		direction = " DESC"
	}
	switch {
	case o.key.sql == "":
		return condition{sql: "id" + direction}
	case o.total:
		return glue(o.key, direction, ", id", direction)
	}
	return glue("(CASE WHEN ", o.key, " IS NULL THEN 1 ELSE 0 END)", direction, ", ", o.key, direction, ", id", direction)
}

// beyond is the condition for what comes after a place.
func (o ordering) beyond(at *place) condition {
	than := " > "
	if o.descending {
		than = " < "
	}
	further := glue("id", than, bound{at.id})
	if o.key.sql == "" {
		return further
	}
	if at.key == nil {
		c := glue("(", o.key, " IS NULL AND ", further, ")")
		if o.descending { // those with a value are still to come
			c = glue(c, " OR ", o.key, " IS NOT NULL")
		}
		return c
	}
	value := bound{*at.key}
	if o.integer {
		n, err := strconv.ParseInt(*at.key, 10, 64)
		if err != nil { // cursors are sealed: this one was not ours
			return never
		}
		value = bound{n}
	}
	c := glue(o.key, than, value, " OR (", o.key, " = ", value, " AND ", further, ")")
	if !o.descending && !o.total {
		c = glue(c, " OR ", o.key, " IS NULL")
	}
	return c
}

// Count counts the resources of one kind that meet a condition.
func (s *Store) Count(ctx context.Context, kind string, where condition) (n int64, err error) {
	err = s.db.Reader(ctx).Raw("SELECT COUNT(*) FROM "+tableOf[kind]+" WHERE ("+where.sql+")", where.values...).Scan(&n).Error
	return n, err
}

// record reads a row, whose document this program wrote.
func (s *Store) record(row resourceRow) (*Record, error) {
	r, err := resource.Load(s.types[row.Kind], row.Doc)
	if err != nil {
		return nil, fmt.Errorf("scim: read %s %s: %w", row.Kind, row.ID, err)
	}
	return &Record{Resource: r, ID: row.ID, Version: row.Version, Created: row.CreatedUS, Modified: row.ModifiedUS, MemberCount: row.MemberCount}, nil
}

// Note implements [Records].
func (s *Store) Note(ctx context.Context, contacts []Contact, failures []Failure) error {
	return s.db.Do(ctx, func(ctx context.Context) error {
		for _, c := range contacts {
			err := s.db.Session(ctx).Exec(`INSERT INTO scim_contacts (principal, first_at, last_at, requests, failures) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT (principal) DO UPDATE SET last_at = excluded.last_at, requests = scim_contacts.requests + excluded.requests,
				failures = scim_contacts.failures + excluded.failures`, c.Principal, c.First, c.Last, c.Requests, c.Failures).Error
			if err != nil {
				return err
			}
		}
		if len(failures) == 0 {
			return nil
		}
		rows := make([]failureRow, len(failures))
		for i, f := range failures {
			rows[i] = failureRow{
				ID: f.ID, At: f.At, Principal: f.Principal, RequestID: f.RequestID, Method: f.Method, Route: f.Route, Status: f.Status,
				ScimType: f.Keyword, Code: f.Code, Detail: f.Detail, Request: f.Request, Count: f.Count,
			}
		}
		if err := s.db.Session(ctx).Create(&rows).Error; err != nil {
			return err
		}
		return s.db.Session(ctx).Exec(`DELETE FROM scim_failures WHERE id < (SELECT MIN(id) FROM
			(SELECT id FROM scim_failures ORDER BY id DESC LIMIT ?) AS kept)`, FailuresKept).Error
	})
}

// Contacts lists who provisions, the last heard of first.
func (s *Store) Contacts(ctx context.Context) ([]Contact, error) {
	var rows []contactRow
	if err := s.db.Reader(ctx).Order("last_at DESC, principal").Limit(journalContacts).Find(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]Contact, len(rows))
	for i, r := range rows {
		list[i] = Contact{r.Principal, r.FirstAt.UTC(), r.LastAt.UTC(), r.Requests, r.Failures}
	}
	return list, nil
}

// Failures lists what was refused, the last first.
func (s *Store) Failures(ctx context.Context, limit int) ([]Failure, error) {
	var rows []failureRow
	if err := s.db.Reader(ctx).Order("id DESC").Limit(limit).Find(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]Failure, len(rows))
	for i, r := range rows {
		list[i] = Failure{
			ID: r.ID, At: r.At.UTC(), Principal: r.Principal, RequestID: r.RequestID, Method: r.Method, Route: r.Route, Status: r.Status,
			Keyword: r.ScimType, Code: r.Code, Detail: r.Detail, Request: r.Request, Count: r.Count,
		}
	}
	return list, nil
}

// Counts are how many resources there are, of each kind.
type Counts struct {
	Users, Inactive, UnlinkedUsers int64
	Groups, UnlinkedGroups         int64
}

// Counts counts the resources.
func (s *Store) Counts(ctx context.Context) (c Counts, err error) {
	err = s.db.Reader(ctx).Raw(`SELECT (SELECT COUNT(*) FROM users) AS users,
		(SELECT COUNT(*) FROM users WHERE NOT is_active) AS inactive,
		(SELECT COUNT(*) FROM users WHERE NOT is_linked) AS unlinked_users,
		(SELECT COUNT(*) FROM groups) AS groups,
		(SELECT COUNT(*) FROM groups WHERE NOT is_linked) AS unlinked_groups`).Scan(&c).Error
	return c, err
}

// Standing answers, of the users of an external id, whether there are any and whether
// all are active. The id is compared without regard to case.
func (s *Store) Standing(ctx context.Context, externalFold string) (found, active bool, err error) {
	var rows []bool
	err = s.db.Reader(ctx).Model(&userRow{}).Where("external_id_fold = ?", externalFold).Pluck("is_active", &rows).Error
	return len(rows) > 0, !slices.Contains(rows, false), err
}

// ExternalGroups answers the external ids of the groups that have the user of an
// external id as a direct member.
func (s *Store) ExternalGroups(ctx context.Context, externalFold string) ([]string, error) {
	var ids []string
	err := s.db.Reader(ctx).Raw(`SELECT DISTINCT g.external_id FROM users u JOIN scim_group_members m ON m.member_id = u.id
		JOIN groups g ON g.id = m.group_id WHERE u.external_id_fold = ? AND g.external_id IS NOT NULL`, externalFold).Scan(&ids).Error
	return ids, err
}

// ExternalGroupsNamed answers the external id, or an empty text, of each group of a name.
func (s *Store) ExternalGroupsNamed(ctx context.Context, nameFold string) ([]string, error) {
	var rows []groupRow
	err := s.db.Reader(ctx).Select("external_id").Where("display_name_fold = ?", nameFold).Order("id").Limit(2).Find(&rows).Error
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = plain(r.ExternalID)
	}
	return ids, err
}

// Reach is how somebody is reached, by one of the columns below.
type Reach struct {
	ID, Email string
	IsActive  bool
}

// Reaches finds at most two users by "id", "external_id_fold" or "user_name_fold".
func (s *Store) Reaches(ctx context.Context, column, value string) ([]Reach, error) {
	var rows []userRow
	err := s.db.Reader(ctx).Select("id", "email", "is_active").Where(clause.Eq{Column: clause.Column{Name: column}, Value: value}).Limit(2).Find(&rows).Error
	list := make([]Reach, len(rows))
	for i, r := range rows {
		list[i] = Reach{r.ID, plain(r.Email), r.IsActive}
	}
	return list, err
}
