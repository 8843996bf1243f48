package metric_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/metric"
	"github.com/badge-engine/badge-engine/platform/telemetry"
)

func TestACounterCounts(t *testing.T) {
	var none *metric.Counter
	none.Count(1, "x") // counts nothing
	c := metric.NewCounter("badge_engine_x_total", "A counter.", "outcome")
	c.Count(1, metric.Done)
	c.Count(2, metric.Done)
	c.Count(0, metric.Failed)
	total := metric.Gauge{Name: "badge_engine_y_total", Help: "Another.", Total: true, Read: func() []metric.Sample { return []metric.Sample{{Value: 7}} }}
	m, err := telemetry.New([]metric.Metric{c, total})
	if err != nil {
		t.Fatal(err)
	}
	text, err := m.Text()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# TYPE badge_engine_x_total counter\n", `badge_engine_x_total{outcome="done"} 3` + "\n", "# TYPE badge_engine_y_total counter\nbadge_engine_y_total 7\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("there is no %s in %s", want, text)
		}
	}
	if strings.Contains(string(text), "failed") {
		t.Error("nothing was counted as something")
	}
}

func TestOutcome(t *testing.T) {
	for _, row := range []struct {
		err  error
		want string
	}{
		{nil, metric.Done},
		{fault.New(fault.Invalid, "x.y", "No."), metric.Refused},
		{fault.New(fault.TooMany, "x.y", "No."), metric.Refused},
		{fault.New(fault.Unavailable, "x.y", "No."), metric.Failed},
		{fault.New(fault.Internal, "x.y", "No."), metric.Failed},
		{errors.New("x"), metric.Failed},
	} {
		if got := metric.Outcome(row.err); got != row.want {
			t.Errorf("%v is %s", row.err, got)
		}
	}
}
