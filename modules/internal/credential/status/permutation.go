package status

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
)

// rounds of the Feistel network: with ten and more no attack on small domains is
// known that beats trying the key (NIST SP 800-38G, FF1, takes ten as well).
const rounds = 12

// Permutation scatters the numbers 0, 1, 2, … over all indexes of a list, each once,
// in an order that nobody without the key can tell from a random one. So a counter
// is all that must be kept to give each credential a random index that no other has.
//
// Bitstring Status List 1.0, 5.1 (Group Privacy), asks for indexes that reveal no
// order of issuing.
type Permutation struct {
	block cipher.Block
	size  uint64
	half  uint // bits of each half of the network
}

// NewPermutation makes the permutation of size indexes that belongs to a secret. The
// same secret always makes the same one.
func NewPermutation(secret []byte, size uint64) (*Permutation, error) {
	if size < 2 || size > 1<<48 {
		return nil, fmt.Errorf("status: a list of %d entries cannot be permuted", size)
	}
	key := sha256.Sum256(secret)
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("status: %w", err)
	}
	return &Permutation{block: block, size: size, half: uint(bits.Len64(size-1)+1) / 2}, nil
}

// At is the index of the n-th entry; n must be less than the size.
//
// The network permutes a power of four that may be larger than the list. What falls
// outside is sent through again until it falls inside, less than four times on
// average: that keeps it a permutation and every index equally likely.
func (p *Permutation) At(n uint64) uint64 {
	for {
		if n = p.scramble(n); n < p.size {
			return n
		}
	}
}

func (p *Permutation) scramble(n uint64) uint64 {
	mask := uint64(1)<<p.half - 1
	left, right := n>>p.half, n&mask
	var in, out [aes.BlockSize]byte
	for round := range uint64(rounds) {
		binary.BigEndian.PutUint64(in[:8], round)
		binary.BigEndian.PutUint64(in[8:], right)
		p.block.Encrypt(out[:], in[:])
		left, right = right, (left^binary.BigEndian.Uint64(out[:8]))&mask
	}
	return left<<p.half | right
}
