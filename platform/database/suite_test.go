package database_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/badge-engine/badge-engine/migrations"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/test/dbtest"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// The tables of this suite: every type that modules' rows are made of.
var schema = migrations.Set{Module: "suite", Files: fstest.MapFS{
	"migrations/postgres/00001_suite.sql": {Data: []byte(`-- +goose Up
CREATE TABLE suite_things (id text PRIMARY KEY, name text UNIQUE, count bigint NOT NULL, flag boolean NOT NULL,
	data bytea, doc jsonb, at timestamptz NOT NULL, gone timestamptz, CHECK (count >= 0));
CREATE TABLE suite_parts (id text PRIMARY KEY, thing_id text NOT NULL REFERENCES suite_things (id));
-- +goose Down
DROP TABLE suite_parts; DROP TABLE suite_things;`)},
	"migrations/sqlite/00001_suite.sql": {Data: []byte(`-- +goose Up
CREATE TABLE suite_things (id text PRIMARY KEY, name text UNIQUE, count integer NOT NULL, flag boolean NOT NULL,
	data blob, doc text, at datetime NOT NULL, gone datetime, CHECK (count >= 0));
CREATE TABLE suite_parts (id text PRIMARY KEY, thing_id text NOT NULL REFERENCES suite_things (id));
-- +goose Down
DROP TABLE suite_parts; DROP TABLE suite_things;`)},
}}

type thing struct {
	ID    string `gorm:"primaryKey"`
	Name  *string
	Count int64
	Flag  bool
	Data  []byte
	Doc   *string
	At    time.Time
	Gone  *time.Time
}

func (thing) TableName() string { return "suite_things" }

type part struct{ ID, ThingID string }

func (part) TableName() string { return "suite_parts" }

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

var errChanged = errors.New("changed my mind")

func create(ctx context.Context, db *database.DB, id string) error {
	return db.Session(ctx).Create(&thing{ID: id, At: noon}).Error
}

func count(t *testing.T, db *database.DB) (n int64) {
	t.Helper()
	if err := db.Reader(t.Context()).Model(&thing{}).Count(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

func TestUnitOfWork(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(ctx context.Context, db *database.DB) error
		want error
		rows int64
	}{
		{"what a unit writes is stored when it succeeds", func(ctx context.Context, db *database.DB) error {
			return db.Do(ctx, func(ctx context.Context) error { return errors.Join(create(ctx, db, "a"), create(ctx, db, "b")) })
		}, nil, 2},
		{"nothing is stored when a unit fails", func(ctx context.Context, db *database.DB) error {
			return db.Do(ctx, func(ctx context.Context) error { return errors.Join(create(ctx, db, "a"), errChanged) })
		}, errChanged, 0},
		{"an inner unit joins the outer one", func(ctx context.Context, db *database.DB) error {
			return db.Do(ctx, func(ctx context.Context) error {
				return errors.Join(create(ctx, db, "a"), db.Do(ctx, func(ctx context.Context) error { return create(ctx, db, "b") }))
			})
		}, nil, 2},
		{"an inner unit goes with the outer one", func(ctx context.Context, db *database.DB) error {
			return db.Do(ctx, func(ctx context.Context) error {
				return errors.Join(db.Do(ctx, func(ctx context.Context) error { return create(ctx, db, "b") }), errChanged)
			})
		}, errChanged, 0},
		{"an outer unit cannot ignore that an inner one failed", func(ctx context.Context, db *database.DB) error {
			return db.Do(ctx, func(ctx context.Context) error {
				_ = db.Do(ctx, func(ctx context.Context) error { return errors.Join(create(ctx, db, "a"), errChanged) })
				return create(ctx, db, "b")
			})
		}, errChanged, 0},
		{"a unit reads what it has written, and nobody else does yet", func(ctx context.Context, db *database.DB) error {
			return db.Do(ctx, func(inner context.Context) error {
				var inside, outside int64
				err := errors.Join(create(inner, db, "a"),
					db.Reader(inner).Model(&thing{}).Count(&inside).Error,
					db.Reader(ctx).Model(&thing{}).Count(&outside).Error)
				if inside != 1 || outside != 0 {
					return fmt.Errorf("inside %d, outside %d", inside, outside)
				}
				return err
			})
		}, nil, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *database.DB) {
				if err := tt.do(t.Context(), db); !errors.Is(err, tt.want) {
					t.Errorf("Do answered %v, want %v", err, tt.want)
				}
				if rows := count(t, db); rows != tt.rows {
					t.Errorf("%d rows were stored, want %d", rows, tt.rows)
				}
			}, schema)
		})
	}
}

func TestAUnitThatPanicsStoresNothingAndFreesItsConnection(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		func() {
			defer func() {
				if recover() != "boom" {
					t.Error("the panic did not come through")
				}
			}()
			_ = db.Do(t.Context(), func(ctx context.Context) error {
				_ = create(ctx, db, "a")
				panic("boom")
			})
		}()
		if err := create(t.Context(), db, "b"); err != nil {
			t.Fatal(err)
		}
		if rows := count(t, db); rows != 1 {
			t.Errorf("%d rows, want 1", rows)
		}
	}, schema)
}

func TestWhatFollowsAUnitIsDoneOnceItHasEnded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		rows := func() string { return strconv.FormatInt(count(t, db), 10) }
		var said []string
		follow := func(ctx context.Context, name string) {
			db.Stored(ctx, func() { said = append(said, "stored "+name+" "+rows()) })
			db.Afterwards(ctx, func() { said = append(said, name+" "+rows()) })
		}
		err := db.Do(t.Context(), func(ctx context.Context) error {
			follow(ctx, "outer")
			return errors.Join(create(ctx, db, "a"), db.Do(ctx, func(ctx context.Context) error {
				follow(ctx, "inner")
				return create(ctx, db, "b")
			}))
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Do(t.Context(), func(ctx context.Context) error {
			follow(ctx, "failed")
			return errors.Join(create(ctx, db, "c"), errChanged)
		}); !errors.Is(err, errChanged) {
			t.Fatal(err)
		}
		follow(t.Context(), "without")
		if want := "[outer 2 inner 2 stored outer 2 stored inner 2 failed 2 stored without 2 without 2]"; fmt.Sprint(said) != want {
			t.Errorf("it went %v, want %s", said, want)
		}
	}, schema)
}

func TestAUnitWhoseContextEndsStoresNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Do(ctx, func(ctx context.Context) error {
			err := create(ctx, db, "a")
			cancel()
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Do answered %v, want context.Canceled", err)
		}
		if rows := count(t, db); rows != 0 {
			t.Errorf("%d rows, want 0", rows)
		}
	}, schema)
}

func TestErrorsOfEveryEngineComeOutAlike(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		name, secret := "name", "s3cret-value"
		if err := db.Session(t.Context()).Create(&thing{ID: "a", Name: &name, At: noon}).Error; err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			name string
			do   func(tx *gorm.DB) *gorm.DB
			want error
		}{
			{"a duplicate primary key", func(tx *gorm.DB) *gorm.DB { return tx.Create(&thing{ID: "a", At: noon}) }, gorm.ErrDuplicatedKey},
			{"a duplicate in a unique column", func(tx *gorm.DB) *gorm.DB { return tx.Create(&thing{ID: "b", Name: &name, At: noon}) }, gorm.ErrDuplicatedKey},
			{"a neighbour that is not there", func(tx *gorm.DB) *gorm.DB { return tx.Create(&part{ID: "p", ThingID: secret}) }, gorm.ErrForeignKeyViolated},
			{"a duplicate among rows that are inserted together", func(tx *gorm.DB) *gorm.DB {
				_ = tx.AddError(db.Insert(tx.Statement.Context, things(thing{ID: "c", At: noon}, thing{ID: "a", At: noon}, thing{ID: "d", At: noon})))
				return tx
			}, gorm.ErrDuplicatedKey},
			{"a neighbour that is not there for rows that are inserted together", func(tx *gorm.DB) *gorm.DB {
				_ = tx.AddError(db.Insert(tx.Statement.Context, database.Rows{Table: "suite_parts", Columns: []string{"id", "thing_id"}, Values: [][]any{{"p", secret}}}))
				return tx
			}, gorm.ErrForeignKeyViolated},
			{"a row against a check", func(tx *gorm.DB) *gorm.DB { return tx.Create(&thing{ID: secret, Count: -1, At: noon}) }, gorm.ErrCheckConstraintViolated},
			{"a row that is not there", func(tx *gorm.DB) *gorm.DB { return tx.Take(&thing{}, "id = ?", secret) }, gorm.ErrRecordNotFound},
		} {
			t.Run(tt.name, func(t *testing.T) {
				err := tt.do(db.Session(t.Context())).Error
				if !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				err = db.Do(t.Context(), func(ctx context.Context) error { return tt.do(db.Session(ctx)).Error })
				if !errors.Is(err, tt.want) {
					t.Errorf("inside a unit got %v, want %v", err, tt.want)
				}
			})
		}
	}, schema)
}

func TestEveryTypeOfColumnComesBackAsItWent(t *testing.T) {
	name, doc := "Zoë ✓", `{"a": [1, null]}`
	offset := time.FixedZone("", 5*3600)
	gone := time.Date(2026, 6, 1, 17, 30, 0, 123456000, offset)
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		byGorm := func(in thing) error { return db.Session(t.Context()).Create(&in).Error }
		together := func(in thing) error { return db.Insert(t.Context(), things(in)) }
		other := "other"
		for _, tt := range []struct {
			name   string
			in     thing
			create func(thing) error
		}{
			{"a row with everything", thing{ID: "full", Name: &name, Count: 1<<62 + 1, Flag: true, Data: []byte{0, 255, 10}, Doc: &doc, At: gone, Gone: &gone}, byGorm},
			{"a row with nothing", thing{ID: "empty", At: noon}, byGorm},
			{"a row with everything that is inserted", thing{ID: "full too", Name: &other, Count: 1<<62 + 1, Flag: true, Data: []byte{0, 255, 10}, Doc: &doc, At: gone, Gone: &gone}, together},
			{"a row with nothing that is inserted", thing{ID: "empty too", At: noon}, together},
		} {
			t.Run(tt.name, func(t *testing.T) {
				if err := tt.create(tt.in); err != nil {
					t.Fatal(err)
				}
				var out thing
				if err := db.Reader(t.Context()).Take(&out, "id = ?", tt.in.ID).Error; err != nil {
					t.Fatal(err)
				}
				if !out.At.Equal(tt.in.At) || out.At.Location() != time.UTC {
					t.Errorf("time %v came back as %v", tt.in.At, out.At)
				}
				if tt.in.Gone == nil != (out.Gone == nil) || tt.in.Gone != nil && !out.Gone.Equal(*tt.in.Gone) {
					t.Errorf("optional time %v came back as %v", tt.in.Gone, out.Gone)
				}
				if text(out.Name) != text(tt.in.Name) || text(out.Doc) != text(tt.in.Doc) || string(out.Data) != string(tt.in.Data) ||
					(out.Data == nil) != (tt.in.Data == nil) || out.Count != tt.in.Count || out.Flag != tt.in.Flag {
					t.Errorf("%+v came back as %+v", tt.in, out)
				}
			})
		}
	}, schema)
}

func text(s *string) string {
	if s == nil {
		return "<null>"
	}
	return *s
}

func TestTimesCompareWhateverTheirZoneAndFraction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		west := time.FixedZone("", -8*3600)
		times := []time.Time{noon, noon.Add(time.Microsecond), noon.Add(500 * time.Millisecond).In(west), noon.Add(550 * time.Millisecond), noon.Add(time.Second).In(west)}
		for i := range times {
			row := thing{ID: fmt.Sprint(i), At: times[len(times)-1-i]}
			if err := db.Session(t.Context()).Create(&row).Error; err != nil {
				t.Fatal(err)
			}
		}
		for i, at := range times {
			var ids []string
			if err := db.Reader(t.Context()).Model(&thing{}).Where("at <= ?", at).Order("at DESC").Pluck("id", &ids).Error; err != nil {
				t.Fatal(err)
			}
			if len(ids) != i+1 || ids[0] != fmt.Sprint(len(times)-1-i) {
				t.Errorf("until %v there are %v, want %d", at, ids, i+1)
			}
		}
	}, schema)
}

func TestFiftyWritersAtOnceLoseNothing(t *testing.T) {
	const writers, rounds = 50, 4
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		if err := create(t.Context(), db, "counter"); err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		failures := make(chan error, writers*rounds)
		for writer := range writers {
			group.Go(func() {
				for round := range rounds {
					failures <- db.Do(t.Context(), func(ctx context.Context) error {
						var row thing
						tx := db.Session(ctx)
						if err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Take(&row, "id = ?", "counter").Error; err != nil {
							return err
						}
						if err := tx.Model(&row).Update("count", row.Count+1).Error; err != nil {
							return err
						}
						return create(ctx, db, fmt.Sprintf("%d/%d", writer, round))
					})
				}
			})
		}
		group.Wait()
		close(failures)
		for err := range failures {
			if err != nil {
				t.Fatal(err)
			}
		}
		var row thing
		if err := db.Reader(t.Context()).Take(&row, "id = ?", "counter").Error; err != nil {
			t.Fatal(err)
		}
		if row.Count != writers*rounds || count(t, db) != writers*rounds+1 {
			t.Errorf("the counter is at %d with %d rows, want %d and %d", row.Count, count(t, db), writers*rounds, writers*rounds+1)
		}
	}, schema)
}

func TestReadersDoNotWaitForAWriter(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		err := db.Do(t.Context(), func(ctx context.Context) error {
			if err := create(ctx, db, "a"); err != nil {
				return err
			}
			if rows := count(t, db); rows != 0 {
				t.Errorf("a reader saw %d rows that are not stored yet", rows)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}, schema)
}

func TestKeysetVisitsEveryRowOnceInOrder(t *testing.T) {
	const rows, page = 23, 5
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		for i := range rows {
			row := thing{ID: fmt.Sprintf("%02d", i), At: noon.Add(time.Duration(i%4) * time.Hour)} // many equal times
			if err := db.Session(t.Context()).Create(&row).Error; err != nil {
				t.Fatal(err)
			}
		}
		for _, descending := range []bool{false, true} {
			var seen []thing
			var last thing
			for {
				var list []thing
				err := database.Keyset(db.Reader(t.Context()), "at", descending, last.At, last.ID, page).Find(&list).Error
				if err != nil {
					t.Fatal(err)
				}
				seen = append(seen, list...)
				if len(list) < page {
					break
				}
				last = list[page-1]
			}
			if len(seen) != rows {
				t.Fatalf("descending %t: saw %d rows, want %d", descending, len(seen), rows)
			}
			for i := 1; i < rows; i++ {
				a, b := seen[i-1], seen[i]
				if descending {
					a, b = b, a
				}
				if a.At.After(b.At) || a.At.Equal(b.At) && a.ID >= b.ID {
					t.Errorf("descending %t: %s and %s stand in the wrong order", descending, seen[i-1].ID, seen[i].ID)
				}
			}
		}
		var ids []string
		if err := database.Keyset(db.Reader(t.Context()).Model(&thing{}), "id", false, "", "20", page).Pluck("id", &ids).Error; err != nil || fmt.Sprint(ids) != "[21 22]" {
			t.Errorf("by id alone: %v, %v", ids, err)
		}
	}, schema)
}

func TestAClosedDatabaseIsUnavailable(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		if err := db.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		for name, do := range everyWay(db) {
			unavailable(t, name, do(t.Context()))
		}
	}, schema)
}

func TestAPassedDeadlineIsUnavailable(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
		defer cancel()
		for name, do := range everyWay(db) {
			err := do(ctx)
			unavailable(t, name, err)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v hides the deadline", name, err)
			}
		}
	}, schema)
}

// things are rows for [database.DB.Insert].
func things(several ...thing) database.Rows {
	rows := database.Rows{Table: "suite_things", Columns: []string{"id", "name", "count", "flag", "data", "doc", "at", "gone"}}
	for _, v := range several {
		rows.Values = append(rows.Values, []any{v.ID, v.Name, v.Count, v.Flag, v.Data, v.Doc, v.At, v.Gone})
	}
	return rows
}

func TestRowsAreInsertedAllOrNone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		parts := func(of string, ids ...string) database.Rows {
			rows := database.Rows{Table: "suite_parts", Columns: []string{"id", "thing_id"}}
			for _, id := range ids {
				rows.Values = append(rows.Values, []any{id, of})
			}
			return rows
		}
		for _, tt := range []struct {
			name string
			do   func(ctx context.Context) error
			want error
			rows int64
		}{
			{"rows of several tables, in their order", func(ctx context.Context) error {
				return db.Insert(ctx, things(thing{ID: "a", At: noon}, thing{ID: "b", At: noon}), parts("b", "1", "2"))
			}, nil, 2},
			{"no rows", func(ctx context.Context) error { return db.Insert(ctx, things()) }, nil, 2},
			{"rows of which a later one cannot be stored", func(ctx context.Context) error {
				return db.Insert(ctx, things(thing{ID: "c", At: noon}, thing{ID: "d", At: noon}, thing{ID: "a", At: noon}))
			}, gorm.ErrDuplicatedKey, 2},
			{"rows of a unit that fails afterwards", func(ctx context.Context) error {
				return db.Do(ctx, func(ctx context.Context) error {
					return errors.Join(db.Insert(ctx, things(thing{ID: "c", At: noon})), errChanged)
				})
			}, errChanged, 2},
			{"rows of a unit that wrote before and reads afterwards", func(ctx context.Context) error {
				return db.Do(ctx, func(ctx context.Context) error {
					var n int64
					err := errors.Join(create(ctx, db, "c"), db.Insert(ctx, things(thing{ID: "d", At: noon})), db.Reader(ctx).Model(&thing{}).Count(&n).Error)
					if n != 4 {
						return fmt.Errorf("the unit reads %d rows", n)
					}
					return err
				})
			}, nil, 4},
			{"rows for somebody who has gone", func(ctx context.Context) error {
				ctx, cancel := context.WithCancel(ctx)
				cancel()
				return db.Insert(ctx, things(thing{ID: "e", At: noon}))
			}, context.Canceled, 4},
		} {
			t.Run(tt.name, func(t *testing.T) {
				if err := tt.do(t.Context()); !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				if rows := count(t, db); rows != tt.rows {
					t.Errorf("there are %d rows, want %d", rows, tt.rows)
				}
			})
		}
	}, schema)
}

// everyWay lists the ways in which a caller meets the database.
func everyWay(db *database.DB) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"ping":  db.Ping,
		"write": func(ctx context.Context) error { return create(ctx, db, "x") },
		"read":  func(ctx context.Context) error { return db.Reader(ctx).Take(&thing{}).Error },
		"scan": func(ctx context.Context) error {
			var n int
			return db.Reader(ctx).Raw("SELECT 1").Scan(&n).Error
		},
		"insert": func(ctx context.Context) error { return db.Insert(ctx, things(thing{ID: "z", At: noon})) },
		"unit": func(ctx context.Context) error {
			return db.Do(ctx, func(ctx context.Context) error { return create(ctx, db, "y") })
		},
	}
}

func unavailable(t *testing.T, name string, err error) {
	t.Helper()
	f, ok := fault.From(err)
	if !ok || !errors.Is(err, database.ErrUnavailable) || f.Kind() != fault.Unavailable || f.Wait() <= 0 {
		t.Errorf("%s: got %v, want database.ErrUnavailable with a time to wait", name, err)
	}
}

// BenchmarkInsert is what a store waits for when it writes one row on its own.
func BenchmarkInsert(b *testing.B) {
	for _, engine := range dbtest.Engines(b) {
		b.Run(engine.Name, func(b *testing.B) {
			db := dbtest.Open(b, engine.URL)
			if err := db.Session(b.Context()).Exec("CREATE TABLE suite_parts (id text PRIMARY KEY, thing_id text NOT NULL)").Error; err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if err := db.Session(b.Context()).Create(&part{ID: strconv.Itoa(n), ThingID: "thing"}).Error; err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRead is what a store waits for when it reads one row.
func BenchmarkRead(b *testing.B) {
	for _, engine := range dbtest.Engines(b) {
		b.Run(engine.Name, func(b *testing.B) {
			db := dbtest.Open(b, engine.URL)
			if err := db.Session(b.Context()).Exec("CREATE TABLE suite_parts (id text PRIMARY KEY, thing_id text NOT NULL)").Error; err != nil {
				b.Fatal(err)
			}
			if err := db.Session(b.Context()).Create(&part{ID: "part", ThingID: "thing"}).Error; err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				var row part
				if err := db.Reader(b.Context()).Take(&row, "id = ?", "part").Error; err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
