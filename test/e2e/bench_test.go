package e2e

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// BenchmarkIssueOverHTTP is what a caller waits for: one order, signed and stored,
// over a real socket; then the same from several callers at once.
func BenchmarkIssueOverHTTP(b *testing.B) {
	for _, e := range dbtest.Engines(b) {
		h := boot(b, func(cfg *engine.Config) { cfg.Database.URL = e.URL })
		body := order(h.achievement(h.issuer(), ""))
		b.Run(e.Name+"/one caller", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.must(201, h.send("POST", "/api/v1/credentials", body))
			}
		})
		b.Run(e.Name+"/many callers", func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(8)
			var sent atomic.Int64
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					key := fmt.Sprint("order-", sent.Add(1), "-", b.N)
					h.must(201, h.send("POST", "/api/v1/credentials", body, "Idempotency-Key", key))
				}
			})
		})
	}
}

// BenchmarkVerifyOverHTTP verifies a baked PNG of about the size of a real one.
func BenchmarkVerifyOverHTTP(b *testing.B) {
	h := boot(b, nil)
	img := h.must(201, h.send("POST", "/api/v1/images", picture(b), "Content-Type", "image/png")).id(b)
	id := h.must(201, h.send("POST", "/api/v1/credentials", order(h.achievement(h.issuer(), img)))).id(b)
	badge := h.must(200, h.send("GET", "/credentials/"+id+"/badge.png", nil)).body
	b.ReportAllocs()
	for b.Loop() {
		h.must(200, h.send("POST", "/api/v1/verify", badge, "Content-Type", "image/png"))
	}
}
