package database

import "github.com/badge-engine/badge-engine/platform/metric"

// gauge shows how the pool is used, for alerts and dashboards.
func gauge(d *DB) metric.Gauge {
	return metric.Gauge{
		Name:   "badge_engine_database_connections",
		Help:   "Connections of the pool that writes, by state; allowed is how many there may be.",
		Labels: []string{"state"},
		Read: func() []metric.Sample {
			s := d.writes.Stats()
			return []metric.Sample{
				{Labels: []string{"in_use"}, Value: float64(s.InUse)},
				{Labels: []string{"idle"}, Value: float64(s.Idle)},
				{Labels: []string{"allowed"}, Value: float64(s.MaxOpenConnections)},
			}
		},
	}
}
