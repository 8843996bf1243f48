package auth_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/auth"
	"github.com/badge-engine/badge-engine/modules/auth/entra"
)

func TestRolesComeFromTheFirstSourceThatKnows(t *testing.T) {
	app := entra.Claims{Kind: entra.App, TenantID: tenant, ObjectID: dana}
	for _, row := range []struct {
		name   string
		change func(w *town, c *entra.Claims)
		want   string // the roles; or the code of the refusal
		graph  int    // how often Graph was asked
	}{
		{"nothing known is a member", func(*town, *entra.Claims) {}, "member", 0},
		{"an app role of an admin", func(_ *town, c *entra.Claims) { c.Roles = []string{"Badge.Admin"} }, "admin", 0},
		{"an app role nobody mapped", func(_ *town, c *entra.Claims) { c.Roles = []string{"badge.admin", "admin", "Owner"} }, "member", 0},
		{"an app role that was mapped otherwise", func(w *town, c *entra.Claims) {
			w.cfg.AppRoles, c.Roles = []string{"Owner=admin"}, []string{"Owner"}
		}, "admin", 0},
		{"a default that another mapping replaced", func(w *town, c *entra.Claims) {
			w.cfg.AppRoles, c.Roles = []string{"Owner=admin"}, []string{"Badge.Admin"}
		}, "member", 0},
		{"a group id where an app role belongs", func(_ *town, c *entra.Claims) { c.Roles = []string{admins} }, "member", 0},
		{"an app role's value where a group id belongs", func(_ *town, c *entra.Claims) { c.Groups = []string{"Badge.Admin"} }, "member", 0},
		{"the group of admins in the token", func(_ *town, c *entra.Claims) { c.Groups = []string{bystanders, admins} }, "admin", 0},
		{"its id in capital letters", func(w *town, c *entra.Claims) {
			w.cfg.AdminGroups, c.Groups = []string{strings.ToUpper(admins)}, []string{admins}
		}, "admin", 0},
		{"two groups add up", func(_ *town, c *entra.Claims) { c.Groups = []string{auditors, issuers} }, "issuer auditor", 0},
		{"an app role and a group add up", func(_ *town, c *entra.Claims) {
			c.Roles, c.Groups = []string{"Badge.Auditor"}, []string{issuers}
		}, "issuer auditor", 0},
		{"empty lists mean nobody", func(w *town, c *entra.Claims) {
			w.cfg.AdminGroups, w.cfg.IssuerGroups, w.cfg.AuditorGroups = nil, nil, nil
			c.Groups, c.GroupsOverage = []string{"", bystanders}, true
		}, "member", 0},
		{"a provisioned membership", func(w *town, _ *entra.Claims) {
			w.directory.groups = map[string][]string{dana: {"", strings.ToUpper(issuers)}}
		}, "issuer", 0},
		{"overage asks graph", func(w *town, c *entra.Claims) {
			c.GroupsOverage = true
			w.graph.groups = map[string][]string{dana: append(entraGroups(11_000), admins)}
		}, "admin", 1},
		{"overage of an admin by app role asks nobody", func(_ *town, c *entra.Claims) {
			c.GroupsOverage, c.Roles = true, []string{"Badge.Admin"}
		}, "admin", 0},
		{"overage of an admin by provisioning asks nobody", func(w *town, c *entra.Claims) {
			c.GroupsOverage = true
			w.directory.groups = map[string][]string{dana: {admins}}
		}, "admin", 0},
		{"overage when graph does not answer is no role", func(w *town, c *entra.Claims) {
			c.GroupsOverage, w.graph.err = true, entra.ErrUnavailable
		}, "member", 1},
		{"overage without graph is no role", func(w *town, c *entra.Claims) {
			c.GroupsOverage, w.graph = true, nil
		}, "member", 0},
		{"a directory that does not answer is no answer", func(w *town, _ *entra.Claims) { w.directory.err = errors.New("away") }, "auth.unsure", 0},
		{"an application with an accepted app role", func(_ *town, c *entra.Claims) {
			*c = app
			c.Roles = []string{"Badges.Issue.All"}
		}, "issuer", 0},
		{"an application without one", func(_ *town, c *entra.Claims) { *c = app }, "auth.token_no_role", 0},
		{"an application in the group of admins", func(_ *town, c *entra.Claims) {
			*c = app
			c.Groups, c.GroupsOverage = []string{admins}, true
		}, "auth.token_no_role", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			var claims entra.Claims
			w := newTown(t, func(w *town) {
				claims = w.dana()
				row.change(w, &claims)
			})
			standing, err := w.roles.Of(t.Context(), claims, true)
			got := strings.Join(standing.Roles, " ")
			if err != nil {
				got = code(err)
			}
			if got != row.want {
				t.Errorf("roles are %q, error %v", got, err)
			}
			if w.graph != nil && w.graph.asked != row.graph {
				t.Errorf("graph was asked %d times", w.graph.asked)
			}
			if standing.Until.After(w.at.Add(5 * time.Minute)) {
				t.Errorf("believed until %v", standing.Until)
			}
		})
	}
}

func entraGroups(n int) []string {
	groups := make([]string, n)
	for i := range groups {
		groups[i] = bystanders
	}
	return groups
}

func TestANameMeansExactlyOneGroupOfEntraOrNobody(t *testing.T) {
	for _, row := range []struct {
		name  string
		named []string
		want  string
	}{
		{"no group of the name", nil, "member"},
		{"one of Entra", []string{strings.ToUpper(admins)}, "admin"},
		{"one without an external id", []string{""}, "member"},
		{"one with an external id that is no GUID", []string{"admins"}, "member"},
		{"two of Entra", []string{admins, bystanders}, "member"},
		{"one of Entra and one that somebody made", []string{admins, ""}, "member"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newTown(t, func(w *town) {
				w.cfg.AdminGroups = []string{"Badge admins"}
				w.directory.named = map[string][]string{"Badge admins": row.named}
			})
			claims := w.dana()
			claims.Groups = []string{admins, "Badge admins", "admins"}
			standing, err := w.roles.Of(t.Context(), claims, true)
			if err != nil || strings.Join(standing.Roles, " ") != row.want {
				t.Errorf("roles are %v, error %v", standing.Roles, err)
			}
		})
	}
}

func TestTheLogOfTheStartSaysWhomTheListsMean(t *testing.T) {
	w := newTown(t, func(w *town) {
		w.cfg.AdminGroups, w.cfg.AuditorGroups = []string{"Badge admins", "Ghosts"}, nil
		w.directory.named = map[string][]string{"Badge admins": {admins}}
	})
	w.roles.Start(t.Context())
	line := w.log.String()
	for _, must := range []string{"admin.setting=ENTRA_ADMIN_GROUPS", "admin.groups=" + admins, "admin.meaning_nobody=Ghosts", "issuer.groups=" + issuers, `auditor.groups=""`} {
		if !strings.Contains(line, must) {
			t.Errorf("log lacks %s: %s", must, line)
		}
	}
	if w.roles.Start(t.Context()); w.log.String() != line {
		t.Error("it says so again though nothing changed")
	}
}

func TestANameIsLookedUpAgainAndKeptWhileTheDirectoryIsAway(t *testing.T) {
	w := newTown(t, func(w *town) { w.cfg.AdminGroups = []string{"Badge admins"} })
	claims := w.dana()
	claims.Groups = []string{admins}
	is := func(want string) {
		t.Helper()
		w.directory.err = nil
		if standing, err := w.roles.Of(t.Context(), claims, true); err != nil || standing.Roles[0] != want {
			t.Errorf("roles are %v, error %v", standing.Roles, err)
		}
	}
	is("member")
	w.directory.named = map[string][]string{"Badge admins": {admins}}
	is("member")
	w.at = w.at.Add(5 * time.Minute)
	is("admin")
	w.at = w.at.Add(5 * time.Minute)
	w.directory.err = errors.New("away")
	w.roles.Start(t.Context())
	is("admin")
}

func TestGraphIsAskedAgainAfterFiveMinutesAndSoonerAfterAFailure(t *testing.T) {
	w := newTown(t, nil)
	w.graph.groups = map[string][]string{dana: {admins}}
	claims := w.dana()
	claims.GroupsOverage = true
	of := func(roles string, asked int) auth.Standing {
		t.Helper()
		standing, err := w.roles.Of(t.Context(), claims, true)
		if err != nil || strings.Join(standing.Roles, " ") != roles || w.graph.asked != asked {
			t.Errorf("roles are %v, error %v, graph was asked %d times", standing.Roles, err, w.graph.asked)
		}
		return standing
	}
	begun := w.at
	of("admin", 1)
	w.at = begun.Add(4 * time.Minute)
	if until := of("admin", 1).Until; !until.Equal(begun.Add(5 * time.Minute)) {
		t.Errorf("an answer four minutes old is believed until %v", until)
	}
	w.at = begun.Add(5 * time.Minute)
	w.graph.err = entra.ErrUnavailable
	if until := of("member", 2).Until; until.After(w.at.Add(time.Minute)) {
		t.Errorf("a failure is believed until %v", until)
	}
	of("member", 2)
	w.at, w.graph.err = w.at.Add(30*time.Second), nil
	of("admin", 3)
}

func TestALongSessionMayAskGraphInsteadOfBelievingItsOldToken(t *testing.T) {
	claims := func(w *town) entra.Claims {
		c := w.dana()
		c.Groups = []string{admins}
		return c
	}
	w := newTown(t, nil)
	if standing, err := w.roles.Of(t.Context(), claims(w), false); err != nil || standing.Roles[0] != "admin" || w.graph.asked != 0 {
		t.Errorf("roles are %v, error %v", standing.Roles, err)
	}
	w = newTown(t, func(w *town) { w.cfg.GroupsFromGraph = true })
	if standing, err := w.roles.Of(t.Context(), claims(w), false); err != nil || !slices.Equal(standing.Roles, []string{"member"}) || w.graph.asked != 1 {
		t.Errorf("roles are %v, error %v", standing.Roles, err)
	}
}

func TestAChangedGroupTakesEffectAtOnceIfItGivesRoles(t *testing.T) {
	w := newTown(t, func(w *town) { w.cfg.AuditorGroups = []string{"Badge Auditors"} })
	w.directory.groups = map[string][]string{dana: {admins, auditors}}
	raw := w.token(w.dana())
	value := w.signedIn()
	is := func(role string) {
		t.Helper()
		if p, err := w.bearer(t.Context(), raw); err != nil || p.Roles[0] != role {
			t.Errorf("the token: %+v, error %v", p, err)
		}
		if p, err := w.session(t.Context(), value); err != nil || p.Roles[0] != role {
			t.Errorf("the session: %+v, error %v", p, err)
		}
	}
	change := func(id, name string) {
		t.Helper()
		if err := w.roles.GroupChanged(t.Context(), []string{id}, []string{name}); err != nil {
			t.Fatal(err)
		}
		if err := w.people.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	is("admin")
	w.directory.groups = nil
	change(bystanders, "Bystanders") // which gives none
	is("admin")
	change(strings.ToUpper(admins), "Badge Admins")
	is("member")
	w.directory.groups = map[string][]string{dana: {auditors}}
	w.directory.named = map[string][]string{"Badge Auditors": {auditors}}
	change("", "badge auditors") // a name in the lists means a group from now on
	is("auditor")
	asked := w.directory.asked
	is("auditor")
	if w.directory.asked != asked {
		t.Errorf("nothing changed, and the directory was asked %d times", w.directory.asked-asked)
	}
}
