package engine

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// BenchmarkIssue issues with and without the audit trail; sealing goes on beside it.
func BenchmarkIssue(b *testing.B) {
	for _, database := range dbtest.Engines(b) {
		for _, audited := range []bool{false, true} {
			name := fmt.Sprintf("%s/audited=%t", database.Name, audited)
			service, order := issuing(b, database.URL, audited)
			b.Run(name+"/one caller", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, _, err := service.Issue(b.Context(), order); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(name+"/many callers", func(b *testing.B) {
				b.ReportAllocs()
				b.SetParallelism(8)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if _, _, err := service.Issue(b.Context(), order); err != nil {
							b.Error(err)
						}
					}
				})
			})
		}
	}
}

// issuing boots the application and defines what is issued.
func issuing(b *testing.B, url string, audited bool) (*issuance.Service, issuance.Order) {
	b.Helper()
	const bootstrap = "0123456789abcdef0123456789abcdef-bootstrap"
	cfg := In(b.TempDir())
	cfg.Database.URL, cfg.Migrations.OnStart, cfg.Auth.BootstrapAdminToken = url, "always", bootstrap
	must := func(err error) {
		if err != nil {
			b.Helper()
			b.Fatal(err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	option, err := graph(Options{Config: cfg, Listener: listener}, slog.New(slog.DiscardHandler), time.Now)
	must(err)
	without := fx.Options()
	if !audited {
		without = fx.Decorate(func(issuance.Audit) issuance.Audit { return nil })
	}
	var service *issuance.Service
	var server *httpserver.Server
	app := fx.New(option, without, fx.Populate(&service, &server))
	must(app.Err())
	must(app.Start(b.Context()))
	b.Cleanup(func() {
		if err := app.Stop(b.Context()); err != nil && b.Context().Err() == nil {
			b.Error(err)
		}
	})
	create := func(path, body string) string {
		request := httptest.NewRequest("POST", path, strings.NewReader(body))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer "+bootstrap)
		answer, err := server.Test(request)
		must(err)
		defer answer.Body.Close()
		data, err := io.ReadAll(answer.Body)
		must(err)
		var made struct{ ID string }
		must(json.Unmarshal(data, &made))
		return made.ID
	}
	issuer := create("/api/v1/issuers", `{"name":"Example Academy"}`)
	achievement := create("/api/v1/achievements", fmt.Sprintf(`{"issuerId":%q,"name":"Teamwork","description":"d","criteria":{"narrative":"n"}}`, issuer))
	return service, issuance.Order{AchievementID: achievement, Recipient: issuance.Recipient{Email: "ada@example.org"}}
}
