package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// TestNothingMakesTheDirectoryStumble sends what no client should: every answer is a
// refusal in the form of the protocol, none is a 500, and nothing is stored.
func TestNothingMakesTheDirectoryStumble(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		p := h.provisioner()
		ada, staff := p.user("ada", "externalId", "x"), p.group("Staff")
		before := p.must(200, p.call("GET", "/Users/"+ada, nil)).header.Get("ETag")
		injections := []string{"' OR '1'='1", `" OR 1=1 --`, `'; DROP TABLE users; --`, `\'; --`, "$1", "?", "%", "_", "x') UNION SELECT * FROM users --", "{}", "$.a", `\u0027`}

		search := func(path string, body scimBody) answer { return p.call("POST", path+"/.search", body) }
		filter := func(f string) answer { return search("/Users", scimBody{"filter": f}) }
		deep := strings.Repeat("(", 10_000) + "userName eq \"x\"" + strings.Repeat(")", 10_000)
		for name, f := range map[string]string{
			"a filter of a megabyte": "userName eq \"" + strings.Repeat("x", 1<<20) + "\"", "ten thousand parentheses": deep, "brackets within brackets": strings.Repeat("emails[", 5000),
			"not of not": strings.Repeat("not (", 5000), "an unterminated string": `userName eq "x`, "no value": "userName eq", "no operator": "userName", "nothing but and": "and", "an unknown operator": `userName like "x"`,
			"an unknown attribute": `shoeSize eq 38`, "an unknown schema": `urn:x:y:z eq "1"`, "a number where a time is": "meta.created gt " + strings.Repeat("9", 400), "a password": `password eq "x"`,
			"more than one filter": `userName eq "x" userName eq "y"`, "half a character": "userName eq \"\\ud800\"", "a boolean in order": "active gt true", "a zero": "userName eq \"\\u0000\"", "a zero within brackets": "emails[value co \"a\\u0000\"]", "many terms": strings.Repeat("id pr or ", 5000) + "id pr",
		} {
			t.Run(name, func(t *testing.T) {
				p.refused(400, "invalidFilter", filter(f))
			})
		}
		for _, i := range injections {
			quoted, _ := json.Marshal(i)
			for _, attribute := range []string{"userName", "id", "externalId", "emails.value", "name.familyName", "groups.value", "meta.version", "meta.location", "schemas", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"} {
				for _, op := range []string{"eq", "co", "sw", "ew", "gt"} {
					var list struct{ TotalResults int }
					p.must(200, filter(attribute+" "+op+" "+string(quoted))).into(t, &list)
					if list.TotalResults > 0 && op != "gt" {
						t.Errorf("%s %s %s finds %d", attribute, op, i, list.TotalResults)
					}
				}
			}
			for _, q := range []scimBody{{"sortBy": i}, {"filter": i + ` eq "x"`}, {"filter": "emails[" + i + ` eq "x"]`}, {"sortBy": "userName", "sortOrder": i}, {"startIndex": i}, {"cursor": i}} {
				if a := search("/Users", q); a.status != 400 {
					t.Errorf("%v: %d %s", q, a.status, a.body)
				}
			}
			for _, path := range []string{"/Users/", "/Groups/", "/Schemas/"} {
				if a := p.call("GET", path+url.PathEscape(i), nil); a.status != 404 {
					t.Errorf("%s%s: %d %s", path, i, a.status, a.body)
				}
			}
			p.must(400, p.call("PATCH", "/Groups/"+staff, add(i)))
			p.must(400, p.call("PATCH", "/Users/"+ada, patchOf(scimBody{"op": "replace", "path": i, "value": "x"})))
			p.must(412, p.call("DELETE", "/Users/"+ada, nil, "If-Match", strings.ReplaceAll(i, "\u0000", "")))
		}

		for _, row := range []struct {
			name    string
			body    any
			keyword string
		}{
			{"no operation known", patchOf(scimBody{"op": "increment", "path": "title", "value": 1}), "invalidSyntax"},
			{"no operations at all", scimBody{"schemas": []string{patchURN}}, "invalidSyntax"},
			{"operations that are no list", scimBody{"schemas": []string{patchURN}, "Operations": "x"}, "invalidSyntax"},
			{"a remove without a path", patchOf(scimBody{"op": "remove"}), "noTarget"},
			{"a path into what only the server writes", patchOf(scimBody{"op": "replace", "path": "id", "value": "x"}), "mutability"},
			{"the groups of a user", patchOf(scimBody{"op": "add", "path": "groups", "value": []scimBody{{"value": staff}}}), "mutability"},
			{"the time of a change", patchOf(scimBody{"op": "replace", "path": "meta.lastModified", "value": "2026-01-01T00:00:00Z"}), "mutability"},
			{"the name taken away", patchOf(scimBody{"op": "remove", "path": "userName"}), "mutability"},
			{"a path that is none", patchOf(scimBody{"op": "replace", "path": "emails[type eq", "value": "x"}), "invalidFilter"},
			{"a boolean that is none", patchOf(scimBody{"op": "replace", "path": "active", "value": "perhaps"}), "invalidValue"},
			{"the good and the bad together", patchOf(scimBody{"op": "replace", "path": "title", "value": "x"}, scimBody{"op": "replace", "path": "shoeSize", "value": 1}), "invalidPath"},
			{"a name twice", `{"schemas":["` + patchURN + `"],"Operations":[],"operations":[]}`, "invalidSyntax"},
			{"U+0000", `{"schemas":["` + patchURN + `"],"Operations":[{"op":"replace","path":"title","value":"a\u0000"}]}`, "invalidValue"},
			{"half a character", `{"schemas":["` + patchURN + `"],"Operations":[{"op":"replace","path":"title","value":"\ud800"}]}`, "invalidSyntax"},
			{"a tower of arrays", strings.Repeat("[", 100_000), "invalidSyntax"},
			{"something behind the end", `{"schemas":["` + patchURN + `"],"Operations":[]} x`, "invalidSyntax"},
			{"another message", bulkOf(nil), "invalidSyntax"},
			{"a zero in the filter of a path", patchOf(scimBody{"op": "add", "path": `emails[type eq "\u0000"].value`, "value": "x"}), "invalidFilter"},
		} {
			t.Run(row.name, func(t *testing.T) { p.refused(400, row.keyword, p.call("PATCH", "/Users/"+ada, row.body)) })
		}
		p.must(200, p.call("PATCH", "/Users/"+ada, patchOf())) // which the validator of Microsoft sends
		if after := p.must(200, p.call("GET", "/Users/"+ada, nil)).header.Get("ETag"); after != before {
			t.Errorf("version %s became %s", before, after)
		}
		for _, op := range []string{"ADD", "Add", "aDD", "REPLACE", "Replace"} {
			p.must(200, p.call("PATCH", "/Users/"+ada, patchOf(scimBody{"op": op, "path": "title", "value": op})))
		}
		p.must(200, p.call("PUT", "/Users/"+ada, scimBody{"schemas": []string{userURN}, "userName": strings.Repeat("ß", 600), "emails": []scimBody{{"type": "work", "value": strings.Repeat("long", 5000)}}}))
		if total, _ := p.found("/Users"); total != 1 {
			t.Errorf("%d users are there", total)
		}
		if total, _ := p.found("/Users?filter=" + url.QueryEscape(`emails.value eq "`+strings.Repeat("long", 3000)+`"`)); total != 0 {
			t.Error("the beginning of an address is taken for the whole")
		}
		p.refused(413, "", p.call("POST", "/Users", `{"schemas":["`+userURN+`"],"userName":"`+strings.Repeat("x", 13<<20)+`"}`))
		var list struct{ TotalResults int }
		p.must(200, search("/Users", scimBody{"filter": "emails.value eq \"" + strings.Repeat("long", 2000) + "\""})).into(t, &list)
		if strings.Contains(h.log.String(), "level=ERROR") {
			t.Errorf("something failed: %s", h.log.String())
		}
	})
}

// gate stands before a server and can be shut.
type gate struct {
	net.Listener
	mu   sync.Mutex
	open []net.Conn
	shut bool
}

// newGate leads to the server of an address, and answers the address through it.
func newGate(t *testing.T, address string) (*gate, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	behind := u.Host
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{Listener: l}
	t.Cleanup(func() { g.Close(); g.turn(true) })
	go func() {
		for {
			front, err := l.Accept()
			if err != nil {
				return
			}
			back, err := net.Dial("tcp", behind)
			if err != nil {
				front.Close()
				continue
			}
			g.mu.Lock()
			if g.open = append(g.open, front, back); g.shut {
				front.Close()
				back.Close()
			}
			g.mu.Unlock()
			go func() { io.Copy(front, back); front.Close() }()
			go func() { io.Copy(back, front); back.Close() }()
		}
	}()
	u.Host = l.Addr().String()
	return g, u.String()
}

// turn shuts the gate, and ends what goes through it, or opens it.
func (g *gate) turn(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
	if shut {
		for _, c := range g.open {
			c.Close()
		}
		g.open = nil
	}
}

// TestADirectoryWithoutItsDatabaseAsksToTryAgain so that Entra repeats instead of
// giving up, and goes on when the database is back.
func TestADirectoryWithoutItsDatabaseAsksToTryAgain(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		if e.Name != "postgres" {
			continue // a file does not go away
		}
		g, address := newGate(t, e.URL)
		h := boot(t, func(cfg *engine.Config) { cfg.Database.URL = address })
		p := h.provisioner()
		id, group := p.user("ada"), p.group("Staff")
		p.must(200, p.call("GET", "/Users/"+id, nil)) // so that the token is known
		g.turn(true)
		for name, ask := range map[string]func() answer{
			"reading":     func() answer { return p.call("GET", "/Users/"+id, nil) },
			"looking for": func() answer { return p.call("GET", "/Users?filter=userName+eq+%22x%22", nil) },
			"creating": func() answer {
				return p.call("POST", "/Users", scimBody{"schemas": []string{userURN}, "userName": "grace"})
			},
			"changing": func() answer { return p.call("PATCH", "/Groups/"+group, add(id)) },
			"deleting": func() answer { return p.call("DELETE", "/Users/"+id, nil) },
			"the test button": func() answer {
				return p.call("GET", "/Groups?excludedAttributes=members&filter=displayName+eq+%22x%22", nil)
			},
		} {
			a := ask()
			if p.refused(http.StatusServiceUnavailable, "", a); a.header.Get("Retry-After") == "" {
				t.Errorf("%s: it is not said when to try again: %v", name, a.header)
			}
		}
		var b bulkAnswer
		p.must(200, p.call("POST", "/Bulk", bulkOf(nil, postUser("u", "lee")))).into(t, &b)
		if b.statuses() != "503" {
			t.Errorf("an operation of a bulk request: %+v", b)
		}
		g.turn(false)
		p.must(204, p.call("PATCH", "/Groups/"+group, add(id)))
		if total, _ := p.found("/Users"); total != 1 {
			t.Errorf("%d users are there", total)
		}
	}
}

// TestExtensionsOfAnOperatorAreStoredPublishedAndFound declares one, and uses it as
// Entra does.
func TestExtensionsOfAnOperatorAreStoredPublishedAndFound(t *testing.T) {
	const urn = "urn:ietf:params:scim:schemas:extension:Acme:2.0:User"
	file := filepath.Join(t.TempDir(), "extensions.json")
	if err := os.WriteFile(file, []byte(`[{"resourceType":"User","id":"`+urn+`","name":"Acme","attributes":[{"name":"badgeLevel","type":"integer"},{"name":"hired","type":"dateTime"},{"name":"skills","type":"string","multiValued":true}]}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, e := range dbtest.Engines(t) {
		h := boot(t, func(cfg *engine.Config) { cfg.Database.URL, cfg.SCIM.ExtensionsFile = e.URL, file })
		p := h.provisioner()
		if a := p.must(200, h.send("GET", "/scim/v2/Schemas/"+urn, nil, "Authorization", "")); !strings.Contains(string(a.body), "badgeLevel") {
			t.Errorf("%s", a.body)
		}
		var ids []string
		for level := range 12 {
			ids = append(ids, p.must(201, p.call("POST", "/Users", scimBody{"schemas": []string{userURN}, "userName": fmt.Sprint("u", level), urn: scimBody{"badgeLevel": level, "skills": []string{"Sewing", fmt.Sprint("Skill ", level)}}})).id(t))
		}
		a := p.must(200, p.call("PATCH", "/Users/"+ids[0], patchOf(scimBody{"op": "Replace", "path": urn + ":badgeLevel", "value": "30"}, scimBody{"op": "add", "value": scimBody{urn + ":hired": "2026-01-31T12:00:00.1234567Z"}})))
		if !strings.Contains(string(a.body), `"badgeLevel":30`) || !strings.Contains(string(a.body), `"hired":"2026-01-31T12:00:00.1234567Z"`) {
			t.Errorf("%s", a.body)
		}
		for filter, want := range map[string]int{
			urn + ":badgeLevel ge 10": 3, urn + ":badgeLevel gt 9 and " + urn + ":skills eq \"skill 11\"": 1, urn + ":hired le \"2026-01-31T14:00:00+02:00\"": 0,
			urn + ":hired gt \"2026-01-31T14:00:00+02:00\"": 1, urn + ":skills co \"SEW\"": 12, "schemas eq \"" + urn + "\"": 12, urn + ":badgeLevel eq 9223372036854775808": 0,
		} {
			if total, _ := p.found("/Users?filter=" + url.QueryEscape(filter)); total != want {
				t.Errorf("%s finds %d, want %d", filter, total, want)
			}
		}
		var list struct{ Resources []struct{ UserName string } }
		p.must(200, p.call("GET", "/Users?sortBy="+url.QueryEscape(urn+":badgeLevel")+"&sortOrder=descending&count=3", nil)).into(t, &list)
		if got := fmt.Sprint(list.Resources); got != "[{u0} {u11} {u10}]" {
			t.Errorf("sorted by number: %s", got)
		}
		p.refused(400, "invalidValue", p.call("PATCH", "/Users/"+ids[0], patchOf(scimBody{"op": "replace", "path": urn + ":badgeLevel", "value": "high"})))
	}
	if _, err := engine.Load(map[string]string{"SCIM_EXTENSIONS_FILE": filepath.Join(t.TempDir(), "none.json")}); err == nil || !strings.Contains(err.Error(), "SCIM_EXTENSIONS_FILE") {
		t.Errorf("a file that is not there: %v", err)
	}
}
