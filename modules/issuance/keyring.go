package issuance

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/platform/config"
)

// Key is the public side of a signing key.
type Key struct {
	ID       string
	IssuerID string
	Multikey string // Controlled Identifiers 1.0, 2.2.2 (Multikey)
	Created  time.Time
	Retired  *time.Time // nil while it signs
}

// JWK is the public key as RFC 7517 writes it, named by its thumbprint as in the
// documents that list it.
func (k Key) JWK() (did.JWK, error) {
	public, err := did.DecodeMultikey(k.Multikey)
	if err != nil {
		return did.JWK{}, fmt.Errorf("issuance: key %s: %w", k.ID, err)
	}
	jwk, err := did.NewJWK(public)
	jwk.Kid = jwk.Thumbprint()
	return jwk, err
}

// Keyring keeps the signing keys of all issuers.
//
// A retired key signs no more but stays published, so that what it signed can
// still be verified.
type Keyring struct {
	public config.PublicURL
	store  *Store
	sealer *Sealer
	now    func() time.Time
	audit  Audit // may be nil

	mu   sync.RWMutex
	open map[string]openKey // by issuer
}

type openKey struct {
	uri    string
	signer integrity.Signer
}

// Audited makes the keyring record what happens to keys.
func (k *Keyring) Audited(audit Audit) *Keyring {
	k.audit = audit
	return k
}

// NewKeyring makes a keyring over a store.
func NewKeyring(public config.PublicURL, store *Store, sealer *Sealer, now func() time.Time) *Keyring {
	return &Keyring{public: public, store: store, sealer: sealer, now: now, open: map[string]openKey{}}
}

// Provision gives an issuer its first signing key, Ed25519; it joins the unit in ctx.
func (k *Keyring) Provision(ctx context.Context, issuerID string) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("issuance: make key: %w", err)
	}
	multikey, err := did.EncodeMultikey(public)
	if err != nil {
		return fmt.Errorf("issuance: encode key: %w", err)
	}
	key := Key{ID: uuid.Must(uuid.NewV7()).String(), IssuerID: issuerID, Multikey: multikey, Created: k.now().UTC().Truncate(time.Second)}
	sealed, err := k.sealer.Seal(key.ID, private.Seed())
	if err != nil {
		return fmt.Errorf("issuance: seal key: %w", err)
	}
	if err := k.store.InsertKey(ctx, key, sealed); err != nil {
		return err
	}
	return k.record(ctx, "issuance.key.created", key.ID, issuerID)
}

// record writes down what was done to a key of an issuer, in the unit of its caller.
func (k *Keyring) record(ctx context.Context, action, id, issuerID string) error {
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
	k.mu.Lock()
	delete(k.open, issuerID)
	k.mu.Unlock()
	return nil
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

// Signer answers the identifier under which the issuer signs and its current
// signing key. It answers with [ErrIssuerUnknown] or [ErrSealed].
func (k *Keyring) Signer(ctx context.Context, issuerID string) (uri string, signer integrity.Signer, err error) {
	k.mu.RLock()
	held, ok := k.open[issuerID]
	k.mu.RUnlock()
	if ok {
		return held.uri, held.signer, nil
	}
	if issuerID, err = known(issuerID, ErrIssuerUnknown); err != nil {
		return "", nil, err
	}
	key, sealed, err := k.store.SigningKey(ctx, issuerID)
	if err != nil {
		return "", nil, err
	}
	seed, err := k.sealer.Open(key.ID, sealed)
	if err != nil {
		return "", nil, err
	}
	if len(seed) != ed25519.SeedSize {
		return "", nil, ErrSealed.Detailf("Key %s has the wrong length.", key.ID)
	}
	held.uri = k.uri(issuerID, key.Multikey)
	held.signer = integrity.NewEd25519Signer(ed25519.NewKeyFromSeed(seed), held.uri+"#"+key.Multikey)
	k.mu.Lock()
	k.open[issuerID] = held
	k.mu.Unlock()
	return held.uri, held.signer, nil
}

// Identity answers the identifier under which the issuer signs, and the controlled
// identifier document that lists all its keys.
func (k *Keyring) Identity(ctx context.Context, issuerID string) (string, did.Document, error) {
	keys, err := k.Keys(ctx, issuerID)
	if err != nil {
		return "", did.Document{}, err
	}
	uri := k.uri(keys[0].IssuerID, keys[0].Multikey)
	document, err := publish(uri, keys)
	return uri, document, err
}

func publish(id string, keys []Key) (did.Document, error) {
	multikeys := make([]string, len(keys))
	for i, key := range keys {
		multikeys[i] = key.Multikey
	}
	return did.NewDocument(id, multikeys...)
}

// Keys answers all keys of an issuer, the signing one first, or [ErrIssuerUnknown].
func (k *Keyring) Keys(ctx context.Context, issuerID string) ([]Key, error) {
	issuerID, err := known(issuerID, ErrIssuerUnknown)
	if err != nil {
		return nil, err
	}
	return k.store.Keys(ctx, issuerID)
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

// KeyOf answers for the addresses of issuers here: whether controller is one, so
// that nobody else need be asked, and whether the key of that fragment is among its
// keys. An address at which there is no issuer lists none.
func (k *Keyring) KeyOf(ctx context.Context, controller, fragment string) (ours, listed bool, err error) {
	issuerID, ok := strings.CutPrefix(controller, k.public.Join("issuers", ""))
	if !ok || !k.public.Secure() {
		return false, false, nil
	}
	_, document, err := k.Identity(ctx, issuerID)
	if errors.Is(err, ErrIssuerUnknown) {
		return true, false, nil
	}
	if err != nil {
		return true, false, err
	}
	return true, slices.Contains(document.AssertionMethod, controller+"#"+fragment), nil
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

// Ledger answers what was issued, for those who must not remove what credentials name.
type Ledger struct{ store *Store }

// NewLedger makes a ledger over a store.
func NewLedger(store *Store) *Ledger { return &Ledger{store: store} }

// Issued reports whether a credential of the issuer, and of the achievement unless
// it is empty, was ever reserved or issued.
func (l *Ledger) Issued(ctx context.Context, issuerID, achievementID string) (bool, error) {
	return l.store.AnyCredential(ctx, issuerID, achievementID)
}
