package issuance

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/page"
	"github.com/badge-engine/badge-engine/platform/paging"
)

type handlers struct {
	service *Service
	keyring *Keyring
	page    *page.Renderer
	pages   *page.Pages
}

func newHandlers(service *Service, keyring *Keyring, renderer *page.Renderer) (*handlers, error) {
	pages, err := page.Parse(templates, "templates/*.html")
	return &handlers{service: service, keyring: keyring, page: renderer, pages: pages}, err
}

type orderInput struct {
	AchievementID string    `json:"achievementId"`
	Recipient     Recipient `json:"recipient"`
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
	CreatedAt     time.Time       `json:"createdAt"`
	UpdatedAt     time.Time       `json:"updatedAt"`
	Credential    json.RawMessage `json:"credential,omitempty" doc:"The signed credential, byte for byte; absent once withdrawn."`
}

type jwks struct {
	Keys []did.JWK `json:"keys"`
}

func (h *handlers) output(c Credential) credentialOutput {
	return credentialOutput{
		ID: c.ID, PublicURL: h.service.URL(c.ID), IssuerID: c.IssuerID, AchievementID: c.AchievementID, State: string(c.State),
		Name: c.Name, ValidFrom: c.ValidFrom, ValidUntil: c.ValidUntil, Version: c.Version,
		CreatedAt: c.Created, UpdatedAt: c.Updated, Credential: c.Document,
	}
}

func versioned(c *fiber.Ctx, status int, version int64, v any) error {
	c.Set(fiber.HeaderETag, `"`+strconv.FormatInt(version, 10)+`"`)
	return httpserver.JSON(c, status, v)
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

func (h *handlers) issue(c *fiber.Ctx) error {
	key, err := idempotencyKey(c)
	if err != nil {
		return err
	}
	var in orderInput
	if err := httpserver.Decode(c, &in, strictjson.Unmarshal); err != nil {
		return err
	}
	order := Order{AchievementID: in.AchievementID, Recipient: in.Recipient, Award: in.Award, IdempotencyKey: key}
	if key != "" {
		sum := sha256.Sum256(c.BodyRaw())
		order.RequestHash = hex.EncodeToString(sum[:])
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
	return versioned(c, status, issued.Version, h.output(issued))
}

// sorts are the orders of the list.
var sorts = []string{"createdAt", "validFrom"}

func (h *handlers) list(c *fiber.Ctx) error {
	q, err := httpserver.PageQuery(c, sorts)
	if err != nil {
		return err
	}
	found, err := h.service.Credentials(c.UserContext(), Filter{
		IssuerID: c.Query("issuerId"), AchievementID: c.Query("achievementId"), Recipient: c.Query("recipient"), State: c.Query("state"),
	}, q)
	if err != nil {
		return err
	}
	return httpserver.JSON(c, fiber.StatusOK, paging.Map(found, h.output))
}

func (h *handlers) read(c *fiber.Ctx) error {
	found, err := h.service.Credential(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	return versioned(c, fiber.StatusOK, found.Version, h.output(found))
}

func (h *handlers) reissue(c *fiber.Ctx) error {
	version := AnyVersion
	// RFC 9110, 13.1.1 (If-Match) compares strongly; a tag that a compressing proxy
	// made weak names the same version of ours all the same.
	if tag := strings.TrimSpace(c.Get(fiber.HeaderIfMatch)); tag != "" && tag != "*" {
		var err error
		if version, err = strconv.ParseInt(strings.Trim(strings.TrimPrefix(tag, "W/"), `"`), 10, 64); err != nil || version < 1 {
			return ErrVersion.Detailf("If-Match holds no ETag of ours; repeat the ETag header of the last answer as it is.")
		}
	}
	var award Award
	if err := httpserver.Decode(c, &award, strictjson.Unmarshal); err != nil {
		return err
	}
	next, err := h.service.Reissue(c.UserContext(), c.Params("id"), version, award)
	if err != nil {
		return err
	}
	return versioned(c, fiber.StatusOK, next.Version, h.output(next))
}

func (h *handlers) withdraw(c *fiber.Ctx) error {
	if err := h.service.Withdraw(c.UserContext(), c.Params("id")); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (h *handlers) public(c *fiber.Ctx) error {
	found, err := h.service.Credential(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	cached(c)
	if c.Query("format") != "json" && httpserver.WantsHTML(c) {
		return h.credentialPage(c, found)
	}
	if httpserver.Fresh(c, fmt.Sprintf("%s-%d", found.ID, found.Version)) {
		return nil
	}
	// Verifiers that do not say what they want understand the first one best.
	mediaType := httpserver.Accepts(c, "application/vc+ld+json", "application/vc", "application/ld+json", fiber.MIMEApplicationJSON)
	if mediaType == "" {
		mediaType = "application/vc+ld+json"
	}
	return httpserver.Bytes(c, fiber.StatusOK, mediaType, found.Document)
}

// cached lets others keep a public document for a short while.
func cached(c *fiber.Ctx) { c.Set(fiber.HeaderCacheControl, "public, max-age=60") }

func (h *handlers) badgePNG(c *fiber.Ctx) error { return h.badge(c, image.PNG, "image/png") }

func (h *handlers) badgeSVG(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox")
	return h.badge(c, image.SVG, "image/svg+xml")
}

func (h *handlers) badge(c *fiber.Ctx, format image.Format, mediaType string) error {
	picture, err := h.service.Badge(c.UserContext(), c.Params("id"), format)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(picture)
	cached(c)
	if httpserver.Fresh(c, hex.EncodeToString(sum[:16])) {
		return nil
	}
	c.Set(fiber.HeaderContentDisposition, `inline; filename="badge.`+string(format)+`"`)
	return httpserver.Bytes(c, fiber.StatusOK, mediaType, picture)
}

func (h *handlers) didDocument(c *fiber.Ctx) error {
	document, err := h.keyring.WebDocument(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	return publicJSON(c, "application/did+json", document)
}

func (h *handlers) keys(c *fiber.Ctx) error {
	keys, err := h.keyring.Keys(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	set := jwks{Keys: []did.JWK{}}
	for _, key := range keys {
		jwk, err := key.JWK()
		if err != nil {
			return err
		}
		set.Keys = append(set.Keys, jwk)
	}
	return publicJSON(c, "application/jwk-set+json", set)
}

func (h *handlers) key(c *fiber.Ctx) error {
	_, document, err := h.keyring.Identity(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	for _, method := range document.VerificationMethod {
		if strings.HasSuffix(method.ID, "#"+c.Params("key")) {
			return publicJSON(c, fiber.MIMEApplicationJSON, method)
		}
	}
	return ErrKeyNotFound
}

func publicJSON(c *fiber.Ctx, mediaType string, v any) error {
	cached(c)
	if err := httpserver.JSON(c, fiber.StatusOK, v); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, mediaType)
	return nil
}
