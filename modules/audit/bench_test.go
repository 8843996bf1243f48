package audit_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/badge-engine/badge-engine/migrations"
	"github.com/badge-engine/badge-engine/modules/audit"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// engines gives a migrated house on each engine.
func engines(b *testing.B, run func(b *testing.B, h *house)) {
	for _, engine := range dbtest.Engines(b) {
		b.Run(engine.Name, func(b *testing.B) {
			db := dbtest.Open(b, engine.URL)
			runner, err := migrations.New(db, []migrations.Set{audit.Schema()}, slog.New(slog.DiscardHandler))
			must(b, err)
			must(b, runner.Up(b.Context()))
			run(b, build(b, db))
		})
	}
}

func caller(ctx context.Context) context.Context {
	ctx = principal.WithAddress(logging.ContextWith(ctx, "01a20adb-8041-700d-b8c4-41bf8d5e3b3e"), "192.0.2.7")
	return principal.With(ctx, principal.Principal{ID: "token:01a20adb-8041-700d-b8c4-41bf8d5e3b3e"})
}

// BenchmarkRecord is what an event adds to a unit that is open anyway.
func BenchmarkRecord(b *testing.B) {
	engines(b, func(b *testing.B, h *house) {
		b.ReportAllocs()
		must(b, h.db.Do(caller(b.Context()), func(ctx context.Context) error {
			for b.Loop() {
				if err := h.Record(ctx, "issuance.credential.issued", "01a20adb-8041-700d-b8c4-41bf8d5e3b3e", "", nil); err != nil {
					return err
				}
			}
			return nil
		}))
	})
}

// BenchmarkSeal gives ten thousand events their places.
func BenchmarkSeal(b *testing.B) {
	const events = 10_000
	engines(b, func(b *testing.B, h *house) {
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			must(b, h.db.Do(caller(b.Context()), func(ctx context.Context) error {
				for range events {
					if err := h.Record(ctx, "issuance.credential.issued", "01a20adb-8041-700d-b8c4-41bf8d5e3b3e", "", nil); err != nil {
						return err
					}
				}
				return nil
			}))
			b.StartTimer()
			h.seal(b)
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/events, "µs/event")
	})
}

// BenchmarkVerify checks a trail of ten thousand events.
func BenchmarkVerify(b *testing.B) {
	const events = 10_000
	engines(b, func(b *testing.B, h *house) {
		h.record(b, events)
		b.ReportAllocs()
		for b.Loop() {
			if report := h.verify(b); report.Breach != nil || report.Checked != events {
				b.Fatalf("%+v", report)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/events, "µs/event")
	})
}

// BenchmarkRefused is what a refusal costs the request that is refused.
func BenchmarkRefused(b *testing.B) {
	h := build(b, nil)
	ctx := caller(b.Context())
	refusal := httpserver.Refusal{Method: "GET", Route: "/api/v1/tokens", Err: errNo}
	b.ReportAllocs()
	for b.Loop() {
		h.Refused(ctx, refusal)
	}
}
