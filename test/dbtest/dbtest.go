package dbtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/migrations"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/database/postgres"
	"github.com/badge-engine/badge-engine/platform/database/sqlite"
)

// Engine is an empty database of one kind.
type Engine struct {
	Name string
	URL  string // for DATABASE_URL
}

// engines lists every engine: a new one is one line here.
var engines = []struct {
	name   string
	create func(t testing.TB) (url string)
}{
	{"sqlite", createSQLite},
	{"postgres", createPostgres},
}

// Drivers are the storage plug-ins under test.
func Drivers() []database.Driver { return []database.Driver{postgres.Driver{}, sqlite.Driver{}} }

// Each runs a test once an engine, on a database of its own that is migrated by
// sets and otherwise empty.
func Each(t *testing.T, run func(t *testing.T, db *database.DB), sets ...migrations.Set) {
	t.Helper()
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			db := Open(t, engine.create(t))
			if len(sets) > 0 {
				runner, err := migrations.New(db, sets, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				if err := runner.Up(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			run(t, db)
		})
	}
}

// Engines creates an empty database on each engine that is there.
func Engines(t testing.TB) []Engine {
	t.Helper()
	var list []Engine
	for _, engine := range engines {
		if engine.name == "postgres" && os.Getenv("TEST_DATABASE_URL") == "" && os.Getenv("CI") == "" {
			t.Log("TEST_DATABASE_URL is not set: PostgreSQL is left out; `go run ./test/run` includes it")
			continue
		}
		list = append(list, Engine{Name: engine.name, URL: engine.create(t)})
	}
	return list
}

// Open connects to the database at an address until the test ends. Another
// handle on the same database is like another replica.
func Open(t testing.TB, address string) *database.DB {
	t.Helper()
	cfg := database.Default()
	cfg.URL = address
	db, err := database.New(cfg, slog.New(slog.DiscardHandler), Drivers()...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// Redis is the address of a Redis, for REDIS_URL. Tests share it, so their keys
// must not collide.
func Redis(t testing.TB) string {
	t.Helper()
	return required(t, "TEST_REDIS_URL", "Redis")
}

// required reads the variable that names a server. A missing one skips the test
// on a developer's machine and fails it where CI is set.
func required(t testing.TB, variable, what string) string {
	t.Helper()
	value := os.Getenv(variable)
	if value == "" {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not set: %s must be tested in CI", variable, what)
		}
		t.Skipf("%s is not set; `go run ./test/run` tests on %s too", variable, what)
	}
	return value
}

func createSQLite(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "test.db")
}

// createPostgres makes a database on the server of TEST_DATABASE_URL and drops
// it when the test ends, whoever is still connected.
func createPostgres(t testing.TB) string {
	t.Helper()
	server := required(t, "TEST_DATABASE_URL", "PostgreSQL")
	address, err := url.Parse(server)
	if err != nil {
		t.Fatal("TEST_DATABASE_URL is not a URL")
	}
	name := "badge_engine_test_" + strings.ToLower(rand.Text()[:16])
	admin := pool(t, server)
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		_ = admin.Close()
		t.Fatalf("create a database on the server of TEST_DATABASE_URL: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if _, err := admin.ExecContext(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the database of this test: %v", err)
		}
		_ = admin.Close()
	})
	address.Path = "/" + name
	return address.String()
}

// pool opens the server itself with as few connections as can be.
func pool(t testing.TB, server string) *sql.DB {
	t.Helper()
	cfg := database.Default()
	cfg.URL, cfg.PoolSize, cfg.MaxOverflow = server, 1, 0
	pool, _, err := postgres.Driver{}.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return pool
}
