package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/test/dbtest"
	"github.com/badge-engine/badge-engine/test/houses"
)

// TestAStolenKeyIsDealtWithOnTheCommandLine: what was issued before the theft is issued
// again under the same ids, with its dates of award, and what was issued since is revoked.
func TestAStolenKeyIsDealtWithOnTheCommandLine(t *testing.T) {
	const public = "https://badges.example.org"
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			var offset atomic.Int64
			offset.Store(int64(-48 * time.Hour))
			h := bootWith(t, func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }, func(cfg *engine.Config) {
				cfg.Database.URL, cfg.PublicURL = e.URL, public
				cfg.Limits.PerSecond, cfg.Limits.Failures = 0, 0
			})
			issuer := h.issuer()
			achievement := h.achievement(issuer, "")
			issue := func() (id string, credential json.RawMessage) {
				var out struct {
					ID         string
					Credential json.RawMessage
				}
				h.must(201, h.send("POST", "/api/v1/credentials", order(achievement))).into(t, &out)
				return out.ID, out.Credential
			}
			type badge struct {
				id       string
				document json.RawMessage
			}
			var before, since []badge
			for range 3 {
				id, document := issue()
				before = append(before, badge{id, document})
			}
			h.must(200, h.send("POST", "/api/v1/credentials/"+before[2].id+"/revoke", map[string]any{"reason": "by mistake"}))
			offset.Store(0)
			theft := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
			for range 2 {
				id, document := issue()
				since = append(since, badge{id, document})
			}
			var keys struct{ Items []struct{ ID, State string } }
			h.must(200, h.send("GET", "/api/v1/issuers/"+issuer+"/keys", nil)).into(t, &keys)
			key := keys.Items[0].ID

			dir := t.TempDir()
			tokenFile := filepath.Join(dir, "token")
			if err := os.WriteFile(tokenFile, []byte(admin+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			run := func(args ...string) (string, string, int) {
				return houses.Command(t, dir, nil, append(args, "--server", h.base, "--token-file", tokenFile)...)
			}
			status := func(b badge) string {
				var out struct{ Status struct{ State string } }
				h.must(200, h.send("GET", "/api/v1/credentials/"+b.id, nil)).into(t, &out)
				return out.Status.State
			}

			// A key that signs is not asked to sign again.
			if _, errs, code := run("keys", "reissue", issuer, key); code != 1 || !strings.Contains(errs, "rotate, retire or revoke") {
				t.Errorf("%d: %s", code, errs)
			}
			if _, errs, code := run("keys", "reissue", issuer, key, "--dry-run"); code != 0 || !strings.Contains(errs, "4 badges to be issued again; 1 are revoked") {
				t.Errorf("%d: %s", code, errs)
			}
			compromise := []string{"keys", "compromise", issuer, key, "--since", theft, "--reason", "the laptop was stolen"}
			out, errs, code := run(compromise...)
			if code != 0 || !strings.Contains(out, "The key is active.\n2 badges") || !strings.Contains(out, "\n2 that it signed before") || !strings.Contains(errs, "--expected 2") {
				t.Errorf("%d: %s%s", code, out, errs)
			}
			if _, errs, code := run(append(compromise, "--expected", "5")...); code != 1 || !strings.Contains(errs, "You expect 5") {
				t.Errorf("%d: %s", code, errs)
			}
			for range 2 { // the second time there is nothing left to do
				if out, errs, code := run(append(compromise, "--expected", "2")...); code != 0 || out != "" {
					t.Fatalf("%d: %s%s", code, out, errs)
				}
			}
			for i, b := range before {
				want := "valid"
				if i == 2 {
					want = "revoked"
				}
				if got := status(b); got != want {
					t.Errorf("badge %d from before is %s", i, got)
				}
				h.verified(b.document, "application/json", "", false)
				if want == "revoked" {
					continue
				}
				now := h.must(200, h.send("GET", "/credentials/"+b.id+"?format=json", nil, "Authorization", "")).body
				var first, again struct{ ID, ValidFrom, AwardedDate string }
				if err := json.Unmarshal(b.document, &first); err != nil {
					t.Fatal(err)
				}
				if err := json.Unmarshal(now, &again); err != nil {
					t.Fatal(err)
				}
				if again.ID != first.ID || again.AwardedDate != first.ValidFrom || again.ValidFrom == first.ValidFrom {
					t.Errorf("%+v became %+v", first, again)
				}
				h.verified(now, "application/json", "ada@example.org", true)
			}
			for _, b := range since {
				if got := status(b); got != "revoked" {
					t.Errorf("a badge from since is %s", got)
				}
			}
			h.must(200, h.send("GET", "/api/v1/issuers/"+issuer+"/keys", nil)).into(t, &keys)
			if len(keys.Items) != 2 || keys.Items[0].State != "active" || keys.Items[1].State != "revoked" {
				t.Errorf("the keys are %+v", keys)
			}
			var trail []byte
			resigned := func() int { return bytes.Count(trail, []byte("issuance.credential.resigned")) }
			for end := time.Now().Add(20 * time.Second); resigned() < 2 && time.Now().Before(end); {
				trail = h.must(200, h.send("GET", "/api/v1/audit?limit=100", nil)).body
			}
			if resigned() != 2 || !bytes.Contains(trail, []byte("issuance.credentials.revoked")) {
				t.Errorf("the trail is %s", trail)
			}
			for _, row := range []struct {
				args []string
				code int
				says string
			}{
				{[]string{"keys", "compromise", issuer, key, "--since", "yesterday", "--reason", "x"}, 2, "2006-01-02T15:04:05Z"},
				{[]string{"keys", "compromise", issuer, key, "--since", theft}, 2, "reason"},
				{[]string{"keys", "reissue", issuer, "x"}, 1, "404"},
				{[]string{"keys", "reissue", issuer}, 2, "an issuer and a key"},
			} {
				if _, errs, code := run(row.args...); code != row.code || !strings.Contains(errs, row.says) {
					t.Errorf("%v: %d %s", row.args, code, errs)
				}
			}
		})
	}
}
