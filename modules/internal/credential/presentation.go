package credential

import (
	"context"
	"fmt"
	"slices"

	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/credential/jose"
	"github.com/badge-engine/badge-engine/modules/internal/datamodel"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// CheckPresented is the check whether what a presentation holds is verified, CheckHolder
// whether its key is the holder's.
const (
	CheckPresented = "credentials"
	CheckHolder    = "holder"
)

// maxPresented bounds the credentials in one presentation.
const maxPresented = 20

// PresentationOptions say what a presentation was asked for with.
type PresentationOptions struct {
	Domain    string // nothing is asked when empty
	Challenge string // nothing is asked when empty

	// Rules judge each credential; those of Open Badges when nil.
	Rules func(document map[string]any) []openbadges.Violation
}

// PresentationReport says of a presentation what was checked and what was found.
type PresentationReport struct {
	Verified    bool      `json:"verified" doc:"Whether the presentation and all that it holds is verified."`
	Checks      []Check   `json:"checks" doc:"What was looked at, in order."`
	Problems    []Problem `json:"problemDetails" doc:"What is wrong, or could not be found out."`
	Exhausted   bool      `json:"-"` // it was given up, since to judge it took more work than any presentation needs
	Holder      string    `json:"holder,omitempty" doc:"Who presents, as far as it is said."`
	Credentials []Report  `json:"credentials" doc:"A report on each credential."`
}

// VerifyPresentation checks a presentation and each credential in it, within the same
// bounds as one credential. Its proof must be made for authentication, with the domain
// and the challenge that were asked for; the token of an enveloped one must say them as
// aud and nonce. An error is as of [Verifier.Verify].
//
// VC Data Model 2.0, 4.13 (Verifiable Presentations); Data Integrity 1.0, Verify Proof;
// Securing Verifiable Credentials using JOSE and COSE 1.0, 3.1.2.
func (v Verifier) VerifyPresentation(ctx context.Context, document map[string]any, o PresentationOptions) (PresentationReport, error) {
	r, trouble := v.begin(ctx)
	j := newJudgement()
	j.Rules = presentationSources
	tree := strictjson.NodeOf(document)
	var token *jose.Token
	if isOf(tree, "EnvelopedVerifiablePresentation") {
		var err error
		if token, document, err = openPresentation(tree); err != nil {
			return PresentationReport{}, err
		}
		tree = strictjson.NodeOf(document)
	}
	out := PresentationReport{Holder: party(tree.Get("holder")).ID, Problems: []Problem{}, Credentials: []Report{}}
	presented, transformed, err := r.transform(tree)
	if err != nil {
		j.fail(CheckContext, problemOf(err))
	} else {
		j.add(CheckContext, Passed, "every term and every type is defined by a known context", "")
	}
	if violations := datamodel.CheckPresentation(document); len(violations) > 0 {
		problems := make([]Problem, len(violations))
		for i, violation := range violations {
			problems[i] = violated(vcdm+"MALFORMED_VALUE_ERROR", violation)
		}
		j.fail(CheckRules, problems...)
	} else {
		j.add(CheckRules, Passed, "the presentation keeps to the rules of its data model", "")
	}
	if token != nil {
		r.presentedIn(ctx, j, token, out.Holder, o)
	} else {
		presented.presented(ctx, j, tree, transformed, out.Holder, o)
	}
	out.Credentials = r.contents(ctx, j, tree, out.Holder, o)
	if err := trouble(); err != nil {
		return PresentationReport{}, err
	}
	out.Checks, out.Verified, out.Exhausted = j.Checks, j.Good(), r.allowance.exhausted()
	out.Problems = append(out.Problems, j.Problems...)
	return out, nil
}

var presentationSources = map[string]string{
	CheckContext:   sources[CheckContext],
	CheckRules:     "Verifiable Credentials Data Model 2.0, 4.13 (Verifiable Presentations)",
	CheckProof:     "Data Integrity 1.0, 4.2 (Verify Proof): authentication, domain, challenge",
	CheckHolder:    "Verifiable Credentials Data Model 2.0, 4.13 (Verifiable Presentations): holder",
	CheckPresented: "Verifiable Credentials Data Model 2.0, 4.13 (Verifiable Presentations): verifiableCredential",
}

// presented checks who presents.
func (r run) presented(ctx context.Context, j *judgement, document *strictjson.Node, transformed *integrity.Transformed, holder string, o PresentationOptions) {
	const purpose = "authentication"
	r.Resolver.Purpose = purpose
	results, unprotected, err := r.verify(ctx, document,
		integrity.Expectation{Purpose: purpose, Domain: o.Domain, Challenge: o.Challenge, Now: r.now, Transformed: transformed})
	if err != nil {
		j.fail(CheckProof, problemOf(err))
		j.add(CheckHolder, Skipped, "there is no key to ask about", "")
		return
	}
	var broken []Problem
	away := true
	var keys []did.Key
	for _, result := range results {
		if result.Err == nil {
			keys = append(keys, result.Key)
			continue
		}
		broken = append(broken, problemOf(result.Err))
		away = away && unreachable(result.Err)
	}
	switch {
	case len(broken) > 0 && away:
		j.Doubt(CheckProof, broken...)
	case len(broken) > 0:
		j.fail(CheckProof, broken...)
	default:
		j.add(CheckProof, Passed, "the presentation is signed for authentication", "")
	}
	r.turned(j, unprotected)
	for _, result := range results {
		j.Evidence(proofEvidence(result.Proof))
	}
	j.held(keys, holder)
}

// openPresentation takes a presentation out of its envelope. VC Data Model 2.0, 4.13.2
// (Enveloped Verifiable Presentations).
func openPresentation(envelope *strictjson.Node) (*jose.Token, map[string]any, error) {
	body, err := enveloped(envelope, "vp")
	if err != nil {
		return nil, nil, err
	}
	token, err := jose.Parse([]byte(body))
	var document map[string]any
	if err == nil {
		document, err = token.Presentation()
	}
	if err != nil {
		return nil, nil, tokenError(err)
	}
	return token, document, nil
}

// presentedIn checks who presents in a token.
func (r run) presentedIn(ctx context.Context, j *judgement, token *jose.Token, holder string, o PresentationOptions) {
	r.Resolver.Purpose = "authentication"
	key, err := token.Verify(ctx, r.Resolver, holder, r.now)
	if err == nil {
		err = token.CheckPresented(holder, o.Domain, o.Challenge, r.now)
	}
	switch {
	case err == nil:
		j.add(CheckProof, Passed, "the signature of the token is good, and made for authentication", "")
	case unreachable(err):
		j.Doubt(CheckProof, problemOf(err))
	default:
		j.fail(CheckProof, problemOf(err))
	}
	j.Evidence(tokenEvidence(token))
	var keys []did.Key
	if err == nil {
		keys = []did.Key{key}
	}
	j.held(keys, holder)
}

// held checks that one of the keys that signed is the holder's.
func (j *judgement) held(keys []did.Key, holder string) {
	switch {
	case len(keys) == 0:
		j.add(CheckHolder, Skipped, "there is no good signature to ask about", "")
	case holder == "":
		j.add(CheckHolder, Skipped, "the presentation names no holder", "")
	case slices.ContainsFunc(keys, func(key did.Key) bool { belongs, _ := key.Belongs(holder); return belongs }):
		j.add(CheckHolder, Passed, "the key belongs to the holder", "")
		j.Evidence("holder " + holder)
	default:
		_, why := keys[0].Belongs(holder)
		j.fail(CheckHolder, problem(vcdm+"CRYPTOGRAPHIC_SECURITY_ERROR", "nothing proves that the key is the holder's: "+why, "Sign with a key that the document of the holder lists."))
	}
}

// contents checks what is presented by a holder.
//
// VC Data Model 2.0, 4.13.4 (Presentations Including Holder Claims): what holders say of
// themselves may be secured by the presentation alone, if its issuer is the holder.
func (r run) contents(ctx context.Context, j *judgement, document *strictjson.Node, holder string, o PresentationOptions) []Report {
	entries := document.Get("verifiableCredential").Items()
	if len(entries) == 0 {
		j.add(CheckPresented, Skipped, "the presentation holds no credential", "")
		return []Report{}
	}
	if !j.Holds(CheckContext, CheckProof, CheckHolder) {
		j.add(CheckPresented, Skipped, "this was not looked at, since nobody presents it", "")
		return []Report{}
	}
	if len(entries) > maxPresented {
		j.fail(CheckPresented, problem(vcdm+"RANGE_ERROR", fmt.Sprintf("the presentation holds %d credentials, and %d are the limit", len(entries), maxPresented), "Present fewer at once."))
		return []Report{}
	}
	reports := make([]Report, 0, len(entries))
	var against, doubts []Problem
	for i, entry := range entries {
		if entry.Kind != strictjson.Object {
			continue // the rules say so
		}
		p := &Parsed{tree: entry}
		if isOf(entry, "EnvelopedVerifiableCredential") {
			opened, err := fromEnvelope(entry)
			if err != nil {
				against = append(against, problem(vcdm+"PARSING_ERROR", fmt.Sprintf("credential %d cannot be read", i+1), ""))
				continue
			}
			p = opened
		}
		p.vouched = p.Token == nil && entry.Get("proof") == nil && holder != "" && party(entry.Get("issuer")).ID == holder
		report := r.judge(ctx, p, Options{Rules: o.Rules})
		failed := slices.ContainsFunc(report.Checks, func(c Check) bool { return c.Outcome == Failed })
		for _, found := range report.Problems {
			found.Detail = fmt.Sprintf("Credential %d: %s", i+1, found.Detail)
			if failed {
				against = append(against, found)
			} else {
				doubts = append(doubts, found)
			}
		}
		reports = append(reports, report)
	}
	switch {
	case len(against) > 0:
		j.fail(CheckPresented, append(against, doubts...)...)
	case len(doubts) > 0:
		j.Doubt(CheckPresented, doubts...)
	default:
		j.add(CheckPresented, Passed, fmt.Sprintf("all %d credentials are verified", len(reports)), "")
	}
	return reports
}
