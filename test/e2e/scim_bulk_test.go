package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/badge-engine/badge-engine/test/dbtest"
)

const bulkURN = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"

type bulkAnswer struct {
	Schemas    []string
	Operations []struct {
		Method, BulkID, Version, Location, Status string
		Response                                  struct{ ScimType, Status, Detail string }
	}
}

func bulkOf(more scimBody, operations ...scimBody) scimBody {
	body := scimBody{"schemas": []string{bulkURN}, "Operations": operations}
	for name, value := range more {
		body[name] = value
	}
	return body
}

func (p *provisioner) bulk(body scimBody) (b bulkAnswer) {
	p.t.Helper()
	p.must(200, p.call("POST", "/Bulk", body)).into(p.t, &b)
	return b
}

func (b bulkAnswer) statuses() string {
	var list []string
	for _, op := range b.Operations {
		list = append(list, op.Status)
	}
	return strings.Join(list, " ")
}

func postUser(bulkID, name string) scimBody {
	return scimBody{"method": "POST", "path": "/Users", "bulkId": bulkID, "data": scimBody{"schemas": []string{userURN}, "userName": name}}
}

func postGroup(bulkID, name string, members ...string) scimBody {
	list := []scimBody{}
	for _, m := range members {
		list = append(list, scimBody{"value": m})
	}
	return scimBody{"method": "POST", "path": "/Groups", "bulkId": bulkID, "data": scimBody{"schemas": []string{groupURN}, "displayName": name, "members": list}}
}

func TestManyOperationsInOneRequest(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		p := h.provisioner()
		id := func(location string) string { return location[strings.LastIndex(location, "/")+1:] }

		b := p.bulk(bulkOf(nil,
			postGroup("g1", "Mentors", "bulkId:u1", "bulkId:g2"), // whose members come later
			postUser("u1", "lee"),
			postGroup("g2", "Circle", "bulkId:g1"),
			postUser("u2", "LEE"), // taken by then
			scimBody{"method": "PATCH", "path": "/Users/bulkId:u1", "data": patchOf(scimBody{"op": "replace", "path": "title", "value": "Coach"})},
			postGroup("g3", "Broken", "bulkId:u2"),
			postGroup("g4", "Lost", "bulkId:nobody"),
			scimBody{"method": "DELETE", "path": "/Users/00000000-0000-7000-8000-000000000000"},
		))
		if got := b.statuses(); got != "201 201 201 409 200 400 400 404" {
			t.Fatalf("statuses are %s: %+v", got, b)
		}
		if o := b.Operations[3]; o.Response.ScimType != "uniqueness" || o.Response.Status != "409" || o.Location != "" {
			t.Errorf("a creation that failed: %+v", o)
		}
		mentors, lee, circle := id(b.Operations[0].Location), id(b.Operations[1].Location), id(b.Operations[2].Location)
		got, want := p.members(mentors), []string{lee, circle}
		slices.Sort(want)
		if !slices.Equal(got, want) || !slices.Equal(p.members(circle), []string{mentors}) {
			t.Errorf("members are %v and %v, want %v and %v", got, p.members(circle), want, mentors)
		}
		if total, _ := p.found("/Groups"); total != 2 {
			t.Errorf("%d groups are there", total)
		}
		if o := b.Operations[0]; o.Version == "" || p.call("GET", "/Groups/"+mentors, nil).header.Get("ETag") != o.Version {
			t.Errorf("the version of a group that was linked is %s", o.Version)
		}

		b = p.bulk(bulkOf(scimBody{"failOnErrors": 1}, postUser("a", "kim"), postUser("b", "kim"), postUser("c", "never")))
		if got := b.statuses(); got != "201 409" {
			t.Errorf("stopping at the first failure: %s", got)
		}
		if total, _ := p.found("/Users?filter=userName+eq+%22never%22"); total != 0 {
			t.Error("it went on after the failure")
		}
		b = p.bulk(bulkOf(nil,
			scimBody{"method": "PATCH", "path": "/Users/" + lee, "version": `W/"1"`, "data": patchOf(scimBody{"op": "replace", "path": "title", "value": "x"})},
			scimBody{"method": "PUT", "path": "/Users/" + lee, "data": scimBody{"schemas": []string{userURN}, "userName": "lee2"}},
			scimBody{"method": "delete", "path": "/Users/" + lee},
			scimBody{"method": "GET", "path": "/Users/" + lee},
			scimBody{"path": "/Users"}, scimBody{"method": "POST", "path": "/Bulk", "bulkId": "x", "data": scimBody{}},
		))
		if got := b.statuses(); got != "412 200 204 400 400 404" {
			t.Errorf("statuses are %s: %+v", got, b)
		}

		many := make([]scimBody, 1001)
		for i := range many {
			many[i] = postUser(fmt.Sprint(i), fmt.Sprint("many", i))
		}
		if detail := p.refused(413, "", p.call("POST", "/Bulk", bulkOf(nil, many...))); !strings.Contains(detail, "1000") {
			t.Errorf("the refusal says %q", detail)
		}
		if detail := p.refused(413, "", p.call("POST", "/Bulk", bulkOf(scimBody{"x": strings.Repeat("x", 1<<20)}))); !strings.Contains(detail, "1048576") {
			t.Errorf("the refusal says %q", detail)
		}
		if total, _ := p.found("/Users?filter=userName+sw+%22many%22"); total != 0 {
			t.Errorf("%d operations of a refused request were done", total)
		}
		p.refused(400, "invalidSyntax", p.call("POST", "/Bulk", scimBody{"schemas": []string{patchURN}, "Operations": []scimBody{}}))
	})
}

// TestKillingTheServerLeavesNoHalfAppliedOperation kills it while bulk requests and
// changes of members are under way, starts it again, and looks at what is there.
func TestKillingTheServerLeavesNoHalfAppliedOperation(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			dir := t.TempDir()
			s := start(t, dir, e.URL)
			p := s.provisioner()
			const workers, rounds, trio = 6, 2, 3
			teams := make([]string, workers)
			people := make([][]string, workers) // three of each team, who come and go together
			for w := range workers {
				for i := range trio {
					people[w] = append(people[w], p.user(fmt.Sprintf("team%d-%d", w, i), "displayName", "Member"))
				}
				teams[w] = p.group(fmt.Sprintf("Team %d", w))
			}
			ask := func(base, method, path string, body any) (answer, bool) {
				data, _ := json.Marshal(body)
				request, _ := http.NewRequest(method, base+"/scim/v2"+path, bytes.NewReader(data))
				request.Header.Set("Authorization", "Bearer "+p.token)
				request.Header.Set("Content-Type", "application/scim+json")
				response, err := http.DefaultClient.Do(request)
				if err != nil {
					return answer{}, false
				}
				defer response.Body.Close()
				body2, err := io.ReadAll(response.Body)
				return answer{response.StatusCode, response.Header, body2}, err == nil
			}
			together := func(w int) scimBody {
				list := []scimBody{}
				for _, id := range people[w] {
					list = append(list, scimBody{"value": id})
				}
				return scimBody{"op": "add", "path": "members", "value": list}
			}
			var mu sync.Mutex
			acknowledged := []string{} // locations of what bulk requests made
			for round := range rounds {
				var wg sync.WaitGroup
				enough := make(chan struct{})
				var once sync.Once
				done := 0
				for w := range workers {
					wg.Go(func() {
						for i := 0; ; i++ {
							var a answer
							var ok bool
							if w%2 == 0 { // changes of members, with a name that tells how many there are
								name := "full"
								ops := []scimBody{together(w)}
								if i%2 == 1 {
									name, ops = "empty", nil
									for _, id := range people[w] {
										ops = append(ops, scimBody{"op": "remove", "path": fmt.Sprintf("members[value eq %q]", id)})
									}
								}
								ops = append(ops, scimBody{"op": "replace", "path": "displayName", "value": fmt.Sprintf("%s %d %d %d", name, round, w, i)})
								a, ok = ask(s.base, "PATCH", "/Groups/"+teams[w], patchOf(ops...))
							} else { // each operation makes somebody with two addresses, and a group of all
								var ops []scimBody
								var refs []string
								for n := range 10 {
									ref := fmt.Sprint("u", n)
									op := postUser(ref, fmt.Sprintf("bulk-%d-%d-%d-%d", round, w, i, n))
									op["data"].(scimBody)["emails"] = []scimBody{{"type": "work", "value": "a@x"}, {"type": "home", "value": "b@x"}}
									ops, refs = append(ops, op), append(refs, "bulkId:"+ref)
								}
								a, ok = ask(s.base, "POST", "/Bulk", bulkOf(nil, append(ops, postGroup("g", fmt.Sprintf("Bulk %d %d %d", round, w, i), refs...))...))
							}
							if !ok {
								return // the server is gone
							}
							mu.Lock()
							if a.status == 200 {
								var b bulkAnswer
								if json.Unmarshal(a.body, &b) == nil {
									for _, op := range b.Operations {
										if op.Status == "201" {
											acknowledged = append(acknowledged, op.Location[strings.Index(op.Location, "/scim/v2"):])
										}
									}
								}
							} else if a.status != 204 {
								t.Errorf("%d %s", a.status, a.body)
							}
							if done++; done >= 60 {
								once.Do(func() { close(enough) })
							}
							mu.Unlock()
						}
					})
				}
				<-enough
				s.cmd.Process.Signal(syscall.SIGKILL)
				s.cmd.Wait()
				wg.Wait()
				s = start(t, dir, e.URL)
				p.house = s.house
			}
			for _, location := range acknowledged {
				p.must(200, p.call("GET", strings.TrimPrefix(location, "/scim/v2"), nil))
			}
			for w := 0; w < workers; w += 2 {
				var g struct {
					DisplayName string
					Members     []struct{ Value string }
				}
				p.must(200, p.call("GET", "/Groups/"+teams[w], nil)).into(t, &g)
				want := map[bool]int{true: trio, false: 0}[strings.HasPrefix(g.DisplayName, "full")]
				if len(g.Members) != want {
					t.Errorf("the group named %q has %d members", g.DisplayName, len(g.Members))
				}
			}
			db := dbtest.Open(t, e.URL)
			for name, query := range map[string]string{
				"groups that count wrongly": "SELECT COUNT(*) FROM groups g WHERE member_count <> (SELECT COUNT(*) FROM scim_group_members m WHERE m.group_id = g.id)",
				"users without an index":    "SELECT COUNT(*) FROM users u WHERE user_name LIKE 'bulk%' AND (SELECT COUNT(*) FROM scim_user_values v WHERE v.user_id = u.id) <> 2",
				"members that are nobody":   "SELECT COUNT(*) FROM scim_group_members WHERE member_id NOT IN (SELECT id FROM users) AND member_id NOT IN (SELECT id FROM groups)",
				"groups made by halves":     "SELECT COUNT(*) FROM groups WHERE display_name LIKE 'Bulk%' AND member_count <> 10",
				"what was staged":           "SELECT COUNT(*) FROM scim_member_stage",
			} {
				var n int64
				if err := db.Reader(t.Context()).Raw(query).Scan(&n).Error; err != nil || n != 0 {
					t.Errorf("%s: %d, %v", name, n, err)
				}
			}
			t.Logf("%d resources of bulk requests were acknowledged", len(acknowledged))
		})
	}
}
