package servers

import (
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// OldestPostgres is the oldest version that the schema is written for.
const OldestPostgres = 14

// FindPostgres finds the folder of the newest PostgreSQL's programs that will do.
func FindPostgres() string {
	candidates := []string{}
	if program, err := exec.LookPath("pg_ctl"); err == nil {
		if real, err := filepath.EvalSymlinks(program); err == nil {
			candidates = append(candidates, filepath.Dir(real))
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin",
		"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin", "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
		`C:\Program Files\PostgreSQL\*\bin`,
	} {
		found, _ := filepath.Glob(pattern)
		candidates = append(candidates, found...)
	}
	best, newest := "", OldestPostgres-1
	for _, folder := range candidates {
		if version := postgresVersion(folder); version > newest {
			best, newest = folder, version
		}
	}
	return best
}

var major = regexp.MustCompile(`\d+`)

// postgresVersion is the major version of the programs in a folder, or 0 if
// one of those we need is not there.
func postgresVersion(folder string) int {
	for _, program := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(folder, program)); err != nil {
			return 0
		}
	}
	out, err := exec.Command(filepath.Join(folder, "pg_ctl"), "--version").Output()
	if err != nil {
		return 0
	}
	version, _ := strconv.Atoi(major.FindString(string(out)))
	return version
}

// FindRedis finds the program of Redis, or of Valkey.
func FindRedis() string {
	for _, name := range []string{"redis-server", "valkey-server"} {
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	return ""
}

// FreePort is a port on which nobody listens at present.
func FreePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
