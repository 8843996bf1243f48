package deploy_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// largest is what the image may weigh as registries count it, compressed.
const largest = 40_000_000

var (
	compiles = regexp.MustCompile(`go build (.+) -ldflags="([^"]+)" -o /rootfs/badge-engine (\./app)\n`)
	compiler = regexp.MustCompile(`ARG GO_IMAGE=golang:(\d+\.\d+)\.\d+-[a-z]+(@sha256:[0-9a-f]{64})?\n`)
	language = regexp.MustCompile(`(?m)^go (\d+\.\d+)`)
)

// TestTheImageIsSmallStaticAndReproducible does by hand what the Dockerfile says, since
// there may be no container engine: it compiles what .dockerignore lets through, twice
// and in different places, and weighs what the last stage copies.
func TestTheImageIsSmallStaticAndReproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the program")
	}
	text := read(t, "../../Dockerfile")
	for _, want := range []string{"CGO_ENABLED=0", "\nFROM scratch\nCOPY --from=build /rootfs/ /\n", "\nUSER 65532:65532\n", `CMD ["/badge-engine", "healthcheck"]`, "chown 65532:65532 /rootfs/data", "ca-certificates.crt"} {
		if !strings.Contains(text, want) {
			t.Errorf("the Dockerfile lacks %q", want)
		}
	}
	version, wanted := compiler.FindStringSubmatch(text), language.FindStringSubmatch(read(t, "../../go.mod"))
	if version == nil || wanted == nil || version[1] != wanted[1] {
		t.Errorf("the compiler %q is not that of go.mod %q by its exact version", version, wanted)
	}
	how := compiles.FindStringSubmatch(text)
	if how == nil {
		t.Fatal("the Dockerfile does not compile ./app")
	}
	var sums [2][sha256.Size]byte
	var program string
	for i := range sums {
		context := t.TempDir()
		whatTheBuilderSees(t, context)
		program = filepath.Join(t.TempDir(), "badge-engine")
		args := append([]string{"build", "-ldflags=" + how[2]}, strings.Fields(how[1])...)
		build := exec.Command("go", append(args, "-o", program, how[3])...)
		build.Dir = context
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		data, err := os.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = sha256.Sum256(data)
	}
	if sums[0] != sums[1] {
		t.Error("the same source compiled elsewhere makes another program")
	}
	if file, err := elf.Open(program); err == nil { // elsewhere than on Linux it is none
		defer file.Close()
		for _, section := range []string{".interp", ".dynamic", ".symtab", ".debug_info"} {
			if file.Section(section) != nil {
				t.Errorf("the program has a section %s: it is not static, or not stripped", section)
			}
		}
	}
	t.Run("it runs where there is nothing else", func(t *testing.T) { aloneInTheWorld(t, program) })
	authorities := "/etc/ssl/certs/ca-certificates.crt"
	if _, err := os.Stat(authorities); err != nil {
		authorities = program // much more than they weigh
	}
	whole, packed := weigh(t, program, authorities)
	t.Logf("the image weighs %.1f MB, and %.1f MB as registries count it", float64(whole)/1e6, float64(packed)/1e6)
	if packed >= largest {
		t.Errorf("the image weighs %d bytes as registries count it; at most %d will do", packed, largest)
	}
}

// whatTheBuilderSees copies the files under version control, and those that are new, to a
// folder, but for those that .dockerignore names.
func whatTheBuilderSees(t *testing.T, folder string) {
	t.Helper()
	list := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
	list.Dir = "../.."
	out, err := list.Output()
	if err != nil {
		t.Skip("git does not say which files there are")
	}
	var rules []string
	for line := range strings.Lines(read(t, "../../.dockerignore")) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			rules = append(rules, line)
		}
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		if ignored(name, rules) {
			continue
		}
		from := filepath.Join("../..", filepath.FromSlash(name))
		data, err := os.ReadFile(from)
		if os.IsNotExist(err) {
			continue // it was just removed
		}
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// ignored applies the rules of a .dockerignore that has no exceptions.
func ignored(name string, rules []string) bool {
	parts := strings.Split(name, "/")
	for _, rule := range rules {
		rule = strings.TrimPrefix(rule, "/")
		anywhere, deep := strings.CutPrefix(rule, "**/")
		for i := range parts {
			if deep {
				if ok, _ := filepath.Match(anywhere, parts[i]); ok {
					return true
				}
			} else if ok, _ := filepath.Match(rule, strings.Join(parts[:i+1], "/")); ok {
				return true
			}
		}
	}
	return false
}

// weigh packs files as the layer of an image is.
func weigh(t *testing.T, files ...string) (whole, packed int64) {
	t.Helper()
	var layer bytes.Buffer
	zip, err := gzip.NewWriterLevel(&layer, gzip.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewWriter(zip)
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		info, err := file.Stat()
		if err != nil {
			t.Fatal(err)
		}
		if err := archive.WriteHeader(&tar.Header{Name: filepath.Base(name), Size: info.Size(), Mode: 0o755}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(archive, file); err != nil {
			t.Fatal(err)
		}
		_ = file.Close()
		whole += info.Size()
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return whole, int64(layer.Len())
}
