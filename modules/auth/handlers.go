package auth

import (
	"errors"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/platform/problem"
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

type clientHandlers struct {
	clients *Clients
	now     func() time.Time
}

func newClientHandlers(clients *Clients, now func() time.Time) *clientHandlers {
	return &clientHandlers{clients: clients, now: now}
}

type clientInput struct {
	Name      string          `json:"name" doc:"Who will use it, such as \"Entra provisioning\"."`
	Scopes    []string        `json:"scopes" doc:"The most that its access tokens may do."`
	Expires   string          `json:"expires,omitempty" doc:"When the first secret expires: a duration such as 90d, a date, or a time; never when left out."`
	Assertion *assertionInput `json:"assertion,omitempty" doc:"Whose assertions prove that the client is calling; it then has no secret at first."`
}

type assertionInput struct {
	Issuer   string `json:"issuer,omitempty" doc:"iss; that of the tenant's tokens of version 2 when left out."`
	Tenant   string `json:"tenant" doc:"tid: the id of the Entra tenant."`
	Subject  string `json:"subject" doc:"sub: the object id of the service principal."`
	Party    string `json:"party,omitempty" doc:"azp: the application; not compared when left out."`
	Audience string `json:"audience" doc:"aud: this server, as the tenant knows it."`
}

type clientOutput struct {
	ID         string          `json:"id" doc:"The client_id."`
	Name       string          `json:"name"`
	Scopes     []string        `json:"scopes"`
	Assertion  *assertionInput `json:"assertion,omitempty"`
	Secrets    []secretOutput  `json:"secrets" doc:"The newest first."`
	CreatedAt  time.Time       `json:"createdAt"`
	DisabledAt *time.Time      `json:"disabledAt,omitempty"`
	LastUsedAt *time.Time      `json:"lastUsedAt,omitempty" doc:"When it last got an access token."`
}

type secretOutput struct {
	ID         string     `json:"id"`
	Prefix     string     `json:"prefix" doc:"How the secret begins, to recognise it by."`
	CreatedAt  time.Time  `json:"createdAt"`
	ExpiresAt  *time.Time `json:"expiresAt,omitempty" doc:"Absent: never."`
	RevokedAt  *time.Time `json:"revokedAt,omitempty"`
	LastUsedAt *time.Time `json:"lastUsedAt,omitempty"`
}

type clientCreatedOutput struct {
	clientOutput
	Secret string `json:"secret,omitempty" doc:"The client_secret itself. It is shown this one time and kept nowhere."`
}

type secretInput struct {
	Expires string `json:"expires,omitempty" doc:"A duration such as 90d, a date, or a time; never when left out."`
}

type secretCreatedOutput struct {
	secretOutput
	Secret string `json:"secret" doc:"The client_secret itself. It is shown this one time and kept nowhere."`
}

// grantOutput is RFC 6749, 5.1 (Successful Response).
type grantOutput struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"`
	Scope       string `json:"scope"`
}

func outputSecret(s ClientSecret) secretOutput {
	return secretOutput{
		ID: s.ID, Prefix: s.Prefix, CreatedAt: s.Created,
		ExpiresAt: optional(s.Expires), RevokedAt: optional(s.Revoked), LastUsedAt: optional(s.LastUsed),
	}
}

func outputClient(c Client) clientOutput {
	out := clientOutput{
		ID: c.ID, Name: c.Name, Scopes: c.Scopes, Secrets: make([]secretOutput, len(c.Secrets)),
		CreatedAt: c.Created, DisabledAt: optional(c.Disabled), LastUsedAt: optional(c.LastUsed),
	}
	if c.Binding != nil {
		a := assertionInput(*c.Binding)
		out.Assertion = &a
	}
	for i, s := range c.Secrets {
		out.Secrets[i] = outputSecret(s)
	}
	return out
}

func (h *clientHandlers) create(c *fiber.Ctx) error {
	var in clientInput
	if err := httpserver.Decode(c, &in, strictjson.Unmarshal); err != nil {
		return err
	}
	expires, err := ParseExpiry(in.Expires, h.now())
	if err != nil {
		return err
	}
	text, client, err := h.clients.Create(c.UserContext(), in.Name, in.Scopes, expires, (*Binding)(in.Assertion))
	if err != nil {
		return err
	}
	return httpserver.JSON(c, fiber.StatusCreated, clientCreatedOutput{outputClient(client), text})
}

func (h *clientHandlers) list(c *fiber.Ctx) error {
	clients, err := h.clients.List(c.UserContext())
	if err != nil {
		return err
	}
	page := paging.Page[clientOutput]{Items: make([]clientOutput, len(clients))}
	for i, client := range clients {
		page.Items[i] = outputClient(client)
	}
	return httpserver.JSON(c, fiber.StatusOK, page)
}

func (h *clientHandlers) rotate(c *fiber.Ctx) error {
	var in secretInput
	if err := httpserver.Decode(c, &in, strictjson.Unmarshal); err != nil {
		return err
	}
	expires, err := ParseExpiry(in.Expires, h.now())
	if err != nil {
		return err
	}
	text, secret, err := h.clients.Rotate(c.UserContext(), c.Params("id"), expires)
	if err != nil {
		return err
	}
	return httpserver.JSON(c, fiber.StatusCreated, secretCreatedOutput{outputSecret(secret), text})
}

func (h *clientHandlers) revokeSecret(c *fiber.Ctx) error {
	if err := h.clients.RevokeSecret(c.UserContext(), c.Params("id"), c.Params("secret")); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (h *clientHandlers) disable(c *fiber.Ctx) error {
	if err := h.clients.Disable(c.UserContext(), c.Params("id")); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// token is the token endpoint (RFC 6749, 3.2).
func (h *clientHandlers) token(c *fiber.Ctx) error {
	// RFC 6749, 5.1 (Successful Response); refusals are never stored either.
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderPragma, "no-cache")
	if httpserver.MediaType(c) != fiber.MIMEApplicationForm {
		return ErrOAuthRequest.Detailf("Send a form with Content-Type: application/x-www-form-urlencoded.")
	}
	request, err := parseTokenRequest(string(c.BodyRaw()), c.Get(fiber.HeaderAuthorization))
	if err == nil {
		var grant Grant
		if grant, err = h.clients.Token(c.UserContext(), request); err == nil {
			return httpserver.JSON(c, fiber.StatusOK, grantOutput{
				AccessToken: grant.Token, TokenType: "Bearer", ExpiresIn: int64(grant.Lifetime / time.Second), Scope: strings.Join(grant.Scopes, " "),
			})
		}
	}
	if errors.Is(err, ErrOAuthClient) {
		// RFC 6749, 5.2: the challenge matches the scheme that clients may use.
		c.Set(fiber.HeaderWWWAuthenticate, `Basic realm="badge-engine", charset="UTF-8"`)
	}
	return err
}

// oauthErrors are the words of RFC 6749, 5.2 (Error Response) for our codes.
var oauthErrors = map[string]string{
	ErrOAuthRequest.Code():   "invalid_request",
	ErrOAuthClient.Code():    "invalid_client",
	ErrOAuthGrantType.Code(): "unsupported_grant_type",
	ErrOAuthScope.Code():     "invalid_scope",
}

// oauthRefusal is the dialect of the token endpoint. The standard has words for
// mistakes of the client alone; for the others those of its authorization endpoint
// serve (4.1.2.1).
func oauthRefusal(c *fiber.Ctx, p problem.Problem) error {
	word, known := oauthErrors[p.Code]
	switch {
	case known:
	case p.Status == fiber.StatusTooManyRequests || p.Status == fiber.StatusServiceUnavailable:
		word = "temporarily_unavailable"
	case p.Status >= 500:
		word = "server_error"
	default:
		word = "invalid_request"
	}
	said := map[string]string{
		"error":             word,
		"error_description": oauthText(p.Title + " " + p.Detail),
		"code":              p.Code,
		"help":              p.Help,
		"requestId":         p.RequestID,
	}
	if p.TraceID != "" {
		said["traceId"] = p.TraceID
	}
	return httpserver.JSON(c, p.Status, said)
}

// oauthText leaves what error_description may hold: ASCII that can be seen, and
// neither quotes nor backslashes.
func oauthText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, strings.TrimSpace(s))
}

// oauthDialect has the refusals of a token endpoint written as OAuth has them.
func oauthDialect(path string) func() httpserver.Dialect {
	return func() httpserver.Dialect { return httpserver.Dialect{Prefix: path, Write: oauthRefusal} }
}
