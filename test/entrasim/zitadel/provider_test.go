package zitadel_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/badge-engine/badge-engine/test/entrasim/zitadel"
)

func client(p *zitadel.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.ClientID, ClientSecret: p.ClientSecret, RedirectURL: p.RedirectURI,
		Scopes:   []string{"openid", "profile", "api://" + p.ClientID + "/Badges.ReadWrite"},
		Endpoint: oauth2.Endpoint{AuthURL: p.AuthorizeURL, TokenURL: p.TokenURL, AuthStyle: oauth2.AuthStyleInParams},
	}
}

func signIn(t *testing.T, p *zitadel.Provider, options ...oauth2.AuthCodeOption) url.Values {
	t.Helper()
	back, err := url.Parse(p.SignIn(t, client(p).AuthCodeURL("the-state", options...)))
	if err != nil {
		t.Fatal(err)
	}
	if back.Query().Get("state") != "the-state" || back.Query().Get("code") == "" {
		t.Fatalf("sent back to %s", back)
	}
	return back.Query()
}

func TestAStandardClientSignsIn(t *testing.T) {
	p := zitadel.NewProvider(t, "Badge.Admin")
	provider, err := oidc.NewProvider(t.Context(), p.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	if e := provider.Endpoint(); e.AuthURL != p.AuthorizeURL || e.TokenURL != p.TokenURL {
		t.Errorf("discovered %+v", e)
	}
	verifier := oauth2.GenerateVerifier()
	tokens, err := client(p).Exchange(t.Context(), signIn(t, p, oidc.Nonce("the-nonce"), oauth2.S256ChallengeOption(verifier)).Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	check := provider.Verifier(&oidc.Config{ClientID: p.ClientID, SupportedSigningAlgs: []string{"RS256"}})
	id, err := check.Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		OID, TID, Name, Sid, Ver, Scp, Azp string
		Roles                              []string
	}
	if err := id.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	if id.Nonce != "the-nonce" || claims.OID != p.ObjectID || claims.TID != p.TenantID || claims.Name != p.Name || claims.Sid == "" || claims.Ver != "2.0" ||
		!slices.Equal(claims.Roles, []string{"Badge.Admin"}) {
		t.Errorf("the ID token says %+v, nonce %q", claims, id.Nonce)
	}
	access, err := check.Verify(t.Context(), tokens.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	if err := access.Claims(&claims); err != nil || claims.Scp != "Badges.ReadWrite" || claims.Azp != p.ClientID || claims.OID != p.ObjectID {
		t.Errorf("the access token says %+v, %v", claims, err)
	}
}

func TestItRefuses(t *testing.T) {
	p := zitadel.NewProvider(t)
	verifier := oauth2.GenerateVerifier()
	challenge, good := oauth2.S256ChallengeOption(verifier), oauth2.VerifierOption(verifier)
	used := signIn(t, p, challenge).Get("code")
	if _, err := client(p).Exchange(t.Context(), used, good); err != nil {
		t.Fatal(err)
	}
	wrong := client(p)
	wrong.ClientSecret = "wrong"
	for name, redeem := range map[string]func() error{
		"a code that was used": func() error { _, err := client(p).Exchange(t.Context(), used, good); return err },
		"another verifier": func() error {
			_, err := client(p).Exchange(t.Context(), signIn(t, p, challenge).Get("code"), oauth2.VerifierOption("x"+verifier))
			return err
		},
		"a wrong secret": func() error {
			_, err := wrong.Exchange(t.Context(), signIn(t, p, challenge).Get("code"), good)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			var refused *oauth2.RetrieveError
			if err := redeem(); !errors.As(err, &refused) {
				t.Errorf("got %v, want a refusal", err)
			}
		})
	}
	t.Run("an unregistered redirect URI, until it is registered", func(t *testing.T) {
		cfg := client(p)
		cfg.RedirectURL = "http://127.0.0.1:1/auth/callback"
		response, err := http.Get(cfg.AuthCodeURL("x"))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("answered %d", response.StatusCode)
		}
		p.RegisterRedirectURI(cfg.RedirectURL)
		p.SignIn(t, cfg.AuthCodeURL("x"))
	})
	t.Run("a wrong password", func(t *testing.T) {
		form, err := http.Get(client(p).AuthCodeURL("x"))
		if err != nil {
			t.Fatal(err)
		}
		form.Body.Close()
		answer, err := http.PostForm(form.Request.URL.String(), url.Values{
			"id": {form.Request.URL.Query().Get("id")}, "username": {p.Username}, "password": {"wrong"},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		page, err := io.ReadAll(answer.Body)
		if err != nil || answer.Request.URL.Path != "/"+p.TenantID+"/login" || !strings.Contains(string(page), "password wrong") {
			t.Errorf("ended at %s with %s, %v", answer.Request.URL, page, err)
		}
	})
}

func TestSignOut(t *testing.T) {
	p := zitadel.NewProvider(t)
	tokens, err := client(p).Exchange(t.Context(), signIn(t, p).Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	once := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	out := func(back string) (int, string) {
		response, err := once.Get(p.LogoutURL + "?" + url.Values{"id_token_hint": {tokens.Extra("id_token").(string)}, "post_logout_redirect_uri": {back}}.Encode())
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode, response.Header.Get("Location")
	}
	if status, to := out(p.RedirectURI); status != http.StatusFound || to != p.RedirectURI {
		t.Errorf("got %d to %s", status, to)
	}
	if status, _ := out("https://evil.example/"); status != http.StatusBadRequest {
		t.Errorf("an unregistered address answers %d", status)
	}
}
