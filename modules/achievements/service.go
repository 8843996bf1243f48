package achievements

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/platform/shelf"
)

// Issuer is an issuer profile as it is kept here.
type Issuer struct {
	ID      string
	Profile openbadges.ProfileDetails
	ImageID string // empty: none
	Version int64
	Created time.Time
	Updated time.Time
}

// Achievement is the definition of something that can be awarded.
type Achievement struct {
	ID       string
	IssuerID string
	Details  openbadges.AchievementDetails
	ImageID  string // empty: none
	Version  int64
	Created  time.Time
	Updated  time.Time
}

// Image is a picture in up to two formats.
type Image struct {
	ID         string
	Renditions []Rendition
	Created    time.Time
	Updated    time.Time
}

// Rendition describes the picture in one format.
type Rendition struct {
	Format    image.Format
	MediaType string
	Width     int // pixels; 0 where an SVG does not say
	Height    int
	Size      int    // bytes
	SHA256    string // lower-case hex
}

// IssuerFilter narrows a listing of issuer profiles. Empty fields do not.
type IssuerFilter struct{ Name string }

// AchievementFilter narrows a listing of achievements. Empty fields do not.
type AchievementFilter struct{ IssuerID, Name, AchievementType string }

// AnyVersion as the version in a change means: whatever the current one is.
const AnyVersion int64 = 0

// Service holds the rules of issuer profiles, achievements and images.
type Service struct {
	public config.PublicURL
	store  *Store
	work   Work
	keys   Keys
	ledger Ledger
	audit  Audit        // may be nil
	shelf  *shelf.Shelf // may be nil
	now    func() time.Time
	log    *slog.Logger
}

// Ports are the neighbours this module asks.
type Ports struct {
	Keys   Keys
	Ledger Ledger
	Work   Work
	Audit  Audit        // may be nil
	Shelf  *shelf.Shelf // may be nil: then everything is read whenever it is asked for
}

// New builds the service.
func New(public config.PublicURL, store *Store, ports Ports, now func() time.Time, log *slog.Logger) *Service {
	return &Service{public: public, store: store, work: ports.Work, keys: ports.Keys, ledger: ports.Ledger, audit: ports.Audit, shelf: ports.Shelf, now: now, log: log}
}

// record writes down what was done, in the unit of its caller.
func (s *Service) record(ctx context.Context, action, id string) error {
	s.shelf.Changed(ctx)
	if s.audit == nil {
		return nil
	}
	return s.audit.Record(ctx, action, id, "", nil)
}

func (s *Service) stamp() time.Time { return s.now().UTC().Truncate(time.Second) }

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func newURN() string { return "urn:uuid:" + newID() }

// known reads an identifier from a URL or a body; notFound answers for one that
// cannot be any.
func known(id string, notFound *fault.Fault) (string, error) {
	u, err := uuid.Parse(id)
	if err != nil || len(id) != 36 {
		return "", notFound.Detailf("%q is not an identifier; identifiers here are UUIDs.", clip(id))
	}
	return u.String(), nil
}

func clip(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}

// searchable refuses what no column can hold, and what PostgreSQL takes in no
// parameter: text that is not UTF-8, and the character U+0000.
func searchable(parameter, text string) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return ErrFilter.Detailf("The value of %s is not text: it holds a zero character, or bytes that are not UTF-8.", parameter)
	}
	return nil
}

// CreateIssuer stores a new issuer profile and gives it its first signing key, which is
// kept where provider says, or as is configured. It answers with [ErrInvalid] or
// [ErrImageNotFound], or as [Keys] does.
func (s *Service) CreateIssuer(ctx context.Context, profile openbadges.ProfileDetails, imageID, provider string) (Issuer, error) {
	if err := checkProfile(&profile); err != nil {
		return Issuer{}, err
	}
	at := s.stamp()
	issuer := Issuer{ID: newID(), Profile: profile, ImageID: imageID, Version: 1, Created: at, Updated: at}
	keep, err := s.keys.Forge(ctx, issuer.ID, provider)
	if err != nil {
		return Issuer{}, err
	}
	err = s.work.Do(ctx, func(ctx context.Context) error {
		if err := s.imageExists(ctx, imageID); err != nil {
			return err
		}
		if err := s.store.InsertIssuer(ctx, issuer); err != nil {
			return err
		}
		if err := s.record(ctx, "achievements.issuer.created", issuer.ID); err != nil {
			return err
		}
		return keep(ctx)
	})
	if err != nil {
		return Issuer{}, err
	}
	s.log.InfoContext(ctx, "issuer profile created", "issuer", issuer.ID, "by", principal.From(ctx).ID)
	return issuer, nil
}

func checkProfile(profile *openbadges.ProfileDetails) error {
	violations := profile.Check()
	if profile.Name == "" {
		violations = append(violations, openbadges.Violation{
			Pointer: "/name", Rule: "Open Badges 3.0, Profile: an issuer is shown by its name",
			Detail: "The issuer profile has no name.", Remedy: "Give the organisation's name.",
		})
	}
	if len(violations) > 0 {
		return invalid(violations)
	}
	profile.Complete(newURN)
	return nil
}

// Issuer answers one issuer profile or [ErrIssuerNotFound].
func (s *Service) Issuer(ctx context.Context, id string) (Issuer, error) {
	id, err := known(id, ErrIssuerNotFound)
	if err != nil {
		return Issuer{}, err
	}
	return s.store.Issuer(ctx, id)
}

// Issuers answers a page of issuer profiles, [ErrFilter] or [paging.ErrCursor].
func (s *Service) Issuers(ctx context.Context, f IssuerFilter, q paging.Query) (paging.Page[Issuer], error) {
	if err := searchable("name", f.Name); err != nil {
		return paging.Page[Issuer]{}, err
	}
	return s.store.Issuers(ctx, f, q)
}

// ReplaceIssuer stores a new version of a profile; credentials already issued
// keep the profile they were signed with. It answers with [ErrInvalid],
// [ErrIssuerNotFound] or [ErrVersion].
func (s *Service) ReplaceIssuer(ctx context.Context, id string, version int64, profile openbadges.ProfileDetails, imageID string) (Issuer, error) {
	id, err := known(id, ErrIssuerNotFound)
	if err != nil {
		return Issuer{}, err
	}
	if err := checkProfile(&profile); err != nil {
		return Issuer{}, err
	}
	var issuer Issuer
	err = s.work.Do(ctx, func(ctx context.Context) error {
		if issuer, err = s.store.LockIssuer(ctx, id); err != nil {
			return err
		}
		if err := s.imageExists(ctx, imageID); err != nil {
			return err
		}
		issuer.Profile, issuer.ImageID, issuer.Updated = profile, imageID, s.stamp()
		if issuer.Version, err = bump(version, issuer.Version); err != nil {
			return err
		}
		if err := s.store.UpdateIssuer(ctx, issuer); err != nil {
			return err
		}
		return s.record(ctx, "achievements.issuer.changed", id)
	})
	if err != nil {
		return Issuer{}, err
	}
	s.log.InfoContext(ctx, "issuer profile changed", "issuer", id, "version", issuer.Version, "by", principal.From(ctx).ID)
	return issuer, nil
}

// bump checks the version the caller saw and answers the next.
func bump(seen, current int64) (int64, error) {
	if seen != AnyVersion && seen != current {
		return 0, ErrVersion.Detailf("You changed version %d, the current one is %d. Read it again and repeat your change.", seen, current)
	}
	return current + 1, nil
}

// DeleteIssuer removes a profile that nothing depends on, and its keys, else
// answers [ErrInUse]. No credential can slip in between: it needs an achievement,
// and an achievement keeps its issuer.
func (s *Service) DeleteIssuer(ctx context.Context, id string) error {
	id, err := known(id, ErrIssuerNotFound)
	if err != nil {
		return err
	}
	err = s.work.Do(ctx, func(ctx context.Context) error {
		issued, err := s.ledger.Issued(ctx, id, "")
		if err != nil {
			return err
		}
		if issued {
			return ErrInUse.Detailf("Credentials of this issuer are in the world and name its address, which must stay alive.")
		}
		if err := s.store.DeleteIssuer(ctx, id); err != nil {
			return err
		}
		if err := s.record(ctx, "achievements.issuer.deleted", id); err != nil {
			return err
		}
		return s.keys.Discard(ctx, id)
	})
	if err != nil {
		return err
	}
	s.log.InfoContext(ctx, "issuer profile deleted", "issuer", id, "by", principal.From(ctx).ID)
	return nil
}

// CreateAchievement defines an achievement of an issuer. Identifiers of result
// descriptions and rubric levels that are missing are made up as urn:uuid. It
// answers with [ErrInvalid].
func (s *Service) CreateAchievement(ctx context.Context, issuerID string, details openbadges.AchievementDetails, imageID string) (Achievement, error) {
	if violations := details.Check(); len(violations) > 0 {
		return Achievement{}, invalid(violations)
	}
	details.Complete(newURN)
	at := s.stamp()
	achievement := Achievement{ID: newID(), Details: details, ImageID: imageID, Version: 1, Created: at, Updated: at}
	err := s.work.Do(ctx, func(ctx context.Context) error {
		issuer, err := s.Issuer(ctx, issuerID)
		if errors.Is(err, ErrIssuerNotFound) {
			return missing("/issuerId", "There is no issuer profile "+clip(issuerID)+".", "Create one with POST /api/v1/issuers and give its id.")
		}
		if err != nil {
			return err
		}
		achievement.IssuerID = issuer.ID
		if err := s.imageExists(ctx, imageID); err != nil {
			return err
		}
		if err := s.store.InsertAchievement(ctx, achievement); err != nil {
			return err
		}
		return s.record(ctx, "achievements.achievement.created", achievement.ID)
	})
	if err != nil {
		return Achievement{}, err
	}
	s.log.InfoContext(ctx, "achievement created", "achievement", achievement.ID, "issuer", achievement.IssuerID, "by", principal.From(ctx).ID)
	return achievement, nil
}

func (s *Service) imageExists(ctx context.Context, id string) error {
	if id == "" {
		return nil
	}
	clean, err := known(id, ErrImageNotFound)
	if err == nil {
		_, err = s.store.Image(ctx, clean)
	}
	if errors.Is(err, ErrImageNotFound) {
		return missing("/imageId", "There is no image "+clip(id)+".", "Upload one with POST /api/v1/images and give its id.")
	}
	return err
}

// Achievement answers one achievement or [ErrAchievementNotFound].
func (s *Service) Achievement(ctx context.Context, id string) (Achievement, error) {
	id, err := known(id, ErrAchievementNotFound)
	if err != nil {
		return Achievement{}, err
	}
	return s.store.Achievement(ctx, id)
}

// Achievements answers a page of achievements, [ErrFilter] or [paging.ErrCursor].
func (s *Service) Achievements(ctx context.Context, f AchievementFilter, q paging.Query) (paging.Page[Achievement], error) {
	if err := errors.Join(searchable("name", f.Name), searchable("achievementType", f.AchievementType)); err != nil {
		return paging.Page[Achievement]{}, err
	}
	if f.IssuerID != "" {
		id, err := known(f.IssuerID, ErrFilter)
		if err != nil {
			return paging.Page[Achievement]{}, err
		}
		f.IssuerID = id
	}
	return s.store.Achievements(ctx, f, q)
}

// ReplaceAchievement stores a new version; credentials already issued keep the
// one they were signed with. The issuer cannot change. It answers with
// [ErrInvalid], [ErrAchievementNotFound] or [ErrVersion].
func (s *Service) ReplaceAchievement(ctx context.Context, id, issuerID string, version int64, details openbadges.AchievementDetails, imageID string) (Achievement, error) {
	id, err := known(id, ErrAchievementNotFound)
	if err != nil {
		return Achievement{}, err
	}
	if violations := details.Check(); len(violations) > 0 {
		return Achievement{}, invalid(violations)
	}
	details.Complete(newURN)
	var achievement Achievement
	err = s.work.Do(ctx, func(ctx context.Context) error {
		if achievement, err = s.store.LockAchievement(ctx, id); err != nil {
			return err
		}
		if issuerID != "" && !strings.EqualFold(issuerID, achievement.IssuerID) {
			return refuse("/issuerId", "Badge Engine: an achievement keeps its issuer", "An achievement stays with the issuer that defined it.", "Leave issuerId out, or define a new achievement.")
		}
		if err := s.imageExists(ctx, imageID); err != nil {
			return err
		}
		achievement.Details, achievement.ImageID, achievement.Updated = details, imageID, s.stamp()
		if achievement.Version, err = bump(version, achievement.Version); err != nil {
			return err
		}
		if err := s.store.UpdateAchievement(ctx, achievement); err != nil {
			return err
		}
		return s.record(ctx, "achievements.achievement.changed", id)
	})
	if err != nil {
		return Achievement{}, err
	}
	s.log.InfoContext(ctx, "achievement changed", "achievement", id, "version", achievement.Version, "by", principal.From(ctx).ID)
	return achievement, nil
}

// Hold keeps an achievement from being deleted until the unit in ctx ends, so that
// nothing is issued for one that is going; it answers [ErrAchievementNotFound] if it
// is gone already. The edition is another one as soon as the achievement or its issuer
// changes: a snapshot taken after it was told is at least as new.
func (s *Service) Hold(ctx context.Context, id string) (edition string, err error) {
	id, err = known(id, ErrAchievementNotFound)
	if err != nil {
		return "", err
	}
	version, issuerVersion, err := s.store.HoldAchievement(ctx, id)
	if err != nil {
		return "", err
	}
	return strconv.FormatInt(version, 10) + "." + strconv.FormatInt(issuerVersion, 10), nil
}

// DeleteAchievement removes an achievement that was never awarded, else answers [ErrInUse].
func (s *Service) DeleteAchievement(ctx context.Context, id string) error {
	id, err := known(id, ErrAchievementNotFound)
	if err != nil {
		return err
	}
	err = s.work.Do(ctx, func(ctx context.Context) error {
		// The lock first: whoever reserves a credential meanwhile has to wait, or is seen.
		achievement, err := s.store.LockAchievement(ctx, id)
		if err != nil {
			return err
		}
		issued, err := s.ledger.Issued(ctx, achievement.IssuerID, id)
		if err != nil {
			return err
		}
		if issued {
			return ErrInUse.Detailf("Credentials for this achievement are in the world and name its address, which must stay alive.")
		}
		if err := s.store.DeleteAchievement(ctx, id); err != nil {
			return err
		}
		return s.record(ctx, "achievements.achievement.deleted", id)
	})
	if err != nil {
		return err
	}
	s.log.InfoContext(ctx, "achievement deleted", "achievement", id, "by", principal.From(ctx).ID)
	return nil
}
