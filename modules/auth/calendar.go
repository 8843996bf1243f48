package auth

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/badge-engine/badge-engine/modules/auth/entra"
	"github.com/badge-engine/badge-engine/platform/metric"
)

const (
	// Notice is how long before the end of a token or a secret warnings begin.
	Notice = 30 * 24 * time.Hour

	calendarInterval = 24 * time.Hour
	calendarRetry    = time.Minute // after a round that failed
	calendarDeadline = time.Minute // of one round
	sweepAfter       = 24 * time.Hour
)

// Expiring is a token or a secret that works, but will not for long.
type Expiring struct {
	Kind    string // "token" or "client_secret"
	ID      string
	Owner   string // the id of the client; empty for tokens
	Name    string // of the token or the client
	Expires time.Time
}

// Calendar warns once a day, from [Notice] before, of what will expire: an expired
// secret of the provisioning service stops it for hours. It also deletes the access
// tokens that expired a day ago.
type Calendar struct {
	tokens  Tokens
	clients ClientRecords
	now     func() time.Time
	log     *slog.Logger

	mu       sync.Mutex
	expiring []Expiring

	cancel context.CancelFunc // nil before Start
	done   chan struct{}      // closed when the worker has ended
}

// NewCalendar makes a calendar that does not look yet.
func NewCalendar(tokens Tokens, clients ClientRecords, now func() time.Time, log *slog.Logger) *Calendar {
	return &Calendar{tokens: tokens, clients: clients, now: now, log: log}
}

// Start starts the worker; Stop must follow.
func (c *Calendar) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel, c.done = cancel, make(chan struct{})
	go func() {
		defer close(c.done)
		for {
			next := calendarInterval
			if err := c.look(ctx); err != nil {
				if errors.Is(ctx.Err(), context.Canceled) {
					return
				}
				c.log.WarnContext(ctx, "expiry of tokens not looked up", slog.Any("error", err))
				next = calendarRetry
			}
			timer := time.NewTimer(next)
			select {
			case <-ctx.Done():
				timer.Stop()
				return
			case <-timer.C:
			}
		}
	}()
}

// Stop ends the worker and waits for it.
func (c *Calendar) Stop() {
	if c.cancel == nil {
		return
	}
	c.cancel()
	<-c.done
}

// Expiring answers what the last round found to expire within [Notice] and not to
// have expired by now, the soonest first. It asks nobody, so that a metric may.
func (c *Calendar) Expiring() []Expiring {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.expiring), func(e Expiring) bool { return !now.Before(e.Expires) })
}

// look is one round.
func (c *Calendar) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, calendarDeadline)
	defer cancel()
	now := c.now()
	tokens, err := c.tokens.List(ctx)
	if err != nil {
		return err
	}
	clients, err := c.clients.List(ctx)
	if err != nil {
		return err
	}
	var found []Expiring
	soon := func(expires, ended time.Time) bool {
		return ended.IsZero() && now.Before(expires) && !now.Add(Notice).Before(expires)
	}
	for _, t := range tokens {
		if soon(t.Expires, t.Revoked) {
			found = append(found, Expiring{"token", t.ID, "", t.Name, t.Expires})
		}
	}
	for _, client := range clients {
		for _, s := range client.Secrets {
			if client.Disabled.IsZero() && soon(s.Expires, s.Revoked) {
				found = append(found, Expiring{"client_secret", s.ID, client.ID, client.Name, s.Expires})
			}
		}
	}
	slices.SortFunc(found, func(a, b Expiring) int { return a.Expires.Compare(b.Expires) })
	c.mu.Lock()
	c.expiring = found
	c.mu.Unlock()
	for _, e := range found {
		c.log.WarnContext(ctx, "expires soon: make another in time", slog.String("kind", e.Kind), slog.String("id", e.ID),
			slog.String("client_id", e.Owner), slog.Time("expires", e.Expires), slog.Int("days", int(e.Expires.Sub(now)/(24*time.Hour))))
	}
	return c.clients.Sweep(ctx, now.Add(-sweepAfter))
}

// gauge tells when each token and client secret that was warned of will expire.
func (c *Calendar) gauge() metric.Gauge {
	return metric.Gauge{
		Name: "badge_engine_secret_expiry_timestamp_seconds", Help: "When tokens and client secrets expire that do so within 30 days, by id.",
		Labels: []string{"kind", "id", "owner"},
		Read: func() []metric.Sample {
			var samples []metric.Sample
			for _, e := range c.Expiring() {
				samples = append(samples, metric.Sample{Labels: []string{e.Kind, e.ID, e.Owner}, Value: float64(e.Expires.Unix())})
			}
			return samples
		},
	}
}

// certificateGauge tells when the certificate expires that is shown to Entra. The file
// is read each time, since it may be replaced at any.
func certificateGauge(cfg entra.Config) metric.Gauge {
	return metric.Gauge{
		Name: "badge_engine_entra_certificate_expiry_timestamp_seconds", Help: "When the certificate in ENTRA_CLIENT_CERTIFICATE_FILE expires.",
		Read: func() []metric.Sample {
			until, ok := cfg.CertificateExpiry()
			if !ok {
				return nil
			}
			return []metric.Sample{{Value: float64(until.Unix())}}
		},
	}
}
