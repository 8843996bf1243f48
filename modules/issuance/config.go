package issuance

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
	"github.com/badge-engine/badge-engine/platform/config"
)

// Config is where the key-encryption key comes from, of which the key itself wins
// over the file, and how status lists are.
type Config struct {
	Key     config.Secret `env:"KEY_ENCRYPTION_KEY" file:"-" help:"32 bytes in base64 that seal the signing keys; wins over the file"`
	KeyFile string        `env:"KEY_ENCRYPTION_KEY_FILE" help:"file that holds the key-encryption key; made, readable by its owner alone, where there is none"`
	// Previous opens what earlier keys sealed, until that is sealed again.
	Previous config.Secret `env:"KEY_ENCRYPTION_KEY_PREVIOUS" help:"earlier key-encryption keys, comma-separated, which open what they sealed until keys reseal has run"`
	// Provider is of the first key of a new issuer; that of others is said with them.
	Provider string `env:"KEY_PROVIDER" help:"where the first signing key of a new issuer is kept, unless its request says otherwise: local, or what the program of KEY_VAULT_COMMAND calls itself, such as pkcs11"`
	Status   statuslist.Config
}

// Default is a key file beside the embedded database.
func Default() Config {
	return Config{KeyFile: "./data/key-encryption.key", Provider: Local, Status: statuslist.Default()}
}

// Check refuses a key of the wrong form.
func (c Config) Check() error {
	if _, err := c.previous(); err != nil {
		return err
	}
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

// previous are the earlier keys.
func (c Config) previous() ([]keyText, error) {
	var keys []keyText
	for _, text := range strings.Split(c.Previous.Reveal(), ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		key, err := decodeKey(text)
		if err != nil {
			return nil, fmt.Errorf("KEY_ENCRYPTION_KEY_PREVIOUS: %w", err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// keyText is a key-encryption key as it is configured: 32 bytes, and behind a dot what
// a later key carries on from the first one.
type keyText struct {
	key     []byte
	carried []byte // the keys of the recipient index and of other parts; empty with the first key
}

func (k keyText) String() string {
	text := base64.StdEncoding.EncodeToString(k.key)
	if len(k.carried) > 0 {
		text += "." + base64.StdEncoding.EncodeToString(k.carried)
	}
	return text
}

func decodeKey(text string) (keyText, error) {
	first, rest, later := strings.Cut(text, ".")
	key, ok := decodeBytes(first, keySize)
	carried, whole := decodeBytes(rest, carriedSize)
	if ok && (!later || whole) {
		return keyText{key: key, carried: carried}, nil
	}
	return keyText{}, errors.New("it must be 32 random bytes in base64, made with: openssl rand -base64 32; or what badge-engine keys encryption-key prints")
}

func decodeBytes(text string, size int) ([]byte, bool) {
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if data, err := encoding.DecodeString(text); err == nil && len(data) == size {
			return data, true
		}
	}
	return nil, false
}
