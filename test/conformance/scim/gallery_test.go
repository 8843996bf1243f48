package scim

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/badge-engine/badge-engine/app/command/scimprobe"
	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/test/entrasim"
)

// defaultMapping is what Entra maps for an application that is in no gallery.
var defaultMapping = []string{
	"userName", "active", "displayName", "title", "preferredLanguage", "externalId",
	"name.givenName", "name.familyName", "name.formatted",
	`emails[type eq "work"].value`, `phoneNumbers[type eq "work"].value`, `phoneNumbers[type eq "mobile"].value`, `phoneNumbers[type eq "fax"].value`,
	`addresses[type eq "work"].formatted`, `addresses[type eq "work"].streetAddress`, `addresses[type eq "work"].locality`,
	`addresses[type eq "work"].region`, `addresses[type eq "work"].postalCode`, `addresses[type eq "work"].country`, `addresses[type eq "other"].formatted`,
	scimprobe.EnterpriseSchema + ":employeeNumber", scimprobe.EnterpriseSchema + ":department", scimprobe.EnterpriseSchema + ":manager",
	`roles[primary eq "True"].value`, `roles[primary eq "True"].display`,
}

// TestGallerySchemaDiscoverability flattens /Schemas as Microsoft's test does: every
// attribute of a mapping must come out.
func TestGallerySchemaDiscoverability(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.client.Token = "" // discovery is for everybody
		list := d.must(200, "GET", "/Schemas", nil).Document()
		var users, groups []string
		for _, s := range resources(list) {
			id, _ := s["id"].(string)
			switch id {
			case scimprobe.UserSchema:
				users = append(users, scimprobe.Flatten(s, "")...)
			case scimprobe.GroupSchema:
				groups = append(groups, scimprobe.Flatten(s, "")...)
			default: // every other schema is an extension of users to that test
				users = append(users, scimprobe.Flatten(s, id+":")...)
			}
		}
		for _, path := range defaultMapping {
			if path == "externalId" { // RFC 7643, 3.1: common attributes stand in no schema
				continue
			}
			if !slices.Contains(users, path) {
				t.Errorf("%s cannot be discovered among %q", path, users)
			}
		}
		for _, path := range []string{"displayName", "members"} {
			if !slices.Contains(groups, path) {
				t.Errorf("%s cannot be discovered among %q", path, groups)
			}
		}
	})
}

// optional are the paths that the null update clears: not the name, active, externalId,
// roles, nor the references.
func optional() (paths []string) {
	for _, j := range junk {
		if !strings.HasPrefix(j.path, "roles") && j.path != "profileUrl" {
			paths = append(paths, j.path)
		}
	}
	return paths
}

// TestGalleryNullUpdate clears every attribute with an empty text and with null (P31), one
// operation for each and all in one object: afterwards it is not there.
func TestGalleryNullUpdate(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		for _, form := range []string{"verbose", "one object"} {
			id, _ := d.create("/Users", everything(nil))
			for _, empty := range []any{"", nil} {
				var ops []object
				for _, path := range optional() {
					ops = append(ops, op("replace", path, empty))
				}
				if form == "one object" {
					ops = merged(ops)
				}
				now := d.patchUser(id, ops...)
				for _, path := range optional() {
					if got := at(now, path); got != nil {
						t.Errorf("%s: after %s the attribute %s is %v", form, js(empty), path, got)
					}
				}
				if strings.Contains(js(now), `:""`) || strings.Contains(js(now), `[]`) || strings.Contains(js(now), `{}`) {
					t.Errorf("%s: something empty is left: %s", form, js(now))
				}
			}
		}
		// P31 each by itself, from a value and again from nothing, with every form of nothing.
		for _, path := range optional() {
			for _, empty := range []any{"", nil, []any{}, object{}} {
				id, before := d.create("/Users", everything(nil))
				for range 2 {
					if got := at(d.patchUser(id, op("replace", path, empty)), path); got != nil {
						t.Errorf("%s %s: %v", path, js(empty), got)
					}
				}
				if now := d.get("/Users/" + id); now["userName"] != before["userName"] || js(now["roles"]) != js(before["roles"]) {
					t.Errorf("clearing %s changed %s", path, js(now))
				}
			}
		}
	})
}

// TestGalleryCreateAndUpdate are SCIM_User_Create, SCIM_User_Update, SCIM_Group_Create and
// SCIM_Group_Update: every single-valued attribute is replaced, and each is compared as text.
func TestGalleryCreateAndUpdate(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		body := everything(nil)
		id, created := d.create("/Users", body)
		if created["userName"] != body["userName"] {
			t.Errorf("userName is %v", created["userName"])
		}
		updates := map[string]string{}
		for _, form := range []string{"verbose", "one object"} {
			var ops []object
			for _, path := range append(optional(), "userName") {
				if strings.HasPrefix(path, "roles") {
					continue
				}
				updates[path] = "upd-" + scimprobe.GUID()[:8]
				ops = append(ops, op("replace", path, updates[path]))
			}
			if form == "one object" {
				ops = merged(ops)
			}
			now := d.patchUser(id, ops...)
			for path, want := range updates {
				if got := at(now, path); got != want {
					t.Errorf("%s: %s is %v, not %s", form, path, got, want)
				}
			}
		}
		group := d.team(nil)
		for _, path := range []string{"displayName", "externalId"} {
			value := "upd-" + scimprobe.GUID()
			d.patchGroup(group, op("replace", path, value))
			if got := d.get("/Groups/" + group); got[path] != value {
				t.Errorf("%s is %v", path, got[path])
			}
		}
	})
}

// TestGalleryPagination creates up to eleven, five at a time, and follows the pages by five.
func TestGalleryPagination(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		for _, endpoint := range []string{"/Users", "/Groups"} {
			for start := 0; start < 11; start += 5 {
				var wg sync.WaitGroup
				for i := start; i < min(start+5, 11); i++ {
					body := person(nil)
					if endpoint == "/Groups" {
						body = object{"schemas": []string{scimprobe.GroupSchema}, "displayName": scimprobe.GUID()}
					}
					wg.Go(func() {
						if a := d.ask("POST", endpoint, body); a.Status != 201 {
							t.Errorf("%s", a)
						}
					})
				}
				wg.Wait()
			}
			pages, start := 0, 1
			for ; pages < 10; pages++ {
				list := d.must(200, "GET", fmt.Sprintf("%s?startIndex=%d&count=5", endpoint, start), nil).Document()
				total, _ := strconv.Atoi(js(list["totalResults"]))
				if js(list["startIndex"]) != strconv.Itoa(start) || total < 11 {
					t.Errorf("the page from %d says %s", start, js(list))
				}
				start += len(resources(list))
				if start > total || len(resources(list)) == 0 {
					break
				}
			}
			if pages < 2 {
				t.Errorf("%d pages", pages+1)
			}
		}
	})
}

// TestGalleryUpdateManager sets, changes and clears a manager.
func TestGalleryUpdateManager(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		path := scimprobe.EnterpriseSchema + ":manager"
		id, first, second := d.user(nil), d.user(nil), d.user(nil)
		for _, step := range []struct{ verb, value string }{{"Add", first}, {"replace", second}, {"replace", ""}, {"Add", first}, {"Add", second}} {
			got, _ := at(d.patchUser(id, op(step.verb, path, step.value)), path).(object)
			if value, _ := got["value"].(string); value != step.value {
				t.Errorf("%s %q: the manager is %v", step.verb, step.value, got)
			}
		}
	})
}

// campus is a house that knows a tenant of Entra, and a client for provisioning.
func campus(t *testing.T) (*desk, *entrasim.Sim) {
	t.Helper()
	sim := entrasim.New(t)
	return boot(t, func(cfg *engine.Config) {
		cfg.HTTP.Host = "127.0.0.1"
		cfg.Entra.Authority, cfg.Entra.GraphURL = sim.Authority, sim.GraphURL
		cfg.Entra.TenantID, cfg.Entra.ClientID, cfg.Entra.ClientSecret = sim.TenantID, sim.ClientID, config.Secret(sim.ClientSecret)
		cfg.Entra.RedirectURI = cfg.PublicURL + "/auth/callback"
		sim.RegisterRedirectURI(cfg.Entra.RedirectURI)
	}), sim
}

// granted asks the token endpoint and answers a client with what it gave.
func (d *desk) granted(form url.Values) *scimprobe.Client {
	d.t.Helper()
	bare := connect(d.t, d.base, "")
	a, err := bare.Send(d.t.Context(), "POST", "/scim/oauth/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Accept", "application/json")
	if err != nil || a.Status/100 != 2 {
		d.t.Fatalf("no access token: %v %s", err, a)
	}
	token, _ := a.Document()["access_token"].(string)
	seconds, _ := strconv.Atoi(js(a.Document()["expires_in"]))
	// Microsoft's test wants a lifetime from one to six hours.
	if token == "" || seconds/60 < 60 || seconds/60 > 360 || a.Header.Get("Cache-Control") != "no-store" {
		d.t.Errorf("granted %s with %v", a.Body, a.Header)
	}
	return connect(d.t, d.base+"/scim/v2", token)
}

// api calls the house as its administrator.
func (d *desk) api(status int, method, path string, body any) object {
	d.t.Helper()
	a, err := connect(d.t, d.base, admin).Send(d.t.Context(), method, path, body, "Content-Type", "application/json", "Accept", "application/json")
	if err != nil || a.Status != status {
		d.t.Fatalf("not %d: %v %s", status, err, a)
	}
	return a.Document()
}

// TestGalleryValidateCredentials gets an access token for a client and its secret.
func TestGalleryValidateCredentials(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		client := d.api(201, "POST", "/api/v1/clients", object{"name": "Entra", "scopes": []string{"scim"}})
		secret, _ := client["secret"].(string)
		for _, scope := range []string{"", "scim"} {
			form := url.Values{"grant_type": {"client_credentials"}, "client_id": {client["id"].(string)}, "client_secret": {secret}}
			if scope != "" {
				form.Set("scope", scope)
			}
			d := d.in(t)
			d.client = d.granted(form)
			d.must(200, "GET", "/Users?startIndex=1&count=1", nil)
			d.user(nil)
		}
	})
}

// TestGalleryFederatedIdentity gets one for a token of Entra instead, so that no secret is
// shared.
func TestGalleryFederatedIdentity(t *testing.T) {
	d, sim := campus(t)
	client := d.api(201, "POST", "/api/v1/clients", object{
		"name": "Entra", "scopes": []string{"scim"},
		"assertion": object{"issuer": sim.Issuer, "tenant": sim.TenantID, "subject": sim.Provisioner.ObjectID, "audience": sim.AppIDURI},
	})
	d.client = d.granted(url.Values{
		"grant_type": {"client_credentials"}, "client_id": {client["id"].(string)}, "client_assertion": {sim.MintAssertion()},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "baseAddress": {d.base + "/scim/v2"},
	})
	d.must(200, "GET", "/Users?startIndex=1&count=1", nil)
	id := d.user(object{"externalId": sim.User.ObjectID})
	d.patchUser(id, op("Replace", "active", "False"))
}
