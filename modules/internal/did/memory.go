package did

import (
	"crypto/sha256"
	"sync"
)

// memoryBytes bounds the texts of documents that are remembered; read, they take some
// six times as much.
const memoryBytes = 2 << 20

// Memory remembers documents that were read, by their bytes: the same bytes always say the
// same. For how long an address may answer with them is for whoever fetches. It is safe
// for concurrent use; its zero value remembers nothing yet.
type Memory struct {
	mu         sync.Mutex
	young, old map[[sha256.Size]byte]remembered // what was asked for lately, and before that
	weight     int                              // of the young
}

type remembered struct {
	document found // never altered
	size     int
}

// read reads a document, or remembers it. A nil Memory reads each time.
func (m *Memory) read(data []byte) (found, error) {
	if m == nil || len(data) > memoryBytes/4 {
		return readDocument(data)
	}
	key := sha256.Sum256(data)
	m.mu.Lock()
	r, ok := m.young[key]
	if !ok {
		if r, ok = m.old[key]; ok {
			delete(m.old, key)
			m.add(key, r)
		}
	}
	m.mu.Unlock()
	if ok {
		return r.document, nil
	}
	document, err := readDocument(data)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(key, remembered{document, len(data)})
	return document, nil
}

func (m *Memory) add(key [sha256.Size]byte, r remembered) {
	if m.weight+r.size > memoryBytes/2 {
		m.old, m.young, m.weight = m.young, nil, 0
	}
	if m.young == nil {
		m.young = map[[sha256.Size]byte]remembered{}
	}
	if _, there := m.young[key]; !there {
		m.weight += r.size + sha256.Size
	}
	m.young[key] = r
}
