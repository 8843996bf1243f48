package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/test/servers"
)

// engines makes every engine ready for the tests.
func (h *house) engines(ctx context.Context) error {
	postgres, redis := os.Getenv("TEST_DATABASE_URL") == "", os.Getenv("TEST_REDIS_URL") == ""
	if missing := h.missing(postgres, redis); len(missing) > 0 {
		if err := install(ctx, missing); err != nil {
			fmt.Printf("notice: %s could not be installed: %v\n", strings.Join(missing, ", "), err)
		}
	}
	if h.ci {
		if extras := h.extras(); len(extras) > 0 {
			if err := install(ctx, extras); err != nil { // tests that want them say so
				fmt.Printf("notice: %s could not be installed: %v\n", strings.Join(extras, ", "), err)
			}
		}
	}
	return errors.Join(
		h.engine(ctx, postgres, "PostgreSQL", "TEST_DATABASE_URL", h.startPostgres),
		h.engine(ctx, redis, "Redis", "TEST_REDIS_URL", h.startRedis),
	)
}

// missing names the Debian packages of the engines that are needed and not here.
func (h *house) missing(postgres, redis bool) (packages []string) {
	if postgres && servers.FindPostgres() == "" {
		packages = append(packages, "postgresql")
	}
	if redis && servers.FindRedis() == "" {
		packages = append(packages, "redis-server")
	}
	return packages
}

// extras names the packages of the foreign checkers that some tests call.
func (h *house) extras() (packages []string) {
	for program, name := range map[string]string{"pngcheck": "pngcheck", "xmllint": "libxml2-utils", "chromium": "chromium", "nginx": "nginx", "softhsm2-util": "softhsm2"} {
		if _, err := exec.LookPath(program); err != nil {
			packages = append(packages, name)
		}
	}
	if exec.Command("python3", "-c", "import ensurepip").Run() != nil { // a tester of SCIM runs in an environment of its own
		packages = append(packages, "python3-venv")
	}
	slices.Sort(packages)
	return packages
}

// engine starts one engine, unless the user has named a running one.
func (h *house) engine(ctx context.Context, wanted bool, name, variable string, start func(context.Context) (string, error)) error {
	if !wanted {
		fmt.Printf("%s: as %s says\n", name, variable)
		return nil
	}
	address, err := start(ctx)
	if err == nil {
		fmt.Printf("%s: %s\n", name, address)
		h.env = append(h.env, variable+"="+address)
		return nil
	}
	if h.ci || ctx.Err() != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	fmt.Printf("notice: %s is left out: %v. Install it, or name a running one in %s.\n", name, err, variable)
	return nil
}

// startPostgres starts a server that forgets everything: on a temporary folder,
// without waiting for the disk, reachable from this machine alone.
func (h *house) startPostgres(ctx context.Context) (address string, err error) {
	programs := servers.FindPostgres()
	if programs == "" {
		return "", fmt.Errorf("no server of version %d or newer is here", servers.OldestPostgres)
	}
	user, err := servers.Unprivileged()
	if err != nil {
		return "", err
	}
	folder, err := user.Folder()
	if err != nil {
		return "", err
	}
	h.stops = append(h.stops, func() { _ = os.RemoveAll(folder) })
	data := filepath.Join(folder, "data")
	call := func(ctx context.Context, program string, args ...string) error {
		// The server inherits what pg_ctl writes to, so that must be a file: a
		// pipe would stay open until the server ends.
		output, err := os.OpenFile(filepath.Join(folder, "output"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
		if err != nil {
			return err
		}
		defer output.Close()
		cmd := exec.CommandContext(ctx, filepath.Join(programs, program), args...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = folder, output, output
		user.Run(cmd)
		if err := cmd.Run(); err != nil {
			_, _ = output.Seek(0, io.SeekStart)
			said, _ := io.ReadAll(output)
			return fmt.Errorf("%s: %w\n%s", program, err, said)
		}
		return nil
	}
	if err := call(ctx, "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"); err != nil {
		return "", err
	}
	port, err := servers.FreePort()
	if err != nil {
		return "", err
	}
	options := fmt.Sprintf("-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=300 "+
		"-c fsync=off -c synchronous_commit=off -c full_page_writes=off", port)
	h.stops = append(h.stops, func() {
		_ = call(context.Background(), "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
	})
	if err := call(ctx, "pg_ctl", "-D", data, "-l", filepath.Join(folder, "log"), "-o", options, "-w", "start"); err != nil {
		said, _ := os.ReadFile(filepath.Join(folder, "log"))
		return "", fmt.Errorf("%w%s", err, said)
	}
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port), nil
}

// startRedis starts a server that stores nothing and wants a password, as it does where
// the program runs for real.
func (h *house) startRedis(ctx context.Context) (address string, err error) {
	program := servers.FindRedis()
	if program == "" {
		return "", errors.New("no redis-server is here")
	}
	folder, err := os.MkdirTemp("", "badge-engine-redis-")
	if err != nil {
		return "", err
	}
	h.stops = append(h.stops, func() { _ = os.RemoveAll(folder) })
	port, err := servers.FreePort()
	if err != nil {
		return "", err
	}
	output, err := os.Create(filepath.Join(folder, "output"))
	if err != nil {
		return "", err
	}
	defer output.Close()
	password := rand.Text()
	cmd := exec.Command(program, "--requirepass", password, "--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--save", "", "--appendonly", "no", "--dir", folder)
	cmd.Stdout, cmd.Stderr = output, output
	servers.Apart(cmd)
	if err := cmd.Start(); err != nil {
		return "", err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	h.stops = append(h.stops, func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	local := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for deadline := time.Now().Add(20 * time.Second); !answers(local, password); {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ended:
			deadline = time.Time{}
		case <-ctx.Done():
			return "", ctx.Err()
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(output.Name())
			return "", fmt.Errorf("%s does not answer\n%s", filepath.Base(program), said)
		}
	}
	return "redis://:" + password + "@" + local + "/0", nil
}

// answers reports whether a Redis takes the password.
func answers(address, password string) bool {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	_, _ = io.WriteString(conn, "AUTH "+password+"\r\n")
	said, _ := bufio.NewReader(conn).ReadString('\n')
	return strings.HasPrefix(said, "+OK")
}

// debian installs packages given as arguments and keeps the services that come
// with them from starting.
const debian = `set -e
if [ ! -e /usr/sbin/policy-rc.d ]; then
	trap 'rm -f /usr/sbin/policy-rc.d' EXIT
	printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
	chmod +x /usr/sbin/policy-rc.d
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "$@"`

// homebrew says under which names Homebrew has the Debian packages.
var homebrew = map[string]string{"postgresql": "postgresql@16", "redis-server": "redis", "libxml2-utils": "libxml2"}

// install gets packages, known by their Debian names, from the system's own manager.
func install(ctx context.Context, packages []string) error {
	var cmd *exec.Cmd
	_, apt := exec.LookPath("apt-get")
	_, brew := exec.LookPath("brew")
	switch {
	case apt == nil:
		args := append([]string{"sh", "-c", debian, "install"}, packages...)
		if os.Geteuid() != 0 {
			if err := exec.CommandContext(ctx, "sudo", "-n", "true").Run(); err != nil {
				return fmt.Errorf("sudo asks for a password; run: sudo apt-get install %s", strings.Join(packages, " "))
			}
			args = append([]string{"sudo", "-n"}, args...)
		}
		cmd = exec.CommandContext(ctx, args[0], args[1:]...)
	case brew == nil:
		args := []string{"install"}
		for _, name := range packages {
			args = append(args, cmp.Or(homebrew[name], name))
		}
		cmd = exec.CommandContext(ctx, "brew", args...)
	default:
		return fmt.Errorf("no apt-get and no brew on this %s", runtime.GOOS)
	}
	fmt.Printf("installing %s\n", strings.Join(packages, ", "))
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, said)
	}
	return nil
}
