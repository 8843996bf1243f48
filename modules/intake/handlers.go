package intake

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
	"github.com/badge-engine/badge-engine/platform/httpserver"
)

type handlers struct{ service *Service }

type request struct {
	URL string `json:"url" format:"uri" doc:"Address of the badge, in place of the badge itself."`
}

func (h handlers) take(c *fiber.Ctx) error {
	o, err := options(c)
	if err != nil {
		return err
	}
	if o.Address == "" {
		upload, _, err := httpserver.Upload(c, "file")
		if err != nil {
			return err
		}
		if o.Address = addressIn(upload); o.Address == "" {
			o.Upload = upload
		}
	}
	outcome, made, err := h.service.Import(c.UserContext(), o)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if made {
		status = http.StatusCreated
	}
	return httpserver.JSON(c, status, outcome)
}

func (h handlers) takeMany(c *fiber.Ctx) error {
	all, err := options(c)
	if err != nil {
		return err
	}
	file, _, err := httpserver.Upload(c, "file")
	if err != nil {
		return err
	}
	rows, err := ReadRows(file, all)
	if err != nil {
		return err
	}
	out, err := h.service.ImportMany(c.UserContext(), rows)
	if err != nil {
		return err
	}
	return httpserver.JSON(c, http.StatusOK, out)
}

// options come in the query, or in the form.
func options(c *fiber.Ctx) (Order, error) {
	field := func(name string) string {
		if value := c.Query(name); value != "" || httpserver.MediaType(c) != fiber.MIMEMultipartForm {
			return value
		}
		return httpserver.Form(c, name)
	}
	o := Order{IssuerID: field("issuerId"), AchievementID: field("achievementId"), Recipient: field("recipient")}
	if httpserver.MediaType(c) == fiber.MIMEMultipartForm {
		o.Address = httpserver.Form(c, "url")
	}
	switch field("dryRun") {
	case "", "false":
	case "true":
		o.DryRun = true
	default:
		return o, ErrOption.Detailf("dryRun is true or false.")
	}
	return o, nil
}

// addressIn reads {"url": …} and nothing else.
func addressIn(body []byte) string {
	if len(body) > 16<<10 {
		return ""
	}
	value, err := strictjson.Parse(body)
	members, _ := value.(map[string]any)
	if err != nil || len(members) != 1 {
		return ""
	}
	address, _ := members["url"].(string)
	return address
}
