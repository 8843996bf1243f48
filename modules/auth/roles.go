package auth

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/badge-engine/badge-engine/modules/auth/entra"
	"github.com/badge-engine/badge-engine/platform/principal"
)

const (
	// rolesHold is how long roles are believed before they are found out again.
	rolesHold = 5 * time.Minute
	// rolesRetry is how soon Graph is asked again after it did not answer.
	rolesRetry = 30 * time.Second
	// graphDeadline is how long a request waits for Graph at most.
	graphDeadline = 10 * time.Second
	graphMemory   = 10_000 // people
)

// Standing is what somebody is in the organisation, and until when that is to be
// believed.
type Standing struct {
	Roles []string
	Until time.Time
	Era   int64 // of the directory in which it was found out
}

// Roles says what people and applications of the organisation are. An empty list
// of groups means nobody, and what cannot be found out is no role.
type Roles struct {
	appRoles  map[string]string // role by value of the app role
	lists     []roleList
	wanted    bool // somebody could have a role
	fromGraph bool
	directory Directory   // nil without
	graph     Memberships // nil without
	now       func() time.Time
	log       *slog.Logger

	eras Eras // nil without
	era  *atomic.Int64

	mu       sync.Mutex
	meaning  map[string][]string // roles by object id of the group
	resolved time.Time           // when the names in the lists were last looked up
	inEra    int64               // and in which era
	told     string              // what the log was last told of them

	answers *memo[person, graphAnswer]
	flight  singleflight.Group
}

// roleList is one setting: the groups whose members have a role.
type roleList struct {
	role, setting string
	entries       []string
}

type graphAnswer struct {
	groups []string
	until  time.Time
}

// NewRoles makes a Roles of the app roles and lists of groups in the configuration.
func NewRoles(parts Parts) (*Roles, error) {
	cfg := parts.Config
	appRoles, err := parseAppRoles(cfg.AppRoles)
	if err != nil {
		return nil, err
	}
	era := parts.Era
	if era == nil {
		era = new(atomic.Int64)
	}
	return &Roles{
		eras: parts.Eras, era: era,
		appRoles: appRoles,
		lists: []roleList{
			{principal.RoleAdmin, "ENTRA_ADMIN_GROUPS", cfg.AdminGroups},
			{principal.RoleIssuer, "ENTRA_ISSUER_GROUPS", cfg.IssuerGroups},
			{principal.RoleAuditor, "AUTH_AUDITOR_GROUPS", cfg.AuditorGroups},
		},
		wanted: parts.Tenant.Enabled(), fromGraph: cfg.GroupsFromGraph, directory: parts.Directory, graph: parts.Memberships, now: parts.Now, log: parts.Log,
		answers: newMemo[person, graphAnswer](graphMemory),
	}, nil
}

// Start looks up the names in the lists and logs whom the lists mean.
func (r *Roles) Start(ctx context.Context) {
	if r.wanted {
		r.groups(ctx)
	}
}

// Of finds out the roles of whoever the claims are about. It answers [ErrNoRole]
// for an application without an accepted app role. The claims are fresh when they
// have just been issued; otherwise Graph may know better, where it shall be asked.
//
// App roles come first, then the groups in the token, then provisioned
// memberships, then Graph; an admin needs no more. What Graph would say is left
// out where it does not answer.
func (r *Roles) Of(ctx context.Context, c entra.Claims, fresh bool) (Standing, error) {
	s := Standing{Until: r.now().Add(rolesHold), Era: r.era.Load()}
	for _, value := range c.Roles {
		if role, known := r.appRoles[value]; known {
			s.add(role)
		}
	}
	if c.Kind == entra.App {
		if len(s.Roles) == 0 {
			return s, ErrNoRole.Detailf("Assign it an app role of this server in Entra, give admin consent, and ask for a new token.")
		}
		return s.settled(), nil
	}
	// Or somebody could keep the directory that makes them an admin.
	s.Roles = slices.DeleteFunc(s.Roles, func(role string) bool { return role == principal.RoleProvisioner })
	meaning := r.groups(ctx)
	grant := func(groups []string) bool {
		for _, group := range groups {
			s.add(meaning[strings.ToLower(group)]...)
		}
		return s.is(principal.RoleAdmin)
	}
	ask := r.graph != nil && len(meaning) > 0 && (c.GroupsOverage || !fresh && r.fromGraph)
	if s.is(principal.RoleAdmin) || !(ask && !c.GroupsOverage) && grant(c.Groups) {
		return s.settled(), nil
	}
	if r.directory != nil && len(meaning) > 0 {
		groups, err := r.directory.Groups(ctx, c.TenantID, c.ObjectID)
		if err != nil {
			return Standing{}, ErrUnsure.With(err)
		}
		if grant(groups) {
			return s.settled(), nil
		}
	}
	if ask {
		answer := r.memberships(ctx, personOf(c.TenantID, c.ObjectID), meaning)
		grant(answer.groups)
		if answer.until.Before(s.Until) {
			s.Until = answer.until
		}
	}
	return s.settled(), nil
}

// stale reports whether a standing is to be found out again: it is old, or a group
// that gives roles has changed since.
func (r *Roles) stale(s Standing, now time.Time) bool {
	return !now.Before(s.Until) || s.Era < r.era.Load()
}

// GroupChanged must be told of every change of a provisioned group or of its members,
// with the external ids and names that it had and has. If one of them gives roles,
// everybody's are found out again within two seconds, on every replica. It joins the
// unit of work of ctx.
func (r *Roles) GroupChanged(ctx context.Context, externalIDs, names []string) error {
	if r.eras == nil || !r.gives(externalIDs, names) {
		return nil
	}
	return r.eras.Advance(ctx)
}

// gives reports whether a group of one of these ids or names is in the lists. What
// names mean at present makes no difference: the change may be about just that.
func (r *Roles) gives(externalIDs, names []string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range externalIDs {
		if r.meaning[strings.ToLower(id)] != nil {
			return true
		}
	}
	for _, list := range r.lists {
		for _, entry := range list.entries {
			same := func(s string) bool { return strings.EqualFold(s, strings.TrimSpace(entry)) }
			if slices.ContainsFunc(externalIDs, same) || slices.ContainsFunc(names, same) {
				return true
			}
		}
	}
	return false
}

func (s *Standing) is(role string) bool { return slices.Contains(s.Roles, role) }

func (s *Standing) add(roles ...string) {
	for _, role := range roles {
		if !s.is(role) {
			s.Roles = append(s.Roles, role)
		}
	}
}

// settled orders the roles; who has none is a member.
func (s Standing) settled() Standing {
	if len(s.Roles) == 0 {
		s.Roles = []string{principal.RoleMember}
	}
	order := []string{principal.RoleAdmin, principal.RoleIssuer, principal.RoleAuditor, principal.RoleProvisioner, principal.RoleMember}
	slices.SortFunc(s.Roles, func(a, b string) int { return cmp.Compare(slices.Index(order, a), slices.Index(order, b)) })
	return s
}

// memberships asks Graph, once for any number of callers, and remembers the answer
// as long as roles hold altogether.
func (r *Roles) memberships(ctx context.Context, who person, meaning map[string][]string) graphAnswer {
	if answer, found := r.answers.get(who); found && r.now().Before(answer.until) {
		return answer
	}
	found, _, _ := r.flight.Do(who.String(), func() (any, error) {
		// The callers that wait must not fail because the first one gave up.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), graphDeadline)
		defer cancel()
		ids := make([]string, 0, len(meaning))
		for id := range meaning {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		at := r.now()
		groups, err := r.graph.MemberOf(ctx, who.object, ids)
		answer := graphAnswer{groups, at.Add(rolesHold)}
		if err != nil {
			r.log.WarnContext(ctx, "groups not known: graph did not say", slog.String("object_id", who.object), slog.Any("error", err))
			answer = graphAnswer{nil, at.Add(rolesRetry)}
		}
		r.answers.put(who, answer)
		return answer, nil
	})
	return found.(graphAnswer)
}

// groups answers what each group of the lists means, by object id. Names are looked
// up again from time to time, since the group may have been provisioned meanwhile.
func (r *Roles) groups(ctx context.Context) map[string][]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	era := r.era.Load()
	if r.meaning != nil && r.now().Before(r.resolved.Add(rolesHold)) && r.inEra >= era {
		return r.meaning
	}
	meaning, unclear := map[string][]string{}, false
	var lines []any
	for _, list := range r.lists {
		var ids, nobody []string
		for _, entry := range list.entries {
			id, ok, err := r.resolve(ctx, strings.TrimSpace(entry))
			switch {
			case err != nil:
				unclear = true
				nobody = append(nobody, entry)
				r.log.WarnContext(ctx, "group name not looked up", slog.String("setting", list.setting), slog.Any("error", err))
			case !ok:
				nobody = append(nobody, entry)
			case !slices.Contains(meaning[id], list.role):
				meaning[id] = append(meaning[id], list.role)
				ids = append(ids, id)
			}
		}
		lines = append(lines, slog.Group(list.role, slog.String("setting", list.setting), slog.String("groups", strings.Join(ids, " ")), slog.String("meaning_nobody", strings.Join(nobody, ", "))))
	}
	if told := slog.GroupValue(attrs(lines)...).String(); told != r.told {
		r.told = told
		r.log.InfoContext(ctx, "groups that give roles", lines...)
	}
	r.resolved, r.inEra = r.now(), era
	if unclear { // what was known holds until the directory answers again
		r.resolved = r.resolved.Add(rolesRetry - rolesHold)
		if r.meaning != nil {
			return r.meaning
		}
	}
	r.meaning = meaning
	return meaning
}

func attrs(lines []any) []slog.Attr {
	list := make([]slog.Attr, len(lines))
	for i, line := range lines {
		list[i] = line.(slog.Attr)
	}
	return list
}

// resolve answers the object id that an entry means. A name means a group only
// where exactly one provisioned group bears it, and that one comes from Entra:
// anybody may be free to create a second one.
func (r *Roles) resolve(ctx context.Context, entry string) (id string, ok bool, err error) {
	if guid.MatchString(entry) {
		return strings.ToLower(entry), true, nil
	}
	if r.directory == nil {
		return "", false, nil
	}
	named, err := r.directory.GroupsNamed(ctx, entry)
	if err != nil || len(named) != 1 || !guid.MatchString(named[0]) {
		return "", false, err
	}
	return strings.ToLower(named[0]), true, nil
}
