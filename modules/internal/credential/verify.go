package credential

import (
	"bytes"
	"cmp"
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
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/report"
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
	Lists         *Lists // may be nil: nothing is remembered

	// Within is Fetch of the resolver for a document that is no older than atMost, and
	// tells how old it is. Nil means that documents are always new.
	Within func(ctx context.Context, url string, atMost time.Duration) (data []byte, age time.Duration, err error)

	// Schemas applies the JSON Schema at url to a document, and answers what breaks
	// it; an error says that the schema could not be applied. Whatever else the
	// schema refers to must come by fetch. Nil means that none can be applied.
	Schemas func(ctx context.Context, fetch Fetch, url string, document map[string]any) ([]openbadges.Violation, error)
}

// Fetch gets a document from a public address.
type Fetch = func(ctx context.Context, url string) ([]byte, error)

// Options say what else the caller wants to know.
type Options struct {
	// Recipient is whom the caller takes to be the recipient: an e-mail address or
	// another identifier. Nothing is checked when it is empty.
	Recipient string

	// Rules judge the document; those of Open Badges when nil.
	Rules func(document map[string]any) []openbadges.Violation
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
	r, trouble := v.begin(ctx)
	out := r.judge(ctx, p, o)
	if err := trouble(); err != nil {
		return Report{}, err
	}
	return out, nil
}

// judge checks one credential within what a verification may cost.
func (r run) judge(ctx context.Context, p *Parsed, o Options) Report {
	out := Report{Problems: []Problem{}, Credential: p.JSON}
	if o.Rules != nil {
		r.rules = func(p *Parsed) []openbadges.Violation { return o.Rules(p.Document()) }
	}
	j := r.envelope(ctx, p, r.rules(p))
	// Open Badges 3.0, Verification and Validation: a newer version, where there is a
	// good one, is what the rest is asked of.
	current := p
	j.at(CheckRefresh, func() {
		if newer := r.refresh(ctx, j, p); newer != nil {
			current, out.Refreshed = newer, newer.JSON
		}
	})
	describe(&out, current)
	r.dates(j, current)
	j.at(CheckStatus, func() { r.status(ctx, j, current.tree) })
	j.at(CheckSchema, func() { r.schema(ctx, j, current) })
	j.recipient(current.tree, o.Recipient)
	j.at(CheckEndorsements, func() { r.endorsements(ctx, j, current.tree) })
	out.Checks, out.Verified, out.Exhausted = j.Checks, j.Good(), r.allowance.exhausted()
	out.Problems = append(out.Problems, j.Problems...)
	return out
}

var errTooMany = errors.New("credential: it asks for too many documents")

// begin bounds what one verification may cost; trouble tells afterwards what went wrong
// that says nothing against a credential.
func (v Verifier) begin(ctx context.Context) (r run, trouble func() error) {
	r = run{Verifier: v, now: v.Now(), rules: rules}
	r.allowance = &allowance{stop: ctx.Err, left: maxCanonicalizations}
	r.Canonicalizer = &bounded{v.Canonicalizer, r.allowance}
	left := maxFetches
	if within := v.Within; within != nil {
		r.Within = func(ctx context.Context, url string, atMost time.Duration) ([]byte, time.Duration, error) {
			if left--; left < 0 {
				return nil, 0, errTooMany
			}
			return within(ctx, url, atMost)
		}
	}
	if fetch := v.Resolver.Fetch; fetch != nil {
		r.Resolver.Fetch = func(ctx context.Context, url string) ([]byte, error) {
			if left--; left < 0 {
				return nil, errTooMany
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
	return r, func() error { return errors.Join(ctx.Err(), local.err, lists.err) }
}

// run is one verification.
type run struct {
	Verifier
	now   time.Time
	rules func(p *Parsed) []openbadges.Violation

	allowance *allowance

	// directed is where a text direction stands in the document that is looked at, and
	// undirected canonicalizes without it; empty and nil where there is none.
	directed   string
	undirected integrity.Canonicalizer
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

// Published implements [did.Publisher], for a Local that is one.
func (h *heard) Published(ctx context.Context, address string) (document []byte, ours bool, err error) {
	p, ok := h.Local.(did.Publisher)
	if !ok {
		return nil, false, nil
	}
	document, ours, err = p.Published(ctx, address)
	if err != nil {
		h.err = err
	}
	return document, ours, err
}

// judgement is what was found about one document.
type judgement struct{ report.Judgement }

func newJudgement() *judgement {
	return &judgement{report.Judgement{Rules: sources, Checks: make([]report.Check, 0, 16)}}
}

func (j *judgement) add(name string, outcome Outcome, detail, remedy string) {
	j.Add(name, outcome, detail, remedy)
}

func (j *judgement) fail(name string, problems ...Problem) { j.Fail(name, problems...) }

// at runs a check that would cost a stranger's server something, or us, and has no
// point for a document that nobody signed.
func (j *judgement) at(name string, check func()) {
	if !j.signed() {
		j.add(name, Skipped, "this was not looked at, since no signature holds", "")
		return
	}
	check()
}

func (j *judgement) signed() bool { return j.Holds(CheckContext, CheckProof, CheckIssuer) }

// rules judges a document by the data model it says it has.
func rules(p *Parsed) []openbadges.Violation {
	if isOf(p.tree, openbadges.TypeEndorsementCredential) {
		return openbadges.CheckEndorsementOf(p.tree, openbadges.Reading)
	}
	return openbadges.CheckCredentialOf(p.tree, openbadges.Reading)
}

// envelope checks all that any credential has: terms, rules, proof, key.
func (r run) envelope(ctx context.Context, p *Parsed, violations []openbadges.Violation) *judgement {
	j := newJudgement()
	j.add(CheckParse, Passed, parsedAs(p), "")
	r, transformed, err := r.transform(p.tree)
	if err != nil {
		j.fail(CheckContext, problemOf(err))
	} else {
		j.add(CheckContext, Passed, "every term and every type is defined by a known context", "")
		j.Evidence(contextsOf(p.tree)...)
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
	issuer := party(p.tree.Get("issuer")).ID
	if p.vouched {
		j.add(CheckProof, Passed, "the signature of the presentation covers it", "")
		j.add(CheckIssuer, Passed, "the issuer is the holder, who signed the presentation", "")
	} else if p.Token != nil {
		r.token(ctx, j, p, transformed, issuer)
	} else {
		r.proofs(ctx, j, p, transformed, issuer)
	}
	return j
}

// transform brings a document into its canonical form. One with text directions is
// taken too, and what answers is the run for that document.
func (r run) transform(document *strictjson.Node) (run, *integrity.Transformed, error) {
	transformed, err := integrity.Transform(r.Canonicalizer, document)
	var refused *jsonld.Error
	if !errors.As(err, &refused) || refused.Code != jsonld.CodeDirection {
		return r, transformed, err
	}
	protected, dropped, ok := directed(r.Canonicalizer)
	if !ok {
		return r, transformed, err
	}
	r.Canonicalizer, r.undirected, r.directed = protected, dropped, refused.Pointer
	transformed, err = integrity.Transform(r.Canonicalizer, document)
	return r, transformed, err
}

// verify checks the proofs of a document. Where there are text directions, some signers
// protect them and some leave them out, for the standard does not say which: a proof
// that does not fit is tried the other way, too. unprotected tells that proofs are good,
// but that none of them says what the directions are.
func (r run) verify(ctx context.Context, document *strictjson.Node, x integrity.Expectation) (results []integrity.Result, unprotected bool, err error) {
	results, err = integrity.Verify(ctx, r.Canonicalizer, r.Resolver, document, x)
	good := func(result integrity.Result) bool { return result.Err == nil }
	if err != nil || r.directed == "" || !slices.ContainsFunc(results, func(result integrity.Result) bool { return !good(result) && !result.Literal() }) {
		return results, false, err
	}
	protected := slices.ContainsFunc(results, good)
	x.Transformed = nil
	others, err := integrity.Verify(ctx, r.undirected, r.Resolver, document, x)
	for i, other := range others {
		if good(other) && !good(results[i]) {
			results[i], unprotected = other, !protected
		}
	}
	return results, unprotected, err
}

// turned says that nobody can tell whether a text direction was changed.
func (r run) turned(j *judgement, unprotected bool) {
	if unprotected {
		j.Qualify("no signature protects the text direction at "+r.directed+": it may have been changed since", "Ask for a badge whose proof covers it, such as one by a cryptosuite of JCS or in a token, if the direction matters.")
	}
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
	results, unprotected, err := r.verify(ctx, p.tree, integrity.Expectation{Now: r.now, Transformed: transformed})
	if err != nil {
		j.fail(CheckProof, problemOf(err))
		j.add(CheckIssuer, Skipped, "there is no key to ask about", "")
		return
	}
	var broken, away, base, unknown []Problem
	var good []integrity.Result
	for _, result := range results {
		switch {
		case result.Err == nil:
			good = append(good, result)
		case unreachable(result.Err):
			away = append(away, problemOf(result.Err))
		case result.Unsupported():
			unknown = append(unknown, problemOf(result.Err))
		case errors.Is(result.Err, integrity.ErrBaseProof):
			base = append(base, problemOf(result.Err))
		default:
			broken = append(broken, problemOf(result.Err))
		}
	}
	switch {
	case len(broken) > 0:
		j.fail(CheckProof, broken...)
	case len(away) > 0:
		// It may be the one that shows a change.
		j.Doubt(CheckProof, away...)
	case len(good) == 0 && len(unknown) == 0:
		j.fail(CheckProof, base...)
	case len(good) == 0:
		j.Doubt(CheckProof, unknown...)
	case len(unknown) > 0:
		j.add(CheckProof, Warning, fmt.Sprintf("the signature by %s is good; %d more proofs are of kinds that are not known here", good[0].Suite, len(unknown)), unknown[0].Remedy)
	case len(base) > 0:
		j.add(CheckProof, Warning, fmt.Sprintf("the signature by %s is good; another proof is a base proof, which is for the holder alone", good[0].Suite), base[0].Remedy)
	default:
		suites := make([]string, len(good))
		for i := range good {
			suites[i] = good[i].Suite
		}
		j.add(CheckProof, Passed, "the signature by "+strings.Join(suites, " and ")+" is good", "")
	}
	r.turned(j, unprotected)
	if id := integrity.Backwards(results); id != "" {
		j.Qualify("the chain of proofs is out of order: "+strconv.Quote(id)+" says that it was made after a proof that covers it", "Ask the issuer when it signed.")
	}
	for _, result := range results {
		j.Evidence(proofEvidence(result.Proof))
	}
	keys := make([]did.Key, len(good))
	for i := range good {
		keys[i] = good[i].Key
	}
	j.binding(keys, issuer)
}

// token checks a credential that is secured by a token around it.
func (r run) token(ctx context.Context, j *judgement, p *Parsed, transformed *integrity.Transformed, issuer string) {
	key, err := p.Token.Verify(ctx, r.Resolver, issuer, r.now)
	if err == nil {
		err = p.Token.CheckClaims(p.Document())
	}
	if err != nil {
		if unreachable(err) {
			j.Doubt(CheckProof, problemOf(err))
		} else {
			j.fail(CheckProof, problemOf(err))
		}
		j.Evidence(tokenEvidence(p.Token))
		j.add(CheckIssuer, Skipped, "there is no signature to ask about", "")
		return
	}
	if broken := r.inside(ctx, p, transformed); len(broken) > 0 {
		j.fail(CheckProof, broken...)
	} else {
		j.add(CheckProof, Passed, "the signature of the token by "+headerText(p.Token, "alg")+" is good, and its claims are those of the credential", "")
	}
	j.Evidence(tokenEvidence(p.Token))
	j.binding([]did.Key{key}, issuer)
}

// inside answers what is wrong with the embedded proofs of a credential in a token, where
// there are any. The token suffices, as of several proofs any does, but one that is
// broken shows that somebody changed something before it was signed again.
//
// Open Badges 3.0, Proofs: embedded proofs are made before the token.
func (r run) inside(ctx context.Context, p *Parsed, transformed *integrity.Transformed) (broken []Problem) {
	if p.tree.Get("proof") == nil {
		return nil
	}
	results, _, err := r.verify(ctx, p.tree, integrity.Expectation{Now: r.now, Transformed: transformed})
	if err != nil {
		return []Problem{problemOf(err)}
	}
	for _, result := range results {
		if result.Err != nil && !unreachable(result.Err) && !result.Unsupported() && !errors.Is(result.Err, integrity.ErrBaseProof) {
			broken = append(broken, problemOf(result.Err))
		}
	}
	return broken
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
			j.Evidence("issuer "+issuer, named("key ", key.ID), named("controller ", key.Controller))
			return
		}
		if why == "" {
			why = how
		}
	}
	j.fail(CheckIssuer, problem(vcdm+"CRYPTOGRAPHIC_SECURITY_ERROR", "the signature is good, but nothing proves that the key is the issuer's: "+why,
		"Ask the issuer to list the key under assertionMethod in the document at its identifier."))
	j.Evidence(named("issuer ", issuer))
	for _, key := range keys {
		j.Evidence(named("key ", key.ID), named("controller ", key.Controller))
	}
}

// named says what a text is, where there is one.
func named(what, text string) string {
	if text == "" {
		return ""
	}
	return what + text
}

// unreachable reports whether nothing is known against a proof but that its key could
// not be fetched.
func unreachable(err error) bool {
	var key *did.Error
	return errors.As(err, &key) && key.Code == did.Unreachable
}

func proofEvidence(proof *strictjson.Node) string {
	var parts []string
	for _, name := range [...]string{"cryptosuite", "type", "verificationMethod", "created", "previousProof"} {
		if value := proof.Member(name); value != "" && (name != "type" || proof.Get("cryptosuite") == nil) {
			parts = append(parts, name+" "+value)
		}
	}
	return strings.Join(parts, ", ")
}

func headerText(t *jose.Token, name string) string {
	s, _ := t.Header[name].(string)
	return s
}

func tokenEvidence(t *jose.Token) string {
	if kid := headerText(t, "kid"); kid != "" {
		return "alg " + headerText(t, "alg") + ", kid " + kid
	}
	return "alg " + headerText(t, "alg") + ", key in the header"
}

// contextsOf gives the contexts that a document names.
func contextsOf(document *strictjson.Node) []string {
	var names []string
	for _, entry := range document.Get("@context").Items() {
		if entry.Kind == strictjson.String {
			names = append(names, entry.Text)
		}
	}
	return names
}

// dates checks that the credential is valid now.
func (r run) dates(j *judgement, p *Parsed) {
	from, until, legible := validity(p)
	switch {
	case !legible:
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
	j.Evidence(named("validFrom ", first(p.tree, "validFrom", "issuanceDate")), named("validUntil ", first(p.tree, "validUntil", "expirationDate")), "now "+r.now.UTC().Format(time.RFC3339))
}

// validity is from when until when a credential is valid; zero where it does not say.
func validity(p *Parsed) (from, until time.Time, legible bool) {
	read := func(names ...string) (time.Time, bool) {
		value := first(p.tree, names...)
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
	return from, until, okFrom && okUntil
}

// maxStatuses bounds the status lists that one credential is looked up in.
const maxStatuses = 8

// status asks whether the credential was revoked.
func (r run) status(ctx context.Context, j *judgement, document *strictjson.Node) {
	entries := document.Get("credentialStatus").Items()
	if len(entries) == 0 {
		j.add(CheckStatus, Skipped, "the credential names no status list, so it cannot be revoked", "")
		return
	}
	var detail, evidence []string
	var against, doubts []Problem
	outcome := Passed
	if len(entries) > maxStatuses {
		doubts = append(doubts, problem(vcdm+"RANGE_ERROR", fmt.Sprintf("it names %d status lists, of which only %d are asked", len(entries), maxStatuses), "Ask the issuer for a badge with fewer."))
	}
	for _, entry := range entries[:min(len(entries), maxStatuses)] {
		evidence = append(evidence, statusEvidence(entry))
		found, what, err := r.entry(ctx, document, entry)
		var trouble *status.Error
		switch {
		case errors.As(err, &trouble) && trouble.Code == status.RetrievalError:
			// Nothing is known against the badge, but neither is it known to be good.
			doubts = append(doubts, problemOf(err))
		case err != nil:
			against = append(against, problemOf(err))
		case found == Failed:
			against = append(against, problem(vcdm+"RANGE_ERROR", what, "Ask the issuer why."))
		case found == Unknown:
			doubts = append(doubts, problem("https://www.w3.org/ns/credentials/status-list#STATUS_RETRIEVAL_ERROR", what, "Ask the issuer."))
		default:
			if found != Passed {
				outcome = Warning
			}
			detail = append(detail, what)
		}
	}
	switch {
	case len(against) > 0:
		j.fail(CheckStatus, append(against, doubts...)...)
	case len(doubts) > 0:
		j.Doubt(CheckStatus, doubts...)
	default:
		j.add(CheckStatus, outcome, strings.Join(detail, "; "), "")
	}
	j.Evidence(evidence...)
}

func statusEvidence(member *strictjson.Node) string {
	if list := member.Member("statusListCredential"); list != "" {
		return fmt.Sprintf("%s %s, index %v", member.Member("statusPurpose"), list, member.Get("statusListIndex").Value())
	}
	return named("list ", member.Member("id"))
}

// entry asks one status list.
func (r run) entry(ctx context.Context, document, member *strictjson.Node) (Outcome, string, error) {
	switch {
	case isOf(member, openbadges.TypeBitstringStatusListEntry):
		e, err := status.ReadEntry(member.Map())
		if err != nil {
			return "", "", err
		}
		issuer := party(document.Get("issuer")).ID
		if s, known, err := r.here(ctx, issuer, e); known || err != nil {
			return s.outcome(), s.detail(), err
		}
		list, err := r.statusList(ctx, e.List, issuer)
		if err != nil {
			return "", "", err
		}
		value, err := e.In(list)
		if err != nil {
			return "", "", err
		}
		return meaning(e, value)
	case isOf(member, openbadges.TypeRevocationList):
		data, err := r.get(ctx, member.Member("id"))
		if err != nil {
			return "", "", err
		}
		value, err := strictjson.Parse(data)
		list, ok := value.(map[string]any)
		if err != nil || !ok {
			return "", "", &status.Error{Code: status.RetrievalError, Problem: "the revocation list is no JSON object", Remedy: "Ask the issuer to publish it."}
		}
		if by := party(strictjson.NodeOf(list["issuer"])).ID; by != "" && !did.Same(by, party(document.Get("issuer")).ID) {
			return "", "", &status.Error{Code: status.VerificationError, Problem: "the revocation list cannot be trusted: it is of " + strconv.Quote(by) + ", who is not the issuer of the credential", Remedy: "Ask the issuer to publish its own."}
		}
		if document.Member("id") == "" {
			return Unknown, "the credential has no id by which it could be found in the revocation list", nil
		}
		credentialID := document.Member("id")
		revoked, reason := status.Revoked(list, credentialID)
		if !revoked {
			return Passed, "it is not on the revocation list", nil
		}
		if reason != "" {
			reason = ": " + strconv.Quote(reason)
		}
		return Failed, "the issuer revoked it" + reason, nil
	}
	return Unknown, "the kind of status list it names is not known here, so it is not known whether it was revoked", nil
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

var errNoList = &status.Error{Code: status.RetrievalError, Problem: "the status list could not be fetched, so it is not known whether it was revoked", Remedy: "See that it answers at a public address with https, for no other is asked, and try again."}

func (r run) get(ctx context.Context, url string) ([]byte, error) {
	if r.Resolver.Fetch == nil || url == "" {
		return nil, errNoList
	}
	data, err := r.Resolver.Fetch(ctx, url)
	if err != nil {
		return nil, errNoList
	}
	return data, nil
}

// maxSchemas bounds the schemas that are applied to one credential.
const maxSchemas = 4

// schema applies the schemas that a credential names.
//
// Open Badges 3.0, Verification and Validation: those of the type
// 1EdTechJsonSchemaValidator2019. That of the standard itself asks for what the rules
// were checked for; it is not fetched.
func (r run) schema(ctx context.Context, j *judgement, p *Parsed) {
	const published = "https://purl.imsglobal.org/spec/ob/v3p0/schema/"
	entries := p.tree.Get("credentialSchema").Items()
	if len(entries) == 0 {
		j.add(CheckSchema, Skipped, "the credential names no schema", "")
		return
	}
	var detail, evidence []string
	var against, doubts []Problem
	outcome := Passed
	if len(entries) > maxSchemas {
		doubts = append(doubts, problem(vcdm+"RANGE_ERROR", fmt.Sprintf("it names %d schemas, of which only %d are applied", len(entries), maxSchemas), "Ask the issuer for a badge with fewer."))
	}
	for _, entry := range entries[:min(len(entries), maxSchemas)] {
		id := entry.Member("id")
		evidence = append(evidence, named("schema ", id))
		switch {
		case !isOf(entry, openbadges.TypeJSONSchemaValidator) && !isOf(entry, "JsonSchema"):
			outcome, detail = Warning, append(detail, "the kind of schema it names is not known here, and was not applied")
		case strings.HasPrefix(id, published):
			if !j.Holds(CheckRules) {
				against = append(against, problem(vcdm+"MALFORMED_VALUE_ERROR", "the schema of the standard asks for what the rules ask for, some of which are broken", "See the check rules."))
				continue
			}
			detail = append(detail, "the schema of the standard asks for what the rules ask for, and they were kept")
		case r.Schemas == nil || r.Resolver.Fetch == nil:
			doubts = append(doubts, problem(vcdm+"MALFORMED_VALUE_ERROR", "the schema that the credential names could not be fetched, since there is no network here", "Verify where there is a network."))
		default:
			violations, err := r.Schemas(ctx, r.Resolver.Fetch, id, p.Document())
			if err != nil {
				doubts = append(doubts, problem(vcdm+"MALFORMED_VALUE_ERROR", "the schema that the credential names could not be applied: "+err.Error(), "Ask the issuer to publish it."))
			}
			for _, v := range violations {
				against = append(against, violated(vcdm+"MALFORMED_VALUE_ERROR", v))
			}
			if err == nil && len(violations) == 0 {
				detail = append(detail, "the credential keeps to the schema that it names")
			}
		}
	}
	switch {
	case len(against) > 0:
		j.fail(CheckSchema, append(against, doubts...)...)
	case len(doubts) > 0:
		j.Doubt(CheckSchema, doubts...)
	default:
		j.add(CheckSchema, outcome, strings.Join(detail, "; "), "")
	}
	j.Evidence(evidence...)
}

// refresh asks once for a newer version, and answers it if it is as good as this one.
// Whatever comes of it says nothing against the credential at hand.
//
// Open Badges 3.0, Verification and Validation; 1EdTech Credential Refresh Service 1.0.
func (r run) refresh(ctx context.Context, j *judgement, p *Parsed) *Parsed {
	service := p.tree.Get("refreshService")
	if service.Is(strictjson.Array) && service.Len() > 0 {
		service = service.First()
	}
	if !service.Is(strictjson.Object) {
		j.add(CheckRefresh, Skipped, "the credential names no place where a newer version might be", "")
		return nil
	}
	newer, outcome, detail := r.newer(ctx, p, service)
	j.add(CheckRefresh, outcome, detail, "")
	j.Evidence(named("refresh service ", service.Member("id")))
	if newer != nil {
		j.Evidence("validFrom " + first(newer.tree, "validFrom", "issuanceDate"))
	}
	return newer
}

func (r run) newer(ctx context.Context, p *Parsed, service *strictjson.Node) (*Parsed, Outcome, string) {
	if !isOf(service, openbadges.TypeCredentialRefresh) {
		return nil, Skipped, "the kind of refresh service it names is not known here"
	}
	const went = "; the credential at hand is judged as it is"
	if r.Resolver.Fetch == nil {
		return nil, Warning, "there is no network here to ask for a newer version" + went
	}
	data, err := r.Resolver.Fetch(ctx, service.Member("id"))
	if err != nil {
		return nil, Warning, "the refresh service did not answer" + went
	}
	newer, err := Parse(data)
	if err != nil {
		return nil, Warning, "the refresh service answered no credential" + went
	}
	// Open Badges 3.0, Verification and Validation: the same credential has the same id and issuer.
	if newer.tree.Member("id") != p.tree.Member("id") || party(newer.tree.Get("issuer")).ID != party(p.tree.Get("issuer")).ID {
		return nil, Warning, "the refresh service answered another credential" + went
	}
	before, ok := moment(p)
	after, okAfter := moment(newer)
	if !ok || !okAfter || !after.After(before) {
		return nil, Passed, "the refresh service knows no newer version"
	}
	if after.After(r.now) {
		return nil, Passed, "the newer version at the refresh service is not yet valid" + went
	}
	if !r.envelope(ctx, newer, r.rules(newer)).Good() {
		return nil, Warning, "the newer version at the refresh service does not verify" + went
	}
	return newer, Passed, "the refresh service answered a newer version, and what follows is about that"
}

// moment is when a credential begins to be valid.
func moment(p *Parsed) (time.Time, bool) {
	at, err := time.Parse(time.RFC3339, first(p.tree, "validFrom", "issuanceDate"))
	return at, err == nil
}

// recipient: Open Badges 3.0, Verification and Validation: an identifier known from elsewhere is compared
// with the id of the subject, then with each of its identifiers.
func (j *judgement) recipient(document *strictjson.Node, expected string) {
	if expected == "" {
		j.add(CheckRecipient, Skipped, "nobody was named whose badge it should be", "")
		return
	}
	subject := object(document, "credentialSubject")
	id := subject.Member("id")
	how := "the id of the subject"
	matched := id != "" && (id == expected || strings.EqualFold(id, "mailto:"+expected))
	entries := subject.Get("identifier").Items()
	for _, entry := range entries[:min(len(entries), 100)] {
		if matched {
			break
		}
		hashed := entry.Get("hashed").Is(strictjson.True)
		how = "an identifier of the type " + entry.Member("identityType")
		if hashed {
			how += ", which is hashed"
		}
		matched = openbadges.MatchIdentity(openbadges.IdentityObject{
			Hashed: hashed, IdentityHash: entry.Member("identityHash"), IdentityType: entry.Member("identityType"), Salt: entry.Member("salt"),
		}, expected)
	}
	if matched {
		j.add(CheckRecipient, Passed, "it was awarded to whom you named", "")
		j.Evidence("compared with " + how)
		return
	}
	j.fail(CheckRecipient, problem(vcdm+"MALFORMED_VALUE_ERROR", "it was awarded to somebody else than whom you named", "Ask the holder which address it was awarded to."))
	j.Evidence(fmt.Sprintf("compared with the id of the subject and %d identifiers", min(len(entries), 100)))
}

// endorsement is one endorsement in a document, and the id of what it stands in.
type endorsement struct {
	parsed *Parsed
	about  string
	err    error
}

// endorsements verifies those at every level.
func (r run) endorsements(ctx context.Context, j *judgement, document *strictjson.Node) {
	var found []endorsement
	if endorsed(document, 0) {
		found = collect(nil, document, 0)
	}
	if len(found) == 0 {
		j.add(CheckEndorsements, Skipped, "nobody endorsed it", "")
		return
	}
	more := len(found) > maxEndorsements
	var against, doubts []Problem
	var evidence []string
	var astray, own int
	for i, e := range found[:min(len(found), maxEndorsements)] {
		numbered := func(p Problem) Problem {
			p.Detail = fmt.Sprintf("Endorsement %d: %s", i+1, p.Detail)
			return p
		}
		if e.err != nil {
			against = append(against, numbered(problemOf(e.err)))
			continue
		}
		sub := r.envelope(ctx, e.parsed, openbadges.CheckEndorsementOf(e.parsed.tree, openbadges.Reading))
		r.dates(sub, e.parsed)
		sub.at(CheckStatus, func() { r.status(ctx, sub, e.parsed.tree) })
		failed := slices.ContainsFunc(sub.Checks, func(c Check) bool { return c.Outcome == Failed })
		for _, p := range sub.Problems {
			if failed {
				against = append(against, numbered(p))
			} else {
				doubts = append(doubts, numbered(p))
			}
		}
		about := e.parsed.tree.Get("credentialSubject").Member("id")
		by := party(e.parsed.tree.Get("issuer"))
		evidence = append(evidence, fmt.Sprintf("%d: by %s, about %s", i+1, cmp.Or(by.Name, by.ID), about))
		switch {
		case about != e.about:
			astray++
		case by.ID == about, by.ID == party(document.Get("issuer")).ID:
			own++
		}
	}
	if more {
		doubts = append(doubts, problem(vcdm+"RANGE_ERROR", fmt.Sprintf("there are more than %d endorsements; the others were not looked at", maxEndorsements), "Ask the issuer for a badge with fewer."))
	}
	switch {
	case len(against) > 0:
		j.fail(CheckEndorsements, append(against, doubts...)...)
	case len(doubts) > 0:
		j.Doubt(CheckEndorsements, doubts...)
	case astray > 0:
		j.add(CheckEndorsements, Warning, fmt.Sprintf("%d of %d endorsements, though verified, are about something else than what they stand in", astray, len(found)), "")
	case own > 0:
		j.add(CheckEndorsements, Warning, fmt.Sprintf("%d of %d endorsements, though verified, are by the issuer itself or by whom they endorse, and so count for little", own, len(found)), "")
	default:
		j.add(CheckEndorsements, Passed, fmt.Sprintf("all %d endorsements are verified", len(found)), "")
	}
	j.Evidence(evidence...)
}

// endorsed reports whether there are endorsements at all, which few badges have.
func endorsed(node *strictjson.Node, depth int) bool {
	if depth > strictjson.MaxDepth {
		return false
	}
	for m := node.First(); m != nil; m = m.Next() {
		if m.Name == "endorsement" || m.Name == "endorsementJwt" {
			return true
		}
		if m.First() != nil && m.Name != "proof" && m.Name != "@context" && endorsed(m, depth+1) {
			return true
		}
	}
	return false
}

// collect finds endorsements; those inside endorsements are not asked for.
func collect(found []endorsement, node *strictjson.Node, depth int) []endorsement {
	if len(found) > maxEndorsements || depth > strictjson.MaxDepth {
		return found
	}
	var inner []*strictjson.Node
	for m := node.First(); m != nil; m = m.Next() {
		inner = append(inner, m)
	}
	// Reports must not differ from one time to the next.
	slices.SortStableFunc(inner, func(a, b *strictjson.Node) int { return strings.Compare(a.Name, b.Name) })
	for _, m := range inner {
		if m.Name != "endorsement" && m.Name != "endorsementJwt" {
			if m.Name != "proof" && m.Name != "@context" {
				found = collect(found, m, depth+1)
			}
			continue
		}
		items := m.Items()
		if m.Kind == strictjson.Null {
			items = []*strictjson.Node{m}
		}
		for _, item := range items {
			if len(found) > maxEndorsements {
				break
			}
			found = append(found, endorsementOf(item, node.Member("id")))
		}
	}
	return found
}

func endorsementOf(item *strictjson.Node, about string) endorsement {
	switch item.Kind {
	case strictjson.Object:
		return endorsement{parsed: &Parsed{tree: item}, about: about}
	case strictjson.String:
		token, err := jose.Parse(bytes.TrimSpace([]byte(item.Text)))
		if err != nil {
			return endorsement{err: err}
		}
		document, err := token.Credential()
		return endorsement{parsed: &Parsed{tree: strictjson.NodeOf(document), document: document, Token: token}, about: about, err: err}
	}
	return endorsement{err: &integrity.Error{Code: integrity.ParsingError, Problem: "an endorsement is neither an object nor a token"}}
}
