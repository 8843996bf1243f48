package auth

import (
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// Routes is the table of URLs of this module.
func Routes(h *handlers) httpserver.Table {
	admin := httpserver.Scope(principal.ScopeAdmin)
	return httpserver.Table{
		{Method: "POST", Path: "/api/v1/tokens", Access: admin, Handler: h.create, Tag: "Tokens", Summary: "Create an API token, shown this one time", Request: tokenInput{}, Response: createdOutput{}, Status: 201, Errors: []int{400, 415, 422}},
		{Method: "GET", Path: "/api/v1/tokens", Access: admin, Handler: h.list, Tag: "Tokens", Summary: "List API tokens, revoked and expired ones included, the newest first", Response: paging.Page[tokenOutput]{}},
		{Method: "DELETE", Path: "/api/v1/tokens/:id", Access: admin, Handler: h.revoke, Tag: "Tokens", Summary: "Revoke an API token", Status: 204, Errors: []int{404}},
	}
}

// The addresses of the token endpoint. Provisioning services look for it below /scim.
const (
	tokenPath     = "/oauth/token"
	scimTokenPath = "/scim/oauth/token"
)

// tokenRequestLimit is far beyond any assertion.
const tokenRequestLimit = 64 << 10

// ClientRoutes is the table of URLs of OAuth clients.
func ClientRoutes(h *clientHandlers) httpserver.Table {
	admin := httpserver.Scope(principal.ScopeAdmin)
	form := httpserver.Body{MediaTypes: []string{"application/x-www-form-urlencoded"}, Note: "grant_type=client_credentials, client_id and client_secret (or both by HTTP Basic), or client_assertion_type and client_assertion in place of the secret; scope is optional and narrows."}
	token := httpserver.Route{Method: "POST", Path: tokenPath, Access: httpserver.Public(), Handler: h.token, Tag: "Clients", Summary: "Grant an access token to a client (RFC 6749, 4.4)", Request: form, Response: grantOutput{}, Errors: []int{400, 401, 429}, BodyLimit: tokenRequestLimit}
	scimToken := token
	scimToken.Path, scimToken.Hidden = scimTokenPath, true
	return httpserver.Table{
		{Method: "POST", Path: "/api/v1/clients", Access: admin, Handler: h.create, Tag: "Clients", Summary: "Create an OAuth client; its secret is shown this one time", Request: clientInput{}, Response: clientCreatedOutput{}, Status: 201, Errors: []int{400, 415, 422}},
		{Method: "GET", Path: "/api/v1/clients", Access: admin, Handler: h.list, Tag: "Clients", Summary: "List OAuth clients, disabled ones included, the newest first", Response: paging.Page[clientOutput]{}},
		{Method: "DELETE", Path: "/api/v1/clients/:id", Access: admin, Handler: h.disable, Tag: "Clients", Summary: "Disable an OAuth client and revoke its access tokens", Status: 204, Errors: []int{404}},
		{Method: "POST", Path: "/api/v1/clients/:id/secrets", Access: admin, Handler: h.rotate, Tag: "Clients", Summary: "Add a second secret to an OAuth client; it is shown this one time", Request: secretInput{}, Response: secretCreatedOutput{}, Status: 201, Errors: []int{400, 404, 409, 415, 422}},
		{Method: "DELETE", Path: "/api/v1/clients/:id/secrets/:secret", Access: admin, Handler: h.revokeSecret, Tag: "Clients", Summary: "Revoke a secret and the access tokens that were granted for it", Status: 204, Errors: []int{404}},
		token, scimToken,
	}
}
