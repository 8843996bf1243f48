package report

import (
	"fmt"
	"slices"
)

// maxEvidence bounds what one check quotes.
const maxEvidence = 8

// Judgement is what was found about one document so far.
type Judgement struct {
	Rules    map[string]string // the rule behind each check, by its name
	Checks   []Check
	Problems []Problem
}

// Add records a check that brought up no problem.
func (j *Judgement) Add(name string, outcome Outcome, detail, remedy string) {
	j.Checks = append(j.Checks, Check{Name: name, Outcome: outcome, Detail: Sentence(detail), Rule: j.Rules[name], Remedy: remedy})
}

// Fail records a check that failed for these reasons.
func (j *Judgement) Fail(name string, problems ...Problem) { j.record(name, Failed, problems) }

// Doubt records a check that could not be made for these reasons: nobody knows how it
// would have ended, so the badge is not verified.
func (j *Judgement) Doubt(name string, problems ...Problem) { j.record(name, Unknown, problems) }

func (j *Judgement) record(name string, outcome Outcome, problems []Problem) {
	if len(problems) == 0 {
		problems = []Problem{{Type: "about:blank", Title: "It is not in order", Detail: "It is not in order."}}
	}
	detail := problems[0].Detail
	switch more := len(problems) - 1; {
	case more == 1:
		detail += " There is one more problem."
	case more > 1:
		detail += fmt.Sprintf(" There are %d more problems.", more)
	}
	j.Checks = append(j.Checks, Check{Name: name, Outcome: outcome, Detail: detail, Rule: j.Rules[name], Remedy: problems[0].Remedy})
	j.Problems = append(j.Problems, problems...)
}

// Qualify adds a reservation to the check recorded last: it passed, but with a warning.
// A check that did not end well stays as it is.
func (j *Judgement) Qualify(detail, remedy string) {
	if len(j.Checks) == 0 {
		return
	}
	c := &j.Checks[len(j.Checks)-1]
	if c.Outcome != Passed && c.Outcome != Warning {
		return
	}
	c.Outcome, c.Detail = Warning, c.Detail+" "+Sentence(detail)
	if c.Remedy == "" {
		c.Remedy = remedy
	}
}

// Evidence adds to the check recorded last what it rests on. Empty texts are left
// out and long ones cut, since they may be a stranger's.
func (j *Judgement) Evidence(texts ...string) {
	if len(j.Checks) == 0 {
		return
	}
	c := &j.Checks[len(j.Checks)-1]
	for _, text := range texts {
		if text != "" && len(c.Evidence) < maxEvidence && !slices.Contains(c.Evidence, short(text)) {
			c.Evidence = append(c.Evidence, short(text))
		}
	}
}

// Good reports whether no check failed, and none could not be made.
func (j *Judgement) Good() bool {
	return !slices.ContainsFunc(j.Checks, func(c Check) bool { return c.Outcome == Failed || c.Outcome == Unknown })
}

// Holds reports whether those of the checks that were made did not end badly.
func (j *Judgement) Holds(names ...string) bool {
	return !slices.ContainsFunc(j.Checks, func(c Check) bool {
		return (c.Outcome == Failed || c.Outcome == Unknown) && slices.Contains(names, c.Name)
	})
}

func short(s string) string {
	const limit = 400
	if len(s) <= limit {
		return s
	}
	cut := limit
	for cut > 0 && s[cut]&0xc0 == 0x80 { // not within a character
		cut--
	}
	return s[:cut] + "…"
}
