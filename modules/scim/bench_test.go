package scim

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/migrations"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// town is a directory of many people with one large group and a small one, filled by
// a few statements over sets.
type town struct {
	*Service
	types        *schema.Registry
	users        int
	large, small string
}

// sizes are how many users there are and how many of them are in the large group.
// SCIM_BENCH_FULL=1 makes it a million and half a million.
func sizes() (users, members int) {
	if os.Getenv("SCIM_BENCH_FULL") != "" {
		return 1_000_000, 500_000
	}
	return 20_000, 10_000
}

func userID(i int) string { return fmt.Sprintf("01900000-0000-7000-8000-%012d", i) }

func newTown(b testing.TB, db *database.DB, users, members int) *town {
	b.Helper()
	ctx := b.Context()
	runner, err := migrations.New(db, []migrations.Set{Schema()}, slog.New(slog.DiscardHandler))
	if err == nil {
		err = runner.Up(ctx)
	}
	if err != nil {
		b.Fatal(err)
	}
	registry := registryWith(b, "")
	s := New(Parts{Config: Default(), Registry: registry, Store: NewStore(db, registry), Work: db, Base: "https://badges.example.org/scim/v2", Key: make([]byte, 32), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	do := func(statement string, values ...any) {
		b.Helper()
		if err := db.Session(ctx).Exec(statement, values...).Error; err != nil {
			b.Fatal(err)
		}
	}
	t := &town{Service: s, types: registry, users: users, large: userID(900_000_000_001), small: userID(900_000_000_002)}
	const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
	const id = "'01900000-0000-7000-8000-' || substr(CAST(1000000000000 + i AS text), 2)"
	doc := `'{"userName":"person' || i || '@example.org","externalId":"00000000-0000-4000-8000-' || substr(CAST(1000000000000 + i AS text), 2) || '","displayName":"Person ' || i || '","active":true,"emails":[{"type":"work","value":"person' || i || '@example.org","primary":true}]}'`
	search := strings.ReplaceAll(strings.ReplaceAll(doc, `Person '`, `person '`), ":true", `:"true"`)
	if db.Dialect() == "postgres" {
		doc, search = "CAST("+doc+" AS json)", "CAST("+search+" AS jsonb)"
	}
	do(numbers+`INSERT INTO users (id, user_name, user_name_fold, external_id, external_id_fold, email, name, is_active, is_linked, doc, search, version, created_us, modified_us)
		SELECT `+id+`, 'person' || i || '@example.org', 'person' || i || '@example.org',
		'00000000-0000-4000-8000-' || substr(CAST(1000000000000 + i AS text), 2), '00000000-0000-4000-8000-' || substr(CAST(1000000000000 + i AS text), 2),
		'person' || i || '@example.org', 'Person ' || i, 1 = 1, 1 = 1, `+doc+`, `+search+`, 1, 1700000000000000 + i * 1000, 1700000000000000 FROM n`, users)
	do("INSERT INTO scim_user_values (attribute, value_fold, user_id) SELECT 'emails', user_name_fold, id FROM users")
	for g, size := range map[string]int{t.large: members, t.small: 5} {
		do("INSERT INTO groups (id, display_name, display_name_fold, name_key, member_count, is_linked, doc, search, version, created_us, modified_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, 0, 0)",
			g, g, g, g, size, false, `{"displayName":"`+g+`"}`, `{}`)
		do("INSERT INTO scim_group_members (group_id, member_id, member_type) SELECT ?, id, 'User' FROM users WHERE id <= ?", g, userID(size))
	}
	if db.Dialect() == "postgres" {
		do("VACUUM ANALYZE")
	} else {
		do("ANALYZE")
	}
	return t
}

func (t *town) patch(ctx context.Context, group, op string) error {
	_, err := t.Modify(ctx, t.types.Group, group, "", `{"schemas":["`+schema.PatchOpURN+`"],"Operations":[`+op+`]}`, View{})
	return err
}

func addOp(id string) string {
	return `{"op":"Add","path":"members","value":[{"value":"` + id + `"}]}`
}

func removeOp(id string) string {
	return `{"op":"Remove","path":"members","value":[{"value":"` + id + `"}]}`
}

// BenchmarkAtScale measures on one large directory an engine what must not depend on
// how large it is.
func BenchmarkAtScale(b *testing.B) {
	users, members := sizes()
	for _, e := range dbtest.Engines(b) {
		t := newTown(b, dbtest.Open(b, e.URL), users, members)
		b.Run(e.Name+"/member", func(b *testing.B) { t.benchMembers(b, members) })
		for name, form := range lookups {
			b.Run(e.Name+"/lookup by "+name, func(b *testing.B) { t.benchLookup(b, form) })
		}
		for _, order := range []string{"id", "userName"} {
			b.Run(e.Name+"/page by "+order, func(b *testing.B) { t.benchPage(b, order) })
		}
	}
}

// benchMembers adds one member and removes it again, in turns in a group of five and
// in a large one, and reports how many times the one costs what the other does.
func (t *town) benchMembers(b *testing.B, members int) {
	var spent [2][2]time.Duration
	n := 0
	for b.Loop() {
		who := userID(members + 1 + n%(t.users-members))
		for i, group := range []string{t.small, t.large} {
			for j, op := range []string{addOp(who), removeOp(who)} {
				begun := time.Now()
				if err := t.patch(b.Context(), group, op); err != nil {
					b.Fatal(err)
				}
				spent[i][j] += time.Since(begun)
			}
		}
		n++
	}
	b.ReportMetric(float64(spent[1][0])/float64(spent[0][0]), "large/small-add")
	b.ReportMetric(float64(spent[1][1])/float64(spent[0][1]), "large/small-remove")
	b.ReportMetric(float64(spent[1][0].Microseconds())/float64(n), "µs/add")
	b.ReportMetric(float64(spent[1][1].Microseconds())/float64(n), "µs/remove")
}

// lookups are the filters by which Entra finds somebody.
var lookups = map[string]string{
	"userName":   `userName eq "PERSON%d@example.org"`,
	"externalId": `externalId eq "00000000-0000-4000-8000-%012d"`,
	"e-mail":     `emails[type eq "work"].value eq "person%d@EXAMPLE.org"`,
}

// benchLookup finds one user by a filter, in turns with reading the same one by id.
func (t *town) benchLookup(b *testing.B, form string) {
	var byID, byFilter time.Duration
	n := 0
	for b.Loop() {
		i := 1 + (n*7919)%t.users
		begun := time.Now()
		if _, err := t.Read(b.Context(), t.types.User, userID(i), "", View{}); err != nil {
			b.Fatal(err)
		}
		byID += time.Since(begun)
		begun = time.Now()
		page, err := t.List(b.Context(), Search{Filter: fmt.Sprintf(form, i)}, t.types.User)
		if err != nil || page.Total != 1 {
			b.Fatal(page, err)
		}
		byFilter += time.Since(begun)
		n++
	}
	b.ReportMetric(float64(byFilter)/float64(byID), "filter/id")
	b.ReportMetric(float64(byFilter.Microseconds())/float64(n), "µs/filter")
}

// benchPage reads a page by cursor behind the first one and, in turns, one at the
// far end, to which the cursors of the opposite order lead.
func (t *town) benchPage(b *testing.B, order string) {
	begin, count := "", "100"
	var turns [2]Search
	for i, direction := range []string{"ascending", "descending"} {
		q := Search{Cursor: &begin, Count: &count, SortBy: order, SortOrder: direction}
		page, err := t.List(b.Context(), q, t.types.User)
		if err != nil {
			b.Fatal(err)
		}
		q.Cursor = &page.Next
		if i == 1 { // from there once more, and back: the page ends at a place at the far end
			if page, err = t.List(b.Context(), q, t.types.User); err != nil {
				b.Fatal(err)
			}
			q.Cursor = &page.Previous
		}
		turns[i] = q
	}
	var spent [2]time.Duration
	for b.Loop() {
		for i, q := range turns {
			begun := time.Now()
			if _, err := t.List(b.Context(), q, t.types.User); err != nil {
				b.Fatal(err)
			}
			spent[i] += time.Since(begun)
		}
	}
	b.ReportMetric(float64(spent[1])/float64(spent[0]), "far/near")
}

// TestLookupsAreAnsweredByAnIndex asks the engines for their plans.
func TestLookupsAreAnsweredByAnIndex(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		town := newTown(t, db, 5000, 10)
		plan := func(q Search) string {
			t.Helper()
			sources, _, _, err := town.sources(q, []*schema.ResourceType{town.types.User})
			if err != nil {
				t.Fatal(err)
			}
			explain := "EXPLAIN "
			if db.Dialect() == "sqlite" {
				explain = "EXPLAIN QUERY PLAN "
			}
			statement := glue(explain, "SELECT ", selected(userKind, sources[0].order.key), " FROM users WHERE (", sources[0].where, ") ORDER BY ", sources[0].order.clause(), " LIMIT 101")
			rows, err := db.Reader(t.Context()).Raw(statement.sql, statement.values...).Rows()
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			columns, _ := rows.Columns()
			var b strings.Builder
			for rows.Next() {
				into := make([]any, len(columns))
				for i := range into {
					into[i] = new(any)
				}
				if err := rows.Scan(into...); err != nil {
					t.Fatal(err)
				}
				for _, v := range into {
					fmt.Fprintln(&b, *v.(*any))
				}
			}
			return b.String()
		}
		for name, form := range lookups {
			p := plan(Search{Filter: fmt.Sprintf(form, 4711)})
			if strings.Contains(p, "Seq Scan on users") || strings.Contains(p, "SCAN users") || !strings.Contains(p, map[string]string{"userName": "user_name", "externalId": "external_id", "e-mail": "scim_user_values"}[name]) {
				t.Errorf("%s:\n%s", name, p)
			}
		}
		for name, q := range map[string]Search{"a beginning": {Filter: `userName sw "person471"`}, "the order of names": {SortBy: "userName"}, "no order": {}} {
			p := plan(q)
			// Names are unique, so that sorting equal ones by id is no work.
			sorts := strings.Contains(strings.ReplaceAll(p, "Incremental Sort", ""), "Sort  (") || strings.Contains(p, "USE TEMP B-TREE FOR ORDER BY")
			if strings.Contains(p, "Seq Scan on users") || sorts && name != "a beginning" {
				t.Errorf("%s:\n%s", name, p)
			}
		}
	})
}

// BenchmarkCreate makes users, many at a time.
func BenchmarkCreate(b *testing.B) {
	for _, e := range dbtest.Engines(b) {
		t := newTown(b, dbtest.Open(b, e.URL), 5, 5)
		var n atomic.Int64
		b.Run(e.Name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(8)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := n.Add(1)
					body := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"externalId":"10000000-0000-4000-8000-%012d","userName":"dana%d@example.org","active":true,"displayName":"Dana Kim",
						"emails":[{"primary":true,"type":"work","value":"dana%d@example.org"}],"meta":{"resourceType":"User"},"name":{"formatted":"Dana Kim","familyName":"Kim","givenName":"Dana"},"title":null,"roles":[],
						"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"88121","department":"Learning"}}`, i, i, i)
					if _, err := t.Create(b.Context(), t.types.User, body, View{}); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
