package scim

import (
	"fmt"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/app/command/scimprobe"
)

// junk are values as the validator makes them up: none is what its attribute means.
var junk = []struct{ path, value string }{
	{"displayName", "EVIIZSTTJVAH"}, {"nickName", "WMRUVOWQLNKL"}, {"title", "WKJWMKBYNUUZ"}, {"userType", "ZKCBJHTYYCPI"}, {"profileUrl", "BAPNQLJSLNTW"},
	{"preferredLanguage", "qz"}, {"locale", "RJWNEXIQZJUJ"}, {"timezone", "Africa/Nowhere"},
	{"name.givenName", "Aracely"}, {"name.familyName", "Ida"}, {"name.formatted", "Kelsie"}, {"name.middleName", "Otto"}, {"name.honorificPrefix", "Earnest"}, {"name.honorificSuffix", "Alda"},
	{`emails[type eq "work"].value`, "eliezer@hammes.biz"},
	{`addresses[type eq "work"].formatted`, "VQYZIVQSYHAA"}, {`addresses[type eq "work"].streetAddress`, "2427 Corbin Route"}, {`addresses[type eq "work"].locality`, "LOIGQCWXMBLP"},
	{`addresses[type eq "work"].region`, "GEUHVSMEVRHT"}, {`addresses[type eq "work"].postalCode`, "cx47 4mz"}, {`addresses[type eq "work"].country`, "Sierra Leone"},
	{`phoneNumbers[type eq "work"].value`, "10-040-1308"}, {`phoneNumbers[type eq "mobile"].value`, "10-040-1309"}, {`phoneNumbers[type eq "fax"].value`, "10-040-1310"},
	{`roles[primary eq "True"].display`, "RQMJUZJDNFZE"}, {`roles[primary eq "True"].value`, "IXKOOVMUGEQH"}, {`roles[primary eq "True"].type`, "NHVDJWDVJMBF"},
	{scimprobe.EnterpriseSchema + ":employeeNumber", "IFYMLUWQZWVN"}, {scimprobe.EnterpriseSchema + ":department", "KXSDTHIHYYLB"}, {scimprobe.EnterpriseSchema + ":costCenter", "ZBLCRZGFUTLG"},
	{scimprobe.EnterpriseSchema + ":organization", "JVDYSATSKYLZ"}, {scimprobe.EnterpriseSchema + ":division", "CWVRQJLPKWTI"},
}

// everything is a user with all attributes, as the validator creates it.
func everything(more object) object {
	user := person(object{
		"active": true, "displayName": "OUQRIJKGOLRO", "title": "QWVALFRNTQHL", "preferredLanguage": "af-NA", "nickName": "TMJLMVXPXFCO", "userType": "OGOKNNWFBQVT", "locale": "XIQWEZQOHXSI",
		"timezone": "America/Nowhere", "profileUrl": "BAPNQLJS", "externalId": scimprobe.GUID(),
		"name":         object{"givenName": "Kaylin", "familyName": "Lia", "formatted": "Merl", "middleName": "Nona", "honorificPrefix": "Omari", "honorificSuffix": "Pat"},
		"emails":       []object{{"type": "work", "value": "amina@pollich.uk", "primary": true}},
		"phoneNumbers": []object{{"type": "work", "value": "60-170-8801", "primary": true}, {"type": "mobile", "value": "60-170-8802"}, {"type": "fax", "value": "60-170-8803"}},
		"addresses":    []object{{"type": "work", "formatted": "UYQMRLOSDGTW", "streetAddress": "6640 Zora", "locality": "MTVK", "region": "PQHX", "postalCode": "se97 5ny", "country": "Chad", "primary": true}},
		"roles":        []object{{"primary": "True", "display": "GVOBJXTQPNHR", "value": "CHEPVCJHZAQR", "type": "QXKJFJLPQDGY"}},
		scimprobe.EnterpriseSchema: object{"employeeNumber": "EEDOTHZKGRZD", "department": "ZLWKLSTEDUWY", "costCenter": "DLSMIVPYHVEL", "organization": "JAXRSEQQQNUV",
			"division": "TFAZIYBMLHQP", "manager": object{"value": "nobody known"}},
	})
	for name, value := range more {
		user[name] = value
	}
	return user
}

// at reads what a path of Entra names in a user.
func at(user object, path string) any {
	if rest, ok := strings.CutPrefix(path, scimprobe.EnterpriseSchema+":"); ok {
		user, _ = user[scimprobe.EnterpriseSchema].(object)
		path = rest
	}
	if before, after, ok := strings.Cut(path, "["); ok {
		filter, sub, _ := strings.Cut(after, "].")
		name, value, _ := strings.Cut(filter, " eq ")
		value = strings.Trim(value, `"`)
		list, _ := user[before].([]any)
		for _, e := range list {
			element, _ := e.(object)
			if strings.EqualFold(fmt.Sprint(element[name]), value) {
				return element[sub]
			}
		}
		return nil
	}
	if name, sub, ok := strings.Cut(path, "."); ok {
		inner, _ := user[name].(object)
		return inner[sub]
	}
	return user[path]
}

// TestTheValidatorsMandatoryTests are the 25 tests of scimvalidator.microsoft.com, by
// their names, in both of its ways (verbose, which is one operation for each attribute,
// and not). For what it does not look at, see ask.
func TestTheValidatorsMandatoryTests(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		by := func(user object) string { return "userName eq " + scimprobe.Quote(user["userName"].(string)) }
		test := func(number int, name string, run func(t *testing.T, d *desk)) {
			t.Run(fmt.Sprintf("%02d %s", number, name), func(t *testing.T) { run(t, d.in(t)) })
		}
		verbose := func(verb string) []object {
			var ops []object
			for _, j := range junk {
				ops = append(ops, op(verb, j.path, j.value))
			}
			return ops
		}
		ways := map[string]func([]object) []object{"verbose": func(o []object) []object { return o }, "not verbose": merged}

		test(1, "Create a new User", func(t *testing.T, d *desk) {
			body := everything(nil)
			_, created := d.create("/Users", body)
			found := d.find("/Users", by(body))
			if len(found) != 1 || js(found[0]) != js(created) {
				t.Fatalf("found %s", js(found))
			}
			want := object{}
			for name, value := range body {
				if name != "schemas" && name != "meta" {
					want[name] = value
				}
			}
			var whole object
			fill(t, strings.NewReplacer(`"primary":"True"`, `"primary":true`), want, &whole)
			compare(t, found[0], whole)
		})
		test(2, "Create a duplicate User", func(t *testing.T, d *desk) {
			body := everything(nil)
			d.create("/Users", body)
			d.refused(409, "uniqueness", "POST", "/Users", body)
		})
		test(3, "Filter for an existing user", func(t *testing.T, d *desk) {
			body := everything(nil)
			d.create("/Users", body)
			list := d.must(200, "GET", scimprobe.Query("/Users", "filter", by(body)), nil).Document()
			if js(list["schemas"]) != js([]string{scimprobe.ListSchema}) || js(list["totalResults"]) != "1" || len(resources(list)) != 1 {
				t.Errorf("the list is %s", js(list))
			}
		})
		test(4, "Filter for a non-existing user", func(_ *testing.T, d *desk) {
			d.empty(scimprobe.Query("/Users", "filter", by(everything(nil))))
		})
		test(5, "Filter for an existing user with a different case", func(t *testing.T, d *desk) {
			body := everything(nil)
			id, _ := d.create("/Users", body)
			body["userName"] = strings.ToUpper(body["userName"].(string))
			if found := d.find("/Users", by(body)); len(found) != 1 || found[0]["id"] != id {
				t.Errorf("found %s", js(found))
			}
		})
		for way, put := range ways {
			test(6, "Patch User - Replace Attributes, "+way, func(t *testing.T, d *desk) {
				id, _ := d.create("/Users", everything(nil))
				now := d.patchUser(id, put(verbose("replace"))...)
				for _, j := range junk {
					if got := at(now, j.path); got != j.value {
						t.Errorf("%s is %v, not %s", j.path, got, j.value)
					}
				}
			})
		}
		test(7, "Update User userName", func(t *testing.T, d *desk) {
			id, _ := d.create("/Users", everything(nil))
			renamed := object{"userName": "renamed-" + scimprobe.GUID()}
			d.patchUser(id, op("replace", "", renamed))
			if found := d.find("/Users", by(renamed)); len(found) != 1 || found[0]["id"] != id {
				t.Errorf("found %s", js(found))
			}
		})
		test(8, "Patch User - Disable User", func(t *testing.T, d *desk) {
			body := everything(nil)
			id, _ := d.create("/Users", body)
			d.patchUser(id, op("replace", "active", false))
			if found := d.find("/Users", by(body)); len(found) != 1 || found[0]["active"] != false {
				t.Errorf("found %s", js(found))
			}
		})
		for way, put := range ways {
			test(9, "Patch User - Add Attributes, "+way, func(t *testing.T, d *desk) {
				id, _ := d.create("/Users", object{"schemas": []string{scimprobe.UserSchema}, "userName": "bare-" + scimprobe.GUID()})
				now := d.patchUser(id, put(append(verbose("add"), op("add", `emails[type eq "work"].primary`, true)))...)
				for _, j := range junk {
					if got := at(now, j.path); got != j.value {
						t.Errorf("%s is %v, not %s", j.path, got, j.value)
					}
				}
				if at(now, `emails[type eq "work"].primary`) != true || at(now, `roles[primary eq "True"].primary`) != true {
					t.Errorf("primary is not a boolean: %s", js(now))
				}
			})
		}
		manager := scimprobe.EnterpriseSchema + ":manager"
		test(10, "Patch User - Add Manager", func(t *testing.T, d *desk) {
			boss := d.user(nil)
			for _, value := range []any{boss, object{"value": boss}} {
				now := d.patchUser(d.user(nil), op("add", manager, value))
				if got, _ := at(now, manager).(object); got["value"] != boss {
					t.Errorf("manager is %s", js(now))
				}
			}
		})
		test(11, "Patch User - Replace Manager", func(t *testing.T, d *desk) {
			id, _ := d.create("/Users", everything(nil))
			now := d.patchUser(id, op("replace", manager, object{"value": "XHQLBCYSOWUC"}))
			if got, _ := at(now, manager).(object); got["value"] != "XHQLBCYSOWUC" {
				t.Errorf("manager is %s", js(now))
			}
		})
		test(12, "Patch User - Remove Manager", func(t *testing.T, d *desk) {
			for _, value := range []any{"", object{"value": ""}} {
				id, _ := d.create("/Users", everything(nil))
				if now := d.patchUser(id, op("replace", manager, value)); at(now, manager) != nil {
					t.Errorf("manager is %s", js(now))
				}
			}
		})
		test(13, "Delete a User", func(_ *testing.T, d *desk) {
			id, _ := d.create("/Users", everything(nil))
			d.must(204, "DELETE", "/Users/"+id, nil)
			d.must(404, "GET", "/Users/"+id, nil)
		})

		group := func(d *desk) (string, object) {
			body := object{"schemas": []string{scimprobe.GroupSchema}, "displayName": "Group " + scimprobe.GUID(), "externalId": scimprobe.GUID()}
			id, _ := d.create("/Groups", body)
			d.patchGroup(id, op("add", "members", values(d.user(nil))))
			return id, body
		}
		named := func(body object) string { return "displayName eq " + scimprobe.Quote(body["displayName"].(string)) }
		test(14, "Get group by id excluding members", func(t *testing.T, d *desk) {
			id, _ := group(d)
			if got := d.get("/Groups/" + id + "?excludedAttributes=members"); got["members"] != nil {
				t.Errorf("members are there: %s", js(got))
			}
		})
		test(15, "Filter for an existing group excluding members", func(t *testing.T, d *desk) {
			id, body := group(d)
			if found := d.find("/Groups", named(body), "excludedAttributes", "members"); len(found) != 1 || found[0]["id"] != id || found[0]["members"] != nil {
				t.Errorf("found %s", js(found))
			}
		})
		test(16, "Filter for an existing group", func(t *testing.T, d *desk) {
			id, body := group(d)
			if found := d.find("/Groups", named(body)); len(found) != 1 || found[0]["id"] != id {
				t.Errorf("found %s", js(found))
			}
		})
		test(17, "Filter for a non-existing group", func(_ *testing.T, d *desk) {
			d.empty(scimprobe.Query("/Groups", "filter", "displayName eq "+scimprobe.Quote(scimprobe.GUID())))
		})
		test(18, "Filter for an existing group with a different case", func(t *testing.T, d *desk) {
			id, body := group(d)
			body["displayName"] = strings.ToUpper(body["displayName"].(string))
			if found := d.find("/Groups", named(body)); len(found) != 1 || found[0]["id"] != id {
				t.Errorf("found %s", js(found))
			}
		})
		test(19, "Create a new Group", func(_ *testing.T, d *desk) { group(d) })
		test(20, "Create a duplicate Group", func(_ *testing.T, d *desk) {
			_, body := group(d)
			d.refused(409, "uniqueness", "POST", "/Groups", body)
		})
		test(21, "Patch Group - Replace Attributes", func(t *testing.T, d *desk) {
			id, _ := group(d)
			name, other := "Group "+scimprobe.GUID(), scimprobe.GUID()
			d.patchGroup(id, op("replace", "", object{"displayName": name}), op("replace", "", object{"externalId": other}))
			if got := d.get("/Groups/" + id); got["displayName"] != name || got["externalId"] != other || len(got["members"].([]any)) != 1 {
				t.Errorf("the group is %s", js(got))
			}
		})
		test(22, "Update Group displayName", func(t *testing.T, d *desk) {
			id, body := group(d)
			body["displayName"] = "Group " + scimprobe.GUID()
			d.patchGroup(id, op("replace", "", object{"displayName": body["displayName"]}))
			if found := d.find("/Groups", named(body)); len(found) != 1 || found[0]["id"] != id {
				t.Errorf("found %s", js(found))
			}
		})
		test(23, "Patch Group - Add Member", func(_ *testing.T, d *desk) {
			id, _ := group(d)
			user := d.user(nil)
			d.patchGroup(id, op("replace", "members", []object{{"value": user}}))
			d.hasMembers(id, user)
		})
		test(24, "Patch Group - Remove Member", func(_ *testing.T, d *desk) {
			id, _ := group(d)
			stays, goes := d.user(nil), d.user(nil)
			d.patchGroup(id, op("replace", "members", []object{{"value": goes}, {"value": stays}}))
			d.patchGroup(id, object{"op": "remove", "path": fmt.Sprintf("members[value eq %q]", goes)})
			d.hasMembers(id, stays)
		})
		test(25, "Delete a Group", func(_ *testing.T, d *desk) {
			id, _ := group(d)
			d.must(204, "DELETE", "/Groups/"+id, nil)
			d.must(404, "GET", "/Groups/"+id, nil)
		})
	})
}

// TestTheValidatorsPreviewTests are its seven further tests, which are not mandatory.
func TestTheValidatorsPreviewTests(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		test := func(number int, name string, run func(t *testing.T, d *desk)) {
			t.Run(fmt.Sprintf("%d %s", number, name), func(t *testing.T) { run(t, d.in(t)) })
		}
		test(1, "Patch User - Multiple Ops on different attributes", func(t *testing.T, d *desk) {
			id, _ := d.create("/Users", everything(nil))
			now := d.patchUser(id, object{"op": "remove", "path": "title"}, op("add", "displayName", "A"), op("replace", "name.givenName", "B"))
			if now["title"] != nil || now["displayName"] != "A" || at(now, "name.givenName") != "B" {
				t.Errorf("the user is %s", js(now))
			}
		})
		test(2, "Patch User - Multiple Ops on same attribute", func(t *testing.T, d *desk) {
			id, _ := d.create("/Users", everything(nil))
			now := d.patchUser(id, object{"op": "remove", "path": "displayName"}, op("add", "displayName", "A"), op("replace", "displayName", "B"))
			if now["displayName"] != "B" {
				t.Errorf("the user is %s", js(now))
			}
		})
		test(3, "Delete a non-existent User", func(_ *testing.T, d *desk) { d.must(404, "DELETE", "/Users/"+scimprobe.GUID(), nil) })
		test(4, "Delete the same User twice", func(_ *testing.T, d *desk) {
			id := d.user(nil)
			d.must(204, "DELETE", "/Users/"+id, nil)
			d.must(404, "DELETE", "/Users/"+id, nil)
		})
		test(5, "Patch Group - Multiple Ops on same attribute", func(_ *testing.T, d *desk) {
			id, user := d.team(nil), d.user(nil)
			d.patchGroup(id, op("add", "members", []object{{"value": user}}), object{"op": "remove", "path": fmt.Sprintf("members[value eq %q]", user)})
			d.hasMembers(id)
		})
		test(6, "Delete a non-existent Group", func(_ *testing.T, d *desk) { d.must(404, "DELETE", "/Groups/"+scimprobe.GUID(), nil) })
		test(7, "Delete the same Group twice", func(_ *testing.T, d *desk) {
			id := d.team(nil)
			d.must(204, "DELETE", "/Groups/"+id, nil)
			d.must(404, "DELETE", "/Groups/"+id, nil)
		})
	})
}
