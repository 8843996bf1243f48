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
