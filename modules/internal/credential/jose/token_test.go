package jose_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential/jose"
	"github.com/badge-engine/badge-engine/modules/internal/did"
)

// The public key of RFC 8037, appendix A.1.
const rfc8037Key = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`

// keys answers one key for every name.
type keys struct{ did.Key }

func (k keys) Resolve(context.Context, string) (did.Key, error) { return k.Key, nil }
func (k keys) KeySet(context.Context, string, crypto.PublicKey) (did.Key, error) {
	return k.Key, nil
}

func part(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func TestParseReadsOnlyTheCompactForm(t *testing.T) {
	good := part(`{"alg":"ES256"}`) + "." + part(`{"id":"urn:1"}`) + ".AAAA"
	token, err := jose.Parse([]byte(good))
	if err != nil || token.Header["alg"] != "ES256" || token.Payload["id"] != "urn:1" {
		t.Fatalf("Parse = %+v, %v", token, err)
	}
	for name, text := range map[string]string{
		"four parts":                 good + ".AAAA",
		"a line break at the end":    good + "\n",
		"a space in front":           " " + good,
		"padding":                    strings.Replace(good, ".AAAA", ".AAA=", 1),
		"the other alphabet":         strings.Replace(good, ".AAAA", ".+/AA", 1),
		"bits that are left over":    strings.Replace(good, ".AAAA", ".AB", 1),
		"a duplicate in the header":  part(`{"alg":"none","alg":"ES256"}`) + "." + part(`{}`) + ".AAAA",
		"a duplicate in the payload": part(`{}`) + "." + part(`{"iss":"a","iss":"b"}`) + ".AAAA",
	} {
		var e *jose.Error
		if token, err := jose.Parse([]byte(text)); !errors.As(err, &e) || !e.Syntax {
			t.Errorf("%s: %+v, %v", name, token, err)
		}
	}
}

func TestVerifyES384(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text := part(`{"alg":"ES384","kid":"https://example.org/key"}`) + "." + part(`{}`)
	sum := sha512.Sum384([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := append(r.FillBytes(make([]byte, 48)), s.FillBytes(make([]byte, 48))...)
	token, err := jose.Parse([]byte(text + "." + base64.RawURLEncoding.EncodeToString(signature)))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		key  did.Key
		want bool
	}{
		"the key":                    {did.Key{Public: &key.PublicKey}, true},
		"the key before its end":     {did.Key{Public: &key.PublicKey, Until: now.Add(time.Second)}, true},
		"the key at its end":         {did.Key{Public: &key.PublicKey, Until: now}, false},
		"a key of another kind":      {did.Key{Public: ed(t)}, false},
		"no key at all":              {did.Key{}, false},
		"a key on the other curve":   {did.Key{Public: p256(t)}, false},
		"another key on the curve":   {did.Key{Public: another(t)}, false},
		"a private key for a public": {did.Key{Public: key}, false},
	} {
		if _, err := token.Verify(t.Context(), keys{row.key}, "", now); (err == nil) != row.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func ed(t *testing.T) crypto.PublicKey {
	t.Helper()
	var j did.JWK
	if err := json.Unmarshal([]byte(rfc8037Key), &j); err != nil {
		t.Fatal(err)
	}
	pub, err := j.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return pub
}

func generated(t *testing.T, curve elliptic.Curve) crypto.PublicKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &key.PublicKey
}

func p256(t *testing.T) crypto.PublicKey    { return generated(t, elliptic.P256()) }
func another(t *testing.T) crypto.PublicKey { return generated(t, elliptic.P384()) }

func FuzzToken(f *testing.F) {
	f.Add([]byte(part(`{"alg":"EdDSA","kid":"a:b"}`)+"."+part(`{"vc":{},"iss":"a","exp":1e400}`)+".AAAA"), "x")
	f.Add([]byte(part(`{"alg":"ES256","jwk":`+rfc8037Key+`}`)+"."+part(`{"nbf":-1,"sub":{}}`)+".AAAA"), "y")
	f.Fuzz(func(t *testing.T, data []byte, issuer string) {
		token, err := jose.Parse(data)
		if err != nil {
			return
		}
		if _, err := token.Verify(t.Context(), did.Resolver{}, issuer, time.Time{}); err == nil {
			t.Fatalf("%q verifies", data)
		}
		if credential, err := token.Credential(); err == nil {
			_ = token.CheckClaims(credential)
			_ = token.Expires()
		}
	})
}
