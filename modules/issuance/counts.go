package issuance

import (
	"context"
	"sync"
	"time"

	"github.com/badge-engine/badge-engine/platform/metric"
)

// Counts are what this module counts; the zero value counts nothing.
type Counts struct{ credentials, batches, pictures *metric.Counter }

// NewCounts makes them.
func NewCounts() *Counts {
	return &Counts{
		credentials: metric.NewCounter("badge_engine_credentials_issued_total", "Credentials that were to be issued, by what asked for it (an order, a line of a batch, a new version) and outcome.", "by", "outcome"),
		batches:     metric.NewCounter("badge_engine_batches_total", "Batches, by what became of them: accepted, completed, cancelled.", "event"),
		pictures:    metric.NewCounter("badge_engine_pictures_baked_total", "Pictures of awards that their credential was baked into, by outcome.", "outcome"),
	}
}

// lines counts what came of lines of a batch; a dry run issues none.
func (c *Counts) lines(of batchRow, issued, refused int) {
	if !of.DryRun {
		c.credentials.Count(issued, "batch", metric.Done)
		c.credentials.Count(refused, "batch", metric.Refused)
	}
}

const (
	censusLife = time.Minute // how old what is told of the keys may be
	censusTime = time.Second // how long a scrape may wait for it
)

// census tells how many signing keys there are, and how old the oldest is that signs.
type census struct {
	store *Store
	now   func() time.Time

	mu   sync.Mutex
	at   time.Time // when they were counted
	keys KeyCensus
}

// KeyCensus is how many keys of each state there are.
type KeyCensus struct {
	Active, Retired, Revoked int64
	Oldest                   time.Time // when the oldest active one was made; zero without one
}

func newCensus(store *Store, now func() time.Time) *census { return &census{store: store, now: now} }

// take answers what was counted within the last minute. Where the database cannot be
// asked, what was counted last stays.
func (c *census) take() KeyCensus {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); c.at.IsZero() || now.Sub(c.at).Abs() >= censusLife {
		c.at = now
		ctx, cancel := context.WithTimeout(context.Background(), censusTime)
		defer cancel()
		if found, err := c.store.CountKeys(ctx); err == nil {
			c.keys = found
		}
	}
	return c.keys
}

func (c *census) states() metric.Gauge {
	return metric.Gauge{
		Name: "badge_engine_signing_keys", Help: "Signing keys of all issuers, by state.", Labels: []string{"state"},
		Read: func() []metric.Sample {
			k := c.take()
			return []metric.Sample{
				{Labels: []string{string(Active)}, Value: float64(k.Active)},
				{Labels: []string{string(Retired)}, Value: float64(k.Retired)},
				{Labels: []string{string(Revoked)}, Value: float64(k.Revoked)},
			}
		},
	}
}

func (c *census) oldest() metric.Gauge {
	return metric.Gauge{
		Name: "badge_engine_signing_key_oldest_timestamp_seconds", Help: "When the oldest signing key that is active was made.",
		Read: func() []metric.Sample {
			k := c.take()
			if k.Oldest.IsZero() {
				return nil
			}
			return []metric.Sample{{Value: float64(k.Oldest.Unix())}}
		},
	}
}
