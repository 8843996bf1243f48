package issuance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/credential/jose"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// Form is how a credential is secured, as far as somebody asks for it. An issuer has
// one, which holds for every credential whose order says nothing.
type Form struct {
	Proof       []ProofForm `json:"proof,omitempty" doc:"The embedded proofs, a set unless chain says otherwise; those of the issuer unless given."`
	Chain       bool        `json:"chain,omitempty" doc:"Each proof covers the one before it, so that it vouches for that one too and none can be left out unseen."`
	Format      string      `json:"format,omitempty" enum:"jwt,vc+jwt" doc:"Also in a token: jwt with the header and claims of Open Badges 3.0, vc+jwt with those of the W3C."`
	FormatKeyID string      `json:"formatKeyId,omitempty" doc:"The key of the token; else the newest one, on P-256 before RSA, P-384 and Ed25519: validators read ES256 and RS256 best."`
}

// ProofForm is one embedded proof.
type ProofForm struct {
	Cryptosuite       string   `json:"cryptosuite" enum:"eddsa-rdfc-2022,eddsa-jcs-2022,ecdsa-rdfc-2019,ecdsa-jcs-2019,ecdsa-sd-2023" doc:"ecdsa-sd-2023 lets the holder show a part of the credential; the world then reads only what is mandatory."`
	KeyID             string   `json:"keyId,omitempty" doc:"The key; else the newest one that fits."`
	MandatoryPointers []string `json:"mandatoryPointers,omitempty" doc:"For ecdsa-sd-2023: JSON Pointers to what the holder must always show, beside what the standard requires, the end and the status."`
}

// maxProofs is how many proofs of one credential may be asked for.
const maxProofs = 8

// usual is the form of an issuer that chose none.
func usual() Form { return Form{Proof: []ProofForm{{Cryptosuite: integrity.EdDSARDFC2022}}} }

// suiteKinds are the kinds of keys that a cryptosuite signs with, the usual one first.
var suiteKinds = map[string][]Kind{
	integrity.EdDSARDFC2022: {KindEd25519},
	integrity.EdDSAJCS2022:  {KindEd25519},
	integrity.ECDSARDFC2019: {KindP256, KindP384},
	integrity.ECDSAJCS2019:  {KindP256, KindP384},
	integrity.ECDSASD2023:   {KindP256},
}

// tokenKinds are the kinds of keys that sign tokens, the one that most validators
// read first.
var tokenKinds = []Kind{KindP256, KindRSA, KindP384, KindEd25519}

const (
	formRule  = "Open Badges 3.0, Proofs"
	chainRule = "Data Integrity 1.0, 2.1.2 (Proof Chains)"
)

// check refuses what no credential can be secured by; its pointers lead into the form.
func (f Form) check() error {
	if len(f.Proof) > maxProofs {
		return refuse("/proof", formRule, fmt.Sprintf("There are %d proofs.", len(f.Proof)), fmt.Sprintf("Ask for at most %d.", maxProofs))
	}
	for i, p := range f.Proof {
		at := "/proof/" + strconv.Itoa(i)
		if suiteKinds[p.Cryptosuite] == nil {
			return refuse(at+"/cryptosuite", "Data Integrity 1.0, Proofs: cryptosuite", "No proof is made by this cryptosuite.", "Give eddsa-rdfc-2022, eddsa-jcs-2022, ecdsa-rdfc-2019, ecdsa-jcs-2019 or ecdsa-sd-2023.")
		}
		if len(p.MandatoryPointers) > 0 && p.Cryptosuite != integrity.ECDSASD2023 {
			return refuse(at+"/mandatoryPointers", "Data Integrity ECDSA Cryptosuites 1.0, ecdsa-sd-2023", "Proofs of this cryptosuite always show the whole credential.", "Leave the pointers out, or use ecdsa-sd-2023.")
		}
	}
	// Data Integrity 1.0, 2.1.2 (Proof Chains).
	if f.Chain && len(f.Proof) < 2 {
		return refuse("/chain", chainRule, "A chain has at least two proofs.", "Give as proof those that it is made of, the first first.")
	}
	for i, p := range f.Proof {
		if f.Chain && p.Cryptosuite == integrity.ECDSASD2023 {
			return refuse("/proof/"+strconv.Itoa(i)+"/cryptosuite", chainRule, "A proof of this cryptosuite is replaced by another when the holder shows a part, which breaks a chain.", "Leave chain out, so that the proofs are a set.")
		}
	}
	if f.Format != "" && f.Format != string(jose.OpenBadges) && f.Format != string(jose.VCJOSE) {
		return refuse("/format", formRule, "There are no tokens of this form.", "Give jwt or vc+jwt, or leave it out.")
	}
	if f.FormatKeyID != "" && f.Format == "" {
		return refuse("/formatKeyId", formRule, "A key is named for a token that is not asked for.", "Give format as well.")
	}
	return nil
}

// or is the form with what it does not say taken from another.
func (f Form) or(other Form) Form {
	if len(f.Proof) == 0 {
		f.Proof, f.Chain = other.Proof, other.Chain
	}
	if f.Format == "" {
		f.Format, f.FormatKeyID = other.Format, other.FormatKeyID
	}
	return f
}

// text is the form as it is stored; none for one that says nothing.
func (f Form) text() *string {
	if len(f.Proof) == 0 && f.Format == "" {
		return nil
	}
	data, _ := json.Marshal(f) // texts alone are always written
	text := string(data)
	return &text
}

// formOf reads what text wrote.
func formOf(text string) (f Form) {
	if text != "" {
		_ = json.Unmarshal([]byte(text), &f) // what is not known asks for nothing
	}
	return f
}

// plan is a form with the keys that carry it out.
type plan struct {
	uri    string // the identifier of the issuer
	proofs []credential.Embedding
	token  *credential.Enveloping
	keys   []string // ids of the keys
}

// Plan finds the keys that secure a credential in a form; what it does not say is the
// issuer's choice. It answers with [ErrIssuerUnknown], [ErrInvalid], [ErrNoKey],
// [ErrKeyNotFound] or [ErrSealed].
func (k *Keyring) plan(ctx context.Context, issuerID string, asked Form) (plan, error) {
	if err := asked.check(); err != nil {
		return plan{}, err
	}
	held, err := k.active(ctx, issuerID)
	if err != nil {
		return plan{}, err
	}
	form := asked.or(held.form).or(usual())
	var p plan
	use := func(pointer, keyID string, kinds []Kind) (integrity.Signer, Key, error) {
		key, signer, err := held.choose(pointer, keyID, kinds)
		if err != nil {
			return nil, Key{}, err
		}
		if !k.public.Secure() && key.Kind != KindEd25519 {
			// The identifier of the issuer is the key then, and an issuer has but one.
			return nil, Key{}, ErrNoKey.Detailf("Without an https address an issuer is its Ed25519 key, and signs with nothing else: set PUBLIC_URL to an https address.")
		}
		uri := k.uri(key.IssuerID, key.Multikey)
		if p.uri != "" && p.uri != uri {
			return nil, Key{}, ErrNoKey.Detailf("Without an https address an issuer is its key: name one key, or set PUBLIC_URL to an https address.")
		}
		p.uri = uri
		if !slices.Contains(p.keys, key.ID) {
			p.keys = append(p.keys, key.ID)
		}
		return signer, key, nil
	}
	for i, proof := range form.Proof {
		signer, _, err := use("/proof/"+strconv.Itoa(i)+"/keyId", proof.KeyID, suiteKinds[proof.Cryptosuite])
		if err != nil {
			return plan{}, err
		}
		e := credential.Embedding{Cryptosuite: proof.Cryptosuite, Signer: signer, Mandatory: proof.MandatoryPointers}
		if form.Chain {
			if e.ID = newURN(); i > 0 {
				e.Previous = []string{p.proofs[i-1].ID}
			}
		}
		p.proofs = append(p.proofs, e)
	}
	if form.Format != "" {
		signer, key, err := use("/formatKeyId", form.FormatKeyID, tokenKinds)
		if err != nil {
			return plan{}, err
		}
		kid := k.keyURL(key)
		if !k.public.Secure() {
			kid = signer.VerificationMethod()
		}
		p.token = &credential.Enveloping{Signer: signer, KeyID: kid, Profile: jose.Profile(form.Format)}
	}
	return p, nil
}

// choose is the active key of that name, or the newest of the first kind there is.
func (o openKeys) choose(pointer, keyID string, kinds []Kind) (Key, integrity.Signer, error) {
	if keyID == "" {
		return o.newest(kinds...)
	}
	at := slices.IndexFunc(o.keys, func(key Key) bool { return key.ID == keyID })
	if at < 0 {
		return Key{}, nil, refuse(pointer, formRule, "The issuer has no active key of this id.", "Choose one from GET /api/v1/issuers/{id}/keys, or leave it out.")
	}
	if !slices.Contains(kinds, o.keys[at].Kind) {
		return Key{}, nil, refuse(pointer, formRule, "The key is of the kind "+string(o.keys[at].Kind)+", which does not sign this.", "Choose a key of the kind "+string(kinds[0])+", or leave it out.")
	}
	return o.keys[at], o.signers[at], nil
}

// needsSubject tells whether the subject must have an id, which the claim sub repeats.
// Open Badges 3.0, JSON Web Token Proof Format.
func (p plan) needsSubject() bool { return p.token != nil && p.token.Profile == jose.OpenBadges }

// fit completes the plan for a document, and refuses one whose pointers do not fit it:
// once a credential is reserved nothing must go wrong that could have been foreseen.
func (p plan) fit(prepared *credential.Prepared) error {
	for i := range p.proofs {
		e := &p.proofs[i]
		if e.Cryptosuite != integrity.ECDSASD2023 {
			continue
		}
		asked := e.Mandatory
		e.Mandatory = slices.Concat(prepared.Mandatory(), asked)
		if len(asked) == 0 {
			continue
		}
		var wrong *integrity.Error
		if err := prepared.Selectable(e.Mandatory); errors.As(err, &wrong) {
			return refuse("/proof/"+strconv.Itoa(i)+"/mandatoryPointers", "Data Integrity ECDSA Cryptosuites 1.0, mandatoryPointers", "A pointer cannot be used: "+wrong.Problem+".", wrong.Remedy)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// secure signs, and sorts out who may read what: a base proof, from which everything
// can be shown, is for the holder, and the world reads what any holder must show.
func (p plan) secure(ctx context.Context, c integrity.Canonicalizer, prepared *credential.Prepared, into *Credential, at time.Time) error {
	secured, err := prepared.Secure(ctx, credential.Securing{Created: at, Proofs: p.proofs, Token: p.token})
	if err != nil {
		return err
	}
	into.Document, into.Token, into.Holder, into.keys = secured.Document, secured.Token, nil, p.keys
	isBase := func(e credential.Embedding) bool { return e.Cryptosuite == integrity.ECDSASD2023 }
	if !slices.ContainsFunc(p.proofs, isBase) {
		return nil
	}
	value, err := strictjson.Parse(secured.Document)
	if err != nil {
		return err
	}
	document := value.(map[string]any)
	proofs := document["proof"].([]any)
	if slices.ContainsFunc(p.proofs, func(e credential.Embedding) bool { return !isBase(e) }) {
		document["proof"] = slices.DeleteFunc(proofs, func(proof any) bool { return proof.(map[string]any)["cryptosuite"] == integrity.ECDSASD2023 })
	} else if document, err = integrity.Derive(c, document, nil); err != nil {
		return err
	}
	into.Holder = secured.Document
	into.Document, err = json.Marshal(document)
	return err
}

// Form answers how an issuer's credentials are secured unless an order says otherwise.
func (k *Keyring) Form(ctx context.Context, issuerID string) (Form, error) {
	held, err := k.active(ctx, issuerID)
	if err != nil {
		return Form{}, err
	}
	return held.form.or(usual()), nil
}

// SetForm changes how an issuer's credentials are secured from now on. It answers with
// [ErrIssuerUnknown], [ErrInvalid], or [ErrNoKey] where a key that it needs is missing.
func (k *Keyring) SetForm(ctx context.Context, issuerID string, form Form) (Form, error) {
	keys, err := k.Keys(ctx, issuerID)
	if err != nil {
		return Form{}, err
	}
	issuerID = keys[0].IssuerID
	if _, err := k.plan(ctx, issuerID, form.or(usual())); err != nil {
		return Form{}, err
	}
	err = k.work.Do(ctx, func(ctx context.Context) error {
		if err := k.store.SetForm(ctx, issuerID, form); err != nil {
			return err
		}
		return k.record(ctx, "issuance.signing.changed", issuerID, issuerID)
	})
	if err != nil {
		return Form{}, err
	}
	k.forget(issuerID)
	return form.or(usual()), nil
}
