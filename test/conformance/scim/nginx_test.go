package scim

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/app/command/scimprobe"
	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/test/houses"
)

// proxy is all that nginx needs to be told. It is what docs/OPERATIONS.md recommends.
const proxy = `
daemon off;
worker_processes 1;
pid DIR/pid;
error_log stderr warn;
USER
events {}
http {
	access_log off;
	client_body_temp_path DIR/body;
	proxy_temp_path DIR/proxy;
	fastcgi_temp_path DIR/fastcgi;
	uwsgi_temp_path DIR/uwsgi;
	scgi_temp_path DIR/scgi;
	limit_req_zone $binary_remote_addr zone=slow:1m rate=10r/s;
	server {
		listen FRONT;
		SERVER
		location / {
			proxy_pass http://BEHIND;
			proxy_http_version 1.1;
			proxy_set_header Host $http_host;
			proxy_set_header Connection "";
			proxy_set_header X-Forwarded-For $remote_addr;
			proxy_set_header X-Forwarded-Proto $scheme;
			client_max_body_size 16m;
			LOCATION
		}
	}
}
`

// changed is how a configuration differs from the one that is recommended: after the
// address to listen on, inside the server, and inside the location.
type changed struct{ listen, server, location string }

// nginx stands between front and behind until the test ends.
func nginx(t *testing.T, front, behind string, c changed) {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil { // who is not root may not have it in the path
		program, err = exec.LookPath("/usr/sbin/nginx")
	}
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("nginx is not installed")
		}
		t.Skip("nginx is not installed")
	}
	dir := t.TempDir()
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;" // its workers have to read and write in our folder
	}
	file := filepath.Join(dir, "nginx.conf")
	text := strings.NewReplacer("DIR", dir, "FRONT", front+" "+c.listen, "BEHIND", behind, "USER", user, "SERVER", c.server, "LOCATION", c.location).Replace(proxy)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "-p", dir, "-c", file)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // its workers end with it
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	for deadline := time.Now().Add(10 * time.Second); ; {
		conn, err := net.Dial("tcp", front)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("nginx does not start")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestTheProbeSeesWhatAProxyBreaks puts nginx in front of the house as administrators do by
// mistake, and asks the program what Entra would stumble over.
func TestTheProbeSeesWhatAProxyBreaks(t *testing.T) {
	front := "127.0.0.1:" + houses.FreePort(t)
	d := boot(t, func(cfg *engine.Config) { cfg.PublicURL = "http://" + front })
	behind := strings.TrimPrefix(d.base, "http://")
	address := "http://" + front + "/scim/v2"
	page := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(page, []byte("<html><body>Something went wrong.</body></html>"), 0o644); err != nil {
		t.Fatal(err)
	}
	own := fmt.Sprintf("location = /page.html { internal; root %s; }\n", filepath.Dir(page))
	for _, row := range []struct {
		name string
		changed
		check string
		kind  scimprobe.Kind // empty: nothing is wrong
	}{
		{"nothing is changed", changed{}, "", ""},
		{"a page of its own for what is not found", changed{server: own + "error_page 404 /page.html;", location: "proxy_intercept_errors on;"}, "not-found", scimprobe.NotJSON},
		{"a page of its own for who has no token", changed{server: own + "error_page 401 /page.html;", location: "proxy_intercept_errors on;"}, "authentication", scimprobe.NotJSON},
		{"what is not found leads to the front page", changed{server: own + "error_page 404 =200 /page.html;", location: "proxy_intercept_errors on;"}, "not-found", scimprobe.NotJSON},
		{"the token is dropped", changed{location: `proxy_set_header Authorization "";`}, "test-connection", scimprobe.TokenRefused},
		{"a password is asked for first", changed{location: "auth_basic private; auth_basic_user_file /dev/null;"}, "test-connection", scimprobe.TokenRefused},
		{"everything leads to https", changed{server: "return 301 https://badges.example.org$request_uri;"}, "test-connection", scimprobe.Redirected},
		{"reading alone is allowed", changed{location: "limit_except GET { deny all; }"}, "methods", scimprobe.Blocked},
		{"ten requests a second are enough", changed{location: "limit_req zone=slow burst=5 nodelay; limit_req_status 429;"}, "rate", scimprobe.Throttled},
		{"groups are not handed on", changed{server: "location /scim/v2/Groups { return 404; }"}, "groups", scimprobe.NotJSON},
		{"names with quotes are attacks", changed{location: `if ($args ~ "(%27|')") { return 403; }`}, "characters", scimprobe.Blocked},
		{"parameters are cut off", changed{location: "set $args '';"}, "test-connection", scimprobe.FilterIgnored},
		{"discovery is not for the world", changed{server: "location /scim/v2/Schemas { deny all; }"}, "discovery", scimprobe.NotJSON},
	} {
		t.Run(row.name, func(t *testing.T) {
			nginx(t, front, behind, row.changed)
			d := d.in(t)
			if row.kind == scimprobe.FilterIgnored {
				d.user(nil) // whom a look-up without its filter finds
			}
			lookups := "0"
			if row.kind == scimprobe.Throttled {
				lookups = "20"
			}
			cmd := exec.CommandContext(t.Context(), houses.Program(t), "scim", "probe", address, "-", "--json", "--lookups", lookups)
			cmd.Stdin = strings.NewReader(d.client.Token + "\n")
			out, err := cmd.Output()
			var report scimprobe.Report
			if json.Unmarshal(out, &report) != nil {
				t.Fatalf("%v: %s", err, out)
			}
			var exit *exec.ExitError
			if failed := errors.As(err, &exit) && exit.ExitCode() == 1; failed != (row.kind != "") || report.Ready == failed {
				t.Errorf("it ended with %v: %s", err, out)
			}
			if row.kind != "" && !found(report, row.check, row.kind) {
				t.Errorf("it does not see it: %s", out)
			}
			if strings.Contains(string(out), d.client.Token) {
				t.Error("it prints the token")
			}
		})
	}
}

func found(report scimprobe.Report, check string, kind scimprobe.Kind) bool {
	for _, r := range report.Results {
		for _, p := range r.Problems {
			if r.Check == check && p.Kind == kind {
				return true
			}
		}
	}
	return false
}

// TestTheProbeIsContentWithTLSAsItIsRecommended creates, changes and deletes through nginx
// with a certificate; the house knows itself by that address.
func TestTheProbeIsContentWithTLSAsItIsRecommended(t *testing.T) {
	front := "127.0.0.1:" + houses.FreePort(t)
	_, port, _ := strings.Cut(front, ":")
	base := "https://localhost:" + port
	d := boot(t, func(cfg *engine.Config) { cfg.PublicURL = base })
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	nginx(t, front, strings.TrimPrefix(d.base, "http://"), changed{listen: "ssl", server: fmt.Sprintf("ssl_certificate %s/cert.pem; ssl_certificate_key %s/key.pem;", dir, dir)})
	roots := x509.NewCertPool()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(cert)
	report, err := scimprobe.Probe(t.Context(), scimprobe.Options{Address: base + "/scim/v2", Token: d.client.Token, Write: true, Roots: roots, Slow: time.Minute})
	if err != nil || !report.Ready {
		t.Errorf("%v: %s", err, js(report))
	}
	for _, r := range report.Results {
		if r.Outcome == scimprobe.Warning && r.Check != "address" { // localhost is no address for the world
			t.Errorf("%+v", r)
		}
	}
	d.empty(scimprobe.Query("/Users", "filter", "userName sw "+scimprobe.Quote(scimprobe.Mark)))
	d.empty(scimprobe.Query("/Groups", "filter", "displayName sw "+scimprobe.Quote(scimprobe.Mark)))

	report, err = scimprobe.Probe(t.Context(), scimprobe.Options{Address: base + "/scim/v2", Token: d.client.Token}) // with the authorities of this machine
	if err != nil || report.Ready || !found(report, "certificate", scimprobe.Certificate) {
		t.Errorf("a certificate that nobody knows is taken: %v %s", err, js(report))
	}
}
