package shelf

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/badge-engine/badge-engine/platform/cache"
)

// How long and how much a shelf keeps.
const (
	alone   = time.Second      // while nobody would tell of changes made elsewhere
	told    = 10 * time.Second // while somebody does
	pulse   = time.Second      // how often a shared cache is asked for changes
	total   = 32 << 20
	largest = 4 << 20 // of one answer
	burden  = 512     // of an answer besides its bytes, roughly
)

// Where replicas tell each other that something changed: another value than before.
const (
	edition    = "shelf:edition"
	editionTTL = 24 * time.Hour
	patience   = time.Second // with the cache
)

// Weighed is what can be kept: it knows how many bytes it holds.
type Weighed interface{ Weight() int }

// Units lets something be done after the unit of work in a context.
type Units interface {
	// Afterwards runs fn once the unit has ended, or at once where there is none.
	Afterwards(ctx context.Context, fn func())
}

// Shelf keeps answers. A nil *Shelf keeps nothing. It is safe for concurrent use.
type Shelf struct {
	units  Units       // may be nil: nobody works in units
	shared cache.Cache // may be nil: nobody else changes anything, or nobody tells
	now    func() time.Time
	log    *slog.Logger

	mu         sync.RWMutex
	young, old map[string]*item // what was asked for lately, and before that
	weight     int              // of the young
	looks      map[string]*look // under way
	cleared    uint64           // how often everything was taken off
	heard      time.Time        // when the shared cache answered last

	hits, misses atomic.Int64 // what was asked and there, or being read; and what had to be read

	changed chan struct{}      // something is to be told
	seen    string             // the edition as of the last look; of the worker alone
	untold  bool               // of the worker alone
	cancel  context.CancelFunc // nil before Start
	done    chan struct{}
}

type item struct {
	value  any
	weight int
	read   time.Time
}

// look is one reading that several may wait for.
type look struct {
	done  chan struct{}
	ended bool // it came to a value or an error of its own
	value any
	err   error
}

// New makes a shelf. Replicas tell each other of changes through shared; nil means
// that there is no such cache. Units may be nil too.
func New(units Units, shared cache.Cache, now func() time.Time, log *slog.Logger) *Shelf {
	return &Shelf{
		units: units, shared: shared, now: now, log: log,
		young: map[string]*item{}, looks: map[string]*look{}, changed: make(chan struct{}, 1),
	}
}

// Get answers what is kept under a key, or reads it. Whoever asks while somebody else
// reads waits for that. Errors are not kept. What is answered must not be altered, and
// a key must always stand for values of one type. It must be called outside of a unit of
// work: what that wrote is nobody else's yet.
func Get[T Weighed](ctx context.Context, s *Shelf, key string, read func(context.Context) (T, error)) (T, error) {
	var none T
	if s == nil {
		return read(ctx)
	}
	if found := s.kept(key); found != nil {
		s.hits.Add(1)
		return found.value.(T), nil
	}
	for {
		found, l, generation, mine := s.begin(key)
		switch {
		case found != nil:
			s.hits.Add(1)
			return found.value.(T), nil
		case mine:
			s.misses.Add(1)
			return lead(ctx, s, key, l, generation, read)
		}
		select {
		case <-l.done:
		case <-ctx.Done():
			return none, ctx.Err()
		}
		switch {
		case !l.ended: // whoever read it was cut off, which is nothing of ours
		case l.err != nil:
			return none, l.err
		default:
			s.hits.Add(1)
			return l.value.(T), nil
		}
	}
}

func lead[T Weighed](ctx context.Context, s *Shelf, key string, l *look, generation uint64, read func(context.Context) (T, error)) (T, error) {
	begun := s.now()
	defer func() { s.end(key, l) }() // also if it panics
	value, err := read(ctx)
	if err != nil {
		l.err, l.ended = err, ctx.Err() == nil
		return value, err
	}
	l.value, l.ended = value, true
	s.put(key, &item{value: value, weight: value.Weight() + len(key) + burden, read: begun}, generation)
	return value, nil
}

// fresh tells whether an item may still be served; the lock must be held.
func (s *Shelf) fresh(i *item, now time.Time) bool {
	life := alone
	if quiet := now.Sub(s.heard); s.shared != nil && quiet >= 0 && quiet < 3*pulse {
		life = told
	}
	age := now.Sub(i.read)
	return age >= 0 && age < life
}

func (s *Shelf) kept(key string) *item {
	now := s.now()
	s.mu.RLock()
	defer s.mu.RUnlock()
	if i := s.young[key]; i != nil && s.fresh(i, now) {
		return i
	}
	return nil
}

// begin finds what is kept after all, or the reading under way, or begins one.
func (s *Shelf) begin(key string) (found *item, l *look, generation uint64, mine bool) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.young[key]; i != nil && s.fresh(i, now) {
		return i, nil, 0, false
	}
	if i := s.old[key]; i != nil && s.fresh(i, now) {
		delete(s.old, key)
		s.add(key, i)
		return i, nil, 0, false
	}
	if l := s.looks[key]; l != nil {
		return nil, l, 0, false
	}
	l = &look{done: make(chan struct{})}
	s.looks[key] = l
	return nil, l, s.cleared, true
}

func (s *Shelf) end(key string, l *look) {
	s.mu.Lock()
	if s.looks[key] == l {
		delete(s.looks, key)
	}
	s.mu.Unlock()
	close(l.done)
}

func (s *Shelf) put(key string, i *item, generation uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// What was read may be what was changed meanwhile.
	if s.cleared == generation && i.weight <= largest {
		s.add(key, i)
	}
}

// add keeps an item. When half of the memory is taken by what was asked for lately,
// that becomes what was asked for before, and what that was is forgotten.
func (s *Shelf) add(key string, i *item) {
	if before := s.young[key]; before != nil {
		s.weight -= before.weight
	}
	if s.weight+i.weight > total/2 {
		s.old, s.young, s.weight = s.young, map[string]*item{}, 0
	}
	s.young[key] = i
	s.weight += i.weight
}

// Changed says that something public is changed in the unit of work in ctx, or was
// changed just now: once the unit has ended nothing of before is served here any more,
// and the other replicas are told. It never waits for them.
func (s *Shelf) Changed(ctx context.Context) {
	switch {
	case s == nil:
	case s.units == nil:
		s.change()
	default:
		s.units.Afterwards(ctx, s.change)
	}
}

func (s *Shelf) change() {
	s.clear()
	if s.shared == nil {
		return
	}
	select {
	case s.changed <- struct{}{}:
	default: // it will be told already
	}
}

// clear takes everything off. Whoever reads just now finds what may be of before: it is
// not kept, and who comes from now on does not wait for it.
func (s *Shelf) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.young, s.old, s.looks, s.weight = map[string]*item{}, nil, map[string]*look{}, 0
	s.cleared++
}

// Start starts the worker that talks to the shared cache; Stop must follow.
func (s *Shelf) Start() {
	if s == nil || s.shared == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel, s.done = cancel, make(chan struct{})
	go func() {
		defer close(s.done)
		tick := time.NewTicker(pulse)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.changed:
				s.untold = true
			case <-tick.C:
			}
			s.beat(ctx)
		}
	}()
}

// Stop ends the worker, and tells what is still to be told.
func (s *Shelf) Stop(ctx context.Context) {
	if s == nil || s.cancel == nil {
		return
	}
	s.cancel()
	<-s.done
	select {
	case <-s.changed:
		s.untold = true
	default:
	}
	if s.untold {
		s.beat(ctx)
	}
}

// beat tells the other replicas of a change, or looks whether there was one.
func (s *Shelf) beat(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	current := ""
	if s.untold {
		current = uuid.NewString()
		if err := s.shared.Set(ctx, edition, []byte(current), editionTTL); err != nil {
			s.log.DebugContext(ctx, "change not told yet", slog.Any("error", err))
			return // the next beat tells it
		}
		s.untold = false
	} else {
		value, _, err := s.shared.Get(ctx, edition)
		if err != nil {
			s.log.DebugContext(ctx, "changes elsewhere not heard of", slog.Any("error", err))
			return // what is kept lives shorter now
		}
		current = string(value)
	}
	// After a change of our own too: what another replica wrote there just before was
	// replaced unseen.
	if current != s.seen {
		s.seen = current
		s.clear()
	}
	now := s.now()
	s.mu.Lock()
	s.heard = now
	s.mu.Unlock()
}

// Document is a public document as it is sent, and a tag that is another one for other
// bytes.
type Document struct {
	Body []byte
	Tag  string
}

// Weight implements [Weighed].
func (d *Document) Weight() int { return len(d.Body) + len(d.Tag) }

// Of makes a document of bytes.
func Of(body []byte) *Document {
	sum := sha256.Sum256(body)
	return &Document{Body: body, Tag: base64.RawURLEncoding.EncodeToString(sum[:16])}
}

// JSON keeps the JSON of what read answers.
func JSON(ctx context.Context, s *Shelf, key string, read func(context.Context) (any, error)) (*Document, error) {
	return Get(ctx, s, key, func(ctx context.Context) (*Document, error) {
		v, err := read(ctx)
		if err != nil {
			return nil, err
		}
		body, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("shelf: encode %s: %w", key, err)
		}
		return Of(body), nil
	})
}
