package issuance

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/did"
)

// Kind is a kind of signing key.
type Kind string

// The kinds of signing keys.
const (
	KindEd25519 Kind = "Ed25519"
	KindP256    Kind = "P-256"
	KindP384    Kind = "P-384"
	KindRSA     Kind = "RSA-2048" // for tokens alone: no cryptosuite of embedded proofs signs with it
)

// Kinds lists the kinds of signing keys.
func Kinds() []Kind { return []Kind{KindEd25519, KindP256, KindP384, KindRSA} }

// KeyState is what a key may still be used for.
type KeyState string

// The states of a key.
const (
	Active  KeyState = "active"  // it signs
	Retired KeyState = "retired" // it signs no more, and what it signed stays good
	Revoked KeyState = "revoked" // nothing that it signed must be believed
)

// Purposes of keys. Controlled Identifiers 1.0, 2.3 (Verification Relationships).
const (
	Assertion      = "assertionMethod" // says something in the issuer's name; every key does
	Authentication = "authentication"  // proves that the issuer is talking
)

// Local is the provider of keys that are kept in the database, sealed.
const Local = "local"

// Key is the public side of a signing key.
type Key struct {
	ID       string
	IssuerID string
	Kind     Kind
	Multikey string // Controlled Identifiers 1.0, 2.2.2 (Multikey); empty for RSA, which has none
	Public   crypto.PublicKey
	Purposes []string
	Provider string // where the private key is
	Created  time.Time
	Retired  *time.Time // nil while it signs
	Revoked  *time.Time // nil while what it signed is good
	Reason   string     // why it was revoked
}

// State tells what the key may still be used for.
func (k Key) State() KeyState {
	switch {
	case k.Revoked != nil:
		return Revoked
	case k.Retired != nil:
		return Retired
	}
	return Active
}

// JWK is the public key as RFC 7517 writes it, named by its thumbprint as in the
// documents that list it.
func (k Key) JWK() (did.JWK, error) {
	jwk, err := did.NewJWK(k.Public)
	if err != nil {
		return did.JWK{}, fmt.Errorf("issuance: key %s: %w", k.ID, err)
	}
	jwk.Kid = jwk.Thumbprint()
	return jwk, nil
}

// fragment names the key within its issuer's document.
func (k Key) fragment() string {
	if k.Multikey != "" {
		return k.Multikey
	}
	jwk, _ := k.JWK() // a key that was read has one
	return jwk.Kid
}

func (k Key) listed() did.Listed {
	l := did.Listed{Public: k.Public, Authentication: slices.Contains(k.Purposes, Authentication)}
	if k.Revoked != nil {
		l.Revoked = *k.Revoked
	}
	return l
}

// encodePublic writes a public key for the table: as Multikey, and an RSA key, which
// has none, as its DER in base64url.
func encodePublic(pub crypto.PublicKey) (string, error) {
	if key, ok := pub.(*rsa.PublicKey); ok {
		return "u" + base64.RawURLEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(key)), nil
	}
	return did.EncodeMultikey(pub)
}

func decodePublic(text string) (crypto.PublicKey, error) {
	if rest, ok := strings.CutPrefix(text, "u"); ok {
		der, err := base64.RawURLEncoding.DecodeString(rest)
		if err != nil {
			return nil, err
		}
		return x509.ParsePKCS1PublicKey(der)
	}
	return did.DecodeMultikey(text)
}

// kindOf tells the kind of a public key; none for a kind that is not known here.
func kindOf(pub crypto.PublicKey) Kind {
	switch key := pub.(type) {
	case ed25519.PublicKey:
		return KindEd25519
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256():
			return KindP256
		case elliptic.P384():
			return KindP384
		}
	case *rsa.PublicKey:
		return KindRSA
	}
	return ""
}

// makeKey makes a key of a kind, and the secret to be sealed: the seed of Ed25519 and
// PKCS #8 for the others.
func makeKey(kind Kind) (crypto.PublicKey, []byte, error) {
	var private crypto.Signer
	var err error
	switch kind {
	case KindEd25519:
		public, private, err := ed25519.GenerateKey(rand.Reader)
		return public, private.Seed(), err
	case KindP256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case KindP384:
		private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case KindRSA:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		return nil, nil, fmt.Errorf("issuance: there are no keys of the kind %q", kind)
	}
	if err != nil {
		return nil, nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	return private.Public(), secret, err
}

// vaulted signs by a key that is kept elsewhere.
type vaulted struct {
	vault  Vault // may be nil
	key    Key
	handle string
	method string
}

// Sign implements [integrity.Signer]. What comes out is checked: a vault that mixes up
// its keys must not make badges that nobody can verify.
func (v vaulted) Sign(ctx context.Context, message []byte) ([]byte, error) {
	if v.vault == nil {
		return nil, ErrVault.Detailf("Key %s is kept by %s, and no KEY_VAULT_COMMAND is set.", v.key.ID, v.key.Provider)
	}
	signature, err := v.vault.Sign(ctx, string(v.key.Kind), v.handle, message)
	if err != nil {
		return nil, ErrVault.With(err)
	}
	if !integrity.Signed(v.key.Public, message, signature) {
		return nil, ErrVault.With(fmt.Errorf("issuance: the signature of %s is not by key %s", v.key.Provider, v.key.ID))
	}
	return signature, nil
}

// Public implements [integrity.Signer].
func (v vaulted) Public() crypto.PublicKey { return v.key.Public }

// VerificationMethod implements [integrity.Signer].
func (v vaulted) VerificationMethod() string { return v.method }

// signerOf reads what makeKey made.
func signerOf(kind Kind, secret []byte, method string) (integrity.Signer, error) {
	if kind == KindEd25519 {
		if len(secret) != ed25519.SeedSize {
			return nil, errors.New("it has the wrong length")
		}
		return integrity.NewEd25519Signer(ed25519.NewKeyFromSeed(secret), method), nil
	}
	private, err := x509.ParsePKCS8PrivateKey(secret)
	if err != nil {
		return nil, err
	}
	switch key := private.(type) {
	case *ecdsa.PrivateKey:
		return integrity.NewECDSASigner(key, method), nil
	case *rsa.PrivateKey:
		return integrity.NewRSASigner(key, method), nil
	}
	return nil, fmt.Errorf("it is a %T", private)
}
