package database_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// many are so many rows that an engine may take them in another way than a few.
func many(from, n int) []thing {
	rows := make([]thing, n)
	for i := range rows {
		name := fmt.Sprint("n", from+i)
		rows[i] = thing{ID: fmt.Sprint("r", from+i), Name: &name, Count: int64(from + i), Flag: i%2 == 0, Data: []byte(name), At: noon}
	}
	return rows
}

func TestVeryManyRowsComeBackAsTheyWent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		name, doc := "Zoë ✓", `{"a": [1, null]}`
		gone := time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC)
		rows := append(many(0, 5000),
			thing{ID: "full", Name: &name, Count: 1<<62 + 1, Flag: true, Data: []byte{0, 255, 10}, Doc: &doc, At: noon.In(time.FixedZone("", 5*3600)), Gone: &gone},
			thing{ID: "empty", At: noon},
			thing{ID: "long", Data: bytes.Repeat([]byte("long "), 100_000), At: noon}) // than what is sent at once
		if err := db.Insert(t.Context(), things(rows...)); err != nil {
			t.Fatal(err)
		}
		if n := count(t, db); n != int64(len(rows)) {
			t.Errorf("%d rows", n)
		}
		for _, want := range rows[4990:] {
			var got thing
			if err := db.Reader(t.Context()).Take(&got, "id = ?", want.ID).Error; err != nil {
				t.Fatal(err)
			}
			if text(got.Name) != text(want.Name) || got.Count != want.Count || got.Flag != want.Flag || !bytes.Equal(got.Data, want.Data) || (got.Data == nil) != (want.Data == nil) ||
				text(got.Doc) != text(want.Doc) || !got.At.Equal(want.At) || (got.Gone == nil) != (want.Gone == nil) || got.Gone != nil && !got.Gone.Equal(*want.Gone) {
				t.Errorf("%s came back as %+v", want.ID, got)
			}
		}
	}, schema)
}

func TestVeryManyRowsAreInsertedAllOrNone(t *testing.T) {
	const secret = "ada@example.org"
	errAny := errors.New("any error")
	with := func(last ...thing) database.Rows { return things(append(many(0, 50), last...)...) }
	spoilt := func(last ...any) database.Rows {
		rows := with()
		rows.Values = append(rows.Values, last)
		return rows
	}
	for name, tt := range map[string]struct {
		do   func(ctx context.Context, db *database.DB) error
		want error
		rows int64
	}{
		"between others of a unit": {func(ctx context.Context, db *database.DB) error {
			return db.Do(ctx, func(ctx context.Context) error {
				return errors.Join(create(ctx, db, "a"), db.Insert(ctx, things(thing{ID: "b", At: noon}), with(), things(thing{ID: "c", At: noon})), create(ctx, db, "d"))
			})
		}, nil, 54},
		"in a unit that fails": {func(ctx context.Context, db *database.DB) error {
			return db.Do(ctx, func(ctx context.Context) error { return errors.Join(db.Insert(ctx, with()), errChanged) })
		}, errChanged, 0},
		"one of them a duplicate": {func(ctx context.Context, db *database.DB) error {
			return db.Insert(ctx, with(thing{ID: "r7", At: noon}))
		}, gorm.ErrDuplicatedKey, 0},
		"one of them against a check": {func(ctx context.Context, db *database.DB) error {
			return db.Insert(ctx, with(thing{ID: secret, Count: -1, At: noon}))
		}, gorm.ErrCheckConstraintViolated, 0},
		"one of them too short": {func(ctx context.Context, db *database.DB) error { return db.Insert(ctx, spoilt(secret)) }, errAny, 0},
		"one of them with a value of another type": {func(ctx context.Context, db *database.DB) error {
			return db.Insert(ctx, spoilt("z", nil, int64(0), struct{ s string }{secret}, nil, nil, noon, nil))
		}, errAny, 0},
		"a column that is not there": {func(ctx context.Context, db *database.DB) error {
			rows := with()
			rows.Columns[1] = "shoe_size"
			return db.Insert(ctx, rows)
		}, errAny, 0},
		"a context that ended": {func(ctx context.Context, db *database.DB) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return db.Insert(ctx, with())
		}, context.Canceled, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *database.DB) {
				err := tt.do(t.Context(), db)
				if tt.want == errAny && err == nil || tt.want != errAny && !errors.Is(err, tt.want) {
					t.Errorf("it answered %v, want %v", err, tt.want)
				}
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("the error repeats a value: %v", err)
				}
				if n := count(t, db); n != tt.rows {
					t.Errorf("%d rows were stored, want %d", n, tt.rows)
				}
				if err := db.Insert(t.Context(), things(many(100, 50)...)); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			}, schema)
		})
	}
}

// BenchmarkInsertMany stores very many rows at once, and for comparison a few at a time.
func BenchmarkInsertMany(b *testing.B) {
	for _, engine := range dbtest.Engines(b) {
		db := dbtest.Open(b, engine.URL)
		if err := db.Session(b.Context()).Exec("CREATE TABLE suite_parts (id text PRIMARY KEY, thing_id text NOT NULL)").Error; err != nil {
			b.Fatal(err)
		}
		n := 0
		for _, few := range []int{500, 25} {
			b.Run(fmt.Sprintf("%s/500 rows/%d at once", engine.Name, few), func(b *testing.B) {
				for b.Loop() {
					err := db.Do(b.Context(), func(ctx context.Context) error {
						for range 500 / few {
							rows := database.Rows{Table: "suite_parts", Columns: []string{"id", "thing_id"}, Values: make([][]any, few)}
							for i := range rows.Values {
								n++
								rows.Values[i] = []any{strconv.Itoa(n), "thing"}
							}
							if err := db.Insert(ctx, rows); err != nil {
								return err
							}
						}
						return nil
					})
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
