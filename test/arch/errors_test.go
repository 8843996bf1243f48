package arch_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// docs/TROUBLESHOOTING.md has a section for each code that a caller can be answered with.
// The headings and the lines below them are this program's own words; what to do
// about it is written by hand, and must be.
var update = flag.Bool("update", false, "rewrite what docs/TROUBLESHOOTING.md has from the program")

// unwritten stands where a remedy is still to be written.
const unwritten = "(What to do about it is still to be written.)"

var statusOf = map[string]int{
	"Malformed": 400, "Unauthenticated": 401, "Forbidden": 403, "NotFound": 404, "Conflict": 409, "Gone": 410, "Precondition": 412,
	"TooLarge": 413, "Unsupported": 415, "Invalid": 422, "TooMany": 429, "Internal": 500, "Unavailable": 503,
}

var statusName = map[string]int{
	"StatusBadRequest": 400, "StatusNotFound": 404, "StatusMethodNotAllowed": 405, "StatusRequestTimeout": 408, "StatusRequestEntityTooLarge": 413,
	"StatusUnsupportedMediaType": 415, "StatusRequestHeaderFieldsTooLarge": 431, "StatusNotImplemented": 501, "StatusServiceUnavailable": 503,
}

var codeForm = regexp.MustCompile(`^[a-z0-9]+\.[a-z0-9_.]+$`)

// declared finds every code in the program and the line that goes with it.
func declared(t *testing.T, root string) map[string]string {
	t.Helper()
	lines := map[string]string{}
	add := func(position token.Position, status int, code, message string) {
		line := fmt.Sprintf("`%d` %s", status, message)
		switch other, known := lines[code]; {
		case status == 0 || !codeForm.MatchString(code) || message == "":
			t.Errorf("%s: the code %q with status %d cannot be in a list", position, code, status)
		case known && other != line:
			t.Errorf("%s: the code %s is declared twice: as %s and as %s", position, code, other, line)
		}
		lines[code] = line
	}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && path != root || path == filepath.Join(root, "test")) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		positions := token.NewFileSet()
		tree, err := parser.ParseFile(positions, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr: // fault.New(fault.Kind, "code", "message")
				if f, ok := n.Fun.(*ast.SelectorExpr); ok && len(n.Args) == 3 && f.Sel.Name == "New" && named(f.X) == "fault" {
					kind, _ := n.Args[0].(*ast.SelectorExpr)
					if kind == nil {
						t.Errorf("%s: a fault must be declared with its kind", positions.Position(n.Pos()))
						return true
					}
					add(positions.Position(n.Pos()), statusOf[kind.Sel.Name], literal(n.Args[1]), literal(n.Args[2]))
				}
			case *ast.KeyValueExpr: // http.StatusX: {"code", "message"}, what fiber refuses by itself
				status, ok := n.Key.(*ast.SelectorExpr)
				value, composite := n.Value.(*ast.CompositeLit)
				if ok && composite && len(value.Elts) == 2 && named(status.X) == "http" && codeForm.MatchString(literal(value.Elts[0])) {
					add(positions.Position(n.Pos()), statusName[status.Sel.Name], literal(value.Elts[0]), literal(value.Elts[1]))
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func named(e ast.Expr) string {
	if id, ok := e.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

func literal(e ast.Expr) string {
	if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
		if s, err := strconv.Unquote(l.Value); err == nil {
			return s
		}
	}
	return ""
}

// The codes stand in one section of the page, between these headings.
const sectionBegins, sectionEnds = "\n## Common Error Messages\n", "\n## Getting Help\n"

// documented takes the page apart: what stands before the first code, what stands
// after the last, and the line and the remedy of each.
func documented(t *testing.T, text string) (before, after string, lines, remedies map[string]string) {
	t.Helper()
	begin, end := strings.Index(text, sectionBegins), strings.Index(text, sectionEnds)
	if begin < 0 || end < begin {
		t.Fatal("docs/TROUBLESHOOTING.md lacks a section for the codes")
	}
	parts := strings.Split(text[begin:end], "\n### ")
	lines, remedies = map[string]string{}, map[string]string{}
	for _, part := range parts[1:] {
		code, rest, _ := strings.Cut(part, "\n")
		line, remedy, _ := strings.Cut(strings.TrimSpace(rest), "\n")
		lines[code], remedies[code] = line, strings.TrimSpace(remedy)
	}
	return text[:begin] + strings.TrimRight(parts[0], "\n"), text[end:], lines, remedies
}

func TestEveryRefusalHasItsSectionOfTheDocumentation(t *testing.T) {
	root := root(t)
	visit(t, root)
	path := filepath.Join(root, "docs", "TROUBLESHOOTING.md")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := declared(t, root)
	before, after, lines, remedies := documented(t, string(data))

	var b strings.Builder
	b.WriteString(before + "\n")
	for _, code := range slices.Sorted(maps.Keys(want)) {
		remedy := remedies[code]
		if remedy == "" {
			remedy = unwritten
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n%s\n", code, want[code], remedy)
		if !*update {
			switch {
			case lines[code] == "":
				t.Errorf("%s has no section in docs/TROUBLESHOOTING.md", code)
			case lines[code] != want[code]:
				t.Errorf("%s is %s in the program, %s in docs/TROUBLESHOOTING.md", code, want[code], lines[code])
			case remedy == unwritten:
				t.Errorf("docs/TROUBLESHOOTING.md does not say what to do about %s", code)
			}
		}
	}
	b.WriteString(after)
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for code := range lines {
		if want[code] == "" {
			t.Errorf("docs/TROUBLESHOOTING.md has %s, which the program does not know", code)
		}
	}
	if !t.Failed() && b.String() != string(data) {
		t.Error("docs/TROUBLESHOOTING.md is not in order; run go test ./test/arch -run Refusal -update")
	}
}

// checkName is how the parts name the checks of the doctor.
var checkName = regexp.MustCompile(`"((?:database|migrations|entra|token|keys|scim|baking|public|tls|config|log|cache|machine|tracing)\.[a-z_]+)"`)

func TestEveryCheckOfTheDoctorIsInTheGuide(t *testing.T) {
	root := root(t)
	data, err := os.ReadFile(filepath.Join(root, "docs", "TROUBLESHOOTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	guide, _, _ := strings.Cut(string(data), sectionBegins)
	found := 0
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		base := filepath.Base(path)
		if err != nil || !strings.HasSuffix(base, ".go") || base != "examine.go" && base != "machine.go" && base != "inspect.go" && base != "diagnosis.go" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, match := range checkName.FindAllStringSubmatch(string(text), -1) {
			found++
			if !strings.Contains(guide, "`"+match[1]+"`") {
				t.Errorf("%s: the guide does not mention %s", path, match[1])
			}
		}
		return nil
	})
	if err != nil || found < 50 {
		t.Errorf("%d checks, %v", found, err)
	}
	for _, section := range []string{"Database", "Authentication", "SCIM Provisioning", "Badge Baking", "Docker", "Performance", "Common Error Messages", "Getting Help"} {
		if !strings.Contains(string(data), "\n## "+section+"\n") {
			t.Errorf("the guide has no section %s", section)
		}
	}
}
