package achievements

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/page"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/platform/shelf"
)

type handlers struct {
	service *Service
	shelf   *shelf.Shelf
	page    *page.Renderer
	pages   *page.Pages
}

func newHandlers(service *Service, public *shelf.Shelf, renderer *page.Renderer) (*handlers, error) {
	pages, err := page.Parse(templates, "templates/*.html")
	return &handlers{service: service, shelf: public, page: renderer, pages: pages}, err
}

type issuerInput struct {
	ImageID string `json:"imageId,omitempty" doc:"The image that stands for the issuer, from POST /api/v1/images."`
	openbadges.ProfileDetails
}

type newIssuerInput struct {
	issuerInput
	KeyProvider string `json:"keyProvider,omitempty" doc:"Where its first signing key is kept: local, or what the key vault calls itself, such as pkcs11; as the server is configured unless given."`
}

type issuerOutput struct {
	ID        string    `json:"id"`
	PublicURL string    `json:"publicUrl" doc:"Where the world reads this profile."`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	Version   int64     `json:"version"`
	issuerInput
}

type achievementInput struct {
	IssuerID string `json:"issuerId" doc:"The issuer profile that awards it; it cannot change later."`
	ImageID  string `json:"imageId,omitempty" doc:"The picture that is baked, from POST /api/v1/images."`
	openbadges.AchievementDetails
}

type achievementOutput struct {
	ID        string    `json:"id"`
	PublicURL string    `json:"publicUrl" doc:"Where the world reads this achievement; also its identifier in credentials."`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	Version   int64     `json:"version"`
	achievementInput
}

type renditionOutput struct {
	Format    string `json:"format" enum:"png,svg"`
	MediaType string `json:"mediaType"`
	Width     int    `json:"width,omitempty" doc:"In pixels, where the picture says so."`
	Height    int    `json:"height,omitempty"`
	Size      int    `json:"size" doc:"In bytes."`
	SHA256    string `json:"sha256"`
	URL       string `json:"url"`
}

type imageOutput struct {
	ID         string            `json:"id"`
	PublicURL  string            `json:"publicUrl"`
	CreatedAt  time.Time         `json:"createdAt"`
	UpdatedAt  time.Time         `json:"updatedAt"`
	Renditions []renditionOutput `json:"renditions"`
}

func (h *handlers) issuerOutput(i Issuer) issuerOutput {
	return issuerOutput{
		ID: i.ID, PublicURL: h.service.IssuerURL(i.ID), CreatedAt: i.Created, UpdatedAt: i.Updated, Version: i.Version,
		issuerInput: issuerInput{ImageID: i.ImageID, ProfileDetails: i.Profile},
	}
}

func (h *handlers) achievementOutput(a Achievement) achievementOutput {
	return achievementOutput{
		ID: a.ID, PublicURL: h.service.AchievementURL(a.ID), CreatedAt: a.Created, UpdatedAt: a.Updated, Version: a.Version,
		achievementInput: achievementInput{IssuerID: a.IssuerID, ImageID: a.ImageID, AchievementDetails: a.Details},
	}
}

func (h *handlers) imageOutput(i Image) imageOutput {
	url := h.service.ImageURL(i.ID)
	out := imageOutput{ID: i.ID, PublicURL: url, CreatedAt: i.Created, UpdatedAt: i.Updated, Renditions: []renditionOutput{}}
	for _, r := range i.Renditions {
		out.Renditions = append(out.Renditions, renditionOutput{
			Format: string(r.Format), MediaType: r.MediaType, Width: r.Width, Height: r.Height, Size: r.Size, SHA256: r.SHA256,
			URL: url + "?format=" + string(r.Format),
		})
	}
	return out
}

// versioned answers with the document and the ETag that If-Match takes back.
func versioned(c *fiber.Ctx, status int, version int64, v any) error {
	httpserver.SetVersion(c, version)
	return httpserver.JSON(c, status, v)
}

// seen reads the version that a change is meant for.
func seen(c *fiber.Ctx) (int64, error) {
	version, ok := httpserver.IfMatch(c)
	if !ok {
		return 0, ErrVersion.Detailf("If-Match holds no ETag of ours; repeat the ETag header of the last answer as it is.")
	}
	return version, nil
}

func (h *handlers) createIssuer(c *fiber.Ctx) error {
	var in newIssuerInput
	if err := httpserver.Decode(c, &in, strictjson.Unmarshal); err != nil {
		return err
	}
	issuer, err := h.service.CreateIssuer(c.UserContext(), in.ProfileDetails, in.ImageID, in.KeyProvider)
	if err != nil {
		return err
	}
	c.Location("/api/v1/issuers/" + issuer.ID)
	return versioned(c, fiber.StatusCreated, issuer.Version, h.issuerOutput(issuer))
}

// sorts are the orders of both lists.
var sorts = []string{"createdAt", "name"}

func (h *handlers) listIssuers(c *fiber.Ctx) error {
	q, err := httpserver.PageQuery(c, sorts)
	if err != nil {
		return err
	}
	found, err := h.service.Issuers(c.UserContext(), IssuerFilter{Name: c.Query("name")}, q)
	if err != nil {
		return err
	}
	return httpserver.JSON(c, fiber.StatusOK, paging.Map(found, h.issuerOutput))
}

func (h *handlers) readIssuer(c *fiber.Ctx) error {
	issuer, err := h.service.Issuer(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	return versioned(c, fiber.StatusOK, issuer.Version, h.issuerOutput(issuer))
}

func (h *handlers) replaceIssuer(c *fiber.Ctx) error {
	version, err := seen(c)
	if err != nil {
		return err
	}
	var in issuerInput
	if err := httpserver.Decode(c, &in, strictjson.Unmarshal); err != nil {
		return err
	}
	issuer, err := h.service.ReplaceIssuer(c.UserContext(), c.Params("id"), version, in.ProfileDetails, in.ImageID)
	if err != nil {
		return err
	}
	return versioned(c, fiber.StatusOK, issuer.Version, h.issuerOutput(issuer))
}

func (h *handlers) deleteIssuer(c *fiber.Ctx) error {
	if err := h.service.DeleteIssuer(c.UserContext(), c.Params("id")); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (h *handlers) createAchievement(c *fiber.Ctx) error {
	var in achievementInput
	if err := httpserver.Decode(c, &in, strictjson.Unmarshal); err != nil {
		return err
	}
	achievement, err := h.service.CreateAchievement(c.UserContext(), in.IssuerID, in.AchievementDetails, in.ImageID)
	if err != nil {
		return err
	}
	c.Location("/api/v1/achievements/" + achievement.ID)
	return versioned(c, fiber.StatusCreated, achievement.Version, h.achievementOutput(achievement))
}

func (h *handlers) listAchievements(c *fiber.Ctx) error {
	q, err := httpserver.PageQuery(c, sorts)
	if err != nil {
		return err
	}
	filter := AchievementFilter{IssuerID: c.Query("issuerId"), Name: c.Query("name"), AchievementType: c.Query("achievementType")}
	found, err := h.service.Achievements(c.UserContext(), filter, q)
	if err != nil {
		return err
	}
	return httpserver.JSON(c, fiber.StatusOK, paging.Map(found, h.achievementOutput))
}

func (h *handlers) readAchievement(c *fiber.Ctx) error {
	achievement, err := h.service.Achievement(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	return versioned(c, fiber.StatusOK, achievement.Version, h.achievementOutput(achievement))
}

func (h *handlers) replaceAchievement(c *fiber.Ctx) error {
	version, err := seen(c)
	if err != nil {
		return err
	}
	var in achievementInput
	if err := httpserver.Decode(c, &in, strictjson.Unmarshal); err != nil {
		return err
	}
	achievement, err := h.service.ReplaceAchievement(c.UserContext(), c.Params("id"), in.IssuerID, version, in.AchievementDetails, in.ImageID)
	if err != nil {
		return err
	}
	return versioned(c, fiber.StatusOK, achievement.Version, h.achievementOutput(achievement))
}

func (h *handlers) deleteAchievement(c *fiber.Ctx) error {
	if err := h.service.DeleteAchievement(c.UserContext(), c.Params("id")); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (h *handlers) uploadImage(c *fiber.Ctx) error {
	content, err := picture(c)
	if err != nil {
		return err
	}
	img, err := h.service.UploadImage(c.UserContext(), content)
	if err != nil {
		return err
	}
	c.Location("/api/v1/images/" + img.ID)
	return httpserver.JSON(c, fiber.StatusCreated, h.imageOutput(img))
}

// picture reads an upload; what it is the bytes say, not the header, but a header
// that names something else altogether is refused.
func picture(c *fiber.Ctx) ([]byte, error) {
	content, mediaType, err := httpserver.Upload(c, "image")
	if err != nil {
		return nil, err
	}
	switch mediaType {
	case "", "image/png", "image/svg+xml", "application/octet-stream":
		return content, nil
	default:
		return nil, ErrImageUnsupported.Detailf("Content-Type is %q; send image/png or image/svg+xml.", clip(mediaType))
	}
}

func (h *handlers) readImage(c *fiber.Ctx) error {
	img, err := h.service.Image(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	return httpserver.JSON(c, fiber.StatusOK, h.imageOutput(img))
}

func (h *handlers) putRendition(c *fiber.Ctx) error {
	content, err := picture(c)
	if err != nil {
		return err
	}
	img, err := h.service.PutRendition(c.UserContext(), c.Params("id"), content)
	if err != nil {
		return err
	}
	return httpserver.JSON(c, fiber.StatusOK, h.imageOutput(img))
}

func (h *handlers) deleteImage(c *fiber.Ctx) error {
	if err := h.service.DeleteImage(c.UserContext(), c.Params("id")); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (h *handlers) publicImage(c *fiber.Ctx) error {
	c.Vary(fiber.HeaderAccept)
	format := image.Format(c.Query("format"))
	if format == "" && !strings.Contains(c.Get(fiber.HeaderAccept), "*/*") {
		switch httpserver.Accepts(c, "", "image/png", "image/svg+xml") {
		case "image/png":
			format = image.PNG
		case "image/svg+xml":
			format = image.SVG
		}
	}
	picture, err := h.service.Published(c.UserContext(), c.Params("id"), format)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=3600")
	// An uploaded SVG is a document of a stranger: shown, never run.
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox")
	if httpserver.Fresh(c, picture.SHA256) {
		return nil
	}
	return httpserver.Bytes(c, fiber.StatusOK, picture.MediaType, picture.Content)
}
