package auth

import (
	"context"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/badge-engine/badge-engine/modules/auth/entra"

	"github.com/badge-engine/badge-engine/platform/worker"
)

const (
	pollInterval = time.Second
	pollDeadline = 5 * time.Second
	pollPage     = 5000
	// patience is how many polls in a row may fail before nobody is let in: it
	// could be someone who was shut out meanwhile.
	patience = 20
	// outlived is longer than any session or token may live: whoever is let in
	// again needs to be remembered no longer.
	outlived = 48 * time.Hour
)

// Shutout says that a person is shut out, or let in again.
type Shutout struct {
	TenantID, ObjectID string
	Active             bool      // let in again
	At                 time.Time // when last shut out: sessions and tokens from before stay dead
	Sequence           int64     // given by the store
}

// person is an identity: names and addresses change, and their owners can choose
// them.
type person struct{ tenant, object string }

func personOf(tenantID, objectID string) person {
	return person{strings.ToLower(tenantID), strings.ToLower(objectID)}
}

func (p person) String() string { return p.tenant + "/" + p.object }

// People says who may come in: whoever is neither shut out nor inactive in the
// directory. Shutouts are polled into memory every second, so that they hold on
// every replica within two, without any request asking for them and without the
// cache.
type People struct {
	work      Work
	store     Shutouts
	eras      Eras // nil without
	era       *atomic.Int64
	directory Directory // nil without
	required  bool      // to be in the directory
	audit     Audit     // nil without
	now       func() time.Time
	log       *slog.Logger

	mu       sync.RWMutex
	shut     map[person]Shutout
	sequence int64
	polling  sync.Mutex
	failures atomic.Int32 // in a row; patience from the start

	nudge  chan struct{}
	worker worker.Worker
}

// NewPeople makes a People that knows nobody yet and lets nobody in: Start makes
// it know.
func NewPeople(parts Parts, store Shutouts, work Work) *People {
	p := &People{
		work: work, store: store, eras: parts.Eras, era: parts.Era, directory: parts.Directory, required: parts.Config.ProvisionedOnly, audit: parts.Audit, now: parts.Now, log: parts.Log,
		shut: map[person]Shutout{}, nudge: make(chan struct{}, 1),
	}
	p.failures.Store(patience)
	return p
}

// Start reads who is shut out, and starts the poller; Stop must follow. A database
// that cannot be read yet stops no start, since the poller goes on trying.
func (p *People) Start(ctx context.Context) {
	if err := p.Poll(ctx); err != nil {
		p.log.WarnContext(ctx, "shut-out people not known yet: nobody of the organisation is let in", slog.Any("error", err))
	}
	if p.required && p.directory == nil {
		p.log.WarnContext(ctx, "AUTH_PROVISIONED_ONLY is set and there is no directory: nobody of the organisation is let in")
	}
	p.worker.Start(pollInterval, p.nudge, p.attempt)
}

// Stop ends the poller and waits for it.
func (p *People) Stop() { p.worker.Stop() }

func (p *People) attempt(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pollDeadline)
	defer cancel()
	err := p.Poll(ctx)
	if err != nil && p.failures.Load() == patience {
		p.log.ErrorContext(ctx, "shut-out people cannot be read: nobody of the organisation is let in", slog.Any("error", err))
	}
}

// Poll reads the changes since the last time.
func (p *People) Poll(ctx context.Context) error {
	p.polling.Lock()
	defer p.polling.Unlock()
	for {
		changes, err := p.store.Since(ctx, p.sequence, pollPage)
		if err == nil {
			err = p.readEra(ctx)
		}
		if err != nil {
			if p.failures.Load() < 2*patience { // it need not count for ever
				p.failures.Add(1)
			}
			return err
		}
		p.learn(changes)
		if len(changes) < pollPage {
			p.failures.Store(0)
			return nil
		}
	}
}

func (p *People) readEra(ctx context.Context) error {
	if p.eras == nil || p.era == nil {
		return nil
	}
	era, err := p.eras.Era(ctx)
	if err == nil {
		p.era.Store(era)
	}
	return err
}

func (p *People) learn(changes []Shutout) {
	if len(changes) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	horizon := p.now().Add(-outlived)
	for _, s := range changes {
		who := personOf(s.TenantID, s.ObjectID)
		if s.Active && s.At.Before(horizon) {
			delete(p.shut, who)
		} else {
			p.shut[who] = s
		}
		p.sequence = s.Sequence
	}
}

// allowed answers [ErrDeactivated] for who is shut out, and for what was given out
// before the last time that who was, and [ErrUnsure] while that is not known.
func (p *People) allowed(who person, since time.Time) error {
	if p.failures.Load() >= patience {
		return ErrUnsure
	}
	p.mu.RLock()
	s, found := p.shut[who]
	p.mu.RUnlock()
	if found && (!s.Active || !since.Truncate(time.Second).After(s.At)) {
		return ErrDeactivated
	}
	return nil
}

// admit asks the directory too. It answers [ErrDeactivated] or [ErrNotProvisioned].
func (p *People) admit(ctx context.Context, c entra.Claims, since time.Time) error {
	if err := p.allowed(personOf(c.TenantID, c.ObjectID), since); err != nil || c.Kind == entra.App {
		return err
	}
	if p.directory == nil {
		if p.required {
			return ErrNotProvisioned
		}
		return nil
	}
	found, active, err := p.directory.User(ctx, c.TenantID, c.ObjectID)
	switch {
	case err != nil:
		return ErrUnsure.With(err)
	case found && !active:
		return ErrDeactivated
	case !found && p.required:
		return ErrNotProvisioned
	}
	return nil
}

// Deactivate shuts a person out: every session and token of theirs is refused from
// now on, on every replica within two seconds. It joins the unit of work of ctx.
func (p *People) Deactivate(ctx context.Context, tenantID, objectID string) error {
	return p.mark(ctx, Shutout{TenantID: strings.ToLower(tenantID), ObjectID: strings.ToLower(objectID), At: p.now().UTC().Truncate(time.Second)}, "auth.person_deactivated")
}

// Reactivate lets a person in again, who has to sign in anew: what was given out
// before Deactivate stays dead. It joins the unit of work of ctx.
func (p *People) Reactivate(ctx context.Context, tenantID, objectID string) error {
	return p.mark(ctx, Shutout{TenantID: strings.ToLower(tenantID), ObjectID: strings.ToLower(objectID), Active: true, At: p.now().UTC().Truncate(time.Second)}, "auth.person_reactivated")
}

func (p *People) mark(ctx context.Context, s Shutout, action string) error {
	return p.work.Do(ctx, func(ctx context.Context) error {
		shut, err := p.store.Shut(ctx, s.TenantID, s.ObjectID)
		if err != nil || shut != s.Active {
			return err
		}
		if err := p.store.Mark(ctx, s); err != nil {
			return err
		}
		// The unit may be another module's, and come to nothing after this.
		p.work.Stored(ctx, func() {
			p.log.InfoContext(ctx, strings.ReplaceAll(strings.TrimPrefix(action, "auth."), "_", " "), slog.String("tenant_id", s.TenantID), slog.String("object_id", s.ObjectID))
			select {
			case p.nudge <- struct{}{}:
			default: // it is about to look anyway
			}
		})
		return record(ctx, p.audit, Event{Action: action, Target: "user:" + s.TenantID + "/" + s.ObjectID, Outcome: "success"})
	})
}

// guid is how Entra writes identifiers.
var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// SetActive shuts a person out or lets them in again, and does not return before
// this replica knows. It must not be called inside a unit of work.
func (p *People) SetActive(ctx context.Context, tenantID, objectID string, active bool) error {
	if !guid.MatchString(tenantID) || !guid.MatchString(objectID) {
		return ErrPerson.Detailf("People are named by the ids of their tenant and of their object in Entra, which are GUIDs.")
	}
	change := p.Deactivate
	if active {
		change = p.Reactivate
	}
	if err := change(ctx, tenantID, objectID); err != nil {
		return err
	}
	return p.Poll(ctx)
}

// record is nil-safe. What happened in a unit of work is undone if it cannot be
// written down.
func record(ctx context.Context, a Audit, e Event) error {
	if a == nil {
		return nil
	}
	return a.Record(ctx, e)
}
