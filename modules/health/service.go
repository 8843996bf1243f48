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
	Degraded  = "degraded" // only parts fail that the server can spare
	Unhealthy = "unhealthy"
	Starting  = "starting"
	Draining  = "draining"
)

// Report is how the server is.
type Report struct {
	Status string            `json:"status" enum:"healthy,degraded,unhealthy,starting,draining"`
	Probes map[string]Result `json:"probes"`
}

// OK reports whether traffic may be sent here.
func (r Report) OK() bool { return r.Status == Healthy || r.Status == Degraded }

// Result is what one probe found.
type Result struct {
	Status    string  `json:"status" enum:"healthy,unhealthy"`
	LatencyMS float64 `json:"latencyMs"`
	Error     string  `json:"error,omitempty" doc:"The kind of trouble: timeout, unavailable, or failed. The log says more."`
}

// Service watches the probes from Start to Stop.
type Service struct {
	cfg     Config
	watches []*watch
	phase   Phase
	log     *slog.Logger

	stop    context.CancelFunc // nil before Start
	running sync.WaitGroup
}

// watch is one probe and what it said last.
type watch struct {
	probe.Probe
	answered chan struct{} // closed at the first answer

	mu     sync.Mutex
	result Result // its Status is empty before the first answer
}

// New makes a Service over the probes.
func New(cfg Config, probes []probe.Probe, phase Phase, log *slog.Logger) *Service {
	s := &Service{cfg: cfg, phase: phase, log: log}
	for _, p := range probes {
		s.watches = append(s.watches, &watch{Probe: p, answered: make(chan struct{})})
	}
	return s
}

// Start begins to ask the probes, and waits until each has answered once or its
// time is up.
func (s *Service) Start(ctx context.Context) error {
	// The watching goes on after whoever starts it has left.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	for _, w := range s.watches {
		s.running.Go(func() { s.watch(background, w) })
	}
	for _, w := range s.watches {
		select {
		case <-w.answered:
		case <-ctx.Done():
			s.Stop()
			return ctx.Err()
		}
	}
	return nil
}

// Stop ends the watching. A probe that ignores its context is not waited for.
func (s *Service) Stop() {
	if s.stop != nil {
		s.stop()
		s.running.Wait()
	}
}

// Report says what the probes said last. It waits for nothing.
func (s *Service) Report() Report {
	r := Report{Status: Healthy, Probes: make(map[string]Result, len(s.watches))}
	for _, w := range s.watches {
		result := w.last()
		switch {
		case result.Status == "":
			r.Status = Starting
			continue
		case result.Status == Healthy:
		case r.Status == Healthy && w.Spare:
			r.Status = Degraded
		case !w.Spare && r.Status != Starting:
			r.Status = Unhealthy
		}
		// Of two probes with one name the failing one counts.
		if known, twice := r.Probes[w.Name]; !twice || known.Status == Healthy {
			r.Probes[w.Name] = result
		}
	}
	switch {
	case s.phase.Draining():
		r.Status = Draining
	case s.phase.Starting():
		r.Status = Starting
	}
	return r
}

func (w *watch) last() Result {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.result
}

func (s *Service) watch(ctx context.Context, w *watch) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		s.ask(ctx, w)
		pause.Reset(s.cfg.Interval)
	}
}

// ask asks one probe. One that ignores its context is unhealthy as soon as its
// time is up, and is not asked again before it has answered: questions never
// pile up.
func (s *Service) ask(ctx context.Context, w *watch) {
	question, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	begun := time.Now()
	answer := make(chan error, 1)
	go func() { answer <- w.Check(question) }()
	select {
	case err := <-answer:
		s.note(ctx, w, time.Since(begun), err)
	case <-question.Done():
		s.note(ctx, w, time.Since(begun), question.Err())
		select {
		case <-answer:
		case <-ctx.Done():
		}
	}
}

// note remembers an answer, and logs when it is another than before.
func (s *Service) note(ctx context.Context, w *watch, took time.Duration, err error) {
	if ctx.Err() != nil {
		return // the watching ends; what fails now fails because of that
	}
	r := Result{Status: Healthy, LatencyMS: float64(took.Microseconds()) / 1000}
	if err != nil {
		r.Status, r.Error = Unhealthy, word(err)
	}
	w.mu.Lock()
	before := w.result
	w.result = r
	w.mu.Unlock()
	if before.Status != r.Status || before.Error != r.Error {
		if err != nil {
			s.log.WarnContext(ctx, "probe failed", "probe", w.Name, "error", err)
		} else if before.Status != "" {
			s.log.InfoContext(ctx, "probe recovered", "probe", w.Name)
		}
	}
	if before.Status == "" {
		close(w.answered)
	}
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
