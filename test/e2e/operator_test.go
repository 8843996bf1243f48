package e2e

import (
	"bytes"
	"encoding/base64"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/test/dbtest"
	"github.com/badge-engine/badge-engine/test/houses"
)

// TestAnOlderSchemaIsWaitedForAndThenRefused starts the program on no schema at all.
func TestAnOlderSchemaIsWaitedForAndThenRefused(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			dir := t.TempDir()
			environ := []string{"DATABASE_URL=" + e.URL, "MIGRATE_ON_START=never", "HEALTH_INTERVAL=20ms"}
			s := launch(t, dir, e.URL, environ...)
			for !strings.Contains(s.log.String(), "waiting for `badge-engine migrate up`") { // ends: it says so before it waits
				time.Sleep(10 * time.Millisecond)
			}
			if a := s.send("GET", "/health/ready", nil); a.status != 503 || !bytes.Contains(a.body, []byte(`"starting"`)) {
				t.Errorf("it waits, and health says %s", a.body)
			}
			if a := s.send("GET", "/health/live", nil); a.status != 200 {
				t.Errorf("not alive: %d", a.status)
			}
			if out, _, code := houses.Command(t, dir, environ, "migrate", "status"); code != 0 || !strings.Contains(out, "no\n") {
				t.Errorf("status before: %d %s", code, out)
			}
			if _, errs, code := houses.Command(t, dir, environ, "token", "create", "--name", "x", "--scope", "admin"); code != 1 || !strings.Contains(errs, "migrate up") {
				t.Errorf("a token on no schema: %d %s", code, errs)
			}
			if out, errs, code := houses.Command(t, dir, environ, "migrate", "up"); code != 0 {
				t.Fatalf("migrate up: %d %s%s", code, out, errs)
			}
			s.until("/health/ready", 200)
			if out, _, code := houses.Command(t, dir, environ, "migrate", "status"); code != 0 || strings.Contains(out, " no\n") {
				t.Errorf("status after: %d %s", code, out)
			}
			if _, errs, code := houses.Command(t, dir, environ, "migrate", "down", "issuance"); code != 0 {
				t.Errorf("migrate down: %d %s", code, errs)
			}
			s.until("/health/ready", 503)
			if a := s.send("GET", "/health", nil); a.status != 503 || !bytes.Contains(a.body, []byte(`"schema":{"status":"unhealthy"`)) {
				t.Errorf("health does not name the schema: %s", a.body)
			}
			_, errs, code := houses.Command(t, dir, append(environ, "MIGRATE_WAIT=1ms", "HOST=127.0.0.1", "PORT="+houses.FreePort(t)), "serve")
			if code != 1 || !strings.Contains(errs, "older than this program") || !strings.Contains(errs, "migrate up") || !strings.Contains(errs, "issuance/") {
				t.Errorf("on an older schema a start ends with %d: %s", code, errs)
			}
			if _, errs, code := houses.Command(t, dir, environ, "migrate", "down", "nothing"); code != 1 || !strings.Contains(errs, "issuance") {
				t.Errorf("migrate down of what is not there: %d %s", code, errs)
			}
		})
	}
}

// TestANewerSchemaIsRefusedAndOneThatRunsGoesOn lets a newer version of the program,
// of which nothing is there but its mark, change the schema under one that runs.
func TestANewerSchemaIsRefusedAndOneThatRunsGoesOn(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			dir := t.TempDir()
			s := start(t, dir, e.URL)
			issuer := s.issuer()
			if err := dbtest.Open(t, e.URL).Session(t.Context()).Exec("INSERT INTO issuance_schema_version (version_id, is_applied) VALUES (99999, ?)", true).Error; err != nil {
				t.Fatal(err)
			}
			s.must(200, s.send("GET", "/health/ready", nil))
			s.must(201, s.send("POST", "/api/v1/credentials", order(s.achievement(issuer, ""))))
			environ := []string{"DATABASE_URL=" + e.URL, "HOST=127.0.0.1", "PORT=" + houses.FreePort(t), "MIGRATE_ON_START=always"}
			_, errs, code := houses.Command(t, dir, environ, "serve")
			if code != 1 || !strings.Contains(errs, "newer than this program") || !strings.Contains(errs, "issuance/99999") || !strings.Contains(errs, "MIGRATE_ACCEPT_NEWER=true") {
				t.Errorf("on a newer schema a start ends with %d: %s", code, errs)
			}
			start(t, dir, e.URL, "MIGRATE_ACCEPT_NEWER=true") // going back, as meant
		})
	}
}

// TestAReplicaWithAnotherKeyIsRefused starts a second replica under a key-encryption key
// that does not open what the first one sealed.
func TestAReplicaWithAnotherKeyIsRefused(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			dir := t.TempDir()
			key := func(letter string) string {
				return "KEY_ENCRYPTION_KEY=" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(letter, 32)))
			}
			s := start(t, dir, e.URL, key("a"))
			achievement := s.achievement(s.issuer(), "")
			_, errs, code := houses.Command(t, dir, []string{"DATABASE_URL=" + e.URL, "HOST=127.0.0.1", "PORT=" + houses.FreePort(t), "MIGRATE_ON_START=always", key("b")}, "serve")
			if code != 1 || !strings.Contains(errs, "does not open") || !strings.Contains(errs, "the same on every replica") || !strings.Contains(errs, "KEY_ENCRYPTION_KEY") {
				t.Errorf("with another key a start ends with %d: %s", code, errs)
			}
			s.must(201, s.send("POST", "/api/v1/credentials", order(achievement)))
			start(t, dir, e.URL, key("a"))
		})
	}
}

func TestATokenOfTheCommandLineOpensTheServerUntilItIsRevoked(t *testing.T) {
	dir := t.TempDir()
	database := "sqlite:" + filepath.Join(dir, "x.db")
	s := start(t, dir, database)
	environ := []string{"DATABASE_URL=" + database}
	out, errs, code := houses.Command(t, dir, environ, "token", "create", "--name", "course platform", "--scope", "issuers:write,credentials:read", "--expires", "90d")
	token := strings.TrimSuffix(out, "\n")
	if code != 0 || strings.ContainsAny(token, " \n") || !strings.HasPrefix(token, "be_") {
		t.Fatalf("standard output is %q, standard error %q", out, errs)
	}
	if strings.Contains(errs, token) {
		t.Error("the token is on standard error as well")
	}
	s.must(201, s.send("POST", "/api/v1/issuers", map[string]any{"name": "A"}, "Authorization", "Bearer "+token))
	s.must(403, s.send("POST", "/api/v1/achievements", map[string]any{}, "Authorization", "Bearer "+token))
	if out, _, _ := houses.Command(t, dir, environ, "token", "list"); !strings.Contains(out, "course platform") || strings.Contains(out, token) {
		t.Errorf("the list is %s", out)
	}
	if _, errs, code := houses.Command(t, dir, environ, "token", "revoke", "course platform"); code != 0 {
		t.Fatalf("revoke: %s", errs)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) { // another process remembers it for a few seconds
		if a := s.send("GET", "/api/v1/issuers", nil, "Authorization", "Bearer "+token); a.status == 401 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a revoked token still works")
		}
	}
	for _, row := range [][]string{
		{"token", "create", "--name", "x", "--scope", "everything"},
		{"token", "create", "--name", "x", "--scope", "admin", "--expires", "yesterday"},
		{"token", "revoke", "nobody"},
	} {
		if _, errs, code := houses.Command(t, dir, environ, row...); code != 1 || errs == "" {
			t.Errorf("%v ends with %d and says %q", row, code, errs)
		}
	}
	if _, errs, code := houses.Command(t, dir, environ, "token", "create"); code != 2 || errs == "" {
		t.Errorf("without flags it ends with %d and says %q", code, errs)
	}
}

func TestTheHealthcheckCommandAsksTheServerOnThisMachine(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, "sqlite:"+filepath.Join(dir, "x.db"))
	port := s.base[strings.LastIndex(s.base, ":")+1:]
	if _, errs, code := houses.Command(t, dir, []string{"HOST=127.0.0.1", "PORT=" + port}, "healthcheck"); code != 0 {
		t.Errorf("ends with %d: %s", code, errs)
	}
	s.cmd.Process.Kill()
	s.cmd.Wait()
	if _, errs, code := houses.Command(t, dir, []string{"HOST=127.0.0.1", "PORT=" + port}, "healthcheck"); code != 1 || errs == "" {
		t.Errorf("without a server it ends with %d: %s", code, errs)
	}
}

func TestAReplicaThatDoesNotFitRefusesToStart(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			dir := t.TempDir()
			s := start(t, dir, e.URL)
			s.issuer()
			for _, row := range []struct {
				name, says string
				environ    []string
				before     func()
			}{
				{"with another key-encryption key", "KEY_ENCRYPTION_KEY", []string{"KEY_ENCRYPTION_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}, nil},
				{"older than the schema", "MIGRATE_ACCEPT_NEWER", nil, func() {
					// The columns have these names on every engine.
					if err := dbtest.Open(t, e.URL).Session(t.Context()).Exec("INSERT INTO issuance_schema_version (version_id, is_applied) VALUES (99999, true)").Error; err != nil {
						t.Fatal(err)
					}
				}},
			} {
				t.Run(row.name, func(t *testing.T) {
					if row.before != nil {
						row.before()
					}
					environ := append([]string{"DATABASE_URL=" + e.URL, "HOST=127.0.0.1", "PORT=" + houses.FreePort(t), "MIGRATE_ON_START=always", "DATABSE_URL=x"}, row.environ...)
					_, errs, code := houses.Command(t, dir, environ, "serve")
					if code != 1 || !strings.Contains(errs, row.says) {
						t.Errorf("it ends with %d and says %s", code, errs)
					}
					if !strings.Contains(errs, "DATABSE_URL is set and means nothing to this program; is DATABASE_URL meant?") {
						t.Errorf("it does not point out the misspelt variable: %s", errs)
					}
				})
			}
			s.must(200, s.send("GET", "/health/ready", nil)) // who runs goes on
			s.issuer()
			t.Run("and starts when that is meant", func(t *testing.T) {
				start(t, dir, e.URL, "MIGRATE_ACCEPT_NEWER=true")
			})
		})
	}
}

// While the server runs, keys are made and rotated on the command line, and the
// key-encryption key is replaced; then it starts with the new one alone.
func TestKeysOfTheCommandLineAndTheirKey(t *testing.T) {
	dir := t.TempDir()
	database := "sqlite:" + filepath.Join(dir, "x.db")
	first := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32))
	s := start(t, dir, database, "KEY_ENCRYPTION_KEY="+first)
	issuer := s.issuer()
	achievement := s.achievement(issuer, "")
	credential := s.must(201, s.send("POST", "/api/v1/credentials", order(achievement))).id(t)
	run := func(want int, environ []string, args ...string) string {
		t.Helper()
		out, errs, code := houses.Command(t, dir, append([]string{"DATABASE_URL=" + database}, environ...), append([]string{"keys"}, args...)...)
		if code != want {
			t.Fatalf("keys %v ends with %d: %s%s", args, code, out, errs)
		}
		return out + errs
	}
	now := []string{"KEY_ENCRYPTION_KEY=" + first}
	if out := run(0, now, "create", issuer, "--kind", "P-256"); !strings.Contains(out, "P-256") || !strings.Contains(out, "active") {
		t.Errorf("made %s", out)
	}
	run(0, now, "rotate", issuer)
	list := run(0, now, "list", issuer)
	if strings.Count(list, "Ed25519") != 2 || strings.Count(list, "retired") != 1 {
		t.Errorf("the keys are %s", list)
	}
	run(1, now, "create", issuer, "--kind", "Ed448")
	run(1, now, "retire", issuer, "nobody")
	run(1, now, "list", "nobody")

	out, _, code := houses.Command(t, dir, append([]string{"DATABASE_URL=" + database}, now...), "keys", "encryption-key")
	second := strings.TrimSpace(out)
	if code != 0 || second == first || strings.ContainsAny(second, " \n") {
		t.Fatalf("the next key is %q", out)
	}
	run(1, []string{"KEY_ENCRYPTION_KEY=" + second}, "reseal") // nothing opens what the first one sealed
	if out := run(0, []string{"KEY_ENCRYPTION_KEY=" + second, "KEY_ENCRYPTION_KEY_PREVIOUS=" + first}, "reseal"); !strings.Contains(out, "3 keys sealed again") {
		t.Errorf("resealed: %s", out)
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	s.cmd.Wait()
	s = start(t, dir, database, "KEY_ENCRYPTION_KEY="+second)
	s.must(201, s.send("POST", "/api/v1/credentials", order(achievement)))
	found := s.must(200, s.send("GET", "/api/v1/credentials?recipient=ada@example.org", nil))
	if !bytes.Contains(found.body, []byte(credential)) {
		t.Errorf("the recipient is not found any more: %s", found.body)
	}
	if out, errs, code := houses.Command(t, dir, []string{"DATABASE_URL=" + database, "KEY_ENCRYPTION_KEY=" + second}, "audit", "verify"); code != 0 {
		t.Errorf("the audit trail: %s%s", out, errs)
	}
}
