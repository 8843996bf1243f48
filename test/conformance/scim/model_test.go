package scim

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/badge-engine/badge-engine/app/command/scimprobe"
)

// words are few, so that they meet; some differ in their case alone.
var words = []string{"a", "A", "ab", "B", "é", "É", "x y", "li%_", `q"\`, "李"}

var kinds = []string{"work", "home", "other"}

// machine plays random operations on a server and on the directory in memory.
type machine struct {
	*directory
	d        *desk
	versions map[string]string // what the server last called a resource
}

// TestRandomOperationsAgreeWithAModel compares after every operation what it concerned,
// and in between what lists, filters, projections and versions say.
func TestRandomOperationsAgreeWithAModel(t *testing.T) {
	checks := "25"
	if testing.Short() {
		checks = "5"
	}
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := f.Value.Set(checks); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Value.Set(f.DefValue) })
	}
	each(t, func(t *testing.T, d *desk) {
		rapid.Check(t, func(rt *rapid.T) {
			m := &machine{directory: &directory{users: map[string]object{}, groups: map[string]*circle{}}, d: d.in(rt), versions: map[string]string{}}
			defer m.clean(t)
			rt.Repeat(map[string]func(*rapid.T){
				"create a user":    m.createUser,
				"patch a user":     m.patchUser,
				"patch again":      m.patchUser,
				"put a user":       m.putUser,
				"delete a user":    m.deleteUser,
				"create a group":   m.createGroup,
				"change members":   m.changeMembers,
				"rename a group":   m.renameGroup,
				"put a group":      m.putGroup,
				"delete a group":   m.deleteGroup,
				"filter":           m.filter,
				"list":             m.list,
				"project":          m.project,
				"a stale version":  m.stale,
				"":                 func(*rapid.T) {},
				"filter the group": m.filterGroups,
			})
			m.everything(rt)
		})
	})
}

// clean leaves the server as empty as it was, whatever happened.
func (m *machine) clean(t *testing.T) {
	d := m.d.in(t)
	for _, endpoint := range []string{"/Groups", "/Users"} {
		for _, r := range d.find(endpoint, "id pr", "count", "200", "attributes", "id") {
			d.must(204, "DELETE", endpoint+"/"+r["id"].(string), nil)
		}
	}
}

func pick[T any](t *rapid.T, from []T, what string) T { return rapid.SampledFrom(from).Draw(t, what) }

func (m *machine) anyone(t *rapid.T) string {
	if len(m.users) == 0 {
		t.Skip("nobody is there")
	}
	return pick(t, slices.Sorted(maps.Keys(m.users)), "user")
}

func (m *machine) anyGroup(t *rapid.T) string {
	if len(m.groups) == 0 {
		t.Skip("no group is there")
	}
	return pick(t, slices.Sorted(maps.Keys(m.groups)), "group")
}

// element is one of a multi-valued attribute, of a type that is not among taken.
func element(t *rapid.T, name string, taken []string) object {
	free := slices.DeleteFunc(slices.Clone(kinds), func(k string) bool { return slices.Contains(taken, k) })
	e := object{"type": pick(t, free, "type"), "value": pick(t, words, "value")}
	if rapid.Bool().Draw(t, "primary") {
		e["primary"] = true
	}
	if name == "roles" && rapid.Bool().Draw(t, "display") {
		e["display"] = pick(t, words, "display")
	}
	return e
}

// elements is a whole multi-valued attribute: types differ, one at most is primary.
func elements(t *rapid.T, name string, taken []string) []any {
	var list []any
	for range rapid.IntRange(1, 2).Draw(t, "how many") {
		if len(taken) == len(kinds) {
			break
		}
		e := element(t, name, taken)
		for _, other := range list {
			if other.(object)["primary"] == true {
				delete(e, "primary")
			}
		}
		taken = append(slices.Clone(taken), e["type"].(string))
		list = append(list, e)
	}
	return list
}

func (m *machine) newName(t *rapid.T) string {
	return pick(t, words, "name") + rapid.StringMatching(`[abAB]{1,2}`).Draw(t, "rest")
}

// body is a user as POST and PUT take it.
func (m *machine) body(t *rapid.T) object {
	body := object{"schemas": []any{scimprobe.UserSchema}}
	if rapid.IntRange(0, 19).Draw(t, "nameless") > 0 {
		body["userName"] = m.newName(t)
	}
	for _, name := range texts[1:] {
		switch rapid.IntRange(0, 5).Draw(t, name) {
		case 0, 1:
			body[name] = pick(t, words, "text")
		case 2:
			body[name] = pick(t, []any{"", nil, []any{}}, "none")
		}
	}
	switch rapid.IntRange(0, 3).Draw(t, "active") {
	case 0:
		body["active"] = pick(t, []any{true, false, "True", "false"}, "value")
	case 1:
		body["shoeSize"] = "43"
	}
	if rapid.Bool().Draw(t, "named") {
		body["name"] = object{"givenName": pick(t, words, "given"), "formatted": pick(t, append([]string{""}, words...), "formatted")}
	}
	for _, name := range lists {
		if rapid.IntRange(0, 2).Draw(t, name) == 0 {
			body[name] = elements(t, name, nil)
		}
	}
	if rapid.Bool().Draw(t, "extended") {
		body[scimprobe.EnterpriseSchema] = object{"department": pick(t, words, "department"), "manager": pick(t, []any{"boss", object{"value": "b"}, nil, ""}, "manager")}
	}
	return body
}

func (m *machine) createUser(t *rapid.T) {
	body := m.body(t)
	user, refused := m.built("", body)
	if refused != nil {
		m.d.refused(refused.status, refused.scimType, "POST", "/Users", body)
		return
	}
	id, created := m.d.create("/Users", body)
	m.users[id] = user
	m.same(t, id, created, true)
}

// same compares a user with the model. A change of it is a new version, and nothing else is.
func (m *machine) same(t *rapid.T, id string, got object, changed bool) {
	t.Helper()
	want := m.users[id]
	rest := object{}
	for name, value := range got {
		if name != "id" && name != "meta" && name != "schemas" && name != "groups" {
			rest[name] = value
		}
	}
	if g, w := js(loose(rest)), js(loose(want)); g != w {
		t.Fatalf("the server has\n%s\nthe model has\n%s", g, w)
	}
	var direct []string
	groups, _ := got["groups"].([]any)
	for _, g := range groups {
		if group := g.(object); group["type"] != "indirect" {
			direct = append(direct, fmt.Sprint(group["value"]))
		}
	}
	slices.Sort(direct)
	if !slices.Equal(direct, m.of(id)) {
		t.Fatalf("the groups are %v, not %v", direct, m.of(id))
	}
	m.versioned(t, id, got, changed)
}

func (m *machine) versioned(t *rapid.T, id string, got object, changed bool) {
	t.Helper()
	meta, _ := got["meta"].(object)
	version, _ := meta["version"].(string)
	if version == "" {
		t.Fatalf("there is no version in %s", js(got))
	}
	if before := m.versions[id]; before != "" && (before != version) != changed {
		t.Fatalf("the version went from %s to %s; changed: %v", before, version, changed)
	}
	m.versions[id] = version
}

// loose leaves out what may be either way: a primary that is false, and references.
func loose(value any) any {
	switch v := value.(type) {
	case object:
		out := object{}
		for name, member := range v {
			if name != "$ref" && (name != "primary" || member != false) {
				out[name] = loose(member)
			}
		}
		return out
	case []any:
		out := []any{}
		for _, e := range v {
			out = append(out, loose(e))
		}
		return out
	}
	return value
}

var none = []any{"", nil, []any{}, object{}, object{"value": ""}, object{"value": nil}}

// change is one random operation on a user, in one of the forms of Entra.
func (m *machine) change(t *rapid.T, user object) object {
	verb := pick(t, []string{"add", "Add", "replace", "Replace"}, "verb")
	text := func() any {
		if rapid.IntRange(0, 4).Draw(t, "none") == 0 {
			return pick(t, none, "empty")
		}
		return pick(t, words, "text")
	}
	remove := func(path string) object {
		return object{"op": pick(t, []string{"remove", "Remove"}, "verb"), "path": path}
	}
	plain := append(slices.Clone(texts[1:]), "name.givenName", "name.familyName", "name.formatted",
		scimprobe.EnterpriseSchema+":employeeNumber", scimprobe.EnterpriseSchema+":department", scimprobe.EnterpriseSchema+":division")
	list := pick(t, lists, "list")
	var taken []string
	elements0, _ := user[list].([]any)
	for _, e := range elements0 {
		kind, _ := e.(object)["type"].(string)
		taken = append(taken, kind)
	}
	switch rapid.IntRange(0, 15).Draw(t, "form") {
	case 0, 1, 2:
		return object{"op": verb, "path": pick(t, plain, "path"), "value": text()}
	case 3:
		return remove(pick(t, plain, "path"))
	case 4:
		return object{"op": verb, "path": "active", "value": pick(t, []any{true, false, "True", "False", "false", "TRUE"}, "active")}
	case 5, 6:
		value := object{}
		for range rapid.IntRange(1, 4).Draw(t, "members") {
			value[pick(t, append(plain, "active", "shoeSize"), "path")] = nil
		}
		for _, name := range slices.Sorted(maps.Keys(value)) {
			value[name] = text()
			if name == "active" {
				value[name] = pick(t, []any{"True", "False"}, "active")
			}
		}
		return object{"op": verb, "value": value}
	case 7, 8, 9:
		return object{"op": verb, "path": fmt.Sprintf("%s[type eq %q].value", list, pick(t, kinds, "type")), "value": text()}
	case 10:
		if len(taken) == 0 { // an element of nothing but its type would be neither here nor there
			return remove("nickName")
		}
		return object{"op": verb, "path": fmt.Sprintf("%s[type eq %q].primary", list, pick(t, taken, "type")), "value": true}
	case 11:
		o := remove(fmt.Sprintf("%s[type eq %q]", list, pick(t, kinds, "type")) + pick(t, []string{"", ".value"}, "sub"))
		if strings.HasSuffix(o["path"].(string), ".value") && rapid.Bool().Draw(t, "by value") {
			o["value"] = pick(t, words, "value")
		}
		return o
	case 12:
		if len(taken) == len(kinds) {
			return remove(list)
		}
		return object{"op": "add", "path": list, "value": elements(t, list, taken)}
	case 13:
		return object{"op": "replace", "path": list, "value": elements(t, list, nil)}
	case 14:
		return object{"op": verb, "path": scimprobe.EnterpriseSchema + pick(t, []string{":manager", ":manager.value"}, "manager"), "value": pick(t, []any{"boss", "other", ""}, "value")}
	default:
		return pick(t, []object{
			{"op": "replace", "path": "userName", "value": m.newName(t)},
			{"op": "replace", "value": object{"userName": m.newName(t)}},
			{"op": "add", "path": scimprobe.EnterpriseSchema, "value": object{"department": pick(t, words, "department")}},
			{"op": "add", "path": "name", "value": object{"givenName": pick(t, words, "given"), "familyName": ""}},
			{"op": "remove", "path": scimprobe.EnterpriseSchema},
			{"op": "remove", "path": list},
			{"op": "remove", "path": "userName"},
			{"op": "replace", "path": "userName", "value": ""},
			{"op": "remove"},
			{"op": "add", "path": "shoeSize", "value": "43"},
			{"op": "replace", "path": "active", "value": "perhaps"},
		}, "rare")
	}
}

func (m *machine) patchUser(t *rapid.T) {
	id := m.anyone(t)
	before := js(loose(m.users[id]))
	// Operations are drawn one after another, so that types do not come to clash.
	scratch := &directory{users: map[string]object{id: m.users[id]}}
	var ops []object
	for range rapid.IntRange(1, 4).Draw(t, "operations") {
		o := m.change(t, scratch.users[id])
		ops = append(ops, o)
		scratch.patch(id, []object{o})
	}
	refused := m.patch(id, ops)
	var headers []string
	if rapid.IntRange(0, 4).Draw(t, "conditional") == 0 {
		headers = []string{"If-Match", pick(t, []string{m.versions[id], "*"}, "tag")}
	}
	if refused != nil {
		m.d.refused(refused.status, refused.scimType, "PATCH", "/Users/"+id, operations(ops...), headers...)
		m.same(t, id, m.d.get("/Users/"+id), false)
		return
	}
	a := m.d.ask("PATCH", "/Users/"+id, operations(ops...), headers...)
	if a.Status != 200 {
		t.Fatalf("%s to %s", a, js(ops))
	}
	m.same(t, id, a.Document(), js(loose(m.users[id])) != before)
	m.same(t, id, m.d.get("/Users/"+id), false)
}

func (m *machine) putUser(t *rapid.T) {
	id, body := m.anyone(t), m.body(t)
	before := js(loose(m.users[id]))
	user, refused := m.built(id, body)
	if refused != nil {
		m.d.refused(refused.status, refused.scimType, "PUT", "/Users/"+id, body)
		m.same(t, id, m.d.get("/Users/"+id), false)
		return
	}
	m.users[id] = user
	m.same(t, id, m.d.must(200, "PUT", "/Users/"+id, body).Document(), js(loose(user)) != before)
	m.same(t, id, m.d.get("/Users/"+id), false)
}

func (m *machine) deleteUser(t *rapid.T) {
	id := m.anyone(t)
	m.d.must(204, "DELETE", "/Users/"+id, nil)
	groups := m.of(id)
	m.forget(id)
	m.d.must(404, "GET", "/Users/"+id, nil)
	m.d.must(404, "DELETE", "/Users/"+id, nil)
	for _, group := range groups {
		m.circled(t, group)
	}
}

// circled compares a group with the model.
func (m *machine) circled(t *rapid.T, id string) {
	t.Helper()
	got, want := m.d.get("/Groups/"+id), m.groups[id]
	externalId, _ := got["externalId"].(string)
	if got["displayName"] != want.displayName || externalId != want.externalId {
		t.Fatalf("the group is %s, not %+v", js(got), want)
	}
	var members []string
	list, _ := got["members"].([]any)
	for _, e := range list {
		members = append(members, fmt.Sprint(e.(object)["value"]))
	}
	slices.Sort(members)
	if w := slices.Sorted(maps.Keys(want.members)); !slices.Equal(members, w) {
		t.Fatalf("the members are %v, not %v", members, w)
	}
	m.versions[id] = js(got["meta"].(object)["version"])
}

func (m *machine) someone(t *rapid.T, except string) []string {
	everybody := slices.Sorted(maps.Keys(m.users))
	for _, g := range slices.Sorted(maps.Keys(m.groups)) {
		if g != except {
			everybody = append(everybody, g)
		}
	}
	everybody = append(everybody, scimprobe.GUID())
	weights := everybody[:len(everybody)-1]
	if len(weights) == 0 || rapid.IntRange(0, 9).Draw(t, "stranger") == 0 {
		weights = everybody
	}
	return rapid.SliceOfNDistinct(rapid.SampledFrom(weights), 1, min(3, len(weights)), rapid.ID).Draw(t, "members")
}

func (m *machine) createGroup(t *rapid.T) {
	name := m.newName(t)
	body := object{"schemas": []any{scimprobe.GroupSchema}, "displayName": name}
	g := &circle{displayName: name, members: map[string]bool{}}
	if rapid.Bool().Draw(t, "external") {
		g.externalId = pick(t, words, "externalId")
		body["externalId"] = g.externalId
	}
	known := true
	if rapid.IntRange(0, 3).Draw(t, "peopled") == 0 {
		ids := m.someone(t, "")
		body["members"] = values(ids...)
		for _, id := range ids {
			g.members[id], known = true, known && m.known(id)
		}
	}
	switch {
	case !known:
		if a := m.d.ask("POST", "/Groups", body); a.Status != 400 && a.Status != 409 {
			t.Fatalf("a stranger is a member: %s", a)
		}
	case m.clashing("", name):
		m.d.refused(409, "uniqueness", "POST", "/Groups", body)
	default:
		id, _ := m.d.create("/Groups", body)
		m.groups[id] = g
		m.circled(t, id)
	}
}

func (m *machine) changeMembers(t *rapid.T) {
	id := m.anyGroup(t)
	members := maps.Clone(m.groups[id].members)
	var ops []object
	for range rapid.IntRange(1, 3).Draw(t, "operations") {
		ids := m.someone(t, id)
		switch rapid.IntRange(0, 5).Draw(t, "form") {
		case 0, 1:
			ops = append(ops, op(pick(t, []string{"Add", "add"}, "verb"), "members", values(ids...)))
			for _, who := range ids {
				members[who] = true
			}
		case 2:
			ops = append(ops, op("Remove", "members", values(ids...)))
			for _, who := range ids {
				delete(members, who)
			}
		case 3:
			ops = append(ops, object{"op": "remove", "path": fmt.Sprintf("members[value eq %q]", ids[0])})
			delete(members, ids[0])
		case 4:
			ops = append(ops, op("replace", "members", values(ids...)))
			clear(members)
			for _, who := range ids {
				members[who] = true
			}
		default:
			ops = append(ops, object{"op": "Remove", "path": "members"})
			clear(members)
		}
	}
	known := true // who was added and taken out again need not exist
	for who := range members {
		known = known && m.known(who)
	}
	if known {
		m.d.patchGroup(id, ops...)
		m.groups[id].members = members
	} else {
		m.d.refused(400, "invalidValue", "PATCH", "/Groups/"+id, operations(ops...))
	}
	m.circled(t, id)
}

func (m *machine) renameGroup(t *rapid.T) {
	id, name := m.anyGroup(t), m.newName(t)
	body := pick(t, []object{op("Replace", "displayName", name), op("replace", "", object{"displayName": name})}, "form")
	if m.clashing(id, name) {
		m.d.refused(409, "uniqueness", "PATCH", "/Groups/"+id, operations(body))
	} else {
		m.d.patchGroup(id, body)
		m.groups[id].displayName = name
	}
	m.circled(t, id)
}

func (m *machine) putGroup(t *rapid.T) {
	id := m.anyGroup(t)
	g := &circle{displayName: m.groups[id].displayName, members: map[string]bool{}}
	body := object{"schemas": []any{scimprobe.GroupSchema}, "displayName": g.displayName}
	known := true
	if rapid.Bool().Draw(t, "peopled") {
		ids := m.someone(t, id)
		body["members"] = values(ids...)
		for _, who := range ids {
			g.members[who], known = true, known && m.known(who)
		}
	}
	if known {
		m.d.must(200, "PUT", "/Groups/"+id, body)
		m.groups[id] = g
	} else {
		m.d.refused(400, "invalidValue", "PUT", "/Groups/"+id, body)
	}
	m.circled(t, id)
}

func (m *machine) deleteGroup(t *rapid.T) {
	id := m.anyGroup(t)
	m.d.must(204, "DELETE", "/Groups/"+id, nil)
	m.forget(id)
	m.d.must(404, "GET", "/Groups/"+id, nil)
}

// ask is a random filter.
func (m *machine) ask(t *rapid.T, depth int) question {
	if depth > 0 {
		switch rapid.IntRange(0, 5).Draw(t, "joint") {
		case 0, 1:
			return both(m.ask(t, depth-1), m.ask(t, depth-1))
		case 2:
			return either(m.ask(t, depth-1), m.ask(t, depth-1))
		case 3:
			return not(m.ask(t, depth-1))
		}
	}
	single := append(slices.Clone(texts), "name.givenName", "name.formatted", scimprobe.EnterpriseSchema+":department", scimprobe.EnterpriseSchema+":manager.value")
	multiple := []string{"emails.value", "emails.type", "phoneNumbers.value", "roles.value", "roles.display"}
	comparisons := []string{"eq", "co", "sw", "ew", "gt", "ge", "lt", "le"}
	switch rapid.IntRange(0, 7).Draw(t, "atom") {
	case 0, 1, 2:
		return compares(pick(t, single, "path"), pick(t, append(comparisons, "ne"), "op"), pick(t, words, "word"))
	case 3:
		return compares(pick(t, multiple, "path"), pick(t, comparisons, "op"), pick(t, append(words, kinds...), "word"))
	case 4:
		return present(pick(t, append(single, "active", "emails", "roles", "name", "emails.value"), "path"))
	case 5:
		return activeIs(pick(t, []string{"true", "false", `"True"`, `"false"`}, "active"))
	case 6:
		return oneElement(pick(t, lists, "list"), pick(t, kinds, "type"), pick(t, []string{"eq", "co", "sw", "ew"}, "op"), pick(t, words, "word"))
	default:
		if len(m.groups) == 0 {
			return present("userName")
		}
		return inGroup(m.anyGroup(t))
	}
}

func ids(list []object) (found []string) {
	for _, r := range list {
		found = append(found, fmt.Sprint(r["id"]))
	}
	return found
}

func (m *machine) filter(t *rapid.T) {
	q := m.ask(t, 3)
	var want []string
	for id, user := range m.users {
		if q.asks(m.directory, id, user) {
			want = append(want, id)
		}
	}
	slices.Sort(want)
	var got []string
	if rapid.Bool().Draw(t, "by POST") {
		list := m.d.must(200, "POST", "/Users/.search", object{"schemas": []string{scimprobe.SearchSchema}, "filter": q.text, "count": 200}).Document()
		got = ids(resources(list))
	} else {
		got = ids(m.d.find("/Users", q.text, "count", "200"))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		for _, id := range append(slices.Clone(got), want...) {
			t.Logf("%s: %s", id, js(m.users[id]))
		}
		t.Fatalf("%s\nfinds %v\nand not %v", q.text, got, want)
	}
}

func (m *machine) filterGroups(t *rapid.T) {
	if len(m.users) == 0 {
		t.Skip("nobody is there")
	}
	who := m.anyone(t)
	var want []string
	for id, g := range m.groups {
		if g.members[who] {
			want = append(want, id)
		}
	}
	slices.Sort(want)
	got := ids(m.d.find("/Groups", "members.value eq "+scimprobe.Quote(who), "excludedAttributes", "members"))
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("%s is a member of %v, not of %v", who, got, want)
	}
	word := pick(t, words, "word")
	want = nil
	for id, g := range m.groups {
		if strings.HasPrefix(strings.ToLower(g.displayName), strings.ToLower(word)) {
			want = append(want, id)
		}
	}
	slices.Sort(want)
	got = ids(m.d.find("/Groups", "displayName sw "+scimprobe.Quote(word)))
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("groups that begin with %s are %v, not %v", word, got, want)
	}
}

// list walks all pages, by index or by cursor, and looks at the order.
func (m *machine) list(t *rapid.T) {
	count := rapid.IntRange(1, 4).Draw(t, "count")
	by := pick(t, []string{"", "userName", "displayName", "title", "name.givenName"}, "by")
	down := rapid.Bool().Draw(t, "down")
	cursors := rapid.Bool().Draw(t, "cursors")
	var all []object
	cursor := ""
	for start := 1; ; start += count {
		pairs := []string{"count", fmt.Sprint(count)}
		if cursors {
			pairs = append(pairs, "cursor", cursor)
		} else {
			pairs = append(pairs, "startIndex", fmt.Sprint(start))
		}
		if by != "" {
			pairs = append(pairs, "sortBy", by)
			if down {
				pairs = append(pairs, "sortOrder", "descending")
			}
		}
		list := m.d.must(200, "GET", scimprobe.Query("/Users", pairs...), nil).Document()
		page := resources(list)
		if len(page) > count {
			t.Fatalf("%d are on a page of %d", len(page), count)
		}
		all = append(all, page...)
		cursor, _ = list["nextCursor"].(string)
		if !cursors && js(list["totalResults"]) != fmt.Sprint(len(m.users)) {
			t.Fatalf("totalResults is %s of %d", js(list["totalResults"]), len(m.users))
		}
		if cursors && cursor == "" || !cursors && len(page) < count {
			break
		}
		if len(all) > len(m.users) {
			t.Fatalf("the pages do not end: %d of %d", len(all), len(m.users))
		}
	}
	got := ids(all)
	slices.Sort(got)
	if want := slices.Sorted(maps.Keys(m.users)); !slices.Equal(got, want) {
		t.Fatalf("listed are %v, not %v", got, want)
	}
	for _, user := range all {
		m.same(t, user["id"].(string), user, false)
	}
	if by == "" {
		return
	}
	var keys []string
	missing := 0
	for i, user := range all {
		found := read(user, by)
		if len(found) == 0 {
			missing++
			if last := i == len(all)-1; !down && !last && len(read(all[i+1], by)) > 0 || down && missing != i+1 {
				t.Fatalf("who has no %s stands in the wrong place", by)
			}
			continue
		}
		keys = append(keys, strings.ToLower(found[0]))
	}
	if down {
		slices.Reverse(keys)
	}
	if !slices.IsSorted(keys) {
		t.Fatalf("sorted by %s (descending: %v) come %q", by, down, keys)
	}
}

func (m *machine) project(t *rapid.T) {
	id := m.anyone(t)
	user := m.users[id]
	names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"userName", "displayName", "title", "emails", "roles", "active", "name", "meta"}), 1, 3, rapid.ID).Draw(t, "names")
	for _, excluded := range []bool{false, true} {
		parameter := map[bool]string{false: "attributes", true: "excludedAttributes"}[excluded]
		got := m.d.get(scimprobe.Query("/Users/"+id, parameter, strings.Join(names, ",")))
		if got["id"] != id || got["schemas"] == nil {
			t.Fatalf("%s=%v leaves out what is always there: %s", parameter, names, js(got))
		}
		for _, name := range append(append(slices.Clone(texts), lists...), "active", "name", "meta") {
			wanted := slices.Contains(names, name) != excluded
			has := user[name] != nil || name == "meta"
			if shown := got[name] != nil; shown != (wanted && has) {
				t.Fatalf("%s=%v: %s is shown: %v, is there: %v", parameter, names, name, shown, has)
			}
		}
	}
}

// stale asks with a version that is not the one of the resource.
func (m *machine) stale(t *rapid.T) {
	id := m.anyone(t)
	version := m.versions[id]
	a := m.d.ask("GET", "/Users/"+id, nil, "If-None-Match", version)
	if a.Status != 304 {
		t.Fatalf("not 304: %s", a)
	}
	m.d.must(200, "GET", "/Users/"+id, nil, "If-None-Match", `W/"other"`)
	switch rapid.IntRange(0, 2).Draw(t, "method") {
	case 0:
		m.d.refused(412, "", "PATCH", "/Users/"+id, operations(op("replace", "title", scimprobe.GUID())), "If-Match", `W/"other"`)
	case 1:
		m.d.refused(412, "", "PUT", "/Users/"+id, object{"schemas": []any{scimprobe.UserSchema}, "userName": scimprobe.GUID()}, "If-Match", `W/"other"`)
	default:
		m.d.refused(412, "", "DELETE", "/Users/"+id, nil, "If-Match", `W/"other"`)
	}
	m.same(t, id, m.d.get("/Users/"+id), false)
}

// everything compares all there is.
func (m *machine) everything(t *rapid.T) {
	for _, id := range slices.Sorted(maps.Keys(m.users)) {
		m.same(t, id, m.d.get("/Users/"+id), false)
	}
	for _, id := range slices.Sorted(maps.Keys(m.groups)) {
		m.circled(t, id)
	}
}
