package credential

import (
	"errors"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/credential/jose"
	"github.com/badge-engine/badge-engine/modules/internal/credential/status"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/report"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// Outcome is how a check ended.
type Outcome = report.Outcome

// Check is one thing that was looked at.
type Check = report.Check

// Problem is one thing that is wrong.
type Problem = report.Problem

// Party is somebody by identifier and name.
type Party = report.Party

// Summary is what was achieved, in short.
type Summary = report.Summary

// Report says of a credential what was checked and what was found.
type Report = report.Report

// The outcomes, as package report defines them.
const (
	Passed  = report.Passed
	Failed  = report.Failed
	Unknown = report.Unknown
	Warning = report.Warning
	Skipped = report.Skipped
)

// The checks, in the order in which they stand in a report.
const (
	CheckParse        = "parse"        // it can be read
	CheckContext      = "context"      // every term and type is defined
	CheckRules        = "rules"        // it keeps to the data model
	CheckProof        = "proof"        // the signatures are good
	CheckIssuer       = "issuer"       // the key is the issuer's
	CheckRefresh      = "refresh"      // whether there is a newer version
	CheckDates        = "dates"        // it is valid now
	CheckStatus       = "status"       // it is not revoked
	CheckSchema       = "schema"       // it keeps to the schemas that it names
	CheckRecipient    = "recipient"    // it was awarded to whom the caller expects
	CheckEndorsements = "endorsements" // the endorsements in it are verified
)

// sources are the rules behind the checks: document and section.
var sources = map[string]string{
	CheckParse:        "RFC 8259 (JSON), RFC 7493 (I-JSON); RFC 7515 (JWS), 7.1",
	CheckContext:      "Verifiable Credentials Data Model 2.0, 4.3 (Contexts); JSON-LD 1.1, strict expansion",
	CheckRules:        "Open Badges 3.0, Open Badges Data Models; Verifiable Credentials Data Model 2.0 and 1.1",
	CheckProof:        "Open Badges 3.0, Proofs; Data Integrity 1.0, 4.2 (Verify Proof); Securing Verifiable Credentials using JOSE and COSE",
	CheckIssuer:       "Open Badges 3.0, Verification and Validation; Controlled Identifiers 1.0, 3.3 (Retrieve Verification Method)",
	CheckRefresh:      "Open Badges 3.0, Verification and Validation; 1EdTech Credential Refresh Service 1.0",
	CheckDates:        "Verifiable Credentials Data Model 2.0, 4.9 (Validity Period)",
	CheckStatus:       "Bitstring Status List 1.0, 3.2 (Validate Algorithm); 1EdTech Credential Status 1.0",
	CheckSchema:       "Open Badges 3.0, CredentialSchema (1EdTechJsonSchemaValidator2019)",
	CheckRecipient:    "Open Badges 3.0, Verification and Validation: recipient; IdentityObject",
	CheckEndorsements: "Open Badges 3.0, EndorsementCredential",
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

func sentence(s string) string { return report.Sentence(s) }

// object is a member that is an object, or nil.
func object(o *strictjson.Node, name string) *strictjson.Node {
	if inner := o.Get(name); inner.Is(strictjson.Object) {
		return inner
	}
	return nil
}

// party reads a profile, which may stand as its id alone.
func party(v *strictjson.Node) Party {
	if v.Is(strictjson.String) {
		return Party{ID: v.Text}
	}
	return Party{ID: v.Member("id"), Name: v.Member("name")}
}

// first gives the first of some members that is a string.
func first(o *strictjson.Node, names ...string) string {
	for _, name := range names {
		if s := o.Member(name); s != "" {
			return s
		}
	}
	return ""
}

// describe fills in what the credential says of itself.
func describe(r *Report, p *Parsed) {
	doc := p.tree
	r.Edition = report.OpenBadges3
	r.Format = "json"
	if p.Token != nil {
		r.Format = "jws"
	}
	r.ID, r.Name = doc.Member("id"), doc.Member("name")
	r.Issuer = party(doc.Get("issuer"))
	subject := object(doc, "credentialSubject")
	r.Recipient = party(subject)
	achievement := object(subject, "achievement")
	criteria := object(achievement, "criteria")
	r.Achievement = Summary{
		ID: achievement.Member("id"), Name: achievement.Member("name"), Description: achievement.Member("description"),
		Criteria: first(criteria, "narrative", "id"), Image: achievement.Get("image").Member("id"),
	}
	if r.Name == "" {
		r.Name = r.Achievement.Name
	}
	r.ValidFrom, r.ValidUntil = first(doc, "validFrom", "issuanceDate"), first(doc, "validUntil", "expirationDate")
}

func date(t time.Time) string { return report.Date(t) }
