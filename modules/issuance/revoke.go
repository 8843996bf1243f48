package issuance

import (
	"context"
	"fmt"

	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// done is what an act is called once it is done.
var done = map[statuslist.Act]string{statuslist.Revoke: "revoked", statuslist.Suspend: "suspended", statuslist.Resume: "resumed"}

// Standings tells how it stands with some credentials, by their entries.
func (s *Service) Standings(ctx context.Context, credentials ...Credential) (map[statuslist.Place]statuslist.Standing, error) {
	places := make([]statuslist.Place, len(credentials))
	for i, c := range credentials {
		places[i] = c.Place
	}
	return s.statuses.Standings(ctx, places...)
}

// RevocationListURL is where the plain list of an issuer is.
func (s *Service) RevocationListURL(issuerID string) string {
	return s.public.Join("issuers", issuerID, "revocations")
}

// statusEntry is how a credential says where its status can be asked for.
func (s *Service) statusEntry(c Credential) *openbadges.CredentialStatus {
	if c.StatusPurpose != statuslist.Plain || c.Place.List == "" {
		return s.statuses.Entry(c.Place, c.StatusPurpose)
	}
	if !openbadges.IsSecureURL(s.public.String()) { // as with lists of entries
		return nil
	}
	return &openbadges.CredentialStatus{ID: s.RevocationListURL(c.IssuerID), Type: openbadges.TypeRevocationList}
}

// Revocations is a plain list. 1EdTech Verifiable Credentials Revocation List 1.0.
type Revocations struct {
	ID      string              `json:"id"`
	Issuer  string              `json:"issuer"`
	Revoked []RevokedCredential `json:"revokedCredential"`
}

// RevokedCredential is a line of a plain list.
type RevokedCredential struct {
	ID      string `json:"id"`
	Revoked bool   `json:"revoked"`
	Reason  string `json:"revocationReason,omitempty"`
}

// Revocations answers the plain list of an issuer: the credentials that name it and
// are revoked or suspended now. It answers with [ErrIssuerUnknown].
func (s *Service) Revocations(ctx context.Context, issuerID string) (Revocations, error) {
	issuerID, err := known(issuerID, ErrIssuerUnknown)
	if err != nil {
		return Revocations{}, err
	}
	uri, _, err := s.keyring.Identity(ctx, issuerID)
	if err != nil {
		return Revocations{}, err
	}
	listed, err := s.statuses.Listed(ctx, issuerID)
	if err != nil {
		return Revocations{}, err
	}
	out := Revocations{ID: s.RevocationListURL(issuerID), Issuer: uri, Revoked: make([]RevokedCredential, len(listed))}
	for i, l := range listed {
		out.Revoked[i] = RevokedCredential{ID: s.URL(l.CredentialID), Revoked: true, Reason: l.Reason}
	}
	return out, nil
}

// Expired reports whether the validity of a credential is over.
func (s *Service) Expired(c Credential) bool {
	return c.ValidUntil != nil && s.now().After(*c.ValidUntil)
}

// Change revokes, suspends or resumes a credential, also one that is no longer kept
// here. What is so already stays as it is. It answers with [ErrNotFound],
// [statuslist.ErrNoEntry], [statuslist.ErrRevoked] or [statuslist.ErrReason].
func (s *Service) Change(ctx context.Context, act statuslist.Act, id, reason string) (Credential, error) {
	id, err := known(id, ErrNotFound)
	if err != nil {
		return Credential{}, err
	}
	c, err := s.store.Credential(ctx, id)
	if err != nil {
		return Credential{}, err
	}
	if c.State != Issued && c.State != Withdrawn {
		return Credential{}, ErrNotFound
	}
	log := s.log.With("credential", c.ID, "act", string(act), "by", principal.From(ctx).ID)
	log.InfoContext(ctx, "credential status changing")
	action := "issuance.credential." + done[act]
	var deed statuslist.Deed
	err = s.work.Do(ctx, func(ctx context.Context) error {
		var err error
		if deed, err = s.statuses.Change(ctx, act, c.ID, c.Place, reason); err != nil || deed.Changed == 0 {
			return err
		}
		return s.record(ctx, action, c.ID, "operation:"+deed.Operation)
	})
	if err != nil {
		s.failed(ctx, action, c.ID, err)
		return Credential{}, err
	}
	log.InfoContext(ctx, "credential status changed", "operation", deed.Operation, "changed", deed.Changed)
	return c, nil
}

// History tells what was done to the status of a credential, the newest first: by whom,
// why, and by which act where it was one of many. It answers with [ErrNotFound].
func (s *Service) History(ctx context.Context, id string) ([]statuslist.Past, error) {
	id, err := known(id, ErrNotFound)
	if err != nil {
		return nil, err
	}
	c, err := s.store.Credential(ctx, id)
	if err != nil {
		return nil, err
	}
	if c.State != Issued && c.State != Withdrawn {
		return nil, ErrNotFound
	}
	operation, err := s.store.WithdrawnBy(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	return s.statuses.History(ctx, c.Place, operation)
}

// mostIDs is how many credentials a query may name one by one.
const mostIDs = 10000

// query reads a query as it comes from outside: with identifiers in any case, and the
// recipient in plain text.
func (s *Service) query(ctx context.Context, q statuslist.Query) (statuslist.Query, error) {
	for _, id := range []*string{&q.IssuerID, &q.AchievementID} {
		if *id == "" {
			continue
		}
		var err error
		if *id, err = known(*id, statuslist.ErrQuery.Detailf("Identifiers of issuers and achievements are UUIDs.")); err != nil {
			return q, err
		}
	}
	if len(q.IDs) > mostIDs {
		return q, statuslist.ErrQuery.Detailf("It names %d credentials; at most %d are taken.", len(q.IDs), mostIDs)
	}
	ids := make([]string, len(q.IDs))
	for i, id := range q.IDs {
		var err error
		if ids[i], err = known(id, statuslist.ErrQuery.Detailf("Entry %d of ids is no identifier of a credential.", i)); err != nil {
			return q, err
		}
	}
	q.IDs = ids
	if q.KeyID != "" {
		key, found, err := s.store.Key(ctx, q.KeyID)
		switch {
		case err != nil:
			return q, err
		case !found || q.IssuerID != "" && q.IssuerID != key.IssuerID:
			return q, statuslist.ErrQuery.Detailf("There is no such key of the issuer; GET /api/v1/issuers/{id}/keys lists them.")
		}
		q.KeyID, q.IssuerID = key.ID, key.IssuerID // by whom the table has an index
	}
	if q.Recipient != "" {
		q.Recipient = s.sealer.Index(plain(q.Recipient))
	}
	if q.Empty() {
		return q, statuslist.ErrQuery.Detailf("It says nothing, so it is about every credential. Give at least one of its members.")
	}
	return q, nil
}

// Survey tells what an act would do to the credentials that a query matches, and
// changes nothing. It answers with [statuslist.ErrQuery].
func (s *Service) Survey(ctx context.Context, act statuslist.Act, q statuslist.Query) (statuslist.Survey, error) {
	q, err := s.query(ctx, q)
	if err != nil {
		return statuslist.Survey{}, err
	}
	return s.statuses.Survey(ctx, act, q)
}

// ChangeWhere revokes, suspends or resumes all credentials that a query matches, as
// one: if they are as many as expected, and none of them otherwise. It answers with
// [statuslist.ErrQuery], [statuslist.ErrReason] or [statuslist.ErrExpected].
func (s *Service) ChangeWhere(ctx context.Context, act statuslist.Act, q statuslist.Query, reason string, expected int64) (statuslist.Deed, error) {
	q, err := s.query(ctx, q)
	if err != nil {
		return statuslist.Deed{}, err
	}
	log := s.log.With("act", string(act), "expected", expected, "by", principal.From(ctx).ID)
	log.InfoContext(ctx, "credential statuses changing")
	action := "issuance.credentials." + done[act]
	var deed statuslist.Deed
	err = s.work.Do(ctx, func(ctx context.Context) error {
		var err error
		if deed, err = s.statuses.ChangeWhere(ctx, act, q, reason, expected); err != nil {
			return err
		}
		return s.record(ctx, action, "operation:"+deed.Operation, fmt.Sprintf("credentials:%d;%s", deed.Changed, q.Code()))
	})
	if err != nil {
		s.failed(ctx, action, "", err)
		return statuslist.Deed{}, err
	}
	log.InfoContext(ctx, "credential statuses changed", "operation", deed.Operation, "changed", deed.Changed)
	return deed, nil
}

// record writes down a deed in the unit of its caller.
func (s *Service) record(ctx context.Context, action, target, detail string) error {
	if s.audit == nil {
		return nil
	}
	return s.audit.Record(ctx, action, target, detail, nil)
}
