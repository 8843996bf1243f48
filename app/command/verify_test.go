package command

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// kit makes badges of every kind by hand, with nothing of ours: what is verified here
// must not be made by what verifies it.
type kit struct {
	t   *testing.T
	ec  *ecdsa.PrivateKey
	rsa *rsa.PrivateKey
}

func (k kit) part(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		k.t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// did is a did:jwk, whose key is in its name.
func (k kit) did() string {
	point, err := k.ec.PublicKey.Bytes()
	if err != nil {
		k.t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	return "did:jwk:" + k.part(map[string]any{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])})
}

func (k kit) es256(payload map[string]any) string {
	text := k.part(map[string]any{"alg": "ES256", "kid": k.did() + "#0", "typ": "JWT"}) + "." + k.part(payload)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, k.ec, sum[:])
	if err != nil {
		k.t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

func (k kit) rs256(payload map[string]any) string {
	text := k.part(map[string]any{"alg": "RS256"}) + "." + k.part(payload)
	sum := sha256.Sum256([]byte(text))
	s, err := rsa.SignPKCS1v15(nil, k.rsa, crypto.SHA256, sum[:])
	if err != nil {
		k.t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(s)
}

// swap puts another payload into a token and keeps its signature.
func (k kit) swap(token, from, to string) string {
	parts := strings.Split(token, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || !bytes.Contains(payload, []byte(from)) {
		k.t.Fatalf("no %q in %s: %v", from, payload, err)
	}
	parts[1] = base64.RawURLEncoding.EncodeToString(bytes.Replace(payload, []byte(from), []byte(to), 1))
	return strings.Join(parts, ".")
}

// edited changes a word in the text chunk of a PNG, and mends the checksum as one who
// forges would.
func edited(t *testing.T, picture []byte, from, to string) []byte {
	t.Helper()
	out := append([]byte(nil), picture[:8]...)
	for rest := picture[8:]; len(rest) > 0; {
		n := binary.BigEndian.Uint32(rest)
		body := append([]byte(nil), rest[4:8+n]...)
		if string(body[:4]) == "iTXt" {
			if len(from) != len(to) || !bytes.Contains(body, []byte(from)) {
				t.Fatalf("no %q in the chunk", from)
			}
			body = bytes.Replace(body, []byte(from), []byte(to), 1)
		}
		out = binary.BigEndian.AppendUint32(out, n)
		out = binary.BigEndian.AppendUint32(append(out, body...), crc32.ChecksumIEEE(body))
		rest = rest[12+n:]
	}
	return out
}

func replaced(t *testing.T, data []byte, from, to string) []byte {
	t.Helper()
	if !bytes.Contains(data, []byte(from)) {
		t.Fatalf("no %q in %.300s", from, data)
	}
	return bytes.Replace(data, []byte(from), []byte(to), 1)
}

func file(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestVerifyExplainsWhatIsBroken has of every kind of badge a good one and one that was
// broken by hand, and wants to read what is broken.
func TestVerifyExplainsWhatIsBroken(t *testing.T) {
	demo := filepath.Join(t.TempDir(), "demo")
	var out, errs bytes.Buffer
	t.Chdir(t.TempDir())
	if code := Run(t.Context(), []string{"demo", "--out", demo}, &out, &errs); code != 0 {
		t.Fatalf("the demo ended with %d: %s%s", code, &out, &errs)
	}
	document, png, svg := file(t, demo+"/credential.json"), file(t, demo+"/badge.png"), file(t, demo+"/badge.svg")

	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	k := kit{t, ec, private}
	const v1, v2, ob = "https://www.w3.org/2018/credentials/v1", "https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
	subject := func() map[string]any {
		return map[string]any{"id": "mailto:ada@example.org", "type": []any{"AchievementSubject"}, "achievement": map[string]any{
			"id": "https://academy.example.org/achievements/1", "type": []any{"Achievement"}, "name": "Teamwork", "description": "d", "criteria": map[string]any{"narrative": "n"}}}
	}
	issuer := map[string]any{"id": k.did(), "type": []any{"Profile"}, "name": "Academy"}
	const id = "urn:uuid:0198f2a0-0000-7000-8000-000000000001"
	token := k.es256(map[string]any{"@context": []any{v2, ob}, "id": id, "type": []any{"VerifiableCredential", "OpenBadgeCredential"}, "name": "Teamwork", "issuer": issuer,
		"validFrom": "2026-01-01T00:00:00Z", "credentialSubject": subject(), "iss": k.did(), "sub": "mailto:ada@example.org", "jti": id, "nbf": 1767225600})
	former := k.es256(map[string]any{"iss": k.did(), "sub": "mailto:ada@example.org", "jti": id, "nbf": 1767225600, "vc": map[string]any{
		"@context": []any{v1, ob}, "id": id, "type": []any{"VerifiableCredential", "OpenBadgeCredential"}, "name": "Teamwork", "issuer": issuer, "issuanceDate": "2026-01-01T00:00:00Z", "credentialSubject": subject()}})
	endorsement := k.es256(map[string]any{"@context": []any{v2, ob}, "id": id, "type": []any{"VerifiableCredential", "EndorsementCredential"}, "name": "Well done", "issuer": issuer,
		"validFrom": "2026-01-01T00:00:00Z", "credentialSubject": map[string]any{"id": "https://academy.example.org/achievements/1", "type": []any{"EndorsementSubject"}},
		"iss": k.did(), "sub": "https://academy.example.org/achievements/1", "jti": id, "nbf": 1767225600})

	// Open Badges 2.0 lives on a host of its own, here on this machine.
	pages := map[string]any{}
	gone := map[string]any{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.Path]
		if said, withdrawn := gone[r.URL.Path]; withdrawn {
			w.WriteHeader(http.StatusGone)
			page, ok = said, true
		} else if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		_ = json.NewEncoder(w).Encode(page)
	}))
	defer server.Close()
	t.Setenv("FETCH_ALLOW_PRIVATE", "true")
	t.Setenv("FETCH_ALLOW_HTTP", "true")
	at := server.URL
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	const context = "https://w3id.org/openbadges/v2"
	pages["/issuer"] = map[string]any{"@context": context, "type": "Issuer", "id": at + "/issuer", "name": "Academy", "url": at, "email": "a@example.org", "publicKey": at + "/key"}
	pages["/class"] = map[string]any{"@context": context, "type": "BadgeClass", "id": at + "/class", "name": "Teamwork", "description": "d", "image": at + "/i.png", "criteria": at + "/criteria", "issuer": at + "/issuer"}
	pages["/key"] = map[string]any{"@context": context, "type": "CryptographicKey", "id": at + "/key", "owner": at + "/issuer", "publicKeyPem": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))}
	hosted := func(path string) map[string]any {
		return map[string]any{"@context": context, "type": "Assertion", "id": at + path, "badge": at + "/class", "issuedOn": "2026-01-01T00:00:00Z",
			"recipient": map[string]any{"type": "email", "hashed": false, "identity": "ada@example.org"}, "verification": map[string]any{"type": "HostedBadge"}}
	}
	pages["/assertion"] = hosted("/assertion")
	gone["/withdrawn"] = map[string]any{"id": at + "/withdrawn", "revoked": true, "revocationReason": "Issued by mistake"}
	text := func(v any) []byte {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	signedDocument := hosted("")
	signedDocument["id"], signedDocument["verification"] = id, map[string]any{"type": "SignedBadge", "creator": at + "/key"}
	signed := k.rs256(signedDocument)
	plain := []byte(`<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h1"/></svg>`)
	baked := func(body string) []byte {
		return replaced(t, replaced(t, plain, "<svg ", `<svg xmlns:openbadges="http://openbadges.org" `), "</svg>", body+"</svg>")
	}

	for name, row := range map[string]struct {
		good, broken []byte
		says         string
	}{
		"a document":                            {document, replaced(t, document, "First Steps", "Final Steps"), "✗ proof         The signature does not fit"},
		"a document with a term of its own":     {document, replaced(t, document, `"name":`, `"grade":"A","name":`), `at /grade`},
		"a document without its proof":          {document, replaced(t, document, `"proof"`, `"termsOfUse"`), "✗ proof         The document has no proof"},
		"a document cut in half":                {document, document[:len(document)/2], "This cannot be read as a badge"},
		"a PNG":                                 {png, edited(t, png, "First Steps", "Final Steps"), "The signature does not fit"},
		"a PNG with a bit that fell over":       {png, replaced(t, png, "First Steps", "Final Steps"), "The picture is damaged"},
		"an SVG":                                {svg, replaced(t, svg, "First Steps", "Final Steps"), "The signature does not fit"},
		"a token":                               {[]byte(token), []byte(k.swap(token, "Teamwork", "Teamwerk")), "✗ proof         The signature does not fit: the token was changed"},
		"a token whose claims contradict":       {[]byte(token), []byte(k.es256(contradiction(t, token))), "The claim iss is not the issuer of the credential"},
		"a token of the former data model":      {[]byte(former), []byte(k.swap(former, "Teamwork", "Teamwerk")), "The signature does not fit"},
		"an endorsement":                        {[]byte(endorsement), []byte(k.swap(endorsement, "Well done", "Very well")), "The signature does not fit"},
		"an assertion":                          {text(hosted("/assertion")), replaced(t, text(hosted("/assertion")), "ada@", "bob@"), "at /recipient/identity: This copy was changed"},
		"an assertion that was withdrawn":       {text(hosted("/assertion")), text(hosted("/withdrawn")), `The issuer revoked it: "Issued by mistake"`},
		"an assertion that nobody publishes":    {text(hosted("/assertion")), text(hosted("/none")), "? hosted        The address at which its issuer publishes it could not be asked"},
		"a signed assertion":                    {[]byte(signed), []byte(k.swap(signed, "ada@", "bob@")), "The signature does not fit"},
		"an SVG of Open Badges 2.0":             {baked(`<openbadges:assertion verify="` + signed + `"/>`), baked(`<openbadges:assertion verify="` + k.swap(signed, "ada@", "bob@") + `"/>`), "The signature does not fit"},
		"an SVG that holds no more than a name": {baked(`<openbadges:assertion verify="` + at + `/assertion"/>`), baked(`<openbadges:assertion verify="` + at + `/withdrawn"/>`), "The issuer revoked it"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, data := range map[string][]byte{"good": row.good, "broken": row.broken} {
				if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var out, errs bytes.Buffer
			if code := Run(t.Context(), []string{"verify", filepath.Join(dir, "good")}, &out, &errs); code != 0 || !strings.HasPrefix(out.String(), "Verified: ") {
				t.Errorf("the good one ended with %d:\n%s%s", code, &out, &errs)
			}
			out.Reset()
			errs.Reset()
			code := Run(t.Context(), []string{"verify", filepath.Join(dir, "broken")}, &out, &errs)
			if said := out.String() + errs.String(); code != 1 || strings.Contains(said, "\nVerified") || !strings.Contains(said, row.says) {
				t.Errorf("the broken one ended with %d and does not say %q:\n%s", code, row.says, said)
			}
		})
	}
	out.Reset()
	if code := Run(t.Context(), []string{"verify", at + "/assertion", "--recipient", "ada@example.org"}, &out, &errs); code != 0 {
		t.Errorf("an address ended with %d: %s%s", code, &out, &errs)
	}
}

// contradiction is what a token holds, with another issuer in its claims.
func contradiction(t *testing.T, token string) map[string]any {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	claims["iss"] = "https://harvard.example"
	return claims
}
