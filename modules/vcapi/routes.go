package vcapi

import (
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
)

const (
	deadline  = 30 * time.Second
	bodyLimit = credential.MaxBytes + 64<<10
)

// Routes is the table of URLs of this module.
func Routes(s *Service) httpserver.Table {
	h := handlers{s}
	sign := httpserver.Scope(principal.ScopeCredentialsSign)
	open := httpserver.Public()
	suite := httpserver.Query("cryptosuite", "How to sign, for callers that cannot say it in the options; otherwise as the key of the issuer signs.",
		"eddsa-rdfc-2022", "eddsa-jcs-2022", "ecdsa-rdfc-2019", "ecdsa-jcs-2019", "ecdsa-sd-2023")
	return httpserver.Table{
		{Method: "POST", Path: "/vc/credentials/issue", Access: sign, Handler: h.issue, Tag: "VC API", Summary: "Sign a credential that you wrote",
			Description: "`{\"credential\": …, \"options\": {\"mandatoryPointers\": […]}}`. The credential names its issuer: the address or the did:web of an issuer here, or the did:key of one of its keys. Mandatory pointers ask for ecdsa-sd-2023. A credential of data model 2.0 gets a status entry unless it brings a status. The proof is one object, unless the options ask for several.",
			Params:      []httpserver.Param{suite}, Request: issueInput{}, Response: issueOutput{}, Status: 201, Errors: []int{400, 413, 415, 422}, Deadline: deadline, BodyLimit: bodyLimit},
		{Method: "POST", Path: "/vc/credentials/derive", Access: open, Handler: h.derive, Costly: true, Tag: "VC API", Summary: "Derive a credential that shows less",
			Description: "Takes a credential with a base proof of ecdsa-sd-2023, which its holder has, and `options.selectivePointers`: what to show beside what the issuer made mandatory.",
			Request:     deriveInput{}, Response: issueOutput{}, Status: 201, Errors: []int{400, 413, 415}, Deadline: deadline, BodyLimit: bodyLimit},
		{Method: "POST", Path: "/vc/credentials/verify", Access: open, Handler: h.verify, Costly: true, Tag: "VC API", Summary: "Verify a credential of any kind",
			Description: "The answer is 200 for a credential that is verified, and 400, with `verified` false and the reasons in `problemDetails`, for every other; 422 for one that was given up, as to judge it takes more work than any credential needs. All checks are made whatever `options.checks` names.",
			Request:     verifyInput{}, Response: verifyOutput{}, Errors: []int{400, 413, 415, 422}, Deadline: deadline, BodyLimit: bodyLimit},
		{Method: "POST", Path: "/vc/credentials/status", Access: sign, Handler: h.status, Tag: "VC API", Summary: "Revoke, suspend or resume a credential",
			Description: "`{\"credentialId\": …, \"credentialStatus\": {\"type\": \"BitstringStatusListEntry\", \"statusPurpose\": \"revocation\"}, \"status\": true}`, for a credential that was signed here. A revocation cannot be undone; a suspension, which the credential must have an entry for, is lifted with `\"status\": false`.",
			Request:     statusInput{}, Response: statusOutput{}, Errors: []int{400, 404, 415}},
		{Method: "POST", Path: "/vc/presentations/verify", Access: open, Handler: h.verifyPresentation, Costly: true, Tag: "VC API", Summary: "Verify a presentation and what it holds",
			Description: "`options.domain` and `options.challenge` are what the holder was asked to sign for; in an EnvelopedVerifiablePresentation they are the claims aud and nonce. The answer is as of credentials/verify.",
			Request:     presentationInput{}, Response: presentationOutput{}, Errors: []int{400, 413, 415, 422}, Deadline: deadline, BodyLimit: bodyLimit},
	}
}
