package assertion

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/jose"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/report"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// CheckHosted is the check whether the issuer publishes the assertion; the other
// checks have the names of package credential.
const CheckHosted = "hosted"

var sources = map[string]string{
	credential.CheckParse:        "RFC 8259 (JSON), RFC 7493 (I-JSON); RFC 7515 (JWS), 7.1",
	credential.CheckContext:      "Open Badges 2.0, JSON-LD and contexts",
	CheckHosted:                  "Open Badges 2.0, Verification: hosted badges",
	credential.CheckProof:        "Open Badges 2.0, Verification: signed badges; RFC 7515 (JWS)",
	credential.CheckIssuer:       "Open Badges 2.0, Verification: VerificationObject of the issuer, CryptographicKey",
	credential.CheckRules:        "Open Badges 2.0, Data Classes",
	credential.CheckDates:        "Open Badges 2.0, Assertion: issuedOn, expires",
	credential.CheckStatus:       "Open Badges 2.0, Assertion: revoked; RevocationList",
	credential.CheckRecipient:    "Open Badges 2.0, IdentityObject",
	credential.CheckEndorsements: "Open Badges 2.0, Endorsement",
}

// The work that one badge may cause.
const (
	maxFetches      = 16
	maxEndorsements = 5
)

// Verifier checks badges of Open Badges 2.0 and 2.1 from anywhere.
type Verifier struct {
	// Fetch gets a document; nil means that there is no network. It must guard
	// itself. An error with a method Gone tells what is said of a document that was
	// withdrawn.
	Fetch credential.Fetch
	Now   func() time.Time
}

// Options say what else the caller wants to know.
type Options struct {
	// Recipient is whom the caller takes to be the recipient; nothing is checked when
	// it is empty.
	Recipient string
}

// Verify checks an assertion, a JSON document or a compact JWS, and reports on every
// step. An error says that there is nothing to report on: a [*credential.ParseError],
// or the context's.
func (v Verifier) Verify(ctx context.Context, data []byte, o Options) (report.Report, error) {
	p, err := Parse(data)
	if err != nil {
		return report.Report{}, err
	}
	return v.VerifyParsed(ctx, p, o)
}

// VerifyParsed is [Verifier.Verify] of what was parsed before.
func (v Verifier) VerifyParsed(ctx context.Context, p *Parsed, o Options) (report.Report, error) {
	r := &run{fetch: v.Fetch, now: v.Now(), left: maxFetches, read: map[string]answer{}}
	j := &report.Judgement{Rules: sources}
	if p.Token != nil {
		j.Add(credential.CheckParse, report.Passed, "it is a compact JWS with an assertion in it", "")
	} else if p.address {
		j.Add(credential.CheckParse, report.Passed, "it is the address of an assertion", "")
	} else {
		j.Add(credential.CheckParse, report.Passed, "it is a JSON document", "")
	}
	b := &badge{assertion: p.Document}
	if edition(j, p.Document) {
		if p.Token != nil {
			r.signed(ctx, j, p, b)
		} else {
			r.hosted(ctx, j, p, b)
		}
	}
	if p.address && b.assertion["type"] == nil {
		j.Add(credential.CheckRules, report.Skipped, "the assertion itself is not known", "")
		j.Add(credential.CheckDates, report.Skipped, "the assertion itself is not known", "")
	} else {
		b.rules(j)
		r.dates(j, b)
	}
	r.status(ctx, j, p, b)
	recipient(j, b.assertion, o.Recipient)
	r.endorsements(ctx, j, b)
	if err := ctx.Err(); err != nil {
		return report.Report{}, err
	}
	out := report.Report{Edition: report.OpenBadges2, Format: "json", Credential: p.JSON, Problems: []report.Problem{}}
	if p.Token != nil {
		out.Format = "jws"
	}
	b.describe(&out)
	out.Checks, out.Verified = j.Checks, j.Good()
	out.Problems = append(out.Problems, j.Problems...)
	return out, nil
}

// badge is what belongs together: the assertion that counts, and what it points at.
type badge struct {
	assertion map[string]any
	class     map[string]any // nil while it is not known
	issuer    map[string]any // nil while it is not known
	withdrawn bool           // its address says that it was revoked
	reason    string
}

const (
	vcdm      = "https://www.w3.org/TR/vc-data-model#"
	parsing   = vcdm + "PARSING_ERROR"
	security  = vcdm + "CRYPTOGRAPHIC_SECURITY_ERROR"
	malformed = vcdm + "MALFORMED_VALUE_ERROR"
	ranged    = vcdm + "RANGE_ERROR"
	away      = "https://www.w3.org/ns/credentials/status-list#STATUS_RETRIEVAL_ERROR"
)

var problemTitles = map[string]string{
	parsing: "It cannot be read", security: "Nothing proves that it is genuine", malformed: "A value breaks a rule",
	ranged: "A value is out of range", away: "It could not be found out",
}

func problem(typ, detail, remedy string) report.Problem {
	return report.Problem{Type: typ, Title: problemTitles[typ], Detail: report.Sentence(detail), Remedy: remedy}
}

// edition checks that this is an assertion of an edition that is judged here.
func edition(j *report.Judgement, m map[string]any) bool {
	names := strictjson.Texts(m["@context"])
	switch {
	case slices.ContainsFunc(names, known):
		j.Add(credential.CheckContext, report.Passed, "it is an assertion of Open Badges 2.0", "")
		j.Evidence(names...)
		return true
	case slices.ContainsFunc(names, func(name string) bool { return slices.Contains(formerContexts[:], name) }):
		j.Fail(credential.CheckContext, problem(malformed, "it is a badge of Open Badges 1.1, which no longer is verified", "Ask its issuer for a badge of Open Badges 2.0 or 3.0."))
		j.Evidence(names...)
	case len(names) == 0:
		j.Fail(credential.CheckContext, problem(malformed, "it does not say by @context which edition of Open Badges it keeps to", `Give "@context": "`+Context+`".`))
	default:
		j.Fail(credential.CheckContext, problem(malformed, "its context is none of Open Badges 2.0", `Give "@context": "`+Context+`".`))
		j.Evidence(names...)
	}
	return false
}

// run is one verification.
type run struct {
	fetch credential.Fetch
	now   time.Time
	left  int
	read  map[string]answer
}

type answer struct {
	document map[string]any
	err      error
}

// The reasons for which there is no document.
var (
	errAway    = errors.New("it does not answer")
	errNoJSON  = errors.New("what it answers is no JSON object")
	errOther   = errors.New("what it answers says that it is something else")
	errTooMany = errors.New("the badge asks for too many documents")
)

// goneError says that a document was withdrawn, and what is said of it.
type goneError struct{ document map[string]any }

func (goneError) Error() string { return "it answers that it was withdrawn" }

// document fetches a JSON document whose id must be its address.
func (r *run) document(ctx context.Context, address string) (map[string]any, error) {
	if known, ok := r.read[address]; ok {
		return known.document, known.err
	}
	document, err := r.ask(ctx, address)
	if err == nil && strictjson.Text(document, "id") != address {
		err = errOther
	}
	r.read[address] = answer{document, err}
	return document, err
}

func (r *run) ask(ctx context.Context, address string) (map[string]any, error) {
	if r.fetch == nil {
		return nil, errAway
	}
	if r.left--; r.left < 0 {
		return nil, errTooMany
	}
	data, err := r.fetch(ctx, address)
	var withdrawn interface {
		Gone() (body []byte, gone bool)
	}
	if errors.As(err, &withdrawn) {
		if body, gone := withdrawn.Gone(); gone {
			value, _ := strictjson.Parse(body)
			document, _ := value.(map[string]any)
			return nil, goneError{document}
		}
	}
	if err != nil {
		return nil, errAway
	}
	value, err := strictjson.Parse(data)
	document, ok := value.(map[string]any)
	if err != nil || !ok {
		return nil, errNoJSON
	}
	return document, nil
}

// undecided tells whether another attempt may end otherwise.
func undecided(err error) bool { return errors.Is(err, errAway) || errors.Is(err, errTooMany) }

func web(address string) *url.URL {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return nil
	}
	return u
}

// hosted: Open Badges 2.0, Verification: the assertion is genuine if it is found at its id,
// and the issuer says that assertions may be found there.
func (r *run) hosted(ctx context.Context, j *report.Judgement, p *Parsed, b *badge) {
	verification := object(p.Document, "verification")
	if is(verification, "SignedBadge") || is(verification, "signed") {
		j.Fail(credential.CheckProof, problem(security, "it says that it is signed, but it came without its signature", "Give the compact JWS that was issued, not the document inside of it."))
		return
	}
	id := strictjson.Text(p.Document, "id")
	if web(id) == nil {
		j.Fail(CheckHosted, problem(security, "its id is no address at which its issuer could publish it", "Ask the issuer for a badge with an address as its id."))
		return
	}
	published, err := r.document(ctx, id)
	var withdrawn goneError
	switch {
	case errors.As(err, &withdrawn):
		j.Add(CheckHosted, report.Skipped, "its address answers that it was withdrawn", "")
		j.Evidence(id)
		b.withdrawn, b.reason = true, strictjson.Text(withdrawn.document, "revocationReason")
		if p.address {
			return // nothing else is known of it
		}
	case undecided(err):
		j.Doubt(CheckHosted, problem(away, "the address at which its issuer publishes it could not be asked: "+err.Error(), "Try again later."))
		j.Evidence(id)
		return
	case err != nil:
		j.Fail(CheckHosted, problem(security, "its issuer does not publish it at "+strconv.Quote(cut(id))+": "+err.Error(), "Ask the issuer whether the badge is its own."))
		j.Evidence(id)
		return
	case !slices.ContainsFunc(strictjson.Texts(published["@context"]), known):
		j.Fail(CheckHosted, problem(security, "what is published at its address is no assertion of Open Badges 2.0", "Ask the issuer for the address of the assertion."))
		j.Evidence(id)
		return
	default:
		b.assertion = published
		grave, slight := differences(p.Document, published)
		switch {
		case len(grave) > 0:
			problems := make([]report.Problem, len(grave))
			for i, at := range grave {
				problems[i] = problem(security, "this copy was changed: its issuer publishes another value at "+at, "Take the badge from "+cut(id)+" again.")
				problems[i].Pointer = at
			}
			j.Fail(CheckHosted, problems...)
		case len(slight) > 0:
			j.Add(CheckHosted, report.Warning, "its issuer publishes it, by now with another "+strings.Join(slight, ", ")+"; what is published counts", "")
		default:
			j.Add(CheckHosted, report.Passed, "its issuer publishes it at its address, and this copy says the same", "")
		}
		j.Evidence(id)
	}
	if !r.chain(ctx, j, b, false) {
		return
	}
	issuer := strictjson.Text(b.issuer, "id")
	if ok, how := inScope(b.issuer, id); ok {
		j.Add(credential.CheckIssuer, report.Passed, "the issuer publishes its badges there: "+how, "")
	} else {
		j.Fail(credential.CheckIssuer, problem(security, "nothing proves that the assertion is the issuer's: "+how, "Ask the issuer to name the address of its assertions under verification in its profile."))
	}
	j.Evidence("issuer "+issuer, "assertion "+id)
}

// chain finds the badge class and the issuer; without them nothing is known of who says so.
func (r *run) chain(ctx context.Context, j *report.Judgement, b *badge, signed bool) bool {
	missing := func(what string, value any, err error) {
		p := problem(security, "the "+what+" could not be read: "+err.Error(), "Ask the issuer to publish it.")
		if undecided(err) {
			p = problem(away, "the "+what+" could not be asked for: "+err.Error(), "Try again later.")
			j.Doubt(credential.CheckIssuer, p)
		} else {
			j.Fail(credential.CheckIssuer, p)
		}
		if id := idOf(value); id != "" {
			j.Evidence(what + " " + id)
		}
	}
	var err error
	// What is embedded in a signed assertion is signed with it.
	if b.class, err = r.resolve(ctx, b.assertion["badge"], signed); err != nil {
		missing("badge class", b.assertion["badge"], err)
		return false
	}
	if web(idOf(b.class["issuer"])) == nil {
		j.Fail(credential.CheckIssuer, problem(security, "the issuer has no address, so that nothing is known of who it is", "Ask the issuer for a badge that names its profile by its address."))
		return false
	}
	if b.issuer, err = r.resolve(ctx, b.class["issuer"], false); err != nil {
		missing("issuer", b.class["issuer"], err)
		return false
	}
	return true
}

// resolve gives what is named by address, or embedded. What is embedded under an
// address is only a copy of what is found there, unless it may be believed.
func (r *run) resolve(ctx context.Context, v any, believed bool) (map[string]any, error) {
	embedded, there := v.(map[string]any)
	address := idOf(v)
	switch {
	case there && (believed || web(address) == nil):
		return embedded, nil
	case web(address) == nil:
		return nil, errors.New("it has no address")
	}
	return r.document(ctx, address)
}

// inScope tells whether the issuer says that its assertions are found at such an
// address. Open Badges 2.0, VerificationObject: startsWith, allowedOrigins; where neither is
// given it is the host of the issuer.
func inScope(issuer map[string]any, address string) (bool, string) {
	at := web(address)
	own := web(strictjson.Text(issuer, "id"))
	if at == nil || own == nil {
		return false, "one of them has no address"
	}
	policy := object(issuer, "verification")
	if prefixes := strictjson.Texts(policy["startsWith"]); len(prefixes) > 0 {
		for _, prefix := range prefixes {
			// https://a.example must not open https://a.example.evil.
			if p := web(prefix); p != nil && p.Scheme == at.Scheme && strings.EqualFold(p.Host, at.Host) && strings.HasPrefix(address, prefix) {
				return true, "its profile says that they begin with " + strconv.Quote(cut(prefix))
			}
		}
		return false, "the profile of the issuer says that its assertions begin otherwise"
	}
	if origins := strictjson.Texts(policy["allowedOrigins"]); len(origins) > 0 {
		for _, origin := range origins {
			if o := web(origin); strings.EqualFold(origin, at.Host) || o != nil && strings.EqualFold(o.Host, at.Host) {
				return true, "its profile allows " + strconv.Quote(cut(origin))
			}
		}
		return false, "the profile of the issuer does not allow the host of the assertion"
	}
	if strings.EqualFold(at.Host, own.Host) {
		return true, "the assertion and the profile of the issuer are on the same host"
	}
	return false, "the assertion and the profile of the issuer are on different hosts"
}

// grave are the members whose change makes another badge of a copy.
var grave = []string{"id", "type", "recipient", "badge", "issuedOn", "expires", "verification"}

// differences lists where a copy says something else than what is published: what
// matters, by its pointer, and what may have been amended since, by its name.
func differences(given, published map[string]any) (important, slight []string) {
	for _, name := range sortedNames(given) {
		if name == "@context" || alike(given[name], published[name]) {
			continue
		}
		if slices.Contains(grave, name) {
			important = append(important, deepest("/"+name, given[name], published[name]))
		} else {
			slight = append(slight, strconv.Quote(cut(name)))
		}
	}
	return important, slight
}

// deepest follows a difference into the one member that differs, if it is one.
func deepest(at string, a, b any) string {
	x, ok := a.(map[string]any)
	y, both := b.(map[string]any)
	if !ok || !both {
		return at
	}
	var found []string
	for _, name := range sortedNames(x) {
		if !alike(x[name], y[name]) {
			found = append(found, name)
		}
	}
	if len(found) != 1 {
		return at
	}
	return deepest(at+"/"+found[0], x[found[0]], y[found[0]])
}

// alike compares as JSON-LD does as far as assertions need it: one value or a list of
// one, an object or its id.
func alike(a, b any) bool {
	if l, ok := a.([]any); ok && len(l) == 1 {
		a = l[0]
	}
	if l, ok := b.([]any); ok && len(l) == 1 {
		b = l[0]
	}
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			s, ok := b.(string)
			return ok && s != "" && s == strictjson.Text(x, "id")
		}
		for name := range x {
			if !alike(x[name], y[name]) {
				return false
			}
		}
		return len(x) > 0 || len(y) == 0
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, alike)
	case string:
		if y, ok := b.(map[string]any); ok {
			return x != "" && x == strictjson.Text(y, "id")
		}
	}
	return a == b
}

func sortedNames(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// rules checks the data model of all that is known.
func (b *badge) rules(j *report.Judgement) {
	r := &rules{}
	r.assertion(b.assertion)
	if b.class != nil {
		r.badgeClass("/badge", b.class)
	}
	if b.issuer != nil {
		r.issuer("/badge/issuer", b.issuer)
	}
	if len(r.found) == 0 {
		j.Add(credential.CheckRules, report.Passed, "assertion, badge class and issuer keep to the rules of the data model, as far as they are known", "")
		return
	}
	j.Fail(credential.CheckRules, violated(r.found)...)
}

func violated(found []openbadges.Violation) []report.Problem {
	problems := make([]report.Problem, len(found))
	for i, v := range found {
		problems[i] = problem(malformed, v.Detail+" ("+v.Rule+")", v.Remedy)
		problems[i].Pointer = v.Pointer
	}
	return problems
}

func (r *run) dates(j *report.Judgement, b *badge) {
	issued, ok := moment(strictjson.Text(b.assertion, "issuedOn"))
	expires, until := time.Time{}, strictjson.Text(b.assertion, "expires")
	okUntil := until == ""
	if !okUntil {
		expires, okUntil = moment(until)
	}
	switch {
	case !ok || !okUntil:
		j.Fail(credential.CheckDates, problem(malformed, "a date cannot be read", "Give it as 2006-01-02T15:04:05Z."))
	case r.now.Before(issued):
		j.Fail(credential.CheckDates, problem(ranged, "it is issued only on "+report.Date(issued), "Wait until then."))
	case !expires.IsZero() && r.now.After(expires):
		j.Fail(credential.CheckDates, problem(ranged, "it expired on "+report.Date(expires), "Ask the issuer for a new one."))
	case expires.IsZero():
		j.Add(credential.CheckDates, report.Passed, "it is valid and does not expire", "")
	default:
		j.Add(credential.CheckDates, report.Passed, "it is valid until "+report.Date(expires), "")
	}
	j.Evidence("issuedOn "+strictjson.Text(b.assertion, "issuedOn"), "now "+r.now.UTC().Format(time.RFC3339))
	if until != "" {
		j.Evidence("expires " + until)
	}
}

// status: Open Badges 2.0, Assertion: revoked; RevocationList for signed badges.
func (r *run) status(ctx context.Context, j *report.Judgement, p *Parsed, b *badge) {
	const name = credential.CheckStatus
	revoked := func(reason string) {
		j.Fail(name, problem(ranged, "the issuer revoked it"+quoted(reason), "Ask the issuer why."))
	}
	said, _ := b.assertion["revoked"].(bool)
	switch {
	case b.withdrawn:
		revoked(b.reason)
		return
	case said:
		revoked(strictjson.Text(b.assertion, "revocationReason"))
		return
	case !j.Holds(credential.CheckContext, CheckHosted, credential.CheckProof, credential.CheckIssuer):
		j.Add(name, report.Skipped, "this was not looked at, since nothing proves that the badge is genuine", "")
		return
	case p.Token == nil:
		j.Add(name, report.Passed, "its issuer still publishes it, and does not say that it was revoked", "")
		return
	}
	address := idOf(b.issuer["revocationList"])
	if address == "" {
		j.Add(name, report.Skipped, "the issuer names no revocation list, so it cannot be revoked", "")
		return
	}
	switch listed, reason, err := r.listed(ctx, b.issuer, b.assertion); {
	case errors.Is(err, errForeign):
		j.Doubt(name, problem(away, err.Error(), "Ask the issuer to publish its own."))
	case err != nil:
		j.Doubt(name, problem(away, "the revocation list of the issuer could not be read: "+err.Error(), "Try again later."))
	case listed:
		revoked(reason)
	default:
		j.Add(name, report.Passed, "it is not on the revocation list of the issuer", "")
	}
	j.Evidence(address)
}

var errForeign = errors.New("the revocation list is of another issuer")

// listed tells whether what an issuer signed stands on its revocation list, where it
// has one. Open Badges 2.0, RevocationList.
func (r *run) listed(ctx context.Context, issuer, signed map[string]any) (revoked bool, reason string, err error) {
	address := idOf(issuer["revocationList"])
	if address == "" {
		return false, "", nil
	}
	revocations, err := r.ask(ctx, address)
	if err != nil {
		return false, "", err
	}
	if by := idOf(revocations["issuer"]); by != "" && by != strictjson.Text(issuer, "id") {
		return false, "", errForeign
	}
	id, uid := strictjson.Text(signed, "id"), strictjson.Text(signed, "uid")
	for _, entry := range strictjson.List(revocations["revokedAssertions"]) {
		e, _ := entry.(map[string]any)
		if listed := idOf(entry); listed != "" && listed == id || uid != "" && strictjson.Text(e, "uid") == uid {
			return true, strictjson.Text(e, "revocationReason"), nil
		}
	}
	return false, "", nil
}

// identityTypes are the kinds of identity by the names of Open Badges 3.0, whose
// comparison is used.
var identityTypes = map[string]string{"email": openbadges.IdentityTypeEmail, "schema:email": openbadges.IdentityTypeEmail}

func recipient(j *report.Judgement, assertion map[string]any, expected string) {
	const name = credential.CheckRecipient
	if expected == "" {
		j.Add(name, report.Skipped, "nobody was named whose badge it should be", "")
		return
	}
	m := object(assertion, "recipient")
	kind := strings.Join(strictjson.Texts(m["type"]), " ")
	hashed, _ := m["hashed"].(bool)
	o := openbadges.IdentityObject{Hashed: hashed, IdentityHash: strictjson.Text(m, "identity"), IdentityType: identityTypes[kind], Salt: strictjson.Text(m, "salt")}
	if openbadges.MatchIdentity(o, expected) || !hashed && strings.TrimPrefix(o.IdentityHash, "mailto:") == expected {
		j.Add(name, report.Passed, "it was awarded to whom you named", "")
	} else {
		j.Fail(name, problem(malformed, "it was awarded to somebody else than whom you named", "Ask the holder which address it was awarded to."))
	}
	how := "compared with the identity of the type " + cut(kind)
	if hashed {
		how += ", which is hashed"
	}
	j.Evidence(how)
}

// documents are what was found, for those who go on with it.
func (b *badge) documents() map[string]json.RawMessage {
	found := map[string]json.RawMessage{}
	for name, document := range map[string]map[string]any{"assertion": b.assertion, "badge": b.class, "issuer": b.issuer} {
		if text, err := json.Marshal(document); err == nil && document != nil {
			found[name] = text
		}
	}
	return found
}

// describe fills in what the badge says of itself.
func (b *badge) describe(r *report.Report) {
	r.Documents = b.documents()
	r.ID = strictjson.Text(b.assertion, "id")
	r.ValidFrom, r.ValidUntil = strictjson.Text(b.assertion, "issuedOn"), strictjson.Text(b.assertion, "expires")
	if m := object(b.assertion, "recipient"); m["hashed"] == false {
		r.Recipient.ID = strictjson.Text(m, "identity")
	}
	class := b.class
	if class == nil {
		class = object(b.assertion, "badge")
	}
	criteria, _ := class["criteria"].(string)
	if c := object(class, "criteria"); criteria == "" {
		if criteria = strictjson.Text(c, "narrative"); criteria == "" {
			criteria = strictjson.Text(c, "id")
		}
	}
	r.Name = strictjson.Text(class, "name")
	r.Achievement = report.Summary{ID: idOf(b.assertion["badge"]), Name: r.Name, Description: strictjson.Text(class, "description"), Criteria: criteria, Image: idOf(class["image"])}
	issuer := b.issuer
	if issuer == nil {
		issuer = object(class, "issuer")
	}
	r.Issuer = report.Party{ID: strictjson.Text(issuer, "id"), Name: strictjson.Text(issuer, "name")}
	if r.Issuer.ID == "" {
		r.Issuer.ID = idOf(class["issuer"])
	}
}

// endorsements verifies the endorsements of assertion, badge class and issuer.
func (r *run) endorsements(ctx context.Context, j *report.Judgement, b *badge) {
	const name = credential.CheckEndorsements
	type item struct {
		value any
		about string
	}
	var found []item
	for _, m := range []map[string]any{b.assertion, b.class, b.issuer} {
		for _, value := range strictjson.List(m["endorsement"]) {
			found = append(found, item{value, strictjson.Text(m, "id")})
		}
	}
	switch {
	case len(found) == 0:
		j.Add(name, report.Skipped, "nobody endorsed it", "")
		return
	case !j.Holds(credential.CheckContext, CheckHosted, credential.CheckProof, credential.CheckIssuer):
		j.Add(name, report.Skipped, "this was not looked at, since nothing proves that the badge is genuine", "")
		return
	}
	var against, doubts []report.Problem
	var evidence []string
	own := 0
	for i, e := range found[:min(len(found), maxEndorsements)] {
		id, by, problems := r.endorsement(ctx, e.value, e.about)
		for _, p := range problems {
			p.Detail = fmt.Sprintf("Endorsement %d: %s", i+1, p.Detail)
			if p.Type == away {
				doubts = append(doubts, p)
			} else {
				against = append(against, p)
			}
		}
		if by != "" && (by == e.about || by == strictjson.Text(b.issuer, "id")) {
			own++
		}
		evidence = append(evidence, fmt.Sprintf("%d: %s by %s", i+1, cut(id), cut(by)))
	}
	if len(found) > maxEndorsements {
		doubts = append(doubts, problem(away, fmt.Sprintf("there are more than %d endorsements; the others were not looked at", maxEndorsements), ""))
	}
	switch {
	case len(against) > 0:
		j.Fail(name, append(against, doubts...)...)
	case len(doubts) > 0:
		j.Doubt(name, doubts...)
	case own > 0:
		j.Add(name, report.Warning, fmt.Sprintf("%d of %d endorsements, though genuine, are by the issuer itself or by whom they endorse, and so count for little", own, len(found)), "")
	default:
		j.Add(name, report.Passed, fmt.Sprintf("all %d endorsements are published or signed by who endorsed", len(found)), "")
	}
	j.Evidence(evidence...)
}

// endorsement verifies one, which is hosted, or a compact JWS in the place of its
// address: Open Badges 2.0, Endorsement, has both as for assertions.
func (r *run) endorsement(ctx context.Context, value any, about string) (id, by string, problems []report.Problem) {
	if s, ok := value.(string); ok && web(s) == nil && strings.Count(s, ".") == 2 {
		return r.signedEndorsement(ctx, s, about)
	}
	id = idOf(value)
	m, err := r.resolve(ctx, value, false)
	if err == nil && web(id) == nil {
		err = errors.New("it has no address at which its issuer could publish it")
		if verification := object(m, "verification"); is(verification, "SignedBadge") || is(verification, "signed") {
			err = errors.New("it says that it is signed, but it came without its signature")
		}
	}
	if undecided(err) {
		return id, "", []report.Problem{problem(away, "it could not be asked for: "+err.Error(), "Try again later.")}
	}
	if err != nil {
		return id, "", []report.Problem{problem(security, "it is not published: "+err.Error(), "Ask who endorsed.")}
	}
	issuer, problems := r.endorsed(ctx, m, about)
	if issuer == nil {
		return id, "", problems
	}
	if ok, how := inScope(issuer, id); !ok {
		problems = append(problems, problem(security, "nothing proves who endorsed: "+how, ""))
	}
	return id, strictjson.Text(issuer, "id"), problems
}

// signedEndorsement verifies a compact JWS around an endorsement: by a key that the
// profile of whoever endorsed lists.
func (r *run) signedEndorsement(ctx context.Context, s, about string) (id, by string, problems []report.Problem) {
	token, err := jose.Parse([]byte(s))
	if err != nil {
		return "", "", []report.Problem{problem(parsing, "it is no compact JWS", "Give the token as it was issued.")}
	}
	m := token.Payload
	id = strictjson.Text(m, "id")
	if verification := object(m, "verification"); is(verification, "HostedBadge") || is(verification, "hosted") {
		return id, "", []report.Problem{problem(security, "it is signed, but says that it is hosted", "Ask who endorsed for one that says one thing.")}
	}
	issuer, problems := r.endorsed(ctx, m, about)
	if issuer == nil {
		return id, "", problems
	}
	by = strictjson.Text(issuer, "id")
	key, _, err := r.key(ctx, m, issuer)
	var unfit *jose.Error
	switch {
	case undecided(err):
		return id, by, append(problems, problem(away, "the key of who endorsed could not be asked for: "+err.Error(), "Try again later."))
	case err != nil:
		return id, by, append(problems, problem(security, "the key of who endorsed cannot be used: "+err.Error(), "Ask who endorsed to publish the key."))
	}
	if err := token.VerifyWith(key); errors.As(err, &unfit) {
		return id, by, append(problems, problem(security, unfit.Problem, unfit.Remedy))
	} else if err != nil {
		return id, by, append(problems, problem(security, "the signature is not good", ""))
	}
	switch revoked, reason, err := r.listed(ctx, issuer, m); {
	case errors.Is(err, errForeign):
		problems = append(problems, problem(away, err.Error(), "Ask who endorsed."))
	case err != nil:
		problems = append(problems, problem(away, "the revocation list of who endorsed could not be read: "+err.Error(), "Try again later."))
	case revoked:
		problems = append(problems, problem(ranged, "it was revoked"+quoted(reason), "Ask who endorsed."))
	}
	return id, by, problems
}

// endorsed checks what an endorsement says, and finds who says it: nil where that is
// not known.
func (r *run) endorsed(ctx context.Context, m map[string]any, about string) (issuer map[string]any, problems []report.Problem) {
	rules := &rules{}
	rules.endorsement(m)
	problems = violated(rules.found)
	if revoked, _ := m["revoked"].(bool); revoked {
		problems = append(problems, problem(ranged, "it was revoked", "Ask who endorsed."))
	}
	if claimed := strictjson.Text(object(m, "claim"), "id"); claimed != "" && claimed != about {
		problems = append(problems, problem(malformed, "it is about something else than what it stands in", ""))
	}
	for _, name := range [...]string{"issuedOn", "expires"} {
		at, ok := moment(strictjson.Text(m, name))
		switch {
		case !ok && m[name] != nil && name == "expires":
			problems = append(problems, problem(malformed, "a date cannot be read", "Give it as 2006-01-02T15:04:05Z."))
		case ok && name == "expires" && r.now.After(at):
			problems = append(problems, problem(ranged, "it expired on "+report.Date(at), "Ask who endorsed for a new one."))
		case ok && name == "issuedOn" && r.now.Before(at):
			problems = append(problems, problem(ranged, "it is issued only on "+report.Date(at), "Wait until then."))
		}
	}
	if web(idOf(m["issuer"])) == nil {
		return nil, append(problems, problem(security, "who endorsed has no address, so that nothing is known of who it is", ""))
	}
	issuer, err := r.resolve(ctx, m["issuer"], false)
	switch {
	case undecided(err):
		return nil, append(problems, problem(away, "who endorsed could not be asked: "+err.Error(), "Try again later."))
	case err != nil:
		return nil, append(problems, problem(security, "who endorsed is not known: "+err.Error(), ""))
	}
	return issuer, problems
}

// quoted is a reason behind what happened for it.
func quoted(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + strconv.Quote(cut(reason))
}

// cut shortens what strangers sent, so that no report grows with it.
func cut(s string) string {
	if len(s) > 200 {
		return strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}
