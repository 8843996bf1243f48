package audit

import (
	"time"

	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// Routes is the table of URLs of this module.
func Routes(h *handlers) httpserver.Table {
	read := httpserver.Scope(principal.ScopeAuditRead)
	from := httpserver.Param{In: "query", Name: "from", Description: "only events at or after this time", Schema: time.Time{}}
	to := httpserver.Param{In: "query", Name: "to", Description: "only events before this time", Schema: time.Time{}}
	params := append(httpserver.PageParams(sorts...),
		httpserver.Query("action", "only actions that begin so, such as issuance. or auth.token.created"),
		httpserver.Query("principal", "only what this principal did, such as token:0192…"),
		httpserver.Query("target", "only what was done to the thing of this identifier"),
		httpserver.Query("outcome", "only deeds that ended so", string(Succeeded), string(Refused), string(Failed)),
		from, to)
	return httpserver.Table{
		{Method: "GET", Path: "/api/v1/audit", Access: read, Handler: h.list, Tag: "Audit", Summary: "List the audit trail, the newest events first", Description: "Who did what to which thing, when, from where, and what came of it. Events appear within a second of their deeds, refusals within a minute; refusals of one caller in a minute are one event with a count.", Params: params, Response: paging.Page[eventOutput]{}, Errors: []int{400}},
	}
}
