package health

import (
	"net/http"

	"github.com/badge-engine/badge-engine/platform/httpserver"
)

// Routes is the URL table. All of it is public: orchestrators hold no token.
func Routes(s *Service) httpserver.Table {
	h := handlers{s}
	return httpserver.Table{
		{Method: http.MethodGet, Path: "/health", Access: httpserver.Public(), Handler: h.report, Summary: "How the server is, with each probe", Tag: "Health", Description: unhealthy, Response: Report{}},
		{Method: http.MethodGet, Path: "/health/live", Access: httpserver.Public(), Handler: h.live, Summary: "Whether the process runs", Tag: "Health", Response: Live{}},
		{Method: http.MethodGet, Path: "/health/ready", Access: httpserver.Public(), Handler: h.report, Summary: "Whether traffic may be sent here", Tag: "Health", Description: unhealthy, Response: Report{}},
	}
}

const unhealthy = "The answer is 503, in the same form, when a probe fails or the server is draining."
