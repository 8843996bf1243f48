package auth_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/auth"
	"github.com/badge-engine/badge-engine/modules/auth/entra"
	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/cache/memory"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
)

const (
	tenant     = "aaaaaaaa-0000-4000-8000-000000000001"
	dana       = "bbbbbbbb-0000-4000-8000-000000000001"
	danaID     = "user:" + tenant + "/" + dana
	admins     = "cccccccc-0000-4000-8000-000000000001"
	issuers    = "cccccccc-0000-4000-8000-000000000002"
	auditors   = "cccccccc-0000-4000-8000-000000000003"
	bystanders = "cccccccc-0000-4000-8000-000000000004"
	outside    = "https://badges.example.org"
	cookie     = "__Host-badge_session"
)

// shutouts are kept in a slice, in the order of their sequence.
type shutouts struct {
	list []auth.Shutout
	err  error
}

func (s *shutouts) Shut(_ context.Context, tenantID, objectID string) (bool, error) {
	for _, x := range slices.Backward(s.list) {
		if x.TenantID == tenantID && x.ObjectID == objectID {
			return !x.Active, s.err
		}
	}
	return false, s.err
}

func (s *shutouts) Mark(_ context.Context, x auth.Shutout) error {
	x.Sequence = int64(len(s.list) + 1)
	if x.Active {
		x.At = s.list[len(s.list)-1].At
	}
	s.list = append(s.list, x)
	return s.err
}

func (s *shutouts) Since(_ context.Context, sequence int64, limit int) ([]auth.Shutout, error) {
	rest := s.list[min(int(sequence), len(s.list)):]
	return rest[:min(limit, len(rest))], s.err
}

// eras is a count.
type eras struct{ n int64 }

func (e *eras) Era(context.Context) (int64, error) { return e.n, nil }
func (e *eras) Advance(context.Context) error      { e.n++; return nil }

type atOnce struct{}

func (atOnce) Do(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) }
func (atOnce) Stored(_ context.Context, fn func())                          { fn() }

// directory is people and groups in maps.
type directory struct {
	active map[string]bool // by object id
	groups map[string][]string
	named  map[string][]string
	err    error
	asked  int
}

func (d *directory) User(_ context.Context, _, objectID string) (found, active bool, err error) {
	d.asked++
	active, found = d.active[objectID]
	return found, active, d.err
}

func (d *directory) Groups(_ context.Context, _, objectID string) ([]string, error) {
	d.asked++
	return d.groups[objectID], d.err
}

func (d *directory) GroupsNamed(_ context.Context, name string) ([]string, error) {
	d.asked++
	return d.named[name], d.err
}

// graph says who is in which group.
type graph struct {
	groups map[string][]string
	err    error
	asked  int
}

func (g *graph) MemberOf(_ context.Context, objectID string, ids []string) ([]string, error) {
	g.asked++
	if g.err != nil {
		return nil, g.err
	}
	var in []string
	for _, id := range ids {
		if slices.Contains(g.groups[objectID], id) {
			in = append(in, id)
		}
	}
	return in, nil
}

// authority is Entra as the code flow sees it: it signs in whoever stands in claims.
type authority struct {
	claims   entra.Claims
	err      error
	redeemed []string // code, verifier, nonce
}

func (a *authority) AuthorizeURL(state, nonce, challenge, hint string) (string, error) {
	return "https://login.example/authorize?" + url.Values{"state": {state}, "nonce": {nonce}, "challenge": {challenge}, "hint": {hint}}.Encode(), nil
}

func (a *authority) Redeem(_ context.Context, code, verifier, nonce string) (entra.Claims, error) {
	a.redeemed = []string{code, verifier, nonce}
	return a.claims, a.err
}

func (a *authority) LogoutURL(returnTo, hint string) string {
	return "https://login.example/logout?" + url.Values{"return": {returnTo}, "hint": {hint}}.Encode()
}

// verifier knows access tokens by their text.
type verifier struct {
	tokens map[string]entra.Claims
	err    error
	asked  int
}

func (v *verifier) AccessToken(_ context.Context, raw string) (entra.Claims, error) {
	v.asked++
	claims, known := v.tokens[raw]
	if v.err == nil && !known {
		return claims, &entra.Refusal{Reason: entra.ReasonSignature, Remedy: "Send it as it was.", Detail: "secret detail"}
	}
	return claims, v.err
}

type trail struct {
	events []auth.Event
	err    error
}

func (t *trail) Record(_ context.Context, e auth.Event) error {
	t.events = append(t.events, e)
	return t.err
}

func (t *trail) has(action, outcome string) bool {
	return slices.ContainsFunc(t.events, func(e auth.Event) bool { return e.Action == action && e.Outcome == outcome })
}

// counted counts what is asked of a cache.
type counted struct {
	cache.Cache
	asked int
	err   error
}

func (c *counted) Get(ctx context.Context, key string) ([]byte, bool, error) {
	c.asked++
	if c.err != nil {
		return nil, false, c.err
	}
	return c.Cache.Get(ctx, key)
}

func (c *counted) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	c.asked++
	if c.err != nil {
		return c.err
	}
	return c.Cache.Set(ctx, key, value, ttl)
}

// town is everything that knows people, with whom it asks.
type town struct {
	*replica
	t         testing.TB
	at        time.Time
	cfg       auth.Config
	tenant    entra.Config
	cache     *counted
	shutouts  *shutouts
	eras      eras
	directory *directory
	graph     *graph
	entra     *authority
	verifier  *verifier
	trail     *trail
	log       *bytes.Buffer
}

// replica is one process of several over the same cache and database.
type replica struct {
	people   *auth.People
	roles    *auth.Roles
	sessions *auth.Sessions
	signIn   *auth.SignIn
	guard    *auth.Guard
	tokens   *auth.Service
}

func newTown(t testing.TB, change func(*town)) *town {
	t.Helper()
	w := &town{
		t: t, at: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), cfg: auth.Default(), tenant: entra.Default(),
		shutouts: &shutouts{}, directory: &directory{}, graph: &graph{}, trail: &trail{}, log: &bytes.Buffer{},
		verifier: &verifier{tokens: map[string]entra.Claims{}},
	}
	w.cfg.BootstrapAdminToken = bootstrap
	w.cfg.AdminGroups, w.cfg.IssuerGroups, w.cfg.AuditorGroups = []string{admins}, []string{issuers}, []string{auditors}
	w.tenant.TenantID, w.tenant.ClientID, w.tenant.ClientSecret = tenant, "dddddddd-0000-4000-8000-000000000001", "a secret of the tenant"
	w.tenant.RedirectURI = outside + "/auth/callback"
	w.cache = &counted{Cache: memory.New(1<<20, func() time.Time { return w.at })}
	w.entra = &authority{claims: w.dana()}
	if change != nil {
		change(w)
	}
	w.replica = w.another()
	return w
}

// dana is what Entra says of a person who has just signed in.
func (w *town) dana() entra.Claims {
	return entra.Claims{
		Kind: entra.User, TenantID: tenant, ObjectID: dana, Name: "Dana Kim", Username: "dana@example.org", Session: "entra-session",
		LoginHint: "hint", Scopes: []string{"Badges.ReadWrite"}, Issued: w.at, Expires: w.at.Add(time.Hour),
	}
}

func (w *town) another() *replica {
	w.t.Helper()
	now, log := func() time.Time { return w.at }, slog.New(slog.NewTextHandler(w.log, nil))
	parts := auth.Parts{Config: w.cfg, Tenant: w.tenant, Cache: w.cache, Now: now, Log: log, Verifier: w.verifier, Audit: w.trail, Eras: &w.eras, Era: new(atomic.Int64)}
	if w.directory != nil {
		parts.Directory = w.directory
	}
	if w.graph != nil {
		parts.Memberships = w.graph
	}
	if w.entra != nil {
		parts.Flow = w.entra
	}
	r := &replica{people: auth.NewPeople(parts, w.shutouts, atOnce{})}
	if err := r.people.Poll(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	var err error
	if r.roles, err = auth.NewRoles(parts); err != nil {
		w.t.Fatal(err)
	}
	if r.tokens, err = auth.New(w.cfg, &shelf{tokens: map[string]auth.Token{}}, w.cache, auth.NewUsage(unused{}, log), now, log); err != nil {
		w.t.Fatal(err)
	}
	r.sessions = auth.NewSessions(parts, r.people, r.roles)
	r.signIn = auth.NewSignIn(parts, r.sessions)
	r.guard = auth.NewGuard(r.tokens, auth.NewBearers(parts, r.people, r.roles), r.sessions)
	return r
}

// begin begins to sign in and answers the state and the cookie of the browser.
func (w *town) begin(returnTo string) (state, browser string) {
	w.t.Helper()
	location, browser, err := w.signIn.Begin(w.t.Context(), returnTo, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return parameter(w.t, location, "state"), browser
}

func parameter(t testing.TB, location, name string) string {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get(name)
}

// signedIn signs in and answers the cookie of the session.
func (w *town) signedIn() string {
	w.t.Helper()
	state, browser := w.begin("/")
	value, _, err := w.signIn.Complete(w.t.Context(), auth.Answer{State: state, Code: "code"}, browser, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return value
}

func (r *replica) session(ctx context.Context, value string) (principal.Principal, error) {
	return r.guard.Authenticate(ctx, httpserver.Credentials{Method: "GET", Path: "/auth/me", Cookie: "theme=dark; " + cookie + "=" + value})
}

func (r *replica) bearer(ctx context.Context, raw string) (principal.Principal, error) {
	return r.guard.Authenticate(ctx, httpserver.Credentials{Method: "GET", Path: "/api/v1/x", Authorization: "Bearer " + raw, RemoteIP: "192.0.2.7"})
}

// token makes an access token that the verifier knows.
func (w *town) token(c entra.Claims) string {
	raw := "eyJ" + strings.ReplaceAll(c.ObjectID, "-", "") + ".payload.signature" + string(rune('a'+len(w.verifier.tokens)))
	w.verifier.tokens[raw] = c
	return raw
}

// code is the stable name of a fault.
func code(err error) string {
	if f, ok := fault.From(err); ok {
		return f.Code()
	}
	return ""
}
