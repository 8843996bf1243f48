package engine

import (
	"context"
	"log/slog"
	"time"

	"github.com/badge-engine/badge-engine/migrations"
	"github.com/badge-engine/badge-engine/modules/auth"
	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/vault"
)

// Tools are the parts that a command needs which does not serve: the database, its
// schema, the tokens and the OAuth clients.
type Tools struct {
	Migrations *migrations.Runner
	Tokens     *auth.Service
	Clients    *auth.Clients

	db    *database.DB
	cache cache.Store
	keys  issuance.Config
	vault *vault.Vault
	log   *slog.Logger
}

// OpenTools connects to the database. Close must follow.
func OpenTools(ctx context.Context, cfg Config, log *slog.Logger) (*Tools, error) {
	db, err := database.New(cfg.Database, log, databaseDrivers()...)
	if err != nil {
		return nil, err
	}
	t := &Tools{db: db, keys: cfg.Issuance, vault: vault.New(cfg.Vault, log), log: log}
	trail := &console{tools: t}
	if t.Migrations, err = migrations.New(db, schemas(), log); err != nil {
		return nil, err
	}
	if t.cache, err = cache.New(cfg.Cache, time.Now, cacheDrivers()...); err != nil {
		return nil, err
	}
	store := auth.NewStore(db)
	if t.Tokens, err = auth.New(cfg.Auth, store, t.cache, auth.NewUsage(store, log), time.Now, log); err != nil {
		return nil, err
	}
	t.Tokens.Audited(db, trail)
	t.Clients = auth.NewClients(cfg.Auth, auth.NewClientStore(db), t.Tokens, auth.ClientNeighbours{Work: db, Audit: trail}, log)
	if err := db.Start(ctx); err != nil {
		return nil, err
	}
	return t, nil
}

// Ready brings the schema up to date where the configuration says so, and otherwise
// answers an error if it is older than this program.
func (t *Tools) Ready(ctx context.Context, cfg Config) error {
	if err := t.Migrations.Start(ctx, cfg.Migrations); err != nil {
		return err
	}
	return t.Migrations.Check(ctx)
}

// Close lets go of the database and the cache.
func (t *Tools) Close() {
	t.db.Close()
	t.cache.Close()
	t.vault.Close()
}

// Backup copies the database into a new file.
func (t *Tools) Backup(ctx context.Context, file string) error { return t.db.Backup(ctx, file) }

// Restore puts a backup in the place of the database, which nobody may have open.
func Restore(ctx context.Context, cfg Config, file string, replace bool) error {
	db, err := database.New(cfg.Database, slog.New(slog.DiscardHandler), databaseDrivers()...)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Restore(ctx, file, replace)
}
