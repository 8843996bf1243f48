package auth

import "sync"

// memo keeps what was found out in the process, so that finding it again costs
// neither network nor database. It holds at most two generations of limit
// entries: when the younger is full the older is forgotten. Whoever takes a value
// out judges whether it is still fresh.
type memo[K comparable, V any] struct {
	limit int

	mu         sync.RWMutex
	young, old map[K]V
}

func newMemo[K comparable, V any](limit int) *memo[K, V] {
	return &memo[K, V]{limit: limit, young: map[K]V{}}
}

func (m *memo[K, V]) get(key K) (V, bool) {
	m.mu.RLock()
	v, found := m.young[key]
	if found {
		m.mu.RUnlock()
		return v, true
	}
	v, found = m.old[key]
	m.mu.RUnlock()
	if found {
		m.mu.Lock()
		// It may have been dropped in between; then it must not come back.
		if v, found = m.old[key]; found {
			m.keep(key, v)
		}
		m.mu.Unlock()
	}
	return v, found
}

func (m *memo[K, V]) put(key K, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keep(key, v)
}

func (m *memo[K, V]) keep(key K, v V) {
	if _, found := m.young[key]; !found && len(m.young) >= m.limit {
		m.old, m.young = m.young, make(map[K]V, m.limit/4)
	}
	delete(m.old, key)
	m.young[key] = v
}

func (m *memo[K, V]) drop(key K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.young, key)
	delete(m.old, key)
}

func (m *memo[K, V]) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.young)
	m.old = nil
}
