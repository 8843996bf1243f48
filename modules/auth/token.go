package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"hash/crc32"
	"math/big"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Token is what is known of an API token. Its secret is not: that is shown once,
// when the token is created.
type Token struct {
	ID       string
	Name     string
	Prefix   string // how the token begins, up to its secret: to recognise it by
	Scopes   []string
	Created  time.Time
	Expires  time.Time // zero: never
	Revoked  time.Time // zero: not
	LastUsed time.Time // zero: never; late by up to a minute
	Client   string    // the OAuth client it was granted to; empty for API tokens
	Secret   string    // by which of its secrets; empty for an assertion

	// hash is SHA-256 of the secret. A slow, salted password hash would add
	// nothing: those make guessing what people choose expensive, and 256 random
	// bits cannot be guessed at any price. It would only make each request slow.
	hash []byte

	found time.Time // in the store
}

// Expired reports whether the token has expired by now.
func (t Token) Expired(now time.Time) bool { return !t.Expires.IsZero() && !now.Before(t.Expires) }

// A token reads be_<id>_<secret>_<checksum>: 16, 32 and 4 bytes in base 62, so
// that a double click selects all of it. The mark and the checksum let secret
// scanners recognise a leaked token, and typing errors never reach the database.
const (
	mark           = "be"
	secretMark     = "becs" // of the secrets of clients
	idLength       = 22
	secretLength   = 43
	checksumLength = 6
)

var (
	errForm     = errors.New("not of the form of our tokens")
	errChecksum = errors.New("the checksum does not match")
)

// compose makes the text of a token of this id with a fresh secret.
func compose(id uuid.UUID) (text, prefix string, hash []byte) { return composeAs(mark, id) }

func composeAs(mark string, id uuid.UUID) (text, prefix string, hash []byte) {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails: it ends the program instead
	secret := encode(random[:], secretLength)
	prefix = mark + "_" + encode(id[:], idLength)
	text = prefix + "_" + secret
	return text + "_" + checksum(text), prefix, digest(secret)
}

// dissect takes the text of a token apart.
func dissect(text string) (id string, hash []byte, err error) { return dissectAs(mark, text) }

func dissectAs(mark, text string) (id string, hash []byte, err error) {
	parts := strings.Split(text, "_")
	if len(parts) != 4 || parts[0] != mark || len(parts[1]) != idLength || len(parts[2]) != secretLength || len(parts[3]) != checksumLength {
		return "", nil, errForm
	}
	if checksum(text[:len(text)-checksumLength-1]) != parts[3] {
		return "", nil, errChecksum
	}
	u, ok := decodeID(parts[1])
	if !ok {
		return "", nil, errForm
	}
	return u.String(), digest(parts[2]), nil
}

func digest(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

func checksum(text string) string {
	sum := crc32.ChecksumIEEE([]byte(text))
	return encode([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}, checksumLength)
}

// encode writes data as a number of exactly length digits in base 62.
func encode(data []byte, length int) string {
	digits := new(big.Int).SetBytes(data).Text(62)
	return strings.Repeat("0", length-len(digits)) + digits
}

func decodeID(digits string) (u uuid.UUID, ok bool) {
	if strings.HasPrefix(digits, "+") || strings.HasPrefix(digits, "-") { // SetString would take it
		return u, false
	}
	n, ok := new(big.Int).SetString(digits, 62)
	if !ok || n.BitLen() > 8*len(u) {
		return u, false
	}
	n.FillBytes(u[:])
	return u, true
}
