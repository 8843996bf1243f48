package engine_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/diagnosis"
	"github.com/badge-engine/badge-engine/test/dbtest"
	"github.com/badge-engine/badge-engine/test/entrasim"
)

// patient is a set-up in which all is well, to be broken.
type patient struct {
	*testing.T
	dir     string
	environ map[string]string
	token   config.Secret // for provisioning
}

func (p *patient) set(pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		p.environ[pairs[i]] = pairs[i+1]
	}
}

func (p *patient) write(name, text string) string {
	p.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.Fatal(err)
	}
	return path
}

// sql changes the database behind the program's back.
func (p *patient) sql(statement string) {
	p.Helper()
	if err := dbtest.Open(p, p.environ["DATABASE_URL"]).Session(p.Context()).Exec(statement).Error; err != nil {
		p.Fatal(err)
	}
}

// engineURL is the address of an engine that tests may use, or it skips.
func (p *patient) engineURL(name string) *url.URL {
	p.Helper()
	for _, e := range dbtest.Engines(p) {
		if e.Name == name {
			u, err := url.Parse(e.URL)
			if err != nil {
				p.Fatal(err)
			}
			return u
		}
	}
	p.Skip("needs " + name + ": `go run ./test/run` starts one")
	return nil
}

// closed is an address where nobody listens.
func closed(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// deaf is an address where somebody listens and never answers.
func deaf(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// forgetful is a server that speaks as Redis does, slowly, and keeps nothing.
func forgetful(t *testing.T, delay time.Duration) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	answers := map[string]string{"PING": "+PONG\r\n", "SET": "+OK\r\n", "GET": "$-1\r\n", "DEL": ":0\r\n", "SELECT": "+OK\r\n"}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				in := bufio.NewReader(conn)
				for {
					var words, size int
					if _, err := fmt.Fscanf(in, "*%d\r\n", &words); err != nil {
						return
					}
					command := ""
					for i := range words {
						if _, err := fmt.Fscanf(in, "$%d\r\n", &size); err != nil {
							return
						}
						word := make([]byte, size+2)
						if _, err := io.ReadFull(in, word); err != nil {
							return
						}
						if i == 0 {
							command = strings.ToUpper(string(word[:size]))
						}
					}
					answer := answers[command]
					if answer == "" {
						answer = "-ERR unknown command\r\n"
					}
					time.Sleep(delay) // it is far away
					if _, err := io.WriteString(conn, answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return "redis://" + l.Addr().String() + "/0"
}

// world serves what the address that badges name would.
func (p *patient) world(handler http.HandlerFunc) {
	server := httptest.NewServer(handler)
	p.Cleanup(server.Close)
	p.set("PUBLIC_URL", server.URL)
}

func live(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/health/live" {
		_, _ = io.WriteString(w, `{"status":"healthy"}`)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/scim/v2/Users") {
		w.Header().Set("WWW-Authenticate", `Bearer realm="badge-engine", error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	_, _ = io.WriteString(w, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"]}`)
}

// certificate makes a pair of files.
func (p *patient) certificate(host string, until time.Time) {
	p.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		p.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotBefore: until.AddDate(-1, 0, 0), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		p.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		p.Fatal(err)
	}
	p.set("PUBLIC_URL", "https://badges.invalid",
		"TLS_CERT_FILE", p.write("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))),
		"TLS_KEY_FILE", p.write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))))
}

// tenant is a simulated Entra in which all is well.
func (p *patient) tenant() *entrasim.Sim {
	sim := entrasim.New(p)
	sim.SetGraphPermissions("GroupMember.Read.All", "User.Read.All", "Application.Read.All")
	sim.AddUser(entrasim.User{Name: "Group Member", Groups: []string{staff}})
	maps.Copy(p.environ, sim.Env())
	p.set("ENTRA_ADMIN_GROUPS", staff)
	return sim
}

const staff = "8a3b1c9e-0000-4000-8000-00000000000a"

// breakages are what goes wrong in real life, and what the doctor must say.
var breakages = []struct {
	name   string
	broken func(p *patient)
	check  string
	status string
	found  string // part of what it found
	remedy string // part of the remedy
}{
	{"a value that is no number", func(p *patient) { p.set("PORT", "http") }, "config.value", diagnosis.Failure, `PORT is "http"`, "Correct the variable"},
	{"a duration without a unit", func(p *patient) { p.set("REQUEST_TIMEOUT", "30") }, "config.value", diagnosis.Failure, "such as 30s", "Correct the variable"},
	{"a switch that is neither on nor off", func(p *patient) { p.set("SQL_ECHO", "maybe") }, "config.value", diagnosis.Failure, `SQL_ECHO is "maybe"`, "Correct the variable"},
	{"an address without its scheme", func(p *patient) { p.set("PUBLIC_URL", "badges.example.org") }, "config.value", diagnosis.Failure, "PUBLIC_URL", "Correct the variable"},
	{"a database that is no engine's", func(p *patient) { p.set("DATABASE_URL", "mysql://root:hunter2@db/x") }, "config.value", diagnosis.Failure, "DATABASE_URL", "Correct the variable"},
	{"a variable that is misspelt", func(p *patient) { p.set("DATABSE_URL", "sqlite:x.db") }, "config.unknown", diagnosis.Warning, "means nothing", "DATABASE_URL"},
	{"a variable of ours that there is not", func(p *patient) { p.set("ENTRA_CLIENT_NAME", "badges") }, "config.unknown", diagnosis.Warning, "means nothing", "Remove it"},
	{"a secret from two places", func(p *patient) {
		p.set("REDIS_PASSWORD", "hunter2", "REDIS_PASSWORD_FILE", p.write("redis", "hunter2"))
	}, "config.value", diagnosis.Failure, "both set", "Correct the variable"},
	{"a secret's file that is not there", func(p *patient) { p.set("REDIS_PASSWORD_FILE", "/nowhere/redis") }, "config.value", diagnosis.Failure, "REDIS_PASSWORD_FILE", "Correct the variable"},

	{"a database file that is not there", func(p *patient) { p.set("DATABASE_URL", "sqlite:"+filepath.Join(p.dir, "none.db")) }, "database.connection", diagnosis.Failure, "does not exist", "Start the server"},
	{"a folder in place of the database", func(p *patient) { p.set("DATABASE_URL", "sqlite:"+p.dir) }, "database.connection", diagnosis.Failure, "is a folder", "Name a file"},
	{"a database file that is none", func(p *patient) {
		p.set("DATABASE_URL", "sqlite:"+p.write("none.db", strings.Repeat("this is no database ", 1000)))
	}, "database.connection", diagnosis.Failure, "no SQLite database", "badge-engine restore"},
	{"a database file with a hole in it", func(p *patient) {
		var page int
		db := dbtest.Open(p, p.environ["DATABASE_URL"])
		if err := db.Session(p.Context()).Raw("SELECT rootpage FROM sqlite_master WHERE name = 'auth_tokens'").Scan(&page).Error; err != nil {
			p.Fatal(err)
		}
		data, err := os.ReadFile(strings.TrimPrefix(p.environ["DATABASE_URL"], "sqlite:"))
		if err != nil {
			p.Fatal(err)
		}
		copy(data[(page-1)*4096:page*4096], make([]byte, 4096))
		p.set("DATABASE_URL", "sqlite:"+p.write("hole.db", string(data)))
	}, "database.integrity", diagnosis.Failure, "damaged", "restore"},
	{"a server that is off", func(p *patient) { p.set("DATABASE_URL", "postgres://badge_user:hunter2@"+closed(p.T)+"/badge_engine") }, "database.connection", diagnosis.Failure, "Nothing listens", "pg_isready"},
	{"a server that hangs", func(p *patient) {
		p.set("DATABASE_URL", "postgres://badge_user@"+deaf(p.T)+"/badge_engine?connect_timeout=1&sslmode=disable")
	}, "database.connection", diagnosis.Failure, "in time", "firewall"},
	{"a host that there is not", func(p *patient) { p.set("DATABASE_URL", "postgres://badge_user@database.invalid/badge_engine") }, "database.connection", diagnosis.Failure, "does not resolve", "name of the service"},
	{"a database user that there is not", func(p *patient) {
		u := p.engineURL("postgres")
		u.User = url.UserPassword("badge_nobody", "hunter2")
		p.set("DATABASE_URL", u.String())
	}, "database.connection", diagnosis.Failure, "badge_nobody", "CREATE USER"},
	{"a database that there is not", func(p *patient) {
		u := p.engineURL("postgres")
		u.Path = "/badge_nothing"
		p.set("DATABASE_URL", u.String())
	}, "database.connection", diagnosis.Failure, "badge_nothing", "CREATE DATABASE badge_nothing"},
	{"TLS that the server does not speak", func(p *patient) {
		u := p.engineURL("postgres")
		u.RawQuery = "sslmode=require"
		p.set("DATABASE_URL", u.String())
	}, "database.connection", diagnosis.Failure, "TLS", "sslmode=disable"},
	{"a pool larger than the server", func(p *patient) { p.set("DATABASE_URL", p.engineURL("postgres").String(), "DB_POOL_SIZE", "1000") }, "database.connections", diagnosis.Warning, "allowed", "max_connections"},
	{"a schema that is not there", func(p *patient) {
		p.set("DATABASE_URL", "sqlite:"+filepath.Join(p.dir, "empty.db"))
		dbtest.Open(p, p.environ["DATABASE_URL"])
	}, "migrations.pending", diagnosis.Failure, "Missing", "badge-engine migrate up"},
	{"a schema of a newer version", func(p *patient) { p.sql("INSERT INTO auth_schema_version (version_id, is_applied) VALUES (99999, 1)") }, "migrations.newer", diagnosis.Failure, "auth/99999", "newer version"},
	{"an index that was not built to its end", func(p *patient) {
		p.set("DATABASE_URL", p.engineURL("postgres").String())
		p.sql("CREATE TABLE half (id text)")
		p.sql("CREATE INDEX half_built ON half (id)")
		p.sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'half_built'::regclass")
	}, "database.index_valid", diagnosis.Warning, "half_built", "REINDEX INDEX CONCURRENTLY half_built"},
	{"an index that somebody dropped", func(p *patient) { p.sql("DROP INDEX idx_achievements_creator") }, "database.index_missing", diagnosis.Failure, "idx_achievements_creator", "CREATE INDEX idx_achievements_creator"},

	{"a Redis that is off", func(p *patient) { p.set("REDIS_URL", "redis://"+closed(p.T)+"/0") }, "cache.connection", diagnosis.Failure, "Nothing listens", "Start Redis"},
	{"a Redis host that there is not", func(p *patient) { p.set("REDIS_URL", "redis://redis.invalid:6379/0") }, "cache.connection", diagnosis.Failure, "does not resolve", "REDIS_URL"},
	{"a Redis that hangs", func(p *patient) { p.set("REDIS_URL", "redis://"+deaf(p.T)+"/0") }, "cache.connection", diagnosis.Failure, "in time", "firewall"},
	{"a wrong Redis password", func(p *patient) {
		u, err := url.Parse(dbtest.Redis(p))
		if err != nil {
			p.Fatal(err)
		}
		u.User = nil
		p.set("REDIS_URL", u.String(), "REDIS_PASSWORD", "surely-not-this-one")
	}, "cache.connection", diagnosis.Failure, "refuses the password", "requirepass"},
	{"something else than Redis", func(p *patient) {
		server := httptest.NewServer(http.HandlerFunc(live))
		p.Cleanup(server.Close)
		p.set("REDIS_URL", "redis://"+server.Listener.Addr().String()+"/0")
	}, "cache.connection", diagnosis.Failure, "as Redis does", "redis-cli"},

	{"a Redis that is full", func(p *patient) { p.set("REDIS_URL", forgetful(p.T, 0)) }, "cache.write", diagnosis.Warning, "just written", "maxmemory"},
	{"a Redis far away", func(p *patient) { p.set("REDIS_URL", forgetful(p.T, 40*time.Millisecond)) }, "cache.latency", diagnosis.Warning, "A ping takes", "near the servers"},

	{"a collector of traces that is off", func(p *patient) { p.set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+closed(p.T)) }, "tracing.endpoint", diagnosis.Warning, "does not answer", "4318"},

	{"a public name without a record", func(p *patient) { p.set("PUBLIC_URL", "https://badges.invalid") }, "public.reachable", diagnosis.Failure, "does not resolve", "DNS record"},
	{"a certificate that nobody trusts", func(p *patient) {
		server := httptest.NewTLSServer(http.HandlerFunc(live))
		server.Config.ErrorLog = log.New(io.Discard, "", 0) // the refusal is meant
		p.Cleanup(server.Close)
		p.set("PUBLIC_URL", server.URL)
	}, "public.reachable", diagnosis.Failure, "Nobody knows", "whole chain"},
	{"TLS where there is none", func(p *patient) {
		p.world(live)
		p.set("PUBLIC_URL", strings.Replace(p.environ["PUBLIC_URL"], "http:", "https:", 1))
	}, "public.reachable", diagnosis.Failure, "plain HTTP", "TLS"},
	{"a proxy that leads elsewhere", func(p *patient) {
		p.world(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://www.example.org/", http.StatusFound)
		})
	}, "public.reachable", diagnosis.Failure, "redirect to https://www.example.org/", "PUBLIC_URL"},
	{"a proxy in front of something else", func(p *patient) { p.world(http.NotFound) }, "public.reachable", diagnosis.Failure, "404", "pass every path"},
	{"a proxy that keeps SCIM back", func(p *patient) {
		p.world(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/scim") {
				http.NotFound(w, r)
				return
			}
			live(w, r)
		})
	}, "scim.answer", diagnosis.Warning, "404", "/scim/v2"},
	{"a proxy that keeps the Authorization header back", func(p *patient) {
		p.world(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/scim/v2/Users") {
				w.Header().Set("WWW-Authenticate", `Bearer realm="badge-engine"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			live(w, r)
		})
	}, "scim.authorization", diagnosis.Failure, "does not arrive", "CGIPassAuth"},
	{"a proxy that lets everybody in", func(p *patient) {
		p.world(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, "/scim/v2/Users") {
				live(w, r)
			}
		})
	}, "scim.authorization", diagnosis.Failure, "not with 401", "in the place of the caller's"},
	{"a token for provisioning that has expired", func(p *patient) { p.token = "be_hunter2"; p.world(live) }, "scim.authorization", diagnosis.Failure, "refused with 401", "token list"},
	{"a proxy that loses the query", func(p *patient) {
		p.token = "be_hunter2"
		p.world(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/scim/v2/Users") {
				_, _ = io.WriteString(w, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":3,"Resources":[{},{},{}]}`)
				return
			}
			live(w, r)
		})
	}, "scim.question", diagnosis.Failure, "3 users", "query"},
	{"a clock that is wrong", func(p *patient) {
		p.world(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
			live(w, r)
		})
	}, "machine.clock", diagnosis.Warning, "differ", "set-ntp"},
	{"an address for this machine alone", func(p *patient) { p.world(live) }, "public.address", diagnosis.Warning, "nobody else", "before the first badge"},
	{"a certificate that is none", func(p *patient) {
		p.set("TLS_CERT_FILE", p.write("c.pem", "x"), "TLS_KEY_FILE", p.write("k.pem", "x"))
	}, "tls.files", diagnosis.Failure, "cannot be used", "PEM"},
	{"a certificate that has expired", func(p *patient) { p.certificate("badges.invalid", time.Now().Add(-time.Hour)) }, "tls.files", diagnosis.Failure, "expired", "Renew"},
	{"a certificate that will expire", func(p *patient) { p.certificate("badges.invalid", time.Now().Add(100*time.Hour)) }, "tls.files", diagnosis.Warning, "expires", "Renew"},
	{"a certificate for another host", func(p *patient) { p.certificate("other.invalid", time.Now().AddDate(1, 0, 0)) }, "tls.files", diagnosis.Failure, "other.invalid", "PUBLIC_URL"},

	{"a tenant that there is not", func(p *patient) { p.tenant(); p.set("ENTRA_TENANT_ID", "8a3b1c9e-0000-4000-8000-0123456789ab") }, "entra.discovery", diagnosis.Failure, "metadata", "ENTRA_TENANT_ID"},
	{"an Entra out of reach", func(p *patient) { p.tenant(); p.set("ENTRA_AUTHORITY", "http://"+closed(p.T)) }, "entra.discovery", diagnosis.Failure, "refused", "port 443"},
	{"a tenant without usable keys", func(p *patient) { sim := p.tenant(); sim.Fail(entrasim.Keys, entrasim.AADSTS(90002)) }, "entra.keys", diagnosis.Failure, "keys", "status of Microsoft Entra"},
	{"a wrong client secret", func(p *patient) { p.tenant(); p.set("ENTRA_CLIENT_SECRET", "hunter2~wrong") }, "entra.credential", diagnosis.Failure, "AADSTS7000215", "value of the secret"},
	{"an expired client secret", func(p *patient) { p.tenant().Fail(entrasim.Token, entrasim.AADSTS(7000222)) }, "entra.credential", diagnosis.Failure, "AADSTS7000222", "Create a new one"},
	{"a certificate for Entra that will expire", func(p *patient) {
		p.tenant()
		delete(p.environ, "ENTRA_CLIENT_SECRET")
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			p.Fatal(err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().Add(100 * time.Hour)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			p.Fatal(err)
		}
		private, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			p.Fatal(err)
		}
		p.set("ENTRA_CLIENT_CERTIFICATE_FILE", p.write("entra.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))),
			"ENTRA_CLIENT_KEY_FILE", p.write("entra-key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))))
	}, "entra.certificate", diagnosis.Warning, "expires", "no restart"},
	{"no client secret", func(p *patient) { p.tenant(); delete(p.environ, "ENTRA_CLIENT_SECRET") }, "entra.credential", diagnosis.Failure, "Neither is set", "client secret"},
	{"the id of a secret instead of it", func(p *patient) { p.tenant(); p.set("ENTRA_CLIENT_SECRET", staff) }, "config.value", diagnosis.Failure, "secret's id", "Correct the variable"},
	{"a client secret that will expire", func(p *patient) { p.tenant().ExpireSecret(time.Now().Add(100 * time.Hour)) }, "entra.secret_expiry", diagnosis.Warning, "expires", "another secret"},
	{"a redirect URI that is not registered", func(p *patient) { p.tenant(); p.set("ENTRA_REDIRECT_URI", "https://badges.example.org/callback") }, "entra.redirect_uri", diagnosis.Failure, "not registered", "platform Web"},
	{"tokens without groups", func(p *patient) { p.tenant().SetGroupClaims(nil) }, "entra.group_claims", diagnosis.Warning, "no groups", "Add groups claim"},
	{"a group that there is not", func(p *patient) { p.tenant(); p.set("ENTRA_ISSUER_GROUPS", "8a3b1c9e-0000-4000-8000-00000000dead") }, "entra.groups", diagnosis.Failure, "no such group", "ENTRA_ISSUER_GROUPS"},
	{"no permission to look groups up", func(p *patient) { p.tenant().SetGraphPermissions("Application.Read.All") }, "entra.groups", diagnosis.Warning, "Authorization_RequestDenied", "GroupMember.Read.All"},

	{"a key-encryption key that is gone", func(p *patient) { p.set("KEY_ENCRYPTION_KEY_FILE", filepath.Join(p.dir, "none.key")) }, "keys.encryption", diagnosis.Warning, "no such file", "bring the old file back"},
	{"a key-encryption key that is none", func(p *patient) { p.set("KEY_ENCRYPTION_KEY_FILE", p.write("bad.key", "hunter2")) }, "keys.encryption", diagnosis.Failure, "32 bytes", "from the backup"},
	{"a key-encryption key that others may read", func(p *patient) {
		if err := os.Chmod(p.environ["KEY_ENCRYPTION_KEY_FILE"], 0o644); err != nil {
			p.Fatal(err)
		}
	}, "keys.encryption", diagnosis.Warning, "Others", "chmod 600"},
	{"another key-encryption key", func(p *patient) { p.set("KEY_ENCRYPTION_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=") }, "keys.signing", diagnosis.Failure, "does not open", "same on every replica"},
	{"log files that cannot be written", func(p *patient) { p.set("LOG_DIR", p.write("logs", "a file")) }, "log.folder", diagnosis.Failure, "No file", "chown"},
	{"a log folder that is not there", func(p *patient) { p.set("LOG_DIR", filepath.Join(p.dir, "logs")) }, "log.folder", diagnosis.Warning, "does not exist", "mkdir"},
}

// healthy makes a set-up once: a migrated database with a signing key.
func healthy(t *testing.T) func(t *testing.T) *patient {
	t.Helper()
	origin := t.TempDir()
	cfg := engine.In(origin)
	cfg.Auth.BootstrapAdminToken = bootstrap
	call, stop := serve(t, cfg)
	call(201, "POST", "/api/v1/issuers", bootstrap, `{"name":"Example Academy"}`)
	stop()
	return func(t *testing.T) *patient {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(origin)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, "key-encryption.key"), 0o600); err != nil {
			t.Fatal(err)
		}
		return &patient{T: t, dir: dir, environ: map[string]string{
			"DATABASE_URL": "sqlite:" + filepath.Join(dir, "badge-engine.db"), "KEY_ENCRYPTION_KEY_FILE": filepath.Join(dir, "key-encryption.key"),
		}}
	}
}

func TestTheDoctorFindsWhatIsBrokenAndKnowsTheRemedy(t *testing.T) {
	fresh := healthy(t)
	t.Run("nothing is broken", func(t *testing.T) {
		p := fresh(t)
		p.tenant()
		r := engine.Examine(t.Context(), p.environ, nil, p.token)
		ofTheMachine := []string{"machine.disk", "machine.memory", "database.latency"} // of which this test can promise nothing
		for _, f := range r.Findings {
			if f.Status == diagnosis.Failure || f.Status == diagnosis.Warning && !strings.HasPrefix(f.Check, "public.") && !slices.Contains(ofTheMachine, f.Check) {
				t.Errorf("%+v", f)
			}
		}
		if len(r.Findings) < 20 {
			t.Errorf("only %d findings", len(r.Findings))
		}
	})
	for _, row := range breakages {
		t.Run(row.name, func(t *testing.T) {
			p := fresh(t)
			row.broken(p)
			r := engine.Examine(t.Context(), p.environ, nil, p.token)
			if text := fmt.Sprintf("%+v", r); strings.Contains(text, "hunter2") {
				t.Errorf("it shows a secret: %s", text)
			}
			fits := func(f diagnosis.Finding) bool {
				return f.Check == row.check && f.Status == row.status && strings.Contains(f.Found, row.found) && strings.Contains(f.Remedy, row.remedy)
			}
			if !slices.ContainsFunc(r.Findings, fits) {
				for _, f := range r.Findings {
					if f.Check == row.check || f.Status == diagnosis.Failure || f.Status == diagnosis.Warning {
						t.Logf("%s %s: %s → %s", f.Status, f.Check, f.Found, f.Remedy)
					}
				}
				t.Errorf("no %s of %s says %q and %q", row.status, row.check, row.found, row.remedy)
			}
			if row.status == diagnosis.Failure && r.Status != diagnosis.Failure {
				t.Errorf("all in all it is %s", r.Status)
			}
		})
	}
}

func TestTheDoctorExplainsTokens(t *testing.T) {
	p := &patient{T: t, dir: t.TempDir(), environ: map[string]string{}}
	sim := p.tenant()
	for _, row := range []struct {
		name, token, check, status, found, remedy string
	}{
		{"a good one", sim.MintDelegated(entrasim.Claim("groups", []string{staff})), "token.verdict", diagnosis.OK, "accepted", ""},
		{"one with a forged signature", sim.MintDelegated(entrasim.ForgedBy(sim.NewKey())), "token.signature", diagnosis.Failure, "Invalid token signature", "signature does not match"},
		{"one of another tenant", sim.MintDelegated(sim.InTenant("8a3b1c9e-0000-4000-8000-0123456789ab")), "token.tenant", diagnosis.Failure, "8a3b1c9e", "another tenant"},
		{"one that has expired", sim.MintDelegated(entrasim.Shifted(-3 * time.Hour)), "token.expires", diagnosis.Failure, "20", "has expired"},
		{"one for later", sim.MintDelegated(entrasim.Shifted(3 * time.Hour)), "token.begins", diagnosis.Failure, "20", "only in the future"},
		{"one of another issuer", sim.MintDelegated(entrasim.Claim("iss", "https://sts.example.org/")), "token.issuer", diagnosis.Failure, "sts.example.org", ""},
		{"one for Graph", sim.MintGraph(), "token.audience", diagnosis.Failure, "http", "another application"},
		{"one without groups and roles", sim.MintDelegated(), "token.groups", diagnosis.Warning, "no group claim", "Add groups claim"},
		{"an ID token", sim.MintID("n"), "token.verdict", diagnosis.Failure, "id_token", "access token"},
		{"a part of one", "eyJhbGciOiJSUzI1NiJ9.e30", "token.form", diagnosis.Failure, "malformed", "without quotes"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := engine.ExamineToken(t.Context(), p.environ, row.token)
			fits := func(f diagnosis.Finding) bool {
				return f.Check == row.check && f.Status == row.status && strings.Contains(f.Found, row.found) && strings.Contains(f.Remedy, row.remedy)
			}
			if !slices.ContainsFunc(r.Findings, fits) {
				t.Errorf("%+v", r)
			}
			if strings.Contains(fmt.Sprint(r), "Dana") {
				t.Error("it shows a name")
			}
		})
	}
}

func TestTheDoctorOfARunningServer(t *testing.T) {
	cfg := engine.In(t.TempDir())
	cfg.Auth.BootstrapAdminToken = bootstrap
	call, stop := serve(t, cfg)
	defer stop()
	call(401, "GET", "/api/v1/admin/doctor", "", "")
	r := call(200, "GET", "/api/v1/admin/doctor", bootstrap, "")
	found := fmt.Sprint(r["findings"])
	for _, check := range []string{"config.value", "database.connection", "migrations.pending", "keys.encryption", "baking.round_trip"} {
		if !strings.Contains(found, check) {
			t.Errorf("%s is missing in %s", check, found)
		}
	}
}

// TestTheDoctorAsksWhatEntraAsks has a server that is all right asked through its own
// address, by the doctor of the command line and by its own.
func TestTheDoctorAsksWhatEntraAsks(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	environ := map[string]string{
		"DATABASE_URL": "sqlite:" + filepath.Join(dir, "x.db"), "KEY_ENCRYPTION_KEY_FILE": filepath.Join(dir, "x.key"),
		"PUBLIC_URL": "http://" + listener.Addr().String(), "BOOTSTRAP_ADMIN_TOKEN": bootstrap, "REDIS_PASSWORD": "hunter2",
	}
	sources := map[string]string{"PUBLIC_URL": ".env", "BOOTSTRAP_ADMIN_TOKEN": "the environment"}
	cfg, err := engine.Load(environ)
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(engine.Options{Config: cfg, Listener: listener, Log: slog.New(slog.DiscardHandler), Environ: environ, Sources: sources})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		http.DefaultClient.CloseIdleConnections()
		if err := e.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	find := func(r diagnosis.Report, check, looked string) diagnosis.Finding {
		for _, f := range r.Findings {
			if f.Check == check && strings.Contains(f.Looked, looked) {
				return f
			}
		}
		t.Errorf("there is no %s of %s", check, looked)
		return diagnosis.Finding{}
	}
	with := engine.Examine(t.Context(), environ, sources, bootstrap)
	if f := find(with, "scim.question", "Users"); f.Status != diagnosis.OK {
		t.Errorf("with a token: %+v", f)
	}
	without := engine.Examine(t.Context(), environ, sources, "")
	if a, q := find(without, "scim.authorization", "scim"), find(without, "scim.question", "Users"); a.Status != diagnosis.OK || q.Status != diagnosis.Skipped || !strings.Contains(q.Found, "--scim-token") {
		t.Errorf("without one: %+v %+v", a, q)
	}

	request, err := http.NewRequestWithContext(t.Context(), "GET", environ["PUBLIC_URL"]+"/api/v1/admin/doctor", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+bootstrap)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var own diagnosis.Report
	if err := json.NewDecoder(answer.Body).Decode(&own); err != nil {
		t.Fatal(err)
	}
	if f := find(own, "config.value", "PUBLIC_URL"); !strings.Contains(f.Found, environ["PUBLIC_URL"]) || !strings.Contains(f.Found, "from .env") {
		t.Errorf("the server says of its address: %+v", f)
	}
	if f := find(own, "config.value", "BOOTSTRAP_ADMIN_TOKEN"); !strings.Contains(f.Found, "***") || !strings.Contains(f.Found, "from the environment") {
		t.Errorf("the server says of a secret: %+v", f)
	}
	if f := find(own, "config.defaults", ""); !strings.Contains(f.Found, "LOG_LEVEL") {
		t.Errorf("the server says of what is not set: %+v", f)
	}
	if f := find(own, "scim.authorization", "scim"); f.Status != diagnosis.OK {
		t.Errorf("the server says of its own address: %+v", f)
	}
	if text := fmt.Sprint(own, with, without); strings.Contains(text, bootstrap) || strings.Contains(text, "hunter2") {
		t.Error("the doctor shows a secret")
	}
}
