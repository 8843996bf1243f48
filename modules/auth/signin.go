package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/badge-engine/badge-engine/modules/auth/entra"
	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/platform/ratelimit"
)

const (
	// signInTime is how long somebody may take to sign in.
	signInTime = 10 * time.Minute
	// home is where a browser goes that came from nowhere.
	home = "/auth/me"
)

// signInRate is how often one address may begin to sign in, a whole campus behind
// it included: each time takes room in the cache, where the sessions are too.
var signInRate = ratelimit.Rate{PerSecond: 10, Burst: 300}

// SignIn signs people in and out by the code flow of Entra.
type SignIn struct {
	flow        Flow // nil without
	issuer      string
	outside     string // the origin that browsers come to
	development bool
	cache       cache.Cache
	drawer      drawer
	sessions    *Sessions
	people      *People
	roles       *Roles
	audit       Audit // nil without
	limiter     *ratelimit.Limiter
	now         func() time.Time
	log         *slog.Logger
}

// NewSignIn makes a SignIn. Without a flow nobody can sign in.
func NewSignIn(parts Parts, sessions *Sessions) *SignIn {
	s := &SignIn{
		flow: parts.Flow, issuer: parts.Tenant.Issuer(), development: parts.Config.DevelopmentSignIn,
		cache: parts.Cache, drawer: drawer{parts.Cache, "auth.sign_in.", sessions.drawer.key},
		sessions: sessions, people: sessions.people, roles: sessions.roles, audit: parts.Audit, limiter: ratelimit.New("sign-in", 4096, parts.Now), now: parts.Now, log: parts.Log,
	}
	if len(sessions.origins) > 0 {
		s.outside = sessions.origins[0]
	}
	return s
}

// attempt is one sign-in under way. It lies under its state in the cache.
type attempt struct {
	Browser  []byte // SHA-256 of the cookie of the browser that began it
	Nonce    string
	Verifier string // RFC 7636, 4.1 (Client Creates a Code Verifier)
	Return   string
}

// open begins an attempt and binds it to a browser, which may have a cookie from
// another one: several tabs may be signing in.
func (s *SignIn) open(ctx context.Context, returnTo, browser string) (state, cookie string, a attempt, err error) {
	if err := s.limiter.Take(principal.Address(ctx), signInRate).Err(); err != nil {
		return "", "", attempt{}, err
	}
	if !secretForm.MatchString(browser) {
		browser = newSecret()
	}
	sum := sha256.Sum256([]byte(browser))
	state = newSecret()
	a = attempt{Browser: sum[:], Nonce: newSecret(), Verifier: newSecret(), Return: localPath(returnTo)}
	return state, browser, a, s.drawer.put(ctx, state, a, signInTime)
}

// close takes an attempt out of the cache, once. It answers [ErrState] for one
// that was used, is too old, or belongs to another browser.
func (s *SignIn) close(ctx context.Context, state, browser string) (attempt, error) {
	const remedy = "Start to sign in again, in one window, and within ten minutes."
	var a attempt
	err := s.drawer.get(ctx, state, &a)
	if errors.Is(err, errNothing) {
		return a, ErrState.Detailf(remedy)
	}
	if err != nil {
		return a, err
	}
	sum := sha256.Sum256([]byte(browser))
	if subtle.ConstantTimeCompare(sum[:], a.Browser) != 1 {
		return a, ErrState.Detailf(remedy) // and it stays, for the browser whose it is
	}
	key := s.drawer.named(state)
	first, err := s.cache.Add(ctx, key+".used", []byte{1}, signInTime)
	if err != nil {
		return a, err
	}
	if !first {
		return a, ErrState.Detailf(remedy)
	}
	return a, s.cache.Delete(ctx, key)
}

// Begin answers where to send a browser that wants to sign in, and the cookie that
// it must bring back. It answers with [ErrNoSignIn].
func (s *SignIn) Begin(ctx context.Context, returnTo, browser string) (location, cookie string, err error) {
	if s.flow == nil && s.development {
		return "/auth/development?return=" + url.QueryEscape(localPath(returnTo)), browser, nil
	}
	if s.flow == nil {
		return "", "", ErrNoSignIn.Detailf("Sign-in with Microsoft Entra is not set up on this server.")
	}
	state, cookie, a, err := s.open(ctx, returnTo, browser)
	if err != nil {
		return "", "", err
	}
	location, err = s.flow.AuthorizeURL(state, a.Nonce, entra.Challenge(a.Verifier), "")
	if err != nil {
		return "", "", fmt.Errorf("auth: begin sign-in: %w", err)
	}
	return location, cookie, nil
}

// Answer is what Entra sends a browser back with.
type Answer struct {
	State, Code, Error, Description string
}

// Complete signs in whoever comes back from Entra and answers the cookie of the new
// session and where to go. It answers with [ErrState], [ErrSignIn],
// [ErrDeactivated], [ErrNotProvisioned], a refusal of the ID token, and with
// faults of kind Unavailable.
func (s *SignIn) Complete(ctx context.Context, answer Answer, browser, old string) (value, returnTo string, err error) {
	if s.flow == nil {
		return "", "", ErrNoSignIn
	}
	claims, value, returnTo, err := s.complete(ctx, answer, browser, old)
	e := Event{Action: "auth.signed_in", Outcome: "success"}
	if claims.ObjectID != "" {
		e.Actor = principalOf(claims, nil).ID
		e.Target = e.Actor
	}
	if err != nil {
		e.Outcome, e.Reason = "failed", "error"
		if f, ok := fault.From(err); ok {
			e.Reason = f.Code()
			if f.Kind() != fault.Unavailable {
				e.Outcome = "refused"
			}
		}
		s.log.InfoContext(ctx, "sign-in refused", slog.String("principal_id", e.Actor), slog.Any("reason", err))
	}
	if errors.Is(err, ErrState) {
		return "", "", err // anybody can send these, as many as they like
	}
	if recorded := record(ctx, s.audit, e); err == nil && recorded != nil {
		return "", "", errors.Join(recorded, s.sessions.End(ctx, value))
	}
	return value, returnTo, err
}

func (s *SignIn) complete(ctx context.Context, answer Answer, browser, old string) (c entra.Claims, value, returnTo string, err error) {
	a, err := s.close(ctx, answer.State, browser)
	if err != nil {
		return c, "", "", err
	}
	if answer.Error != "" {
		return c, "", "", explain(entra.ParseAuthorityError(answer.Error, answer.Description))
	}
	if answer.Code == "" {
		return c, "", "", ErrState.Detailf("Microsoft Entra sent no code. Start to sign in again.")
	}
	if c, err = s.flow.Redeem(ctx, answer.Code, a.Verifier, a.Nonce); err != nil {
		return entra.Claims{}, "", "", explain(err)
	}
	if c.Kind == entra.App {
		return c, "", "", ErrSignIn.Detailf("Only people sign in here.")
	}
	if err := s.people.admit(ctx, c, s.now()); err != nil {
		return c, "", "", err
	}
	standing, err := s.roles.Of(ctx, c, true)
	if err != nil {
		return c, "", "", err
	}
	value, err = s.sessions.Begin(ctx, Session{Claims: c, Standing: standing}, old)
	if err != nil {
		return c, "", "", err
	}
	s.log.InfoContext(ctx, "signed in", slog.String("principal_id", principalOf(c, nil).ID), slog.Any("roles", standing.Roles))
	return c, value, a.Return, nil
}

// Leave ends the session that a request shows and answers where to go: to Entra, to
// end its session too. A request without a session goes to the same place. It
// answers with [ErrCSRF].
func (s *SignIn) Leave(ctx context.Context, c httpserver.Credentials, csrf string) (location string, err error) {
	const out = "/auth/signed-out"
	value := cookieOf(c.Cookie, s.sessions.cookies.session)
	if value == "" {
		return out, nil
	}
	if csrf == "" {
		csrf = c.CSRF
	}
	if err := s.sessions.intended(c, value, csrf); err != nil {
		return "", err
	}
	found, err := s.sessions.find(ctx, value)
	if err != nil {
		if f, ok := fault.From(err); !ok || f.Kind() != fault.Unauthenticated {
			return "", err // it would not be ended
		}
	}
	if err := s.sessions.End(ctx, value); err != nil {
		return "", err
	}
	if id := found.principal.ID; id != "" {
		s.log.InfoContext(ctx, "signed out", slog.String("principal_id", id), slog.Bool("development", found.Development))
		if err := record(ctx, s.audit, Event{Action: "auth.signed_out", Actor: id, Target: id, Outcome: "success"}); err != nil {
			return "", err
		}
	}
	if s.flow == nil || found.Development || found.principal.Anonymous() {
		return out, nil
	}
	return s.flow.LogoutURL(s.outside+out, found.Claims.LoginHint), nil
}

// Dropped ends the sessions here of a session that Entra says has ended (OpenID
// Connect Front-Channel Logout 1.0, 2). Who could guess the session's id could
// sign somebody out, no more. It answers [ErrState] for another issuer.
func (s *SignIn) Dropped(ctx context.Context, issuer, session string) error {
	if s.flow == nil || issuer != s.issuer || session == "" || len(session) > 512 {
		return ErrState.Detailf("Give iss and sid as Microsoft Entra does.")
	}
	if err := s.sessions.EndOf(ctx, session); err != nil {
		return err
	}
	s.log.InfoContext(ctx, "signed out by entra")
	return record(ctx, s.audit, Event{Action: "auth.signed_out", Target: "entra-session:" + session, Outcome: "success"})
}

// personName is how somebody may be called at the development sign-in.
var personName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// Offer opens an attempt of the development sign-in. It answers with [ErrNoSignIn]
// unless that is on.
func (s *SignIn) Offer(ctx context.Context, returnTo, browser string) (state, cookie string, err error) {
	if !s.development {
		return "", "", ErrNoSignIn
	}
	state, cookie, _, err = s.open(ctx, returnTo, browser)
	return state, cookie, err
}

// Pretend signs in whoever asks, as whomever they like.
func (s *SignIn) Pretend(ctx context.Context, c httpserver.Credentials, state, browser, name, role string) (value, returnTo string, err error) {
	if !s.development {
		return "", "", ErrNoSignIn
	}
	if err := s.sessions.sameOrigin(c); err != nil {
		return "", "", err
	}
	a, err := s.close(ctx, state, browser)
	if err != nil {
		return "", "", err
	}
	if _, err := parseAppRoles([]string{"development=" + role}); err != nil || !personName.MatchString(name) {
		return "", "", ErrSignIn.Detailf("Give a name of lower case letters, and one of the roles.")
	}
	session := Session{
		Claims:      entra.Claims{Kind: entra.User, TenantID: "development", ObjectID: name, Name: name},
		Standing:    Standing{Roles: []string{role}, Until: s.now().Add(rolesHold)},
		Development: true,
	}
	value, err = s.sessions.Begin(ctx, session, cookieOf(c.Cookie, s.sessions.cookies.session))
	if err != nil {
		return "", "", err
	}
	id := session.principal().ID
	s.log.WarnContext(ctx, "signed in by the development sign-in", slog.String("principal_id", id), slog.String("role", role), slog.Bool("development", true))
	return value, a.Return, record(ctx, s.audit, Event{Action: "auth.signed_in", Actor: id, Target: id, Outcome: "success", Reason: "development"})
}

// authorityText is what an error of Entra says to whoever wanted to sign in.
func authorityText(e *entra.AuthorityError) string {
	text := e.Hint
	if e.Number != 0 {
		text = fmt.Sprintf("AADSTS%d: %s", e.Number, text)
	}
	if e.TraceID != "" {
		text += " Trace " + e.TraceID + "."
	}
	return text
}

// localPath answers a path of this server, or where browsers go otherwise: an
// address that leads elsewhere would make this server vouch for it.
func localPath(path string) string {
	u, err := url.Parse(path)
	switch {
	case err != nil, len(path) > 2048, !strings.HasPrefix(path, "/"), strings.HasPrefix(path, "//"),
		strings.ContainsFunc(path, func(r rune) bool { return r == '\\' || unicode.IsControl(r) || unicode.IsSpace(r) }),
		u.Scheme != "" || u.Host != "" || u.User != nil:
		return home
	case strings.HasPrefix(u.Path, "/auth/") && u.Path != home: // it would go round in circles
		return home
	}
	return path
}

// Loopback answers an error unless a server listens on an address that only this
// machine reaches: the development sign-in lets in whoever asks.
func (c Config) Loopback(host string) error {
	if c.DevelopmentSignIn && host != "127.0.0.1" && host != "::1" && host != "localhost" {
		return errors.New("AUTH_DEVELOPMENT_SIGN_IN is only for a server that listens on this machine alone: set HOST=127.0.0.1, or unset it")
	}
	return nil
}

// developmentNotice stands on every page while the development sign-in is on.
const developmentNotice = "Development sign-in is on: anybody at this machine can sign in as anybody. Never use this for anything real."

// Start warns if the development sign-in is on.
func (s *SignIn) Start(ctx context.Context) {
	if s.development {
		s.log.WarnContext(ctx, "development sign-in is on: anybody at this machine can sign in as anybody", slog.Bool("development", true))
	}
}
