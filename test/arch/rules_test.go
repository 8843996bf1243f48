package arch_test

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// source is what the rules look at in one file.
type source struct {
	dir     string   // of its package, from the root: "modules/auth"
	name    string   // "store.go"
	ours    []string // imports of this program, from the root: "platform/fault"
	foreign []string // all other imports
}

func (s source) test() bool   { return strings.HasSuffix(s.name, "_test.go") }
func (s source) path() string { return path.Join(s.dir, s.name) }

// below reports whether a path is one of the places or lies below one.
func below(p string, places ...string) bool {
	return slices.ContainsFunc(places, func(place string) bool {
		return p == place || strings.HasPrefix(p, place+"/")
	})
}

const (
	kernel  = "modules/internal"
	drivers = "a storage or cache plug-in"
)

// plugins are chosen by the composition root alone.
var plugins = []string{"platform/database/postgres", "platform/database/sqlite", "platform/cache/redis", "platform/cache/memory"}

// leaves import nothing of ours.
var leaves = []string{"platform/fault", "platform/principal", "platform/probe", "platform/diagnosis"}

// module names the module a package belongs to, or nothing.
func module(dir string) string {
	parts := strings.Split(dir, "/")
	if len(parts) < 2 || parts[0] != "modules" || parts[1] == "internal" {
		return ""
	}
	return parts[1]
}

// An importRule judges one import of a file. It answers why the import is
// wrong, or nothing.
type importRule struct {
	name  string
	judge func(s source, imported string) string
}

// ourRules judge imports of this program.
var ourRules = []importRule{
	{"modules never import another module", func(s source, imported string) string {
		if m := module(s.dir); m != "" && module(imported) != "" && module(imported) != m {
			return "modules meet only in app/engine/bindings.go: declare a port in ports.go"
		}
		return ""
	}},
	{"modules import only the kernel, migrations and platform", func(s source, imported string) string {
		allowed := []string{kernel, "migrations", "platform", "modules"}
		if s.test() {
			allowed = append(allowed, "test")
		}
		if module(s.dir) != "" && !below(imported, allowed...) {
			return "nothing else is below a module"
		}
		return ""
	}},
	{"the kernel imports only the kernel", func(s source, imported string) string {
		if below(s.dir, kernel) && !below(imported, kernel) {
			return "what badges are does not depend on how they are served or kept"
		}
		return ""
	}},
	{"migrations import only platform", func(s source, imported string) string {
		if below(s.dir, "migrations") && !below(imported, "migrations", "platform") && !(s.test() && below(imported, "test")) {
			return "the runner knows no module; modules provide their migrations to it"
		}
		return ""
	}},
	{"platform imports only platform", func(s source, imported string) string {
		// test/dbtest takes migrations, so whoever tests with it names them.
		if below(s.dir, "platform") && !below(imported, "platform") && !(s.test() && below(imported, "test", "migrations")) {
			return "arrows do not run upward"
		}
		return ""
	}},
	{"fault, principal, probe and diagnosis import nothing of ours", func(s source, imported string) string {
		if slices.Contains(leaves, s.dir) && !s.test() {
			return "they are leaves, so that everybody may import them"
		}
		return ""
	}},
	{"only app names a driver", func(s source, imported string) string {
		if below(imported, plugins...) && !below(s.dir, "app", "test") && !below(s.dir, plugins...) && !s.test() {
			return "it is " + drivers + ", which the address in the configuration chooses"
		}
		return ""
	}},
	{"tests of the house import only app/engine, migrations and platform", func(s source, imported string) string {
		// The probe shares nothing with the house: it knocks at any server's door.
		if below(s.dir, "test") && !below(imported, "app/engine", "app/command/scimprobe", "migrations", "platform", "test") {
			return "they see the house from outside, as its callers do"
		}
		return ""
	}},
}

// A home is where one library may be named, and nowhere else.
type home struct {
	rule      string
	libraries []string
	// files may name it, by file name, inside modules and platform.
	files []string
	// places may name it in any file.
	places []string
}

// homes are the libraries that have one. Test files are free, since a test may
// need any library to look at what it tests, but not those of the kernel.
var homes = []home{
	{"fx only in module.go and app", []string{"go.uber.org/fx"}, []string{"module.go"}, []string{"app", "test"}},
	{"dig and cobra only in app", []string{"go.uber.org/dig", "github.com/spf13/cobra"}, nil, []string{"app", "test"}},
	{"fiber only in handlers.go and pages.go", []string{"github.com/gofiber/fiber", "github.com/valyala/fasthttp"},
		[]string{"handlers.go", "pages.go"}, []string{"platform/httpserver", "platform/problem", "platform/page", "test"}},
	{"gorm only in store.go and model.go", []string{"gorm.io"},
		[]string{"store.go", "model.go"}, []string{"platform/database", "migrations", "test"}},
	{"goose only in migrations", []string{"github.com/pressly/goose"}, nil, []string{"migrations", "test"}},
	{"pgx only in its driver", []string{"github.com/jackc", "gorm.io/driver/postgres"}, nil, []string{"platform/database/postgres", "test"}},
	{"SQLite only in its driver", []string{"modernc.org", "gorm.io/driver/sqlite"}, nil, []string{"platform/database/sqlite", "test"}},
	{"go-redis only in its driver", []string{"github.com/redis"}, nil, []string{"platform/cache/redis", "test"}},
	{"go-oidc, oauth2 and go-jose only in modules/auth/entra", []string{"github.com/coreos/go-oidc", "golang.org/x/oauth2", "github.com/go-jose/go-jose"}, nil, []string{"modules/auth/entra", "test"}},
	{"OpenTelemetry only in platform/tracing", []string{"go.opentelemetry.io"}, nil, []string{"platform/tracing", "test"}},
	{"the environment is read only by platform/config", []string{"github.com/caarlos0/env", "github.com/joho/godotenv"}, nil, []string{"platform/config", "test"}},
}

func (h home) judge(s source, imported string) string {
	if !below(imported, h.libraries...) || below(s.dir, h.places...) || s.test() {
		return ""
	}
	if slices.Contains(h.files, s.name) && below(s.dir, "modules", "platform", "migrations") {
		return ""
	}
	return "allowed in " + strings.Join(slices.Concat(h.files, h.places), ", ")
}

// outward are the packages of the standard library by which the kernel would
// reach out of itself.
var outward = []string{"log", "net/http", "net/rpc", "net/smtp", "os", "database/sql", "plugin", "syscall"}

// lore are the libraries that know what badges are made of.
var lore = []string{
	"golang.org/x/crypto", "golang.org/x/text", "golang.org/x/image", "github.com/google/uuid",
	"github.com/santhosh-tekuri/jsonschema", "github.com/piprate/json-gold",
}

// foreignRules judge imports of libraries.
var foreignRules = append([]importRule{
	{"the kernel reaches for no network, file, log or framework", func(s source, imported string) string {
		if !below(s.dir, kernel) || s.test() {
			return ""
		}
		first, _, _ := strings.Cut(imported, "/")
		standard := !strings.Contains(first, ".")
		if standard && !below(imported, outward...) || !standard && below(imported, lore...) {
			return ""
		}
		return "it knows the standard library, cryptography and JSON-LD, and is handed the rest"
	}},
}, residents()...)

func residents() []importRule {
	var rules []importRule
	for _, h := range homes {
		rules = append(rules, importRule{h.rule, h.judge})
	}
	return rules
}

// A violation is a broken rule and the place.
type violation struct{ path, rule, detail string }

// String names the file first, so that editors find it.
func (v violation) String() string { return v.path + ": " + v.rule + ": " + v.detail }

// judgeImports applies every import rule to a file.
func judgeImports(s source) []violation {
	var found []violation
	apply := func(rules []importRule, imports []string) {
		for _, imported := range imports {
			for _, rule := range rules {
				if why := rule.judge(s, imported); why != "" {
					found = append(found, violation{s.path(), rule.name, "it imports " + imported + "; " + why})
				}
			}
		}
	}
	apply(ourRules, s.ours)
	apply(foreignRules, s.foreign)
	return found
}

const (
	ruleDoc       = "every package has a doc.go"
	ruleName      = "a package is a noun"
	ruleExplained = "exported names have a comment that begins with the name"
)

// vague are the names that say nothing about what a package holds.
var vague = []string{"util", "utils", "common", "base", "helper", "helpers", "manager", "managers"}

// judgePackage applies the rules about a package as a whole. docs are its files
// that have a package comment.
func judgePackage(dir, name string, docs []string) []violation {
	var found []violation
	if slices.Contains(vague, name) || slices.Contains(vague, path.Base(dir)) {
		found = append(found, violation{dir, ruleName, "call it by what it holds, not " + name})
	}
	switch {
	case slices.Contains(docs, "doc.go"):
	case name == "main" && slices.Contains(docs, "main.go"):
	default:
		found = append(found, violation{dir, ruleDoc, "say there what it owns and what it leaves to others"})
	}
	return found
}

// judgeComments applies the rule about exported names to a parsed file. Methods
// of unexported types are left out; a group of constants or variables may be
// explained by one comment above it.
func judgeComments(file string, tree *ast.File, positions *token.FileSet) []violation {
	var found []violation
	require := func(name *ast.Ident, grouped bool, comments ...*ast.CommentGroup) {
		if !name.IsExported() {
			return
		}
		for _, comment := range comments {
			text := comment.Text()
			if text != "" && (grouped || strings.HasPrefix(text, name.Name+" ") || strings.HasPrefix(text, name.Name+"\n")) {
				return
			}
		}
		place := file + ":" + strconv.Itoa(positions.Position(name.Pos()).Line)
		found = append(found, violation{place, ruleExplained, name.Name + " lacks one"})
	}
	for _, declaration := range tree.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil || ast.IsExported(receiver(d.Recv.List[0].Type)) {
				require(d.Name, false, d.Doc)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					require(s.Name, false, s.Doc, d.Doc)
				case *ast.ValueSpec:
					for _, name := range s.Names {
						require(name, d.Lparen.IsValid(), s.Doc, s.Comment, d.Doc)
					}
				}
			}
		}
	}
	return found
}

func receiver(e ast.Expr) string {
	switch t := e.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.IndexListExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}
