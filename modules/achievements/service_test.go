package achievements_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	stdimage "image"
	"image/png"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/achievements"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/paging"
)

const multikey = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"

// keys remembers for whom keys were made and thrown away.
type keys struct {
	made, gone []string
	err        error
	identity   string // %s stands for the issuer
}

func (k *keys) Forge(_ context.Context, issuerID, provider string) (func(context.Context) error, error) {
	if provider == "nowhere" {
		return nil, k.err
	}
	return func(context.Context) error {
		k.made = append(k.made, strings.TrimSpace(issuerID+" "+provider))
		return k.err
	}, nil
}

func (k *keys) Discard(_ context.Context, issuerID string) error {
	k.gone = append(k.gone, issuerID)
	return k.err
}

func (k *keys) Identity(_ context.Context, issuerID string) (string, did.Document, error) {
	uri := strings.ReplaceAll(k.identity, "%s", issuerID)
	document, err := did.NewDocument(uri, multikey)
	return uri, document, errors.Join(err, k.err)
}

// ledger says that something was issued for what it was told.
type ledger struct {
	mu     sync.Mutex
	issued map[string]bool // issuers and achievements
}

func (l *ledger) Issued(_ context.Context, issuerID, achievementID string) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if achievementID != "" {
		return l.issued[achievementID], nil
	}
	return l.issued[issuerID], nil
}

func (l *ledger) note(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.issued[id] = true
}

// house is the service with its neighbours and its clock.
type house struct {
	*achievements.Service
	keys   *keys
	ledger *ledger
	at     time.Time
}

func build(t testing.TB, db *database.DB, address string) *house {
	t.Helper()
	public, err := config.ParsePublicURL(address)
	must(t, err)
	h := &house{keys: &keys{identity: address + "/issuers/%s"}, ledger: &ledger{issued: map[string]bool{}}, at: noon.Add(300 * time.Millisecond)}
	if !public.Secure() {
		h.keys.identity = did.KeyDID(multikey)
	}
	h.Service = achievements.New(public, achievements.NewStore(db), achievements.Ports{Keys: h.keys, Ledger: h.ledger, Work: db},
		func() time.Time { return h.at }, slog.New(slog.DiscardHandler))
	return h
}

const secure, local = "https://badges.example.org/base", "http://localhost:8000"

func (h *house) issuer(t testing.TB) achievements.Issuer {
	t.Helper()
	i, err := h.CreateIssuer(t.Context(), openbadges.ProfileDetails{Name: "Academy"}, "", "")
	must(t, err)
	return i
}

func (h *house) achievement(t testing.TB, issuerID, imageID string) achievements.Achievement {
	t.Helper()
	a, err := h.CreateAchievement(t.Context(), issuerID, teamwork(), imageID)
	must(t, err)
	return a
}

func teamwork() openbadges.AchievementDetails {
	return openbadges.AchievementDetails{Name: "Teamwork", Description: "Worked well.", Criteria: openbadges.Criteria{Narrative: "Peers say so."}}
}

// violates checks that a fault names the place and the rule.
func violates(t *testing.T, err error, want *fault.Fault, pointer, rule string) {
	t.Helper()
	f, ok := fault.From(err)
	if !ok || !errors.Is(f, want) {
		t.Fatalf("error is %v instead of %v", err, want)
	}
	for _, v := range f.Violations() {
		if v.Pointer == pointer && strings.Contains(v.Rule, rule) && v.Detail != "" && v.Remedy != "" {
			return
		}
	}
	t.Errorf("no violation of %q at %q: %+v", rule, pointer, f.Violations())
}

func TestIssuersAreMadeWithTheirKeyOrNotAtAll(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, secure)
		i := h.issuer(t)
		if !slices.Equal(h.keys.made, []string{i.ID}) || i.Version != 1 || !i.Created.Equal(noon) || !i.Updated.Equal(noon) {
			t.Errorf("made %+v with keys for %v", i, h.keys.made)
		}
		if got, err := h.Issuer(t.Context(), strings.ToUpper(i.ID)); err != nil || got.ID != i.ID {
			t.Errorf("in capitals it is %+v, %v", got, err)
		}
		broken := errors.New("no entropy")
		h.keys.err = broken
		_, err := h.CreateIssuer(t.Context(), openbadges.ProfileDetails{Name: "Keyless"}, "", "")
		wants(t, err, broken)
		_, err = h.CreateIssuer(t.Context(), openbadges.ProfileDetails{Name: "Keyless"}, "", "nowhere")
		wants(t, err, broken)
		page, err := h.Issuers(t.Context(), achievements.IssuerFilter{Name: "Keyless"}, paging.Query{Limit: 5, Sort: "name"})
		if err != nil || len(page.Items) != 0 {
			t.Errorf("an issuer without a key is there: %+v, %v", page, err)
		}
	})
}

func TestBadIdentifiersAreNotFound(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := t.Context(), build(t, db, secure)
		for _, bad := range []string{"", "x", "..", "\x00", "\xff\xfe", "'; DROP TABLE achievements", strings.Repeat("a", 5000), "urn:uuid:" + id(1), "{" + id(1) + "}", strings.ReplaceAll(id(1), "-", ""), id(1)} {
			_, err := h.Issuer(ctx, bad)
			wants(t, err, achievements.ErrIssuerNotFound)
			_, err = h.ReplaceIssuer(ctx, bad, achievements.AnyVersion, openbadges.ProfileDetails{Name: "x"}, "")
			wants(t, err, achievements.ErrIssuerNotFound)
			wants(t, h.DeleteIssuer(ctx, bad), achievements.ErrIssuerNotFound)
			_, err = h.PublicIssuer(ctx, bad)
			wants(t, err, achievements.ErrIssuerNotFound)
			_, err = h.Achievement(ctx, bad)
			wants(t, err, achievements.ErrAchievementNotFound)
			_, err = h.ReplaceAchievement(ctx, bad, "", achievements.AnyVersion, teamwork(), "")
			wants(t, err, achievements.ErrAchievementNotFound)
			wants(t, h.DeleteAchievement(ctx, bad), achievements.ErrAchievementNotFound)
			_, err = h.Hold(ctx, bad)
			wants(t, err, achievements.ErrAchievementNotFound)
			_, err = h.PublicAchievement(ctx, bad)
			wants(t, err, achievements.ErrAchievementNotFound)
			_, _, _, err = h.Snapshot(ctx, bad)
			wants(t, err, achievements.ErrAchievementNotFound)
			_, err = h.Picture(ctx, bad, image.PNG)
			wants(t, err, achievements.ErrAchievementNotFound)
			_, err = h.Image(ctx, bad)
			wants(t, err, achievements.ErrImageNotFound)
			_, err = h.PutRendition(ctx, bad, picture(t, 1))
			wants(t, err, achievements.ErrImageNotFound)
			wants(t, h.DeleteImage(ctx, bad), achievements.ErrImageNotFound)
			_, _, err = h.Content(ctx, bad, image.PNG)
			wants(t, err, achievements.ErrImageNotFound)
		}
		i := h.issuer(t)
		for _, bad := range []string{"x", "\x00", id(404)} {
			_, err := h.CreateIssuer(ctx, openbadges.ProfileDetails{Name: "x"}, bad, "")
			violates(t, err, achievements.ErrInvalid, "/imageId", "references")
			_, err = h.ReplaceIssuer(ctx, i.ID, achievements.AnyVersion, openbadges.ProfileDetails{Name: "x"}, bad)
			violates(t, err, achievements.ErrInvalid, "/imageId", "references")
			_, err = h.CreateAchievement(ctx, bad, teamwork(), "")
			violates(t, err, achievements.ErrInvalid, "/issuerId", "references")
			_, err = h.CreateAchievement(ctx, i.ID, teamwork(), bad)
			violates(t, err, achievements.ErrInvalid, "/imageId", "references")
		}
	})
}

func TestFiltersThatNoColumnCanHoldAreRefused(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := t.Context(), build(t, db, secure)
		q := paging.Query{Limit: 5, Sort: "name"}
		for _, bad := range []string{"\x00", "a\x00b", "\xff", "a\xc3"} {
			_, err := h.Issuers(ctx, achievements.IssuerFilter{Name: bad}, q)
			wants(t, err, achievements.ErrFilter)
			for _, f := range []achievements.AchievementFilter{{Name: bad}, {AchievementType: bad}, {IssuerID: bad}} {
				_, err := h.Achievements(ctx, f, q)
				wants(t, err, achievements.ErrFilter)
			}
		}
		img, err := h.UploadImage(ctx, picture(t, 1))
		must(t, err)
		for _, format := range []image.Format{"\x00", "\xff", "gif", image.SVG} {
			_, _, err := h.Content(ctx, img.ID, format)
			wants(t, err, achievements.ErrRenditionNotFound)
		}
	})
}

func TestDocumentsThatBreakARuleAreRefused(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := t.Context(), build(t, db, secure)
		i := h.issuer(t)
		for _, row := range []struct {
			name          string
			profile       openbadges.ProfileDetails
			pointer, rule string
		}{
			{"an issuer without a name", openbadges.ProfileDetails{}, "/name", "Profile"},
			{"a relative website", openbadges.ProfileDetails{Name: "A", URL: "/about"}, "/url", "Profile"},
			{"an e-mail address that is none", openbadges.ProfileDetails{Name: "A", Email: "nobody"}, "/email", "Profile"},
			{"a place off the globe", openbadges.ProfileDetails{Name: "A", Address: &openbadges.Address{Geo: &openbadges.GeoCoordinates{Latitude: 91}}}, "/address/geo/latitude", "GeoCoordinates"},
		} {
			t.Run(row.name, func(t *testing.T) {
				_, err := h.CreateIssuer(ctx, row.profile, "", "")
				violates(t, err, achievements.ErrInvalid, row.pointer, row.rule)
				_, err = h.ReplaceIssuer(ctx, i.ID, achievements.AnyVersion, row.profile, "")
				violates(t, err, achievements.ErrInvalid, row.pointer, row.rule)
			})
		}
		a := h.achievement(t, i.ID, "")
		for _, row := range []struct {
			name          string
			change        func(*openbadges.AchievementDetails)
			pointer, rule string
		}{
			{"no criteria", func(d *openbadges.AchievementDetails) { d.Criteria = openbadges.Criteria{} }, "/criteria", "Criteria"},
			{"an unknown type", func(d *openbadges.AchievementDetails) { d.AchievementType = "Sticker" }, "/achievementType", "Achievement"},
			{"no description", func(d *openbadges.AchievementDetails) { d.Description = "" }, "/description", "Achievement"},
			{"a relative alignment", func(d *openbadges.AchievementDetails) {
				d.Alignment = []openbadges.Alignment{{TargetName: "x", TargetURL: "x"}}
			}, "/alignment/0/targetUrl", "Alignment"},
			{"a required level that is none", func(d *openbadges.AchievementDetails) {
				d.ResultDescription = []openbadges.ResultDescription{{Name: "G", ResultType: "RubricCriterionLevel", RequiredLevel: "urn:x:y"}}
			}, "/resultDescription/0/requiredLevel", "ResultDescription"},
		} {
			t.Run(row.name, func(t *testing.T) {
				details := teamwork()
				row.change(&details)
				_, err := h.CreateAchievement(ctx, i.ID, details, "")
				violates(t, err, achievements.ErrInvalid, row.pointer, row.rule)
				_, err = h.ReplaceAchievement(ctx, a.ID, "", achievements.AnyVersion, details, "")
				violates(t, err, achievements.ErrInvalid, row.pointer, row.rule)
			})
		}
	})
}

func TestMissingIdentifiersAndTypesAreFilledIn(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, secure)
		given := teamwork()
		given.ResultDescription = []openbadges.ResultDescription{
			{Name: "Grade", ResultType: "LetterGrade"},
			{ID: "urn:uuid:" + id(7), Name: "Rubric", ResultType: "RubricCriterionLevel", RubricCriterionLevel: []openbadges.RubricCriterionLevel{{Name: "Good"}, {ID: "urn:uuid:" + id(8), Name: "Bad"}}},
		}
		a, err := h.CreateAchievement(t.Context(), h.issuer(t).ID, given, "")
		must(t, err)
		kept, err := h.Achievement(t.Context(), a.ID)
		must(t, err)
		d := kept.Details.ResultDescription
		levels := d[1].RubricCriterionLevel
		for _, made := range []string{d[0].ID, levels[0].ID} {
			if !strings.HasPrefix(made, "urn:uuid:") {
				t.Errorf("made the identifier %q", made)
			}
		}
		if d[0].ID == levels[0].ID || d[1].ID != "urn:uuid:"+id(7) || levels[1].ID != "urn:uuid:"+id(8) {
			t.Errorf("identifiers %q, %q, %q, %q", d[0].ID, d[1].ID, levels[0].ID, levels[1].ID)
		}
		if !slices.Equal(d[0].Type, []string{"ResultDescription"}) || !slices.Equal(levels[0].Type, []string{"RubricCriterionLevel"}) {
			t.Errorf("types %q, %q", d[0].Type, levels[0].Type)
		}
		if given.ResultDescription[0].ID != "" {
			t.Error("the caller's own document was changed")
		}
	})
}

func TestChangesAskForTheVersionThatWasSeen(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := t.Context(), build(t, db, secure)
		i := h.issuer(t)
		a := h.achievement(t, i.ID, "")
		h.at = noon.Add(time.Hour)

		profile := openbadges.ProfileDetails{Name: "Renamed"}
		changed, err := h.ReplaceIssuer(ctx, i.ID, 1, profile, "")
		if err != nil || changed.Version != 2 || !changed.Updated.Equal(h.at) || !changed.Created.Equal(noon) || changed.Profile.Name != "Renamed" {
			t.Errorf("changed to %+v, %v", changed, err)
		}
		_, err = h.ReplaceIssuer(ctx, i.ID, 1, profile, "")
		wants(t, err, achievements.ErrVersion)
		if changed, err = h.ReplaceIssuer(ctx, i.ID, achievements.AnyVersion, profile, ""); err != nil || changed.Version != 3 {
			t.Errorf("changed to %+v, %v", changed, err)
		}

		details := teamwork()
		details.Name = "Renamed"
		award, err := h.ReplaceAchievement(ctx, a.ID, strings.ToUpper(i.ID), 1, details, "")
		if err != nil || award.Version != 2 || award.Details.Name != "Renamed" || !award.Updated.Equal(h.at) {
			t.Errorf("changed to %+v, %v", award, err)
		}
		_, err = h.ReplaceAchievement(ctx, a.ID, "", 1, details, "")
		wants(t, err, achievements.ErrVersion)
		_, err = h.ReplaceAchievement(ctx, a.ID, h.issuer(t).ID, achievements.AnyVersion, details, "")
		violates(t, err, achievements.ErrInvalid, "/issuerId", "issuer")
	})
}

func TestWhoeverNamesNoVersionLosesNoRace(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, secure)
		i := h.issuer(t)
		a := h.achievement(t, i.ID, "")
		const writers = 8
		var wg sync.WaitGroup
		for n := range writers {
			wg.Go(func() {
				_, err := h.ReplaceIssuer(t.Context(), i.ID, achievements.AnyVersion, openbadges.ProfileDetails{Name: fmt.Sprint("Name ", n)}, "")
				_, err2 := h.ReplaceAchievement(t.Context(), a.ID, "", achievements.AnyVersion, teamwork(), "")
				if err := errors.Join(err, err2); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		issuer, err := h.Issuer(t.Context(), i.ID)
		achievement, err2 := h.Achievement(t.Context(), a.ID)
		if errors.Join(err, err2) != nil || issuer.Version != writers+1 || achievement.Version != writers+1 {
			t.Errorf("versions %d and %d, %v, %v", issuer.Version, achievement.Version, err, err2)
		}
	})
}

func TestWhatWasIssuedStays(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := t.Context(), build(t, db, secure)
		i := h.issuer(t)
		used, unused := h.achievement(t, i.ID, ""), h.achievement(t, i.ID, "")
		h.ledger.note(used.ID)
		wants(t, h.DeleteAchievement(ctx, used.ID), achievements.ErrInUse)
		must(t, h.DeleteAchievement(ctx, unused.ID))
		_, err := h.Achievement(ctx, unused.ID)
		wants(t, err, achievements.ErrAchievementNotFound)
		wants(t, h.DeleteIssuer(ctx, i.ID), achievements.ErrInUse) // it still has an achievement
		h.ledger.note(i.ID)
		wants(t, h.DeleteIssuer(ctx, i.ID), achievements.ErrInUse)
		if len(h.keys.gone) != 0 {
			t.Errorf("keys are gone: %v", h.keys.gone)
		}

		other := h.issuer(t)
		h.keys.err = errors.New("keys are stuck")
		wants(t, h.DeleteIssuer(ctx, other.ID), h.keys.err)
		if _, err := h.Issuer(ctx, other.ID); err != nil {
			t.Errorf("the issuer went without its keys: %v", err)
		}
		h.keys.err, h.keys.gone = nil, nil
		must(t, h.DeleteIssuer(ctx, other.ID))
		if !slices.Equal(h.keys.gone, []string{other.ID}) {
			t.Errorf("keys are gone of %v", h.keys.gone)
		}
	})
}

func TestAnAchievementIsHeldOrDeletedButNeverBoth(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, secure)
		i := h.issuer(t)
		for range 20 {
			a := h.achievement(t, i.ID, "")
			var held, deleted error
			var wg sync.WaitGroup
			wg.Go(func() {
				held = db.Do(t.Context(), func(ctx context.Context) error {
					if _, err := h.Hold(ctx, a.ID); err != nil {
						return err
					}
					h.ledger.note(a.ID) // a credential is reserved
					return nil
				})
			})
			wg.Go(func() { deleted = h.DeleteAchievement(t.Context(), a.ID) })
			wg.Wait()
			switch {
			case held == nil && errors.Is(deleted, achievements.ErrInUse):
			case deleted == nil && errors.Is(held, achievements.ErrAchievementNotFound):
			default:
				t.Fatalf("held: %v, deleted: %v", held, deleted)
			}
		}
	})
}

// picture is a PNG with this many pixels a side.
func picture(t testing.TB, side int) []byte {
	t.Helper()
	var out bytes.Buffer
	must(t, png.Encode(&out, stdimage.NewGray(stdimage.Rect(0, 0, side, side))))
	return out.Bytes()
}

// drawing is an SVG of this many bytes.
func drawing(size int) []byte {
	const head, tail = `<svg xmlns="http://www.w3.org/2000/svg" width="3" height="2"><!--`, `--><path d="M0 0h3v2z"/></svg>`
	return []byte(head + strings.Repeat("x", size-len(head)-len(tail)) + tail)
}

func TestPicturesAreInspected(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, h := t.Context(), build(t, db, secure)
		baked, err := image.Bake(picture(t, 4), []byte(`{"a":"b"}`), image.Options{})
		must(t, err)
		var long bytes.Buffer
		must(t, png.Encode(&long, stdimage.NewGray(stdimage.Rect(0, 0, image.MaxSide+1, 1))))
		damaged := picture(t, 4)
		damaged[len(damaged)-20] ^= 1
		for _, row := range []struct {
			name    string
			content []byte
			want    *fault.Fault
		}{
			{"nothing", nil, achievements.ErrImageUnsupported},
			{"text", []byte("hello"), achievements.ErrImageUnsupported},
			{"another kind of picture", []byte("GIF89a......"), achievements.ErrImageUnsupported},
			{"a byte too many", drawing(achievements.MaxImageBytes + 1), achievements.ErrImageTooLarge},
			{"a PNG of a byte too many", append(picture(t, 4), make([]byte, achievements.MaxImageBytes+1-len(picture(t, 4)))...), achievements.ErrImageTooLarge},
			{"a side that is too long", long.Bytes(), achievements.ErrImageTooLarge},
			{"somebody's badge", baked, achievements.ErrImageInvalid},
			{"damage", damaged, achievements.ErrImageInvalid},
			{"a script", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`), achievements.ErrImageInvalid},
		} {
			t.Run(row.name, func(t *testing.T) {
				_, err := h.UploadImage(ctx, row.content)
				wants(t, err, row.want)
				if f, ok := fault.From(err); ok && f.Detail() == "" && len(f.Violations()) == 0 {
					t.Errorf("%v does not say what is wrong", err)
				}
			})
		}
		t.Run("a sound one is described", func(t *testing.T) {
			img, err := h.UploadImage(ctx, picture(t, 4))
			must(t, err)
			if img, err = h.PutRendition(ctx, img.ID, drawing(200)); err != nil || len(img.Renditions) != 2 {
				t.Fatalf("%+v, %v", img, err)
			}
			p, s := img.Renditions[0], img.Renditions[1]
			if p.Format != image.PNG || p.Width != 4 || p.Height != 4 || p.Size != len(picture(t, 4)) || len(p.SHA256) != 64 || s.MediaType != "image/svg+xml" || s.Width != 3 || s.Height != 2 {
				t.Errorf("described as %+v", img)
			}
			_, content, err := h.Content(ctx, img.ID, "")
			if err != nil || !bytes.Equal(content, picture(t, 4)) {
				t.Errorf("another picture came back, %v", err)
			}
		})
		t.Run("a replacement is inspected, too", func(t *testing.T) {
			img, err := h.UploadImage(ctx, picture(t, 4))
			must(t, err)
			_, err = h.PutRendition(ctx, img.ID, baked)
			wants(t, err, achievements.ErrImageInvalid)
		})
	})
}

func TestPicturesTravelAsLinksOrInside(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		upload := func(t *testing.T, h *house, contents ...[]byte) string {
			t.Helper()
			img, err := h.UploadImage(ctx, contents[0])
			for _, more := range contents[1:] {
				must(t, err)
				img, err = h.PutRendition(ctx, img.ID, more)
			}
			must(t, err)
			return img.ID
		}
		small, most, large := drawing(200), drawing(achievements.MaxEmbeddedImage), drawing(achievements.MaxEmbeddedImage+1)
		inside := func(mediaType string, content []byte) string {
			return "data:" + mediaType + ";base64," + base64.StdEncoding.EncodeToString(content)
		}
		for _, row := range []struct {
			name, address string
			contents      [][]byte
			want          string // %s stands for the image
		}{
			{"on https it is linked", secure, [][]byte{small}, secure + "/images/%s"},
			{"on https a large one is linked", secure, [][]byte{large}, secure + "/images/%s"},
			{"on http it is embedded", local, [][]byte{picture(t, 4)}, inside("image/png", picture(t, 4))},
			{"on http the largest that may is embedded", local, [][]byte{most}, inside("image/svg+xml", most)},
			{"on http the smaller rendition is embedded", local, [][]byte{picture(t, 4), most}, inside("image/png", picture(t, 4))},
			{"on http the one that may is embedded", local, [][]byte{picture(t, 4), large}, inside("image/png", picture(t, 4))},
			{"on http a large one is left out", local, [][]byte{large}, ""},
			{"no picture is no picture", local, nil, ""},
		} {
			t.Run(row.name, func(t *testing.T) {
				h := build(t, db, row.address)
				img := ""
				if len(row.contents) > 0 {
					img = upload(t, h, row.contents...)
				}
				i, err := h.CreateIssuer(ctx, openbadges.ProfileDetails{Name: "Academy"}, img, "")
				must(t, err)
				a := h.achievement(t, i.ID, img)
				issuerID, achievement, profile, err := h.Snapshot(ctx, a.ID)
				must(t, err)
				if issuerID != i.ID || profile.ID != "" || profile.Name != "Academy" || achievement.ID != row.address+"/achievements/"+a.ID || achievement.Name != "Teamwork" {
					t.Errorf("snapshot of %s: %+v, %+v", issuerID, achievement, profile)
				}
				want := strings.ReplaceAll(row.want, "%s", img)
				for caption, got := range map[string]*openbadges.Image{"Teamwork": achievement.Image, "Academy": profile.Image} {
					if want == "" && got == nil {
						continue
					}
					if want == "" || got == nil || got.ID != want || got.Type != "Image" || got.Caption != caption {
						t.Errorf("the picture of %s is %+v", caption, got)
					}
				}
				if len(row.contents) > 0 {
					format, _ := image.Sniff(row.contents[0])
					content, err := h.Picture(ctx, a.ID, format)
					if err != nil || !bytes.Equal(content, row.contents[0]) {
						t.Errorf("another picture to bake, %v", err)
					}
					return
				}
				_, err = h.Picture(ctx, a.ID, image.PNG)
				wants(t, err, achievements.ErrRenditionNotFound)
			})
		}
	})
}

// controlled stands for the context of Controlled Identifiers 1.0, which is not
// embedded, as far as it is needed here.
var controlled = map[string]any{
	"@protected": true, "id": "@id", "type": "@type",
	"controller":         map[string]any{"@id": "https://w3id.org/security#controller", "@type": "@id"},
	"verificationMethod": map[string]any{"@id": "https://w3id.org/security#verificationMethod", "@type": "@id"},
	"assertionMethod":    map[string]any{"@id": "https://w3id.org/security#assertionMethod", "@type": "@id", "@container": "@set"},
	"Multikey": map[string]any{"@id": "https://w3id.org/security#Multikey", "@context": map[string]any{
		"@protected":         true,
		"publicKeyMultibase": map[string]any{"@id": "https://w3id.org/security#publicKeyMultibase", "@type": "https://w3id.org/security#multibase"},
	}},
	"JsonWebKey": map[string]any{"@id": "https://w3id.org/security#JsonWebKey", "@context": map[string]any{
		"@protected":   true,
		"publicKeyJwk": map[string]any{"@id": "https://w3id.org/security#publicKeyJwk", "@type": "@json"},
	}},
}

func TestPublicDocumentsAreSoundLinkedData(t *testing.T) {
	processor := jsonld.New()
	each(t, func(t *testing.T, db *database.DB) {
		for _, row := range []struct{ name, address, issuer string }{
			{"on https the issuer is its address", secure, secure + "/issuers/%s"},
			{"on http the issuer is its key", local, "did:key:" + multikey},
		} {
			t.Run(row.name, func(t *testing.T) {
				ctx, h := t.Context(), build(t, db, row.address)
				img, err := h.UploadImage(ctx, picture(t, 4))
				must(t, err)
				i, err := h.CreateIssuer(ctx, openbadges.ProfileDetails{
					Name: "Academy", URL: "https://academy.example.org", Email: "badges@example.org",
					Address: &openbadges.Address{AddressCountryCode: "CH", Geo: &openbadges.GeoCoordinates{Latitude: 47, Longitude: 8}},
				}, img.ID, "")
				must(t, err)
				details := teamwork()
				details.AchievementType = "Badge"
				details.Alignment = []openbadges.Alignment{{TargetName: "T", TargetURL: "https://example.org/t", TargetType: "CFItem"}}
				details.ResultDescription = []openbadges.ResultDescription{{Name: "Grade", ResultType: "LetterGrade"}}
				a, err := h.CreateAchievement(ctx, i.ID, details, img.ID)
				must(t, err)

				issuer, err := h.PublicIssuer(ctx, i.ID)
				must(t, err)
				want := strings.ReplaceAll(row.issuer, "%s", i.ID)
				if issuer.ID != want || !slices.Contains(issuer.AssertionMethod, want+"#"+multikey) || len(issuer.VerificationMethod) == 0 || issuer.VerificationMethod[0].Controller != want {
					t.Errorf("issuer %+v", issuer)
				}
				achievement, err := h.PublicAchievement(ctx, a.ID)
				must(t, err)
				if achievement.ID != row.address+"/achievements/"+a.ID || achievement.Creator == nil || achievement.Creator.ID != want {
					t.Errorf("achievement %+v", achievement)
				}
				for name, document := range map[string]any{"issuer": issuer, "achievement": achievement} {
					text, err := json.Marshal(document)
					must(t, err)
					var parsed map[string]any
					decoder := json.NewDecoder(bytes.NewReader(text))
					decoder.UseNumber()
					must(t, decoder.Decode(&parsed))
					contexts := parsed["@context"].([]any)
					for i, context := range contexts {
						if context == "https://www.w3.org/ns/cid/v1" {
							contexts[i] = controlled
						}
					}
					canonical, err := processor.Canonicalize(parsed)
					if err != nil || !bytes.Contains(canonical, []byte("<"+want+">")) {
						t.Errorf("%s is not sound: %v\n%s\n%s", name, err, text, canonical)
					}
				}
			})
		}
	})
}
