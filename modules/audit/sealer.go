package audit

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

const (
	sealInterval   = 500 * time.Millisecond
	patrolInterval = time.Minute
	sealBatch      = 500              // events in one unit, with the rest of a parcel
	sealParcels    = 100              // parcels in one unit
	roundDeadline  = 20 * time.Second // of whatever the worker does at a time
	lastRound      = 2 * time.Second  // for the round that a stop comes upon
	patrolSlices   = 5                // of events checked at a time
	patrolsToTell  = 60               // patrols between two lines of the log that say the same
)

// Sealer gives events their place in the chain, one sealer of the cluster at a
// time, and goes round checking what is sealed.
type Sealer struct {
	service *Service
	work    Work
	log     *slog.Logger

	trouble string // what the last sealing failed of, lest the log says it twice a second
	patrol  patrol

	quit   chan struct{} // closed to ask the worker to end; nil before Start
	cancel context.CancelFunc
	done   chan struct{} // closed when the worker has ended
}

// NewSealer makes a sealer that is not yet working.
func NewSealer(service *Service, work Work, log *slog.Logger) *Sealer {
	return &Sealer{service: service, work: work, log: log}
}

// Start starts the worker; Stop must follow.
func (s *Sealer) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.quit, s.cancel, s.done = make(chan struct{}), cancel, make(chan struct{})
	go func() {
		defer close(s.done)
		seal, minute := time.NewTicker(sealInterval), time.NewTicker(patrolInterval)
		defer seal.Stop()
		defer minute.Stop()
		s.within(ctx, s.Patrol) // learn the head before anybody can put back an earlier one
		for {
			select {
			case <-s.quit:
				return
			case <-seal.C:
				s.within(ctx, s.seal)
			case <-minute.C:
				s.within(ctx, s.flush)
				s.within(ctx, s.Patrol)
			}
		}
	}()
}

// Stop ends the worker, waits for it, and writes and seals what is left.
func (s *Sealer) Stop(ctx context.Context) {
	if s.quit == nil {
		return
	}
	close(s.quit)
	select { // a round that is cut off can keep the head for a while after its end
	case <-s.done:
	case <-time.After(lastRound):
	}
	s.cancel()
	<-s.done
	s.within(ctx, s.flush)
	s.within(ctx, s.seal)
	s.within(ctx, s.tell)
}

func (s *Sealer) within(ctx context.Context, do func(context.Context)) {
	ctx, cancel := context.WithTimeout(ctx, roundDeadline)
	defer cancel()
	do(ctx)
}

func (s *Sealer) flush(ctx context.Context) {
	if err := s.service.Flush(ctx); err != nil {
		s.log.WarnContext(ctx, "refusals not written down yet", slog.Any("error", err))
	}
}

func (s *Sealer) seal(ctx context.Context) {
	_, err := s.Seal(ctx)
	if ctx.Err() != nil && err != nil {
		return // asked to end, or the database is slow: the next round goes on
	}
	trouble := ""
	if err != nil {
		trouble = err.Error()
	}
	if trouble != s.trouble {
		switch {
		case errors.Is(err, ErrKey):
			s.log.ErrorContext(ctx, "audit events not sealed", slog.Any("error", err))
		case err != nil:
			s.log.WarnContext(ctx, "audit events not sealed yet", slog.Any("error", err))
		default:
			s.log.InfoContext(ctx, "audit events are sealed again")
		}
		s.trouble = trouble
	}
}

// Seal gives every event that waits its place, unless somebody else is at it, and
// counts them. It answers [ErrKey] if the trail is sealed with another key.
func (s *Sealer) Seal(ctx context.Context) (sealed int, err error) {
	for {
		n, more, err := s.round(ctx)
		sealed += n
		if err != nil || !more {
			return sealed, err
		}
	}
}

// round seals one batch, and says whether it left something. Nothing that waits costs one
// look without a unit. The hashes are made inside the unit, against the custom of the house: they depend on the
// head, and take a microsecond each.
func (s *Sealer) round(ctx context.Context) (sealed int, more bool, err error) {
	store, key := s.service.store, s.service.key
	if n, err := store.Waiting(ctx, 1); err != nil || n == 0 {
		return 0, false, err
	}
	err = s.work.Do(ctx, func(ctx context.Context) error {
		head, mine, err := store.TakeHead(ctx)
		if err != nil || !mine {
			return err
		}
		if !key.signed(head) {
			return ErrKey
		}
		waiting, err := s.waiting(ctx)
		if err != nil || len(waiting.first) == 0 {
			return err
		}
		known, err := store.Sealed(ctx, waiting.first)
		if err != nil {
			return err
		}
		var events []Event
		for _, together := range waiting.events {
			// Kept, since it is evidence, and so that it cannot hold up the others.
			again := known[together[0].ID]
			for _, e := range together {
				e.Forged = e.Forged || again
				e.Sequence = head.Sequence + 1
				e.Hash = key.link(head.Hash, e)
				head = Head{Sequence: e.Sequence, Hash: e.Hash}
				events = append(events, e)
			}
		}
		head.signature = key.sign(head)
		sealed, more = len(events), waiting.more
		return store.Link(ctx, events, waiting.pending, waiting.parcels, head)
	})
	if err != nil {
		return 0, false, err
	}
	return sealed, more, nil
}

// waiting is what one unit seals.
type waiting struct {
	events           [][]Event // that came together, the oldest first
	first            []string  // the id of the first of each
	pending, parcels []string  // ids of the rows that hold them
	more             bool      // that wait as well
}

// waiting reads the oldest of what waits. What comes in a parcel was sealed together, or
// not at all: who knows the first event of it knows all.
func (s *Sealer) waiting(ctx context.Context) (w waiting, err error) {
	store, key := s.service.store, s.service.key
	events, err := store.Pending(ctx, sealBatch)
	if err != nil {
		return w, err
	}
	parcels, err := store.Parcels(ctx, sealParcels)
	if err != nil {
		return w, err
	}
	w.more = len(events) == sealBatch || len(parcels) == sealParcels
	for n := 0; n < sealBatch && len(events)+len(parcels) > 0; {
		var together []Event
		if len(parcels) == 0 || len(events) > 0 && events[0].ID < parcels[0].ID {
			e := events[0]
			e.Forged = !key.marked(e)
			events, together, w.pending = events[1:], []Event{e}, append(w.pending, e.ID)
		} else {
			together, w.parcels = key.open(parcels[0], s.service.instant()), append(w.parcels, parcels[0].ID)
			parcels = parcels[1:]
		}
		w.events, w.first = append(w.events, together), append(w.first, together[0].ID)
		n += len(together)
	}
	w.more = w.more || len(events)+len(parcels) > 0
	return w, nil
}

// patrol is how far the going round has come.
type patrol struct {
	at    Head // checked last; none at the beginning of a round
	seen  Head // the last head found right
	told  string
	since int // patrols since something was told
}

// Patrol checks the head and the next events of the round, and logs a breach as an
// error: at once, and hourly while it lasts. Once an hour it logs the head, so that
// the log, wherever it goes, says what the trail must hold.
func (s *Sealer) Patrol(ctx context.Context) {
	breach, err := s.look(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.log.WarnContext(ctx, "audit trail not checked", slog.Any("error", err))
		}
		return
	}
	told := ""
	if breach != nil {
		told = breach.String()
	}
	p := &s.patrol
	if p.since++; told == p.told && p.since < patrolsToTell {
		return
	}
	p.told, p.since = told, 0
	if breach != nil {
		s.log.ErrorContext(ctx, "audit trail is broken", slog.Int64("sequence", breach.Sequence), slog.String("event", breach.ID), slog.String("problem", breach.Problem))
		return
	}
	s.tell(ctx)
}

func (s *Sealer) tell(ctx context.Context) {
	if head, breach, err := s.service.head(ctx); err == nil && breach == nil && head.Sequence > 0 {
		s.log.InfoContext(ctx, "audit trail head", slog.String("head", head.String()))
	}
}

func (s *Sealer) look(ctx context.Context) (*Breach, error) {
	p := &s.patrol
	head, breach, err := s.service.head(ctx)
	if err != nil || breach != nil {
		return breach, err
	}
	if p.seen.Sequence > 0 {
		if breach := lacks(head, []Head{p.seen}); breach != nil {
			return breach, nil
		}
		// The event that was last must still be there, whatever has come after it.
		kept, err := s.service.store.Chain(ctx, p.seen.Sequence-1, p.seen.Sequence, 1)
		if err != nil {
			return nil, err
		}
		if len(kept) == 0 {
			return &Breach{Sequence: p.seen.Sequence, Problem: rowMissing}, nil
		}
		if string(kept[0].Hash) != string(p.seen.Hash) {
			return &Breach{Sequence: p.seen.Sequence, ID: kept[0].ID, Problem: rowRewritten}, nil
		}
	}
	for range patrolSlices {
		if p.at.Sequence >= head.Sequence {
			p.at = Head{}
			break
		}
		at, breach, err := s.service.walk(ctx, p.at, head, nil)
		if err != nil || breach != nil {
			return breach, err
		}
		p.at = at
	}
	p.seen = head
	return nil, nil
}
