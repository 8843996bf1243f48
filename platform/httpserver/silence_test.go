package httpserver_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/platform/httpserver"
)

// TestConnectionsOnWhichNothingWasSentAreNotWaitedFor stops a server with connections
// that were opened in advance, and with a request that is half sent.
func TestConnectionsOnWhichNothingWasSentAreNotWaitedFor(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(map[bool]string{false: "plain", true: "TLS"}[secure], func(t *testing.T) {
			cfg := config()
			cfg.ShutdownTimeout = time.Hour // whoever is waited for is waited for so long
			dial := func(address string) (net.Conn, error) { return net.Dial("tcp", address) }
			if secure {
				var trust tls.Config
				cfg.TLSCert, cfg.TLSKey, trust.RootCAs = certificate(t)
				dial = func(address string) (net.Conn, error) { return tls.Dial("tcp", address, &trust) }
			}
			var log bytes.Buffer
			s, err := httpserver.New(cfg, httpserver.Parts{Tables: []httpserver.Table{{get("/a", httpserver.Public(), ok)}}}, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			conns := make([]net.Conn, 3)
			for i := range conns {
				if conns[i], err = dial(s.Addr().String()); err != nil {
					t.Fatal(err)
				}
				defer conns[i].Close()
			}
			half := conns[2]
			if _, err := io.WriteString(half, "GET /a HTTP/1.1\r\nHost: x\r\n"); err != nil {
				t.Fatal(err)
			}
			stopped := make(chan error, 1)
			go func() { stopped <- s.Stop(context.Background()) }()
			for _, c := range conns[:2] {
				if data, _ := io.ReadAll(c); len(data) > 0 {
					t.Errorf("who asked for nothing was answered %q", data)
				}
			}
			select {
			case err := <-stopped:
				t.Fatalf("stopped while a request was on its way: %v", err)
			default:
			}
			if _, err := io.WriteString(half, "\r\n"); err != nil {
				t.Fatal(err)
			}
			if answer, err := io.ReadAll(half); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200 ") {
				t.Errorf("the request on its way got %q, %v", answer, err)
			}
			if err := <-stopped; err != nil {
				t.Error(err)
			}
			if strings.Contains(log.String(), "not read") {
				t.Errorf("the log speaks of requests that never were: %s", log.String())
			}
		})
	}
}
