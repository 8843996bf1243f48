package scim

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/badge-engine/badge-engine/app/command/scimprobe"
)

// empty asks for what nobody has.
func (d *desk) empty(target string) {
	d.t.Helper()
	list := d.must(200, "GET", target, nil).Document()
	if js(list["totalResults"]) != "0" || len(resources(list)) != 0 {
		d.t.Errorf("GET %s finds %s", target, js(list))
	}
}

// TestTestConnection is what happens when an administrator presses that button, and at
// the start of every cycle.
func TestTestConnection(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.user(nil)
		d.team(nil)
		for _, address := range []string{"/scim/v2", "/scim/v2/", "/scim/v2?aadOptscim062020", "/scim/v2/?aadOptscim062020"} {
			d := d.in(t)
			d.client = connect(t, d.base+address, d.client.Token)
			if d.client.Flagged != strings.Contains(address, "?") {
				t.Errorf("the flag of %s is read as %v", address, d.client.Flagged)
			}
			for _, matching := range []string{"userName", "externalId", `emails[type eq "work"].value`} {
				d.empty(scimprobe.Query("/Users", "filter", matching+" eq "+scimprobe.Quote(scimprobe.GUID())))
			}
			d.empty(scimprobe.Query("/Groups", "excludedAttributes", "members", "filter", "displayName eq "+scimprobe.Quote(scimprobe.GUID())))
			d.empty(scimprobe.Query("/Groups", "excludedAttributes", "members", "filter", "externalId eq "+scimprobe.Quote(scimprobe.GUID())))
			d.empty("/Users?aadOptscim062020&filter=userName+eq+%225f0d4b2e-8a39-4c1a-9a1b-3d6f2e0c7a11%22")
		}
	})
}

// TestCreateAndReadAUser is the life of a user before anything changes.
func TestCreateAndReadAUser(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		oid, name := scimprobe.GUID(), "Dana.Kim."+scimprobe.GUID()+"@contoso.example"
		body := strings.NewReplacer("OID", oid, "NAME", name, "ENT", scimprobe.EnterpriseSchema, "CORE", scimprobe.UserSchema).Replace(`{
			"schemas":["CORE","ENT"],"externalId":"OID","userName":"NAME","active":"True","displayName":"Dana Kim",
			"emails":[{"primary":true,"type":"work","value":"NAME"}],"meta":{"resourceType":"User","created":"1999-01-01T00:00:00Z","version":"W/\"77\""},
			"name":{"formatted":"Dana Kim","familyName":"Kim","givenName":"Dana"},"title":null,"addresses":null,"roles":[],"shoeSize":43,
			"department":null,"id":"mine","groups":[{"value":"x"}],"urn:example:unknown:2.0:User":{"a":"b"},
			"ENT":{"employeeNumber":"88121","department":"Learning","manager":null}}`)
		a := d.must(201, "POST", "/Users", body)
		created := a.Document()
		id, _ := created["id"].(string)
		if id == "" || id == "mine" {
			t.Fatalf("the id is %q", id)
		}
		meta, _ := created["meta"].(object)
		if a.Header.Get("Location") != d.base+"/scim/v2/Users/"+id || a.Header.Get("ETag") == "" || meta["version"] != a.Header.Get("ETag") ||
			meta["resourceType"] != "User" || strings.HasPrefix(fmt.Sprint(meta["created"]), "1999") || meta["created"] == nil || meta["lastModified"] == nil {
			t.Errorf("the headers and meta are %v %s", a.Header, js(meta))
		}
		want := object{
			"externalId": oid, "userName": name, "active": true, "displayName": "Dana Kim",
			"emails":                   []any{object{"primary": true, "type": "work", "value": name}},
			"name":                     object{"formatted": "Dana Kim", "familyName": "Kim", "givenName": "Dana"},
			scimprobe.EnterpriseSchema: object{"employeeNumber": "88121", "department": "Learning"},
		}
		compare(t, created, want)
		if got := d.get("/Users/" + id); js(got) != js(created) {
			t.Errorf("GET says\n%s\nPOST said\n%s", js(got), js(created))
		}
		for _, filter := range []string{
			"userName eq " + scimprobe.Quote(name),
			"userName eq " + scimprobe.Quote(strings.ToUpper(name)),
			"USERNAME EQ " + scimprobe.Quote(strings.ToLower(name)),
			"externalId eq " + scimprobe.Quote(oid),
			"externalId eq " + oid, // a bare word
			`emails[type eq "work"].value eq ` + scimprobe.Quote(name),
			`emails[type eq "Work" and value eq ` + scimprobe.Quote(strings.ToUpper(name)) + `]`,
			"id eq " + scimprobe.Quote(id),
			scimprobe.UserSchema + ":userName eq " + scimprobe.Quote(name),
			"userName eq " + scimprobe.Quote(name) + ` and active eq "True"`,
		} {
			if found := d.find("/Users", filter); len(found) != 1 || js(found[0]) != js(created) {
				t.Errorf("%s finds %s", filter, js(found))
			}
		}
		// RFC 7643, 3.1 (Common Attributes): externalId is case exact.
		if found := d.find("/Users", "externalId eq "+scimprobe.Quote(strings.ToUpper(oid))); len(found) != 0 && strings.ToUpper(oid) != oid {
			t.Errorf("externalId is found in another case: %s", js(found))
		}
		d.refused(409, "uniqueness", "POST", "/Users", body)
		d.refused(409, "uniqueness", "POST", "/Users", person(object{"userName": strings.ToUpper(name)}))
		d.refused(404, "", "GET", "/Users/"+scimprobe.GUID(), nil)
		d.refused(404, "", "GET", "/Users/7", nil)
		d.refused(404, "", "GET", "/Users/%F0%9F%92%A9%20'%22;--", nil)
		d.refused(404, "", "GET", "/Groups/"+id, nil)
	})
}

// TestWhatComesBackIsWhatWasSent: Entra compares, and sends again what differs.
func TestWhatComesBackIsWhatWasSent(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		for _, text := range []string{
			" leading and trailing ", "UPPER lower", "Zoë Ñandú", "A\u0301 decomposed", "李雷 👩🏽‍🏫", "<script>&amp;\"'\\/", "line\nline\ttab", "10-040-1308", "BAPNQLJS", "2019-10-10T14:38:21.8617979-07:00",
			"True", "null", "0", "1e400", strings.Repeat("long ", 300),
		} {
			want := object{
				"userName": "u-" + scimprobe.GUID() + text, "externalId": scimprobe.GUID() + text, "displayName": text, "nickName": text, "profileUrl": text, "title": text, "userType": text,
				"preferredLanguage": text, "locale": text, "timezone": text, "name": object{"givenName": text, "familyName": text, "formatted": text},
				"emails": []any{object{"type": "work", "value": text, "primary": true}}, "phoneNumbers": []any{object{"type": "mobile", "value": text}},
				"addresses": []any{object{"type": "work", "country": text, "formatted": text}}, "roles": []any{object{"value": text, "display": text, "type": text, "primary": true}},
				scimprobe.EnterpriseSchema: object{"department": text, "manager": object{"value": text}},
			}
			body := person(want)
			_, created := d.create("/Users", body)
			compare(t, created, want)
			if found := d.find("/Users", "userName eq "+scimprobe.Quote(want["userName"].(string))); len(found) != 1 || found[0]["id"] != created["id"] {
				t.Errorf("a user with %q is not found: %s", text, js(found))
			}
		}
	})
}

// TestReferencesAreLookedUp is the legacy check of a manager, and of a member.
func TestReferencesAreLookedUp(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		boss := d.user(nil)
		staff := d.user(object{scimprobe.EnterpriseSchema: object{"manager": object{"value": boss}}})
		for _, form := range []string{`id eq "%s" and manager eq "%s"`, `id eq "%s" and manager.value eq "%s"`, `id eq "%s" and ` + scimprobe.EnterpriseSchema + `:manager eq "%s"`} {
			if found := d.find("/Users", fmt.Sprintf(form, staff, boss), "attributes", "id"); len(found) != 1 || found[0]["id"] != staff || found[0]["userName"] != nil {
				t.Errorf("%s finds %s", form, js(found))
			}
			if found := d.find("/Users", fmt.Sprintf(form, staff, staff), "attributes", "id"); len(found) != 0 {
				t.Errorf("%s finds another manager: %s", form, js(found))
			}
		}
		group := d.team(nil)
		d.patchGroup(group, op("Add", "members", values(staff)))
		if found := d.find("/Groups", fmt.Sprintf(`id eq "%s" and members eq "%s"`, group, staff), "attributes", "id"); len(found) != 1 {
			t.Errorf("a member is not found: %s", js(found))
		}
		if found := d.find("/Groups", fmt.Sprintf(`id eq "%s" and members eq "%s"`, group, boss), "attributes", "id"); len(found) != 0 {
			t.Errorf("who is no member is found: %s", js(found))
		}
	})
}

// TestDisableRestoreDelete: who is disabled stays visible, who is deleted does not.
func TestDisableRestoreDelete(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		for _, dialect := range dialects {
			body := person(object{"active": true, "externalId": scimprobe.GUID()})
			id, created := d.create("/Users", body)
			name := scimprobe.Quote(created["userName"].(string))
			group := d.team(nil)
			d.patchGroup(group, op("Add", "members", values(id)))
			boss := d.user(object{scimprobe.EnterpriseSchema: object{"manager": object{"value": id}}})

			set := func(active string) {
				t.Helper()
				now := d.patchUser(id, dialect.put([]object{op("replace", "active", active)})...)
				want := active == "True"
				found := d.find("/Users", "userName eq "+name)
				if now["active"] != want || len(found) != 1 || found[0]["active"] != want {
					t.Errorf("%s: active is %v, a filter finds %s", dialect.name, now["active"], js(found))
				}
				d.refused(409, "uniqueness", "POST", "/Users", body)
				d.hasMembers(group, id) // Entra does not send memberships again
			}
			set("False")
			set("True")
			set("False")

			d.must(204, "DELETE", "/Users/"+id, nil)
			d.refused(404, "", "GET", "/Users/"+id, nil)
			d.refused(404, "", "DELETE", "/Users/"+id, nil)
			d.refused(404, "", "PATCH", "/Users/"+id, operations(op("replace", "active", true)))
			d.refused(404, "", "PUT", "/Users/"+id, person(nil))
			d.empty(scimprobe.Query("/Users", "filter", "userName eq "+name))
			d.empty(scimprobe.Query("/Users", "filter", "externalId eq "+scimprobe.Quote(created["externalId"].(string))))
			d.hasMembers(group)
			d.get("/Users/" + boss)
			if again, _ := d.create("/Users", body); again == id {
				t.Error("an id is used again")
			}
		}
	})
}

// TestGroupsAsEntraKeepsThem is section by section what it sends for groups.
func TestGroupsAsEntraKeepsThem(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		u1, u2, u3 := d.user(nil), d.user(nil), d.user(nil)
		name, oid := "Badge Issuers "+scimprobe.GUID(), scimprobe.GUID()
		id, created := d.create("/Groups", object{
			"schemas":    []string{scimprobe.GroupSchema, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"},
			"externalId": oid, "displayName": name, "meta": object{"resourceType": "Group"},
		})
		if created["displayName"] != name || created["externalId"] != oid || len(created["schemas"].([]any)) != 1 {
			t.Errorf("created %s", js(created))
		}
		d.hasMembers(id)
		for _, form := range []struct {
			name string
			ops  []object
			want []string
		}{
			{"add two", []object{op("Add", "members", values(u1, u2))}, []string{u1, u2}},
			{"add one who is there", []object{op("Add", "members", values(u1))}, []string{u1, u2}},
			{"add without a path", []object{op("Add", "", object{"members": []object{{"value": u3}}})}, []string{u1, u2, u3}},
			{"remove by value, flag off", []object{op("Remove", "members", values(u1))}, []string{u2, u3}},
			{"remove who is not there, flag off", []object{op("Remove", "members", values(u1))}, []string{u2, u3}},
			{"remove by filter, flag on", []object{{"op": "remove", "path": `members[value eq "` + u2 + `"]`}}, []string{u3}},
			{"remove who is not there, flag on", []object{{"op": "remove", "path": `members[value eq "` + u2 + `"]`}}, []string{u3}},
			{"add and remove the same", []object{op("add", "members", values(u1)), {"op": "remove", "path": `members[value eq "` + u1 + `"]`}}, []string{u3}},
			{"remove and add the same", []object{op("Remove", "members", values(u3)), op("Add", "members", values(u3, u1))}, []string{u1, u3}},
			{"replace", []object{op("replace", "members", []object{{"value": u2}})}, []string{u2}},
			{"add as an object", []object{op("add", "members", object{"value": u1})}, []string{u1, u2}},
			{"remove all", []object{{"op": "Remove", "path": "members"}}, nil},
			{"remove from none", []object{op("Remove", "members", values(u1))}, nil},
			{"add again", []object{op("add", "members", values(u1, u2, u3))}, []string{u1, u2, u3}},
			{"replace by none", []object{op("replace", "members", []object{})}, nil},
			{"no operations", nil, nil},
		} {
			t.Run(form.name, func(t *testing.T) {
				d := d.in(t)
				d.patchGroup(id, form.ops...)
				d.hasMembers(id, form.want...)
			})
		}

		nested, nobody := d.team(nil), scimprobe.GUID()
		d.patchGroup(id, op("Add", "members", values(nested, u1)))
		d.hasMembers(id, nested, u1)
		a := d.refused(400, "invalidValue", "PATCH", "/Groups/"+id, operations(op("Add", "members", values(u2, nobody, u3))))
		if !strings.Contains(fmt.Sprint(a.Document()["detail"]), nobody) {
			t.Errorf("the refusal does not name who is unknown: %s", a)
		}
		d.hasMembers(id, nested, u1)

		for _, target := range []string{"/Groups/" + id + "?excludedAttributes=members", "/Groups/" + id + "?excludedAttributes=MEMBERS"} {
			if got := d.get(target); got["members"] != nil || got["displayName"] != name {
				t.Errorf("%s answers %s", target, js(got))
			}
		}
		for _, filter := range []string{"displayName eq " + scimprobe.Quote(name), "displayName eq " + scimprobe.Quote(strings.ToUpper(name)), "externalId eq " + scimprobe.Quote(oid)} {
			if found := d.find("/Groups", filter, "excludedAttributes", "members"); len(found) != 1 || found[0]["id"] != id || found[0]["members"] != nil {
				t.Errorf("%s finds %s", filter, js(found))
			}
		}

		d.refused(409, "uniqueness", "POST", "/Groups", object{"schemas": []string{scimprobe.GroupSchema}, "displayName": strings.ToLower(name)})
		d.patchGroup(id, op("Replace", "displayName", name+" II"))
		d.patchGroup(id, op("replace", "", object{"externalId": "e-" + oid}))
		if got := d.get("/Groups/" + id); got["displayName"] != name+" II" || got["externalId"] != "e-"+oid {
			t.Errorf("renamed to %s", js(got))
		}
		d.must(204, "DELETE", "/Groups/"+id, nil)
		d.refused(404, "", "GET", "/Groups/"+id, nil)
		d.refused(404, "", "DELETE", "/Groups/"+id, nil)
		d.get("/Users/" + u1)
	})
}

// TestUsersKnowTheirGroups: groups of a user is made by the server, and nested ones count
// as indirect.
func TestUsersKnowTheirGroups(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		user, inner, outer := d.user(nil), d.team(nil), d.team(nil)
		d.patchGroup(inner, op("Add", "members", values(user)))
		d.patchGroup(outer, op("Add", "members", values(inner)))
		kinds := map[string]string{}
		list, _ := d.get("/Users/" + user)["groups"].([]any)
		for _, g := range list {
			group, _ := g.(object)
			kinds[fmt.Sprint(group["value"])] = fmt.Sprint(group["type"])
		}
		if kinds[inner] != "direct" {
			t.Errorf("the groups are %s", js(list))
		}
		if found := d.find("/Users", "groups.value eq "+scimprobe.Quote(inner), "attributes", "id"); len(found) != 1 || found[0]["id"] != user {
			t.Errorf("a group finds %s", js(found))
		}
		if got := d.get("/Users/" + user + "?excludedAttributes=groups"); got["groups"] != nil {
			t.Errorf("groups are excluded and there: %s", js(got))
		}
		d.must(204, "DELETE", "/Groups/"+inner, nil)
		if got := d.get("/Users/" + user); got["groups"] != nil {
			t.Errorf("a deleted group has members: %s", js(got["groups"]))
		}
	})
}

// TestParallelChangesLoseNothing: two creates of one name, and many members at once.
func TestParallelChangesLoseNothing(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		const n = 24
		parallel := func(run func(i int) scimprobe.Answer) (answers [n]scimprobe.Answer) {
			var wg sync.WaitGroup
			for i := range n {
				wg.Go(func() { answers[i] = run(i) })
			}
			wg.Wait()
			return answers
		}
		body := person(object{"externalId": scimprobe.GUID()})
		counts := map[int]int{}
		for _, a := range parallel(func(int) scimprobe.Answer { return d.ask("POST", "/Users", body) }) {
			counts[a.Status]++
		}
		if counts[201] != 1 || counts[409] != n-1 {
			t.Errorf("%d creates of one name are answered %v", n, counts)
		}
		group := object{"schemas": []string{scimprobe.GroupSchema}, "displayName": "same " + scimprobe.GUID()}
		counts = map[int]int{}
		for _, a := range parallel(func(int) scimprobe.Answer { return d.ask("POST", "/Groups", group) }) {
			counts[a.Status]++
		}
		if counts[201] != 1 || counts[409] != n-1 {
			t.Errorf("%d creates of one group are answered %v", n, counts)
		}

		id := d.team(nil)
		var people, gone []string
		for range n {
			people, gone = append(people, d.user(nil)), append(gone, d.user(nil))
		}
		d.patchGroup(id, op("Add", "members", values(gone...)))
		for _, a := range parallel(func(i int) scimprobe.Answer {
			return d.ask("PATCH", "/Groups/"+id, operations(op("Remove", "members", values(gone[i])), op("Add", "members", values(people[(i+1)%n], people[i]))))
		}) {
			if a.Status != 204 {
				t.Errorf("%s", a)
			}
		}
		d.hasMembers(id, people...)

		user := d.user(nil)
		for _, a := range parallel(func(i int) scimprobe.Answer {
			return d.ask("PATCH", "/Users/"+user, operations(op("Add", "phoneNumbers", []object{{"type": fmt.Sprintf("t%d", i), "value": fmt.Sprint(i)}})))
		}) {
			if a.Status != 200 && a.Status != 204 {
				t.Errorf("%s", a)
			}
		}
		if phones, _ := d.get("/Users/" + user)["phoneNumbers"].([]any); len(phones) != n {
			t.Errorf("%d of %d telephone numbers are there: an update was lost", len(phones), n)
		}
	})
}

// TestAccountDiscovery lists everybody by index: no row twice, none left out.
func TestAccountDiscovery(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		for _, endpoint := range []string{"/Users", "/Groups"} {
			want := map[string]bool{}
			for range 13 {
				if endpoint == "/Users" {
					want[d.user(nil)] = true
				} else {
					want[d.team(nil)] = true
				}
			}
			for _, count := range []int{1, 5, 7, 13, 100} {
				seen := map[string]bool{}
				for start := 1; ; start += count {
					list := d.must(200, "GET", fmt.Sprintf("%s?startIndex=%d&count=%d", endpoint, start, count), nil).Document()
					if js(list["startIndex"]) != fmt.Sprint(start) || js(list["totalResults"]) != "13" {
						t.Errorf("page from %d says %s", start, js(list))
					}
					page := resources(list)
					for _, r := range page {
						id, _ := r["id"].(string)
						if seen[id] {
							t.Errorf("%s is listed twice by %d", id, count)
						}
						seen[id] = true
					}
					if want := min(count, 13-start+1); len(page) != max(want, 0) {
						t.Errorf("the page from %d holds %d of %d", start, len(page), want)
					}
					if start+count > 13 {
						break
					}
				}
				if len(seen) != len(want) {
					t.Errorf("by %d %d of %d are listed", count, len(seen), len(want))
				}
			}
			for target, total := range map[string]int{"?startIndex=0&count=2": 2, "?startIndex=-5&count=2": 2, "?count=0": 0, "?count=-1": 0, "?startIndex=14&count=5": 0, "?startIndex=99999999999999999999": -1, "?count=x": -1} {
				if total < 0 {
					d.refused(400, "invalidValue", "GET", endpoint+target, nil)
				} else if page := resources(d.must(200, "GET", endpoint+target, nil).Document()); len(page) != total {
					t.Errorf("%s%s holds %d", endpoint, target, len(page))
				}
			}
		}
	})
}
