package issuance

import (
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/assertion"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/platform/principal"
)

const (
	byQuery    = "A dry run comes first: without expected nothing is changed, and the answer says how many credentials would be. Repeat it with that number as expected; where it is another number by then, nothing is changed and the answer is 409. At least one member of the query must be given."
	suspending = "Everybody sees it where the credential's status entry speaks of suspension (statusPurpose of the order); where it speaks of revocation it shows on the pages and in the verifier of this server alone, and published is false."
)

// batchLimit is the largest file of a batch. It is held in memory while it is read.
const batchLimit = 32 << 20

// Routes is the table of URLs of this module.
func Routes(h *handlers) httpserver.Table {
	issue := httpserver.Scope(principal.ScopeCredentialsIssue)
	read := httpserver.Scope(principal.ScopeCredentialsRead, principal.ScopeCredentialsIssue)
	issuers := httpserver.Scope(principal.ScopeIssuersWrite)
	admin := httpserver.Scope(principal.ScopeAdmin)
	open := httpserver.Public()
	document := httpserver.Body{MediaTypes: []string{"application/vc+ld+json", "application/vc", "application/ld+json", "application/json", "application/vc+jwt", "text/html"}, Note: "The signed credential, byte for byte, or a page."}
	key := httpserver.Header("Idempotency-Key", "1 to 255 visible signs that name this order: repeated with the same body it issues once and answers the same credential.")
	ifMatch := httpserver.Header("If-Match", "The ETag you read: the change is refused with 412 if it was changed meanwhile.")
	return httpserver.Table{
		{Method: "POST", Path: "/api/v1/credentials", Access: issue, Handler: h.issue, Tag: "Credentials", Summary: "Issue a credential", Description: "Builds, lints, signs and stores a credential. The answer is 200 instead of 201 where an idempotency key names an order that was carried out before.", Params: []httpserver.Param{key}, Request: orderInput{}, Response: credentialOutput{}, Status: 201, Errors: []int{400, 409, 415, 422}},
		{Method: "GET", Path: "/api/v1/credentials", Access: read, Handler: h.list, Tag: "Credentials", Summary: "List credentials", Params: append(httpserver.PageParams(sorts...),
			httpserver.Query("issuerId", "only those of this issuer profile"),
			httpserver.Query("achievementId", "only those for this achievement"),
			httpserver.Query("recipient", "only those of this recipient: the e-mail address of the order, or if it had none, the id or the first identifier"),
			httpserver.Query("state", "only those in this state", string(Issued), string(Withdrawn)),
			httpserver.Query("status", "only those that are revoked, or suspended", "revoked", "suspended"),
		), Response: paging.Page[credentialOutput]{}, Errors: []int{400}},
		{Method: "GET", Path: "/api/v1/credentials/:id", Access: read, Handler: h.read, Tag: "Credentials", Summary: "Read a credential", Response: credentialOutput{}, Errors: []int{404, 410}},
		{Method: "PUT", Path: "/api/v1/credentials/:id", Access: issue, Handler: h.reissue, Tag: "Credentials", Summary: "Issue a new version of a credential", Description: "Same identifier, recipient and achievement, a later validFrom: this is how Open Badges supersedes a version.", Params: []httpserver.Param{ifMatch}, Request: Award{}, Response: credentialOutput{}, Errors: []int{400, 404, 410, 412, 415, 422}},
		{Method: "DELETE", Path: "/api/v1/credentials/:id", Access: issue, Handler: h.withdraw, Tag: "Credentials", Summary: "Stop keeping and publishing a credential", Description: "The document and the recipient are forgotten and the public address answers 410. It does not revoke: copies in the world stay valid.", Status: 204, Errors: []int{404, 410}},
		{Method: "POST", Path: "/api/v1/batches", Access: issue, Handler: h.acceptBatch, Tag: "Batches", Summary: "Issue to up to 100,000 recipients", Description: "NDJSON with an order on each line, as for one credential, or CSV whose first line names the columns. It is carried out in the background, in the order of the file; an order that cannot be issued does not hinder the others. A dry run checks every order and issues none.", Params: []httpserver.Param{
			key, httpserver.Query("achievementId", "of the orders that name none"), httpserver.Query("dryRun", "check the orders and issue none", "true", "false"),
		}, Request: httpserver.Body{MediaTypes: []string{"application/x-ndjson", "text/csv", "multipart/form-data"}, Note: "The file, or a form with it in the field file."}, Response: batchOutput{}, Status: 202, Deadline: 2 * time.Minute, BodyLimit: batchLimit, Errors: []int{400, 409, 413, 415, 422}},
		{Method: "GET", Path: "/api/v1/batches", Access: issue, Handler: h.listBatches, Tag: "Batches", Summary: "List batches", Description: "The caller's, or everybody's for an administrator; the newest first.", Params: append(httpserver.PageParams(batchSorts...),
			httpserver.Query("state", "only those in this state", string(BatchRunning), string(BatchCompleted), string(BatchCancelled)),
		), Response: paging.Page[batchOutput]{}, Errors: []int{400}},
		{Method: "GET", Path: "/api/v1/batches/:id", Access: issue, Handler: h.readBatch, Tag: "Batches", Summary: "How far a batch has come", Response: batchOutput{}, Errors: []int{404}},
		{Method: "GET", Path: "/api/v1/batches/:id/lines", Access: issue, Handler: h.batchLines, Tag: "Batches", Summary: "What came of each order of a batch", Params: append(httpserver.PageParams(), httpserver.Query("state", "only those in this state", linePending, lineIssued, lineValid, lineFailed)), Response: paging.Page[batchLineOutput]{}, Errors: []int{400, 404}},
		{Method: "POST", Path: "/api/v1/batches/:id/cancel", Access: issue, Handler: h.cancelBatch, Tag: "Batches", Summary: "Issue no more of a batch", Description: "What is issued stays.", Response: batchOutput{}, Errors: []int{404, 409}},
		{Method: "POST", Path: "/api/v1/credentials/:id/renew", Access: issue, Handler: h.renew, Tag: "Credentials", Summary: "Issue a new version that is valid longer", Description: "It says the same as the version before.", Params: []httpserver.Param{ifMatch}, Request: renewInput{}, Response: credentialOutput{}, Errors: []int{400, 404, 409, 410, 412, 415, 422}},
		{Method: "PUT", Path: "/api/v1/credentials/:id/recipient", Access: issue, Handler: h.readdress, Tag: "Credentials", Summary: "Issue a new version to the same person under another address", Description: "For somebody whose e-mail address changed: it says the same as the version before, and the old address finds it no longer.", Params: []httpserver.Param{ifMatch}, Request: Recipient{}, Response: credentialOutput{}, Errors: []int{400, 404, 409, 410, 412, 415, 422}},
		{Method: "POST", Path: "/api/v1/credentials/withdraw", Access: issue, Handler: h.withdrawWhere, Tag: "Credentials", Summary: "Stop keeping and publishing all credentials that a query matches", Description: "For somebody who asks to be forgotten. " + byQuery, Request: queryMembers{}, Response: queryOutput{}, Deadline: 2 * time.Minute, Errors: []int{400, 409, 415, 422}},
		{Method: "GET", Path: "/api/v1/credentials/:id/history", Access: httpserver.Scope(principal.ScopeCredentialsIssue, principal.ScopeAuditRead), Handler: h.history, Tag: "Status", Summary: "What was done to the status of a credential", Description: "The newest first: revocations, suspensions, their end, and that it is no longer kept, also where that was done to many at once.", Response: historyOutput{}, Errors: []int{404}},
		{Method: "POST", Path: "/api/v1/credentials/:id/revoke", Access: issue, Handler: h.act(statuslist.Revoke), Tag: "Status", Summary: "Revoke a credential", Description: "For good. What is revoked already stays as it is, and the answer is the same.", Request: statusInput{}, Response: credentialOutput{}, Errors: []int{400, 404, 409, 415, 422}},
		{Method: "POST", Path: "/api/v1/credentials/:id/suspend", Access: issue, Handler: h.act(statuslist.Suspend), Tag: "Status", Summary: "Suspend a credential until it is resumed", Description: suspending, Request: statusInput{}, Response: credentialOutput{}, Errors: []int{400, 404, 409, 415, 422}},
		{Method: "POST", Path: "/api/v1/credentials/:id/resume", Access: issue, Handler: h.act(statuslist.Resume), Tag: "Status", Summary: "Lift the suspension of a credential", Request: statusInput{}, Response: credentialOutput{}, Errors: []int{400, 404, 409, 415, 422}},
		{Method: "POST", Path: "/api/v1/credentials/revoke", Access: issue, Handler: h.actWhere(statuslist.Revoke), Tag: "Status", Summary: "Revoke all credentials that a query matches", Description: byQuery, Request: queryInput{}, Response: queryOutput{}, Deadline: 2 * time.Minute, Errors: []int{400, 409, 415, 422}},
		{Method: "POST", Path: "/api/v1/credentials/suspend", Access: issue, Handler: h.actWhere(statuslist.Suspend), Tag: "Status", Summary: "Suspend all credentials that a query matches", Description: byQuery + " " + suspending, Request: queryInput{}, Response: queryOutput{}, Deadline: 2 * time.Minute, Errors: []int{400, 409, 415, 422}},
		{Method: "POST", Path: "/api/v1/credentials/resume", Access: issue, Handler: h.actWhere(statuslist.Resume), Tag: "Status", Summary: "Lift the suspension of all credentials that a query matches", Description: byQuery, Request: queryInput{}, Response: queryOutput{}, Deadline: 2 * time.Minute, Errors: []int{400, 409, 415, 422}},

		{Method: "POST", Path: "/api/v1/endorsements", Access: issue, Handler: h.requestEndorsement, Tag: "Endorsements", Summary: "Ask an issuer to endorse an achievement, an issuer or a credential", Description: "Nobody endorses what is its own.", Request: EndorsementOrder{}, Response: endorsementOutput{}, Status: 201, Errors: []int{400, 415, 422}},
		{Method: "GET", Path: "/api/v1/endorsements", Access: read, Handler: h.listEndorsements, Tag: "Endorsements", Summary: "List endorsements", Params: append(httpserver.PageParams(endorsementSorts...),
			httpserver.Query("endorserId", "only those of this issuer profile"),
			httpserver.Query("subjectId", "only those of this achievement, issuer profile or credential"),
			httpserver.Query("state", "only those in this state", string(EndorsementRequested), string(EndorsementDeclined), string(EndorsementGiven)),
		), Response: paging.Page[endorsementOutput]{}, Errors: []int{400}},
		{Method: "GET", Path: "/api/v1/endorsements/:id", Access: read, Handler: h.readEndorsement, Tag: "Endorsements", Summary: "Read an endorsement", Response: endorsementOutput{}, Errors: []int{404}},
		{Method: "POST", Path: "/api/v1/endorsements/:id/give", Access: issue, Handler: h.giveEndorsement, Tag: "Endorsements", Summary: "Endorse what was asked for", Description: "Signs an EndorsementCredential in the name of the endorser.", Request: EndorsementWords{}, Response: endorsementOutput{}, Errors: []int{400, 404, 409, 415, 422}},
		{Method: "POST", Path: "/api/v1/endorsements/:id/decline", Access: issue, Handler: h.declineEndorsement, Tag: "Endorsements", Summary: "Do not endorse what was asked for", Response: endorsementOutput{}, Errors: []int{404, 409}},
		{Method: "POST", Path: "/api/v1/endorsements/:id/revoke", Access: issue, Handler: h.revokeEndorsement, Tag: "Endorsements", Summary: "Take an endorsement back", Description: "For good. Badges that embed it no longer verify until they are issued again without it.", Request: statusInput{}, Response: endorsementOutput{}, Errors: []int{400, 404, 409, 415, 422}},
		{Method: "GET", Path: "/endorsements/:id", Access: open, Handler: h.publicEndorsement, AnyOrigin: true, Tag: "Public", Summary: "An endorsement as JSON-LD", Response: httpserver.Body{MediaTypes: []string{"application/vc+ld+json", "application/vc", "application/ld+json", "application/json", tokenType}}, Errors: []int{404}},

		{Method: "GET", Path: "/issuers/:id/revocations", Access: open, Handler: h.revocations, AnyOrigin: true, Tag: "Public", Summary: "The plain list of an issuer's revoked credentials", Description: "1EdTech Verifiable Credentials Revocation List 1.0, for credentials whose statusPurpose is 1EdTechRevocationList.", Response: Revocations{}, Errors: []int{404}},
		{Method: "GET", Path: "/status/:list/:purpose", Access: open, Handler: h.statusList, AnyOrigin: true, Tag: "Public", Summary: "A status list as a signed credential", Description: "Bitstring Status List 1.0. The purpose is revocation or suspension.", Params: []httpserver.Param{httpserver.Query("timestamp", "what the list said at this time, which must be over")}, Response: httpserver.Body{MediaTypes: []string{"application/vc+ld+json", "application/vc", "application/ld+json", "application/json", tokenType, "application/jwt"}}, Errors: []int{400, 404}},

		{Method: "POST", Path: "/api/v1/issuers/:id/keys/:key/reissue", Access: issue, Handler: h.resign, Tag: "Keys", Summary: "Issue again what a key signed, some at a time", Description: "Same identifier, recipient, words and date of the award, signed by the keys of today. Repeat it with the next of the answer until there is none; what was done is not done again. A dry run says how many there are. `badge-engine keys reissue` does it to the end.", Request: resignInput{}, Response: resignOutput{}, Deadline: 2 * time.Minute, Errors: []int{400, 404, 409, 415, 422}},
		{Method: "GET", Path: "/api/v1/issuers/:id/signing", Access: httpserver.Authenticated(), Handler: h.form, Tag: "Keys", Summary: "How the credentials of an issuer are secured", Response: Form{}, Errors: []int{404}},
		{Method: "PUT", Path: "/api/v1/issuers/:id/signing", Access: issuers, Handler: h.setForm, Tag: "Keys", Summary: "Choose how the credentials of an issuer are secured", Description: "For those whose order does not say. The keys must be there already.", Request: Form{}, Response: Form{}, Errors: []int{400, 404, 409, 415, 422}},
		{Method: "GET", Path: "/api/v1/issuers/:id/keys", Access: httpserver.Authenticated(), Handler: h.listKeys, Tag: "Keys", Summary: "List the keys of an issuer, those that sign first", Response: keyList{}, Errors: []int{404}},
		{Method: "POST", Path: "/api/v1/issuers/:id/keys", Access: issuers, Handler: h.createKey, Tag: "Keys", Summary: "Make a further key for an issuer", Description: "From now on it signs what keys of its kind sign; with rotate, those that did until now are retired.", Request: keyInput{}, Response: keyOutput{}, Status: 201, Errors: []int{400, 404, 415, 422, 503}},
		{Method: "GET", Path: "/api/v1/issuers/:id/keys/:key", Access: httpserver.Authenticated(), Handler: h.readKey, Tag: "Keys", Summary: "Read a key of an issuer", Response: keyOutput{}, Errors: []int{404}},
		{Method: "POST", Path: "/api/v1/issuers/:id/keys/:key/retire", Access: issuers, Handler: h.retireKey, Tag: "Keys", Summary: "Let a key sign no more; what it signed stays good", Response: keyOutput{}, Errors: []int{404, 409}},
		{Method: "POST", Path: "/api/v1/issuers/:id/keys/:key/revoke", Access: admin, Handler: h.revokeKey, Tag: "Keys", Summary: "Declare a key compromised: nothing that it signed must be believed", Description: "A new key of its kind is made if it was the only one.", Request: revokeKeyInput{}, Response: keyOutput{}, Errors: []int{400, 404, 409, 415}},

		{Method: "GET", Path: "/credentials/:id", Access: open, Handler: h.public, AnyOrigin: true, Tag: "Public", Summary: "A credential as JSON-LD, or a page", Params: []httpserver.Param{httpserver.Query("format", "json answers the credential itself, whatever Accept says, and jwt the token around it, where one was asked for", "json", "jwt")}, Response: document, Errors: []int{404, 410}},
		{Method: "GET", Path: "/credentials/:id/badge.png", Access: open, Handler: h.badgePNG, AnyOrigin: true, Tag: "Public", Summary: "A credential baked into a PNG", Response: httpserver.Body{MediaTypes: []string{"image/png"}}, Errors: []int{404, 410}},
		{Method: "GET", Path: "/credentials/:id/badge.svg", Access: open, Handler: h.badgeSVG, AnyOrigin: true, Tag: "Public", Summary: "A credential baked into an SVG", Response: httpserver.Body{MediaTypes: []string{"image/svg+xml"}}, Errors: []int{404, 410}},
		{Method: "GET", Path: "/credentials/:id/refresh", Access: open, Handler: h.refresh, AnyOrigin: true, Tag: "Public", Summary: "The newest version of a credential", Description: "1EdTech Credential Refresh 1.0: the address that a refreshable credential names.", Params: []httpserver.Param{httpserver.Query("format", "the form, whatever Accept says", "json", "jwt", "png", "svg")}, Response: httpserver.Body{MediaTypes: []string{"application/vc+ld+json", "application/vc", "application/ld+json", "application/json", tokenType, "image/png", "image/svg+xml"}}, Errors: []int{404, 410}},
		{Method: "GET", Path: "/ob2/assertions/:id", Access: open, Handler: h.assertion, AnyOrigin: true, Tag: "Open Badges 2.0", Summary: "An award as a hosted assertion", Description: "For consumers of the former edition. What was revoked or suspended is answered with 410 and says so.", Response: assertion.Assertion{}, Errors: []int{404, 410}},
		{Method: "GET", Path: "/ob2/assertions/:id/badge.png", Access: open, Handler: h.assertionPNG, AnyOrigin: true, Tag: "Open Badges 2.0", Summary: "An assertion baked into a PNG", Response: httpserver.Body{MediaTypes: []string{"image/png"}}, Errors: []int{404, 410}},
		{Method: "GET", Path: "/ob2/assertions/:id/badge.svg", Access: open, Handler: h.assertionSVG, AnyOrigin: true, Tag: "Open Badges 2.0", Summary: "An assertion baked into an SVG", Response: httpserver.Body{MediaTypes: []string{"image/svg+xml"}}, Errors: []int{404, 410}},
		{Method: "GET", Path: "/issuers/:id/did.json", Access: open, Handler: h.didDocument, AnyOrigin: true, Tag: "Public", Summary: "The DID document (did:web) of an issuer", Response: did.Document{}, Errors: []int{404}},
		{Method: "GET", Path: "/issuers/:id/keys", Access: open, Handler: h.keys, AnyOrigin: true, Tag: "Public", Summary: "The keys of an issuer as a JWK set", Response: jwks{}, Errors: []int{404}},
		{Method: "GET", Path: "/.well-known/jwks.json", Access: open, Handler: h.hostKeys, AnyOrigin: true, Tag: "Public", Summary: "The keys of the issuers here as a JWK set, the newest thousand; each names its issuer", Response: jwks{}},
		{Method: "GET", Path: "/issuers/:id/jwk/:key", Access: open, Handler: h.jwk, AnyOrigin: true, Tag: "Public", Summary: "One key of an issuer as a JSON Web Key that stands alone, as the kid of tokens names it", Response: did.JWK{}, Errors: []int{404, 410}},
		{Method: "GET", Path: "/issuers/:id/keys/:key", Access: open, Handler: h.key, AnyOrigin: true, Tag: "Public", Summary: "One key of an issuer as a Multikey verification method", Response: did.VerificationMethod{}, Errors: []int{404}},
	}
}
