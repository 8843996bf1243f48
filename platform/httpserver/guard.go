package httpserver

import (
	"context"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// The refusals of the guard.
var (
	ErrUnauthenticated = fault.New(fault.Unauthenticated, "httpserver.unauthenticated", "A valid token is needed here.")
	ErrForbidden       = fault.New(fault.Forbidden, "httpserver.forbidden", "The token does not allow this.")
)

// Credentials are what a request shows of its caller.
type Credentials struct {
	Authorization string // the header as it came, scheme included; may be empty
	RemoteIP      string // the caller's address, as far as the trusted proxies tell

	Method string // of the request
	Path   string // of the request, without the query

	// What browsers show. It is left out where there is an Authorization, which
	// alone counts then.
	Cookie    string // the Cookie header as it came; may be empty
	CSRF      string // the X-CSRF-Token header, or the field csrf_token of a form
	Origin    string // the Origin header
	FetchSite string // the Sec-Fetch-Site header
}

// Guard finds out who is calling. It answers with nobody or a fault of kind
// Unauthenticated when it does not know, and with other faults when it cannot tell.
type Guard interface {
	Authenticate(ctx context.Context, c Credentials) (principal.Principal, error)
}

// csrf finds what pages send back of themselves: scripts in a header, forms in a
// field, which only small plain forms have.
func csrf(c *fiber.Ctx) string {
	const largest = 64 << 10
	token := c.Get("X-CSRF-Token")
	if token == "" && MediaType(c) == fiber.MIMEApplicationForm && len(c.Request().Body()) <= largest {
		token = string(c.Context().PostArgs().Peek("csrf_token"))
	}
	return token
}

var cacheControl, noStore = []byte(fiber.HeaderCacheControl), []byte("no-store")

// admit lets the request pass, with its principal in the context, or says why not.
func (s *Server) admit(c *fiber.Ctx, a Access) error {
	if a.public {
		return nil
	}
	ctx := c.UserContext()
	shown := Credentials{Authorization: c.Get(fiber.HeaderAuthorization), RemoteIP: principal.Address(ctx), Method: c.Method(), Path: c.Path()}
	if shown.Authorization == "" {
		shown.Cookie, shown.CSRF = c.Get(fiber.HeaderCookie), csrf(c)
		shown.Origin, shown.FetchSite = c.Get(fiber.HeaderOrigin), c.Get("Sec-Fetch-Site")
	}
	p, err := s.guard.Authenticate(ctx, shown)
	if err != nil {
		return err
	}
	if p.Anonymous() {
		return ErrUnauthenticated.Detailf("Send it as \"Authorization: Bearer\" and the token.")
	}
	c.SetUserContext(principal.With(ctx, p))
	if d := s.limits.Principal(p.ID, p.May(principal.ScopeSCIM)); !d.Allowed {
		return d.Err()
	}
	// Answers made for one caller are for no cache, unless the handler knows better
	// (RFC 9111, 3.5 (Storing Responses to Authenticated Requests)).
	c.Response().Header.SetCanonical(cacheControl, noStore)
	if a.anyone {
		return nil
	}
	for _, scope := range a.scopes {
		if p.May(scope) {
			return nil
		}
	}
	// RFC 6750, 3.1 (Error Codes): insufficient_scope names the scope needed.
	c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="badge-engine", error="insufficient_scope", scope="`+strings.Join(a.scopes, " ")+`"`)
	return ErrForbidden.Detailf("It needs the scope %s.", strings.Join(a.scopes, " or "))
}
