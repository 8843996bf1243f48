package logging

import (
	"errors"
	"io"
	"sync"
	"time"
)

const (
	flushAfter = 100 * time.Millisecond
	flushAt    = 32 << 10
	mostHeld   = 1 << 20 // whoever logs beyond waits for the stream
)

// buffer gathers lines, so that a busy server does not ask the system for each: every
// answered request is one. What is held goes out after a tenth of a second at the latest,
// at once together with a warning or an error, and when the buffer is closed; after that
// nothing is held any more. A process that is killed takes at most that tenth of a second
// of lines with it.
type buffer struct {
	to io.Writer

	mu     sync.Mutex // of what is held
	held   []byte
	spare  []byte
	timer  *time.Timer // nil while nothing is held
	closed bool

	out sync.Mutex // of the stream: lines go out in the order in which they came
}

// Write implements [io.Writer]: one line, that is not cut.
func (b *buffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	b.held = append(b.held, line...)
	size, closed := len(b.held), b.closed
	if b.timer == nil && !closed {
		b.timer = time.AfterFunc(flushAfter, func() { _ = b.flush() })
	}
	b.mu.Unlock()
	if size < flushAt && !closed {
		return len(line), nil
	}
	if size >= mostHeld || closed {
		return len(line), b.flush()
	}
	// Somebody may be writing just now; who logs need not wait for the stream.
	if b.out.TryLock() {
		defer b.out.Unlock()
		return len(line), b.emit()
	}
	return len(line), nil
}

// flush writes what is held.
func (b *buffer) flush() error {
	b.out.Lock()
	defer b.out.Unlock()
	return b.emit()
}

// emit writes what is held; the stream must be locked.
func (b *buffer) emit() error {
	b.mu.Lock()
	full := b.held
	b.held, b.spare = b.spare[:0], nil
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	b.mu.Unlock()
	var err error
	if len(full) > 0 {
		_, err = b.to.Write(full)
	}
	b.mu.Lock()
	if cap(full) <= 2*flushAt {
		b.spare = full
	}
	b.mu.Unlock()
	return err
}

// Close implements [io.Closer]. What is logged afterwards is written at once.
func (b *buffer) Close() error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	return b.flush()
}

// closers are closed one after the other.
type closers []io.Closer

// Close implements [io.Closer].
func (c closers) Close() error {
	var err error
	for _, one := range c {
		err = errors.Join(err, one.Close())
	}
	return err
}
