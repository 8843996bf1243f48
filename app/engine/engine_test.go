package engine_test

import (
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/badge-engine/badge-engine/app/engine"
)

func TestTheGraphFitsTogether(t *testing.T) {
	if err := engine.Validate(engine.Default()); err != nil {
		t.Fatal(err)
	}
}

func TestItStartsAndLeavesNothingRunning(t *testing.T) {
	defer goleak.VerifyNone(t,
		goleak.IgnoreCurrent(),
		// fasthttp: a clock that is never stopped, and workers that sleep on for a while.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
	)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(engine.Options{Config: engine.In(t.TempDir()), Listener: listener, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := e.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestAWrongValueStopsTheStartAndNamesItsVariable(t *testing.T) {
	for name, value := range map[string]string{
		"PUBLIC_URL": "badges.example.org", "PORT": "many", "DATABASE_URL": "mysql://x", "REDIS_URL": "ftp://x",
		"LOG_LEVEL": "loud", "KEY_ENCRYPTION_KEY": "short", "BOOTSTRAP_ADMIN_TOKEN": "short", "REQUEST_TIMEOUT": "-1s",
		"MIGRATE_ON_START": "perhaps", "CORS_ORIGINS": "example.org/",
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := engine.Load(map[string]string{name: value})
			if err == nil {
				cfg.Issuance.KeyFile = t.TempDir() + "/key"
				_, err = engine.New(engine.Options{Config: cfg, Log: slog.New(slog.DiscardHandler), Now: time.Now})
			}
			if err == nil {
				t.Fatalf("%s=%s was taken", name, value)
			}
			if got := err.Error(); !strings.Contains(got, name) {
				t.Errorf("%q does not name %s", got, name)
			}
		})
	}
}
