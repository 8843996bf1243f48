package did

import (
	"encoding/binary"
	"errors"
	"slices"
)

// The Bitcoin alphabet: Controlled Identifiers 1.0, Multibase, base-58-btc.
const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// maxBase58 bounds work that grows with the square of the length. The longest
// thing we read is a P-384 signature, 96 bytes.
const maxBase58 = 256

// Five digits go through one machine word at a time.
const (
	digits = 5
	radix  = 58 * 58 * 58 * 58 * 58
)

var values = func() (v [256]byte) {
	for i := range v {
		v[i] = 0xff
	}
	for i := range len(alphabet) {
		v[alphabet[i]] = byte(i)
	}
	return v
}()

var errBase58 = errors.New("did: this is not base58btc")

// EncodeBase58 writes bytes in base58btc. The work grows with the square of
// their number, so give it keys and signatures, not documents.
func EncodeBase58(data []byte) string {
	var few [maxDigits]byte
	return string(AppendBase58(few[:0], data))
}

// maxDigits is as many as the signatures and keys have that are common.
const maxDigits = 136

// AppendBase58 is [EncodeBase58] behind what there is already.
func AppendBase58(dst, data []byte) []byte {
	zeros := 0
	for zeros < len(data) && data[zeros] == 0 {
		zeros++
	}
	// The number as big-endian words of 32 bits.
	var few [24]uint32
	words := few[:0]
	first := (len(data) - zeros) % 4
	if first > 0 {
		var w uint32
		for _, b := range data[zeros : zeros+first] {
			w = w<<8 | uint32(b)
		}
		words = append(words, w)
	}
	for rest := data[zeros+first:]; len(rest) > 0; rest = rest[4:] {
		words = append(words, binary.BigEndian.Uint32(rest))
	}
	start := len(dst)
	for len(words) > 0 {
		var rest uint64
		for i, w := range words {
			rest = rest<<32 | uint64(w)
			words[i], rest = uint32(rest/radix), rest%radix
		}
		if words[0] == 0 {
			words = words[1:]
		}
		for range digits {
			dst = append(dst, alphabet[rest%58])
			rest /= 58
		}
	}
	for len(dst) > start && dst[len(dst)-1] == alphabet[0] {
		dst = dst[:len(dst)-1]
	}
	for range zeros {
		dst = append(dst, alphabet[0])
	}
	slices.Reverse(dst[start:])
	return dst
}

// DecodeBase58 reads base58btc of at most 256 digits.
func DecodeBase58(s string) ([]byte, error) {
	if len(s) > maxBase58 {
		return nil, errBase58
	}
	zeros := 0
	for zeros < len(s) && s[zeros] == alphabet[0] {
		zeros++
	}
	var words []uint32 // little-endian
	for rest := s[zeros:]; rest != ""; {
		n := len(rest) % digits
		if n == 0 {
			n = digits
		}
		var carry, scale uint64 = 0, 1
		for i := range n {
			v := values[rest[i]]
			if v == 0xff {
				return nil, errBase58
			}
			carry, scale = carry*58+uint64(v), scale*58
		}
		rest = rest[n:]
		for i, w := range words {
			carry += uint64(w) * scale
			words[i], carry = uint32(carry), carry>>32
		}
		if carry > 0 {
			words = append(words, uint32(carry))
		}
	}
	number := make([]byte, 4*len(words))
	for i, w := range words {
		binary.BigEndian.PutUint32(number[len(number)-4*(i+1):], w)
	}
	for len(number) > 0 && number[0] == 0 {
		number = number[1:]
	}
	return append(make([]byte, zeros, zeros+len(number)), number...), nil
}
