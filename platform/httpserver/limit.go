package httpserver

import (
	"errors"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/platform/ratelimit"
)

// counted counts a failed authentication against the address it came from, and
// answers [ratelimit.ErrExceeded] in its place once there are too many. Only what
// was refused is counted: a request that shows nothing guesses nothing, and one
// that shows what is right never comes here.
func (s *Server) counted(c *fiber.Ctx, err error) error {
	if err == nil {
		return nil
	}
	f, ok := fault.From(err)
	if !ok || f.Kind() != fault.Unauthenticated || errors.Is(err, ErrUnauthenticated) {
		return err
	}
	if d := s.limits.Failure(principal.Address(c.UserContext())); !d.Allowed {
		return d.Because(err)
	}
	return err
}

// spare takes a costly request from the limit of whoever shows a token that works, and
// of anybody else from that of the address: a neighbour behind the same address can
// always show a token.
func (s *Server) spare(c *fiber.Ctx) error {
	ctx := c.UserContext()
	address := principal.Address(ctx)
	if authorization := c.Get(fiber.HeaderAuthorization); authorization != "" && s.guard != nil {
		p, err := s.guard.Authenticate(ctx, Credentials{Authorization: authorization, RemoteIP: address, Method: c.Method(), Path: c.Path()})
		if err == nil && !p.Anonymous() { // a public route asks for none, so that none is refused
			return s.limits.Principal(p.ID, p.May(principal.ScopeSCIM)).Err()
		}
	}
	return s.limits.Anonymous(address).Err()
}

// Costs says that this request costs work beyond what its route always does. It answers
// [ratelimit.ErrExceeded] to whoever asks for too much of it without a token.
func Costs(c *fiber.Ctx) error {
	if p := passageOf(c); p != nil && p.server != nil {
		return p.server.spare(c)
	}
	return nil
}

// announce tells a caller who asks too often by how much.
func announce(c *fiber.Ctx, err error) {
	var exceeded ratelimit.Exceeded
	if !errors.As(err, &exceeded) {
		return
	}
	for _, field := range exceeded.Decision.Fields() {
		c.Set(field[0], field[1])
	}
}
