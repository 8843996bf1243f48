package did

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
)

// Controlled Identifiers 1.0, 2.2.2 (Multikey): the two bytes before the key.
const (
	prefixEd25519 = "\xed\x01"
	prefixP256    = "\x80\x24"
	prefixP384    = "\x81\x24"
)

const multikeyRemedy = "Give a public key in Multikey encoding: Ed25519 (z6Mk…), P-256 (zDn…) or P-384 (z82…)."

// EncodeMultikey writes a public key as publicKeyMultibase. It takes an
// [ed25519.PublicKey], or an [*ecdsa.PublicKey] on P-256 or P-384.
func EncodeMultikey(pub crypto.PublicKey) (string, error) {
	switch key := pub.(type) {
	case ed25519.PublicKey:
		if len(key) == ed25519.PublicKeySize {
			return "z" + EncodeBase58(append([]byte(prefixEd25519), key...)), nil
		}
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			return "", trouble(InvalidMethod, multikeyRemedy, "the key is no point of its curve")
		}
		prefix := prefixP256
		switch key.Curve {
		case elliptic.P256():
		case elliptic.P384():
			prefix = prefixP384
		default:
			return "", trouble(Unsupported, multikeyRemedy, "keys on the curve %s have no Multikey here", key.Curve.Params().Name)
		}
		half := (len(point) - 1) / 2
		sign := 2 + point[len(point)-1]&1 // SEC 1, 2.3.3: the compressed form
		return "z" + EncodeBase58(append(append([]byte(prefix), sign), point[1:1+half]...)), nil
	}
	return "", trouble(Unsupported, multikeyRemedy, "a key of type %T has no Multikey here", pub)
}

// DecodeMultikey reads publicKeyMultibase. It answers an [ed25519.PublicKey] or
// an [*ecdsa.PublicKey], or an [*Error]: every other encoding is refused.
func DecodeMultikey(s string) (crypto.PublicKey, error) {
	if len(s) < 2 || s[0] != 'z' {
		return nil, trouble(InvalidMethod, multikeyRemedy, "%s is no Multikey: it does not begin with z", shown(s))
	}
	data, err := DecodeBase58(s[1:])
	if err != nil || len(data) < 2 {
		return nil, trouble(InvalidMethod, multikeyRemedy, "%s is no Multikey: it is not base58btc", shown(s))
	}
	switch prefix, key := string(data[:2]), data[2:]; prefix {
	case prefixEd25519:
		if len(key) != ed25519.PublicKeySize {
			return nil, trouble(InvalidMethod, multikeyRemedy, "%s holds %d bytes instead of the 32 of an Ed25519 key", shown(s), len(key))
		}
		return ed25519.PublicKey(key), nil
	case prefixP256:
		return decompress(elliptic.P256(), key)
	case prefixP384:
		return decompress(elliptic.P384(), key)
	}
	return nil, trouble(Unsupported, multikeyRemedy, "%s is a Multikey of a kind that is not known here", shown(s))
}

func decompress(curve elliptic.Curve, data []byte) (*ecdsa.PublicKey, error) {
	x, y := elliptic.UnmarshalCompressed(curve, data)
	if x == nil {
		return nil, trouble(InvalidMethod, multikeyRemedy, "the key is no compressed point on %s", curve.Params().Name)
	}
	size := (curve.Params().BitSize + 7) / 8
	return point(curve, x.FillBytes(make([]byte, size)), y.FillBytes(make([]byte, size)))
}

// point makes a key of its coordinates, which must be on the curve.
func point(curve elliptic.Curve, x, y []byte) (*ecdsa.PublicKey, error) {
	key, err := ecdsa.ParseUncompressedPublicKey(curve, append(append([]byte{4}, x...), y...))
	if err != nil {
		return nil, trouble(InvalidMethod, "", "the key is no point on %s", curve.Params().Name)
	}
	return key, nil
}

// KeyDID is the DID that is the key itself: did:key.
func KeyDID(multikey string) string { return "did:key:" + multikey }
