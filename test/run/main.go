package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	short := flag.Bool("short", false, "leave out the tests that take long")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), stopSignals...)
	if flag.Arg(0) == "topology" {
		err := runTopology(ctx)
		stop()
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	ok := run(ctx, *short, flag.Args())
	stop()
	if !ok {
		os.Exit(1)
	}
}

// house is one run: what it knows, what it has started, and what came out.
type house struct {
	root, goroot string
	ci           bool
	env          []string // for go test: the addresses of the engines
	stops        []func() // in the order of the starts
	passed       int
	failed       int
}

func run(ctx context.Context, short bool, packages []string) bool {
	h := &house{ci: os.Getenv("CI") != "", env: os.Environ()}
	if err := h.find(ctx); err != nil {
		fmt.Println(err)
		fmt.Println("FAIL")
		return false
	}
	if len(packages) == 0 {
		packages = []string{"./..."}
	}
	defer h.stop()
	h.check("engines", func() error { return h.engines(ctx) })
	h.check("gofmt", func() error { return h.gofmt(ctx) })
	h.check("go vet", func() error { return h.run(ctx, "go", append([]string{"vet"}, packages...)...) })
	h.check("staticcheck", func() error { return h.run(ctx, "go", append([]string{"tool", "staticcheck"}, packages...)...) })
	before := h.failed
	err := h.step("go test", func() error {
		race, err := h.race(ctx)
		if err != nil {
			return err
		}
		args := []string{"test", "-json", "-timeout=15m"}
		if race {
			args = append(args, "-race")
		}
		if short {
			args = append(args, "-short")
		}
		return h.test(ctx, append(args, packages...))
	})
	if err != nil && h.failed == before { // it did not come to a test
		h.failed++
	}
	if ctx.Err() != nil {
		fmt.Println("stopped by a signal")
		h.failed++
	}
	fmt.Printf("%d passed, %d failed\n", h.passed, h.failed)
	if h.failed > 0 {
		fmt.Println("FAIL")
		return false
	}
	fmt.Println("ok")
	return true
}

// find looks for the root of the module, where everything runs.
func (h *house) find(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env: %w", err)
	}
	gomod, goroot, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if filepath.Base(gomod) != "go.mod" {
		return errors.New("run this inside the checkout")
	}
	h.root, h.goroot = filepath.Dir(gomod), strings.TrimSpace(goroot)
	return nil
}

// check runs one step and counts it; the steps after a failed one still run.
func (h *house) check(name string, step func() error) {
	if h.step(name, step) != nil {
		h.failed++
	} else {
		h.passed++
	}
}

func (h *house) step(name string, step func() error) error {
	fmt.Printf("=== %s\n", name)
	begin := time.Now()
	err := step()
	took := time.Since(begin).Seconds()
	if err != nil {
		fmt.Printf("FAIL\t%s\t%.1fs: %v\n", name, took, err)
	} else {
		fmt.Printf("ok  \t%s\t%.1fs\n", name, took)
	}
	return err
}

// command prepares a program that a signal to us ends gently.
func (h *house) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env, cmd.Stderr = h.root, h.env, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	return cmd
}

func (h *house) run(ctx context.Context, name string, args ...string) error {
	cmd := h.command(ctx, name, args...)
	cmd.Stdout = os.Stdout
	return cmd.Run()
}

func (h *house) gofmt(ctx context.Context) error {
	cmd := h.command(ctx, filepath.Join(h.goroot, "bin", "gofmt"), "-l", ".")
	out, err := cmd.Output()
	var wrong []string
	for line := range strings.Lines(string(out)) {
		if !strings.Contains(line, "node_modules") {
			wrong = append(wrong, strings.TrimSpace(line))
		}
	}
	if err == nil && len(wrong) > 0 {
		err = fmt.Errorf("run gofmt -w %s", strings.Join(wrong, " "))
	}
	return err
}

// race reports whether the race detector can be used: it needs a C compiler.
func (h *house) race(ctx context.Context) (bool, error) {
	out, err := h.command(ctx, "go", "env", "CGO_ENABLED", "CC").Output()
	if err != nil {
		return false, err
	}
	enabled, compiler, _ := bytes.Cut(bytes.TrimSpace(out), []byte("\n"))
	cc, _, _ := strings.Cut(strings.TrimSpace(string(compiler)), " ")
	_, err = exec.LookPath(cmp.Or(cc, "cc"))
	if string(bytes.TrimSpace(enabled)) == "1" && err == nil {
		return true, nil
	}
	if h.ci {
		return false, errors.New("the race detector needs cgo and a C compiler such as gcc")
	}
	fmt.Println("notice: there is no C compiler, so the race detector is left out")
	return false, nil
}

// stop ends what was started, the last first.
func (h *house) stop() {
	for i := len(h.stops) - 1; i >= 0; i-- {
		h.stops[i]()
	}
}
