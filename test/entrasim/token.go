package entrasim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// How long tokens live. Entra gives access tokens 60 to 90 minutes, at random.
const (
	accessLifetime = 75 * time.Minute
	idLifetime     = time.Hour
)

// maxGroups is how many groups a JWT may name; beyond, it points to Graph.
const maxGroups = 200

// JWT is a token before it is signed.
type JWT struct {
	Header map[string]any
	Claims map[string]any
	Key    *Key // signs
}

// Override makes a token differ from what Entra would issue. They apply in
// the order given.
type Override func(*JWT)

// Claim sets a claim.
func Claim(name string, value any) Override { return func(j *JWT) { j.Claims[name] = value } }

// WithoutClaim removes claims.
func WithoutClaim(names ...string) Override {
	return func(j *JWT) {
		maps.DeleteFunc(j.Claims, func(name string, _ any) bool { return slices.Contains(names, name) })
	}
}

// Header sets a header. The header alg decides how the token is signed: none,
// RS256, RS384, RS512, PS256, ES256 (by a key that nobody knows) or HS256 (with
// the PEM form of the public key as the secret).
func Header(name string, value any) Override { return func(j *JWT) { j.Header[name] = value } }

// WithoutHeader removes headers.
func WithoutHeader(names ...string) Override {
	return func(j *JWT) {
		maps.DeleteFunc(j.Header, func(name string, _ any) bool { return slices.Contains(names, name) })
	}
}

// SignedBy signs with a key and names it in the header.
func SignedBy(k *Key) Override {
	return func(j *JWT) { j.Key, j.Header["kid"] = k, k.ID }
}

// ForgedBy signs with a key, but keeps the name of the genuine one.
func ForgedBy(k *Key) Override { return func(j *JWT) { j.Key = k } }

// Shifted moves iat, nbf and exp: back for an expired token, forward for one
// that is not valid yet.
func Shifted(d time.Duration) Override {
	return func(j *JWT) {
		for _, name := range []string{"iat", "nbf", "exp"} {
			if at, ok := j.Claims[name].(int64); ok {
				j.Claims[name] = at + int64(d/time.Second)
			}
		}
	}
}

// As makes a delegated or ID token that of another user.
func (s *Sim) As(u User) Override {
	return func(j *JWT) { s.describe(j.Claims, u, s.ClientID) }
}

// By makes another application the client of a token; in an app-only token it is
// also the subject.
func (s *Sim) By(a App) Override {
	return func(j *JWT) {
		for _, name := range []string{"azp", "appid"} {
			if _, ok := j.Claims[name]; ok {
				j.Claims[name] = a.ClientID
			}
		}
		if j.Claims["idtyp"] == "app" {
			j.Claims["oid"], j.Claims["sub"] = a.ObjectID, a.ObjectID
			setList(j.Claims, "roles", a.Roles)
		}
	}
}

// InTenant makes a token that of another tenant, which the same keys sign.
func (s *Sim) InTenant(id string) Override {
	return func(j *JWT) {
		j.Claims["tid"] = id
		j.Claims["iss"] = strings.Replace(fmt.Sprint(j.Claims["iss"]), s.TenantID, id, 1)
	}
}

// V1 gives a token the shape of version 1.
func (s *Sim) V1() Override {
	return func(j *JWT) {
		c := j.Claims
		c["ver"] = "1.0"
		c["iss"] = strings.Replace(fmt.Sprint(c["iss"]), s.Issuer, s.IssuerV1, 1)
		if c["aud"] == s.ClientID {
			c["aud"] = s.AppIDURI
		}
		for from, to := range map[string]string{"azp": "appid", "azpacr": "appidacr", "preferred_username": "unique_name"} {
			if value, ok := c[from]; ok {
				delete(c, from)
				c[to] = value
			}
		}
		if name, ok := c["unique_name"]; ok {
			c["upn"], c["acr"], c["amr"] = name, "1", []string{"pwd", "mfa"}
		}
		j.Header["x5t"] = j.Header["kid"]
	}
}

// MintDelegated is an access token of User for the API, version 2, by the app
// registration itself. It has the roles and groups that Change last gave.
func (s *Sim) MintDelegated(overrides ...Override) string {
	s.t.Helper()
	u, ok := s.user(s.User.ObjectID)
	if !ok {
		u = s.User
	}
	return s.mint(s.delegated(u, "Badges.ReadWrite"), overrides)
}

// MintAppOnly is an access token of Daemon for the API, version 2, by client
// credentials.
func (s *Sim) MintAppOnly(overrides ...Override) string {
	s.t.Helper()
	return s.mint(s.appOnly(s.Daemon, s.ClientID), overrides)
}

// MintID is an ID token of User for the app registration.
func (s *Sim) MintID(nonce string, overrides ...Override) string {
	s.t.Helper()
	u, ok := s.user(s.User.ObjectID)
	if !ok {
		u = s.User
	}
	return s.mint(s.identity(u, nonce, guid()), overrides)
}

// MintAssertion is a token of Provisioner as Entra's provisioning service sends
// it for a client assertion (workload identity federation).
func (s *Sim) MintAssertion(overrides ...Override) string {
	s.t.Helper()
	return s.mint(s.appOnly(s.Provisioner, s.AppIDURI), append([]Override{WithoutClaim("roles", "idtyp")}, overrides...))
}

// MintGraph is an access token for Microsoft Graph, whose signature deliberately
// verifies for nobody else.
func (s *Sim) MintGraph(overrides ...Override) string {
	s.t.Helper()
	a, _ := s.app(s.ClientID)
	return s.mintGraph(a, s.GraphURL, overrides)
}

// SignClaims signs claims of any kind with the current key.
func (s *Sim) SignClaims(claims map[string]any, overrides ...Override) string {
	s.t.Helper()
	return s.mint(maps.Clone(claims), overrides)
}

// Sign signs any header and payload. The payload is JSON encoded unless it is a
// []byte.
func (s *Sim) Sign(header map[string]any, payload any, k *Key) string {
	s.t.Helper()
	raw, ok := payload.([]byte)
	if !ok {
		raw = s.marshal(payload)
	}
	input := encode(s.marshal(header)) + "." + encode(raw)
	return input + "." + encode(s.signature(fmt.Sprint(header["alg"]), []byte(input), k))
}

// Tampered changes the claims and headers of a token and keeps its signature.
func (s *Sim) Tampered(raw string, overrides ...Override) string {
	s.t.Helper()
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		s.t.Fatalf("entrasim: not a token of three parts: %q", raw)
	}
	j := &JWT{Header: s.decode(parts[0]), Claims: s.decode(parts[1])}
	for _, override := range overrides {
		override(j)
	}
	return encode(s.marshal(j.Header)) + "." + encode(s.marshal(j.Claims)) + "." + parts[2]
}

// Claims reads the claims of a token without checking anything.
func (s *Sim) Claims(raw string) map[string]any {
	s.t.Helper()
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		s.t.Fatalf("entrasim: not a token of three parts: %q", raw)
	}
	return s.decode(parts[1])
}

// AlterIDTokens changes every ID token that the token endpoint issues from now
// on; without overrides they are genuine again.
func (s *Sim) AlterIDTokens(overrides ...Override) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.altered = overrides
}

func (s *Sim) mint(claims map[string]any, overrides []Override) string {
	s.t.Helper()
	k := s.CurrentKey()
	j := &JWT{Header: map[string]any{"typ": "JWT", "alg": "RS256", "kid": k.ID}, Claims: claims, Key: k}
	for _, override := range overrides {
		override(j)
	}
	return s.Sign(j.Header, j.Claims, j.Key)
}

// basics are the claims that every token of version 2 has.
func (s *Sim) basics(audience string, lifetime time.Duration) map[string]any {
	now := s.Now().Unix()
	return map[string]any{
		"aud": audience, "iss": s.Issuer, "tid": s.TenantID, "ver": "2.0", "uti": random(16),
		"iat": now, "nbf": now, "exp": now + int64(lifetime/time.Second),
	}
}

func (s *Sim) delegated(u User, scopes string) map[string]any {
	c := s.basics(s.ClientID, accessLifetime)
	c["azp"], c["azpacr"], c["scp"] = s.ClientID, "1", scopes
	s.describe(c, u, s.ClientID)
	return c
}

func (s *Sim) appOnly(a App, audience string) map[string]any {
	c := s.basics(audience, accessLifetime)
	c["azp"], c["azpacr"], c["idtyp"] = a.ClientID, "1", "app"
	c["oid"], c["sub"] = a.ObjectID, a.ObjectID
	setList(c, "roles", a.Roles)
	return c
}

func (s *Sim) identity(u User, nonce, session string) map[string]any {
	c := s.basics(s.ClientID, idLifetime)
	c["sid"] = session
	if nonce != "" {
		c["nonce"] = nonce
	}
	s.describe(c, u, s.ClientID)
	return c
}

// describe writes down who a user is and what they may do.
func (s *Sim) describe(c map[string]any, u User, client string) {
	pairwise := sha256.Sum256([]byte(client + u.ObjectID))
	c["oid"], c["sub"] = u.ObjectID, encode(pairwise[:])
	c["name"], c["preferred_username"] = u.Name, u.Username
	setList(c, "roles", u.Roles)
	for _, name := range []string{"groups", "_claim_names", "_claim_sources"} {
		delete(c, name)
	}
	if len(u.Groups) <= maxGroups && !u.Overage {
		setList(c, "groups", u.Groups)
		return
	}
	c["_claim_names"] = map[string]any{"groups": "src1"}
	c["_claim_sources"] = map[string]any{"src1": map[string]any{
		"endpoint": s.ElsewhereURL + "/" + s.TenantID + "/users/" + u.ObjectID + "/getMemberObjects",
	}}
}

func setList(c map[string]any, name string, values []string) {
	delete(c, name)
	if len(values) > 0 {
		c[name] = slices.Clone(values)
	}
}

func (s *Sim) signature(alg string, input []byte, k *Key) []byte {
	s.t.Helper()
	hash := map[string]crypto.Hash{"384": crypto.SHA384, "512": crypto.SHA512}[alg[max(0, len(alg)-3):]]
	if hash == 0 {
		hash = crypto.SHA256
	}
	h := hash.New()
	h.Write(input)
	digest := h.Sum(nil)
	var out []byte
	var err error
	switch alg {
	case "none":
		return nil
	case "HS256":
		der, _ := x509.MarshalPKIXPublicKey(&k.Private.PublicKey)
		mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		mac.Write(input)
		return mac.Sum(nil)
	case "ES256":
		var private *ecdsa.PrivateKey
		if private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err == nil {
			r, sig, signErr := ecdsa.Sign(rand.Reader, private, digest)
			if err = signErr; err == nil {
				out = make([]byte, 64)
				r.FillBytes(out[:32])
				sig.FillBytes(out[32:])
			}
		}
	case "PS256":
		out, err = rsa.SignPSS(rand.Reader, k.Private, hash, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	default: // RS256 and, for a header that names nothing known, the same
		out, err = rsa.SignPKCS1v15(rand.Reader, k.Private, hash, digest)
	}
	if err != nil {
		s.t.Fatalf("entrasim: sign with %s: %v", alg, err)
	}
	return out
}

func (s *Sim) marshal(value any) []byte {
	s.t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		s.t.Fatalf("entrasim: %v", err)
	}
	return raw
}

func (s *Sim) decode(part string) map[string]any {
	s.t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(part)
	var values map[string]any
	if err == nil {
		err = json.Unmarshal(raw, &values)
	}
	if err != nil {
		s.t.Fatalf("entrasim: read a token: %v", err)
	}
	return values
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
