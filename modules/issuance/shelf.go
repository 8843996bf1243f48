package issuance

import (
	"sync"
	"time"
)

// How long and how much a shelf keeps.
const (
	shelfLife    = time.Second
	shelfBytes   = 32 << 20
	shelfLargest = 4 << 20 // of one answer
)

// shelf keeps public answers within the process for a second, so that what everybody
// asks for costs no database. What is changed here is taken off at once; what another
// replica changes is seen after a second at the latest, long before the minute for
// which clients may keep an answer. Errors are not kept.
type shelf struct {
	now func() time.Time

	mu      sync.RWMutex
	answers map[string]*answer
	bytes   int
	cleared uint64 // how often something was taken off
}

// answer is one public answer.
type answer struct {
	credential Credential
	picture    []byte
	tag        string
	read       time.Time
	again      sync.Mutex // held by whoever reads it again
}

func (a *answer) size() int { return len(a.credential.Document) + len(a.picture) + 512 }

// get answers what is kept under a key, or reads it.
func (s *shelf) get(key string, read func() (*answer, error)) (*answer, error) {
	now := s.now()
	s.mu.RLock()
	kept, generation := s.answers[key], s.cleared
	s.mu.RUnlock()
	if kept != nil {
		age := now.Sub(kept.read)
		if age >= 0 && age < shelfLife {
			return kept, nil
		}
		// One caller reads it again; those who come meanwhile need not wait.
		if !kept.again.TryLock() {
			if age >= 0 && age < 2*shelfLife {
				return kept, nil
			}
		} else {
			defer kept.again.Unlock()
		}
	}
	found, err := read()
	if err != nil {
		return nil, err
	}
	found.read = now
	s.put(key, found, generation)
	return found, nil
}

func (s *shelf) put(key string, found *answer, generation uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cleared != generation || found.size() > shelfLargest {
		return // what was read may be what was changed meanwhile
	}
	if s.answers == nil || s.bytes+found.size() > shelfBytes {
		s.answers, s.bytes = make(map[string]*answer), 0 // what is in use returns at once
	}
	if before := s.answers[key]; before != nil {
		s.bytes -= before.size()
	}
	s.answers[key] = found
	s.bytes += found.size()
}

// clear takes everything off. It must be called after a change is stored, and before
// whoever made it is answered.
func (s *shelf) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers, s.bytes = nil, 0
	s.cleared++
}
