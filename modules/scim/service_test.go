package scim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

const danaObject = "3c1f0d92-6f0c-4a55-9b0e-0f1f4b7a2d10"

// neighbours write down what they are told, or fail.
type neighbours struct {
	told []string
	err  error
}

func (n *neighbours) tell(format string, args ...any) error {
	n.told = append(n.told, fmt.Sprintf(format, args...))
	return n.err
}

func (n *neighbours) Deactivate(_ context.Context, tenant, object string) error {
	return n.tell("out %s %s", tenant, object)
}

func (n *neighbours) Reactivate(_ context.Context, tenant, object string) error {
	return n.tell("in %s %s", tenant, object)
}

func (n *neighbours) GroupChanged(_ context.Context, ids, names []string) error {
	return n.tell("group %s %s", strings.Join(ids, ","), strings.Join(names, ","))
}

func (n *neighbours) Record(_ context.Context, action, _, detail string, _ error) error {
	return n.tell("%s %s", action, detail)
}

type office struct {
	*Service
	*neighbours
	users, groups *schema.ResourceType
}

func eachOffice(t *testing.T, run func(t *testing.T, o *office)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		registry, n := registryWith(t, ""), &neighbours{}
		s := New(Parts{
			Config: Default(), Registry: registry, Store: NewStore(db, registry), Work: db, People: n, Roles: n, Audit: n, Tenant: "contoso",
			Base: "https://badges.example.org/scim/v2", Key: make([]byte, 32), Now: time.Now, Log: slog.New(slog.DiscardHandler),
		})
		run(t, &office{s, n, registry.User, registry.Group})
	}, Schema())
}

func (o *office) user(t *testing.T, name, more string) string {
	t.Helper()
	a, err := o.Create(t.Context(), o.users, `{"userName":"`+name+`"`+more+`}`, View{})
	if err != nil {
		t.Fatal(err)
	}
	return a.ID
}

func (o *office) group(t *testing.T, name string, members ...string) string {
	t.Helper()
	a, err := o.Create(t.Context(), o.groups, `{"displayName":"`+name+`","members":[`+memberList(members)+`]}`, View{})
	if err != nil {
		t.Fatal(err)
	}
	return a.ID
}

func memberList(ids []string) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"value":"` + id + `"}`)
	}
	return b.String()
}

func (o *office) patch(t *testing.T, kind *schema.ResourceType, id string, operations ...string) (*Answer, error) {
	t.Helper()
	return o.Modify(t.Context(), kind, id, "", `{"schemas":["`+schema.PatchOpURN+`"],"Operations":[`+strings.Join(operations, ",")+`]}`, View{})
}

func (o *office) said(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(o.told, want) {
		t.Errorf("the neighbours were told %q, want %q", o.told, want)
	}
	o.told = nil
}

// TestWhoMayComeInFollowsEveryChange of a user, and only of what matters.
func TestWhoMayComeInFollowsEveryChange(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		id := o.user(t, "dana", `,"externalId":"`+strings.ToUpper(danaObject)+`"`)
		o.said(t, "in contoso "+danaObject, "scim.user.created ")
		for _, row := range []struct {
			operation string
			told      []string
		}{
			{`{"op":"replace","path":"title","value":"Coach"}`, []string{"scim.user.changed "}},
			{`{"op":"replace","path":"title","value":"Coach"}`, nil},
			{`{"op":"replace","path":"active","value":true}`, []string{"scim.user.changed "}}, // it was never said, and meant
			{`{"op":"replace","path":"active","value":"False"}`, []string{"out contoso " + danaObject, "scim.user.deactivated "}},
			{`{"op":"replace","path":"externalId","value":"dana"}`, []string{"scim.user.changed "}}, // who is out already
			{`{"op":"replace","path":"active","value":"True"}`, []string{"scim.user.activated "}},   // nobody knows of whom
			{`{"op":"replace","path":"externalId","value":"` + danaObject + `"}`, []string{"in contoso " + danaObject, "scim.user.changed "}},
			{`{"op":"remove","path":"externalId"}`, []string{"out contoso " + danaObject, "scim.user.changed "}},
			{`{"op":"replace","path":"externalId","value":"` + danaObject + `"}`, []string{"in contoso " + danaObject, "scim.user.changed "}},
		} {
			if _, err := o.patch(t, o.users, id, row.operation); err != nil {
				t.Fatalf("%s: %v", row.operation, err)
			}
			o.said(t, row.told...)
		}
		if err := o.Delete(t.Context(), o.users, id, ""); err != nil {
			t.Fatal(err)
		}
		o.said(t, "out contoso "+danaObject, "scim.user.deleted ")
		o.user(t, "lee", `,"externalId":"`+danaObject+`","active":false`)
		o.said(t, "out contoso "+danaObject, "scim.user.created ")
	})
}

func TestRolesAreToldOfGroupsAsTheyWereAndAre(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		dana := o.user(t, "dana", "")
		o.told = nil
		id := o.group(t, "Staff", dana)
		o.said(t, "group  Staff", "scim.group.created members:+1,-0")
		for _, row := range []struct {
			operation string
			told      []string
		}{
			{`{"op":"replace","path":"displayName","value":"Crew"}`, []string{"group , Staff,Crew", "scim.group.changed "}},
			{`{"op":"replace","value":{"externalId":"x"}}`, []string{"group ,x Crew,Crew", "scim.group.changed "}},
			{addOp(dana), nil}, // who is one already
			{removeOp(dana), []string{"group x,x Crew,Crew", "scim.group.changed members:+0,-1"}},
			{removeOp(dana), nil},
		} {
			if _, err := o.patch(t, o.groups, id, row.operation); err != nil {
				t.Fatalf("%s: %v", row.operation, err)
			}
			o.said(t, row.told...)
		}
		if err := o.Delete(t.Context(), o.groups, id, ""); err != nil {
			t.Fatal(err)
		}
		o.said(t, "group x Crew", "scim.group.deleted ")
	})
}

// TestNothingIsStoredOfAChangeThatANeighbourCannotFollow or somebody could come in
// whom the directory knows as deactivated.
func TestNothingIsStoredOfAChangeThatANeighbourCannotFollow(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		dana := o.user(t, "dana", `,"externalId":"`+danaObject+`"`)
		staff := o.group(t, "Staff", dana)
		before := []string{tag(t, o, o.users, dana), tag(t, o, o.groups, staff)}
		o.err = errors.New("away")
		for name, change := range map[string]func() error{
			"creating": func() error { _, err := o.Create(t.Context(), o.users, `{"userName":"lee"}`, View{}); return err },
			"deactivating": func() error {
				_, err := o.patch(t, o.users, dana, `{"op":"replace","path":"active","value":false}`)
				return err
			},
			"deleting":   func() error { return o.Delete(t.Context(), o.users, dana, "") },
			"removing":   func() error { _, err := o.patch(t, o.groups, staff, removeOp(dana)); return err },
			"dissolving": func() error { return o.Delete(t.Context(), o.groups, staff, "") },
			"founding":   func() error { _, err := o.Create(t.Context(), o.groups, `{"displayName":"Crew"}`, View{}); return err },
		} {
			if err := change(); !errors.Is(err, o.err) {
				t.Errorf("%s answers %v", name, err)
			}
		}
		o.err = nil
		if after := []string{tag(t, o, o.users, dana), tag(t, o, o.groups, staff)}; !slices.Equal(before, after) {
			t.Errorf("versions %v became %v", before, after)
		}
		page, err := o.List(t.Context(), Search{}, o.users, o.groups)
		if err != nil || page.Total != 2 {
			t.Errorf("there are %+v, %v", page, err)
		}
	})
}

func tag(t *testing.T, o *office, kind *schema.ResourceType, id string) string {
	t.Helper()
	a, err := o.Read(t.Context(), kind, id, "", View{})
	if err != nil {
		t.Fatal(err)
	}
	return a.ETag
}

func TestMembersOfAGroupAreASet(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		var ids []string
		for i := range 5 {
			ids = append(ids, o.user(t, fmt.Sprint("u", i), ""))
		}
		sub := o.group(t, "Sub")
		id := o.group(t, "Staff", ids[0], ids[1], ids[0])
		members := func() (list []string) {
			t.Helper()
			found, err := o.store.Members(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range found[id] {
				list = append(list, m.ID)
			}
			g, err := o.store.Group(t.Context(), id)
			if err != nil || g.MemberCount != int64(len(list)) {
				t.Errorf("the group counts %d members of %d, %v", g.MemberCount, len(list), err)
			}
			return list
		}
		value := func(ids ...string) string { return `"path":"members","value":[` + memberList(ids) + `]` }
		for _, row := range []struct {
			name       string
			operations []string
			want       []string
		}{
			{"adding who is there and who is not", []string{`{"op":"Add",` + value(ids[1], ids[2], sub) + `}`}, []string{ids[0], ids[1], ids[2], sub}},
			{"removing by value and by filter", []string{`{"op":"Remove",` + value(ids[0]) + `}`, `{"op":"remove","path":"members[value eq \"` + ids[1] + `\"]"}`}, []string{ids[2], sub}},
			{"replacing", []string{`{"op":"replace",` + value(ids[4], ids[2], ids[3]) + `}`}, []string{ids[2], ids[3], ids[4]}},
			{"adding and removing in turn", []string{`{"op":"add",` + value(ids[0]) + `}`, removeOp(ids[0]), removeOp(ids[2]), addOp(ids[2])}, []string{ids[2], ids[3], ids[4]}},
			{"removing by kind", []string{`{"op":"add",` + value(sub) + `}`, `{"op":"remove","path":"members[type eq \"Group\"]"}`}, []string{ids[2], ids[3], ids[4]}},
			{"removing by a filter that is not eq", []string{`{"op":"remove","path":"members[not (value eq \"` + ids[3] + `\")]"}`}, []string{ids[3]}},
			{"removing all, then adding", []string{`{"op":"remove","path":"members"}`, addOp(ids[1])}, []string{ids[1]}},
			{"removing who is none", []string{removeOp(ids[4])}, []string{ids[1]}},
			{"replacing by nobody", []string{`{"op":"replace","path":"members","value":[]}`}, nil},
		} {
			if _, err := o.patch(t, o.groups, id, row.operations...); err != nil {
				t.Fatalf("%s: %v", row.name, err)
			}
			slices.Sort(row.want)
			if got := members(); !slices.Equal(got, row.want) {
				t.Errorf("%s: members are %v, want %v", row.name, got, row.want)
			}
		}
	})
}

// TestALargeListOfMembersIsReplacedBySets in more than one statement's worth.
func TestALargeListOfMembersIsReplacedBySets(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		const users = 2*batch + 500
		town := newTown(t, db, users, 1200)
		all := func(from, to int) (ids []string) {
			for i := from; i <= to; i++ {
				ids = append(ids, userID(i))
			}
			return ids
		}
		a, err := town.Replace(t.Context(), town.types.Group, town.large, "", `{"displayName":"Large","members":[`+memberList(all(1001, users))+`]}`, View{Excluded: []string{"members"}})
		if err != nil || strings.Contains(string(a.Body.Append(nil)), "members") {
			t.Fatal(err, a)
		}
		members, err := town.store.Members(t.Context(), town.large)
		if err != nil || len(members[town.large]) != users-1000 || members[town.large][0].ID != userID(1001) {
			t.Errorf("%d members, %v", len(members[town.large]), err)
		}
		_, err = town.Replace(t.Context(), town.types.Group, town.large, "", `{"displayName":"Large","members":[`+memberList(append(all(1, users), "00000000-0000-7000-8000-00000000000f"))+`]}`, View{})
		if e, ok := refusal.From(err); !ok || e.Type != refusal.InvalidValue {
			t.Errorf("a member that is nobody: %v", err)
		}
		if g, err := town.store.Group(t.Context(), town.large); err != nil || g.MemberCount != users-1000 {
			t.Errorf("%+v, %v", g, err)
		}
		page, err := town.List(t.Context(), Search{}, town.types.Group)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range page.Resources { // a list leaves out what would make it endless
			id, _ := g.Get("id")
			if _, shown := g.Get("members"); shown != (id.Text() == town.small) {
				t.Errorf("the group %s shows its members: %t", id.Text(), shown)
			}
		}
	})
}

// TestAChangeOfMembersReadsNoneOfThem looks at the statements: how many there are does
// not depend on the group either.
func TestAChangeOfMembersReadsNoneOfThem(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		town := newTown(t, dbtest.Open(t, e.URL), 50, 20)
		var out bytes.Buffer
		cfg := database.Default()
		cfg.URL, cfg.Echo = e.URL, true
		db, err := database.New(cfg, slog.New(slog.NewTextHandler(&out, nil)), dbtest.Drivers()...)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		town.Service = New(Parts{Config: Default(), Registry: town.types, Store: NewStore(db, town.types), Work: db, Base: town.base, Key: make([]byte, 32), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		for name, operation := range map[string]string{
			"adding": addOp(userID(40)), "removing": removeOp(userID(3)), "removing by a filter": `{"op":"remove","path":"members[value eq \"` + userID(4) + `\"]"}`,
			"adding who is there": addOp(userID(5)), "renaming": `{"op":"replace","path":"displayName","value":"Other"}`,
		} {
			var statements [2]int
			for i, group := range []string{town.small, town.large} {
				out.Reset()
				if err := town.patch(t.Context(), group, strings.ReplaceAll(operation, "Other", "Other "+group)); err != nil {
					t.Fatal(err)
				}
				log := out.String()
				statements[i] = strings.Count(log, "statement executed")
				for line := range strings.Lines(log) {
					if strings.Contains(line, "SELECT") && strings.Contains(line, "scim_group_members") {
						t.Errorf("%s: %s: %s", e.Name, name, line)
					}
				}
			}
			if statements[0] != statements[1] || statements[0] == 0 || statements[0] > 5 {
				t.Errorf("%s: %s takes %d statements in the small group, %d in the large one", e.Name, name, statements[0], statements[1])
			}
		}
	}
}
