package entra_test

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/auth/entra"
)

const (
	tenantID = "aaaaaaaa-0000-4000-8000-000000000001"
	clientID = "11111111-2222-4333-8444-555555555555"
	callerID = "99999999-2222-4333-8444-555555555555"
	userID   = "3c1f0d92-6f0c-4a55-9b0e-0f1f4b7a2d10"
	appID    = "7d1f0d92-6f0c-4a55-9b0e-0f1f4b7a2d11"
	groupID  = "8a2c0d92-6f0c-4a55-9b0e-0f1f4b7a2d12"

	issuerV2 = "https://login.microsoftonline.com/" + tenantID + "/v2.0"
	issuerV1 = "https://sts.windows.net/" + tenantID + "/"

	metadataPath = "/" + tenantID + "/v2.0/.well-known/openid-configuration"
	keysPath     = "/" + tenantID + "/discovery/v2.0/keys"
	tokenPath    = "/" + tenantID + "/oauth2/v2.0/token"
)

// pair makes an RSA key once for all tests.
var pair = func() func(bits, n int) *rsa.PrivateKey {
	var mu sync.Mutex
	made := map[[2]int]*rsa.PrivateKey{}
	return func(bits, n int) *rsa.PrivateKey {
		mu.Lock()
		defer mu.Unlock()
		if made[[2]int{bits, n}] == nil {
			key, err := rsa.GenerateKey(rand.Reader, bits)
			if err != nil {
				panic(err)
			}
			made[[2]int{bits, n}] = key
		}
		return made[[2]int{bits, n}]
	}
}()

// clock is set by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
}

// tenant is an Entra and a Graph that answer without a network. It notes what is
// asked of it and of whom.
type tenant struct {
	t   testing.TB
	now func() time.Time

	mu       sync.Mutex
	handlers map[string]http.HandlerFunc // by path
	calls    []string                    // "host path"
	keys     []map[string]any
}

func newTenant(t testing.TB, now func() time.Time) *tenant {
	s := &tenant{t: t, now: now, handlers: map[string]http.HandlerFunc{}}
	s.publish(jwk("one", pair(2048, 1)))
	s.handle(metadataPath, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, map[string]any{
			"issuer": issuerV2, "jwks_uri": "https://login.microsoftonline.com" + keysPath,
			"token_endpoint": "https://login.microsoftonline.com" + tokenPath,
		})
	})
	s.handle(keysPath, func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		reply(w, 200, map[string]any{"keys": s.keys})
	})
	return s
}

// RoundTrip implements http.RoundTripper.
func (s *tenant) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.calls = append(s.calls, r.URL.Host+" "+r.URL.Path)
	handler := s.handlers[r.URL.Path]
	s.mu.Unlock()
	if handler == nil {
		handler = http.NotFound
	}
	w := httptest.NewRecorder()
	handler(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	response := w.Result()
	response.Request = r
	return response, nil
}

func (s *tenant) client() *http.Client { return &http.Client{Transport: s} }

func (s *tenant) handle(path string, handler http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers[path] = handler
}

func (s *tenant) publish(keys ...map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = keys
}

// count says how often a path was asked for.
func (s *tenant) count(path string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, call := range s.calls {
		if strings.HasSuffix(call, " "+path) {
			n++
		}
	}
	return n
}

func (s *tenant) hosts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var hosts []string
	for _, call := range s.calls {
		host, _, _ := strings.Cut(call, " ")
		hosts = append(hosts, host)
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

func reply(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func html(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(code)
		_, _ = w.Write([]byte("<html><script>alert(1)</script>"))
	}
}

func stall(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func huge(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write([]byte(`{"keys":[],"error":"` + strings.Repeat("x", 2<<20) + `"}`))
}

// jwk is a public key as Entra publishes it: without alg.
func jwk(kid string, key *rsa.PrivateKey, edit ...map[string]any) map[string]any {
	j := map[string]any{
		"kty": "RSA", "use": "sig", "kid": kid, "x5t": kid, "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
		"n": segment(key.N.Bytes()), "e": segment(big.NewInt(int64(key.E)).Bytes()),
	}
	for _, e := range edit {
		maps.Copy(j, e)
	}
	return j
}

func segment(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// set is what a test changes in a header or in claims; nil removes.
type set = map[string]any

func merged(base set, edits ...set) set {
	out := maps.Clone(base)
	for _, edit := range edits {
		for name, value := range edit {
			if value == nil {
				delete(out, name)
			} else {
				out[name] = value
			}
		}
	}
	return out
}

func encode(v any) string {
	if text, raw := v.(string); raw {
		return segment([]byte(text))
	}
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return segment(data)
}

// sign makes a token. Header and payload are objects, or the text itself.
func sign(key *rsa.PrivateKey, header, payload any) string {
	text := encode(header) + "." + encode(payload)
	alg := "RS256"
	if h, ok := header.(set); ok {
		alg, _ = h["alg"].(string)
	}
	sum := sha256.Sum256([]byte(text))
	var signature []byte
	var err error
	switch alg {
	case "none":
	case "HS256": // with what everybody knows as the secret
		mac := hmac.New(sha256.New, x509.MarshalPKCS1PublicKey(&key.PublicKey))
		mac.Write([]byte(text))
		signature = mac.Sum(nil)
	case "PS256":
		signature, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], nil)
	default:
		signature, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	}
	if err != nil {
		panic(err)
	}
	return text + "." + segment(signature)
}

var header = set{"alg": "RS256", "typ": "JWT", "kid": "one"}

func (s *tenant) delegated() set {
	now := s.now().Unix()
	return set{
		"aud": clientID, "iss": issuerV2, "iat": now, "nbf": now, "exp": now + 4500, "ver": "2.0", "tid": tenantID,
		"oid": userID, "sub": "x8Yc", "azp": callerID, "azpacr": "0", "scp": "Badges.ReadWrite Badges.Read",
		"roles": []string{"Badge.Admin"}, "groups": []string{groupID}, "name": "Dana Kim",
		"preferred_username": "dana.kim@contoso.example", "uti": "Kq1",
	}
}

func (s *tenant) appOnly() set {
	return merged(s.delegated(), set{
		"scp": nil, "name": nil, "preferred_username": nil, "groups": nil, "oid": appID, "sub": appID, "idtyp": "app",
		"roles": []string{"Badges.Issue.All"},
	})
}

func (s *tenant) id(nonce string) set {
	return merged(s.delegated(), set{"scp": nil, "azp": nil, "azpacr": nil, "nonce": nonce, "sid": "session-1", "login_hint": "O.Cx"})
}

func settings() entra.Config {
	cfg := entra.Default()
	cfg.TenantID, cfg.ClientID, cfg.ClientSecret = tenantID, clientID, "value~of.a-secret"
	return cfg
}

// house is the whole package over one tenant, its keys fetched.
type house struct {
	*tenant
	clock    *clock
	keys     *entra.Keys
	verifier *entra.Verifier
	log      *bytes.Buffer
}

func newHouse(t testing.TB, edit ...func(*entra.Config)) *house {
	cfg := settings()
	for _, e := range edit {
		e(&cfg)
	}
	c := &clock{at: time.Date(2026, 1, 10, 8, 0, 0, 0, time.UTC)}
	h := &house{tenant: newTenant(t, c.now), clock: c, log: &bytes.Buffer{}}
	h.keys = entra.NewKeys(cfg, h.client(), c.now, slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	h.verifier = entra.NewVerifier(cfg, h.keys, c.now)
	return h
}

func (h *house) warm() *house {
	if err := h.keys.Refresh(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	return h
}

// token signs claims as the tenant does.
func (h *house) token(claims set, edits ...set) string {
	return sign(pair(2048, 1), header, merged(claims, edits...))
}

func (h *house) access(raw string) (entra.Claims, error) {
	return h.verifier.AccessToken(h.t.Context(), raw)
}

// reason says why a token was refused; "" if it was not, "!" and the error for
// any other.
func reason(err error) string {
	if err == nil {
		return ""
	}
	r, ok := err.(*entra.Refusal)
	switch {
	case !ok:
		return fmt.Sprintf("! %v", err)
	case r.Remedy == "":
		return "! no remedy for " + r.Reason
	}
	return r.Reason
}

func unsegment(s string) []byte {
	data, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return data
}
