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
	"github.com/badge-engine/badge-engine/modules/internal/credential/jose"
	"github.com/badge-engine/badge-engine/modules/internal/credential/status"
	"github.com/badge-engine/badge-engine/modules/internal/datamodel"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
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
	CredentialID string   // the id of the credential; may be empty
	Cryptosuite  string   // or several, and the form of the token
	Digest       string   // SHA-256 of what was answered, in hexadecimal
	At           Place    // its status entry; none where it brought its own or could have none
	Purposes     []string // what the entry is for
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
	Proofs         []ProofOptions // the embedded proofs; one as the issuer signs when there is neither one nor a token
	Chain          bool           // each proof covers the one before it
	Format         string         // vc+jwt: in a token, around the credential with its proofs
	Algorithm      string         // of the token; else the one that most verifiers read
	StatusPurposes []string       // what the status entry is for; revocation when empty
}

// ProofOptions say how one embedded proof is made.
type ProofOptions struct {
	Cryptosuite       string // as the issuer signs when empty
	MandatoryPointers []string
}

const (
	revocation = "revocation"
	suspension = "suspension"
)

// maxProofs is how many proofs of one credential may be asked for.
const maxProofs = 8

// check completes the options, or answers [ErrOption].
func (o *IssueOptions) check(document map[string]any) error {
	if o.Format != "" && o.Format != string(jose.VCJOSE) {
		return ErrOption.Detailf("The only form of a token here is %s.", jose.VCJOSE)
	}
	if o.Format != "" && datamodel.Version1(document) {
		return ErrOption.Detailf("Tokens hold credentials of data model 2.0: let %s be the first context, or leave format out.", datamodel.ContextV2)
	}
	if o.Algorithm != "" && o.Format == "" {
		return ErrOption.Detailf("An algorithm is named for a token that is not asked for: give format as well.")
	}
	if len(o.Proofs) > maxProofs {
		return ErrOption.Detailf("At most %d proofs are made at once.", maxProofs)
	}
	if len(o.Proofs) == 0 && o.Format == "" {
		o.Proofs = []ProofOptions{{}}
	}
	if o.Chain && len(o.Proofs) < 2 {
		return ErrOption.Detailf("A chain has at least two proofs: give as proof those that it is made of, the first first.")
	}
	for i, p := range o.Proofs {
		if len(p.MandatoryPointers) > 0 && p.Cryptosuite == "" {
			o.Proofs[i].Cryptosuite = integrity.ECDSASD2023
		}
		sd := o.Proofs[i].Cryptosuite == integrity.ECDSASD2023
		if len(p.MandatoryPointers) > 0 && !sd {
			return ErrOption.Detailf("%s always shows the whole credential, and takes no mandatory pointers.", p.Cryptosuite)
		}
		// What a holder derives is another credential: the token around it, or what
		// covers its proof, would say no more.
		if sd && (o.Chain || o.Format != "") {
			return ErrOption.Detailf("A proof of %s stands neither in a chain nor in a token, since the holder replaces it.", integrity.ECDSASD2023)
		}
	}
	for _, purpose := range o.StatusPurposes {
		if purpose != revocation && purpose != suspension {
			return ErrOption.Detailf("The purposes of status entries are %s and %s.", revocation, suspension)
		}
	}
	slices.Sort(o.StatusPurposes)
	if o.StatusPurposes = slices.Compact(o.StatusPurposes); len(o.StatusPurposes) == 0 {
		o.StatusPurposes = []string{revocation}
	}
	_, brings := document["credentialStatus"]
	if brings && len(o.StatusPurposes) > 1 || len(o.StatusPurposes) > 1 && isBadge(document) {
		// Open Badges 3.0, AchievementCredential: credentialStatus is one.
		return ErrOption.Detailf("Only a credential that brings no status, and is no badge, gets more than one status entry.")
	}
	return nil
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
	if err := o.check(document); err != nil {
		return nil, err
	}
	withContexts(document)
	hands, err := s.hands(ctx, partyID(document["issuer"]), o)
	if err != nil {
		return nil, err
	}
	at, err := s.withStatus(ctx, hands.issuerID, document, o.StatusPurposes)
	if err != nil {
		return nil, err
	}
	now := s.Now().UTC().Truncate(time.Second)
	g := Signing{
		ID: uuid.Must(uuid.NewV7()).String(), IssuerID: hands.issuerID, CredentialID: strictjson.Text(document, "id"), Cryptosuite: strings.Join(hands.names(), " "),
		At: at, Purposes: o.StatusPurposes, Principal: principal.From(ctx).ID, Created: now,
	}
	log := s.log.With("signing", g.ID, "issuer", g.IssuerID, "method", hands.method(), "by", g.Principal)
	log.InfoContext(ctx, "credential signing")
	signed, err := s.sign(ctx, document, hands, now)
	if err != nil {
		return nil, s.failed(ctx, g.ID, refused(err, ErrInvalid))
	}
	text, err := json.Marshal(signed)
	if err != nil {
		return nil, s.failed(ctx, g.ID, fmt.Errorf("vcapi: write credential: %w", err))
	}
	sum := sha256.Sum256(text)
	g.Digest = hex.EncodeToString(sum[:])
	// What is not written down does not leave: a signature that nobody knows of could
	// never be revoked.
	err = s.Work.Do(ctx, func(ctx context.Context) error {
		if err := s.Store.Insert(ctx, g); err != nil || s.Audit == nil {
			return err
		}
		return s.Audit.Record(ctx, "vcapi.credential.signed", g.ID, "issuer:"+g.IssuerID, nil)
	})
	if err != nil {
		return nil, s.failed(ctx, g.ID, err)
	}
	log.InfoContext(ctx, "credential signed")
	return signed, nil
}

// hands are who signs, and how.
type hands struct {
	issuerID string
	proofs   []credential.Embedding
	token    *credential.Enveloping
}

func (h hands) names() []string {
	var names []string
	for _, p := range h.proofs {
		names = append(names, p.Cryptosuite)
	}
	if h.token != nil {
		names = append(names, string(h.token.Profile))
	}
	return names
}

func (h hands) method() string {
	if h.token != nil {
		return h.token.Signer.VerificationMethod()
	}
	return h.proofs[0].Signer.VerificationMethod()
}

// hands finds the keys of the issuer that a credential names. It answers with
// [ErrIssuer].
func (s *Service) hands(ctx context.Context, issuer string, o IssueOptions) (h hands, err error) {
	for i, p := range o.Proofs {
		e := credential.Embedding{Mandatory: p.MandatoryPointers}
		if h.issuerID, e.Cryptosuite, e.Signer, err = s.Issuers.SignerOf(ctx, issuer, p.Cryptosuite); err != nil {
			return hands{}, unknown(err)
		}
		if o.Chain {
			if e.ID = newURN(); i > 0 {
				e.Previous = []string{h.proofs[i-1].ID}
			}
		}
		h.proofs = append(h.proofs, e)
	}
	if o.Format != "" {
		t := credential.Enveloping{Profile: jose.Profile(o.Format)}
		if h.issuerID, t.KeyID, t.Signer, err = s.Issuers.TokenSignerOf(ctx, issuer, o.Algorithm); err != nil {
			return hands{}, unknown(err)
		}
		h.token = &t
	}
	return h, nil
}

func newURN() string { return "urn:uuid:" + uuid.Must(uuid.NewV7()).String() }

func unknown(err error) error {
	f, ok := fault.From(err)
	switch {
	case ok && f.Kind() == fault.NotFound:
		return ErrIssuer.Detailf("Name the address or the did:web of an issuer here, or the did:key of one of its keys, as issuer.")
	case ok && f.Kind() == fault.Conflict: // no key of the issuer signs so
		return ErrOption.With(err).Detailf("%s", strings.TrimSpace(f.Message()+" "+f.Detail()))
	}
	return err
}

// sign makes the proofs, and then the token around the credential with them: Open
// Badges 3.0, Proofs, has the embedded ones come first.
func (s *Service) sign(ctx context.Context, document map[string]any, h hands, now time.Time) (map[string]any, error) {
	var proofs []any
	for _, e := range h.proofs {
		o := integrity.Options{ID: e.ID, Created: now, PreviousProof: e.Previous, MandatoryPointers: e.Mandatory}
		if e.Cryptosuite == integrity.ECDSASD2023 && len(o.MandatoryPointers) == 0 {
			o.MandatoryPointers = mandatory(document)
		}
		unsecured := document
		if len(e.Previous) > 0 {
			unsecured = maps.Clone(document)
			unsecured["proof"] = proofs
		}
		proof, err := integrity.Create(ctx, s.Canonical, e.Cryptosuite, e.Signer, unsecured, o)
		if err != nil {
			return nil, err
		}
		read, err := parsed(proof)
		if err != nil {
			return nil, err
		}
		proofs = append(proofs, read)
	}
	switch len(proofs) {
	case 0:
	case 1: // one proof is an object, as this API has it
		document["proof"] = proofs[0]
	default:
		document["proof"] = proofs
	}
	if h.token == nil {
		return document, nil
	}
	if len(proofs) == 0 {
		// A token would hold whatever it is given: what no context defines must not go
		// into one either. Securing Verifiable Credentials using JOSE and COSE 1.0, 3.1.1.
		if _, err := integrity.Transform(s.Canonical, strictjson.NodeOf(document)); err != nil {
			return nil, err
		}
	}
	text, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("vcapi: write credential: %w", err)
	}
	token, err := jose.Secure(ctx, h.token.Signer, h.token.KeyID, h.token.Profile, text, strictjson.NodeOf(document), now)
	if err != nil {
		return nil, err
	}
	// VC Data Model 2.0, 4.13.1 (Enveloped Verifiable Credentials).
	return map[string]any{"@context": datamodel.ContextV2, "id": "data:application/vc+jwt," + token, "type": "EnvelopedVerifiableCredential"}, nil
}

// parsed is a proof as JSON reads it, so that a later one can cover it.
func parsed(proof integrity.Proof) (map[string]any, error) {
	text, err := json.Marshal(proof)
	if err != nil {
		return nil, fmt.Errorf("vcapi: write proof: %w", err)
	}
	var read map[string]any
	if err := json.Unmarshal(text, &read); err != nil {
		return nil, fmt.Errorf("vcapi: read proof: %w", err)
	}
	return read, nil
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
	switch types := strictjson.Texts(document["type"]); {
	case slices.Contains(types, openbadges.TypeEndorsementCredential):
		found = append(found, openbadges.CheckEndorsement(document, openbadges.Reading)...)
	case isBadge(document):
		found = append(found, openbadges.CheckCredential(document, openbadges.Reading)...)
	}
	if !issuing {
		return found
	}
	for _, entry := range strictjson.List(document["credentialStatus"]) {
		member, _ := entry.(map[string]any)
		if !slices.Contains(strictjson.Texts(member["type"]), openbadges.TypeBitstringStatusListEntry) {
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
	for _, name := range strictjson.Texts(document["type"]) {
		if slices.Contains(own, name) {
			return ErrReserved.Detailf("A %s of an issuer here is published by this server.", name)
		}
	}
	if strings.HasPrefix(strings.ToLower(strictjson.Text(document, "id")), strings.ToLower(s.Public.String())+"/") {
		return ErrReserved.Detailf("Ids below %s belong to what is published there. Use an id of your own, such as urn:uuid.", s.Public)
	}
	for _, entry := range strictjson.List(document["credentialStatus"]) {
		member, _ := entry.(map[string]any)
		if strings.HasPrefix(strictjson.Text(member, "statusListCredential"), s.Public.String()+"/") {
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
func (s *Service) withStatus(ctx context.Context, issuerID string, document map[string]any, purposes []string) (Place, error) {
	if _, there := document["credentialStatus"]; there || datamodel.Version1(document) {
		return Place{}, nil
	}
	at, entries, err := s.Statuses.Reserve(ctx, issuerID, purposes)
	switch {
	case err != nil || len(entries) == 0:
		return Place{}, err
	case len(entries) == 1:
		document["credentialStatus"] = entries[0]
	default:
		document["credentialStatus"] = entries
	}
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

// isBadge tells whether a document says that it is an Open Badge.
func isBadge(document map[string]any) bool {
	types := strictjson.Texts(document["type"])
	return slices.Contains(types, openbadges.TypeAchievementCredential) || slices.Contains(types, "OpenBadgeCredential")
}

// Change is a change of status that somebody asks for.
type Change struct {
	CredentialID string
	Purpose      string // revocation or suspension
	On           bool
	Reason       string
}

// act is what a change asks for, or [ErrStatus].
func (c Change) act() (Act, error) {
	switch {
	case c.Purpose == revocation && c.On:
		return Revoke, nil
	case c.Purpose == suspension && c.On:
		return Suspend, nil
	case c.Purpose == suspension:
		return Resume, nil
	case c.Purpose == revocation:
		return "", ErrStatus.Detailf("A revocation cannot be undone.").Violating(fault.Violation{Pointer: "/status", Rule: "Bitstring Status List 1.0, 2.1: revocation is not reversible", Detail: "The status would be taken back.", Remedy: "Sign a new credential."})
	}
	return "", ErrStatus.Detailf("The status entries of this API are for revocation and suspension.").Violating(fault.Violation{Pointer: "/credentialStatus/statusPurpose", Rule: "Bitstring Status List 1.0, 2.1 (BitstringStatusListEntry)", Detail: "The purpose is neither revocation nor suspension.", Remedy: `Give "statusPurpose": "revocation" or "suspension".`})
}

// done is what an act is called once it is done.
var done = map[Act]string{Revoke: "revoked", Suspend: "suspended", Resume: "resumed"}

// maxSignings bounds how many credentials of one id are changed at once.
const maxSignings = 100

// SetStatus changes the status of every credential that was signed here under an id.
// What is so already stays so. It answers with [ErrNotFound] or [ErrStatus].
func (s *Service) SetStatus(ctx context.Context, c Change) error {
	act, err := c.act()
	if err != nil {
		return err
	}
	if c.CredentialID == "" {
		return ErrStatus.Violating(fault.Violation{Pointer: "/credentialId", Rule: "Verifiable Credential API: credentialId", Detail: "It is missing.", Remedy: "Give the id of the credential."})
	}
	if known, err := s.Awards.ChangeAward(ctx, act, c.CredentialID, c.Reason); known || err != nil {
		return impossible(err)
	}
	action := "vcapi.credential." + done[act]
	err = s.Work.Do(ctx, func(ctx context.Context) error {
		signings, err := s.Store.Signings(ctx, c.CredentialID, maxSignings)
		if err != nil {
			return err
		}
		if len(signings) == 0 {
			return ErrNotFound
		}
		found := false
		for _, g := range signings {
			// A revocation shows on every side of a list, a suspension on its own alone.
			if g.At.List == "" || act != Revoke && !slices.Contains(g.Purposes, suspension) {
				continue
			}
			found = true
			changed, err := s.Statuses.Change(ctx, act, g.ID, g.At, c.Reason)
			if err != nil {
				return impossible(err)
			}
			if changed && s.Audit != nil {
				if err := s.Audit.Record(ctx, action, g.ID, "issuer:"+g.IssuerID, nil); err != nil {
					return err
				}
			}
		}
		if !found {
			return ErrStatus.Detailf("It was signed without a status entry of this server for %s. Give options.statusPurpose when you have a credential signed.", c.Purpose)
		}
		return nil
	})
	if err != nil && s.Audit != nil {
		_ = s.Audit.Record(ctx, action, "", "", err) // never fails with a failure
	}
	return err
}

// impossible says in the words of this API why a status cannot be changed.
func impossible(err error) error {
	f, ok := fault.From(err)
	if !ok || f.Kind() != fault.Conflict && f.Kind() != fault.Invalid {
		return err
	}
	return ErrStatus.With(err).Detailf("%s", strings.TrimSpace(f.Message()+" "+f.Detail()))
}

func partyID(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		return strictjson.Text(v, "id")
	}
	return ""
}
