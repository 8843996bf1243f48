package status

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"sync"
	"time"
)

// SegmentBits is how many entries stand in one segment of a list: the shortest list
// that is allowed is one segment.
const SegmentBits = minBits

const segmentBytes = SegmentBits / 8

// MaxSegments is how many segments a list may have, so that every verifier of this
// kind reads it.
const MaxSegments = maxBytes / segmentBytes

// Segment is a part of a list, compressed on its own, so that a list in which a few
// bits changed is put together without unpacking the rest.
type Segment struct {
	Packed []byte // whole DEFLATE blocks, none of them final (RFC 1951)
	CRC    uint32 // of what they unpack to (RFC 1952)
}

// Pack compresses a segment in which the bits at these places are set, counted from
// the beginning of the segment. The same bits always make the same bytes.
func Pack(set []uint32) (Segment, error) {
	bits := make([]byte, segmentBytes)
	for _, i := range set {
		if i >= SegmentBits {
			return Segment{}, fmt.Errorf("status: bit %d lies outside its segment", i)
		}
		bits[i/8] |= 0x80 >> (i % 8) // 3.3 (Bitstring Generation Algorithm): the first bit is the highest of the first byte
	}
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return Segment{}, fmt.Errorf("status: %w", err)
	}
	if _, err := w.Write(bits); err != nil {
		return Segment{}, fmt.Errorf("status: %w", err)
	}
	// Flush ends at a byte, and what follows in a list never refers back to what
	// stands here, since each segment has a writer of its own.
	if err := w.Flush(); err != nil {
		return Segment{}, fmt.Errorf("status: %w", err)
	}
	return Segment{Packed: b.Bytes(), CRC: crc32.ChecksumIEEE(bits)}, nil
}

// empty is a segment without any bit set, made once.
var empty = sync.OnceValue(func() Segment {
	s, err := Pack(nil)
	if err != nil {
		panic(err) // it has no input
	}
	return s
})

// Empty is a segment in which no bit is set.
func Empty() Segment { return empty() }

// Encode puts segments together as an encodedList. It copies what is compressed and
// looks into none of it: the checksum of the whole follows from those of the parts.
//
// Bitstring Status List 1.0, 3.3 (Bitstring Generation Algorithm); RFC 1952, 2.3 (Member format), with no time and
// no system in the header, so that the same bits always make the same list.
func Encode(segments []Segment) string {
	size := 10 + 2 + 8
	for _, s := range segments {
		size += len(s.Packed)
	}
	out := make([]byte, 0, size)
	out = append(out, 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)
	var crc uint32
	for _, s := range segments {
		out = append(out, s.Packed...)
		crc = follow(crc, s.CRC)
	}
	out = append(out, 0x03, 0x00) // a last block with nothing in it
	out = binary.LittleEndian.AppendUint32(out, crc)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(segments)*segmentBytes))
	return "u" + base64.RawURLEncoding.EncodeToString(out)
}

// A matrix over GF(2) of 32 by 32 bits, as its columns.
type matrix [32]uint32

func (m *matrix) times(v uint32) (sum uint32) {
	for i := 0; v != 0; i, v = i+1, v>>1 {
		if v&1 != 0 {
			sum ^= m[i]
		}
	}
	return sum
}

func (m *matrix) squared() *matrix {
	var s matrix
	for i := range m {
		s[i] = m.times(m[i])
	}
	return &s
}

// shift moves a checksum over one segment of zeros.
var shift = sync.OnceValue(func() *matrix {
	var m matrix // one bit of zero
	m[0] = crc32.IEEE
	for i := 1; i < 32; i++ {
		m[i] = 1 << (i - 1)
	}
	op := &m
	for n := SegmentBits; n > 1; n >>= 1 { // a power of two
		op = op.squared()
	}
	return op
})

// follow is the checksum of a and then one segment whose checksum is b.
func follow(a, b uint32) uint32 { return shift().times(a) ^ b }

// List is the status list as a credential, before it is signed. Bitstring Status
// List 1.0, 2.2 (BitstringStatusListCredential).
type List struct {
	Context    []string    `json:"@context"`
	ID         string      `json:"id"`
	Type       []string    `json:"type"`
	Issuer     string      `json:"issuer"`
	ValidFrom  string      `json:"validFrom"`
	ValidUntil string      `json:"validUntil"`
	Subject    ListSubject `json:"credentialSubject"`
}

// ListSubject is the list itself.
type ListSubject struct {
	ID            string `json:"id"`
	Type          string `json:"type"`
	StatusPurpose string `json:"statusPurpose"`
	EncodedList   string `json:"encodedList"`
	TTL           int64  `json:"ttl"` // milliseconds
}

// NewList makes the credential of a list that stands at url.
func NewList(url, issuer, purpose string, segments []Segment, from, until time.Time, ttl time.Duration) List {
	return List{
		Context: []string{"https://www.w3.org/ns/credentials/v2"}, ID: url,
		Type: []string{"VerifiableCredential", "BitstringStatusListCredential"}, Issuer: issuer,
		ValidFrom: from.UTC().Format(time.RFC3339), ValidUntil: until.UTC().Format(time.RFC3339),
		Subject: ListSubject{ID: url + "#list", Type: "BitstringStatusList", StatusPurpose: purpose, EncodedList: Encode(segments), TTL: ttl.Milliseconds()},
	}
}
