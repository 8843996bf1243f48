package engine_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// TestARouteThatIsAddedIsServedAsAllOthers asks as a stranger, wrongly and rightly.
func TestARouteThatIsAddedIsServedAsAllOthers(t *testing.T) {
	const admin = "0123456789abcdef0123456789abcdef-bootstrap"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := engine.In(t.TempDir())
	cfg.Auth.BootstrapAdminToken = admin
	var house engine.House
	e, err := engine.New(engine.Options{Config: cfg, Listener: listener, Log: slog.New(slog.DiscardHandler), Extra: func(h engine.House) httpserver.Table {
		house = h
		return httpserver.Table{{Method: "POST", Path: "/api/v1/orders", Access: httpserver.Scope(principal.ScopeCredentialsIssue), Tag: "Extra", Summary: "Read an order", Handler: h.Order}}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := e.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	for _, row := range []struct {
		name, token, body string
		status            int
	}{
		{"a stranger", "", `{}`, 401},
		{"a member that orders do not have", admin, `{"achievement":"x"}`, 422},
		{"an order", admin, `{"achievementId":"x","recipient":{"email":"ada@example.org"}}`, 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+listener.Addr().String()+"/api/v1/orders", strings.NewReader(row.body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/json")
			if row.token != "" {
				request.Header.Set("Authorization", "Bearer "+row.token)
			}
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if answer.StatusCode != row.status {
				t.Errorf("it is answered with %d", answer.StatusCode)
			}
		})
	}
	if err := house.Record(t.Context(), "load.order.stored", []string{"x"}, []context.Context{t.Context()}); err != nil {
		t.Error(err)
	}
	var waiting int64
	if err := house.DB.Reader(t.Context()).Raw("SELECT COALESCE(SUM(count), 0) + (SELECT COUNT(*) FROM audit_events) FROM audit_parcels").Scan(&waiting).Error; err != nil || waiting == 0 {
		t.Errorf("%d events were written down, %v", waiting, err)
	}
}
