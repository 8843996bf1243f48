package auth

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/badge-engine/badge-engine/platform/cache"
)

// A drawer keeps values in the cache under secrets that it hands out. The cache
// knows a secret only by its hash, and each value only sealed by a key made of
// that secret and the server's own: who reads the cache learns nothing, and who
// writes to it opens nothing.
type drawer struct {
	cache  cache.Cache
	prefix string
	key    []byte
}

// secretForm is that of 256 random bits in base64url.
var secretForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

func newSecret() string {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails: it ends the program instead
	return base64.RawURLEncoding.EncodeToString(random[:])
}

// named is the place of a secret in the cache.
func (d drawer) named(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return d.prefix + hex.EncodeToString(sum[:])
}

func (d drawer) lock(secret string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, []byte(secret), d.key, d.prefix, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (d drawer) put(ctx context.Context, secret string, v any, ttl time.Duration) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	lock, err := d.lock(secret)
	if err != nil {
		return fmt.Errorf("auth: seal: %w", err)
	}
	return d.cache.Set(ctx, d.named(secret), lock.Seal(nil, nil, data, nil), ttl)
}

// errNothing says that there is nothing behind a secret, or nothing that this
// server put there.
var errNothing = errors.New("nothing behind this secret")

func (d drawer) get(ctx context.Context, secret string, into any) error {
	if !secretForm.MatchString(secret) {
		return errNothing
	}
	data, found, err := d.cache.Get(ctx, d.named(secret))
	if err != nil {
		return err
	}
	if !found {
		return errNothing
	}
	lock, err := d.lock(secret)
	if err != nil {
		return fmt.Errorf("auth: unseal: %w", err)
	}
	if data, err = lock.Open(nil, nil, data, nil); err != nil || json.Unmarshal(data, into) != nil {
		return errNothing
	}
	return nil
}
