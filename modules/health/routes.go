package health

import (
	"net/http"

	"github.com/badge-engine/badge-engine/platform/httpserver"
)

// Routes is the URL table. All of it is public: orchestrators hold no token.
func Routes(s *Service) httpserver.Table {
	h := handlers{s}
	return httpserver.Table{
		{Method: http.MethodGet, Path: "/health", Access: httpserver.Public(), Early: true, Handler: h.report, Summary: "How the server is, with each probe", Tag: "Health", Description: unhealthy, Response: Report{}},
		{Method: http.MethodGet, Path: "/health/live", Access: httpserver.Public(), Early: true, Handler: h.live, Summary: "Whether the process runs", Tag: "Health", Response: Live{}},
		{Method: http.MethodGet, Path: "/health/ready", Access: httpserver.Public(), Early: true, Handler: h.report, Summary: "Whether traffic may be sent here", Tag: "Health", Description: unhealthy, Response: Report{}},
	}
}

const unhealthy = "The answer is 503, in the same form, while the server starts or drains, and when a probe fails that it cannot work without. Where it can, as without its cache, it is degraded: 200."
