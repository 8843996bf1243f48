//go:build unix

package topology

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/test/servers"
)

// Admin is the bootstrap token of the replicas.
const Admin = "0123456789abcdef0123456789abcdef-topology"

// RedisPassword is what Redis wants to hear.
const RedisPassword = "topology-redis"

// Topology is the whole, running.
type Topology struct {
	URL      string // of nginx
	Postgres *Process
	Standby  *Process // nil before Replicate
	Redis    *Process
	Between  *Proxy // the replicas and Redis
	Replicas []*Replica

	binary, root, dir, data string
	account                 servers.Account
	programs                string // the folder of PostgreSQL's
	postgresPort, redisPort int
	standbyPort             int
	nginx                   *Process
	environ                 []string // of the replicas, without their ports
}

// Replica is one server.
type Replica struct {
	*Process
	URL string
}

// ErrMissing says which program is not here.
var ErrMissing = errors.New("topology: a program is not installed")

// Start starts everything. root is that of the checkout and binary the program;
// settings are added to those of the replicas. Stop must follow, also after an error.
func Start(ctx context.Context, root, binary string, settings ...string) (*Topology, error) {
	t := &Topology{root: root, binary: binary}
	t.programs = servers.FindPostgres()
	redis := servers.FindRedis()
	nginx, err := exec.LookPath("nginx")
	if t.programs == "" || redis == "" || err != nil {
		return t, fmt.Errorf("%w: postgresql, redis-server and nginx are needed", ErrMissing)
	}
	if t.account, err = servers.Unprivileged(); err != nil {
		return t, err
	}
	if t.dir, err = t.account.Folder(); err != nil {
		return t, err
	}
	for _, port := range []*int{&t.postgresPort, &t.standbyPort, &t.redisPort} {
		if *port, err = servers.FreePort(); err != nil {
			return t, err
		}
	}
	if err := t.startPostgres(ctx); err != nil {
		return t, err
	}
	t.Redis = t.process("redis", redis, "--bind", "127.0.0.1", "--port", strconv.Itoa(t.redisPort), "--requirepass", RedisPassword, "--save", "", "--appendonly", "no", "--dir", t.dir)
	if err := t.Redis.Start(); err != nil {
		return t, err
	}
	if t.Between, err = newProxy(t.RedisAddr()); err != nil {
		return t, err
	}
	if err := t.startReplicas(settings); err != nil {
		return t, err
	}
	return t, t.startNginx(nginx)
}

// DatabaseURL names both places where the database may be; whoever connects takes
// the one that can be written to.
func (t *Topology) DatabaseURL() string {
	return fmt.Sprintf("postgres://badge_user@127.0.0.1:%d,127.0.0.1:%d/badge_engine?sslmode=disable&target_session_attrs=read-write", t.postgresPort, t.standbyPort)
}

func (t *Topology) postgres(name, data string, port int) *Process {
	p := t.process(name, filepath.Join(t.programs, "postgres"), "-D", data, "-p", strconv.Itoa(port), "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "max_connections=100", "-c", "wal_level=replica", "-c", "max_wal_senders=4",
		// A process that is killed loses nothing without it; only a machine would.
		"-c", "fsync=off", "-c", "log_min_messages=fatal")
	p.as = t.account.Run
	return p
}

// tool runs one of PostgreSQL's programs to its end.
func (t *Topology) tool(ctx context.Context, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(t.programs, name), args...)
	cmd.Dir = t.dir
	t.account.Run(cmd)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("topology: %s: %w\n%s", name, err, said.String())
	}
	return out, nil
}

// SQL runs statements on the database server as its superuser.
func (t *Topology) SQL(ctx context.Context, database string, statements ...string) (string, error) {
	args := []string{"-h", "127.0.0.1", "-p", strconv.Itoa(t.postgresPort), "-U", "postgres", "-d", database, "-qtA", "-v", "ON_ERROR_STOP=1"}
	for _, s := range statements {
		args = append(args, "-c", s)
	}
	out, err := t.tool(ctx, "psql", args...)
	return strings.TrimSpace(string(out)), err
}

func (t *Topology) startPostgres(ctx context.Context) error {
	t.data = filepath.Join(t.dir, "data")
	if _, err := t.tool(ctx, "initdb", "-D", t.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"); err != nil {
		return err
	}
	t.Postgres = t.postgres("postgres", t.data, t.postgresPort)
	if err := t.StartPostgres(ctx); err != nil {
		return err
	}
	_, err := t.SQL(ctx, "postgres", "CREATE USER badge_user", "CREATE DATABASE badge_engine OWNER badge_user")
	return err
}

// StartPostgres starts the database server and waits until it answers. After a
// kill its children may hold on for a moment to what they share; then it is tried
// again.
func (t *Topology) StartPostgres(ctx context.Context) error {
	for deadline := time.Now().Add(patience); ; {
		if err := t.Postgres.Start(); err != nil {
			return err
		}
		err := t.Postgres.until("ready", func() bool {
			_, err := t.tool(ctx, "pg_isready", "-q", "-h", "127.0.0.1", "-p", strconv.Itoa(t.postgresPort))
			return err == nil
		})
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// Replicate starts a standby to which every commit is copied before it is
// acknowledged.
func (t *Topology) Replicate(ctx context.Context) error {
	data := filepath.Join(t.dir, "standby")
	if _, err := t.tool(ctx, "pg_basebackup", "-h", "127.0.0.1", "-p", strconv.Itoa(t.postgresPort), "-U", "postgres", "-D", data, "-R", "-X", "stream", "-c", "fast", "--no-sync"); err != nil {
		return err
	}
	t.Standby = t.postgres("standby", data, t.standbyPort)
	if err := t.Standby.Start(); err != nil {
		return err
	}
	if _, err := t.SQL(ctx, "postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"); err != nil {
		return err
	}
	return t.Standby.until("a synchronous standby", func() bool {
		out, err := t.SQL(ctx, "postgres", "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")
		return err == nil && out == "1"
	})
}

// Promote makes the standby the server that can be written to.
func (t *Topology) Promote(ctx context.Context) error {
	data := filepath.Join(t.dir, "standby")
	if _, err := t.tool(ctx, "pg_ctl", "-D", data, "-w", "promote"); err != nil {
		return err
	}
	// It has nobody to wait for now.
	t.Postgres, t.postgresPort = t.Standby, t.standbyPort
	_, err := t.SQL(ctx, "postgres", "ALTER SYSTEM SET synchronous_standby_names = ''", "SELECT pg_reload_conf()")
	return err
}

func (t *Topology) startReplicas(settings []string) error {
	front, err := servers.FreePort()
	if err != nil {
		return err
	}
	t.URL = fmt.Sprintf("http://127.0.0.1:%d", front)
	environ := append([]string{
		"PATH=" + os.Getenv("PATH"), "HOST=127.0.0.1", "DATABASE_URL=" + t.DatabaseURL(),
		"REDIS_URL=redis://" + t.Between.Addr() + "/0", "REDIS_PASSWORD=" + RedisPassword, "PUBLIC_URL=" + t.URL,
		"KEY_ENCRYPTION_KEY_FILE=" + filepath.Join(t.dir, "key-encryption.key"), "BOOTSTRAP_ADMIN_TOKEN=" + Admin,
		"TRUSTED_PROXIES=127.0.0.1", "LOG_LEVEL=warn", "RATE_LIMIT=0", "RATE_LIMIT_FAILURES=0", "RATE_LIMIT_ANONYMOUS=0", "DB_MAX_OVERFLOW=0",
	}, settings...)
	t.environ = environ
	if out, err := t.Command("migrate", "up"); err != nil {
		return fmt.Errorf("topology: migrate: %w\n%s", err, out)
	}
	for i := range 2 {
		port, err := servers.FreePort()
		if err != nil {
			return err
		}
		r := &Replica{Process: t.process(fmt.Sprintf("app-%d", i+1), t.binary, "serve"), URL: fmt.Sprintf("http://127.0.0.1:%d", port)}
		r.env = append([]string{"PORT=" + strconv.Itoa(port)}, environ...)
		t.Replicas = append(t.Replicas, r)
		if err := r.Start(); err != nil {
			return err
		}
	}
	for _, r := range t.Replicas {
		if err := r.Ready(); err != nil {
			return err
		}
	}
	return nil
}

// Ready waits until the replica says so.
func (r *Replica) Ready() error {
	return r.until("ready", func() bool { return Status(r.URL+"/health/ready") == http.StatusOK })
}

// Status is what an address answers, or 0.
func Status(address string) int {
	answer, err := http.Get(address)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

var upstream = regexp.MustCompile(`server app-([12]):8000 resolve`)

func (t *Topology) startNginx(program string) error {
	conf, err := os.ReadFile(filepath.Join(t.root, "docs", "deploy", "nginx.conf"))
	if err != nil {
		return err
	}
	text := upstream.ReplaceAllStringFunc(string(conf), func(line string) string {
		i, _ := strconv.Atoi(upstream.FindStringSubmatch(line)[1])
		return "server " + strings.TrimPrefix(t.Replicas[i-1].URL, "http://")
	})
	text = strings.ReplaceAll(text, "resolver 127.0.0.11 valid=5s;", "")
	text = strings.ReplaceAll(text, "listen 8000;", "listen "+strings.TrimPrefix(t.URL, "http://")+";")
	text = strings.ReplaceAll(text, "/tmp/nginx.pid", filepath.Join(t.dir, "nginx.pid"))
	text = strings.ReplaceAll(text, "access_log off;", "access_log off; client_body_temp_path "+t.dir+"/body; proxy_temp_path "+t.dir+"/proxy; fastcgi_temp_path "+t.dir+"/f; uwsgi_temp_path "+t.dir+"/u; scgi_temp_path "+t.dir+"/s;")
	if os.Geteuid() == 0 { // its workers must reach the folder
		text = "user root;\n" + text
	}
	if strings.Contains(text, "app-") {
		return errors.New("topology: docs/deploy/nginx.conf names a replica that is not known")
	}
	file := filepath.Join(t.dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return err
	}
	t.nginx = t.process("nginx", program, "-c", file, "-p", t.dir, "-e", "/dev/stderr", "-g", "daemon off;")
	if err := t.nginx.Start(); err != nil {
		return err
	}
	return t.nginx.until("answering", func() bool { return Status(t.URL+"/health/ready") == http.StatusOK })
}

// RedisAddr is where Redis listens.
func (t *Topology) RedisAddr() string { return fmt.Sprintf("127.0.0.1:%d", t.redisPort) }

// Command runs the program with the settings of the replicas.
func (t *Topology) Command(args ...string) ([]byte, error) {
	cmd := exec.Command(t.binary, args...)
	cmd.Dir, cmd.Env = t.dir, t.environ
	return cmd.CombinedOutput()
}

// Log is the end of what each part wrote.
func (t *Topology) Log() string {
	const most = 3000
	var b strings.Builder
	files, _ := filepath.Glob(filepath.Join(t.dir, "*.log"))
	for _, file := range files {
		data, _ := os.ReadFile(file)
		fmt.Fprintf(&b, "--- %s\n%s\n", filepath.Base(file), data[max(0, len(data)-most):])
	}
	return b.String()
}

// Stop ends everything and leaves nothing behind.
func (t *Topology) Stop() {
	parts := []*Process{t.nginx}
	for _, r := range t.Replicas {
		parts = append(parts, r.Process)
	}
	for _, p := range append(parts, t.Redis, t.Standby, t.Postgres) {
		if p != nil {
			p.Kill()
		}
	}
	if t.Between != nil {
		t.Between.Close()
	}
	if t.dir != "" {
		_ = os.RemoveAll(t.dir)
	}
}
