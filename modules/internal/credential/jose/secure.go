package jose

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// Profile is the standard whose header and claims a token has.
type Profile string

// The profiles.
const (
	// OpenBadges is Open Badges 3.0, JSON Web Token Proof Format: the claims iss, jti,
	// sub and nbf are required, exp ends with the credential, and the header has no
	// members but alg, typ, and kid or jwk.
	OpenBadges Profile = "jwt"
	// VCJOSE is Securing Verifiable Credentials using JOSE and COSE 1.0, 3.1.1: typ is
	// vc+jwt and cty vc, and the claims are about the token, not about the credential.
	VCJOSE Profile = "vc+jwt"
)

// Signer signs. [github.com/badge-engine/badge-engine/modules/internal/credential/integrity.Signer] says how.
type Signer interface {
	Sign(ctx context.Context, message []byte) ([]byte, error)
	Public() crypto.PublicKey
}

// AlgorithmOf is the algorithm that goes with a key, and the length of its
// signatures; none goes with a key that is not known here.
func AlgorithmOf(pub crypto.PublicKey) (name string, size int) {
	switch key := pub.(type) {
	case ed25519.PublicKey:
		return "EdDSA", ed25519.SignatureSize // RFC 8037, 3.1
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256():
			return "ES256", 64 // RFC 7518, 3.4
		case elliptic.P384():
			return "ES384", 96
		}
	case *rsa.PublicKey:
		if key.N.BitLen() >= 2048 { // RFC 7518, 3.3
			return "RS256", key.Size()
		}
	}
	return "", 0
}

// header has its members in the order in which they are written.
type header struct {
	Alg string   `json:"alg"`
	Typ Profile  `json:"typ"`
	Cty string   `json:"cty,omitempty"`
	Kid string   `json:"kid,omitempty"`
	JWK *did.JWK `json:"jwk,omitempty"`
}

// registered are the claims that are added to a credential.
type registered struct {
	Issuer  any    `json:"iss"`
	ID      any    `json:"jti,omitempty"`
	Subject any    `json:"sub,omitempty"`
	From    *int64 `json:"nbf,omitempty"`
	Until   *int64 `json:"exp,omitempty"`
	At      *int64 `json:"iat,omitempty"`
}

// Secure makes a compact JWS around a credential of VC Data Model 2.0. The document
// is its JSON, of which parsed is the reading, and stands in the payload as it is,
// before the claims. kid must be the URL of the key as a JSON Web Key; when it is
// empty the key itself stands in the header, which proves nothing about an issuer
// that does not publish it.
//
// Open Badges 3.0, JSON Web Token Proof Format; Securing Verifiable Credentials
// using JOSE and COSE 1.0, 3.1.1.
func Secure(ctx context.Context, signer Signer, kid string, profile Profile, document []byte, parsed *strictjson.Node, at time.Time) (string, error) {
	algorithm, size := AlgorithmOf(signer.Public())
	if algorithm == "" {
		return "", refused("Sign with a key on Ed25519, P-256 or P-384, or with RSA of 2048 bits or more.", "no algorithm of tokens goes with the key")
	}
	h := header{Alg: algorithm, Typ: "JWT", Kid: kid}
	if kid == "" {
		jwk, err := did.NewJWK(signer.Public())
		if err != nil {
			return "", err
		}
		h.JWK = &jwk
	} else if !strings.Contains(kid, ":") {
		return "", refused("Give the absolute URL of the public key.", "the kid %s is no URL", shown(kid))
	}
	for _, name := range claims {
		if parsed.Get(name) != nil {
			return "", refused("Leave it out; the token adds what it needs.", "the credential has a member %q, which is a claim of tokens", name)
		}
	}
	for _, name := range [...]string{"vc", "vp"} {
		if parsed.Get(name) != nil {
			return "", refused("Leave it out.", "the credential has a member %q, which a token must not have", name)
		}
	}
	issuer := parsed.Get("issuer")
	if issuer.Is(strictjson.Object) {
		issuer = issuer.Get("id")
	}
	c := registered{Issuer: issuer.Value(), ID: parsed.Get("id").Value(), Subject: parsed.Get("credentialSubject").Get("id").Value()}
	if profile == VCJOSE {
		h.Typ, h.Cty = VCJOSE, "vc"
		seconds := at.Unix()
		c.At = &seconds
	} else if err := c.period(parsed); err != nil {
		return "", err
	}
	head, err := json.Marshal(h)
	if err != nil {
		return "", err
	}
	more, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	payload := append(append(append(make([]byte, 0, len(document)+len(more)), document[:len(document)-1]...), ','), more[1:]...)
	encoding := base64.RawURLEncoding
	text := make([]byte, 0, encoding.EncodedLen(len(head))+encoding.EncodedLen(len(payload))+encoding.EncodedLen(size)+2)
	text = append(encoding.AppendEncode(text, head), '.')
	text = encoding.AppendEncode(text, payload)
	signature, err := signer.Sign(ctx, text)
	if err != nil {
		return "", fmt.Errorf("jose: the signer did not sign: %w", err)
	}
	if len(signature) != size {
		return "", fmt.Errorf("jose: the signer answered %d bytes instead of the %d of a signature by %s", len(signature), size, algorithm)
	}
	return string(encoding.AppendEncode(append(text, '.'), signature)), nil
}

// period makes the claims that Open Badges asks for.
func (c *registered) period(parsed *strictjson.Node) error {
	if c.ID == nil {
		return refused("Give the credential an id.", "the credential has no id, which the claim jti repeats")
	}
	if c.Subject == nil {
		return refused("Give the subject an id, such as urn:uuid:…, or use an embedded proof or the form vc+jwt.", "the subject has no id, which the claim sub repeats")
	}
	seconds := func(name string) (*int64, error) {
		at, err := time.Parse(time.RFC3339, parsed.Member(name))
		if err != nil || at.Nanosecond() != 0 {
			return nil, refused("Give it in whole seconds with a zone.", "the claims cannot repeat the member %q", name)
		}
		n := at.Unix()
		return &n, nil
	}
	var err error
	until := parsed.Get("validUntil")
	if c.From, err = seconds("validFrom"); err == nil && !(until == nil || until.Kind == strictjson.Null) {
		c.Until, err = seconds("validUntil")
	}
	return err
}
