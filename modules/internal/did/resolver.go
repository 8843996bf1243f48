package did

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"time"
)

// Key is a public key that a verification method led to.
type Key struct {
	ID         string           // the verification method; empty for a key that came without a name
	Controller string           // who it belongs to, as far as is known; may be empty
	Public     crypto.PublicKey // ed25519.PublicKey, *ecdsa.PublicKey or *rsa.PublicKey
	Proven     bool             // whether the controller itself says that the key is its own
	How        string           // what proves it, or what is missing; a sentence without its full stop
	Until      time.Time        // when the key expires or was revoked; zero while neither is known
}

// Local answers for controllers whose keys are kept in this very program, so that
// nothing needs to be fetched.
type Local interface {
	// KeyOf tells whether controller is known here, and whether the key of that
	// fragment is among those that sign for it.
	KeyOf(ctx context.Context, controller, fragment string) (known, listed bool, err error)
}

// Publisher is a Local that also answers for the addresses at which it publishes
// keys, as the kid of a token names them.
type Publisher interface {
	// Published answers what stands at address, and whether the address is ours at all.
	Published(ctx context.Context, address string) (document []byte, ours bool, err error)
}

// Resolver finds the key behind a verification method.
type Resolver struct {
	// Fetch gets a document; nil means that there is no network. It must guard
	// itself: the addresses come from strangers.
	Fetch func(ctx context.Context, url string) ([]byte, error)
	Local Local // may be nil; may be a [Publisher] too

	// Memory remembers what was read; nil reads everything anew.
	Memory *Memory

	// Purpose is what the key is used for: assertionMethod, that is signing credentials,
	// when empty. A Local answers for that alone.
	Purpose string
}

// Resolve finds the key. The keys of did:key and did:jwk are in their names, and
// so is that of any verification method whose fragment is a Multikey. But such a
// name anybody can write: the key is Proven only when the document of the
// controller lists it for signing credentials, or a Local does. All other keys are
// fetched, and refused unless their document lists them so.
//
// Controlled Identifiers 1.0, 3.3 (Retrieve Verification Method).
func (r Resolver) Resolve(ctx context.Context, method string) (Key, error) {
	if len(method) > maxURL {
		return Key{}, trouble(InvalidURL, "Use a shorter URL.", "the verification method has %d bytes", len(method))
	}
	base, fragment, _ := strings.Cut(method, "#")
	if !strings.HasPrefix(method, "did:") {
		u, err := url.Parse(method)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
			return Key{}, trouble(InvalidURL, "Name the key by an https URL or a DID URL.", "the verification method %s is neither an https URL nor a DID URL", shown(method))
		}
		return r.published(ctx, method, base, fragment, base)
	}
	u, err := ParseURL(method)
	if err != nil {
		return Key{}, err
	}
	if u.Path != "" || u.hasQuery {
		return Key{}, trouble(Unsupported, "Name the key by DID and fragment alone.", "the verification method %s has a path or a query", shown(method))
	}
	switch u.Method {
	case "key":
		return ofKeyDID(u)
	case "jwk":
		return ofJWKDID(u)
	case "web":
		address, err := WebURL(base)
		if err != nil {
			return Key{}, err
		}
		return r.published(ctx, method, base, fragment, address)
	}
	return Key{}, trouble(Unsupported, "Sign with a key under did:key, did:web, did:jwk or an https URL.", "the DID method %s is not known here", shown(u.Method))
}

// ofKeyDID: DID method key, 3.1 (Document Creation Algorithm): the only fragment is the key again.
func ofKeyDID(u URL) (Key, error) {
	pub, err := DecodeMultikey(u.ID)
	if err != nil {
		return Key{}, err
	}
	if u.hasFragment && u.Fragment != u.ID {
		return Key{}, trouble(InvalidURL, "Repeat the key behind the hash: did:key:KEY#KEY.", "the fragment of %s is not the key itself", shown(u.String()))
	}
	return Key{ID: u.String(), Controller: u.DID(), Public: pub, Proven: true, How: "the identifier is the key itself"}, nil
}

// ofJWKDID: DID method jwk, 2 (To resolve the DID URL did:jwk): the only fragment is 0.
func ofJWKDID(u URL) (Key, error) {
	data, err := base64.RawURLEncoding.Strict().DecodeString(u.ID)
	if err != nil {
		return Key{}, trouble(InvalidURL, urlRemedy, "%s is no did:jwk: its identifier is no base64url", shown(u.String()))
	}
	if u.hasFragment && u.Fragment != "0" {
		return Key{}, trouble(InvalidURL, "Name the key as did:jwk:…#0.", "a did:jwk has only one key, whose fragment is 0")
	}
	var j JWK
	if err := json.Unmarshal(data, &j); err != nil {
		return Key{}, trouble(InvalidMethod, jwkRemedy, "%s is no did:jwk: its identifier holds no usable JSON Web Key", shown(u.String()))
	}
	if j.Use != "" && j.Use != "sig" {
		return Key{}, trouble(InvalidRelationship, "Sign with a key that is made for it.", "the key is not for signatures")
	}
	pub, err := j.PublicKey()
	if err != nil {
		return Key{}, err
	}
	return Key{ID: u.String(), Controller: u.DID(), Public: pub, Proven: true, How: "the identifier is the key itself"}, nil
}

// published finds a key whose controller publishes a document at address.
func (r Resolver) published(ctx context.Context, method, base, fragment, address string) (Key, error) {
	if pub, err := DecodeMultikey(fragment); err == nil {
		return r.named(ctx, Key{ID: method, Controller: base, Public: pub}, fragment, address)
	}
	doc, err := r.document(ctx, address)
	if err != nil {
		return Key{}, err
	}
	switch {
	case doc["kty"] != nil:
		return bareJWK(method, doc)
	case doc["publicKeyMultibase"] != nil || doc["publicKeyJwk"] != nil:
		return r.bareMethod(ctx, method, base, doc)
	}
	return r.listed(ctx, method, base, doc)
}

// named proves, or not, a key that the name of its verification method holds.
func (r Resolver) named(ctx context.Context, k Key, fragment, address string) (Key, error) {
	if r.Local != nil && r.relationship() == assertion {
		known, listed, err := r.Local.KeyOf(ctx, k.Controller, fragment)
		if err != nil {
			return Key{}, err
		}
		if known {
			k.Proven, k.How = listed, "the issuer is kept here and the key is one of its own"
			if !listed {
				k.How = "the issuer is kept here, but the key is none of its own"
			}
			return k, nil
		}
	}
	doc, err := r.document(ctx, address)
	if err != nil {
		if ctx.Err() != nil {
			return Key{}, err
		}
		k.How = "the document at " + shown(address) + ", which would have to list the key, could not be read"
		return k, nil
	}
	listed, err := r.listed(ctx, k.ID, k.Controller, doc)
	if err != nil {
		k.How = "the document at " + shown(address) + " does not list the key under " + r.relationship()
		return k, nil
	}
	if listed.Controller != k.Controller || !same(listed.Public, k.Public) {
		k.How = "the document at " + shown(address) + " gives another key or another controller under this name"
		return k, nil
	}
	return listed, nil
}

// listed finds a key in the document that its verification method leads to.
func (r Resolver) listed(ctx context.Context, method, base string, doc found) (Key, error) {
	if doc.text("id") != base {
		return Key{}, trouble(InvalidDocumentID, "Let the id of the document be the identifier it is fetched by.", "the document about %s says that it is about %s", shown(base), shown(doc.text("id")))
	}
	entry, asserts := doc.method(method, r.relationship())
	if !asserts {
		return Key{}, trouble(InvalidRelationship, "List the key under "+r.relationship()+".", "the document about %s does not list %s under %s", shown(base), shown(method), r.relationship())
	}
	if entry == nil {
		return Key{}, trouble(InvalidMethod, "Describe the key under verificationMethod.", "the document about %s does not describe %s", shown(base), shown(method))
	}
	k, err := keyOf(entry)
	if err != nil {
		return Key{}, err
	}
	k.ID = method
	if k.Controller == base {
		k.Proven, k.How = true, "the document of the controller lists the key"
		return k, nil
	}
	return r.confirm(ctx, k)
}

// bareMethod reads a verification method that stands alone at its own URL.
func (r Resolver) bareMethod(ctx context.Context, method, base string, doc found) (Key, error) {
	if id := doc.text("id"); id != "" && id != method {
		return Key{}, trouble(InvalidMethod, "Let the id of the verification method be the URL it is fetched by.", "what was fetched for %s says that it is %s", shown(method), shown(id))
	}
	k, err := keyOf(doc)
	if err != nil {
		return Key{}, err
	}
	k.ID = method
	if k.Controller == base {
		k.Proven, k.How = true, "the address of the controller gives the key"
		return k, nil
	}
	return r.confirm(ctx, k)
}

// confirm asks the document of another controller whether the key is its own.
func (r Resolver) confirm(ctx context.Context, k Key) (Key, error) {
	k.How = "the document of the controller does not list the key for signing credentials"
	address := k.Controller
	if strings.HasPrefix(address, "did:") {
		u, err := WebURL(address)
		if err != nil {
			return k, nil // the methods without a document can list no foreign key
		}
		address = u
	}
	doc, err := r.document(ctx, address)
	if err != nil {
		if ctx.Err() != nil {
			return Key{}, err
		}
		k.How = "the document of the controller, which would have to list the key, could not be read"
		return k, nil
	}
	if doc.text("id") != k.Controller {
		return k, nil
	}
	entry, asserts := doc.method(k.ID, r.relationship())
	if entry != nil {
		if other, err := keyOf(entry); err != nil || !same(other.Public, k.Public) {
			return k, nil
		}
	}
	if asserts {
		k.Proven, k.How = true, "the document of the controller lists the key"
	}
	return k, nil
}

// bareJWK reads a JSON Web Key that stands alone at its URL.
func bareJWK(method string, doc found) (Key, error) {
	j, err := jwkOf(doc)
	if err != nil {
		return Key{}, err
	}
	pub, err := j.PublicKey()
	if err != nil {
		return Key{}, err
	}
	k := Key{ID: method, Controller: j.Iss, Public: pub, How: "the key names no controller"}
	if j.Iss != "" {
		k.Proven, k.How = sameOrigin(method, j.Iss), "the key is published by the issuer's own host"
		if !k.Proven {
			k.How = "the key is published on another host than the issuer it names"
		}
	}
	return k, nil
}

// Belongs tells whether it is proven that the key is the issuer's, and how.
//
// A JSON Web Key that stands alone and names nobody belongs to the host that
// publishes it. Open Badges 3.0, JSON Web Token Proof Format, asks for no more.
func (k Key) Belongs(issuer string) (bool, string) {
	switch {
	case k.Controller == issuer && issuer != "":
		return k.Proven, k.How
	case k.Controller == "" && k.ID != "" && sameOrigin(k.ID, issuer):
		return true, "the key is published by the issuer's own host"
	case k.Controller == "":
		return false, "nothing says that the key is the issuer's"
	}
	return false, "the key is controlled by " + shown(k.Controller) + ", not by the issuer " + shown(issuer)
}

// KeySet looks for a key that came without a name: in the identifier of the
// issuer itself, or in the key set of the issuer's host, /.well-known/jwks.json.
func (r Resolver) KeySet(ctx context.Context, issuer string, pub crypto.PublicKey) (Key, error) {
	k := Key{Public: pub, How: "nothing says that the key, which came with the signature, is the issuer's"}
	if strings.HasPrefix(issuer, "did:") {
		if own, err := r.Resolve(ctx, issuer); err == nil && same(own.Public, pub) {
			return own, nil
		}
		return k, nil
	}
	u, err := url.Parse(issuer)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return k, nil
	}
	address := u.Scheme + "://" + u.Host + "/.well-known/jwks.json"
	doc, err := r.document(ctx, address)
	if err != nil {
		if ctx.Err() != nil {
			return Key{}, err
		}
		return k, nil
	}
	for _, entry := range doc.list("keys") {
		members, _ := entry.(map[string]any)
		j, err := jwkOf(members)
		if err != nil || j.Iss != "" && j.Iss != issuer {
			continue
		}
		if other, err := j.PublicKey(); err == nil && same(other, pub) {
			return Key{ID: address, Controller: issuer, Public: pub, Proven: true, How: "the key is in the key set of the issuer's host"}, nil
		}
	}
	return k, nil
}

// assertion is the relationship of keys that sign credentials.
const assertion = "assertionMethod"

// relationship is what a document must list the key under. Controlled Identifiers 1.0,
// 2.3 (Verification Relationships).
func (r Resolver) relationship() string {
	if r.Purpose == "" {
		return assertion
	}
	return r.Purpose
}

func (r Resolver) document(ctx context.Context, address string) (found, error) {
	if p, ok := r.Local.(Publisher); ok {
		data, ours, err := p.Published(ctx, address)
		if err != nil {
			return nil, err
		}
		if ours {
			return r.Memory.read(data)
		}
	}
	if r.Fetch == nil {
		return nil, trouble(Unreachable, "Verify where there is a network.", "%s was not fetched, since there is no network here", shown(address))
	}
	address, _, _ = strings.Cut(address, "#")
	data, err := r.Fetch(ctx, address)
	if err != nil {
		return nil, &Error{Code: Unreachable, Problem: shown(address) + " could not be fetched", Remedy: "See that it answers at a public address with https, for no other is asked, and try again.", cause: err}
	}
	return r.Memory.read(data)
}

// keyOf reads the key of one verification method.
func keyOf(method found) (Key, error) {
	k := Key{Controller: method.text("controller")}
	if k.Controller == "" {
		return Key{}, trouble(InvalidMethod, "Name the controller.", "the verification method names no controller")
	}
	for _, name := range [...]string{"expires", "revoked"} {
		if method[name] == nil {
			continue
		}
		at, err := time.Parse(time.RFC3339, method.text(name))
		if err != nil {
			return Key{}, trouble(InvalidMethod, "Give it as 2006-01-02T15:04:05Z.", "the member %q of the verification method is no date-time", name)
		}
		if k.Until.IsZero() || at.Before(k.Until) {
			k.Until = at
		}
	}
	var err error
	if jwk, ok := method["publicKeyJwk"].(map[string]any); ok && method["publicKeyMultibase"] == nil {
		var j JWK
		if j, err = jwkOf(jwk); err == nil {
			k.Public, err = j.PublicKey()
		}
	} else {
		k.Public, err = DecodeMultikey(method.text("publicKeyMultibase"))
	}
	return k, err
}

func same(a, b crypto.PublicKey) bool {
	key, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(b)
}

func sameOrigin(a, b string) bool {
	x, err := url.Parse(a)
	if err != nil || x.Host == "" || x.Scheme != "https" && x.Scheme != "http" {
		return false
	}
	y, err := url.Parse(b)
	return err == nil && x.Scheme == y.Scheme && strings.EqualFold(x.Host, y.Host)
}
