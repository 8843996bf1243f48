package scim

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/badge-engine/badge-engine/app/command/scimprobe"
	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// injections are texts that mean something to somebody on the way.
var injections = []string{
	`' OR '1'='1`, `'; DROP TABLE users; --`, `" OR ""="`, `\'; --`, `1) OR (1=1`, `%' OR 1=1 --`, `$1`, `?`, `:id`, `@p1`, `{{7*7}}`, `${7*7}`, `../../etc/passwd`, "\\", `"`, `%`, `_`, "%00", "*", "NULL", "x' || pg_sleep(10) || '",
}

// TestBadInputIsRefusedAndNothingBreaks has a row for each thing that must not be taken. The
// form of every answer is checked by ask, which takes no 5xx.
func TestBadInputIsRefusedAndNothingBreaks(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		id, before := d.create("/Users", everything(nil))
		group := d.team(nil)
		user, circle := "/Users/"+id, "/Groups/"+group
		search := func(filter string) object {
			return object{"schemas": []string{scimprobe.SearchSchema}, "filter": filter}
		}
		unchanged := func(t *testing.T) {
			t.Helper()
			if now := d.in(t).get(user); js(now) != js(before) {
				t.Errorf("the user changed:\n%s\n%s", js(before), js(now))
			}
		}
		core := `{"schemas":["` + scimprobe.UserSchema + `"],`
		ops := func(inside string) string {
			return `{"schemas":["` + scimprobe.PatchSchema + `"],"Operations":[` + inside + `]}`
		}
		many := func(n int, what string) string { return strings.Repeat(what, n) }
		for _, row := range []struct {
			name, method, target string
			body                 any
			status               int
			scimType             string
		}{
			{"a filter of one megabyte", "POST", "/Users/.search", search(`userName eq "` + many(1<<20, "x") + `"`), 400, "invalidFilter"},
			{"a filter of many terms", "POST", "/Users/.search", search("userName pr" + many(100_000, " or userName pr")), 400, "invalidFilter"},
			{"ten thousand parentheses", "POST", "/Users/.search", search(many(10_000, "(") + "userName pr" + many(10_000, ")")), 400, "invalidFilter"},
			{"ten thousand open parentheses", "POST", "/Users/.search", search(many(10_000, "(")), 400, "invalidFilter"},
			{"ten thousand not", "POST", "/Users/.search", search(many(10_000, "not (") + "userName pr" + many(10_000, ")")), 400, "invalidFilter"},
			{"a filter in the address that is long", "GET", scimprobe.Query("/Users", "filter", many(700, "(")+"userName pr"+many(700, ")")), nil, 400, "invalidFilter"},
			{"an unterminated string", "GET", scimprobe.Query("/Users", "filter", `userName eq "x`), nil, 400, "invalidFilter"},
			{"a string that ends in an escape", "GET", scimprobe.Query("/Users", "filter", `userName eq "x\`), nil, 400, "invalidFilter"},
			{"an escape that there is not", "GET", scimprobe.Query("/Users", "filter", `userName eq "\q"`), nil, 400, "invalidFilter"},
			{"no value", "GET", scimprobe.Query("/Users", "filter", `userName eq`), nil, 400, "invalidFilter"},
			{"no operator", "GET", scimprobe.Query("/Users", "filter", `userName`), nil, 400, "invalidFilter"},
			{"an unknown operator", "GET", scimprobe.Query("/Users", "filter", `userName like "x"`), nil, 400, "invalidFilter"},
			{"an unknown attribute", "GET", scimprobe.Query("/Users", "filter", `shoeSize eq "x"`), nil, 400, "invalidFilter"},
			{"an unknown sub-attribute", "GET", scimprobe.Query("/Users", "filter", `name.shoeSize eq "x"`), nil, 400, "invalidFilter"},
			{"an unknown schema", "GET", scimprobe.Query("/Users", "filter", `urn:example:2.0:User:x eq "x"`), nil, 400, "invalidFilter"},
			{"an attribute of another type of resource", "GET", scimprobe.Query("/Users", "filter", `members.value eq "x"`), nil, 400, "invalidFilter"},
			{"a bracket that is not closed", "GET", scimprobe.Query("/Users", "filter", `emails[type eq "work"`), nil, 400, "invalidFilter"},
			{"brackets in brackets", "GET", scimprobe.Query("/Users", "filter", `emails[type[value eq "x"]]`), nil, 400, "invalidFilter"},
			{"a greater boolean", "GET", scimprobe.Query("/Users", "filter", `active gt true`), nil, 400, "invalidFilter"},
			{"a part of a boolean", "GET", scimprobe.Query("/Users", "filter", `active co "ru"`), nil, 400, "invalidFilter"},
			{"a date that is none", "GET", scimprobe.Query("/Users", "filter", `meta.created gt "yesterday"`), nil, 400, "invalidFilter"},
			{"and without a right side", "GET", scimprobe.Query("/Users", "filter", `userName pr and`), nil, 400, "invalidFilter"},
			{"text after a filter", "GET", scimprobe.Query("/Users", "filter", `userName pr userName pr`), nil, 400, "invalidFilter"},
			{"the password", "GET", scimprobe.Query("/Users", "filter", `password eq "x"`), nil, 400, "invalidFilter"},
			{"sorted by nothing known", "GET", scimprobe.Query("/Users", "sortBy", "shoeSize"), nil, 400, "invalidPath"},
			{"sorted sideways", "GET", scimprobe.Query("/Users", "sortBy", "userName", "sortOrder", "sideways"), nil, 400, "invalidValue"},
			{"count is no number", "GET", "/Users?count=ten", nil, 400, "invalidValue"},
			{"a cursor of another server", "GET", scimprobe.Query("/Users", "cursor", "bm90IG91cnM"), nil, 400, "invalidCursor"},

			{"a body that is no JSON", "POST", "/Users", "{", 400, "invalidSyntax"},
			{"two values", "POST", "/Users", core + `"userName":"` + scimprobe.GUID() + `"} {}`, 400, "invalidSyntax"},
			{"deep", "POST", "/Users", core + `"userName":"x","x":` + many(100_000, "[") + many(100_000, "]") + `}`, 400, "invalidSyntax"},
			{"a member twice", "POST", "/Users", core + `"userName":"a` + scimprobe.GUID() + `","userName":"b"}`, 400, "invalidSyntax"},
			{"U+0000 in a value", "POST", "/Users", core + `"userName":"a\u0000b"}`, 400, "invalidValue"},
			{"U+0000 deep in a value", "POST", "/Users", core + `"userName":"` + scimprobe.GUID() + `","emails":[{"value":"\u0000"}]}`, 400, "invalidValue"},
			{"a lone surrogate", "POST", "/Users", core + `"userName":"` + scimprobe.GUID() + `\ud800"}`, 400, "invalidSyntax"},
			{"bytes that are no UTF-8", "POST", "/Users", core + `"userName":"` + scimprobe.GUID() + "\xff\"}", 400, "invalidSyntax"},
			{"userName is a list", "POST", "/Users", core + `"userName":["a","b"]}`, 400, "invalidValue"},
			{"userName is an object", "POST", "/Users", core + `"userName":{"a":"b"}}`, 400, "invalidValue"},
			{"userName is empty", "POST", "/Users", core + `"userName":""}`, 400, "invalidValue"},
			{"active is a number", "POST", "/Users", core + `"userName":"` + scimprobe.GUID() + `","active":99999999999999999999}`, 400, "invalidValue"},
			{"two primary e-mails", "POST", "/Users", core + `"userName":"` + scimprobe.GUID() + `","emails":[{"value":"a","primary":true},{"value":"b","primary":true}]}`, 400, "invalidValue"},
			{"a name of one megabyte", "POST", "/Users", core + `"userName":"` + many(1<<20, "x") + `"}`, 400, "invalidValue"},

			{"PATCH without operations", "PATCH", user, object{"schemas": []string{scimprobe.PatchSchema}}, 400, "invalidSyntax"},
			{"operations that are an object", "PATCH", user, `{"schemas":["` + scimprobe.PatchSchema + `"],"Operations":{"op":"add"}}`, 400, "invalidSyntax"},
			{"an operation that is a text", "PATCH", user, ops(`"remove"`), 400, "invalidSyntax"},
			{"an operation without a verb", "PATCH", user, ops(`{"path":"title","value":"x"}`), 400, "invalidSyntax"},
			{"a path that is a number", "PATCH", user, ops(`{"op":"add","path":7,"value":"x"}`), 400, "invalidSyntax"},
			{"another message", "PATCH", user, `{"schemas":["` + scimprobe.SearchSchema + `"],"Operations":[]}`, 400, "invalidSyntax"},
			{"a path into meta", "PATCH", user, ops(`{"op":"replace","path":"meta.created","value":"2020-01-01T00:00:00Z"}`), 400, "mutability"},
			{"a path into groups", "PATCH", user, ops(`{"op":"remove","path":"groups[value eq \"x\"]"}`), 400, "mutability"},
			{"a number too large for a boolean", "PATCH", user, ops(`{"op":"replace","path":"active","value":9223372036854775808}`), 400, "invalidValue"},
			{"a path of many brackets", "PATCH", user, ops(`{"op":"add","path":"emails` + many(5000, "[") + `","value":"x"}`), 400, "invalidFilter"},
			{"a path of one megabyte", "PATCH", user, ops(`{"op":"add","path":"` + many(1<<20, "x") + `","value":"x"}`), 400, "invalidPath"},
			{"more operations than are taken", "PATCH", user, ops(many(20_000, `{"op":"add","path":"title","value":"x"},`) + `{"op":"add","path":"title","value":"x"}`), 413, ""},
			{"members of a user", "PATCH", user, ops(`{"op":"add","path":"members","value":[{"value":"x"}]}`), 400, "invalidPath"},
			{"a member without a value", "PATCH", circle, ops(`{"op":"add","path":"members","value":[{"display":"x"}]}`), 400, "invalidValue"},
			{"a member that is a number", "PATCH", circle, ops(`{"op":"add","path":"members","value":[7]}`), 400, "invalidValue"},
			{"a group without a name", "POST", "/Groups", `{"schemas":["` + scimprobe.GroupSchema + `"]}`, 400, "invalidValue"},
			{"the name of a group is removed", "PATCH", circle, ops(`{"op":"remove","path":"displayName"}`), 400, "mutability"},
			{"the name of a group is emptied", "PATCH", circle, ops(`{"op":"replace","path":"displayName","value":""}`), 400, "invalidValue"},

			{"1,001 bulk operations", "POST", "/Bulk", `{"schemas":["` + scimprobe.BulkSchema + `"],"Operations":[` + many(1000, `{"method":"DELETE","path":"/Users/x"},`) + `{"method":"DELETE","path":"/Users/x"}]}`, 413, ""},
			{"a bulk request of two megabytes", "POST", "/Bulk", `{"schemas":["` + scimprobe.BulkSchema + `"],"Operations":[],"x":"` + many(2<<20, "x") + `"}`, 413, ""},
			{"a bulk request without operations", "POST", "/Bulk", `{"schemas":["` + scimprobe.BulkSchema + `"]}`, 400, "invalidSyntax"},
			{"a body larger than anything", "POST", "/Users", many(13<<20, " "), 413, ""},
			{"an unknown endpoint", "GET", "/Shoes", nil, 404, ""},
			{"a path below a user", "GET", user + "/emails", nil, 404, ""},
			{"a method that a list does not have", "DELETE", "/Users", nil, 405, ""},
			{"a method that a user does not have", "POST", user, person(nil), 405, ""},
			{"a method that discovery does not have", "POST", "/Schemas", object{}, 405, ""},
		} {
			t.Run(row.name, func(t *testing.T) {
				d := d.in(t)
				d.refused(row.status, row.scimType, row.method, row.target, row.body)
				unchanged(t)
			})
		}
		t.Run("verbs in every case", func(t *testing.T) {
			d := d.in(t)
			for _, verb := range []string{"add", "ADD", "Add", "aDd", "replace", "REPLACE", "rEpLaCe"} {
				if now := d.patchUser(id, op(verb, "title", verb)); now["title"] != verb {
					t.Errorf("%s: %v", verb, now["title"])
				}
			}
			for _, verb := range []string{"REMOVE", "reMove"} {
				d.patchUser(id, object{"op": verb, "path": "title"})
			}
			for _, verb := range []string{"", " add", "add ", "adds", "İ", "test", "copy"} {
				d.refused(400, "invalidSyntax", "PATCH", user, operations(op(verb, "title", "x")))
			}
		})
		t.Run("words for the database in every place", func(t *testing.T) {
			d := d.in(t)
			count := js(d.must(200, "GET", "/Users?count=0", nil).Document()["totalResults"])
			for _, text := range injections {
				quoted := scimprobe.Quote(text)
				for _, filter := range []string{
					"userName eq " + quoted, "displayName co " + quoted, "title sw " + quoted, "externalId ew " + quoted, `emails[type eq ` + quoted + `].value eq ` + quoted,
					"groups.value eq " + quoted, "id eq " + quoted, scimprobe.EnterpriseSchema + ":department co " + quoted, "name.middleName ne " + quoted + " and userName eq " + quoted,
				} {
					if found := d.find("/Users", filter); len(found) != 0 {
						t.Errorf("%s finds %d", filter, len(found))
					}
				}
				for _, target := range []string{
					scimprobe.Query("/Users", "filter", text), scimprobe.Query("/Users", "filter", "userName "+text+" x"), scimprobe.Query("/Users", "filter", text+` eq "x"`),
					scimprobe.Query("/Users", "sortBy", text), scimprobe.Query("/Users", "sortBy", "userName", "sortOrder", text), scimprobe.Query("/Users", "attributes", text),
					scimprobe.Query("/Users", "excludedAttributes", text), scimprobe.Query("/Users", "startIndex", text), scimprobe.Query("/Users", "count", text), scimprobe.Query("/Users", "cursor", text),
					"/Users/" + url.PathEscape(text), "/Groups/" + url.PathEscape(text), "/Schemas/" + url.PathEscape(text), "/" + url.PathEscape(text), scimprobe.Query("/Groups", text, text),
				} {
					if a := d.ask("GET", target, nil); a.Status != 200 && a.Status != 400 && a.Status != 404 {
						t.Errorf("%s", a)
					}
				}
				if a := d.ask("PATCH", user, operations(op("add", text, "x"))); a.Status != 400 {
					t.Errorf("%s", a)
				}
				if a := d.ask("PATCH", circle, operations(object{"op": "remove", "path": "members[value eq " + quoted + "]"})); a.Status != 204 {
					t.Errorf("%s", a)
				}
				d.ask("DELETE", "/Users/"+url.PathEscape(text), nil, "If-Match", `W/"`+text+`"`)
				want := object{"userName": text + scimprobe.GUID(), "displayName": text, "externalId": text}
				created, about := d.create("/Users", person(want))
				compare(t, about, want)
				if found := d.find("/Users", "displayName eq "+quoted+" and externalId eq "+quoted); len(found) != 1 || found[0]["id"] != created {
					t.Errorf("%s is not found: %s", text, js(found))
				}
				d.must(204, "DELETE", "/Users/"+created, nil)
			}
			if now := js(d.must(200, "GET", "/Users?count=0", nil).Document()["totalResults"]); now != count {
				t.Errorf("there were %s users and are %s", count, now)
			}
		})
		t.Run("groups in a circle", func(t *testing.T) {
			d := d.in(t)
			one, two := d.team(nil), d.team(nil)
			d.patchGroup(one, op("Add", "members", values(two)))
			a := d.ask("PATCH", "/Groups/"+two, operations(op("Add", "members", values(one, id))))
			if a.Status != 204 && a.Status != 400 && a.Status != 409 {
				t.Errorf("%s", a)
			}
			if a := d.ask("PATCH", "/Groups/"+one, operations(op("Add", "members", values(one)))); a.Status != 204 && a.Status != 400 {
				t.Errorf("%s", a)
			}
			d.get("/Users/" + id)
			d.get("/Groups/" + one)
			d.must(204, "DELETE", "/Groups/"+one, nil)
			d.must(204, "DELETE", "/Groups/"+two, nil)
		})
	})
}

// wire stands between the house and its database and can be cut.
type wire struct {
	listener net.Listener
	to       string
	mu       sync.Mutex
	cut      bool
	open     []net.Conn
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, to: to}
	t.Cleanup(func() {
		_ = l.Close()
		w.set(true)
	})
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", w.to)
			w.mu.Lock()
			if w.cut || err != nil {
				_ = near.Close()
				if err == nil {
					_ = far.Close()
				}
				w.mu.Unlock()
				continue
			}
			w.open = append(w.open, near, far)
			w.mu.Unlock()
			go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
			go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
		}
	}()
	return w
}

// set cuts the wire, with every connection on it, or mends it.
func (w *wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	if cut {
		for _, c := range w.open {
			_ = c.Close()
		}
		w.open = nil
	}
}

// wired boots a house whose PostgreSQL can be taken away.
func wired(t *testing.T) (*desk, *wire) {
	t.Helper()
	for _, e := range dbtest.Engines(t) {
		if e.Name != "postgres" {
			continue
		}
		address, err := url.Parse(e.URL)
		if err != nil {
			t.Fatal(err)
		}
		w := newWire(t, address.Host)
		address.Host = w.listener.Addr().String()
		return boot(t, func(cfg *engine.Config) { cfg.Database.URL = address.String() }), w
	}
	if os.Getenv("CI") != "" {
		t.Fatal("PostgreSQL must be tested in CI")
	}
	t.Skip("TEST_DATABASE_URL is not set; `go run ./test/run` tests this too")
	return nil, nil
}

// TestTheDatabaseIsAway: 503 with Retry-After makes Entra try again, where anything else
// would put the job into quarantine.
func TestTheDatabaseIsAway(t *testing.T) {
	d, w := wired(t)
	id, group := d.user(object{"displayName": "before"}), d.team(nil)
	w.set(true)
	for _, request := range []struct {
		method, target string
		body           any
	}{
		{"GET", scimprobe.Query("/Users", "filter", "userName eq nobody"), nil},
		{"GET", "/Users/" + id, nil},
		{"POST", "/Users", person(object{"userName": "while-away"})},
		{"PATCH", "/Users/" + id, operations(op("replace", "displayName", "while away"))},
		{"PUT", "/Users/" + id, person(nil)},
		{"DELETE", "/Users/" + id, nil},
		{"PATCH", "/Groups/" + group, operations(op("Add", "members", values(id)))},
		{"POST", "/Users/.search", object{"schemas": []string{scimprobe.SearchSchema}, "filter": "userName pr"}},
		{"POST", "/Bulk", object{"schemas": []string{scimprobe.BulkSchema}, "Operations": []object{{"method": "DELETE", "path": "/Users/" + id}}}},
	} {
		a, err := d.client.Send(t.Context(), request.method, request.target, request.body)
		if err != nil {
			t.Fatal(err)
		}
		bulk := request.target == "/Bulk" && a.Status == 200 && strings.Contains(string(a.Body), `"status":"503"`)
		if a.Status != 503 && !bulk {
			t.Errorf("not 503: %s", a)
		}
		for _, p := range scimprobe.Faults(a) {
			if p.Kind != scimprobe.Unavailable {
				t.Errorf("%s: %+v", a, p)
			}
		}
		if request.method == "PUT" {
			golden(t, strings.TrimSuffix(away, ".txt"), written("PUT /scim/v2/Users/{u}", a))
		}
	}
	d.must(200, "GET", "/ServiceProviderConfig", nil) // which is not in the database
	w.set(false)
	for deadline := time.Now().Add(30 * time.Second); ; {
		a, err := d.client.Send(t.Context(), "GET", "/Users/"+id, nil)
		if err == nil && a.Status == 200 {
			if a.Document()["displayName"] != "before" {
				t.Errorf("a change that was refused is there: %s", a)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("it does not come back: %v %s", err, a)
		}
		time.Sleep(50 * time.Millisecond)
	}
	d.empty(scimprobe.Query("/Users", "filter", "userName eq while-away"))
	d.hasMembers(group)
}

// TestGuessingTokensIsSlowedDown, and whoever has one does not notice.
func TestGuessingTokensIsSlowedDown(t *testing.T) {
	d := boot(t, func(cfg *engine.Config) { cfg.Limits.Failures = 3 })
	slowed := false
	for range 20 {
		a := d.ask("GET", "/Users?count=0", nil, "Authorization", "Bearer "+scimprobe.GUID())
		if a.Status != 401 && a.Status != 429 {
			t.Errorf("%s", a)
		}
		if a.Status == 429 && !slowed {
			slowed = true
			a.Header.Set("Retry-After", "20") // how long it is depends on the moment
			a.Header.Set("RateLimit-Reset", "20")
			a.Body = regexp.MustCompile(`Wait \d+ second`).ReplaceAll(a.Body, []byte("Wait 20 second"))
			golden(t, strings.TrimSuffix(tooMany, ".txt"), written("GET /scim/v2/Users?count=0", a))
		}
	}
	if !slowed {
		t.Error("nobody is told to wait")
	}
	d.must(200, "GET", "/Users?count=0", nil)
}

// TestNoRequestFormsA500 sends requests of any form: every answer is one of SCIM.
func TestNoRequestFormsA500(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		id, group := d.user(nil), d.team(nil)
		pieces := []string{
			"userName", "emails", "name", "givenName", "active", "members", "groups", "meta", "id", "schemas", "password", "value", "type", "primary", "$ref", "manager", scimprobe.EnterpriseSchema, scimprobe.UserSchema,
			"eq", "ne", "co", "pr", "gt", "and", "or", "not", "(", ")", "[", "]", ".", ":", ",", `"`, `"work"`, `"x"`, "true", "null", "1", "-1", "1e400", "99999999999999999999", "2020-01-01T00:00:00Z", " ", "\u0000", "\\u0000", `\ud800`, "é", "İ", "%", "'", "--", id, group,
		}
		text := rapid.Custom(func(t *rapid.T) string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 8).Draw(t, "pieces"), rapid.SampledFrom([]string{"", " "}).Draw(t, "between"))
		})
		var anything func(depth int) *rapid.Generator[any]
		anything = func(depth int) *rapid.Generator[any] {
			return rapid.Custom(func(t *rapid.T) any {
				kind := rapid.IntRange(0, 8).Draw(t, "kind")
				if depth == 0 {
					kind = min(kind, 5)
				}
				switch kind {
				case 0:
					return nil
				case 1:
					return rapid.Bool().Draw(t, "bool")
				case 2:
					return rapid.Int64().Draw(t, "number")
				case 3:
					return rapid.Float64().Filter(func(f float64) bool { return f-f == 0 }).Draw(t, "float")
				case 4, 5:
					return text.Draw(t, "text")
				case 6:
					return rapid.SliceOfN(anything(depth-1), 0, 3).Draw(t, "list")
				default:
					return rapid.MapOfN(rapid.OneOf(rapid.SampledFrom(pieces[:18]), text), anything(depth-1), 0, 4).Draw(t, "object")
				}
			})
		}
		body := rapid.Custom(func(t *rapid.T) any {
			ops := []any{}
			switch rapid.IntRange(0, 5).Draw(t, "body") {
			case 0:
				return nil
			case 1:
				return text.Draw(t, "raw")
			case 2:
				for range rapid.IntRange(0, 3).Draw(t, "operations") {
					o := object{"op": rapid.SampledFrom([]any{"add", "Replace", "remove", "x", 7}).Draw(t, "op"), "value": anything(3).Draw(t, "value")}
					if rapid.Bool().Draw(t, "path") {
						o["path"] = text.Draw(t, "path")
					}
					ops = append(ops, o)
				}
				return object{"schemas": []string{scimprobe.PatchSchema}, "Operations": ops}
			case 3:
				for range rapid.IntRange(0, 3).Draw(t, "operations") {
					ops = append(ops, object{
						"method": rapid.SampledFrom([]string{"POST", "PUT", "PATCH", "DELETE", "GET", ""}).Draw(t, "method"), "path": rapid.SampledFrom([]string{"/Users", "/Groups", "/Users/" + id, "/Groups/bulkId:a", "/Bulk", "", "x"}).Draw(t, "path"),
						"bulkId": rapid.SampledFrom([]any{"a", "b", nil, 7}).Draw(t, "bulkId"), "version": rapid.SampledFrom([]any{nil, "", `W/"1"`}).Draw(t, "version"), "data": anything(3).Draw(t, "data"),
					})
				}
				return object{"schemas": []string{scimprobe.BulkSchema}, "failOnErrors": anything(0).Draw(t, "failOnErrors"), "Operations": ops}
			case 4:
				search := object{"schemas": []string{scimprobe.SearchSchema}}
				for _, name := range []string{"filter", "sortBy", "sortOrder", "startIndex", "count", "attributes", "excludedAttributes", "cursor"} {
					if rapid.IntRange(0, 2).Draw(t, name) == 0 {
						search[name] = rapid.OneOf(anything(1), rapid.Map(text, func(s string) any { return s })).Draw(t, "value")
					}
				}
				return search
			}
			resource, _ := anything(4).Draw(t, "resource").(map[string]any)
			whole := object{"schemas": []string{scimprobe.UserSchema}, "userName": scimprobe.GUID(), "displayName": scimprobe.GUID()}
			for name, value := range resource {
				whole[name] = value
			}
			return whole
		})
		rapid.Check(t, func(t *rapid.T) {
			d := d.in(t)
			for range 20 {
				target := rapid.SampledFrom([]string{
					"", "/Users", "/Groups", "/Users/" + id, "/Groups/" + group, "/.search", "/Users/.search", "/Groups/.search", "/Bulk", "/Me", "/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/Schemas/" + scimprobe.UserSchema,
				}).Draw(t, "target")
				if rapid.IntRange(0, 9).Draw(t, "strange") == 0 {
					target += "/" + url.PathEscape(text.Draw(t, "path"))
				}
				var pairs []string
				for range rapid.IntRange(0, 3).Draw(t, "parameters") {
					pairs = append(pairs, rapid.SampledFrom([]string{"filter", "sortBy", "sortOrder", "startIndex", "count", "attributes", "excludedAttributes", "cursor", "x"}).Draw(t, "parameter"), text.Draw(t, "value"))
				}
				method := rapid.SampledFrom([]string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"}).Draw(t, "method")
				if method == "DELETE" && (strings.HasSuffix(target, id) || strings.HasSuffix(target, group)) {
					method = "PATCH" // they are to stay
				}
				var headers []string
				for _, name := range []string{"If-Match", "If-None-Match", "Content-Type", "Accept"} {
					if rapid.IntRange(0, 7).Draw(t, name) == 0 {
						headers = append(headers, name, rapid.SampledFrom([]string{"*", `W/"1"`, `"x"`, "application/json", "text/html", `W/"`, "é", ";"}).Draw(t, "header"))
					}
				}
				a := d.ask(method, scimprobe.Query(target, pairs...), body.Draw(t, "body"), headers...)
				if a.Status >= 500 && a.Status != 501 {
					t.Fatalf("%s", fmt.Sprint(a))
				}
			}
		})
	})
}
