package database_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/probe"
	"github.com/badge-engine/badge-engine/test/dbtest"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func TestConfigNamesTheVariableThatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*database.Config)
		want   string
	}{
		{"an address without a scheme", func(c *database.Config) { c.URL = "badge_engine" }, "DATABASE_URL"},
		{"an unknown engine", func(c *database.Config) { c.URL = "oracle://scott:tiger@host/x" }, "DATABASE_URL"},
		{"an address that is none", func(c *database.Config) { c.URL = "postgres://user:tiger@host:port/x" }, "DATABASE_URL"},
		{"a database in memory", func(c *database.Config) { c.URL = "sqlite::memory:" }, "DATABASE_URL"},
		{"an SQLite address without a file", func(c *database.Config) { c.URL = "sqlite:" }, "DATABASE_URL"},
		{"a pool of nothing", func(c *database.Config) { c.PoolSize = 0 }, "DB_POOL_SIZE"},
		{"a wait into the past", func(c *database.Config) { c.Wait = -time.Second }, "DB_WAIT"},
		{"a negative overflow", func(c *database.Config) { c.MaxOverflow = -1 }, "DB_MAX_OVERFLOW"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := database.Default()
			tt.change(&cfg)
			_, err := database.New(cfg, slog.New(slog.DiscardHandler), dbtest.Drivers()...)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "tiger") {
				t.Errorf("got %v, want an error that names %s and no password", err, tt.want)
			}
		})
	}
}

func TestConfigNeverShowsAPassword(t *testing.T) {
	for _, url := range []string{
		"postgres://user:tiger@host/db", "postgres://host/db?user=u&password=tiger", "postgres://user:tiger@host:port/db",
	} {
		if s := (database.Config{URL: url}).String(); strings.Contains(s, "tiger") {
			t.Errorf("%s shows the password", s)
		}
	}
}

func TestStartMakesTheFolderAndNewDoesNot(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a ?%# folder", "deep")
	cfg := database.Default()
	cfg.URL = "sqlite:" + filepath.Join(folder, "x.db")
	db, err := database.New(cfg, slog.New(slog.DiscardHandler), dbtest.Drivers()...)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if found, _ := filepath.Glob(filepath.Dir(folder)); len(found) > 0 {
		t.Error("New touched the disk")
	}
	if err := db.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Session(t.Context()).Exec("CREATE TABLE t (id text)").Error; err != nil {
		t.Fatal(err)
	}
	if found, _ := filepath.Glob(filepath.Join(strings.ReplaceAll(folder, "?", "[?]"), "x.db")); len(found) != 1 {
		t.Error("the file is not where it was asked for")
	}
}

func TestStartWaitsForADatabaseThatComesUpLater(t *testing.T) {
	var address string
	for _, engine := range dbtest.Engines(t) {
		if engine.Name == "postgres" {
			address = engine.URL
		}
	}
	if address == "" {
		t.Skip("needs PostgreSQL: `go run ./test/run` starts one")
	}
	far, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	near := *far
	near.Host = door.Addr().String()
	_ = door.Close() // now nobody answers there

	var log lines
	open := func(wait time.Duration) *database.DB {
		cfg := database.Default()
		cfg.URL, cfg.Wait = near.String(), wait
		db, err := database.New(cfg, slog.New(slog.NewTextHandler(&log, nil)), dbtest.Drivers()...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	unavailable(t, "without patience", open(0).Start(t.Context()))
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if err := open(time.Hour).Start(impatient); err == nil {
		t.Error("a start that was given up succeeded")
	}

	log.say = make(chan struct{}, 1)
	started := make(chan error, 1)
	go func() { started <- open(time.Minute).Start(t.Context()) }()
	<-log.say // it has tried, and waits
	if door, err = net.Listen("tcp", near.Host); err != nil {
		t.Fatal(err)
	}
	defer door.Close()
	go func() {
		for {
			in, err := door.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", far.Host)
			if err != nil {
				_ = in.Close()
				continue
			}
			go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
			go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
		}
	}()
	if err := <-started; err != nil {
		t.Errorf("the database came up, but %v", err)
	}
}

// lines is a log that tells when something was written.
type lines struct{ say chan struct{} }

func (l *lines) Write(p []byte) (int, error) {
	select {
	case l.say <- struct{}{}:
	default:
	}
	return len(p), nil
}

func TestEchoShowsStatementsAndNoValues(t *testing.T) {
	for _, engine := range dbtest.Engines(t) {
		t.Run(engine.Name, func(t *testing.T) {
			var out bytes.Buffer
			cfg := database.Default()
			cfg.URL, cfg.Echo = engine.URL, true
			db, err := database.New(cfg, slog.New(slog.NewTextHandler(&out, nil)), dbtest.Drivers()...)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if err := db.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			session := db.Session(t.Context())
			session.Exec("CREATE TABLE people (id integer PRIMARY KEY, email text)")
			session.Exec("INSERT INTO people (id, email) VALUES (?, ?)", 1, "ada@example.org")
			again := session.Exec("INSERT INTO people (id, email) VALUES (?, ?)", 1, "ada@example.org").Error
			session.Exec("INSERT INTO people (id, email) VALUES (?, ?)", "ada@example.org", 1)
			rows := database.Rows{Table: "people", Columns: []string{"id", "email"}, Values: [][]any{{2, "ada@example.org"}, {1, "ada@example.org"}}}
			if err := db.Insert(t.Context(), rows); err == nil || strings.Contains(err.Error(), "ada@") {
				t.Errorf("inserted rows: %v", err)
			}
			shown := out.String() + again.Error()
			for _, want := range []string{"INSERT INTO people\"", "rows=2", "level=INFO", "module=database", "INSERT INTO people (id, email) VALUES (", "duration=", "rows=1", "error="} {
				if !strings.Contains(shown, want) {
					t.Errorf("the log lacks %q:\n%s", want, shown)
				}
			}
			if strings.Contains(shown, "ada@") {
				t.Errorf("the log shows a value:\n%s", shown)
			}
		})
	}
}

func TestModuleConnectsFromStartToStop(t *testing.T) {
	cfg := database.Default()
	cfg.URL = "sqlite:" + filepath.Join(t.TempDir(), "x.db")
	var db *database.DB
	var probes []probe.Probe
	app := fxtest.New(t, fx.NopLogger, database.Module(dbtest.Drivers()...),
		fx.Supply(cfg), fx.Supply(slog.New(slog.DiscardHandler)),
		fx.Invoke(probe.Collect(func(all []probe.Probe) { probes = all })), fx.Populate(&db))
	app.RequireStart()
	if len(probes) != 1 || probes[0].Name != "database" {
		t.Fatalf("probes: %v", probes)
	}
	if err := probes[0].Check(t.Context()); err != nil {
		t.Error(err)
	}
	app.RequireStop()
	unavailable(t, "after the stop", probes[0].Check(t.Context()))
}

func TestASlowStatementIsLoggedWithoutItsValues(t *testing.T) {
	for slow, want := range map[time.Duration]bool{time.Nanosecond: true, time.Hour: false, 0: false} {
		var out bytes.Buffer
		cfg := database.Default()
		cfg.URL, cfg.Slow = "sqlite:"+filepath.Join(t.TempDir(), "x.db"), slow
		db, err := database.New(cfg, slog.New(slog.NewTextHandler(&out, nil)), dbtest.Drivers()...)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := db.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := db.Session(t.Context()).Exec("SELECT ?", "ada@example.org").Error; err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "statement was slow") != want || strings.Contains(out.String(), "ada@") {
			t.Errorf("slow from %s on: %s", slow, out.String())
		}
	}
}
