package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/badge-engine/badge-engine/app/engine"
)

// TestNoBadgeMakesTheServerAskAPrivateAddress has badges of every kind point at a port of
// this machine, in every place where a badge may point at something. Nobody may knock
// there, nothing may be verified, and nothing may break.
func TestNoBadgeMakesTheServerAskAPrivateAddress(t *testing.T) {
	var knocks atomic.Int64
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			knocks.Add(1)
			conn.Close()
		}
	}()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	part := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b64(data)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	issuer := "did:jwk:" + part(map[string]any{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])})
	type doc = map[string]any
	// token is a badge whose signature is good, so that all that it points at is looked at.
	token := func(kid string, more doc) string {
		payload := doc{
			"@context": []any{"https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json", "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"},
			"id":       "urn:uuid:0198f2a0-0000-7000-8000-000000000001", "type": []any{"VerifiableCredential", "OpenBadgeCredential"}, "name": "Teamwork", "validFrom": "2026-01-01T00:00:00Z",
			"issuer": doc{"id": issuer, "type": []any{"Profile"}}, "credentialSubject": doc{"id": "did:example:1", "type": []any{"AchievementSubject"}, "achievement": doc{
				"id": "urn:uuid:0198f2a0-0000-7000-8000-000000000002", "type": []any{"Achievement"}, "name": "Teamwork", "description": "d", "criteria": doc{"narrative": "n"}}},
			"iss": issuer, "sub": "did:example:1", "jti": "urn:uuid:0198f2a0-0000-7000-8000-000000000001", "nbf": 1767225600,
		}
		for name, value := range more {
			payload[name] = value
		}
		text := part(doc{"alg": "ES256", "kid": kid}) + "." + part(payload)
		sum := sha256.Sum256([]byte(text))
		r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return text + "." + b64(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
	}
	good := token(issuer+"#0", nil)
	h := boot(t, nil)
	verify := func(body any, kind string) (answer, bool) {
		t.Helper()
		a := h.send("POST", "/api/v1/verify", body, "Authorization", "", "Content-Type", kind)
		var r struct{ Verified bool }
		if a.status == 200 {
			a.into(t, &r)
		}
		return a, r.Verified
	}
	if a, verified := verify([]byte(good), "text/plain"); !verified {
		t.Fatalf("the good one: %d: %s", a.status, a.body)
	}

	for _, at := range []string{"https://127.0.0.1:" + port, "http://127.0.0.1:" + port, "https://localhost:" + port, "https://[::ffff:127.0.0.1]:" + port, "https://2130706433:" + port, "https://0.0.0.0:" + port, "https://127.1:" + port} {
		web := "did:web:" + strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(at, "https://"), "http://"), ":", "%3A")
		proof := doc{"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "proofPurpose": "assertionMethod", "proofValue": "z41ZsNkz78FHSGkAD5J4b8EN49DkywMMJSL3UdUNffbsCAWmTLPvtnJpd3JGGooYX7TNrzgsTLkXUWiGsRRZ788ML"}
		embedded := func(method string) doc {
			p := doc{"verificationMethod": method}
			for name, value := range proof {
				p[name] = value
			}
			return doc{"@context": []any{"https://www.w3.org/ns/credentials/v2"}, "type": []any{"VerifiableCredential"}, "issuer": at, "credentialSubject": doc{"name": "x"}, "proof": p}
		}
		hosted := doc{"@context": "https://w3id.org/openbadges/v2", "type": "Assertion", "id": at + "/a", "badge": at + "/b", "issuedOn": "2026-01-01T00:00:00Z",
			"recipient": doc{"type": "email", "hashed": false, "identity": "a@example.org"}, "verification": doc{"type": "HostedBadge"}}
		signed := doc{"@context": "https://w3id.org/openbadges/v2", "type": "Assertion", "id": "urn:uuid:1", "badge": doc{"type": "BadgeClass", "id": "urn:uuid:2", "issuer": at + "/i"},
			"issuedOn": "2026-01-01T00:00:00Z", "verification": doc{"type": "SignedBadge", "creator": at + "/k"}}
		for name, body := range map[string]any{
			"an address":                 doc{"url": at + "/badge"},
			"the key of a token":         doc{"verifiableCredential": token(at+"/key", nil)},
			"did:web of a token":         doc{"verifiableCredential": token(web+"#k", nil)},
			"the key of a proof":         embedded(at + "/key"),
			"a Multikey of a proof":      embedded(at + "/issuer#z6MkjZRZv3aez3r18pB1RBFJR1kwUVJ5jHt92JmQwXbd5hwi"),
			"did:web of a proof":         embedded(web + "#k"),
			"did:web with a path":        embedded(web + ":..:..:x#k"),
			"a status list":              doc{"verifiableCredential": token(issuer+"#0", doc{"credentialStatus": doc{"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "1", "statusListCredential": at + "/s"}})},
			"a revocation list":          doc{"verifiableCredential": token(issuer+"#0", doc{"credentialStatus": doc{"type": "1EdTechRevocationList", "id": at + "/s"}})},
			"a schema":                   doc{"verifiableCredential": token(issuer+"#0", doc{"credentialSchema": []any{doc{"type": "1EdTechJsonSchemaValidator2019", "id": at + "/s"}}})},
			"an endorsement's key":       doc{"verifiableCredential": token(issuer+"#0", doc{"endorsement": []any{embedded(at + "/key")}})},
			"an endorsement's token":     doc{"verifiableCredential": token(issuer+"#0", doc{"endorsementJwt": []any{token(at+"/key", nil)}})},
			"a hosted assertion":         hosted,
			"a signed assertion":         doc{"verifiableCredential": part(doc{"alg": "RS256"}) + "." + part(signed) + ".AAAA"},
			"the picture of an SVG's id": []byte(`<svg xmlns="http://www.w3.org/2000/svg" xmlns:o="http://openbadges.org"><o:assertion verify="` + at + `/a"/></svg>`),
		} {
			kind := "application/json"
			if _, picture := body.([]byte); picture {
				kind = "image/svg+xml"
			}
			a, verified := verify(body, kind)
			if verified || a.status >= 500 {
				t.Errorf("%s at %s: %d: %s", name, at, a.status, a.body)
			}
		}
		// Whatever comes of a refresh says nothing against a badge: it is judged as it is.
		if a, verified := verify(doc{"verifiableCredential": token(issuer+"#0", doc{"refreshService": doc{"type": "1EdTechCredentialRefresh", "id": at + "/r"}})}, "application/json"); !verified {
			t.Errorf("a refresh service at %s: %s", at, a.body)
		}
		a := h.send("POST", "/vc/credentials/verify", doc{"verifiableCredential": embedded(at + "/key")}, "Authorization", "")
		if a.status != 400 {
			t.Errorf("the VC API at %s: %d: %s", at, a.status, a.body)
		}
	}
	if n := knocks.Load(); n != 0 {
		t.Errorf("the server knocked %d times at a private address", n)
	}
	// That it would be heard: with the guard off it does knock.
	open := boot(t, func(cfg *engine.Config) { cfg.Fetch.AllowPrivate, cfg.Fetch.AllowHTTP = true, true })
	open.send("POST", "/api/v1/verify", doc{"url": "http://127.0.0.1:" + port + "/badge"}, "Authorization", "")
	if knocks.Load() == 0 {
		t.Error("a knock is not heard")
	}
}
