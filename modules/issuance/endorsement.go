package issuance

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// EndorsementState is how far an endorsement has come.
type EndorsementState string

// The states of an endorsement. Whether one that was given is revoked is in its status
// list.
const (
	EndorsementRequested EndorsementState = "requested"
	EndorsementDeclined  EndorsementState = "declined"
	EndorsementGiven     EndorsementState = "given"
)

// What can be endorsed.
const (
	endorsesAchievement = "achievement"
	endorsesIssuer      = "issuer"
	endorsesCredential  = "credential"
)

// Endorsement is one issuer's word for an achievement, a credential or another issuer.
type Endorsement struct {
	ID          string
	EndorserID  string
	SubjectKind string
	SubjectID   string
	SubjectURI  string
	SubjectName string
	State       EndorsementState
	Note        string          // what whoever asked for it said
	Document    json.RawMessage // the EndorsementCredential, byte for byte
	Token       string          // the same as a compact JWS, where the endorser makes them
	ValidFrom   *time.Time
	ValidUntil  *time.Time
	Place       statuslist.Place
	Created     time.Time
	Updated     time.Time

	subjectIssuer string
}

// EndorsementOrder asks an issuer to endorse something; one subject must be named.
type EndorsementOrder struct {
	EndorserID    string `json:"endorserId" doc:"The issuer profile that is asked."`
	AchievementID string `json:"achievementId,omitempty" doc:"What is to be endorsed: this achievement,"`
	IssuerID      string `json:"issuerId,omitempty" doc:"or this issuer profile,"`
	CredentialID  string `json:"credentialId,omitempty" doc:"or this credential."`
	Note          string `json:"note,omitempty" doc:"For whoever decides; not published."`
}

// EndorsementWords are what an endorser says.
type EndorsementWords struct {
	Name        string                `json:"name,omitempty" doc:"Name of the endorsement; made of the subject's unless given."`
	Description string                `json:"description,omitempty"`
	Comment     string                `json:"comment,omitempty" doc:"What the endorser has to say, in Markdown."`
	ValidUntil  string                `json:"validUntil,omitempty" format:"date-time"`
	Evidence    []openbadges.Evidence `json:"evidence,omitempty" doc:"What the endorsement rests on."`
}

// EndorsementFilter narrows a listing. Empty fields do not.
type EndorsementFilter struct{ EndorserID, SubjectID, State string }

// Profiles knows the profiles of issuers. Module achievements serves it.
type Profiles interface {
	// Profile answers an issuer as it goes into what it signs, without an id; or a
	// fault of kind not found.
	Profile(ctx context.Context, issuerID string) (openbadges.Profile, error)
}

// Endorsements holds the rules of endorsing: somebody asks, the endorser signs or
// declines, and may revoke.
type Endorsements struct {
	service  *Service
	profiles Profiles
	public   config.PublicURL
}

// NewEndorsements makes the endorsements of a service.
func NewEndorsements(public config.PublicURL, service *Service, profiles Profiles) *Endorsements {
	return &Endorsements{service: service, profiles: profiles, public: public}
}

const (
	endorsementRule = "Open Badges 3.0, EndorsementCredential"
	longestNote     = 2000
)

// URL is the public address of an endorsement, and its identifier.
func (e *Endorsements) URL(id string) string { return e.public.Join("endorsements", id) }

// subject finds what an order names.
func (e *Endorsements) subject(ctx context.Context, o EndorsementOrder) (found Endorsement, err error) {
	named := 0
	for _, id := range []string{o.AchievementID, o.IssuerID, o.CredentialID} {
		if id != "" {
			named++
		}
	}
	if named != 1 {
		return found, refuse("", endorsementRule, "It names not one thing to endorse.", "Give one of achievementId, issuerId and credentialId.")
	}
	unknown := func(pointer, what string) error {
		return refuse(pointer, endorsementRule, "There is no such "+what+".", "Give the id of one that is here.")
	}
	switch {
	case o.AchievementID != "":
		id, err := known(o.AchievementID, unknown("/achievementId", endorsesAchievement))
		if err != nil {
			return found, err
		}
		issuerID, achievement, _, err := e.service.achievements.Snapshot(ctx, id)
		if notFound(err) {
			return found, unknown("/achievementId", endorsesAchievement)
		}
		return Endorsement{SubjectKind: endorsesAchievement, SubjectID: id, SubjectURI: achievement.ID, SubjectName: achievement.Name, subjectIssuer: issuerID}, err
	case o.IssuerID != "":
		id, err := known(o.IssuerID, unknown("/issuerId", endorsesIssuer))
		if err != nil {
			return found, err
		}
		profile, err := e.profiles.Profile(ctx, id)
		if notFound(err) {
			return found, unknown("/issuerId", endorsesIssuer)
		}
		if err != nil {
			return found, err
		}
		uri, _, err := e.service.keyring.Identity(ctx, id)
		return Endorsement{SubjectKind: endorsesIssuer, SubjectID: id, SubjectURI: uri, SubjectName: profile.Name, subjectIssuer: id}, err
	}
	c, err := e.service.Credential(ctx, o.CredentialID)
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrWithdrawn) {
		return found, unknown("/credentialId", endorsesCredential)
	}
	return Endorsement{SubjectKind: endorsesCredential, SubjectID: c.ID, SubjectURI: e.service.URL(c.ID), SubjectName: c.Name, subjectIssuer: c.IssuerID}, err
}

// Request asks an issuer to endorse something of another issuer. It answers with
// [ErrInvalid].
func (e *Endorsements) Request(ctx context.Context, o EndorsementOrder) (Endorsement, error) {
	nobody := refuse("/endorserId", endorsementRule, "There is no such issuer profile.", "Give the id of the profile that is to endorse.")
	endorser, err := known(o.EndorserID, nobody)
	if err != nil {
		return Endorsement{}, err
	}
	if _, err := e.profiles.Profile(ctx, endorser); notFound(err) {
		return Endorsement{}, nobody
	} else if err != nil {
		return Endorsement{}, err
	}
	if len(o.Note) > longestNote || strings.ContainsRune(o.Note, 0) {
		return Endorsement{}, refuse("/note", "request schema", "The note cannot be kept.", fmt.Sprintf("Give at most %d bytes of text.", longestNote))
	}
	asked, err := e.subject(ctx, o)
	if err != nil {
		return Endorsement{}, err
	}
	if asked.subjectIssuer == endorser {
		return Endorsement{}, selfEndorsement("/endorserId")
	}
	now := e.service.now().UTC().Truncate(time.Second)
	asked.ID, asked.EndorserID, asked.State, asked.Note, asked.Created, asked.Updated = newID(), endorser, EndorsementRequested, o.Note, now, now
	err = e.service.work.Do(ctx, func(ctx context.Context) error {
		if err := e.service.store.InsertEndorsement(ctx, asked); err != nil {
			return err
		}
		return e.service.record(ctx, "issuance.endorsement.requested", asked.ID, "issuer:"+endorser)
	})
	return asked, err
}

// selfEndorsement refuses an endorsement of what is the endorser's own: it would say
// nothing that the endorser does not say already.
func selfEndorsement(pointer string) error {
	return refuse(pointer, endorsementRule+": somebody else vouches", "The endorser would endorse itself.", "Ask another issuer.")
}

// Endorsement answers one endorsement, or [ErrEndorsementUnknown].
func (e *Endorsements) Endorsement(ctx context.Context, id string) (Endorsement, error) {
	id, err := known(id, ErrEndorsementUnknown)
	if err != nil {
		return Endorsement{}, err
	}
	return e.service.store.Endorsement(ctx, id)
}

// Given answers an endorsement that was given, or [ErrEndorsementUnknown].
func (e *Endorsements) Given(ctx context.Context, id string) (Endorsement, error) {
	found, err := e.Endorsement(ctx, id)
	if err == nil && found.State != EndorsementGiven {
		err = ErrEndorsementUnknown
	}
	return found, err
}

// List answers a page of endorsements, [ErrFilter] or [paging.ErrCursor].
func (e *Endorsements) List(ctx context.Context, f EndorsementFilter, q paging.Query) (paging.Page[Endorsement], error) {
	for _, id := range []*string{&f.EndorserID, &f.SubjectID} {
		if *id == "" {
			continue
		}
		var err error
		if *id, err = known(*id, ErrFilter.Detailf("Identifiers of issuers and of what is endorsed are UUIDs.")); err != nil {
			return paging.Page[Endorsement]{}, err
		}
	}
	switch EndorsementState(f.State) {
	case "", EndorsementRequested, EndorsementDeclined, EndorsementGiven:
	default:
		return paging.Page[Endorsement]{}, ErrFilter.Detailf("The states are %s, %s and %s.", EndorsementRequested, EndorsementDeclined, EndorsementGiven)
	}
	return e.service.store.Endorsements(ctx, f, q)
}

// Give signs an endorsement that was asked for, in the name of the endorser. It answers
// with [ErrEndorsementUnknown], [ErrEndorsementSettled] or [ErrInvalid].
func (e *Endorsements) Give(ctx context.Context, id string, words EndorsementWords) (Endorsement, error) {
	s := e.service
	given, err := e.Endorsement(ctx, id)
	if err != nil {
		return Endorsement{}, err
	}
	if given.State != EndorsementRequested {
		return Endorsement{}, ErrEndorsementSettled.Detailf("It was %s.", given.State)
	}
	if given.subjectIssuer == given.EndorserID {
		return Endorsement{}, selfEndorsement("")
	}
	profile, err := e.profiles.Profile(ctx, given.EndorserID)
	if err != nil {
		return Endorsement{}, err
	}
	plan, err := s.keyring.plan(ctx, given.EndorserID, Form{})
	if err != nil {
		return Endorsement{}, err
	}
	// Who endorses the endorser is another question, and would grow without end.
	profile.ID, profile.Endorsement, profile.EndorsementJwt = plan.uri, nil, nil
	now := s.now().UTC().Truncate(time.Second)
	doc := openbadges.EndorsementCredential{
		ID: e.URL(given.ID), Name: words.Name, Description: words.Description, Issuer: profile,
		ValidFrom: now.Format(time.RFC3339), ValidUntil: whole(words.ValidUntil), Evidence: words.Evidence,
		CredentialSubject: openbadges.EndorsementSubject{ID: given.SubjectURI, EndorsementComment: words.Comment},
	}
	if doc.Name == "" {
		doc.Name = "Endorsement: " + given.SubjectName
	}
	doc.Complete(newURN)
	places, err := s.statuses.Take(ctx, given.EndorserID, 1)
	if err != nil {
		return Endorsement{}, err
	}
	given.Place = places[0]
	doc.CredentialStatus = s.statuses.Entry(given.Place, statuslist.Revocation)
	prepared, err := credential.PrepareEndorsement(s.canonical, doc)
	if err == nil {
		err = plan.fit(prepared)
	}
	if err != nil {
		s.statuses.Return(given.EndorserID, given.Place)
		return Endorsement{}, endorsementLint(err)
	}
	given.ValidFrom = &now
	if doc.ValidUntil != "" {
		until, err := moment("/validUntil", doc.ValidUntil)
		if err != nil {
			return Endorsement{}, err
		}
		given.ValidUntil = &until
	}
	log := s.log.With("endorsement", given.ID, "endorser", given.EndorserID, "keys", plan.keys, "by", principal.From(ctx).ID)
	log.InfoContext(ctx, "endorsement signing")
	var secured Credential
	if err := plan.secure(ctx, s.canonical, prepared, &secured, now); err != nil {
		return Endorsement{}, fmt.Errorf("issuance: sign endorsement %s: %w", given.ID, err)
	}
	given.State, given.Document, given.Token, given.Updated = EndorsementGiven, secured.Document, secured.Token, now
	if err := e.settle(ctx, given, "issuance.endorsement.given"); err != nil {
		return Endorsement{}, err
	}
	log.InfoContext(ctx, "endorsement given")
	return given, nil
}

// endorsementLint turns what the lint found into a fault whose pointers lead into the
// request.
func endorsementLint(err error) error {
	var found *credential.LintError
	if !errors.As(err, &found) {
		return err
	}
	f := ErrInvalid
	for _, v := range found.Violations {
		if v.Pointer == "/credentialSubject/endorsementComment" {
			v.Pointer = "/comment"
		}
		f = f.Violating(fault.Violation(v))
	}
	return f
}

// settle stores what came of a request, if nobody settled it before.
func (e *Endorsements) settle(ctx context.Context, settled Endorsement, action string) error {
	return e.service.work.Do(ctx, func(ctx context.Context) error {
		if err := e.service.store.SettleEndorsement(ctx, settled); err != nil {
			return err
		}
		return e.service.record(ctx, action, settled.ID, "issuer:"+settled.EndorserID)
	})
}

// Decline says no. It answers with [ErrEndorsementUnknown] or [ErrEndorsementSettled].
func (e *Endorsements) Decline(ctx context.Context, id string) (Endorsement, error) {
	found, err := e.Endorsement(ctx, id)
	if err != nil {
		return Endorsement{}, err
	}
	found.State, found.Updated = EndorsementDeclined, e.service.now().UTC().Truncate(time.Second)
	return found, e.settle(ctx, found, "issuance.endorsement.declined")
}

// Revoke takes an endorsement back that was given, for good. It answers with
// [ErrEndorsementUnknown], [statuslist.ErrNoEntry] or [statuslist.ErrReason].
func (e *Endorsements) Revoke(ctx context.Context, id, reason string) (Endorsement, error) {
	found, err := e.Given(ctx, id)
	if err != nil {
		return Endorsement{}, err
	}
	s := e.service
	err = s.work.Do(ctx, func(ctx context.Context) error {
		deed, err := s.statuses.Change(ctx, statuslist.Revoke, found.ID, found.Place, reason)
		if err != nil || deed.Changed == 0 {
			return err
		}
		return s.record(ctx, "issuance.endorsement.revoked", found.ID, "operation:"+deed.Operation)
	})
	return found, err
}

// Standings tells how it stands with some endorsements, by their entries.
func (e *Endorsements) Standings(ctx context.Context, several ...Endorsement) (map[statuslist.Place]statuslist.Standing, error) {
	places := make([]statuslist.Place, len(several))
	for i, one := range several {
		places[i] = one.Place
	}
	return e.service.statuses.Standings(ctx, places...)
}

// mostEmbedded is how many endorsements one credential may carry.
const mostEmbedded = 20

// embed puts endorsements that were given here into a credential, each where what it
// endorses stands, as documents and as tokens. It answers with [ErrInvalid] for one that
// is not about this credential, its achievement or its issuer, or is not valid.
func (s *Service) embed(ctx context.Context, doc *openbadges.AchievementCredential, award Award) error {
	if n := len(award.EndorsementIDs) + len(award.EndorsementJwtIDs); n > mostEmbedded {
		return refuse("/endorsementIds", endorsementRule, fmt.Sprintf("There are %d endorsements.", n), fmt.Sprintf("Name at most %d.", mostEmbedded))
	}
	for i, id := range award.EndorsementIDs {
		at := fmt.Sprintf("/endorsementIds/%d", i)
		found, err := s.toEmbed(ctx, at, id, award.EndorsementIDs[:i])
		if err != nil {
			return err
		}
		places := map[string]*[]json.RawMessage{doc.Issuer.ID: &doc.Issuer.Endorsement, doc.CredentialSubject.Achievement.ID: &doc.CredentialSubject.Achievement.Endorsement, doc.ID: &doc.Endorsement}
		if err := put(places, at, found, found.Document); err != nil {
			return err
		}
	}
	for i, id := range award.EndorsementJwtIDs {
		at := fmt.Sprintf("/endorsementJwtIds/%d", i)
		found, err := s.toEmbed(ctx, at, id, award.EndorsementJwtIDs[:i])
		if err != nil {
			return err
		}
		if found.Token == "" {
			return refuse(at, endorsementRule, "It was not given as a token.", "Name it in endorsementIds, or let the endorser choose a format with PUT /api/v1/issuers/{id}/signing and endorse anew.")
		}
		places := map[string]*[]string{doc.Issuer.ID: &doc.Issuer.EndorsementJwt, doc.CredentialSubject.Achievement.ID: &doc.CredentialSubject.Achievement.EndorsementJwt, doc.ID: &doc.EndorsementJwt}
		if err := put(places, at, found, found.Token); err != nil {
			return err
		}
	}
	return nil
}

// put adds an endorsement where what it endorses stands.
func put[T any](places map[string]*[]T, at string, e Endorsement, form T) error {
	place := places[e.SubjectURI]
	if place == nil {
		return refuse(at, endorsementRule, "It endorses something else.", "Name endorsements of this credential, its achievement or its issuer.")
	}
	*place = append(slices.Clip(*place), form)
	return nil
}

// toEmbed finds an endorsement that can be embedded and was not named before.
func (s *Service) toEmbed(ctx context.Context, at, id string, before []string) (Endorsement, error) {
	found, why, err := s.embeddable(ctx, id)
	if err != nil {
		return found, err
	}
	if why != "" {
		return found, refuse(at, endorsementRule, why, "Name endorsements that GET /api/v1/endorsements shows as given and valid.")
	}
	if slices.Contains(before, id) {
		return found, refuse(at, endorsementRule, "It is named twice.", "Name it once.")
	}
	return found, nil
}

// embeddable finds an endorsement that can be embedded, or says why it cannot.
func (s *Service) embeddable(ctx context.Context, id string) (Endorsement, string, error) {
	id, err := known(id, ErrEndorsementUnknown)
	var found Endorsement
	if err == nil {
		found, err = s.store.Endorsement(ctx, id)
	}
	switch {
	case errors.Is(err, ErrEndorsementUnknown):
		return found, "There is no such endorsement.", nil
	case err != nil:
		return found, "", err
	case found.State != EndorsementGiven:
		return found, "It is not given.", nil
	case found.ValidUntil != nil && s.now().After(*found.ValidUntil):
		return found, "It has expired.", nil
	}
	standings, err := s.statuses.Standings(ctx, found.Place)
	if err == nil && standings[found.Place].Revoked {
		return found, "It is revoked.", nil
	}
	return found, "", err
}

// endorsementID is the id of an endorsement from here; empty for any other.
func (s *Service) endorsementID(raw json.RawMessage) string {
	var named struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(raw, &named) != nil {
		return ""
	}
	id, ours := strings.CutPrefix(named.ID, s.public.Join("endorsements", ""))
	if !ours {
		return ""
	}
	return id
}

// endorsementTokenID is [Service.endorsementID] of a token.
func (s *Service) endorsementTokenID(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	return s.endorsementID(payload)
}

// embedded are the ids of the endorsements from here that a version embeds and that
// still hold, as documents and as tokens, so that the next can say the same. What the
// definition of the achievement or the profile holds is no concern of a version.
func (s *Service) embedded(ctx context.Context, doc openbadges.AchievementCredential) (ids, tokens []string, err error) {
	hold := func(into *[]string, id string) error {
		if id == "" || len(ids)+len(tokens) >= mostEmbedded {
			return nil
		}
		_, why, err := s.embeddable(ctx, id)
		if err == nil && why == "" {
			*into = append(*into, id)
		}
		return err
	}
	achievement := doc.CredentialSubject.Achievement
	for _, raw := range slices.Concat(achievement.Endorsement, doc.Issuer.Endorsement, doc.Endorsement) {
		if err := hold(&ids, s.endorsementID(raw)); err != nil {
			return nil, nil, err
		}
	}
	for _, token := range slices.Concat(achievement.EndorsementJwt, doc.Issuer.EndorsementJwt, doc.EndorsementJwt) {
		if err := hold(&tokens, s.endorsementTokenID(token)); err != nil {
			return nil, nil, err
		}
	}
	return ids, tokens, nil
}
