package command

import (
	"bytes"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

func TestAuditVerifySaysWhatIsBrokenAndEndsWithOne(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("DATABASE_URL", "sqlite:"+filepath.Join(dir, "badge-engine.db"))
	t.Setenv("KEY_ENCRYPTION_KEY_FILE", filepath.Join(dir, "key-encryption.key"))
	call := func(code int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if got := Run(t.Context(), args, &out, &out); got != code {
			t.Errorf("%s ended with %d instead of %d", strings.Join(args, " "), got, code)
		}
		return out.String()
	}
	must := func(out string, texts ...string) {
		t.Helper()
		for _, text := range texts {
			if !strings.Contains(out, text) {
				t.Errorf("%q does not say %q", out, text)
			}
		}
	}
	must(call(1, "audit", "verify"), "badge-engine migrate up")
	call(0, "migrate", "up")
	must(call(1, "audit", "verify"), "KEY_ENCRYPTION_KEY")
	for _, name := range []string{"first", "second", "third"} {
		call(0, "token", "create", "--name", name, "--scope", "credentials:read")
	}
	must(call(0, "audit", "verify"), "found right: 0", "not sealed yet: 3")

	// A server comes and seals.
	cfg, err := configured()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(engine.Options{Config: cfg, Listener: listener, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := e.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	out := call(0, "audit", "verify")
	must(out, "found right: 3", "not sealed yet: 0")
	_, head, _ := strings.Cut(strings.TrimSpace(out), "Head: ")
	call(0, "audit", "verify", "--head", head)
	must(call(1, "audit", "verify", "--head", "4"+head[1:]), "event 4", "put back")
	must(call(2, "audit", "verify", "--head", "x"), "--head")
	list := call(0, "audit", "list", "--action", "auth.token", "--principal", "console", "--limit", "2")
	must(list, "auth.token.created", "credentials:read", "succeeded", "\n2 ", "\n3 ")
	if strings.Contains(list, "\n1 ") || strings.Contains(list, "second") {
		t.Errorf("the list is %s", list)
	}
	must(call(1, "audit", "list", "--outcome", "won"), "outcomes")
	must(call(2, "audit", "list", "--limit", "0"), "--limit")
	must(call(2, "audit", "list", "--from", "yesterday"), "--from")

	db := dbtest.Open(t, cfg.Database.URL)
	if err := db.Session(t.Context()).Exec("UPDATE audit_events SET principal = 'token:other' WHERE sequence = 2").Error; err != nil {
		t.Fatal(err)
	}
	must(call(1, "audit", "verify"), "found right: 1", "event 2 (", "changed")
}
