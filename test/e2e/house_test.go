package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

const admin = "0123456789abcdef0123456789abcdef-bootstrap"

// house is a booted engine and how to talk to it.
type house struct {
	t    testing.TB
	base string
	log  *lockedBuffer
}

// each boots the house once for every database engine: SQLite with the cache in the
// process, PostgreSQL with Redis.
func each(t *testing.T, run func(t *testing.T, h *house)) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			run(t, boot(t, func(cfg *engine.Config) {
				cfg.Database.URL = e.URL
				if e.Name == "postgres" {
					cfg.Cache.URL = dbtest.Redis(t)
				}
			}))
		})
	}
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer // not embedded: its own methods do not lock
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func boot(t testing.TB, change func(*engine.Config)) *house {
	t.Helper()
	return bootWith(t, nil, change)
}

// bootWith boots the house by another clock. The configuration already has the
// address at which the house will be.
func bootWith(t testing.TB, now func() time.Time, change func(*engine.Config)) *house {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + listener.Addr().String()
	cfg := engine.In(t.TempDir())
	cfg.Migrations.OnStart = "always"
	cfg.Auth.BootstrapAdminToken = config.Secret(admin)
	cfg.PublicURL = base
	if change != nil {
		change(&cfg)
	}
	log := &lockedBuffer{}
	logger, _, err := logging.NewOn(log, logging.Config{Level: "info", Format: "text"})
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(engine.Options{Config: cfg, Listener: listener, Log: logger, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The server gives a connection that was opened in advance and never used half a
		// second, which a hundred tests need not wait for.
		http.DefaultClient.CloseIdleConnections()
		if err := e.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return &house{t: t, base: base, log: log}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send asks as the administrator, unless the headers say otherwise. Headers come in pairs.
func (h *house) send(method, path string, body any, headers ...string) answer {
	h.t.Helper()
	var reader io.Reader
	kind := ""
	switch b := body.(type) {
	case nil:
	case []byte:
		reader = bytes.NewReader(b)
	case string:
		reader, kind = strings.NewReader(b), "application/json"
	default:
		data, err := json.Marshal(b)
		if err != nil {
			h.t.Fatal(err)
		}
		reader, kind = bytes.NewReader(data), "application/json"
	}
	request, err := http.NewRequestWithContext(h.t.Context(), method, h.base+path, reader)
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+admin)
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			request.Header.Del(headers[i])
		} else {
			request.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, data}
}

// must fails the test unless the answer has the status.
func (h *house) must(status int, a answer) answer {
	h.t.Helper()
	if a.status != status {
		h.t.Fatalf("status %d instead of %d: %s", a.status, status, a.body)
	}
	return a
}

func (a answer) into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
}

// id of what was just created.
func (a answer) id(t testing.TB) string {
	t.Helper()
	var v struct{ ID string }
	a.into(t, &v)
	if v.ID == "" {
		t.Fatalf("no id in %s", a.body)
	}
	return v.ID
}

func (h *house) issuer() string {
	h.t.Helper()
	return h.must(201, h.send("POST", "/api/v1/issuers", map[string]any{"name": "Example Academy", "url": "https://academy.example.org"})).id(h.t)
}

func (h *house) achievement(issuerID, imageID string) string {
	h.t.Helper()
	body := map[string]any{
		"issuerId": issuerID, "name": "Teamwork", "description": "Worked well with others.",
		"criteria": map[string]any{"narrative": "Nominated by peers."},
	}
	if imageID != "" {
		body["imageId"] = imageID
	}
	return h.must(201, h.send("POST", "/api/v1/achievements", body)).id(h.t)
}

func order(achievementID string) map[string]any {
	return map[string]any{"achievementId": achievementID, "recipient": map[string]any{"email": "ada@example.org"}}
}

var program struct {
	sync.Once
	path string
	err  error
}

// built compiles the program once for all tests.
func built(t *testing.T) string {
	t.Helper()
	program.Do(func() {
		dir, err := os.MkdirTemp("", "badge-engine-e2e-")
		if err != nil {
			program.err = err
			return
		}
		program.path = filepath.Join(dir, "badge-engine")
		build := exec.Command("go", "build", "-o", program.path, "github.com/badge-engine/badge-engine/app")
		if out, err := build.CombinedOutput(); err != nil {
			program.err = &exec.Error{Name: string(out), Err: err}
		}
	})
	if program.err != nil {
		t.Fatal(program.err)
	}
	return program.path
}

func TestMain(m *testing.M) {
	code := m.Run()
	if program.path != "" {
		os.RemoveAll(filepath.Dir(program.path))
	}
	os.Exit(code)
}
