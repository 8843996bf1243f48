package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/test/dbtest"
	"github.com/badge-engine/badge-engine/test/houses"
	"github.com/badge-engine/badge-engine/test/servers"
)

// rows counts those of every table, and lets go of the database again.
func rows(t *testing.T, address string) (all string) {
	t.Helper()
	t.Run("rows", func(t *testing.T) { all = counted(t, address) })
	return all
}

func counted(t *testing.T, address string) string {
	t.Helper()
	db := dbtest.Open(t, address)
	tables, err := db.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, table := range tables {
		var count int64
		if table == "platform_locks" || strings.HasPrefix(table, "audit_") { // locks come and go, and sealing goes on
			continue
		}
		if err := db.Reader(t.Context()).Table(table).Count(&count).Error; err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %d\n", table, count)
	}
	return b.String()
}

func TestABackupComesBackAsItWas(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "backup")
			const public = "PUBLIC_URL=https://badges.example.org" // the same before and after, as it must be
			s := start(t, dir, e.URL, public)
			achievement := s.achievement(s.issuer(), "")
			var issued []rawJSON
			for range 20 {
				var v struct{ Credential rawJSON }
				s.must(201, s.send("POST", "/api/v1/credentials", order(achievement))).into(t, &v)
				issued = append(issued, v.Credential)
			}
			environ := []string{"DATABASE_URL=" + e.URL}
			again := e.URL // where it comes back
			if e.Name == "postgres" {
				again = dumped(t, e.URL, file)
				if _, errs, code := houses.Command(t, dir, environ, "backup", file+"2"); code != 1 || !strings.Contains(errs, "pg_dump") {
					t.Errorf("backup ends with %d and says %s", code, errs)
				}
			} else if _, errs, code := houses.Command(t, dir, environ, "backup", file); code != 0 {
				t.Fatalf("backup: %s", errs)
			}
			before := rows(t, e.URL)
			// What comes after the backup is not in it.
			s.must(201, s.send("POST", "/api/v1/credentials", order(achievement)))
			if e.Name == "sqlite" {
				for _, row := range []struct {
					says string
					args []string
				}{
					{"not overwritten", []string{"backup", file}},
					{"--replace", []string{"restore", file}},
					{"stop the server", []string{"restore", file, "--replace"}},
					{"no whole SQLite database", []string{"restore", filepath.Join(dir, "key-encryption.key"), "--replace"}},
				} {
					if row.args[0] == "restore" && strings.HasSuffix(row.args[1], ".key") {
						row.args[1] = filepath.Join(dir, "data", "key-encryption.key")
					}
					if _, errs, code := houses.Command(t, dir, environ, row.args...); code != 1 || !strings.Contains(errs, row.says) {
						t.Errorf("%v ends with %d and says %s", row.args, code, errs)
					}
				}
			}
			s.cmd.Process.Signal(os.Interrupt)
			s.cmd.Wait()
			if e.Name == "sqlite" {
				if _, errs, code := houses.Command(t, dir, environ, "restore", file, "--replace"); code != 0 {
					t.Fatalf("restore: %s", errs)
				}
			}
			s = start(t, dir, again, public)
			if after := rows(t, again); after != before {
				t.Errorf("before\n%s\nafter\n%s", before, after)
			}
			for i, credential := range issued {
				path := filepath.Join(dir, fmt.Sprintf("%d.json", i))
				if err := os.WriteFile(path, credential, 0o600); err != nil {
					t.Fatal(err)
				}
				var doc struct{ ID string }
				if err := json.Unmarshal(credential, &doc); err != nil {
					t.Fatal(err)
				}
				id := doc.ID[strings.Index(doc.ID, "/credentials/"):]
				if a := s.send("GET", id, nil); a.status != 200 || !bytes.Equal(a.body, credential) {
					t.Errorf("credential %d is another: %d", i, a.status)
				}
			}
			s.verified(issued[0], "application/json", "", true) // and the others are the same bytes as before
			if out, errs, code := houses.Command(t, dir, []string{"DATABASE_URL=" + again}, "audit", "verify"); code != 0 {
				t.Errorf("the audit trail: %s%s", out, errs)
			}
		})
	}
}

// dumped goes the documented way: pg_dump, and pg_restore into an empty database.
func dumped(t *testing.T, address, file string) string {
	t.Helper()
	programs := servers.FindPostgres()
	if programs == "" {
		t.Skip("pg_dump is not here")
	}
	tool := func(name string, args ...string) {
		t.Helper()
		if out, err := exec.Command(filepath.Join(programs, name), args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	tool("pg_dump", "--format=custom", "--file="+file, address)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/") + "_restored"
	tool("psql", "-q", "-d", address, "-c", "CREATE DATABASE "+name)
	t.Cleanup(func() { tool("psql", "-q", "-d", address, "-c", "DROP DATABASE "+name+" WITH (FORCE)") })
	u.Path = "/" + name
	tool("pg_restore", "--no-owner", "--exit-on-error", "--dbname="+u.String(), file)
	return u.String()
}
