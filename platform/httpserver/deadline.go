package httpserver

import (
	"context"
	"sync"
	"time"
)

// deadline is the context of one request. It is [context.WithDeadline] that arms no
// timer before somebody waits for it: most answers come from memory, and nobody does.
//
// Whoever asks for its end after the request is over finds it ended.
type deadline struct {
	context.Context // the parent, whose values it has
	at              time.Time

	mu    sync.Mutex
	armed context.Context // nil until somebody waits
	stop  context.CancelFunc
	over  bool
}

func withDeadline(parent context.Context, at time.Time) *deadline {
	return &deadline{Context: parent, at: at}
}

// arm gives the context that really ends.
func (d *deadline) arm() context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.armed == nil {
		d.armed, d.stop = context.WithDeadline(d.Context, d.at)
		if d.over {
			d.stop()
		}
	}
	return d.armed
}

// end releases what was armed, and ends the context for whoever still holds it.
func (d *deadline) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	if d.stop != nil {
		d.stop()
	}
}

// Deadline implements [context.Context].
func (d *deadline) Deadline() (time.Time, bool) {
	if at, ok := d.Context.Deadline(); ok && at.Before(d.at) {
		return at, true
	}
	return d.at, true
}

// Done implements [context.Context].
func (d *deadline) Done() <-chan struct{} { return d.arm().Done() }

// Err implements [context.Context].
func (d *deadline) Err() error {
	d.mu.Lock()
	armed, over := d.armed, d.over
	d.mu.Unlock()
	switch {
	case armed != nil:
		return armed.Err()
	case over:
		return context.Canceled
	}
	if err := d.Context.Err(); err != nil {
		return err
	}
	if !time.Now().Before(d.at) {
		return context.DeadlineExceeded
	}
	return nil
}

// AfterFunc lets package context watch this one without a goroutine.
func (d *deadline) AfterFunc(f func()) (stop func() bool) { return context.AfterFunc(d.arm(), f) }
