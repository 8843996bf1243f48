package shelf

import "github.com/badge-engine/badge-engine/platform/metric"

// asked tells how often what was asked for was there. An error is a miss: it is not kept.
func asked(s *Shelf) metric.Gauge {
	return metric.Gauge{
		Name: "badge_engine_shelf_requests_total", Help: "Public answers that were asked for, by whether they were kept in the process, hit or miss.", Labels: []string{"result"}, Total: true,
		Read: func() []metric.Sample {
			return []metric.Sample{{Labels: []string{"hit"}, Value: float64(s.hits.Load())}, {Labels: []string{"miss"}, Value: float64(s.misses.Load())}}
		},
	}
}
