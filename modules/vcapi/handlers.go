package vcapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
)

type handlers struct{ service *Service }

type issueInput struct {
	Credential json.RawMessage `json:"credential" doc:"The credential without a proof."`
	Options    issueOptions    `json:"options,omitempty"`
}

type issueOptions struct {
	Cryptosuite       string       `json:"cryptosuite,omitempty" doc:"How to sign; otherwise as the issuer signs."`
	MandatoryPointers []string     `json:"mandatoryPointers,omitempty" doc:"JSON Pointers to what a holder must always show; they ask for ecdsa-sd-2023."`
	Proof             []proofInput `json:"proof,omitempty" doc:"Several embedded proofs, in the place of cryptosuite and mandatoryPointers: a set, unless chain says otherwise."`
	Chain             bool         `json:"chain,omitempty" doc:"Each proof covers the one before it."`
	Format            string       `json:"format,omitempty" enum:"vc+jwt" doc:"In a token: the answer is an EnvelopedVerifiableCredential. It holds the embedded proofs that are asked for, or none."`
	Algorithm         string       `json:"alg,omitempty" enum:"ES256,ES384,RS256,EdDSA" doc:"Of the token; otherwise ES256, RS256, ES384 or EdDSA, the first that a key of the issuer signs by."`
	StatusPurpose     any          `json:"statusPurpose,omitempty" doc:"revocation, which it is unless given, suspension, or a list of both."`
}

type proofInput struct {
	Cryptosuite       string   `json:"cryptosuite,omitempty"`
	MandatoryPointers []string `json:"mandatoryPointers,omitempty"`
}

type issueOutput struct {
	VerifiableCredential any `json:"verifiableCredential" doc:"The credential with its proof, or an EnvelopedVerifiableCredential."`
}

type deriveInput struct {
	VerifiableCredential json.RawMessage `json:"verifiableCredential" doc:"A credential with a base proof of ecdsa-sd-2023."`
	Options              struct {
		SelectivePointers []string `json:"selectivePointers,omitempty" doc:"JSON Pointers to what is shown beside what is mandatory."`
	} `json:"options,omitempty"`
}

type verifyInput struct {
	VerifiableCredential json.RawMessage `json:"verifiableCredential" doc:"The credential with its proof, or an EnvelopedVerifiableCredential."`
	Options              struct {
		Checks []string `json:"checks,omitempty" doc:"Taken and passed over: every check is made."`
	} `json:"options,omitempty"`
}

type verifyOutput struct {
	credential.Report
	Results map[string]any `json:"results" doc:"Empty; the results are in checks."`
}

type statusInput struct {
	CredentialID     string `json:"credentialId" doc:"The id of the credential."`
	CredentialStatus struct {
		Type          string `json:"type" doc:"BitstringStatusListEntry."`
		StatusPurpose string `json:"statusPurpose" doc:"revocation or suspension."`
	} `json:"credentialStatus"`
	Status bool   `json:"status" doc:"true, which it is unless given, sets it; a suspension false lifts, a revocation cannot be taken back."`
	Reason string `json:"reason,omitempty" doc:"Why; kept here."`
}

type statusOutput struct {
	CredentialID string `json:"credentialId"`
	Status       bool   `json:"status"`
}

type presentationInput struct {
	VerifiablePresentation json.RawMessage `json:"verifiablePresentation"`
	Options                struct {
		Domain    string `json:"domain,omitempty" doc:"What the holder was asked to sign for."`
		Challenge string `json:"challenge,omitempty" doc:"What the holder was asked to sign."`
	} `json:"options,omitempty"`
}

type presentationOutput struct {
	credential.PresentationReport
	Results map[string]any `json:"results" doc:"Empty; the results are in checks and credentials."`
}

// body reads a request strictly, each member once, and its options.
func body(c *fiber.Ctx) (members, options map[string]any, err error) {
	mediaType := httpserver.MediaType(c)
	if mediaType != fiber.MIMEApplicationJSON && !strings.HasSuffix(mediaType, "+json") {
		return nil, nil, ErrMediaType.Detailf("Send JSON with \"Content-Type: application/json\".")
	}
	value, err := strictjson.Parse(c.BodyRaw())
	if err != nil {
		f := ErrUnreadable.With(err)
		var e *strictjson.Error
		if errors.As(err, &e) {
			f = f.Violating(fault.Violation{Pointer: e.Pointer, Rule: "RFC 8259 (JSON), RFC 7493 (I-JSON)", Detail: e.Problem, Remedy: e.Remedy})
		}
		return nil, nil, f
	}
	members, ok := value.(map[string]any)
	if !ok {
		return nil, nil, misshapen("", "the body is no object", "Send an object.")
	}
	switch o := members["options"].(type) {
	case nil:
		options = map[string]any{}
	case map[string]any:
		options = o
	default:
		return nil, nil, misshapen("/options", "options is no object", "Give an object, or leave it out.")
	}
	return members, options, nil
}

func misshapen(pointer, detail, remedy string) error {
	return ErrUnreadable.Violating(fault.Violation{Pointer: pointer, Rule: "request schema", Detail: detail, Remedy: remedy})
}

// object takes one member, which must be an object.
func object(members map[string]any, name string) (map[string]any, error) {
	o, ok := members[name].(map[string]any)
	if !ok {
		return nil, misshapen("/"+name, name+" is missing or no object", "Give it as an object, not as text.")
	}
	return o, nil
}

// pointers takes an option that is a list of JSON Pointers.
func pointers(options map[string]any, name string) ([]string, error) {
	value, there := options[name]
	if !there {
		return nil, nil
	}
	entries, ok := value.([]any)
	if !ok {
		return nil, ErrOption.Detailf("%s must be a list of JSON Pointers.", name)
	}
	found := make([]string, len(entries))
	for i, entry := range entries {
		// RFC 6901, 3 (Syntax).
		s, ok := entry.(string)
		if !ok || s != "" && s[0] != '/' {
			return nil, ErrOption.Detailf("%s must be a list of JSON Pointers, such as \"/issuer\".", name)
		}
		found[i] = s
	}
	return found, nil
}

func option(options map[string]any, name string) (string, error) {
	value, there := options[name]
	s, ok := value.(string)
	if there && !ok {
		return "", ErrOption.Detailf("%s must be a text.", name)
	}
	return s, nil
}

// silent are options that other implementations send and that change nothing here.
var silent = []string{"checks", "type", "created", "verificationMethod", "proofPurpose", "credentialId", "extractVpToken"}

func (h handlers) issue(c *fiber.Ctx) error {
	members, options, err := body(c)
	if err != nil {
		return err
	}
	document, err := object(members, "credential")
	if err != nil {
		return err
	}
	o, err := issuing(options, c.Query("cryptosuite"))
	if err != nil {
		return err
	}
	signed, err := h.service.Issue(c.UserContext(), document, o)
	if err != nil {
		return err
	}
	return httpserver.JSON(c, http.StatusCreated, issueOutput{signed})
}

// issuing reads how a credential is to be signed. What is not known must not seem to
// have been done.
func issuing(options map[string]any, suite string) (o IssueOptions, err error) {
	for name := range options {
		switch name {
		case "cryptosuite", "mandatoryPointers", "proof", "chain", "format", "alg", "statusPurpose":
		default:
			if !slices.Contains(silent, name) {
				return o, ErrOption.Detailf("The option %q is not known here.", shown(name))
			}
		}
	}
	alone, err := proofOption(options)
	if err != nil {
		return o, err
	}
	if alone.Cryptosuite == "" {
		alone.Cryptosuite = suite
	}
	given := alone.Cryptosuite != "" || len(alone.MandatoryPointers) > 0
	switch several, there := options["proof"].([]any); {
	case there && given:
		return o, ErrOption.Detailf("Give either proof, or cryptosuite and mandatoryPointers.")
	case there && len(several) > 0:
		for _, entry := range several {
			members, ok := entry.(map[string]any)
			if !ok {
				return o, ErrOption.Detailf("proof must be a list of objects, such as {\"cryptosuite\": \"eddsa-rdfc-2022\"}.")
			}
			for name := range members {
				if name != "cryptosuite" && name != "mandatoryPointers" {
					return o, ErrOption.Detailf("The member %q of proof is not known here.", shown(name))
				}
			}
			p, err := proofOption(members)
			if err != nil {
				return o, err
			}
			o.Proofs = append(o.Proofs, p)
		}
	case options["proof"] != nil:
		return o, ErrOption.Detailf("proof must be a list with at least one object.")
	case given:
		o.Proofs = []ProofOptions{alone}
	}
	if o.Format, err = option(options, "format"); err != nil {
		return o, err
	}
	if o.Algorithm, err = option(options, "alg"); err != nil {
		return o, err
	}
	if chain, there := options["chain"]; there {
		if o.Chain, there = chain.(bool); !there {
			return o, ErrOption.Detailf("chain must be true or false.")
		}
	}
	for _, entry := range strictjson.List(options["statusPurpose"]) {
		purpose, ok := entry.(string)
		if !ok {
			return o, ErrOption.Detailf("statusPurpose must be a text, or a list of texts.")
		}
		o.StatusPurposes = append(o.StatusPurposes, purpose)
	}
	return o, nil
}

func proofOption(members map[string]any) (p ProofOptions, err error) {
	if p.MandatoryPointers, err = pointers(members, "mandatoryPointers"); err != nil {
		return p, err
	}
	p.Cryptosuite, err = option(members, "cryptosuite")
	return p, err
}

func (h handlers) derive(c *fiber.Ctx) error {
	members, options, err := body(c)
	if err != nil {
		return err
	}
	document, err := object(members, "verifiableCredential")
	if err != nil {
		return err
	}
	selected, err := pointers(options, "selectivePointers")
	if err != nil {
		return err
	}
	derived, err := h.service.Derive(c.UserContext(), document, selected)
	if err != nil {
		return err
	}
	return httpserver.JSON(c, http.StatusCreated, issueOutput{derived})
}

func (h handlers) verify(c *fiber.Ctx) error {
	members, _, err := body(c)
	if err != nil {
		return h.unverified(c, err)
	}
	document, err := object(members, "verifiableCredential")
	if err != nil {
		return h.unverified(c, err)
	}
	text, err := json.Marshal(document)
	if err != nil {
		return err
	}
	p, err := credential.Parse(text)
	if err != nil {
		return h.unverified(c, refused(err, ErrUnreadable))
	}
	report, err := h.service.Verify(c.UserContext(), p)
	if err != nil {
		return err
	}
	if report.Exhausted {
		return ErrEffort.Violating(tooMuch)
	}
	return answer(c, report.Verified, verifyOutput{report, map[string]any{}})
}

func (h handlers) verifyPresentation(c *fiber.Ctx) error {
	members, options, err := body(c)
	if err != nil {
		return h.unverified(c, err)
	}
	document, err := object(members, "verifiablePresentation")
	if err != nil {
		return h.unverified(c, err)
	}
	domain, err := option(options, "domain")
	if err != nil {
		return h.unverified(c, err)
	}
	challenge, err := option(options, "challenge")
	if err != nil {
		return h.unverified(c, err)
	}
	report, err := h.service.VerifyPresentation(c.UserContext(), document, domain, challenge)
	var unreadable *credential.ParseError
	switch {
	case errors.As(err, &unreadable): // an envelope around nothing
		return h.unverified(c, refused(err, ErrUnreadable))
	case err != nil:
		return err
	}
	if report.Exhausted {
		return ErrEffort.Violating(tooMuch)
	}
	return answer(c, report.Verified, presentationOutput{report, map[string]any{}})
}

// answer is 200 for what is verified and 400 for what is not, as this API has it.
func answer(c *fiber.Ctx, verified bool, v any) error {
	status := http.StatusOK
	if !verified {
		status = http.StatusBadRequest
	}
	return httpserver.JSON(c, status, v)
}

// unverified answers what cannot even be read: it is not verified either.
func (h handlers) unverified(c *fiber.Ctx, err error) error {
	f, ok := fault.From(err)
	if !ok || f.Kind() != fault.Malformed {
		return err
	}
	const parsing = "https://www.w3.org/TR/vc-data-model#PARSING_ERROR"
	problems := make([]credential.Problem, 0, 1)
	for _, v := range f.Violations() {
		problems = append(problems, credential.Problem{Type: parsing, Title: "It cannot be read", Detail: sentence(strings.TrimSuffix(v.Detail, ".")), Pointer: v.Pointer, Remedy: v.Remedy})
	}
	if len(problems) == 0 {
		problems = append(problems, credential.Problem{Type: parsing, Title: "It cannot be read", Detail: f.Message() + " " + f.Detail()})
	}
	return answer(c, false, struct {
		Verified bool                 `json:"verified"`
		Problems []credential.Problem `json:"problemDetails"`
		Code     string               `json:"code"`
	}{false, problems, f.Code()})
}

func (h handlers) status(c *fiber.Ctx) error {
	members, _, err := body(c)
	if err != nil {
		return err
	}
	entry, err := object(members, "credentialStatus")
	if err != nil {
		return err
	}
	change := Change{CredentialID: strictjson.Text(members, "credentialId"), Purpose: strictjson.Text(entry, "statusPurpose"), Reason: strictjson.Text(members, "reason")}
	switch v := members["status"].(type) {
	case bool:
		change.On = v
	case string: // earlier drafts have a text
		change.On = v == "1" || v == "true"
	case nil: // and later ones none: to ask for a purpose is to set it
		_, there := members["status"]
		if change.On = !there; there {
			return misshapen("/status", "status is null", "Give true or false, or leave it out to set it.")
		}
	default:
		return misshapen("/status", "status is missing or neither true nor false", "Give true to revoke or suspend, or false to lift a suspension.")
	}
	if err := h.service.SetStatus(c.UserContext(), change); err != nil {
		return err
	}
	return httpserver.JSON(c, http.StatusOK, statusOutput{change.CredentialID, change.On})
}

func shown(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}
