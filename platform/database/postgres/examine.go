package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/diagnosis"
)

// oldest is the oldest version that the schema is written for.
const oldest = 14

// Explain implements [database.Driver].
func (Driver) Explain(cfg database.Config, err error) (found, remedy string) {
	host, port, user, name := "", uint16(0), "", ""
	if config, bad := parse(cfg); bad == nil {
		host, port, user, name = config.Host, config.Port, config.User, config.Database
	}
	var said *pgconn.PgError
	if errors.As(err, &said) {
		found = fmt.Sprintf("The server refuses: %s (SQLSTATE %s).", said.Message, said.Code)
		switch said.Code {
		case "28P01":
			return found, fmt.Sprintf("Correct the password in DATABASE_URL, or set it on the server: ALTER USER %s PASSWORD '…'.", user)
		case "28000":
			return found, fmt.Sprintf("Create the user (CREATE USER %s PASSWORD '…'), or let it in from here in pg_hba.conf and reload.", user)
		case "3D000":
			return found, fmt.Sprintf("Create the database: CREATE DATABASE %s OWNER %s.", name, user)
		case "53300":
			return found, "Raise max_connections on the server, or lower DB_POOL_SIZE and DB_MAX_OVERFLOW: all replicas together must fit."
		case "57P03":
			return found, "Wait: the server is starting or recovering. DB_WAIT is how long a start waits for it."
		case "42501":
			return found, fmt.Sprintf("Grant the rights: GRANT ALL ON DATABASE %s TO %s; GRANT ALL ON SCHEMA public TO %s.", name, user, user)
		}
		return found, "Look the SQLSTATE up in Appendix A of the PostgreSQL manual, and into the log of the server."
	}
	var dns *net.DNSError
	var timeout net.Error
	text := err.Error()
	switch {
	case errors.As(err, &dns):
		return fmt.Sprintf("The name %s does not resolve.", host), "Correct the host in DATABASE_URL; in Docker it is the name of the service."
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("Nothing listens at %s port %d.", host, port), fmt.Sprintf("Start PostgreSQL, or correct host and port in DATABASE_URL. Check: pg_isready -h %s -p %d.", host, port)
	case strings.Contains(text, "refused TLS"):
		return "The server does not speak TLS, which DATABASE_URL asks for.", "Switch TLS on at the server (ssl = on), or on a trusted network add ?sslmode=disable to DATABASE_URL."
	case strings.Contains(text, "x509") || strings.Contains(text, "tls:"):
		return "The certificate of the server is not accepted.", "Put sslrootcert=FILE with the authority of the server into DATABASE_URL, and use the host name that the certificate has."
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("%s port %d does not answer in time.", host, port), "Check firewall, routes and address in DATABASE_URL; if the server runs, look whether it hangs: pg_stat_activity."
	}
	return "No connection.", fmt.Sprintf("Check: pg_isready -h %s -p %d, and the log of the server.", host, port)
}

// Examine implements [database.Driver].
func (Driver) Examine(ctx context.Context, cfg database.Config, pool *sql.DB, n *diagnosis.Notes) {
	examineVersion(ctx, pool, n)
	examineClock(ctx, pool, n)
	examineConnections(ctx, cfg, pool, n)
	examineIndexes(ctx, pool, n)
	examineStatements(ctx, pool, n)
}

// unreadable notes a question that the server did not answer.
func unreadable(n *diagnosis.Notes, check, looked string, err error) {
	n.Skip(check, looked, "It cannot be asked: %s", Driver{}.Translate(err))
}

func examineVersion(ctx context.Context, pool *sql.DB, n *diagnosis.Notes) {
	const looked = "the version of the server"
	var number int
	var text string
	if err := pool.QueryRowContext(ctx, "SELECT current_setting('server_version_num')::int, version()").Scan(&number, &text); err != nil {
		unreadable(n, "database.version", looked, err)
		return
	}
	text, _, _ = strings.Cut(text, " on ")
	if number/10_000 < oldest {
		n.Fail("database.version", looked, text+".", fmt.Sprintf("Upgrade it to PostgreSQL %d or newer.", oldest))
		return
	}
	n.OK("database.version", looked, "%s.", text)
}

// maxSkew is how far two clocks may differ before times in answers confuse people.
const maxSkew = 5 * time.Second

func examineClock(ctx context.Context, pool *sql.DB, n *diagnosis.Notes) {
	const looked = "the clocks of this machine and of the database"
	var there time.Time
	begun := time.Now()
	if err := pool.QueryRowContext(ctx, "SELECT clock_timestamp()").Scan(&there); err != nil {
		unreadable(n, "database.clock", looked, err)
		return
	}
	skew := there.Sub(begun.Add(time.Since(begun) / 2)).Round(time.Millisecond)
	if skew.Abs() > maxSkew {
		n.Warn("database.clock", looked, fmt.Sprintf("They differ by %s.", skew), "Synchronise both machines: timedatectl set-ntp true, or chronyc makestep.")
		return
	}
	n.OK("database.clock", looked, "They differ by %s.", skew)
}

func examineConnections(ctx context.Context, cfg database.Config, pool *sql.DB, n *diagnosis.Notes) {
	const looked = "how many connections the server allows"
	var allowed, used int
	err := pool.QueryRowContext(ctx, "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int, (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')").Scan(&allowed, &used)
	if err != nil {
		unreadable(n, "database.connections", looked, err)
		return
	}
	most := cfg.PoolSize + cfg.MaxOverflow
	text := fmt.Sprintf("%d allowed, %d in use; one replica takes up to %d.", allowed, used, most)
	if most > allowed || used >= allowed*9/10 {
		n.Warn("database.connections", looked, text, "Raise max_connections, lower DB_POOL_SIZE and DB_MAX_OVERFLOW, or put a pooler such as PgBouncer in between.")
		return
	}
	n.OK("database.connections", looked, "%s", text)
}

func examineIndexes(ctx context.Context, pool *sql.DB, n *diagnosis.Notes) {
	const looked = "indexes that are there and cannot be used"
	var broken sql.NullString
	if err := pool.QueryRowContext(ctx, "SELECT string_agg(indexrelid::regclass::text, ', ') FROM pg_index WHERE NOT indisvalid").Scan(&broken); err != nil {
		unreadable(n, "database.index_valid", looked, err)
		return
	}
	if broken.String != "" {
		n.Warn("database.index_valid", looked, "Invalid: "+broken.String+".", "Build them anew: REINDEX INDEX CONCURRENTLY "+strings.Split(broken.String, ", ")[0]+".")
		return
	}
	n.OK("database.index_valid", looked, "None.")
}

func examineStatements(ctx context.Context, pool *sql.DB, n *diagnosis.Notes) {
	const looked = "the ten statements that take most time (pg_stat_statements)"
	rows, err := pool.QueryContext(ctx, "SELECT left(regexp_replace(query, '\\s+', ' ', 'g'), 120), calls, round(total_exec_time::numeric), round(mean_exec_time::numeric, 1) FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY total_exec_time DESC LIMIT 10")
	if err != nil {
		n.Skip("database.statements", looked, "Not available. To see them put shared_preload_libraries = 'pg_stat_statements' into postgresql.conf, restart, and run CREATE EXTENSION pg_stat_statements.")
		return
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var statement, total, mean string
		var calls int64
		if err := rows.Scan(&statement, &calls, &total, &mean); err != nil {
			unreadable(n, "database.statements", looked, err)
			return
		}
		lines = append(lines, fmt.Sprintf("%s ms in %d calls of %s ms: %s", total, calls, mean, statement))
	}
	if err := rows.Err(); err != nil {
		unreadable(n, "database.statements", looked, err)
		return
	}
	n.OK("database.statements", looked, "%s", strings.Join(lines, "\n"))
}
