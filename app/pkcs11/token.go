//go:build cgo

package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/miekg/pkcs11"
)

// token is a token of a module that its user is logged into.
type token struct {
	module   *pkcs11.Ctx
	sessions chan pkcs11.SessionHandle // those that nobody uses; a session does one thing at a time
	keep     pkcs11.SessionHandle      // which keeps the user logged in
}

// sessions is how many signatures may be made at a time.
const sessions = 4

// open loads a module and logs into the token of that label. PKCS #11 2.40, 5.6.
func open(path, label, pin string) (*token, error) {
	if path == "" || label == "" || pin == "" {
		return nil, errors.New("PKCS11_MODULE, PKCS11_TOKEN and PKCS11_PIN or PKCS11_PIN_FILE are needed")
	}
	module := pkcs11.New(path)
	if module == nil {
		return nil, fmt.Errorf("PKCS11_MODULE: %s is no library that could be loaded", path)
	}
	if err := module.Initialize(); err != nil {
		return nil, fmt.Errorf("PKCS11_MODULE: initialize: %w", err)
	}
	slots, err := module.GetSlotList(true)
	if err != nil {
		return nil, fmt.Errorf("PKCS11_MODULE: list slots: %w", err)
	}
	for _, slot := range slots {
		info, err := module.GetTokenInfo(slot)
		if err != nil || strings.TrimRight(info.Label, " \x00") != label {
			continue
		}
		t := &token{module: module, sessions: make(chan pkcs11.SessionHandle, sessions)}
		for i := range sessions + 1 {
			session, err := module.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
			if err != nil {
				return nil, fmt.Errorf("open session: %w", err)
			}
			if i < sessions {
				t.sessions <- session
			} else {
				t.keep = session
			}
		}
		if err := module.Login(t.keep, pkcs11.CKU_USER, pin); err != nil && !errors.Is(err, pkcs11.Error(pkcs11.CKR_USER_ALREADY_LOGGED_IN)) {
			return nil, fmt.Errorf("PKCS11_PIN: log in: %w", err)
		}
		return t, nil
	}
	return nil, fmt.Errorf("PKCS11_TOKEN: the module has no token of the label %q", label)
}

func (t *token) close() {
	_ = t.module.Finalize()
	t.module.Destroy()
}

// kind is how keys of a kind are made and used.
type kind struct {
	make, sign uint
	parameters []byte // the curve; none for RSA
}

// PKCS #11 3.0, 6.3 (Elliptic Curve): what the library does not name.
const (
	edwardsPairGen = 0x1055 // CKM_EC_EDWARDS_KEY_PAIR_GEN
	edwardsSign    = 0x1057 // CKM_EDDSA
)

// The object identifiers of curves in DER, and the name of edwards25519 as PKCS #11
// 3.0, 6.3.5 (Edwards EC public key objects) has it.
var kinds = map[string]kind{
	"Ed25519":  {edwardsPairGen, edwardsSign, append([]byte{0x13, 0x0c}, "edwards25519"...)},
	"P-256":    {pkcs11.CKM_EC_KEY_PAIR_GEN, pkcs11.CKM_ECDSA, []byte{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}},
	"P-384":    {pkcs11.CKM_EC_KEY_PAIR_GEN, pkcs11.CKM_ECDSA, []byte{0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22}},
	"RSA-2048": {pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN, pkcs11.CKM_SHA256_RSA_PKCS, nil},
}

// generate makes a key pair in the module. The handle is the identifier that both halves
// have there, in hexadecimal.
func (t *token) generate(name, label string) (handle string, public []byte, err error) {
	k, ok := kinds[name]
	if !ok {
		return "", nil, fmt.Errorf("there are no keys of the kind %q", name)
	}
	id := make([]byte, 16)
	rand.Read(id) // never fails
	common := func(private bool) []*pkcs11.Attribute {
		return []*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_ID, id),
			pkcs11.NewAttribute(pkcs11.CKA_LABEL, label), pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, private),
		}
	}
	half := append(common(false), pkcs11.NewAttribute(pkcs11.CKA_VERIFY, true))
	if k.parameters != nil {
		half = append(half, pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, k.parameters))
	} else {
		half = append(half, pkcs11.NewAttribute(pkcs11.CKA_MODULUS_BITS, 2048), pkcs11.NewAttribute(pkcs11.CKA_PUBLIC_EXPONENT, []byte{1, 0, 1}))
	}
	secret := append(common(true), pkcs11.NewAttribute(pkcs11.CKA_SIGN, true), pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false))
	err = t.with(func(session pkcs11.SessionHandle) error {
		object, _, err := t.module.GenerateKeyPair(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(k.make, nil)}, half, secret)
		if err != nil {
			return fmt.Errorf("generate: %w", err)
		}
		public, err = t.public(session, object, name)
		return err
	})
	return hex.EncodeToString(id), public, err
}

// public reads a public key and writes it as SPKI.
func (t *token) public(session pkcs11.SessionHandle, object pkcs11.ObjectHandle, name string) ([]byte, error) {
	read := func(types ...uint) ([][]byte, error) {
		var template []*pkcs11.Attribute
		for _, typ := range types {
			template = append(template, pkcs11.NewAttribute(typ, nil))
		}
		found, err := t.module.GetAttributeValue(session, object, template)
		if err != nil {
			return nil, fmt.Errorf("read public key: %w", err)
		}
		values := make([][]byte, len(found))
		for i, attribute := range found {
			values[i] = attribute.Value
		}
		return values, nil
	}
	if name == "RSA-2048" {
		values, err := read(pkcs11.CKA_MODULUS, pkcs11.CKA_PUBLIC_EXPONENT)
		if err != nil {
			return nil, err
		}
		return x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: new(big.Int).SetBytes(values[0]), E: int(new(big.Int).SetBytes(values[1]).Int64())})
	}
	values, err := read(pkcs11.CKA_EC_POINT)
	if err != nil {
		return nil, err
	}
	// The point is an OCTET STRING in DER; some modules give it bare.
	point := values[0]
	var wrapped []byte
	if rest, err := asn1.Unmarshal(point, &wrapped); err == nil && len(rest) == 0 {
		point = wrapped
	}
	if name == "Ed25519" {
		if len(point) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("the module gives a public key of %d bytes", len(point))
		}
		return x509.MarshalPKIXPublicKey(ed25519.PublicKey(point))
	}
	curve := elliptic.P256()
	if name == "P-384" {
		curve = elliptic.P384()
	}
	key, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return nil, fmt.Errorf("read public key: %w", err)
	}
	return x509.MarshalPKIXPublicKey(key)
}

// sign signs a message with the private key of a handle.
func (t *token) sign(name, handle string, message []byte) (signature []byte, err error) {
	k, ok := kinds[name]
	id, bad := hex.DecodeString(handle)
	if !ok || bad != nil || len(id) == 0 {
		return nil, errors.New("there is no such key")
	}
	switch name { // CKM_ECDSA signs what is hashed already
	case "P-256":
		sum := sha256.Sum256(message)
		message = sum[:]
	case "P-384":
		sum := sha512.Sum384(message)
		message = sum[:]
	}
	err = t.with(func(session pkcs11.SessionHandle) error {
		object, err := t.find(session, id)
		if err != nil {
			return err
		}
		if err := t.module.SignInit(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(k.sign, nil)}, object); err != nil {
			return fmt.Errorf("sign: %w", err)
		}
		if signature, err = t.module.Sign(session, message); err != nil {
			return fmt.Errorf("sign: %w", err)
		}
		return nil
	})
	return signature, err
}

func (t *token) find(session pkcs11.SessionHandle, id []byte) (pkcs11.ObjectHandle, error) {
	template := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY), pkcs11.NewAttribute(pkcs11.CKA_ID, id)}
	if err := t.module.FindObjectsInit(session, template); err != nil {
		return 0, fmt.Errorf("find key: %w", err)
	}
	found, _, err := t.module.FindObjects(session, 1)
	if err = errors.Join(err, t.module.FindObjectsFinal(session)); err != nil {
		return 0, fmt.Errorf("find key: %w", err)
	}
	if len(found) == 0 {
		return 0, errors.New("the token holds no such key")
	}
	return found[0], nil
}

func (t *token) with(use func(session pkcs11.SessionHandle) error) error {
	session := <-t.sessions
	defer func() { t.sessions <- session }()
	return use(session)
}
