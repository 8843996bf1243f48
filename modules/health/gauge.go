package health

import "github.com/badge-engine/badge-engine/platform/metric"

// gauge shows what the probes said last, for alerts.
func gauge(s *Service) metric.Gauge {
	return metric.Gauge{
		Name:   "badge_engine_probe_healthy",
		Help:   "Whether a health probe succeeded when it was last asked, 1 or 0.",
		Labels: []string{"probe"},
		Read: func() (samples []metric.Sample) {
			for name, result := range s.Report().Probes {
				value := 0.0
				if result.Status == Healthy {
					value = 1
				}
				samples = append(samples, metric.Sample{Labels: []string{name}, Value: value})
			}
			return samples
		},
	}
}
