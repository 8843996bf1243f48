package issuance

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
	"github.com/badge-engine/badge-engine/platform/config"
)

// Config is where the key-encryption key comes from, of which the key itself wins
// over the file, and how status lists are.
type Config struct {
	Key     config.Secret `env:"KEY_ENCRYPTION_KEY" file:"-" help:"32 bytes in base64 that seal the signing keys; wins over the file"`
	KeyFile string        `env:"KEY_ENCRYPTION_KEY_FILE" help:"file that holds the key-encryption key; made, readable by its owner alone, where there is none"`
	Status  statuslist.Config
}

// Default is a key file beside the embedded database.
func Default() Config {
	return Config{KeyFile: "./data/key-encryption.key", Status: statuslist.Default()}
}

// Check refuses a key of the wrong form.
func (c Config) Check() error {
	if c.Key != "" {
		if _, err := decodeKey(c.Key.Reveal()); err != nil {
			return fmt.Errorf("KEY_ENCRYPTION_KEY: %w", err)
		}
		return nil
	}
	if c.KeyFile == "" {
		return errors.New("KEY_ENCRYPTION_KEY_FILE: give the path of the key file, or the key itself in KEY_ENCRYPTION_KEY")
	}
	return nil
}

func decodeKey(text string) ([]byte, error) {
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if key, err := encoding.DecodeString(text); err == nil && len(key) == keySize {
			return key, nil
		}
	}
	return nil, errors.New("it must be 32 random bytes in base64; make one with: openssl rand -base64 32")
}
