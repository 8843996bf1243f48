package ratelimit

// Keys counts what is remembered.
func (l *Limiter) Keys() int {
	n := 0
	for i := range l.shards {
		n += len(l.shards[i].buckets)
	}
	return n
}
