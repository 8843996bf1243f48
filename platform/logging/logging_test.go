package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"
	"go.uber.org/fx/fxtest"

	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/platform/tracing"
)

func logger(t *testing.T, c logging.Config) (*slog.Logger, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	log, files, err := logging.NewOn(&out, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := files.Close(); err != nil {
			t.Error(err)
		}
	})
	return log, &out
}

type mail string

func (m mail) String() string { return "mail of " + string(m) }

func TestRedaction(t *testing.T) {
	for _, row := range []struct {
		name  string
		attr  slog.Attr
		lacks string
		has   string
	}{
		{"an e-mail address", slog.String("to", "sent to ada.lovelace+x@example.org today"), "ada", "sent to [e-mail] today"},
		{"an international e-mail address", slog.String("to", "jörg@bücher.example"), "jörg", "[e-mail]"},
		{"a bearer token", slog.String("header", "Bearer abc.def-123"), "abc", "Bearer ***"},
		{"an API token", slog.String("line", "used be_0123456789abcdef twice"), "0123", "used be_*** twice"},
		{"a compact JWS", slog.String("body", "got eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln"), "eyJhIjoxfQ", "got [jws]"},
		{"a password in a URL", slog.String("dsn", "postgres://badge_user:hunter2@db.example/badge_engine"), "hunter2", "postgres://***@db.example/badge_engine"},
		{"a password in a URL without a user", slog.String("dsn", "redis://:hunter2@localhost:6379/0"), "hunter2", "redis://***@localhost"},
		{"a password in a DSN", slog.String("dsn", "host=db password=hunter2 user=x"), "hunter2", "password=*** user=x"},
		{"a token in a query", slog.String("url", "/callback?code=abc123&state=1"), "abc123", "code=***&state=1"},
		{"an error", slog.Any("error", fmt.Errorf("save: %w", errors.New("duplicate key (a@b.example)"))), "a@b", "save: duplicate key ([e-mail])"},
		{"a Stringer", slog.Any("who", mail("a@b.example")), "a@b", "mail of [e-mail]"},
		{"a key that names a secret", slog.String("client_secret", "hunter2"), "hunter2", "***"},
		{"a number under a key of a secret in a group", slog.Group("g", slog.String("Authorization", "hunter2")), "hunter2", "***"},
		{"a list", slog.Any("all", []string{"a@b.example", "fine"}), "a@b", `["[e-mail]","fine"]`},
		{"a structure", slog.Any("v", map[string]any{"password": "hunter2", "deep": []any{map[string]string{"x": "a@b.example"}}}), "hunter2", `"deep":[{"x":"[e-mail]"}]`},
		{"a structure with an address", slog.Any("v", struct{ Mail string }{"a@b.example"}), "a@b", `[e-mail]`},
		{"bytes", slog.Any("v", []byte("hunter2")), "hunter2", "[7 bytes]"},
		{"a Secret", slog.Any("v", config.Secret("hunter2")), "hunter2", "***"},
		{"a value that computes itself", slog.Any("v", slog.AnyValue(valuer("a@b.example"))), "a@b", "[e-mail]"},
	} {
		t.Run(row.name+" is hidden", func(t *testing.T) {
			for _, format := range []string{"json", "text"} {
				log, out := logger(t, logging.Config{Format: format})
				log.Info("m", row.attr)
				log.With(row.attr).Info("m")
				if strings.Contains(out.String(), row.lacks) {
					t.Errorf("%s shows it: %s", format, out)
				}
				if format == "json" && !strings.Contains(out.String(), row.has) {
					t.Errorf("%q is missing in %s", row.has, out)
				}
			}
		})
	}
}

type valuer string

func (v valuer) LogValue() slog.Value { return slog.StringValue(string(v)) }

func TestWhatIsNotSecretStays(t *testing.T) {
	log, out := logger(t, logging.Config{})
	log.Info("mail to a@b.example", "token_id", "t-1", "status", 200, "maybe_something_long", "maybe_something_long", "secretary", "",
		"duration", time.Second, "path", "@context", "sha", "sha256$abc", "nothing", nil)
	var record map[string]any
	if err := json.Unmarshal(out.Bytes(), &record); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"msg": "mail to [e-mail]", "level": "INFO", "token_id": "t-1", "status": 200.0, "maybe_something_long": "maybe_something_long",
		"duration": 1e9, "path": "@context", "sha": "sha256$abc", "nothing": nil, "secretary": "",
	} {
		if record[key] != want {
			t.Errorf("%s is %v, want %v", key, record[key], want)
		}
	}
}

func TestLevelsPerModule(t *testing.T) {
	log, out := logger(t, logging.Config{Level: "warn, auth=debug,database=error"})
	for _, module := range []string{"auth", "database", "scim"} {
		l := log.With("other", 1).With("module", module).WithGroup("g").With("module", "inner")
		l.Debug(module + "-debug")
		l.Warn(module + "-warn")
		l.Error(module + "-error")
	}
	for word, want := range map[string]bool{
		"auth-debug": true, "auth-error": true,
		"database-warn": false, "database-error": true,
		"scim-debug": false, "scim-warn": true,
	} {
		if strings.Contains(out.String(), word) != want {
			t.Errorf("%s: logged %t", word, !want)
		}
	}
}

func TestConfigIsRefused(t *testing.T) {
	for says, c := range map[string]logging.Config{
		"LOG_LEVEL":  {Level: "loud"},
		"auth=loud":  {Level: "info,auth=loud"},
		"LOG_FORMAT": {Format: "xml"},
	} {
		if _, _, err := logging.NewOn(io.Discard, c); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v does not say %s", err, says)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := logging.NewOn(io.Discard, logging.Config{Dir: file}); err == nil || !strings.Contains(err.Error(), "LOG_DIR") {
		t.Errorf("error %v does not say LOG_DIR", err)
	}
}

func TestContextSpeaks(t *testing.T) {
	log, out := logger(t, logging.Config{})
	ctx := principal.With(logging.ContextWith(t.Context(), "r-1"), principal.Principal{ID: "p-1", Name: "Ada"})
	log.InfoContext(ctx, "m")
	log.InfoContext(context.Background(), "n")
	first, second, _ := strings.Cut(out.String(), "\n")
	if !strings.Contains(first, `"request_id":"r-1"`) || !strings.Contains(first, `"principal":"p-1"`) || strings.Contains(first, "Ada") {
		t.Error(first)
	}
	if strings.Contains(second, "request_id") || strings.Contains(second, "trace_id") || strings.Contains(second, "principal") {
		t.Error(second)
	}
}

func TestTheLogNamesTheTrace(t *testing.T) {
	cfg := tracing.Default()
	cfg.Endpoint, cfg.Sampler = "http://127.0.0.1:1", "always_off" // nothing is sent
	tracer, err := tracing.New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer tracer.Stop(t.Context())
	log, out := logger(t, logging.Default())
	ctx, span := tracer.Begin(t.Context(), "GET", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", "")
	defer span.End()
	log.InfoContext(ctx, "x")
	if !strings.Contains(out.String(), `"trace_id":"0af7651916cd43dd8448eb211c80319c"`) {
		t.Errorf("the log has %s", out)
	}
}

func TestFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	for range 2 { // the second start appends
		var out bytes.Buffer
		log, files, err := logging.NewOn(&out, logging.Config{Dir: dir, Format: "text"})
		if err != nil {
			t.Fatal(err)
		}
		log.Warn("a warning")
		log.Error("an error of a@b.example")
		log.With("module", "migrations").Error("a migration failed")
		if strings.Count(out.String(), "\n") != 3 {
			t.Errorf("the stream lacks records: %s", out.String())
		}
		if err := files.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]int{"error.log": 4, "migration_errors.log": 2} {
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(data), "\n") != want || strings.Contains(string(data), "a@b") || strings.Contains(string(data), "warning") {
			t.Errorf("%s: %s", name, data)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
}

func TestScopeNamesTheModule(t *testing.T) {
	log, out := logger(t, logging.Config{Level: "info,fx=debug"})
	app := fxtest.New(t,
		fx.Supply(log),
		fx.WithLogger(func(log *slog.Logger) fxevent.Logger { return logging.FxLogger(log) }),
		fx.Module("baking", logging.Scope("baking"), fx.Invoke(func(log *slog.Logger) { log.Info("inside") })),
		fx.Invoke(func(log *slog.Logger) { log.Info("outside") }),
	)
	app.RequireStart().RequireStop()
	for line := range strings.Lines(out.String()) {
		var r struct{ Level, Msg, Module string }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"inside": "baking", "outside": ""}
		module, known := want[r.Msg]
		if !known {
			module = "fx"
			if r.Level != "DEBUG" {
				t.Errorf("fx speaks loudly: %s", line)
			}
		}
		if r.Module != module {
			t.Errorf("module %q in %s", r.Module, line)
		}
	}
	if !strings.Contains(out.String(), "inside") || !strings.Contains(out.String(), `"module":"fx"`) {
		t.Error(out)
	}
}

func BenchmarkRecord(b *testing.B) {
	log, _, err := logging.NewOn(io.Discard, logging.Default())
	if err != nil {
		b.Fatal(err)
	}
	ctx := logging.ContextWith(b.Context(), "01920000-0000-7000-8000-000000000000")
	b.ReportAllocs()
	for b.Loop() {
		log.LogAttrs(ctx, slog.LevelInfo, "request answered", slog.String("method", "GET"), slog.String("route", "/api/v1/achievements/:id"),
			slog.Int("status", 200), slog.Duration("duration", time.Millisecond), slog.Int("bytes", 1234))
	}
}

func TestAModuleHasALevelOfItsOwn(t *testing.T) {
	environ := map[string]string{"LOG_LEVEL": "warn", "LOG_LEVEL_SCIM": "DEBUG", "LOG_LEVEL_AUTH": "", "PATH": "/bin"}
	c, err := logging.Config{Level: "warn,scim=error", Format: "json"}.Modular(environ)
	if err != nil {
		t.Fatal(err)
	}
	log, out := logger(t, c)
	log.With(logging.ModuleKey, "scim").Debug("of scim")
	log.With(logging.ModuleKey, "auth").Info("of auth")
	if got := out.String(); !strings.Contains(got, "of scim") || strings.Contains(got, "of auth") {
		t.Errorf("the log is %s", got)
	}
	for _, wrong := range []string{"loud", "info,auth=debug", "auth=debug"} {
		if _, err := logging.Default().Modular(map[string]string{"LOG_LEVEL_SCIM": wrong}); err == nil || !strings.Contains(err.Error(), "LOG_LEVEL_SCIM") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
