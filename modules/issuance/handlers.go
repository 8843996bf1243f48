package issuance

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/page"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/platform/shelf"
)

type handlers struct {
	service *Service
	batches *Batches
	vouch   *Endorsements
	keyring *Keyring
	shelf   *shelf.Shelf
	page    *page.Renderer
	pages   *page.Pages
}

func newHandlers(service *Service, batches *Batches, vouch *Endorsements, keyring *Keyring, public *shelf.Shelf, renderer *page.Renderer) (*handlers, error) {
	pages, err := page.Parse(templates, "templates/*.html")
	return &handlers{service: service, batches: batches, vouch: vouch, keyring: keyring, shelf: public, page: renderer, pages: pages}, err
}

type orderInput struct {
	AchievementID string    `json:"achievementId"`
	Recipient     Recipient `json:"recipient"`
	Form
	Award
}

type credentialOutput struct {
	ID            string          `json:"id"`
	PublicURL     string          `json:"publicUrl" doc:"Where the world reads this credential; also its identifier."`
	IssuerID      string          `json:"issuerId"`
	AchievementID string          `json:"achievementId"`
	State         string          `json:"state" enum:"issued,withdrawn"`
	Name          string          `json:"name"`
	ValidFrom     time.Time       `json:"validFrom"`
	ValidUntil    *time.Time      `json:"validUntil,omitempty"`
	Version       int64           `json:"version"`
	BatchID       string          `json:"batchId,omitempty" doc:"The batch that it was ordered in. The audit trail has its issuing under this id, a row for each block of lines."`
	CreatedAt     time.Time       `json:"createdAt"`
	UpdatedAt     time.Time       `json:"updatedAt"`
	Status        statusOutput    `json:"status" doc:"Whether it was revoked or suspended."`
	Credential    json.RawMessage `json:"credential,omitempty" doc:"The signed credential, byte for byte; absent once withdrawn. With a proof of ecdsa-sd-2023 it is for the holder, who keeps it secret and shows what is derived from it."`
	Token         string          `json:"jwt,omitempty" doc:"The credential as a compact JWS, where one was asked for."`
}

type statusOutput struct {
	State     string     `json:"state" enum:"valid,suspended,revoked"`
	Since     *time.Time `json:"since,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	Purpose   string     `json:"purpose,omitempty" enum:"revocation,suspension,1EdTechRevocationList" doc:"What the credential's status entry speaks of; absent if it has none."`
	List      string     `json:"list,omitempty" doc:"Address of the status list."`
	Index     *int64     `json:"index,omitempty" doc:"Place in the status list."`
	Published bool       `json:"published" doc:"Whether verifiers elsewhere see the state: not where a suspended credential has an entry that speaks of revocation, nor where it has none."`
}

type statusInput struct {
	Reason string `json:"reason,omitempty" doc:"Shown to whoever looks at the credential or verifies it here; up to 500 bytes, nothing personal."`
}

type renewInput struct {
	ValidUntil string `json:"validUntil,omitempty" format:"date-time" doc:"As long as the version before was valid, unless given."`
}

type queryInput struct {
	queryMembers
	Reason string `json:"reason,omitempty" doc:"As for one credential."`
}

type historyOutput struct {
	Items []pastOutput `json:"items"`
}

type pastOutput struct {
	At          time.Time       `json:"at"`
	Act         string          `json:"act" enum:"revoke,suspend,resume,withdraw"`
	Reason      string          `json:"reason,omitempty"`
	By          string          `json:"by,omitempty" doc:"The principal who did it."`
	Operation   string          `json:"operation,omitempty" doc:"The act, as the audit trail names it."`
	Credentials int64           `json:"credentials,omitempty" doc:"How many credentials the act was about."`
	Query       json.RawMessage `json:"query,omitempty" doc:"What the act was asked for, where it was about many: ids says how many were named, recipient that one was."`
}

func (h *handlers) history(c *fiber.Ctx) error {
	past, err := h.service.History(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	out := historyOutput{Items: make([]pastOutput, len(past))}
	for i, p := range past {
		out.Items[i] = pastOutput{At: second(p.At), Act: p.Act, Reason: p.Reason, By: p.Principal, Operation: p.Operation, Credentials: p.Credentials}
		if p.Query != "" {
			out.Items[i].Query = json.RawMessage(p.Query)
		}
	}
	return httpserver.JSON(c, fiber.StatusOK, out)
}

type queryMembers struct {
	IssuerID      string     `json:"issuerId,omitempty"`
	AchievementID string     `json:"achievementId,omitempty"`
	Recipient     string     `json:"recipient,omitempty" doc:"As in the list of credentials."`
	IssuedSince   *time.Time `json:"issuedSince,omitempty" doc:"Issued at this time or later."`
	IssuedBefore  *time.Time `json:"issuedBefore,omitempty" doc:"Issued before this time."`
	IDs           []string   `json:"ids,omitempty" doc:"These credentials, up to 10000."`
	KeyID         string     `json:"keyId,omitempty" doc:"Those whose current version this key signed, such as one that was stolen."`
	DryRun        bool       `json:"dryRun,omitempty" doc:"Change nothing, whatever expected says."`
	Expected      *int64     `json:"expected,omitempty" doc:"The number affected that a dry run answered."`
}

type queryOutput struct {
	DryRun       bool     `json:"dryRun" doc:"Whether nothing was changed."`
	Matched      int64    `json:"matched,omitempty" doc:"Credentials that the query matches; of a dry run."`
	WithoutEntry int64    `json:"withoutEntry,omitempty" doc:"Of them, those that have no status entry and cannot be changed; of a dry run."`
	Affected     int64    `json:"affected" doc:"Credentials whose state would be changed, or was."`
	Examples     []string `json:"examples,omitempty" doc:"Some of those affected; of a dry run."`
	Operation    string   `json:"operation,omitempty" doc:"Names the change in the audit trail."`
}

type jwks struct {
	Keys []did.JWK `json:"keys"`
}

func (h *handlers) output(c Credential, s statuslist.Standing) credentialOutput {
	return credentialOutput{
		Status: h.status(c, s),
		ID:     c.ID, PublicURL: h.service.URL(c.ID), IssuerID: c.IssuerID, AchievementID: c.AchievementID, State: string(c.State),
		Name: c.Name, ValidFrom: c.ValidFrom, ValidUntil: c.ValidUntil, Version: c.Version, BatchID: c.Batch,
		CreatedAt: second(c.Created), UpdatedAt: second(c.Updated), Credential: c.whole(), Token: c.Token,
	}
}

func (h *handlers) status(c Credential, s statuslist.Standing) statusOutput {
	out := statusOutput{State: "valid"}
	if entry := h.service.statusEntry(c); entry != nil {
		out.Purpose, out.List, out.Published = c.StatusPurpose, cmp.Or(entry.StatusListCredential, entry.ID), true
		if c.StatusPurpose != statuslist.Plain {
			out.Index = &c.Place.Index
		}
	}
	switch {
	case s.Revoked:
		out.State = "revoked"
	case s.Suspended:
		out.State = "suspended"
		out.Published = out.Published && c.StatusPurpose != statuslist.Revocation
	default:
		return out
	}
	since := second(s.Since)
	out.Since, out.Reason = &since, s.Reason
	return out
}

// second is a time as it is written outside of this program: in whole seconds.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// standing is a credential with how it stands with it.
func (h *handlers) standing(c *fiber.Ctx, found Credential) (credentialOutput, error) {
	standings, err := h.service.Standings(c.UserContext(), found)
	if err != nil {
		return credentialOutput{}, err
	}
	return h.output(found, standings[found.Place]), nil
}

// versioned answers with one credential. Its document is written as it is: it was made
// here, and neither checking nor copying it would change a byte.
func versioned(c *fiber.Ctx, status int, version int64, out credentialOutput) error {
	httpserver.SetVersion(c, version)
	document := out.Credential
	out.Credential = nil
	return httpserver.JSONWith(c, status, out, "credential", document)
}

// idempotencyKey reads the header of that name; a long or odd one is refused rather
// than cut, lest two orders be taken for one.
func idempotencyKey(c *fiber.Ctx) (string, error) {
	key := c.Get("Idempotency-Key")
	if len(key) > 255 {
		return "", ErrIdempotency.Detailf("It has %d signs; at most 255 are taken.", len(key))
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return "", ErrIdempotency.Detailf("Sign %d is not a visible ASCII sign; a UUID makes a good key.", i+1)
		}
	}
	return key, nil
}

// CheckOrder reads the order for a credential that a request makes, and does nothing.
func CheckOrder(c *fiber.Ctx) error {
	_, err := orderOf(c)
	return err
}

// orderOf reads strictly: a member that is unknown, twice or null is refused with its
// place.
func orderOf(c *fiber.Ctx) (Order, error) {
	key, err := idempotencyKey(c)
	if err != nil {
		return Order{}, err
	}
	var in orderInput
	if err := httpserver.Decode(c, &in, strictjson.Unmarshal); err != nil {
		return Order{}, err
	}
	order := Order{AchievementID: in.AchievementID, Recipient: in.Recipient, Form: in.Form, Award: in.Award, IdempotencyKey: key}
	if key != "" {
		sum := sha256.Sum256(c.BodyRaw())
		order.RequestHash = hex.EncodeToString(sum[:])
	}
	return order, nil
}

func (h *handlers) issue(c *fiber.Ctx) error {
	order, err := orderOf(c)
	if err != nil {
		return err
	}
	issued, replayed, err := h.service.Issue(c.UserContext(), order)
	if err != nil {
		return err
	}
	status := fiber.StatusCreated
	if replayed {
		status = fiber.StatusOK
		c.Set("Idempotent-Replay", "true")
	}
	c.Location("/api/v1/credentials/" + issued.ID)
	out := h.output(issued, statuslist.Standing{})
	if replayed { // it may have been revoked since
		if out, err = h.standing(c, issued); err != nil {
			return err
		}
	}
	return versioned(c, status, issued.Version, out)
}

type batchOutput struct {
	ID        string    `json:"id"`
	DryRun    bool      `json:"dryRun"`
	State     string    `json:"state" enum:"running,completed,cancelled"`
	Total     int64     `json:"total" doc:"Orders in the file."`
	Processed int64     `json:"processed" doc:"Of them, those that were dealt with."`
	Succeeded int64     `json:"succeeded" doc:"Of those, how many were issued; in a dry run, how many would be."`
	Failed    int64     `json:"failed" doc:"Of those, how many were not; the lines say why."`
	Trouble   string    `json:"trouble,omitempty" doc:"Code of what keeps it from going on just now. It is tried again by itself."`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

type batchLineOutput struct {
	Line         int64           `json:"line" doc:"Which order of the file, counted from 1 without the names of columns and without empty lines."`
	State        string          `json:"state" enum:"pending,issued,valid,failed"`
	CredentialID string          `json:"credentialId,omitempty"`
	PublicURL    string          `json:"publicUrl,omitempty"`
	Problem      json.RawMessage `json:"problem,omitempty" doc:"Why it failed: code, title, detail and errors as in a problem document."`
}

func batchOf(b Batch) batchOutput {
	return batchOutput{
		ID: b.ID, DryRun: b.DryRun, State: string(b.State), Total: b.Total, Processed: b.Processed, Succeeded: b.Succeeded, Failed: b.Failed,
		Trouble: b.Trouble, CreatedAt: second(b.Created), UpdatedAt: second(b.Updated),
	}
}

// batchFormats are the media types of the files of batches.
var batchFormats = map[string]Format{"application/x-ndjson": NDJSON, "application/ndjson": NDJSON, "application/jsonl": NDJSON, "text/csv": CSV}

func (h *handlers) acceptBatch(c *fiber.Ctx) error {
	key, err := idempotencyKey(c)
	if err != nil {
		return err
	}
	file, mediaType, err := httpserver.Upload(c, "file")
	if err != nil {
		return err
	}
	format, ok := batchFormats[mediaType]
	if !ok {
		return httpserver.ErrMediaType.Detailf("Send application/x-ndjson or text/csv.")
	}
	dryRun, err := strconv.ParseBool(cmp.Or(c.Query("dryRun"), "false"))
	if err != nil {
		return httpserver.ErrQuery.Detailf("dryRun must be true or false.")
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %q %t ", format, c.Query("achievementId"), dryRun)
	sum.Write(file)
	batch, replayed, err := h.batches.Accept(c.UserContext(), BatchOrder{
		AchievementID: c.Query("achievementId"), Format: format, File: file, DryRun: dryRun, IdempotencyKey: key, RequestHash: hex.EncodeToString(sum.Sum(nil)),
	})
	if err != nil {
		return err
	}
	if replayed {
		c.Set("Idempotent-Replay", "true")
	}
	c.Location("/api/v1/batches/" + batch.ID)
	return httpserver.JSON(c, fiber.StatusAccepted, batchOf(batch))
}

func (h *handlers) readBatch(c *fiber.Ctx) error {
	batch, err := h.batches.Batch(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	return httpserver.JSON(c, fiber.StatusOK, batchOf(batch))
}

// batchSorts are the orders of the list of batches, the newest first if none is asked for.
var batchSorts = []string{"-createdAt"}

func (h *handlers) listBatches(c *fiber.Ctx) error {
	q, err := httpserver.PageQuery(c, batchSorts)
	if err != nil {
		return err
	}
	found, err := h.batches.Batches(c.UserContext(), c.Query("state"), q)
	if err != nil {
		return err
	}
	return httpserver.JSON(c, fiber.StatusOK, paging.Map(found, batchOf))
}

func (h *handlers) cancelBatch(c *fiber.Ctx) error {
	batch, err := h.batches.Cancel(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	return httpserver.JSON(c, fiber.StatusOK, batchOf(batch))
}

func (h *handlers) batchLines(c *fiber.Ctx) error {
	q, err := httpserver.PageQuery(c, nil)
	if err != nil {
		return err
	}
	found, err := h.batches.Lines(c.UserContext(), c.Params("id"), c.Query("state"), q)
	if err != nil {
		return err
	}
	return httpserver.JSON(c, fiber.StatusOK, paging.Map(found, func(l BatchLine) batchLineOutput {
		return batchLineOutput{Line: l.Number, State: l.State, CredentialID: l.CredentialID, PublicURL: h.batches.publicURL(l), Problem: l.Problem}
	}))
}

type endorsementOutput struct {
	ID          string          `json:"id"`
	PublicURL   string          `json:"publicUrl,omitempty" doc:"Where the world reads it once it is given; also its identifier."`
	EndorserID  string          `json:"endorserId"`
	SubjectKind string          `json:"subjectKind" enum:"achievement,issuer,credential"`
	SubjectID   string          `json:"subjectId"`
	SubjectURL  string          `json:"subjectUrl" doc:"The identifier of what is endorsed."`
	SubjectName string          `json:"subjectName"`
	State       string          `json:"state" enum:"requested,declined,given"`
	Revoked     bool            `json:"revoked" doc:"Whether it was taken back."`
	Reason      string          `json:"reason,omitempty" doc:"Why it was taken back."`
	Note        string          `json:"note,omitempty"`
	ValidFrom   *time.Time      `json:"validFrom,omitempty"`
	ValidUntil  *time.Time      `json:"validUntil,omitempty"`
	CreatedAt   time.Time       `json:"createdAt"`
	UpdatedAt   time.Time       `json:"updatedAt"`
	Credential  json.RawMessage `json:"credential,omitempty" doc:"The signed EndorsementCredential, byte for byte."`
	Token       string          `json:"jwt,omitempty" doc:"The same as a compact JWS, where the endorser makes them."`
}

func (h *handlers) endorsementOf(e Endorsement, s statuslist.Standing) endorsementOutput {
	out := endorsementOutput{
		ID: e.ID, EndorserID: e.EndorserID, SubjectKind: e.SubjectKind, SubjectID: e.SubjectID, SubjectURL: e.SubjectURI, SubjectName: e.SubjectName,
		State: string(e.State), Revoked: s.Revoked, Reason: s.Reason, Note: e.Note, ValidFrom: e.ValidFrom, ValidUntil: e.ValidUntil,
		CreatedAt: second(e.Created), UpdatedAt: second(e.Updated), Credential: e.Document, Token: e.Token,
	}
	if e.State == EndorsementGiven {
		out.PublicURL = h.vouch.URL(e.ID)
	}
	return out
}

func (h *handlers) endorsementShown(c *fiber.Ctx, status int, e Endorsement, err error) error {
	if err != nil {
		return err
	}
	standings, err := h.vouch.Standings(c.UserContext(), e)
	if err != nil {
		return err
	}
	return httpserver.JSON(c, status, h.endorsementOf(e, standings[e.Place]))
}

func (h *handlers) requestEndorsement(c *fiber.Ctx) error {
	var in EndorsementOrder
	if err := httpserver.Decode(c, &in, strictjson.Unmarshal); err != nil {
		return err
	}
	e, err := h.vouch.Request(c.UserContext(), in)
	if err == nil {
		c.Location("/api/v1/endorsements/" + e.ID)
	}
	return h.endorsementShown(c, fiber.StatusCreated, e, err)
}

func (h *handlers) readEndorsement(c *fiber.Ctx) error {
	e, err := h.vouch.Endorsement(c.UserContext(), c.Params("id"))
	return h.endorsementShown(c, fiber.StatusOK, e, err)
}

func (h *handlers) giveEndorsement(c *fiber.Ctx) error {
	var in EndorsementWords
	if len(c.BodyRaw()) > 0 {
		if err := httpserver.Decode(c, &in, strictjson.Unmarshal); err != nil {
			return err
		}
	}
	e, err := h.vouch.Give(c.UserContext(), c.Params("id"), in)
	return h.endorsementShown(c, fiber.StatusOK, e, err)
}

func (h *handlers) declineEndorsement(c *fiber.Ctx) error {
	e, err := h.vouch.Decline(c.UserContext(), c.Params("id"))
	return h.endorsementShown(c, fiber.StatusOK, e, err)
}

func (h *handlers) revokeEndorsement(c *fiber.Ctx) error {
	var in statusInput
	if len(c.BodyRaw()) > 0 {
		if err := httpserver.Decode(c, &in, strictjson.Unmarshal); err != nil {
			return err
		}
	}
	e, err := h.vouch.Revoke(c.UserContext(), c.Params("id"), in.Reason)
	return h.endorsementShown(c, fiber.StatusOK, e, err)
}

// endorsementSorts are the orders of the list of endorsements.
var endorsementSorts = []string{"createdAt"}

func (h *handlers) listEndorsements(c *fiber.Ctx) error {
	q, err := httpserver.PageQuery(c, endorsementSorts)
	if err != nil {
		return err
	}
	found, err := h.vouch.List(c.UserContext(), EndorsementFilter{EndorserID: c.Query("endorserId"), SubjectID: c.Query("subjectId"), State: c.Query("state")}, q)
	if err != nil {
		return err
	}
	standings, err := h.vouch.Standings(c.UserContext(), found.Items...)
	if err != nil {
		return err
	}
	return httpserver.JSON(c, fiber.StatusOK, paging.Map(found, func(e Endorsement) endorsementOutput { return h.endorsementOf(e, standings[e.Place]) }))
}

func (h *handlers) publicEndorsement(c *fiber.Ctx) error {
	e, err := h.vouch.Published(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	cached(c)
	asToken := wantsToken(c, Credential{Token: e.Token})
	tag := e.ID
	if asToken {
		tag += "-jwt"
	}
	if httpserver.Fresh(c, tag) {
		return nil
	}
	if asToken {
		return httpserver.Bytes(c, fiber.StatusOK, tokenType, []byte(e.Token))
	}
	return httpserver.Bytes(c, fiber.StatusOK, mediaTypeOf(c), e.Document)
}

// sorts are the orders of the list.
var sorts = []string{"createdAt", "validFrom"}

func (h *handlers) list(c *fiber.Ctx) error {
	q, err := httpserver.PageQuery(c, sorts)
	if err != nil {
		return err
	}
	found, err := h.service.Credentials(c.UserContext(), Filter{
		IssuerID: c.Query("issuerId"), AchievementID: c.Query("achievementId"), Recipient: c.Query("recipient"), State: c.Query("state"), Status: c.Query("status"),
	}, q)
	if err != nil {
		return err
	}
	standings, err := h.service.Standings(c.UserContext(), found.Items...)
	if err != nil {
		return err
	}
	return httpserver.JSON(c, fiber.StatusOK, paging.Map(found, func(one Credential) credentialOutput { return h.output(one, standings[one.Place]) }))
}

func (h *handlers) read(c *fiber.Ctx) error {
	found, err := h.service.Credential(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	out, err := h.standing(c, found)
	if err != nil {
		return err
	}
	return versioned(c, fiber.StatusOK, found.Version, out)
}

// ifMatch reads which version the caller means to change.
func ifMatch(c *fiber.Ctx) (int64, error) {
	version, ok := httpserver.IfMatch(c)
	if !ok {
		return 0, ErrVersion.Detailf("If-Match holds no ETag of ours; repeat the ETag header of the last answer as it is.")
	}
	return version, nil
}

func (h *handlers) reissue(c *fiber.Ctx) error {
	var award Award
	return h.revise(c, &award, func(version int64) (Credential, error) {
		return h.service.Reissue(c.UserContext(), c.Params("id"), version, award)
	})
}

func (h *handlers) renew(c *fiber.Ctx) error {
	var in renewInput
	return h.revise(c, &in, func(version int64) (Credential, error) {
		return h.service.Renew(c.UserContext(), c.Params("id"), version, in.ValidUntil)
	})
}

func (h *handlers) readdress(c *fiber.Ctx) error {
	var in Recipient
	return h.revise(c, &in, func(version int64) (Credential, error) {
		return h.service.ChangeRecipient(c.UserContext(), c.Params("id"), version, in)
	})
}

// revise reads what is asked for, has the next version made of it, and answers it.
func (h *handlers) revise(c *fiber.Ctx, in any, next func(version int64) (Credential, error)) error {
	version, err := ifMatch(c)
	if err != nil {
		return err
	}
	if err := httpserver.Decode(c, in, strictjson.Unmarshal); err != nil {
		return err
	}
	made, err := next(version)
	if err != nil {
		return err
	}
	out, err := h.standing(c, made)
	if err != nil {
		return err
	}
	return versioned(c, fiber.StatusOK, made.Version, out)
}

// act handles the acts on one credential; the body may be left out.
func (h *handlers) act(act statuslist.Act) fiber.Handler {
	return func(c *fiber.Ctx) error {
		var in statusInput
		if len(c.BodyRaw()) > 0 {
			if err := httpserver.Decode(c, &in, strictjson.Unmarshal); err != nil {
				return err
			}
		}
		changed, err := h.service.Change(c.UserContext(), act, c.Params("id"), in.Reason)
		if err != nil {
			return err
		}
		out, err := h.standing(c, changed)
		if err != nil {
			return err
		}
		return versioned(c, fiber.StatusOK, changed.Version, out)
	}
}

// actWhere handles the acts on all credentials of a query.
func (h *handlers) actWhere(act statuslist.Act) fiber.Handler {
	return func(c *fiber.Ctx) error {
		var in queryInput
		if err := httpserver.Decode(c, &in, strictjson.Unmarshal); err != nil {
			return err
		}
		return h.where(c, in.queryMembers, func(q statuslist.Query) (statuslist.Survey, error) {
			return h.service.Survey(c.UserContext(), act, q)
		}, func(q statuslist.Query, expected int64) (statuslist.Deed, error) {
			return h.service.ChangeWhere(c.UserContext(), act, q, in.Reason, expected)
		})
	}
}

func (h *handlers) withdrawWhere(c *fiber.Ctx) error {
	var in queryMembers
	if err := httpserver.Decode(c, &in, strictjson.Unmarshal); err != nil {
		return err
	}
	return h.where(c, in, func(q statuslist.Query) (statuslist.Survey, error) {
		return h.service.SurveyWithdrawal(c.UserContext(), q)
	}, func(q statuslist.Query, expected int64) (statuslist.Deed, error) {
		return h.service.WithdrawWhere(c.UserContext(), q, expected)
	})
}

// where does something to all credentials of a query, or tells what it would do.
func (h *handlers) where(c *fiber.Ctx, in queryMembers, survey func(statuslist.Query) (statuslist.Survey, error), do func(statuslist.Query, int64) (statuslist.Deed, error)) error {
	q := statuslist.Query{IssuerID: in.IssuerID, AchievementID: in.AchievementID, Recipient: in.Recipient, IDs: in.IDs, KeyID: in.KeyID}
	if in.IssuedSince != nil {
		q.Since = in.IssuedSince.UTC()
	}
	if in.IssuedBefore != nil {
		q.Before = in.IssuedBefore.UTC()
	}
	if in.DryRun || in.Expected == nil {
		s, err := survey(q)
		if err != nil {
			return err
		}
		return httpserver.JSON(c, fiber.StatusOK, queryOutput{DryRun: true, Matched: s.Matched, WithoutEntry: s.Without, Affected: s.Affected, Examples: s.Examples})
	}
	deed, err := do(q, *in.Expected)
	if err != nil {
		return err
	}
	return httpserver.JSON(c, fiber.StatusOK, queryOutput{Affected: deed.Changed, Operation: deed.Operation})
}

// past is how long others may keep what a status list said once: that never changes.
const past = 24 * time.Hour

func (h *handlers) statusList(c *fiber.Ctx) error {
	if c.Query("timestamp") != "" { // looked together from what is written down, and signed
		if err := httpserver.Costs(c); err != nil {
			return err
		}
	}
	mediaType := httpserver.Accepts(c, "application/vc+ld+json", "application/vc", "application/ld+json", fiber.MIMEApplicationJSON, tokenType, "application/jwt")
	form := statuslist.Document
	if mediaType == tokenType || mediaType == "application/jwt" {
		form = statuslist.Token
	}
	list, err := h.listIn(c, form)
	if errors.Is(err, ErrNoKey) && form == statuslist.Token { // the document is better than nothing
		mediaType = ""
		list, err = h.listIn(c, statuslist.Document)
	}
	if err != nil {
		return err
	}
	// Bitstring Status List 1.0, 2.2 (BitstringStatusListCredential), ttl: caches along the way keep it no longer.
	ttl := list.TTL
	if list.Past {
		ttl = past
	}
	c.Set(fiber.HeaderCacheControl, fmt.Sprintf("public, max-age=%d", int64(ttl.Seconds())))
	return shown(c, list.Document, cmp.Or(mediaType, "application/vc+ld+json"))
}

func (h *handlers) listIn(c *fiber.Ctx, form statuslist.Form) (*statuslist.Published, error) {
	return h.service.statuses.Published(c.UserContext(), c.Params("list"), c.Params("purpose"), form, c.Query("timestamp"))
}

func (h *handlers) revocations(c *fiber.Ctx) error {
	return h.publicJSON(c, "revocations", fiber.MIMEApplicationJSON, func(ctx context.Context) (any, error) {
		return h.service.Revocations(ctx, c.Params("id"))
	})
}

// mediaTypeOf chooses how a credential is called: verifiers that do not say what
// they want understand the first one best.
func mediaTypeOf(c *fiber.Ctx) string {
	return cmp.Or(httpserver.Accepts(c, "application/vc+ld+json", "application/vc", "application/ld+json", fiber.MIMEApplicationJSON), "application/vc+ld+json")
}

func (h *handlers) withdraw(c *fiber.Ctx) error {
	if err := h.service.Withdraw(c.UserContext(), c.Params("id")); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (h *handlers) public(c *fiber.Ctx) error {
	found, err := h.service.Published(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	cached(c)
	if wantsToken(c, found) {
		if httpserver.Fresh(c, fmt.Sprintf("%s-%d-jwt", found.ID, found.Version)) {
			return nil
		}
		return httpserver.Bytes(c, fiber.StatusOK, tokenType, []byte(found.Token))
	}
	if c.Query("format") != "json" && httpserver.WantsHTML(c) {
		return h.credentialPage(c, found)
	}
	if httpserver.Fresh(c, found.ID+"-"+strconv.FormatInt(found.Version, 10)) {
		return nil
	}
	return httpserver.Bytes(c, fiber.StatusOK, mediaTypeOf(c), found.Document)
}

// refresh answers the newest version of a credential, in whichever form is asked for.
//
// 1EdTech Credential Refresh 1.0: it is the same credential as long as nothing changed.
func (h *handlers) refresh(c *fiber.Ctx) error {
	const png, svg = "image/png", "image/svg+xml"
	form := httpserver.Accepts(c, "application/vc+ld+json", "application/vc", "application/ld+json", fiber.MIMEApplicationJSON, png, svg)
	switch c.Query("format") {
	case "json":
		form = fiber.MIMEApplicationJSON
	case "png":
		form = png
	case "svg":
		form = svg
	}
	switch form {
	case png:
		return h.badgePNG(c)
	case svg:
		return h.badgeSVG(c)
	}
	found, err := h.service.Credential(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-cache") // whoever asks here wants to know
	if wantsToken(c, found) {
		if httpserver.Fresh(c, fmt.Sprintf("%s-%d-jwt", found.ID, found.Version)) {
			return nil
		}
		return httpserver.Bytes(c, fiber.StatusOK, tokenType, []byte(found.Token))
	}
	if httpserver.Fresh(c, fmt.Sprintf("%s-%d", found.ID, found.Version)) {
		return nil
	}
	return httpserver.Bytes(c, fiber.StatusOK, cmp.Or(form, "application/vc+ld+json"), found.Document)
}

// cached lets others keep a public document for a short while.
func cached(c *fiber.Ctx) { c.Response().Header.SetCanonical(cacheControl, aMinute) }

var cacheControl, aMinute = []byte(fiber.HeaderCacheControl), []byte("public, max-age=60")

// assertion answers an award as Open Badges 2.0 has it; one that was revoked with 410
// and what is said of it.
func (h *handlers) assertion(c *fiber.Ctx) error {
	found, err := h.service.PublishedAssertion(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	cached(c)
	if found.Withdrawn {
		return httpserver.Bytes(c, fiber.StatusGone, linkedData(c), found.Body)
	}
	return shown(c, found.Document, linkedData(c))
}

// linkedData is how a document of Open Badges 2.0 is labelled: as JSON unless the
// caller asks for linked data.
func linkedData(c *fiber.Ctx) string {
	if chosen := httpserver.Accepts(c, fiber.MIMEApplicationJSON, "application/ld+json"); chosen != "" {
		return chosen
	}
	return fiber.MIMEApplicationJSON
}

func (h *handlers) assertionPNG(c *fiber.Ctx) error { return h.assertionBadge(c, image.PNG) }

func (h *handlers) assertionSVG(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox")
	return h.assertionBadge(c, image.SVG)
}

func (h *handlers) assertionBadge(c *fiber.Ctx, format image.Format) error {
	picture, err := h.service.PublishedAssertionBadge(c.UserContext(), c.Params("id"), format)
	if err != nil {
		return err
	}
	cached(c)
	c.Set(fiber.HeaderContentDisposition, `inline; filename="badge.`+string(format)+`"`)
	return shown(c, picture, format.MediaType())
}

func (h *handlers) badgePNG(c *fiber.Ctx) error { return h.badge(c, image.PNG) }

func (h *handlers) badgeSVG(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox")
	return h.badge(c, image.SVG)
}

func (h *handlers) badge(c *fiber.Ctx, format image.Format) error {
	picture, err := h.service.PublishedBadge(c.UserContext(), c.Params("id"), format)
	if err != nil {
		return err
	}
	cached(c)
	c.Set(fiber.HeaderContentDisposition, `inline; filename="badge.`+string(format)+`"`)
	return shown(c, picture, format.MediaType())
}

func (h *handlers) didDocument(c *fiber.Ctx) error {
	return h.publicJSON(c, "did", "application/did+json", func(ctx context.Context) (any, error) {
		return h.keyring.WebDocument(ctx, c.Params("id"))
	})
}

func (h *handlers) keys(c *fiber.Ctx) error {
	return h.publicJSON(c, "keys", "application/jwk-set+json", func(ctx context.Context) (any, error) {
		keys, err := h.keyring.KeySet(ctx, c.Params("id"))
		return jwks{Keys: keys}, err
	})
}

func (h *handlers) hostKeys(c *fiber.Ctx) error {
	return h.publicJSON(c, "host keys", "application/jwk-set+json", func(ctx context.Context) (any, error) {
		keys, err := h.keyring.HostKeySet(ctx)
		return jwks{Keys: keys}, err
	})
}

func (h *handlers) jwk(c *fiber.Ctx) error {
	return h.publicJSON(c, "jwk", "application/jwk+json", func(ctx context.Context) (any, error) {
		return h.keyring.PublicJWK(ctx, c.Params("id"), c.Params("key"))
	})
}

func (h *handlers) key(c *fiber.Ctx) error {
	return h.publicJSON(c, "key", fiber.MIMEApplicationJSON, func(ctx context.Context) (any, error) {
		_, document, err := h.keyring.Identity(ctx, c.Params("id"))
		if err != nil {
			return nil, err
		}
		for _, method := range document.VerificationMethod {
			if strings.HasSuffix(method.ID, "#"+c.Params("key")) {
				return method, nil
			}
		}
		return nil, ErrKeyNotFound
	})
}

// publicJSON answers a document of a kind about an issuer, and perhaps a key of it, off
// the shelf.
func (h *handlers) publicJSON(c *fiber.Ctx, kind, mediaType string, read func(context.Context) (any, error)) error {
	document, err := shelf.JSON(c.UserContext(), h.shelf, kind+" "+strings.ToLower(c.Params("id"))+" "+c.Params("key"), read)
	if err != nil {
		return err
	}
	cached(c)
	return shown(c, document, mediaType)
}

// shown answers a document off the shelf, unless the caller has it already.
func shown(c *fiber.Ctx, document *shelf.Document, mediaType string) error {
	if httpserver.Fresh(c, document.Tag) {
		return nil
	}
	return httpserver.Bytes(c, fiber.StatusOK, mediaType, document.Body)
}

type keyInput struct {
	Kind     Kind     `json:"kind" enum:"Ed25519,P-256,P-384,RSA-2048" doc:"RSA signs tokens alone."`
	Purposes []string `json:"purposes,omitempty" doc:"assertionMethod, which every key has, and authentication."`
	Provider string   `json:"provider,omitempty" doc:"Where the private key is kept: local, or what the key vault calls itself, such as pkcs11."`
	Rotate   bool     `json:"rotate,omitempty" doc:"Retire the keys of this kind that signed until now."`
}

type revokeKeyInput struct {
	Reason string `json:"reason,omitempty" doc:"Why, for those who will ask."`
}

type keyOutput struct {
	ID           string     `json:"id"`
	Kind         Kind       `json:"kind"`
	State        KeyState   `json:"state" enum:"active,retired,revoked" doc:"active: it signs; retired: what it signed stays good; revoked: nothing that it signed must be believed."`
	Purposes     []string   `json:"purposes"`
	Provider     string     `json:"provider" doc:"Where the private key is: local is in the database, sealed."`
	PublicKeyJwk did.JWK    `json:"publicKeyJwk"`
	Multikey     string     `json:"publicKeyMultibase,omitempty"`
	URL          string     `json:"url" doc:"Where the world reads the key: the kid of tokens."`
	CreatedAt    time.Time  `json:"createdAt"`
	RetiredAt    *time.Time `json:"retiredAt,omitempty"`
	RevokedAt    *time.Time `json:"revokedAt,omitempty"`
	Reason       string     `json:"reason,omitempty"`
}

type keyList struct {
	Items []keyOutput `json:"items"`
}

func (h *handlers) keyOutput(key Key) (keyOutput, error) {
	jwk, err := h.keyring.described(key)
	return keyOutput{
		ID: key.ID, Kind: key.Kind, State: key.State(), Purposes: key.Purposes, Provider: key.Provider, PublicKeyJwk: jwk, Multikey: key.Multikey,
		URL: h.keyring.keyURL(key), CreatedAt: second(key.Created), RetiredAt: key.Retired, RevokedAt: key.Revoked, Reason: key.Reason,
	}, err
}

func (h *handlers) answerKey(c *fiber.Ctx, status int, key Key, err error) error {
	if err != nil {
		return err
	}
	out, err := h.keyOutput(key)
	if err != nil {
		return err
	}
	return httpserver.JSON(c, status, out)
}

func (h *handlers) listKeys(c *fiber.Ctx) error {
	keys, err := h.keyring.Keys(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	list := keyList{Items: make([]keyOutput, len(keys))}
	for i, key := range keys {
		if list.Items[i], err = h.keyOutput(key); err != nil {
			return err
		}
	}
	return httpserver.JSON(c, fiber.StatusOK, list)
}

func (h *handlers) createKey(c *fiber.Ctx) error {
	var in keyInput
	if err := httpserver.Decode(c, &in, strictjson.Unmarshal); err != nil {
		return err
	}
	key, err := h.keyring.replace(c.UserContext(), c.Params("id"), Wanted{Kind: in.Kind, Purposes: in.Purposes, Provider: in.Provider}, in.Rotate)
	if err == nil {
		c.Location("/api/v1/issuers/" + key.IssuerID + "/keys/" + key.ID)
	}
	return h.answerKey(c, fiber.StatusCreated, key, err)
}

func (h *handlers) readKey(c *fiber.Ctx) error {
	key, err := h.keyring.Key(c.UserContext(), c.Params("id"), c.Params("key"))
	return h.answerKey(c, fiber.StatusOK, key, err)
}

func (h *handlers) retireKey(c *fiber.Ctx) error {
	key, err := h.keyring.Retire(c.UserContext(), c.Params("id"), c.Params("key"))
	return h.answerKey(c, fiber.StatusOK, key, err)
}

func (h *handlers) revokeKey(c *fiber.Ctx) error {
	var in revokeKeyInput
	if err := httpserver.Decode(c, &in, strictjson.Unmarshal); err != nil {
		return err
	}
	key, err := h.keyring.RevokeKey(c.UserContext(), c.Params("id"), c.Params("key"), in.Reason)
	return h.answerKey(c, fiber.StatusOK, key, err)
}

func (h *handlers) form(c *fiber.Ctx) error {
	form, err := h.keyring.Form(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	return httpserver.JSON(c, fiber.StatusOK, form)
}

func (h *handlers) setForm(c *fiber.Ctx) error {
	var in Form
	if err := httpserver.Decode(c, &in, strictjson.Unmarshal); err != nil {
		return err
	}
	form, err := h.keyring.SetForm(c.UserContext(), c.Params("id"), in)
	if err != nil {
		return err
	}
	return httpserver.JSON(c, fiber.StatusOK, form)
}

// tokenType is the media type of a credential in a token.
// Securing Verifiable Credentials using JOSE and COSE 1.0, 6.1.2.
const tokenType = "application/vc+jwt"

// wantsToken reports whether the caller asks for the credential as a token, and there
// is one.
func wantsToken(c *fiber.Ctx, found Credential) bool {
	if found.Token == "" || c.Query("format") == "json" {
		return false
	}
	accepted := httpserver.Accepts(c, "application/vc+ld+json", "application/vc", "application/ld+json", fiber.MIMEApplicationJSON, tokenType, "application/jwt")
	return c.Query("format") == "jwt" || accepted == tokenType || accepted == "application/jwt"
}

type resignInput struct {
	After string `json:"after,omitempty" doc:"Where to go on: the next of the answer before."`
	Limit int    `json:"limit,omitempty" doc:"How many at most, 1 to 500; 100 unless given."`

	DryRun bool `json:"dryRun,omitempty" doc:"Issue none, and say how many there are in all."`
}

type resignOutput struct {
	Reissued int            `json:"reissued"`
	Failed   []resignFailed `json:"failed" doc:"Those that could not be issued again, such as what is revoked."`
	Next     string         `json:"next,omitempty" doc:"Give it as after until there is none."`

	DryRun  bool   `json:"dryRun,omitempty" doc:"Whether none was issued."`
	ToDo    *int64 `json:"toDo,omitempty" doc:"How many would be issued again; of a dry run."`
	Revoked *int64 `json:"revoked,omitempty" doc:"How many the key signed that are revoked, and stay as they are; of a dry run."`
}

type resignFailed struct {
	ID     string `json:"id"`
	Code   string `json:"code" doc:"As a problem of one credential would have it."`
	Detail string `json:"detail,omitempty"`
}

func (h *handlers) resign(c *fiber.Ctx) error {
	var in resignInput
	if err := httpserver.Decode(c, &in, strictjson.Unmarshal); err != nil {
		return err
	}
	if in.DryRun {
		again, revoked, err := h.service.SurveyResign(c.UserContext(), c.Params("id"), c.Params("key"))
		if err != nil {
			return err
		}
		return httpserver.JSON(c, fiber.StatusOK, resignOutput{Failed: []resignFailed{}, DryRun: true, ToDo: &again, Revoked: &revoked})
	}
	done, err := h.service.Resign(c.UserContext(), c.Params("id"), c.Params("key"), in.After, in.Limit)
	if err != nil {
		return err
	}
	out := resignOutput{Reissued: done.Changed, Failed: []resignFailed{}, Next: done.Next}
	for _, f := range done.Failed {
		out.Failed = append(out.Failed, resignFailed{ID: f.ID, Code: f.Reason.Code(), Detail: f.Reason.Detail()})
	}
	return httpserver.JSON(c, fiber.StatusOK, out)
}
