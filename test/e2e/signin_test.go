package e2e

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/test/dbtest"
	"github.com/badge-engine/badge-engine/test/entrasim"
)

const (
	adminGroup  = "cccccccc-0000-4000-8000-000000000001"
	issuerGroup = "cccccccc-0000-4000-8000-000000000002"
)

// clock is the time of the house and of Entra alike.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// campus is a house whose people come from a simulated Entra.
type campus struct {
	*house
	sim   *entrasim.Sim
	clock *clock
}

func newCampus(t testing.TB, change func(*engine.Config), options ...entrasim.Option) *campus {
	t.Helper()
	c := &campus{clock: &clock{at: time.Now().UTC().Truncate(time.Second)}}
	c.sim = entrasim.New(t, append(options, entrasim.WithClock(c.clock.now))...)
	c.house = bootWith(t, c.clock.now, func(cfg *engine.Config) {
		cfg.HTTP.Host = "127.0.0.1"
		cfg.Entra.Authority, cfg.Entra.GraphURL = c.sim.Authority, c.sim.GraphURL
		cfg.Entra.TenantID, cfg.Entra.ClientID, cfg.Entra.ClientSecret = c.sim.TenantID, c.sim.ClientID, config.Secret(c.sim.ClientSecret)
		cfg.Entra.RedirectURI = cfg.PublicURL + "/auth/callback"
		cfg.Auth.AdminGroups, cfg.Auth.IssuerGroups = []string{adminGroup}, []string{issuerGroup}
		if change != nil {
			change(cfg)
		}
		c.sim.RegisterRedirectURI(cfg.Entra.RedirectURI)
		c.sim.RegisterPostLogoutURI(cfg.PublicURL + "/auth/signed-out")
	})
	return c
}

// browser is a client with cookies that asks for pages.
type browser struct {
	t      testing.TB
	base   string
	client *http.Client
}

func (c *campus) browser(t testing.TB) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, base: c.base, client: &http.Client{Jar: jar}}
}

// still does not follow redirects.
func (b *browser) still() *browser {
	client := *b.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{t: b.t, base: b.base, client: &client}
}

func (b *browser) send(method, address string, form url.Values, headers ...string) answer {
	b.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.base + address
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	request, err := http.NewRequestWithContext(b.t.Context(), method, address, body)
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Accept", "text/html")
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, data}
}

type whoami struct {
	ID, Name, CSRFToken string
	Roles, Scopes       []string
}

func (b *browser) me() (whoami, answer) {
	b.t.Helper()
	a := b.send("GET", "/auth/me", nil, "Accept", "application/json")
	var me whoami
	if a.status == 200 {
		a.into(b.t, &me)
	}
	return me, a
}

// signIn goes all the way to Entra and back.
func (b *browser) signIn() whoami {
	b.t.Helper()
	if a := b.send("GET", "/auth/login", nil); a.status != 200 || !bytes.Contains(a.body, []byte("Sign out")) {
		b.t.Fatalf("signing in ended with %d: %s", a.status, a.body)
	}
	me, a := b.me()
	if a.status != 200 {
		b.t.Fatalf("%d %s", a.status, a.body)
	}
	return me
}

func TestSomebodySignsInAndOut(t *testing.T) {
	c := newCampus(t, nil)
	b := c.browser(t)
	if me, a := b.me(); a.status != 401 {
		t.Fatalf("a stranger is %+v", me)
	}
	me := b.signIn()
	if me.ID != "user:"+c.sim.TenantID+"/"+c.sim.User.ObjectID || me.Roles[0] != "member" || len(me.Scopes) != 0 || me.CSRFToken == "" {
		t.Errorf("signed in as %+v", me)
	}
	if a := b.send("GET", "/api/v1/tokens", nil); a.status != 403 {
		t.Errorf("a member lists tokens: %d", a.status)
	}
	second := c.browser(t)
	form := url.Values{"csrf_token": {second.signIn().CSRFToken}}
	if got := second.still().send("POST", "/auth/logout", form, "Sec-Fetch-Site", "same-origin").header.Get("Set-Cookie"); !strings.Contains(got, "badge_session=;") || !strings.Contains(got, "1970") {
		t.Errorf("signing out leaves the cookie: %q", got)
	}
	if _, a := second.me(); a.status != 401 {
		t.Errorf("after signing out: %d", a.status)
	}
	out := b.send("POST", "/auth/logout", url.Values{"csrf_token": {me.CSRFToken}}, "Sec-Fetch-Site", "same-origin")
	if out.status != 200 || c.sim.Calls(entrasim.Logout) != 1 {
		t.Errorf("signing out ended with %d after %d calls: %s", out.status, c.sim.Calls(entrasim.Logout), out.body)
	}
	if _, a := b.me(); a.status != 401 {
		t.Errorf("after signing out: %d", a.status)
	}
}

func TestCookiesAndHeadersOfTheSignIn(t *testing.T) {
	c := newCampus(t, nil)
	b := c.browser(t).still()
	begun := b.send("GET", "/auth/login?return=/docs", nil)
	for _, must := range []string{"badge_sign_in=", "HttpOnly", "SameSite=Lax", "path=/"} {
		if got := begun.header.Get("Set-Cookie"); begun.status != 303 || !strings.Contains(got, must) || strings.Contains(got, "domain") {
			t.Errorf("%d, cookie %q lacks %q", begun.status, got, must)
		}
	}
	back := b.send("GET", b.send("GET", begun.header.Get("Location"), nil).header.Get("Location"), nil)
	if got := back.header.Get("Set-Cookie"); back.status != 303 || back.header.Get("Location") != "/docs" || !strings.Contains(got, "badge_session=") || !strings.Contains(got, "HttpOnly") || strings.Contains(got, "expires") {
		t.Errorf("%d to %q, cookie %q", back.status, back.header.Get("Location"), got)
	}
	page := b.send("GET", "/auth/me", nil)
	if policy := page.header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' "+c.sim.Authority) || !strings.Contains(policy, "frame-ancestors 'none'") || page.header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers are %v", page.header)
	}
	if a := c.browser(t).still().send("GET", "/auth/me", nil); a.status != 303 || a.header.Get("Location") != "/auth/login" {
		t.Errorf("a browser that is not signed in: %d to %q", a.status, a.header.Get("Location"))
	}
	frame := c.browser(t).send("GET", "/auth/frontchannel-logout?sid=x&iss="+url.QueryEscape(c.sim.Issuer), nil)
	if frame.status != 200 || frame.header.Get("X-Frame-Options") != "" || !strings.Contains(frame.header.Get("Content-Security-Policy"), "frame-ancestors "+c.sim.Authority) {
		t.Errorf("%d, headers are %v", frame.status, frame.header)
	}
}

func TestACallbackThatIsWrongOverHTTP(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(c *campus, b *browser, back *url.URL)
		status int
		must   string
	}{
		{"no state", func(_ *campus, _ *browser, back *url.URL) { set(back, "state", "") }, 400, "auth.state"},
		{"a wrong state", func(_ *campus, _ *browser, back *url.URL) { set(back, "state", strings.Repeat("x", 43)) }, 400, "auth.state"},
		{"the callback of another browser", func(c *campus, b *browser, _ *url.URL) { b.client.Jar, _ = cookiejar.New(nil) }, 400, "auth.state"},
		{"the same callback twice", func(_ *campus, b *browser, back *url.URL) { b.send("GET", back.String(), nil) }, 400, "auth.state"},
		{"after ten minutes", func(c *campus, _ *browser, _ *url.URL) { c.clock.advance(10 * time.Minute) }, 400, "auth.state"},
		{"a code that was used", func(c *campus, _ *browser, _ *url.URL) { c.sim.FailNext(entrasim.Token, 1, entrasim.AADSTS(54005)) }, 403, "AADSTS54005"},
		{"a client secret that expired", func(c *campus, _ *browser, _ *url.URL) { c.sim.FailNext(entrasim.Token, 1, entrasim.AADSTS(7000222)) }, 403, "AADSTS7000222"},
		{"Entra answering 500", func(c *campus, _ *browser, _ *url.URL) { c.sim.Fail(entrasim.Token, entrasim.ServerError) }, 503, "auth.entra_unavailable"},
		{"Entra answering a page", func(c *campus, _ *browser, _ *url.URL) { c.sim.Fail(entrasim.Token, entrasim.HTML) }, 503, "auth.entra_unavailable"},
		{"Entra hanging up", func(c *campus, _ *browser, _ *url.URL) { c.sim.Fail(entrasim.Token, entrasim.Hangup) }, 503, "auth.entra_unavailable"},
		{"Entra answering without end", func(c *campus, _ *browser, _ *url.URL) { c.sim.Fail(entrasim.Token, entrasim.Huge) }, 503, "auth.entra_unavailable"},
		{"Entra leading elsewhere", func(c *campus, _ *browser, _ *url.URL) {
			c.sim.Fail(entrasim.Token, entrasim.RedirectTo(c.sim.ElsewhereURL))
		}, 503, "auth.entra_unavailable"},
		{"an ID token of another sign-in", func(c *campus, _ *browser, _ *url.URL) {
			c.sim.AlterIDTokens(entrasim.Claim("nonce", "of another sign-in"))
		}, 401, "auth.token_nonce"},
		{"an ID token of another tenant", func(c *campus, _ *browser, _ *url.URL) {
			c.sim.AlterIDTokens(c.sim.InTenant("eeeeeeee-0000-4000-8000-000000000001"))
		}, 401, "auth.token_issuer"},
		{"somebody not assigned to the application", func(c *campus, b *browser, back *url.URL) {
			c.sim.RefuseSignIn(50105)
			*back = *b.redirected(b.redirected(c.base + "/auth/login").String())
		}, 403, "AADSTS50105"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newCampus(t, nil)
			b := c.browser(t).still()
			back := b.redirected(b.redirected(c.base + "/auth/login").String())
			row.change(c, b, back)
			a := b.send("GET", back.String(), nil)
			if a.status != row.status || !bytes.Contains(a.body, []byte(row.must)) || !bytes.Contains(a.body, []byte("Sign in again")) {
				t.Errorf("%d %s", a.status, a.body)
			}
			if cookie := a.header.Get("Set-Cookie"); strings.Contains(cookie, "badge_session") {
				t.Errorf("a session began: %s", cookie)
			}
			if strings.Contains(string(a.body), "@contoso") || c.sim.Calls(entrasim.Elsewhere) != 0 {
				t.Errorf("%d calls elsewhere; the page shows %s", c.sim.Calls(entrasim.Elsewhere), a.body)
			}
		})
	}
}

func TestEntraThatDoesNotAnswerKeepsNobodyWaiting(t *testing.T) {
	c := newCampus(t, func(cfg *engine.Config) { cfg.HTTP.RequestTimeout = 300 * time.Millisecond })
	b := c.browser(t).still()
	back := b.redirected(b.redirected(c.base + "/auth/login").String())
	c.sim.Fail(entrasim.Token, entrasim.Stall)
	if a := b.send("GET", back.String(), nil); a.status != 503 || !bytes.Contains(a.body, []byte("auth.entra_unavailable")) {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func set(u *url.URL, name, value string) {
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
}

func (b *browser) redirected(address string) *url.URL {
	b.t.Helper()
	a := b.send("GET", address, nil)
	u, err := url.Parse(a.header.Get("Location"))
	if err != nil || u.Host == "" {
		b.t.Fatalf("%d to %q: %s", a.status, a.header.Get("Location"), a.body)
	}
	return u
}

func TestASessionChangesThingsOnlyFromOurPages(t *testing.T) {
	c := newCampus(t, nil)
	c.sim.Change(c.sim.User.ObjectID, func(u *entrasim.User) { u.Roles = []string{"Badge.Admin"} })
	b := c.browser(t)
	me := b.signIn()
	order := func(headers ...string) answer {
		return b.send("POST", "/api/v1/people/"+c.sim.TenantID+"/eeeeeeee-0000-4000-8000-000000000001/deactivate", nil, append(headers, "Accept", "application/json")...)
	}
	for _, row := range []struct {
		name    string
		headers []string
		status  int
		must    string
	}{
		{"without the token", nil, 403, "auth.csrf"},
		{"with a wrong one", []string{"X-CSRF-Token", "x" + me.CSRFToken[1:]}, 403, "auth.csrf"},
		{"from another site", []string{"X-CSRF-Token", me.CSRFToken, "Origin", "https://evil.example"}, 403, "auth.csrf"},
		{"from another site, as browsers say", []string{"X-CSRF-Token", me.CSRFToken, "Sec-Fetch-Site", "cross-site"}, 403, "auth.csrf"},
		{"from our page", []string{"X-CSRF-Token", me.CSRFToken, "Origin", c.base, "Sec-Fetch-Site", "same-origin"}, 204, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			if a := order(row.headers...); a.status != row.status || !bytes.Contains(a.body, []byte(row.must)) {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	t.Run("a form of ours", func(t *testing.T) {
		a := b.send("POST", "/api/v1/people/"+c.sim.TenantID+"/eeeeeeee-0000-4000-8000-000000000001/reactivate", url.Values{"csrf_token": {me.CSRFToken}}, "Sec-Fetch-Site", "same-origin")
		if a.status != 204 {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
	t.Run("signing out from elsewhere", func(t *testing.T) {
		if a := b.send("POST", "/auth/logout", url.Values{}); a.status != 403 {
			t.Errorf("%d %s", a.status, a.body)
		}
		if _, a := b.me(); a.status != 200 {
			t.Errorf("%d", a.status)
		}
	})
}

// TestAPersonsDay is let in as a member, becomes an admin, is shut out, and is out.
func TestAPersonsDay(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			c := newCampus(t, func(cfg *engine.Config) { cfg.Database.URL = e.URL })
			who := c.sim.User.ObjectID
			c.sim.Change(who, func(u *entrasim.User) { u.Overage, u.Groups = true, entrasim.GroupIDs(11_000) })
			b := c.browser(t)
			if me := b.signIn(); me.Roles[0] != "member" {
				t.Fatalf("signed in as %+v", me)
			}
			raw := c.sim.MintDelegated()
			list := func(want int) {
				t.Helper()
				if a := b.send("GET", "/api/v1/tokens", nil); a.status != want {
					t.Errorf("the browser: %d instead of %d: %s", a.status, want, a.body)
				}
				if a := c.send("GET", "/api/v1/tokens", nil, "Authorization", "Bearer "+raw); a.status != want {
					t.Errorf("the token: %d instead of %d: %s", a.status, want, a.body)
				}
			}
			list(403)
			c.sim.JoinGroups(who, adminGroup)
			list(403)
			c.clock.advance(5 * time.Minute)
			list(200)
			c.sim.Fail(entrasim.Graph, entrasim.Throttled(600))
			c.clock.advance(4 * time.Minute)
			list(200)
			c.clock.advance(time.Minute)
			list(403) // Graph does not say any more
			c.sim.Heal(entrasim.Graph)
			c.clock.advance(11 * time.Minute)
			list(200)

			c.must(204, c.send("POST", "/api/v1/people/"+c.sim.TenantID+"/"+who+"/deactivate", nil))
			list(401)
			if a := b.send("GET", "/auth/login", nil); a.status != 401 || !bytes.Contains(a.body, []byte("auth.deactivated")) {
				t.Errorf("signing in again: %d %s", a.status, a.body)
			}
			c.must(204, c.send("POST", "/api/v1/people/"+c.sim.TenantID+"/"+who+"/reactivate", nil))
			list(401) // what was given out before stays dead
			c.clock.advance(time.Minute)
			raw = c.sim.MintDelegated()
			b.signIn()
			list(200)
			if n := c.sim.Calls(entrasim.Elsewhere); n != 0 {
				t.Errorf("%d calls to an address out of a token", n)
			}
		})
	}
}

// TestShuttingOutReachesEveryReplicaWithoutTheCache deactivates at one replica and
// asks at another, whose cache is away.
func TestShuttingOutReachesEveryReplicaWithoutTheCache(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			c := newCampus(t, func(cfg *engine.Config) { cfg.Database.URL = e.URL })
			other := bootWith(t, c.clock.now, func(cfg *engine.Config) {
				cfg.Database.URL, cfg.Cache.URL = e.URL, "redis://127.0.0.1:1/0"
				cfg.Entra.Authority, cfg.Entra.GraphURL = c.sim.Authority, c.sim.GraphURL
				cfg.Entra.TenantID, cfg.Entra.ClientID, cfg.Entra.ClientSecret = c.sim.TenantID, c.sim.ClientID, config.Secret(c.sim.ClientSecret)
			})
			raw := "Bearer " + c.sim.MintDelegated()
			other.must(200, other.send("GET", "/auth/me", nil, "Authorization", raw))
			c.must(204, c.send("POST", "/api/v1/people/"+c.sim.TenantID+"/"+c.sim.User.ObjectID+"/deactivate", nil))
			c.must(401, c.send("GET", "/auth/me", nil, "Authorization", raw))
			asked := time.Now()
			for other.send("GET", "/auth/me", nil, "Authorization", raw).status != 401 {
				if time.Since(asked) > 20*time.Second { // far more than promised, for machines that stall
					t.Fatal("the other replica still lets them in")
				}
			}
			t.Logf("the other replica knew after %v", time.Since(asked).Round(time.Millisecond))
		})
	}
}

func TestAccessTokensOverHTTP(t *testing.T) {
	c := newCampus(t, nil)
	c.sim.Change(c.sim.User.ObjectID, func(u *entrasim.User) { u.Groups = []string{issuerGroup} })
	for _, row := range []struct {
		name, token, method, path string
		status                    int
		must                      string
	}{
		{"a person's token says who that is", c.sim.MintDelegated(), "GET", "/auth/me", 200, `"user:` + c.sim.TenantID + "/" + c.sim.User.ObjectID + `"`},
		{"and what", c.sim.MintDelegated(c.sim.V1()), "GET", "/auth/me", 200, `"roles":["issuer"]`},
		{"an application by its role", c.sim.MintAppOnly(entrasim.Claim("roles", []string{"Badges.Issue.All"})), "GET", "/auth/me", 200, `"app:`},
		{"an application without an accepted role", c.sim.MintAppOnly(entrasim.Claim("roles", []string{"Other.Role"})), "GET", "/auth/me", 403, "auth.token_no_role"},
		{"an issuer is no admin", c.sim.MintDelegated(), "GET", "/api/v1/tokens", 403, "httpserver.forbidden"},
		{"a person's token without a scope", c.sim.MintDelegated(entrasim.WithoutClaim("scp")), "GET", "/auth/me", 401, "auth."},
		{"an ID token", c.sim.MintID("n"), "GET", "/auth/me", 401, "auth.token_"},
		{"a token for Graph", c.sim.MintGraph(), "GET", "/auth/me", 401, "auth.token_"},
		{"an expired one", c.sim.MintDelegated(entrasim.Shifted(-3 * time.Hour)), "GET", "/auth/me", 401, "auth.token_expired"},
		{"one of another tenant", c.sim.MintDelegated(c.sim.InTenant("eeeeeeee-0000-4000-8000-000000000001")), "GET", "/auth/me", 401, "auth.token_issuer"},
		{"one that was tampered with", c.sim.Tampered(c.sim.MintDelegated(), entrasim.Claim("roles", []string{"Badge.Admin"})), "GET", "/auth/me", 401, "auth.token_signature"},
		{"a megabyte", strings.Repeat("a", 1<<20) + ".b.c", "GET", "/auth/me", 431, "header_too_large"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if a := c.send(row.method, row.path, nil, "Authorization", "Bearer "+row.token); a.status != row.status || !bytes.Contains(a.body, []byte(row.must)) {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
}

func TestTheDevelopmentSignInSaysSoEverywhere(t *testing.T) {
	on := func(cfg *engine.Config) {
		cfg.Auth.DevelopmentSignIn = true
		cfg.HTTP.Host = "127.0.0.1"
		cfg.Entra.RedirectURI = cfg.PublicURL + "/auth/callback"
	}
	c := &campus{house: bootWith(t, time.Now, on)}
	b := c.browser(t)
	page := b.send("GET", "/auth/login?return=/auth/me", nil)
	_, state, _ := strings.Cut(string(page.body), `name="state" value="`)
	state, _, found := strings.Cut(state, `"`)
	if page.status != 200 || !found {
		t.Fatalf("%d %s", page.status, page.body)
	}
	form := url.Values{"state": {state}, "name": {"dana"}, "role": {"admin"}}
	in := b.send("POST", "/auth/development", form, "Sec-Fetch-Site", "same-origin")
	if in.status != 200 {
		t.Fatalf("%d %s", in.status, in.body)
	}
	if me, _ := b.me(); me.ID != "development:dana" || me.Roles[0] != "admin" {
		t.Errorf("signed in as %+v", me)
	}
	for _, a := range []answer{page, in, b.send("GET", "/credentials/none", nil), b.send("GET", "/auth/signed-out", nil)} {
		if !bytes.Contains(a.body, []byte("Development sign-in is on")) {
			t.Errorf("a page does not say so: %s", a.body)
		}
	}
	for _, row := range [][]string{{"X-Forwarded-For", "203.0.113.7"}, {"Forwarded", "for=203.0.113.7"}} {
		if a := b.send("GET", "/auth/development", nil, row...); a.status != 403 {
			t.Errorf("through a proxy: %d", a.status)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), "GET", c.base+"/auth/development", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "evil.example"
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 403 {
		t.Errorf("by another name: %d", response.StatusCode)
	}
}

func TestTheDevelopmentSignInStartsOnlyOnALoopbackAddress(t *testing.T) {
	for _, host := range []string{"", "0.0.0.0"} {
		cfg := engine.In(t.TempDir())
		cfg.Auth.DevelopmentSignIn, cfg.HTTP.Host = true, host
		if _, err := engine.New(engine.Options{Config: cfg, Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "AUTH_DEVELOPMENT_SIGN_IN") {
			t.Errorf("HOST=%q: %v", host, err)
		}
	}
	if a := boot(t, nil).send("GET", "/auth/development", nil); a.status != 404 {
		t.Errorf("where it is off: %d", a.status)
	}
}
