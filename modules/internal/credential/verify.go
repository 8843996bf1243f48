package credential

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/credential/jose"
	"github.com/badge-engine/badge-engine/modules/internal/credential/status"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// The work that one credential may cause.
const (
	maxFetches      = 20
	maxEndorsements = 20
)

// Verifier checks credentials from anywhere.
type Verifier struct {
	Canonicalizer integrity.Canonicalizer
	Resolver      did.Resolver
	Statuses      Statuses // may be nil
	Now           func() time.Time
}

// Options say what else the caller wants to know.
type Options struct {
	// Recipient is whom the caller takes to be the recipient: an e-mail address or
	// another identifier. Nothing is checked when it is empty.
	Recipient string
}

// Verify checks a credential, a JSON document or a compact JWS, in the order of
// Open Badges 3.0, Verification and Validation, and reports on every step. An
// error says that there is nothing to report on: a [*ParseError], the context's, or
// that of the resolver's Local or of Statuses.
func (v Verifier) Verify(ctx context.Context, data []byte, o Options) (Report, error) {
	p, err := Parse(data)
	if err != nil {
		return Report{}, err
	}
	return v.VerifyParsed(ctx, p, o)
}

// VerifyParsed is [Verifier.Verify] of what was parsed before.
func (v Verifier) VerifyParsed(ctx context.Context, p *Parsed, o Options) (Report, error) {
	r := run{Verifier: v, now: v.Now()}
	r.Canonicalizer = &bounded{Canonicalizer: v.Canonicalizer, stop: ctx.Err, left: maxCanonicalizations}
	if fetch := v.Resolver.Fetch; fetch != nil {
		left := maxFetches
		r.Resolver.Fetch = func(ctx context.Context, url string) ([]byte, error) {
			if left--; left < 0 {
				return nil, errors.New("credential: it asks for too many documents")
			}
			return fetch(ctx, url)
		}
	}
	local := &heard{Local: v.Resolver.Local}
	if local.Local != nil {
		r.Resolver.Local = local
	}
	lists := &consulted{Statuses: v.Statuses}
	if lists.Statuses != nil {
		r.Statuses = lists
	}
	report := Report{Problems: []Problem{}}
	report.describe(p)
	j := r.envelope(ctx, p, rules(p.Document))
	j.at(CheckStatus, func() { r.status(ctx, j, p.Document) })
	j.schema(p.Document)
	j.refresh(p.Document)
	j.recipient(p.Document, o.Recipient)
	j.at(CheckEndorsements, func() { r.endorsements(ctx, j, p.Document) })
	if err := errors.Join(ctx.Err(), local.err, lists.err); err != nil {
		return Report{}, err
	}
	report.Checks, report.Verified = j.checks, j.good()
	report.Problems = append(report.Problems, j.problems...)
	return report, nil
}

// run is one verification.
type run struct {
	Verifier
	now time.Time
}

// heard keeps the error of a Local, which says nothing against a credential.
type heard struct {
	did.Local
	err error
}

func (h *heard) KeyOf(ctx context.Context, controller, fragment string) (known, listed bool, err error) {
	known, listed, err = h.Local.KeyOf(ctx, controller, fragment)
	if err != nil {
		h.err = err
	}
	return known, listed, err
}

// judgement is what was found about one document.
type judgement struct {
	checks   []Check
	problems []Problem
}

func (j *judgement) add(name string, outcome Outcome, detail, remedy string) {
	j.checks = append(j.checks, Check{Name: name, Outcome: outcome, Detail: sentence(detail), Remedy: remedy})
}

// fail records a check that failed for these reasons.
func (j *judgement) fail(name string, problems ...Problem) {
	detail := problems[0].Detail
	if more := len(problems) - 1; more > 0 {
		detail += fmt.Sprintf(" There are %d more problems.", more)
	}
	j.checks = append(j.checks, Check{Name: name, Outcome: Failed, Detail: detail, Remedy: problems[0].Remedy})
	j.problems = append(j.problems, problems...)
}

// at runs a check that would cost a stranger's server something, or us, and has no
// point for a document that nobody signed.
func (j *judgement) at(name string, check func()) {
	if !j.signed() {
		j.add(name, Skipped, "this was not looked at, since no signature holds", "")
		return
	}
	check()
}

func (j *judgement) good() bool {
	return !slices.ContainsFunc(j.checks, func(c Check) bool { return c.Outcome == Failed })
}

func (j *judgement) signed() bool {
	return !slices.ContainsFunc(j.checks, func(c Check) bool {
		return c.Outcome == Failed && (c.Name == CheckContext || c.Name == CheckProof || c.Name == CheckIssuer)
	})
}

// rules judges a document by the data model it says it has.
func rules(document map[string]any) []openbadges.Violation {
	if isEndorsement(document) {
		return openbadges.CheckEndorsement(document, openbadges.Reading)
	}
	return openbadges.CheckCredential(document, openbadges.Reading)
}

// envelope checks all that any credential has: terms, rules, proof, key, dates.
func (r run) envelope(ctx context.Context, p *Parsed, violations []openbadges.Violation) *judgement {
	j := &judgement{}
	j.add(CheckParse, Passed, parsedAs(p), "")
	transformed, err := integrity.Transform(r.Canonicalizer, p.Document)
	if err != nil {
		j.fail(CheckContext, problemOf(err))
	} else {
		j.add(CheckContext, Passed, "every term and every type is defined by a known context", "")
	}
	if len(violations) == 0 {
		j.add(CheckRules, Passed, "the document keeps to the rules of its data model", "")
	} else {
		problems := make([]Problem, len(violations))
		for i, v := range violations {
			problems[i] = violated(vcdm+"MALFORMED_VALUE_ERROR", v)
		}
		j.fail(CheckRules, problems...)
	}
	issuer := party(p.Document["issuer"]).ID
	if p.Token != nil {
		r.token(ctx, j, p, issuer)
	} else {
		r.proofs(ctx, j, p, transformed, issuer)
	}
	r.dates(j, p)
	return j
}

func parsedAs(p *Parsed) string {
	if p.Token != nil {
		return "it is a compact JWS with a JSON document in it"
	}
	return "it is a JSON document"
}

// proofs checks embedded proofs.
//
// Open Badges 3.0, Verification and Validation: one proof by the issuer suffices. But none may be broken,
// since a broken one shows that something was changed: Data
// Integrity 1.0, Verify Proof Sets and Chains.
func (r run) proofs(ctx context.Context, j *judgement, p *Parsed, transformed *integrity.Transformed, issuer string) {
	results, err := integrity.Verify(ctx, r.Canonicalizer, r.Resolver, p.Document, integrity.Expectation{Now: r.now, Transformed: transformed})
	if err != nil {
		j.fail(CheckProof, problemOf(err))
		j.add(CheckIssuer, Skipped, "there is no key to ask about", "")
		return
	}
	var broken, unknown []Problem
	var good []integrity.Result
	for _, result := range results {
		switch {
		case result.Err == nil:
			good = append(good, result)
		case result.Unsupported():
			unknown = append(unknown, problemOf(result.Err))
		default:
			broken = append(broken, problemOf(result.Err))
		}
	}
	switch {
	case len(broken) > 0:
		j.fail(CheckProof, broken...)
	case len(good) == 0:
		j.fail(CheckProof, unknown...)
	case len(unknown) > 0:
		j.add(CheckProof, Warning, fmt.Sprintf("the signature by %s is good; %d more proofs are of kinds that are not known here", good[0].Suite, len(unknown)), unknown[0].Remedy)
	default:
		suites := make([]string, len(good))
		for i := range good {
			suites[i] = good[i].Suite
		}
		j.add(CheckProof, Passed, "the signature by "+strings.Join(suites, " and ")+" is good", "")
	}
	keys := make([]did.Key, len(good))
	for i := range good {
		keys[i] = good[i].Key
	}
	j.binding(keys, issuer)
}

// token checks a credential that is secured by a token around it.
func (r run) token(ctx context.Context, j *judgement, p *Parsed, issuer string) {
	key, err := p.Token.Verify(ctx, r.Resolver, issuer, r.now)
	if err == nil {
		err = p.Token.CheckClaims(p.Document)
	}
	if err != nil {
		j.fail(CheckProof, problemOf(err))
		j.add(CheckIssuer, Skipped, "there is no signature to ask about", "")
		return
	}
	j.add(CheckProof, Passed, "the signature of the token by "+text(p.Token.Header, "alg")+" is good, and its claims are those of the credential", "")
	j.binding([]did.Key{key}, issuer)
}

// binding checks that one of the keys that signed is the issuer's.
func (j *judgement) binding(keys []did.Key, issuer string) {
	if len(keys) == 0 {
		j.add(CheckIssuer, Skipped, "there is no good signature to ask about", "")
		return
	}
	var why string
	for _, key := range keys {
		belongs, how := key.Belongs(issuer)
		if belongs {
			j.add(CheckIssuer, Passed, "the key belongs to the issuer: "+how, "")
			return
		}
		if why == "" {
			why = how
		}
	}
	j.fail(CheckIssuer, problem(vcdm+"CRYPTOGRAPHIC_SECURITY_ERROR", "the signature is good, but nothing proves that the key is the issuer's: "+why,
		"Ask the issuer to list the key under assertionMethod in the document at its identifier."))
}

// dates checks that the credential is valid now.
func (r run) dates(j *judgement, p *Parsed) {
	read := func(names ...string) (time.Time, bool) {
		value := first(p.Document, names...)
		at, err := time.Parse(time.RFC3339, value)
		return at, value == "" || err == nil
	}
	from, okFrom := read("validFrom", "issuanceDate")
	until, okUntil := read("validUntil", "expirationDate")
	if p.Token != nil {
		// Open Badges 3.0, JSON Web Token Proof Format: exp stands for validUntil. The earlier of two counts.
		if exp := p.Token.Expires(); !exp.IsZero() && (until.IsZero() || exp.Before(until)) {
			until = exp
		}
	}
	switch {
	case !okFrom || !okUntil:
		j.fail(CheckDates, problem(vcdm+"MALFORMED_VALUE_ERROR", "a date cannot be read", "Give it as 2006-01-02T15:04:05Z."))
	case !from.IsZero() && r.now.Before(from):
		j.fail(CheckDates, problem(vcdm+"RANGE_ERROR", "it is not yet valid; it will be from "+date(from)+" on", "Wait until then."))
	case !until.IsZero() && r.now.After(until):
		j.fail(CheckDates, problem(vcdm+"RANGE_ERROR", "it expired on "+date(until), "Ask the issuer for a new one."))
	case until.IsZero():
		j.add(CheckDates, Passed, "it is valid and does not expire", "")
	default:
		j.add(CheckDates, Passed, "it is valid until "+date(until), "")
	}
}

// status asks whether the credential was revoked.
func (r run) status(ctx context.Context, j *judgement, document map[string]any) {
	var entries []any
	switch v := document["credentialStatus"].(type) {
	case nil:
		j.add(CheckStatus, Skipped, "the credential names no status list, so it cannot be revoked", "")
		return
	case []any:
		entries = v
	default:
		entries = []any{v}
	}
	var detail []string
	outcome := Passed
	for _, entry := range entries[:min(len(entries), 8)] {
		member, _ := entry.(map[string]any)
		found, what, err := r.entry(ctx, document, member)
		if err != nil {
			p := problemOf(err)
			// A status that cannot be asked for says nothing against a badge.
			var trouble *status.Error
			if errors.As(err, &trouble) && trouble.Code == status.RetrievalError {
				outcome, detail = Warning, append(detail, strings.TrimSuffix(p.Detail, "."))
				continue
			}
			j.fail(CheckStatus, p)
			return
		}
		if found == Failed {
			j.fail(CheckStatus, problem(vcdm+"RANGE_ERROR", what, "Ask the issuer why."))
			return
		}
		if found != Passed {
			outcome = Warning
		}
		detail = append(detail, what)
	}
	if len(detail) == 0 {
		outcome, detail = Warning, []string{"the status is empty"}
	}
	j.add(CheckStatus, outcome, strings.Join(detail, "; "), "")
}

// entry asks one status list.
func (r run) entry(ctx context.Context, document, member map[string]any) (Outcome, string, error) {
	types := typesOf(member)
	switch {
	case slices.Contains(types, openbadges.TypeBitstringStatusListEntry):
		e, err := status.ReadEntry(member)
		if err != nil {
			return "", "", err
		}
		if s, known, err := r.here(ctx, e); known || err != nil {
			return s.outcome(), s.detail(), err
		}
		list, err := r.statusList(ctx, e.List, party(document["issuer"]).ID)
		if err != nil {
			return "", "", err
		}
		value, err := e.Lookup(list)
		if err != nil {
			return "", "", err
		}
		return meaning(e, value)
	case slices.Contains(types, openbadges.TypeRevocationList):
		data, err := r.get(ctx, text(member, "id"))
		if err != nil {
			return "", "", err
		}
		value, err := strictjson.Parse(data)
		list, ok := value.(map[string]any)
		if err != nil || !ok {
			return "", "", &status.Error{Code: status.RetrievalError, Problem: "the revocation list is no JSON object"}
		}
		credentialID := text(document, "id")
		revoked, reason := status.Revoked(list, credentialID)
		if !revoked || credentialID == "" {
			return Passed, "it is not on the revocation list", nil
		}
		if reason != "" {
			reason = ": " + strconv.Quote(reason)
		}
		return Failed, "the issuer revoked it" + reason, nil
	}
	return Warning, "the kind of status list it names is not known here, so it is not known whether it was revoked", nil
}

func meaning(e status.Entry, value uint64) (Outcome, string, error) {
	switch {
	case value == 0 && e.Purpose == "revocation":
		return Passed, "it is not revoked", nil
	case value == 0 && e.Purpose == "suspension":
		return Passed, "it is not suspended", nil
	case value == 0:
		return Passed, "nothing is noted in its status list", nil
	case e.Purpose == "revocation":
		return Failed, "the issuer revoked it", nil
	case e.Purpose == "suspension":
		return Failed, "the issuer suspended it", nil
	}
	if message := e.Message(value); message != "" {
		return Warning, "its status list notes: " + strconv.Quote(message), nil
	}
	return Warning, "something is noted in its status list", nil
}

func (r run) get(ctx context.Context, url string) ([]byte, error) {
	unreachable := &status.Error{Code: status.RetrievalError, Problem: "the status list could not be fetched, so it is not known whether it was revoked", Remedy: "Try again later."}
	if r.Resolver.Fetch == nil || url == "" {
		return nil, unreachable
	}
	data, err := r.Resolver.Fetch(ctx, url)
	if err != nil {
		return nil, unreachable
	}
	return data, nil
}

// statusList fetches a list and checks its own proof, key and dates. It must be the
// list that was asked for, and by the issuer of the credential: the standard lets
// another issue it, but nothing in the credential says who that would be.
//
// Bitstring Status List 1.0, 3.2 (Validate Algorithm).
func (r run) statusList(ctx context.Context, url, issuer string) (map[string]any, error) {
	data, err := r.get(ctx, url)
	if err != nil {
		return nil, err
	}
	refuse := func(why string) error {
		return &status.Error{Code: status.VerificationError, Problem: "the status list cannot be trusted: " + why, Remedy: "Ask the issuer to publish a signed list."}
	}
	p, err := Parse(data)
	if err != nil {
		return nil, refuse("it is no credential")
	}
	if !slices.Contains(typesOf(p.Document), "BitstringStatusListCredential") {
		return nil, refuse("it is no BitstringStatusListCredential")
	}
	if j := r.envelope(ctx, p, nil); !j.good() {
		return nil, refuse(strings.TrimSuffix(j.problems[0].Detail, "."))
	}
	if by := party(p.Document["issuer"]).ID; by != issuer {
		return nil, refuse("it was issued by " + strconv.Quote(by) + ", who is not the issuer of the credential")
	}
	if id := text(p.Document, "id"); id != "" && id != url {
		return nil, refuse("it is another list, " + strconv.Quote(id))
	}
	list := object(p.Document, "credentialSubject")
	if !slices.Contains(typesOf(list), "BitstringStatusList") {
		return nil, refuse("its subject is no BitstringStatusList")
	}
	return list, nil
}

// schema: Open Badges 3.0, Verification and Validation: the schema of the standard asks for what the rules
// were checked for; those of others are not fetched.
func (j *judgement) schema(document map[string]any) {
	const published = "https://purl.imsglobal.org/spec/ob/v3p0/schema/"
	var entries []any
	switch v := document["credentialSchema"].(type) {
	case nil:
	case []any:
		entries = v
	default:
		entries = []any{v}
	}
	if len(entries) == 0 {
		j.add(CheckSchema, Skipped, "the credential names no schema", "")
		return
	}
	for _, entry := range entries {
		member, _ := entry.(map[string]any)
		if !strings.HasPrefix(text(member, "id"), published) {
			j.add(CheckSchema, Warning, "the credential names a schema of its own, which was not applied", "")
			return
		}
	}
	if slices.ContainsFunc(j.checks, func(c Check) bool { return c.Name == CheckRules && c.Outcome == Failed }) {
		j.add(CheckSchema, Skipped, "the schema of the standard asks for the same as the rules, of which some are broken", "")
		return
	}
	j.add(CheckSchema, Passed, "the schema of the standard asks for the same as the rules, which were kept", "")
}

// refresh is never asked for: the caller asked about this document, and a newer one
// would be another answer.
func (j *judgement) refresh(document map[string]any) {
	if document["refreshService"] == nil {
		j.add(CheckRefresh, Skipped, "the credential names no place where a newer version might be", "")
		return
	}
	j.add(CheckRefresh, Skipped, "a newer version may exist at the refresh service; it was not asked for", "")
}

// recipient: Open Badges 3.0, Verification and Validation: an identifier known from elsewhere is compared
// with the id of the subject, then with each of its identifiers.
func (j *judgement) recipient(document map[string]any, expected string) {
	if expected == "" {
		j.add(CheckRecipient, Skipped, "nobody was named whose badge it should be", "")
		return
	}
	subject := object(document, "credentialSubject")
	id := text(subject, "id")
	matched := id != "" && (id == expected || strings.EqualFold(id, "mailto:"+expected))
	var entries []any
	switch v := subject["identifier"].(type) {
	case []any:
		entries = v
	case map[string]any:
		entries = []any{v}
	}
	for _, entry := range entries[:min(len(entries), 100)] {
		if matched {
			break
		}
		member, _ := entry.(map[string]any)
		hashed, _ := member["hashed"].(bool)
		matched = openbadges.MatchIdentity(openbadges.IdentityObject{
			Hashed: hashed, IdentityHash: text(member, "identityHash"), IdentityType: text(member, "identityType"), Salt: text(member, "salt"),
		}, expected)
	}
	if matched {
		j.add(CheckRecipient, Passed, "it was awarded to whom you named", "")
		return
	}
	j.fail(CheckRecipient, problem(vcdm+"MALFORMED_VALUE_ERROR", "it was awarded to somebody else than whom you named", "Ask the holder which address it was awarded to."))
}

// endorsement is one endorsement in a document, and the id of what it stands in.
type endorsement struct {
	parsed *Parsed
	about  string
	err    error
}

// endorsements verifies those at every level.
func (r run) endorsements(ctx context.Context, j *judgement, document map[string]any) {
	found := collect(nil, document, 0)
	if len(found) == 0 {
		j.add(CheckEndorsements, Skipped, "nobody endorsed it", "")
		return
	}
	more := len(found) > maxEndorsements
	var problems []Problem
	var astray int
	for i, e := range found[:min(len(found), maxEndorsements)] {
		if e.err != nil {
			problems = append(problems, problemOf(e.err))
			continue
		}
		sub := r.envelope(ctx, e.parsed, openbadges.CheckEndorsement(e.parsed.Document, openbadges.Reading))
		sub.at(CheckStatus, func() { r.status(ctx, sub, e.parsed.Document) })
		for _, p := range sub.problems {
			p.Detail = fmt.Sprintf("Endorsement %d: %s", i+1, p.Detail)
			problems = append(problems, p)
		}
		if text(object(e.parsed.Document, "credentialSubject"), "id") != e.about {
			astray++
		}
	}
	switch {
	case len(problems) > 0:
		j.fail(CheckEndorsements, problems...)
	case more:
		j.add(CheckEndorsements, Warning, fmt.Sprintf("the first %d endorsements are verified; there are more", maxEndorsements), "")
	case astray > 0:
		j.add(CheckEndorsements, Warning, fmt.Sprintf("%d of %d endorsements, though verified, are about something else than what they stand in", astray, len(found)), "")
	default:
		j.add(CheckEndorsements, Passed, fmt.Sprintf("all %d endorsements are verified", len(found)), "")
	}
}

// collect finds endorsements; those inside endorsements are not asked for.
func collect(found []endorsement, node any, depth int) []endorsement {
	if len(found) > maxEndorsements || depth > strictjson.MaxDepth {
		return found
	}
	switch node := node.(type) {
	case []any:
		for _, item := range node {
			found = collect(found, item, depth+1)
		}
	case map[string]any:
		names := make([]string, 0, len(node))
		for name := range node {
			names = append(names, name)
		}
		slices.Sort(names) // reports must not differ from one time to the next
		for _, name := range names {
			if name != "endorsement" && name != "endorsementJwt" {
				if name != "proof" && name != "@context" {
					found = collect(found, node[name], depth+1)
				}
				continue
			}
			items, ok := node[name].([]any)
			if !ok {
				items = []any{node[name]}
			}
			for _, item := range items {
				if len(found) > maxEndorsements {
					break
				}
				found = append(found, endorsementOf(item, text(node, "id")))
			}
		}
	}
	return found
}

func endorsementOf(item any, about string) endorsement {
	switch item := item.(type) {
	case map[string]any:
		return endorsement{parsed: &Parsed{Document: item}, about: about}
	case string:
		token, err := jose.Parse(bytes.TrimSpace([]byte(item)))
		if err != nil {
			return endorsement{err: err}
		}
		document, err := token.Credential()
		return endorsement{parsed: &Parsed{Document: document, Token: token}, about: about, err: err}
	}
	return endorsement{err: &integrity.Error{Code: integrity.ParsingError, Problem: "an endorsement is neither an object nor a token"}}
}
