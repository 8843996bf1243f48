package entra

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"golang.org/x/oauth2"
)

// loginScopes ask for an ID token and nothing else: no token of Graph, and no
// refresh token, is ever kept here.
const loginScopes = "openid profile"

// challenge is a SHA-256 in base64url (RFC 7636, 4.2, Client Creates the Code
// Challenge).
var challenge = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// CodeFlow signs people in by an authorization code with PKCE. It keeps nothing:
// state, nonce and code verifier are the caller's, who uses each only once.
type CodeFlow struct {
	cfg      Config
	client   *http.Client
	verifier *Verifier
	now      func() time.Time
}

// NewCodeFlow makes a code flow. The client may be nil; its redirects are never
// followed.
func NewCodeFlow(cfg Config, client *http.Client, verifier *Verifier, now func() time.Time) *CodeFlow {
	return &CodeFlow{cfg: cfg, client: bounded(client, tokenTimeout), verifier: verifier, now: now}
}

// Challenge answers the S256 challenge of a code verifier (RFC 7636, 4.2).
func Challenge(codeVerifier string) string { return oauth2.S256ChallengeFromVerifier(codeVerifier) }

// AuthorizeURL answers where to send the browser. The challenge is [Challenge]
// of the code verifier; loginHint may be empty.
func (f *CodeFlow) AuthorizeURL(state, nonce, codeChallenge, loginHint string) (string, error) {
	switch {
	case !f.cfg.Enabled():
		return "", errors.New("entra: sign-in needs ENTRA_TENANT_ID and ENTRA_CLIENT_ID")
	case !f.cfg.Confidential():
		return "", errNoCredential
	case state == "" || nonce == "" || !challenge.MatchString(codeChallenge):
		return "", errors.New("entra: a sign-in needs a state, a nonce and an S256 challenge")
	}
	// OpenID Connect Core 1.0, 3.1.2.1 (Authentication Request). The answer comes
	// in the query, so that the cookie that binds it may be SameSite=Lax.
	query := url.Values{
		"client_id":             {f.cfg.ClientID},
		"response_type":         {"code"},
		"response_mode":         {"query"},
		"redirect_uri":          {f.cfg.RedirectURI},
		"scope":                 {loginScopes},
		"state":                 {state},
		"nonce":                 {nonce},
		"code_challenge":        {codeChallenge},
		"code_challenge_method": {"S256"},
	}
	if loginHint != "" {
		query.Set("login_hint", loginHint)
	}
	return withQuery(f.verifier.keys.endpoints().authorize, query), nil
}

// Redeem trades the code for an ID token and verifies it. It answers an
// [*AuthorityError], a [*Refusal] or [ErrUnavailable]. A code is good for one
// attempt, so it is not tried again.
func (f *CodeFlow) Redeem(ctx context.Context, code, codeVerifier, nonce string) (Claims, error) {
	endpoint := f.verifier.keys.endpoints().token
	proof, err := f.cfg.credential(endpoint, f.now())
	if err != nil {
		return Claims{}, err
	}
	exchange := oauth2.Config{
		ClientID: f.cfg.ClientID, ClientSecret: f.cfg.ClientSecret.Reveal(), RedirectURL: f.cfg.RedirectURI,
		Endpoint: oauth2.Endpoint{TokenURL: endpoint, AuthStyle: oauth2.AuthStyleInParams},
	}
	options := []oauth2.AuthCodeOption{oauth2.VerifierOption(codeVerifier)}
	for name := range proof {
		options = append(options, oauth2.SetAuthURLParam(name, proof.Get(name)))
	}
	token, err := exchange.Exchange(calling(ctx, f.client), code, options...)
	if err != nil {
		return Claims{}, tokenError(err)
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return Claims{}, unavailable("the authority", errors.New("its answer has no ID token"))
	}
	return f.verifier.IDToken(ctx, raw, nonce)
}

// LogoutURL answers where to send the browser to end Entra's own session too
// (OpenID Connect RP-Initiated Logout 1.0, 2). returnTo must be registered as a
// redirect URI; hint is [Claims.LoginHint]. Both may be empty.
func (f *CodeFlow) LogoutURL(returnTo, hint string) string {
	query := url.Values{}
	if returnTo != "" {
		query.Set("post_logout_redirect_uri", returnTo)
	}
	if hint != "" {
		query.Set("logout_hint", hint)
	}
	return withQuery(f.verifier.keys.endpoints().logout, query)
}

// withQuery adds parameters to an address that may have some already.
func withQuery(address string, query url.Values) string {
	u, err := url.Parse(address)
	if err != nil { // no: it was parsed before it was kept
		return address
	}
	all := u.Query()
	for name := range query {
		all.Set(name, query.Get(name))
	}
	u.RawQuery = all.Encode()
	return u.String()
}
