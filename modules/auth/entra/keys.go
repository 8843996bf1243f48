package entra

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

const (
	maxKeyAge       = 24 * time.Hour   // older keys are not trusted: they may have been withdrawn
	refreshInterval = time.Hour        // in the background, give or take a tenth
	retryInterval   = time.Minute      // in the background, after an error
	demandInterval  = 5 * time.Minute  // between fetches for the sake of unknown keys
	famineInterval  = 10 * time.Second // between fetches on demand while there is no key at all
	fetchTimeout    = 5 * time.Second  // of metadata and keys together

	minModulus = 2048
	maxModulus = 8192 // bounds what one verification may cost
)

// keyID is what Entra's key ids look like, with room. It admits nothing that
// could mean something as part of a path or a query.
var keyID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

var _ oidc.KeySet = (*Keys)(nil)

// Keys holds the keys that the tenant signs with. They are fetched in the
// background about once an hour; a token may cause a fetch only when its key is
// unknown, at most once in five minutes, and all who wait share it. While fetches
// fail the last good keys stay, for a day at most.
type Keys struct {
	cfg    Config
	client *http.Client
	now    func() time.Time
	log    *slog.Logger

	turn chan struct{} // holds one word while somebody fetches

	mu       sync.RWMutex
	current  keySet
	demanded time.Time // when a token last caused a fetch

	cancel context.CancelFunc // nil before Start
	done   chan struct{}      // closed when the worker has ended
}

// keySet is the outcome of one fetch.
type keySet struct {
	keys    map[string]*rsa.PublicKey
	paths   endpoints
	fetched time.Time
}

// endpoints are addresses that the metadata names, all on the authority's host.
type endpoints struct{ authorize, token, logout string }

// NewKeys makes an empty key set that has not fetched anything yet. The client
// may be nil; its redirects are never followed.
func NewKeys(cfg Config, client *http.Client, now func() time.Time, log *slog.Logger) *Keys {
	return &Keys{cfg: cfg, client: bounded(client, fetchTimeout), now: now, log: log, turn: make(chan struct{}, 1)}
}

// Start starts the background refresh, the first one at once; Stop must follow.
// It does nothing where there is no tenant.
func (k *Keys) Start() {
	if !k.cfg.Enabled() {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	k.cancel, k.done = cancel, make(chan struct{})
	go func() {
		defer close(k.done)
		for {
			wait := refreshInterval
			if err := k.Refresh(ctx); err != nil {
				if ctx.Err() != nil {
					return
				}
				k.log.WarnContext(ctx, "signing keys not refreshed", slog.Any("error", err))
				wait = retryInterval
			}
			timer := time.NewTimer(wait - wait/10 + rand.N(wait/5)) // replicas spread out
			select {
			case <-ctx.Done():
				timer.Stop()
				return
			case <-timer.C:
			}
		}
	}()
}

// Stop ends the background refresh and waits for it.
func (k *Keys) Stop() {
	if k.cancel != nil {
		k.cancel()
		<-k.done
	}
}

// Refresh fetches the keys now. On an error the keys at hand stay.
func (k *Keys) Refresh(ctx context.Context) error {
	if err := k.take(ctx); err != nil {
		return err
	}
	defer k.leave()
	return k.fetch(ctx)
}

func (k *Keys) take(ctx context.Context) error {
	select {
	case k.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return unavailable("the authority", ctx.Err())
	}
}

func (k *Keys) leave() { <-k.turn }

// VerifySignature implements [oidc.KeySet]. It answers the payload, a [*Refusal]
// or [ErrUnavailable]. It does not look at the claims: whoever calls it with
// tokens of strangers must have done so before, since an unknown key costs a fetch.
func (k *Keys) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	if len(token) > maxToken {
		return nil, refuse(ReasonTooLarge, "%d bytes", len(token))
	}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, refuse(ReasonMalformed, "%v", err)
	}
	// RFC 7515, 4.1.4 ("kid"): optional there, but Entra always names its key, and
	// trying every key would let strangers make us work.
	kid := signed.Signatures[0].Protected.KeyID
	if !keyID.MatchString(kid) {
		return nil, refuse(ReasonKeyID, "kid is %s", quoted(kid))
	}
	key, err := k.key(ctx, kid)
	if err != nil {
		return nil, err
	}
	payload, err := signed.Verify(key)
	if err != nil {
		return nil, refuse(ReasonSignature, "key %s: %v", kid, err)
	}
	return payload, nil
}

// key finds the key, and fetches if that is allowed.
func (k *Keys) key(ctx context.Context, kid string) (*rsa.PublicKey, error) {
	if key := k.find(kid); key != nil {
		return key, nil
	}
	if err := k.take(ctx); err != nil {
		return nil, err
	}
	defer k.leave()
	if key := k.find(kid); key != nil { // another's fetch brought it
		return key, nil
	}
	if err := k.demand(ctx, kid); err != nil {
		return nil, err
	}
	if key := k.find(kid); key != nil {
		return key, nil
	}
	return nil, refuse(ReasonUnknownKey, "no key %s", kid)
}

// find answers a key that may be trusted, or nil.
func (k *Keys) find(kid string) *rsa.PublicKey {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.now().Sub(k.current.fetched) > maxKeyAge {
		return nil
	}
	return k.current.keys[kid]
}

// demand fetches for the sake of a token, or says why it must not.
func (k *Keys) demand(ctx context.Context, kid string) error {
	now := k.now()
	k.mu.Lock()
	usable := now.Sub(k.current.fetched) <= maxKeyAge
	since := now.Sub(k.demanded)
	if (usable && since < demandInterval) || (!usable && since < famineInterval) {
		k.mu.Unlock()
		if usable {
			return refuse(ReasonUnknownKey, "no key %s, and keys were fetched on demand %v ago", kid, since.Round(time.Second))
		}
		return fmt.Errorf("%w of the authority: there are no keys, and fetching them failed a moment ago", ErrUnavailable)
	}
	k.demanded = now
	k.mu.Unlock()
	// Others may be waiting for this fetch, so a caller who leaves does not end it.
	if err := k.fetch(context.WithoutCancel(ctx)); err != nil {
		if !usable {
			return err
		}
		k.log.WarnContext(ctx, "signing keys not fetched for an unknown key", slog.String("kid", kid), slog.Any("error", err))
	}
	return nil
}

// endpoints answers where the metadata says the endpoints are, or where Entra
// has them if it was not read yet.
func (k *Keys) endpoints() endpoints {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.current.fetched.IsZero() {
		return k.cfg.endpoints()
	}
	return k.current.paths
}

func (c Config) endpoints() endpoints {
	return endpoints{
		authorize: c.tenantURL("oauth2/v2.0/authorize"),
		token:     c.tenantURL("oauth2/v2.0/token"),
		logout:    c.tenantURL("oauth2/v2.0/logout"),
	}
}

// overlaid answers the metadata's addresses, as far as they are on the
// authority's host.
func (e endpoints) overlaid(m metadata, authority string) endpoints {
	choose := func(own, named string) string {
		if sameHost(named, authority) {
			return named
		}
		return own
	}
	return endpoints{choose(e.authorize, m.Authorize), choose(e.token, m.Token), choose(e.logout, m.Logout)}
}

// metadata is what is read of OpenID Connect Discovery 1.0, 3 (OpenID Provider
// Metadata).
type metadata struct {
	Issuer    string `json:"issuer"`
	Keys      string `json:"jwks_uri"`
	Authorize string `json:"authorization_endpoint"`
	Token     string `json:"token_endpoint"`
	Logout    string `json:"end_session_endpoint"`
}

// fetch reads metadata and keys; the caller holds the turn.
func (k *Keys) fetch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	var m metadata
	if err := k.get(ctx, k.cfg.Issuer()+"/.well-known/openid-configuration", &m); err != nil {
		return unavailable("the authority", fmt.Errorf("metadata: %w", err))
	}
	// OpenID Connect Discovery 1.0, 4.3 (OpenID Provider Configuration Validation).
	if m.Issuer != k.cfg.Issuer() {
		return unavailable("the authority", fmt.Errorf("metadata: it is of issuer %s; ENTRA_AUTHORITY or ENTRA_TENANT_ID is wrong", quoted(m.Issuer)))
	}
	if !sameHost(m.Keys, k.cfg.Authority) {
		return unavailable("the authority", fmt.Errorf("metadata: the keys are at another host: %s", quoted(m.Keys)))
	}
	var published struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := k.get(ctx, m.Keys, &published); err != nil {
		return unavailable("the authority", fmt.Errorf("keys: %w", err))
	}
	next := keySet{keys: map[string]*rsa.PublicKey{}, paths: k.cfg.endpoints().overlaid(m, k.cfg.Authority), fetched: k.now()}
	for _, data := range published.Keys {
		if kid, key, err := k.accept(data); err == nil {
			next.keys[kid] = key
		} else {
			k.log.DebugContext(ctx, "published key not used", slog.String("kid", quoted(kid)), slog.Any("error", err))
		}
	}
	if len(next.keys) == 0 {
		return unavailable("the authority", fmt.Errorf("keys: none of %d can be used", len(published.Keys)))
	}
	k.mu.Lock()
	k.current = next
	k.mu.Unlock()
	k.log.DebugContext(ctx, "signing keys fetched", slog.Int("keys", len(next.keys)))
	return nil
}

func (k *Keys) get(ctx context.Context, address string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	response, err := k.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	data, err := body(response)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return errors.New("the answer is no JSON of the expected form")
	}
	return nil
}

// accept reads one published key. It refuses those that are not for signing with
// RS256, too weak, or of another issuer: an endpoint may publish those of several.
func (k *Keys) accept(data []byte) (kid string, key *rsa.PublicKey, err error) {
	var j struct{ Kty, Use, Kid, Alg, N, E, Issuer string }
	if err := json.Unmarshal(data, &j); err != nil {
		return "", nil, errors.New("no JWK")
	}
	issuer := strings.ReplaceAll(j.Issuer, "{tenantid}", k.cfg.tenant())
	switch {
	case !keyID.MatchString(j.Kid):
		return j.Kid, nil, errors.New("no usable kid")
	case j.Kty != "RSA" || j.Use != "sig" || j.Alg != "" && j.Alg != oidc.RS256:
		return j.Kid, nil, errors.New("not for signing with RS256")
	case issuer != "" && issuer != k.cfg.Issuer() && issuer != k.cfg.issuerV1():
		return j.Kid, nil, errors.New("of another issuer")
	}
	n, err := base64.RawURLEncoding.DecodeString(j.N)
	if err != nil {
		return j.Kid, nil, errors.New("the modulus is no base64url")
	}
	e, err := base64.RawURLEncoding.DecodeString(j.E)
	if err != nil || len(bytes.TrimLeft(e, "\x00")) > 3 {
		return j.Kid, nil, errors.New("the exponent is none")
	}
	key = &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	if bits := key.N.BitLen(); bits < minModulus || bits > maxModulus || key.N.Bit(0) == 0 || key.E < 3 || key.E%2 == 0 {
		return j.Kid, nil, fmt.Errorf("%d bits and exponent %d are not acceptable", bits, key.E)
	}
	return j.Kid, key, nil
}
