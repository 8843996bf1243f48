package metric

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/badge-engine/badge-engine/platform/fault"
)

// Metric is what telemetry collects for each scrape.
type Metric interface{ prometheus.Collector }

// Sample is one value of a gauge under its labels.
type Sample struct {
	Labels []string // as many as the gauge has, in their order
	Value  float64
}

// Gauge is something that can be read at any time. Read is called for each scrape,
// by several at once, and must be quick.
type Gauge struct {
	Name   string // such as badge_engine_secret_expiry_timestamp_seconds
	Help   string
	Labels []string
	Read   func() []Sample
	Total  bool // what is read only grows, as a counter does
}

var _ Metric = Gauge{}

// Describe implements the collector of the library.
func (g Gauge) Describe(to chan<- *prometheus.Desc) { to <- g.desc() }

func (g Gauge) desc() *prometheus.Desc { return prometheus.NewDesc(g.Name, g.Help, g.Labels, nil) }

// Collect implements the collector of the library.
func (g Gauge) Collect(to chan<- prometheus.Metric) {
	kind := prometheus.GaugeValue
	if g.Total {
		kind = prometheus.CounterValue
	}
	for _, s := range g.Read() {
		metric, err := prometheus.NewConstMetric(g.desc(), kind, s.Value, s.Labels...)
		if err != nil {
			metric = prometheus.NewInvalidMetric(g.desc(), err)
		}
		to <- metric
	}
}

// Counter counts what happens, from the start of the process on. It is safe for
// concurrent use; one that is nil counts nothing.
type Counter struct{ vec *prometheus.CounterVec }

var _ Metric = (*Counter)(nil)

// NewCounter makes a counter of a name that ends with _total.
func NewCounter(name, help string, labels ...string) *Counter {
	return &Counter{prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)}
}

// Count adds n under as many labels as the counter has.
func (c *Counter) Count(n int, labels ...string) {
	if c != nil && n > 0 {
		c.vec.WithLabelValues(labels...).Add(float64(n))
	}
}

// Describe implements the collector of the library.
func (c *Counter) Describe(to chan<- *prometheus.Desc) { c.vec.Describe(to) }

// Collect implements the collector of the library.
func (c *Counter) Collect(to chan<- prometheus.Metric) { c.vec.Collect(to) }

// The outcomes of deeds.
const (
	Done    = "done"
	Refused = "refused" // the caller's mistake
	Failed  = "failed"  // ours, or that of a part that is away
)

// Outcome is how a deed ended.
func Outcome(err error) string {
	f, declared := fault.From(err)
	switch {
	case err == nil:
		return Done
	case declared && f.Kind() != fault.Internal && f.Kind() != fault.Unavailable:
		return Refused
	}
	return Failed
}
