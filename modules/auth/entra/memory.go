package entra

import (
	"crypto/sha256"
	"sync"
)

// remembered is how many tokens are. With 200 groups each they take some 40 MB;
// usually it is a tenth of that.
const remembered = 4096

// memory remembers verified tokens by their hash, in two generations: what is
// not asked for while the younger one fills is forgotten.
type memory struct {
	generation int // size of one

	mu         sync.RWMutex
	young, old map[[sha256.Size]byte]memo
}

// memo is the outcome of a verification, and the key it rests on.
type memo struct {
	claims Claims
	kid    string
}

func newMemory(size int) *memory {
	return &memory{generation: size / 2, young: map[[sha256.Size]byte]memo{}}
}

func (m *memory) get(hash [sha256.Size]byte) (memo, bool) {
	m.mu.RLock()
	found, young := m.young[hash]
	ok := young
	if !young {
		found, ok = m.old[hash]
	}
	m.mu.RUnlock()
	if ok && !young {
		m.put(hash, found)
	}
	return found, ok
}

func (m *memory) put(hash [sha256.Size]byte, found memo) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.young) >= m.generation {
		m.old, m.young = m.young, make(map[[sha256.Size]byte]memo, m.generation)
	}
	m.young[hash] = found
}
