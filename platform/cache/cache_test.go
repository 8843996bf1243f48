package cache_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/cache/memory"
	"github.com/badge-engine/badge-engine/platform/cache/redis"
	"github.com/badge-engine/badge-engine/platform/probe"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
)

func TestModuleOffersTheCacheThatTheSchemeChooses(t *testing.T) {
	for _, tt := range []struct {
		name, url string
		healthy   bool
	}{
		{"nothing means memory", "", true},
		{"memory", "memory:", true},
		{"a Redis that is away stops no start", "redis://:s3cret@127.0.0.1:1/0", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := cache.Default()
			cfg.URL = tt.url
			var out strings.Builder
			var probes []probe.Probe
			app := fxtest.New(t, fx.NopLogger, cache.Module(redis.Driver{}, memory.Driver{}),
				fx.Supply(cfg), fx.Supply(slog.New(slog.NewTextHandler(&out, nil))), fx.Supply(time.Now),
				fx.Invoke(probe.Collect(func(all []probe.Probe) { probes = all })))
			app.RequireStart()
			defer app.RequireStop()
			if len(probes) != 1 || probes[0].Name != "cache" {
				t.Fatalf("probes: %v", probes)
			}
			if err := probes[0].Check(t.Context()); (err == nil) != tt.healthy {
				t.Errorf("the probe answered %v", err)
			}
			if strings.Contains(out.String(), "cache is away") == tt.healthy || strings.Contains(out.String(), "s3cret") {
				t.Errorf("the log says %s", out.String())
			}
		})
	}
}
