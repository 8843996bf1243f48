package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/template"
	"time"
)

// why tells of rows what stands between them and their target, and what would be next. It is written by whoever looked
// into the profile, and shown for rows that are short.
var why = map[string]string{
	"sign-prepared":              "The signature itself is 58 % of it. Of the rest a third is SHA-256: the canonical form has 6.8 kB, of which a third is not hashed again, and the recipient's blank nodes are hashed for their labels; the rest is writing the recipient's part, the rules, sorting, the proof and memory. Next would be to render the blocks of what badges of one achievement have in common once for each way to label them.",
	"sign-against-json-gold":     "json-gold is measured on its whole path, from the same data to the signed text, with contexts in memory, and without the rules that ours keeps to. It takes about 80 signatures on this machine; the target was set where it took 147. To be 70 times as fast a badge would have to be signed in the time of 1.15 bare signatures.",
	"sign-against-digitalbazaar": "@digitalbazaar/vc is measured on one processor, warm, with its key and contexts in memory, from the text of the unsigned badge to that of the signed one. It takes 145 to 170 bare Ed25519 signatures on this machine, so that a badge would have to be signed in about the time of a bare signature; the target was set where it took more.",
	"verify":                     "The verification of the signature is two thirds of it. Of the rest a half is canonicalizing, of that a half SHA-256; then come strict parsing, the rules and the report.",
	"issue-sqlite":               "What the ceiling does not do: see under issue-postgres. With SQLite the engine works in the same process for both, so that it weighs less.",
	"issue-postgres":             "In a profile the server takes 93 µs for an issue and 46 for the ceiling's. Of the difference the signature is 15, checking and canonicalizing the rest of the document that its template leaves 10, composing it 6, writing the proof 2, holding the achievement 2 and its row for PostgreSQL 2 more, the collector 3, and the rest is goroutines that wait for one another. PostgreSQL takes 9 µs more, most of it for holding the achievement. The faster the common part becomes, the more the signature weighs: it alone is a tenth of all. Next would be to begin the unit, hold the achievement and store in one exchange.",
	"batch-postgres":             "A copy of the rows takes 40 µs of both processors for each, most of it in PostgreSQL for nine indexes and for compressing the document. 60 % of its speed leaves 26 for all else, which is what a prepared credential and its signature take alone. A batch takes 92: 54 in the server, of which the credential is two thirds, the order 5 and the way into the database 2, and 38 in PostgreSQL. Next would be fewer indexes, and lz4 for the document.",
	"public-credential":          "It was between 85 and 94 % beside a bare handler that sends the same header fields, and some ten less beside one that sends none of them. Where more processes than these want the processors, the server waits for one more often than the ceiling, since it has a database and a collector to serve as well.",
	"provision-postgres":         "See the reasons under issue-postgres: round trips that wait for a processor.",
	"bake-1MB":                   "Beyond the copy, memory is asked for and cleared for the answer.",
}

// report measures everything, and writes docs/PERFORMANCE.md with its plots.
func report(ctx context.Context, span, soak time.Duration, credentials int) (int, error) {
	begin := time.Now()
	l, err := open(ctx, span)
	if err != nil {
		return 2, err
	}
	defer l.close()
	l.soak = soak
	r := account{Date: begin.UTC().Format(time.DateOnly), Machine: machine(), Span: span.String(), Soak: soak.String(), Clients: clients, Short: 0}
	for _, s := range slices.Concat(scenarios, informal) {
		rows, err := s.run(ctx, l)
		if err != nil {
			return 2, fmt.Errorf("%s: %w", s.name, err)
		}
		for _, one := range rows {
			fmt.Println(one)
			r.add(s, one)
		}
	}
	if r.Stages, err = stages(ctx, l); err != nil {
		return 2, err
	}
	drawn, sizes, err := grow(ctx, l, credentials)
	if err != nil {
		return 2, err
	}
	r.Sizes = sizes
	folder := filepath.Join("docs", "performance")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return 2, err
	}
	for _, g := range drawn {
		if err := os.WriteFile(filepath.Join(folder, g.file), []byte(plot(g.title, g.x, g.y, g.lines)), 0o644); err != nil {
			return 2, err
		}
		r.Plots = append(r.Plots, g.figures())
	}
	r.Took = time.Since(begin).Round(time.Minute).String()
	var page bytes.Buffer
	if err := performance.Execute(&page, r); err != nil {
		return 2, err
	}
	if err := os.WriteFile(filepath.Join("docs", "PERFORMANCE.md"), page.Bytes(), 0o644); err != nil {
		return 2, err
	}
	return min(r.Short, 1), nil
}

// account is what the page is made of.
type account struct {
	Date, Machine, Span, Soak, Took string
	Clients, Short                  int
	Rows, Free                      []entry
	Stages                          []stage
	Plots                           []figures
	Sizes                           []tableSize
	Reasons                         []reason
}

type entry struct{ Name, Measured, Target, Verdict, Detail string }

type reason struct{ Name, Text string }

type stage struct {
	Name   string
	Micros string
	Bar    string
	Allocs int
}

type figures struct {
	File, Title string
	Lines       []string
}

func (a *account) add(s scenario, r row) {
	bound, verdict := "≤ ", "**ok**"
	if r.least {
		bound = "≥ "
	}
	one := entry{Name: r.name, Measured: figure(r.measured) + r.unit, Target: bound + figure(r.target) + r.unit, Detail: r.detail + r.missing}
	if r.free {
		a.Free = append(a.Free, one)
		return
	}
	if r.missing != "" {
		one.Measured = "unmeasured"
	}
	if !r.ok() {
		verdict = "short"
		a.Short++
		if text := why[r.name]; text != "" {
			a.Reasons = append(a.Reasons, reason{r.name, text})
		}
	}
	one.Verdict = verdict
	a.Rows = append(a.Rows, one)
}

func (g growth) figures() figures {
	f := figures{File: g.file, Title: g.title}
	for _, s := range g.lines {
		var points []string
		for i := range s.x {
			points = append(points, short(s.x[i])+": "+figure(s.y[i]))
		}
		f.Lines = append(f.Lines, fmt.Sprintf("%s (%s by %s): %s", s.name, g.y, g.x, strings.Join(points, ", ")))
	}
	return f
}

// stages takes the making of one credential apart.
func stages(ctx context.Context, l *lab) ([]stage, error) {
	b, err := l.benchmarks(ctx, "./modules/internal/credential", "^BenchmarkStages$", 12)
	if err != nil {
		return nil, err
	}
	var list []stage
	for name, r := range b {
		list = append(list, stage{
			Name:   strings.ReplaceAll(strings.TrimPrefix(name, "Stages/"), "_", " "),
			Micros: figure(r.time / 1000), Bar: strings.Repeat("█", max(1, int(r.time/1000))), Allocs: int(r.allocs),
		})
	}
	slices.SortFunc(list, func(a, b stage) int { return len(b.Bar) - len(a.Bar) })
	return list, nil
}

// machine says on what was measured.
func machine() string {
	text := fmt.Sprintf("%s, %d processors", runtime.GOARCH, runtime.NumCPU())
	if data, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(data)) {
			if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
				text = fmt.Sprintf("%d processors of an %s", runtime.NumCPU(), strings.TrimSpace(value))
				break
			}
		}
	}
	if version, err := exec.Command("sh", "-c", "ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1 | cut -d/ -f5").Output(); err == nil {
		text += ", PostgreSQL " + strings.TrimSpace(string(version))
	}
	return text + ", " + runtime.Version()
}

var performance = template.Must(template.New("").Parse(`# Performance

What issuing, verifying, baking and reading cost, and what they could cost at best. This page is written by
` + "`go run ./test/load report`" + `; ` + "`go run ./test/load quick`" + ` measures the table alone in a few minutes, and ` + "`go test -bench Limits ./modules/internal/...`" + `
its kernel rows.

## Method

Measured on {{.Date}} on {{.Machine}}; the whole report took {{.Took}}. Client, server, database and ceiling share these processors, as well as
whatever else runs on the machine; therefore **only ratios count**. Every figure stands beside its ceiling, which is measured in the same run and in
turns: a bare Ed25519 signature, the same handler and shared insert without a credential, a bare fiber handler sending the same bytes. Kernel figures are medians of
single runs, of several rounds the least; figures over HTTP last {{.Span}} each with {{.Clients}} clients, and of several rounds the median of the ratios counts.
Databases wait for their disk: PostgreSQL with fsync and synchronous_commit, SQLite with synchronous FULL.

## The table

| row | measured | target | | in detail |
|---|---|---|---|---|
{{range .Rows}}| {{.Name}} | {{.Measured}} | {{.Target}} | {{.Verdict}} | {{.Detail}} |
{{end}}
Without a target, for orientation:

| row | measured | in detail |
|---|---|---|
{{range .Free}}| {{.Name}} | {{.Measured}} | {{.Detail}} |
{{end}}{{if .Reasons}}
## What is short, and why

{{range .Reasons}}- **{{.Name}}**: {{.Text}}
{{end}}{{end}}
## Where the time goes

The parts of one credential of 2.5 kB, each for itself, in microseconds. A template spares most of the first three.

| part | µs | allocations | |
|---|---|---|---|
{{range .Stages}}| {{.Name}} | {{.Micros}} | {{.Allocs}} | {{.Bar}} |
{{end}}
## How cost grows

{{range .Plots}}![{{.Title}}](performance/{{.File}})

{{range .Lines}}- {{.}}
{{end}}
{{end}}The table of credentials in PostgreSQL, filled with copies of a real one whose identifiers, hashes, salts and signatures are random:

| credentials | heap | out of line | indexes | bytes a credential | of it indexes | bytes an audit event | bytes of log an issue |
|---|---|---|---|---|---|---|---|
{{range .Sizes}}| {{.Rows}} | {{.Heap}} | {{.Toast}} | {{.Index}} | {{printf "%.0f" .All}} | {{printf "%.0f" .PerIndex}} | {{printf "%.0f" .PerEvent}} | {{printf "%.0f" .Log}} |
{{end}}
What these figures mean for machines and databases stands in [SCALING.md](SCALING.md).

## What limits us next

- **Signing**: the signature, SHA-256 over 6.8 kB of canonical form, and memory.
- **Writing**: the disk, and the audit trail, which is written when a deed is done and again when it is sealed.
- **Reading**: the kernel's network stack; a warm public credential costs little more than the bare handler.
- **Verifying**: the verification of the signature, and parsing what strangers send.
`))
