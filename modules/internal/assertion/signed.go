package assertion

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/jose"
	"github.com/badge-engine/badge-engine/modules/internal/report"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// minModulus is that of RFC 7518, 3.3 (Digital Signature with RSASSA-PKCS1-v1_5).
const minModulus = 2048

// signed: Open Badges 2.0, Verification: the assertion is genuine if a key signed it that
// the profile of the issuer lists, and that names the issuer as its owner.
func (r *run) signed(ctx context.Context, j *report.Judgement, p *Parsed, b *badge) {
	if kind := object(p.Document, "verification"); is(kind, "HostedBadge") || is(kind, "hosted") {
		j.Fail(credential.CheckProof, problem(security, "it is signed, but says that it is hosted", "Ask the issuer for a badge that says one thing."))
		return
	}
	if !r.chain(ctx, j, b, true) {
		return
	}
	issuer := strictjson.Text(b.issuer, "id")
	key, address, err := r.key(ctx, p.Document, b.issuer)
	if err != nil {
		pr := problem(security, "the key of the issuer cannot be used: "+err.Error(), "Ask the issuer to publish its key.")
		if undecided(err) {
			pr = problem(away, "the key of the issuer could not be asked for: "+err.Error(), "Try again later.")
			j.Doubt(credential.CheckProof, pr)
		} else {
			j.Fail(credential.CheckProof, pr)
		}
		j.Evidence(address)
		return
	}
	if err := p.Token.VerifyWith(key); err != nil {
		var e *jose.Error
		pr := problem(security, "the signature is not good", "")
		if errors.As(err, &e) {
			pr = problem(security, e.Problem, e.Remedy)
		}
		j.Fail(credential.CheckProof, pr)
		j.Evidence("alg "+strictjson.Text(p.Token.Header, "alg"), "key "+address)
		return
	}
	j.Add(credential.CheckProof, report.Passed, "the signature by "+strictjson.Text(p.Token.Header, "alg")+" is good", "")
	j.Evidence("key " + address)
	j.Add(credential.CheckIssuer, report.Passed, "the profile of the issuer lists the key, and the key names the issuer as its owner", "")
	j.Evidence("issuer "+issuer, "key "+address)
}

// key finds the key of a signed assertion. Open Badges 2.0, CryptographicKey; a profile
// in the place of the creator stands for the keys that it lists.
func (r *run) key(ctx context.Context, assertion, issuer map[string]any) (crypto.PublicKey, string, error) {
	listed := strictjson.List(issuer["publicKey"])
	creator := idOf(object(assertion, "verification")["creator"])
	if creator == "" || creator == strictjson.Text(issuer, "id") {
		if len(listed) == 0 {
			return nil, "", errors.New("its profile lists none")
		}
		creator = idOf(listed[0])
	}
	for _, entry := range listed {
		if idOf(entry) != creator {
			continue
		}
		// The profile was fetched from its own address, so that it may be believed.
		embedded, _ := entry.(map[string]any)
		document, err := r.resolve(ctx, entry, strictjson.Text(embedded, "publicKeyPem") != "")
		if err != nil {
			return nil, creator, err
		}
		if owner := idOf(document["owner"]); owner != strictjson.Text(issuer, "id") {
			return nil, creator, errors.New("it names another owner than the issuer")
		}
		key, err := readPEM(strictjson.Text(document, "publicKeyPem"))
		return key, creator, err
	}
	return nil, creator, errors.New("its profile does not list the key that signed")
}

// readPEM reads a public key: RSA, or a curve that a token may be signed with.
func readPEM(s string) (crypto.PublicKey, error) {
	block, _ := pem.Decode([]byte(strings.TrimSpace(s)))
	if block == nil {
		return nil, errors.New("it is no PEM")
	}
	var key any
	var err error
	if block.Type == "RSA PUBLIC KEY" {
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	} else {
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	}
	if err != nil {
		return nil, errors.New("it is no public key in PEM")
	}
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < minModulus {
			return nil, errors.New("it is an RSA key of fewer than 2048 bits")
		}
		return k, nil
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() && k.Curve != elliptic.P384() {
			return nil, errors.New("it is on a curve that is not used here")
		}
		return k, nil
	}
	return nil, errors.New("it is of a kind that is not used here")
}
