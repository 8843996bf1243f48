package issuance

import (
	"cmp"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/singleflight"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/credential/jose"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/shelf"
)

// fresh is how long a replica may go on with the keys that it read: a key that was
// made, retired or revoked elsewhere is known here after that.
const fresh = 2 * time.Second

// Keyring keeps the signing keys of all issuers.
//
// An issuer may have several active keys of each kind; the newest signs, so that keys
// are replaced without a pause. A retired key signs no more but stays published, so
// that what it signed can still be verified. A revoked one is published as such.
type Keyring struct {
	public config.PublicURL
	store  *Store
	sealer *Sealer
	now    func() time.Time
	audit  Audit        // may be nil
	work   Work         // may be nil where keys are only read
	vault  Vault        // may be nil
	shelf  *shelf.Shelf // may be nil
	first  string       // where the first key of an issuer is kept, unless somebody says otherwise

	mu     sync.RWMutex
	open   map[string]openKeys // by issuer
	era    int                 // how often something was forgotten
	flight singleflight.Group
}

// openKeys are the active keys of an issuer, the newest first.
type openKeys struct {
	keys    []Key
	signers []integrity.Signer
	form    Form // how the issuer's credentials are secured, as far as it chose
	read    time.Time
}

// Audited makes the keyring record what happens to keys.
func (k *Keyring) Audited(audit Audit) *Keyring {
	k.audit = audit
	return k
}

// Working gives the keyring what it needs to change keys together with their record.
func (k *Keyring) Working(work Work) *Keyring {
	k.work = work
	return k
}

// Vaulted gives the keyring the vault that keeps keys elsewhere, if there is one.
func (k *Keyring) Vaulted(vault Vault) *Keyring {
	k.vault = vault
	return k
}

// Publishing gives the keyring the shelf on which the documents lie that tell of keys.
func (k *Keyring) Publishing(s *shelf.Shelf) *Keyring {
	k.shelf = s
	return k
}

// NewKeyring makes a keyring over a store.
func NewKeyring(public config.PublicURL, store *Store, sealer *Sealer, now func() time.Time) *Keyring {
	return &Keyring{public: public, store: store, sealer: sealer, now: now, open: map[string]openKeys{}}
}

// Providing says where the first keys of issuers are kept, unless somebody says otherwise.
func (k *Keyring) Providing(provider string) *Keyring {
	k.first = provider
	return k
}

// Forge makes the first signing key of an issuer, Ed25519, where provider says or else
// [Keyring.Providing] did. keep stores it, and joins the unit in its ctx. It answers with
// [ErrKeyKind] or [ErrVault].
func (k *Keyring) Forge(ctx context.Context, issuerID, provider string) (keep func(ctx context.Context) error, err error) {
	made, err := k.forge(ctx, issuerID, KindEd25519, cmp.Or(provider, k.first), nil)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return k.add(ctx, made) }, nil
}

// forged is a new key that is not stored yet.
type forged struct {
	key    Key
	sealed []byte // its private side, or the handle that a vault knows it by
}

// forge makes a key. It may take its time, so do it before the unit that stores it.
func (k *Keyring) forge(ctx context.Context, issuerID string, kind Kind, provider string, purposes []string) (forged, error) {
	key := Key{ID: uuid.Must(uuid.NewV7()).String(), IssuerID: issuerID, Kind: kind, Purposes: purposes, Provider: cmp.Or(provider, Local), Created: k.now().UTC().Truncate(time.Second)}
	if len(key.Purposes) == 0 {
		key.Purposes = []string{Assertion}
	}
	var secret []byte
	var err error
	if key.Provider == Local {
		if key.Public, secret, err = makeKey(kind); err != nil {
			return forged{}, fmt.Errorf("issuance: make key: %w", err)
		}
	} else if key.Public, secret, err = k.forgeElsewhere(ctx, key); err != nil {
		return forged{}, err
	}
	if kind != KindRSA {
		if key.Multikey, err = did.EncodeMultikey(key.Public); err != nil {
			return forged{}, fmt.Errorf("issuance: encode key: %w", err)
		}
	}
	sealed, err := k.sealer.Seal(key.ID, secret)
	if err != nil {
		return forged{}, fmt.Errorf("issuance: seal key: %w", err)
	}
	return forged{key: key, sealed: sealed}, nil
}

// forgeElsewhere lets the vault make a key.
func (k *Keyring) forgeElsewhere(ctx context.Context, key Key) (crypto.PublicKey, []byte, error) {
	if k.vault == nil {
		return nil, nil, ErrKeyKind.Detailf("The only provider here is %s: no KEY_VAULT_COMMAND is set.", Local)
	}
	name, err := k.vault.Name(ctx)
	if err != nil {
		return nil, nil, ErrVault.With(err)
	}
	if name != key.Provider {
		return nil, nil, ErrKeyKind.Detailf("The providers here are %s and %s.", Local, name)
	}
	der, handle, err := k.vault.Generate(ctx, string(key.Kind), "badge-engine "+key.ID)
	if err != nil {
		return nil, nil, ErrVault.With(err)
	}
	public, err := x509.ParsePKIXPublicKey(der)
	if err == nil && kindOf(public) != key.Kind {
		err = fmt.Errorf("issuance: %s made a %T", name, public)
	}
	if err != nil {
		return nil, nil, ErrVault.With(err)
	}
	return public, []byte(handle), nil
}

// add stores a key; it joins the unit in ctx.
func (k *Keyring) add(ctx context.Context, made forged) error {
	if err := k.store.InsertKey(ctx, made.key, made.sealed); err != nil {
		return err
	}
	return k.record(ctx, "issuance.key.created", made.key.ID, made.key.IssuerID)
}

// record writes down what was done to a key of an issuer, in the unit of its caller.
func (k *Keyring) record(ctx context.Context, action, id, issuerID string) error {
	k.shelf.Changed(ctx)
	if k.audit == nil {
		return nil
	}
	return k.audit.Record(ctx, action, id, "issuer:"+issuerID, nil)
}

// Discard forgets all keys of an issuer; it joins the unit in ctx. It is for an
// issuer that goes before it has issued anything: what was signed would never
// verify again.
func (k *Keyring) Discard(ctx context.Context, issuerID string) error {
	keys, err := k.store.Keys(ctx, issuerID)
	if err != nil && !errors.Is(err, ErrIssuerUnknown) {
		return err
	}
	if err := k.store.DeleteKeys(ctx, issuerID); err != nil {
		return err
	}
	for _, key := range keys {
		if err := k.record(ctx, "issuance.key.deleted", key.ID, issuerID); err != nil {
			return err
		}
	}
	k.forget(issuerID)
	return nil
}

// forget makes the keys be read again.
func (k *Keyring) forget(issuerID string) {
	k.mu.Lock()
	delete(k.open, issuerID)
	k.era++
	k.mu.Unlock()
	k.flight.Forget(issuerID)             // what is being read may be from before
	k.shelf.Changed(context.Background()) // something may have been signed by what was forgotten
}

// Wanted is a key that somebody wants.
type Wanted struct {
	Kind     Kind
	Purposes []string // those of the key before it, else that of every key
	Provider string   // that of the key before it, else [Local]
}

// CreateKey makes a further key for an issuer. From now on it signs what keys of its
// kind sign. It answers with [ErrIssuerUnknown], [ErrKeyKind] or [ErrVault].
func (k *Keyring) CreateKey(ctx context.Context, issuerID string, want Wanted) (Key, error) {
	return k.replace(ctx, issuerID, want, false)
}

// Rotate makes a new key of a kind, and retires those of its kind that signed until
// now. What they signed stays good. It answers with [ErrIssuerUnknown], [ErrKeyKind] or
// [ErrVault].
func (k *Keyring) Rotate(ctx context.Context, issuerID string, want Wanted) (Key, error) {
	return k.replace(ctx, issuerID, want, true)
}

func (k *Keyring) replace(ctx context.Context, issuerID string, want Wanted, retire bool) (Key, error) {
	kind, purposes := want.Kind, want.Purposes
	if !slices.Contains(Kinds(), kind) {
		return Key{}, ErrKeyKind.Detailf("The kinds are %s, %s, %s and %s.", KindEd25519, KindP256, KindP384, KindRSA)
	}
	for _, purpose := range purposes {
		if purpose != Assertion && purpose != Authentication {
			return Key{}, ErrKeyKind.Detailf("The purposes are %s and %s.", Assertion, Authentication)
		}
	}
	if len(purposes) > 0 && !slices.Contains(purposes, Assertion) {
		return Key{}, ErrKeyKind.Detailf("Every key here signs credentials: add %s.", Assertion)
	}
	keys, err := k.Keys(ctx, issuerID)
	if err != nil {
		return Key{}, err
	}
	var old []Key
	for _, key := range keys {
		if retire && key.Kind == kind && key.State() == Active {
			old = append(old, key)
		}
	}
	if len(old) > 0 {
		if purposes == nil {
			purposes = old[0].Purposes
		}
		want.Provider = cmp.Or(want.Provider, old[0].Provider)
	}
	made, err := k.forge(ctx, keys[0].IssuerID, kind, want.Provider, purposes)
	if err != nil {
		return Key{}, err
	}
	err = k.work.Do(ctx, func(ctx context.Context) error {
		at := k.now().UTC().Truncate(time.Second)
		for _, old := range old {
			if err := k.store.RetireKey(ctx, old.ID, at); err != nil && !errors.Is(err, ErrKeyState) {
				return err // one that another replica retired meanwhile is as it should be
			}
			if err := k.record(ctx, "issuance.key.retired", old.ID, old.IssuerID); err != nil {
				return err
			}
		}
		return k.add(ctx, made)
	})
	if err != nil {
		return Key{}, err
	}
	k.forget(made.key.IssuerID)
	return made.key, nil
}

// Retire makes a key sign no more. What it signed stays good, for which it stays
// published. It answers with [ErrKeyNotFound] or [ErrKeyState].
func (k *Keyring) Retire(ctx context.Context, issuerID, keyID string) (Key, error) {
	return k.end(ctx, issuerID, keyID, "issuance.key.retired", func(ctx context.Context, key Key, at time.Time) error {
		if key.Kind == KindEd25519 && k.only(ctx, key) {
			return ErrKeyState.Detailf("It is the issuer's only active key of the kind Ed25519, by which status lists are signed: rotate it instead.")
		}
		return k.store.RetireKey(ctx, key.ID, at)
	})
}

// only tells whether a key is the last active one of its kind.
func (k *Keyring) only(ctx context.Context, key Key) bool {
	keys, err := k.store.Keys(ctx, key.IssuerID)
	return err == nil && key.State() == Active && !slices.ContainsFunc(keys, func(other Key) bool {
		return other.ID != key.ID && other.Kind == key.Kind && other.State() == Active
	})
}

// RevokeKey says of a key that nothing it signed must be believed, because somebody
// else may have used it. It can be done to the only key of its kind: a new one is
// made in the same unit, so that the issuer goes on. What was signed by the key has
// to be issued again: [Service.Resign].
//
// It answers with [ErrKeyNotFound] or [ErrKeyState].
func (k *Keyring) RevokeKey(ctx context.Context, issuerID, keyID, reason string) (Key, error) {
	key, err := k.Key(ctx, issuerID, keyID)
	if err != nil {
		return Key{}, err
	}
	var next *forged
	if k.only(ctx, key) {
		made, err := k.forge(ctx, key.IssuerID, key.Kind, key.Provider, key.Purposes)
		if err != nil {
			return Key{}, err
		}
		next = &made
	}
	return k.end(ctx, issuerID, keyID, "issuance.key.revoked", func(ctx context.Context, key Key, at time.Time) error {
		if next != nil {
			if err := k.add(ctx, *next); err != nil {
				return err
			}
		}
		return k.store.RevokeKey(ctx, key.ID, at, reason)
	})
}

func (k *Keyring) end(ctx context.Context, issuerID, keyID, action string, deed func(ctx context.Context, key Key, at time.Time) error) (Key, error) {
	key, err := k.Key(ctx, issuerID, keyID)
	if err != nil {
		return Key{}, err
	}
	err = k.work.Do(ctx, func(ctx context.Context) error {
		if err := deed(ctx, key, k.now().UTC().Truncate(time.Second)); err != nil {
			return err
		}
		return k.record(ctx, action, key.ID, key.IssuerID)
	})
	if err != nil {
		return Key{}, err
	}
	k.forget(key.IssuerID)
	return k.Key(ctx, issuerID, keyID)
}

// Key answers one key of an issuer, by its identifier or by what names it in the
// documents, or [ErrIssuerUnknown] or [ErrKeyNotFound].
func (k *Keyring) Key(ctx context.Context, issuerID, name string) (Key, error) {
	keys, err := k.Keys(ctx, issuerID)
	if err != nil {
		return Key{}, err
	}
	for _, key := range keys {
		if jwk, err := key.JWK(); key.ID == name || key.Multikey == name && name != "" || err == nil && jwk.Kid == name {
			return key, nil
		}
	}
	return Key{}, ErrKeyNotFound
}

// uri is the identifier under which an issuer signs.
//
// On https it is the issuer's address, which strangers can trust; elsewhere it is
// the key itself as did:key, so that the badge can be verified anywhere.
func (k *Keyring) uri(issuerID, multikey string) string {
	if k.public.Secure() {
		return k.public.Join("issuers", issuerID)
	}
	return did.KeyDID(multikey)
}

// KeyURL is the address at which a key stands alone, as a JSON Web Key: what the kid
// of a token has to name. Open Badges 3.0, JSON Web Token Proof Format.
func (k *Keyring) keyURL(key Key) string {
	jwk, _ := key.JWK() // a key that was read has one
	return k.public.Join("issuers", key.IssuerID, "jwk", jwk.Kid)
}

// Signer answers the identifier under which the issuer signs and its current key of
// the kind Ed25519. It answers with [ErrIssuerUnknown], [ErrNoKey] or [ErrSealed].
func (k *Keyring) Signer(ctx context.Context, issuerID string) (uri string, signer integrity.Signer, err error) {
	held, err := k.active(ctx, issuerID)
	if err != nil {
		return "", nil, err
	}
	key, signer, err := held.newest(KindEd25519)
	if err != nil {
		return "", nil, err
	}
	return k.uri(key.IssuerID, key.Multikey), signer, nil
}

// Token answers the identifier under which the issuer signs and how it makes tokens.
// It answers with [ErrIssuerUnknown], [ErrNoKey] or [ErrSealed].
func (k *Keyring) Token(ctx context.Context, issuerID string) (uri string, token *credential.Enveloping, err error) {
	p, err := k.plan(ctx, issuerID, Form{Format: string(jose.VCJOSE)})
	return p.uri, p.token, err
}

// newest is the key of the first kind of which there is one.
func (o openKeys) newest(kinds ...Kind) (Key, integrity.Signer, error) {
	for _, kind := range kinds {
		if at := slices.IndexFunc(o.keys, func(key Key) bool { return key.Kind == kind }); at >= 0 {
			return o.keys[at], o.signers[at], nil
		}
	}
	return Key{}, nil, ErrNoKey.Detailf("Make one of the kind %s with POST /api/v1/issuers/{id}/keys.", kinds[0])
}

// active answers the active keys of an issuer, opened.
func (k *Keyring) active(ctx context.Context, issuerID string) (openKeys, error) {
	issuerID, err := known(issuerID, ErrIssuerUnknown)
	if err != nil {
		return openKeys{}, err
	}
	k.mu.RLock()
	held, ok := k.open[issuerID]
	k.mu.RUnlock()
	if now := k.now(); ok && now.Sub(held.read) < fresh && !now.Before(held.read) {
		return held, nil
	}
	// Whoever issues at the time needs them, and one reads for all.
	v, err, _ := k.flight.Do(issuerID, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		return k.read(ctx, issuerID)
	})
	if err != nil {
		return openKeys{}, err
	}
	return v.(openKeys), nil
}

// read reads and opens the active keys of an issuer.
func (k *Keyring) read(ctx context.Context, issuerID string) (openKeys, error) {
	k.mu.RLock()
	held, era := k.open[issuerID], k.era
	k.mu.RUnlock()
	now := k.now()
	keys, sealed, err := k.store.ActiveKeys(ctx, issuerID)
	if err != nil {
		return openKeys{}, err
	}
	form, err := k.store.Form(ctx, issuerID)
	if err != nil {
		return openKeys{}, err
	}
	next := openKeys{form: form, keys: keys, signers: make([]integrity.Signer, len(keys)), read: now}
	for i, key := range keys {
		// What was opened before need not be opened again: a key never changes.
		if at := slices.IndexFunc(held.keys, func(old Key) bool { return old.ID == key.ID }); at >= 0 {
			next.signers[i] = held.signers[at]
			continue
		}
		if next.signers[i], err = k.unlock(key, sealed[i]); err != nil {
			return openKeys{}, err
		}
	}
	k.mu.Lock()
	if k.era == era {
		k.open[issuerID] = next
	}
	k.mu.Unlock()
	return next, nil
}

// unlock opens the private side of a key.
func (k *Keyring) unlock(key Key, sealed []byte) (integrity.Signer, error) {
	secret, err := k.sealer.Open(key.ID, sealed)
	if err != nil {
		return nil, err
	}
	method := k.uri(key.IssuerID, key.Multikey) + "#" + key.fragment()
	if key.Provider != Local {
		return vaulted{vault: k.vault, key: key, handle: string(secret), method: method}, nil
	}
	signer, err := signerOf(key.Kind, secret, method)
	if err != nil {
		return nil, ErrSealed.With(err).Detailf("Key %s cannot be used.", key.ID)
	}
	return signer, nil
}

// Identity answers the identifier under which the issuer signs, and the controlled
// identifier document that lists all its keys.
func (k *Keyring) Identity(ctx context.Context, issuerID string) (string, did.Document, error) {
	keys, err := k.Keys(ctx, issuerID)
	if err != nil {
		return "", did.Document{}, err
	}
	first := keys[0]
	if at := slices.IndexFunc(keys, func(key Key) bool { return key.Kind == KindEd25519 }); at >= 0 {
		first = keys[at]
	}
	uri := k.uri(first.IssuerID, first.Multikey)
	document, err := publish(uri, keys)
	return uri, document, err
}

func publish(id string, keys []Key) (did.Document, error) {
	listed := make([]did.Listed, len(keys))
	for i, key := range keys {
		listed[i] = key.listed()
	}
	return did.Describe(id, listed...)
}

// Keys answers all keys of an issuer, the active ones first and the newest before the
// older, or [ErrIssuerUnknown].
func (k *Keyring) Keys(ctx context.Context, issuerID string) ([]Key, error) {
	issuerID, err := known(issuerID, ErrIssuerUnknown)
	if err != nil {
		return nil, err
	}
	return k.store.Keys(ctx, issuerID)
}

// PublicJWK answers a key of an issuer as it stands at its own address.
func (k *Keyring) PublicJWK(ctx context.Context, issuerID, name string) (did.JWK, error) {
	key, err := k.Key(ctx, issuerID, name)
	if err != nil {
		return did.JWK{}, err
	}
	if key.State() == Revoked { // a JSON Web Key cannot say so itself
		return did.JWK{}, ErrKeyRevoked
	}
	return k.described(key)
}

// described is a key with all that a verifier may want to know of it.
//
// RFC 7517, 4 (JSON Web Key Format). The member iss tells the issuers of one host
// apart.
func (k *Keyring) described(key Key) (did.JWK, error) {
	jwk, err := key.JWK()
	if err != nil {
		return did.JWK{}, err
	}
	jwk.Use, jwk.Iss = "sig", k.uri(key.IssuerID, cmp.Or(key.Multikey, jwk.Kid))
	switch key.Kind {
	case KindEd25519:
		jwk.Alg = "EdDSA"
	case KindP256:
		jwk.Alg = "ES256"
	case KindP384:
		jwk.Alg = "ES384"
	case KindRSA:
		jwk.Alg = "RS256"
	}
	return jwk, nil
}

// KeySet answers the keys of an issuer that sign or have signed, without the revoked ones.
func (k *Keyring) KeySet(ctx context.Context, issuerID string) ([]did.JWK, error) {
	keys, err := k.Keys(ctx, issuerID)
	if err != nil {
		return nil, err
	}
	set := []did.JWK{}
	for _, key := range keys {
		if key.State() == Revoked {
			continue
		}
		jwk, err := k.described(key)
		if err != nil {
			return nil, err
		}
		set = append(set, jwk)
	}
	return set, nil
}

// mostPublished bounds the key set of the host, whose readers look for one key of one
// issuer. All keys of an issuer are at the issuer's own address.
const mostPublished = 1000

// HostKeySet answers the keys of the issuers here, each with the issuer that it belongs
// to: where a verifier looks for a key that stands in the header of a token. It holds
// the newest thousand, without the revoked ones.
//
// Open Badges 3.0, JSON Web Token Proof Format; RFC 8615 (Well-Known URIs).
func (k *Keyring) HostKeySet(ctx context.Context) ([]did.JWK, error) {
	keys, err := k.store.PublishedKeys(ctx, mostPublished)
	if err != nil {
		return nil, err
	}
	set := make([]did.JWK, len(keys))
	for i, key := range keys {
		if set[i], err = k.described(key); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// WebDocument answers the DID document at did:web for an issuer.
//
// DID method web, 2.5.2 (Read): the path of the DID is the path of the document.
func (k *Keyring) WebDocument(ctx context.Context, issuerID string) (did.Document, error) {
	if !k.public.Secure() {
		return did.Document{}, ErrIssuerUnknown.Detailf("did:web needs https, and this server has no https address.")
	}
	keys, err := k.Keys(ctx, issuerID)
	if err != nil {
		return did.Document{}, err
	}
	host, path, _ := strings.Cut(k.public.Join("issuers", keys[0].IssuerID)[len("https://"):], "/")
	return publish("did:web:"+strings.ReplaceAll(host, ":", "%3A")+":"+strings.ReplaceAll(path, "/", ":"), keys)
}

// signers are the methods that sign for an issuer, as they lie on the shelf.
type signers struct{ methods []string }

// Weight implements [shelf.Weighed].
func (s *signers) Weight() int { return 128 * len(s.methods) }

// KeyOf answers for the addresses of issuers here: whether controller is one, so
// that nobody else need be asked, and whether the key of that fragment is among its
// keys. An address at which there is no issuer lists none.
func (k *Keyring) KeyOf(ctx context.Context, controller, fragment string) (ours, listed bool, err error) {
	issuerID, ok := strings.CutPrefix(controller, k.public.Join("issuers", ""))
	if !ok || !k.public.Secure() {
		return false, false, nil
	}
	id, err := known(issuerID, ErrIssuerUnknown)
	if err != nil {
		return true, false, nil //nolint:nilerr // what is no identifier is none of ours
	}
	found, err := shelf.Get(ctx, k.shelf, "signers "+id, func(ctx context.Context) (*signers, error) {
		_, document, err := k.Identity(ctx, id)
		return &signers{document.AssertionMethod}, err
	})
	if errors.Is(err, ErrIssuerUnknown) {
		return true, false, nil
	}
	if err != nil {
		return true, false, err
	}
	return true, slices.Contains(found.methods, controller+"#"+fragment), nil
}

// Published answers what stands at the addresses of keys here, so that no badge of
// our own needs the network: those of issuers, of their DID documents and of their
// JSON Web Keys. Nothing stands where there is no such key, or a revoked one.
func (k *Keyring) Published(ctx context.Context, address string) (document []byte, ours bool, err error) {
	rest, ok := strings.CutPrefix(address, k.public.Join("issuers", ""))
	if !ok || !k.public.Secure() {
		return nil, false, nil
	}
	issuerID, rest, _ := strings.Cut(rest, "/")
	var read func(ctx context.Context) (any, error)
	switch name, isJWK := strings.CutPrefix(rest, "jwk/"); {
	case isJWK:
		read = func(ctx context.Context) (any, error) { return k.PublicJWK(ctx, issuerID, name) }
	case rest == "did.json":
		read = func(ctx context.Context) (any, error) { return k.WebDocument(ctx, issuerID) }
	case rest == "":
		read = func(ctx context.Context) (any, error) {
			_, document, err := k.Identity(ctx, issuerID)
			return document, err
		}
	default:
		return nil, false, nil
	}
	found, err := shelf.JSON(ctx, k.shelf, "published "+address, read)
	if errors.Is(err, ErrIssuerUnknown) || errors.Is(err, ErrKeyNotFound) || errors.Is(err, ErrKeyRevoked) {
		return nil, true, nil
	}
	if err != nil {
		return nil, true, err
	}
	return found.Body, true, nil
}

// Resealed is what came of sealing keys again.
type Resealed struct {
	Changed int      // sealed by an earlier key until now
	Current int      // sealed by this one already
	Lost    []string // ids of those that no key opens
}

// Reseal seals all signing keys again that an earlier key-encryption key sealed, so
// that it can be forgotten. It may run while servers sign, and again after it was
// interrupted.
func (k *Keyring) Reseal(ctx context.Context) (Resealed, error) {
	var out Resealed
	const several = 200
	for after := ""; ; {
		ids, values, err := k.store.SealedKeys(ctx, after, several)
		if err != nil {
			return out, err
		}
		for i, id := range ids {
			secret, current, err := k.sealer.open(id, values[i])
			switch {
			case err != nil:
				out.Lost = append(out.Lost, id)
				continue
			case current:
				out.Current++
				continue
			}
			sealed, err := k.sealer.Seal(id, secret)
			if err != nil {
				return out, err
			}
			if err := k.store.ResealKey(ctx, id, values[i], sealed); err != nil {
				return out, err
			}
			out.Changed++
		}
		if len(ids) < several {
			break
		}
		after = ids[len(ids)-1]
	}
	if k.audit == nil || out.Changed == 0 {
		return out, nil
	}
	return out, k.work.Do(ctx, func(ctx context.Context) error {
		return k.audit.Record(ctx, "issuance.keys.resealed", "", fmt.Sprintf("keys:%d", out.Changed), nil)
	})
}

// Check tells whether the key-encryption key opens the newest signing key.
func (k *Keyring) Check(ctx context.Context) error {
	key, sealed, found, err := k.store.NewestKey(ctx)
	if err != nil || !found {
		return err
	}
	_, err = k.sealer.Open(key.ID, sealed)
	return err
}

// Vouch answers [ErrSealed] if the signing keys were sealed under another
// key-encryption key, so that no replica starts that could not issue. A database
// that cannot be asked, or has no schema yet, stops no start.
func (k *Keyring) Vouch(ctx context.Context) error {
	err := k.Check(ctx)
	if !errors.Is(err, ErrSealed) {
		return nil
	}
	return ErrSealed.Detailf("Configure the key under which it was sealed, the same on every replica: KEY_ENCRYPTION_KEY, or KEY_ENCRYPTION_KEY_FILE from the backup.")
}

// Ledger answers what was issued, for those who must not remove what credentials name.
type Ledger struct{ store *Store }

// NewLedger makes a ledger over a store.
func NewLedger(store *Store) *Ledger { return &Ledger{store: store} }

// Issued reports whether a credential of the issuer, and of the achievement unless
// it is empty, was ever reserved or issued; or an endorsement asked of the issuer.
func (l *Ledger) Issued(ctx context.Context, issuerID, achievementID string) (bool, error) {
	any, err := l.store.AnyCredential(ctx, issuerID, achievementID)
	if any || err != nil || achievementID != "" {
		return any, err
	}
	return l.store.AnyEndorsement(ctx, issuerID)
}
