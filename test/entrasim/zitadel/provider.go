package zitadel

import (
	"context"
	"crypto/rand"
	"html/template"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// Provider is a tenant with one application and one user.
type Provider struct {
	Authority    string // for ENTRA_AUTHORITY
	TenantID     string
	ClientID     string
	ClientSecret string
	RedirectURI  string // registered from the start; others by RegisterRedirectURI
	Issuer       string
	AuthorizeURL string
	TokenURL     string
	LogoutURL    string
	KeysURL      string

	ObjectID string // of the user
	Name     string
	Username string // for the login form
	Password string

	roles []string
	mu    sync.Mutex
	back  []string // registered redirect URIs
}

// NewProvider starts a provider whose user has the given app roles. It ends with
// the test.
func NewProvider(t testing.TB, roles ...string) *Provider {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p := &Provider{
		Authority:    server.URL,
		TenantID:     uuid.NewString(),
		ClientID:     uuid.NewString(),
		ClientSecret: rand.Text(),
		RedirectURI:  "http://localhost:8000/auth/callback",
		ObjectID:     uuid.NewString(),
		Name:         "Robin Vale",
		Username:     "robin.vale@contoso.example",
		Password:     rand.Text(),
		roles:        roles,
	}
	tenant := "/" + p.TenantID
	p.Issuer = p.Authority + tenant + "/v2.0"
	p.AuthorizeURL = p.Authority + tenant + "/oauth2/v2.0/authorize"
	p.TokenURL = p.Authority + tenant + "/oauth2/v2.0/token"
	p.LogoutURL = p.Authority + tenant + "/oauth2/v2.0/logout"
	p.KeysURL = p.Authority + tenant + "/discovery/v2.0/keys"
	p.back = []string{p.RedirectURI}

	h := house{storage.NewStorageWithClients(p, map[string]*storage.Client{p.ClientID: storage.WebClient(p.ClientID, p.ClientSecret)}), p}
	provider, err := op.NewProvider(&op.Config{
		CryptoKey:                [32]byte([]byte(rand.Text() + rand.Text())[:32]),
		DefaultLogoutRedirectURI: p.LogoutURL + "/done",
		CodeMethodS256:           true,
		AuthMethodPost:           true,
	}, h, op.StaticIssuer(p.Issuer), op.WithAllowInsecure(),
		op.WithCustomAuthEndpoint(op.NewEndpointWithURL("authorize", p.AuthorizeURL)),
		op.WithCustomTokenEndpoint(op.NewEndpointWithURL("token", p.TokenURL)),
		op.WithCustomEndSessionEndpoint(op.NewEndpointWithURL("logout", p.LogoutURL)),
		op.WithCustomKeysEndpoint(op.NewEndpointWithURL("keys", p.KeysURL)))
	if err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{tenant + "/v2.0", tenant + "/oauth2/v2.0", tenant + "/discovery/v2.0"} {
		mux.Handle(prefix+"/", http.StripPrefix(prefix, provider))
	}
	mux.HandleFunc("GET "+tenant+"/oauth2/v2.0/logout/done", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "Signed out.") })
	mux.HandleFunc("GET "+tenant+"/login", func(w http.ResponseWriter, r *http.Request) { askPassword(w, r.FormValue("id"), "") })
	mux.HandleFunc("POST "+tenant+"/login", func(w http.ResponseWriter, r *http.Request) {
		id := r.PostFormValue("id")
		if err := h.CheckUsernamePassword(r.PostFormValue("username"), r.PostFormValue("password"), id); err != nil {
			askPassword(w, id, err.Error())
			return
		}
		ctx := op.ContextWithIssuer(r.Context(), p.Issuer)
		http.Redirect(w, r, op.AuthCallbackURL(provider)(ctx, id), http.StatusFound)
	})
	return p
}

// Env are the settings by which a server finds the provider. There is no Graph:
// its address answers 404.
func (p *Provider) Env() map[string]string {
	return map[string]string{
		"ENTRA_AUTHORITY":     p.Authority,
		"GRAPH_URL":           p.Authority,
		"ENTRA_TENANT_ID":     p.TenantID,
		"ENTRA_CLIENT_ID":     p.ClientID,
		"ENTRA_CLIENT_SECRET": p.ClientSecret,
		"ENTRA_REDIRECT_URI":  p.RedirectURI,
	}
}

// RegisterRedirectURI adds addresses to which sign-in and sign-out may lead
// back.
func (p *Provider) RegisterRedirectURI(uris ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.back = append(p.back, uris...)
}

func (p *Provider) redirectURIs() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.back)
}

// SignIn goes where a browser would from an authorization URL, fills in the
// login form, and answers the address of the application to which it is sent
// back, without calling it.
func (p *Provider) SignIn(t testing.TB, authorizeURL string) string {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	var back string
	browser := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), p.Authority+"/") {
			return nil
		}
		back = r.URL.String()
		return http.ErrUseLastResponse
	}}
	form, err := browser.Get(authorizeURL)
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(form.Body)
	form.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	if back != "" { // refused before anybody was asked
		return back
	}
	id := form.Request.URL.Query().Get("id")
	if form.StatusCode != http.StatusOK || id == "" {
		t.Fatalf("zitadel: no login form but %d: %s", form.StatusCode, page)
	}
	answer, err := browser.PostForm(form.Request.URL.String(), url.Values{"id": {id}, "username": {p.Username}, "password": {p.Password}})
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if back == "" {
		t.Fatalf("zitadel: signing in ended at %s with %d", answer.Request.URL.Path, answer.StatusCode)
	}
	return back
}

var loginPage = template.Must(template.New("login").Parse(`<!doctype html><title>Sign in</title>
<form method="post"><input type="hidden" name="id" value="{{.ID}}">
<label>User <input name="username" id="username"></label>
<label>Password <input name="password" id="password" type="password"></label>
<p id="error">{{.Error}}</p><button id="signin">Sign in</button></form>`))

func askPassword(w http.ResponseWriter, id, message string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	loginPage.Execute(w, map[string]string{"ID": id, "Error": message})
}

// GetUserByID implements [storage.UserStore].
func (p *Provider) GetUserByID(id string) *storage.User {
	if id != p.ObjectID {
		return nil
	}
	return &storage.User{ID: p.ObjectID, Username: p.Username, Password: p.Password}
}

// GetUserByUsername implements [storage.UserStore].
func (p *Provider) GetUserByUsername(name string) *storage.User {
	if name != p.Username {
		return nil
	}
	return p.GetUserByID(p.ObjectID)
}

// ExampleClientID implements [storage.UserStore].
func (p *Provider) ExampleClientID() string { return "" }

// house is the library's own storage in memory with Entra's claims and our
// client.
type house struct {
	*storage.Storage
	p *Provider
}

var (
	_ op.CanSetUserinfoFromRequest = house{}
	_ op.Client                    = client{}
)

// claims are those that Entra puts into ID and access tokens alike.
func (h house) claims() map[string]any {
	claims := map[string]any{"oid": h.p.ObjectID, "tid": h.p.TenantID, "ver": "2.0", "uti": rand.Text(), "preferred_username": h.p.Username, "name": h.p.Name}
	if len(h.p.roles) > 0 {
		claims["roles"] = h.p.roles
	}
	return claims
}

// SetUserinfoFromRequest implements [op.CanSetUserinfoFromRequest]: the claims of
// an ID token.
func (h house) SetUserinfoFromRequest(_ context.Context, info *oidc.UserInfo, request op.IDTokenRequest, _ []string) error {
	info.Subject = request.GetSubject()
	for name, value := range h.claims() {
		info.AppendClaims(name, value)
	}
	info.AppendClaims("sid", uuid.NewString())
	return nil
}

// GetPrivateClaimsFromScopes implements [op.Storage]: the claims of an access
// token.
func (h house) GetPrivateClaimsFromScopes(_ context.Context, _, clientID string, scopes []string) (map[string]any, error) {
	claims := h.claims()
	claims["azp"], claims["azpacr"] = clientID, "1"
	var granted []string
	for _, scope := range scopes {
		if strings.HasPrefix(scope, "api://") {
			granted = append(granted, scope[strings.LastIndex(scope, "/")+1:])
		}
	}
	claims["scp"] = strings.Join(granted, " ")
	return claims, nil
}

// GetClientByClientID implements [op.Storage].
func (h house) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	if _, err := h.Storage.GetClientByClientID(ctx, id); err != nil {
		return nil, err
	}
	return client{storage.WebClient(id, h.p.ClientSecret), h.p}, nil
}

// client is the application: secret in form or header, tokens that can be read,
// addresses that may still be registered.
type client struct {
	*storage.Client
	p *Provider
}

func (c client) RedirectURIs() []string           { return c.p.redirectURIs() }
func (c client) PostLogoutRedirectURIs() []string { return c.p.redirectURIs() }
func (c client) AuthMethod() oidc.AuthMethod      { return oidc.AuthMethodPost }
func (c client) AccessTokenType() op.AccessTokenType {
	return op.AccessTokenTypeJWT
}
func (c client) IsScopeAllowed(scope string) bool { return strings.HasPrefix(scope, "api://") }
func (c client) LoginURL(id string) string {
	return c.p.Authority + "/" + c.p.TenantID + "/login?id=" + url.QueryEscape(id)
}
