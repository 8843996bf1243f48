package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// event is a line of go test -json (go doc test2json).
type event struct {
	Action     string
	Package    string
	ImportPath string // of build events
	Test       string
	Elapsed    float64
	Output     string
}

// report turns events into what go test prints: a line a package, and the
// output of what failed.
type report struct {
	out                     io.Writer
	passed, failed, skipped int
	outputs                 map[string]map[string]*strings.Builder // by package and test
	broken                  map[string]bool                        // packages of which a test failed
}

func newReport(out io.Writer) *report {
	return &report{out: out, outputs: map[string]map[string]*strings.Builder{}, broken: map[string]bool{}}
}

func (r *report) add(e event) {
	switch e.Action {
	case "build-output":
		_, _ = io.WriteString(r.out, e.Output)
	case "output":
		if e.Test != "" || !strings.HasPrefix(e.Output, "FAIL") && !strings.HasPrefix(e.Output, "PASS") { // finish says it
			r.keep(e)
		}
	case "pass", "skip":
		if e.Test == "" {
			r.finish(e, "ok  ")
			return
		}
		if e.Action == "pass" {
			r.passed++
		} else {
			r.skipped++
		}
		delete(r.outputs[e.Package], e.Test)
	case "fail":
		if e.Test == "" {
			if !r.broken[e.Package] { // it did not build, or panicked outside a test
				r.failed++
			}
			r.show(e.Package)
			r.finish(e, "FAIL")
			return
		}
		r.failed++
		r.broken[e.Package] = true
		r.show(e.Package, e.Test)
	}
}

func (r *report) keep(e event) {
	if r.outputs[e.Package] == nil {
		r.outputs[e.Package] = map[string]*strings.Builder{}
	}
	if r.outputs[e.Package][e.Test] == nil {
		r.outputs[e.Package][e.Test] = &strings.Builder{}
	}
	r.outputs[e.Package][e.Test].WriteString(e.Output)
}

// show prints the output of some tests of a package, or of all that are left.
func (r *report) show(pkg string, tests ...string) {
	left := r.outputs[pkg]
	if tests == nil {
		for test := range left {
			tests = append(tests, test)
		}
		slices.Sort(tests)
	}
	for _, test := range tests {
		if left[test] != nil {
			_, _ = io.WriteString(r.out, left[test].String())
			delete(left, test)
		}
	}
}

func (r *report) finish(e event, result string) {
	note := ""
	if e.Action == "skip" {
		note = " [no test files]"
	} else if own := r.outputs[e.Package][""]; own != nil && strings.Contains(own.String(), "(cached)") {
		note = " (cached)"
	}
	_, _ = fmt.Fprintf(r.out, "%s\t%s\t%.1fs%s\n", result, e.Package, e.Elapsed, note)
	delete(r.outputs, e.Package)
}

// read adds every event of a stream; what is no event passes through.
func (r *report) read(stream io.Reader) error {
	lines := bufio.NewReader(stream)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) == nil {
				r.add(e)
			} else {
				_, _ = io.WriteString(r.out, line)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// test runs go test with args and counts its tests.
func (h *house) test(ctx context.Context, args []string) error {
	cmd := h.command(ctx, "go", args...)
	stream, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	r := newReport(os.Stdout)
	reading := r.read(stream)
	err = errors.Join(reading, cmd.Wait())
	h.passed += r.passed
	h.failed += r.failed
	if r.skipped > 0 {
		fmt.Printf("%d skipped\n", r.skipped)
	}
	return err
}
