package integrity

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"encoding/asn1"
	"fmt"
	"math/big"
)

// Signer signs. It is the place where a key management service or a hardware
// module is plugged in; the private key need never be here.
type Signer interface {
	// Sign answers the signature over message: for Ed25519 the 64 bytes of RFC
	// 8032, for ECDSA the two halves of IEEE P1363.
	Sign(ctx context.Context, message []byte) ([]byte, error)
	// VerificationMethod is the URL under which the public key is found.
	VerificationMethod() string
}

// hasher is a Signer whose suite hashes by something else than SHA-256.
type hasher interface{ Hash() crypto.Hash }

type ed25519Signer struct {
	key    ed25519.PrivateKey
	method string
}

// NewEd25519Signer signs with a key in memory.
func NewEd25519Signer(key ed25519.PrivateKey, verificationMethod string) Signer {
	return ed25519Signer{key: key, method: verificationMethod}
}

func (s ed25519Signer) Sign(_ context.Context, message []byte) ([]byte, error) {
	if len(s.key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("integrity: an Ed25519 key has %d bytes, not %d", ed25519.PrivateKeySize, len(s.key))
	}
	return ed25519.Sign(s.key, message), nil
}

func (s ed25519Signer) VerificationMethod() string { return s.method }

type ecdsaSigner struct {
	key    *ecdsa.PrivateKey
	method string
}

// NewECDSASigner signs with a key in memory, on P-256 or P-384. The same message
// always gets the same signature: RFC 6979.
func NewECDSASigner(key *ecdsa.PrivateKey, verificationMethod string) Signer {
	return ecdsaSigner{key: key, method: verificationMethod}
}

// Hash goes with the curve: Data Integrity ECDSA Cryptosuites 1.0, 3.2.4 (Hashing).
func (s ecdsaSigner) Hash() crypto.Hash {
	if s.key.Curve.Params().BitSize > 256 {
		return crypto.SHA384
	}
	return crypto.SHA256
}

func (s ecdsaSigner) Sign(_ context.Context, message []byte) ([]byte, error) {
	h := s.Hash().New()
	h.Write(message)
	der, err := s.key.Sign(nil, h.Sum(nil), s.Hash())
	if err != nil {
		return nil, fmt.Errorf("integrity: sign: %w", err)
	}
	var signature struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &signature); err != nil {
		return nil, fmt.Errorf("integrity: read signature: %w", err)
	}
	half := (s.key.Curve.Params().BitSize + 7) / 8
	return append(signature.R.FillBytes(make([]byte, half)), signature.S.FillBytes(make([]byte, half))...), nil
}

func (s ecdsaSigner) VerificationMethod() string { return s.method }
