package telemetry_test

import (
	"log/slog"
	"net/http"
	"testing"

	"github.com/badge-engine/badge-engine/platform/telemetry"
)

func TestProfilesAreForThisMachineAlone(t *testing.T) {
	for address, good := range map[string]bool{"": true, "127.0.0.1:6060": true, "[::1]:6060": true, "localhost:6060": true, ":6060": false, "0.0.0.0:6060": false, "10.0.0.1:6060": false, "6060": false, "example.org:80": false} {
		if err := (telemetry.Config{Profiles: address}).Check(); (err == nil) != good {
			t.Errorf("%q: %v", address, err)
		}
	}
	off := telemetry.NewProfiler(telemetry.Default(), slog.New(slog.DiscardHandler))
	if err := off.Start(t.Context()); err != nil || off.Addr() != nil {
		t.Errorf("without an address it listens at %v, %v", off.Addr(), err)
	}
	off.Stop()

	p := telemetry.NewProfiler(telemetry.Config{Profiles: "127.0.0.1:0"}, slog.New(slog.DiscardHandler))
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for path, status := range map[string]int{"/debug/pprof/": 200, "/debug/pprof/heap": 200, "/debug/pprof/cmdline": 404, "/": 404} {
		answer, err := client.Get("http://" + p.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != status {
			t.Errorf("%s: %d", path, answer.StatusCode)
		}
	}
	p.Stop()
	if _, err := client.Get("http://" + p.Addr().String() + "/debug/pprof/"); err == nil {
		t.Error("it serves after Stop")
	}
}
