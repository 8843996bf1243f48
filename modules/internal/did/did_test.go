package did_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/badge-engine/badge-engine/modules/internal/did"
)

const (
	edKey   = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
	p256Key = "zDnaepBuvsQ8cpsWrVKw8fbpGpvPeNSjVPTWoq6cRqaYzBKVP"
	p384Key = "z82LkuBieyGShVBhvtE2zoiD6Kma4tJGFtkAhxR5pfkp5QPw4LutoYWhvQCnGjdVn14kujQ"
)

func TestBase58AgreesWithDivisionByFiftyEight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOfN(rapid.Byte(), 0, 120).Draw(t, "data")
		if rapid.Bool().Draw(t, "zeros") {
			data = append(make([]byte, 3), data...)
		}
		encoded := did.EncodeBase58(data)
		if want := slowBase58(data); encoded != want {
			t.Fatalf("EncodeBase58(%x) = %q, want %q", data, encoded, want)
		}
		decoded, err := did.DecodeBase58(encoded)
		if err != nil || string(decoded) != string(data) {
			t.Fatalf("DecodeBase58(%q) = %x, %v", encoded, decoded, err)
		}
	})
}

func slowBase58(data []byte) string {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	n, rest, out := new(big.Int).SetBytes(data), new(big.Int), ""
	for n.Sign() > 0 {
		n.DivMod(n, big.NewInt(58), rest)
		out = alphabet[rest.Int64():rest.Int64()+1] + out
	}
	for _, b := range data {
		if b != 0 {
			break
		}
		out = "1" + out
	}
	return out
}

func TestBase58RefusesForeignSignsAndLength(t *testing.T) {
	for _, s := range []string{"0", "O", "I", "l", "z+", "a b", "é", strings.Repeat("z", 257)} {
		if _, err := did.DecodeBase58(s); err == nil {
			t.Errorf("DecodeBase58(%.20q) was accepted", s)
		}
	}
}

func TestMultikeyRoundTrip(t *testing.T) {
	for _, multikey := range []string{edKey, p256Key, p384Key} {
		pub, err := did.DecodeMultikey(multikey)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := did.EncodeMultikey(pub); err != nil || again != multikey {
			t.Errorf("EncodeMultikey = %q, %v; want %q", again, err, multikey)
		}
	}
}

func TestDecodeMultikeyRefuses(t *testing.T) {
	encode := func(prefix string, n int) string {
		return "z" + did.EncodeBase58(append([]byte(prefix), make([]byte, n)...))
	}
	for name, s := range map[string]string{
		"nothing":                           "",
		"a multibase without content":       "z",
		"another multibase":                 "u7QGWQ",
		"a secret key":                      "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq",
		"an Ed25519 key that is too short":  encode("\xed\x01", 31),
		"an Ed25519 key that is too long":   encode("\xed\x01", 33),
		"a P-256 key that is no point":      encode("\x80\x24\x02", 31),
		"a P-256 key that is off the curve": "z" + did.EncodeBase58(append([]byte("\x80\x24\x02"), []byte(strings.Repeat("\xff", 32))...)),
		"a secp256k1 key":                   encode("\xe7\x01\x02", 32),
		"a P-521 key":                       encode("\x82\x24\x02", 66),
		"white space around the key":        " " + edKey,
		"something endless":                 "z" + strings.Repeat("1", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			var e *did.Error
			if pub, err := did.DecodeMultikey(s); !errors.As(err, &e) {
				t.Errorf("DecodeMultikey = %v, %v", pub, err)
			}
		})
	}
}

func TestEncodeMultikeyRefusesOtherKeys(t *testing.T) {
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, pub := range []any{nil, ed25519.PublicKey{1}, &p521.PublicKey, "key", ed25519.PrivateKey(make([]byte, 64))} {
		if s, err := did.EncodeMultikey(pub); err == nil {
			t.Errorf("EncodeMultikey(%T) = %q", pub, s)
		}
	}
}

func TestParseURL(t *testing.T) {
	for name, row := range map[string]struct {
		text string
		want did.URL
	}{
		"a DID":                         {"did:example:123", did.URL{Method: "example", ID: "123"}},
		"colons in the identifier":      {"did:web:example.org%3A8443:issuers:1", did.URL{Method: "web", ID: "example.org%3A8443:issuers:1"}},
		"path, query and fragment":      {"did:a:b/c/d?e=f?#g/h?", did.URL{Method: "a", ID: "b", Path: "/c/d", Query: "e=f?", Fragment: "g/h?"}},
		"a slash only in the fragment":  {"did:a:b#c/d", did.URL{Method: "a", ID: "b", Fragment: "c/d"}},
		"an empty part of the name":     {"did:a::b", did.URL{Method: "a", ID: ":b"}},
		"a question mark without query": {"did:a:b?", did.URL{Method: "a", ID: "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := did.ParseURL(row.text)
			if err != nil || u.String() != row.text {
				t.Fatalf("ParseURL = %q, %v", u, err)
			}
			if u.Method != row.want.Method || u.ID != row.want.ID || u.Path != row.want.Path || u.Query != row.want.Query || u.Fragment != row.want.Fragment {
				t.Errorf("ParseURL = %+v, want %+v", u, row.want)
			}
		})
	}
	for _, text := range []string{"", "did", "did:", "did:a", "did:a:", "did:A:b", "did::b", "DID:a:b", "did:a:b:", "did:a:b c", "did:a:b%2", "did:a:b%zz",
		"did:a:b#c#d", "did:a:b/c d", "did:a:b\x00", "did:a:é", " did:a:b", "did:a:@b", "did:a:" + strings.Repeat("b", 5000)} {
		if u, err := did.ParseURL(text); err == nil {
			t.Errorf("ParseURL(%.40q) = %+v", text, u)
		}
	}
}

func FuzzParseURL(f *testing.F) {
	for _, s := range []string{"did:web:example.org%3A8443:issuers:1#key", "did:key:" + edKey + "#" + edKey, "did:a:b/c?d#e", "did:a:b?#", "did:a:%41"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := did.ParseURL(s)
		if err != nil {
			return
		}
		if u.String() != s {
			t.Fatalf("%q came back as %q", s, u.String())
		}
		if again, err := did.ParseURL(u.DID()); err != nil || again.DID() != u.DID() {
			t.Fatalf("the DID of %q does not parse: %v", s, err)
		}
		address, err := did.WebURL(u.DID())
		if err == nil && !strings.HasPrefix(address, "https://") {
			t.Fatalf("%q leads to %q", s, address)
		}
	})
}

func TestWebURL(t *testing.T) {
	for text, want := range map[string]string{
		"did:web:example.org":                        "https://example.org/.well-known/did.json",
		"did:web:example.org:issuers:1":              "https://example.org/issuers/1/did.json",
		"did:web:example.org%3A8443":                 "https://example.org:8443/.well-known/did.json",
		"did:web:example.org%3a8443:a%20b":           "https://example.org:8443/a%20b/did.json",
		"did:web:localhost%3A8000:issuers:x":         "https://localhost:8000/issuers/x/did.json",
		"did:web:xn--bcher-kva.example":              "https://xn--bcher-kva.example/.well-known/did.json",
		"did:web:example.org:one.two:three-4_5":      "https://example.org/one.two/three-4_5/did.json",
		"did:web:w3c-ccg.github.io:user:alice":       "https://w3c-ccg.github.io/user/alice/did.json",
		"did:web:EXAMPLE.org:Case:Is:Kept":           "https://EXAMPLE.org/Case/Is/Kept/did.json",
		"did:web:127.0.0.1":                          "",
		"did:web:2130706433":                         "",
		"did:web:0x7f.1":                             "",
		"did:web:%5B%3A%3A1%5D":                      "",
		"did:web:user%40example.org":                 "",
		"did:web:example.org%2Fpath":                 "",
		"did:web:example.org%3A":                     "",
		"did:web:example.org%3A80%3A90":              "",
		"did:web:example.org%3Aport":                 "",
		"did:web:-example.org":                       "",
		"did:web:example..org":                       "",
		"did:web:example.org:..:secret":              "",
		"did:web:example.org:%2E%2e:secret":          "",
		"did:web:example.org::a":                     "",
		"did:web:example.org:a%2Fb":                  "",
		"did:key:" + edKey:                           "",
		"did:web:" + strings.Repeat("a.", 127) + "b": "",
	} {
		if got, err := did.WebURL(text); got != want || (err == nil) != (want != "") {
			t.Errorf("WebURL(%s) = %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestJWKRoundTrip(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]any{"RSA": &rsaKey.PublicKey}
	for name, multikey := range map[string]string{"Ed25519": edKey, "P-256": p256Key, "P-384": p384Key} {
		if keys[name], err = did.DecodeMultikey(multikey); err != nil {
			t.Fatal(err)
		}
	}
	for name, pub := range keys {
		t.Run(name, func(t *testing.T) {
			j, err := did.NewJWK(pub)
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(j)
			if err != nil {
				t.Fatal(err)
			}
			var read did.JWK
			if err := json.Unmarshal(text, &read); err != nil {
				t.Fatal(err)
			}
			again, err := read.PublicKey()
			if err != nil {
				t.Fatal(err)
			}
			if !pub.(interface{ Equal(crypto.PublicKey) bool }).Equal(again) {
				t.Errorf("%s came back as another key", text)
			}
		})
	}
}

// The examples of RFC 7638, 3.1 and RFC 8037, appendix A.3.
func TestThumbprintOfPublishedKeys(t *testing.T) {
	for text, want := range map[string]string{
		`{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
		`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
	} {
		var j did.JWK
		if err := json.Unmarshal([]byte(text), &j); err != nil {
			t.Fatal(err)
		}
		if got := j.Thumbprint(); got != want {
			t.Errorf("Thumbprint = %s, want %s", got, want)
		}
	}
}

func TestJWKRefuses(t *testing.T) {
	text := base64.RawURLEncoding.EncodeToString
	small := text(append([]byte{0x80}, make([]byte, 127)...))
	for name, s := range map[string]string{
		"no object":                    `[]`,
		"null":                         `null`,
		"a private member":             `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"x"}`,
		"a symmetric key":              `{"kty":"oct","k":"AAAA"}`,
		"a number for a string":        `{"kty":"OKP","crv":"Ed25519","x":1}`,
		"names in another case":        `{"Kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
		"another curve":                `{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}`,
		"a key agreement curve":        `{"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
		"a short coordinate":           `{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`,
		"a point off the curve":        `{"kty":"EC","crv":"P-256","x":"` + text(make([]byte, 32)) + `","y":"` + text(make([]byte, 32)) + `"}`,
		"padding":                      `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo="}`,
		"a line break inside":          `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMl\nrwIaaPcHURo"}`,
		"an RSA key of 1024 bits":      `{"kty":"RSA","n":"` + small + `","e":"AQAB"}`,
		"an RSA key of a million bits": `{"kty":"RSA","n":"` + text(append([]byte{0x80}, make([]byte, 125000)...)) + `","e":"AQAB"}`,
		"an even exponent":             `{"kty":"RSA","n":"` + text(append([]byte{0x80}, make([]byte, 255)...)) + `","e":"Ag"}`,
	} {
		t.Run(name, func(t *testing.T) {
			var j did.JWK
			err := json.Unmarshal([]byte(s), &j)
			if err == nil {
				_, err = j.PublicKey()
			}
			var e *did.Error
			if !errors.As(err, &e) {
				t.Errorf("it was accepted, or refused without a reason: %v", err)
			}
		})
	}
}

func TestNewDocumentListsEachKeyInBothEncodings(t *testing.T) {
	doc, err := did.NewDocument("did:web:example.org", edKey, p256Key)
	if err != nil {
		t.Fatal(err)
	}
	if len(doc.VerificationMethod) != 4 || len(doc.AssertionMethod) != 4 {
		t.Fatalf("%d methods, %d of them for assertions; want 4 and 4", len(doc.VerificationMethod), len(doc.AssertionMethod))
	}
	for i, method := range doc.VerificationMethod {
		if doc.AssertionMethod[i] != method.ID || method.Controller != doc.ID || !strings.HasPrefix(method.ID, doc.ID+"#") {
			t.Errorf("method %d is %+v, listed as %s", i, method, doc.AssertionMethod[i])
		}
		switch {
		case i%2 == 0 && (method.Type != "Multikey" || method.ID != doc.ID+"#"+method.PublicKeyMultibase || method.PublicKeyJwk != nil):
			t.Errorf("method %d is %+v", i, method)
		case i%2 == 1 && (method.Type != "JsonWebKey" || method.PublicKeyMultibase != "" || method.ID != doc.ID+"#"+method.PublicKeyJwk.Thumbprint()):
			t.Errorf("method %d is %+v", i, method)
		}
	}
	if _, err := did.NewDocument("https://example.org", "z6Mk"); err == nil {
		t.Error("a document with half a key was made")
	}
}

func BenchmarkBase58Signature(b *testing.B) {
	signature := make([]byte, 64)
	if _, err := rand.Read(signature); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := did.DecodeBase58(did.EncodeBase58(signature)); err != nil {
			b.Fatal(err)
		}
	}
}
