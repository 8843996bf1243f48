package issuance

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/badge-engine/badge-engine/platform/fault"
)

// mostTogether is how many credentials are stored in one unit of work.
const mostTogether = 64

// intakeTime is how long a shared unit of work may take. It cannot end with any one of
// its callers.
const intakeTime = 15 * time.Second

// errMoved says that an achievement, or its issuer, changed after a credential was
// signed for it.
var errMoved = errors.New("issuance: the achievement changed meanwhile")

// intake stores what is signed. Whoever comes while no unit of work is under way opens
// one at once; whoever comes meanwhile waits for the next, which stores all of them
// together. So a lone caller waits for nobody, and many wait for one another's disk no
// longer than for their own.
//
// There is one unit at a time. A second one beside it would only halve the callers of
// each, and both would hold the row of the same achievement, which PostgreSQL notes in
// a list of its own.
type intake struct {
	work   Work
	settle func(ctx context.Context, several []*arrival) error // in a unit of work

	mu      sync.Mutex
	waiting []*arrival
	open    bool // a unit is under way
}

// arrival is a signed credential on its way into the database.
type arrival struct {
	ctx        context.Context // of its caller, who is recorded
	credential Credential
	edition    string // of the achievement that it was signed for
	err        error
	done       chan struct{} // closed when err is known
	turn       chan struct{} // tells its caller to open the next unit
}

// put stores a credential, alone or with others, and answers when that is durable or
// came to nothing.
func (i *intake) put(ctx context.Context, c Credential, edition string) error {
	a := &arrival{ctx: ctx, credential: c, edition: edition, done: make(chan struct{}), turn: make(chan struct{}, 1)}
	i.mu.Lock()
	if i.open {
		i.waiting = append(i.waiting, a)
		i.mu.Unlock()
		select {
		case <-a.done: // another caller stored it with others
			return a.err
		case <-a.turn: // it was taken out of those that wait
		}
	} else {
		i.open = true
		i.mu.Unlock()
	}
	i.lead(a)
	return a.err
}

// lead stores an arrival and those that wait, and then gives the turn to the next.
func (i *intake) lead(first *arrival) {
	defer func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		if len(i.waiting) == 0 {
			i.open = false
			return
		}
		next := i.waiting[0]
		i.waiting = i.waiting[1:]
		next.turn <- struct{}{} // never blocks: nobody else has this arrival
	}()
	i.store(first)
}

// join takes those that wait, as many as go together with some others.
func (i *intake) join(others []*arrival) []*arrival {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := min(len(i.waiting), mostTogether-len(others))
	others = append(others, i.waiting[:n]...)
	if i.waiting = i.waiting[n:]; len(i.waiting) == 0 {
		i.waiting = nil
	}
	return others
}

// store answers an arrival and those that join it. They do once the unit of work has
// begun: on an engine where one unit writes at a time, that is when the one before has
// ended. Where they fail together, each is stored for itself, so that nobody fails by
// another's fault.
func (i *intake) store(first *arrival) {
	several := []*arrival{first}
	defer func() { // also should settle panic
		for _, a := range several {
			select {
			case <-a.done:
			default:
				if a.err == nil {
					a.err = errors.New("issuance: the unit of work panicked")
				}
				close(a.done)
			}
		}
	}()
	var live []*arrival
	gathered := false
	gather := func() []*arrival {
		gathered = true
		several = i.join(several)
		for _, a := range several {
			if a.err = a.ctx.Err(); a.err != nil {
				close(a.done) // its caller has gone
				continue
			}
			live = append(live, a)
		}
		return live
	}
	err := i.attempt(first.ctx, gather)
	if !gathered { // there was no unit for anybody
		gather()
	}
	if f, ok := fault.From(err); err == nil || len(live) == 1 || ok && f.Kind() == fault.Unavailable {
		for _, a := range live {
			if a.err == nil {
				a.err = err
			}
			close(a.done)
		}
		return
	}
	for _, a := range live {
		a.err = nil
		if err := i.attempt(a.ctx, func() []*arrival { return []*arrival{a} }); a.err == nil {
			a.err = err
		}
		close(a.done)
	}
}

func (i *intake) attempt(ctx context.Context, gather func() []*arrival) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), intakeTime)
	defer cancel()
	return i.work.Do(ctx, func(ctx context.Context) error {
		several := gather()
		if len(several) == 0 {
			return nil
		}
		return i.settle(ctx, several)
	})
}

// settle stores arrivals with their events, in the unit of work in ctx. It sets the errors
// of those that cannot be stored for a reason of their own.
func (s *Service) settle(ctx context.Context, several []*arrival) error {
	editions := map[string]string{}
	gone := map[string]error{}
	var credentials []Credential
	var targets []string
	var by []context.Context
	for _, a := range several {
		id := a.credential.AchievementID
		edition, held := editions[id]
		if !held && gone[id] == nil {
			var err error
			if edition, err = s.achievements.Hold(ctx, id); notFound(err) {
				gone[id] = noAchievement()
			} else if err != nil {
				return err
			}
			editions[id] = edition
		}
		switch {
		case gone[id] != nil:
			a.err = gone[id]
		case edition != a.edition:
			a.err = errMoved
		default:
			credentials, targets, by = append(credentials, a.credential), append(targets, a.credential.ID), append(by, a.ctx)
		}
	}
	if len(credentials) == 0 {
		return nil
	}
	if err := s.store.Insert(ctx, credentials); err != nil {
		return err
	}
	if s.audit == nil {
		return nil
	}
	return s.audit.RecordEach(ctx, "issuance.credential.issued", targets, by)
}
