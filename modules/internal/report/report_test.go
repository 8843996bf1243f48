package report_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/badge-engine/badge-engine/modules/internal/report"
)

func TestWhatCouldNotBeCheckedIsNotGood(t *testing.T) {
	for name, row := range map[string]struct {
		record func(j *report.Judgement)
		good   bool
	}{
		"nothing was found":            {func(j *report.Judgement) { j.Add("a", report.Passed, "fine", "") }, true},
		"something was skipped":        {func(j *report.Judgement) { j.Add("a", report.Skipped, "not there", "") }, true},
		"there is a warning":           {func(j *report.Judgement) { j.Add("a", report.Warning, "odd", "") }, true},
		"a check failed":               {func(j *report.Judgement) { j.Fail("a", report.Problem{Detail: "Broken."}) }, false},
		"a check could not be made":    {func(j *report.Judgement) { j.Doubt("a", report.Problem{Detail: "Away."}) }, false},
		"a failure without its reason": {func(j *report.Judgement) { j.Fail("a") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			j := &report.Judgement{Rules: map[string]string{"a": "the rule"}}
			row.record(j)
			if j.Good() != row.good || j.Holds("a") != row.good || !j.Holds("b") || j.Checks[0].Rule != "the rule" || j.Checks[0].Detail == "" {
				t.Errorf("%+v", j)
			}
		})
	}
}

func TestEvidenceIsBounded(t *testing.T) {
	j := &report.Judgement{}
	j.Evidence("nothing was checked yet")
	j.Add("a", report.Passed, "fine", "")
	for range 100 {
		j.Evidence("", "twice", "twice", strings.Repeat("ü", 1000))
		j.Evidence(strings.Repeat("x", len(j.Checks[0].Evidence)+1))
	}
	if got := j.Checks[0].Evidence; len(got) != 8 || got[0] != "twice" || len(got[1]) > 410 || !utf8.ValidString(got[1]) {
		t.Errorf("%q", got)
	}
}

func TestProblemsAreCounted(t *testing.T) {
	j := &report.Judgement{}
	j.Fail("a", report.Problem{Detail: "One."}, report.Problem{Detail: "Two."})
	j.Fail("b", report.Problem{Detail: "One.", Remedy: "Mend it."}, report.Problem{Detail: "Two."}, report.Problem{Detail: "Three."})
	if j.Checks[0].Detail != "One. There is one more problem." || j.Checks[1].Detail != "One. There are 2 more problems." || j.Checks[1].Remedy != "Mend it." || len(j.Problems) != 5 {
		t.Errorf("%+v", j)
	}
}

func TestSentence(t *testing.T) {
	for in, want := range map[string]string{"": "", "it broke": "It broke.", "Über": "Über.", "Why?": "Why?", "did:key is new": "Did:key is new."} {
		if got := report.Sentence(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}
