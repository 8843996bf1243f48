package health

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/probe"
)

// The words of a report.
const (
	Healthy   = "healthy"
	Unhealthy = "unhealthy"
	Draining  = "draining"
)

// Report is how the server is.
type Report struct {
	Status string            `json:"status" enum:"healthy,unhealthy,draining"`
	Probes map[string]Result `json:"probes"`
}

// OK reports whether traffic may be sent here.
func (r Report) OK() bool { return r.Status == Healthy }

// Result is what one probe found.
type Result struct {
	Status    string  `json:"status" enum:"healthy,unhealthy"`
	LatencyMS float64 `json:"latencyMs"`
	Error     string  `json:"error,omitempty" doc:"The kind of trouble: timeout, unavailable, or failed. The log says more."`
}

// Service asks the probes, at most once in Config.Cache.
type Service struct {
	cfg    Config
	probes []probe.Probe
	drain  Drainer
	now    func() time.Time
	log    *slog.Logger

	asking sync.Mutex // held while the probes are asked, so that a crowd asks once
	asked  time.Time
	found  map[string]Result
}

// New makes a Service over the probes.
func New(cfg Config, probes []probe.Probe, drain Drainer, now func() time.Time, log *slog.Logger) *Service {
	return &Service{cfg: cfg, probes: probes, drain: drain, now: now, log: log}
}

// Report asks every probe, or remembers what they said a moment ago.
func (s *Service) Report(ctx context.Context) Report {
	r := Report{Status: Healthy, Probes: s.ask(ctx)}
	for _, p := range r.Probes {
		if p.Status != Healthy {
			r.Status = Unhealthy
		}
	}
	if s.drain.Draining() {
		r.Status = Draining
	}
	return r
}

func (s *Service) ask(ctx context.Context) map[string]Result {
	s.asking.Lock()
	defer s.asking.Unlock()
	if s.found != nil && s.now().Sub(s.asked) < s.cfg.Cache {
		return s.found
	}
	results := make([]Result, len(s.probes))
	var all sync.WaitGroup
	for i, p := range s.probes {
		all.Go(func() { results[i] = s.one(ctx, p) })
	}
	all.Wait()
	found := make(map[string]Result, len(results))
	for i, p := range s.probes {
		// Of two probes with one name the failing one counts.
		if known, twice := found[p.Name]; !twice || known.Status == Healthy {
			found[p.Name] = results[i]
		}
	}
	s.found, s.asked = found, s.now()
	return found
}

// one asks one probe. A probe that ignores its context is not waited for; its
// goroutine ends when the probe does.
func (s *Service) one(ctx context.Context, p probe.Probe) Result {
	// The answer is for all who ask now, so it must not end with the first of them.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Timeout)
	defer cancel()
	started := s.now()
	answer := make(chan error, 1)
	go func() { answer <- p.Check(ctx) }()
	var err error
	select {
	case err = <-answer:
	case <-ctx.Done():
		err = ctx.Err()
	}
	r := Result{Status: Healthy, LatencyMS: float64(s.now().Sub(started).Microseconds()) / 1000}
	if err != nil {
		r.Status, r.Error = Unhealthy, word(err)
		s.log.WarnContext(ctx, "probe failed", "probe", p.Name, "error", err)
	}
	return r
}

// word says no more than a stranger may know.
func word(err error) string {
	var f *fault.Fault
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.As(err, &f) && f.Kind() == fault.Unavailable:
		return "unavailable"
	}
	return "failed"
}
