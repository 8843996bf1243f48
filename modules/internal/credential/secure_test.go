package credential_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/credential/jose"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
)

// issuerKeys are one key of each kind, under one issuer.
type issuerKeys struct {
	ed, p256, p384, rsa integrity.Signer
	pages               map[string]string
}

// kid is where the key is published as a JSON Web Key.
func kid(t testing.TB, signer integrity.Signer) string {
	j, err := did.NewJWK(signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	return issuerURL + "/jwk/" + j.Thumbprint()
}

var makeKeys = sync.OnceValues(func() (map[string]crypto.Signer, error) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		return nil, err
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	return map[string]crypto.Signer{"ed": ed, "p256": p256, "p384": p384, "rsa": rs}, err
})

func keysOf(t testing.TB) issuerKeys {
	t.Helper()
	made, err := makeKeys()
	if err != nil {
		t.Fatal(err)
	}
	var multikeys []string
	method := func(name string) string {
		multikey, err := did.EncodeMultikey(made[name].Public())
		if err != nil {
			t.Fatal(err)
		}
		multikeys = append(multikeys, multikey)
		return issuerURL + "#" + multikey
	}
	k := issuerKeys{
		ed:   integrity.NewEd25519Signer(made["ed"].(ed25519.PrivateKey), method("ed")),
		p256: integrity.NewECDSASigner(made["p256"].(*ecdsa.PrivateKey), method("p256")),
		p384: integrity.NewECDSASigner(made["p384"].(*ecdsa.PrivateKey), method("p384")),
		rsa:  integrity.NewRSASigner(made["rsa"].(*rsa.PrivateKey), issuerURL+"#rsa"),
	}
	k.pages = map[string]string{issuerURL: page(t, issuerURL, multikeys...)}
	for _, signer := range []integrity.Signer{k.ed, k.p256, k.p384, k.rsa} {
		j, err := did.NewJWK(signer.Public())
		if err != nil {
			t.Fatal(err)
		}
		j.Iss = issuerURL
		k.pages[kid(t, signer)] = mustJSON(t, j)
	}
	return k
}

func addressed() openbadges.AchievementCredential {
	c := badge(issuerURL)
	c.CredentialSubject.ID = "urn:uuid:0198f2a0-0000-7000-8000-000000000002"
	c.ValidUntil = "2036-01-01T00:00:00Z"
	return c
}

func TestSecureInEverySuite(t *testing.T) {
	k := keysOf(t)
	for name, proofs := range map[string][]credential.Embedding{
		"eddsa-rdfc-2022, unless another is named": {{Signer: k.ed}},
		"eddsa-jcs-2022":           {{Cryptosuite: integrity.EdDSAJCS2022, Signer: k.ed}},
		"ecdsa-rdfc-2019 on P-256": {{Cryptosuite: integrity.ECDSARDFC2019, Signer: k.p256}},
		"ecdsa-rdfc-2019 on P-384": {{Cryptosuite: integrity.ECDSARDFC2019, Signer: k.p384}},
		"ecdsa-jcs-2019 on P-256":  {{Cryptosuite: integrity.ECDSAJCS2019, Signer: k.p256}},
		"ecdsa-jcs-2019 on P-384":  {{Cryptosuite: integrity.ECDSAJCS2019, Signer: k.p384}},
		"a set of all":             {{Signer: k.ed}, {Cryptosuite: integrity.EdDSAJCS2022, Signer: k.ed}, {Cryptosuite: integrity.ECDSARDFC2019, Signer: k.p256}, {Cryptosuite: integrity.ECDSAJCS2019, Signer: k.p384}},
		"a chain":                  {{Signer: k.ed, ID: "urn:uuid:0198f2a0-0000-7000-8000-000000000003"}, {Cryptosuite: integrity.ECDSARDFC2019, Signer: k.p256, Previous: []string{"urn:uuid:0198f2a0-0000-7000-8000-000000000003"}}},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := credential.Prepare(processor, addressed())
			if err != nil {
				t.Fatal(err)
			}
			signed, err := p.Secure(t.Context(), credential.Securing{Created: now, Proofs: proofs})
			if err != nil {
				t.Fatal(err)
			}
			if signed.Token != "" || !strings.HasPrefix(string(signed.Document), string(p.Document()[:len(p.Document())-1])) {
				t.Errorf("secured is %+v", signed)
			}
			r, err := verifier(k.pages).Verify(t.Context(), signed.Document, credential.Options{})
			if err != nil || !r.Verified || outcomes(r) != "" {
				t.Errorf("%v\n%s", err, mustJSON(t, r))
			}
			broken := strings.Replace(string(signed.Document), "2036", "2037", 1)
			if r, err := verifier(k.pages).Verify(t.Context(), []byte(broken), credential.Options{}); err != nil || r.Verified {
				t.Errorf("a changed document verifies: %v\n%s", err, mustJSON(t, r))
			}
		})
	}
}

// What a holder can derive keeps to the rules, whatever it hides.
func TestSecureForSelectiveDisclosure(t *testing.T) {
	k := keysOf(t)
	for name, c := range map[string]openbadges.AchievementCredential{"a subject with an id": addressed(), "a subject with a hash alone": badge(issuerURL)} {
		c.Description = "for those who asked"
		p, err := credential.Prepare(processor, c)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := p.Secure(t.Context(), credential.Securing{Created: now, Proofs: []credential.Embedding{{Cryptosuite: integrity.ECDSASD2023, Signer: k.p256, Mandatory: p.Mandatory()}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, pointers := range [][]string{nil, {"/description"}, {""}} {
			derived, err := integrity.Derive(processor, parsed(t, string(signed.Document)), pointers)
			if err != nil {
				t.Fatal(err)
			}
			if _, shown := derived["description"]; shown != (len(pointers) > 0) {
				t.Errorf("%s, %v: the description is shown: %t", name, pointers, shown)
			}
			r, err := verifier(k.pages).Verify(t.Context(), []byte(mustJSON(t, derived)), credential.Options{})
			if err != nil || !r.Verified || outcomes(r) != "" {
				t.Errorf("%s, %v: %v\n%s", name, pointers, err, mustJSON(t, r))
			}
		}
	}
}

func TestSecureInTokens(t *testing.T) {
	k := keysOf(t)
	for name, signer := range map[string]integrity.Signer{"EdDSA": k.ed, "ES256": k.p256, "ES384": k.p384, "RS256": k.rsa} {
		for _, profile := range []jose.Profile{jose.OpenBadges, jose.VCJOSE} {
			t.Run(name+" "+string(profile), func(t *testing.T) {
				p, err := credential.Prepare(processor, addressed())
				if err != nil {
					t.Fatal(err)
				}
				signed, err := p.Secure(t.Context(), credential.Securing{Created: now, Proofs: []credential.Embedding{{Signer: k.ed}}, Token: &credential.Enveloping{Signer: signer, KeyID: kid(t, signer), Profile: profile}})
				if err != nil {
					t.Fatal(err)
				}
				for _, form := range [][]byte{signed.Document, []byte(signed.Token)} {
					r, err := verifier(k.pages).Verify(t.Context(), form, credential.Options{})
					if err != nil || !r.Verified || outcomes(r) != "" {
						t.Errorf("%v\n%s", err, mustJSON(t, r))
					}
				}
				token, err := jose.Parse([]byte(signed.Token))
				if err != nil {
					t.Fatal(err)
				}
				header, _ := json.Marshal(token.Header)
				want := `{"alg":"` + name + `","kid":"` + kid(t, signer) + `","typ":"JWT"}`
				if profile == jose.VCJOSE {
					want = `{"alg":"` + name + `","cty":"vc","kid":"` + kid(t, signer) + `","typ":"vc+jwt"}`
				}
				if string(header) != want {
					t.Errorf("the header is %s, want %s", header, want)
				}
				_, from := token.Payload["nbf"]
				_, until := token.Payload["exp"]
				_, at := token.Payload["iat"]
				if open := profile == jose.OpenBadges; from != open || until != open || at == open || token.Payload["proof"] != nil {
					t.Errorf("the payload is %v", token.Payload)
				}
			})
		}
	}
}

func TestSecureRefuses(t *testing.T) {
	k := keysOf(t)
	foreign := integrity.NewECDSASigner(func() *ecdsa.PrivateKey { made, _ := makeKeys(); return made["p256"].(*ecdsa.PrivateKey) }(), "https://example.com/issuers/2#k")
	for name, row := range map[string]struct {
		c    openbadges.AchievementCredential
		s    credential.Securing
		want error // nil for an error of another package
	}{
		"nothing":                          {addressed(), credential.Securing{}, credential.ErrUnsecured},
		"a foreign key among good ones":    {addressed(), credential.Securing{Proofs: []credential.Embedding{{Signer: k.ed}, {Cryptosuite: integrity.ECDSARDFC2019, Signer: foreign}}}, credential.ErrForeignKey},
		"a foreign key around":             {addressed(), credential.Securing{Token: &credential.Enveloping{Signer: foreign}}, credential.ErrForeignKey},
		"a key of another kind":            {addressed(), credential.Securing{Proofs: []credential.Embedding{{Cryptosuite: integrity.ECDSARDFC2019, Signer: k.ed}}}, nil},
		"RSA for an embedded proof":        {addressed(), credential.Securing{Proofs: []credential.Embedding{{Signer: k.rsa}}}, nil},
		"a chain to a proof that is none":  {addressed(), credential.Securing{Proofs: []credential.Embedding{{Signer: k.ed, Previous: []string{"urn:uuid:1"}}}}, nil},
		"a subject without an id in a JWT": {badge(issuerURL), credential.Securing{Token: &credential.Enveloping{Signer: k.p256, KeyID: "https://example.org/k", Profile: jose.OpenBadges}}, nil},
		"a kid that is no URL":             {addressed(), credential.Securing{Token: &credential.Enveloping{Signer: k.p256, KeyID: "key-1", Profile: jose.OpenBadges}}, nil},
		"a signer that answers too little": {addressed(), credential.Securing{Token: &credential.Enveloping{Signer: short{k.p256}, Profile: jose.OpenBadges}}, nil},
	} {
		p, err := credential.Prepare(processor, row.c)
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Secure(t.Context(), row.s)
		if err == nil || row.want != nil && !errors.Is(err, row.want) || out.Document != nil || out.Token != "" {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
	p, err := credential.Prepare(processor, addressed())
	if err != nil {
		t.Fatal(err)
	}
	s := credential.Securing{Token: &credential.Enveloping{Signer: k.p256, Profile: jose.OpenBadges}}
	out, err := p.Secure(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Secure(t.Context(), s); !errors.Is(err, credential.ErrIssued) {
		t.Errorf("err = %v, want ErrIssued", err)
	}
	head, _, _ := strings.Cut(out.Token, ".")
	if text, err := base64.RawURLEncoding.DecodeString(head); err != nil || !strings.Contains(string(text), `"jwk":{"kty":"EC"`) || strings.Contains(string(text), `"d"`) {
		t.Errorf("the header is %s, %v", text, err)
	}
}

type short struct{ integrity.Signer }

func (s short) Sign(ctx context.Context, message []byte) ([]byte, error) {
	signature, err := s.Signer.Sign(ctx, message)
	return signature[1:], err
}

// Each suite and algorithm, so that they can be told apart by what they cost.
func BenchmarkSecure(b *testing.B) {
	k := keysOf(b)
	for _, row := range []struct {
		name string
		s    credential.Securing
	}{
		{"eddsa-rdfc-2022", credential.Securing{Proofs: []credential.Embedding{{Signer: k.ed}}}},
		{"eddsa-jcs-2022", credential.Securing{Proofs: []credential.Embedding{{Cryptosuite: integrity.EdDSAJCS2022, Signer: k.ed}}}},
		{"ecdsa-rdfc-2019-p256", credential.Securing{Proofs: []credential.Embedding{{Cryptosuite: integrity.ECDSARDFC2019, Signer: k.p256}}}},
		{"ecdsa-rdfc-2019-p384", credential.Securing{Proofs: []credential.Embedding{{Cryptosuite: integrity.ECDSARDFC2019, Signer: k.p384}}}},
		{"ecdsa-jcs-2019-p256", credential.Securing{Proofs: []credential.Embedding{{Cryptosuite: integrity.ECDSAJCS2019, Signer: k.p256}}}},
		{"ecdsa-sd-2023", credential.Securing{Proofs: []credential.Embedding{{Cryptosuite: integrity.ECDSASD2023, Signer: k.p256, Mandatory: []string{"/issuer"}}}}},
		{"EdDSA", credential.Securing{Token: &credential.Enveloping{Signer: k.ed, Profile: jose.OpenBadges}}},
		{"ES256", credential.Securing{Token: &credential.Enveloping{Signer: k.p256, Profile: jose.OpenBadges}}},
		{"ES384", credential.Securing{Token: &credential.Enveloping{Signer: k.p384, Profile: jose.OpenBadges}}},
		{"RS256", credential.Securing{Token: &credential.Enveloping{Signer: k.rsa, Profile: jose.OpenBadges}}},
	} {
		row.s.Created = now
		secure := func() credential.Secured {
			p, err := credential.Prepare(processor, addressed())
			if err != nil {
				b.Fatal(err)
			}
			out, err := p.Secure(b.Context(), row.s)
			if err != nil {
				b.Fatal(err)
			}
			return out
		}
		b.Run("sign/"+row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				secure()
			}
		})
		b.Run("verify/"+row.name, func(b *testing.B) {
			out := secure()
			form := []byte(out.Token)
			if row.name == integrity.ECDSASD2023 {
				derived, err := integrity.Derive(processor, parsed(b, string(out.Document)), []string{"", "/issuer"})
				if err != nil {
					b.Fatal(err)
				}
				form = []byte(mustJSON(b, derived))
			} else if out.Document != nil {
				form = out.Document
			}
			pages := k.pages
			b.ReportAllocs()
			for b.Loop() {
				if r, err := verifier(pages).Verify(b.Context(), form, credential.Options{}); err != nil || row.s.Token == nil && !r.Verified {
					b.Fatal(err, mustJSON(b, r))
				}
			}
		})
	}
}
