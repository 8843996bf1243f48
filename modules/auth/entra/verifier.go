package entra

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

const (
	skew        = 5 * time.Minute  // by which iat and nbf may lie ahead
	leeway      = 60 * time.Second // by which exp may lie behind
	maxLifetime = 28 * time.Hour   // of tokens with continuous access evaluation; others live an hour or so
)

// The applications of Microsoft whose tokens people send by mistake.
const (
	graphAudience   = "https://graph.microsoft.com"
	graphAudienceID = "00000003-0000-0000-c000-000000000000"
)

// Verifier decides about tokens. It is safe for concurrent use.
type Verifier struct {
	cfg     Config
	keys    *Keys
	now     func() time.Time
	known   *memory
	clients []string // lower case; any while empty

	// audiences by issuer: a pair that is not listed is not accepted.
	audiences  map[string][]string
	assertions []string // audiences of client assertions
}

// NewVerifier makes a verifier for tokens of the configured tenant.
func NewVerifier(cfg Config, keys *Keys, now func() time.Time) *Verifier {
	v := &Verifier{cfg: cfg, keys: keys, now: now, known: newMemory(remembered)}
	for _, client := range cfg.AllowedClients {
		v.clients = append(v.clients, strings.ToLower(client))
	}
	client := strings.ToLower(cfg.ClientID)
	own := []string{client, "api://" + client}
	// Version 2 always names the client id. An application id URI is what version 1
	// may name; others than the usual one are configured.
	v.audiences = map[string][]string{cfg.Issuer(): slices.Concat(own[:1], cfg.Audiences)}
	if cfg.AcceptV1 {
		v.audiences[cfg.issuerV1()] = slices.Concat(own, cfg.Audiences)
	}
	v.assertions = slices.Concat(own, cfg.Audiences)
	return v
}

// AccessToken verifies a token that was sent to this server's API. It answers a
// [*Refusal] or [ErrUnavailable]. A token that was verified before costs no
// signature check until it expires or its key is withdrawn.
//
// Whether the scopes or roles suffice is for the caller; that there is one is
// checked here, since Entra gives tokens without any to every application of the
// tenant.
func (v *Verifier) AccessToken(ctx context.Context, raw string) (Claims, error) {
	if len(raw) > maxToken {
		return Claims{}, refuse(ReasonTooLarge, "%d bytes", len(raw))
	}
	hash := sha256.Sum256([]byte(raw))
	if m, found := v.known.get(hash); found && v.keys.find(m.kid) != nil {
		if v.expired(m.claims.Expires) {
			return Claims{}, refuse(ReasonExpired, "exp is %v", m.claims.Expires)
		}
		return m.claims, nil
	}
	p, err := parse(raw)
	if err != nil {
		return Claims{}, err
	}
	// RFC 9068, 2.1 (Header): "at+jwt"; Entra says "JWT".
	if !strings.EqualFold(p.typ, "JWT") && !strings.EqualFold(p.typ, "at+jwt") {
		return Claims{}, refuse(ReasonType, "typ is %s", quoted(p.typ))
	}
	if err := v.precheck(p, v.audiences); err != nil {
		return Claims{}, err
	}
	if err := v.verify(ctx, raw, p); err != nil {
		return Claims{}, err
	}
	kind, err := v.judge(p)
	if err != nil {
		return Claims{}, err
	}
	m := memo{claims: p.claims(kind), kid: p.kid}
	v.known.put(hash, m)
	return m.claims, nil
}

// judge says for whom an access token speaks, and refuses those that grant nothing.
func (v *Verifier) judge(p parsed) (Kind, error) {
	app := p.idtyp == "app" || p.idtyp == "" && len(p.scopes) == 0 && p.object == p.subject
	switch {
	// OpenID Connect Core 1.0, 2 (ID Token): the nonce answers a sign-in. And an
	// access token always names the application it was issued to.
	case p.nonce != "" || p.client == "":
		return "", refuse(ReasonIDToken, "it has a nonce, or neither azp nor appid")
	case app && len(p.scopes) > 0:
		return "", refuse(ReasonClaims, "idtyp is app, and yet there is scp")
	case !app && len(p.scopes) == 0:
		return "", refuse(ReasonIDToken, "it is of a user and has no scp")
	case app && len(p.roles) == 0:
		return "", refuse(ReasonNoRole, "application %s has no role", quoted(p.client))
	case len(v.clients) > 0 && !slices.Contains(v.clients, p.client):
		return "", refuse(ReasonClient, "it was issued to %s", quoted(p.client))
	case app:
		return App, nil
	}
	return User, nil
}

// Assertion verifies a JWT by which an application of the tenant proves itself
// to our token endpoint (RFC 7523, 3, JWT Format and Processing Requirements).
// It need not have a role; the caller must pin the ObjectID or Client, and should
// refuse a TokenID it has seen. It answers a [*Refusal] or [ErrUnavailable].
func (v *Verifier) Assertion(ctx context.Context, raw string) (Claims, error) {
	p, err := parse(raw)
	if err != nil {
		return Claims{}, err
	}
	if p.typ != "" && !strings.EqualFold(p.typ, "JWT") {
		return Claims{}, refuse(ReasonType, "typ is %s", quoted(p.typ))
	}
	if err := v.precheck(p, map[string][]string{v.cfg.Issuer(): v.assertions}); err != nil {
		return Claims{}, err
	}
	if err := v.verify(ctx, raw, p); err != nil {
		return Claims{}, err
	}
	if p.subject != p.object || len(p.scopes) > 0 || p.nonce != "" || p.client == "" {
		return Claims{}, refuse(ReasonClaims, "it is not of an application by itself")
	}
	return p.claims(App), nil
}

// IDToken verifies the ID token that answers a sign-in. The nonce is the one
// that was sent, and must not be empty. It answers a [*Refusal] or
// [ErrUnavailable].
func (v *Verifier) IDToken(ctx context.Context, raw, nonce string) (Claims, error) {
	p, err := parse(raw)
	if err != nil {
		return Claims{}, err
	}
	if p.typ != "" && !strings.EqualFold(p.typ, "JWT") {
		return Claims{}, refuse(ReasonType, "typ is %s", quoted(p.typ))
	}
	client := strings.ToLower(v.cfg.ClientID)
	if err := v.precheck(p, map[string][]string{v.cfg.Issuer(): {client}}); err != nil {
		return Claims{}, err
	}
	if err := v.verify(ctx, raw, p); err != nil {
		return Claims{}, err
	}
	switch {
	// OpenID Connect Core 1.0, 3.1.3.7 (ID Token Validation), 5.
	case p.client != "" && p.client != client:
		return Claims{}, refuse(ReasonAudience, "azp is %s", quoted(p.client))
	case nonce == "" || !equal(p.nonce, nonce):
		return Claims{}, refuse(ReasonNonce, "the nonce is another")
	}
	return p.claims(User), nil
}

// equal takes the same time for all texts, of whatever length.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// precheck looks at claims before the signature, so that only a token that could
// be ours may cause a fetch of keys.
func (v *Verifier) precheck(p parsed, audiences map[string][]string) error {
	accepted, known := audiences[p.issuer]
	now := v.now()
	switch {
	case !known:
		return refuse(ReasonIssuer, "iss is %s", quoted(p.issuer))
	case p.tenant != v.cfg.tenant():
		return refuse(ReasonTenant, "tid is %s", quoted(p.tenant))
	// RFC 8725, 3.9 (Use and Validate Audience). Entra names one; a token for
	// several could be replayed by each of them.
	case len(p.audience) != 1 || !slices.ContainsFunc(accepted, func(a string) bool { return sameAudience(a, p.audience[0]) }):
		return refuse(ReasonAudience, "aud is %s", quoted(audience(p.audience)))
	case !guid.MatchString(p.object) || p.subject == "":
		return refuse(ReasonClaims, "oid is no GUID or sub is missing")
	case v.expired(p.expires):
		return refuse(ReasonExpired, "exp is %v", p.expires)
	case p.issued.After(now.Add(skew)):
		return refuse(ReasonNotYetValid, "iat is %v", p.issued)
	case p.notBefore.After(now.Add(skew)):
		return refuse(ReasonNotYetValid, "nbf is %v", p.notBefore)
	case p.expires.Sub(p.issued) > maxLifetime || p.expires.Before(p.issued):
		return refuse(ReasonLifetime, "from %v to %v", p.issued, p.expires)
	}
	return nil
}

func (v *Verifier) expired(at time.Time) bool { return v.now().After(at.Add(leeway)) }

// sameAudience compares GUIDs in any case and everything else exactly.
func sameAudience(accepted, got string) bool {
	return accepted == got || guid.MatchString(got) && strings.EqualFold(accepted, got)
}

func audience(list []string) string {
	text := strings.Join(list, " ")
	if text == graphAudience || text == graphAudienceID {
		text += " (Microsoft Graph)"
	}
	return text
}

// verify checks the signature, and with the library's own eyes issuer and
// audience again. It is the only place from where keys are fetched.
func (v *Verifier) verify(ctx context.Context, raw string, p parsed) error {
	keys := &witness{keys: v.keys}
	_, err := oidc.NewVerifier(p.issuer, keys, &oidc.Config{
		ClientID:             p.audience[0],
		SupportedSigningAlgs: []string{oidc.RS256},
		SkipExpiryCheck:      true, // it has no leeway; precheck has
	}).Verify(ctx, raw)
	switch {
	case keys.err != nil:
		return keys.err
	case !keys.asked: // it gave up before
		return refuse(ReasonMalformed, "%v", err)
	case err != nil:
		return refuse(ReasonClaims, "%v", err)
	}
	return nil
}

// witness keeps the error of the keys, which the library turns into text.
type witness struct {
	keys  *Keys
	asked bool
	err   error
}

// VerifySignature implements [oidc.KeySet].
func (w *witness) VerifySignature(ctx context.Context, token string) (payload []byte, err error) {
	w.asked = true
	payload, w.err = w.keys.VerifySignature(ctx, token)
	return payload, w.err
}
