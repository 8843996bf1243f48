package audit

import (
	"encoding/hex"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/paging"
)

type handlers struct{ service *Service }

func newHandlers(service *Service) *handlers { return &handlers{service: service} }

type eventOutput struct {
	Sequence      int64     `json:"sequence" doc:"The number in the trail, which has no gaps."`
	ID            string    `json:"id"`
	At            time.Time `json:"at"`
	Principal     string    `json:"principal,omitempty" doc:"Who; absent for somebody nobody knows."`
	PrincipalKind string    `json:"principalKind" doc:"What stands before the colon of the principal, or anonymous, system, or several."`
	Action        string    `json:"action" doc:"As module.noun.verbed."`
	Target        string    `json:"target,omitempty" doc:"To which thing: its identifier, or the route of a request that was refused."`
	Outcome       string    `json:"outcome" enum:"succeeded,refused,failed"`
	Reason        string    `json:"reason,omitempty" doc:"Why not: the code of the problem."`
	Detail        string    `json:"detail,omitempty" doc:"What exactly, as a code."`
	RemoteIP      string    `json:"remoteIp,omitempty" doc:"From where; a network of 64 bits for refusals over IPv6."`
	RequestID     string    `json:"requestId,omitempty" doc:"By which request; the first of those that were counted."`
	Count         int64     `json:"count" doc:"How often, for refusals that were counted together."`
	Forged        bool      `json:"forged,omitempty" doc:"Somebody without the key put it into the database."`
	Hash          string    `json:"hash" doc:"Over all this and the hash before. With the sequence before it and a colon it is a head, which badge-engine audit verify can be given."`
}

func output(e Event) eventOutput {
	return eventOutput{
		Sequence: e.Sequence, ID: e.ID, At: e.At, Principal: e.Principal, PrincipalKind: e.Kind, Action: e.Action, Target: e.Target,
		Outcome: string(e.Outcome), Reason: e.Reason, Detail: e.Detail, RemoteIP: e.RemoteIP, RequestID: e.RequestID, Count: e.Count,
		Forged: e.Forged, Hash: hex.EncodeToString(e.Hash),
	}
}

// sorts are the orders of the list.
var sorts = []string{"-sequence"}

func (h *handlers) list(c *fiber.Ctx) error {
	q, err := httpserver.PageQuery(c, sorts)
	if err != nil {
		return err
	}
	f := Filter{Action: c.Query("action"), Principal: c.Query("principal"), Target: c.Query("target"), Outcome: Outcome(c.Query("outcome"))}
	for name, into := range map[string]*time.Time{"from": &f.From, "to": &f.To} {
		if *into, err = instant(c.Query(name)); err != nil {
			return ErrFilter.With(err).Detailf("The value of %s is no time; give one such as 2030-12-31T00:00:00Z.", name)
		}
	}
	page, err := h.service.Events(c.UserContext(), f, q)
	if err != nil {
		return err
	}
	return httpserver.JSON(c, fiber.StatusOK, paging.Map(page, output))
}

func instant(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339, s)
}
