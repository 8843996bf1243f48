package e2e

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// TestAClockThatJumpsDoublesNothing lets the clock of the server jump while orders
// come in: forwards by two days, and back behind where it was.
func TestAClockThatJumpsDoublesNothing(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			var offset atomic.Int64
			now := func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
			h := bootWith(t, now, func(cfg *engine.Config) {
				cfg.Database.URL = e.URL
				// They count by the monotonic clock, which a real jump leaves alone and this one does not.
				cfg.Limits.PerSecond, cfg.Limits.Failures = 0, 0
			})
			achievement := h.achievement(h.issuer(), "")
			issue := func(key string, status int) []byte {
				t.Helper()
				var v struct{ Credential rawJSON }
				h.must(status, h.send("POST", "/api/v1/credentials", order(achievement), "Idempotency-Key", key)).into(t, &v)
				return v.Credential
			}
			first := map[string][]byte{}
			for i, jump := range []time.Duration{0, 48 * time.Hour, -time.Hour, 0} {
				offset.Store(int64(jump))
				for n := range 5 {
					key := fmt.Sprintf("jump-%d-order-%d", i, n)
					first[key] = issue(key, 201)
				}
				if a := h.send("GET", "/health/live", nil); a.status != 200 {
					t.Errorf("after a jump of %s: %d", jump, a.status)
				}
			}
			for key, credential := range first {
				if again := issue(key, 200); !bytes.Equal(again, credential) {
					t.Errorf("%s was issued twice", key)
				}
			}
			var page struct{ Items []struct{ ID string } }
			h.must(200, h.send("GET", "/api/v1/credentials?limit=500", nil)).into(t, &page)
			if len(page.Items) != len(first) {
				t.Errorf("%d credentials for %d orders", len(page.Items), len(first))
			}
		})
	}
}
