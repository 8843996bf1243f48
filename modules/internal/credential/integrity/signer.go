package integrity

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"
)

// Signer signs. It is the place where a key management service or a hardware
// module is plugged in; the private key need never be here.
type Signer interface {
	// Sign answers the signature over message: for Ed25519 the 64 bytes of RFC
	// 8032, for ECDSA the two halves of IEEE P1363, the hash being that of the curve,
	// for RSA the signature of RFC 8017, 8.2 (RSASSA-PKCS1-v1_5) with SHA-256.
	Sign(ctx context.Context, message []byte) ([]byte, error)
	// Public is the public key: an ed25519.PublicKey, *ecdsa.PublicKey or *rsa.PublicKey.
	Public() crypto.PublicKey
	// VerificationMethod is the URL under which the public key is found.
	VerificationMethod() string
}

// Signed reports whether a signature is what [Signer.Sign] must answer over a message,
// by the key that is public.
func Signed(pub crypto.PublicKey, message, signature []byte) bool {
	switch key := pub.(type) {
	case *rsa.PublicKey:
		sum := sha256.Sum256(message)
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
	case *ecdsa.PublicKey:
		return check(key, hashOf(key.Curve), message, signature)
	}
	return check(pub, 0, message, signature)
}

type ed25519Signer struct {
	key    ed25519.PrivateKey
	public crypto.PublicKey // nil if the key is none
	method string
}

// NewEd25519Signer signs with a key in memory.
func NewEd25519Signer(key ed25519.PrivateKey, verificationMethod string) Signer {
	s := ed25519Signer{key: key, method: verificationMethod}
	if len(key) == ed25519.PrivateKeySize {
		s.public = key.Public()
	}
	return s
}

func (s ed25519Signer) Sign(_ context.Context, message []byte) ([]byte, error) {
	if len(s.key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("integrity: an Ed25519 key has %d bytes, not %d", ed25519.PrivateKeySize, len(s.key))
	}
	return ed25519.Sign(s.key, message), nil
}

func (s ed25519Signer) Public() crypto.PublicKey { return s.public }

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

// hashOf goes with the curve: Data Integrity ECDSA Cryptosuites 1.0, 3.2.4 (Hashing);
// RFC 7518, 3.4 (ECDSA).
func hashOf(curve elliptic.Curve) crypto.Hash {
	if curve.Params().BitSize > 256 {
		return crypto.SHA384
	}
	return crypto.SHA256
}

func (s ecdsaSigner) Sign(_ context.Context, message []byte) ([]byte, error) {
	h := hashOf(s.key.Curve).New()
	h.Write(message)
	der, err := s.key.Sign(nil, h.Sum(nil), hashOf(s.key.Curve))
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

func (s ecdsaSigner) Public() crypto.PublicKey { return &s.key.PublicKey }

func (s ecdsaSigner) VerificationMethod() string { return s.method }

type rsaSigner struct {
	key    *rsa.PrivateKey
	method string
}

// NewRSASigner signs with a key in memory, by RS256 as tokens ask for it. No
// cryptosuite of embedded proofs signs with RSA.
func NewRSASigner(key *rsa.PrivateKey, verificationMethod string) Signer {
	return rsaSigner{key: key, method: verificationMethod}
}

func (s rsaSigner) Sign(_ context.Context, message []byte) ([]byte, error) {
	sum := sha256.Sum256(message)
	signature, err := rsa.SignPKCS1v15(nil, s.key, crypto.SHA256, sum[:])
	if err != nil {
		return nil, fmt.Errorf("integrity: sign: %w", err)
	}
	return signature, nil
}

func (s rsaSigner) Public() crypto.PublicKey { return &s.key.PublicKey }

func (s rsaSigner) VerificationMethod() string { return s.method }
