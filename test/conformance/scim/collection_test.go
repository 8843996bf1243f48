package scim

import (
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/app/command/scimprobe"
	"github.com/badge-engine/badge-engine/app/engine"
)

// TestTheCollectionOfTheReferenceCode plays the requests that come with Microsoft's
// reference implementation: words without quotes, names in odd cases, a filter where a
// projection stands.
func TestTheCollectionOfTheReferenceCode(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		run := scimprobe.GUID()
		post := func(more object) string {
			t.Helper()
			id, _ := d.create("/Users", person(more))
			return id
		}
		omalley := post(object{
			"userName": "OMalley" + run, "active": "True", "externalId": scimprobe.GUID(), "displayName": "OMalley",
			"name":   object{"formatted": "Mr. O", "familyName": "Employee", "givenName": "Omalley"},
			"emails": []object{{"type": "work", "primary": true, "value": "omalley" + run + "@example.com"}, {"type": "home", "value": "o@home.example"}},
		})
		post(object{"userName": "guest" + run, "name": object{"familyName": "Guest"}, "emails": []object{{"type": "work", "value": "guest@example.net"}}})

		if got := d.get("/Users/" + omalley); got["active"] != true {
			t.Errorf("active is %v", got["active"])
		}
		misspelt := d.get("/Users/" + post(object{"displyName": "x", "emials": []object{{"value": "x"}}, "nmae": object{"givenName": "x"}, "Aktive": 3}))
		if len(misspelt) != 4 { // schemas, id, userName, meta
			t.Errorf("misspelt attributes are kept: %s", js(misspelt))
		}
		d.refused(400, "invalidValue", "POST", "/Users", object{"schemas": []string{scimprobe.UserSchema}, "displayName": "nobody"})
		for _, junk := range []string{"junk", "{", `{"userName":`, `"text"`, "[]", "7", "null", ""} {
			d.refused(400, "invalidSyntax", "POST", "/Users", junk)
		}

		one := func(filter string, more ...string) object {
			t.Helper()
			found := d.find("/Users", filter, more...)
			if len(found) != 1 || found[0]["id"] != omalley {
				t.Errorf("%s finds %s", filter, js(found))
				return object{}
			}
			return found[0]
		}
		one("userName sw O")
		one("name.FamilyName eq Employee")
		one("name.FamilyName eq Employee and (emails.Value co example.com or emails.Value co example.org)")
		one("DISPLAYNAME eq OMalley and meta.Created gt 2019-10-10T14:38:21.8617979-07:00")
		if found := d.find("/Users", "meta.Created lt 2019-10-10T14:38:21.8617979-07:00"); len(found) != 0 {
			t.Errorf("created before: %s", js(found))
		}
		if got := one("userName sw O", "attributes", "userName,emails"); len(got) != 4 || got["userName"] == nil || got["emails"] == nil || got["schemas"] == nil {
			t.Errorf("projected to %s", js(got))
		}
		if got := one("userName sw O", "attributes", `emails[type eq "work"]`); got["emails"] == nil || got["userName"] != nil {
			t.Errorf("projected to %s", js(got))
		}
		if got := d.get("/Users/" + omalley + "?attributes=EMAILS.VALUE,urn:ietf:params:scim:schemas:core:2.0:User:name.givenName"); js(got["name"]) != `{"givenName":"Omalley"}` || !strings.Contains(js(got["emails"]), `{"value":"o@home.example"}`) {
			t.Errorf("projected to %s", js(got))
		}
		list := d.must(200, "GET", "/Users?startIndex=2&count=1", nil).Document()
		if js(list["startIndex"]) != "2" || js(list["itemsPerPage"]) != "1" || js(list["totalResults"]) != "3" {
			t.Errorf("the page says %s", js(list))
		}

		boss := post(nil)
		now := d.patchUser(omalley, op("add", scimprobe.EnterpriseSchema+":manager", []object{{"$ref": "http://localhost:8000/scim/v2/Users/" + boss, "value": boss}}))
		if manager, _ := at(now, scimprobe.EnterpriseSchema+":manager").(object); manager["value"] != boss {
			t.Errorf("the manager is %v", manager)
		}
		group := d.team(object{"members": []object{{"value": omalley}}})
		d.hasMembers(group, omalley)
		d.patchGroup(group, op("add", "members", []object{{"value": boss, "display": "Boss"}}))
		d.hasMembers(group, omalley, boss)
		d.patchGroup(group, op("remove", "members", []object{{"value": omalley}}))
		d.hasMembers(group, boss)
		d.must(204, "DELETE", "/Groups/"+group, nil)
		d.must(204, "DELETE", "/Users/"+omalley, nil)
	})
}

// TestBothMediaTypes: Microsoft's tools send application/json, with a charset or without.
func TestBothMediaTypes(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		for _, kind := range []string{"application/json", "application/json; charset=utf-8", "application/scim+json", "application/scim+json;charset=UTF-8", "Application/SCIM+JSON; charset=\"utf-8\""} {
			for _, accept := range []string{"", "*/*", "application/json", "application/scim+json", "application/scim+json, application/json;q=0.5"} {
				d.must(201, "POST", "/Users", person(nil), "Content-Type", kind, "Accept", accept, "ADSCIMVersion", "2.0")
			}
		}
		for _, kind := range []string{"text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
			d.refused(415, "", "POST", "/Users", person(nil), "Content-Type", kind)
		}
	})
}

// TestTenTraps are the ten ways in which servers break in the field, each told by what
// it breaks.
func TestTenTraps(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		trap := func(name string, run func(t *testing.T, d *desk)) {
			t.Run(name, func(t *testing.T) { run(t, d.in(t)) })
		}
		trap("1 the text False is not true", func(t *testing.T, d *desk) {
			id := d.user(object{"active": "False", "externalId": scimprobe.GUID()})
			if got := d.get("/Users/" + id); got["active"] != false {
				t.Errorf("active is %v", got["active"])
			}
			if found := d.find("/Users", "id eq "+scimprobe.Quote(id)+` and active eq "false"`); len(found) != 1 {
				t.Errorf("found %s", js(found))
			}
			d.refused(400, "invalidValue", "POST", "/Users", person(object{"active": "perhaps"}))
		})
		trap("2 removing a member by value does not wipe the group", func(_ *testing.T, d *desk) {
			group, stays, goes := d.team(nil), d.user(nil), d.user(nil)
			d.patchGroup(group, op("Add", "members", values(stays, goes)))
			d.patchGroup(group, op("Remove", "members", values(goes)))
			d.hasMembers(group, stays)
			d.patchGroup(group, op("Remove", "members", object{"value": scimprobe.GUID()}))
			d.hasMembers(group, stays)
		})
		trap("3 a query that finds nothing is 200", func(_ *testing.T, d *desk) {
			d.empty(scimprobe.Query("/Groups", "filter", "displayName eq nobody"))
		})
		trap("4 dotted and schema names are not kept as they are", func(t *testing.T, d *desk) {
			id := d.user(nil)
			d.patchUser(id, op("replace", "", object{"name.givenName": "G", scimprobe.EnterpriseSchema + ":department": "D"}))
			got := d.get("/Users/" + id)
			if got["name.givenName"] != nil || got[scimprobe.EnterpriseSchema+":department"] != nil || at(got, "name.givenName") != "G" || at(got, scimprobe.EnterpriseSchema+":department") != "D" {
				t.Errorf("kept as %s", js(got))
			}
		})
		trap("5 a filter that matches nothing does not keep active from changing", func(t *testing.T, d *desk) {
			now := d.patchUser(d.user(object{"active": true}), op("Replace", `emails[type eq "work"].value`, "x"), op("Replace", "active", "False"))
			if now["active"] != false {
				t.Errorf("active is %v", now["active"])
			}
		})
		trap("6 who is disabled is found", func(t *testing.T, d *desk) {
			id := d.user(object{"active": false})
			if found := d.find("/Users", "id eq "+scimprobe.Quote(id)); len(found) != 1 {
				t.Errorf("found %s", js(found))
			}
		})
		trap("7 a filter is never left out", func(t *testing.T, d *desk) {
			d.user(nil)
			d.empty(scimprobe.Query("/Users", "filter", "externalId eq nobody"))
			d.refused(400, "invalidFilter", "GET", scimprobe.Query("/Users", "filter", "shoeSize eq 43"), nil)
			d.refused(400, "invalidFilter", "GET", scimprobe.Query("/Users", "filter", "userName is x"), nil)
			for _, name := range []string{"O'Brien & Söhne", `quote " backslash \`, "two  spaces", "a and b", "(x)", "100%_"} {
				id := d.user(object{"externalId": name})
				if found := d.find("/Users", "externalId eq "+scimprobe.Quote(name)); len(found) != 1 || found[0]["id"] != id {
					t.Errorf("%s finds %s", name, js(found))
				}
			}
		})
		trap("8 a manager of any form", func(_ *testing.T, d *desk) {
			for _, value := range []any{"x", object{"value": "x"}, []object{{"value": "x"}}, "", nil} {
				d.user(object{scimprobe.EnterpriseSchema: object{"manager": value}})
			}
		})
		trap("9 what PATCH answers is not stale", func(_ *testing.T, d *desk) { // patchUser compares
			id := d.user(nil)
			for _, name := range []string{"A", "B"} {
				d.patchUser(id, op("replace", "displayName", name))
			}
		})
	})
	// 10: jobs of 25 requests a second, with bursts of 100, are never too many, however
	// little others may send.
	t.Run("10 no job is too fast", func(t *testing.T) {
		d := boot(t, func(cfg *engine.Config) { cfg.Limits.PerSecond, cfg.Limits.Burst = 1, 1 })
		for range 100 {
			d.empty(scimprobe.Query("/Users", "filter", "userName eq nobody"))
		}
	})
}
