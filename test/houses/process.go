package houses

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

var program struct {
	sync.Once
	path string
	err  error
}

// Program compiles the program once for all tests of a package, and answers where it is.
// The package must have [Main].
func Program(t testing.TB) string {
	t.Helper()
	program.Do(func() {
		dir, err := os.MkdirTemp("", "badge-engine-test-")
		if err != nil {
			program.err = err
			return
		}
		program.path = filepath.Join(dir, "badge-engine")
		if out, err := exec.Command("go", "build", "-o", program.path, "github.com/badge-engine/badge-engine/app").CombinedOutput(); err != nil {
			program.err = fmt.Errorf("houses: %w: %s", err, out)
		}
	})
	if program.err != nil {
		t.Fatal(program.err)
	}
	return program.path
}

// Main runs the tests of a package and removes the program that they compiled.
func Main(m *testing.M) int {
	code := m.Run()
	if program.path != "" {
		_ = os.RemoveAll(filepath.Dir(program.path))
	}
	return code
}

// FreePort is a port of this machine that nobody listened on just now.
func FreePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// Process is the program as a process of its own.
type Process struct {
	Base string
	Cmd  *exec.Cmd
	Out  *Log
}

// Launch runs the server in a folder, and ends it with the test. Later variables win over
// earlier ones.
func Launch(t testing.TB, dir, database string, environ ...string) *Process {
	t.Helper()
	port := FreePort(t)
	cmd := exec.Command(Program(t), "serve")
	cmd.Dir = dir
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOST=127.0.0.1", "PORT=" + port, "DATABASE_URL=" + database,
		"BOOTSTRAP_ADMIN_TOKEN=" + Admin, "MIGRATE_ON_START=always", "LOG_LEVEL=warn",
	}, environ...)
	out := &Log{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		out.tell(t)
	})
	return &Process{Base: "http://127.0.0.1:" + port, Cmd: cmd, Out: out}
}

// Until waits for an address below base to answer a status.
func Until(t testing.TB, base, path string, status int) {
	t.Helper()
	last := "nothing"
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) { // another process: there is no event to wait for
		response, err := http.Get(base + path)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == status {
				return
			}
			last = response.Status
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s never answered %d, but %s: %v", path, status, last, err)
		}
	}
}

// Command runs the program with an environment of its own and answers both streams.
func Command(t testing.TB, dir string, environ []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.Command(Program(t), args...)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, environ...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // the exit code says it
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}
