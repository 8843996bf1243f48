package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/test/dbtest"
	"github.com/badge-engine/badge-engine/test/entrasim"
)

func add(members ...string) scimBody {
	list := []scimBody{}
	for _, m := range members {
		list = append(list, scimBody{"value": m})
	}
	return patchOf(scimBody{"op": "Add", "path": "members", "value": list})
}

func active(is bool) scimBody {
	return patchOf(scimBody{"op": "Replace", "path": "active", "value": map[bool]string{true: "True", false: "False"}[is]})
}

// TestAProvisionedPersonsDayInARealBrowser is nobody until provisioned, a member, an
// admin by a membership that was provisioned, and out when deactivated.
func TestAProvisionedPersonsDayInARealBrowser(t *testing.T) {
	c := newCampus(t, func(cfg *engine.Config) { cfg.Auth.ProvisionedOnly = true }, entrasim.WithAccountPicker())
	who := c.sim.User.ObjectID
	p := c.provisioner()
	b := newChromium(t)
	status := func(want string) {
		t.Helper()
		if got := b.eval("fetch('/api/v1/tokens').then(r => String(r.status))"); got != want {
			t.Errorf("the admin route answers %s instead of %s", got, want)
		}
	}
	choose := func() {
		t.Helper()
		b.open(c.base+"/auth/login?return=/auth/me", c.sim.Authority)
		b.eval("document.querySelector('button[value=\"" + who + "\"]').click()")
	}

	choose()
	if page := b.until(c.base + "/auth/callback"); !strings.Contains(page, "auth.not_provisioned") {
		t.Errorf("who is not provisioned reads %q", page)
	}
	user := p.user("dana.kim@example.org", "externalId", strings.ToUpper(who), "displayName", "Dana Kim")
	choose()
	if page := b.until(c.base + "/auth/me"); !strings.Contains(page, who) || !strings.Contains(page, "member") {
		t.Errorf("the page says %q", page)
	}
	status("403")

	admins := p.must(201, p.call("POST", "/Groups", scimBody{"schemas": []string{groupURN}, "displayName": "Badge Admins", "externalId": adminGroup})).id(t)
	p.must(204, p.call("PATCH", "/Groups/"+admins, add(user)))
	c.clock.advance(5 * time.Minute)
	status("200")
	if page := b.open(c.base+"/auth/me", c.base+"/auth/me"); !strings.Contains(page, "admin") {
		t.Errorf("the page says %q", page)
	}
	p.must(204, p.call("PATCH", "/Groups/"+admins, patchOf(scimBody{"op": "Remove", "path": "members", "value": []scimBody{{"value": user}}})))
	c.clock.advance(5 * time.Minute)
	status("403")
	p.must(204, p.call("PATCH", "/Groups/"+admins, add(user)))
	c.clock.advance(5 * time.Minute)
	status("200")

	p.must(200, p.call("PATCH", "/Users/"+user, active(false)))
	for end := time.Now().Add(10 * time.Second); b.eval("fetch('/auth/me').then(r => String(r.status))") != "401" && time.Now().Before(end); {
		<-time.After(50 * time.Millisecond) // this server looks every second, by the clock of the machine
	}
	status("401")
	choose()
	if page := b.until(c.base + "/auth/callback"); !strings.Contains(page, "auth.deactivated") {
		t.Errorf("who is deactivated reads %q", page)
	}
}

// TestWhoIsDeactivatedOrDeletedInTheDirectoryIsOut asks at another replica, whose
// cache is away.
func TestWhoIsDeactivatedOrDeletedInTheDirectoryIsOut(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			key := filepath.Join(t.TempDir(), "key")
			c := newCampus(t, func(cfg *engine.Config) { cfg.Database.URL, cfg.Issuance.KeyFile = e.URL, key })
			other := bootWith(t, c.clock.now, func(cfg *engine.Config) {
				cfg.Database.URL, cfg.Cache.URL, cfg.Issuance.KeyFile = e.URL, "redis://127.0.0.1:1/0", key
				cfg.Entra.Authority, cfg.Entra.GraphURL = c.sim.Authority, c.sim.GraphURL
				cfg.Entra.TenantID, cfg.Entra.ClientID, cfg.Entra.ClientSecret = c.sim.TenantID, c.sim.ClientID, config.Secret(c.sim.ClientSecret)
			})
			p := c.provisioner()
			until := func(want int, raw string) {
				t.Helper()
				asked := time.Now()
				for other.send("GET", "/auth/me", nil, "Authorization", "Bearer "+raw).status != want {
					if time.Since(asked) > 20*time.Second { // far more than promised, for machines that stall
						t.Fatalf("the other replica does not answer %d", want)
					}
					<-time.After(50 * time.Millisecond) // or it would be told to wait, for failing too often
				}
				t.Logf("the other replica answered %d after %v", want, time.Since(asked).Round(time.Millisecond))
			}
			fresh := func() string {
				c.clock.advance(time.Minute)
				return c.sim.MintDelegated()
			}
			user := p.user("dana", "externalId", c.sim.User.ObjectID)
			raw := fresh()
			until(200, raw)
			p.must(200, p.call("PATCH", "/Users/"+user, active(false)))
			until(401, raw)
			p.must(200, p.call("PATCH", "/Users/"+user, active(true)))
			raw = fresh()
			until(200, raw)
			p.must(204, p.call("DELETE", "/Users/"+user, nil))
			until(401, raw)
			user = p.user("dana", "externalId", c.sim.User.ObjectID)
			raw = fresh()
			until(200, raw)
			// Another identity in its place leaves the first one out.
			p.must(200, p.call("PATCH", "/Users/"+user, patchOf(scimBody{"op": "Replace", "path": "externalId", "value": "eeeeeeee-0000-4000-8000-000000000001"})))
			until(401, raw)
			p.must(200, p.call("PUT", "/Users/"+user, scimBody{"schemas": []string{userURN}, "userName": "dana", "externalId": c.sim.User.ObjectID}))
			raw = fresh()
			until(200, raw)
			p.must(200, p.call("PUT", "/Users/"+user, scimBody{"schemas": []string{userURN}, "userName": "dana", "externalId": c.sim.User.ObjectID, "active": false}))
			until(401, raw)

			// What happened stands in the trail, without a name.
			var trail struct {
				Items []struct{ Action, Target, Detail string }
			}
			for end := time.Now().Add(20 * time.Second); len(trail.Items) < 8 && time.Now().Before(end); {
				c.must(200, c.send("GET", "/api/v1/audit?action=scim.&limit=100", nil)).into(t, &trail)
			}
			counted := map[string]int{}
			for _, event := range trail.Items {
				counted[event.Action]++
			}
			if counted["scim.user.created"] != 2 || counted["scim.user.deactivated"] != 2 || counted["scim.user.activated"] != 1 || counted["scim.user.changed"] != 2 || counted["scim.user.deleted"] != 1 {
				t.Errorf("the trail has %v", counted)
			}
		})
	}
}

// TestANameOfAGroupMeansTheOneThatWasProvisioned starts twice on one database, since
// the log says at the start what a name means.
func TestANameOfAGroupMeansTheOneThatWasProvisioned(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			named := func(cfg *engine.Config) {
				cfg.Database.URL = e.URL
				cfg.Auth.AdminGroups, cfg.Auth.IssuerGroups, cfg.Auth.AuditorGroups = []string{"Badge Admins"}, []string{"Twins"}, []string{"Unlinked"}
			}
			c := newCampus(t, func(cfg *engine.Config) { named(cfg); cfg.SCIM.UniqueGroupNames = false })
			p := c.provisioner()
			user := p.user("dana", "externalId", c.sim.User.ObjectID)
			for _, g := range []scimBody{
				{"displayName": "badge ADMINS", "externalId": adminGroup}, {"displayName": "Twins", "externalId": issuerGroup},
				{"displayName": "Twins", "externalId": "cccccccc-0000-4000-8000-000000000009"}, {"displayName": "Unlinked", "externalId": "unlinked"},
			} {
				g["schemas"] = []string{groupURN}
				id := p.must(201, p.call("POST", "/Groups", g)).id(t)
				p.must(204, p.call("PATCH", "/Groups/"+id, add(user)))
			}
			again := newCampus(t, named)
			again.sim.Change(again.sim.User.ObjectID, func(u *entrasim.User) { u.ObjectID = c.sim.User.ObjectID })
			if !strings.Contains(again.log.String(), `admin.groups=`+adminGroup) || !strings.Contains(again.log.String(), "issuer.meaning_nobody=Twins") || !strings.Contains(again.log.String(), "auditor.meaning_nobody=Unlinked") {
				t.Errorf("the log says at the start %s", again.log.String())
			}
			raw := c.sim.MintDelegated()
			c.clock.advance(5 * time.Minute) // the first server looks the names up again
			if a := c.send("GET", "/auth/me", nil, "Authorization", "Bearer "+raw); a.status != 200 || !bytes.Contains(a.body, []byte(`"roles":["admin"]`)) {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
}

func TestAnApplicationOfEntraProvisions(t *testing.T) {
	c := newCampus(t, nil)
	p := &provisioner{c.house, c.sim.MintAppOnly(entrasim.Claim("roles", []string{"Scim.Provision"}))}
	p.user("dana")
	p.must(403, c.send("GET", "/api/v1/tokens", nil, "Authorization", "Bearer "+p.token))
	p.token = c.sim.MintAppOnly(entrasim.Claim("roles", []string{"Badges.Issue.All"}))
	p.refused(401, "", p.call("GET", "/Users", nil))
	c.sim.Change(c.sim.User.ObjectID, func(u *entrasim.User) { u.Roles = []string{"Scim.Provision", "Badge.Admin"} })
	p.token = c.sim.MintDelegated()
	p.refused(401, "", p.call("GET", "/Users", nil))
}

// TestAnAdministratorSeesWhetherProvisioningGoesWell and nothing personal.
func TestAnAdministratorSeesWhetherProvisioningGoesWell(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		p := h.provisioner()
		type failure struct {
			Method, Route, ScimType, Code, Detail, Sent, Rule, Remedy, Principal, RequestID string
			Count                                                                           int
		}
		var o struct {
			LastContact                  string
			Users, InactiveUsers, Groups int
			Warnings                     []string
			Contacts                     []struct {
				Principal          string
				Requests, Failures int
			}
			Failures []failure
		}
		see := func() {
			t.Helper()
			h.must(200, h.send("GET", "/api/v1/provisioning", nil)).into(t, &o)
		}
		see()
		if o.LastContact != "" || o.Users != 0 || len(o.Failures) != 0 || len(o.Warnings) != 1 {
			t.Errorf("before anything: %+v", o)
		}
		p.user("ada.lovelace@example.org", "externalId", "ada.lovelace", "displayName", "Ada Lovelace")
		gone := p.user("grace", "externalId", "3c1f0d92-6f0c-4a55-9b0e-0f1f4b7a2d10")
		p.must(200, p.call("PATCH", "/Users/"+gone, active(false)))
		p.group("Staff")
		for range 2 {
			p.refused(409, "uniqueness", p.call("POST", "/Users", scimBody{"schemas": []string{userURN}, "userName": "ADA.lovelace@example.org", "displayName": "Ada Lovelace", "active": true}))
		}
		p.refused(400, "invalidPath", p.call("PATCH", "/Users/"+gone, patchOf(scimBody{"op": "Replace", "path": "shoeSize", "value": "Ada's 38"})))
		p.refused(400, "invalidFilter", p.call("GET", "/Users?filter=shoeSize+eq+Lovelace", nil))
		p.must(404, p.call("GET", "/Users/%00%ff", nil)) // which no database holds as text
		p.must(401, h.send("GET", "/scim/v2/Users?filter=userName+eq+Lovelace", nil, "Authorization", "Bearer be_wrong"))
		see()
		if o.LastContact == "" || o.Users != 2 || o.InactiveUsers != 1 || o.Groups != 1 || len(o.Contacts) != 1 || o.Contacts[0].Failures != 5 || o.Contacts[0].Requests != 9 {
			t.Errorf("afterwards: %+v", o)
		}
		if len(o.Warnings) != 3 || !strings.Contains(o.Warnings[0], "1 users") || !strings.Contains(o.Warnings[0], "objectId") || !strings.Contains(o.Warnings[1], "1 groups") {
			t.Errorf("warnings are %q", o.Warnings)
		}
		by := map[string]failure{}
		for _, f := range o.Failures {
			by[f.Code] = f
			if f.Rule == "" || f.Remedy == "" || f.RequestID == "" || f.Method == "" != (f.Principal == "") {
				t.Errorf("a failure is not explained: %+v", f)
			}
		}
		data, _ := json.Marshal(o.Failures)
		for _, secret := range []string{"ovelace", "Ada", "example.org", "'s 38"} {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%q is shown: %s", secret, data)
			}
		}
		if f := by["scim.uniqueness"]; f.Count != 2 || f.Route != "/scim/v2/Users" || !strings.Contains(f.Sent, `"userName":"[24 characters]"`) || !strings.Contains(f.Sent, `"active":true`) {
			t.Errorf("a duplicate: %+v", f)
		}
		if f := by["scim.invalid_path"]; f.Route != "/scim/v2/Users/:id" || !strings.Contains(f.Sent, `"path":"shoeSize"`) || f.ScimType != "invalidPath" || !strings.Contains(f.Detail, `"shoeSize"`) {
			t.Errorf("a path: %+v", f)
		}
		if f := by["scim.invalid_filter"]; f.Sent != "filter=shoeSize eq …" {
			t.Errorf("a filter: %+v", f)
		}
		if f := by["auth.token_invalid"]; f.Sent != "" || f.Principal != "" || f.Count != 1 || f.Route != "/scim/v2" {
			t.Errorf("a stranger: %+v", f)
		}
		p.must(403, h.send("GET", "/api/v1/provisioning", nil, "Authorization", "Bearer "+p.token))
	})
}

// TestAnAwardFindsAProvisionedUser issues to people whose addresses only the directory
// knows.
func TestAnAwardFindsAProvisionedUser(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		p := h.provisioner()
		address := func(values ...string) []scimBody {
			list := []scimBody{}
			for i, v := range values {
				list = append(list, scimBody{"type": []string{"home", "work"}[i%2], "value": v})
			}
			return list
		}
		create := func(body scimBody) string {
			body["schemas"] = []string{userURN}
			return p.must(201, p.call("POST", "/Users", body)).id(t)
		}
		ada := create(scimBody{"userName": "Ada", "externalId": "3c1f0d92-6f0c-4a55-9b0e-0f1f4b7a2d10", "emails": address("ada@home.example", "Ada@Example.org")})
		mute := create(scimBody{"userName": "mute"})
		left := create(scimBody{"userName": "left", "active": false, "emails": address("left@example.org")})
		for range 2 {
			create(scimBody{"userName": rand.Text(), "externalId": "twin", "emails": address("twin@example.org")})
		}
		achievement := h.achievement(h.issuer(), "")
		issue := func(recipient map[string]any) answer {
			return h.send("POST", "/api/v1/credentials", map[string]any{"achievementId": achievement, "recipient": recipient})
		}
		for _, recipient := range []map[string]any{{"userId": ada}, {"externalId": "3C1F0D92-6f0c-4a55-9b0e-0f1f4b7a2d10"}, {"userName": "ADA"}} {
			h.must(201, issue(recipient))
		}
		var found struct{ Items []struct{ ID string } }
		h.must(200, h.send("GET", "/api/v1/credentials?recipient=ada@example.org", nil)).into(t, &found)
		if len(found.Items) != 3 {
			t.Errorf("%d of 3 awards are found by the address", len(found.Items))
		}
		for _, row := range []struct {
			name      string
			recipient map[string]any
			must      string
		}{
			{"nobody", map[string]any{"userId": "00000000-0000-7000-8000-000000000000"}, "No provisioned user"},
			{"no identifier", map[string]any{"userId": "7' OR '1'='1"}, "No provisioned user"},
			{"somebody without an address", map[string]any{"userId": mute}, "no e-mail address"},
			{"somebody deactivated", map[string]any{"userId": left}, "deactivated"},
			{"two of one external id", map[string]any{"externalId": "twin"}, "More than one"},
			{"two names", map[string]any{"userId": ada, "userName": "ada"}, "named more than once"},
			{"a name and an address", map[string]any{"userId": ada, "email": "ada@example.org"}, "named more than once"},
		} {
			t.Run(row.name, func(t *testing.T) {
				if a := h.must(422, issue(row.recipient)); !bytes.Contains(a.body, []byte(row.must)) || !bytes.Contains(a.body, []byte("/recipient/")) {
					t.Errorf("%s", a.body)
				}
			})
		}
	})
}

// TestTheLogShowsEachProvisioningRequestAndNothingPersonal as LOG_LEVEL_SCIM=debug has
// it, with a process since the levels are the logger's.
func TestTheLogShowsEachProvisioningRequestAndNothingPersonal(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, "sqlite:"+filepath.Join(dir, "x.db"), "LOG_LEVEL_SCIM=DEBUG")
	p := s.provisioner()
	user := p.user("ada.lovelace@example.org", "displayName", "Ada Lovelace", "externalId", "3c1f0d92-6f0c-4a55-9b0e-0f1f4b7a2d10")
	p.must(200, p.call("PATCH", "/Users/"+user, patchOf(scimBody{"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "countess@example.org"})))
	p.found("/Users?filter=userName+eq+%22ada.lovelace%22")
	p.refused(400, "invalidPath", p.call("PATCH", "/Users/"+user, patchOf(scimBody{"op": "Replace", "path": "shoeSize", "value": "Lovelace"})))
	group := p.group("Countesses", user)
	p.must(204, p.call("DELETE", "/Groups/"+group, nil))
	log := s.log.String()
	for end := time.Now().Add(20 * time.Second); !strings.Contains(log, `"method":"DELETE"`) && time.Now().Before(end); log = s.log.String() {
		time.Sleep(20 * time.Millisecond) // another process: it gathers its lines for a moment
	}
	for _, must := range []string{"provisioning request", `\"path\":\"emails[type eq`, "userName eq", "shoeSize", "invalid_path", user, group, `"method":"DELETE"`, `"status":201`} {
		if !strings.Contains(log, must) {
			t.Errorf("the log lacks %s", must)
		}
	}
	for _, secret := range []string{"ovelace", "Ada", "ada.", "ountess", "example.org", p.token} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %s", secret)
		}
	}
	if t.Failed() {
		t.Log(log)
	}
}

// TestOperatorsQueryTheDirectory by the names that they know.
func TestOperatorsQueryTheDirectory(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		p := boot(t, func(cfg *engine.Config) { cfg.Database.URL = e.URL }).provisioner()
		p.must(201, p.call("POST", "/Users", scimBody{"schemas": []string{userURN}, "userName": "dana", "name": scimBody{"givenName": "Dana", "familyName": "Kim"},
			"emails": []scimBody{{"type": "home", "value": "home@example.org"}, {"type": "work", "value": "Dana@example.org"}}}))
		p.must(201, p.call("POST", "/Users", scimBody{"schemas": []string{userURN}, "userName": "lee", "active": false}))
		p.group("Staff")
		var rows []struct {
			Email, Name string
			IsActive    bool
		}
		db := dbtest.Open(t, e.URL)
		if err := db.Reader(t.Context()).Raw("SELECT email, name, is_active FROM users ORDER BY name").Scan(&rows).Error; err != nil || fmt.Sprint(rows) != "[{Dana@example.org Dana Kim true} { lee false}]" {
			t.Errorf("%s: %v, %v", e.Name, rows, err)
		}
		var groups []string
		if err := db.Reader(t.Context()).Raw("SELECT display_name FROM groups").Scan(&groups).Error; err != nil || fmt.Sprint(groups) != "[Staff]" {
			t.Errorf("%s: %v, %v", e.Name, groups, err)
		}
	}
}

// TestAMembershipThatIsTakenAwayTakesTheRoleAtOnce while the clock of the house stands
// still, and at another replica too, whose cache is away.
func TestAMembershipThatIsTakenAwayTakesTheRoleAtOnce(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			key := filepath.Join(t.TempDir(), "key")
			c := newCampus(t, func(cfg *engine.Config) { cfg.Database.URL, cfg.Issuance.KeyFile = e.URL, key })
			other := bootWith(t, c.clock.now, func(cfg *engine.Config) {
				cfg.Database.URL, cfg.Cache.URL, cfg.Issuance.KeyFile = e.URL, "redis://127.0.0.1:1/0", key
				cfg.Entra.Authority, cfg.Entra.GraphURL = c.sim.Authority, c.sim.GraphURL
				cfg.Entra.TenantID, cfg.Entra.ClientID, cfg.Entra.ClientSecret = c.sim.TenantID, c.sim.ClientID, config.Secret(c.sim.ClientSecret)
				cfg.Auth.AdminGroups = []string{adminGroup}
			})
			p := c.provisioner()
			user := p.user("dana", "externalId", c.sim.User.ObjectID)
			admins := p.must(201, p.call("POST", "/Groups", scimBody{"schemas": []string{groupURN}, "displayName": "Admins", "externalId": adminGroup})).id(t)
			raw := c.sim.MintDelegated()
			b := c.browser(t)
			b.signIn()
			until := func(want int) {
				t.Helper()
				asked := time.Now()
				for _, ask := range []func() answer{
					func() answer { return b.send("GET", "/api/v1/tokens", nil) },
					func() answer { return c.send("GET", "/api/v1/tokens", nil, "Authorization", "Bearer "+raw) },
					func() answer { return other.send("GET", "/api/v1/tokens", nil, "Authorization", "Bearer "+raw) },
				} {
					for a := ask(); a.status != want; a = ask() {
						if time.Since(asked) > 20*time.Second { // far more than promised, for machines that stall
							t.Fatalf("%d instead of %d: %s", a.status, want, a.body)
						}
						<-time.After(50 * time.Millisecond)
					}
				}
				t.Logf("everybody answered %d after %v", want, time.Since(asked).Round(time.Millisecond))
			}
			until(403)
			p.must(204, p.call("PATCH", "/Groups/"+admins, add(user)))
			until(200)
			p.must(204, p.call("PATCH", "/Groups/"+admins, patchOf(scimBody{"op": "Remove", "path": "members", "value": []scimBody{{"value": user}}})))
			until(403)
			p.must(204, p.call("PATCH", "/Groups/"+admins, add(user)))
			until(200)
			p.must(204, p.call("PATCH", "/Groups/"+admins, patchOf(scimBody{"op": "Replace", "path": "externalId", "value": "cccccccc-0000-4000-8000-00000000000f"})))
			until(403)
			p.must(204, p.call("PATCH", "/Groups/"+admins, patchOf(scimBody{"op": "Replace", "path": "externalId", "value": adminGroup})))
			until(200)
			p.must(204, p.call("DELETE", "/Groups/"+admins, nil))
			until(403)
		})
	}
}
