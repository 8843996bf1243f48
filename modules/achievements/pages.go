package achievements

import (
	"embed"
	"html/template"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/page"
)

//go:embed templates/*.html
var templates embed.FS

// cached lets others keep a public document for a short while.
func cached(c *fiber.Ctx) { c.Set(fiber.HeaderCacheControl, "public, max-age=60") }

func (h *handlers) publicIssuer(c *fiber.Ctx) error {
	doc, err := h.service.PublicIssuer(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	cached(c)
	if !httpserver.WantsHTML(c) {
		return linkedData(c, doc)
	}
	return h.page.Render(c, fiber.StatusOK, page.View{
		Title: doc.Name, Description: doc.Description, ImageURL: imageID(doc.Image), CanonicalURL: h.service.IssuerURL(strings.ToLower(c.Params("id"))),
		Pages: h.pages, Body: "issuer.html", Data: issuerPage{doc, shown(doc.Image)},
	})
}

func (h *handlers) publicAchievement(c *fiber.Ctx) error {
	doc, err := h.service.PublicAchievement(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	cached(c)
	if !httpserver.WantsHTML(c) {
		return linkedData(c, doc)
	}
	return h.page.Render(c, fiber.StatusOK, page.View{
		Title: doc.Name, Description: doc.Description, ImageURL: imageID(doc.Image), CanonicalURL: doc.ID,
		Pages: h.pages, Body: "achievement.html", Data: achievementPage{doc, shown(doc.Image)},
	})
}

func (h *handlers) badgeClass(c *fiber.Ctx) error {
	class, err := h.service.BadgeClass(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	cached(c)
	return hosted(c, class)
}

func (h *handlers) hostedIssuer(c *fiber.Ctx) error {
	issuer, err := h.service.HostedIssuer(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	cached(c)
	return hosted(c, issuer)
}

// hosted answers a document of Open Badges 2.0: as JSON unless the caller asks for
// linked data.
func hosted(c *fiber.Ctx, document any) error {
	if httpserver.Accepts(c, fiber.MIMEApplicationJSON, "application/ld+json") == "application/ld+json" {
		return linkedData(c, document)
	}
	return httpserver.JSON(c, fiber.StatusOK, document)
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

func linkedData(c *fiber.Ctx, doc any) error {
	mediaType := httpserver.Accepts(c, "application/ld+json", fiber.MIMEApplicationJSON)
	if mediaType == "" {
		mediaType = "application/ld+json"
	}
	if err := httpserver.JSON(c, fiber.StatusOK, doc); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, mediaType)
	return nil
}
