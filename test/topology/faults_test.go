//go:build unix

package topology_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/test/topology"
)

// begin starts the topology, or skips where a program is missing.
func begin(t *testing.T, settings ...string) *topology.Topology {
	t.Helper()
	if testing.Short() {
		t.Skip("takes long")
	}
	binary := filepath.Join(t.TempDir(), "badge-engine")
	if out, err := exec.Command("go", "build", "-o", binary, "../../app").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// The folder of a test is closed to the account that the database runs as.
	top, err := topology.Start(t.Context(), "../..", binary, settings...)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(top.Log())
		}
		top.Stop()
	})
	if errors.Is(err, topology.ErrMissing) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// until waits for an address to answer a status.
func until(t *testing.T, address string, status int) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); topology.Status(address) != status; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s never answered %d", address, status)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestFaults injects each fault into one topology that is under load all the time.
func TestFaults(t *testing.T) {
	top := begin(t, "HEALTH_INTERVAL=100ms", "HEALTH_TIMEOUT=500ms", "READ_TIMEOUT=3s", "DRAIN_DELAY=100ms", "REQUEST_TIMEOUT=5s")
	l := prepare(t, top.URL)
	one, two := top.Replicas[0], top.Replicas[1]
	bothReady := func(t *testing.T) {
		t.Helper()
		until(t, one.URL+"/health/ready", 200)
		until(t, two.URL+"/health/ready", 200)
	}
	sql := func(t *testing.T, statements ...string) {
		t.Helper()
		_, err := top.SQL(t.Context(), "postgres", statements...)
		must(t, err)
	}

	for _, fault := range []struct {
		name   string
		inject func(t *testing.T)
	}{
		{"the database is killed and started again", func(t *testing.T) {
			top.Postgres.Kill()
			until(t, one.URL+"/health/ready", 503)
			until(t, one.URL+"/health/live", 200)
			must(t, top.StartPostgres(t.Context()))
		}},
		{"the database hangs", func(t *testing.T) {
			must(t, top.Postgres.Signal(syscall.SIGSTOP))
			until(t, one.URL+"/health/ready", 503)
			fastest := time.Hour
			for range 20 {
				begun := time.Now()
				if status := topology.Status(one.URL + "/health"); status != 503 {
					t.Errorf("health answers %d", status)
				}
				fastest = min(fastest, time.Since(begun))
			}
			if fastest > 50*time.Millisecond {
				t.Errorf("health never answered within 50 ms; the fastest took %s", fastest)
			}
			must(t, top.Postgres.Signal(syscall.SIGCONT))
		}},
		{"the database refuses connections", func(t *testing.T) {
			sql(t, "ALTER DATABASE badge_engine ALLOW_CONNECTIONS false", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'badge_engine'")
			until(t, two.URL+"/health/ready", 503)
			sql(t, "ALTER DATABASE badge_engine ALLOW_CONNECTIONS true")
		}},
		{"Redis is killed and started again", func(t *testing.T) {
			top.Redis.Kill()
			l.more(20)
			l.newcomer()
			if status := topology.Status(one.URL + "/health/ready"); status != 200 {
				t.Errorf("without Redis a replica answers %d, not degraded", status)
			}
			must(t, top.Redis.Start())
		}},
		{"Redis hangs", func(t *testing.T) {
			must(t, top.Redis.Signal(syscall.SIGSTOP))
			l.more(10)
			l.newcomer() // the first ones may wait until it is known
			l.newcomer()
			must(t, top.Redis.Signal(syscall.SIGCONT))
		}},
		{"Redis is slow", func(t *testing.T) {
			top.Between.Delay(150 * time.Millisecond)
			l.more(20)
			l.newcomer()
			if status := topology.Status(one.URL + "/health/ready"); status != 200 {
				t.Errorf("with a slow Redis a replica answers %d", status)
			}
			top.Between.Delay(5 * time.Second) // longer than anybody waits for it
			l.more(20)
			l.newcomer()
			l.newcomer()
			if status := topology.Status(one.URL + "/health/ready"); status != 200 {
				t.Errorf("with a Redis slower than is waited for a replica answers %d", status)
			}
			top.Between.Delay(0)
		}},
		{"the password of Redis was changed", func(t *testing.T) {
			change := func(from, to string) {
				t.Helper()
				conn, err := net.Dial("tcp", top.RedisAddr())
				must(t, err)
				defer conn.Close()
				_, err = fmt.Fprintf(conn, "AUTH %s\r\nCONFIG SET requirepass %s\r\nCLIENT KILL TYPE normal SKIPME yes\r\nQUIT\r\n", from, to)
				must(t, err)
				_, err = io.Copy(io.Discard, conn)
				must(t, err)
			}
			change(topology.RedisPassword, "another")
			l.more(20)
			l.newcomer()
			change("another", topology.RedisPassword)
		}},
		{"a replica is killed", func(t *testing.T) {
			one.Kill()
			l.more(20)
			must(t, one.Start())
			must(t, one.Ready())
		}},
		{"clients send slowly", func(t *testing.T) {
			var slow []net.Conn
			for range 200 {
				conn, err := net.Dial("tcp", strings.TrimPrefix(one.URL, "http://"))
				must(t, err)
				defer conn.Close()
				_, err = io.WriteString(conn, "POST /api/v1/credentials HTTP/1.1\r\nHost: x\r\nX-Slow: ")
				must(t, err)
				slow = append(slow, conn)
			}
			l.more(20)
			for _, conn := range slow { // each is let go of, whatever it sends
				must(t, conn.SetReadDeadline(time.Now().Add(60*time.Second)))
				if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatal("a slow client is waited for")
				}
			}
		}},
		{"uploads are too large or given up", func(t *testing.T) {
			status, _, err := call(one.URL, "POST", "/api/v1/images", "", bytes.Repeat([]byte("x"), 40<<20))
			if err == nil && status != 413 {
				t.Errorf("40 MiB are answered with %d", status)
			}
			for range 20 {
				conn, err := net.Dial("tcp", strings.TrimPrefix(two.URL, "http://"))
				must(t, err)
				_, err = fmt.Fprintf(conn, "POST /api/v1/images HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: image/png\r\nContent-Length: 1000000\r\n\r\n%s", topology.Admin, strings.Repeat("x", 10_000))
				must(t, err)
				must(t, conn.Close())
			}
			if _, data, err := call(two.URL, "GET", "/api/v1/images", "", nil); err == nil && bytes.Contains(data, []byte(`"publicUrl"`)) {
				t.Errorf("half a picture was kept: %s", data)
			}
		}},
	} {
		if t.Failed() {
			return // what comes after would only repeat it
		}
		t.Run(fault.name, func(t *testing.T) {
			l.t = t
			l.during(func() { fault.inject(t) })
			bothReady(t)
		})
	}

	t.Run("every replica is replaced, one after the other", func(t *testing.T) {
		l.t = t
		before := l.tries.Load()
		var others *visitors
		l.during(func() {
			others = l.visit(t)
			for _, r := range top.Replicas {
				r.Term()
				must(t, r.Start())
				must(t, r.Ready())
				time.Sleep(3 * time.Second) // nginx leaves it alone for its fail_timeout, and has no event to wait for
			}
			others.leave()
		})
		if failed := l.tries.Load() - before; failed > 0 {
			t.Errorf("%d orders failed", failed)
		}
		t.Logf("%d requests of other kinds were answered", others.answered.Load())
	})

	t.Run("the database fails over to its standby", func(t *testing.T) {
		l.t = t
		must(t, top.Replicate(t.Context()))
		l.during(func() {
			top.Postgres.Kill()
			must(t, top.Promote(t.Context()))
		})
		bothReady(t)
	})

	l.t = t
	l.settle()
	t.Run("the audit trail is whole", func(t *testing.T) {
		out, err := top.Command("audit", "verify")
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
}
