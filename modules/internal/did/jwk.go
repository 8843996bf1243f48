package did

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
)

// JWK is a public key as JSON. RFC 7517 (JSON Web Key). Unmarshalling refuses
// private and symmetric keys, and passes over members it does not know.
type JWK struct {
	Kty string `json:"kty" doc:"Kind of key: OKP, EC or RSA."`
	Crv string `json:"crv,omitempty" doc:"Curve: Ed25519, P-256 or P-384."`
	X   string `json:"x,omitempty" doc:"The key, or its x coordinate."`
	Y   string `json:"y,omitempty" doc:"The y coordinate."`
	N   string `json:"n,omitempty" doc:"Modulus of an RSA key."`
	E   string `json:"e,omitempty" doc:"Exponent of an RSA key."`
	Alg string `json:"alg,omitempty" doc:"The algorithm it is used with."`
	Use string `json:"use,omitempty" doc:"What it is used for: sig."`
	Kid string `json:"kid,omitempty" doc:"Name of the key."`
	Iss string `json:"iss,omitempty" doc:"Whose key it is, on a host of several issuers."`
}

// RFC 7518, 6 (Cryptographic Algorithms for Keys): members that give a key away.
var privateMembers = [...]string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

const jwkRemedy = "Give the public part of an Ed25519, P-256, P-384 or RSA key as a JSON Web Key."

// UnmarshalJSON implements [json.Unmarshaler]. Names are matched exactly, which
// the standard decoder does not do.
func (j *JWK) UnmarshalJSON(data []byte) error {
	var members map[string]any
	if err := json.Unmarshal(data, &members); err != nil || members == nil {
		return trouble(InvalidMethod, jwkRemedy, "the JSON Web Key is no JSON object")
	}
	read, err := jwkOf(members)
	if err == nil {
		*j = read
	}
	return err
}

func jwkOf(members map[string]any) (JWK, error) {
	for _, name := range privateMembers {
		if _, there := members[name]; there {
			return JWK{}, trouble(InvalidMethod, "Replace the key at once, for it is no longer secret, and publish only its public part.", "the JSON Web Key has the member %q of a private or symmetric key", name)
		}
	}
	var j JWK
	for name, field := range map[string]*string{"kty": &j.Kty, "crv": &j.Crv, "x": &j.X, "y": &j.Y, "n": &j.N, "e": &j.E, "alg": &j.Alg, "use": &j.Use, "kid": &j.Kid, "iss": &j.Iss} {
		value, there := members[name]
		if !there {
			continue
		}
		text, ok := value.(string)
		if !ok {
			return JWK{}, trouble(InvalidMethod, jwkRemedy, "the member %q of the JSON Web Key is no string", name)
		}
		*field = text
	}
	return j, nil
}

// NewJWK writes a public key as a JSON Web Key with only the members it needs.
func NewJWK(pub crypto.PublicKey) (JWK, error) {
	text := base64.RawURLEncoding.EncodeToString
	switch key := pub.(type) {
	case ed25519.PublicKey:
		if len(key) == ed25519.PublicKeySize {
			return JWK{Kty: "OKP", Crv: "Ed25519", X: text(key)}, nil // RFC 8037, 2
		}
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() && key.Curve != elliptic.P384() {
			break
		}
		point, err := key.Bytes()
		if err != nil {
			return JWK{}, trouble(InvalidMethod, jwkRemedy, "the key is no point of its curve")
		}
		half := (len(point) - 1) / 2
		return JWK{Kty: "EC", Crv: key.Curve.Params().Name, X: text(point[1 : 1+half]), Y: text(point[1+half:])}, nil
	case *rsa.PublicKey:
		return JWK{Kty: "RSA", N: text(key.N.Bytes()), E: text(big.NewInt(int64(key.E)).Bytes())}, nil
	}
	return JWK{}, trouble(Unsupported, jwkRemedy, "a key of type %T has no JSON Web Key here", pub)
}

// PublicKey reads the key: an [ed25519.PublicKey], [*ecdsa.PublicKey] or
// [*rsa.PublicKey].
func (j JWK) PublicKey() (crypto.PublicKey, error) {
	switch j.Kty {
	case "OKP":
		if j.Crv != "Ed25519" {
			return nil, trouble(Unsupported, jwkRemedy, "keys on the curve %s are not known here", shown(j.Crv))
		}
		key, err := octets("x", j.X, ed25519.PublicKeySize)
		if err != nil {
			return nil, err
		}
		return ed25519.PublicKey(key), nil
	case "EC":
		curve := elliptic.P256()
		switch j.Crv {
		case "P-256":
		case "P-384":
			curve = elliptic.P384()
		default:
			return nil, trouble(Unsupported, jwkRemedy, "keys on the curve %s are not known here", shown(j.Crv))
		}
		// RFC 7518, 6.2.1.2: the full size of a coordinate, leading zeros included.
		size := (curve.Params().BitSize + 7) / 8
		x, err := octets("x", j.X, size)
		if err != nil {
			return nil, err
		}
		y, err := octets("y", j.Y, size)
		if err != nil {
			return nil, err
		}
		return point(curve, x, y)
	case "RSA":
		n, err := octets("n", j.N, 0)
		if err != nil {
			return nil, err
		}
		e, err := octets("e", j.E, 0)
		if err != nil {
			return nil, err
		}
		// RFC 7518, 3.3: at least 2048 bits. More than 8192 would be a way to keep us busy.
		modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e)
		if bits := modulus.BitLen(); bits < 2048 || bits > 8192 {
			return nil, trouble(InvalidMethod, "Use an RSA key of 2048 to 8192 bits.", "the RSA key has %d bits", bits)
		}
		if exponent.BitLen() > 31 || exponent.Int64() < 3 || exponent.Bit(0) == 0 {
			return nil, trouble(InvalidMethod, "Use the exponent 65537 (AQAB).", "the exponent of the RSA key is not usable")
		}
		return &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}, nil
	}
	return nil, trouble(Unsupported, jwkRemedy, "JSON Web Keys of the kind %s are not known here", shown(j.Kty))
}

// octets decodes a member; size 0 takes any length but none.
func octets(name, text string, size int) ([]byte, error) {
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	// The decoder passes over line breaks, which have no place in a key.
	if err != nil || len(data) == 0 || size > 0 && len(data) != size || strings.ContainsAny(text, "\r\n") {
		return nil, trouble(InvalidMethod, jwkRemedy, "the member %q of the JSON Web Key is missing, is no base64url or has the wrong length", name)
	}
	return data, nil
}

// Thumbprint names the key by its content: RFC 7638, with SHA-256. It is empty
// for a kind of key that is not known here.
func (j JWK) Thumbprint() string {
	// RFC 7638, 3.2: the required members alone, in the order of their names. All
	// are of signs that JSON does not escape, or the key is not a key.
	var text string
	switch j.Kty {
	case "OKP":
		text = `{"crv":` + quoted(j.Crv) + `,"kty":"OKP","x":` + quoted(j.X) + `}`
	case "EC":
		text = `{"crv":` + quoted(j.Crv) + `,"kty":"EC","x":` + quoted(j.X) + `,"y":` + quoted(j.Y) + `}`
	case "RSA":
		text = `{"e":` + quoted(j.E) + `,"kty":"RSA","n":` + quoted(j.N) + `}`
	default:
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func quoted(s string) string { return `"` + s + `"` }
