package migrations_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/badge-engine/badge-engine/migrations"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/probe"
	"github.com/badge-engine/badge-engine/test/dbtest"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// set makes a module's migrations, the same for both engines.
func set(module string, up ...string) migrations.Set {
	files := fstest.MapFS{}
	for i, statement := range up {
		for _, dialect := range []string{"postgres", "sqlite"} {
			files[fmt.Sprintf("migrations/%s/%05d_step.sql", dialect, i+1)] = &fstest.MapFile{
				Data: fmt.Appendf(nil, "-- +goose Up\n%s\n-- +goose Down\nDROP TABLE %s_%d;\n", statement, module, i+1),
			}
		}
	}
	return migrations.Set{Module: module, Files: files}
}

var (
	first  = set("birds", "CREATE TABLE birds_1 (id text PRIMARY KEY); INSERT INTO birds_1 VALUES ('owl');", "CREATE TABLE birds_2 (id text);")
	second = set("ants", "CREATE TABLE ants_1 (id text);")
	broken = set("cats", "CREATE TABLE cats_1 (id text);", "CREATE TABLE cats_2 (id text); INSERT INTO nowhere VALUES (1);", "CREATE TABLE cats_3 (id text);")
)

func runner(t *testing.T, db *database.DB, log *slog.Logger, sets ...migrations.Set) *migrations.Runner {
	t.Helper()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	r, err := migrations.New(db, sets, log)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func tables(t *testing.T, db *database.DB) string {
	t.Helper()
	names, err := db.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return strings.HasSuffix(name, "_schema_version") || name == "platform_locks"
	})
	return strings.Join(names, " ")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestUpAndDownOneStepAtATime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		r := runner(t, db, nil, first, second)
		err := r.Check(t.Context())
		if f, ok := fault.From(err); !errors.Is(err, migrations.ErrOlder) || !ok || f.Kind() != fault.Unavailable || !strings.Contains(err.Error(), "badge-engine migrate up") {
			t.Errorf("an empty database answered %v, want ErrOlder with the command", err)
		}
		if got := tables(t, db); got != "" {
			t.Errorf("checking created %s", got)
		}
		must(t, r.Up(t.Context()))
		must(t, r.Up(t.Context()))
		must(t, r.Check(t.Context()))
		if got := tables(t, db); got != "ants_1 birds_1 birds_2" {
			t.Errorf("up created %s", got)
		}
		must(t, r.Down(t.Context(), "birds"))
		if got := tables(t, db); got != "ants_1 birds_1" {
			t.Errorf("down left %s", got)
		}
		if err := r.Check(t.Context()); !errors.Is(err, migrations.ErrOlder) || !strings.Contains(err.Error(), "birds/00002_step.sql") {
			t.Errorf("got %v, want ErrOlder with the file that is missing", err)
		}
		must(t, r.Down(t.Context(), "birds"))
		if err := r.Down(t.Context(), "birds"); !errors.Is(err, migrations.ErrNothing) {
			t.Errorf("got %v, want ErrNothing", err)
		}
		if err := r.Down(t.Context(), "whales"); !errors.Is(err, migrations.ErrUnknown) {
			t.Errorf("got %v, want ErrUnknown", err)
		}
		must(t, r.Up(t.Context()))
		if got := tables(t, db); got != "ants_1 birds_1 birds_2" {
			t.Errorf("up again created %s", got)
		}
	})
}

func TestStatusListsEveryMigrationByModule(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		must(t, runner(t, db, nil, set("birds", "CREATE TABLE birds_1 (id text);")).Up(t.Context()))
		list, err := runner(t, db, nil, first, second).Status(t.Context())
		must(t, err)
		var got []string
		for _, s := range list {
			got = append(got, fmt.Sprintf("%s %d %s %t", s.Module, s.Version, s.Name, s.Applied))
			if s.Applied != !s.At.IsZero() || s.Applied && (time.Since(s.At).Abs() > time.Hour || s.At.Location() != time.UTC) {
				t.Errorf("%s was applied at %v", s.Name, s.At)
			}
		}
		want := []string{"ants 1 00001_step.sql false", "birds 1 00001_step.sql true", "birds 2 00002_step.sql false"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestASchemaThatIsNewerThanTheProgramIsFine(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		must(t, runner(t, db, nil, first).Up(t.Context()))
		older := runner(t, db, nil, set("birds", "CREATE TABLE birds_1 (id text);"))
		must(t, older.Check(t.Context()))
		must(t, older.Up(t.Context()))

		// Who runs goes on; who starts must mean it.
		if unknown, err := older.Unknown(t.Context()); err != nil || len(unknown) != 1 || unknown[0] != "birds/00002" {
			t.Errorf("unknown: %v %v", unknown, err)
		}
		if err := older.Start(t.Context(), migrations.Default()); !errors.Is(err, migrations.ErrNewer) || !strings.Contains(err.Error(), "birds/00002") || !strings.Contains(err.Error(), "MIGRATE_ACCEPT_NEWER") {
			t.Errorf("a start on a newer schema: %v", err)
		}
		accept := migrations.Default()
		accept.AcceptNewer = true
		must(t, older.Start(t.Context(), accept))
	})
}

func TestTenReplicasMayStartAtOnce(t *testing.T) {
	for _, engine := range dbtest.Engines(t) {
		t.Run(engine.Name, func(t *testing.T) {
			var replicas []*migrations.Runner
			for range 10 {
				replicas = append(replicas, runner(t, dbtest.Open(t, engine.URL), nil, first, second))
			}
			var group sync.WaitGroup
			failures := make(chan error, len(replicas))
			for _, replica := range replicas {
				group.Go(func() { failures <- replica.Up(t.Context()) })
			}
			group.Wait()
			close(failures)
			for err := range failures {
				must(t, err)
			}
			db := dbtest.Open(t, engine.URL)
			var owls, versions int64
			must(t, db.Reader(t.Context()).Table("birds_1").Count(&owls).Error)
			must(t, db.Reader(t.Context()).Table("birds_schema_version").Where("version_id > 0").Count(&versions).Error)
			if owls != 1 || versions != 2 {
				t.Errorf("%d rows and %d versions, want 1 and 2: a migration ran more than once", owls, versions)
			}
		})
	}
}

// TestHolder is no test of its own: as a process of its own it takes the lock
// that [TestTheLockGoesWithTheProcessThatHoldsIt] waits for.
func TestHolder(t *testing.T) {
	address := os.Getenv("HOLD_THE_LOCK_OF")
	if address == "" {
		t.Skip("runs only as a part of another test")
	}
	if _, err := dbtest.Open(t, address).Lock(t.Context(), "migrations"); err != nil {
		t.Fatal(err)
	}
	fmt.Println("held")
	_, _ = io.Copy(io.Discard, os.Stdin) // until somebody kills us
}

func TestTheLockGoesWithTheProcessThatHoldsIt(t *testing.T) {
	for _, engine := range dbtest.Engines(t) {
		t.Run(engine.Name, func(t *testing.T) {
			holder := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHolder$")
			holder.Env = append(os.Environ(), "HOLD_THE_LOCK_OF="+engine.URL)
			_, err := holder.StdinPipe()
			must(t, err)
			said, err := holder.StdoutPipe()
			must(t, err)
			must(t, holder.Start())
			if line, err := bufio.NewReader(said).ReadString('\n'); line != "held\n" {
				t.Fatalf("the holder said %q, %v", line, err)
			}
			r := runner(t, dbtest.Open(t, engine.URL), nil, first)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if err := r.Up(ctx); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, database.ErrUnavailable) {
				t.Errorf("while another process holds the lock: %v, want a passed deadline", err)
			}
			must(t, holder.Process.Kill())
			_ = holder.Wait()
			must(t, r.Up(t.Context()))
		})
	}
}

func TestManyRunnersOfOneHandleDoNotStarveEachOther(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		var group sync.WaitGroup
		failures := make(chan error, 30)
		for range cap(failures) {
			r := runner(t, db, nil, first)
			group.Go(func() { failures <- r.Up(t.Context()) })
		}
		group.Wait()
		close(failures)
		for err := range failures {
			must(t, err)
		}
	})
}

func TestAFailingMigrationLeavesNothingBehindAndIsLogged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		var out bytes.Buffer
		r := runner(t, db, slog.New(slog.NewJSONHandler(&out, nil)), broken)
		err := r.Up(t.Context())
		if err == nil || !strings.Contains(err.Error(), "cats") || !strings.Contains(err.Error(), "00002_step.sql") || !strings.Contains(err.Error(), "nowhere") {
			t.Errorf("got %v, want an error that names module, file and cause", err)
		}
		if got := tables(t, db); got != "cats_1" {
			t.Errorf("there is %s, want only what the first migration made", got)
		}
		for _, line := range []string{`"level":"INFO","msg":"migration applied","module":"migrations","set":"cats","name":"00001_step.sql","direction":"up"`, `"level":"ERROR","msg":"migration failed","module":"migrations"`} {
			if !strings.Contains(out.String(), line) {
				t.Errorf("the log lacks %s:\n%s", line, out.String())
			}
		}
	})
}

func TestALostDatabaseIsUnavailableAndNotOlder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		r := runner(t, db, nil, first)
		must(t, db.Close())
		for name, err := range map[string]error{"check": r.Check(t.Context()), "up": r.Up(t.Context())} {
			if !errors.Is(err, database.ErrUnavailable) {
				t.Errorf("%s answered %v, want database.ErrUnavailable", name, err)
			}
		}
	})
}

func TestNewRefusesSetsThatCannotRun(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		for _, tt := range []struct {
			name string
			sets []migrations.Set
		}{
			{"two sets of one module", []migrations.Set{first, first}},
			{"a name that is no module's", []migrations.Set{{Module: "Robert'); --", Files: first.Files}}},
			{"a set without files", []migrations.Set{{Module: "birds"}}},
			{"a set for another engine", []migrations.Set{{Module: "birds", Files: without(first.Files, db.Dialect())}}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				if _, err := migrations.New(db, tt.sets, slog.New(slog.DiscardHandler)); err == nil {
					t.Error("it was taken")
				}
			})
		}
	})
}

func without(files fs.FS, dialect string) fs.FS {
	left := fstest.MapFS{}
	for name, file := range files.(fstest.MapFS) {
		if !strings.Contains(name, dialect) {
			left[name] = file
		}
	}
	return left
}

func TestWhenAStartMigrates(t *testing.T) {
	for _, tt := range []struct {
		name     string
		cfg      migrations.Config
		sqlite   bool
		postgres bool
	}{
		{"by default only an embedded engine", migrations.Default(), true, false},
		{"in development every engine", migrations.Config{OnStart: "auto", Environment: "development"}, true, true},
		{"always", migrations.Config{OnStart: "always"}, true, true},
		{"never, even in development", migrations.Config{OnStart: "never", Environment: "development"}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			must(t, tt.cfg.Check())
			dbtest.Each(t, func(t *testing.T, db *database.DB) {
				want := map[string]bool{"sqlite": tt.sqlite, "postgres": tt.postgres}[db.Dialect()]
				r := runner(t, db, nil, second)
				tt.cfg.Wait = 0
				err := r.Start(t.Context(), tt.cfg)
				if want && err != nil || !want && !errors.Is(err, migrations.ErrOlder) {
					t.Errorf("the start says %v; want migrated %t", err, want)
				}
				if err := r.Check(t.Context()); (err == nil) != want {
					t.Errorf("after the start: %v; want migrated %t", err, want)
				}
			})
		})
	}
	if err := (migrations.Config{OnStart: "sometimes"}).Check(); err == nil || !strings.Contains(err.Error(), "MIGRATE_ON_START") {
		t.Errorf("got %v, want an error that names the variable", err)
	}
}

func TestAStartWaitsForSomebodyWhoMigrates(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		var said safeBuffer
		waiting := runner(t, db, slog.New(slog.NewTextHandler(&said, nil)), second)
		cfg := migrations.Config{OnStart: "never", Wait: time.Minute}
		started := make(chan error, 1)
		go func() { started <- waiting.Start(t.Context(), cfg) }()
		for !strings.Contains(said.String(), "waiting for `badge-engine migrate up`") { // ends: it says so before it waits
			select {
			case err := <-started:
				t.Fatalf("it did not wait: %v", err)
			default:
				runtime.Gosched()
			}
		}
		must(t, runner(t, db, nil, second).Up(t.Context()))
		must(t, <-started)

		must(t, runner(t, db, nil, second).Down(t.Context(), "ants"))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := waiting.Start(ctx, cfg); err == nil {
			t.Error("a start that is given up starts")
		}
		cfg.Wait = time.Millisecond
		if err := waiting.Start(t.Context(), cfg); !errors.Is(err, migrations.ErrOlder) || !strings.Contains(err.Error(), "ants/00001") {
			t.Errorf("nobody came, and it says %v", err)
		}
	})
}

// safeBuffer may be written while it is read.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestModuleMigratesBeforeOthersStart(t *testing.T) {
	cfg := database.Default()
	cfg.URL = "sqlite:" + filepath.Join(t.TempDir(), "x.db")
	var db *database.DB
	var probes []probe.Probe
	seen := "not asked"
	app := fxtest.New(t, fx.NopLogger, database.Module(dbtest.Drivers()...), migrations.Module,
		fx.Supply(cfg), fx.Supply(migrations.Default()), fx.Supply(slog.New(slog.DiscardHandler)),
		migrations.Provide(func() migrations.Set { return first }), migrations.Provide(func() migrations.Set { return second }),
		fx.Invoke(func(lifecycle fx.Lifecycle) { lifecycle.Append(fx.StartHook(func() { seen = tables(t, db) })) }),
		fx.Invoke(probe.Collect(func(all []probe.Probe) { probes = all })), fx.Populate(&db))
	app.RequireStart()
	defer app.RequireStop()
	if seen != "ants_1 birds_1 birds_2" {
		t.Errorf("a later hook saw the tables %s", seen)
	}
	for _, p := range probes {
		if err := p.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
	if len(probes) != 2 {
		t.Errorf("probes: %v", probes)
	}
}
