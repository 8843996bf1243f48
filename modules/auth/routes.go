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
