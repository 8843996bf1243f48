package issuance

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Sealer keeps secrets closed at rest under the key-encryption key.
type Sealer struct {
	aead    cipher.AEAD
	older   []cipher.AEAD // open what earlier keys sealed
	index   []byte
	indexes sync.Pool // of MACs that have hashed index already
	derived []byte
}

const (
	keySize     = 32 // the length of the key-encryption key in bytes
	carriedSize = 64 // of what a later key carries on
)

// sealedV1 begins every sealed value, so that another algorithm can follow.
const sealedV1 = 1

// OpenSealer takes the key-encryption key from the configuration. Where neither a
// key nor its file is there it makes the file, mode 0600, and warns: whoever loses
// it loses every signing key.
func OpenSealer(cfg Config, log *slog.Logger) (*Sealer, error) {
	if cfg.Key != "" {
		key, err := decodeKey(cfg.Key.Reveal())
		if err != nil {
			return nil, fmt.Errorf("KEY_ENCRYPTION_KEY: %w", err)
		}
		return cfg.sealer(key)
	}
	text, err := os.ReadFile(cfg.KeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		if text, err = makeKeyFile(cfg.KeyFile); err == nil {
			log.Warn("key-encryption key created: back this file up, for without it no signing key can be opened again", "file", cfg.KeyFile)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("KEY_ENCRYPTION_KEY_FILE: %w", err)
	}
	key, err := decodeKey(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("KEY_ENCRYPTION_KEY_FILE %s: %w", cfg.KeyFile, err)
	}
	if info, err := os.Stat(cfg.KeyFile); err == nil && info.Mode().Perm()&0o077 != 0 {
		log.Warn("key-encryption key is readable by others: chmod 600", "file", cfg.KeyFile)
	}
	return cfg.sealer(key)
}

// sealer seals under key, and opens what the previous keys sealed as well.
func (c Config) sealer(key keyText) (*Sealer, error) {
	s, err := newSealer(key)
	if err != nil {
		return nil, err
	}
	previous, err := c.previous()
	if err != nil {
		return nil, err
	}
	for _, key := range previous {
		older, err := newSealer(key)
		if err != nil {
			return nil, err
		}
		s.older = append(s.older, older.aead)
	}
	return s, nil
}

// NextKey makes another key-encryption key, to be configured in the place of this one.
// It carries on by what recipients are found and what other parts of the program
// derived, since that is in tables and cannot be sealed again.
func (s *Sealer) NextKey() string {
	key := keyText{key: make([]byte, keySize), carried: slices.Concat(s.index, s.derived)}
	rand.Read(key.key) // never fails
	return key.String()
}

// makeKeyFile writes the key beside its place and links it there, so that of two
// processes that start at once one wins and both read the same key.
func makeKeyFile(path string) ([]byte, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	draft, err := os.CreateTemp(filepath.Dir(path), ".key-*") // CreateTemp makes mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(draft.Name())
	_, err = draft.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(draft.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if folder, err := os.Open(filepath.Dir(path)); err == nil {
		_ = folder.Sync() // the name must outlive a power cut as the keys sealed under it do; not every system can
		_ = folder.Close()
	}
	return os.ReadFile(path)
}

// NewSealer makes a sealer of 32 bytes of key.
func NewSealer(key []byte) (*Sealer, error) {
	if len(key) != keySize {
		return nil, fmt.Errorf("issuance: a key-encryption key has %d bytes, not %d", keySize, len(key))
	}
	return newSealer(keyText{key: key})
}

func newSealer(k keyText) (*Sealer, error) {
	sealing, err := hkdf.Key(sha256.New, k.key, nil, "badge-engine sealing v1", 32)
	if err != nil {
		return nil, err
	}
	var index, derived []byte
	if len(k.carried) == carriedSize {
		index, derived = k.carried[:carriedSize/2], k.carried[carriedSize/2:]
	} else if index, err = hkdf.Key(sha256.New, k.key, nil, "badge-engine recipient index v1", 32); err == nil {
		derived, err = hkdf.Key(sha256.New, k.key, nil, "badge-engine derived keys v1", 32)
	}
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(sealing)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &Sealer{aead: aead, index: index, indexes: sync.Pool{New: func() any { return hmac.New(sha256.New, index) }}, derived: derived}, nil
}

// Seal closes secret; name binds it to its place, so that a sealed value moved to
// another row does not open.
func (s *Sealer) Seal(name string, secret []byte) ([]byte, error) {
	out := make([]byte, 1+s.aead.NonceSize(), 1+s.aead.NonceSize()+len(secret)+s.aead.Overhead())
	out[0] = sealedV1
	if _, err := rand.Read(out[1:]); err != nil {
		return nil, err
	}
	return s.aead.Seal(out, out[1:], secret, []byte(name)), nil
}

// Open opens what Seal closed under the same name, with this key or an earlier one, or
// answers [ErrSealed].
func (s *Sealer) Open(name string, sealed []byte) ([]byte, error) {
	secret, _, err := s.open(name, sealed)
	return secret, err
}

// open also tells whether this key sealed it.
func (s *Sealer) open(name string, sealed []byte) (secret []byte, current bool, err error) {
	n := 1 + s.aead.NonceSize()
	if len(sealed) < n || sealed[0] != sealedV1 {
		return nil, false, ErrSealed.With(errors.New("unknown form"))
	}
	for i, aead := range append([]cipher.AEAD{s.aead}, s.older...) {
		if secret, err = aead.Open(nil, sealed[1:n], sealed[n:], []byte(name)); err == nil {
			return secret, i == 0, nil
		}
	}
	return nil, false, ErrSealed.With(err)
}

// Derive answers 32 bytes of key for another part of the program. Each purpose has
// a key of its own, and none leads back to the key-encryption key.
func (s *Sealer) Derive(purpose string) ([]byte, error) {
	return hkdf.Expand(sha256.New, s.derived, purpose, 32)
}

// Index answers a keyed hash by which a recipient can be found, and which tells
// nothing to whoever has only the database.
func (s *Sealer) Index(identifier string) string {
	mac := s.indexes.Get().(hash.Hash)
	defer s.indexes.Put(mac)
	mac.Reset()
	mac.Write([]byte(identifier))
	var sum [sha256.Size]byte
	return hex.EncodeToString(mac.Sum(sum[:0]))
}
