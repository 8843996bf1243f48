package telemetry

import (
	"bytes"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"

	"github.com/badge-engine/badge-engine/platform/metric"
)

// Metrics is everything that is measured. Each has a registry of its own, so that
// several servers may live in one process.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	known    sync.Map // of answer to prometheus.Observer: what was looked up already
}

// answer is what requests are counted by. Routes and statuses are those of the program,
// so that there are never many.
type answer struct {
	method, route string
	status        int
}

// New makes the metrics of requests, of the process, and those that others offer. It
// answers an error if two have one name.
func New(offered []metric.Metric) (*Metrics, error) {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "badge_engine_http_request_duration_seconds",
			Help:    "How long requests took, by method, route and status.",
			Buckets: []float64{.0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5, 30},
		}, []string{"method", "route", "status"}),
	}
	all := []prometheus.Collector{m.requests, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})}
	for _, m := range offered {
		all = append(all, m)
	}
	for _, c := range all {
		if err := m.registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Observe counts one answered request. The route is its pattern, never its path:
// strangers choose paths. It is safe for concurrent use.
func (m *Metrics) Observe(method, route string, status int, took time.Duration) {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
	default:
		method = "other"
	}
	key := answer{method, route, status}
	known, ok := m.known.Load(key)
	if !ok {
		known, _ = m.known.LoadOrStore(key, m.requests.WithLabelValues(method, route, strconv.Itoa(status)))
	}
	known.(prometheus.Observer).Observe(took.Seconds())
}

// Text renders all metrics in the text format.
func (m *Metrics) Text() ([]byte, error) {
	families, err := m.registry.Gather()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	encoder := expfmt.NewEncoder(&out, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}
