package scim

import (
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/scim/bulk"
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// TestAnOperationThatWasBegunIsBroughtToItsEnd: of two groups that contain each other the first is made without the second.
// If the request stops before the second is made, the first has not got what its operation asked for, and must not be told
// to be done.
func TestAnOperationThatWasBegunIsBroughtToItsEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		town := newTown(t, db, 1, 1)
		explain := func(err error) *refusal.Error {
			if e, ok := refusal.From(err); ok {
				return e
			}
			return refusal.New(refusal.Uniqueness, "%v", err) // the only fault there can be
		}
		for _, row := range []struct{ name, stop, second, want string }{
			{"both are made", `"failOnErrors":1,`, "two", "a 201, b 201"},
			{"the second is refused, and the request stops", `"failOnErrors":1,`, "one", "a 400, b 409"},
			{"the second is refused, and the request goes on", ``, "one", "a 400, b 409"},
		} {
			t.Run(row.name, func(t *testing.T) {
				group := func(id, name, member string) string {
					return `{"method":"POST","path":"/Groups","bulkId":"` + id + `","data":{"displayName":"` + row.name + name + `","members":[{"value":"bulkId:` + member + `"}]}}`
				}
				answer, err := town.Bulk(t.Context(), `{`+row.stop+`"Operations":[`+group("a", "one", "b")+`,`+group("b", row.second, "a")+`]}`,
					explain, func(bulk.Operation, *refusal.Error) {})
				if err != nil {
					t.Fatal(err)
				}
				operations, _ := answer.Get("Operations")
				var got []string
				for _, o := range operations.Items() {
					id, _ := o.Object().Get("bulkId")
					status, _ := o.Object().Get("status")
					got = append(got, id.Text()+" "+status.Text())
				}
				if strings.Join(got, ", ") != row.want {
					t.Errorf("got %s, want %s", strings.Join(got, ", "), row.want)
				}
			})
		}
	})
}
