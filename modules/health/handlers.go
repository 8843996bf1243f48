package health

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/platform/httpserver"
)

type handlers struct {
	service *Service
	doctor  Doctor
}

func (h handlers) report(c *fiber.Ctx) error {
	r := h.service.Report()
	status := http.StatusOK
	if !r.OK() {
		status = http.StatusServiceUnavailable
		c.Set(fiber.HeaderRetryAfter, "2")
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return httpserver.JSON(c, status, r)
}

func (h handlers) live(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return httpserver.JSON(c, http.StatusOK, Live{Status: Healthy})
}

func (h handlers) examine(c *fiber.Ctx) error {
	return httpserver.JSON(c, http.StatusOK, h.doctor.Examine(c.UserContext()))
}

// Live is the answer of a process that runs.
type Live struct {
	Status string `json:"status" enum:"healthy"`
}
