package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// scimBody is what a SCIM client sends and gets.
type scimBody = map[string]any

const (
	userURN  = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupURN = "urn:ietf:params:scim:schemas:core:2.0:Group"
	patchURN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// provisioner is a house and a token with the scope scim.
type provisioner struct {
	*house
	token string
}

func (h *house) provisioner() *provisioner {
	h.t.Helper()
	var made struct{ Token string }
	h.must(201, h.send("POST", "/api/v1/tokens", map[string]any{"name": "entra", "scopes": []string{"scim"}})).into(h.t, &made)
	return &provisioner{h, made.Token}
}

func (p *provisioner) call(method, path string, body any, headers ...string) answer {
	p.t.Helper()
	if body != nil {
		if _, text := body.(string); !text {
			data, err := json.Marshal(body)
			if err != nil {
				p.t.Fatal(err)
			}
			body = string(data)
		}
		headers = append([]string{"Content-Type", "application/scim+json; charset=utf-8"}, headers...)
	}
	return p.send(method, "/scim/v2"+path, body, append([]string{"Authorization", "Bearer " + p.token}, headers...)...)
}

func (p *provisioner) user(name string, more ...string) string {
	p.t.Helper()
	body := scimBody{"schemas": []string{userURN}, "userName": name}
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i]] = more[i+1]
	}
	return p.must(201, p.call("POST", "/Users", body)).id(p.t)
}

func (p *provisioner) group(name string, members ...string) string {
	p.t.Helper()
	list := []scimBody{}
	for _, m := range members {
		list = append(list, scimBody{"value": m})
	}
	return p.must(201, p.call("POST", "/Groups", scimBody{"schemas": []string{groupURN}, "displayName": name, "members": list})).id(p.t)
}

func patchOf(operations ...scimBody) scimBody {
	if operations == nil {
		operations = []scimBody{}
	}
	return scimBody{"schemas": []string{patchURN}, "Operations": operations}
}

func (p *provisioner) members(group string) []string {
	p.t.Helper()
	var g struct{ Members []struct{ Value string } }
	p.must(200, p.call("GET", "/Groups/"+group, nil)).into(p.t, &g)
	var ids []string
	for _, m := range g.Members {
		ids = append(ids, m.Value)
	}
	return ids
}

func (p *provisioner) found(path string) (total int, ids []string) {
	p.t.Helper()
	var list struct {
		TotalResults int
		Resources    []struct{ ID string }
	}
	p.must(200, p.call("GET", path, nil)).into(p.t, &list)
	for _, r := range list.Resources {
		ids = append(ids, r.ID)
	}
	return list.TotalResults, ids
}

func (p *provisioner) refused(status int, keyword string, a answer) string {
	p.t.Helper()
	var e struct {
		Schemas                  []string
		Status, ScimType, Detail string
	}
	p.must(status, a).into(p.t, &e)
	if kind := a.header.Get("Content-Type"); kind != "application/scim+json" || len(e.Schemas) != 1 || e.Status != fmt.Sprint(status) || e.ScimType != keyword || e.Detail == "" {
		p.t.Errorf("%s: %s", kind, a.body)
	}
	return e.Detail
}

func TestADirectoryIsProvisioned(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		p := h.provisioner()
		if total, _ := p.found("/Users?filter=userName+eq+%22nobody%22"); total != 0 {
			t.Errorf("an empty directory has %d users", total)
		}
		created := p.must(201, p.call("POST", "/Users", scimBody{
			"schemas": []string{userURN}, "userName": "Dana.Kim@example.org", "externalId": "3c1f0d92-6f0c-4a55-9b0e-0f1f4b7a2d10", "active": "True",
			"displayName": "Dana Kim", "emails": []scimBody{{"type": "work", "value": "dana.kim@example.org", "primary": true}}, "title": nil, "roles": []string{},
		}))
		dana := created.id(t)
		if location := created.header.Get("Location"); location != h.base+"/scim/v2/Users/"+dana || created.header.Get("ETag") != `W/"1"` || !strings.Contains(string(created.body), location) {
			t.Errorf("headers %v, body %s", created.header, created.body)
		}
		p.refused(409, "uniqueness", p.call("POST", "/Users", scimBody{"schemas": []string{userURN}, "userName": "dana.kim@EXAMPLE.org"}))
		for _, filter := range []string{"userName eq \"DANA.KIM@example.org\"", "externalId eq \"3c1f0d92-6f0c-4a55-9b0e-0f1f4b7a2d10\"", "emails[type eq \"work\"].value eq \"dana.kim@example.org\"", "userName sw d"} {
			if total, ids := p.found("/Users?filter=" + strings.ReplaceAll(strings.ReplaceAll(filter, " ", "+"), "\"", "%22")); total != 1 || ids[0] != dana {
				t.Errorf("%s finds %v", filter, ids)
			}
		}
		patched := p.must(200, p.call("PATCH", "/Users/"+dana, patchOf(scimBody{"op": "Replace", "path": "active", "value": "False"}, scimBody{"op": "Add", "path": "name.givenName", "value": "Dana"})))
		var user struct {
			Active bool
			Name   struct{ GivenName string }
			Meta   struct{ Version string }
		}
		patched.into(t, &user)
		if user.Active || user.Name.GivenName != "Dana" || user.Meta.Version != `W/"2"` || patched.header.Get("ETag") != user.Meta.Version {
			t.Errorf("after the change %s", patched.body)
		}
		if again := p.must(200, p.call("PATCH", "/Users/"+dana, patchOf(scimBody{"op": "Replace", "path": "active", "value": false}))); again.header.Get("ETag") != `W/"2"` {
			t.Errorf("a change that changes nothing makes version %s", again.header.Get("ETag"))
		}
		p.refused(412, "", p.call("PATCH", "/Users/"+dana, patchOf(scimBody{"op": "replace", "path": "title", "value": "x"}), "If-Match", `W/"1"`))
		p.must(304, p.call("GET", "/Users/"+dana, nil, "If-None-Match", `W/"2"`))

		lee := p.user("lee")
		staff := p.group("Staff", dana)
		p.refused(409, "uniqueness", p.call("POST", "/Groups", scimBody{"schemas": []string{groupURN}, "displayName": "STAFF"}))
		add := p.must(204, p.call("PATCH", "/Groups/"+staff, patchOf(scimBody{"op": "Add", "path": "members", "value": []scimBody{{"$ref": nil, "value": lee}, {"$ref": nil, "value": dana}}})))
		if len(add.body) != 0 || add.header.Get("ETag") != `W/"2"` {
			t.Errorf("adding answers %q %v", add.body, add.header)
		}
		p.must(204, p.call("PATCH", "/Groups/"+staff, patchOf(scimBody{"op": "Remove", "path": "members", "value": []scimBody{{"value": dana}}})))
		if got := p.members(staff); len(got) != 1 || got[0] != lee {
			t.Errorf("after removing one there are %v", got)
		}
		detail := p.refused(400, "invalidValue", p.call("PATCH", "/Groups/"+staff, patchOf(
			scimBody{"op": "Replace", "path": "displayName", "value": "Nobody's"}, scimBody{"op": "Add", "path": "members", "value": []scimBody{{"value": dana}, {"value": "00000000-0000-7000-8000-000000000000"}}})))
		if !strings.Contains(detail, "00000000-0000-7000-8000-000000000000") {
			t.Errorf("the refusal says %q", detail)
		}
		if got := p.members(staff); len(got) != 1 {
			t.Errorf("a change that was refused left %v", got)
		}
		mentors := p.group("Mentors", staff)
		p.must(204, p.call("PATCH", "/Groups/"+staff, patchOf(scimBody{"op": "add", "path": "members", "value": []scimBody{{"value": mentors}}}))) // a circle
		if total, ids := p.found("/Groups?excludedAttributes=members&filter=members.value+eq+%22" + lee + "%22"); total != 1 || ids[0] != staff {
			t.Errorf("the groups of lee are %v", ids)
		}
		var member struct {
			Groups []struct{ Value, Display, Type string }
		}
		p.must(200, p.call("GET", "/Users/"+lee, nil)).into(t, &member)
		if len(member.Groups) != 1 || member.Groups[0].Display != "Staff" || member.Groups[0].Type != "direct" {
			t.Errorf("lee has the groups %v", member.Groups)
		}
		p.must(204, p.call("DELETE", "/Users/"+lee, nil))
		p.refused(404, "", p.call("DELETE", "/Users/"+lee, nil))
		p.refused(404, "", p.call("GET", "/Users/"+lee, nil))
		if got := p.members(staff); len(got) != 1 || got[0] != mentors {
			t.Errorf("somebody who is gone left %v", got)
		}
		p.user("lee") // the name is free again
		p.must(204, p.call("DELETE", "/Groups/"+staff, nil))
		if got := p.members(mentors); len(got) != 0 {
			t.Errorf("a group that is gone left %v", got)
		}
	})
}

func TestTheSurfaceOfTheProtocol(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		p := h.provisioner()
		for _, path := range []string{"/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/User", "/Schemas", "/Schemas/" + userURN} {
			if a := p.must(200, h.send("GET", "/scim/v2"+path, nil, "Authorization", "")); a.header.Get("Content-Type") != "application/scim+json" || strings.Contains(string(a.body), "null") {
				t.Errorf("%s: %s", path, a.body)
			}
			p.refused(403, "", h.send("GET", "/scim/v2"+path+"?filter=id+pr", nil, "Authorization", ""))
			if a := p.call("POST", path, scimBody{}); a.status != 405 || a.header.Get("Allow") == "" {
				t.Errorf("POST %s: %d, allowed is %q", path, a.status, a.header.Get("Allow"))
			}
		}
		for _, row := range []struct {
			name, method, path string
			body               any
			status             int
			keyword            string
		}{
			{"something that is not there", "GET", "/Nothing", nil, 404, ""},
			{"a schema that is not there", "GET", "/Schemas/urn:x", nil, 404, ""},
			{"an identifier that is none", "GET", "/Users/7", nil, 404, ""},
			{"deleting all", "DELETE", "/Users", nil, 405, ""},
			{"somebody's own", "GET", "/Me", nil, 501, ""},
			{"a filter that is none", "GET", "/Users?filter=userName+is+x", nil, 400, "invalidFilter"},
			{"an attribute that is none", "GET", "/Users?filter=shoeSize+eq+1", nil, 400, "invalidFilter"},
			{"a cursor that is none", "GET", "/Users?cursor=abc", nil, 400, "invalidCursor"},
			{"a count that is none", "GET", "/Users?count=many", nil, 400, "invalidValue"},
			{"a count that is none with a cursor", "GET", "/Users?cursor=&count=many", nil, 400, "invalidCount"},
			{"an order that is none", "GET", "/Users?sortBy=shoeSize", nil, 400, "invalidPath"},
			{"no JSON", "POST", "/Users", "junk", 400, "invalidSyntax"},
			{"nothing", "POST", "/Users", "", 400, "invalidSyntax"},
			{"no name", "POST", "/Users", scimBody{"schemas": []string{userURN}}, 400, "invalidValue"},
			{"U+0000", "POST", "/Users", `{"schemas":["` + userURN + `"],"userName":"a\u0000b"}`, 400, "invalidValue"},
			{"half a character", "POST", "/Users", `{"schemas":["` + userURN + `"],"userName":"\ud800"}`, 400, "invalidSyntax"},
			{"a name too long for an index", "POST", "/Users", scimBody{"schemas": []string{userURN}, "userName": strings.Repeat("x", 5000)}, 400, "invalidValue"},
		} {
			t.Run(row.name, func(t *testing.T) { p.refused(row.status, row.keyword, p.call(row.method, row.path, row.body)) })
		}
		p.refused(415, "", p.call("POST", "/Users", "userName=x", "Content-Type", "text/plain"))
		p.refused(400, "invalidVers", h.send("GET", "/scim/v1/Users", nil))
		unknown := h.send("GET", "/scim/v2/Users", nil, "Authorization", "")
		p.refused(401, "", unknown)
		if unknown.header.Get("WWW-Authenticate") == "" {
			t.Error("a stranger is not told how to come in")
		}
	})
}

func TestPagesOfADirectory(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		p := h.provisioner()
		const users = 23
		for i := range users {
			body := scimBody{"schemas": []string{userURN}, "userName": fmt.Sprintf("user%02d", (i*7)%users)}
			if i%3 > 0 {
				body["title"] = fmt.Sprintf("Title %d", i%5)
			}
			p.must(201, p.call("POST", "/Users", body))
		}
		p.group("A group")
		type page struct {
			TotalResults, StartIndex, ItemsPerPage int
			NextCursor, PreviousCursor             string
			Resources                              []struct{ ID, UserName, Title string }
		}
		get := func(path string) (list page) {
			t.Helper()
			p.must(200, p.call("GET", path, nil)).into(t, &list)
			return list
		}
		seen := map[string]bool{}
		for start := 1; start <= users; start += 5 {
			list := get(fmt.Sprintf("/Users?startIndex=%d&count=5", start))
			if list.StartIndex != start || list.TotalResults != users || list.ItemsPerPage != min(5, users-start+1) {
				t.Errorf("page at %d: %+v", start, list)
			}
			for _, r := range list.Resources {
				seen[r.ID] = true
			}
		}
		if len(seen) != users {
			t.Errorf("pages show %d users", len(seen))
		}
		for _, order := range []string{"", "&sortBy=userName", "&sortBy=title", "&sortBy=title&sortOrder=descending", "&sortBy=meta.created&sortOrder=descending", "&sortBy=userName&sortOrder=descending"} {
			whole := get("/Users?count=100" + order)
			list := get("/Users?cursor=&count=4" + order)
			var ids, back []string
			var last page
			for {
				if list.TotalResults != users {
					t.Errorf("a page by cursor knows of %d", list.TotalResults)
				}
				for _, r := range list.Resources {
					ids = append(ids, r.ID)
				}
				last = list
				if list.NextCursor == "" {
					break
				}
				list = get("/Users?count=4" + order + "&cursor=" + list.NextCursor)
			}
			var want []string
			for _, r := range whole.Resources {
				want = append(want, r.ID)
			}
			if fmt.Sprint(ids) != fmt.Sprint(want) {
				t.Errorf("%s: by cursor %v, by index %v", order, ids, want)
			}
			for list = last; ; list = get("/Users?count=4" + order + "&cursor=" + list.PreviousCursor) {
				var here []string
				for _, r := range list.Resources {
					here = append(here, r.ID)
				}
				back = append(here, back...)
				if list.PreviousCursor == "" {
					break
				}
			}
			if fmt.Sprint(back) != fmt.Sprint(want) {
				t.Errorf("%s: backwards %v, by index %v", order, back, want)
			}
		}
		first := get("/Users?cursor=&count=4")
		p.refused(400, "invalidCursor", p.call("GET", "/Users?count=4&sortBy=userName&cursor="+first.NextCursor, nil))
		if list := get("/Users?count=0"); list.TotalResults != users || len(list.Resources) != 0 {
			t.Errorf("counting answers %+v", list)
		}
		if list := get("/Users?startIndex=100"); list.TotalResults != users || len(list.Resources) != 0 {
			t.Errorf("beyond the end there is %+v", list)
		}
		var both page
		p.must(200, p.call("POST", "/.search", scimBody{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:SearchRequest"}, "filter": "displayName pr or userName sw \"user0\"", "sortBy": "userName", "count": 100})).into(t, &both)
		if both.TotalResults != 11 || both.Resources[0].UserName != "user00" || both.Resources[10].UserName != "" {
			t.Errorf("across both kinds: %+v", both)
		}
		if list := get("?cursor=&count=10&sortBy=userName"); len(list.Resources) != 10 || get("?cursor="+list.NextCursor+"&count=50&sortBy=userName").ItemsPerPage != users+1-10 {
			t.Errorf("across both kinds by cursor: %+v", list)
		}
	})
}

func TestParallelProvisioning(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		p := h.provisioner()
		const workers = 12
		statuses := make([]int, workers)
		var wg sync.WaitGroup
		for i := range workers {
			wg.Go(func() {
				statuses[i] = p.call("POST", "/Users", scimBody{"schemas": []string{userURN}, "userName": "Twin"}).status
			})
		}
		wg.Wait()
		made := 0
		for _, status := range statuses {
			switch status {
			case http.StatusCreated:
				made++
			case http.StatusConflict:
			default:
				t.Errorf("one of many creations answers %d", status)
			}
		}
		if made != 1 {
			t.Errorf("%d twins were made", made)
		}

		var users []string
		for i := range 2 * workers {
			users = append(users, p.user(fmt.Sprintf("member%02d", i)))
		}
		groups := []string{p.group("One", users[workers:]...), p.group("Two", users[workers:]...)}
		for i := range workers {
			wg.Go(func() { // each adds one and removes another, in groups and orders that differ
				ops := []scimBody{{"op": "add", "path": "members", "value": []scimBody{{"value": users[i]}, {"value": users[(i+5)%workers]}}}, {"op": "remove", "path": fmt.Sprintf("members[value eq %q]", users[workers+i])}}
				for _, g := range []string{groups[i%2], groups[(i+1)%2]} {
					for {
						a := p.call("PATCH", "/Groups/"+g, patchOf(ops...))
						if a.status == 204 {
							break
						}
						if a.status != 503 {
							t.Errorf("one of many changes answers %d %s", a.status, a.body)
							return
						}
					}
				}
			})
		}
		wg.Wait()
		for _, g := range groups {
			if got := p.members(g); len(got) != workers {
				t.Errorf("after %d parallel changes there are %d members", workers, len(got))
			}
		}
		for i := range workers { // members and groups go while others come
			wg.Go(func() {
				if a := p.call("DELETE", "/Users/"+users[i], nil); a.status != 204 {
					t.Errorf("deleting answers %d %s", a.status, a.body)
				}
			})
			wg.Go(func() {
				if a := p.call("PATCH", "/Groups/"+groups[i%2], patchOf(scimBody{"op": "add", "path": "members", "value": []scimBody{{"value": users[workers+i]}}})); a.status != 204 {
					t.Errorf("adding answers %d %s", a.status, a.body)
				}
			})
		}
		wg.Wait()
		for _, g := range groups {
			if got := p.members(g); len(got) != workers/2 {
				t.Errorf("after the deletions there are %d members", len(got))
			}
		}
	})
}
