package auth

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/badge-engine/badge-engine/platform/worker"
)

const (
	usageInterval = time.Minute
	usageDeadline = 20 * time.Second // of one round of writing
)

// Usage writes down when tokens were last used, at most once a minute each and
// never while a request waits. It holds one entry for each token used since the
// last round.
type Usage struct {
	touch Touch
	log   *slog.Logger

	mu   sync.Mutex
	last map[string]time.Time

	worker worker.Worker
}

// NewUsage makes a Usage that is not yet writing.
func NewUsage(touch Touch, log *slog.Logger) *Usage {
	return &Usage{touch: touch, log: log, last: map[string]time.Time{}}
}

// Start starts the worker; Stop must follow.
func (u *Usage) Start() {
	u.worker.Start(usageInterval, nil, u.write)
}

// Stop ends the worker, waits for it, and writes what is left.
func (u *Usage) Stop(ctx context.Context) {
	if u.worker.Stop() {
		u.write(ctx)
	}
}

func (u *Usage) note(id string, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.last[id] = at.UTC().Truncate(time.Second)
}

// write empties the notes. What cannot be written is kept for the next round.
func (u *Usage) write(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, usageDeadline)
	defer cancel()
	u.mu.Lock()
	round := u.last
	u.last = map[string]time.Time{}
	u.mu.Unlock()
	for id, at := range round {
		if err := u.touch.Touch(ctx, id, at); err != nil {
			if !errors.Is(ctx.Err(), context.Canceled) { // else Stop writes the rest
				u.log.WarnContext(ctx, "use of tokens not written down", slog.Int("tokens", len(round)), slog.Any("error", err))
			}
			u.mu.Lock()
			maps.Copy(round, u.last) // newer notes win
			u.last = round
			u.mu.Unlock()
			return
		}
		delete(round, id)
	}
}
