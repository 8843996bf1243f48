package credential_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

const issuerURL = "https://example.org/issuers/1"

// page is the document at an issuer's address.
func page(t testing.TB, id string, multikeys ...string) string {
	t.Helper()
	doc, err := did.NewDocument(id, multikeys...)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sign signs any document, as an issuer without our lint would.
func sign(t testing.TB, document map[string]any, suite string, signer integrity.Signer) string {
	t.Helper()
	proof, err := integrity.Create(t.Context(), processor, suite, signer, document, integrity.Options{Created: now})
	if err != nil {
		t.Fatal(err)
	}
	proofs, _ := document["proof"].([]any)
	document["proof"] = append(proofs, parsed(t, mustJSON(t, proof)))
	return mustJSON(t, document)
}

// disclosed is the part of a badge with a base proof that a holder shows.
func disclosed(t testing.TB, base string, pointers ...string) string {
	t.Helper()
	derived, err := integrity.Derive(processor, parsed(t, base), append(pointers, "/issuer", "/validFrom"))
	if err != nil {
		t.Fatal(err)
	}
	return mustJSON(t, derived)
}

func mustJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parsed(t testing.TB, text string) map[string]any {
	t.Helper()
	v, err := strictjson.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v.(map[string]any)
}

func unsigned(t testing.TB, issuer string) map[string]any {
	t.Helper()
	return parsed(t, mustJSON(t, badge(issuer)))
}

func TestVerifyDocuments(t *testing.T) {
	private, multikey := key(t, "a")
	foreign, foreignKey := key(t, "b")
	self := did.KeyDID(multikey)
	selfSigner := integrity.NewEd25519Signer(private, self+"#"+multikey)
	signer := integrity.NewEd25519Signer(private, issuerURL+"#"+multikey)
	good := string(issued(t, badge(self), private, multikey))
	hosted := string(issued(t, badge(issuerURL), private, multikey))
	listed := map[string]string{issuerURL: page(t, issuerURL, multikey)}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p256Key, err := did.EncodeMultikey(&p256.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	base := sign(t, unsigned(t, did.KeyDID(p256Key)), integrity.ECDSASD2023, integrity.NewECDSASigner(p256, did.KeyDID(p256Key)+"#"+p256Key))
	with := func(change func(map[string]any)) string {
		document := unsigned(t, self)
		change(document)
		return sign(t, document, integrity.EdDSARDFC2022, selfSigner)
	}
	after := func(change func(proof map[string]any)) string {
		document := parsed(t, good)
		change(document["proof"].([]any)[0].(map[string]any))
		return mustJSON(t, document)
	}
	for name, row := range map[string]struct {
		badge     string
		pages     map[string]string
		recipient string
		want      string // failures, doubts and warnings
	}{
		"a badge under did:key":                        {badge: good},
		"a badge under the issuer's address":           {badge: hosted, pages: listed},
		"the same with white space around":             {badge: "\n " + good + "\r\n"},
		"the recipient by e-mail":                      {badge: good, recipient: "A@Example.com"},
		"another recipient":                            {badge: good, recipient: "b@example.com", want: "recipient failed"},
		"the recipient by the subject's id":            {badge: with(func(d map[string]any) { d["credentialSubject"].(map[string]any)["id"] = "did:example:1" }), recipient: "did:example:1"},
		"the issuer's address does not answer":         {badge: hosted, want: "issuer failed"},
		"the issuer does not list the key":             {badge: hosted, pages: map[string]string{issuerURL: page(t, issuerURL, foreignKey)}, want: "issuer failed"},
		"a name was changed":                           {badge: strings.Replace(good, "Teamwork", "Leadership", 1), want: "proof failed"},
		"the date of the proof was changed":            {badge: strings.Replace(good, "2026-06-01T12:00:00Z", "2026-06-01T12:00:01Z", 1), want: "proof failed"},
		"a term was added that no context defines":     {badge: strings.Replace(good, `"name":"Teamwork"`, `"goldStar":"yes","name":"Teamwork"`, 1), want: "context failed, proof failed"},
		"a term was added to the proof":                {badge: after(func(p map[string]any) { p["goldStar"] = "yes" }), want: "proof failed"},
		"a key of another under the issuer's did:key":  {badge: sign(t, unsigned(t, self), integrity.EdDSARDFC2022, integrity.NewEd25519Signer(foreign, self+"#"+multikey)), want: "proof failed"},
		"a key of another in another's name":           {badge: sign(t, unsigned(t, self), integrity.EdDSARDFC2022, integrity.NewEd25519Signer(foreign, did.KeyDID(foreignKey)+"#"+foreignKey)), want: "issuer failed"},
		"did:key under the issuer's address":           {badge: sign(t, unsigned(t, issuerURL), integrity.EdDSARDFC2022, selfSigner), pages: listed, want: "issuer failed"},
		"no proof":                                     {badge: mustJSON(t, unsigned(t, self)), want: "proof failed"},
		"a proof that is null":                         {badge: strings.Replace(good, `"proof":[`, `"proof":null,"termsOfUse":[`, 1), want: "rules failed, proof failed"},
		"a proof for authentication":                   {badge: after(func(p map[string]any) { p["proofPurpose"] = "authentication" }), want: "proof failed"},
		"a proof without a method":                     {badge: after(func(p map[string]any) { delete(p, "verificationMethod") }), want: "proof failed"},
		"a proof without a value":                      {badge: after(func(p map[string]any) { delete(p, "proofValue") }), want: "proof failed"},
		"a proof in another base":                      {badge: after(func(p map[string]any) { p["proofValue"] = "uAAAA" }), want: "proof failed"},
		"a proof of an unknown cryptosuite":            {badge: after(func(p map[string]any) { p["cryptosuite"] = "bbs-2023" }), want: "proof unknown"},
		"a proof of an unknown type":                   {badge: after(func(p map[string]any) { p["type"] = "RsaSignature2018" }), want: "proof unknown"},
		"a proof of a suite that does not fit its key": {badge: after(func(p map[string]any) { p["cryptosuite"] = "ecdsa-rdfc-2019" }), want: "proof failed"},
		"a proof that expired":                         {badge: after(func(p map[string]any) { p["expires"] = "2026-01-01T00:00:00Z" }), want: "proof failed"},
		"a good proof and one of an unknown cryptosuite": {badge: func() string {
			d := parsed(t, good)
			d["proof"] = append(d["proof"].([]any), parsed(t, `{"type":"DataIntegrityProof","cryptosuite":"bbs-2023","proofPurpose":"assertionMethod","verificationMethod":"did:key:z#z","proofValue":"uAA"}`))
			return mustJSON(t, d)
		}(), want: "proof warning"},
		"a good proof and a broken one": {badge: func() string {
			d := parsed(t, good)
			p := parsed(t, mustJSON(t, d["proof"].([]any)[0]))
			p["created"] = "2026-06-02T00:00:00Z"
			d["proof"] = append(d["proof"].([]any), p)
			return mustJSON(t, d)
		}(), want: "proof failed"},
		"two good proofs by different suites":               {badge: sign(t, parsed(t, good), integrity.EdDSAJCS2022, selfSigner)},
		"a proof by a stranger beside the issuer's":         {badge: sign(t, parsed(t, good), integrity.EdDSARDFC2022, integrity.NewEd25519Signer(foreign, did.KeyDID(foreignKey)+"#"+foreignKey))},
		"a proof by ecdsa-rdfc-2019":                        {badge: sign(t, unsigned(t, did.KeyDID(p256Key)), integrity.ECDSARDFC2019, integrity.NewECDSASigner(p256, did.KeyDID(p256Key)+"#"+p256Key))},
		"a proof by ecdsa-jcs-2019":                         {badge: sign(t, unsigned(t, did.KeyDID(p256Key)), integrity.ECDSAJCS2019, integrity.NewECDSASigner(p256, did.KeyDID(p256Key)+"#"+p256Key))},
		"a derived proof by ecdsa-sd-2023":                  {badge: disclosed(t, base, "/credentialSubject", "/name")},
		"a derived proof that hides what the rules ask for": {badge: disclosed(t, base, "/credentialSubject/achievement/name"), want: "rules failed"},
		"a derived proof with another name in it":           {badge: strings.Replace(disclosed(t, base, "/credentialSubject", "/name"), "Teamwork", "Leadership", 1), want: "proof failed"},
		"a base proof, which is for the holder alone":       {badge: base, want: "proof failed"},
		"a base proof beside a proof for everybody":         {badge: sign(t, parsed(t, base), integrity.ECDSARDFC2019, integrity.NewECDSASigner(p256, did.KeyDID(p256Key)+"#"+p256Key)), want: "proof warning"},
		"an undefined term under a JCS proof": {badge: func() string {
			d := unsigned(t, self)
			d["goldStar"] = "yes"
			return sign(t, d, integrity.EdDSAJCS2022, selfSigner)
		}(), want: "context failed"},
		"it begins tomorrow":     {badge: with(func(d map[string]any) { d["validFrom"] = "2026-06-02T00:00:00Z" }), want: "dates failed"},
		"it expired":             {badge: with(func(d map[string]any) { d["validUntil"] = "2026-05-31T00:00:00Z" }), want: "dates failed"},
		"it expires later today": {badge: with(func(d map[string]any) { d["validUntil"] = "2026-06-01T18:00:00+05:30" })},
		"a date without a zone":  {badge: with(func(d map[string]any) { d["validFrom"] = "2026-01-01T00:00:00" }), want: "rules failed, dates failed"},
		"the schema of the standard": {badge: with(func(d map[string]any) {
			schemaOf(d, "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json")
		})},
		"a schema of its own":                      {badge: with(func(d map[string]any) { schemaOf(d, "https://example.org/schema.json") }), want: "schema unknown"},
		"a rule of the data model is broken":       {badge: with(func(d map[string]any) { delete(d["credentialSubject"].(map[string]any), "identifier") }), want: "rules failed"},
		"a key at an address that does not answer": {badge: sign(t, unsigned(t, issuerURL), integrity.EdDSARDFC2022, integrity.NewEd25519Signer(private, issuerURL+"#key-1")), want: "proof unknown"},
		"a key under did:web": {badge: sign(t, unsigned(t, "did:web:example.org"), integrity.EdDSARDFC2022, integrity.NewEd25519Signer(private, "did:web:example.org#key-1")),
			pages: map[string]string{"https://example.org/.well-known/did.json": `{"id":"did:web:example.org","assertionMethod":["did:web:example.org#key-1"],"verificationMethod":[{"id":"did:web:example.org#key-1","type":"Multikey","controller":"did:web:example.org","publicKeyMultibase":"` + multikey + `"}]}`}},
		"a key that was revoked": {badge: sign(t, unsigned(t, issuerURL), integrity.EdDSARDFC2022, signer),
			pages: map[string]string{issuerURL: `{"id":"` + issuerURL + `","assertionMethod":[{"id":"#` + multikey + `","type":"Multikey","controller":"` + issuerURL + `","publicKeyMultibase":"` + multikey + `","revoked":"2026-05-01T00:00:00Z"}]}`}, want: "proof failed"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := verifier(row.pages).Verify(t.Context(), []byte(row.badge), credential.Options{Recipient: row.recipient})
			if err != nil {
				t.Fatal(err)
			}
			failed := bad(row.want)
			if outcomes(r) != row.want || r.Verified == failed || failed != (len(r.Problems) > 0) {
				t.Errorf("verified %t, outcomes %q, want %q\n%s", r.Verified, outcomes(r), row.want, mustJSON(t, r))
			}
			names := make([]string, len(r.Checks))
			for i, c := range r.Checks {
				names[i] = c.Name
			}
			if got := strings.Join(names, " "); got != "parse context rules proof issuer refresh dates status schema recipient endorsements" {
				t.Errorf("the checks are %s", got)
			}
		})
	}
}

// bad tells outcomes that keep a badge from being verified.
func bad(want string) bool {
	return strings.Contains(want, "failed") || strings.Contains(want, "unknown")
}

func schemaOf(d map[string]any, id string) {
	d["credentialSchema"] = []any{map[string]any{"id": id, "type": "1EdTechJsonSchemaValidator2019"}}
	d["@context"] = append(d["@context"].([]any), openbadges.ExtensionsContext)
}

// The sample of the standard, whose figures are known.
func TestVerifyThePublishedSimpleBadge(t *testing.T) {
	const sample = `{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],"id":"http://example.com/credentials/3527","type":["VerifiableCredential","OpenBadgeCredential"],"issuer":{"id":"https://example.com/issuers/876543","type":["Profile"],"name":"Example Corp"},"validFrom":"2010-01-01T00:00:00Z","name":"Teamwork Badge","credentialSubject":{"id":"did:example:ebfeb1f712ebc6f1c276e12ec21","type":["AchievementSubject"],"achievement":{"id":"https://example.com/achievements/21st-century-skills/teamwork","type":["Achievement"],"criteria":{"narrative":"Team members are nominated for this badge by their peers and recognized upon review by Example Corp management."},"description":"This badge recognizes the development of the capacity to collaborate within a group environment.","name":"Teamwork"}}}`
	const multikey = "z6MkjZRZv3aez3r18pB1RBFJR1kwUVJ5jHt92JmQwXbd5hwi"
	const issuer = "https://example.com/issuers/876543"
	document := parsed(t, sample)
	config := parsed(t, `{"type":"DataIntegrityProof","created":"2010-01-01T19:23:24Z","verificationMethod":"`+issuer+"#"+multikey+`","cryptosuite":"eddsa-rdfc-2022","proofPurpose":"assertionMethod"}`)
	config["@context"] = document["@context"]
	for want, doc := range map[string]map[string]any{
		"5a43ed5b537b74f4e4660666cfe81da954dcdea9f599b82cf006a7ba26182369": document,
		"896dbd843ce6394ba0f154e0a452ab575efe641e9909aa343aac35ad3bbdd880": config,
	} {
		canonical, err := processor.Canonicalize(doc)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(canonical)); got != want {
			t.Errorf("the hash is %s, want %s, of\n%s", got, want, canonical)
		}
	}
	delete(config, "@context")
	config["proofValue"] = "z41ZsNkz78FHSGkAD5J4b8EN49DkywMMJSL3UdUNffbsCAWmTLPvtnJpd3JGGooYX7TNrzgsTLkXUWiGsRRZ788ML"
	document["proof"] = []any{config}
	r, err := verifier(map[string]string{issuer: page(t, issuer, multikey)}).Verify(t.Context(), []byte(mustJSON(t, document)), credential.Options{})
	if err != nil || !r.Verified {
		t.Errorf("the report is %s, %v", mustJSON(t, r), err)
	}
	if r.Issuer != (credential.Party{ID: issuer, Name: "Example Corp"}) || r.Achievement.Name != "Teamwork" || r.ValidFrom != "2010-01-01T00:00:00Z" || r.Name != "Teamwork Badge" {
		t.Errorf("the summary is %s", mustJSON(t, r))
	}
}

// token makes a compact JWS.
func token(t testing.TB, header, payload map[string]any, sign func(text []byte) []byte) string {
	t.Helper()
	b64 := base64.RawURLEncoding.EncodeToString
	text := b64([]byte(mustJSON(t, header))) + "." + b64([]byte(mustJSON(t, payload)))
	return text + "." + b64(sign([]byte(text)))
}

func p1363(t testing.TB, key *ecdsa.PrivateKey, sum []byte) []byte {
	t.Helper()
	r, s, err := ecdsa.Sign(rand.Reader, key, sum)
	if err != nil {
		t.Fatal(err)
	}
	size := (key.Curve.Params().BitSize + 7) / 8
	return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
}

func jwk(t testing.TB, pub crypto.PublicKey) map[string]any {
	t.Helper()
	j, err := did.NewJWK(pub)
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, mustJSON(t, j))
}

func TestVerifyTokens(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edKey, edMultikey := key(t, "a")
	const kid = issuerURL + "/keys/1"
	rs256 := func(text []byte) []byte {
		sum := sha256.Sum256(text)
		signature, err := rsa.SignPKCS1v15(nil, rsaKey, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
	es256 := func(text []byte) []byte {
		sum := sha256.Sum256(text)
		return p1363(t, ecKey, sum[:])
	}
	edDSA := func(text []byte) []byte { return ed25519.Sign(edKey, text) }
	rsaPage := map[string]string{kid: mustJSON(t, jwk(t, &rsaKey.PublicKey))}
	ecPage := map[string]string{kid: mustJSON(t, jwk(t, &ecKey.PublicKey))}
	claims := func(more map[string]any, without ...string) map[string]any {
		p := unsigned(t, issuerURL)
		p["credentialSubject"].(map[string]any)["id"] = "did:example:1"
		p["iss"], p["sub"], p["jti"], p["nbf"] = issuerURL, "did:example:1", p["id"], 1767225600
		for name, value := range more {
			p[name] = value
		}
		for _, name := range without {
			delete(p, name)
		}
		return p
	}
	h := func(alg string, more map[string]any) map[string]any {
		header := map[string]any{"alg": alg, "kid": kid, "typ": "JWT"}
		for name, value := range more {
			if header[name] = value; value == nil {
				delete(header, name)
			}
		}
		return header
	}
	edDID := did.KeyDID(edMultikey)
	old := claims(nil)
	vc := maps(old, "iss", "sub", "jti", "nbf")
	for name, row := range map[string]struct {
		token string
		pages map[string]string
		want  string
	}{
		"RS256 with a kid":                            {token(t, h("RS256", nil), claims(nil), rs256), rsaPage, ""},
		"ES256 with a kid":                            {token(t, h("ES256", nil), claims(nil), es256), ecPage, ""},
		"the W3C profile without registered claims":   {token(t, h("ES256", map[string]any{"typ": "vc+jwt", "cty": "vc"}), claims(nil, "iss", "sub", "jti", "nbf"), es256), ecPage, ""},
		"an issued-at that is a string":               {token(t, h("ES256", nil), claims(map[string]any{"iat": "2026-01-01T00:00:00Z"}), es256), ecPage, ""},
		"the credential in the claim vc":              {token(t, h("ES256", nil), map[string]any{"vc": vc, "iss": issuerURL, "sub": "did:example:1", "jti": old["id"], "nbf": 1767225600}, es256), ecPage, ""},
		"EdDSA by did:key":                            {token(t, h("EdDSA", map[string]any{"kid": edDID + "#" + edMultikey}), claims(map[string]any{"iss": edDID, "issuer": map[string]any{"id": edDID, "type": []any{"Profile"}}}), edDSA), nil, ""},
		"a key in the header that the host publishes": {token(t, h("ES256", map[string]any{"kid": nil, "jwk": jwk(t, &ecKey.PublicKey)}), claims(nil), es256), map[string]string{"https://example.org/.well-known/jwks.json": mustJSON(t, map[string]any{"keys": []any{jwk(t, &ecKey.PublicKey)}})}, ""},
		"a key in the header that nobody publishes":   {token(t, h("ES256", map[string]any{"kid": nil, "jwk": jwk(t, &ecKey.PublicKey)}), claims(nil), es256), nil, "issuer failed"},
		"a key on another host":                       {token(t, h("ES256", map[string]any{"kid": "https://evil.example/k"}), claims(nil), es256), map[string]string{"https://evil.example/k": ecPage[kid]}, "issuer failed"},
		"a private key in the header":                 {token(t, h("ES256", map[string]any{"kid": nil, "jwk": func() map[string]any { j := jwk(t, &ecKey.PublicKey); j["d"] = "AA"; return j }()}), claims(nil), es256), nil, "proof failed"},
		"no algorithm":                                {token(t, h("none", nil), claims(nil), func([]byte) []byte { return []byte{0} }), ecPage, "proof failed"},
		"none in other letters":                       {token(t, h("nOnE", nil), claims(nil), es256), ecPage, "proof failed"},
		"an algorithm that is a number":               {token(t, h("", map[string]any{"alg": 256}), claims(nil), es256), ecPage, "proof failed"},
		"HMAC keyed with the public key": {token(t, h("HS256", nil), claims(nil), func(text []byte) []byte {
			m := hmac.New(sha256.New, []byte(rsaPage[kid]))
			m.Write(text)
			return m.Sum(nil)
		}), rsaPage, "proof failed"},
		"ES256 named, an RSA key published": {token(t, h("ES256", nil), claims(nil), es256), rsaPage, "proof failed"},
		"RS256 named, an EC key published":  {token(t, h("RS256", nil), claims(nil), rs256), ecPage, "proof failed"},
		"a signature in ASN.1": {token(t, h("ES256", nil), claims(nil), func(text []byte) []byte {
			sum := sha256.Sum256(text)
			s, err := ecdsa.SignASN1(rand.Reader, ecKey, sum[:])
			if err != nil {
				t.Fatal(err)
			}
			return s
		}), ecPage, "proof failed"},
		"a signature of zeros":                      {token(t, h("ES256", nil), claims(nil), func([]byte) []byte { return make([]byte, 64) }), ecPage, "proof failed"},
		"a critical extension":                      {token(t, h("ES256", map[string]any{"crit": []any{"b64"}, "b64": true}), claims(nil), es256), ecPage, "proof failed"},
		"a kid that is no URL":                      {token(t, h("ES256", map[string]any{"kid": "key-1"}), claims(nil), es256), ecPage, "proof failed"},
		"a kid that is a number":                    {token(t, h("ES256", map[string]any{"kid": 1}), claims(nil), es256), ecPage, "proof failed"},
		"neither kid nor jwk":                       {token(t, h("ES256", map[string]any{"kid": nil}), claims(nil), es256), ecPage, "proof failed"},
		"a kid that leads to a key set":             {token(t, h("ES256", nil), claims(nil), es256), map[string]string{kid: `{"keys":[` + ecPage[kid] + `]}`}, "proof failed"},
		"another issuer in the claims":              {token(t, h("ES256", nil), claims(map[string]any{"iss": "https://example.org/issuers/2"}), es256), ecPage, "proof failed"},
		"another subject in the claims":             {token(t, h("ES256", nil), claims(map[string]any{"sub": "did:example:2"}), es256), ecPage, "proof failed"},
		"a subject that is an object on both sides": {token(t, h("ES256", nil), claims(map[string]any{"sub": map[string]any{}, "jti": []any{}, "id": []any{}}), es256), ecPage, "context failed, rules failed, proof failed"},
		"another id in the claims":                  {token(t, h("ES256", nil), claims(map[string]any{"jti": "urn:uuid:1"}), es256), ecPage, "proof failed"},
		"another beginning in the claims":           {token(t, h("ES256", nil), claims(map[string]any{"nbf": 1767225601}), es256), ecPage, "proof failed"},
		"no claim about the issuer":                 {token(t, h("ES256", nil), claims(nil, "iss"), es256), ecPage, "proof failed"},
		"no claim about the beginning":              {token(t, h("ES256", nil), claims(nil, "nbf"), es256), ecPage, "proof failed"},
		"the token expired":                         {token(t, h("ES256", nil), claims(map[string]any{"exp": 1767225700}), es256), ecPage, "dates failed"},
		"the token expires before the credential":   {token(t, h("ES256", nil), claims(map[string]any{"exp": 1767225700, "validUntil": "2030-01-01T00:00:00Z"}), es256), ecPage, "dates failed"},
		"the token is good for longer":              {token(t, h("ES256", nil), claims(map[string]any{"exp": 1900000000}), es256), ecPage, ""},
		"the end of the token is a word":            {token(t, h("ES256", nil), claims(map[string]any{"exp": "never"}), es256), ecPage, "proof failed"},
		"an undefined term":                         {token(t, h("ES256", nil), claims(map[string]any{"goldStar": "yes"}), es256), ecPage, "context failed"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := verifier(row.pages).Verify(t.Context(), []byte(row.token+"\n"), credential.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if outcomes(r) != row.want || r.Verified == (row.want != "") || r.Format != "jws" {
				t.Errorf("verified %t, outcomes %q, want %q\n%s", r.Verified, outcomes(r), row.want, mustJSON(t, r))
			}
		})
	}
}

// maps copies a map without some members.
func maps(m map[string]any, without ...string) map[string]any {
	c := map[string]any{}
	for name, value := range m {
		c[name] = value
	}
	for _, name := range without {
		delete(c, name)
	}
	return c
}

func TestVerifyATokenThatWasChanged(t *testing.T) {
	private, multikey := key(t, "a")
	self := did.KeyDID(multikey)
	payload := unsigned(t, self)
	payload["credentialSubject"].(map[string]any)["id"] = "did:example:1"
	good := token(t, map[string]any{"alg": "EdDSA", "kid": self + "#" + multikey, "typ": "vc+jwt"}, payload, func(text []byte) []byte { return ed25519.Sign(private, text) })
	parts := strings.Split(good, ".")
	payload["name"] = "Leadership"
	changed := parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(mustJSON(t, payload))) + "." + parts[2]
	for name, row := range map[string]struct {
		text string
		want bool
	}{"as it was signed": {good, true}, "with another payload": {changed, false}} {
		r, err := verifier(nil).Verify(t.Context(), []byte(row.text), credential.Options{})
		if err != nil || r.Verified != row.want {
			t.Errorf("%s: %s, %v", name, mustJSON(t, r), err)
		}
	}
	enveloped := mustJSON(t, map[string]any{"@context": "https://www.w3.org/ns/credentials/v2", "type": "EnvelopedVerifiableCredential", "id": "data:application/vc+jwt," + good})
	r, err := verifier(nil).Verify(t.Context(), []byte(enveloped), credential.Options{})
	if err != nil || !r.Verified || r.Format != "jws" {
		t.Errorf("in an envelope: %s, %v", mustJSON(t, r), err)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, row := range map[string]struct {
		text   string
		syntax bool
	}{
		"nothing":                         {"", true},
		"white space":                     {" \n", true},
		"half an object":                  {`{"id":`, true},
		"duplicate members":               {`{"id":"a","id":"b"}`, true},
		"nesting without end":             {strings.Repeat(`{"a":`, 10000), true},
		"nesting that ends":               {strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000), true},
		"a list":                          {`[{}]`, true},
		"a string":                        {`"eyJ.eyJ.AA"`, true},
		"text":                            {"hello", true},
		"two parts":                       {"e30.e30", true},
		"a token of lists":                {"W10.W10.AA", true},
		"a token with padding":            {"e30=.e30.AA", true},
		"a token without a signature":     {"e30.e30.", true},
		"a token with duplicates":         {base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","alg":"ES256"}`)) + ".e30.AA", true},
		"a token whose vc is a list":      {"e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"vc":[]}`)) + ".AA", true},
		"an envelope without a token":     {`{"type":"EnvelopedVerifiableCredential","id":"urn:uuid:1"}`, false},
		"an envelope of another kind":     {`{"type":"EnvelopedVerifiableCredential","id":"data:application/vc+cose,AA"}`, false},
		"an envelope in base64":           {`{"type":"EnvelopedVerifiableCredential","id":"data:application/vc+jwt;base64,AA"}`, false},
		"an envelope in an envelope":      {`{"@context":"https://www.w3.org/ns/credentials/v2","type":"EnvelopedVerifiableCredential","id":"data:application/vc+jwt,[]"}`, true},
		"an envelope without a context":   {`{"type":"EnvelopedVerifiableCredential","id":"data:application/vc+jwt,e30.e30.AA"}`, false},
		"more bytes than any credential":  {`{"a":"` + strings.Repeat("x", credential.MaxBytes) + `"}`, false},
		"a line break inside the token":   {"e30.e3\n0.AA", true},
		"bytes that are no UTF-8 at all":  {"{\"a\":\"\xff\"}", true},
		"an object and something after":   {`{} {}`, true},
		"a byte order mark before it all": {"\xef\xbb\xbf{}", true},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := credential.Parse([]byte(row.text))
			var refused *credential.ParseError
			if !errors.As(err, &refused) {
				t.Fatalf("Parse = %v, %v", p, err)
			}
			if refused.Syntax != row.syntax || refused.Problem == "" {
				t.Errorf("the error is %+v", refused)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"id":"a","proof":[{}],"credentialStatus":[{}]}`, "e30.e30.AA", `{"type":"EnvelopedVerifiableCredential","id":"data:application/vc+jwt,e30.e30.AA"}`,
		`{"credentialSubject":{"identifier":{"hashed":1}},"endorsement":[1,{}],"endorsementJwt":["a.b.c",2]}`, "eyJhbGciOiJFUzI1NiIsImtpZCI6ImE6YiJ9.eyJ2YyI6e319.AA"} {
		f.Add([]byte(s))
	}
	v := verifier(nil)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := credential.Parse(data)
		if err != nil {
			var refused *credential.ParseError
			if !errors.As(err, &refused) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		if !json.Valid(p.JSON) || p.Document() == nil {
			t.Fatalf("parsed as %q", p.JSON)
		}
		r, err := v.VerifyParsed(t.Context(), p, credential.Options{Recipient: "a@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		if r.Verified {
			t.Fatalf("what nobody signed is verified: %q", data)
		}
	})
}

// list is a signed status list with one bit set.
func list(t testing.TB, url string, private ed25519.PrivateKey, multikey string, bit int) string {
	t.Helper()
	bits := make([]byte, 16384)
	bits[bit/8] |= 0x80 >> (bit % 8)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(bits); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	issuer := did.KeyDID(multikey)
	return sign(t, map[string]any{
		"@context": []any{"https://www.w3.org/ns/credentials/v2"}, "id": url, "type": []any{"VerifiableCredential", "BitstringStatusListCredential"}, "issuer": issuer, "validFrom": "2026-01-01T00:00:00Z",
		"credentialSubject": map[string]any{"id": url + "#list", "type": "BitstringStatusList", "statusPurpose": "revocation", "encodedList": "u" + base64.RawURLEncoding.EncodeToString(packed.Bytes())},
	}, integrity.EdDSARDFC2022, integrity.NewEd25519Signer(private, issuer+"#"+multikey))
}

func TestVerifyAsksForTheStatus(t *testing.T) {
	private, multikey := key(t, "a")
	const url = "https://example.org/status/3"
	signed := list(t, url, private, multikey, 23)
	stranger, strange := key(t, "b")
	entry := func(index string, more map[string]any) map[string]any {
		e := map[string]any{"id": url + "#" + index, "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": index, "statusListCredential": url}
		for name, value := range more {
			e[name] = value
		}
		return e
	}
	for name, row := range map[string]struct {
		entry any
		page  string
		want  string
	}{
		"not revoked":                   {entry("22", nil), signed, ""},
		"revoked":                       {entry("23", nil), signed, "status failed"},
		"the list does not answer":      {entry("22", nil), "", "status unknown"},
		"the list was changed":          {entry("22", nil), strings.Replace(signed, "2026-01-01", "2026-01-02", 1), "status failed"},
		"the list is not signed":        {entry("22", nil), signed[:strings.Index(signed, `,"proof"`)] + "}", "status failed"},
		"the list is a page of HTML":    {entry("22", nil), "<html>", "status failed"},
		"the list is another thing":     {entry("22", nil), `{"type":"Profile"}`, "status failed"},
		"the list is of another issuer": {entry("22", nil), list(t, url, stranger, strange, 23), "status failed"},
		"the list is another list":      {entry("22", nil), list(t, url+"3", private, multikey, 23), "status failed"},
		"an index behind the end":       {entry("131072", nil), signed, "status failed"},
		"a list of another purpose":     {entry("22", map[string]any{"statusPurpose": "suspension"}), signed, "status failed"},
		"an unknown kind of status":     {map[string]any{"id": url, "type": "1EdTechRevocationList"}, `{"revokedCredential":[]}`, ""},
		"on a 1EdTech revocation list":  {map[string]any{"id": url, "type": "1EdTechRevocationList"}, `{"revokedCredential":[{"id":"https://example.org/credentials/1"}]}`, "status failed"},
		"a 1EdTech list of its own":     {map[string]any{"id": url, "type": "1EdTechRevocationList"}, `{"issuer":"` + did.KeyDID(multikey) + `","revokedCredential":[]}`, ""},
		"a 1EdTech list of another":     {map[string]any{"id": url, "type": "1EdTechRevocationList"}, `{"issuer":"` + did.KeyDID(strange) + `","revokedCredential":[]}`, "status failed"},
		"a 1EdTech list that is no use": {map[string]any{"id": url, "type": "1EdTechRevocationList"}, `[]`, "status unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			self := did.KeyDID(multikey)
			d := unsigned(t, self)
			d["credentialStatus"] = row.entry
			d["@context"] = append(d["@context"].([]any), openbadges.ExtensionsContext)
			pages := map[string]string{}
			if row.page != "" {
				pages[url] = row.page
			}
			badge := sign(t, d, integrity.EdDSARDFC2022, integrity.NewEd25519Signer(private, self+"#"+multikey))
			r, err := verifier(pages).Verify(t.Context(), []byte(badge), credential.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if outcomes(r) != row.want || r.Verified == bad(row.want) {
				t.Errorf("outcomes %q, want %q\n%s", outcomes(r), row.want, mustJSON(t, r))
			}
		})
	}
}

func TestVerifyFetchesNothingForABadgeThatNobodySigned(t *testing.T) {
	_, multikey := key(t, "a")
	d := unsigned(t, did.KeyDID(multikey))
	d["credentialStatus"] = map[string]any{"type": "1EdTechRevocationList", "id": "https://victim.example/"}
	d["endorsement"] = []any{unsigned(t, issuerURL)}
	v := verifier(nil)
	v.Resolver.Fetch = func(_ context.Context, url string) ([]byte, error) {
		t.Errorf("%s was fetched", url)
		return nil, errors.New("no")
	}
	if r, err := v.Verify(t.Context(), []byte(mustJSON(t, d)), credential.Options{}); err != nil || r.Verified {
		t.Errorf("%s, %v", mustJSON(t, r), err)
	}
}

func TestVerifyEndorsements(t *testing.T) {
	private, multikey := key(t, "a")
	other, otherKey := key(t, "b")
	endorser := did.KeyDID(otherKey)
	count := 0
	endorsement := func(about string) map[string]any {
		count++
		d := map[string]any{
			"@context": []any{openbadges.CredentialsContext, openbadges.BadgesContext}, "id": fmt.Sprintf("urn:uuid:0198f2a0-0000-7000-8000-%012d", count),
			"type": []any{"VerifiableCredential", "EndorsementCredential"}, "name": "Well done", "validFrom": "2026-01-01T00:00:00Z",
			"issuer":            map[string]any{"id": endorser, "type": []any{"Profile"}},
			"credentialSubject": map[string]any{"id": about, "type": []any{"EndorsementSubject"}, "endorsementComment": "I know them."},
		}
		return parsed(t, sign(t, d, integrity.EdDSARDFC2022, integrity.NewEd25519Signer(other, endorser+"#"+otherKey)))
	}
	const about = "https://example.org/achievements/1"
	changed := endorsement(about)
	changed["name"] = "Very well done"
	mine := endorsement(about)
	mine["issuer"] = map[string]any{"id": did.KeyDID(multikey), "type": []any{"Profile"}}
	delete(mine, "proof")
	own := parsed(t, sign(t, mine, integrity.EdDSARDFC2022, integrity.NewEd25519Signer(private, did.KeyDID(multikey)+"#"+multikey)))
	jwt := maps(endorsement(about), "proof")
	jws := token(t, map[string]any{"alg": "EdDSA", "kid": endorser + "#" + otherKey, "typ": "vc+jwt"}, jwt, func(text []byte) []byte { return ed25519.Sign(other, text) })
	many := make([]any, 25)
	for i := range many {
		many[i] = endorsement(about)
	}
	for name, row := range map[string]struct {
		member string
		value  any
		want   string
	}{
		"a good one":                 {"endorsement", []any{endorsement(about)}, ""},
		"one without an array":       {"endorsement", endorsement(about), ""},
		"a good one as a token":      {"endorsementJwt", []any{jws}, ""},
		"one that was changed":       {"endorsement", []any{endorsement(about), changed}, "endorsements failed"},
		"a token that was changed":   {"endorsementJwt", []any{jws[:len(jws)-4] + "AAAA"}, "endorsements failed"},
		"one about something else":   {"endorsement", []any{endorsement("https://example.org/achievements/2")}, "endorsements warning"},
		"one by the issuer itself":   {"endorsement", []any{own}, "endorsements warning"},
		"more than will be verified": {"endorsement", many, "endorsements unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			self := did.KeyDID(multikey)
			d := unsigned(t, self)
			d["credentialSubject"].(map[string]any)["achievement"].(map[string]any)[row.member] = row.value
			badge := sign(t, d, integrity.EdDSARDFC2022, integrity.NewEd25519Signer(private, self+"#"+multikey))
			r, err := verifier(nil).Verify(t.Context(), []byte(badge), credential.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if outcomes(r) != row.want || r.Verified == bad(row.want) {
				t.Errorf("outcomes %q, want %q\n%s", outcomes(r), row.want, mustJSON(t, r))
			}
		})
	}
}

func TestVerifyAsksForANewerVersionOnce(t *testing.T) {
	private, multikey := key(t, "a")
	foreign, foreignKey := key(t, "b")
	self := did.KeyDID(multikey)
	const service = "https://example.org/refresh/1"
	version := func(from string, change func(map[string]any)) string {
		d := unsigned(t, self)
		d["validFrom"], d["validUntil"] = from, "2026-05-01T00:00:00Z"
		d["@context"] = append(d["@context"].([]any), openbadges.ExtensionsContext)
		d["refreshService"] = map[string]any{"id": service, "type": "1EdTechCredentialRefresh"}
		if change != nil {
			change(d)
		}
		if d["issuer"].(map[string]any)["id"] != self {
			return sign(t, d, integrity.EdDSARDFC2022, integrity.NewEd25519Signer(foreign, did.KeyDID(foreignKey)+"#"+foreignKey))
		}
		return sign(t, d, integrity.EdDSARDFC2022, integrity.NewEd25519Signer(private, self+"#"+multikey))
	}
	renewed := version("2026-03-01T00:00:00Z", func(d map[string]any) { delete(d, "validUntil") })
	for name, row := range map[string]struct {
		answer    string
		want      string
		refreshed bool
	}{
		"it answers a renewed version":         {renewed, "", true},
		"it answers the same version":          {version("2026-01-01T00:00:00Z", nil), "dates failed", false},
		"it answers a version of tomorrow":     {version("2026-06-02T00:00:00Z", func(d map[string]any) { delete(d, "validUntil") }), "dates failed", false},
		"it answers a newer one that expired":  {version("2026-03-01T00:00:00Z", nil), "dates failed", true},
		"it answers one that was changed":      {strings.Replace(renewed, "Teamwork", "Leadership", 1), "refresh warning, dates failed", false},
		"it answers another credential":        {version("2026-03-01T00:00:00Z", func(d map[string]any) { d["id"] = "urn:uuid:0198f2a0-0000-7000-8000-000000000099" }), "refresh warning, dates failed", false},
		"it answers a credential of a forger":  {version("2026-03-01T00:00:00Z", func(d map[string]any) { d["issuer"].(map[string]any)["id"] = did.KeyDID(foreignKey) }), "refresh warning, dates failed", false},
		"it answers something else":            {"<html>", "refresh warning, dates failed", false},
		"it does not answer":                   {"", "refresh warning, dates failed", false},
		"it is of a kind that is unknown here": {"other", "dates failed", false},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			v := verifier(nil)
			v.Resolver.Fetch = func(_ context.Context, url string) ([]byte, error) {
				if asked++; url != service || row.answer == "" {
					return nil, errors.New("nothing there")
				}
				return []byte(row.answer), nil
			}
			badge := version("2026-01-01T00:00:00Z", func(d map[string]any) {
				if row.answer == "other" {
					d["@context"] = append(d["@context"].([]any), map[string]any{"OtherRefresh": "https://example.org/OtherRefresh"})
					d["refreshService"].(map[string]any)["type"] = "OtherRefresh"
				}
			})
			r, err := v.Verify(t.Context(), []byte(badge), credential.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if outcomes(r) != row.want || r.Verified == bad(row.want) || (r.Refreshed != nil) != row.refreshed || asked > 1 {
				t.Errorf("outcomes %q, want %q; refreshed %t; asked %d times\n%s", outcomes(r), row.want, r.Refreshed != nil, asked, mustJSON(t, r))
			}
			if string(r.Credential) != badge || row.refreshed && r.ValidFrom != "2026-03-01T00:00:00Z" {
				t.Errorf("the report quotes %s and is about %s", r.Credential, r.ValidFrom)
			}
		})
	}
}

func TestEveryCheckNamesItsRule(t *testing.T) {
	private, multikey := key(t, "a")
	r, err := verifier(nil).Verify(t.Context(), issued(t, badge(did.KeyDID(multikey)), private, multikey), credential.Options{Recipient: "a@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Checks {
		if c.Rule == "" || c.Detail == "" {
			t.Errorf("%+v", c)
		}
		if c.Outcome == credential.Passed && len(c.Evidence) == 0 && c.Name != credential.CheckParse && c.Name != credential.CheckRules {
			t.Errorf("%s passed on no evidence", c.Name)
		}
	}
}

func TestVerifyAnEndorsementByItself(t *testing.T) {
	private, multikey := key(t, "a")
	self := did.KeyDID(multikey)
	c := openbadges.EndorsementCredential{
		ID: "urn:uuid:0198f2a0-0000-7000-8000-000000000003", Name: "Well done", ValidFrom: "2026-01-01T00:00:00Z",
		Issuer: openbadges.Profile{ID: self}, CredentialSubject: openbadges.EndorsementSubject{ID: issuerURL},
	}
	c.Complete(func() string { return "" })
	text := sign(t, parsed(t, mustJSON(t, c)), integrity.EdDSARDFC2022, integrity.NewEd25519Signer(private, self+"#"+multikey))
	if r, err := verifier(nil).Verify(t.Context(), []byte(text), credential.Options{}); err != nil || !r.Verified {
		t.Errorf("%s, %v", mustJSON(t, r), err)
	}
}

// away is a Local that cannot answer.
type away struct{}

var errAway = errors.New("the database is away")

func (away) KeyOf(context.Context, string, string) (bool, bool, error) { return false, false, errAway }

func TestVerifyDoesNotJudgeWhenItsOwnKeysAreAway(t *testing.T) {
	private, multikey := key(t, "a")
	v := verifier(nil)
	v.Resolver.Local = away{}
	_, err := v.Verify(t.Context(), issued(t, badge(issuerURL), private, multikey), credential.Options{})
	if !errors.Is(err, errAway) {
		t.Errorf("err = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := verifier(nil).Verify(ctx, issued(t, badge(did.KeyDID(multikey)), private, multikey), credential.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
}

func TestVerifyAsksForNoMoreThanItsShareOfDocuments(t *testing.T) {
	private, multikey := key(t, "a")
	self := did.KeyDID(multikey)
	d := unsigned(t, self)
	var endorsements []any
	for i := range 20 {
		issuer := fmt.Sprintf("https://victim.example/%d", i)
		e := maps(unsigned(t, issuer), "endorsement")
		e["type"] = []any{"VerifiableCredential", "EndorsementCredential"}
		endorsements = append(endorsements, parsed(t, sign(t, sign2(t, e, private, issuer+"#key-1"), integrity.EdDSAJCS2022, integrity.NewEd25519Signer(private, issuer+"#key-2"))))
	}
	d["endorsement"] = endorsements
	badge := sign(t, d, integrity.EdDSAJCS2022, integrity.NewEd25519Signer(private, self+"#"+multikey))
	v, asked := verifier(nil), 0
	v.Resolver.Fetch = func(context.Context, string) ([]byte, error) { asked++; return nil, errors.New("no") }
	if r, err := v.Verify(t.Context(), []byte(badge), credential.Options{}); err != nil || r.Verified {
		t.Errorf("%s, %v", mustJSON(t, r), err)
	}
	if asked == 0 || asked > 20 {
		t.Errorf("%d documents were asked for", asked)
	}
}

func sign2(t testing.TB, d map[string]any, private ed25519.PrivateKey, method string) map[string]any {
	t.Helper()
	return parsed(t, sign(t, d, integrity.EdDSAJCS2022, integrity.NewEd25519Signer(private, method)))
}

// counting counts what it is asked for.
type counting struct {
	integrity.Canonicalizer
	asked int
}

func (c *counting) Canonicalize(doc map[string]any) ([]byte, error) {
	c.asked++
	return c.Canonicalizer.Canonicalize(doc)
}

// Blank nodes that are linked all to all are the worst that can be sent to a
// canonicalizer. The answer must come from its work limit, and only once.
func TestVerifyGivesUpOnAPoisonedDocument(t *testing.T) {
	private, multikey := key(t, "a")
	d := parsed(t, string(issued(t, badge(did.KeyDID(multikey)), private, multikey)))
	const n = 20
	var nodes []any
	for i := range n {
		var related []any
		for k := range n {
			related = append(related, map[string]any{"id": fmt.Sprintf("_:b%d", k), "type": []any{"Related"}})
		}
		nodes = append(nodes, map[string]any{"id": fmt.Sprintf("_:b%d", i), "type": []any{"Achievement"}, "related": related})
	}
	d["evidence"] = nodes
	proof := d["proof"].([]any)[0].(map[string]any)
	var proofs []any
	for i := range 16 {
		later := maps(proof)
		if later["id"] = fmt.Sprintf("urn:proof:%d", i); i > 0 {
			later["previousProof"] = "urn:proof:0"
		}
		proofs = append(proofs, later)
	}
	d["proof"] = proofs
	v := verifier(nil)
	c := &counting{Canonicalizer: processor}
	v.Canonicalizer = c
	r, err := v.Verify(t.Context(), []byte(mustJSON(t, d)), credential.Options{})
	if err != nil || r.Verified || !r.Exhausted || !strings.Contains(outcomes(r), "context failed") {
		t.Errorf("%s, exhausted %t, %v", outcomes(r), r.Exhausted, err)
	}
	if c.asked != 1 {
		t.Errorf("the document was canonicalized %d times", c.asked)
	}
	delete(d, "evidence") // there is no such signature, but that is found out soon
	if r, err := v.Verify(t.Context(), []byte(mustJSON(t, d)), credential.Options{}); err != nil || r.Verified || r.Exhausted {
		t.Errorf("without what takes so long: %s, exhausted %t, %v", outcomes(r), r.Exhausted, err)
	}
}
