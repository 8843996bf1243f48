package scim

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/app/command/scimprobe"
	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/test/dbtest"
	"github.com/badge-engine/badge-engine/test/houses"
)

const admin = houses.Admin

// tester is a test of the testing package or of rapid.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Context() context.Context
	Cleanup(func())
}

// desk is a booted house and the provisioning service in front of it.
type desk struct {
	t      tester
	base   string            // of the whole house
	client *scimprobe.Client // of the tenant URL, with a token that opens nothing else
	token  string            // the same token, for other clients
	log    *houses.Log
}

// each boots the house once for every database engine.
func each(t *testing.T, run func(t *testing.T, d *desk)) {
	t.Helper()
	eachWith(t, func(*engine.Config) {}, run)
}

// eachWith is each with another configuration.
func eachWith(t *testing.T, change func(*engine.Config), run func(t *testing.T, d *desk)) {
	t.Helper()
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d := boot(t, houses.On(t, e, change))
			run(t, d)
		})
	}
}

// boot starts a house and creates the secret token that an administrator would paste
// into Entra.
func boot(t testing.TB, change func(*engine.Config)) *desk {
	t.Helper()
	return bootWith(t, nil, change)
}

// bootWith boots the house by another clock.
func bootWith(t testing.TB, now func() time.Time, change func(*engine.Config)) *desk {
	t.Helper()
	base, log := houses.Boot(t, now, func(cfg *engine.Config) {
		cfg.Limits.Failures, cfg.Limits.PerSecond = 0, 0 // tests are quicker than any job
		cfg.SCIM.ExtensionsFile = "testdata/entra/extensions.json"
		if change != nil {
			change(cfg)
		}
	})
	d := &desk{t: t, base: base, log: log}
	api, err := scimprobe.NewClient(base, admin, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := api.Send(t.Context(), "POST", "/api/v1/tokens", map[string]any{"name": "Entra", "scopes": []string{"scim"}}, "Content-Type", "application/json", "Accept", "application/json")
	token, _ := a.Document()["token"].(string)
	if err != nil || a.Status != 201 || token == "" {
		t.Fatalf("no token for provisioning: %v %s", err, a)
	}
	d.token, d.client = token, connect(t, base+"/scim/v2", token)
	return d
}

// connect is a client with connections of its own.
func connect(t tester, address, token string) *scimprobe.Client {
	t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 32
	t.Cleanup(transport.CloseIdleConnections)
	c, err := scimprobe.NewClient(address, token, transport)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// in is the same desk for a subtest.
func (d *desk) in(t tester) *desk {
	inner := *d
	inner.t = t
	return &inner
}

// ask sends one request and holds the form of its answer against what Entra can read.
func (d *desk) ask(method, target string, body any, headers ...string) scimprobe.Answer {
	d.t.Helper()
	a, err := d.client.Send(d.t.Context(), method, target, body, headers...)
	if err != nil {
		d.t.Fatalf("%s %s: %v", method, target, err)
	}
	for _, p := range scimprobe.Faults(a) {
		d.t.Errorf("%s: %s (%s)", clip(a.String(), 400), p.Detail, p.Kind)
	}
	return a
}

// must is ask that ends the test unless the answer has the status.
func (d *desk) must(status int, method, target string, body any, headers ...string) scimprobe.Answer {
	d.t.Helper()
	a := d.ask(method, target, body, headers...)
	if a.Status != status {
		d.t.Fatalf("not %d: %s", status, a)
	}
	return a
}

// refused asks for what must be refused with a status and, where it has one, a scimType.
func (d *desk) refused(status int, scimType, method, target string, body any, headers ...string) scimprobe.Answer {
	d.t.Helper()
	a := d.ask(method, target, body, headers...)
	if kind, _ := a.Document()["scimType"].(string); a.Status != status || kind != scimType {
		d.t.Errorf("not %d %s: %s", status, scimType, a)
	}
	return a
}

// object is a JSON object.
type object = map[string]any

// person is the least that a user is created from, under a name of its own.
func person(more object) object {
	user := object{
		"schemas": []string{scimprobe.UserSchema, scimprobe.EnterpriseSchema}, "userName": "u-" + scimprobe.GUID() + "@contoso.example",
		"meta": object{"resourceType": "User"},
	}
	for name, value := range more {
		user[name] = value
	}
	return user
}

// create makes a user or group and answers its id and what the server says of it.
func (d *desk) create(endpoint string, body any) (string, object) {
	d.t.Helper()
	document := d.must(201, "POST", endpoint, body).Document()
	return document["id"].(string), document // its form was checked
}

func (d *desk) user(more object) string {
	d.t.Helper()
	id, _ := d.create("/Users", person(more))
	return id
}

// team creates a group as Entra does: without members.
func (d *desk) team(more object) string {
	d.t.Helper()
	group := object{
		"schemas":     []string{scimprobe.GroupSchema, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"},
		"displayName": "g-" + scimprobe.GUID(), "externalId": scimprobe.GUID(), "meta": object{"resourceType": "Group"},
	}
	for name, value := range more {
		group[name] = value
	}
	id, _ := d.create("/Groups", group)
	return id
}

// get reads a resource.
func (d *desk) get(target string) object {
	d.t.Helper()
	return d.must(200, "GET", target, nil).Document()
}

// find asks for what a filter finds.
func (d *desk) find(endpoint, filter string, more ...string) []object {
	d.t.Helper()
	return resources(d.must(200, "GET", scimprobe.Query(endpoint, append([]string{"filter", filter}, more...)...), nil).Document())
}

func resources(list object) (found []object) {
	all, _ := list["Resources"].([]any)
	for _, r := range all {
		if resource, ok := r.(object); ok {
			found = append(found, resource)
		}
	}
	return found
}

func operations(ops ...object) object {
	if ops == nil {
		ops = []object{}
	}
	return object{"schemas": []string{scimprobe.PatchSchema}, "Operations": ops}
}

func op(kind, path string, value any) object {
	o := object{"op": kind, "value": value}
	if path != "" {
		o["path"] = path
	}
	return o
}

// patchUser changes a user as Entra does, which takes 200 with the whole resource or
// 204, and answers what a GET says afterwards. What a 200 says must be the same.
func (d *desk) patchUser(id string, ops ...object) object {
	d.t.Helper()
	a := d.ask("PATCH", "/Users/"+id, operations(ops...))
	if a.Status != 200 && a.Status != 204 {
		d.t.Fatalf("%s: sent %s", a, js(ops))
	}
	now := d.get("/Users/" + id)
	if a.Status == 200 && js(a.Document()) != js(now) {
		d.t.Errorf("the answer to PATCH is stale:\n%s\nGET says\n%s", js(a.Document()), js(now))
	}
	return now
}

// patchGroup changes a group; the answer is 204 without a body.
func (d *desk) patchGroup(id string, ops ...object) {
	d.t.Helper()
	d.must(204, "PATCH", "/Groups/"+id, operations(ops...))
}

// members of a group, as the ids that a GET names.
func (d *desk) members(id string) map[string]bool {
	d.t.Helper()
	found := map[string]bool{}
	list, _ := d.get("/Groups/" + id)["members"].([]any)
	for _, m := range list {
		member, _ := m.(object)
		value, _ := member["value"].(string)
		if value == "" || found[value] {
			d.t.Errorf("a member without a value, or twice: %s", js(list))
		}
		found[value] = true
	}
	return found
}

// hasMembers compares the members of a group with what they must be.
func (d *desk) hasMembers(id string, want ...string) {
	d.t.Helper()
	got := d.members(id)
	same := len(got) == len(want)
	for _, w := range want {
		same = same && got[w]
	}
	if !same {
		d.t.Errorf("the members are %v, not %v", got, want)
	}
}

func values(ids ...string) []object {
	list := []object{}
	for _, id := range ids {
		list = append(list, object{"$ref": nil, "value": id})
	}
	return list
}

// js is a value as JSON, for comparing and for messages: members come in order.
func js(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}

// numbersAndMoments declares an extension that has some.
func numbersAndMoments(cfg *engine.Config) {
	cfg.SCIM.ExtensionsFile = "testdata/standard/extensions.json"
}

// duplicateNames lets groups have the same name.
func duplicateNames(cfg *engine.Config) { cfg.SCIM.UniqueGroupNames = false }

// fewListedMembers makes a group of three a large one.
func fewListedMembers(cfg *engine.Config) { cfg.SCIM.ListedMembers = 2 }
