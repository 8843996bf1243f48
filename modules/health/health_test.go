package health_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"

	"github.com/badge-engine/badge-engine/modules/health"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/platform/probe"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

type phase struct{ starting, draining bool }

func (p phase) Starting() bool { return p.starting }
func (p phase) Draining() bool { return p.draining }

func answers(name string, err error) probe.Probe {
	return probe.Probe{Name: name, Check: func(context.Context) error { return err }}
}

func spare(name string, err error) probe.Probe {
	p := answers(name, err)
	p.Spare = true
	return p
}

// watched runs a service in a bubble where time passes by itself.
func watched(t *testing.T, cfg health.Config, at phase, log *slog.Logger, probes func() []probe.Probe, look func(s *health.Service)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := health.New(cfg, probes(), at, log)
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer s.Stop()
		look(s)
	})
}

func TestReport(t *testing.T) {
	fine, away := answers("fine", nil), fault.New(fault.Unavailable, "database.unavailable", "Away.")
	const fineToo = `"fine":{"status":"healthy","latencyMs":0}`
	for _, row := range []struct {
		name   string
		probes []probe.Probe
		phase  phase
		want   string
		ok     bool
	}{
		{"without probes it is healthy", nil, phase{}, `{"status":"healthy","probes":{}}`, true},
		{"when all are fine it is healthy", []probe.Probe{fine, answers("other", nil)}, phase{},
			`{"status":"healthy","probes":{` + fineToo + `,"other":{"status":"healthy","latencyMs":0}}}`, true},
		{"one that fails suffices, and keeps its words to itself", []probe.Probe{fine, answers("db", errors.New("dial 10.0.0.7: refused"))}, phase{},
			`{"status":"unhealthy","probes":{"db":{"status":"unhealthy","latencyMs":0,"error":"failed"},` + fineToo + `}}`, false},
		{"what is unavailable is called so", []probe.Probe{answers("db", away)}, phase{},
			`{"status":"unhealthy","probes":{"db":{"status":"unhealthy","latencyMs":0,"error":"unavailable"}}}`, false},
		{"of two with one name the failing one counts", []probe.Probe{answers("db", errors.New("x")), answers("db", nil)}, phase{},
			`{"status":"unhealthy","probes":{"db":{"status":"unhealthy","latencyMs":0,"error":"failed"}}}`, false},
		{"without what it can spare it is degraded, and ready", []probe.Probe{fine, spare("cache", away)}, phase{},
			`{"status":"degraded","probes":{"cache":{"status":"unhealthy","latencyMs":0,"error":"unavailable"},` + fineToo + `}}`, true},
		{"a failure that it can spare does not excuse another", []probe.Probe{answers("db", away), spare("cache", away)}, phase{},
			`{"status":"unhealthy","probes":{"cache":{"status":"unhealthy","latencyMs":0,"error":"unavailable"},"db":{"status":"unhealthy","latencyMs":0,"error":"unavailable"}}}`, false},
		{"while others start it is not ready, however healthy", []probe.Probe{fine}, phase{starting: true}, `{"status":"starting","probes":{` + fineToo + `}}`, false},
		{"while it drains it is not ready, however healthy", []probe.Probe{fine}, phase{draining: true}, `{"status":"draining","probes":{` + fineToo + `}}`, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			var log bytes.Buffer
			watched(t, health.Default(), row.phase, slog.New(slog.NewTextHandler(&log, nil)), func() []probe.Probe { return row.probes }, func(s *health.Service) {
				r := s.Report()
				data, err := json.Marshal(r)
				if err != nil || string(data) != row.want || r.OK() != row.ok {
					t.Errorf("%v %s", err, data)
				}
				if strings.Contains(row.want, "failed") && !strings.Contains(log.String(), "probe failed") {
					t.Errorf("the log says nothing: %s", log.String())
				}
			})
		})
	}
}

func TestBeforeTheFirstAnswerItIsStarting(t *testing.T) {
	s := health.New(health.Default(), []probe.Probe{answers("db", nil)}, phase{}, slog.New(slog.DiscardHandler))
	if r := s.Report(); r.Status != health.Starting || r.OK() || len(r.Probes) != 0 {
		t.Errorf("%+v", r)
	}
	s.Stop() // without a Start: nothing to stop
}

func TestAHangingProbeIsCutOffAndNeverDelaysAReport(t *testing.T) {
	cfg := health.Config{Interval: time.Second, Timeout: 2 * time.Second}
	slow := probe.Probe{Name: "slow", Check: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	var release chan struct{}
	var asked atomic.Int64
	deaf := probe.Probe{Name: "deaf", Check: func(context.Context) error {
		if asked.Add(1) == 2 {
			<-release
		}
		return nil
	}}
	both := func() []probe.Probe {
		release = make(chan struct{})
		return []probe.Probe{slow, deaf}
	}
	watched(t, cfg, phase{}, slog.New(slog.DiscardHandler), both, func(s *health.Service) {
		if r := s.Report(); r.Probes["slow"].Error != "timeout" || r.Probes["slow"].LatencyMS != 2000 || r.Probes["deaf"].Status != health.Healthy {
			t.Errorf("after the start: %+v", r)
		}
		time.Sleep(time.Minute)
		begun := time.Now()
		if r := s.Report(); r.Probes["deaf"].Error != "timeout" || time.Since(begun) != 0 {
			t.Errorf("while it hangs: %+v after %s", r, time.Since(begun))
		}
		if asked.Load() != 2 {
			t.Errorf("a probe that hangs was asked %d times", asked.Load())
		}
		close(release)
		time.Sleep(2 * time.Second)
		if r := s.Report(); r.Probes["deaf"].Status != health.Healthy {
			t.Errorf("after it came back: %+v", r)
		}
	})
}

func TestItMendsItselfAndLogsChangesAlone(t *testing.T) {
	var log bytes.Buffer
	var broken atomic.Bool
	p := probe.Probe{Name: "db", Check: func(context.Context) error {
		if broken.Load() {
			return errors.New("away")
		}
		return nil
	}}
	watched(t, health.Default(), phase{}, slog.New(slog.NewTextHandler(&log, nil)), func() []probe.Probe { return []probe.Probe{p} }, func(s *health.Service) {
		for _, away := range []bool{true, false} {
			broken.Store(away)
			time.Sleep(time.Minute)
			if s.Report().OK() == away {
				t.Errorf("away %t: %+v", away, s.Report())
			}
		}
	})
	if got := log.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "probe failed") || !strings.Contains(got, "probe recovered") {
		t.Errorf("the log has\n%s", got)
	}
}

func TestAStartThatIsGivenUpLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	deaf := probe.Probe{Name: "p", Check: func(ctx context.Context) error { <-ctx.Done(); return nil }}
	s := health.New(health.Config{Interval: time.Hour, Timeout: time.Hour}, []probe.Probe{deaf}, phase{}, slog.New(slog.DiscardHandler))
	if err := s.Start(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// nobody is ever known.
type nobody struct{}

func (nobody) Authenticate(context.Context, httpserver.Credentials) (principal.Principal, error) {
	return principal.Principal{}, nil
}

func TestModuleOverHTTP(t *testing.T) {
	var failing atomic.Bool
	cfg := httpserver.Default()
	cfg.Host, cfg.Port = "127.0.0.1", 0
	var server *httpserver.Server
	var service *health.Service
	app := fxtest.New(t, fx.NopLogger,
		fx.Supply(cfg, health.Config{Interval: 10 * time.Millisecond, Timeout: time.Minute}, slog.New(slog.DiscardHandler)),
		fx.Provide(func(p *httpserver.Phase) health.Phase { return p }, func() health.Doctor { return nil }, func() httpserver.Guard { return nobody{} }),
		probe.Provide(func() probe.Probe {
			return probe.Probe{Name: "p", Check: func(context.Context) error {
				if failing.Load() {
					return errors.New("secret words")
				}
				return nil
			}}
		}),
		httpserver.Module, health.Module, fx.Populate(&server, &service),
	)
	app.RequireStart()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ask := func(method, path string, status int, contains string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+server.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != status || !strings.Contains(string(body), contains) || strings.Contains(string(body), "secret") || status != 401 && res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: %v %d %s", method, path, err, res.StatusCode, body)
		}
	}
	ask("GET", "/health", 200, `{"status":"healthy","probes":{"p":{"status":"healthy","latencyMs":0`)
	ask("GET", "/health/ready", 200, `"status":"healthy"`)
	ask("GET", "/health/live", 200, `{"status":"healthy"}`)
	ask("HEAD", "/health", 200, "")
	ask("GET", "/api/v1/admin/doctor", 401, "httpserver.unauthenticated")
	failing.Store(true)
	for service.Report().OK() { // ends: the probe is asked again soon
		runtime.Gosched()
	}
	ask("GET", "/health", 503, `"error":"failed"`)
	ask("GET", "/health/ready", 503, `"status":"unhealthy"`)
	ask("HEAD", "/health/ready", 503, "")
	ask("GET", "/health/live", 200, `{"status":"healthy"}`)
	app.RequireStop()
	if !server.Draining() {
		t.Error("a stopped server is not draining")
	}
}

func TestConfig(t *testing.T) {
	if err := health.Default().Check(); err != nil {
		t.Error(err)
	}
	for says, c := range map[string]health.Config{"HEALTH_TIMEOUT": {Interval: time.Second}, "HEALTH_INTERVAL": {Timeout: time.Second}} {
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v does not name %s", err, says)
		}
	}
}
