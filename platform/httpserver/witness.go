package httpserver

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/platform/fault"
)

// Refusal is a request that was turned away because of who sent it: nobody
// known, somebody who may not, or somebody who asks too often.
type Refusal struct {
	Method string
	Route  string // the pattern; never the path itself, which strangers choose
	Err    error
}

// Witness hears of every [Refusal]; the context carries who and from where.
// Strangers decide how often it is called, so it must neither wait nor fail.
type Witness interface {
	Refused(ctx context.Context, r Refusal)
}

// Observer hears of every answer: the pattern of its route, or "-" where none fits,
// and how long it took. It must neither wait nor fail.
type Observer interface {
	Observe(method, route string, status int, took time.Duration)
}

// testify tells the witness of an error that is a [Refusal].
func (s *Server) testify(c *fiber.Ctx, err error) {
	if s.witness == nil {
		return
	}
	f, ok := fault.From(err)
	if !ok {
		return
	}
	switch f.Kind() {
	case fault.Unauthenticated, fault.Forbidden, fault.TooMany:
		s.witness.Refused(c.UserContext(), Refusal{Method: c.Method(), Route: pattern(c), Err: err})
	}
}
