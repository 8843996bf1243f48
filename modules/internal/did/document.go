package did

import (
	"crypto"
	"encoding/json"
	"strings"
	"time"
)

// The types of verification method that are written here.
const (
	TypeMultikey   = "Multikey"   // Controlled Identifiers 1.0, 2.2.2
	TypeJSONWebKey = "JsonWebKey" // Controlled Identifiers 1.0, 2.2.3
)

// Document lists the verification methods of whoever its id names. Controlled
// Identifiers 1.0, 2.1 (Controlled Identifier Documents); where the id is a DID
// it is a DID document as well.
type Document struct {
	Context            []string             `json:"@context,omitempty"`
	ID                 string               `json:"id" doc:"Whom this document is about."`
	VerificationMethod []VerificationMethod `json:"verificationMethod,omitempty" doc:"The keys."`
	AssertionMethod    []string             `json:"assertionMethod,omitempty" doc:"The ids of the keys that sign credentials."`
	Authentication     []string             `json:"authentication,omitempty" doc:"The ids of the keys that prove who is talking."`
}

// VerificationMethod is one key in one encoding.
type VerificationMethod struct {
	ID                 string `json:"id" doc:"Absolute URL of the key."`
	Type               string `json:"type" doc:"Multikey or JsonWebKey."`
	Controller         string `json:"controller" doc:"Whose key it is."`
	PublicKeyMultibase string `json:"publicKeyMultibase,omitempty" doc:"The key as Multikey."`
	PublicKeyJwk       *JWK   `json:"publicKeyJwk,omitempty" doc:"The key as JSON Web Key."`
	Revoked            string `json:"revoked,omitempty" format:"date-time" doc:"From when on nothing that the key signed must be believed."`
}

// Listed is a key of a document.
type Listed struct {
	Public         crypto.PublicKey
	Revoked        time.Time // zero while it is in force; from then on it is listed, but signs for nothing
	Authentication bool      // whether it also proves who is talking, not only who says so
}

// NewDocument lists Multikeys under an id, as keys that sign credentials.
func NewDocument(id string, multikeys ...string) (Document, error) {
	keys := make([]Listed, len(multikeys))
	for i, multikey := range multikeys {
		pub, err := DecodeMultikey(multikey)
		if err != nil {
			return Document{}, err
		}
		keys[i].Public = pub
	}
	return Describe(id, keys...)
}

// Describe lists keys under an id. Each stands there twice, since some verifiers read
// only the one encoding and some only the other: as id#MULTIKEY, and as id#THUMBPRINT
// in JSON Web Key form. An RSA key has no Multikey and stands there once.
//
// Controlled Identifiers 1.0, 2.2 (Verification Methods): a verifier must not accept
// what a method proves once it is revoked. Not every verifier looks, so that a revoked
// key is listed under no purpose any more.
func Describe(id string, keys ...Listed) (Document, error) {
	d := Document{Context: []string{"https://www.w3.org/ns/cid/v1"}, ID: id}
	if strings.HasPrefix(id, "did:") {
		d.Context = []string{"https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1", "https://w3id.org/security/jwk/v1"}
	}
	for _, key := range keys {
		jwk, err := NewJWK(key.Public)
		if err != nil {
			return Document{}, err
		}
		jwk.Kid = jwk.Thumbprint()
		var methods []VerificationMethod
		if multikey, err := EncodeMultikey(key.Public); err == nil {
			methods = append(methods, VerificationMethod{ID: id + "#" + multikey, Type: TypeMultikey, Controller: id, PublicKeyMultibase: multikey})
		}
		methods = append(methods, VerificationMethod{ID: id + "#" + jwk.Kid, Type: TypeJSONWebKey, Controller: id, PublicKeyJwk: &jwk})
		for _, method := range methods {
			// Absolute, for there are verifiers that do not resolve a bare fragment.
			if key.Revoked.IsZero() {
				d.AssertionMethod = append(d.AssertionMethod, method.ID)
				if key.Authentication {
					d.Authentication = append(d.Authentication, method.ID)
				}
			} else {
				method.Revoked = key.Revoked.UTC().Format(time.RFC3339)
			}
			d.VerificationMethod = append(d.VerificationMethod, method)
		}
	}
	return d, nil
}

// found is a document of a stranger, read only as far as it is needed.
type found map[string]any

// maxMethods bounds the search in a document.
const maxMethods = 1000

func readDocument(data []byte) (found, error) {
	var f found
	if err := json.Unmarshal(data, &f); err != nil || f == nil {
		return nil, trouble(InvalidDocument, "Publish a JSON object there.", "the document is no JSON object")
	}
	return f, nil
}

func (f found) text(name string) string {
	s, _ := f[name].(string)
	return s
}

// list gives a member that may be one value or several, as JSON-LD allows.
func (f found) list(name string) []any {
	switch v := f[name].(type) {
	case nil:
		return nil
	case []any:
		return v[:min(len(v), maxMethods)]
	default:
		return []any{v}
	}
}

// absolute resolves an id that is a bare fragment. Decentralized Identifiers 1.0,
// 3.2.2 (Relative DID URLs).
func (f found) absolute(id string) string {
	if strings.HasPrefix(id, "#") {
		return f.text("id") + id
	}
	return id
}

// method finds a verification method by its absolute id, and whether the document
// lists it under a relationship.
func (f found) method(id, relationship string) (method found, asserts bool) {
	for _, name := range [...]string{relationship, "verificationMethod"} {
		for _, entry := range f.list(name) {
			switch entry := entry.(type) {
			case string:
				asserts = asserts || name == relationship && f.absolute(entry) == id
			case map[string]any:
				if f.absolute(found(entry).text("id")) == id {
					method, asserts = entry, asserts || name == relationship
				}
			}
		}
	}
	return method, asserts
}
