package shelf

import "context"

// Beat is one look at the shared cache, or one word to it.
func (s *Shelf) Beat(ctx context.Context) {
	select {
	case <-s.changed:
		s.untold = true
	default:
	}
	s.beat(ctx)
}

// Held is how many bytes are kept at most.
func (s *Shelf) Held() (bytes, items int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, generation := range []map[string]*item{s.young, s.old} {
		for _, i := range generation {
			bytes += i.weight
			items++
		}
	}
	return bytes, items
}

// Total is how many bytes may be kept.
const Total = total

// Asked is what is counted.
func Asked(s *Shelf) (hits, misses int64) { return s.hits.Load(), s.misses.Load() }
