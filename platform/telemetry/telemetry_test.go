package telemetry_test

import (
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/platform/metric"
	"github.com/badge-engine/badge-engine/platform/telemetry"
)

func gauge(name string, labels ...string) metric.Gauge {
	return metric.Gauge{Name: name, Help: "A gauge.", Labels: []string{"kind"}, Read: func() []metric.Sample {
		return []metric.Sample{{Labels: labels, Value: 42}}
	}}
}

func TestAGaugeIsReadForEachScrape(t *testing.T) {
	reads := 0
	g := gauge("badge_engine_x", "token")
	read := g.Read
	g.Read = func() []metric.Sample { reads++; return read() }
	m, err := telemetry.New([]metric.Metric{g})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		text, err := m.Text()
		if err != nil || !strings.Contains(string(text), `badge_engine_x{kind="token"} 42`) {
			t.Errorf("%v in %s", err, text)
		}
	}
	if reads != 2 {
		t.Errorf("read %d times", reads)
	}
}

func TestAMethodNobodyKnowsMakesNoSeriesOfItsOwn(t *testing.T) {
	m, err := telemetry.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	m.Observe("BREW", "/x", 501, time.Millisecond)
	text, err := m.Text()
	if err != nil || strings.Contains(string(text), "BREW") || !strings.Contains(string(text), `method="other"`) {
		t.Errorf("%v in %s", err, text)
	}
}

func TestMistakesInGaugesAreErrors(t *testing.T) {
	if _, err := telemetry.New([]metric.Metric{gauge("badge_engine_x", "a"), gauge("badge_engine_x", "b")}); err == nil {
		t.Error("two gauges of one name were taken")
	}
	m, err := telemetry.New([]metric.Metric{gauge("badge_engine_x")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Text(); err == nil {
		t.Error("a sample without its label was rendered")
	}
}

func BenchmarkObserve(b *testing.B) {
	m, err := telemetry.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		m.Observe("GET", "/api/v1/credentials", 200, time.Millisecond)
	}
}
