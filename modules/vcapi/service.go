package vcapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/credential/status"
	"github.com/badge-engine/badge-engine/modules/internal/datamodel"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// dataIntegrityContext defines the members of a proof where the base context, that of
// data model 1.1, does not.
const dataIntegrityContext = "https://w3id.org/security/data-integrity/v2"

// Signing is what was signed for whom.
type Signing struct {
	ID           string
	IssuerID     string
	CredentialID string // the id of the credential; may be empty
	Cryptosuite  string
	Digest       string // SHA-256 of what was answered, in hexadecimal
	At           Place  // its status entry; none where it brought its own or could have none
	Principal    string
	Created      time.Time
}

// Parts are what a service is made of.
type Parts struct {
	Public    config.PublicURL
	Store     *Store
	Work      Work
	Issuers   Issuers
	Statuses  Statuses
	Awards    Awards
	Verifier  Verifier
	Audit     Audit // may be nil
	Canonical integrity.Canonicalizer
	Now       func() time.Time
}

// Service holds the rules of the API.
type Service struct {
	Parts
	log *slog.Logger
}

// New makes a service.
func New(parts Parts, log *slog.Logger) *Service { return &Service{parts, log} }

// IssueOptions say how a credential is signed.
type IssueOptions struct {
	Cryptosuite       string
	MandatoryPointers []string
}

// own are the types of credentials by which others are judged: only this server itself
// makes those of its issuers.
var own = []string{"BitstringStatusListCredential", "StatusList2021Credential", "RevocationList2020Credential"}

// Issue signs a credential and answers it with its proof. It answers with [ErrInvalid],
// [ErrSecured], [ErrIssuer], [ErrReserved] or [ErrOption], and then nothing was signed.
func (s *Service) Issue(ctx context.Context, document map[string]any, o IssueOptions) (map[string]any, error) {
	document = maps.Clone(document)
	if _, there := document["proof"]; there {
		return nil, ErrSecured.Detailf("Leave the member proof out; a signed credential cannot be signed again in another's name.")
	}
	if found := check(document, true); len(found) > 0 {
		return nil, invalid(found)
	}
	if err := s.reserved(document); err != nil {
		return nil, err
	}
	if len(o.MandatoryPointers) > 0 && o.Cryptosuite == "" {
		o.Cryptosuite = integrity.ECDSASD2023
	}
	issuerID, suite, signer, err := s.Issuers.SignerOf(ctx, partyID(document["issuer"]), o.Cryptosuite)
	if f, ok := fault.From(err); ok && f.Kind() == fault.NotFound {
		return nil, ErrIssuer.Detailf("Name the address or the did:web of an issuer here, or the did:key of one of its keys, as issuer.")
	}
	if err != nil {
		return nil, err
	}
	withContexts(document)
	at, err := s.withStatus(ctx, issuerID, document)
	if err != nil {
		return nil, err
	}
	if suite == integrity.ECDSASD2023 && len(o.MandatoryPointers) == 0 {
		o.MandatoryPointers = mandatory(document)
	}
	now := s.Now().UTC().Truncate(time.Second)
	id, credentialID := uuid.Must(uuid.NewV7()).String(), text(document, "id")
	log := s.log.With("signing", id, "issuer", issuerID, "method", signer.VerificationMethod(), "by", principal.From(ctx).ID)
	log.InfoContext(ctx, "credential signing")
	proof, err := integrity.Create(ctx, s.Canonical, suite, signer, document, integrity.Options{Created: now, MandatoryPointers: o.MandatoryPointers})
	if err != nil {
		return nil, s.failed(ctx, id, refused(err, ErrInvalid))
	}
	document["proof"] = proof
	text, err := json.Marshal(document)
	if err != nil {
		return nil, s.failed(ctx, id, fmt.Errorf("vcapi: write credential: %w", err))
	}
	sum := sha256.Sum256(text)
	g := Signing{ID: id, IssuerID: issuerID, CredentialID: credentialID, Cryptosuite: suite, Digest: hex.EncodeToString(sum[:]), At: at, Principal: principal.From(ctx).ID, Created: now}
	// What is not written down does not leave: a signature that nobody knows of could
	// never be revoked.
	err = s.Work.Do(ctx, func(ctx context.Context) error {
		if err := s.Store.Insert(ctx, g); err != nil || s.Audit == nil {
			return err
		}
		return s.Audit.Record(ctx, "vcapi.credential.signed", id, "issuer:"+issuerID, nil)
	})
	if err != nil {
		return nil, s.failed(ctx, id, err)
	}
	log.InfoContext(ctx, "credential signed")
	return document, nil
}

func (s *Service) failed(ctx context.Context, id string, failure error) error {
	if s.Audit != nil {
		_ = s.Audit.Record(ctx, "vcapi.credential.signed", id, "", failure) // never fails with a failure
	}
	return failure
}

// check judges a credential by the rules of the data model, and by those of Open Badges
// where it says that it is a badge.
func check(document map[string]any, issuing bool) []openbadges.Violation {
	found := datamodel.CheckCredential(document, issuing)
	// Rules for our own writing ask for more than a caller's credential needs.
	switch types := typesOf(document); {
	case slices.Contains(types, openbadges.TypeEndorsementCredential):
		found = append(found, openbadges.CheckEndorsement(document, openbadges.Reading)...)
	case slices.Contains(types, openbadges.TypeAchievementCredential) || slices.Contains(types, "OpenBadgeCredential"):
		found = append(found, openbadges.CheckCredential(document, openbadges.Reading)...)
	}
	if !issuing {
		return found
	}
	for _, entry := range list(document["credentialStatus"]) {
		member, _ := entry.(map[string]any)
		if !slices.Contains(typesOf(member), openbadges.TypeBitstringStatusListEntry) {
			continue
		}
		var trouble *status.Error
		if _, err := status.ReadEntry(member); errors.As(err, &trouble) {
			found = append(found, openbadges.Violation{Pointer: "/credentialStatus", Rule: "Bitstring Status List 1.0, 2.1 (BitstringStatusListEntry)", Detail: trouble.Problem, Remedy: trouble.Remedy})
		}
	}
	return found
}

// reserved keeps callers from making what verifiers of this server would believe it
// said itself: status lists, and credentials under addresses here.
func (s *Service) reserved(document map[string]any) error {
	for _, name := range typesOf(document) {
		if slices.Contains(own, name) {
			return ErrReserved.Detailf("A %s of an issuer here is published by this server.", name)
		}
	}
	if strings.HasPrefix(strings.ToLower(text(document, "id")), strings.ToLower(s.Public.String())+"/") {
		return ErrReserved.Detailf("Ids below %s belong to what is published there. Use an id of your own, such as urn:uuid.", s.Public)
	}
	for _, entry := range list(document["credentialStatus"]) {
		member, _ := entry.(map[string]any)
		if strings.HasPrefix(text(member, "statusListCredential"), s.Public.String()+"/") {
			return ErrReserved.Detailf("Entries of the status lists here are given away by this server. Leave credentialStatus out, and the credential gets one.")
		}
	}
	return nil
}

// withContexts adds the context that a proof needs.
func withContexts(document map[string]any) {
	contexts, _ := document["@context"].([]any)
	if datamodel.Version1(document) && !slices.Contains(contexts, any(dataIntegrityContext)) {
		document["@context"] = append(slices.Clone(contexts), dataIntegrityContext)
	}
}

// withStatus gives the credential a status entry, unless it brings one or its context
// does not know any.
func (s *Service) withStatus(ctx context.Context, issuerID string, document map[string]any) (Place, error) {
	if _, there := document["credentialStatus"]; there || datamodel.Version1(document) {
		return Place{}, nil
	}
	at, entry, err := s.Statuses.Reserve(ctx, issuerID)
	if err != nil || entry == nil {
		return Place{}, err
	}
	document["credentialStatus"] = entry
	return at, nil
}

// mandatory is what no holder must hide: who says it, since and until when, and whether
// it was revoked.
func mandatory(document map[string]any) []string {
	var pointers []string
	for _, name := range [...]string{"issuer", "validFrom", "validUntil", "issuanceDate", "expirationDate", "credentialStatus", "credentialSchema", "refreshService", "termsOfUse"} {
		if _, there := document[name]; there {
			pointers = append(pointers, "/"+name)
		}
	}
	return pointers
}

// Derive makes of a credential with a base proof one that shows less, or answers
// [ErrDerive].
func (s *Service) Derive(_ context.Context, document map[string]any, pointers []string) (map[string]any, error) {
	derived, err := integrity.Derive(s.Canonical, document, pointers)
	if err != nil {
		return nil, refused(err, ErrDerive)
	}
	return single(derived), nil
}

// single writes one proof as an object, as this API has it.
func single(document map[string]any) map[string]any {
	if proofs, ok := document["proof"].([]any); ok && len(proofs) == 1 {
		document = maps.Clone(document)
		document["proof"] = proofs[0]
	}
	return document
}

// Verify judges a credential of any kind.
func (s *Service) Verify(ctx context.Context, p *credential.Parsed) (credential.Report, error) {
	return s.Verifier.VerifyParsed(ctx, p, credential.Options{Rules: read})
}

// VerifyPresentation judges a presentation.
func (s *Service) VerifyPresentation(ctx context.Context, document map[string]any, domain, challenge string) (credential.PresentationReport, error) {
	return s.Verifier.VerifyPresentation(ctx, document, credential.PresentationOptions{Domain: domain, Challenge: challenge, Rules: read})
}

func read(document map[string]any) []openbadges.Violation { return check(document, false) }

// Change is a change of status that somebody asks for.
type Change struct {
	CredentialID string
	Purpose      string // revocation
	On           bool
	Reason       string
}

// maxSignings bounds how many credentials of one id are revoked at once.
const maxSignings = 100

// SetStatus revokes every credential that was signed here under an id. It answers with
// [ErrNotFound] or [ErrStatus].
func (s *Service) SetStatus(ctx context.Context, c Change) error {
	switch {
	case c.Purpose != "revocation":
		return ErrStatus.Detailf("The status entries of this API are for revocation.").Violating(fault.Violation{Pointer: "/credentialStatus/statusPurpose", Rule: "Bitstring Status List 1.0, 2.1 (BitstringStatusListEntry)", Detail: "The purpose is not revocation.", Remedy: `Give "statusPurpose": "revocation".`})
	case !c.On:
		return ErrStatus.Detailf("A revocation cannot be undone.").Violating(fault.Violation{Pointer: "/status", Rule: "Bitstring Status List 1.0, 2.1: revocation is not reversible", Detail: "The status would be taken back.", Remedy: "Sign a new credential."})
	case c.CredentialID == "":
		return ErrStatus.Violating(fault.Violation{Pointer: "/credentialId", Rule: "Verifiable Credential API: credentialId", Detail: "It is missing.", Remedy: "Give the id of the credential."})
	}
	if known, err := s.Awards.RevokeAward(ctx, c.CredentialID, c.Reason); known || err != nil {
		return err
	}
	err := s.Work.Do(ctx, func(ctx context.Context) error {
		signings, err := s.Store.Signings(ctx, c.CredentialID, maxSignings)
		if err != nil {
			return err
		}
		if len(signings) == 0 {
			return ErrNotFound
		}
		changed := 0
		for _, g := range signings {
			if g.At.List == "" {
				continue
			}
			if err := s.Statuses.Revoke(ctx, g.ID, g.At, c.Reason); err != nil {
				return err
			}
			if changed++; s.Audit != nil {
				if err := s.Audit.Record(ctx, "vcapi.credential.revoked", g.ID, "issuer:"+g.IssuerID, nil); err != nil {
					return err
				}
			}
		}
		if changed == 0 {
			return ErrStatus.Detailf("It was signed without a status entry of this server.")
		}
		return nil
	})
	if err != nil && s.Audit != nil {
		_ = s.Audit.Record(ctx, "vcapi.credential.revoked", "", "", err) // never fails with a failure
	}
	return err
}

func partyID(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		return text(v, "id")
	}
	return ""
}

func text(m map[string]any, name string) string {
	s, _ := m[name].(string)
	return s
}

func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

func typesOf(m map[string]any) []string {
	var names []string
	for _, entry := range list(m["type"]) {
		if s, ok := entry.(string); ok {
			names = append(names, s)
		}
	}
	return names
}
