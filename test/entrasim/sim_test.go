package entrasim_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"go.uber.org/goleak"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/badge-engine/badge-engine/test/entrasim"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(int) { http.DefaultClient.CloseIdleConnections() }))
}

// clock is a time that stands still until it is moved.
type clock struct{ seconds atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.seconds.Store(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC).Unix())
	return c
}

func (c *clock) Now() time.Time          { return time.Unix(c.seconds.Load(), 0) }
func (c *clock) Advance(d time.Duration) { c.seconds.Add(int64(d / time.Second)) }

func config(s *entrasim.Sim) *oauth2.Config {
	return &oauth2.Config{
		ClientID: s.ClientID, ClientSecret: s.ClientSecret, RedirectURL: s.RedirectURI,
		Scopes:   []string{"openid", "profile", s.AppIDURI + "/Badges.ReadWrite"},
		Endpoint: oauth2.Endpoint{AuthURL: s.AuthorizeURL, TokenURL: s.TokenURL, AuthStyle: oauth2.AuthStyleInParams},
	}
}

// browser keeps cookies and does not follow redirects.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// visit answers status, body and where the browser is sent.
func visit(t *testing.T, client *http.Client, address string) (status int, text string, to url.Values) {
	t.Helper()
	response, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, response)
}

func read(t *testing.T, response *http.Response) (status int, text string, to url.Values) {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if location, err := response.Location(); err == nil {
		to = location.Query()
		if location.Fragment != "" {
			to, _ = url.ParseQuery(location.EscapedFragment())
		}
		to.Set("path", location.Scheme+"://"+location.Host+location.Path)
	}
	return response.StatusCode, string(body), to
}

// code signs the default user in and answers the code.
func code(t *testing.T, s *entrasim.Sim, options ...oauth2.AuthCodeOption) string {
	t.Helper()
	status, body, to := visit(t, browser(t), config(s).AuthCodeURL("the-state", options...))
	if status != http.StatusFound || to.Get("state") != "the-state" || to.Get("code") == "" {
		t.Fatalf("authorize answered %d %v %s", status, to, body)
	}
	return to.Get("code")
}

func number(t *testing.T, err error) int {
	t.Helper()
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		t.Fatalf("got %v, want a refusal of the token endpoint", err)
	}
	var answer struct {
		Error       string
		Description string `json:"error_description"`
		Codes       []int  `json:"error_codes"`
		TraceID     string `json:"trace_id"`
	}
	if err := json.Unmarshal(refused.Body, &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Codes) != 1 || answer.TraceID == "" || answer.Error == "" ||
		!strings.HasPrefix(answer.Description, fmt.Sprintf("AADSTS%d: ", answer.Codes[0])) {
		t.Fatalf("not Entra's shape: %s", refused.Body)
	}
	return answer.Codes[0]
}

func TestAStandardClientSignsIn(t *testing.T) {
	s := entrasim.New(t)
	s.Change(s.User.ObjectID, func(u *entrasim.User) {
		u.Roles, u.Groups = []string{"Badge.Admin"}, entrasim.GroupIDs(2)
	})
	provider, err := oidc.NewProvider(t.Context(), s.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	for name, style := range map[string]oauth2.AuthStyle{"with the secret in the form": oauth2.AuthStyleInParams, "with the secret in the header": oauth2.AuthStyleInHeader} {
		t.Run(name, func(t *testing.T) {
			cfg := config(s)
			cfg.Endpoint = provider.Endpoint()
			cfg.Endpoint.AuthStyle = style
			verifier := oauth2.GenerateVerifier()
			tokens, err := cfg.Exchange(t.Context(), code(t, s, oidc.Nonce("the-nonce"), oauth2.S256ChallengeOption(verifier)), oauth2.VerifierOption(verifier))
			if err != nil {
				t.Fatal(err)
			}
			raw, _ := tokens.Extra("id_token").(string)
			id, err := provider.Verifier(&oidc.Config{ClientID: s.ClientID, SupportedSigningAlgs: []string{"RS256"}}).Verify(t.Context(), raw)
			if err != nil {
				t.Fatal(err)
			}
			var claims struct {
				OID, TID, Name, Sid, Ver string
				Roles, Groups            []string
			}
			if err := id.Claims(&claims); err != nil {
				t.Fatal(err)
			}
			if id.Nonce != "the-nonce" || claims.OID != s.User.ObjectID || claims.TID != s.TenantID || claims.Name != "Dana Kim" ||
				claims.Sid == "" || claims.Ver != "2.0" || !slices.Equal(claims.Roles, []string{"Badge.Admin"}) || len(claims.Groups) != 2 {
				t.Errorf("claims are %+v, nonce %q", claims, id.Nonce)
			}
			access := s.Claims(tokens.AccessToken)
			if access["scp"] != "Badges.ReadWrite" || access["aud"] != s.ClientID || access["nonce"] != nil {
				t.Errorf("access token says %v", access)
			}
		})
	}
}

func TestTheTokenEndpointRefuses(t *testing.T) {
	now := newClock()
	s := entrasim.New(t, entrasim.WithClock(now.Now))
	verifier := oauth2.GenerateVerifier()
	challenge := oauth2.S256ChallengeOption(verifier)
	other := s.AddApp(entrasim.App{})
	redeem := func(t *testing.T, change func(*oauth2.Config), code string, options ...oauth2.AuthCodeOption) error {
		cfg := config(s)
		if change != nil {
			change(cfg)
		}
		_, err := cfg.Exchange(t.Context(), code, options...)
		return err
	}
	good := oauth2.VerifierOption(verifier)
	for name, row := range map[string]struct {
		want int
		run  func(t *testing.T) error
	}{
		"a wrong secret": {7000215, func(t *testing.T) error {
			return redeem(t, func(c *oauth2.Config) { c.ClientSecret = "wrong" }, code(t, s, challenge), good)
		}},
		"a wrong secret in the header": {7000215, func(t *testing.T) error {
			return redeem(t, func(c *oauth2.Config) { c.ClientSecret, c.Endpoint.AuthStyle = "wrong", oauth2.AuthStyleInHeader }, code(t, s, challenge), good)
		}},
		"no secret": {7000218, func(t *testing.T) error {
			return redeem(t, func(c *oauth2.Config) { c.ClientSecret = "" }, code(t, s, challenge), good)
		}},
		"an unknown client": {700016, func(t *testing.T) error {
			return redeem(t, func(c *oauth2.Config) { c.ClientID = "11111111-2222-4333-8444-555555555555" }, code(t, s, challenge), good)
		}},
		"another client's code": {70000, func(t *testing.T) error {
			return redeem(t, func(c *oauth2.Config) { c.ClientID, c.ClientSecret = other.ClientID, other.Secret }, code(t, s, challenge), good)
		}},
		"an invented code": {70000, func(t *testing.T) error { return redeem(t, nil, "1.Ainvented", good) }},
		"another verifier": {501481, func(t *testing.T) error {
			return redeem(t, nil, code(t, s, challenge), oauth2.VerifierOption("x"+verifier))
		}},
		"a missing verifier":                {501481, func(t *testing.T) error { return redeem(t, nil, code(t, s, challenge)) }},
		"a verifier that was not asked for": {501481, func(t *testing.T) error { return redeem(t, nil, code(t, s), good) }},
		"another redirect URI": {500112, func(t *testing.T) error {
			return redeem(t, func(c *oauth2.Config) { c.RedirectURL += "/" }, code(t, s, challenge), good)
		}},
		"a code that was used": {54005, func(t *testing.T) error {
			once := code(t, s, challenge)
			if err := redeem(t, nil, once, good); err != nil {
				t.Fatal(err)
			}
			return redeem(t, nil, once, good)
		}},
		"a code that is too old": {70008, func(t *testing.T) error {
			old := code(t, s, challenge)
			now.Advance(11 * time.Minute)
			return redeem(t, nil, old, good)
		}},
		"a user disabled in between": {50057, func(t *testing.T) error {
			c := code(t, s, challenge)
			s.Change(s.User.ObjectID, func(u *entrasim.User) { u.Disabled = true })
			defer s.Change(s.User.ObjectID, func(u *entrasim.User) { u.Disabled = false })
			return redeem(t, nil, c, good)
		}},
		"another tenant": {90002, func(t *testing.T) error {
			return redeem(t, func(c *oauth2.Config) {
				c.Endpoint.TokenURL = strings.Replace(s.TokenURL, s.TenantID, "11111111-2222-4333-8444-555555555555", 1)
			}, code(t, s, challenge), good)
		}},
		"what it is told to": {53003, func(t *testing.T) error {
			s.FailNext(entrasim.Token, 1, entrasim.AADSTS(53003))
			return redeem(t, nil, code(t, s, challenge), good)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			err := row.run(t)
			if got := number(t, err); got != row.want {
				t.Errorf("refused with AADSTS%d, want %d", got, row.want)
			}
		})
	}
}

func TestAuthorizeRefuses(t *testing.T) {
	s := entrasim.New(t)
	for name, row := range map[string]struct {
		change  url.Values // "" removes
		page    string     // shown to the person
		refusal string     // brought back to the application
	}{
		"an unregistered redirect URI":           {url.Values{"redirect_uri": {"https://evil.example/"}}, "AADSTS50011", ""},
		"a redirect URI with a slash more":       {url.Values{"redirect_uri": {s.RedirectURI + "/"}}, "AADSTS50011", ""},
		"a redirect URI of another case":         {url.Values{"redirect_uri": {"http://localhost:8000/auth/Callback"}}, "AADSTS50011", ""},
		"an unknown client":                      {url.Values{"client_id": {"nobody"}}, "AADSTS700016", ""},
		"a missing scope":                        {url.Values{"scope": {""}}, "AADSTS900144", ""},
		"a user who was deleted":                 {url.Values{"pick": {"11111111-2222-4333-8444-555555555555"}}, "AADSTS50034", ""},
		"tokens straight to the browser":         {url.Values{"response_type": {"id_token"}}, "", "unsupported_response_type"},
		"a silent sign-in without a session":     {url.Values{"prompt": {"none"}}, "", "login_required"},
		"an unknown way to derive the challenge": {url.Values{"code_challenge": {"x"}, "code_challenge_method": {"S512"}}, "", "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			address, _ := url.Parse(config(s).AuthCodeURL("the-state"))
			query := address.Query()
			maps.Copy(query, row.change)
			address.RawQuery = query.Encode()
			status, body, to := visit(t, browser(t), address.String())
			if row.page != "" && (status != http.StatusBadRequest || to != nil || !strings.Contains(body, row.page)) {
				t.Errorf("got %d %v %s, want a page with %s", status, to, body, row.page)
			}
			if row.refusal != "" && (to.Get("error") != row.refusal || to.Get("state") != "the-state" || to.Has("code")) {
				t.Errorf("got %d %v, want the error %s", status, to, row.refusal)
			}
		})
	}
	t.Run("the next sign-in on request, and only that", func(t *testing.T) {
		s.RefuseSignIn(65001)
		if _, _, to := visit(t, browser(t), config(s).AuthCodeURL("x")); to.Get("error") != "consent_required" || !strings.HasPrefix(to.Get("error_description"), "AADSTS65001: ") {
			t.Errorf("sent back with %v", to)
		}
		code(t, s)
	})
	t.Run("tenants and common, because the application has one tenant", func(t *testing.T) {
		for tenant, want := range map[string]string{"common": "AADSTS50194", "11111111-2222-4333-8444-555555555555": "AADSTS90002"} {
			if _, body, _ := visit(t, browser(t), strings.Replace(config(s).AuthCodeURL("x"), s.TenantID, tenant, 1)); !strings.Contains(body, want) {
				t.Errorf("%s: page says %s, want %s", tenant, body, want)
			}
		}
	})
}

func TestThePortOfLocalhostIsIgnored(t *testing.T) {
	s := entrasim.New(t)
	cfg := config(s)
	cfg.RedirectURL = "http://localhost:54321/auth/callback"
	if _, _, to := visit(t, browser(t), cfg.AuthCodeURL("x")); to.Get("path") != cfg.RedirectURL || to.Get("code") == "" {
		t.Errorf("sent to %v", to)
	}
	cfg.RedirectURL = "http://127.0.0.1:54321/auth/callback"
	if _, body, _ := visit(t, browser(t), cfg.AuthCodeURL("x")); !strings.Contains(body, "AADSTS50011") {
		t.Errorf("another host was accepted: %s", body)
	}
	s.RegisterRedirectURI(cfg.RedirectURL)
	if _, _, to := visit(t, browser(t), cfg.AuthCodeURL("x")); to.Get("path") != cfg.RedirectURL {
		t.Errorf("sent to %v", to)
	}
}

func TestWhoSignsIn(t *testing.T) {
	s := entrasim.New(t)
	lee := s.AddUser(entrasim.User{Name: "Lee", Username: "lee@contoso.example"})
	max := s.AddUser(entrasim.User{Name: "Max"})
	who := func(options ...oauth2.AuthCodeOption) any {
		tokens, err := config(s).Exchange(t.Context(), code(t, s, options...))
		if err != nil {
			t.Fatal(err)
		}
		return s.Claims(tokens.Extra("id_token").(string))["oid"]
	}
	if got := who(); got != s.User.ObjectID {
		t.Errorf("by default %v", got)
	}
	if got := who(oauth2.SetAuthURLParam("login_hint", "lee@contoso.example")); got != lee.ObjectID {
		t.Errorf("by hint %v", got)
	}
	s.SignIn(max)
	if got := who(oauth2.SetAuthURLParam("login_hint", "lee@contoso.example")); got != max.ObjectID {
		t.Errorf("from the queue %v", got)
	}
	if got := who(); got != s.User.ObjectID {
		t.Errorf("after the queue %v", got)
	}
	s.AlterIDTokens(entrasim.Claim("oid", "altered"))
	if got := who(); got != "altered" {
		t.Errorf("altered %v", got)
	}
}

func TestResponseModes(t *testing.T) {
	s := entrasim.New(t)
	mode := func(m string) (int, string, url.Values) {
		return visit(t, browser(t), config(s).AuthCodeURL("a&b", oauth2.SetAuthURLParam("response_mode", m)))
	}
	if _, _, to := mode("fragment"); to.Get("code") == "" || to.Get("state") != "a&b" {
		t.Errorf("fragment holds %v", to)
	}
	status, page, _ := mode("form_post")
	if status != http.StatusOK || !strings.Contains(page, `action="`+s.RedirectURI+`"`) || !strings.Contains(page, `name="state" value="a&amp;b"`) || !strings.Contains(page, `name="code"`) {
		t.Errorf("the page is %d %s", status, page)
	}
}

func TestAPersonPicksAnAccount(t *testing.T) {
	s := entrasim.New(t, entrasim.WithAccountPicker())
	lee := s.AddUser(entrasim.User{Name: "Lee <b>", Username: "lee@contoso.example"})
	client := browser(t)
	address := config(s).AuthCodeURL("the-state", oidc.Nonce("n"))
	status, page, _ := visit(t, client, address)
	if status != http.StatusOK || !strings.Contains(page, `id="lee@contoso.example"`) || strings.Contains(page, "<b>") {
		t.Fatalf("the page is %d %s", status, page)
	}
	form := url.Values{"pick": {lee.ObjectID}}
	for _, field := range regexp.MustCompile(`name="(\w+)" value="([^"]*)">`).FindAllStringSubmatch(page, -1) {
		if field[1] != "pick" {
			form.Set(field[1], strings.ReplaceAll(field[2], "&#43;", "+"))
		}
	}
	response, err := client.PostForm(address, form)
	if err != nil {
		t.Fatal(err)
	}
	_, _, to := read(t, response)
	tokens, err := config(s).Exchange(t.Context(), to.Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	if id := s.Claims(tokens.Extra("id_token").(string)); id["oid"] != lee.ObjectID || id["nonce"] != "n" {
		t.Errorf("signed in with %v", id)
	}
	form.Set("pick", "")
	if response, err = client.PostForm(address, form); err != nil {
		t.Fatal(err)
	}
	if _, _, to := read(t, response); to.Get("error") != "access_denied" {
		t.Errorf("cancelled with %v", to)
	}
}

func TestClientAssertions(t *testing.T) {
	now := newClock()
	s := entrasim.New(t, entrasim.WithClock(now.Now))
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s.RegisterCertificate(certificate)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	sign := func(key *rsa.PrivateKey, change func(*jwt.Claims), header string) string {
		claims := jwt.Claims{Issuer: s.ClientID, Subject: s.ClientID, Audience: jwt.Audience{s.TokenURL}, ID: "once",
			NotBefore: jwt.NewNumericDate(now.Now()), Expiry: jwt.NewNumericDate(now.Now().Add(5 * time.Minute))}
		if change != nil {
			change(&claims)
		}
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.PS256, Key: key},
			(&jose.SignerOptions{}).WithType("JWT").WithHeader("x5t#S256", header))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := jwt.Signed(signer).Claims(claims).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	good := base64.RawURLEncoding.EncodeToString(sum[:])
	for name, row := range map[string]struct {
		assertion string
		want      int
	}{
		"is accepted when all is right":     {sign(private, nil, good), 0},
		"is refused from another key":       {sign(stranger, nil, good), 700027},
		"is refused without the thumbprint": {sign(private, nil, "x"), 700027},
		"is refused for another audience":   {sign(private, func(c *jwt.Claims) { c.Audience = jwt.Audience{s.GraphURL} }, good), 700027},
		"is refused of another subject":     {sign(private, func(c *jwt.Claims) { c.Subject = "x" }, good), 700027},
		"is refused when expired":           {sign(private, func(c *jwt.Claims) { c.Expiry = jwt.NewNumericDate(now.Now().Add(-time.Hour)) }, good), 700027},
		"is refused without an end":         {sign(private, func(c *jwt.Claims) { c.Expiry = nil }, good), 700027},
		"is refused when it is no JWT":      {"x", 700027},
	} {
		t.Run(name, func(t *testing.T) {
			cc := clientcredentials.Config{ClientID: s.ClientID, TokenURL: s.TokenURL, Scopes: []string{s.GraphURL + "/.default"}, AuthStyle: oauth2.AuthStyleInParams,
				EndpointParams: url.Values{"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {row.assertion}}}
			_, err := cc.Token(t.Context())
			switch {
			case row.want == 0 && err != nil:
				t.Fatal(err)
			case row.want != 0:
				if got := number(t, err); got != row.want {
					t.Errorf("refused with AADSTS%d, want %d", got, row.want)
				}
			}
		})
	}
}

func TestClientCredentials(t *testing.T) {
	s := entrasim.New(t)
	roleless := s.AddApp(entrasim.App{Name: "Any app of the tenant"})
	get := func(a entrasim.App, scope string) (map[string]any, error) {
		cc := clientcredentials.Config{ClientID: a.ClientID, ClientSecret: a.Secret, TokenURL: s.TokenURL, Scopes: []string{scope}}
		token, err := cc.Token(t.Context())
		if err != nil {
			return nil, err
		}
		return s.Claims(token.AccessToken), nil
	}
	claims, err := get(s.Daemon, s.AppIDURI+"/.default")
	if err != nil || claims["oid"] != s.Daemon.ObjectID || claims["sub"] != claims["oid"] || claims["azp"] != s.Daemon.ClientID ||
		claims["aud"] != s.ClientID || claims["scp"] != nil || fmt.Sprint(claims["roles"]) != "[Badges.Issue.All]" {
		t.Errorf("a daemon gets %v, %v", claims, err)
	}
	if claims, err = get(roleless, s.AppIDURI+"/.default"); err != nil || claims["roles"] != nil {
		t.Errorf("an app without roles gets %v, %v", claims, err)
	}
	_, err = get(s.Daemon, "api://unknown/.default")
	if got := number(t, err); got != 500011 {
		t.Errorf("an unknown resource is AADSTS%d", got)
	}
	_, err = get(s.Daemon, s.AppIDURI+"/Badges.ReadWrite")
	if got := number(t, err); got != 70011 {
		t.Errorf("a scope without .default is AADSTS%d", got)
	}
}

func TestMintedTokensVerify(t *testing.T) {
	now := newClock()
	s := entrasim.New(t, entrasim.WithClock(now.Now))
	keys := oidc.NewRemoteKeySet(t.Context(), s.KeysURL)
	verify := func(issuer, audience, raw string) error {
		_, err := oidc.NewVerifier(issuer, keys, &oidc.Config{ClientID: audience, Now: now.Now, SupportedSigningAlgs: []string{"RS256"}}).Verify(t.Context(), raw)
		return err
	}
	for name, err := range map[string]error{
		"delegated":     verify(s.Issuer, s.ClientID, s.MintDelegated()),
		"app-only":      verify(s.Issuer, s.ClientID, s.MintAppOnly()),
		"ID":            verify(s.Issuer, s.ClientID, s.MintID("n")),
		"assertion":     verify(s.Issuer, s.AppIDURI, s.MintAssertion()),
		"version 1":     verify(s.IssuerV1, s.AppIDURI, s.MintDelegated(s.V1())),
		"version 1 app": verify(s.IssuerV1, s.AppIDURI, s.MintAppOnly(s.V1())),
		"spare key":     verify(s.Issuer, s.ClientID, s.MintDelegated(entrasim.SignedBy(s.PublishedKeys()[1]))),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, raw := range map[string]string{
		"none":             s.MintDelegated(entrasim.Header("alg", "none")),
		"HS256":            s.MintDelegated(entrasim.Header("alg", "HS256")),
		"PS256":            s.MintDelegated(entrasim.Header("alg", "PS256")),
		"ES256":            s.MintDelegated(entrasim.Header("alg", "ES256")),
		"expired":          s.MintDelegated(entrasim.Shifted(-2 * time.Hour)),
		"other tenant":     s.MintDelegated(s.InTenant("11111111-2222-4333-8444-555555555555")),
		"unpublished key":  s.MintDelegated(entrasim.SignedBy(s.NewKey())),
		"forged key":       s.MintDelegated(entrasim.ForgedBy(s.NewKey())),
		"other audience":   s.MintDelegated(entrasim.Claim("aud", "x")),
		"no expiry":        s.MintDelegated(entrasim.WithoutClaim("exp")),
		"tampered":         s.Tampered(s.MintDelegated(), entrasim.Claim("roles", []string{"Badge.Admin"})),
		"Graph":            s.MintGraph(entrasim.Claim("aud", s.ClientID)),
		"of another Entra": entrasim.New(t, entrasim.WithTenant(s.TenantID), entrasim.WithClient(s.ClientID, "x"), entrasim.WithClock(now.Now)).MintDelegated(entrasim.Claim("iss", s.Issuer)),
	} {
		if verify(s.Issuer, s.ClientID, raw) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	now.Advance(74 * time.Minute)
	if err := verify(s.Issuer, s.ClientID, s.MintDelegated()); err != nil {
		t.Errorf("a fresh token does not follow the clock: %v", err)
	}
}

// Attacks have to be well made, or refusing them proves nothing.
func TestForgeriesAreGenuine(t *testing.T) {
	s := entrasim.New(t)
	raw := s.MintDelegated(entrasim.Header("alg", "HS256"))
	der, err := x509.MarshalPKIXPublicKey(&s.CurrentKey().Private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := parsed.Claims(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), &claims); err != nil || claims["oid"] != s.User.ObjectID {
		t.Errorf("the public key as a secret: %v %v", claims, err)
	}
	for _, alg := range []jose.SignatureAlgorithm{jose.PS256, jose.RS384, jose.RS512} {
		parsed, err := jwt.ParseSigned(s.MintAppOnly(entrasim.Header("alg", string(alg))), []jose.SignatureAlgorithm{alg})
		if err != nil {
			t.Fatal(err)
		}
		if err := parsed.Claims(&s.CurrentKey().Private.PublicKey, &claims); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
	if raw := s.MintDelegated(entrasim.Header("alg", "none")); !strings.HasSuffix(raw, ".") {
		t.Errorf("an unsigned token has a signature: %s", raw)
	}
	if raw := s.Sign(map[string]any{"alg": "RS256"}, []byte(" {}\n"), s.CurrentKey()); strings.Split(raw, ".")[1] != "IHt9Cg" {
		t.Errorf("the payload was changed: %s", raw)
	}
	v1 := s.Claims(s.MintDelegated(s.V1()))
	if v1["iss"] != "https://sts.windows.net/"+s.TenantID+"/" || v1["appid"] != s.ClientID || v1["unique_name"] == nil || v1["azp"] != nil || v1["preferred_username"] != nil {
		t.Errorf("version 1 says %v", v1)
	}
	assertion := s.Claims(s.MintAssertion())
	if assertion["sub"] != s.Provisioner.ObjectID || assertion["oid"] != assertion["sub"] || assertion["uti"] == nil || assertion["roles"] != nil {
		t.Errorf("the assertion says %v", assertion)
	}
	lee := s.AddUser(entrasim.User{Name: "Lee", Roles: []string{"Badge.Auditor"}})
	if c := s.Claims(s.MintDelegated(s.As(lee), s.By(s.Daemon))); c["oid"] != lee.ObjectID || c["azp"] != s.Daemon.ClientID || c["sub"] == s.Claims(s.MintDelegated())["sub"] {
		t.Errorf("another user's token says %v", c)
	}
}

func TestGroupOverage(t *testing.T) {
	s := entrasim.New(t)
	groups := func(n int, forced bool) map[string]any {
		s.Change(s.User.ObjectID, func(u *entrasim.User) { u.Groups, u.Overage = entrasim.GroupIDs(n), forced })
		return s.Claims(s.MintDelegated())
	}
	if c := groups(200, false); len(c["groups"].([]any)) != 200 || c["_claim_names"] != nil {
		t.Errorf("200 groups make %v", c)
	}
	for _, c := range []map[string]any{groups(201, false), groups(1, true)} {
		source, _ := json.Marshal(c["_claim_sources"])
		if c["groups"] != nil || fmt.Sprint(c["_claim_names"]) != "map[groups:src1]" ||
			!strings.Contains(string(source), s.ElsewhereURL+"/"+s.TenantID+"/users/"+s.User.ObjectID+"/getMemberObjects") {
			t.Errorf("overage makes %v", c)
		}
	}
}

func TestKeys(t *testing.T) {
	s := entrasim.New(t)
	fetch := func() *jose.JSONWebKeySet {
		_, body, _ := visit(t, http.DefaultClient, s.KeysURL)
		var set jose.JSONWebKeySet
		if err := json.Unmarshal([]byte(body), &set); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		return &set
	}
	first := s.CurrentKey()
	if set := fetch(); len(set.Keys) != 2 || !set.Keys[0].Valid() || set.Keys[0].Use != "sig" || set.Keys[0].KeyID != first.ID || len(set.Keys[0].Certificates) != 1 {
		t.Errorf("published at first: %v", set)
	}
	second := s.Rotate()
	if set := fetch(); len(set.Keys) != 3 || len(set.Key(second.ID)) != 1 || s.CurrentKey() != second {
		t.Errorf("published after a rotation: %v", set)
	}
	s.Retire(first)
	if set := fetch(); len(set.Keys) != 2 || len(set.Key(first.ID)) != 0 {
		t.Errorf("published after retiring: %v", set)
	}
	weak := s.AddKey(func(k *entrasim.Key) {
		var err error
		if k.Private, err = rsa.GenerateKey(rand.Reader, 1024); err != nil {
			t.Fatal(err)
		}
		k.Use = "enc"
	})
	if found := fetch().Key(weak.ID); len(found) != 1 || found[0].Use != "enc" || found[0].Key.(*rsa.PublicKey).N.BitLen() != 1024 {
		t.Errorf("the weak key is %v", found)
	}
	if s.Calls(entrasim.Keys) != 4 {
		t.Errorf("counted %d fetches, want 4", s.Calls(entrasim.Keys))
	}
}

func TestDiscovery(t *testing.T) {
	s := entrasim.New(t)
	get := func(path string) (int, map[string]any) {
		status, body, _ := visit(t, http.DefaultClient, s.Authority+path)
		var document map[string]any
		if err := json.Unmarshal([]byte(body), &document); err != nil {
			t.Fatal(err)
		}
		return status, document
	}
	issuerOfKey := func(address string) string {
		_, body, _ := visit(t, http.DefaultClient, address)
		var set struct{ Keys []struct{ Issuer string } }
		if err := json.Unmarshal([]byte(body), &set); err != nil {
			t.Fatal(err)
		}
		return set.Keys[0].Issuer
	}
	const wellKnown = "/.well-known/openid-configuration"
	for _, row := range []struct{ path, issuer, keyIssuer string }{
		{"/" + s.TenantID + "/v2.0", s.Issuer, s.Issuer},
		{"/" + s.TenantID, s.IssuerV1, s.Issuer},
		{"/common/v2.0", s.Authority + "/{tenantid}/v2.0", s.Authority + "/{tenantid}/v2.0"},
		{"/common", "https://sts.windows.net/{tenantid}/", s.Authority + "/{tenantid}/v2.0"},
	} {
		_, document := get(row.path + wellKnown)
		if document["issuer"] != row.issuer {
			t.Errorf("%s names %v, want %s", row.path, document["issuer"], row.issuer)
		}
		if got := issuerOfKey(document["jwks_uri"].(string)); got != row.keyIssuer {
			t.Errorf("a key of %s names %s, want %s", row.path, got, row.keyIssuer)
		}
	}
	if status, document := get("/11111111-2222-4333-8444-555555555555/v2.0" + wellKnown); status != http.StatusBadRequest || fmt.Sprint(document["error_codes"]) != "[90002]" {
		t.Errorf("an unknown tenant answers %d %v", status, document)
	}
}

func TestEndpointsFailOnRequest(t *testing.T) {
	s := entrasim.New(t)
	ask := func() (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		request, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.KeysURL, nil)
		response, err := browser(t).Do(request)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return fmt.Sprint(response.StatusCode, " ", response.Header.Get("Retry-After"), response.Header.Get("Location"), string(body[:min(len(body), 40)]), " ", len(body) > 1<<20), err
	}
	for name, row := range map[string]struct {
		fault entrasim.Fault
		want  string
	}{
		"with 500":           {entrasim.ServerError, "500 "},
		"with a page":        {entrasim.HTML, "200 <!doctype html>"},
		"with half a text":   {entrasim.Garbage, `200 {"keys":[{"kty":`},
		"with a redirect":    {entrasim.RedirectTo(s.ElsewhereURL), "307 " + s.ElsewhereURL},
		"by asking to wait":  {entrasim.Throttled(17), "429 17"},
		"like Graph":         {entrasim.GraphError(404, "Request_ResourceNotFound"), `404 {"error":{"code":"Request_ResourceNotF`},
		"like the authority": {entrasim.AADSTS(90033), `503 {"`},
	} {
		t.Run(name, func(t *testing.T) {
			s.FailNext(entrasim.Keys, 1, row.fault)
			if got, err := ask(); err != nil || !strings.HasPrefix(got, row.want) {
				t.Errorf("got %q, %v, want %q", got, err, row.want)
			}
			if got, err := ask(); err != nil || !strings.HasPrefix(got, "200 {") {
				t.Errorf("healed: %q, %v", got, err)
			}
		})
	}
	t.Run("with an answer too long", func(t *testing.T) {
		s.FailNext(entrasim.Keys, 1, entrasim.Huge)
		response, err := http.Get(s.KeysURL)
		if err != nil {
			t.Fatal(err)
		}
		if _, body, _ := read(t, response); len(body) < 4<<20 || !json.Valid([]byte(body)) {
			t.Errorf("got %d bytes", len(body))
		}
	})
	for name, f := range map[string]entrasim.Fault{"by not answering": entrasim.Stall, "by hanging up": entrasim.Hangup} {
		t.Run(name, func(t *testing.T) {
			s.Fail(entrasim.Keys, f)
			if got, err := ask(); err == nil {
				t.Errorf("answered %q", got)
			}
			s.Heal(entrasim.Keys)
		})
	}
}

func TestSignOut(t *testing.T) {
	s := entrasim.New(t)
	s.RegisterPostLogoutURI("https://badges.example/bye")
	client := browser(t)
	out := func(back string) (int, string, url.Values) {
		return visit(t, client, s.LogoutURL+"?"+url.Values{"post_logout_redirect_uri": {back}}.Encode())
	}
	if _, _, to := out("https://badges.example/bye"); to.Get("path") != "https://badges.example/bye" {
		t.Errorf("sent to %v", to)
	}
	if status, page, to := out("https://evil.example/"); status != http.StatusOK || to != nil || strings.Contains(page, "evil") {
		t.Errorf("an unregistered address: %d %v %s", status, to, page)
	}
	s.RegisterFrontChannelLogout("https://badges.example/auth/frontchannel")
	_, _, to := visit(t, client, config(s).AuthCodeURL("x"))
	tokens, err := config(s).Exchange(t.Context(), to.Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	sid := s.Claims(tokens.Extra("id_token").(string))["sid"].(string)
	if _, page, _ := out("https://badges.example/bye"); !strings.Contains(page, "<iframe src=\"https://badges.example/auth/frontchannel?iss=") ||
		!strings.Contains(page, "sid="+sid) || !strings.Contains(page, `href="https://badges.example/bye"`) {
		t.Errorf("the page is %s", page)
	}
}

func TestGraph(t *testing.T) {
	now := newClock()
	s := entrasim.New(t, entrasim.WithClock(now.Now))
	ids := entrasim.GroupIDs(12_000)
	s.Change(s.User.ObjectID, func(u *entrasim.User) { u.Groups = ids[:250] })
	user := s.GraphURL + "/v1.0/users/" + s.User.ObjectID
	cc := clientcredentials.Config{ClientID: s.ClientID, ClientSecret: s.ClientSecret, TokenURL: s.TokenURL, Scopes: []string{s.GraphURL + "/.default"}}
	token, err := cc.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	bearer := token.AccessToken
	type answer struct {
		Value []any  `json:"value"`
		Next  string `json:"@odata.nextLink"`
		Count int    `json:"@odata.count"`
		Error struct{ Code string }
	}
	call := func(t *testing.T, bearer, method, address, body string) (int, answer) {
		t.Helper()
		request, err := http.NewRequest(method, address, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+bearer)
		if !strings.Contains(body, "inconsistent") {
			request.Header.Set("ConsistencyLevel", "eventual")
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		status, text, _ := read(t, response)
		var a answer
		if err := json.NewDecoder(bytes.NewReader([]byte(text))).Decode(&a); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		return status, a
	}

	t.Run("checks memberships, and follows them at once", func(t *testing.T) {
		ask := fmt.Sprintf(`{"groupIds":[%q,%q]}`, ids[3], ids[300])
		if status, a := call(t, bearer, "POST", user+"/checkMemberGroups", ask); status != 200 || fmt.Sprint(a.Value) != "["+ids[3]+"]" {
			t.Errorf("got %d %v", status, a)
		}
		s.LeaveGroups(s.User.ObjectID, ids[3])
		s.JoinGroups(s.User.ObjectID, ids[300])
		if _, a := call(t, bearer, "POST", user+"/checkMemberGroups", ask); fmt.Sprint(a.Value) != "["+ids[300]+"]" {
			t.Errorf("got %v", a)
		}
		s.Change(s.User.ObjectID, func(u *entrasim.User) { u.Groups = ids[:250] })
	})
	t.Run("lists all memberships up to its limit", func(t *testing.T) {
		if status, a := call(t, bearer, "POST", user+"/getMemberObjects", `{"securityEnabledOnly":true}`); status != 200 || len(a.Value) != 250 {
			t.Errorf("got %d with %d ids", status, len(a.Value))
		}
		s.Change(s.User.ObjectID, func(u *entrasim.User) { u.Groups = ids })
		defer s.Change(s.User.ObjectID, func(u *entrasim.User) { u.Groups = ids[:250] })
		if status, a := call(t, bearer, "POST", user+"/getMemberObjects", `{"securityEnabledOnly":true}`); status != 400 || a.Error.Code != "Directory_ResultSizeLimitExceeded" {
			t.Errorf("got %d %s", status, a.Error.Code)
		}
	})
	t.Run("pages", func(t *testing.T) {
		next, seen, pages := user+"/transitiveMemberOf/microsoft.graph.group?$select=id&$count=true", 0, 0
		for ; next != "" && pages < 9; pages++ {
			status, a := call(t, bearer, "GET", next, "")
			if status != 200 || pages == 0 && a.Count != 250 {
				t.Fatalf("got %d %v", status, a)
			}
			seen, next = seen+len(a.Value), a.Next
		}
		if seen != 250 || pages != 3 {
			t.Errorf("saw %d groups on %d pages", seen, pages)
		}
		s.RewriteNextLinks(func(link string) string { return strings.Replace(link, s.GraphURL, s.ElsewhereURL, 1) })
		defer s.RewriteNextLinks(nil)
		if _, a := call(t, bearer, "GET", user+"/transitiveMemberOf", ""); !strings.HasPrefix(a.Next, s.ElsewhereURL+"/v1.0/users/") {
			t.Errorf("the hostile link is %s", a.Next)
		}
	})

	s.SetGraphPermissions("User.Read.All")
	powerless := s.MintGraph()
	s.SetGraphPermissions("GroupMember.Read.All")
	for name, row := range map[string]struct {
		bearer, method, address, body string
		status                        int
		code                          string
	}{
		"a token for our API":       {s.MintAppOnly(), "POST", user + "/checkMemberGroups", `{}`, 401, "InvalidAuthenticationToken"},
		"a token of another aud":    {s.MintGraph(entrasim.Claim("aud", s.ClientID)), "POST", user + "/checkMemberGroups", `{}`, 401, "InvalidAuthenticationToken"},
		"an expired token":          {s.MintGraph(entrasim.Shifted(-2 * time.Hour)), "POST", user + "/checkMemberGroups", `{}`, 401, "InvalidAuthenticationToken"},
		"an app without permission": {powerless, "POST", user + "/checkMemberGroups", `{}`, 403, "Authorization_RequestDenied"},
		"an unknown user":           {bearer, "POST", s.GraphURL + "/v1.0/users/nobody/getMemberObjects", `{}`, 404, "Request_ResourceNotFound"},
		"21 groups at once":         {bearer, "POST", user + "/checkMemberGroups", string(must(json.Marshal(map[string]any{"groupIds": ids[:21]}))), 400, "Request_BadRequest"},
		"no groups":                 {bearer, "POST", user + "/checkMemberGroups", `{"groupIds":[]}`, 400, "Request_BadRequest"},
		"a page of 1,000":           {bearer, "GET", user + "/transitiveMemberOf?$top=1000", "", 400, "Request_BadRequest"},
		"a cast without the header": {bearer, "GET", user + "/transitiveMemberOf/microsoft.graph.group?$count=true", "inconsistent", 400, "Request_UnsupportedQuery"},
		"a cast without a count":    {bearer, "GET", user + "/transitiveMemberOf/microsoft.graph.group", "", 400, "Request_UnsupportedQuery"},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			if status, a := call(t, row.bearer, row.method, row.address, row.body); status != row.status || a.Error.Code != row.code {
				t.Errorf("got %d %s, want %d %s", status, a.Error.Code, row.status, row.code)
			}
		})
	}
	t.Run("fails in one operation alone", func(t *testing.T) {
		s.Fail(entrasim.CheckMemberGroups, entrasim.Throttled(3))
		before := s.Calls(entrasim.Graph)
		if status, _ := call(t, bearer, "POST", user+"/checkMemberGroups", `{}`); status != 429 {
			t.Errorf("got %d", status)
		}
		if status, _ := call(t, bearer, "POST", user+"/getMemberObjects", `{"securityEnabledOnly":false}`); status != 200 {
			t.Errorf("got %d", status)
		}
		if got := s.Calls(entrasim.Graph) - before; got != 2 {
			t.Errorf("counted %d calls of Graph", got)
		}
	})
	if s.Calls(entrasim.Elsewhere) != 0 {
		t.Error("somebody called elsewhere")
	}
}

func must(raw []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return raw
}

func TestEnvNamesTheSimulator(t *testing.T) {
	s := entrasim.New(t, entrasim.WithTenant("aaaaaaaa-0000-4000-8000-000000000001"), entrasim.WithClient("11111111-2222-4333-8444-555555555555", "s3cret"))
	env := s.Env()
	if env["ENTRA_TENANT_ID"] != "aaaaaaaa-0000-4000-8000-000000000001" || env["ENTRA_CLIENT_SECRET"] != "s3cret" || env["ENTRA_AUTHORITY"] != s.Authority || env["GRAPH_URL"] != s.GraphURL {
		t.Errorf("got %v", env)
	}
	if response, err := http.Get(s.ElsewhereURL + "/x"); err != nil || s.Calls(entrasim.Elsewhere) != 1 {
		t.Errorf("elsewhere was called %d times, %v", s.Calls(entrasim.Elsewhere), err)
	} else {
		response.Body.Close()
	}
}
