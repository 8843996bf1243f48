package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/database/postgres"
	"github.com/badge-engine/badge-engine/platform/database/sqlite"
)

// ceiling serves what no server that does anything could serve faster: fixed bytes at /bytes, under fixed header fields, and orders at /orders that
// are decoded, stored in shared transactions and answered, without any credential.
func ceiling(ctx context.Context, args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("ceiling PORT SIZE [DATABASE [FIELD VALUE]…]")
	}
	var size int
	if _, err := fmt.Sscan(args[1], &size); err != nil {
		return err
	}
	body := []byte(`{"padding":"` + strings.Repeat("x", size) + `"}`)
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/ready", func(c *fiber.Ctx) error { return c.SendString("ok") })
	app.Get("/bytes", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, "application/vc+ld+json")
		for i := 3; i+1 < len(args); i += 2 { // so that client and network have the same to do
			c.Set(args[i], args[i+1])
		}
		return c.Send(body)
	})
	if len(args) > 2 && args[2] != "" {
		inserts, err := share(ctx, args[2])
		if err != nil {
			return err
		}
		app.Post("/users", people(inserts.db))
		app.Post("/orders", func(c *fiber.Ctx) error {
			var order map[string]any
			if err := json.Unmarshal(c.Body(), &order); err != nil {
				return err
			}
			if err := inserts.add(newRow(string(body))); err != nil {
				return err
			}
			c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
			return c.Status(fiber.StatusCreated).Send(body)
		})
	}
	go func() {
		<-ctx.Done()
		_ = app.Shutdown()
	}()
	return app.Listen("127.0.0.1:" + args[0])
}

// tables make a table as wide, and as much indexed, as that of credentials.
var tables = []string{
	`CREATE TABLE ceiling (id uuid PRIMARY KEY, issuer_id uuid NOT NULL, achievement_id uuid NOT NULL, state text NOT NULL, name text NOT NULL,
		recipient_index text, document text, valid_from timestamp NOT NULL, version bigint NOT NULL, created_at timestamp NOT NULL, updated_at timestamp NOT NULL)`,
	"CREATE INDEX ceiling_issuer ON ceiling (issuer_id)",
	"CREATE INDEX ceiling_achievement ON ceiling (achievement_id)",
	"CREATE INDEX ceiling_recipient ON ceiling (recipient_index)",
	"CREATE INDEX ceiling_created ON ceiling (created_at, id)",
	"CREATE INDEX ceiling_valid_from ON ceiling (valid_from, id)",
}

type credentialRow struct {
	ID, IssuerID, AchievementID, State, Name, RecipientIndex, Document string
	ValidFrom                                                          time.Time
	Version                                                            int64
	CreatedAt, UpdatedAt                                               time.Time
}

// TableName implements the naming of gorm.
func (credentialRow) TableName() string { return "ceiling" }

var issuerOfRows, achievementOfRows = uuid.NewString(), uuid.NewString()

func newRow(document string) credentialRow {
	now := time.Now().UTC().Truncate(time.Second)
	return credentialRow{
		ID: uuid.Must(uuid.NewV7()).String(), IssuerID: issuerOfRows, AchievementID: achievementOfRows, State: "issued", Name: "Bookbinding",
		RecipientIndex: uuid.NewString() + uuid.NewString(), Document: document, ValidFrom: now, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
}

// inserts are rows on their way into shared transactions.
type inserts struct {
	db    *database.DB
	queue chan insert
}

type insert struct {
	row  credentialRow
	done chan error
}

// share opens a database and stores rows in transactions of as many as are waiting.
func share(ctx context.Context, address string) (*inserts, error) {
	cfg := database.Default()
	cfg.URL = address
	db, err := database.New(cfg, slog.New(slog.NewTextHandler(io.Discard, nil)), postgres.Driver{}, sqlite.Driver{})
	if err != nil {
		return nil, err
	}
	if err := db.Start(ctx); err != nil {
		return nil, err
	}
	for _, statement := range tables {
		if err := db.Session(ctx).Exec(statement).Error; err != nil {
			return nil, err
		}
	}
	s := &inserts{db: db, queue: make(chan insert, 1024)}
	writers := 1
	if db.Dialect() == "postgres" {
		writers = 2
	}
	for range writers {
		go s.write(ctx, db)
	}
	return s, nil
}

func (s *inserts) add(row credentialRow) error {
	i := insert{row: row, done: make(chan error, 1)}
	s.queue <- i
	return <-i.done
}

func (s *inserts) write(ctx context.Context, db *database.DB) {
	for first := range s.queue {
		waiting := []insert{first}
	gather:
		for len(waiting) < 64 {
			select {
			case next := <-s.queue:
				waiting = append(waiting, next)
			default:
				break gather
			}
		}
		rows := make([]credentialRow, len(waiting))
		for i, w := range waiting {
			rows[i] = w.row
		}
		err := db.Session(ctx).Transaction(func(tx *gorm.DB) error { return tx.Create(&rows).Error })
		for _, w := range waiting {
			w.done <- err
		}
	}
}
