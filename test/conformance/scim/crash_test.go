package scim

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"

	"github.com/badge-engine/badge-engine/app/command/scimprobe"
	"github.com/badge-engine/badge-engine/test/dbtest"
	"github.com/badge-engine/badge-engine/test/houses"
)

func TestMain(m *testing.M) { os.Exit(houses.Main(m)) }

// launch runs the program as a process of its own and answers a desk before it.
func launch(t *testing.T, dir, database string) (*desk, *exec.Cmd) {
	t.Helper()
	p := houses.Launch(t, dir, database, "RATE_LIMIT=0")
	houses.Until(t, p.Base, "/health/ready", 200)
	return &desk{t: t, base: p.Base, client: connect(t, p.Base+"/scim/v2", admin), log: p.Out}, p.Cmd
}

// TestKillingTheServerLeavesNothingHalfDone kills it in the middle of bulk requests and
// of changes of members, and looks at what is there after the next start: each operation
// is there as a whole or not at all, and what was answered is there.
func TestKillingTheServerLeavesNothingHalfDone(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			dir := t.TempDir()
			d, cmd := launch(t, dir, e.URL)
			var people []string
			for range 12 {
				people = append(people, d.user(nil))
			}
			half := len(people) / 2
			first, second := values(people[:half]...), values(people[half:]...)

			const workers = 4
			type outcome struct {
				group        string
				acknowledged int // changes of its members
				users        []string
			}
			outcomes := make([]outcome, workers)
			var wg, underway sync.WaitGroup
			for w := range workers {
				outcomes[w].group = d.team(nil)
			}
			underway.Add(workers)
			for w := range workers {
				wg.Go(func() {
					o := &outcomes[w]
					begun := sync.OnceFunc(underway.Done)
					defer begun()
					for n := 0; ; n++ {
						// Each change swaps the whole set for the other and counts itself in the name: half of it would show.
						label := op("replace", "displayName", fmt.Sprintf("swap-%d-%d", w, n))
						swap := operations(op("Remove", "members", first), label, op("Add", "members", second))
						if n%2 == 0 {
							swap = operations(op("Remove", "members", second), label, op("Add", "members", first))
						}
						a, err := d.client.Send(t.Context(), "PATCH", "/Groups/"+o.group, swap)
						if err != nil {
							return // the server is gone
						}
						if a.Status != 204 {
							t.Errorf("%s", a)
							return
						}
						o.acknowledged++
						name := fmt.Sprintf("w%d-%d-%s", w, n, scimprobe.GUID())
						bulk := object{"schemas": []string{scimprobe.BulkSchema}, "Operations": []object{
							{"method": "POST", "path": "/Users", "bulkId": "u", "data": object{"schemas": []string{scimprobe.UserSchema}, "userName": name, "emails": []object{{"value": name, "type": "work"}}}},
							{"method": "POST", "path": "/Groups", "bulkId": "g", "data": object{"schemas": []string{scimprobe.GroupSchema}, "displayName": name, "members": []object{{"value": "bulkId:u"}, {"value": people[0]}}}},
						}}
						a, err = d.client.Send(t.Context(), "POST", "/Bulk", bulk)
						if err != nil {
							return
						}
						var answer struct{ Operations []struct{ Status string } }
						if json.Unmarshal(a.Body, &answer) != nil || a.Status != 200 || len(answer.Operations) != 2 || answer.Operations[0].Status != "201" || answer.Operations[1].Status != "201" {
							t.Errorf("%s", a)
							return
						}
						o.users = append(o.users, name)
						if n == 3 {
							begun()
						}
					}
				})
			}
			underway.Wait()
			_ = cmd.Process.Signal(syscall.SIGKILL)
			_ = cmd.Wait()
			wg.Wait()

			d, _ = launch(t, dir, e.URL)
			for _, o := range outcomes {
				// The last change that was answered is there as a whole, or the one after it.
				var worker, last int
				if _, err := fmt.Sscanf(fmt.Sprint(d.get("/Groups/" + o.group)["displayName"]), "swap-%d-%d", &worker, &last); err != nil || last != o.acknowledged-1 && last != o.acknowledged {
					t.Errorf("%d changes were answered, and the last that is there is %d: %v", o.acknowledged, last, err)
				}
				if last%2 == 0 {
					d.hasMembers(o.group, people[:half]...)
				} else {
					d.hasMembers(o.group, people[half:]...)
				}
				for _, name := range o.users {
					users := d.find("/Users", "userName eq "+scimprobe.Quote(name))
					groups := d.find("/Groups", "displayName eq "+scimprobe.Quote(name))
					if len(users) != 1 || len(groups) != 1 || len(d.members(groups[0]["id"].(string))) != 2 {
						t.Errorf("%s was answered and is not whole: %s %s", name, js(users), js(groups))
					}
				}
			}
			// What was under way: a group has both its members or is not there, and a user is found by its e-mail too.
			for _, g := range d.find("/Groups", "displayName sw w", "count", "200") {
				if n := len(d.members(g["id"].(string))); n != 2 {
					t.Errorf("%v has %d members", g["displayName"], n)
				}
			}
			for _, u := range d.find("/Users", "userName sw w", "count", "200") {
				if found := d.find("/Users", `emails[type eq "work"].value eq `+scimprobe.Quote(u["userName"].(string))); len(found) != 1 || found[0]["id"] != u["id"] {
					t.Errorf("%v is not found by e-mail", u["userName"])
				}
			}
		})
	}
}
