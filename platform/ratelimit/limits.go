package ratelimit

import (
	"context"
	"log/slog"
	"net/netip"
	"strconv"
	"time"

	"github.com/badge-engine/badge-engine/platform/cache"
)

// Provisioning is what a token for provisioning may always send: Entra stops for
// hours when it is hindered.
var Provisioning = Rate{PerSecond: 25, Burst: 100}

const (
	principals = 16 << 10 // remembered at a time
	addresses  = 64 << 10
	reports    = 256 // waiting for the cache at a time
	patience   = time.Second
)

// Limits are those of the server. A nil *Limits limits nothing.
type Limits struct {
	cfg        Config
	principals *Limiter
	failures   *Limiter
	anonymous  *Limiter

	shared  cache.Cache // nil: each replica for itself
	reports chan report
	now     func() time.Time
	log     *slog.Logger
	cancel  context.CancelFunc // nil before Start
	done    chan struct{}      // closed when the worker has ended
}

// report is one batch of requests of a key in a window.
type report struct {
	limiter *Limiter
	key     string
	rate    Rate
	window  int64
}

// NewLimits makes the limits. Replicas count together where shared is a cache that
// they share; nil means that this one counts alone.
func NewLimits(cfg Config, shared cache.Cache, now func() time.Time, log *slog.Logger) (*Limits, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	l := &Limits{
		cfg: cfg, principals: New("principal", principals, now), failures: New("failure", addresses, now), anonymous: New("anonymous", addresses, now),
		shared: shared, now: now, log: log,
	}
	if shared != nil {
		l.reports = make(chan report, reports)
		l.principals.tell, l.failures.tell, l.anonymous.tell = l.reports, l.reports, l.reports
	}
	return l, nil
}

// Principal takes one request of whoever has this id. Provisioning is never held
// below [Provisioning].
func (l *Limits) Principal(id string, provisioning bool) Decision {
	if l == nil || l.cfg.PerSecond == 0 {
		return Decision{Allowed: true}
	}
	rate := Rate{PerSecond: float64(l.cfg.PerSecond), Burst: l.cfg.Burst}
	if provisioning {
		rate.PerSecond, rate.Burst = max(rate.PerSecond, Provisioning.PerSecond), max(rate.Burst, Provisioning.Burst)
	}
	return l.principals.Take(id, rate)
}

// Failure takes one failed authentication from an address. Only failures are ever
// counted, so whoever shows what is right is never hindered by a neighbour behind
// the same address.
func (l *Limits) Failure(address string) Decision {
	if l == nil || l.cfg.Failures == 0 {
		return Decision{Allowed: true}
	}
	return l.failures.Take(network(address), Rate{PerSecond: float64(l.cfg.Failures) / 60, Burst: l.cfg.Failures})
}

// Anonymous takes one costly request that came from an address without a token.
func (l *Limits) Anonymous(address string) Decision {
	if l == nil || l.cfg.Anonymous == 0 {
		return Decision{Allowed: true}
	}
	return l.anonymous.Take(network(address), Rate{PerSecond: float64(l.cfg.Anonymous) / 60, Burst: l.cfg.Anonymous})
}

// network is what one caller holds: an address, or the /64 that every host of
// IPv6 chooses its addresses from (RFC 4291, 2.5.4).
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil || a.Is4() {
		return address
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return p.String()
}

// Start starts the worker that talks to the shared cache; Stop must follow.
func (l *Limits) Start() {
	if l.shared == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel, l.done = cancel, make(chan struct{})
	go func() {
		defer close(l.done)
		for {
			select {
			case <-ctx.Done():
				return
			case r := <-l.reports:
				l.compare(ctx, r)
			}
		}
	}()
}

// Stop ends the worker and waits for it.
func (l *Limits) Stop() {
	if l.cancel == nil {
		return
	}
	l.cancel()
	<-l.done
}

// compare adds a batch to what all replicas counted in the window, and blocks the
// key where that is more than anybody could send who keeps to the rate.
func (l *Limits) compare(ctx context.Context, r report) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	width := r.rate.window()
	key := "ratelimit." + r.limiter.name + "." + r.key + "." + strconv.FormatInt(r.window, 36)
	batches, err := l.shared.Increment(ctx, key, 2*width)
	if err != nil {
		l.log.DebugContext(ctx, "requests counted by this replica alone", slog.Any("error", err))
		return
	}
	if batches*int64(r.rate.batch()) > 2*int64(r.rate.Burst) {
		r.limiter.block(r.key, r.rate, time.Unix(0, (r.window+1)*int64(width)))
	}
}
