package entra

import "crypto/sha256"

// Remembered says how many tokens are remembered.
func (v *Verifier) Remembered() int {
	v.known.mu.RLock()
	defer v.known.mu.RUnlock()
	return len(v.known.young) + len(v.known.old)
}

// RememberAtMost forgets everything and remembers at most n tokens from then on.
func (v *Verifier) RememberAtMost(n int) { v.known = newMemory(n) }

// Remembers says whether a token is.
func (v *Verifier) Remembers(raw string) bool {
	_, found := v.known.get(sha256.Sum256([]byte(raw)))
	return found
}
