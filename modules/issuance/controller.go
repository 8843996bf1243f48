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
	for i, key := range held.keys {
		if suite, ok := suiteOf(key.Kind, cryptosuite); ok && (cryptosuite != "" || key.Kind == KindEd25519) {
			return key.IssuerID, suite, renamed{held.signers[i], controller + "#" + key.fragment()}, nil
		}
	}
	return "", "", nil, ErrNoKey.Detailf("No active key of this issuer signs by the cryptosuite that is asked for.")
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
