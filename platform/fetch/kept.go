package fetch

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"
)

const (
	keptBytes   = 16 << 20 // by each process, besides the cache
	keptLargest = 1 << 20  // of one document
	burden      = 256      // of a document besides its bytes, roughly
	failureTTL  = 10 * time.Second
	whatever    = time.Duration(1<<63 - 1) // however old
)

// document is what an address answered, or why it did not.
type document struct {
	data []byte
	err  error
	made time.Time // when its server answered, or an earlier one did that kept it
	ends time.Time // until when it may be kept
}

// shelf keeps documents within the process, since the cache may be a network away. Half
// of its memory is for what was asked for lately, half for what was asked for before.
type shelf struct {
	mu         sync.Mutex
	young, old map[string]*document
	weight     int // of the young
	asking     map[string]chan struct{}
}

func (s *shelf) find(key string, now time.Time) *document {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.young[key]
	if d == nil {
		if d = s.old[key]; d == nil {
			return nil
		}
		delete(s.old, key)
		s.add(key, d)
	}
	if now.Before(d.made) || !now.Before(d.ends) {
		return nil
	}
	return d
}

func (s *shelf) put(key string, d *document) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(d.data) <= keptLargest {
		s.add(key, d)
	}
}

func (s *shelf) add(key string, d *document) {
	weight := func(d *document) int { return len(key) + len(d.data) + burden }
	if before := s.young[key]; before != nil {
		s.weight -= weight(before)
	}
	if s.weight+weight(d) > keptBytes/2 {
		s.old, s.young, s.weight = s.young, nil, 0
	}
	if s.young == nil {
		s.young = map[string]*document{}
	}
	s.young[key] = d
	s.weight += weight(d)
}

// turn waits until nobody else asks the same address. It reports whether somebody did,
// and perhaps found it.
func (s *shelf) turn(ctx context.Context, key string) (done func(), waited bool, err error) {
	for {
		s.mu.Lock()
		asking := s.asking[key]
		if asking == nil {
			asking = make(chan struct{})
			if s.asking == nil {
				s.asking = map[string]chan struct{}{}
			}
			s.asking[key] = asking
			s.mu.Unlock()
			return func() {
				s.mu.Lock()
				delete(s.asking, key)
				s.mu.Unlock()
				close(asking)
			}, waited, nil
		}
		s.mu.Unlock()
		select {
		case <-asking:
			waited = true
		case <-ctx.Done():
			return nil, waited, ctx.Err()
		}
	}
}

// wire is a document as replicas share it: when it was made and until when it may be kept,
// in milliseconds, and its bytes.
func (d *document) wire() []byte {
	text := binary.BigEndian.AppendUint64(make([]byte, 0, 16+len(d.data)), uint64(d.made.UnixMilli()))
	return append(binary.BigEndian.AppendUint64(text, uint64(d.ends.UnixMilli())), d.data...)
}

func unwire(text []byte) *document {
	if len(text) < 16 {
		return nil
	}
	at := func(b []byte) time.Time { return time.UnixMilli(int64(binary.BigEndian.Uint64(b))) }
	return &document{made: at(text), ends: at(text[8:]), data: text[16:]}
}

// lasting reports whether a failure says something about the address, and not about who
// asked: for a while nobody asks there again.
func lasting(ctx context.Context, err error) bool {
	return ctx.Err() == nil && !errors.Is(err, context.Canceled)
}
