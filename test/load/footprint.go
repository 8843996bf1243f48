package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// memoryLimit is the GOMEMLIMIT under which the load of the footprint runs: what fits a container of 300 MB.
const memoryLimit = 270

// footprint measures what a server needs before anybody asks it anything, what it needs at most while it is asked for
// everything at once, and how long it takes from its start until it is ready.
func footprint(ctx context.Context, l *lab) ([]row, error) {
	idle := row{name: "memory-idle", unit: "MB", target: 60}
	loaded := row{name: "memory-load", unit: "MB", target: 300}
	w, badge, err := l.issued(ctx, "footprint", "GOMEMLIMIT="+strconv.Itoa(memoryLimit)+"MiB")
	if err != nil {
		return nil, err
	}
	peak := func(p *process) float64 { return float64(peakOf(p.cmd.Process.Pid)) / 1e6 }
	if loaded.measured, loaded.detail, err = w.everything(ctx, badge, l.span, peak); err != nil {
		return nil, err
	}
	w.stop()

	starts := []row{{name: "start-sqlite", unit: "s", target: 1}, {name: "start-postgres", unit: "s", target: 2}}
	sqlite, postgres, err := l.engines(ctx, "start")
	if err != nil {
		starts[1].missing = err.Error()
	}
	for i, database := range []string{sqlite, postgres} {
		if starts[i].missing != "" {
			continue
		}
		first, err := l.serve(ctx, database) // it migrates
		if err != nil {
			return nil, err
		}
		first.stop()
		var all []string
		for range 3 {
			begin := time.Now()
			p, err := l.serve(ctx, database, "MIGRATE_ON_START=never")
			if err != nil {
				return nil, err
			}
			took := time.Since(begin)
			if best := starts[i].measured; best == 0 || took.Seconds() < best {
				starts[i].measured = took.Seconds()
			}
			all = append(all, took.Round(time.Millisecond).String())
			if len(all) == 1 {
				select { // until what the start left behind is collected
				case <-time.After(l.span):
				case <-ctx.Done():
					return nil, ctx.Err()
				}
				resident := float64(p.usage().memory) / 1e6
				idle.measured = max(idle.measured, resident)
				idle.detail += fmt.Sprintf("on %s %.0f MB are resident %s after the start, and %.0f MB were at most; ", starts[i].name[len("start-"):], resident, round(l.span), peak(p))
			}
			p.stop()
		}
		starts[i].detail = "from the start of the process until it says that it is ready: " + strings.Join(all, ", ")
	}
	idle.detail = strings.TrimSuffix(idle.detail, "; ")
	if idle.measured == 0 {
		idle.missing = "the memory of a process cannot be read here"
	}
	if loaded.measured == 0 {
		loaded.missing = idle.missing
	}
	return append([]row{idle, loaded}, starts...), nil
}

// everything issues, verifies, bakes large pictures and reads at once, and answers the most memory that took.
func (w *workshop) everything(ctx context.Context, badge []byte, span time.Duration, peak func(*process) float64) (float64, string, error) {
	picture, err := os.ReadFile(filepath.Join("docs", "badge.png"))
	if err != nil {
		return 0, "", err
	}
	loads, err := w.atOnce(ctx, span, []part{
		{8, fasthttp.StatusCreated, func(client, n int, r *fasthttp.Request) { post(r, "/api/v1/credentials", w.order(client, n)) }},
		{8, fasthttp.StatusOK, func(_, _ int, r *fasthttp.Request) { post(r, "/api/v1/verify", string(badge)) }},
		{8, fasthttp.StatusOK, func(_, _ int, r *fasthttp.Request) {
			post(r, "/api/v1/extract", string(picture))
			r.Header.SetContentType("image/png")
		}},
		{8, fasthttp.StatusOK, func(_, _ int, r *fasthttp.Request) {
			r.URI().SetPath("/api/v1/credentials")
			r.Header.Set("Authorization", "Bearer "+admin)
		}},
	})
	if err != nil {
		return 0, "", err
	}
	detail := fmt.Sprintf("the most that was resident, with GOMEMLIMIT=%dMiB, while 32 clients", memoryLimit)
	for i, what := range []string{"issue", "verify", fmt.Sprintf("extract from a picture of %d kB", len(picture)/1000), "list"} {
		detail += fmt.Sprintf("; %s %.0f a second", what, loads[i].rate)
	}
	return peak(w.process), detail, nil
}

// peakOf is the most that was resident of a process, or 0 where nobody says.
func peakOf(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ := strings.Cut(rest, "kB")
	kilobytes, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err != nil {
		return 0
	}
	return kilobytes << 10
}
