package worker

import (
	"context"
	"time"
)

// Worker works in rounds. The zero Worker is one that was not started.
type Worker struct {
	cancel context.CancelFunc // nil before Start
	done   chan struct{}      // closed when the last round has ended
}

// Start has round run after each interval, and whenever it is nudged; a nil nudge never
// comes. Rounds never overlap, and the context of each ends with Stop, which must follow.
func (w *Worker) Start(interval time.Duration, nudge <-chan struct{}, round func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel, w.done = cancel, make(chan struct{})
	go func() {
		defer close(w.done)
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			case <-nudge:
			}
			round(ctx)
		}
	}()
}

// Stop ends the worker and waits for its round, and tells whether it was ever started:
// where not, nothing can be left to do. It may be called again.
func (w *Worker) Stop() bool {
	if w.cancel == nil {
		return false
	}
	w.cancel()
	<-w.done
	return true
}
