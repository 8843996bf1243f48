package scim

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/app/command/scimprobe"
	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/test/dbtest"
	"github.com/badge-engine/badge-engine/test/houses"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// A step is one request. What it creates is known to later ones by the name in keep.
type step struct {
	name, method, target string
	body                 any
	headers              []string
	keep                 string
	version              string // of the protocol in the address, where it is not v2
}

// surface has one step for every form of answer. {u}, {g} and so on are ids that were kept.
func surface() []step {
	user := object{
		"schemas": []string{scimprobe.UserSchema, scimprobe.EnterpriseSchema}, "userName": "dana.kim@contoso.example", "externalId": "3c1f0d92-6f0c-4a55-9b0e-0f1f4b7a2d10", "active": true,
		"displayName": "Dana Kim", "name": object{"formatted": "Dana Kim", "familyName": "Kim", "givenName": "Dana"},
		"emails":                   []object{{"primary": true, "type": "work", "value": "dana.kim@contoso.example"}},
		scimprobe.EnterpriseSchema: object{"employeeNumber": "88121", "department": "Learning"},
	}
	group := object{"schemas": []string{scimprobe.GroupSchema}, "displayName": "Badge Issuers", "externalId": "8a2c0000-0000-4000-8000-000000000001"}
	lee := object{"schemas": []string{scimprobe.UserSchema}, "userName": "lee"}
	patch := func(ops ...object) object { return operations(ops...) }
	search := func(more object) object {
		s := object{"schemas": []string{scimprobe.SearchSchema}}
		maps.Copy(s, more)
		return s
	}
	bulk := func(ops ...object) object {
		return object{"schemas": []string{scimprobe.BulkSchema}, "Operations": ops}
	}
	steps := []step{
		{name: "create a user", method: "POST", target: "/Users", body: user, keep: "u"},
		{name: "create another user", method: "POST", target: "/Users", body: lee, keep: "l"},
		{name: "create a group", method: "POST", target: "/Groups", body: group, keep: "g"},
		{name: "patch a group", method: "PATCH", target: "/Groups/{g}", body: patch(op("Add", "members", []object{{"value": "{u}"}, {"value": "{l}"}}))},
		{name: "read a group", method: "GET", target: "/Groups/{g}"},
		{name: "read a group without members", method: "GET", target: "/Groups/{g}?excludedAttributes=members"},
		{name: "read a user", method: "GET", target: "/Users/{u}"},
		{name: "read a user not modified", method: "GET", target: "/Users/{u}", headers: []string{"If-None-Match", `W/"1"`}},
		{name: "project a user", method: "GET", target: "/Users/{u}?attributes=displayName,emails.value"},
		{name: "patch a user", method: "PATCH", target: "/Users/{u}", body: patch(op("Replace", "active", "False"), op("Replace", "title", "Coach"))},
		{name: "replace a user", method: "PUT", target: "/Users/{l}", body: object{"schemas": []string{scimprobe.UserSchema}, "userName": "lee", "displayName": "Lee"}},
		{name: "find nobody", method: "GET", target: "/Users?filter=userName+eq+%225f0d4b2e-8a39-4c1a-9a1b-3d6f2e0c7a11%22"},
		{name: "find no group", method: "GET", target: "/Groups?excludedAttributes=members&filter=displayName+eq+%22nobody%22"},
		{name: "find a user", method: "GET", target: "/Users?filter=userName+eq+%22DANA.KIM@contoso.example%22"},
		{name: "list users", method: "GET", target: "/Users?startIndex=2&count=1"},
		{name: "list users by cursor", method: "GET", target: "/Users?cursor&count=1", keep: "c"},
		{name: "list everything", method: "GET", target: "?attributes=id,userName,displayName&sortBy=id"},
		{name: "search", method: "POST", target: "/Users/.search", body: search(object{"filter": "displayName sw d", "attributes": []string{"displayName"}, "sortBy": "userName", "startIndex": 1, "count": 10})},
		{name: "search everything", method: "POST", target: "/.search", body: search(object{"filter": `displayName eq "Badge Issuers"`, "attributes": []string{"displayName"}})},
		{name: "bulk", method: "POST", target: "/Bulk", body: bulk(
			object{"method": "POST", "path": "/Groups", "bulkId": "g1", "data": object{"schemas": []string{scimprobe.GroupSchema}, "displayName": "Mentors", "members": []object{{"value": "bulkId:u1"}}}},
			object{"method": "POST", "path": "/Users", "bulkId": "u1", "data": object{"schemas": []string{scimprobe.UserSchema}, "userName": "ada"}},
			object{"method": "PATCH", "path": "/Users/{l}", "data": patch(op("replace", "title", "Coach"))},
			object{"method": "POST", "path": "/Users", "bulkId": "u2", "data": object{"schemas": []string{scimprobe.UserSchema}, "userName": "LEE"}},
			object{"method": "DELETE", "path": "/Users/nobody"},
		)},

		{name: "provider configuration", method: "GET", target: "/ServiceProviderConfig", headers: []string{"Authorization", ""}},
		{name: "resource types", method: "GET", target: "/ResourceTypes", headers: []string{"Authorization", ""}},
		{name: "resource type", method: "GET", target: "/ResourceTypes/Group", headers: []string{"Authorization", ""}},
		{name: "schemas", method: "GET", target: "/Schemas", headers: []string{"Authorization", ""}},
		{name: "schema", method: "GET", target: "/Schemas/" + scimprobe.EnterpriseSchema, headers: []string{"Authorization", ""}},
		{name: "403 filter on discovery", method: "GET", target: "/Schemas?filter=id+pr"},
		{name: "404 schema", method: "GET", target: "/Schemas/urn:nothing"},

		{name: "400 invalidFilter", method: "GET", target: "/Users?filter=userName+is+%22x%22"},
		{name: "400 invalidSyntax", method: "POST", target: "/Users", body: "{"},
		{name: "400 invalidSyntax operation", method: "PATCH", target: "/Users/{u}", body: patch(op("move", "title", "x"))},
		{name: "400 invalidPath", method: "PATCH", target: "/Users/{u}", body: patch(op("add", "shoeSize", "43"))},
		{name: "400 noTarget", method: "PATCH", target: "/Users/{u}", body: patch(object{"op": "remove"})},
		{name: "400 invalidValue", method: "POST", target: "/Users", body: object{"schemas": []string{scimprobe.UserSchema}, "displayName": "nameless"}},
		{name: "400 invalidValue member", method: "PATCH", target: "/Groups/{g}", body: patch(op("Add", "members", []object{{"value": "nobody"}}))},
		{name: "400 mutability", method: "PATCH", target: "/Users/{u}", body: patch(op("replace", "id", "x"))},
		{name: "400 invalidVers", method: "GET", target: "/Users", version: "v1"},
		{name: "400 invalidCursor", method: "GET", target: "/Users?cursor=nonsense"},
		{name: "400 invalidCount", method: "GET", target: "/Users?cursor&count=many"},
		{name: "401 without a token", method: "GET", target: "/Users", headers: []string{"Authorization", ""}},
		{name: "401 wrong token", method: "GET", target: "/Users", headers: []string{"Authorization", "Bearer be_wrong"}},
		{name: "403 wrong scope", method: "GET", target: "/Users", headers: []string{"Authorization", "Bearer {reader}"}},
		{name: "404 user", method: "GET", target: "/Users/nobody"},
		{name: "404 group", method: "DELETE", target: "/Groups/nobody"},
		{name: "404 endpoint", method: "GET", target: "/Shoes"},
		{name: "405 list", method: "DELETE", target: "/Users"},
		{name: "405 user", method: "POST", target: "/Users/{u}", body: lee},
		{name: "405 bulk", method: "GET", target: "/Bulk"},
		{name: "405 search", method: "GET", target: "/Users/.search"},
		{name: "405 discovery", method: "PUT", target: "/ServiceProviderConfig", body: object{}},
		{name: "409 userName", method: "POST", target: "/Users", body: object{"schemas": []string{scimprobe.UserSchema}, "userName": "LEE"}},
		{name: "409 displayName", method: "POST", target: "/Groups", body: group},
		{name: "412 version", method: "PUT", target: "/Users/{l}", body: lee, headers: []string{"If-Match", `W/"77"`}},
		{name: "413 body", method: "POST", target: "/Users", body: strings.Repeat(" ", 13<<20)},
		{name: "413 bulk", method: "POST", target: "/Bulk", body: bulk(slices.Repeat([]object{{"method": "DELETE", "path": "/Users/nobody"}}, 1001)...)},
		{name: "415 media type", method: "POST", target: "/Users", body: "<user/>", headers: []string{"Content-Type", "application/xml"}},
		{name: "501 me", method: "GET", target: "/Me"},
		{name: "501 method", method: "BREW", target: "/Users"},

		{name: "delete a user", method: "DELETE", target: "/Users/{u}"},
		{name: "delete a group", method: "DELETE", target: "/Groups/{g}"},
		{name: "400 expiredCursor", method: "GET", target: "/Users?count=1&cursor={c}"},
	}
	return steps
}

var (
	uuids  = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	times  = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
	cursor = regexp.MustCompile(`("(?:next|previous)Cursor":)"([^"]+)"`)
)

// hops are the headers that belong to one connection, or to one answer alone.
var hops = []string{"Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length", "Date", "Server", "X-Request-Id"}

// script plays all steps and answers each as it stands in its golden file: what differs
// from run to run is named in the order in which it comes up.
func script(t *testing.T, d *desk, later func()) map[string]string {
	t.Helper()
	reader := d.api(201, "POST", "/api/v1/tokens", object{"name": "reader", "scopes": []string{"credentials:read"}})
	known := map[string]string{"reader": fmt.Sprint(reader["token"])}
	numbers := map[string]string{}
	tidy := func(text string) string {
		text = strings.ReplaceAll(text, d.base, "https://badges.example.org")
		text = times.ReplaceAllString(text, "2026-01-10T08:00:00.000Z")
		text = cursor.ReplaceAllString(text, `$1"cursor"`)
		return uuids.ReplaceAllStringFunc(text, func(id string) string {
			if strings.Contains(id, "-0000-4000-8000-") || id == "3c1f0d92-6f0c-4a55-9b0e-0f1f4b7a2d10" || strings.HasPrefix(id, "5f0d4b2e") {
				return id
			}
			if numbers[id] == "" {
				numbers[id] = fmt.Sprintf("id-%d", len(numbers)+1)
			}
			return numbers[id]
		})
	}
	fill := func(text string) string {
		for name, value := range known {
			text = strings.ReplaceAll(text, "{"+name+"}", value)
		}
		return text
	}
	answers := map[string]string{}
	for _, s := range surface() {
		if strings.Contains(s.name, "expired") {
			later()
		}
		body := s.body
		if body != nil {
			if text, ok := body.(string); ok {
				body = fill(text)
			} else {
				body = fill(js(body))
			}
		}
		headers := slices.Clone(s.headers)
		for i := range headers {
			headers[i] = fill(headers[i])
		}
		d, version := d, cmp.Or(s.version, "v2")
		if version != "v2" {
			d = d.in(t)
			d.client = connect(t, d.base+"/scim/"+version, d.client.Token)
		}
		a := d.ask(s.method, fill(s.target), body, headers...)
		document := a.Document()
		switch id, _ := document["id"].(string); {
		case s.keep != "" && id != "":
			known[s.keep] = id
		case s.keep != "":
			known[s.keep] = fmt.Sprint(document["nextCursor"])
		}
		answers[s.name] = tidy(written(s.method+" /scim/"+version+s.target, a))
	}
	return answers
}

// written is an answer as its golden file has it, below what was asked.
func written(asked string, a scimprobe.Answer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%d %s\n", asked, a.Status, http.StatusText(a.Status))
	for _, name := range slices.Sorted(maps.Keys(a.Header)) {
		if !slices.Contains(hops, name) {
			fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(a.Header[name], ", "))
		}
	}
	fmt.Fprintf(&b, "\n%s", a.Body)
	return b.String()
}

// golden compares an answer with the file of its name.
func golden(t *testing.T, name, got string) (file string) {
	t.Helper()
	file = filepath.Join("testdata", "surface", strings.ReplaceAll(name, " ", "-")+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Errorf("%v; task golden writes it", err)
	} else if got != string(want) {
		t.Errorf("%s is now\n%s\nand was\n%s", name, clip(got, 3000), clip(string(want), 3000))
	}
	return file
}

// clock can be set forward.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) later() { c.ahead.Store(int64(24 * time.Hour)) }

// The answers that [TestTheDatabaseIsAway] and [TestGuessingTokensIsSlowedDown] see to.
const (
	away    = "503-database-away.txt"
	tooMany = "429-guessing.txt"
)

// TestEveryFormOfAnswerIsAsItWas compares each with its golden file: on every engine, asked
// directly and through nginx, which may change no byte of it.
func TestEveryFormOfAnswerIsAsItWas(t *testing.T) {
	seen := map[string]bool{}
	compare := func(t *testing.T, answers map[string]string) {
		t.Helper()
		for name, got := range answers {
			seen[filepath.Base(golden(t, name, got))] = true
		}
	}
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			var c clock
			d := bootWith(t, c.now, func(cfg *engine.Config) { cfg.Database.URL = e.URL })
			compare(t, script(t, d, c.later))
		})
	}
	t.Run("nginx", func(t *testing.T) {
		var c clock
		front := "127.0.0.1:" + houses.FreePort(t)
		d := bootWith(t, c.now, func(cfg *engine.Config) { cfg.PublicURL = "http://" + front })
		behind := strings.TrimPrefix(d.base, "http://")
		nginx(t, front, behind, changed{})
		d.base = "http://" + front
		d.client = connect(t, d.base+"/scim/v2", d.client.Token)
		a, err := d.client.Send(t.Context(), "GET", "/ServiceProviderConfig", nil)
		if err != nil || !strings.HasPrefix(a.Header.Get("Server"), "nginx") {
			t.Fatalf("nginx does not stand in between: %v %v", err, a.Header)
		}
		compare(t, script(t, d, c.later))

		t.Run("nothing to stumble over", func(t *testing.T) {
			report, err := scimprobe.Probe(t.Context(), scimprobe.Options{Address: d.base + "/scim/v2", Token: d.client.Token, Write: true, Lookups: 5, Now: c.now})
			if err != nil || !report.Ready {
				t.Errorf("%v %s", err, js(report))
			}
		})
	})
	if *update {
		return
	}
	files, err := os.ReadDir(filepath.Join("testdata", "surface"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !seen[f.Name()] && f.Name() != away && f.Name() != tooMany {
			t.Errorf("no step makes %s", f.Name())
		}
	}
}
