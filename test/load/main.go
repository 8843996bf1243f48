package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// scenario measures one thing from all sides.
type scenario struct {
	name  string
	about string
	run   func(ctx context.Context, l *lab) ([]row, error)
}

// scenarios are run in this order.
var scenarios = []scenario{
	{"kernel", "signing, verifying and baking without a server, beside the bare signature", kernel},
	{"issue", "single issues over HTTP, beside the same handler without a credential, and beside a bare one", issue},
	{"batch", "a batch, beside a bare COPY of the same rows", batch},
	{"read", "public documents, beside a bare handler that sends the same bytes", read},
	{"directory", "users created over SCIM, beside a bare handler with the same inserts", directory},
	{"provision", "ten jobs of Entra beside issuing, and one member of half a million beside one of five", provision},
	{"health", "whether /health answers while issuing takes all there is", health},
	{"footprint", "memory at rest and under load, and the time from a start until the server is ready", footprint},
	{"soak", "whether memory grows while issuing goes on", soak},
}

// informal scenarios have no row in the table; the report shows them.
var informal = []scenario{
	{"verifying", "badges sent to the verifier", verifying},
	{"baking", "badges baked into a picture of 100 kB", baking},
	{"size", "what a credential and its event need in PostgreSQL", size},
	{"mixed", "issuing, reading, verifying and listing at once", mixed},
}

// row is one line of the table.
type row struct {
	name     string
	measured float64
	unit     string // after the figure: "×", "%", " ms"
	target   float64
	least    bool   // the target is the least, not the most, that will do
	free     bool   // there is no target
	detail   string // the absolute figures
	missing  string // why nothing was measured
}

func (r row) ok() bool {
	switch {
	case r.free:
		return true
	case r.missing != "":
		return false
	case r.least:
		return r.measured >= r.target
	}
	return r.measured <= r.target
}

func (r row) String() string {
	bound, verdict := "≤", "ok"
	if r.least {
		bound = "≥"
	}
	if !r.ok() {
		verdict = "short"
	}
	measured := figure(r.measured) + r.unit
	if r.free {
		return r.name + " " + measured
	}
	if r.missing != "" {
		measured = "unmeasured"
	}
	return fmt.Sprintf("%s %s %s%s%s %s", r.name, measured, bound, figure(r.target), r.unit, verdict)
}

// figure writes a number with about three digits.
func figure(f float64) string {
	text := fmt.Sprintf("%.2f", f)
	if f >= 100 {
		text = fmt.Sprintf("%.0f", f)
	}
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := command(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		code = 2
	}
	os.Exit(code)
}

const manual = "go run ./test/load quick | report [MINUTES OF SOAK [CREDENTIALS]] | list | run NAME…"

func command(ctx context.Context, args []string) (int, error) {
	if len(args) == 0 {
		return 2, fmt.Errorf("say what to measure: %s", manual)
	}
	switch args[0] {
	case "list":
		for _, s := range slices.Concat(scenarios, informal) {
			fmt.Printf("%-10s %s\n", s.name, s.about)
		}
		return 0, nil
	case "quick":
		return measure(ctx, 3*time.Second, scenarios)
	case "run":
		chosen, err := choose(args[1:])
		if err != nil {
			return 2, err
		}
		return measure(ctx, 3*time.Second, chosen)
	case "report":
		soak, credentials := 10*time.Minute, 100_000
		if len(args) > 1 {
			var err error
			if soak, err = soakOf(args[1]); err != nil {
				return 2, fmt.Errorf("report MINUTES CREDENTIALS: %w", err)
			}
		}
		if len(args) > 2 {
			if _, err := fmt.Sscan(args[2], &credentials); err != nil {
				return 2, fmt.Errorf("report MINUTES CREDENTIALS: %w", err)
			}
		}
		return report(ctx, 5*time.Second, soak, credentials)
	case "ceiling": // this program again, as the server that ours is compared with
		return 0, ceiling(ctx, args[1:])
	case "same": // the same, with our own program around the handler
		return 0, same(ctx, args[1:])
	}
	return 2, fmt.Errorf("%q is not known here: %s", args[0], manual)
}

func choose(names []string) ([]scenario, error) {
	var chosen []scenario
	for _, name := range names {
		found := false
		for _, s := range slices.Concat(scenarios, informal) {
			if s.name == name {
				chosen, found = append(chosen, s), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no scenario %q; list names them", name)
		}
	}
	return chosen, nil
}

// measure runs scenarios and answers 1 where a row is short. Each measurement lasts for span.
func measure(ctx context.Context, span time.Duration, chosen []scenario) (int, error) {
	l, err := open(ctx, span)
	if err != nil {
		return 2, err
	}
	defer l.close()
	code := 0
	for _, s := range chosen {
		rows, err := s.run(ctx, l)
		if ctx.Err() != nil {
			return 2, ctx.Err()
		}
		if err != nil {
			return 2, fmt.Errorf("%s: %w", s.name, err)
		}
		for _, r := range rows {
			fmt.Println(r)
			if detail := r.detail + r.missing; detail != "" {
				fmt.Fprintf(os.Stderr, "  %s\n", detail)
			}
			if !r.ok() {
				code = 1
			}
		}
	}
	return code, nil
}
