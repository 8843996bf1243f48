package arch_test

import (
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const ownPath = "github.com/badge-engine/badge-engine"

// pkg is what `go list` says of a package. Files that other systems or build
// tags use count too.
type pkg struct {
	Dir, ImportPath, Name string

	GoFiles, CgoFiles, IgnoredGoFiles, TestGoFiles, XTestGoFiles []string
}

// list asks for every package of the program at root. It tolerates packages
// that do not build: that is for the compiler to report.
func list(t *testing.T, root string) []pkg {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=Dir,ImportPath,Name,GoFiles,CgoFiles,IgnoredGoFiles,TestGoFiles,XTestGoFiles", "./...")
	command.Dir = root
	out, err := command.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v: %s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var packages []pkg
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		packages = append(packages, p)
	}
}

// inspect applies every rule to the program at root.
func inspect(t *testing.T, root string) []violation {
	t.Helper()
	var found []violation
	for _, p := range list(t, root) {
		dir := strings.Trim(strings.TrimPrefix(p.ImportPath, ownPath), "/")
		code := slices.Concat(p.GoFiles, p.CgoFiles, p.IgnoredGoFiles)
		var docs []string
		for _, name := range slices.Concat(code, p.TestGoFiles, p.XTestGoFiles) {
			positions := token.NewFileSet()
			tree, err := parser.ParseFile(positions, filepath.Join(p.Dir, name), nil, parser.ImportsOnly|parser.ParseComments)
			if err != nil {
				t.Errorf("%s: %v", filepath.Join(dir, name), err)
				continue
			}
			s := source{dir: dir, name: name}
			for _, spec := range tree.Imports {
				imported, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Errorf("%s: %v", s.path(), err)
				}
				if own, ours := strings.CutPrefix(imported, ownPath+"/"); ours {
					s.ours = append(s.ours, own)
				} else {
					s.foreign = append(s.foreign, imported)
				}
			}
			found = append(found, judgeImports(s)...)
			if tree.Doc.Text() != "" {
				docs = append(docs, name)
			}
			if s.test() {
				continue
			}
			if tree, err = parser.ParseFile(positions, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution); err != nil {
				t.Errorf("%s: %v", s.path(), err)
				continue
			}
			found = append(found, judgeComments(s.path(), tree, positions)...)
		}
		found = append(found, judgePackage(dir, p.Name, docs)...)
	}
	return found
}

// root is the folder of go.mod.
func root(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		t.Fatalf("go list -m: %v", err)
	}
	dir := strings.TrimSpace(string(out))
	if dir == "" {
		t.Fatal("go list -m names no folder")
	}
	return dir
}

// visit opens every folder below root. Results of tests are cached by what they
// open, and a new file must not go unseen because `go list` alone looked.
func visit(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && path != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if errors.Is(err, fs.ErrNotExist) { // another test's, and gone again
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheHouseIsBuiltToItsPlan(t *testing.T) {
	root := root(t)
	visit(t, root)
	for _, v := range inspect(t, root) {
		t.Error(v)
	}
}
