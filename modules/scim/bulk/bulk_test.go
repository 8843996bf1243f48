package bulk_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/badge-engine/badge-engine/modules/scim/bulk"
	"github.com/badge-engine/badge-engine/modules/scim/patch"
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/resource"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

var registry = func() *schema.Registry {
	r, err := schema.NewRegistry()
	if err != nil {
		panic(err)
	}
	return r
}()

var limits = bulk.Limits{Operations: 1000, Payload: 1 << 20}

func message(operations ...string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` + strings.Join(operations, ",") + `]}`
}

func user(id, more string) string {
	return fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":%q,"data":{"userName":%q%s}}`, id, id, more)
}

func group(id string, members ...string) string {
	var list []string
	for _, m := range members {
		list = append(list, fmt.Sprintf(`{"value":%q}`, m))
	}
	return fmt.Sprintf(`{"method":"POST","path":"/Groups","bulkId":%q,"data":{"displayName":%q,"members":[%s]}}`, id, id, strings.Join(list, ","))
}

// script resolves every step, each POST making the resource "<bulkId>!", and writes one line for each.
func script(t testing.TB, r *bulk.Request) string {
	var b strings.Builder
	made := map[string]string{}
	for _, s := range r.Steps {
		fmt.Fprintf(&b, "%d", s.Operation)
		if s.Link {
			b.WriteString(" link")
		}
		call, err := r.Resolve(s, made)
		if err != nil {
			e, ok := refusal.From(err)
			if !ok {
				t.Fatalf("refused with %v", err)
			}
			fmt.Fprintf(&b, " refused %d %s\n", e.Status, e.Type)
			continue
		}
		if call.Method == "POST" {
			id := r.Operations[s.Operation].BulkID
			made[id] = id + "!"
		}
		fmt.Fprintf(&b, " %s %s/%s %s\n", call.Method, call.Type.Endpoint, call.ID, call.Body)
	}
	return b.String()
}

func TestPlan(t *testing.T) {
	const patchOp = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":`
	for _, row := range []struct {
		name       string
		operations []string
		want       []string
	}{
		{"in the order of the request", []string{user("u1", ""), `{"method":"delete","path":"/Users/77","version":"W/\"3\""}`, user("u2", "")},
			[]string{`0 POST /Users/ {"userName":"u1"}`, `1 DELETE /Users/77 `, `2 POST /Users/ {"userName":"u2"}`}},
		{"a reference backward", []string{user("u1", ""), group("g1", "bulkId:u1", "55")},
			[]string{`0 POST /Users/ {"userName":"u1"}`, `1 POST /Groups/ {"displayName":"g1","members":[{"value":"u1!"},{"value":"55"}]}`}},
		{"a reference forward waits", []string{group("g1", "bulkId:u1"), user("u0", ""), user("u1", "")},
			[]string{`1 POST /Users/ {"userName":"u0"}`, `2 POST /Users/ {"userName":"u1"}`, `0 POST /Groups/ {"displayName":"g1","members":[{"value":"u1!"}]}`}},
		{"in the path", []string{`{"method":"PUT","path":"/Users/bulkId:u1","data":{"userName":"x"}}`, `{"method":"DELETE","path":"/Users/bulkid:u1"}`, user("u1", "")},
			[]string{`2 POST /Users/ {"userName":"u1"}`, `0 PUT /Users/u1! {"userName":"x"}`, `1 DELETE /Users/u1! `}},
		{"in a PATCH, in values and paths", []string{user("u1", ""),
			`{"method":"PATCH","path":"/Groups/9","data":` + patchOp + `[{"op":"add","path":"members","value":[{"value":"bulkId:u1"}]},{"op":"remove","path":"members[value eq \"bulkId:u1\" or value eq \"x\\\"y\"]"}]}}`},
			[]string{`0 POST /Users/ {"userName":"u1"}`,
				`1 PATCH /Groups/9 ` + patchOp + `[{"op":"add","path":"members","value":[{"value":"u1!"}]},{"op":"remove","path":"members[value eq \"u1!\" or value eq \"x\\\"y\"]"}]}`}},
		{"a manager, in the extension", []string{user("u1", `,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"bulkId:u2"},"department":"L"}`), user("u2", "")},
			[]string{`1 POST /Users/ {"userName":"u2"}`, `0 POST /Users/ {"userName":"u1","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"u2!"},"department":"L"}}`}},
		{"a circle of two groups", []string{group("a", "bulkId:b", "1"), group("b", "bulkId:a")},
			[]string{`0 POST /Groups/ {"displayName":"a","members":[{"value":"1"}]}`, `1 POST /Groups/ {"displayName":"b","members":[{"value":"a!"}]}`,
				`0 link PATCH /Groups/a! ` + patchOp + `[{"op":"add","path":"members","value":[{"value":"b!"}]}]}`}},
		{"a circle of managers", []string{user("u1", `,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":"bulkId:u2","department":"L"}`),
			user("u2", `,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"bulkId:u1"}}`)},
			[]string{`0 POST /Users/ {"userName":"u1","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"L"}}`,
				`1 POST /Users/ {"userName":"u2","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"u1!"}}}`,
				`0 link PATCH /Users/u1! ` + patchOp + `[{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"u2!"}]}`}},
		{"one who refers to itself", []string{group("a", "bulkId:a")},
			[]string{`0 POST /Groups/ {"displayName":"a","members":[]}`, `0 link PATCH /Groups/a! ` + patchOp + `[{"op":"add","path":"members","value":[{"value":"a!"}]}]}`}},
		{"who waits for a circle is no part of it", []string{group("c", "bulkId:a"), group("a", "bulkId:b"), group("b", "bulkId:a")},
			[]string{`1 POST /Groups/ {"displayName":"a","members":[]}`, `0 POST /Groups/ {"displayName":"c","members":[{"value":"a!"}]}`, `2 POST /Groups/ {"displayName":"b","members":[{"value":"a!"}]}`,
				`1 link PATCH /Groups/a! ` + patchOp + `[{"op":"add","path":"members","value":[{"value":"b!"}]}]}`}},
		{"a circle through what is required", []string{`{"method":"POST","path":"/Groups","bulkId":"a","data":{"displayName":"bulkId:b"}}`, `{"method":"POST","path":"/Groups","bulkId":"b","data":{"displayName":"bulkId:a"}}`},
			[]string{`0 refused 409 `, `1 refused 400 invalidValue`}},
		{"a reference to nobody", []string{group("a", "bulkId:zz"), user("u", "")}, []string{`0 refused 400 invalidValue`, `1 POST /Users/ {"userName":"u"}`}},
		{"a reference where nobody looks", []string{`{"method":"POST","path":"/Users","bulkId":"u","data":{"userName":"u","shoeSize":"bulkId:zz","id":"bulkId:zz"}}`},
			[]string{`0 POST /Users/ {"userName":"u","shoeSize":"bulkId:zz","id":"bulkId:zz"}`}},
		{"who refers to a failed operation fails", []string{`{"method":"POST","path":"/Users","bulkId":"u"}`, group("a", "bulkId:u")}, []string{`0 refused 400 invalidSyntax`, `1 refused 400 invalidValue`}},
		{"a bulkId twice", []string{user("u", ""), user("u", "")}, []string{`0 POST /Users/ {"userName":"u"}`, `1 refused 400 invalidValue`}},
		{"operations that are none", []string{`1`, `{}`, `{"method":"GET","path":"/Users/1"}`, `{"method":"POST","bulkId":"a","data":{}}`, `{"method":"POST","path":"/Users","data":{}}`,
			`{"method":"POST","path":"/Users/1","bulkId":"b","data":{}}`, `{"method":"PUT","path":"/Users","data":{}}`, `{"method":"PATCH","path":"/Users/1"}`, `{"method":"POST","path":"/Bulk","bulkId":"c","data":{}}`,
			`{"method":"PUT","path":"/Users/1/2","data":{}}`, `{"method":"PUT","path":"/Me","data":{}}`, `{"method":"PUT","path":"/Users/1","data":[]}`},
			[]string{`0 refused 400 invalidSyntax`, `1 refused 400 invalidSyntax`, `2 refused 400 invalidSyntax`, `3 refused 400 invalidSyntax`, `4 refused 400 invalidSyntax`, `5 refused 400 invalidSyntax`, `6 refused 400 invalidSyntax`,
				`7 refused 400 invalidSyntax`, `8 refused 404 `, `9 refused 404 `, `10 refused 404 `, `11 refused 400 invalidSyntax`}},
		{"nothing to do", nil, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, err := bulk.Parse(registry, message(row.operations...), limits)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Join(row.want, "\n")
			if got := strings.TrimSuffix(script(t, r), "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, row := range []struct {
		name, body string
		status     int
		want       refusal.Type
		says       string
	}{
		{"junk", `junk`, 400, refusal.InvalidSyntax, ""},
		{"another message", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[]}`, 400, refusal.InvalidSyntax, "BulkRequest"},
		{"no Operations", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]}`, 400, refusal.InvalidSyntax, "Operations"},
		{"failOnErrors 0", `{"failOnErrors":0,"Operations":[]}`, 400, refusal.InvalidValue, "failOnErrors"},
		{"failOnErrors beyond reason", `{"failOnErrors":99999999999999999999,"Operations":[]}`, 400, refusal.InvalidValue, "failOnErrors"},
		{"failOnErrors true", `{"failOnErrors":true,"Operations":[]}`, 400, refusal.InvalidValue, "failOnErrors"},
		{"a thousand and one operations", message(strings.Split(strings.Repeat("1,", 1000)+"1", ",")...), 413, refusal.None, "maxOperations is 1000"},
		{"too many bytes", message(`"` + strings.Repeat("x", 1<<20) + `"`), 413, refusal.None, "maxPayloadSize is 1048576"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := bulk.Parse(registry, row.body, limits)
			if e, ok := refusal.From(err); !ok || e.Status != row.status || e.Type != row.want || !strings.Contains(e.Detail, row.says) {
				t.Errorf("refused with %v", err)
			}
		})
	}
	r, err := bulk.Parse(registry, `{"failOnErrors":3,"Operations":[{"method":"delete","path":"/Users/1","version":"W/\"3\"","bulkId":"x"}]}`, limits)
	if err != nil || r.FailOnErrors != 3 || r.Operations[0].Version != `W/"3"` || r.Operations[0].BulkID != "x" || r.Operations[0].Path != "/Users/1" {
		t.Errorf("got %+v, %v", r, err)
	}
}

// TestEveryReferenceArrives works through plans of groups that contain each other at random, and finds every group with
// every member that its operation named.
func TestEveryReferenceArrives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "groups")
		members := make([][]int, n)
		var operations []string
		for i := range n {
			members[i] = rapid.SliceOfDistinct(rapid.IntRange(0, n-1), rapid.ID).Draw(t, "members")
			var list []string
			for _, m := range members[i] {
				list = append(list, fmt.Sprintf("bulkId:%d", m))
			}
			operations = append(operations, group(fmt.Sprint(i), list...))
		}
		r, err := bulk.Parse(registry, message(operations...), limits)
		if err != nil {
			t.Fatal(err)
		}
		made := map[string]string{}
		held := map[string]map[string]bool{}
		join := func(id string, list []resource.Member) {
			for _, m := range list {
				if held[m.Value] == nil {
					t.Fatalf("%s gets the member %s, who does not exist", id, m.Value)
				}
				held[id][m.Value] = true
			}
		}
		for _, s := range r.Steps {
			call, err := r.Resolve(s, made)
			if err != nil {
				t.Fatal(err)
			}
			switch call.Method {
			case "POST":
				if made[r.Operations[s.Operation].BulkID] != "" {
					t.Fatal("made twice")
				}
				g, err := resource.Decode(call.Type, call.Body)
				if err != nil {
					t.Fatal(err)
				}
				id := "id" + r.Operations[s.Operation].BulkID
				held[id] = map[string]bool{}
				join(id, resource.Members(g.Get("members")))
				made[r.Operations[s.Operation].BulkID] = id
			case "PATCH":
				p, err := patch.Normalize(call.Type, call.Body)
				if err != nil {
					t.Fatal(err)
				}
				for _, step := range p.Members {
					join(call.ID, step.Add)
				}
			}
		}
		for i := range n {
			if got := held[fmt.Sprintf("id%d", i)]; len(got) != len(members[i]) {
				t.Fatalf("group %d has %v, not %v", i, got, members[i])
			}
		}
	})
}

// FuzzParse plans anything: it never panics, and plans each operation once.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{message(group("a", "bulkId:b", "1"), group("b", "bulkId:a")), message(user("u1", ""), `{"method":"PATCH","path":"/Groups/bulkId:u1","data":{"Operations":[{"op":"remove","path":"members[value eq \"bulkId:u1\"]","value":"bulkId:u1"}]}}`),
		`{"failOnErrors":1,"Operations":[{"method":"DELETE","path":"/Users/1"}]}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r, err := bulk.Parse(registry, body, limits)
		if err != nil {
			if _, ok := refusal.From(err); !ok {
				t.Fatal(err)
			}
			return
		}
		times := make([]int, len(r.Operations))
		made := map[string]string{}
		for _, s := range r.Steps {
			if !s.Link {
				times[s.Operation]++
			} else if times[s.Operation] != 1 {
				t.Fatal("linked before it was made")
			}
			call, err := r.Resolve(s, made)
			if err != nil {
				continue
			}
			if call.Method == "POST" {
				made[r.Operations[s.Operation].BulkID] = "7"
			}
			if call.Body != "" {
				if _, err := tree.ParseObject(call.Body); err != nil {
					t.Fatalf("%s: %v", call.Body, err)
				}
			}
		}
		for i, n := range times {
			if n != 1 {
				t.Fatalf("operation %d is done %d times", i, n)
			}
		}
	})
}

// BenchmarkParse plans a thousand groups, each with the next one as its member and the last with the first.
func BenchmarkParse(b *testing.B) {
	var operations []string
	for i := range 1000 {
		operations = append(operations, group(fmt.Sprint(i), fmt.Sprintf("bulkId:%d", (i+1)%1000)))
	}
	body := message(operations...)
	b.ReportAllocs()
	for b.Loop() {
		if r, err := bulk.Parse(registry, body, limits); err != nil || len(r.Steps) != 1001 {
			b.Fatal(err)
		}
	}
}
