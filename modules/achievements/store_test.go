package achievements_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/migrations"
	"github.com/badge-engine/badge-engine/modules/achievements"
	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// noon is when the tests happen.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// id makes the n-th identifier; a higher n sorts later.
func id(n int) string { return fmt.Sprintf("0192f0c0-0000-7000-8000-%012d", n) }

func each(t *testing.T, run func(t *testing.T, db *database.DB)) {
	dbtest.Each(t, run, achievements.Schema())
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func wants(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error is %v instead of %v", err, want)
	}
}

func issuer(n int, name string) achievements.Issuer {
	return achievements.Issuer{ID: id(n), Profile: openbadges.ProfileDetails{Name: name}, Version: 1, Created: noon, Updated: noon}
}

func achievement(n, issuer int, name string) achievements.Achievement {
	return achievements.Achievement{
		ID: id(n), IssuerID: id(issuer), Version: 1, Created: noon, Updated: noon,
		Details: openbadges.AchievementDetails{Name: name, Description: "d", Criteria: openbadges.Criteria{Narrative: "n"}},
	}
}

func TestStoreKeepsIssuers(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, store := t.Context(), achievements.NewStore(db)
		must(t, store.InsertImage(ctx, achievements.Image{ID: id(9), Created: noon, Updated: noon}))
		rich := issuer(1, "Example Academy – «Été» 学院")
		rich.ImageID = id(9)
		rich.Profile.Address = &openbadges.Address{AddressCountryCode: "CH", Geo: &openbadges.GeoCoordinates{Latitude: 47.4, Longitude: 8.5}}
		rich.Profile.ParentOrg = &openbadges.Profile{ID: "https://example.org/parent", ProfileDetails: openbadges.ProfileDetails{Name: "Parent"}}
		rich.Profile.OtherIdentifier = []openbadges.IdentifierEntry{{Type: "IdentifierEntry", Identifier: "1", IdentifierType: "ext:lei"}}
		must(t, store.InsertIssuer(ctx, rich), store.InsertIssuer(ctx, issuer(2, "Plain")))

		t.Run("a profile comes back as it was", func(t *testing.T) {
			for _, want := range []achievements.Issuer{rich, issuer(2, "Plain")} {
				got, err := store.Issuer(ctx, want.ID)
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("%+v came back as %+v, %v", want, got, err)
				}
				locked, err := store.LockIssuer(ctx, want.ID)
				if err != nil || !reflect.DeepEqual(locked, want) {
					t.Errorf("%+v was locked as %+v, %v", want, locked, err)
				}
			}
		})
		t.Run("an unknown profile is not found", func(t *testing.T) {
			_, err := store.Issuer(ctx, id(404))
			wants(t, err, achievements.ErrIssuerNotFound)
			_, err = store.LockIssuer(ctx, id(404))
			wants(t, err, achievements.ErrIssuerNotFound)
			wants(t, store.DeleteIssuer(ctx, id(404)), achievements.ErrIssuerNotFound)
		})
		t.Run("only the next version replaces", func(t *testing.T) {
			next := rich
			next.Version, next.Updated, next.ImageID = 2, noon.Add(time.Hour), ""
			next.Profile = openbadges.ProfileDetails{Name: "Renamed"}
			must(t, store.UpdateIssuer(ctx, next))
			if got, err := store.Issuer(ctx, next.ID); err != nil || !reflect.DeepEqual(got, next) {
				t.Errorf("got %+v, %v", got, err)
			}
			wants(t, store.UpdateIssuer(ctx, next), achievements.ErrVersion)
			unknown := issuer(404, "x")
			wants(t, store.UpdateIssuer(ctx, unknown), achievements.ErrVersion)
		})
		t.Run("an image that is not there is refused", func(t *testing.T) {
			bad := issuer(3, "x")
			bad.ImageID = id(404)
			wants(t, store.InsertIssuer(ctx, bad), achievements.ErrInvalid)
			bad = issuer(2, "x")
			bad.ImageID, bad.Version = id(404), 2
			wants(t, store.UpdateIssuer(ctx, bad), achievements.ErrInvalid)
		})
		t.Run("a profile goes when its achievements are gone", func(t *testing.T) {
			must(t, store.InsertAchievement(ctx, achievement(20, 2, "a")))
			wants(t, store.DeleteIssuer(ctx, id(2)), achievements.ErrInUse)
			must(t, store.DeleteAchievement(ctx, id(20)), store.DeleteIssuer(ctx, id(2)))
			_, err := store.Issuer(ctx, id(2))
			wants(t, err, achievements.ErrIssuerNotFound)
		})
	})
}

func TestStoreKeepsAchievements(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, store := t.Context(), achievements.NewStore(db)
		credits := 2.5
		rich := achievement(10, 1, "Teamwork")
		rich.ImageID = id(9)
		rich.Details.AchievementType, rich.Details.Tag, rich.Details.CreditsAvailable = "Badge", []string{"a", "b"}, &credits
		rich.Details.ResultDescription = []openbadges.ResultDescription{{ID: "urn:uuid:" + id(5), Name: "Grade", ResultType: "LetterGrade", AllowedValue: []string{"B", "A"}}}
		must(t,
			store.InsertImage(ctx, achievements.Image{ID: id(9), Created: noon, Updated: noon}),
			store.InsertIssuer(ctx, issuer(1, "Academy")),
			store.InsertAchievement(ctx, rich))

		t.Run("an achievement comes back as it was", func(t *testing.T) {
			got, err := store.Achievement(ctx, rich.ID)
			if err != nil || !reflect.DeepEqual(got, rich) {
				t.Errorf("%+v came back as %+v, %v", rich, got, err)
			}
			locked, err := store.LockAchievement(ctx, rich.ID)
			if err != nil || !reflect.DeepEqual(locked, rich) {
				t.Errorf("%+v was locked as %+v, %v", rich, locked, err)
			}
			if version, issuerVersion, err := store.HoldAchievement(ctx, rich.ID); err != nil || version != rich.Version || issuerVersion < 1 {
				t.Errorf("it is held as version %d of issuer's %d, %v", version, issuerVersion, err)
			}
		})
		t.Run("an unknown achievement is not found", func(t *testing.T) {
			_, err := store.Achievement(ctx, id(404))
			wants(t, err, achievements.ErrAchievementNotFound)
			_, err = store.LockAchievement(ctx, id(404))
			wants(t, err, achievements.ErrAchievementNotFound)
			_, _, err = store.HoldAchievement(ctx, id(404))
			wants(t, err, achievements.ErrAchievementNotFound)
			wants(t, store.DeleteAchievement(ctx, id(404)), achievements.ErrAchievementNotFound)
		})
		t.Run("only the next version replaces", func(t *testing.T) {
			next := rich
			next.Version, next.Updated = 2, noon.Add(time.Hour)
			next.Details.Name, next.Details.AchievementType = "Teamwork II", "Course"
			must(t, store.UpdateAchievement(ctx, next))
			if got, err := store.Achievement(ctx, next.ID); err != nil || !reflect.DeepEqual(got, next) {
				t.Errorf("got %+v, %v", got, err)
			}
			wants(t, store.UpdateAchievement(ctx, next), achievements.ErrVersion)
		})
		t.Run("references to what is not there are refused", func(t *testing.T) {
			wants(t, store.InsertAchievement(ctx, achievement(11, 404, "x")), achievements.ErrInvalid)
			bad := achievement(11, 1, "x")
			bad.ImageID = id(404)
			wants(t, store.InsertAchievement(ctx, bad), achievements.ErrInvalid)
			bad = rich
			bad.ImageID, bad.Version = id(404), 3
			wants(t, store.UpdateAchievement(ctx, bad), achievements.ErrInvalid)
		})
	})
}

func rendition(format image.Format, content string) achievements.Rendition {
	return achievements.Rendition{Format: format, MediaType: format.MediaType(), Width: 3, Height: 4, Size: len(content), SHA256: fmt.Sprintf("%x", content)}
}

func TestStoreKeepsImages(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, store := t.Context(), achievements.NewStore(db)
		put := func(imageID string, format image.Format, content string) error {
			return store.PutRendition(ctx, imageID, rendition(format, content), []byte(content))
		}
		must(t, store.InsertImage(ctx, achievements.Image{ID: id(1), Created: noon, Updated: noon}))

		t.Run("an image without renditions has no content", func(t *testing.T) {
			img, err := store.Image(ctx, id(1))
			if err != nil || len(img.Renditions) != 0 || !img.Created.Equal(noon) {
				t.Errorf("got %+v, %v", img, err)
			}
			_, _, err = store.Content(ctx, id(1), "")
			wants(t, err, achievements.ErrRenditionNotFound)
		})
		t.Run("renditions are added and replaced", func(t *testing.T) {
			must(t, put(id(1), image.SVG, "svg"), put(id(1), image.PNG, "old"), put(id(1), image.PNG, "png\x00\xff"))
			must(t, store.TouchImage(ctx, id(1), noon.Add(time.Minute)))
			img, err := store.Image(ctx, id(1))
			want := []achievements.Rendition{rendition(image.PNG, "png\x00\xff"), rendition(image.SVG, "svg")}
			if err != nil || !slices.Equal(img.Renditions, want) || !img.Updated.Equal(noon.Add(time.Minute)) || !img.Created.Equal(noon) {
				t.Errorf("got %+v, %v", img, err)
			}
			for format, content := range map[image.Format]string{image.PNG: "png\x00\xff", image.SVG: "svg", "": "png\x00\xff"} {
				_, got, err := store.Content(ctx, id(1), format)
				if err != nil || !bytes.Equal(got, []byte(content)) {
					t.Errorf("%q holds %q, %v", format, got, err)
				}
			}
		})
		t.Run("an unknown image is not found", func(t *testing.T) {
			_, err := store.Image(ctx, id(404))
			wants(t, err, achievements.ErrImageNotFound)
			_, _, err = store.Content(ctx, id(404), image.PNG)
			wants(t, err, achievements.ErrImageNotFound)
			wants(t, put(id(404), image.PNG, "x"), achievements.ErrImageNotFound)
			wants(t, store.TouchImage(ctx, id(404), noon), achievements.ErrImageNotFound)
			wants(t, store.DeleteImage(ctx, id(404)), achievements.ErrImageNotFound)
		})
		t.Run("an image goes when nothing shows it", func(t *testing.T) {
			shown := issuer(2, "shows it")
			shown.ImageID = id(1)
			must(t, store.InsertIssuer(ctx, shown))
			wants(t, store.DeleteImage(ctx, id(1)), achievements.ErrInUse)
			shown.ImageID, shown.Version = "", 2
			also := achievement(3, 2, "shows it too")
			also.ImageID = id(1)
			must(t, store.UpdateIssuer(ctx, shown), store.InsertAchievement(ctx, also))
			wants(t, store.DeleteImage(ctx, id(1)), achievements.ErrInUse)
			must(t, store.DeleteAchievement(ctx, id(3)), store.DeleteImage(ctx, id(1)))
			_, _, err := store.Content(ctx, id(1), "")
			wants(t, err, achievements.ErrImageNotFound)
		})
	})
}

// walk reads a list page by page and answers the ids in order.
func walk[T any](t *testing.T, q paging.Query, list func(paging.Query) (paging.Page[T], error), key func(T) string) []string {
	t.Helper()
	var ids []string
	for range 100 {
		page, err := list(q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Items) > q.Limit || len(page.Items) < q.Limit && page.Next != "" {
			t.Fatalf("a page of %d items, of at most %d, and next %q", len(page.Items), q.Limit, page.Next)
		}
		for _, item := range page.Items {
			ids = append(ids, key(item))
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return ids
		}
	}
	t.Fatal("the list has no end")
	return nil
}

func TestListsWalkEveryOrderWithTies(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, store := t.Context(), achievements.NewStore(db)
		type row struct {
			n     int
			name  string
			after time.Duration
		}
		rows := []row{{1, "gamma", 0}, {2, "beta", time.Second}, {3, "beta", time.Second}, {4, "alpha", time.Second}, {5, "beta", 500 * time.Millisecond}, {6, "delta", 3 * time.Second}, {7, "alpha", 2 * time.Second}}
		for _, r := range rows {
			i := issuer(r.n, r.name)
			i.Created = noon.Add(r.after)
			must(t, store.InsertIssuer(ctx, i))
			a := achievement(100+r.n, 1, r.name)
			a.Created = i.Created
			must(t, store.InsertAchievement(ctx, a))
		}
		orders := map[string]func(a, b row) int{
			"name": func(a, b row) int {
				if c := strings.Compare(a.name, b.name); c != 0 {
					return c
				}
				return a.n - b.n
			},
			"createdAt": func(a, b row) int {
				if a.after != b.after {
					return int(a.after - b.after)
				}
				return a.n - b.n
			},
		}
		for sort, compare := range orders {
			for _, descending := range []bool{false, true} {
				for _, limit := range []int{1, 2, 3, 7, 50} {
					t.Run(fmt.Sprintf("%s, descending %t, %d a page", sort, descending, limit), func(t *testing.T) {
						sorted := slices.SortedFunc(slices.Values(rows), compare)
						if descending {
							slices.Reverse(sorted)
						}
						var issuers, awards []string
						for _, r := range sorted {
							issuers, awards = append(issuers, id(r.n)), append(awards, id(100+r.n))
						}
						q := paging.Query{Limit: limit, Sort: sort, Descending: descending}
						got := walk(t, q, func(q paging.Query) (paging.Page[achievements.Issuer], error) {
							return store.Issuers(ctx, achievements.IssuerFilter{}, q)
						}, func(i achievements.Issuer) string { return i.ID })
						if !slices.Equal(got, issuers) {
							t.Errorf("issuers come as %v instead of %v", got, issuers)
						}
						got = walk(t, q, func(q paging.Query) (paging.Page[achievements.Achievement], error) {
							return store.Achievements(ctx, achievements.AchievementFilter{}, q)
						}, func(a achievements.Achievement) string { return a.ID })
						if !slices.Equal(got, awards) {
							t.Errorf("achievements come as %v instead of %v", got, awards)
						}
					})
				}
			}
		}
	})
}

func TestFiltersTakeTextAsItStands(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, store := t.Context(), achievements.NewStore(db)
		names := []string{"50% off", "50 percent", "a_b", "axb", `a\b`, "Été", "abc", "ABC", "o'clock", "学院"}
		for n, name := range names {
			must(t, store.InsertIssuer(ctx, issuer(n, name)))
			a := achievement(100+n, n%2, name)
			a.Details.AchievementType = []string{"Badge", "Course", ""}[n%3]
			must(t, store.InsertAchievement(ctx, a))
		}
		q := paging.Query{Limit: 50, Sort: "createdAt"}
		for _, row := range []struct {
			name, filter string
			want         []string
		}{
			{"no filter", "", names},
			{"a per cent sign is a per cent sign", "50%", []string{"50% off"}},
			{"a low line is a low line", "a_", []string{"a_b"}},
			{"a backslash is a backslash", `a\`, []string{`a\b`}},
			{"the beginning counts", "a", []string{"a_b", "axb", `a\b`, "abc"}},
			{"case counts", "AB", []string{"ABC"}},
			{"signs beyond ASCII are counted as signs", "Ét", []string{"Été"}},
			{"Chinese is found", "学", []string{"学院"}},
			{"the whole name is its own beginning", "axb", []string{"axb"}},
			{"longer than the name", "axbc", nil},
			{"the middle does not count", "b", nil},
			{"a quotation mark ends nothing", "o'", []string{"o'clock"}},
		} {
			t.Run(row.name, func(t *testing.T) {
				page, err := store.Issuers(ctx, achievements.IssuerFilter{Name: row.filter}, q)
				must(t, err)
				var got []string
				for _, i := range page.Items {
					got = append(got, i.Profile.Name)
				}
				if !slices.Equal(got, row.want) {
					t.Errorf("issuers %q", got)
				}
				awards, err := store.Achievements(ctx, achievements.AchievementFilter{Name: row.filter}, q)
				must(t, err)
				if len(awards.Items) != len(row.want) {
					t.Errorf("%d achievements instead of %d", len(awards.Items), len(row.want))
				}
			})
		}
		t.Run("filters narrow together", func(t *testing.T) {
			page, err := store.Achievements(ctx, achievements.AchievementFilter{IssuerID: id(0), AchievementType: "Badge"}, q)
			must(t, err)
			if len(page.Items) != 2 || page.Items[0].ID != id(100) || page.Items[1].ID != id(106) {
				t.Errorf("got %+v", page.Items)
			}
			page, err = store.Achievements(ctx, achievements.AchievementFilter{IssuerID: id(404)}, q)
			if err != nil || page.Items == nil || len(page.Items) != 0 {
				t.Errorf("got %+v, %v", page, err)
			}
		})
	})
}

func TestCursorsOfStrangersAreRefused(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, store := t.Context(), achievements.NewStore(db)
		for _, row := range []struct {
			name, sort string
			at         paging.Position
			filters    []string
		}{
			{"an id that is none", "name", paging.Position{Value: "a", ID: "1"}, []string{""}},
			{"no id", "name", paging.Position{Value: "a"}, []string{""}},
			{"a zero character", "name", paging.Position{Value: "a\x00", ID: id(1)}, []string{""}},
			{"a time that is none", "createdAt", paging.Position{Value: "yesterday", ID: id(1)}, []string{""}},
			{"the cursor of another list", "name", paging.Position{Value: "a", ID: id(1)}, []string{"x"}},
		} {
			t.Run(row.name, func(t *testing.T) {
				q := paging.Query{Limit: 5, Sort: row.sort}
				q.Cursor = q.Next(row.at, row.filters...)
				_, err := store.Issuers(ctx, achievements.IssuerFilter{}, q)
				wants(t, err, paging.ErrCursor)
			})
		}
	})
}

func TestMigrationsGoUpAndDown(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		runner, err := migrations.New(db, []migrations.Set{achievements.Schema()}, slog.New(slog.DiscardHandler))
		must(t, err)
		own := func() (tables []string) {
			all, err := db.Tables(ctx)
			must(t, err)
			for _, name := range all {
				if strings.HasPrefix(name, "achievements") && !strings.HasSuffix(name, "_schema_version") {
					tables = append(tables, name)
				}
			}
			return tables
		}
		want := []string{"achievements", "achievements_images", "achievements_issuers", "achievements_renditions"}
		for range 2 {
			must(t, runner.Up(ctx), runner.Check(ctx))
			if got := own(); !slices.Equal(got, want) {
				t.Errorf("up makes %v", got)
			}
			must(t, runner.Down(ctx, "achievements"))
			if got := own(); len(got) != 0 {
				t.Errorf("down leaves %v", got)
			}
		}
		wants(t, runner.Down(ctx, "achievements"), migrations.ErrNothing)
	})
}
