package scim

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// foreign sets up the independent tester, in a folder of its own beside the other caches of this user, and answers the
// Python that has it.
func foreign(t *testing.T) string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("Python is not installed: the independent tester cannot run")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("there is no folder for the independent tester: %v", err)
	}
	wanted, err := os.ReadFile("tester/requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "badge-engine-scim-tester")
	program, installed := filepath.Join(dir, "bin", "python"), filepath.Join(dir, "requirements.txt")
	if have, err := os.ReadFile(installed); err == nil && bytes.Equal(have, wanted) {
		return program
	}
	if os.Getenv("CI") == "" {
		t.Skipf("set up the independent tester with: python3 -m venv %[1]s && %[1]s/bin/pip install -r test/conformance/scim/tester/requirements.txt && cp test/conformance/scim/tester/requirements.txt %[1]s", dir)
	}
	for _, command := range [][]string{{python, "-m", "venv", "--clear", dir}, {program, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "-r", "tester/requirements.txt"}} {
		if out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput(); err != nil {
			if command[1] == "-m" && command[2] == "venv" { // Debian has it in a package of its own: python3-venv
				t.Skipf("the independent tester cannot be set up: %v\n%s", err, out)
			}
			t.Fatalf("pip: %v\n%s", err, out)
		}
	}
	if err := os.WriteFile(installed, wanted, 0o644); err != nil {
		t.Fatal(err)
	}
	return program
}

// TestAnIndependentTesterFindsNothing lets scim2-tester look at the discovery documents, make, read, find, project, replace
// and delete resources, and add, replace and remove every attribute that the schemas publish, those of an operator's
// extension included.
func TestAnIndependentTesterFindsNothing(t *testing.T) {
	python := foreign(t)
	each(t, func(t *testing.T, d *desk) {
		command := exec.CommandContext(t.Context(), python, "tester/check.py", d.base+"/scim/v2")
		command.Stdin = strings.NewReader(d.token + "\n")
		var errs bytes.Buffer
		command.Stderr = &errs
		out, err := command.Output()
		checks := strings.Split(strings.TrimSpace(string(out)), "\n")
		for _, check := range checks {
			if !strings.HasPrefix(check, "SUCCESS\t") {
				t.Error(strings.ReplaceAll(check, "\t", "  "))
			}
		}
		if err != nil || len(checks) < 100 {
			t.Errorf("%d checks, %v\n%s", len(checks), err, &errs)
		}
	})
}
