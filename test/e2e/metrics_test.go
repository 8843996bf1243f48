package e2e

import (
	"regexp"
	"strings"
	"testing"
	"time"
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

// TestMetricsCountDeeds does one of each kind, and some that are refused.
func TestMetricsCountDeeds(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var token struct{ Token string }
		h.must(201, h.send("POST", "/api/v1/tokens", map[string]any{"name": "user", "scopes": []string{"admin"}})).into(t, &token)
		issuer := h.issuer()
		img := h.must(201, h.send("POST", "/api/v1/images", picture(t), "Content-Type", "image/png")).id(t)
		achievement := h.achievement(issuer, img)
		for range 2 { // the second is a repetition
			h.send("POST", "/api/v1/credentials", order(achievement), "Idempotency-Key", "once")
		}
		id := h.must(201, h.send("POST", "/api/v1/credentials", order(achievement))).id(t)
		h.must(422, h.send("POST", "/api/v1/credentials", map[string]any{"achievementId": achievement}))
		badge := h.must(200, h.send("GET", "/credentials/"+id+"/badge.png", nil)).body
		verify := func(status int, body []byte, kind string) {
			h.must(status, h.send("POST", "/api/v1/verify", body, "Content-Type", kind))
		}
		verify(200, badge, "image/png")
		h.must(200, h.send("POST", "/api/v1/credentials/"+id+"/revoke", map[string]any{"reason": "mistake"}))
		verify(200, badge, "image/png")
		verify(404, picture(t), "image/png")
		h.must(200, h.send("POST", "/api/v1/extract", badge, "Content-Type", "image/png"))
		h.must(404, h.send("POST", "/api/v1/extract", picture(t), "Content-Type", "image/png"))

		const scim = "application/scim+json"
		user := []byte(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.org"}`)
		h.must(201, h.send("POST", "/scim/v2/Users", user, "Content-Type", scim, "Authorization", "Bearer "+token.Token))
		h.must(409, h.send("POST", "/scim/v2/Users", user, "Content-Type", scim, "Authorization", "Bearer "+token.Token))
		h.must(404, h.send("DELETE", "/scim/v2/Groups/0193a1b2-0000-7000-8000-000000000000", nil))
		bulk := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
			{"method":"POST","path":"/Groups","bulkId":"g","data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Staff"}},
			{"method":"DELETE","path":"/Users/0193a1b2-0000-7000-8000-000000000000"}]}`
		h.must(200, h.send("POST", "/scim/v2/Bulk", []byte(bulk), "Content-Type", scim))

		batch := h.must(202, h.send("POST", "/api/v1/batches?achievementId="+achievement, []byte("email\nada@example.org\nnobody\n"), "Content-Type", "text/csv")).id(t)
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			var b struct{ State string }
			if h.must(200, h.send("GET", "/api/v1/batches/"+batch, nil)).into(t, &b); b.State == "completed" {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("the batch is %s", b.State)
			}
		}

		text := string(h.must(200, h.send("GET", "/metrics", nil)).body)
		for _, want := range []string{
			`badge_engine_credentials_issued_total{by="order",outcome="done"} 2`,
			`badge_engine_credentials_issued_total{by="order",outcome="refused"} 1`,
			`badge_engine_credentials_issued_total{by="batch",outcome="done"} 1`,
			`badge_engine_credentials_issued_total{by="batch",outcome="refused"} 1`,
			`badge_engine_pictures_baked_total{outcome="done"} 1`,
			`badge_engine_badges_verified_total{outcome="verified"} 1`,
			`badge_engine_badges_verified_total{outcome="rejected"} 1`,
			`badge_engine_badges_verified_total{outcome="unreadable"} 1`,
			`badge_engine_badges_baked_total{operation="extract",outcome="done"} 1`,
			`badge_engine_badges_baked_total{operation="extract",outcome="refused"} 1`,
			`badge_engine_provisioned_total{operation="create",outcome="done",resource="User"} 1`,
			`badge_engine_provisioned_total{operation="create",outcome="refused",resource="User"} 1`,
			`badge_engine_provisioned_total{operation="create",outcome="done",resource="Group"} 1`,
			`badge_engine_provisioned_total{operation="delete",outcome="refused",resource="User"} 1`,
			`badge_engine_provisioned_total{operation="delete",outcome="refused",resource="Group"} 1`,
			`badge_engine_batches_total{event="accepted"} 1`,
			`badge_engine_batches_total{event="completed"} 1`,
			`badge_engine_cache_operations_total{cache="auth.token",operation="get",result="miss"} 1`,
			`badge_engine_cache_operations_total{cache="auth.token",operation="set",result="done"} 1`,
			`badge_engine_shelf_requests_total{result="miss"} `,
			`badge_engine_signing_keys{state="active"} 1`,
			`badge_engine_signing_keys{state="revoked"} 0`,
			`badge_engine_signing_key_oldest_timestamp_seconds 1.`,
		} {
			if !strings.Contains(text, want) {
				t.Errorf("the metrics lack %s", want)
			}
		}
		if t.Failed() {
			for line := range strings.Lines(text) {
				if strings.HasPrefix(line, "badge_engine_") && !strings.Contains(line, "http_request") {
					t.Log(line)
				}
			}
		}
	})
}
