package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/platform/ratelimit"
)

const (
	grantClientCredentials = "client_credentials"
	// RFC 7523, 2.2 (Using JWTs for Client Authentication).
	assertionJWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

	// assertionLifetime is what Entra lets a token of an application live at most.
	// How long an assertion lives is how long it is remembered against a replay.
	assertionLifetime = 24 * time.Hour
	// assertionLeeway covers clocks that differ: so long after its end an assertion
	// may still be taken.
	assertionLeeway = 10 * time.Minute
)

// TokenRequest is a request for an access token (RFC 6749, 4.4.2; RFC 7521, 4.2).
type TokenRequest struct {
	GrantType     string
	ClientID      string
	ClientSecret  string
	AssertionType string
	Assertion     string
	Scope         string // words separated by spaces; empty: all that the client may do
}

// Grant is what answers a [TokenRequest] (RFC 6749, 5.1).
type Grant struct {
	Token    string
	Lifetime time.Duration
	Scopes   []string
}

var (
	errNoClient    = errors.New("no such client")
	errDisabled    = errors.New("the client is disabled")
	errNoSecret    = errors.New("no secret of the client matches")
	errDeadSecret  = errors.New("the secret is revoked or has expired")
	errNoAssertion = errors.New("assertions are not taken")
	errUnbound     = errors.New("the client is not bound to assertions")
	errKind        = errors.New("the assertion is of another type")
	errLifetime    = errors.New("the assertion lives longer than any may")
	errNoTokenID   = errors.New("the assertion has no id")
	errReplay      = errors.New("the assertion was used before")
)

// Token grants an access token to a client that shows who it is. It answers with
// the faults of RFC 6749, 5.2: [ErrOAuthRequest], [ErrOAuthClient],
// [ErrOAuthGrantType] or [ErrOAuthScope]; why a client is refused stands in the
// log. A client that asks too often is told to wait, but only once it has shown
// who it is.
func (c *Clients) Token(ctx context.Context, r TokenRequest) (Grant, error) {
	switch r.GrantType {
	case grantClientCredentials:
	case "":
		return Grant{}, ErrOAuthRequest.Detailf("The parameter grant_type is missing.")
	default:
		return Grant{}, ErrOAuthGrantType.Detailf("The only one is client_credentials.")
	}
	client, secret, assertion, err := c.authenticate(ctx, r)
	if err != nil {
		return Grant{}, err
	}
	ctx = principal.With(ctx, principal.Principal{ID: "client:" + client.ID, Name: client.Name, Scopes: client.Scopes})
	if err := c.limiter.Take(client.ID, ratelimit.Provisioning).Err(); err != nil {
		return Grant{}, err
	}
	scopes, err := narrow(client.Scopes, r.Scope)
	if err != nil {
		return Grant{}, err
	}
	if assertion != nil {
		if err := c.consume(ctx, client, *assertion); err != nil {
			return Grant{}, err
		}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Grant{}, err
	}
	text, prefix, hash := compose(id)
	at := c.tokens.stamp()
	token := Token{
		ID: id.String(), Name: client.Name, Prefix: prefix, Scopes: scopes, Created: at, Expires: at.Add(c.lifetime),
		Client: client.ID, Secret: secret, hash: hash,
	}
	err = c.work.Do(ctx, func(ctx context.Context) error {
		// Whoever disables the client at this moment does it before or after, and
		// after it there is a token to revoke.
		now, err := c.records.Lock(ctx, client.ID)
		if err != nil {
			return err
		}
		live := slices.ContainsFunc(now.Secrets, func(s ClientSecret) bool { return s.ID == secret && s.Live(at) })
		if !now.Disabled.IsZero() || secret != "" && !live {
			return c.refuse(ctx, client.ID, errDisabled)
		}
		if err := c.records.Grant(ctx, token); err != nil {
			return err
		}
		return c.record(ctx, "auth.token.granted", token.ID)
	})
	if err != nil {
		return Grant{}, err
	}
	c.log.InfoContext(ctx, "access token granted", slog.String("client_id", client.ID), slog.String("token_id", token.ID), slog.Any("scopes", scopes))
	return Grant{Token: text, Lifetime: c.lifetime, Scopes: scopes}, nil
}

// authenticate finds out which client is calling, and by which of its secrets or
// by what assertion.
func (c *Clients) authenticate(ctx context.Context, r TokenRequest) (client Client, secret string, assertion *AssertionClaims, err error) {
	none := func(err error) (Client, string, *AssertionClaims, error) { return Client{}, "", nil, err }
	switch {
	case r.ClientID == "":
		return none(ErrOAuthClient.Detailf("Send client_id and client_secret in the form, or both by HTTP Basic."))
	case r.ClientSecret == "" && r.Assertion == "":
		return none(ErrOAuthClient.Detailf("Send client_secret, or client_assertion with its type."))
	case r.ClientSecret != "" && r.Assertion != "":
		// RFC 6749, 2.3 (Client Authentication): not more than one method in each request.
		return none(ErrOAuthRequest.Detailf("Send a secret or an assertion, not both."))
	}
	id, err := clientID(r.ClientID)
	if err != nil {
		return none(c.refuse(ctx, "", errNoClient))
	}
	client, err = c.records.Find(ctx, id)
	switch {
	case errors.Is(err, ErrClientNotFound):
		return none(c.refuse(ctx, id, errNoClient))
	case err != nil:
		return none(err)
	case !client.Disabled.IsZero():
		return none(c.refuse(ctx, id, errDisabled))
	}
	if r.Assertion == "" {
		if secret, err = client.prove(r.ClientSecret, c.tokens.now()); err != nil {
			return none(c.refuse(ctx, id, err))
		}
		return client, secret, nil, nil
	}
	claims, err := c.assert(ctx, client, r)
	if err != nil {
		return none(err)
	}
	return client, "", &claims, nil
}

// prove answers which secret of the client a text is.
func (c Client) prove(text string, now time.Time) (id string, err error) {
	_, hash, err := dissectAs(secretMark, text)
	if err != nil {
		return "", err
	}
	for _, s := range c.Secrets {
		if subtle.ConstantTimeCompare(s.hash, hash) == 1 {
			if !s.Live(now) {
				return "", errDeadSecret
			}
			return s.ID, nil
		}
	}
	return "", errNoSecret
}

// assert checks an assertion against what the client is bound to (RFC 7523, 3).
func (c *Clients) assert(ctx context.Context, client Client, r TokenRequest) (AssertionClaims, error) {
	none := func(reason error) (AssertionClaims, error) {
		return AssertionClaims{}, c.refuse(ctx, client.ID, reason)
	}
	switch {
	case r.AssertionType != assertionJWT:
		return none(errKind)
	case c.assertions == nil:
		return none(errNoAssertion)
	case client.Binding == nil:
		return none(errUnbound)
	}
	claims, err := c.assertions.Assertion(ctx, r.Assertion)
	if f, ok := fault.From(err); ok && f.Kind() == fault.Unavailable {
		return AssertionClaims{}, err
	}
	if err == nil {
		err = client.Binding.matches(claims)
	}
	now := c.tokens.now()
	switch {
	case err != nil:
		return none(err)
	case claims.TokenID == "":
		return none(errNoTokenID)
	case !now.Before(claims.Expires.Add(assertionLeeway)):
		return none(errExpired)
	case claims.Issued.IsZero() || claims.Expires.Sub(claims.Issued) > assertionLifetime:
		return none(errLifetime)
	}
	return claims, nil
}

// consume takes an assertion, once. While the cache is away none is taken: the
// client keeps the tokens it has, and asks again.
func (c *Clients) consume(ctx context.Context, client Client, a AssertionClaims) error {
	sum := sha256.Sum256([]byte(a.Issuer + "\x00" + a.TokenID))
	left := a.Expires.Sub(c.tokens.now()) + assertionLeeway
	first, err := c.tokens.cache.Add(ctx, "auth.assertion."+hex.EncodeToString(sum[:]), []byte{1}, left)
	if err != nil {
		return err
	}
	if !first {
		return c.refuse(ctx, client.ID, errReplay)
	}
	return nil
}

func (c *Clients) refuse(ctx context.Context, id string, reason error) error {
	c.log.InfoContext(ctx, "client refused", slog.Any("reason", reason), slog.String("client_id", id), slog.String("remote_ip", principal.Address(ctx)))
	return ErrOAuthClient
}

// narrow answers which of the scopes a client may have its token gets (RFC 6749,
// 3.3 (Access Token Scope)).
func narrow(may []string, asked string) ([]string, error) {
	if strings.TrimSpace(asked) == "" {
		return may, nil
	}
	words := strings.Fields(asked)
	for _, word := range words {
		if !slices.Contains(may, word) {
			return nil, ErrOAuthScope.Detailf("The client may ask for: %s.", strings.Join(may, ", "))
		}
	}
	return inOrder(words), nil
}

// parseTokenRequest reads the form of a token request and the header that may
// carry the client's secret. It answers with [ErrOAuthRequest].
func parseTokenRequest(form, authorization string) (TokenRequest, error) {
	values, err := url.ParseQuery(form)
	if err != nil {
		return TokenRequest{}, ErrOAuthRequest.Detailf("The body is no form.")
	}
	var r TokenRequest
	for name, into := range map[string]*string{
		"grant_type": &r.GrantType, "client_id": &r.ClientID, "client_secret": &r.ClientSecret,
		"client_assertion_type": &r.AssertionType, "client_assertion": &r.Assertion, "scope": &r.Scope,
	} {
		// RFC 6749, 3.2 (Token Endpoint): no parameter more than once.
		if len(values[name]) > 1 {
			return TokenRequest{}, ErrOAuthRequest.Detailf("The parameter %s is there more than once.", name)
		}
		*into = values.Get(name)
	}
	if authorization == "" {
		return r, nil
	}
	id, secret, err := parseBasic(authorization)
	switch {
	case err != nil:
		return TokenRequest{}, err
	case r.ClientSecret != "" || r.Assertion != "" || r.ClientID != "" && r.ClientID != id:
		return TokenRequest{}, ErrOAuthRequest.Detailf("Show who is calling in one way: in the form or by HTTP Basic.")
	}
	r.ClientID, r.ClientSecret = id, secret
	return r, nil
}

// parseBasic reads the header of RFC 7617, whose both halves are encoded like a
// form (RFC 6749, 2.3.1 (Client Password)).
func parseBasic(authorization string) (id, secret string, err error) {
	scheme, encoded, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", ErrOAuthClient.Detailf("Only HTTP Basic is taken in the header.")
	}
	plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err == nil {
		var found bool
		if id, secret, found = strings.Cut(string(plain), ":"); !found {
			err = fmt.Errorf("no colon")
		}
	}
	if err == nil {
		id, err = url.QueryUnescape(id)
	}
	if err == nil {
		secret, err = url.QueryUnescape(secret)
	}
	if err != nil {
		return "", "", ErrOAuthRequest.Detailf("The header is not of the form of HTTP Basic.")
	}
	return id, secret, nil
}
