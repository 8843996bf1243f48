package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/database/postgres"
	"github.com/badge-engine/badge-engine/test/dbtest"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
)

func open(t *testing.T) *database.DB {
	t.Helper()
	for _, engine := range dbtest.Engines(t) {
		if engine.Name == "postgres" {
			return dbtest.Open(t, engine.URL)
		}
	}
	t.Skip("no PostgreSQL")
	return nil
}

func TestTranslate(t *testing.T) {
	state := func(code string) error {
		return fmt.Errorf("query: %w", &pgconn.PgError{Code: code, Message: "duplicate key", ConstraintName: "users_email"})
	}
	for _, tt := range []struct {
		name string
		in   error
		want error
	}{
		{"a duplicate", state("23505"), gorm.ErrDuplicatedKey},
		{"a missing neighbour", state("23503"), gorm.ErrForeignKeyViolated},
		{"a refused row", state("23514"), gorm.ErrCheckConstraintViolated},
		{"a broken connection", state("08006"), database.ErrUnavailable},
		{"a server that shuts down", state("57P01"), database.ErrUnavailable},
		{"a server that starts up", state("57P03"), database.ErrUnavailable},
		{"too many connections", state("53300"), database.ErrUnavailable},
		{"a failed serialization", state("40001"), database.ErrUnavailable},
		{"a deadlock", state("40P01"), database.ErrUnavailable},
		{"a standby", state("25006"), database.ErrUnavailable},
		{"an answer that ends in the middle", io.ErrUnexpectedEOF, database.ErrUnavailable},
		{"a refused connection", &net.OpError{Op: "dial", Err: errors.New("connection refused")}, database.ErrUnavailable},
		{"a passed deadline", context.DeadlineExceeded, database.ErrUnavailable},
		{"a cancelled request", context.Canceled, context.Canceled},
		{"anything else", gorm.ErrRecordNotFound, gorm.ErrRecordNotFound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			once := postgres.Driver{}.Translate(tt.in)
			if !errors.Is(once, tt.want) {
				t.Errorf("got %v, want %v", once, tt.want)
			}
			if twice := (postgres.Driver{}).Translate(once); twice.Error() != once.Error() {
				t.Errorf("a second translation makes of %v: %v", once, twice)
			}
		})
	}
}

func TestAConnectionThatTheServerEndsIsUnavailableAndReplaced(t *testing.T) {
	db := open(t)
	err := db.Do(t.Context(), func(ctx context.Context) error {
		var pid int
		if err := db.Session(ctx).Raw("SELECT pg_backend_pid()").Scan(&pid).Error; err != nil {
			return err
		}
		var ended bool
		if err := db.Session(t.Context()).Raw("SELECT pg_terminate_backend(?, 5000)", pid).Scan(&ended).Error; err != nil || !ended {
			t.Fatal(ended, err)
		}
		return db.Session(ctx).Exec("SELECT 1").Error
	})
	if !errors.Is(err, database.ErrUnavailable) {
		t.Errorf("a statement answered %v, want database.ErrUnavailable", err)
	}
	err = db.Do(t.Context(), func(ctx context.Context) error {
		var pid int
		var ended bool
		return errors.Join(db.Session(ctx).Raw("SELECT pg_backend_pid()").Scan(&pid).Error,
			db.Session(t.Context()).Raw("SELECT pg_terminate_backend(?, 5000)", pid).Scan(&ended).Error)
	})
	if !errors.Is(err, database.ErrUnavailable) {
		t.Errorf("a commit answered %v, want database.ErrUnavailable", err)
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Errorf("afterwards the database is still away: %v", err)
	}
}

func TestAServerThatIsAwayIsUnavailable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // a port on which surely nobody answers
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	cfg := database.Default()
	cfg.URL = "postgres://user:s3cret@" + address + "/db?sslmode=disable"
	writer, _, err := postgres.Driver{}.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	err = postgres.Driver{}.Translate(writer.PingContext(t.Context()))
	if !errors.Is(err, database.ErrUnavailable) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v, want database.ErrUnavailable without the password", err)
	}
}

func TestNoErrorRepeatsAValue(t *testing.T) {
	db := open(t)
	session := db.Session(t.Context())
	if err := session.Exec("CREATE TABLE t (id uuid PRIMARY KEY, n integer, doc jsonb)").Error; err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"INSERT INTO t (id) VALUES (?)", "INSERT INTO t (n) VALUES (?)", "INSERT INTO t (doc) VALUES (?)", "SELECT CAST(? AS text)::integer"} {
		err := session.Exec(statement, "ada@example.org").Error
		if err == nil || strings.Contains(err.Error(), "ada@") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	for _, column := range []string{"id", "n", "doc"} {
		err := db.Insert(t.Context(), database.Rows{Table: "t", Columns: []string{column}, Values: [][]any{{"ada@example.org"}}})
		if err == nil || strings.Contains(err.Error(), "ada@") {
			t.Errorf("inserted into %s: %v", column, err)
		}
	}
}
