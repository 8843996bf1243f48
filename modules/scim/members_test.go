package scim

import (
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// TestAClientFindsOfAMemberWhatItSaid: kind and address of a member are answered to the client that said them. Entra says
// neither and would be confused; testers of the standard say both and look for them.
func TestAClientFindsOfAMemberWhatItSaid(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		town := newTown(t, db, 3, 1)
		ctx := t.Context()
		body := `{"displayName":"G","members":[{"value":"` + userID(1) + `"},{"value":"` + userID(2) + `","type":"User","$ref":"../Users/` + userID(2) + `"}]}`
		made, err := town.Create(ctx, town.types.Group, body, View{})
		if err != nil {
			t.Fatal(err)
		}
		const base = "https://badges.example.org/scim/v2"
		second := `{"value":"` + userID(2) + `","$ref":"` + base + `/Users/` + userID(2) + `","type":"User"}`
		look := func(want string) {
			t.Helper()
			a, err := town.Read(ctx, town.types.Group, made.ID, "", View{})
			if err != nil {
				t.Fatal(err)
			}
			members, _ := a.Body.Get("members")
			if got := string(members.Append(nil)); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		}
		look(`[{"value":"` + userID(1) + `"},` + second + `]`)
		for _, row := range []struct{ op, want string }{
			{`{"op":"add","path":"members","value":[{"value":"` + userID(3) + `","type":"User"},{"value":"` + userID(1) + `","$ref":null}]}`,
				`[{"value":"` + userID(1) + `"},` + second + `,{"value":"` + userID(3) + `","type":"User"}]`},
			{`{"op":"replace","path":"members","value":[{"value":"` + userID(2) + `"},{"value":"` + made.ID + `","$ref":"x"}]}`,
				`[` + second + `,{"value":"` + made.ID + `","$ref":"` + base + `/Groups/` + made.ID + `"}]`},
		} {
			if err := town.patch(ctx, made.ID, row.op); err != nil {
				t.Fatal(err)
			}
			look(row.want)
		}
		// Who asks for members by name learns everything.
		a, err := town.Read(ctx, town.types.Group, made.ID, "", View{Attributes: []string{"members"}})
		if err != nil {
			t.Fatal(err)
		}
		if members, _ := a.Body.Get("members"); !strings.Contains(string(members.Append(nil)), `"type":"Group","display":"G"`) {
			t.Errorf("got %s", members.Append(nil))
		}
	})
}
