package integrity

import (
	"context"
	"crypto/ecdsa"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// CreateBaseWith makes a base proof of ecdsa-sd-2023 with secrets that are given.
func CreateBaseWith(ctx context.Context, c Canonicalizer, signer Signer, document map[string]any, o Options, hmacKey []byte, key *ecdsa.PrivateKey) (Proof, error) {
	return createBase(ctx, c, suites[ECDSASD2023], signer, document, o, func() (secrets, error) { return secrets{hmacKey: hmacKey, key: key}, nil })
}

// Statements are the lines of a document with its blank nodes named by keyed hashes.
func Statements(c Canonicalizer, document map[string]any, hmacKey []byte) ([]string, error) {
	s, err := statementsOf(c, document, hmacKey)
	if err != nil {
		return nil, err
	}
	return s.lines, nil
}

// Recode decodes the value of a proof of ecdsa-sd-2023 and encodes it again.
func Recode(value string) (string, error) {
	body, derived, err := disclosureValue(value)
	if err != nil {
		return "", err
	}
	if derived {
		p, err := decodeDerived(body)
		return p.encode(), err
	}
	p, err := decodeBase(body)
	return p.encode(), err
}

// CreateNamed makes a proof of eddsa-rdfc-2022 under a former name of the suite, which
// is only read here.
func CreateNamed(ctx context.Context, c Canonicalizer, name string, signer Signer, document map[string]any) (Proof, error) {
	s := suites[name]
	t, err := transform(c, s, s.hashFor(signer.Public()), strictjson.NodeOf(document), nil)
	if err != nil {
		return Proof{}, err
	}
	return t.sign(ctx, c, signer, Options{})
}
