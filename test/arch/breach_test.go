package arch_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// breaches are invented files, each against one rule or against none.
var breaches = []struct {
	name string
	source
	rule string // empty: it is fine
}{
	{"a module imports another", source{dir: "modules/auth", name: "service.go", ours: []string{"modules/scim"}}, "modules never import another module"},
	{"a module's test imports another", source{dir: "modules/auth", name: "service_test.go", ours: []string{"modules/scim"}}, "modules never import another module"},
	{"a module imports a package of its own", source{dir: "modules/auth", name: "service.go", ours: []string{"modules/auth/entra"}}, ""},
	{"a module imports the kernel, migrations and platform", source{dir: "modules/auth", name: "schema.go", ours: []string{"modules/internal/did", "migrations", "platform/fault"}}, ""},
	{"a module imports the composition root", source{dir: "modules/auth", name: "service.go", ours: []string{"app/engine"}}, "modules import only the kernel, migrations and platform"},
	{"a module imports the test engines", source{dir: "modules/auth", name: "store.go", ours: []string{"test/dbtest"}}, "modules import only the kernel, migrations and platform"},
	{"a module's test imports the test engines", source{dir: "modules/auth", name: "store_test.go", ours: []string{"test/dbtest"}}, ""},
	{"a module's test imports the composition root", source{dir: "modules/auth", name: "store_test.go", ours: []string{"app/engine"}}, "modules import only the kernel, migrations and platform"},
	{"a module imports a driver", source{dir: "modules/auth", name: "store.go", ours: []string{"platform/database/sqlite"}}, "only app names a driver"},
	{"platform imports a driver", source{dir: "platform/outbox", name: "relay.go", ours: []string{"platform/cache/redis"}}, "only app names a driver"},
	{"the composition root imports a driver", source{dir: "app/engine", name: "engine.go", ours: []string{"platform/cache/redis"}}, ""},
	{"the kernel imports the kernel", source{dir: "modules/internal/credential", name: "prepare.go", ours: []string{"modules/internal/openbadges"}}, ""},
	{"the kernel imports platform", source{dir: "modules/internal/did", name: "resolve.go", ours: []string{"platform/fetch"}}, "the kernel imports only the kernel"},
	{"a kernel test imports platform", source{dir: "modules/internal/did", name: "resolve_test.go", ours: []string{"platform/fetch"}}, "the kernel imports only the kernel"},
	{"the kernel imports a module", source{dir: "modules/internal/did", name: "resolve.go", ours: []string{"modules/scim"}}, "the kernel imports only the kernel"},
	{"migrations import a module", source{dir: "migrations", name: "runner.go", ours: []string{"modules/auth"}}, "migrations import only platform"},
	{"migrations import platform", source{dir: "migrations", name: "runner.go", ours: []string{"platform/database"}}, ""},
	{"platform imports a module", source{dir: "platform/page", name: "page.go", ours: []string{"modules/auth"}}, "platform imports only platform"},
	{"platform imports migrations", source{dir: "platform/database", name: "database.go", ours: []string{"migrations"}}, "platform imports only platform"},
	{"platform imports the composition root", source{dir: "platform/database", name: "database.go", ours: []string{"app/engine"}}, "platform imports only platform"},
	{"a platform test imports a module", source{dir: "platform/database", name: "database_test.go", ours: []string{"modules/auth"}}, "platform imports only platform"},
	{"a leaf imports platform", source{dir: "platform/fault", name: "fault.go", ours: []string{"platform/config"}}, "fault, principal, probe and diagnosis import nothing of ours"},
	{"a test of the house imports a module", source{dir: "test/e2e", name: "issue_test.go", ours: []string{"modules/issuance"}}, "tests of the house import only app/engine, migrations and platform"},
	{"a test of the house imports the commands", source{dir: "test/e2e", name: "issue_test.go", ours: []string{"app/command"}}, "tests of the house import only app/engine, migrations and platform"},
	{"a test of the house imports the probe of foreign servers", source{dir: "test/conformance/scim", name: "house_test.go", ours: []string{"app/command/scimprobe"}}, ""},
	{"a test of the house imports the engine", source{dir: "test/e2e", name: "issue_test.go", ours: []string{"app/engine", "test/dbtest"}}, ""},

	{"fx in module.go", source{dir: "modules/auth", name: "module.go", foreign: []string{"go.uber.org/fx"}}, ""},
	{"fx in app", source{dir: "app/engine", name: "engine.go", foreign: []string{"go.uber.org/fx", "go.uber.org/fx/fxevent"}}, ""},
	{"fx in a service", source{dir: "modules/auth", name: "service.go", foreign: []string{"go.uber.org/fx"}}, "fx only in module.go and app"},
	{"fx in platform", source{dir: "platform/cache", name: "cache.go", foreign: []string{"go.uber.org/fx/fxevent"}}, "fx only in module.go and app"},
	{"cobra in a module", source{dir: "modules/auth", name: "command.go", foreign: []string{"github.com/spf13/cobra"}}, "dig and cobra only in app"},
	{"fiber in handlers.go", source{dir: "modules/auth", name: "handlers.go", foreign: []string{"github.com/gofiber/fiber/v2"}}, ""},
	{"fiber in the server", source{dir: "platform/httpserver", name: "server.go", foreign: []string{"github.com/gofiber/fiber/v2", "github.com/valyala/fasthttp"}}, ""},
	{"fiber in a service", source{dir: "modules/auth", name: "service.go", foreign: []string{"github.com/gofiber/fiber/v2"}}, "fiber only in handlers.go and pages.go"},
	{"fiber in the command line", source{dir: "app/command", name: "handlers.go", foreign: []string{"github.com/gofiber/fiber/v2"}}, "fiber only in handlers.go and pages.go"},
	{"fasthttp in a service", source{dir: "modules/auth", name: "service.go", foreign: []string{"github.com/valyala/fasthttp"}}, "fiber only in handlers.go and pages.go"},
	{"gorm in store.go", source{dir: "modules/auth", name: "store.go", foreign: []string{"gorm.io/gorm", "gorm.io/gorm/clause"}}, ""},
	{"gorm in a service", source{dir: "modules/auth", name: "service.go", foreign: []string{"gorm.io/gorm"}}, "gorm only in store.go and model.go"},
	{"gorm in handlers.go", source{dir: "modules/auth", name: "handlers.go", foreign: []string{"gorm.io/gorm"}}, "gorm only in store.go and model.go"},
	{"gorm in the database", source{dir: "platform/database/sqlite", name: "dialector.go", foreign: []string{"gorm.io/gorm", "gorm.io/driver/sqlite"}}, ""},
	{"goose in a module", source{dir: "modules/auth", name: "schema.go", foreign: []string{"github.com/pressly/goose/v3"}}, "goose only in migrations"},
	{"pgx in a store", source{dir: "modules/auth", name: "store.go", foreign: []string{"github.com/jackc/pgx/v5/pgconn"}}, "pgx only in its driver"},
	{"SQLite in the handle", source{dir: "platform/database", name: "database.go", foreign: []string{"modernc.org/sqlite"}}, "SQLite only in its driver"},
	{"go-redis in the cache", source{dir: "platform/cache", name: "cache.go", foreign: []string{"github.com/redis/go-redis/v9"}}, "go-redis only in its driver"},
	{"go-oidc where Entra is spoken", source{dir: "modules/auth/entra", name: "verifier.go", foreign: []string{"github.com/coreos/go-oidc/v3/oidc", "github.com/go-jose/go-jose/v4", "golang.org/x/oauth2/clientcredentials"}}, ""},
	{"go-oidc in the module around it", source{dir: "modules/auth", name: "bearer.go", foreign: []string{"github.com/coreos/go-oidc/v3/oidc"}}, "go-oidc, oauth2 and go-jose only in modules/auth/entra"},
	{"go-jose in the kernel", source{dir: "modules/internal/credential/jose", name: "token.go", foreign: []string{"github.com/go-jose/go-jose/v4"}}, "go-oidc, oauth2 and go-jose only in modules/auth/entra"},
	{"a package of a module imports another module", source{dir: "modules/auth/entra", name: "graph.go", ours: []string{"modules/scim"}}, "modules never import another module"},
	{"the environment in a module", source{dir: "modules/auth", name: "config.go", foreign: []string{"github.com/caarlos0/env/v11"}}, "the environment is read only by platform/config"},
	{"OpenTelemetry in the server", source{dir: "platform/httpserver", name: "surround.go", foreign: []string{"go.opentelemetry.io/otel/trace"}}, "OpenTelemetry only in platform/tracing"},
	{"any library in a test", source{dir: "modules/auth", name: "module_test.go", foreign: []string{"go.uber.org/fx/fxtest", "gorm.io/gorm", "net/http"}}, ""},

	{"the kernel calls the network", source{dir: "modules/internal/did", name: "web.go", foreign: []string{"net/http"}}, "the kernel reaches for no network, file, log or framework"},
	{"the kernel opens a file", source{dir: "modules/internal/jsonld", name: "contexts.go", foreign: []string{"os"}}, "the kernel reaches for no network, file, log or framework"},
	{"the kernel logs", source{dir: "modules/internal/jsonld", name: "expand.go", foreign: []string{"log/slog"}}, "the kernel reaches for no network, file, log or framework"},
	{"the kernel names a framework", source{dir: "modules/internal/image", name: "png.go", foreign: []string{"github.com/rs/zerolog"}}, "the kernel reaches for no network, file, log or framework"},
	{"the kernel knows its trade", source{dir: "modules/internal/did", name: "key.go", foreign: []string{"crypto/ed25519", "encoding/json", "net/url", "embed", "golang.org/x/crypto/blake2b"}}, ""},
}

func TestEachImportRuleCanFail(t *testing.T) {
	broken := map[string]bool{}
	for _, row := range breaches {
		t.Run(row.name, func(t *testing.T) {
			var rules []string
			for _, v := range judgeImports(row.source) {
				rules = append(rules, v.rule)
				if v.path != row.dir+"/"+row.source.name {
					t.Errorf("violation names %q", v.path)
				}
			}
			switch {
			case row.rule == "" && len(rules) > 0:
				t.Errorf("breaks %q", rules)
			case row.rule != "" && !slices.Contains(rules, row.rule):
				t.Errorf("breaks %q, not %q", rules, row.rule)
			}
			broken[row.rule] = true
		})
	}
	for _, rule := range slices.Concat(ourRules, foreignRules) {
		if !broken[rule.name] {
			t.Errorf("no invented file breaks %q", rule.name)
		}
	}
}

// TestThePlanIsReadFromRealFiles builds a small program that breaks a rule of
// each kind and one that breaks none.
func TestThePlanIsReadFromRealFiles(t *testing.T) {
	for _, row := range []struct {
		name  string
		files map[string]string
		want  []string // violations, by their beginnings
	}{
		{"a package that is in order", map[string]string{
			"platform/clock/doc.go":   "// Package clock tells the time.\npackage clock\n",
			"platform/clock/clock.go": "package clock\n\n// Now is now.\nfunc Now() {}\n\n// The hours.\nconst (\n\tNoon = 12\n\tNight = 24\n)\n\ntype hidden struct{}\n\nfunc (hidden) Tick() {}\n",
			"app/main.go":             "// Command badge-engine tells the time.\npackage main\n\nfunc main() {}\n",
		}, nil},
		{"an import against a rule", map[string]string{
			"platform/clock/doc.go":      "// Package clock tells the time.\npackage clock\n",
			"platform/clock/clock.go":    "package clock\n\nimport _ \"" + ownPath + "/modules/auth\"\n",
			"modules/auth/doc.go":        "// Package auth is a module.\npackage auth\n",
			"modules/auth/token_test.go": "package auth_test\n\nimport _ \"" + ownPath + "/modules/scim\"\n",
			"modules/scim/doc.go":        "// Package scim is another.\npackage scim\n",
		}, []string{"modules/auth/token_test.go: modules never", "platform/clock/clock.go: platform imports only platform"}},
		{"an import in a file for another system", map[string]string{
			"platform/clock/doc.go":           "// Package clock tells the time.\npackage clock\n",
			"platform/clock/clock_plan9.go":   "package clock\n\nimport _ \"" + ownPath + "/migrations\"\n",
			"platform/clock/clock_windows.go": "package clock\n\nimport _ \"go.uber.org/fx\"\n",
			"migrations/doc.go":               "// Package migrations is below modules.\npackage migrations\n",
		}, []string{"platform/clock/clock_plan9.go: platform imports only platform", "platform/clock/clock_windows.go: fx only in module.go"}},
		{"a package without doc.go", map[string]string{
			"platform/clock/clock.go": "// Package clock tells the time.\npackage clock\n",
		}, []string{"platform/clock: " + ruleDoc}},
		{"a doc.go that says nothing", map[string]string{
			"platform/clock/doc.go": "package clock\n",
		}, []string{"platform/clock: " + ruleDoc}},
		{"a program without a package comment", map[string]string{
			"app/main.go": "package main\n\nfunc main() {}\n",
		}, []string{"app: " + ruleDoc}},
		{"a package that holds anything", map[string]string{
			"platform/util/doc.go":   "// Package util holds anything.\npackage util\n",
			"platform/common/doc.go": "// Package clock hides its folder.\npackage clock\n",
		}, []string{"platform/common: " + ruleName, "platform/util: " + ruleName}},
		{"exported names without a comment of their own", map[string]string{
			"platform/clock/doc.go":  "// Package clock tells the time.\npackage clock\n",
			"platform/clock/func.go": "package clock\n\nfunc Now() {}\n\n// It ticks.\nfunc Tick() {}\n",
			"platform/clock/type.go": "package clock\n\ntype Hand[T any] struct{}\n\nfunc (*Hand[T]) Move() {}\n",
			"platform/clock/var.go":  "package clock\n\nvar Zone string\n\nconst (\n\tNoon = 12 // the middle of the day\n\tNight = 24\n)\n",
		}, []string{
			"platform/clock/func.go:3: " + ruleExplained + ": Now", "platform/clock/func.go:6: " + ruleExplained + ": Tick",
			"platform/clock/type.go:3: " + ruleExplained + ": Hand", "platform/clock/type.go:5: " + ruleExplained + ": Move",
			"platform/clock/var.go:3: " + ruleExplained + ": Zone", "platform/clock/var.go:7: " + ruleExplained + ": Night",
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			root := t.TempDir()
			row.files["go.mod"] = "module " + ownPath + "\n\ngo 1.24\n"
			for name, text := range row.files {
				path := filepath.Join(root, filepath.FromSlash(name))
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			for _, v := range inspect(t, root) {
				got = append(got, v.String())
			}
			slices.Sort(got)
			if len(got) != len(row.want) {
				t.Fatalf("found %q", got)
			}
			for i, want := range row.want {
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("found %q, want %q", got[i], want)
				}
			}
		})
	}
}
