package httpserver

import (
	"crypto/tls"

	"github.com/badge-engine/badge-engine/platform/metric"
)

// certificateGauge tells when the certificate that the server shows expires. It reads
// the file, so that one that was renewed and waits for a restart counts.
func certificateGauge(cfg Config) metric.Gauge {
	return metric.Gauge{
		Name: "badge_engine_tls_certificate_expiry_timestamp_seconds", Help: "When the certificate in TLS_CERT_FILE expires.",
		Read: func() []metric.Sample {
			if cfg.TLSCert == "" {
				return nil
			}
			pair, err := tls.LoadX509KeyPair(cfg.TLSCert, cfg.TLSKey)
			if err != nil {
				return nil
			}
			return []metric.Sample{{Value: float64(pair.Leaf.NotAfter.Unix())}}
		},
	}
}
