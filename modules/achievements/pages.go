package achievements

import (
	"cmp"
	"context"
	"embed"
	"html/template"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/page"
	"github.com/badge-engine/badge-engine/platform/shelf"
)

//go:embed templates/*.html
var templates embed.FS

// cached lets others keep a public document for a short while.
func cached(c *fiber.Ctx) { c.Set(fiber.HeaderCacheControl, "public, max-age=60") }

func (h *handlers) publicIssuer(c *fiber.Ctx) error {
	if !httpserver.WantsHTML(c) {
		return h.publicJSON(c, "issuer", func(ctx context.Context, id string) (any, error) { return h.service.PublicIssuer(ctx, id) }, linkedData)
	}
	doc, err := h.service.PublicIssuer(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	cached(c)
	return h.page.Render(c, fiber.StatusOK, page.View{
		Title: doc.Name, Description: doc.Description, ImageURL: imageID(doc.Image), CanonicalURL: h.service.IssuerURL(strings.ToLower(c.Params("id"))),
		Pages: h.pages, Body: "issuer.html", Data: issuerPage{doc, shown(doc.Image)},
	})
}

func (h *handlers) publicAchievement(c *fiber.Ctx) error {
	if !httpserver.WantsHTML(c) {
		return h.publicJSON(c, "achievement", func(ctx context.Context, id string) (any, error) { return h.service.PublicAchievement(ctx, id) }, linkedData)
	}
	doc, err := h.service.PublicAchievement(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	cached(c)
	return h.page.Render(c, fiber.StatusOK, page.View{
		Title: doc.Name, Description: doc.Description, ImageURL: imageID(doc.Image), CanonicalURL: doc.ID,
		Pages: h.pages, Body: "achievement.html", Data: achievementPage{doc, shown(doc.Image)},
	})
}

func (h *handlers) badgeClass(c *fiber.Ctx) error {
	return h.publicJSON(c, "badge class", func(ctx context.Context, id string) (any, error) { return h.service.BadgeClass(ctx, id) }, hosted)
}

func (h *handlers) hostedIssuer(c *fiber.Ctx) error {
	return h.publicJSON(c, "hosted issuer", func(ctx context.Context, id string) (any, error) { return h.service.HostedIssuer(ctx, id) }, hosted)
}

// publicJSON answers a kind of document about what the path names, off the shelf; label
// chooses its media type.
func (h *handlers) publicJSON(c *fiber.Ctx, kind string, read func(ctx context.Context, id string) (any, error), label func(*fiber.Ctx) string) error {
	id := strings.ToLower(c.Params("id"))
	document, err := shelf.JSON(c.UserContext(), h.shelf, kind+" "+id, func(ctx context.Context) (any, error) { return read(ctx, id) })
	if err != nil {
		return err
	}
	cached(c)
	mediaType := label(c)
	if httpserver.Fresh(c, document.Tag) {
		return nil
	}
	return httpserver.Bytes(c, fiber.StatusOK, mediaType, document.Body)
}

// linkedData is how JSON-LD is labelled.
func linkedData(c *fiber.Ctx) string {
	return cmp.Or(httpserver.Accepts(c, "application/ld+json", fiber.MIMEApplicationJSON), "application/ld+json")
}

// hosted is how a document of Open Badges 2.0 is labelled: as JSON unless the caller
// asks for linked data.
func hosted(c *fiber.Ctx) string {
	return cmp.Or(httpserver.Accepts(c, fiber.MIMEApplicationJSON, "application/ld+json"), fiber.MIMEApplicationJSON)
}

type issuerPage struct {
	PublicIssuer
	Picture template.URL
}

type achievementPage struct {
	PublicAchievement
	Picture template.URL
}

// shown is the address of a picture as a page may use it. It is one of ours, or a
// data URL of a picture that was inspected when it was uploaded.
func shown(image *openbadges.Image) template.URL { return template.URL(imageID(image)) }

func imageID(image *openbadges.Image) string {
	if image == nil {
		return ""
	}
	return image.ID
}
