package issuance

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/did"
)

// suites are the cryptosuites that keys of each kind sign by, the first unless another
// is asked for.
var suites = map[Kind][]string{
	KindEd25519: {integrity.EdDSARDFC2022, integrity.EdDSAJCS2022},
	KindP256:    {integrity.ECDSARDFC2019, integrity.ECDSAJCS2019, integrity.ECDSASD2023},
	KindP384:    {integrity.ECDSARDFC2019, integrity.ECDSAJCS2019},
}

// SignerOf answers who signs under an identifier of an issuer here: its address or its
// did:web, where this server has an https address, or the did:key of one of its active
// keys. The cryptosuite chooses among the keys of the issuer; the answer names the one
// to use. It answers with [ErrIssuerUnknown] for identifiers that are nobody's here,
// [ErrNoKey] where no key signs by the cryptosuite, or [ErrSealed].
func (k *Keyring) SignerOf(ctx context.Context, controller, cryptosuite string) (issuerID, suite string, signer integrity.Signer, err error) {
	if multikey, ok := strings.CutPrefix(controller, "did:key:"); ok {
		return k.signerOfKey(ctx, controller, multikey, cryptosuite)
	}
	issuerID, ok := k.addressed(controller)
	if !ok {
		return "", "", nil, ErrIssuerUnknown
	}
	held, err := k.active(ctx, issuerID)
	if err != nil {
		return "", "", nil, err
	}
	// Without a word the issuer's own choice holds, of which the first proof is taken.
	if cryptosuite == "" {
		cryptosuite = held.form.or(usual()).Proof[0].Cryptosuite
	}
	for i, key := range held.keys {
		if suite, ok := suiteOf(key.Kind, cryptosuite); ok {
			return key.IssuerID, suite, renamed{held.signers[i], controller + "#" + key.fragment()}, nil
		}
	}
	return "", "", nil, ErrNoKey.Detailf("No active key of this issuer signs by the cryptosuite that is asked for.")
}

// TokenSignerOf answers who signs tokens under an identifier of an issuer here, as
// SignerOf does for proofs, and the URL by which a verifier finds the key: the algorithm,
// where one is asked for, chooses among the keys.
//
// Securing Verifiable Credentials using JOSE and COSE 1.0, 4.1 (kid): the kid is the
// absolute URL of a verification method. For an address it is that of the JSON Web Key
// itself, which Open Badges asks for; both stand in the issuer's document.
func (k *Keyring) TokenSignerOf(ctx context.Context, controller, algorithm string) (issuerID, keyURL string, signer integrity.Signer, err error) {
	kinds := tokenKinds
	if algorithm != "" {
		if kinds = kindsOf(algorithm); len(kinds) == 0 {
			return "", "", nil, ErrNoKey.Detailf("No key here signs tokens by this algorithm: ask for ES256, ES384, RS256 or EdDSA.")
		}
	}
	issuerID, ok := k.addressed(controller)
	if multikey, is := strings.CutPrefix(controller, "did:key:"); is {
		if _, _, _, err := k.signerOfKey(ctx, controller, multikey, ""); err != nil {
			return "", "", nil, err
		}
		if issuerID, err = k.store.IssuerOf(ctx, multikey); err != nil {
			return "", "", nil, err
		}
		return k.tokenSigner(ctx, issuerID, kinds, func(key Key) (string, bool) { return controller + "#" + multikey, key.Multikey == multikey })
	}
	if !ok {
		return "", "", nil, ErrIssuerUnknown
	}
	return k.tokenSigner(ctx, issuerID, kinds, func(key Key) (string, bool) {
		if strings.HasPrefix(controller, "did:") {
			jwk, _ := key.JWK() // a key that was read has one
			return controller + "#" + jwk.Kid, true
		}
		return k.keyURL(key), true
	})
}

// Named tells whether an identifier is an issuer's: its address or its did:web, where this
// server has an https address, or the did:key of any key that it has or had.
func (k *Keyring) Named(ctx context.Context, issuerID, identifier string) (bool, error) {
	multikey, isKey := strings.CutPrefix(identifier, "did:key:")
	if !isKey {
		id, ok := k.addressed(identifier)
		return ok && id == issuerID, nil
	}
	is := func(key Key) bool { return key.Multikey == multikey && multikey != "" }
	held, err := k.active(ctx, issuerID)
	if err == nil && slices.ContainsFunc(held.keys, is) {
		return true, nil
	}
	keys, err := k.Keys(ctx, issuerID)
	return slices.ContainsFunc(keys, is), err
}

// tokenSigner is the newest key of the first kind there is, of those that are named.
func (k *Keyring) tokenSigner(ctx context.Context, issuerID string, kinds []Kind, name func(Key) (keyURL string, ok bool)) (string, string, integrity.Signer, error) {
	held, err := k.active(ctx, issuerID)
	if err != nil {
		return "", "", nil, err
	}
	for _, kind := range kinds {
		for i, key := range held.keys {
			if keyURL, ok := name(key); ok && key.Kind == kind {
				return key.IssuerID, keyURL, renamed{held.signers[i], keyURL}, nil
			}
		}
	}
	return "", "", nil, ErrNoKey.Detailf("No active key of this issuer signs tokens by the algorithm that is asked for.")
}

// kindsOf are the kinds of keys that sign tokens by an algorithm. RFC 7518, 3.1; RFC 8037, 3.1.
func kindsOf(algorithm string) []Kind {
	kind, ok := map[string]Kind{"ES256": KindP256, "ES384": KindP384, "RS256": KindRSA, "EdDSA": KindEd25519}[algorithm]
	if !ok {
		return nil
	}
	return []Kind{kind}
}

// signerOfKey finds the one key that a did:key is.
func (k *Keyring) signerOfKey(ctx context.Context, controller, multikey, cryptosuite string) (issuerID, suite string, signer integrity.Signer, err error) {
	if _, err := did.DecodeMultikey(multikey); err != nil {
		return "", "", nil, ErrIssuerUnknown
	}
	issuerID, err = k.store.IssuerOf(ctx, multikey)
	if err != nil {
		return "", "", nil, err
	}
	held, err := k.active(ctx, issuerID)
	if err != nil {
		return "", "", nil, err
	}
	at := slices.IndexFunc(held.keys, func(key Key) bool { return key.Multikey == multikey })
	if at < 0 {
		return "", "", nil, ErrNoKey.Detailf("This key signs no more.")
	}
	suite, ok := suiteOf(held.keys[at].Kind, cryptosuite)
	if !ok {
		return "", "", nil, ErrNoKey.Detailf("This key does not sign by the cryptosuite that is asked for.")
	}
	return issuerID, suite, renamed{held.signers[at], controller + "#" + multikey}, nil
}

func suiteOf(kind Kind, wanted string) (string, bool) {
	of := suites[kind]
	switch {
	case len(of) == 0:
		return "", false
	case wanted == "":
		return of[0], true
	}
	return wanted, slices.Contains(of, wanted)
}

// addressed reads the id of an issuer out of its address or its did:web.
func (k *Keyring) addressed(controller string) (issuerID string, ok bool) {
	if !k.public.Secure() {
		return "", false
	}
	if name, is := strings.CutPrefix(controller, "did:web:"); is {
		var err error
		segments := strings.Split(name, ":")
		for i := range segments {
			if segments[i], err = url.PathUnescape(segments[i]); err != nil || strings.Contains(segments[i], "/") {
				return "", false
			}
		}
		controller = "https://" + strings.Join(segments, "/")
	}
	issuerID, ok = strings.CutPrefix(controller, k.public.Join("issuers", ""))
	if id, err := known(issuerID, ErrIssuerUnknown); err != nil || id != issuerID {
		return "", false // in capitals it would be another identifier to others
	}
	return issuerID, ok
}

// renamed signs under another of the names that a key has.
type renamed struct {
	integrity.Signer
	method string
}

// VerificationMethod implements [integrity.Signer].
func (r renamed) VerificationMethod() string { return r.method }
