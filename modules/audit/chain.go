package audit

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Key closes the chain. It comes from the key-encryption key and is never stored.
type Key struct{ macs *sync.Pool } // each of which has hashed the secret already

// NewKey makes a key of 32 secret bytes.
func NewKey(secret []byte) (Key, error) {
	if len(secret) != sha256.Size {
		return Key{}, fmt.Errorf("audit: a key has %d bytes, not %d", sha256.Size, len(secret))
	}
	secret = bytes.Clone(secret)
	return Key{&sync.Pool{New: func() any { return hmac.New(sha256.New, secret) }}}, nil
}

// What is hashed begins with what it is, so that nothing can pass for another.
const (
	markV1 = "badge-engine audit event v1"
	linkV1 = "badge-engine audit link v1"
	headV1 = "badge-engine audit head v1"

	parcelMarkV1 = "badge-engine audit parcel v1"
)

func (k Key) mac(message []byte) []byte {
	h := k.macs.Get().(hash.Hash)
	defer k.macs.Put(h)
	h.Reset()
	h.Write(message)
	return h.Sum(nil)
}

// mark tells an event of ours from one that somebody else put into the database.
func (k Key) mark(e Event) []byte { return k.mac(e.encode(text(nil, markV1))) }

func (k Key) marked(e Event) bool { return hmac.Equal(e.mark, k.mark(e)) }

// link is the hash of an event at its place: over the hash before it, its number
// and all it says.
func (k Key) link(before []byte, e Event) []byte {
	b := text(nil, linkV1)
	b = text(b, string(before))
	b = binary.BigEndian.AppendUint64(b, uint64(e.Sequence))
	b = append(b, flag(e.Forged))
	return k.mac(e.encode(b))
}

func flag(set bool) byte {
	if set {
		return 1
	}
	return 0
}

// encode appends what an event says in the one way it can be said: numbers of
// fixed length, texts after their lengths.
func (e Event) encode(b []byte) []byte {
	b = slices.Grow(b, 300) // most are shorter
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.Unix()))
	b = binary.BigEndian.AppendUint64(b, uint64(e.Count))
	for _, s := range [...]string{e.ID, e.Principal, e.Kind, e.Action, e.Target, string(e.Outcome), e.Reason, e.Detail, e.RemoteIP, e.RequestID} {
		b = text(b, s)
	}
	return b
}

func text(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// Head names the last event of the chain. Written as "number:hash" it can be kept
// anywhere, to check later that the trail still holds what it held.
type Head struct {
	Sequence int64
	Hash     []byte // empty before the first event

	signature []byte
}

// ParseHead reads what [Head.String] writes.
func ParseHead(s string) (Head, error) {
	number, hash, _ := strings.Cut(s, ":")
	n, err := strconv.ParseInt(number, 10, 64)
	sum, bad := hex.DecodeString(hash)
	if err != nil || bad != nil || n < 1 || len(sum) != sha256.Size {
		return Head{}, ErrHead.Detailf("%q is not the head of a trail; one reads like 42:9f86d0… with 64 digits.", clip(s))
	}
	return Head{Sequence: n, Hash: sum}, nil
}

func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}

// String implements [fmt.Stringer].
func (h Head) String() string {
	return strconv.FormatInt(h.Sequence, 10) + ":" + hex.EncodeToString(h.Hash)
}

// sign makes the signature of a head. The hash alone would not do: those of all
// earlier heads stand in the rows.
func (k Key) sign(h Head) []byte {
	b := text(nil, headV1)
	b = binary.BigEndian.AppendUint64(b, uint64(h.Sequence))
	return k.mac(text(b, string(h.Hash)))
}

// signed reports whether the head is ours; before the first event it has no signature.
func (k Key) signed(h Head) bool {
	if h.Sequence == 0 {
		return len(h.Hash) == 0 && len(h.signature) == 0
	}
	return hmac.Equal(h.signature, k.sign(h))
}
