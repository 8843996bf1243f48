package engine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/modules/audit"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

const bootstrap = "0123456789abcdef0123456789abcdef-bootstrap"

// serve boots the application; call answers the member "id" or "token" of an answer.
func serve(t *testing.T, cfg engine.Config) (call func(status int, method, path, token, body string) map[string]any, stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(engine.Options{Config: cfg, Listener: listener, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return func(status int, method, path, token, body string) map[string]any {
			t.Helper()
			request, err := http.NewRequestWithContext(t.Context(), method, "http://"+listener.Addr().String()+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("User-Agent", "ada@example.org")
			if token != "" {
				request.Header.Set("Authorization", "Bearer "+token)
			}
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			data, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != status {
				t.Fatalf("%s %s: %d %s %v", method, path, response.StatusCode, data, err)
			}
			answer := map[string]any{}
			_ = json.Unmarshal(data, &answer) // some answers are empty
			return answer
		}, func() {
			if err := e.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		}
}

func TestTheTrailTellsEveryDeedAndNothingPersonal(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			cfg := engine.In(t.TempDir())
			cfg.Database.URL, cfg.Migrations.OnStart = e.URL, "always"
			cfg.Auth.BootstrapAdminToken = bootstrap
			call, stop := serve(t, cfg)

			issuer := call(201, "POST", "/api/v1/issuers", bootstrap, `{"name":"Example Academy","email":"office@academy.example.org","url":"https://academy.example.org"}`)["id"].(string)
			achievement := call(201, "POST", "/api/v1/achievements", bootstrap, fmt.Sprintf(`{"issuerId":%q,"name":"Teamwork","description":"d","criteria":{"narrative":"n"}}`, issuer))["id"].(string)
			order := fmt.Sprintf(`{"achievementId":%q,"recipient":{"email":"ada@example.org","id":"mailto:ada@example.org"},"narrative":"Ada Lovelace did well."}`, achievement)
			token := call(201, "POST", "/api/v1/tokens", bootstrap, `{"name":"Ada Lovelace","scopes":["credentials:issue","credentials:read"]}`)
			text, tokenID := token["token"].(string), token["id"].(string)
			kept := call(201, "POST", "/api/v1/credentials", text, order)["id"].(string)
			gone := call(201, "POST", "/api/v1/credentials", text, order)["id"].(string)
			call(200, "PUT", "/api/v1/credentials/"+kept, bootstrap, `{"narrative":"Ada Lovelace did better."}`)
			call(204, "DELETE", "/api/v1/credentials/"+gone, bootstrap, "")
			call(403, "POST", "/api/v1/tokens?for=ada@example.org", text, `{"name":"Ada Lovelace","scopes":["admin"]}`)
			call(204, "DELETE", "/api/v1/tokens/"+tokenID, bootstrap, "")
			call(401, "GET", "/api/v1/credentials?recipient=ada@example.org", text, "")
			call(401, "GET", "/api/v1/issuers/ada@example.org", "", "")
			call(422, "POST", "/api/v1/credentials", bootstrap, `{"achievementId":"ada@example.org","recipient":{"email":"ada@example.org"}}`)
			call(409, "DELETE", "/api/v1/achievements/"+achievement, bootstrap, "")
			spare := call(201, "POST", "/api/v1/issuers", bootstrap, `{"name":"Spare"}`)["id"].(string)
			call(204, "DELETE", "/api/v1/issuers/"+spare, bootstrap, "")
			stop()

			tools, err := engine.OpenTools(t.Context(), cfg, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			defer tools.Close()
			if _, _, err := tools.Tokens.Create(t.Context(), "Ada Lovelace", []string{principal.ScopeAdmin}, time.Time{}); err != nil {
				t.Fatal(err)
			}
			trail, err := tools.Audit()
			if err != nil {
				t.Fatal(err)
			}
			report, err := trail.Verify(t.Context())
			if err != nil || report.Breach != nil || report.Waiting != 1 { // the command's, which no server has sealed yet
				t.Fatalf("%+v %v", report, err)
			}
			page, err := trail.Events(t.Context(), audit.Filter{}, paging.Query{Limit: 100, Sort: "sequence"})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, event := range page.Items {
				who, _, _ := strings.Cut(event.Principal, ":")
				line := strings.Join([]string{who, event.Action, string(event.Outcome), event.Reason + event.Detail}, " ")
				for id, name := range map[string]string{issuer: "ISSUER", spare: "SPARE"} {
					line = strings.ReplaceAll(line, id, name)
				}
				got = append(got, line)
				if event.RemoteIP != "127.0.0.1" || event.RequestID == "" {
					t.Errorf("an event says from where: %q, by which request: %q", event.RemoteIP, event.RequestID)
				}
			}
			want := `bootstrap achievements.issuer.created succeeded
bootstrap issuance.key.created succeeded issuer:ISSUER
bootstrap achievements.achievement.created succeeded
bootstrap auth.token.created succeeded credentials:issue,credentials:read
token issuance.credential.issued succeeded
token issuance.credential.issued succeeded
bootstrap issuance.credential.reissued succeeded
bootstrap issuance.credential.withdrawn succeeded
bootstrap auth.token.revoked succeeded
bootstrap achievements.issuer.created succeeded
bootstrap issuance.key.created succeeded issuer:SPARE
bootstrap achievements.issuer.deleted succeeded
bootstrap issuance.key.deleted succeeded issuer:SPARE
token httpserver.request.refused refused httpserver.forbidden
 httpserver.request.refused refused auth.token_invalid
 httpserver.request.refused refused httpserver.unauthenticated`
			if lines := strings.Join(trimmed(got), "\n"); lines != strings.Join(trimmed(strings.Split(want, "\n")), "\n") {
				t.Errorf("the trail tells\n%s", lines)
			}

			db := dbtest.Open(t, e.URL)
			for _, table := range []string{"audit_pending", "audit_events", "audit_head"} {
				var rows []map[string]any
				if err := db.Reader(t.Context()).Table(table).Find(&rows).Error; err != nil {
					t.Fatal(err)
				}
				if len(rows) == 0 {
					t.Errorf("%s is empty", table)
				}
				for _, row := range rows {
					for column, value := range row {
						held := fmt.Sprintf("%s", value)
						for _, secret := range []string{"Ada", "Lovelace", "@", "example.org", "Academy", strings.Split(text, "_")[2], bootstrap} {
							if column != "hash" && column != "mark" && column != "signature" && strings.Contains(held, secret) {
								t.Errorf("%s.%s holds %q", table, column, held)
							}
						}
					}
				}
			}
		})
	}
}

func trimmed(lines []string) []string {
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines
}

func TestACommandWithAnotherKeyDoesNothing(t *testing.T) {
	cfg := engine.In(t.TempDir())
	call, stop := func() (func(int, string, string, string, string) map[string]any, func()) {
		c := cfg
		c.Auth.BootstrapAdminToken = bootstrap
		return serve(t, c)
	}()
	call(201, "POST", "/api/v1/issuers", bootstrap, `{"name":"Example Academy"}`)
	stop()
	for _, row := range []struct {
		name, says string
		change     func(*engine.Config)
	}{
		{"another key", "audit.key", func(c *engine.Config) { c.Issuance.Key = config.Secret("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=") }},
		{"no key", "KEY_ENCRYPTION_KEY", func(c *engine.Config) { c.Issuance.KeyFile = filepath.Join(t.TempDir(), "none") }},
	} {
		t.Run(row.name, func(t *testing.T) {
			other := cfg
			row.change(&other)
			log := new(bytes.Buffer)
			tools, err := engine.OpenTools(t.Context(), other, slog.New(slog.NewTextHandler(log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			defer tools.Close()
			if _, _, err := tools.Tokens.Create(t.Context(), "x", []string{principal.ScopeAdmin}, time.Time{}); err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("creating a token says %v", err)
			}
			if list, err := tools.Tokens.List(t.Context()); err != nil || len(list) != 0 {
				t.Errorf("%d tokens are there, %v", len(list), err)
			}
		})
	}
}
