package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // as database/sql knows PostgreSQL
)

// startPostgres starts a server of our own, which waits for its disk as one that is meant to keep things.
func (l *lab) startPostgres(ctx context.Context) (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if program, err := exec.LookPath("initdb"); err == nil {
		found = append(found, program)
	}
	if len(found) == 0 {
		return "", errors.New("PostgreSQL is not installed; install it, or name a server in LOAD_POSTGRES_URL")
	}
	slices.Sort(found)
	programs := filepath.Dir(found[len(found)-1])
	folder, err := os.MkdirTemp("/tmp", "badge-engine-load-postgres-")
	if err != nil {
		return "", err
	}
	l.stops = append(l.stops, func() { _ = os.RemoveAll(folder) })
	data, log := filepath.Join(folder, "data"), filepath.Join(folder, "log")
	call := func(ctx context.Context, program string, args ...string) error {
		cmd := exec.CommandContext(ctx, filepath.Join(programs, program), args...)
		cmd.Dir = folder
		if err := unprivileged(cmd, folder); err != nil {
			return err
		}
		output, err := os.CreateTemp(folder, "output-") // the server inherits it, so that a pipe would stay open
		if err != nil {
			return err
		}
		defer output.Close()
		cmd.Stdout, cmd.Stderr = output, output
		if err := cmd.Run(); err != nil {
			said, _ := os.ReadFile(output.Name())
			return fmt.Errorf("%s: %w\n%s", program, err, said)
		}
		return nil
	}
	if err := call(ctx, "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"); err != nil {
		return "", err
	}
	port, err := freePort()
	if err != nil {
		return "", err
	}
	l.stops = append(l.stops, func() { _ = call(context.Background(), "pg_ctl", "-D", data, "-m", "fast", "-w", "stop") })
	options := fmt.Sprintf("-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200 -c shared_buffers=256MB -c max_wal_size=4GB", port)
	if err := call(ctx, "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start"); err != nil {
		said, _ := os.ReadFile(log)
		return "", fmt.Errorf("%w%s", err, said)
	}
	if held, err := os.ReadFile(filepath.Join(data, "postmaster.pid")); err == nil {
		l.postmaster, _, _ = strings.Cut(string(held), "\n")
	}
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port), nil
}

// createDatabase makes an empty database on a server and answers its address.
func createDatabase(ctx context.Context, server, name string) (string, error) {
	db, err := sql.Open("pgx", server)
	if err != nil {
		return "", err
	}
	defer db.Close()
	name = "load_" + strings.ReplaceAll(name, "-", "_")
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + name, "CREATE DATABASE " + name} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return "", err
		}
	}
	address, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	address.Path = "/" + name
	return address.String(), nil
}
