package report

import (
	"encoding/json"
	"time"
)

// Outcome is how a check ended.
type Outcome string

// The outcomes. A badge is verified when no check failed and none is unknown.
const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"
	Unknown Outcome = "unknown" // it could not be checked, so nobody knows; another time it may be
	Warning Outcome = "warning" // nothing is wrong with the badge itself, but someone should know
	Skipped Outcome = "skipped" // there was nothing to check, or no point in it
)

// Check is one thing that was looked at.
type Check struct {
	Name     string   `json:"name" doc:"What was looked at."`
	Outcome  Outcome  `json:"outcome" enum:"passed,failed,unknown,warning,skipped" doc:"How it ended. Only failed and unknown keep a badge from being verified."`
	Detail   string   `json:"detail" doc:"What was found."`
	Evidence []string `json:"evidence,omitempty" doc:"What the finding rests on: keys, addresses, dates. It may quote the badge."`
	Rule     string   `json:"rule" doc:"The rule by which it was looked at: document and section."`
	Remedy   string   `json:"remedy,omitempty" doc:"What to do about it."`
}

// Problem is one thing that is wrong, in the form of RFC 9457.
type Problem struct {
	Type    string `json:"type" doc:"URL that names the kind of problem."`
	Title   string `json:"title" doc:"The kind of problem in words."`
	Detail  string `json:"detail" doc:"What is wrong."`
	Pointer string `json:"pointer,omitempty" doc:"Where it is wrong: JSON Pointer into the credential."`
	Remedy  string `json:"remedy,omitempty" doc:"What would be right."`
}

// Party is somebody by identifier and name.
type Party struct {
	ID   string `json:"id,omitempty" doc:"Identifier."`
	Name string `json:"name,omitempty" doc:"Name."`
}

// Summary is what was achieved, in short.
type Summary struct {
	ID          string `json:"id,omitempty" doc:"Identifier of the achievement."`
	Name        string `json:"name,omitempty" doc:"Name of the achievement."`
	Description string `json:"description,omitempty" doc:"Short description of the achievement."`
	Criteria    string `json:"criteria,omitempty" doc:"How it is earned: the narrative, or where to read it."`
	Image       string `json:"image,omitempty" doc:"Picture of the achievement."`
}

// The editions of Open Badges that are judged.
const (
	OpenBadges2 = "2.0"
	OpenBadges3 = "3.0"
)

// Report says of a badge what was checked and what was found. Whatever it quotes comes
// from the badge and is not trustworthy unless Verified is true.
type Report struct {
	Verified    bool                       `json:"verified" doc:"Whether every check was made that had to be, and none failed."`
	Checks      []Check                    `json:"checks" doc:"What was looked at, in order."`
	Problems    []Problem                  `json:"problemDetails" doc:"What is wrong, or could not be found out; empty for a good badge."`
	Edition     string                     `json:"edition" enum:"2.0,3.0" doc:"The edition of Open Badges by whose rules it was judged."`
	Format      string                     `json:"format" enum:"json,jws" doc:"json: proofs are in the document, or it is hosted; jws: the document is in a token."`
	ID          string                     `json:"id,omitempty" doc:"Identifier of the credential."`
	Name        string                     `json:"name,omitempty" doc:"Name of the credential."`
	Issuer      Party                      `json:"issuer" doc:"Who says so."`
	Recipient   Party                      `json:"recipient" doc:"Who earned it, as far as it is said openly."`
	Achievement Summary                    `json:"achievement" doc:"What was earned."`
	ValidFrom   string                     `json:"validFrom,omitempty" doc:"From when on it is valid."`
	ValidUntil  string                     `json:"validUntil,omitempty" doc:"Until when it is valid."`
	Credential  json.RawMessage            `json:"credential,omitempty" doc:"The credential itself, as it was given."`
	Documents   map[string]json.RawMessage `json:"documents,omitempty" doc:"What a badge of Open Badges 2.0 rests on, as it was found: assertion, badge, issuer."`
	Exhausted   bool                       `json:"-"` // it was given up, since to judge it took more work than any badge needs
	Refreshed   json.RawMessage            `json:"refreshed,omitempty" doc:"The newer version that the refresh service answered, by which it was judged."`
}

// Check finds a check by its name.
func (r Report) Check(name string) (Check, bool) {
	for _, c := range r.Checks {
		if c.Name == name {
			return c, true
		}
	}
	return Check{}, false
}

// Sentence makes one of what errors say.
func Sentence(s string) string {
	if s == "" {
		return ""
	}
	if c := s[0]; 'a' <= c && c <= 'z' {
		s = string(c-'a'+'A') + s[1:]
	}
	if last := s[len(s)-1]; last != '.' && last != '?' && last != '!' {
		s += "."
	}
	return s
}

// Date writes a moment for people.
func Date(t time.Time) string { return t.UTC().Format("2 January 2006 15:04:05 UTC") }
