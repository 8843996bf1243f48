package did_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/did"
)

const otherKey = "z6MktgKTsu1QhX6QPbyqG6geXdw6FQCZBPq7uQpieWbiQiG7"

// web answers fetches out of a map.
func web(pages map[string]string) func(context.Context, string) ([]byte, error) {
	return func(_ context.Context, url string) ([]byte, error) {
		if page, ok := pages[url]; ok {
			return []byte(page), nil
		}
		return nil, errors.New("no such page: " + url)
	}
}

func page(t *testing.T, id string, multikeys ...string) string {
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

func jwkText(t *testing.T, multikey, more string) string {
	t.Helper()
	pub, err := did.DecodeMultikey(multikey)
	if err != nil {
		t.Fatal(err)
	}
	j, err := did.NewJWK(pub)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(text), "}") + more + "}"
}

type local map[string]string

func (l local) KeyOf(_ context.Context, controller, fragment string) (bool, bool, error) {
	key, known := l[controller]
	return known, key == fragment, nil
}

func TestResolve(t *testing.T) {
	const issuer = "https://example.org/issuers/1"
	jwkDID := "did:jwk:" + base64.RawURLEncoding.EncodeToString([]byte(jwkText(t, p256Key, "")))
	thumb := "#kPrK"
	for name, row := range map[string]struct {
		method     string
		pages      map[string]string
		local      did.Local
		code       did.Code // of the refusal; empty when a key is found
		controller string
		proven     bool
		key        string
	}{
		"did:key is its own proof":                     {method: did.KeyDID(edKey) + "#" + edKey, controller: did.KeyDID(edKey), proven: true, key: edKey},
		"did:key of a P-384 key":                       {method: did.KeyDID(p384Key) + "#" + p384Key, controller: did.KeyDID(p384Key), proven: true, key: p384Key},
		"did:key with the fragment of another key":     {method: did.KeyDID(edKey) + "#" + otherKey, code: did.InvalidURL},
		"did:key with a path":                          {method: did.KeyDID(edKey) + "/x#" + edKey, code: did.Unsupported},
		"did:key that is no key":                       {method: "did:key:z0#z0", code: did.InvalidMethod},
		"did:jwk is its own proof":                     {method: jwkDID + "#0", controller: jwkDID, proven: true, key: p256Key},
		"did:jwk with another fragment":                {method: jwkDID + "#1", code: did.InvalidURL},
		"did:jwk that is no JSON":                      {method: "did:jwk:AAAA#0", code: did.InvalidMethod},
		"did:jwk of an encryption key":                 {method: "did:jwk:" + base64.RawURLEncoding.EncodeToString([]byte(jwkText(t, p256Key, `,"use":"enc"`))) + "#0", code: did.InvalidRelationship},
		"an unknown DID method":                        {method: "did:example:123#1", code: did.Unsupported},
		"no URL at all":                                {method: "key-1", code: did.InvalidURL},
		"an address with a user":                       {method: "https://me@example.org/#" + edKey, code: did.InvalidURL},
		"a file":                                       {method: "file:///etc/passwd#" + edKey, code: did.InvalidURL},
		"a key in the fragment, listed by the issuer":  {method: issuer + "#" + edKey, pages: map[string]string{issuer: page(t, issuer, edKey)}, controller: issuer, proven: true, key: edKey},
		"a key in the fragment that nobody lists":      {method: issuer + "#" + edKey, pages: map[string]string{issuer: page(t, issuer, otherKey)}, controller: issuer, key: edKey},
		"a key in the fragment, and nobody answers":    {method: issuer + "#" + edKey, controller: issuer, key: edKey},
		"a key in the fragment, and a page of HTML":    {method: issuer + "#" + edKey, pages: map[string]string{issuer: "<html>"}, controller: issuer, key: edKey},
		"a document about somebody else":               {method: issuer + "#" + edKey, pages: map[string]string{issuer: page(t, "https://example.org/issuers/2", edKey)}, controller: issuer, key: edKey},
		"another key under the same name":              {method: issuer + "#" + edKey, pages: map[string]string{issuer: `{"id":"` + issuer + `","assertionMethod":[{"id":"#` + edKey + `","controller":"` + issuer + `","publicKeyMultibase":"` + otherKey + `"}]}`}, controller: issuer, key: edKey},
		"a key that is listed but not for assertions":  {method: issuer + "#" + edKey, pages: map[string]string{issuer: `{"id":"` + issuer + `","verificationMethod":[{"id":"#` + edKey + `","controller":"` + issuer + `","publicKeyMultibase":"` + edKey + `"}]}`}, controller: issuer, key: edKey},
		"an issuer kept here lists the key":            {method: issuer + "#" + edKey, local: local{issuer: edKey}, controller: issuer, proven: true, key: edKey},
		"an issuer kept here does not list the key":    {method: issuer + "#" + otherKey, local: local{issuer: edKey}, pages: map[string]string{issuer: page(t, issuer, otherKey)}, controller: issuer, key: otherKey},
		"did:web by Multikey":                          {method: "did:web:example.org#" + edKey, pages: map[string]string{"https://example.org/.well-known/did.json": page(t, "did:web:example.org", edKey)}, controller: "did:web:example.org", proven: true, key: edKey},
		"did:web by a name":                            {method: "did:web:example.org:a#key-1", pages: map[string]string{"https://example.org/a/did.json": `{"id":"did:web:example.org:a","assertionMethod":["#key-1"],"verificationMethod":{"id":"#key-1","type":"Multikey","controller":"did:web:example.org:a","publicKeyMultibase":"` + p256Key + `"}}`}, controller: "did:web:example.org:a", proven: true, key: p256Key},
		"did:web by a name that is not for assertions": {method: "did:web:example.org#key-1", pages: map[string]string{"https://example.org/.well-known/did.json": `{"id":"did:web:example.org","authentication":["#key-1"],"verificationMethod":[{"id":"#key-1","controller":"did:web:example.org","publicKeyMultibase":"` + p256Key + `"}]}`}, code: did.InvalidRelationship},
		"did:web whose document is about another":      {method: "did:web:example.org#key-1", pages: map[string]string{"https://example.org/.well-known/did.json": `{"id":"did:web:example.com","assertionMethod":["did:web:example.org#key-1"]}`}, code: did.InvalidDocumentID},
		"did:web that is listed and not described":     {method: "did:web:example.org#key-1", pages: map[string]string{"https://example.org/.well-known/did.json": `{"id":"did:web:example.org","assertionMethod":["#key-1"]}`}, code: did.InvalidMethod},
		"did:web that does not answer":                 {method: "did:web:example.org#key-1", code: did.Unreachable},
		"did:web on an address instead of a name":      {method: "did:web:127.0.0.1#key-1", code: did.InvalidURL},
		"a method with a private key":                  {method: "did:web:example.org#k", pages: map[string]string{"https://example.org/.well-known/did.json": `{"id":"did:web:example.org","assertionMethod":[{"id":"#k","controller":"did:web:example.org","publicKeyJwk":{"kty":"OKP","crv":"Ed25519","x":"","d":"x"}}]}`}, code: did.InvalidMethod},
		"a JSON Web Key of the document":               {method: issuer + thumb, pages: map[string]string{issuer: `{"id":"` + issuer + `","assertionMethod":["` + issuer + thumb + `"],"verificationMethod":[{"id":"` + issuer + thumb + `","type":"JsonWebKey","controller":"` + issuer + `","publicKeyJwk":` + jwkText(t, edKey, "") + `}]}`}, controller: issuer, proven: true, key: edKey},
		"a bare JSON Web Key":                          {method: issuer + "/keys/1", pages: map[string]string{issuer + "/keys/1": jwkText(t, p256Key, "")}, key: p256Key},
		"a bare JSON Web Key that names its issuer":    {method: issuer + "/keys/1", pages: map[string]string{issuer + "/keys/1": jwkText(t, p256Key, `,"iss":"`+issuer+`"`)}, controller: issuer, proven: true, key: p256Key},
		"a bare key that names a foreign issuer":       {method: "https://evil.example/k", pages: map[string]string{"https://evil.example/k": jwkText(t, p256Key, `,"iss":"`+issuer+`"`)}, controller: issuer, key: p256Key},
		"a bare method whose controller confirms it": {method: issuer + "/keys/1", pages: map[string]string{
			issuer + "/keys/1": `{"id":"` + issuer + `/keys/1","controller":"` + issuer + `","publicKeyMultibase":"` + edKey + `"}`,
			issuer:             `{"id":"` + issuer + `","assertionMethod":"` + issuer + `/keys/1"}`}, controller: issuer, proven: true, key: edKey},
		"a bare method whose controller is silent": {method: "https://evil.example/k", pages: map[string]string{
			"https://evil.example/k": `{"id":"https://evil.example/k","controller":"` + issuer + `","publicKeyMultibase":"` + edKey + `"}`,
			issuer:                   page(t, issuer, otherKey)}, controller: issuer, key: edKey},
		"a bare method under another id":    {method: issuer + "/keys/1", pages: map[string]string{issuer + "/keys/1": `{"id":"` + issuer + `/keys/2","controller":"` + issuer + `","publicKeyMultibase":"` + edKey + `"}`}, code: did.InvalidMethod},
		"a bare method without controller":  {method: issuer + "/keys/1", pages: map[string]string{issuer + "/keys/1": `{"publicKeyMultibase":"` + edKey + `"}`}, code: did.InvalidMethod},
		"a document that is no JSON object": {method: issuer + "/keys/1", pages: map[string]string{issuer + "/keys/1": `[1]`}, code: did.InvalidDocument},
	} {
		t.Run(name, func(t *testing.T) {
			r := did.Resolver{Fetch: web(row.pages), Local: row.local}
			k, err := r.Resolve(t.Context(), row.method)
			if row.code != "" {
				var e *did.Error
				if !errors.As(err, &e) || e.Code != row.code {
					t.Fatalf("Resolve = %+v, %v; want the code %s", k, err, row.code)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := did.EncodeMultikey(k.Public); got != row.key || k.Controller != row.controller || k.Proven != row.proven || k.ID != row.method || k.How == "" {
				t.Errorf("Resolve = %s of %s, proven %t (%s); want %s of %s, proven %t", got, k.Controller, k.Proven, k.How, row.key, row.controller, row.proven)
			}
		})
	}
}

func TestResolveWithoutNetwork(t *testing.T) {
	k, err := did.Resolver{}.Resolve(t.Context(), "https://example.org/1#"+edKey)
	if err != nil || k.Proven {
		t.Errorf("Resolve = %+v, %v; want a key that is not proven", k, err)
	}
	var e *did.Error
	if _, err := (did.Resolver{}).Resolve(t.Context(), "https://example.org/1#key"); !errors.As(err, &e) || e.Code != did.Unreachable {
		t.Errorf("Resolve = %v, want unreachable", err)
	}
}

func TestResolveReadsWhenAKeyEnds(t *testing.T) {
	const issuer = "https://example.org/1"
	r := did.Resolver{Fetch: web(map[string]string{issuer: `{"id":"` + issuer + `","assertionMethod":[{"id":"#k","controller":"` + issuer + `","publicKeyMultibase":"` + edKey + `","expires":"2030-01-01T00:00:00Z","revoked":"2026-01-01T00:00:00Z"}]}`})}
	k, err := r.Resolve(t.Context(), issuer+"#k")
	if err != nil || k.Until.Year() != 2026 {
		t.Errorf("Resolve = %+v, %v; want a key until 2026", k, err)
	}
}

func TestBelongs(t *testing.T) {
	const issuer = "https://example.org/issuers/1"
	for name, row := range map[string]struct {
		key    did.Key
		issuer string
		want   bool
	}{
		"the proven key of the issuer":              {did.Key{ID: "x", Controller: issuer, Proven: true}, issuer, true},
		"the key that only says it is the issuer's": {did.Key{ID: "x", Controller: issuer}, issuer, false},
		"the proven key of another":                 {did.Key{ID: "x", Controller: "https://example.org/issuers/2", Proven: true}, issuer, false},
		"a bare key on the issuer's host":           {did.Key{ID: "https://EXAMPLE.org/keys/1"}, issuer, true},
		"a bare key on another host":                {did.Key{ID: "https://evil.example/keys/1"}, issuer, false},
		"a bare key on another port":                {did.Key{ID: "https://example.org:444/keys/1"}, issuer, false},
		"a bare key over another scheme":            {did.Key{ID: "http://example.org/keys/1"}, issuer, false},
		"a key without a name":                      {did.Key{}, issuer, false},
		"a proven key and no issuer":                {did.Key{Proven: true}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got, how := row.key.Belongs(row.issuer); got != row.want {
				t.Errorf("Belongs = %t (%s)", got, how)
			}
		})
	}
}

func TestKeySet(t *testing.T) {
	const issuer = "https://example.org/issuers/1"
	pub, err := did.DecodeMultikey(p256Key)
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		issuer, page string
		want         bool
	}{
		"the key is in the set":                 {issuer, `{"keys":[{"kty":"oct","k":"x"},` + jwkText(t, p256Key, "") + `]}`, true},
		"the key is in the set for this issuer": {issuer, `{"keys":[` + jwkText(t, p256Key, `,"iss":"`+issuer+`"`) + `]}`, true},
		"the key is in the set for another":     {issuer, `{"keys":[` + jwkText(t, p256Key, `,"iss":"https://example.org/issuers/2"`) + `]}`, false},
		"another key is in the set":             {issuer, `{"keys":[` + jwkText(t, edKey, "") + `]}`, false},
		"the issuer is the key":                 {did.KeyDID(p256Key), `{}`, true},
		"the issuer is another key":             {did.KeyDID(edKey), `{}`, false},
		"the issuer is no URL":                  {"urn:uuid:1", `{}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := did.Resolver{Fetch: web(map[string]string{"https://example.org/.well-known/jwks.json": row.page})}
			k, err := r.KeySet(t.Context(), row.issuer, pub)
			if err != nil {
				t.Fatal(err)
			}
			if got, how := k.Belongs(row.issuer); got != row.want {
				t.Errorf("Belongs = %t (%s)", got, how)
			}
		})
	}
}
