package entrasim

import (
	"fmt"
	"slices"
)

// User is a person in the tenant.
type User struct {
	ObjectID string   // random when empty
	Name     string   // for display
	Username string   // preferred_username; made of the object id when empty
	Roles    []string // app roles on the API
	Groups   []string // object ids of groups, transitive; for tokens and for Graph
	Overage  bool     // tokens point to Graph, however few groups there are
	Disabled bool
}

// App is another application of the tenant.
type App struct {
	ClientID string // random when empty
	ObjectID string // of its service principal; random when empty
	Name     string
	Secret   string   // random when empty
	Roles    []string // application permissions on the API
}

// AddUser puts a user into the tenant, in place of one with the same object id.
func (s *Sim) AddUser(u User) User {
	s.t.Helper()
	if u.ObjectID == "" {
		u.ObjectID = guid()
	}
	if u.Username == "" {
		u.Username = u.ObjectID[:8] + "@contoso.example"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[u.ObjectID] = u.clone()
	return u
}

// AddApp puts an application into the tenant.
func (s *Sim) AddApp(a App) App {
	for _, id := range []*string{&a.ClientID, &a.ObjectID} {
		if *id == "" {
			*id = guid()
		}
	}
	if a.Secret == "" {
		a.Secret = "sim~" + random(30)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	copied := a
	copied.Roles = slices.Clone(a.Roles)
	s.apps[a.ClientID] = &copied
	return a
}

// Change edits a user at run time: new tokens and Graph follow at once.
func (s *Sim) Change(objectID string, edit func(*User)) User {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.users[objectID]
	if !ok {
		s.t.Fatalf("entrasim: there is no user %s", objectID)
	}
	edit(u)
	return *u.clone()
}

// JoinGroups makes a user a member of groups.
func (s *Sim) JoinGroups(objectID string, groups ...string) {
	s.t.Helper()
	s.Change(objectID, func(u *User) { u.Groups = append(without(u.Groups, groups...), groups...) })
}

// LeaveGroups ends memberships.
func (s *Sim) LeaveGroups(objectID string, groups ...string) {
	s.t.Helper()
	s.Change(objectID, func(u *User) { u.Groups = without(u.Groups, groups...) })
}

// DeleteUser removes a user: nobody signs in as them, and Graph answers 404.
func (s *Sim) DeleteUser(objectID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.users, objectID)
}

// GroupIDs are n different object ids of groups that come out the same each
// time.
func GroupIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("8a2c0000-0000-4000-8000-%012x", i)
	}
	return ids
}

func (u User) clone() *User {
	u.Roles, u.Groups = slices.Clone(u.Roles), slices.Clone(u.Groups)
	return &u
}

// user answers a copy, so that nobody reads what Change edits.
func (s *Sim) user(objectID string) (User, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.users[objectID]
	if !ok {
		return User{}, false
	}
	return *u.clone(), true
}

func (s *Sim) app(clientID string) (App, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.apps[clientID]
	if !ok {
		return App{}, false
	}
	return *a, true
}
