package scim

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/badge-engine/badge-engine/modules/scim/cursor"
	"github.com/badge-engine/badge-engine/modules/scim/patch"
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/resource"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
	"github.com/badge-engine/badge-engine/platform/metric"
)

// Service holds the rules of the directory. Every method that changes something is
// one unit of work: all of it is stored, with its event in the audit trail and with
// what it means for who may come in, or nothing.
type Service struct {
	cfg      Config
	registry *schema.Registry
	store    *Store
	work     Work
	people   People // nil without
	roles    Roles  // nil without
	audit    Audit  // nil without
	tenant   string // of Entra; empty without
	base     string // the address of the service
	cursors  *cursor.Keeper
	tally    *metric.Counter // may be nil
	now      func() time.Time
	log      *slog.Logger
}

// Parts are what a service is made of.
type Parts struct {
	Config   Config
	Registry *schema.Registry
	Store    *Store
	Work     Work
	People   People // may be nil
	Roles    Roles  // may be nil
	Audit    Audit  // may be nil
	Tenant   string // may be empty: then nobody who signs in is in this directory
	Base     string
	Key      Key
	Count    *metric.Counter // may be nil
	Now      func() time.Time
	Log      *slog.Logger
}

// Key is the secret under which cursors are sealed, the same on every replica.
type Key []byte

// cursorLifetime is how long a client may take from one page to the next.
const cursorLifetime = time.Hour

// New builds the service.
func New(p Parts) *Service {
	return &Service{
		cfg: p.Config, registry: p.Registry, store: p.Store, work: p.Work, people: p.People, roles: p.Roles, audit: p.Audit, tenant: p.Tenant, base: p.Base,
		cursors: cursor.New(p.Key, cursorLifetime, p.Now), now: p.Now, log: p.Log, tally: p.Count,
	}
}

// NewCounter makes the counter of what provisioning asks for.
func NewCounter() *metric.Counter {
	return metric.NewCounter("badge_engine_provisioned_total", "Changes of users and groups that provisioning asked for, those within bulk requests included, by operation and outcome.", "resource", "operation", "outcome")
}

// counted counts one change; the type may be nil where none was named.
func (s *Service) counted(t *schema.ResourceType, operation string, err error) {
	resource := "other"
	if t != nil {
		resource = t.ID
	}
	came := metric.Outcome(faulty(err))
	if e, ok := refusal.From(err); ok && e.Status >= 500 { // of a bulk request, which answers all the same
		came = metric.Failed
	}
	s.tally.Count(1, resource, operation, came)
}

// View is which attributes an answer shall have: the parameters attributes and
// excludedAttributes, each a list of names.
type View struct{ Attributes, Excluded []string }

// asked reports whether an answer with a body is wanted where none need be.
func (v View) asked() bool { return len(v.Attributes) > 0 || len(v.Excluded) > 0 }

// Answer is a resource as it is answered. Body is nil where there is none.
type Answer struct {
	Body     *tree.Object
	ID       string
	Location string
	ETag     string
	Fresh    bool // the caller has this version already
}

// instant is now, as precise as meta shows it.
func (s *Service) instant() int64 { return s.now().UnixMilli() * 1000 }

// location is the address of a resource.
func (s *Service) location(kind, id string) string { return s.base + endpointOf[kind] + "/" + id }

func (s *Service) answer(r *Record) *Answer {
	return &Answer{ID: r.ID, Location: s.location(r.Type.ID, r.ID), ETag: r.ETag()}
}

// known refuses identifiers that are none of ours: nothing can have them.
func known(t *schema.ResourceType, id string) error {
	if !isID(id) {
		return ErrNotFound.Detailf("%s %s not found.", t.ID, clip(id))
	}
	return nil
}

// matches answers [ErrPrecondition] unless the header If-Match allows for this
// version (RFC 7644, 3.14; RFC 9110, 13.1.1, If-Match). Versions are compared weakly,
// since that is what ours are.
func matches(ifMatch string, r *Record) error {
	if ifMatch == "" || named(ifMatch, r) {
		return nil
	}
	return ErrPrecondition.Detailf("The current version is %s. Read the resource again and repeat the change.", r.ETag())
}

func named(header string, r *Record) bool {
	current := strings.TrimPrefix(r.ETag(), "W/")
	for tag := range strings.SplitSeq(header, ",") {
		if tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/"); tag == "*" || tag == current {
			return true
		}
	}
	return false
}

// Read answers one resource, or [ErrNotFound].
func (s *Service) Read(ctx context.Context, t *schema.ResourceType, id, ifNoneMatch string, view View) (*Answer, error) {
	p, err := resource.ParseProjection(t, view.Attributes, view.Excluded)
	if err != nil {
		return nil, err
	}
	if err := known(t, id); err != nil {
		return nil, err
	}
	r, err := s.take(ctx, t, id)
	if err != nil {
		return nil, err
	}
	if ifNoneMatch != "" && named(ifNoneMatch, r) {
		a := s.answer(r)
		a.Fresh = true
		return a, nil
	}
	return s.full(ctx, r, p, view)
}

func (s *Service) take(ctx context.Context, t *schema.ResourceType, id string) (*Record, error) {
	if t.ID == groupKind {
		return s.store.Group(ctx, id)
	}
	return s.store.User(ctx, id)
}

// full is the answer with the body that a projection asks for.
func (s *Service) full(ctx context.Context, r *Record, p *resource.Projection, view View) (*Answer, error) {
	related, err := s.related(ctx, r.Type, []*Record{r}, p, view, false)
	if err != nil {
		return nil, err
	}
	a := s.answer(r)
	a.Body = s.body(r, related, p)
	return a, nil
}

// relations are the groups of users, or the members of groups, as they are answered.
type relations map[string]tree.Value

// related reads the relations that a projection asks for, by one query for all the
// records. A list leaves the members of large groups out.
func (s *Service) related(ctx context.Context, t *schema.ResourceType, records []*Record, p *resource.Projection, view View, list bool) (relations, error) {
	var ids []string
	related := relations{}
	if t.ID == userKind {
		if !p.Wants("groups") {
			return related, nil
		}
		for _, r := range records {
			ids = append(ids, r.ID)
		}
		groups, err := s.store.GroupsOf(ctx, ids...)
		if err != nil {
			return nil, err
		}
		for id, of := range groups {
			items := make([]tree.Value, len(of))
			for i, g := range of {
				items[i] = tree.Of(tree.NewObject(
					tree.Member{Name: "value", Value: tree.Text(g.ID)},
					tree.Member{Name: "$ref", Value: tree.Text(s.location(groupKind, g.ID))},
					tree.Member{Name: "display", Value: tree.Text(g.Display)},
					tree.Member{Name: "type", Value: tree.Text("direct")}))
			}
			related[id] = tree.Items(items...)
		}
		return related, nil
	}
	if !p.Wants("members") {
		return related, nil
	}
	for _, r := range records {
		if r.MemberCount > 0 && (!list || r.MemberCount <= int64(s.cfg.ListedMembers)) {
			ids = append(ids, r.ID)
		}
	}
	members, err := s.store.Members(ctx, ids...)
	if err != nil {
		return nil, err
	}
	// What a client did not send confuses the ones that compare: kind and address of a
	// member are for who said them, and with its name for who asks for members by name.
	detailed := slices.ContainsFunc(view.Attributes, func(name string) bool {
		path, fault := t.Resolve(name)
		return fault == schema.Found && path.Attribute != nil && path.Attribute.Name == "members"
	})
	names := map[string]string{}
	if detailed {
		var all []string
		for _, of := range members {
			for _, m := range of {
				all = append(all, m.ID)
			}
		}
		if names, err = s.store.Names(ctx, all); err != nil {
			return nil, err
		}
	}
	for id, of := range members {
		items, values := make([]tree.Value, len(of)), make([]tree.Member, len(of))
		for i, m := range of {
			values[i] = tree.Member{Name: "value", Value: tree.Text(m.ID)}
			o := tree.NewObject(values[i : i+1 : i+1]...) // most need no more room
			if detailed || m.Said&SaidRef != 0 {
				o.Set("$ref", tree.Text(s.location(m.Kind, m.ID)))
			}
			if detailed || m.Said&SaidType != 0 {
				o.Set("type", tree.Text(m.Kind))
			}
			if name := names[m.ID]; name != "" {
				o.Set("display", tree.Text(name))
			}
			items[i] = tree.Of(o)
		}
		related[id] = tree.Items(items...)
	}
	return related, nil
}

// body is a resource with what the server knows of it.
func (s *Service) body(r *Record, related relations, p *resource.Projection) *tree.Object {
	whole := &resource.Resource{Type: r.Type, Attributes: r.Attributes.Clone()}
	whole.Set("id", tree.Text(r.ID))
	whole.Set("meta", tree.Of(tree.NewObject(
		tree.Member{Name: "resourceType", Value: tree.Text(r.Type.ID)},
		tree.Member{Name: "created", Value: tree.Text(stamp(r.Created))},
		tree.Member{Name: "lastModified", Value: tree.Text(stamp(r.Modified))},
		tree.Member{Name: "location", Value: tree.Text(s.location(r.Type.ID, r.ID))},
		tree.Member{Name: "version", Value: tree.Text(r.ETag())})))
	if r.Type.ID == userKind {
		whole.Set("groups", related[r.ID])
	} else {
		whole.Set("members", related[r.ID])
	}
	return p.Apply(whole)
}

// record writes a deed into the audit trail.
func (s *Service) record(ctx context.Context, action, target, detail string) error {
	if s.audit == nil {
		return nil
	}
	return s.audit.Record(ctx, "scim."+action, target, detail, nil)
}

// Create makes a resource. It answers with a [*refusal.Error] or with
// [ErrUniqueness].
func (s *Service) Create(ctx context.Context, t *schema.ResourceType, body string, view View) (*Answer, error) {
	p, err := resource.ParseProjection(t, view.Attributes, view.Excluded)
	if err != nil {
		return nil, err
	}
	decoded, err := resource.Decode(t, body)
	if err != nil {
		return nil, err
	}
	members := s.detach(decoded)
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	at := s.instant()
	r := &Record{Resource: decoded, ID: id.String(), Version: 1, Created: at, Modified: at, uniqueName: s.cfg.UniqueGroupNames}
	if err := r.fits(); err != nil {
		return nil, err
	}
	err = s.work.Do(ctx, func(ctx context.Context) error {
		if t.ID == groupKind {
			return s.createGroup(ctx, r, members)
		}
		if err := s.store.InsertUser(ctx, r); err != nil {
			return err
		}
		if err := s.admit(ctx, nil, r); err != nil {
			return err
		}
		return s.record(ctx, "user.created", r.ID, "")
	})
	if err != nil {
		return nil, err
	}
	s.log.DebugContext(ctx, "resource created", slog.String("kind", t.ID), slog.String("id", r.ID))
	if len(members) == 0 { // nobody can have put it into a group yet
		a := s.answer(r)
		a.Body = s.body(r, relations{}, p)
		return a, nil
	}
	return s.full(ctx, r, p, view)
}

// detach takes the members out of a group's attributes.
func (s *Service) detach(r *resource.Resource) []resource.Member {
	r.Attributes.Delete("groups")
	if r.Type.ID != groupKind {
		return nil
	}
	members := resource.Members(r.Get("members"))
	r.Attributes.Delete("members")
	return members
}

func (s *Service) createGroup(ctx context.Context, r *Record, wanted []resource.Member) error {
	members, err := s.hold(ctx, wanted)
	if err != nil {
		return err
	}
	r.MemberCount = int64(len(members))
	if err := s.store.InsertGroup(ctx, r); err != nil {
		return err
	}
	if _, err := s.store.AddMembers(ctx, r.ID, members); err != nil {
		return err
	}
	if err := s.regard(ctx, r); err != nil {
		return err
	}
	return s.record(ctx, "group.created", r.ID, changes(r.MemberCount, 0))
}

// hold makes members of what a client names, ordered by id, and keeps them from being
// deleted. An identifier that nothing has would be a loss nobody notices, hence the
// refusal; Entra repeats it when the user is there.
func (s *Service) hold(ctx context.Context, wanted []resource.Member) ([]Member, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	ids := make([]string, len(wanted))
	said := make(map[string]Said)
	for i, m := range wanted {
		ids[i] = m.Value
		if m.Type != "" {
			said[m.Value] |= SaidType
		}
		if m.Ref != "" {
			said[m.Value] |= SaidRef
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	var unknown []string
	real := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !isID(id) })
	kinds, err := s.store.HoldMembers(ctx, real)
	if err != nil {
		return nil, err
	}
	members := make([]Member, 0, len(ids))
	for _, id := range ids {
		if kinds[id] == "" {
			unknown = append(unknown, clip(id))
			continue
		}
		members = append(members, Member{id, kinds[id], said[id]})
	}
	if len(unknown) > 0 {
		const shown = 10
		more := ""
		if len(unknown) > shown {
			more = " and " + strconv.Itoa(len(unknown)-shown) + " more"
			unknown = unknown[:shown]
		}
		return nil, refusal.New(refusal.InvalidValue, "members: no user or group has the id %s%s. Nothing was changed; create the member first.", strings.Join(unknown, ", "), more)
	}
	return members, nil
}

// changes is the detail of an event about a group's members.
func changes(added, removed int64) string {
	if added == 0 && removed == 0 {
		return ""
	}
	return "members:+" + strconv.FormatInt(added, 10) + ",-" + strconv.FormatInt(removed, 10)
}

// Replace gives a resource other attributes (RFC 7644, 3.5.1). It answers with a
// [*refusal.Error], [ErrNotFound], [ErrPrecondition] or [ErrUniqueness].
func (s *Service) Replace(ctx context.Context, t *schema.ResourceType, id, ifMatch, body string, view View) (*Answer, error) {
	p, err := resource.ParseProjection(t, view.Attributes, view.Excluded)
	if err != nil {
		return nil, err
	}
	if err := known(t, id); err != nil {
		return nil, err
	}
	decoded, err := resource.Decode(t, body)
	if err != nil {
		return nil, err
	}
	members := s.detach(decoded)
	var r *Record
	err = s.work.Do(ctx, func(ctx context.Context) (err error) {
		r, err = s.change(ctx, t, id, ifMatch, change{
			apply: func(before *resource.Resource) (*resource.Resource, bool, error) {
				if err := resource.CheckReplace(before, decoded); err != nil {
					return nil, false, err
				}
				return decoded, !tree.Of(before.Attributes).Equal(tree.Of(decoded.Attributes)), nil
			},
			members: []patch.MemberStep{{Clear: true, Add: members}},
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.full(ctx, r, p, view)
}

// Modify changes a resource (RFC 7644, 3.5.2). The answer has a body for users, and
// for groups where a view was asked for: without members to read, a change of a group
// of any size costs what a change of a small one does. It answers with a
// [*refusal.Error], [ErrNotFound], [ErrPrecondition] or [ErrUniqueness].
func (s *Service) Modify(ctx context.Context, t *schema.ResourceType, id, ifMatch, body string, view View) (*Answer, error) {
	p, err := resource.ParseProjection(t, view.Attributes, view.Excluded)
	if err != nil {
		return nil, err
	}
	if err := known(t, id); err != nil {
		return nil, err
	}
	changes, err := patch.Normalize(t, body)
	if err != nil {
		return nil, err
	}
	if len(changes.Ignored) > 0 {
		s.log.DebugContext(ctx, "attributes that no schema has were ignored", slog.String("id", id), slog.Any("attributes", unknownNames(changes.Ignored)))
	}
	var r *Record
	err = s.work.Do(ctx, func(ctx context.Context) (err error) {
		r, err = s.change(ctx, t, id, ifMatch, change{apply: changes.Apply, members: changes.Members})
		return err
	})
	if err != nil {
		return nil, err
	}
	if t.ID == groupKind && !view.asked() {
		return s.answer(r), nil
	}
	return s.full(ctx, r, p, view)
}

// unknownNames is the first of the names that no schema has, for the log: a mistake in a mapping is to be seen, and what is
// no name is nobody's business.
func unknownNames(ignored []string) []string {
	const shown = 10
	names := slices.Clone(ignored[:min(len(ignored), shown)])
	for i, name := range names {
		if !attributeForm.MatchString(name) {
			names[i] = "…"
		}
	}
	return names
}

// change is what is done to a resource in one unit.
type change struct {
	apply   func(*resource.Resource) (*resource.Resource, bool, error)
	members []patch.MemberStep // of a group
}

// change carries a change out, within a unit. Where it makes no difference nothing is
// written, and the version stays.
func (s *Service) change(ctx context.Context, t *schema.ResourceType, id, ifMatch string, c change) (*Record, error) {
	if t.ID == groupKind {
		return s.changeGroup(ctx, id, ifMatch, c)
	}
	before, err := s.store.LockUser(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := matches(ifMatch, before); err != nil {
		return nil, err
	}
	to, different, err := c.apply(before.Resource)
	if err != nil || !different {
		return before, err
	}
	after := before.next(to, s.instant())
	if err := after.fits(); err != nil {
		return nil, err
	}
	if err := s.store.UpdateUser(ctx, after, before); err != nil {
		return nil, err
	}
	if err := s.admit(ctx, before, after); err != nil {
		return nil, err
	}
	action := "user.changed"
	if before.active() != after.active() {
		action = map[bool]string{true: "user.activated", false: "user.deactivated"}[after.active()]
	}
	s.log.DebugContext(ctx, "resource changed", slog.String("kind", t.ID), slog.String("id", id), slog.Int64("version", after.Version))
	return after, s.record(ctx, action, id, "")
}

func (s *Service) changeGroup(ctx context.Context, id, ifMatch string, c change) (*Record, error) {
	// Members are held before the group is, as everywhere: see the locks in the store.
	var wanted []resource.Member
	for _, step := range c.members {
		wanted = append(wanted, step.Add...)
	}
	held, missing := s.hold(ctx, wanted)
	if _, refused := refusal.From(missing); missing != nil && !refused {
		return nil, missing
	}
	before, err := s.store.LockGroup(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := matches(ifMatch, before); err != nil {
		return nil, err
	}
	if missing != nil {
		return nil, missing
	}
	to, different, err := c.apply(before.Resource)
	if err != nil {
		return nil, err
	}
	added, removed, err := s.regroup(ctx, id, c.members, held)
	if err != nil || !different && added == 0 && removed == 0 {
		return before, err
	}
	after := before.next(to, s.instant())
	after.MemberCount += added - removed
	after.uniqueName = s.cfg.UniqueGroupNames
	if different {
		if err := after.fits(); err != nil {
			return nil, err
		}
		err = s.store.UpdateGroup(ctx, after)
	} else {
		err = s.store.TouchGroup(ctx, after)
	}
	if err != nil {
		return nil, err
	}
	if err := s.regard(ctx, before, after); err != nil {
		return nil, err
	}
	s.log.DebugContext(ctx, "resource changed", slog.String("kind", groupKind), slog.String("id", id), slog.Int64("version", after.Version),
		slog.Int64("members_added", added), slog.Int64("members_removed", removed))
	return after, s.record(ctx, "group.changed", id, changes(added, removed))
}

// regroup changes the members of a group that is locked, without reading them.
func (s *Service) regroup(ctx context.Context, id string, steps []patch.MemberStep, held []Member) (added, removed int64, err error) {
	of := make(map[string]Member, len(held))
	for _, m := range held {
		of[m.ID] = m
	}
	for _, step := range steps {
		add := make([]Member, 0, len(step.Add))
		for _, m := range step.Add {
			add = append(add, of[m.Value])
		}
		slices.SortFunc(add, func(a, b Member) int { return strings.Compare(a.ID, b.ID) })
		var come, gone int64
		switch {
		case step.Where != nil:
			where, err := memberCondition(s.store.db.JSON(), s.base, step.Where)
			if err != nil {
				return 0, 0, err
			}
			gone, err = s.store.RemoveMembersWhere(ctx, id, where)
			if err != nil {
				return 0, 0, err
			}
		case step.Clear:
			if come, gone, err = s.store.ReplaceMembers(ctx, id, add); err != nil {
				return 0, 0, err
			}
		default:
			if gone, err = s.store.RemoveMembers(ctx, id, step.Remove); err != nil {
				return 0, 0, err
			}
			if come, err = s.store.AddMembers(ctx, id, add); err != nil {
				return 0, 0, err
			}
		}
		added, removed = added+come, removed+gone
	}
	return added, removed, nil
}

// Delete removes a resource (RFC 7644, 3.6). It answers with [ErrNotFound] or
// [ErrPrecondition].
func (s *Service) Delete(ctx context.Context, t *schema.ResourceType, id, ifMatch string) error {
	if err := known(t, id); err != nil {
		return err
	}
	return s.work.Do(ctx, func(ctx context.Context) error {
		condemn, remove, action := s.store.CondemnUser, s.store.DeleteUser, "user.deleted"
		if t.ID == groupKind {
			condemn, remove, action = s.store.CondemnGroup, s.store.DeleteGroup, "group.deleted"
		}
		r, err := condemn(ctx, id)
		if err != nil {
			return err
		}
		if err := matches(ifMatch, r); err != nil {
			return err
		}
		if err := remove(ctx, id, s.instant()); err != nil {
			return err
		}
		follow := func() error { return s.admit(ctx, r, nil) }
		if t.ID == groupKind {
			follow = func() error { return s.regard(ctx, r) }
		}
		if err := follow(); err != nil {
			return err
		}
		s.log.DebugContext(ctx, "resource deleted", slog.String("kind", t.ID), slog.String("id", id))
		return s.record(ctx, action, id, "")
	})
}

// admit tells who of the organisation may come in after a change of a user; before is
// nil for a new one, after for one that is gone. It joins the unit of the change, so
// that either both are stored or neither.
func (s *Service) admit(ctx context.Context, before, after *Record) error {
	if s.people == nil || s.tenant == "" {
		return nil
	}
	was, is := "", ""
	if before != nil && before.active() {
		was = strings.ToLower(before.object())
	}
	if after != nil && after.active() {
		is = strings.ToLower(after.object())
	}
	out := ""
	switch {
	case was != "" && was != is:
		out = was
	case before == nil && after != nil && !after.active():
		out = after.object()
	}
	if out != "" {
		if err := s.people.Deactivate(ctx, s.tenant, out); err != nil {
			return err
		}
	}
	if is != "" && is != was {
		return s.people.Reactivate(ctx, s.tenant, is)
	}
	return nil
}

// regard tells that a group or its members changed; groups are what it was and is.
func (s *Service) regard(ctx context.Context, groups ...*Record) error {
	if s.roles == nil {
		return nil
	}
	var ids, names []string
	for _, g := range groups {
		ids, names = append(ids, g.text("externalId")), append(names, g.text("displayName"))
	}
	return s.roles.GroupChanged(ctx, ids, names)
}
