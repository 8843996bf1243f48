package entra

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/google/uuid"
)

// errNoCredential says that the app registration cannot prove itself.
var errNoCredential = errors.New("entra: sign-in and Graph need ENTRA_CLIENT_SECRET or ENTRA_CLIENT_CERTIFICATE_FILE")

const (
	assertionType     = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	assertionLifetime = 5 * time.Minute
)

// loadCertificate reads the two files. It is called for each assertion, which is
// rare, so that a renewed certificate needs no restart.
func loadCertificate(certificateFile, keyFile string) (thumbprint []byte, key *rsa.PrivateKey, err error) {
	pair, err := tls.LoadX509KeyPair(certificateFile, keyFile)
	if err != nil {
		return nil, nil, fmt.Errorf("ENTRA_CLIENT_CERTIFICATE_FILE and ENTRA_CLIENT_KEY_FILE cannot be used: %w", err)
	}
	key, ok := pair.PrivateKey.(*rsa.PrivateKey)
	if !ok || key.N.BitLen() < minModulus {
		return nil, nil, fmt.Errorf("ENTRA_CLIENT_KEY_FILE must hold an RSA key of at least %d bits; Entra takes no other", minModulus)
	}
	sum := sha256.Sum256(pair.Certificate[0])
	return sum[:], key, nil
}

// credential answers the parameters by which the application proves itself at
// the token endpoint, other than a secret (RFC 7523, 2.2, Using JWTs for Client
// Authentication).
func (c Config) credential(endpoint string, now time.Time) (url.Values, error) {
	if !c.Confidential() {
		return nil, errNoCredential
	}
	if c.ClientCertificateFile == "" {
		return nil, nil
	}
	thumbprint, key, err := loadCertificate(c.ClientCertificateFile, c.ClientKeyFile)
	if err != nil {
		return nil, fmt.Errorf("entra: %w", err)
	}
	assertion, err := assert(c.ClientID, endpoint, thumbprint, key, now)
	if err != nil {
		return nil, err
	}
	return url.Values{"client_assertion_type": {assertionType}, "client_assertion": {assertion}}, nil
}

// assert signs as Entra asks for it: PS256, and the certificate named by
// RFC 7515, 4.1.8 ("x5t#S256").
func assert(client, endpoint string, thumbprint []byte, key *rsa.PrivateKey, now time.Time) (string, error) {
	header, err := json.Marshal(map[string]string{"alg": "PS256", "typ": "JWT", "x5t#S256": strictBase64.EncodeToString(thumbprint)})
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(map[string]any{
		"iss": client, "sub": client, "aud": endpoint, "jti": uuid.NewString(),
		"iat": now.Unix(), "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(assertionLifetime).Unix(),
	})
	if err != nil {
		return "", err
	}
	text := strictBase64.EncodeToString(header) + "." + strictBase64.EncodeToString(payload)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	if err != nil {
		return "", fmt.Errorf("entra: client assertion: %w", err)
	}
	return text + "." + strictBase64.EncodeToString(signature), nil
}
