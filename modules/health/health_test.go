package health_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"

	"github.com/badge-engine/badge-engine/modules/health"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/probe"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

type drain bool

func (d drain) Draining() bool { return bool(d) }

// clock stands still until it is moved.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func answers(name string, err error) probe.Probe {
	return probe.Probe{Name: name, Check: func(context.Context) error { return err }}
}

func TestReport(t *testing.T) {
	fine := answers("fine", nil)
	for _, row := range []struct {
		name   string
		probes []probe.Probe
		drain  drain
		want   string
		ok     bool
	}{
		{"without probes it is healthy", nil, false, `{"status":"healthy","probes":{}}`, true},
		{"when all are fine it is healthy", []probe.Probe{fine, answers("other", nil)}, false,
			`{"status":"healthy","probes":{"fine":{"status":"healthy","latencyMs":0},"other":{"status":"healthy","latencyMs":0}}}`, true},
		{"one that fails suffices, and keeps its words to itself", []probe.Probe{fine, answers("db", errors.New("dial 10.0.0.7: refused"))}, false,
			`{"status":"unhealthy","probes":{"db":{"status":"unhealthy","latencyMs":0,"error":"failed"},"fine":{"status":"healthy","latencyMs":0}}}`, false},
		{"what is unavailable is called so", []probe.Probe{answers("db", fault.New(fault.Unavailable, "database.unavailable", "Away."))}, false,
			`{"status":"unhealthy","probes":{"db":{"status":"unhealthy","latencyMs":0,"error":"unavailable"}}}`, false},
		{"of two with one name the failing one counts", []probe.Probe{answers("db", errors.New("x")), answers("db", nil)}, false,
			`{"status":"unhealthy","probes":{"db":{"status":"unhealthy","latencyMs":0,"error":"failed"}}}`, false},
		{"while it drains it is not ready, however healthy", []probe.Probe{fine}, true,
			`{"status":"draining","probes":{"fine":{"status":"healthy","latencyMs":0}}}`, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			var log bytes.Buffer
			s := health.New(health.Default(), row.probes, row.drain, (&clock{}).now, slog.New(slog.NewTextHandler(&log, nil)))
			r := s.Report(t.Context())
			data, err := json.Marshal(r)
			if err != nil || string(data) != row.want || r.OK() != row.ok {
				t.Errorf("%v %s", err, data)
			}
			if strings.Contains(row.want, "failed") && !strings.Contains(log.String(), "probe failed") {
				t.Errorf("the log says nothing: %s", log.String())
			}
		})
	}
}

func TestSlowProbeIsCutOff(t *testing.T) {
	cfg := health.Config{Timeout: time.Millisecond}
	slow := probe.Probe{Name: "slow", Check: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	release := make(chan struct{})
	deaf := probe.Probe{Name: "deaf", Check: func(context.Context) error { <-release; return nil }}
	r := health.New(cfg, []probe.Probe{slow, deaf}, drain(false), time.Now, slog.New(slog.DiscardHandler)).Report(t.Context())
	close(release)
	for _, name := range []string{"slow", "deaf"} {
		if r.Probes[name].Error != "timeout" {
			t.Errorf("%s: %+v", name, r.Probes[name])
		}
	}
}

func TestProbesAreAskedAtOnce(t *testing.T) {
	var both sync.WaitGroup
	both.Add(2)
	meet := func(context.Context) error { both.Done(); both.Wait(); return nil } // ends only if both run
	s := health.New(health.Config{Timeout: time.Minute}, []probe.Probe{{Name: "a", Check: meet}, {Name: "b", Check: meet}}, drain(false), time.Now, slog.New(slog.DiscardHandler))
	if !s.Report(t.Context()).OK() {
		t.Error("not healthy")
	}
}

func TestAnswersAreReusedForAWhile(t *testing.T) {
	var asked atomic.Int64
	c := &clock{at: time.Unix(0, 0)}
	s := health.New(health.Default(), []probe.Probe{{Name: "p", Check: func(context.Context) error { asked.Add(1); return nil }}}, drain(false), c.now, slog.New(slog.DiscardHandler))
	var crowd sync.WaitGroup
	for range 50 {
		crowd.Go(func() { s.Report(context.Background()) })
	}
	crowd.Wait()
	if asked.Load() != 1 {
		t.Errorf("a crowd asked %d times", asked.Load())
	}
	c.at = c.at.Add(time.Second)
	s.Report(t.Context())
	if asked.Load() != 2 {
		t.Errorf("asked %d times after a second", asked.Load())
	}
}

func TestCallerThatLeavesSpoilsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := health.New(health.Default(), []probe.Probe{{Name: "p", Check: func(ctx context.Context) error { return ctx.Err() }}}, drain(false), time.Now, slog.New(slog.DiscardHandler))
	if !s.Report(ctx).OK() {
		t.Error("the cancelled caller made the server unhealthy for all")
	}
}

func TestModuleOverHTTP(t *testing.T) {
	var failing atomic.Bool
	cfg := httpserver.Default()
	cfg.Host, cfg.Port = "127.0.0.1", 0
	var server *httpserver.Server
	c := &clock{}
	app := fxtest.New(t, fx.NopLogger,
		fx.Supply(cfg, health.Config{Timeout: time.Minute}, slog.New(slog.DiscardHandler)),
		fx.Provide(func() func() time.Time { return c.now }, func(d *httpserver.Drain) health.Drainer { return d }),
		probe.Provide(func() probe.Probe {
			return probe.Probe{Name: "p", Check: func(context.Context) error {
				if failing.Load() {
					return errors.New("secret words")
				}
				return nil
			}}
		}),
		httpserver.Module, health.Module, fx.Populate(&server),
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
		if err != nil || res.StatusCode != status || !strings.Contains(string(body), contains) || strings.Contains(string(body), "secret") || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: %v %d %s", method, path, err, res.StatusCode, body)
		}
	}
	ask("GET", "/health", 200, `{"status":"healthy","probes":{"p":{"status":"healthy","latencyMs":0}}}`)
	ask("GET", "/health/ready", 200, `"status":"healthy"`)
	ask("GET", "/health/live", 200, `{"status":"healthy"}`)
	ask("HEAD", "/health", 200, "")
	failing.Store(true)
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
	for says, c := range map[string]health.Config{"HEALTH_TIMEOUT": {}, "HEALTH_CACHE": {Timeout: 1, Cache: -1}} {
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v does not name %s", err, says)
		}
	}
}
