package engine

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/badge-engine/badge-engine/migrations"
	"github.com/badge-engine/badge-engine/modules/auth"
	"github.com/badge-engine/badge-engine/modules/auth/entra"
	"github.com/badge-engine/badge-engine/modules/health"
	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/modules/scim"
	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/fetch"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/ratelimit"
	"github.com/badge-engine/badge-engine/platform/telemetry"
	"github.com/badge-engine/badge-engine/platform/tracing"
	"github.com/badge-engine/badge-engine/platform/vault"
)

// Config is the sum of the parts' configurations.
type Config struct {
	PublicURL  string `env:"PUBLIC_URL" help:"address under which the world reaches this server; http://localhost:PORT when empty. Set it once: every badge names it"`
	Log        logging.Config
	HTTP       httpserver.Config
	Database   database.Config
	Cache      cache.Config
	Migrations migrations.Config
	Fetch      fetch.Config
	Auth       auth.Config
	Entra      entra.Config
	Issuance   issuance.Config
	Vault      vault.Config
	SCIM       scim.Config
	Health     health.Config
	Limits     ratelimit.Config
	Telemetry  telemetry.Config
	Tracing    tracing.Config
}

// Default is what runs without any configuration: SQLite and a key file below
// ./data, the cache in the process, port 8000.
func Default() Config {
	return Config{
		Log:        logging.Default(),
		HTTP:       httpserver.Default(),
		Database:   database.Default(),
		Cache:      cache.Default(),
		Migrations: migrations.Default(),
		Fetch:      fetch.Default(),
		Auth:       auth.Default(),
		Entra:      entra.Default(),
		Issuance:   issuance.Default(),
		Vault:      vault.Default(),
		SCIM:       scim.Default(),
		Health:     health.Default(),
		Limits:     ratelimit.Default(),
		Telemetry:  telemetry.Default(),
		Tracing:    tracing.Default(),
	}
}

// In is the default with everything it keeps in the folder dir.
func In(dir string) Config {
	cfg := Default()
	cfg.Database.URL = "sqlite:" + filepath.Join(dir, "badge-engine.db")
	cfg.Issuance.KeyFile = filepath.Join(dir, "key-encryption.key")
	return cfg
}

// Load reads the environment over the default.
func Load(environ map[string]string) (Config, error) {
	cfg := Default()
	if err := config.Load(&cfg, environ); err != nil {
		return Config{}, err
	}
	var err error
	if cfg.Log, err = cfg.Log.Modular(environ); err != nil {
		return Config{}, err
	}
	return cfg, nil
}

// Check refuses an address of the world, of a database or of a cache that no part
// could use. Nothing is dialed.
func (c Config) Check() error {
	_, err := c.public()
	errs := []error{err}
	quiet := slog.New(slog.DiscardHandler)
	if c.Database.Check() == nil { // else it was said already
		db, err := database.New(c.Database, quiet, databaseDrivers()...)
		if err == nil {
			err = db.Close()
		}
		errs = append(errs, err)
	}
	if c.Cache.Check() == nil {
		store, err := cache.New(c.Cache, time.Now, cacheDrivers()...)
		if err == nil {
			err = store.Close()
		}
		errs = append(errs, err)
	}
	if p := c.Issuance.Provider; p != "" && p != issuance.Local && c.Vault.Command == "" {
		errs = append(errs, fmt.Errorf("KEY_PROVIDER: %q keeps no keys here, since no KEY_VAULT_COMMAND is set; give %s, or the program as well", p, issuance.Local))
	}
	return errors.Join(errs...)
}

func (c Config) public() (config.PublicURL, error) {
	if c.PublicURL != "" {
		return config.ParsePublicURL(c.PublicURL)
	}
	return config.ParsePublicURL(fmt.Sprintf("http://localhost:%d", c.HTTP.Port))
}
