package diagnosis

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// The words of a finding and of a report, from good to bad.
const (
	OK      = "ok"
	Skipped = "skipped" // it could not be looked at, or there is nothing to look at
	Warning = "warning"
	Failure = "failure"
)

// Finding is what came of one check.
type Finding struct {
	Check  string `json:"check" doc:"Stable name, such as database.connection."`
	Status string `json:"status" enum:"ok,skipped,warning,failure"`
	Looked string `json:"looked" doc:"What was looked at."`
	Found  string `json:"found" doc:"What was found."`
	Remedy string `json:"remedy,omitempty" doc:"What to do about it; empty where all is well."`
	Help   string `json:"help" doc:"The section of the documentation."`
}

// Report is everything that was found.
type Report struct {
	Status   string    `json:"status" enum:"ok,warning,failure" doc:"The worst of the findings."`
	Findings []Finding `json:"findings"`
}

// Examination looks at one part and notes what it finds. It must honour ctx.
type Examination func(ctx context.Context, n *Notes)

// Notes gather findings in the order in which they are made. They are for one
// examination at a time.
type Notes struct{ findings []Finding }

// OK notes that a check found all well.
func (n *Notes) OK(check, looked, found string, args ...any) {
	n.add(Finding{Check: check, Status: OK, Looked: looked, Found: fmt.Sprintf(found, args...)})
}

// Skip notes that a check was not made, and why.
func (n *Notes) Skip(check, looked, why string, args ...any) {
	n.add(Finding{Check: check, Status: Skipped, Looked: looked, Found: fmt.Sprintf(why, args...)})
}

// Warn notes something that works, but not for ever or not as it should.
func (n *Notes) Warn(check, looked, found, remedy string) {
	n.add(Finding{Check: check, Status: Warning, Looked: looked, Found: found, Remedy: remedy})
}

// Fail notes something that does not work, and the exact remedy.
func (n *Notes) Fail(check, looked, found, remedy string) {
	n.add(Finding{Check: check, Status: Failure, Looked: looked, Found: found, Remedy: remedy})
}

func (n *Notes) add(f Finding) {
	f.Help = "docs/TROUBLESHOOTING.md#" + section(f.Check)
	n.findings = append(n.findings, f)
}

// sections of the guide by the part that a check begins with.
var sections = map[string]string{
	"database": "database", "migrations": "database",
	"entra": "authentication", "token": "authentication", "keys": "authentication",
	"scim": "scim-provisioning", "baking": "badge-baking",
	"public": "docker", "tls": "docker", "config": "docker", "log": "docker", "cache": "docker",
	"machine": "performance", "tracing": "performance",
}

func section(check string) string {
	part, _, _ := strings.Cut(check, ".")
	return sections[part]
}

// Examine runs the examinations side by side, each with its own time limit, and
// reports in their order. One that does not end in time is not waited for.
func Examine(ctx context.Context, limit time.Duration, examinations ...Examination) Report {
	all := make([][]Finding, len(examinations))
	var group sync.WaitGroup
	for i, examine := range examinations {
		group.Go(func() { all[i] = one(ctx, limit, examine) })
	}
	group.Wait()
	r := Report{Status: OK, Findings: []Finding{}}
	for _, findings := range all {
		for _, f := range findings {
			r.Findings = append(r.Findings, f)
			switch {
			case f.Status == Failure:
				r.Status = Failure
			case f.Status == Warning && r.Status == OK:
				r.Status = Warning
			}
		}
	}
	return r
}

func one(ctx context.Context, limit time.Duration, examine Examination) []Finding {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan []Finding, 1)
	go func() {
		n := &Notes{}
		defer func() {
			if r := recover(); r != nil {
				n.Fail("machine.examination", "an examination", fmt.Sprintf("It broke: %v", r), "Report this as a bug, with the output of badge-engine doctor bundle.")
			}
			done <- n.findings
		}()
		examine(ctx, n)
	}()
	select {
	case findings := <-done:
		return findings
	case <-ctx.Done():
	}
	select { // a moment for those that honour ctx
	case findings := <-done:
		return findings
	case <-time.After(time.Second):
		n := &Notes{}
		n.Fail("machine.examination", "an examination", "It did not end within "+limit.String()+".", "Something it asks hangs: look at the database, the cache and the network.")
		return n.findings
	}
}
