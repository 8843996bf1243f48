package integrity

import (
	"encoding/binary"
	"errors"
	"math"
	"unicode/utf8"
)

// The few kinds of CBOR that a selective disclosure proof is made of: unsigned
// numbers, byte and text strings, arrays and maps, of known length and in their
// shortest form. Nothing else is read, tags in particular.
//
// Data Integrity ECDSA Cryptosuites 1.0, serializeBaseProofValue: CBOR tagging must
// not be used. RFC 8949, 4.2.1 (Core Deterministic Encoding).
const (
	cborUnsigned = iota
	_            // negative numbers
	cborBytes
	cborText
	cborArray
	cborMap
)

var errCBOR = errors.New("integrity: this is not the CBOR of a selective disclosure proof")

func appendHead(dst []byte, major byte, n uint64) []byte {
	major <<= 5
	switch {
	case n < 24:
		return append(dst, major|byte(n))
	case n <= math.MaxUint8:
		return append(dst, major|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, major|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, major|27), n)
}

func appendBytes(dst, data []byte) []byte {
	return append(appendHead(dst, cborBytes, uint64(len(data))), data...)
}

// cborReader reads one item after the other. The first error stays, and from then on
// everything is empty.
type cborReader struct {
	rest []byte
	bad  bool
}

// head reads the beginning of an item of a kind.
func (r *cborReader) head(major byte) uint64 {
	if r.bad || len(r.rest) == 0 || r.rest[0]>>5 != major {
		r.fail()
		return 0
	}
	info := r.rest[0] & 31
	if r.rest = r.rest[1:]; info < 24 {
		return uint64(info)
	}
	if info > 27 { // reserved, or of unknown length
		r.fail()
		return 0
	}
	size := 1 << (info - 24)
	if len(r.rest) < size {
		r.fail()
		return 0
	}
	var n uint64
	for _, b := range r.rest[:size] {
		n = n<<8 | uint64(b)
	}
	if r.rest = r.rest[size:]; n < [...]uint64{24, 1 << 8, 1 << 16, 1 << 32}[info-24] {
		r.fail() // there is a shorter form
		return 0
	}
	return n
}

func (r *cborReader) fail() { r.bad, r.rest = true, nil }

// count reads the length of an array or map. Each entry takes at least one byte, so
// that a length that is a lie reserves no memory.
func (r *cborReader) count(major byte) int {
	n := r.head(major)
	if n > uint64(len(r.rest)) {
		r.fail()
		return 0
	}
	return int(n)
}

// bytes reads a byte string of that size; it is not copied.
func (r *cborReader) bytes(size int) []byte {
	if r.head(cborBytes) != uint64(size) || len(r.rest) < size {
		r.fail()
		return nil
	}
	data := r.rest[:size:size]
	r.rest = r.rest[size:]
	return data
}

func (r *cborReader) text() string {
	n := r.head(cborText)
	if n > uint64(len(r.rest)) || !utf8.Valid(r.rest[:n]) {
		r.fail()
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}

// number reads a whole number that counts something in a document.
func (r *cborReader) number() int {
	n := r.head(cborUnsigned)
	if n > math.MaxInt32 {
		r.fail()
		return 0
	}
	return int(n)
}

// end tells whether everything was well and nothing is left.
func (r *cborReader) end() error {
	if r.bad || len(r.rest) > 0 {
		return errCBOR
	}
	return nil
}
