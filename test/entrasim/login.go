package entrasim

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"html/template"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	codeLifetime = 10 * time.Minute
	sessionName  = "ESTSAUTH" // the cookie of the authority's own session
)

// A grant is what an authorization code stands for.
type grant struct {
	user, client, redirect, scope, nonce, session string
	challenge, method                             string
	expires                                       time.Time
	redeemed                                      bool
}

func (s *Sim) authority() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{tenant}/v2.0/.well-known/openid-configuration", s.on(s.discover("/v2.0"), Discovery))
	mux.Handle("GET /{tenant}/.well-known/openid-configuration", s.on(s.discover(""), Discovery))
	mux.Handle("GET /{tenant}/discovery/v2.0/keys", s.on(s.serveKeys, Keys))
	mux.Handle("GET /{tenant}/discovery/keys", s.on(s.serveKeys, Keys))
	mux.Handle("/{tenant}/oauth2/v2.0/authorize", s.on(s.authorize, Authorize))
	mux.Handle("POST /{tenant}/oauth2/v2.0/token", s.on(s.token, Token))
	mux.Handle("GET /{tenant}/oauth2/v2.0/logout", s.on(s.logout, Logout))
	return mux
}

// issuerFor is the issuer that a tenant's documents name. Those of common keep
// the place for the tenant open.
func (s *Sim) issuerFor(tenant string) (string, bool) {
	switch strings.ToLower(tenant) {
	case "common", "organizations":
		return s.Authority + "/{tenantid}/v2.0", true
	case strings.ToLower(s.TenantID):
		return s.Issuer, true
	}
	return "", false
}

// discover is the OpenID configuration of a version: "/v2.0" or "". Version 1
// is there for its issuer and keys; its own authorize and token endpoints are not
// simulated.
func (s *Sim) discover(version string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		tenant := r.PathValue("tenant")
		issuer, ok := s.issuerFor(tenant)
		if !ok {
			aadsts(w, 90002)
			return
		}
		if version == "" {
			issuer = strings.NewReplacer(s.Authority, "https://sts.windows.net", "/v2.0", "/").Replace(issuer)
		}
		base := s.Authority + "/" + tenant
		writeJSON(w, http.StatusOK, map[string]any{
			"issuer":                                issuer,
			"authorization_endpoint":                base + "/oauth2" + version + "/authorize",
			"token_endpoint":                        base + "/oauth2" + version + "/token",
			"end_session_endpoint":                  base + "/oauth2" + version + "/logout",
			"jwks_uri":                              base + "/discovery" + version + "/keys",
			"userinfo_endpoint":                     s.GraphURL + "/oidc/userinfo",
			"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
			"response_modes_supported":              []string{"query", "fragment", "form_post"},
			"response_types_supported":              []string{"code", "id_token", "code id_token", "id_token token"},
			"subject_types_supported":               []string{"pairwise"},
			"id_token_signing_alg_values_supported": []string{"RS256"},
			"scopes_supported":                      []string{"openid", "profile", "email", "offline_access"},
			"frontchannel_logout_supported":         true,
			"http_logout_supported":                 true,
			"tenant_region_scope":                   nil,
			"cloud_instance_name":                   "microsoftonline.com",
			"cloud_graph_host_name":                 "graph.windows.net",
			"msgraph_host":                          strings.TrimPrefix(s.GraphURL, "http://"),
		})
	}
}

// SignIn queues the user of the next sign-in. A queued user comes before
// login_hint, and that before User.
func (s *Sim) SignIn(u User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, u.ObjectID)
}

// RefuseSignIn makes the next sign-in return to the application with an error
// instead of a code.
func (s *Sim) RefuseSignIn(number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals = append(s.refusals, number)
}

func (s *Sim) knownTenant(r *http.Request) bool {
	_, ok := s.issuerFor(r.PathValue("tenant"))
	return ok
}

// authorize signs a user in and sends the browser back with a code. What is
// wrong with client or redirect URI never leads back.
func (s *Sim) authorize(w http.ResponseWriter, r *http.Request) {
	r.ParseForm()
	f := r.Form
	client, known := s.app(f.Get("client_id"))
	switch {
	case !s.knownTenant(r):
		refusalPage(w, 90002)
		return
	case !strings.EqualFold(r.PathValue("tenant"), s.TenantID):
		refusalPage(w, 50194)
		return
	case f.Get("client_id") == "" || f.Get("response_type") == "" || f.Get("scope") == "":
		refusalPage(w, 900144)
		return
	case !known || client.ClientID != s.ClientID:
		refusalPage(w, 700016)
		return
	case !s.registered(f.Get("redirect_uri")):
		refusalPage(w, 50011)
		return
	}
	method := f.Get("code_challenge_method")
	switch {
	case f.Get("response_type") != "code":
		s.sendBack(w, f, s.refusal(700054))
		return
	case f.Get("code_challenge") != "" && method != "" && method != "plain" && method != "S256":
		s.sendBack(w, f, s.refusal(9002313))
		return
	}

	number, chosen := s.choose(f)
	switch {
	case number != 0:
		s.sendBack(w, f, s.refusal(number))
		return
	case chosen == "":
		s.pick(w, f)
		return
	}
	u, ok := s.user(chosen)
	switch {
	case !ok:
		refusalPage(w, 50034)
		return
	case u.Disabled:
		refusalPage(w, 50057)
		return
	}

	session := guid()
	if cookie, err := r.Cookie(sessionName); err == nil {
		session = cookie.Value
	}
	http.SetCookie(w, &http.Cookie{Name: sessionName, Value: session, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	code := "1.A" + random(60)
	s.mu.Lock()
	s.codes[code] = &grant{
		user: u.ObjectID, client: client.ClientID, redirect: f.Get("redirect_uri"), scope: f.Get("scope"), nonce: f.Get("nonce"),
		session: session, challenge: f.Get("code_challenge"), method: method, expires: s.Now().Add(codeLifetime),
	}
	s.mu.Unlock()
	s.sendBack(w, f, url.Values{"code": {code}, "session_state": {session}})
}

// choose says who signs in, or the number of the refusal, or neither when the
// person at the browser has to say.
func (s *Sim) choose(f url.Values) (number int, objectID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.refusals) > 0 {
		number, s.refusals = s.refusals[0], s.refusals[1:]
		return number, ""
	}
	if f.Has("pick") {
		if f.Get("pick") == "" {
			return 65004, ""
		}
		return 0, f.Get("pick")
	}
	if len(s.queue) > 0 {
		objectID, s.queue = s.queue[0], s.queue[1:]
		return 0, objectID
	}
	if f.Get("prompt") == "none" {
		return 50058, ""
	}
	if s.picker {
		return 0, ""
	}
	for _, u := range s.users {
		if hint := f.Get("login_hint"); hint != "" && (hint == u.Username || hint == u.ObjectID) {
			return 0, u.ObjectID
		}
	}
	return 0, s.User.ObjectID
}

// registered reports whether a redirect URI is one of the application: the same
// text, but for the port of localhost.
func (s *Sim) registered(address string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.redirects, func(known string) bool { return sameAddress(known, address) })
}

func sameAddress(known, asked string) bool {
	if known == asked {
		return true
	}
	a, err := url.Parse(known)
	if err != nil {
		return false
	}
	b, err := url.Parse(asked)
	if err != nil || a.Hostname() != "localhost" || b.Hostname() != "localhost" {
		return false
	}
	a.Host, b.Host = "localhost", "localhost"
	return a.String() == b.String()
}

func (s *Sim) refusal(number int) url.Values {
	return url.Values{
		"error":             {explain(number).code},
		"error_description": {description(number, guid(), guid(), s.Now().Format("2006-01-02 15:04:05Z"))},
		"error_uri":         {fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", number)},
	}
}

// sendBack answers the application in the response mode it asked for.
func (s *Sim) sendBack(w http.ResponseWriter, asked, answer url.Values) {
	if state := asked.Get("state"); state != "" {
		answer.Set("state", state)
	}
	back, err := url.Parse(asked.Get("redirect_uri"))
	if err != nil {
		refusalPage(w, 50011)
		return
	}
	switch asked.Get("response_mode") {
	case "form_post":
		render(w, formPost, map[string]any{"Action": back.String(), "Values": answer})
		return
	case "fragment":
		back.Fragment = ""
		w.Header().Set("Location", back.String()+"#"+answer.Encode())
	default:
		query := back.Query()
		for name := range answer {
			query.Set(name, answer.Get(name))
		}
		back.RawQuery = query.Encode()
		w.Header().Set("Location", back.String())
	}
	w.WriteHeader(http.StatusFound)
}

// pick shows the users to choose from.
func (s *Sim) pick(w http.ResponseWriter, asked url.Values) {
	s.mu.Lock()
	var users []User
	for _, u := range s.users {
		users = append(users, *u.clone())
	}
	s.mu.Unlock()
	slices.SortFunc(users, func(a, b User) int { return strings.Compare(a.Username, b.Username) })
	render(w, pickerPage, map[string]any{"Asked": asked, "Users": users})
}

var (
	formPost = template.Must(template.New("post").Parse(`<!doctype html><title>Working...</title>
<body onload="document.forms[0].submit()"><form method="post" action="{{.Action}}">
{{range $name, $values := .Values}}<input type="hidden" name="{{$name}}" value="{{index $values 0}}">{{end}}
<button>Continue</button></form>`))
	pickerPage = template.Must(template.New("pick").Parse(`<!doctype html><title>Sign in to your account</title>
<h1>Pick an account</h1><form method="post">
{{range $name, $values := .Asked}}<input type="hidden" name="{{$name}}" value="{{index $values 0}}">{{end}}
{{range .Users}}<p><button name="pick" value="{{.ObjectID}}" id="{{.Username}}">{{.Name}} ({{.Username}})</button></p>{{end}}
<p><button name="pick" value="" id="cancel">Cancel</button></p></form>`))
	goodbyePage = template.Must(template.New("bye").Parse(`<!doctype html><title>Signed out</title>
{{with .Return}}<meta http-equiv="refresh" content="1;url={{.}}">{{end}}
<h1>You signed out of your account</h1>{{with .Frame}}<iframe src="{{.}}"></iframe>{{end}}
{{with .Return}}<a id="return" href="{{.}}">Continue</a>{{end}}`))
)

func render(w http.ResponseWriter, page *template.Template, values any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store, no-cache")
	page.Execute(w, values)
}

// token is the token endpoint.
func (s *Sim) token(w http.ResponseWriter, r *http.Request) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err := r.ParseForm(); err != nil || kind != "application/x-www-form-urlencoded" {
		aadsts(w, 900144)
		return
	}
	if !strings.EqualFold(r.PathValue("tenant"), s.TenantID) {
		aadsts(w, 90002)
		return
	}
	client, number := s.authenticate(r)
	if number != 0 {
		aadsts(w, number)
		return
	}
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		s.redeem(w, r.PostForm, client)
	case "client_credentials":
		s.clientCredentials(w, r.PostForm, client)
	case "":
		aadsts(w, 900144)
	default:
		aadsts(w, 70003)
	}
}

// authenticate finds out which application calls: by an assertion, by a secret
// in the form, or by one in the header (RFC 6749, 2.3.1: both parts are encoded).
func (s *Sim) authenticate(r *http.Request) (App, int) {
	f := r.PostForm
	id, secret := f.Get("client_id"), f.Get("client_secret")
	if name, password, ok := r.BasicAuth(); ok {
		if name, _ = url.QueryUnescape(name); id != "" && id != name {
			return App{}, 9002313
		}
		id = name
		secret, _ = url.QueryUnescape(password)
	}
	if id == "" {
		return App{}, 900144
	}
	client, ok := s.app(id)
	switch {
	case !ok:
		return App{}, 700016
	case f.Get("client_assertion") != "":
		if f.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" || !s.asserted(f.Get("client_assertion"), id) {
			return App{}, 700027
		}
	case secret == "":
		return App{}, 7000218
	case subtle.ConstantTimeCompare([]byte(secret), []byte(client.Secret)) != 1:
		return App{}, 7000215
	}
	return client, 0
}

// asserted checks a client assertion against the registered certificates
// (RFC 7523, 3 JWT Format and Processing Requirements).
func (s *Sim) asserted(raw, client string) bool {
	assertion, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256, jose.PS256})
	if err != nil || client != s.ClientID || len(assertion.Headers) != 1 {
		return false
	}
	s.mu.Lock()
	certs := slices.Clone(s.certs)
	s.mu.Unlock()
	for _, cert := range certs {
		var claims jwt.Claims
		if !named(assertion.Headers[0], cert.Raw) || assertion.Claims(cert.PublicKey, &claims) != nil {
			continue
		}
		expected := jwt.Expected{Issuer: client, Subject: client, AnyAudience: jwt.Audience{s.TokenURL, s.Issuer}, Time: s.Now()}
		return claims.Expiry != nil && claims.ID != "" && claims.Validate(expected) == nil
	}
	return false
}

// named reports whether a header names a certificate by its thumbprint.
func named(header jose.Header, certificate []byte) bool {
	sum := sha256.Sum256(certificate)
	return header.ExtraHeaders["x5t#S256"] == encode(sum[:]) || header.ExtraHeaders["x5t"] == thumbprint(certificate)
}

// redeem gives tokens for an authorization code, once.
func (s *Sim) redeem(w http.ResponseWriter, f url.Values, client App) {
	if f.Get("code") == "" || f.Get("redirect_uri") == "" {
		aadsts(w, 900144)
		return
	}
	g, number := s.spend(f, client)
	if number != 0 {
		aadsts(w, number)
		return
	}
	u, ok := s.user(g.user)
	switch {
	case !ok:
		aadsts(w, 50034)
		return
	case u.Disabled:
		aadsts(w, 50057)
		return
	}

	answer := map[string]any{"token_type": "Bearer", "expires_in": int(accessLifetime / time.Second), "ext_expires_in": int(accessLifetime / time.Second)}
	var ours, granted []string
	for _, scope := range strings.Fields(g.scope) {
		if name, ok := strings.CutPrefix(scope, s.AppIDURI+"/"); ok {
			ours = append(ours, strings.Replace(name, ".default", "Badges.ReadWrite", 1))
		}
		if scope != "offline_access" {
			granted = append(granted, scope)
		}
	}
	answer["scope"] = strings.Join(granted, " ")
	if len(ours) > 0 {
		answer["access_token"] = s.mint(s.delegated(u, strings.Join(ours, " ")), nil)
	} else {
		// Without a scope of another resource the token is for Graph.
		answer["access_token"] = s.mintGraph(App{ClientID: client.ClientID}, s.GraphURL, []Override{
			s.As(u), WithoutClaim("roles", "idtyp", "groups", "_claim_names", "_claim_sources"), Claim("scp", "openid profile"),
		})
	}
	if slices.Contains(granted, "openid") {
		s.mu.Lock()
		altered := s.altered
		s.mu.Unlock()
		answer["id_token"] = s.mint(s.identity(u, g.nonce, g.session), altered)
	}
	writeJSON(w, http.StatusOK, answer)
}

// spend checks a code and marks it as used, or answers an AADSTS number.
func (s *Sim) spend(f url.Values, client App) (grant, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, ok := s.codes[f.Get("code")]
	switch {
	case !ok || g.client != client.ClientID:
		return grant{}, 70000
	case g.redeemed:
		return grant{}, 54005
	case s.Now().After(g.expires):
		return grant{}, 70008
	case f.Get("redirect_uri") != g.redirect:
		return grant{}, 500112
	case !g.proves(f.Get("code_verifier")):
		return grant{}, 501481
	}
	g.redeemed = true
	return *g, 0
}

// proves checks PKCE (RFC 7636, 4.6 Server Verifies code_verifier before
// Returning the Tokens).
func (g *grant) proves(verifier string) bool {
	if g.challenge == "" || g.method != "S256" {
		return g.challenge == verifier
	}
	sum := sha256.Sum256([]byte(verifier))
	return encode(sum[:]) == g.challenge
}

// clientCredentials gives an application a token of its own, for the API or for
// Graph. Entra does so even if the application has no role there.
func (s *Sim) clientCredentials(w http.ResponseWriter, f url.Values, client App) {
	resource, ok := strings.CutSuffix(f.Get("scope"), "/.default")
	if !ok {
		aadsts(w, 70011)
		return
	}
	answer := map[string]any{"token_type": "Bearer", "expires_in": int(accessLifetime / time.Second), "ext_expires_in": int(accessLifetime / time.Second)}
	switch resource {
	case s.AppIDURI, s.ClientID:
		answer["access_token"] = s.mint(s.appOnly(client, s.ClientID), nil)
	case s.GraphURL, "https://graph.microsoft.com", graphID:
		answer["access_token"] = s.mintGraph(client, resource, nil)
	default:
		aadsts(w, 500011)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

// logout ends the authority's session, tells the application in an iframe, and
// leads back to a registered address.
func (s *Sim) logout(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.PathValue("tenant"), s.TenantID) {
		refusalPage(w, 90002)
		return
	}
	back := r.URL.Query().Get("post_logout_redirect_uri")
	s.mu.Lock()
	if !slices.ContainsFunc(slices.Concat(s.postLogout, s.redirects), func(known string) bool { return sameAddress(known, back) }) {
		back = ""
	}
	frame := s.frontLogout
	s.mu.Unlock()
	cookie, err := r.Cookie(sessionName)
	http.SetCookie(w, &http.Cookie{Name: sessionName, Path: "/", MaxAge: -1})
	if err == nil && frame != "" {
		frame += "?" + url.Values{"sid": {cookie.Value}, "iss": {s.Issuer}}.Encode()
	} else if frame = ""; back != "" {
		http.Redirect(w, r, back, http.StatusFound)
		return
	}
	render(w, goodbyePage, map[string]any{"Return": back, "Frame": frame})
}
