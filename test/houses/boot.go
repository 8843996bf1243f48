package houses

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// Admin is the token with which every house can be administered.
const Admin = "0123456789abcdef0123456789abcdef-bootstrap"

// Log is what a house says. It is safe for concurrent use.
type Log struct {
	mu     sync.Mutex
	buffer bytes.Buffer // not embedded: its own methods do not lock
}

// Write implements [io.Writer].
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.Write(p)
}

// String is all that was said until now.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.String()
}

// tell shows the end of a log where the test failed.
func (l *Log) tell(t testing.TB) {
	const most = 64 << 10
	if !t.Failed() {
		return
	}
	said := l.String()
	if len(said) > most {
		said = "…" + said[len(said)-most:]
	}
	t.Log(said)
}

// Boot starts a house in this process, on a SQLite file of its own, and answers its
// address and its log. now may be nil: then it goes by the clock of the machine. change may be nil, too; the
// configuration that it gets already has the address at which the house will be.
func Boot(t testing.TB, now func() time.Time, change func(*engine.Config)) (base string, log *Log) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base = "http://" + listener.Addr().String()
	cfg := engine.In(t.TempDir())
	cfg.Migrations.OnStart = "always"
	cfg.Auth.BootstrapAdminToken = config.Secret(Admin)
	cfg.PublicURL = base
	if change != nil {
		change(&cfg)
	}
	log = &Log{}
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
		log.tell(t)
	})
	return base, log
}

// On has a house on an engine: SQLite with the cache in the process, PostgreSQL with Redis.
func On(t testing.TB, e dbtest.Engine, change func(*engine.Config)) func(*engine.Config) {
	return func(cfg *engine.Config) {
		cfg.Database.URL = e.URL
		if e.Name == "postgres" {
			cfg.Cache.URL = dbtest.Redis(t)
		}
		if change != nil {
			change(cfg)
		}
	}
}
