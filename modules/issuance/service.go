package issuance

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/metric"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/platform/shelf"
)

// State is how far a credential has come.
type State string

// The states of a credential.
const (
	Reserved  State = "reserved"  // meant, not signed; nobody was told of it
	Issued    State = "issued"    // signed and stored
	Withdrawn State = "withdrawn" // no longer kept here
)

// Credential is one credential as it is kept here.
type Credential struct {
	ID            string
	IssuerID      string
	AchievementID string
	State         State
	Name          string
	Document      json.RawMessage // the signed document that the world reads, byte for byte
	Holder        json.RawMessage // where it differs, what is for the holder alone: it has a base proof
	Token         string          // the credential as a compact JWS; empty where none was asked for
	ValidFrom     time.Time
	ValidUntil    *time.Time
	Version       int64
	Created       time.Time
	Updated       time.Time
	Place         statuslist.Place // its entry in a status list
	StatusPurpose string           // the side of the list that the document names
	Batch         string           // id of the batch that it was ordered in, if any

	recipientIndex string
	owner          string
	idempotencyKey string
	requestHash    string
	keys           []string // ids of the keys that signed it
	form           Form     // that its order asked for
}

// whole is the document with all that was signed.
func (c Credential) whole() json.RawMessage {
	if c.Holder != nil {
		return c.Holder
	}
	return c.Document
}

// Filter narrows a listing of credentials. Empty fields do not.
type Filter struct{ IssuerID, AchievementID, Recipient, State, Status string }

// AnyVersion as the version in a change means: whatever the current one is.
const AnyVersion int64 = 0

// The age at which a reservation counts as left behind by a crash is this much more than
// a request may take, so that an order repeated after a crash does
// not wait for long. One that signs later still finds its reservation gone and fails.
const grace = 15 * time.Second

// requestTime is how long a request may take where nothing is said of it.
const requestTime = 30 * time.Second

// patience is how long what is done for no caller alone may take: to read keys, or to
// release a reservation that came to nothing.
const patience = 5 * time.Second

// Service holds the rules of issuing.
type Service struct {
	public       config.PublicURL
	store        *Store
	work         Work
	keyring      *Keyring
	sealer       *Sealer
	statuses     *statuslist.Register
	achievements Achievements
	audit        Audit      // may be nil
	recipients   Recipients // may be nil
	canonical    integrity.Canonicalizer
	now          func() time.Time
	pause        func(context.Context, time.Duration) error
	log          *slog.Logger
	kinds        kinds
	intake       *database.Shared[arrival]
	shelf        *shelf.Shelf // may be nil
	counts       *Counts
	abandoned    time.Duration // how old a reservation must be to count as left behind
}

// Parts are what a service is made of.
type Parts struct {
	Store        *Store
	Work         Work
	Keyring      *Keyring
	Sealer       *Sealer
	Statuses     *statuslist.Register
	Achievements Achievements
	Audit        Audit      // may be nil
	Recipients   Recipients // may be nil: then recipients are named by addresses alone
	Canonical    integrity.Canonicalizer
	Shelf        *shelf.Shelf                               // may be nil: then everything is read whenever it is asked for
	Counts       *Counts                                    // may be nil
	RequestTime  time.Duration                              // how long an order may take; 0: half a minute
	Pause        func(context.Context, time.Duration) error // nil: by the clock of the machine
}

// New builds the service.
func New(public config.PublicURL, parts Parts, now func() time.Time, log *slog.Logger) *Service {
	if parts.Pause == nil {
		parts.Pause = pause
	}
	if parts.RequestTime == 0 {
		parts.RequestTime = requestTime
	}
	if parts.Counts == nil {
		parts.Counts = &Counts{}
	}
	s := &Service{
		pause: parts.Pause, counts: parts.Counts, abandoned: parts.RequestTime + grace,
		public: public, store: parts.Store, work: parts.Work, keyring: parts.Keyring, sealer: parts.Sealer, statuses: parts.Statuses,
		achievements: parts.Achievements, audit: parts.Audit, recipients: parts.Recipients, canonical: parts.Canonical, now: now, log: log,
	}
	s.intake, s.shelf = database.NewShared(s.work, s.settle), parts.Shelf
	return s
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func newURN() string { return "urn:uuid:" + newID() }

// URL is the public address of a credential, and its identifier.
func (s *Service) URL(id string) string { return s.public.Join("credentials", id) }

// known reads an identifier from a URL or a body; notFound answers for one that
// cannot be any.
func known(id string, notFound error) (string, error) {
	u, err := uuid.Parse(id)
	if err != nil || len(id) != 36 {
		return "", notFound
	}
	return u.String(), nil
}

// Issue builds, lints, signs and stores a credential. replayed tells that the same
// order was carried out before, and that its credential is the answer. An order with
// an idempotency key is reserved before it is signed; of one without there is nothing
// to reserve, since nobody is told of its credential before it is stored.
//
// It answers with [ErrInvalid], [ErrMismatch], [ErrInProgress], [ErrWithdrawn] or
// [ErrSettled], and then nothing was issued. Where the database was lost while it
// stored, nobody knows: only an order with an idempotency key can be repeated safely.
func (s *Service) Issue(ctx context.Context, order Order) (issued Credential, replayed bool, err error) {
	defer func() {
		if !replayed {
			s.counts.credentials.Count(1, "order", metric.Outcome(err))
		}
	}()
	owner := principal.From(ctx).ID
	if order.IdempotencyKey != "" {
		// A plain hash of the request would give its e-mail address away to whoever
		// can guess it.
		order.RequestHash = s.sealer.Index(order.RequestHash)
		before, found, err := s.replay(ctx, owner, order)
		if err != nil || found {
			return before, found, err
		}
	}
	const attempts = 5 // an achievement does not change so often while it is awarded
	for range attempts {
		var draft draft
		if draft, err = s.prepare(ctx, order); err != nil {
			return Credential{}, false, err
		}
		issued, replayed, err = s.carryOut(ctx, owner, order, draft)
		if !errors.Is(err, errMoved) {
			return issued, replayed, err
		}
		s.statuses.Return(draft.reserved.IssuerID, draft.reserved.Place)
		s.kinds.forget(draft.reserved.AchievementID, draft.kind)
	}
	return Credential{}, false, fmt.Errorf("issuance: issue: %w", err)
}

// carryOut signs and stores what is prepared. It answers with [errMoved] if that is no
// longer how things are; then nothing was issued.
func (s *Service) carryOut(ctx context.Context, owner string, order Order, draft draft) (issued Credential, replayed bool, err error) {
	reserved := draft.reserved
	keyed := order.IdempotencyKey != ""
	if keyed {
		reserved.owner, reserved.idempotencyKey, reserved.requestHash = owner, order.IdempotencyKey, order.RequestHash
		err = s.work.Do(ctx, func(ctx context.Context) error {
			edition, err := s.achievements.Hold(ctx, reserved.AchievementID)
			switch {
			case notFound(err):
				return noAchievement()
			case err != nil:
				return err
			case edition != draft.kind.edition:
				return errMoved
			}
			return s.store.Reserve(ctx, reserved)
		})
		if errors.Is(err, errRepeated) {
			before, found, err := s.replay(ctx, owner, order)
			if err == nil && !found {
				err = ErrInProgress
			}
			return before, found, err
		}
		if err != nil {
			return Credential{}, false, err
		}
	}

	told := [...]slog.Attr{
		slog.String("credential", reserved.ID), slog.String("issuer", reserved.IssuerID), slog.String("achievement", reserved.AchievementID),
		slog.Any("keys", draft.plan.keys), slog.String("by", owner),
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "credential signing", told[:]...)
	issued = reserved
	issued.State = Issued
	if err = draft.plan.secure(ctx, s.canonical, draft.prepared, &issued, s.now().UTC()); err != nil {
		err = fmt.Errorf("issuance: sign %s: %w", reserved.ID, err)
	} else if keyed {
		err = s.recorded(ctx, "issuance.credential.issued", issued.ID, func(ctx context.Context) error { return s.store.Complete(ctx, issued) })
	} else {
		err = s.intake.Put(ctx, arrival{issued, draft.kind.edition})
	}
	if errors.Is(err, errMoved) {
		return Credential{}, false, err
	}
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "credential issuing failed", told[:]...)
		s.failed(ctx, "issuance.credential.issued", reserved.ID, err)
		if keyed {
			s.release(ctx, reserved.ID)
		}
		return Credential{}, false, err
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "credential issued", told[:]...)
	return issued, false, nil
}

// recorded does a deed to a credential and writes it down, as one unit.
func (s *Service) recorded(ctx context.Context, action, id string, deed func(ctx context.Context) error) error {
	if s.audit == nil {
		return deed(ctx)
	}
	return s.work.Do(ctx, func(ctx context.Context) error {
		if err := deed(ctx); err != nil {
			return err
		}
		return s.audit.Record(ctx, action, id, "", nil)
	})
}

// failed writes down that a deed to a credential came to nothing.
func (s *Service) failed(ctx context.Context, action, id string, failure error) {
	if s.audit != nil {
		_ = s.audit.Record(ctx, action, id, "", failure) // never fails with a failure
	}
}

// release gives a reservation up at once instead of when it counts as abandoned, so
// that the order can be repeated. Where it cannot, it is swept away later. The
// request itself may be over already: that is often why it failed.
func (s *Service) release(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := s.store.Release(ctx, id); err != nil {
		s.log.WarnContext(ctx, "reservation not released", "credential", id, "error", err)
	}
}

// notFound reports whether a neighbour says that there is no such thing.
func notFound(err error) bool {
	f, ok := fault.From(err)
	return ok && f.Kind() == fault.NotFound
}

// replay looks for what an earlier order of the same key came to.
func (s *Service) replay(ctx context.Context, owner string, order Order) (Credential, bool, error) {
	before, err := s.store.ByIdempotencyKey(ctx, owner, order.IdempotencyKey)
	switch {
	case errors.Is(err, ErrNotFound):
		return Credential{}, false, nil
	case err != nil:
		return Credential{}, false, err
	case before.State == Withdrawn: // the hash of its request is forgotten
		return Credential{}, false, ErrWithdrawn
	case before.requestHash != order.RequestHash:
		return Credential{}, false, ErrMismatch.Detailf("Use a new Idempotency-Key for a new order.")
	case before.State == Issued:
		return before, true, nil
	case s.now().Sub(before.Created) < s.abandoned:
		return Credential{}, false, ErrInProgress
	}
	// The process that reserved it died before it signed: make room for this one.
	return Credential{}, false, s.store.Release(ctx, before.ID)
}

// A draft is all that it takes to issue.
type draft struct {
	kind     *kind
	reserved Credential
	prepared *credential.Prepared
	plan     plan
}

// prepare builds and lints the document; nothing is stored yet.
func (s *Service) prepare(ctx context.Context, order Order) (draft, error) {
	var err error
	if order.Recipient, err = s.addressed(ctx, order.Recipient); err != nil {
		return draft{}, err
	}
	identities, lookup, err := order.Recipient.identities()
	if err != nil {
		return draft{}, err
	}
	achievementID, err := known(order.AchievementID, noAchievement())
	if err != nil {
		return draft{}, err
	}
	kind, err := s.kind(ctx, achievementID)
	if notFound(err) {
		return draft{}, noAchievement()
	}
	if err != nil {
		return draft{}, err
	}
	issuerID, achievement, issuer := kind.issuerID, kind.achievement, kind.issuer
	plan, err := s.keyring.plan(ctx, issuerID, order.Form)
	if err != nil {
		return draft{}, err
	}
	issuer.ID = plan.uri
	if order.Recipient.ID == "" && plan.needsSubject() {
		order.Recipient.ID = newURN()
	}
	id, now := cmp.Or(order.id, newID()), s.now().UTC().Truncate(time.Second)
	doc := openbadges.AchievementCredential{
		ID: s.URL(id), Type: []string{"VerifiableCredential", "AchievementCredential"},
		Issuer: issuer,
		CredentialSubject: openbadges.AchievementSubject{
			ID: order.Recipient.ID, Type: []string{"AchievementSubject"}, Identifier: identities, Achievement: achievement,
		},
	}
	purpose, err := order.purpose("")
	if err != nil {
		return draft{}, err
	}
	var from entries = s.statuses
	if order.entries != nil {
		from = order.entries
	}
	places, err := from.Take(ctx, issuerID, 1)
	if err != nil {
		return draft{}, err
	}
	doc.CredentialStatus = s.statusEntry(Credential{IssuerID: issuerID, Place: places[0], StatusPurpose: purpose})
	order.Award.fill(&doc, now)
	var prepared *credential.Prepared
	if len(order.EndorsementIDs)+len(order.EndorsementJwtIDs) == 0 {
		prepared, err = kind.prepare(s, &doc)
	} else if err = s.embed(ctx, &doc, order.Award); err == nil {
		prepared, err = credential.Prepare(s.canonical, doc)
	}
	if err == nil {
		err = plan.fit(prepared)
	}
	if err != nil {
		from.Return(issuerID, places[0])
		return draft{}, lint(err, order.Recipient)
	}
	reserved := Credential{
		Place: places[0], StatusPurpose: purpose,
		ID: id, IssuerID: issuerID, AchievementID: achievementID, State: Reserved, Name: doc.Name, Version: 1,
		Created: now, Updated: now, recipientIndex: s.sealer.Index(lookup),
		form: order.Form,
	}
	if err := reserved.period(doc); err != nil {
		return draft{}, err
	}
	return draft{kind: kind, reserved: reserved, prepared: prepared, plan: plan}, nil
}

// period notes the validity of a document that passed the lint.
func (c *Credential) period(doc openbadges.AchievementCredential) (err error) {
	if c.ValidFrom, err = moment("/validFrom", doc.ValidFrom); err != nil {
		return err
	}
	c.ValidUntil = nil
	if doc.ValidUntil != "" {
		until, err := moment("/validUntil", doc.ValidUntil)
		if err != nil {
			return err
		}
		c.ValidUntil = &until
	}
	return nil
}

// moment reads a time. Near the ends of the calendar it can lie in a year that has
// no four digits in UTC, which neither JSON nor every engine can hold.
func moment(pointer, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if t = t.UTC(); err != nil || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, refuse(pointer, "RFC 3339, 5.6 (Internet Date/Time Format): a year has four digits", "In UTC it is not in the years 0001 to 9999.", "Give a time within them.")
	}
	return t, nil
}

// Credential answers one credential; it answers [ErrNotFound] for what was never
// issued and [ErrWithdrawn] for what is no longer kept.
func (s *Service) Credential(ctx context.Context, id string) (Credential, error) {
	id, err := known(id, ErrNotFound)
	if err != nil {
		return Credential{}, err
	}
	c, err := s.store.Credential(ctx, id)
	switch {
	case err != nil:
		return Credential{}, err
	case c.State == Withdrawn:
		return Credential{}, ErrWithdrawn
	case c.State != Issued:
		return Credential{}, ErrNotFound
	}
	return c, nil
}

// Credentials answers a page of credentials, [ErrFilter] or [paging.ErrCursor]. The
// filter names a recipient in plain text.
func (s *Service) Credentials(ctx context.Context, f Filter, q paging.Query) (paging.Page[Credential], error) {
	for _, id := range []*string{&f.IssuerID, &f.AchievementID} {
		if *id == "" {
			continue
		}
		var err error
		if *id, err = known(*id, ErrFilter.Detailf("Identifiers of issuers and achievements are UUIDs.")); err != nil {
			return paging.Page[Credential]{}, err
		}
	}
	if f.State != "" && f.State != string(Issued) && f.State != string(Withdrawn) {
		return paging.Page[Credential]{}, ErrFilter.Detailf("The states are %s and %s.", Issued, Withdrawn)
	}
	if f.Status != "" && f.Status != "revoked" && f.Status != "suspended" {
		return paging.Page[Credential]{}, ErrFilter.Detailf("The status to list by is revoked or suspended.")
	}
	if f.Recipient != "" {
		f.Recipient = s.sealer.Index(plain(f.Recipient))
	}
	return s.store.Credentials(ctx, f, q)
}

// Badge answers the credential baked into the picture of its achievement. Where
// there is no SVG, one is made that shows the PNG. It answers with [ErrPicture].
func (s *Service) Badge(ctx context.Context, id string, format image.Format) ([]byte, error) {
	c, err := s.Credential(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.bake(ctx, c, format, c.Document, image.Options{Overwrite: true})
}

// bake puts a document into the picture of the achievement of a credential.
func (s *Service) bake(ctx context.Context, c Credential, format image.Format, document []byte, o image.Options) ([]byte, error) {
	picture, err := s.achievements.Picture(ctx, c.AchievementID, format)
	if notFound(err) && format == image.SVG {
		if picture, err = s.achievements.Picture(ctx, c.AchievementID, image.PNG); err == nil {
			picture, err = frame(picture)
		}
	}
	if notFound(err) {
		return nil, ErrPicture.Detailf("The achievement has no %s picture: upload one with PUT /api/v1/images/{id}, or POST the credential and a picture to /api/v1/bake.", format)
	}
	if err != nil {
		return nil, err
	}
	o.Checked = true // when it was uploaded
	badge, err := image.Bake(picture, document, o)
	s.counts.pictures.Count(1, metric.Outcome(err))
	var unfit *image.Error
	if errors.As(err, &unfit) { // such as a frame round a very large PNG
		return nil, ErrPicture.With(err).Detailf("The credential does not go into this picture: %s. %s", unfit.Problem, unfit.Remedy)
	}
	return badge, err
}

// PictureFormat tells in which format the badge can be shown: PNG where there is
// one, else SVG, else neither.
func (s *Service) PictureFormat(ctx context.Context, c Credential) (image.Format, error) {
	found, err := shelf.Get(ctx, s.shelf, "picture format "+c.AchievementID, func(ctx context.Context) (pictureFormat, error) {
		format, err := s.pictureFormat(ctx, c)
		return pictureFormat(format), err
	})
	return image.Format(found), err
}

// pictureFormat lies on the shelf: to look it up is to read the picture.
type pictureFormat image.Format

// Weight implements [shelf.Weighed].
func (pictureFormat) Weight() int { return 0 }

func (s *Service) pictureFormat(ctx context.Context, c Credential) (image.Format, error) {
	for _, format := range []image.Format{image.PNG, image.SVG} {
		_, err := s.achievements.Picture(ctx, c.AchievementID, format)
		if err == nil {
			return format, nil
		}
		if !notFound(err) {
			return "", err
		}
	}
	return "", nil
}

// Settle sweeps away what a crash left reserved but unsigned. It runs at start and
// is safe while other replicas issue: only old reservations go, and one that is
// signed too late finds its reservation gone and fails.
//
// It stops no start: a schema that is not up to date is for readiness to tell.
func (s *Service) Settle(ctx context.Context) {
	swept, err := s.store.Sweep(ctx, s.now().Add(-s.abandoned))
	switch {
	case err != nil:
		s.log.WarnContext(ctx, "reservations not settled", "error", err)
	case swept > 0:
		s.log.WarnContext(ctx, "abandoned reservations removed", "count", swept)
	}
}
