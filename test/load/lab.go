package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// admin is the token of the servers that are measured.
const admin = "0123456789abcdef0123456789abcdef-bootstrap"

// lab is where measurements take place: a folder, the built program, a PostgreSQL once one is asked for.
type lab struct {
	span    time.Duration // of one measurement
	soak    time.Duration // of the one that looks for growth; a few seconds when 0
	folder  string
	program string
	stops   []func()

	once       sync.Once
	postgres   string
	postmaster string // its process, where we started it
	err        error
}

// open builds the program.
func open(ctx context.Context, span time.Duration) (*lab, error) {
	folder, err := os.MkdirTemp("", "badge-engine-load-")
	if err != nil {
		return nil, err
	}
	l := &lab{span: span, folder: folder, program: filepath.Join(folder, "badge-engine")}
	l.stops = append(l.stops, func() { _ = os.RemoveAll(folder) })
	build := exec.CommandContext(ctx, "go", "build", "-o", l.program, "./app")
	if said, err := build.CombinedOutput(); err != nil {
		l.close()
		return nil, fmt.Errorf("build the program (run this in the root of the repository): %w\n%s", err, said)
	}
	return l, nil
}

func (l *lab) close() {
	for i := len(l.stops) - 1; i >= 0; i-- {
		l.stops[i]()
	}
}

// engines are the addresses of an empty SQLite and, where there is one, an empty PostgreSQL database.
func (l *lab) engines(ctx context.Context, name string) (sqlite, postgres string, err error) {
	sqlite = "sqlite:" + filepath.Join(l.folder, name+".db")
	l.once.Do(func() {
		if l.postgres = os.Getenv("LOAD_POSTGRES_URL"); l.postgres == "" {
			l.postgres, l.err = l.startPostgres(ctx)
		}
	})
	if l.err != nil {
		return sqlite, "", l.err
	}
	postgres, err = createDatabase(ctx, l.postgres, name)
	return sqlite, postgres, err
}

// process is a server that runs beside us.
type process struct {
	base string
	cmd  *exec.Cmd
	out  *bytes.Buffer
	stop func()
}

// serve starts the program on a database and waits until it is ready. Later variables win over earlier ones.
func (l *lab) serve(ctx context.Context, database string, environ ...string) (*process, error) {
	return l.house(ctx, exec.CommandContext(ctx, l.program, "serve"), database, environ...)
}

// same starts this program as ours with a route that stores a fixed document.
func (l *lab) same(ctx context.Context, database, document string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return l.house(ctx, exec.CommandContext(ctx, self, "same", document), database, collector)
}

// collector is how the program has its memory collected, for the servers that it is compared with.
const collector = "GOGC=300"

func (l *lab) house(ctx context.Context, cmd *exec.Cmd, database string, environ ...string) (*process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	if cmd.Dir, err = os.MkdirTemp(l.folder, "server-"); err != nil {
		return nil, err
	}
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOST=127.0.0.1", "PORT=" + strconv.Itoa(port), "DATABASE_URL=" + database,
		"BOOTSTRAP_ADMIN_TOKEN=" + admin, "MIGRATE_ON_START=always", "LOG_LEVEL=warn", "RATE_LIMIT=0", "RATE_LIMIT_FAILURES=0", "RATE_LIMIT_ANONYMOUS=0",
	}, environ...)
	return l.begin(ctx, cmd, port, "/health/ready")
}

// ceiling starts this program as the server that ours is compared with.
func (l *lab) ceiling(ctx context.Context, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{"ceiling", strconv.Itoa(port)}, args...)...)
	cmd.Env = append(os.Environ(), collector)
	return l.begin(ctx, cmd, port, "/ready")
}

func (l *lab) begin(ctx context.Context, cmd *exec.Cmd, port int, ready string) (*process, error) {
	p := &process{base: "http://127.0.0.1:" + strconv.Itoa(port), cmd: cmd, out: &bytes.Buffer{}}
	cmd.Stdout, cmd.Stderr = p.out, p.out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	p.stop = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	l.stops = append(l.stops, p.stop)
	for deadline := time.Now().Add(30 * time.Second); ; {
		response, err := http.Get(p.base + ready)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return p, nil
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-ended:
			return nil, fmt.Errorf("the server ended:\n%s", p.out)
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return nil, errors.New("the server does not become ready")
		}
	}
}

// call asks the server as the administrator and reads the answer into v.
func (p *process) call(ctx context.Context, method, path string, body, v any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, p.base+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+admin)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d %s", method, path, response.StatusCode, answer)
	}
	return json.Unmarshal(answer, v)
}

// usage is what a process has used.
type usage struct {
	cpu    time.Duration
	memory int64 // bytes that are resident now
}

// usage reads it from /proc; elsewhere it is nothing.
func (p *process) usage() usage {
	u, _, _ := usageOf(strconv.Itoa(p.cmd.Process.Pid))
	return u
}

// databaseTime is the processor time of the PostgreSQL that was started here, of all its processes: those that run, and
// those that have ended, which their parent keeps the sum of.
func (l *lab) databaseTime() (total time.Duration) {
	if l.postmaster == "" {
		return 0
	}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if used, parent, ended := usageOf(e.Name()); parent == l.postmaster {
			total += used.cpu
		} else if e.Name() == l.postmaster {
			total += used.cpu + ended
		}
	}
	return total
}

// usageOf reads what a process has used, who started it, and the processor time of those it started that have ended.
func usageOf(pid string) (u usage, parent string, ended time.Duration) {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return u, "", 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name may contain anything
	fields := strings.Fields(rest)
	if len(fields) < 22 {
		return u, "", 0
	}
	hundredths := func(of []string) (sum time.Duration) { // user and system
		for _, ticks := range of {
			n, _ := strconv.ParseInt(ticks, 10, 64)
			sum += time.Duration(n) * 10 * time.Millisecond
		}
		return sum
	}
	u.cpu, ended = hundredths(fields[11:13]), hundredths(fields[13:15])
	pages, _ := strconv.ParseInt(fields[21], 10, 64)
	u.memory = pages * int64(os.Getpagesize())
	return u, fields[1], ended
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
