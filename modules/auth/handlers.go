package auth

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/paging"
)

type handlers struct {
	service *Service
	now     func() time.Time
}

func newHandlers(service *Service, now func() time.Time) *handlers {
	return &handlers{service: service, now: now}
}

type tokenInput struct {
	Name    string   `json:"name" doc:"Who will use it, such as \"course platform\"."`
	Scopes  []string `json:"scopes" doc:"What it may do."`
	Expires string   `json:"expires,omitempty" doc:"A duration such as 90d or 12h, a date, or a time; never when left out."`
}

type tokenOutput struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Prefix     string     `json:"prefix" doc:"How the token begins, to recognise it by."`
	Scopes     []string   `json:"scopes"`
	CreatedAt  time.Time  `json:"createdAt"`
	ExpiresAt  *time.Time `json:"expiresAt,omitempty" doc:"Absent: never."`
	RevokedAt  *time.Time `json:"revokedAt,omitempty"`
	LastUsedAt *time.Time `json:"lastUsedAt,omitempty" doc:"Late by up to a minute."`
}

type createdOutput struct {
	tokenOutput
	Token string `json:"token" doc:"The token itself. It is shown this one time and kept nowhere."`
}

func output(t Token) tokenOutput {
	return tokenOutput{
		ID: t.ID, Name: t.Name, Prefix: t.Prefix, Scopes: t.Scopes, CreatedAt: t.Created,
		ExpiresAt: optional(t.Expires), RevokedAt: optional(t.Revoked), LastUsedAt: optional(t.LastUsed),
	}
}

func (h *handlers) create(c *fiber.Ctx) error {
	var in tokenInput
	if err := httpserver.Decode(c, &in, strictjson.Unmarshal); err != nil {
		return err
	}
	expires, err := ParseExpiry(in.Expires, h.now())
	if err != nil {
		return err
	}
	text, token, err := h.service.Create(c.UserContext(), in.Name, in.Scopes, expires)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store") // RFC 6750, 5.3 (Summary of Recommendations)
	return httpserver.JSON(c, fiber.StatusCreated, createdOutput{output(token), text})
}

func (h *handlers) list(c *fiber.Ctx) error {
	tokens, err := h.service.List(c.UserContext())
	if err != nil {
		return err
	}
	page := paging.Page[tokenOutput]{Items: make([]tokenOutput, len(tokens))}
	for i, t := range tokens {
		page.Items[i] = output(t)
	}
	return httpserver.JSON(c, fiber.StatusOK, page)
}

func (h *handlers) revoke(c *fiber.Ctx) error {
	if _, err := h.service.RevokeID(c.UserContext(), c.Params("id")); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
