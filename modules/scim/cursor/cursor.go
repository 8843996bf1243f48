package cursor

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/modules/scim/refusal"
)

// Query is what a cursor belongs to. A cursor is good only for exactly this.
type Query struct {
	Caller   string // who asks
	Endpoint string // what is listed, such as "/Users"
	Filter   string // as the client wrote it
	Sort     string // the canonical path and the direction
}

// Position is a place between two resources of a list.
type Position struct {
	// Keys are those of the resource next to the place, in the order in which the list is sorted, the id last.
	Keys []string
	// Before says that the page ends at the place instead of beginning there: a previousCursor.
	Before bool
}

// Keeper seals and opens cursors.
type Keeper struct {
	key      []byte
	lifetime time.Duration
	now      func() time.Time
}

// New is a keeper with a secret of at least 32 bytes, which every replica must share, and the time for which a cursor is good.
func New(secret []byte, lifetime time.Duration, now func() time.Time) *Keeper {
	// The secret may serve others too; what is derived from it for cursors serves nothing else.
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("scim cursor 1"))
	return &Keeper{key: mac.Sum(nil), lifetime: lifetime, now: now}
}

const (
	macSize = 16
	version = 1
	before  = 2
)

// most is the size of the longest cursor that is looked at. Keys are attribute values, which can be long.
const most = 1 << 20

// Seal makes the cursor for a place.
func (k *Keeper) Seal(q Query, p Position) string {
	b := make([]byte, macSize, macSize+64)
	head := byte(version)
	if p.Before {
		head |= before
	}
	b = append(b, head)
	b = binary.AppendUvarint(b, uint64(k.now().Add(k.lifetime).Unix()))
	for _, key := range p.Keys {
		b = binary.AppendUvarint(b, uint64(len(key)))
		b = append(b, key...)
	}
	copy(b, k.mac(q, b[macSize:]))
	return base64.RawURLEncoding.EncodeToString(b) // RFC 9865, 2.1: unreserved characters only
}

// Open reads a cursor. It answers with a [*refusal.Error]: invalidCursor for one that this keeper did not make for this query,
// expiredCursor for one that is too old.
func (k *Keeper) Open(text string, q Query) (Position, error) {
	invalid := refusal.New(refusal.InvalidCursor, "The cursor does not belong to this query. Begin again with an empty cursor, and change neither filter nor order between pages.")
	if len(text) > most || strings.ContainsAny(text, "\r\n") { // line ends, which the decoder would skip
		return Position{}, invalid
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < macSize+2 || !hmac.Equal(b[:macSize], k.mac(q, b[macSize:])) {
		return Position{}, invalid
	}
	head, rest := b[macSize], b[macSize+1:]
	expiry, n := binary.Uvarint(rest)
	if n <= 0 || head&^before != version {
		return Position{}, invalid
	}
	if k.now().Unix() >= int64(expiry) {
		return Position{}, refusal.New(refusal.ExpiredCursor, "The cursor is older than %s. Begin again with an empty cursor.", k.lifetime)
	}
	p := Position{Before: head&before != 0}
	for rest = rest[n:]; len(rest) > 0; {
		size, n := binary.Uvarint(rest)
		if n <= 0 || size > uint64(len(rest)-n) {
			return Position{}, invalid
		}
		p.Keys = append(p.Keys, string(rest[n:n+int(size)]))
		rest = rest[n+int(size):]
	}
	return p, nil
}

// mac covers the query field by field, each with its length, and what the cursor says.
func (k *Keeper) mac(q Query, payload []byte) []byte {
	m := hmac.New(sha256.New, k.key)
	var size []byte
	for _, field := range [...]string{q.Caller, q.Endpoint, q.Filter, q.Sort} {
		size = binary.AppendUvarint(size[:0], uint64(len(field)))
		m.Write(size)
		m.Write([]byte(field))
	}
	m.Write(payload)
	return m.Sum(nil)[:macSize]
}
