package entrasim

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Key signs tokens. AddKey's edit may give it any other values before it is
// published.
type Key struct {
	ID      string
	Use     string // "sig"
	Issuer  string // as the member issuer; empty for the issuer of the document
	Private *rsa.PrivateKey

	pooled      *rsa.PrivateKey
	certificate []byte // of pooled
}

// pool lends RSA keys to one simulator at a time, because making one takes
// longer than most tests.
var pool struct {
	sync.Mutex
	free []*rsa.PrivateKey
}

func (s *Sim) returnKeys() {
	pool.Lock()
	defer pool.Unlock()
	for _, k := range slices.Concat(s.keys, s.spare) {
		if !slices.Contains(pool.free, k.pooled) {
			pool.free = append(pool.free, k.pooled)
		}
	}
}

// NewKey makes a key of Entra's kind that is not published.
func (s *Sim) NewKey() *Key {
	s.t.Helper()
	pool.Lock()
	var private *rsa.PrivateKey
	if n := len(pool.free); n > 0 {
		private, pool.free = pool.free[n-1], pool.free[:n-1]
	}
	pool.Unlock()
	if private == nil {
		var err error
		if private, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			s.t.Fatal(err)
		}
	}
	k := &Key{Use: "sig", Private: private, pooled: private, certificate: s.certify(private)}
	k.ID = thumbprint(k.certificate)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spare = append(s.spare, k)
	return k
}

// AddKey publishes a new key that does not sign yet.
func (s *Sim) AddKey(edit ...func(*Key)) *Key {
	s.t.Helper()
	k := s.NewKey()
	for _, change := range edit {
		change(k)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spare = slices.DeleteFunc(s.spare, func(other *Key) bool { return other == k })
	s.keys = append(s.keys, k)
	return k
}

// Activate makes a key sign all tokens from now on.
func (s *Sim) Activate(k *Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = k
}

// Rotate publishes a new key and signs with it at once, as Entra may do without
// notice. The old one stays published.
func (s *Sim) Rotate() *Key {
	s.t.Helper()
	k := s.AddKey()
	s.Activate(k)
	return k
}

// Retire takes a key out of the published ones. It goes on signing if it is the
// current one.
func (s *Sim) Retire(k *Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = slices.DeleteFunc(s.keys, func(other *Key) bool { return other == k })
	s.spare = append(s.spare, k)
}

// CurrentKey is the one that signs.
func (s *Sim) CurrentKey() *Key {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// PublishedKeys are those a client can fetch.
func (s *Sim) PublishedKeys() []*Key {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.keys)
}

// certify signs a certificate for a key with itself. Entra names its keys by the
// thumbprints of theirs.
func (s *Sim) certify(private *rsa.PrivateKey) []byte {
	s.t.Helper()
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes([]byte(random(12))),
		Subject:      pkix.Name{CommonName: "accounts.accesscontrol.example"},
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Unix(1<<33, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		s.t.Fatal(err)
	}
	return der
}

// thumbprint is the member x5t of RFC 7517, 4.8 (x5t parameter).
func thumbprint(certificate []byte) string {
	sum := sha1.Sum(certificate)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// serveKeys is the key document of both versions: in both, a key's issuer is
// that of version 2.
func (s *Sim) serveKeys(w http.ResponseWriter, r *http.Request) {
	issuer, ok := s.issuerFor(r.PathValue("tenant"))
	if !ok {
		aadsts(w, 90002)
		return
	}
	documents := []map[string]any{}
	for _, k := range s.PublishedKeys() {
		public := k.Private.PublicKey
		document := map[string]any{
			"kty": "RSA", "use": k.Use, "kid": k.ID,
			"n":      base64.RawURLEncoding.EncodeToString(public.N.Bytes()),
			"e":      base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
			"issuer": cmp.Or(k.Issuer, issuer),
		}
		if k.Private == k.pooled {
			document["x5t"] = thumbprint(k.certificate)
			document["x5c"] = []string{base64.StdEncoding.EncodeToString(k.certificate)}
		}
		documents = append(documents, document)
	}
	writeJSON(w, http.StatusOK, map[string]any{"keys": documents})
}
