package scimprobe

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Mark begins the names of what a probe creates.
const Mark = "badge-engine-scim-probe-"

// forget deletes what was created, also after the probe was interrupted.
func (v *visit) forget(ctx context.Context, target string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	a, err := v.c.Send(ctx, "DELETE", target, nil)
	if err != nil || a.Status != 204 && a.Status != 404 {
		v.fail(LeftBehind, "Delete what is called "+Mark+"…", "%s could not be deleted: %d %v", target, a.Status, err)
	}
}

// create makes a user or group and answers where it is; nothing when that failed.
func (v *visit) create(ctx context.Context, endpoint string, body map[string]any) (target string, created map[string]any) {
	a, ok := v.expect(ctx, 201, "Answer a create with 201 and the whole resource.", "POST", endpoint, body)
	created = a.Document()
	id, _ := created["id"].(string)
	if a.Status/100 == 2 && id != "" {
		target = endpoint + "/" + id
	}
	if location := a.Header.Get("Location"); ok && location != v.c.Base.String()+target {
		v.warn(Location, "Set PUBLIC_URL to the address that the world uses, and let the proxy hand the path on unchanged.", "Location is %s", location)
	}
	return target, created
}

func patch(ops ...any) map[string]any {
	return map[string]any{"schemas": []string{PatchSchema}, "Operations": ops}
}

func operation(verb, path string, value any) map[string]any {
	o := map[string]any{"op": verb, "value": value}
	if path != "" {
		o["path"] = path
	}
	return o
}

func (v *visit) wrong(remedy, format string, args ...any) {
	v.fail(Behaviour, remedy, format, args...)
}

func checkUser(ctx context.Context, v *visit) {
	name := Mark + GUID() + "@probe.invalid"
	user := map[string]any{
		"schemas": []string{UserSchema, EnterpriseSchema}, "userName": name, "externalId": Mark + GUID(), "displayName": "Probe; may be deleted", "active": "True",
		"meta": map[string]any{"resourceType": "User"}, "title": nil, "roles": []any{}, "emails": []any{map[string]any{"type": "work", "primary": true, "value": name}},
	}
	target, created := v.create(ctx, "/Users", user)
	if target == "" {
		return
	}
	defer v.forget(ctx, target)
	if created["userName"] != name {
		v.wrong("Return values as they were sent.", "the userName that was sent comes back as %v", created["userName"])
	}
	if created["active"] != true {
		v.wrong(`Read the text "True" as the boolean: Entra sends it so.`, "active comes back as %v", created["active"])
	}
	v.expect(ctx, 409, "Answer a create of a userName that is taken with 409, in any case of letters, and let the database see to it.", "POST", "/Users", user)

	find := func(value string) map[string]any {
		a, ok := v.expect(ctx, 200, queryRemedy, "GET", Query("/Users", "filter", "userName eq "+Quote(value)), nil)
		if !ok {
			return nil
		}
		resources, _ := a.Document()["Resources"].([]any)
		if len(resources) != 1 {
			v.wrong("Find users by userName in any case of letters, disabled ones too.", "a look-up of the user that is there finds %d", len(resources))
			return nil
		}
		resource, _ := resources[0].(map[string]any)
		return resource
	}
	find(strings.ToUpper(name))

	// change sends operations and answers what the user is afterwards.
	change := func(ops ...any) map[string]any {
		a, ok := v.ask(ctx, "PATCH", target, patch(ops...))
		if ok && a.Status != 200 && a.Status != 204 {
			v.fail(WrongStatus, "Take every form of PATCH that Entra sends.", "%s", a)
			return nil
		}
		now, ok := v.expect(ctx, 200, "", "GET", target, nil)
		if !ok {
			return nil
		}
		return now.Document()
	}
	if now := change(
		operation("Add", `addresses[type eq "work"].locality`, "Zürich"), operation("Replace", `phoneNumbers[type eq "mobile"].value`, "10-040-1308"),
		operation("Replace", EnterpriseSchema+":department", "Learning"), operation("Replace", "name.givenName", "Dana"),
		operation("Replace", `emails[type eq "work"].value`, "upd-1a2b3c4d"),
	); now != nil {
		extension, _ := now[EnterpriseSchema].(map[string]any)
		given, _ := now["name"].(map[string]any)
		text := fmt.Sprint(now["addresses"], now["phoneNumbers"], now["emails"])
		if extension["department"] != "Learning" || given["givenName"] != "Dana" || !strings.Contains(text, "Zürich") || !strings.Contains(text, "10-040-1308") || !strings.Contains(text, "upd-1a2b3c4d") {
			v.wrong("Create what the filter of a path names, keep every value as it was sent, and read names of extensions.", "after a PATCH with paths the user is %s", clip(fmt.Sprint(now), 300))
		}
	}
	if now := change(operation("replace", "", map[string]any{"name.familyName": "Kim", EnterpriseSchema + ":division": "North", "title": "Coach"})); now != nil {
		extension, _ := now[EnterpriseSchema].(map[string]any)
		family, _ := now["name"].(map[string]any)
		if extension["division"] != "North" || family["familyName"] != "Kim" || now["title"] != "Coach" || now["name.familyName"] != nil {
			v.wrong("Read dots and schemas in the names of a PATCH without a path; do not store them as they are.", "after a PATCH without a path the user is %s", clip(fmt.Sprint(now), 300))
		}
	}
	if now := change(operation("Replace", "title", "")); now != nil && now["title"] != nil {
		v.wrong("An empty value clears the attribute.", "a title that was cleared is %q", now["title"])
	}
	if now := change(operation("Replace", "active", "False")); now != nil && now["active"] != false {
		v.wrong(`Read the text "False" as the boolean, else nobody who leaves is locked out.`, "a disabled user has active %v", now["active"])
	}
	if found := find(name); found != nil && found["active"] != false {
		v.wrong("Disabled users are found, with active false.", "a look-up of a disabled user says active %v", found["active"])
	}
	v.expect(ctx, 204, "", "DELETE", target, nil)
	v.expect(ctx, 404, "Who was deleted is gone.", "GET", target, nil)
	v.expect(ctx, 404, "", "DELETE", target, nil)
	v.nobody(ctx, Query("/Users", "filter", "userName eq "+Quote(name)))
}

func checkGroup(ctx context.Context, v *visit) {
	var people []string
	for range 2 {
		target, created := v.create(ctx, "/Users", map[string]any{"schemas": []string{UserSchema}, "userName": Mark + GUID() + "@probe.invalid", "active": false})
		if target == "" {
			return
		}
		defer v.forget(ctx, target)
		people = append(people, created["id"].(string)) // create answers a target only with an id
	}
	name := Mark + GUID()
	group := map[string]any{
		"schemas": []string{GroupSchema, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"}, "displayName": name, "externalId": GUID(),
		"meta": map[string]any{"resourceType": "Group"},
	}
	target, _ := v.create(ctx, "/Groups", group)
	if target == "" {
		return
	}
	defer v.forget(ctx, target)
	v.expect(ctx, 409, "Answer a create of a displayName that is taken with 409.", "POST", "/Groups", group)

	// holds changes the members and compares who is one then.
	holds := func(what string, want []string, ops ...any) {
		a, ok := v.ask(ctx, "PATCH", target, patch(ops...))
		if ok && a.Status != 204 && a.Status != 200 {
			v.fail(WrongStatus, "Take every form of PATCH that Entra sends for groups.", "%s", a)
			return
		}
		if a.Status == 200 && len(a.Body) == 0 {
			v.fail(NotJSON, "Answer 204.", "PATCH of a group is answered 200 without a body")
		}
		now, ok := v.expect(ctx, 200, "", "GET", target, nil)
		if !ok {
			return
		}
		members, _ := now.Document()["members"].([]any)
		text := fmt.Sprint(members)
		same := len(members) == len(want)
		for _, id := range want {
			same = same && strings.Contains(text, id)
		}
		if !same {
			v.wrong("Add to the members, and remove those alone that are named.", "%s: there are %d members, not %d", what, len(members), len(want))
		}
	}
	member := func(id string) []any { return []any{map[string]any{"$ref": nil, "value": id}} }
	holds("after adding two", people, operation("Add", "members", append(member(people[0]), member(people[1])...)))
	holds("after adding one again", people, operation("Add", "members", member(people[0])))
	holds("after removing one by its value", people[1:], operation("Remove", "members", member(people[0])))
	holds("after removing the other by a filter", nil, map[string]any{"op": "remove", "path": "members[value eq " + Quote(people[1]) + "]"})
	holds("after removing who is no member", nil, map[string]any{"op": "remove", "path": "members[value eq " + Quote(people[1]) + "]"})

	if a, ok := v.expect(ctx, 200, "", "GET", target+"?excludedAttributes=members", nil); ok && a.Document()["members"] != nil {
		v.wrong("Leave out what excludedAttributes names.", "members are listed although they are excluded")
	}
	v.expect(ctx, 204, "", "DELETE", target, nil)
	v.expect(ctx, 404, "", "GET", target, nil)
}
