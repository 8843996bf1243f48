//go:build linux

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/badge-engine/badge-engine/test/houses"
)

// TestAFullDiskLosesNothing runs a server whose database lies on a small disk of its
// own, fills that under load, makes room, and looks at the books.
func TestAFullDiskLosesNothing(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=6m"); err != nil {
		t.Skipf("a small disk cannot be mounted here, which takes root: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	dir := t.TempDir()
	s := start(t, dir, "sqlite:"+filepath.Join(disk, "x.db"), "HEALTH_INTERVAL=50ms")
	achievement := s.achievement(s.issuer(), "")
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}

	acknowledged := map[string][]byte{}
	issue := func(key string) int {
		a := s.send("POST", "/api/v1/credentials", order(achievement), "Idempotency-Key", key)
		if a.status == 200 || a.status == 201 {
			var v struct{ Credential rawJSON }
			a.into(t, &v)
			if before, twice := acknowledged[key]; twice && !bytes.Equal(before, v.Credential) {
				t.Errorf("%s was issued twice", key)
			}
			acknowledged[key] = v.Credential
		}
		return a.status
	}
	full := ""
	for i := 0; full == "" && i < 5000; i++ {
		key := fmt.Sprintf("order-%d", i)
		switch status := issue(key); status {
		case 201:
		case 503:
			full = key
		default:
			t.Fatalf("on a disk that fills up: %d", status)
		}
	}
	if full == "" {
		t.Fatal("the disk never filled up")
	}
	if a := s.send("GET", "/health/live", nil); a.status != 200 {
		t.Errorf("not alive: %d", a.status)
	}
	if a := s.send("GET", "/api/v1/credentials", nil); a.status != 200 {
		t.Errorf("reading answers %d on a full disk", a.status)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if status := issue("after"); status != 201 { // by itself
		t.Errorf("with room again: %d", status)
	}
	for key, credential := range acknowledged {
		if status := issue(key); status != 200 && status != 201 || !bytes.Equal(acknowledged[key], credential) {
			t.Errorf("%s was acknowledged and is lost: %d", key, status)
		}
	}
	t.Logf("%d orders acknowledged before the disk was full", len(acknowledged))
	s.cmd.Process.Signal(os.Interrupt)
	s.cmd.Wait()
	if out, errs, code := houses.Command(t, dir, []string{"DATABASE_URL=sqlite:" + filepath.Join(disk, "x.db")}, "doctor"); !strings.Contains(out, "It is whole.") {
		t.Errorf("the doctor: %d %s%s", code, out, errs)
	}
}
