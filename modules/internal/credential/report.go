package credential

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/credential/jose"
	"github.com/badge-engine/badge-engine/modules/internal/credential/status"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
)

// Outcome is how a check ended.
type Outcome string

// The outcomes. Only a failed check keeps a badge from being verified.
const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"
	Warning Outcome = "warning" // nothing is wrong with the badge itself, but someone should know
	Skipped Outcome = "skipped" // there was nothing to check, or no point in it
)

// The checks, in the order in which they stand in a report.
const (
	CheckParse        = "parse"        // it can be read
	CheckContext      = "context"      // every term and type is defined
	CheckRules        = "rules"        // it keeps to the data model
	CheckProof        = "proof"        // the signatures are good
	CheckIssuer       = "issuer"       // the key is the issuer's
	CheckDates        = "dates"        // it is valid now
	CheckStatus       = "status"       // it is not revoked
	CheckSchema       = "schema"       // it keeps to the schemas that it names
	CheckRefresh      = "refresh"      // whether there is a newer version
	CheckRecipient    = "recipient"    // it was awarded to whom the caller expects
	CheckEndorsements = "endorsements" // the endorsements in it are verified
)

// Check is one thing that was looked at.
type Check struct {
	Name    string  `json:"name" doc:"What was looked at."`
	Outcome Outcome `json:"outcome" enum:"passed,failed,warning,skipped" doc:"How it ended."`
	Detail  string  `json:"detail" doc:"What was found."`
	Remedy  string  `json:"remedy,omitempty" doc:"What to do about it."`
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

// Report says of a credential what was checked and what was found. Whatever it
// quotes comes from the credential and is not trustworthy unless Verified is true.
type Report struct {
	Verified    bool            `json:"verified" doc:"Whether no check failed."`
	Checks      []Check         `json:"checks" doc:"What was looked at, in order."`
	Problems    []Problem       `json:"problemDetails" doc:"What is wrong; empty for a good badge."`
	Format      string          `json:"format" enum:"json,jws" doc:"json: proofs are in the document; jws: the document is in a token."`
	ID          string          `json:"id,omitempty" doc:"Identifier of the credential."`
	Name        string          `json:"name,omitempty" doc:"Name of the credential."`
	Issuer      Party           `json:"issuer" doc:"Who says so."`
	Recipient   Party           `json:"recipient" doc:"Who earned it, as far as it is said openly."`
	Achievement Summary         `json:"achievement" doc:"What was earned."`
	ValidFrom   string          `json:"validFrom,omitempty" doc:"From when on it is valid."`
	ValidUntil  string          `json:"validUntil,omitempty" doc:"Until when it is valid."`
	Credential  json.RawMessage `json:"credential,omitempty" doc:"The credential itself."`
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

const (
	vcdm         = "https://www.w3.org/TR/vc-data-model#"
	dataLossType = "https://w3id.org/security#DATA_LOSS_DETECTION_ERROR"
)

var titles = [...]struct{ prefix, title string }{
	{vcdm + "PARSING_ERROR", "It cannot be read"},
	{vcdm + "CRYPTOGRAPHIC_SECURITY_ERROR", "Its signature proves nothing"},
	{vcdm + "MALFORMED_VALUE_ERROR", "A value breaks a rule"},
	{vcdm + "RANGE_ERROR", "A value is out of range"},
	{dataLossType, "A part of it is not protected by any signature"},
	{"https://w3id.org/security#", "A proof does not verify"},
	{"https://www.w3.org/ns/credentials/status-list#", "The status cannot be told"},
}

func titleOf(typ string) string {
	for _, t := range titles {
		if strings.HasPrefix(typ, t.prefix) {
			return t.title
		}
	}
	return "It is not in order"
}

func problem(typ, detail, remedy string) Problem {
	return Problem{Type: typ, Title: titleOf(typ), Detail: sentence(detail), Remedy: remedy}
}

func violated(typ string, v openbadges.Violation) Problem {
	p := problem(typ, v.Detail+" ("+v.Rule+")", sentence(v.Remedy))
	p.Pointer = v.Pointer
	return p
}

// problemOf says an error of this kernel in the words of a report.
func problemOf(err error) Problem {
	if v, ok := violationOf(err); ok {
		return violated(dataLossType, v)
	}
	var proof *integrity.Error
	var token *jose.Error
	var key *did.Error
	var list *status.Error
	switch {
	case errors.As(err, &proof):
		return problem(proof.Type(), proof.Problem, proof.Remedy)
	case errors.As(err, &token):
		return problem(vcdm+"CRYPTOGRAPHIC_SECURITY_ERROR", token.Problem, token.Remedy)
	case errors.As(err, &key):
		typ := vcdm + "CRYPTOGRAPHIC_SECURITY_ERROR"
		if strings.HasPrefix(string(key.Code), "INVALID_") {
			typ = "https://w3id.org/security#" + string(key.Code)
		}
		return problem(typ, key.Problem, key.Remedy)
	case errors.As(err, &list):
		return problem(list.Type(), list.Problem, list.Remedy)
	}
	return problem(vcdm+"CRYPTOGRAPHIC_SECURITY_ERROR", "it could not be checked", "Try again later.")
}

// sentence makes one of what errors say.
func sentence(s string) string {
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

func object(m map[string]any, name string) map[string]any {
	o, _ := m[name].(map[string]any)
	return o
}

func text(m map[string]any, name string) string {
	s, _ := m[name].(string)
	return s
}

// party reads a profile, which may stand as its id alone.
func party(v any) Party {
	switch v := v.(type) {
	case string:
		return Party{ID: v}
	case map[string]any:
		return Party{ID: text(v, "id"), Name: text(v, "name")}
	}
	return Party{}
}

// first gives the first of some members that is a string.
func first(m map[string]any, names ...string) string {
	for _, name := range names {
		if s := text(m, name); s != "" {
			return s
		}
	}
	return ""
}

// describe fills in what the credential says of itself.
func (r *Report) describe(p *Parsed) {
	doc := p.Document
	r.Format = "json"
	if p.Token != nil {
		r.Format = "jws"
	}
	r.Credential = p.JSON
	r.ID, r.Name = text(doc, "id"), text(doc, "name")
	r.Issuer = party(doc["issuer"])
	subject := object(doc, "credentialSubject")
	r.Recipient = party(subject)
	achievement := object(subject, "achievement")
	criteria := object(achievement, "criteria")
	r.Achievement = Summary{
		ID: text(achievement, "id"), Name: text(achievement, "name"), Description: text(achievement, "description"),
		Criteria: first(criteria, "narrative", "id"), Image: text(object(achievement, "image"), "id"),
	}
	if r.Name == "" {
		r.Name = r.Achievement.Name
	}
	r.ValidFrom, r.ValidUntil = first(doc, "validFrom", "issuanceDate"), first(doc, "validUntil", "expirationDate")
}

func date(t time.Time) string { return t.UTC().Format("2 January 2006 15:04:05 UTC") }
