package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/test/dbtest"
	"github.com/badge-engine/badge-engine/test/houses"
)

// server is the built program as a process.
type server struct {
	*house
	cmd *exec.Cmd
}

// start runs the program and waits until it is ready.
func start(t *testing.T, dir, database string, environ ...string) *server {
	t.Helper()
	s := launch(t, dir, database, environ...)
	s.until("/health/ready", 200)
	return s
}

// launch runs the program. Later variables win over earlier ones.
func launch(t *testing.T, dir, database string, environ ...string) *server {
	t.Helper()
	p := houses.Launch(t, dir, database, environ...)
	return &server{house: &house{t: t, base: p.Base, log: p.Out}, cmd: p.Cmd}
}

// TestKillingTheServerLosesAndDoublesNothing kills it while many orders are under
// way, starts it again on the same database, and repeats what was not answered.
func TestKillingTheServerLosesAndDoublesNothing(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			dir := t.TempDir()
			s := start(t, dir, e.URL)
			achievement := s.achievement(s.issuer(), "")

			const workers, rounds = 8, 2
			var mu sync.Mutex
			acknowledged := map[string][]byte{} // by idempotency key
			open := map[string]bool{}           // sent, never answered
			body, _ := json.Marshal(order(achievement))
			send := func(base, key string) ([]byte, bool) {
				request, _ := http.NewRequest("POST", base+"/api/v1/credentials", bytes.NewReader(body))
				request.Header.Set("Authorization", "Bearer "+admin)
				request.Header.Set("Content-Type", "application/json")
				request.Header.Set("Idempotency-Key", key)
				response, err := http.DefaultClient.Do(request)
				if err != nil {
					return nil, false
				}
				defer response.Body.Close()
				data, err := io.ReadAll(response.Body)
				if err != nil || response.StatusCode != 201 && response.StatusCode != 200 {
					return nil, false
				}
				var v struct{ Credential rawJSON }
				if json.Unmarshal(data, &v) != nil {
					return nil, false
				}
				return v.Credential, true
			}
			for round := range rounds {
				var wg sync.WaitGroup
				enough := make(chan struct{})
				var once sync.Once
				for w := range workers {
					wg.Go(func() {
						for i := 0; ; i++ {
							key := fmt.Sprintf("round-%d-worker-%d-order-%d", round, w, i)
							mu.Lock()
							open[key] = true
							mu.Unlock()
							credential, ok := send(s.base, key)
							if !ok {
								return // the server is gone
							}
							mu.Lock()
							delete(open, key)
							acknowledged[key] = credential
							if len(acknowledged) >= (round+1)*100 {
								once.Do(func() { close(enough) })
							}
							mu.Unlock()
						}
					})
				}
				<-enough
				s.cmd.Process.Signal(syscall.SIGKILL)
				s.cmd.Wait()
				wg.Wait()
				s = start(t, dir, e.URL)
			}

			for key, credential := range acknowledged {
				var doc struct{ ID string }
				if err := json.Unmarshal(credential, &doc); err != nil {
					t.Fatal(err)
				}
				a := s.send("GET", doc.ID[strings.Index(doc.ID, "/credentials/"):], nil)
				if a.status != 200 || !bytes.Equal(a.body, credential) {
					t.Errorf("%s was acknowledged and is lost: %d", key, a.status)
				}
				again, ok := send(s.base, key)
				if !ok || !bytes.Equal(again, credential) {
					t.Errorf("%s was issued twice", key)
				}
			}
			// What was never answered is either there, or can be had, or is still
			// reserved for a while; in no case is it there twice.
			for key := range open {
				first, ok := send(s.base, key)
				if !ok {
					continue
				}
				if second, _ := send(s.base, key); !bytes.Equal(first, second) {
					t.Errorf("%s was issued twice", key)
				}
				acknowledged[key] = first
			}
			listed, cursor := 0, ""
			for {
				var page struct {
					Items []struct{ ID string }
					Next  string
				}
				s.must(200, s.send("GET", "/api/v1/credentials?limit=500&cursor="+cursor, nil)).into(t, &page)
				listed += len(page.Items)
				if cursor = page.Next; cursor == "" {
					break
				}
			}
			if listed != len(acknowledged) {
				t.Errorf("%d credentials are there for %d orders", listed, len(acknowledged))
			}
			t.Logf("%d orders acknowledged, %d open at a kill", len(acknowledged), len(open))
		})
	}
}

func TestTheDemoLeavesABadgeThatOthersCanRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	cmd := exec.Command(houses.Program(t), "demo", "--out", dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"credential.json", "badge.png", "badge.svg", "report.json"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, check := range [][]string{{"pngcheck", "-q", filepath.Join(dir, "badge.png")}, {"xmllint", "--noout", filepath.Join(dir, "badge.svg")}} {
		if _, err := exec.LookPath(check[0]); err != nil {
			if os.Getenv("CI") != "" {
				t.Errorf("%s is not installed", check[0])
			}
			continue
		}
		if out, err := exec.Command(check[0], check[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v %s", check, err, out)
		}
	}

	// The commands on files, with what the demo left.
	credential := filepath.Join(dir, "credential.json")
	for _, name := range []string{"credential.json", "badge.png", "badge.svg"} {
		run(t, 0, "verify", filepath.Join(dir, name))
	}
	plain := filepath.Join(dir, "plain.png")
	if err := os.WriteFile(plain, picture(t), 0o600); err != nil {
		t.Fatal(err)
	}
	baked := filepath.Join(dir, "again.png")
	run(t, 0, "bake", "--credential", credential, "--image", plain, "--out", baked)
	run(t, 0, "verify", baked)
	run(t, 1, "bake", "--credential", credential, "--image", baked, "--out", filepath.Join(dir, "never.png"))
	want, _ := os.ReadFile(credential)
	if got := run(t, 0, "extract", baked); !sameJSON(t, got, want) {
		t.Error("extract printed another credential")
	}
	forged := filepath.Join(dir, "forged.json")
	if err := os.WriteFile(forged, bytes.Replace(want, []byte("First Steps"), []byte("Last Steps"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, 1, "verify", forged)
	run(t, 1, "verify", plain)
	run(t, 1, "verify", filepath.Join(dir, "nothing-there.png"))
	run(t, 2, "verify")
	run(t, 2, "frobnicate")
	run(t, 2, "demo", "--colour", "red")
	run(t, 1, "demo", "--out", filepath.Join(dir, "x"), "--image", credential)
	run(t, 1, "demo", "--out", filepath.Join(dir, "y"), "--image", baked) // it holds somebody's credential
	run(t, 0, "demo", "--out", filepath.Join(dir, "z"), "--image", plain)
}

// run calls the program and answers what it prints on standard output.
func run(t *testing.T, code int, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(houses.Program(t), args...)
	cmd.Dir = t.TempDir()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("badge-engine %s ended with %d instead of %d: %s%s", strings.Join(args, " "), got, code, &out, &errs)
	}
	if code != 0 && errs.Len() == 0 {
		t.Errorf("badge-engine %s fails without a word", strings.Join(args, " "))
	}
	return out.Bytes()
}

func TestTheServerMendsItselfWhenTheDatabaseComesBack(t *testing.T) {
	var address string
	for _, e := range dbtest.Engines(t) {
		if e.Name == "postgres" {
			address = e.URL
		}
	}
	if address == "" {
		t.Skip("needs PostgreSQL: `go run ./test/run` starts one")
	}
	wire := newWire(t, address)
	h := bootOn(t, wire.url)
	achievement := h.achievement(h.issuer(), "")
	wire.cut()
	for range 3 {
		a := h.send("POST", "/api/v1/credentials", order(achievement))
		if a.status != 503 || a.header.Get("Retry-After") == "" {
			t.Errorf("without a database: %d, Retry-After %q, %s", a.status, a.header.Get("Retry-After"), a.body)
		}
	}
	h.until("/health/ready", 503)
	h.must(200, h.send("GET", "/health/live", nil))
	wire.mend()
	for deadline := time.Now().Add(30 * time.Second); ; {
		if a := h.send("POST", "/api/v1/credentials", order(achievement)); a.status == 201 {
			return
		} else if time.Now().After(deadline) {
			t.Fatalf("still %d: %s", a.status, a.body)
		}
	}
}

func TestHealthAnswersAtOnceWhileTheDatabaseHangs(t *testing.T) {
	var address string
	for _, e := range dbtest.Engines(t) {
		if e.Name == "postgres" {
			address = e.URL
		}
	}
	if address == "" {
		t.Skip("needs PostgreSQL: `go run ./test/run` starts one")
	}
	wire := newWire(t, address)
	h := boot(t, func(cfg *engine.Config) {
		cfg.Database.URL = wire.url
		cfg.Health.Timeout, cfg.Health.Interval = 100*time.Millisecond, 20*time.Millisecond
	})
	h.until("/health/ready", 200) // a busy machine may be too slow for the first probes
	wire.hold()
	h.until("/health/ready", 503)
	fastest := time.Hour
	for range 20 { // one that is delayed by this machine does not count
		begun := time.Now()
		a := h.send("GET", "/health", nil)
		fastest = min(fastest, time.Since(begun))
		if a.status != 503 || !bytes.Contains(a.body, []byte(`"error":"timeout"`)) || a.header.Get("Retry-After") == "" {
			t.Fatalf("while it hangs: %d %s", a.status, a.body)
		}
	}
	if fastest > 50*time.Millisecond {
		t.Errorf("no answer within 50 ms, the fastest took %s", fastest)
	}
	wire.mend()
	h.until("/health/ready", 200)
}

func TestAServerWithoutRedisIsDegradedAndReady(t *testing.T) {
	h := boot(t, func(cfg *engine.Config) {
		cfg.Cache.URL = "redis://127.0.0.1:1/0" // nobody answers there
	})
	if a := h.must(200, h.send("GET", "/health/ready", nil)); !bytes.Contains(a.body, []byte(`"status":"degraded"`)) {
		t.Errorf("%s", a.body)
	}
	h.must(201, h.send("POST", "/api/v1/credentials", order(h.achievement(h.issuer(), ""))))
}

func TestAServerThatWaitsForItsDatabaseSaysSoAndServesWhenItComes(t *testing.T) {
	var address string
	for _, e := range dbtest.Engines(t) {
		if e.Name == "postgres" {
			address = e.URL
		}
	}
	if address == "" {
		t.Skip("needs PostgreSQL: `go run ./test/run` starts one")
	}
	wire := newWire(t, address)
	wire.cut()
	s := launch(t, t.TempDir(), wire.url)
	s.until("/health/live", 200)
	a := s.send("GET", "/health/ready", nil)
	if a.status != 503 || !bytes.Contains(a.body, []byte(`"status":"starting"`)) {
		t.Errorf("while it waits: %d %s", a.status, a.body)
	}
	if a := s.send("GET", "/api/v1/issuers", nil); a.status != 503 || a.header.Get("Retry-After") == "" || !bytes.Contains(a.body, []byte("httpserver.starting")) {
		t.Errorf("while it waits: %d %s", a.status, a.body)
	}
	wire.mend()
	s.until("/health/ready", 200)
	s.issuer()

	wire.cut()
	patient := launch(t, t.TempDir(), wire.url)
	patient.until("/health/live", 200)
	patient.cmd.Process.Signal(syscall.SIGTERM) // ends the wait, not only the process
	if patient.cmd.Wait(); patient.cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("a start that was interrupted ended with %s", patient.cmd.ProcessState)
	}
}

func TestSIGTERMFinishesWhatWasBegun(t *testing.T) {
	s := start(t, t.TempDir(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"), "DRAIN_DELAY=300ms")
	achievement := s.achievement(s.issuer(), "")
	s.cmd.Process.Signal(syscall.SIGTERM)
	failed := false
	for !failed { // ends: the server goes away at the latest
		response, err := http.Get(s.base + "/health/ready")
		if err != nil {
			break
		}
		response.Body.Close()
		failed = response.StatusCode == 503
	}
	if !failed {
		t.Fatal("readiness never failed before the server went away")
	}
	s.must(201, s.send("POST", "/api/v1/credentials", order(achievement)))
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

// TestNoLineOfTheLogIsLostAtAnOrderlyEnd stops the server right after many requests,
// whose lines it may hold for a moment.
func TestNoLineOfTheLogIsLostAtAnOrderlyEnd(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, "sqlite:"+filepath.Join(dir, "b.db"), "LOG_LEVEL=info")
	const requests = 300
	for range requests {
		s.must(200, s.send("GET", "/openapi.json", nil, "X-Request-Id", "counted"))
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(s.log.String(), `"request_id":"counted"`); lines != requests {
		t.Errorf("%d lines for %d requests", lines, requests)
	}
}

// TestAStartThatFailsSaysAllThatItDid begins on a port that is taken.
func TestAStartThatFailsSaysAllThatItDid(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	dir := t.TempDir()
	s := launch(t, dir, "sqlite:"+filepath.Join(dir, "b.db"), "PORT="+port, "LOG_LEVEL=debug")
	if err := s.cmd.Wait(); err == nil {
		t.Fatal("it starts on a port that is taken")
	}
	if said := s.log.String(); !strings.Contains(said, `"level":"DEBUG"`) || !strings.Contains(said, "PORT "+port) {
		t.Errorf("it says %s", said)
	}
}
