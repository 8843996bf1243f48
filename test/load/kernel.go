package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// bench is what the benchmarks said, by name: of the medians or means of several rounds the least, as the
// processors have other work, too.
type bench map[string]result

type result struct {
	time   float64 // nanoseconds
	allocs float64
}

// benchmarks runs the benchmarks of a package that match a pattern, all of them once a round.
func (l *lab) benchmarks(ctx context.Context, pkg, pattern string, rounds int) (bench, error) {
	program := filepath.Join(l.folder, strings.NewReplacer("/", "-", ".", "").Replace(pkg)+".test")
	if said, err := exec.CommandContext(ctx, "go", "test", "-c", "-o", program, pkg).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go test -c %s: %w\n%s", pkg, err, said)
	}
	b := bench{}
	for range rounds {
		cmd := exec.CommandContext(ctx, program, "-test.run", "^$", "-test.bench", pattern, "-test.benchmem", "-test.benchtime", "25ms")
		cmd.Dir = pkg
		said, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("benchmarks of %s: %w\n%s", pkg, err, said)
		}
		b.read(said)
	}
	return b, nil
}

// read takes in what one round said.
func (b bench) read(said []byte) {
	for lines := bufio.NewScanner(bytes.NewReader(said)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := strings.TrimPrefix(fields[0], "Benchmark")
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			name = name[:i]
		}
		r, known := b[name]
		if !known {
			r = result{math.Inf(1), math.Inf(1)}
		}
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				continue
			}
			switch fields[i+1] {
			case "ns/op":
				if !strings.Contains(lines.Text(), "median-ns/op") {
					r.time = min(r.time, value)
				}
			case "median-ns/op":
				r.time = min(r.time, value)
			case "allocs/op":
				r.allocs = min(r.allocs, value)
			}
		}
		b[name] = r
	}
}

// over is what one benchmark takes in units of another.
func (b bench) over(r row, one, other string) row {
	a, knownA := b[one]
	c, knownC := b[other]
	if !knownA || !knownC {
		r.missing = fmt.Sprintf("there is no benchmark %s or %s", one, other)
		return r
	}
	r.measured = a.time / c.time
	r.detail = fmt.Sprintf("%s %.1f µs with %.0f allocations, %s %.1f µs", one, a.time/1000, a.allocs, other, c.time/1000)
	return r
}

// allocations is how many allocations one benchmark makes.
func (b bench) allocations(r row, one string) row {
	a, known := b[one]
	if !known {
		r.missing = "there is no benchmark " + one
		return r
	}
	r.measured, r.detail = a.allocs, "from the data of a request to the signed bytes, without a template"
	return r
}

// kernel reads the rows that need no server from the benchmarks of the kernel.
func kernel(ctx context.Context, l *lab) ([]row, error) {
	limits, err := l.benchmarks(ctx, "./modules/internal/credential", "^BenchmarkLimits$", 15)
	if err != nil {
		return nil, err
	}
	pictures, err := l.benchmarks(ctx, "./modules/internal/image", "^BenchmarkLimits$", 15)
	if err != nil {
		return nil, err
	}
	const at = "Limits/"
	slower := limits.others(ctx, row{name: "sign-against-digitalbazaar", unit: "×", target: 150, least: true}, at+"issue-prepared")
	return []row{
		limits.over(row{name: "sign-prepared", unit: "×", target: 2}, at+"issue-prepared", at+"ed25519-sign"),
		limits.over(row{name: "sign", unit: "×", target: 3.5}, at+"issue", at+"ed25519-sign"),
		limits.over(row{name: "sign-against-json-gold", unit: "×", target: 70, least: true}, at+"issue-json-gold", at+"issue-prepared"),
		slower,
		limits.over(row{name: "verify", unit: "×", target: 1.8}, at+"verify", at+"ed25519-verify"),
		limits.over(row{name: "jwt", unit: "×", target: 1.7}, at+"issue-jwt", at+"ed25519-sign-token"),
		limits.allocations(row{name: "allocations", target: 150}, at+"issue"),
		pictures.over(row{name: "bake-1MB", unit: "×", target: 1.5}, at+"bake", at+"copy"),
		limits.over(row{name: "sign-eddsa-jcs", unit: "×", free: true}, at+"issue-eddsa-jcs", at+"ed25519-sign"),
		limits.over(row{name: "verify-eddsa-jcs", unit: "×", free: true}, at+"verify-eddsa-jcs", at+"ed25519-verify"),
		limits.over(row{name: "sign-ecdsa-jcs", unit: "×", free: true}, at+"issue-ecdsa-jcs", at+"p256-sign"),
		limits.over(row{name: "verify-ecdsa-jcs", unit: "×", free: true}, at+"verify-ecdsa-jcs", at+"p256-verify"),
	}, nil
}

// others is how much longer the npm packages that most verifiers in the world are made of take to sign the same badge, on
// one processor as ours does. They are set up as the conformance tests do it.
func (b bench) others(ctx context.Context, r row, ours string) row {
	mine, known := b[ours]
	if !known {
		r.missing = "there is no benchmark " + ours
		return r
	}
	folder := filepath.Join("test", "conformance", "digitalbazaar")
	for _, tool := range []string{"node", "taskset"} {
		if _, err := exec.LookPath(tool); err != nil {
			r.missing = "not measured: " + tool + " is not installed"
			return r
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "node_modules", "jose")); err != nil {
		if said, err := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--prefix", folder).CombinedOutput(); err != nil {
			r.missing = fmt.Sprintf("not measured: the packages cannot be set up: npm ci --prefix %s: %v %s", folder, err, bytes.TrimSpace(said))
			return r
		}
	}
	least := math.Inf(1)
	for range 3 {
		cmd := exec.CommandContext(ctx, "taskset", "-c", "0", "node", "speed.mjs", filepath.Join("..", "..", "load", "testdata", "credential.json"), "4")
		cmd.Dir = folder
		said, err := cmd.CombinedOutput()
		if err != nil {
			r.missing = fmt.Sprintf("not measured: node speed.mjs: %v %s", err, bytes.TrimSpace(said))
			return r
		}
		micros, err := strconv.ParseFloat(strings.TrimSpace(string(said)), 64)
		if err != nil || micros <= 0 {
			r.missing = fmt.Sprintf("not measured: node speed.mjs says %q", said)
			return r
		}
		least = min(least, micros)
	}
	r.measured = least * 1000 / mine.time
	r.detail = fmt.Sprintf("@digitalbazaar/vc %.0f µs on one processor, %s %.1f µs", least, ours, mine.time/1000)
	return r
}
