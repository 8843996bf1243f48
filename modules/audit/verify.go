package audit

import (
	"bytes"
	"context"
	"fmt"
)

// Breach is the first place at which the trail is not as it was written.
type Breach struct {
	Sequence int64  // of the event that is wrong or missing; 0 where it is the head
	ID       string // of the event, if there is one
	Problem  string
}

// String implements [fmt.Stringer].
func (b Breach) String() string {
	switch {
	case b.Sequence == 0:
		return b.Problem
	case b.ID == "":
		return fmt.Sprintf("event %d: %s", b.Sequence, b.Problem)
	}
	return fmt.Sprintf("event %d (%s): %s", b.Sequence, b.ID, b.Problem)
}

// The problems that a trail can have.
const (
	headMissing  = "the head of the trail is gone"
	headUnsigned = "the head is not signed with the key that is configured: it was changed, or this is the key of another trail"
	headOther    = "the head names another hash than that of the last event"
	rowMissing   = "it is missing: it was removed, or the end of the trail was cut off"
	rowChanged   = "it is not what was sealed: it was changed, moved or put in, or an event before it was"
	rowBeyond    = "it stands after the head: it was not sealed by this program"
	rowForged    = "it was put in before it was sealed, by somebody without the key, or a second time"
	rowRewritten = "it is not the event that a head kept elsewhere names: an earlier state was put back and continued"
	rowCut       = "it is missing: a head kept elsewhere names it, so an earlier state was put back"
)

// Report is what a check of the whole trail found.
type Report struct {
	Head    Head    // keep it elsewhere: the next check can tell whether the trail still holds it
	Checked int64   // events found right
	Waiting int64   // events not sealed yet, at most [MostWaiting]; the chain says nothing of them
	Breach  *Breach // nil if nothing is wrong
}

// MostWaiting is how far events that wait are counted.
const MostWaiting = 100_000

// slice is how many events are read at once.
const slice = 2000

// Verify checks every event from the first to the head, and that the trail holds
// what heads from earlier say. An error means that it could not be checked, not
// that it is broken.
func (s *Service) Verify(ctx context.Context, earlier ...Head) (Report, error) {
	head, breach, err := s.head(ctx)
	if err != nil {
		return Report{}, err
	}
	report := Report{Head: head, Breach: breach}
	if report.Waiting, err = s.store.Waiting(ctx, MostWaiting); err != nil || breach != nil && breach.Sequence == 0 {
		return report, err
	}
	beyond := breach // what comes before it is told first
	var at Head
	for at.Sequence < head.Sequence {
		at, breach, err = s.walk(ctx, at, head, earlier)
		report.Checked = at.Sequence
		if err != nil || breach != nil {
			report.Breach = breach
			return report, err
		}
	}
	if report.Breach = beyond; beyond == nil {
		report.Breach = lacks(head, earlier)
	}
	return report, nil
}

// head reads the head and finds what is wrong with it alone.
func (s *Service) head(ctx context.Context) (Head, *Breach, error) {
	head, last, found, err := s.store.Head(ctx)
	switch {
	case err != nil:
		return Head{}, nil, err
	case !found:
		return Head{}, &Breach{Problem: headMissing}, nil
	case !s.key.signed(head):
		return head, &Breach{Problem: headUnsigned}, nil
	case last > head.Sequence:
		return head, &Breach{Sequence: head.Sequence + 1, Problem: rowBeyond}, nil
	case last < head.Sequence:
		return head, &Breach{Sequence: last + 1, Problem: rowMissing}, nil
	}
	return head, nil, nil
}

// lacks finds a head from earlier that lies beyond the present one.
func lacks(head Head, earlier []Head) *Breach {
	for _, e := range earlier {
		if e.Sequence > head.Sequence {
			return &Breach{Sequence: head.Sequence + 1, Problem: rowCut}
		}
	}
	return nil
}

// walk checks one slice of the events after at, and answers how far it came.
func (s *Service) walk(ctx context.Context, at, head Head, earlier []Head) (Head, *Breach, error) {
	events, err := s.store.Chain(ctx, at.Sequence, head.Sequence, slice)
	if err != nil {
		return at, nil, err
	}
	for _, e := range events {
		if e.Sequence != at.Sequence+1 {
			return at, &Breach{Sequence: at.Sequence + 1, Problem: rowMissing}, nil
		}
		hash := s.key.link(at.Hash, e)
		problem := ""
		switch {
		case !bytes.Equal(hash, e.Hash):
			problem = rowChanged
		case e.Forged:
			problem = rowForged
		case e.Sequence == head.Sequence && !bytes.Equal(hash, head.Hash):
			problem = headOther
		}
		for _, h := range earlier {
			if problem == "" && h.Sequence == e.Sequence && !bytes.Equal(hash, h.Hash) {
				problem = rowRewritten
			}
		}
		if problem != "" {
			return at, &Breach{Sequence: e.Sequence, ID: e.ID, Problem: problem}, nil
		}
		at = Head{Sequence: e.Sequence, Hash: hash}
	}
	if len(events) < slice && at.Sequence < head.Sequence {
		return at, &Breach{Sequence: at.Sequence + 1, Problem: rowMissing}, nil
	}
	return at, nil, nil
}

// Open answers [ErrKey] if the trail is not sealed with the key of this service,
// so that a program with another key adds nothing to it.
func (s *Service) Open(ctx context.Context) error {
	_, breach, err := s.head(ctx)
	if err == nil && breach != nil && breach.Sequence == 0 {
		err = ErrKey
	}
	return err
}
