package auth_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/auth"
	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
)

func TestASessionIsKnownOnEveryReplicaAndAfterARestart(t *testing.T) {
	w := newTown(t, nil)
	w.entra.claims.Roles = []string{"Badge.Issuer"}
	value := w.signedIn()
	for range 2 {
		p, err := w.session(t.Context(), value)
		if err != nil || p.ID != danaID || p.Name != "Dana Kim" || !p.May(principal.ScopeCredentialsIssue) || p.May(principal.ScopeAdmin) {
			t.Fatalf("principal is %+v, error %v", p, err)
		}
		w.replica = w.another()
	}
}

func TestASessionEndsByItselfByDisuseAndByLimit(t *testing.T) {
	for _, row := range []struct {
		name  string
		steps []time.Duration // between requests
		alive bool
	}{
		{"used again within the hour", []time.Duration{58 * time.Minute}, true},
		{"used every half hour for eleven hours", repeat(30*time.Minute, 22), true},
		{"an hour without use", []time.Duration{time.Hour}, false},
		{"an hour without use after a long day", append(repeat(30*time.Minute, 12), time.Hour), false},
		{"used every half hour for twelve hours", repeat(30*time.Minute, 24), false},
		{"used every second up to the very hour", append(repeat(time.Second, 30), 59*time.Minute), true},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newTown(t, nil)
			value := w.signedIn()
			var err error
			for _, step := range row.steps {
				if err != nil {
					t.Fatal(err)
				}
				w.at = w.at.Add(step)
				_, err = w.session(t.Context(), value)
			}
			if row.alive != (err == nil) || err != nil && !errors.Is(err, auth.ErrSessionEnded) {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func repeat(d time.Duration, n int) []time.Duration {
	steps := make([]time.Duration, n)
	for i := range steps {
		steps[i] = d
	}
	return steps
}

func TestWhoReadsOrWritesTheCacheHasNoSession(t *testing.T) {
	seen := &spy{}
	w := newTown(t, func(w *town) {
		seen.Cache = w.cache.Cache
		w.cache.Cache = seen
	})
	value := w.signedIn()
	if len(seen.keys) == 0 {
		t.Fatal("nothing was stored")
	}
	for i := range seen.keys {
		for _, secret := range []string{value, dana, "Dana", "example.org", "entra-session"} {
			if strings.Contains(seen.keys[i], secret) || strings.Contains(seen.values[i], secret) {
				t.Errorf("the cache shows %q: %s %q", secret, seen.keys[i], seen.values[i])
			}
		}
	}
	t.Run("a session of another key", func(t *testing.T) {
		w.tenant.ClientSecret = "another secret"
		if _, err := w.another().session(t.Context(), value); !errors.Is(err, auth.ErrSessionEnded) {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("a session copied to the place of another", func(t *testing.T) {
		w.tenant.ClientSecret = "a secret of the tenant"
		mine := w.signedIn()
		last := len(seen.keys) - 1
		for ; !strings.HasPrefix(seen.keys[last], "auth.session."); last-- {
		}
		for i, key := range seen.keys {
			if strings.HasPrefix(key, "auth.session.") {
				if err := w.cache.Set(t.Context(), seen.keys[last], []byte(seen.values[i]), time.Hour); err != nil {
					t.Fatal(err)
				}
				break
			}
		}
		if _, err := w.another().session(t.Context(), mine); !errors.Is(err, auth.ErrSessionEnded) {
			t.Errorf("error is %v", err)
		}
	})
}

// spy keeps what is put into a cache.
type spy struct {
	cache.Cache
	keys, values []string
}

func (s *spy) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	s.keys, s.values = append(s.keys, key), append(s.values, string(value))
	return s.Cache.Set(ctx, key, value, ttl)
}

func TestACookieThatIsNoSession(t *testing.T) {
	w := newTown(t, nil)
	value := w.signedIn()
	for _, row := range []struct {
		name, header string
		err          error
	}{
		{"no cookie is nobody", "", nil},
		{"other cookies are nobody", "theme=dark; x__Host-badge_session=" + value, nil},
		{"the cookie of plain HTTP is nobody", "badge_session=" + value, nil},
		{"an invented value", cookie + "=" + strings.Repeat("A", 43), auth.ErrSessionEnded},
		{"one character changed", cookie + "=" + flip(value), auth.ErrSessionEnded},
		{"a value with path characters", cookie + "=../../" + value, auth.ErrSessionEnded},
		{"a value without end", cookie + "=" + strings.Repeat("A", 9000), auth.ErrSessionEnded},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, err := w.guard.Authenticate(t.Context(), httpserver.Credentials{Method: "GET", Path: "/auth/me", Cookie: row.header})
			if !errors.Is(err, row.err) || !p.Anonymous() {
				t.Errorf("principal is %+v, error %v", p, err)
			}
		})
	}
}

func flip(s string) string {
	if s[0] == 'a' {
		return "b" + s[1:]
	}
	return "a" + s[1:]
}

func TestTheCacheAwayIsNoSignOut(t *testing.T) {
	w := newTown(t, nil)
	value := w.signedIn()
	w.cache.err = cache.ErrUnavailable
	if _, err := w.session(t.Context(), value); !errors.Is(err, cache.ErrUnavailable) {
		t.Errorf("error is %v", err)
	}
	w.cache.err = nil
	if _, err := w.session(t.Context(), value); err != nil {
		t.Error(err)
	}
}

func TestARequestThatChangesSomethingMustComeFromOurPages(t *testing.T) {
	w := newTown(t, nil)
	value, other := w.signedIn(), w.signedIn()
	_, csrf, err := w.sessions.Of(t.Context(), cookie+"="+value)
	if err != nil {
		t.Fatal(err)
	}
	_, foreign, err := w.sessions.Of(t.Context(), cookie+"="+other)
	if err != nil || foreign == csrf {
		t.Fatalf("two sessions share a token, error %v", err)
	}
	for _, row := range []struct {
		name, method, csrf, origin, site string
		ok                               bool
	}{
		{"reading needs nothing", "GET", "", "https://evil.example", "cross-site", true},
		{"asking for the header needs nothing", "HEAD", "", "", "", true},
		{"a page of ours", "POST", csrf, outside, "same-origin", true},
		{"a browser that does not say from where", "POST", csrf, "", "", true},
		{"an old browser that says only the origin", "DELETE", csrf, outside, "", true},
		{"no token", "POST", "", outside, "same-origin", false},
		{"the token of another session", "PUT", foreign, outside, "same-origin", false},
		{"the cookie itself as the token", "PATCH", value, outside, "same-origin", false},
		{"another site that knows the token", "POST", csrf, "https://evil.example", "cross-site", false},
		{"a sister of ours that knows the token", "POST", csrf, "https://www.example.org", "same-site", false},
		{"an old browser on another site", "POST", csrf, "https://evil.example", "", false},
		{"our name over plain HTTP", "POST", csrf, "http://badges.example.org", "", false},
		{"a page without an origin", "POST", csrf, "null", "", false},
		{"a method nobody knows", "PURGE", "", "", "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := w.guard.Authenticate(t.Context(), httpserver.Credentials{
				Method: row.method, Path: "/api/v1/issuers", Cookie: cookie + "=" + value, CSRF: row.csrf, Origin: row.origin, FetchSite: row.site,
			})
			if row.ok != (err == nil) || err != nil && !errors.Is(err, auth.ErrCSRF) {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestASessionOpensNothingForProvisioning(t *testing.T) {
	w := newTown(t, nil)
	w.entra.claims.Roles = []string{"Badge.Admin"}
	value := w.signedIn()
	for _, path := range []string{"/scim", "/scim/v2", "/scim/v2/Users", "/SCIM/v2/Users", "/scim/oauth/token"} {
		p, err := w.guard.Authenticate(t.Context(), httpserver.Credentials{Method: "GET", Path: path, Cookie: cookie + "=" + value})
		if err != nil || !p.Anonymous() {
			t.Errorf("%s: principal is %+v, error %v", path, p, err)
		}
	}
	if p, err := w.guard.Authenticate(t.Context(), httpserver.Credentials{Method: "GET", Path: "/scimitar", Cookie: cookie + "=" + value}); err != nil || p.Anonymous() {
		t.Errorf("a path that only begins alike: %+v, error %v", p, err)
	}
}

func TestTheHeaderAloneCountsWhereThereIsOne(t *testing.T) {
	w := newTown(t, nil)
	p, err := w.guard.Authenticate(t.Context(), httpserver.Credentials{Method: "GET", Path: "/", Authorization: "Bearer be_wrong", Cookie: cookie + "=" + w.signedIn()})
	if !errors.Is(err, auth.ErrTokenInvalid) || !p.Anonymous() {
		t.Errorf("principal is %+v, error %v", p, err)
	}
	if p, err := w.bearer(t.Context(), bootstrap); err != nil || p.ID != auth.BootstrapID {
		t.Errorf("principal is %+v, error %v", p, err)
	}
}

func TestABootstrapTokenWithDotsIsNoJWT(t *testing.T) {
	w := newTown(t, func(w *town) { w.cfg.BootstrapAdminToken = "0123456789.0123456789.0123456789abcdef" })
	if p, err := w.bearer(t.Context(), w.cfg.BootstrapAdminToken.Reveal()); err != nil || p.ID != auth.BootstrapID {
		t.Errorf("principal is %+v, error %v", p, err)
	}
}

func TestRolesAreFoundOutAgainWithinFiveMinutes(t *testing.T) {
	w := newTown(t, nil)
	value := w.signedIn()
	is := func(role string) {
		t.Helper()
		p, err := w.session(t.Context(), value)
		if err != nil || len(p.Roles) != 1 || p.Roles[0] != role || p.May(principal.ScopeAdmin) != (role == "admin") {
			t.Errorf("principal is %+v, error %v", p, err)
		}
	}
	is("member")
	w.directory.groups = map[string][]string{dana: {admins}}
	w.at = w.at.Add(5*time.Minute - time.Second)
	is("member")
	w.at = w.at.Add(time.Second)
	is("admin")
	if !w.trail.has("auth.roles_changed", "success") {
		t.Errorf("the trail has %+v", w.trail.events)
	}
	w.directory.groups = nil
	w.at = w.at.Add(5 * time.Minute)
	is("member")
	w.directory.err = errors.New("away")
	w.at = w.at.Add(5 * time.Minute)
	if _, err := w.session(t.Context(), value); !errors.Is(err, auth.ErrUnsure) {
		t.Errorf("a directory that does not answer: %v", err)
	}
}

func TestAPersonInactiveInTheDirectoryIsOutWithinFiveMinutes(t *testing.T) {
	w := newTown(t, func(w *town) { w.directory.active = map[string]bool{dana: true} })
	value := w.signedIn()
	w.directory.active[dana] = false
	w.at = w.at.Add(5 * time.Minute)
	if _, err := w.session(t.Context(), value); !errors.Is(err, auth.ErrDeactivated) {
		t.Errorf("error is %v", err)
	}
	w.directory.active[dana] = true
	if _, err := w.session(t.Context(), value); !errors.Is(err, auth.ErrSessionEnded) {
		t.Errorf("the session came back: %v", err)
	}
}

func TestAKnownSessionCostsNeitherCacheNorDirectory(t *testing.T) {
	w := newTown(t, nil)
	value := w.signedIn()
	if _, err := w.session(t.Context(), value); err != nil {
		t.Fatal(err)
	}
	cached, asked := w.cache.asked, w.directory.asked
	for range 100 {
		if _, err := w.session(t.Context(), value); err != nil {
			t.Fatal(err)
		}
	}
	if w.cache.asked != cached || w.directory.asked != asked {
		t.Errorf("a hundred requests asked the cache %d times, the directory %d times", w.cache.asked-cached, w.directory.asked-asked)
	}
	w.at = w.at.Add(auth.SessionKnown)
	if _, err := w.session(t.Context(), value); err != nil || w.cache.asked == cached {
		t.Errorf("after a while the cache is still not asked, error %v", err)
	}
}

func TestAnEndedSessionStaysEndedThoughARequestWritesItOnceMore(t *testing.T) {
	var late *delayed
	w := newTown(t, func(w *town) {
		late = &delayed{Cache: w.cache.Cache}
		w.cache.Cache = late
	})
	value := w.signedIn()
	w.at = w.at.Add(2 * time.Minute) // so that the next request notes the use
	// Between its reading and its writing, another replica ends the session.
	late.before = func() {
		late.before = nil
		if err := w.another().sessions.End(t.Context(), value); err != nil {
			t.Error(err)
		}
	}
	_, _ = w.session(t.Context(), value)
	if late.before != nil {
		t.Fatal("the use was not noted")
	}
	w.at = w.at.Add(auth.SessionKnown)
	for _, r := range []*replica{w.replica, w.another()} {
		if _, err := r.session(t.Context(), value); !errors.Is(err, auth.ErrSessionEnded) {
			t.Errorf("error is %v", err)
		}
	}
}

// delayed does something else before it stores.
type delayed struct {
	cache.Cache
	before func()
}

func (d *delayed) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if before := d.before; before != nil && !strings.HasSuffix(key, ".ended") {
		before()
	}
	return d.Cache.Set(ctx, key, value, ttl)
}

func TestANameThatIsAnAddressIsNotShown(t *testing.T) {
	w := newTown(t, nil)
	w.entra.claims.Name = "dana@example.org"
	if p, err := w.session(t.Context(), w.signedIn()); err != nil || p.Name != "" {
		t.Errorf("principal is %+v, error %v", p, err)
	}
}

func TestConfigRefusesWhatMeansNothing(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*auth.Config)
		must   string
	}{
		{"an app role without a role", func(c *auth.Config) { c.AppRoles = []string{"Badge.Admin"} }, "AUTH_APP_ROLES"},
		{"an app role of a role that is none", func(c *auth.Config) { c.AppRoles = []string{"Badge.Admin=root"} }, "AUTH_APP_ROLES"},
		{"an empty group", func(c *auth.Config) { c.AdminGroups = []string{admins, ""} }, "ENTRA_ADMIN_GROUPS"},
		{"a session of no time", func(c *auth.Config) { c.SessionIdle = time.Second }, "AUTH_SESSION_IDLE"},
		{"a session without end", func(c *auth.Config) { c.SessionLimit = -time.Hour }, "AUTH_SESSION_LIMIT"},
		{"a key that could be guessed", func(c *auth.Config) { c.SessionKey = "short" }, "AUTH_SESSION_KEY"},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := auth.Default()
			row.change(&cfg)
			if err := cfg.Check(); err == nil || !strings.Contains(err.Error(), row.must) {
				t.Errorf("error is %v", err)
			}
		})
	}
	if err := auth.Default().Check(); err != nil {
		t.Error(err)
	}
}

func BenchmarkGuard(b *testing.B) {
	w := newTown(b, nil)
	w.entra.claims.Roles = []string{"Badge.Admin"}
	value := w.signedIn()
	claims := w.dana()
	jwt := w.token(claims) + strings.Repeat("x", 1500)
	w.verifier.tokens[jwt] = claims
	api, _, err := w.tokens.Create(b.Context(), "busy", []string{principal.ScopeAdmin}, time.Time{})
	if err != nil {
		b.Fatal(err)
	}
	for _, row := range []struct {
		name string
		c    httpserver.Credentials
	}{
		{"API token", httpserver.Credentials{Method: "GET", Path: "/x", Authorization: "Bearer " + api}},
		{"access token of Entra", httpserver.Credentials{Method: "GET", Path: "/x", Authorization: "Bearer " + jwt}},
		{"session", httpserver.Credentials{Method: "GET", Path: "/x", Cookie: cookie + "=" + value}},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.guard.Authenticate(b.Context(), row.c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func isKind(err error, kind fault.Kind) bool {
	f, ok := fault.From(err)
	return ok && f.Kind() == kind
}
