package audit

import (
	"context"
	"regexp"
	"time"

	"github.com/google/uuid"

	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/paging"
)

var _ httpserver.Witness = (*Service)(nil)

// Service records events, lists them, and checks their chain.
type Service struct {
	key   Key
	store *Store
	tally *tally
	now   func() time.Time
}

// New makes a service over a store.
func New(key Key, store *Store, now func() time.Time) *Service {
	return &Service{key: key, store: store, tally: newTally(), now: now}
}

// Record writes down a deed like [Service.Write]; a failure makes it one that was
// refused or failed.
func (s *Service) Record(ctx context.Context, action, target, detail string, failure error) error {
	d := Deed{Action: action, Target: target, Detail: detail}
	if failure != nil {
		d.Outcome, d.Reason = judge(failure)
	}
	return s.Write(ctx, d)
}

// Write writes down a deed.
//
// One that succeeded is stored, or will be, by the unit of work in ctx, and its
// event with it: the caller must let an error end the unit. One that did not is
// counted and written down within a minute; then the answer is nil.
//
// Identifiers and codes only: whatever is neither is withheld.
func (s *Service) Write(ctx context.Context, d Deed) error {
	e := describe(ctx, d)
	if e.Outcome != Succeeded {
		e.At = s.instant()
		s.tally.add(e)
		return nil
	}
	e, err := s.complete(e)
	if err != nil {
		return err
	}
	return s.store.Append(ctx, e)
}

// RecordEach writes down that several callers succeeded in one thing each, together:
// target i was dealt with by whoever is known from context i. It joins the unit in ctx.
func (s *Service) RecordEach(ctx context.Context, action string, targets []string, by []context.Context) error {
	events := make([]Event, len(targets))
	for i, target := range targets {
		var err error
		if events[i], err = s.identify(describe(by[i], Deed{Action: action, Target: target})); err != nil {
			return err
		}
	}
	if len(events) == 0 {
		return nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	parcel, err := s.key.parcel(id.String(), events)
	if err != nil {
		return err
	}
	return s.store.Deliver(ctx, parcel)
}

// Refused implements [httpserver.Witness].
func (s *Service) Refused(ctx context.Context, r httpserver.Refusal) {
	_ = s.Record(ctx, "httpserver.request.refused", r.Method+":"+r.Route, "", r.Err) // with a failure it never fails
}

func (s *Service) instant() time.Time { return s.now().UTC().Truncate(time.Second) }

// complete gives an event its identifier, its time unless it has one, and its mark.
func (s *Service) complete(e Event) (Event, error) {
	e, err := s.identify(e)
	if err == nil {
		e.mark = s.key.mark(e)
	}
	return e, err
}

func (s *Service) identify(e Event) (Event, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Event{}, err
	}
	e.ID = id.String()
	if e.At.IsZero() {
		e.At = s.instant()
	}
	return e, nil
}

// Flush writes down what was counted. What cannot be written is kept for the next time.
func (s *Service) Flush(ctx context.Context) error {
	counted := s.tally.take()
	if len(counted) == 0 {
		return nil
	}
	events := make([]Event, len(counted))
	for i, e := range counted {
		var err error
		if events[i], err = s.complete(e); err != nil {
			return err
		}
	}
	err := s.store.Append(ctx, events...)
	if err != nil {
		s.tally.add(counted...)
	}
	return err
}

// Filter narrows a listing of events. Empty fields do not.
type Filter struct {
	Action    string // its beginning: "issuance." or "auth.token.created"
	Principal string
	Target    string
	Outcome   Outcome
	From, To  time.Time // at least, and before
}

var actionBeginning = regexp.MustCompile(`^[a-z0-9._]{0,200}$`)

// Events answers a page of the chain, [ErrFilter] or [paging.ErrCursor]. Events of
// the last moment, which are not sealed yet, are not in it.
func (s *Service) Events(ctx context.Context, f Filter, q paging.Query) (paging.Page[Event], error) {
	if !actionBeginning.MatchString(f.Action) {
		return paging.Page[Event]{}, ErrFilter.Detailf("An action reads like issuance.credential.issued, and so does its beginning.")
	}
	switch f.Outcome {
	case "", Succeeded, Refused, Failed:
	default:
		return paging.Page[Event]{}, ErrFilter.Detailf("The outcomes are %s, %s and %s.", Succeeded, Refused, Failed)
	}
	return s.store.Events(ctx, f, q)
}
