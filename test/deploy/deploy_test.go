package deploy_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/platform/config"
)

// validators is the folder of the programs that know the schemas.
func validators(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("there is no folder for the validators: %v", err)
	}
	wanted := []byte(read(t, "requirements.txt"))
	dir := filepath.Join(cache, "badge-engine-deploy-validators")
	bin, installed := filepath.Join(dir, "bin"), filepath.Join(dir, "requirements.txt")
	if have, err := os.ReadFile(installed); err == nil && bytes.Equal(have, wanted) {
		return bin
	}
	if os.Getenv("CI") == "" {
		t.Skipf("set up the validators with: python3 -m venv %[1]s && %[1]s/bin/pip install -r test/deploy/requirements.txt && cp test/deploy/requirements.txt %[1]s", dir)
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no Python")
	}
	if out, err := exec.CommandContext(t.Context(), python, "-m", "venv", "--clear", dir).CombinedOutput(); err != nil {
		t.Skipf("the validators cannot be set up: %v\n%s", err, out) // Debian has it in a package of its own: python3-venv
	}
	if out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "-r", "requirements.txt").CombinedOutput(); err != nil {
		t.Fatalf("pip: %v\n%s", err, out)
	}
	if err := os.WriteFile(installed, wanted, 0o644); err != nil {
		t.Fatal(err)
	}
	return bin
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestTheFilesFitTheirSchemas(t *testing.T) {
	bin := validators(t)
	broken := filepath.Join(t.TempDir(), "broken.yml")
	for _, row := range []struct {
		name, file, edit, into string
		command                []string
	}{
		{"compose", "../../docker-compose.yml", "retries: 3", "retry: 3", []string{"check-jsonschema", "--builtin-schema", "vendor.compose-spec"}},
		{"Kubernetes", "../../docs/deploy/kubernetes/badge-engine.yaml", "periodSeconds", "periodSecond", []string{"kubernetes-validate", "--strict"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			check := func(file string) ([]byte, error) {
				return exec.CommandContext(t.Context(), filepath.Join(bin, row.command[0]), append(row.command[1:], file)...).CombinedOutput()
			}
			if out, err := check(row.file); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			// And the check can fail.
			if err := os.WriteFile(broken, []byte(strings.ReplaceAll(read(t, row.file), row.edit, row.into)), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := check(broken); err == nil {
				t.Errorf("a broken file passes: %s", out)
			}
		})
	}
}

// variable is NAME: in the environment of the compose file and in the config map.
var variable = regexp.MustCompile(`(?m)^  ([A-Z][A-Z0-9_]+):`)

func TestTheFilesSetOnlyVariablesThatThereAre(t *testing.T) {
	defaults := engine.Default()
	known := []string{"GOMEMLIMIT"}
	for _, v := range config.Describe(&defaults) {
		known = append(known, v.Name)
	}
	for _, file := range []string{"../../docker-compose.yml", "../../docs/deploy/kubernetes/badge-engine.yaml"} {
		found := variable.FindAllStringSubmatch(read(t, file), -1)
		if len(found) < 5 {
			t.Errorf("%s: only %d variables", file, len(found))
		}
		for _, match := range found {
			if !slices.Contains(known, match[1]) {
				t.Errorf("%s sets %s, which nobody reads", file, match[1])
			}
		}
	}
}

func TestComposePromisesWhatOperatorsCountOn(t *testing.T) {
	text := read(t, "../../docker-compose.yml")
	for _, want := range []string{
		"image: postgres:16", "POSTGRES_USER: badge_user", "POSTGRES_DB: badge_engine", "--requirepass", `command: ["migrate", "up"]`, "service_completed_successfully",
		"app-1: *app", "app-2: *app", "interval: 30s", "timeout: 10s", "start_period: 60s", "retries: 3", "limits: {memory: 2G}", "reservations: {memory: 1G}", "8000:8000", "docs/deploy/nginx.conf",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("docker-compose.yml lacks %q", want)
		}
	}
}

var metric = regexp.MustCompile(`badge_engine_[a-z_]+`)

func TestAlertsAndDashboardAskForMetricsThatThereAre(t *testing.T) {
	var program strings.Builder
	for _, place := range []string{"../../modules", "../../platform"} {
		err := filepath.WalkDir(place, func(path string, d os.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				program.WriteString(read(t, path))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if !json.Valid([]byte(read(t, "../../docs/deploy/grafana.json"))) {
		t.Error("the dashboard is no JSON")
	}
	for _, file := range []string{"../../docs/deploy/alerts.yaml", "../../docs/deploy/grafana.json"} {
		names := metric.FindAllString(read(t, file), -1)
		if len(names) < 5 {
			t.Errorf("%s asks for %d metrics", file, len(names))
		}
		for _, name := range names {
			for _, end := range []string{"_count", "_bucket", "_sum"} {
				name = strings.TrimSuffix(name, end)
			}
			if !strings.Contains(program.String(), `"`+name+`"`) {
				t.Errorf("%s asks for %s, which nobody measures", file, name)
			}
		}
	}
	// Where an alert leads to, there is something to read.
	for _, match := range regexp.MustCompile(`runbook: "(docs/[A-Z]+\.md)#([a-z-]+)"`).FindAllStringSubmatch(read(t, "../../docs/deploy/alerts.yaml"), -1) {
		if !slices.Contains(anchors(read(t, "../../"+match[1])), match[2]) {
			t.Errorf("%s has no section %s", match[1], match[2])
		}
	}
}

// anchors are those that Markdown makes of headings.
func anchors(text string) (all []string) {
	for line := range strings.Lines(text) {
		if title := strings.TrimLeft(line, "#"); title != line {
			all = append(all, strings.ReplaceAll(strings.ToLower(strings.TrimSpace(title)), " ", "-"))
		}
	}
	return all
}
