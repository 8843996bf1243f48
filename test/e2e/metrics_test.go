package e2e

import (
	"regexp"
	"testing"
)

func TestMetricsCountRequestsAndWarnOfWhatExpires(t *testing.T) {
	h := boot(t, nil)
	h.must(401, h.send("GET", "/metrics", nil, "Authorization", ""))
	var created struct{ ID, Token string }
	h.must(201, h.send("POST", "/api/v1/tokens", map[string]any{"name": "prometheus", "scopes": []string{"metrics:read"}, "expires": "20d"})).into(t, &created)
	h.must(404, h.send("GET", "/no/such/address", nil))
	a := h.must(200, h.send("GET", "/metrics", nil, "Authorization", "Bearer "+created.Token))
	for _, want := range []string{
		`badge_engine_http_request_duration_seconds_count\{method="POST",route="/api/v1/tokens",status="201"\} 1\n`,
		`badge_engine_http_request_duration_seconds_count\{method="GET",route="-",status="404"\} 1\n`,
		`go_goroutines \d`,
	} {
		if !regexp.MustCompile(want).Match(a.body) {
			t.Errorf("the metrics lack %s: %s", want, a.body)
		}
	}
	h.must(403, h.send("GET", "/api/v1/tokens", nil, "Authorization", "Bearer "+created.Token))
}
