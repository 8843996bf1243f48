package health

import (
	"net/http"
	"time"

	"github.com/badge-engine/badge-engine/platform/diagnosis"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// Routes is the URL table. Health is public, since orchestrators hold no token; the
// doctor names addresses and versions, and is for administrators.
func Routes(s *Service, doctor Doctor) httpserver.Table {
	h := handlers{s, doctor}
	return httpserver.Table{
		{Method: http.MethodGet, Path: "/health", Access: httpserver.Public(), Early: true, Handler: h.report, Summary: "How the server is, with each probe", Tag: "Health", Description: unhealthy, Response: Report{}},
		{Method: http.MethodGet, Path: "/health/live", Access: httpserver.Public(), Early: true, Handler: h.live, Summary: "Whether the process runs", Tag: "Health", Response: Live{}},
		{Method: http.MethodGet, Path: "/health/ready", Access: httpserver.Public(), Early: true, Handler: h.report, Summary: "Whether traffic may be sent here", Tag: "Health", Description: unhealthy, Response: Report{}},
		{Method: http.MethodGet, Path: "/api/v1/admin/doctor", Access: httpserver.Scope(principal.ScopeAdmin), Handler: h.examine, Summary: "Every check of the troubleshooting guide, with its remedy", Tag: "Health",
			Description: "What the command badge-engine doctor checks, from inside the server. It asks the database, the cache and the network, and may take seconds.", Response: diagnosis.Report{}, Deadline: time.Minute},
	}
}

const unhealthy = "The answer is 503, in the same form, while the server starts or drains, and when a probe fails that it cannot work without. Where it can, as without its cache, it is degraded: 200."
