package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/modules/auth/entra"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
)

const (
	// SessionKnown is how long a session just seen costs no look into the cache. It
	// bounds how long one that ended on another replica may still work on this one.
	SessionKnown = 2 * time.Second
	// sessionNote is how often at most it is written down that a session is in use.
	sessionNote   = time.Minute
	sessionMemory = 20_000 // sessions
)

// Session is a browser in which somebody is signed in.
type Session struct {
	Claims      entra.Claims // as they were when it began; it lives longer than the token did
	Standing    Standing
	Begun       time.Time
	Used        time.Time // late by up to a minute
	Development bool      // nobody was asked who this is
}

func (s Session) principal() principal.Principal {
	p := principalOf(s.Claims, s.Standing.Roles)
	if s.Development {
		p.ID = "development:" + s.Claims.ObjectID
	}
	return p
}

// principalOf makes the principal of somebody in the organisation.
func principalOf(c entra.Claims, roles []string) principal.Principal {
	name := c.Name
	if strings.Contains(name, "@") {
		name = "" // an e-mail address is no name
	}
	return principal.Principal{ID: string(c.Kind) + ":" + personOf(c.TenantID, c.ObjectID).String(), Name: name, Roles: roles, Scopes: principal.ScopesOf(roles...)}
}

// Sessions keeps who is signed in on the server's side, in the cache, so that
// every replica knows and none forgets when it is restarted. The browser has
// nothing but a random cookie.
type Sessions struct {
	idle, limit time.Duration
	development bool
	origins     []string // of the pages that may use a session
	drawer      drawer
	people      *People
	roles       *Roles
	audit       Audit // nil without
	now         func() time.Time
	log         *slog.Logger
	known       *memo[[sha256.Size]byte, knownSession]
	cookies     cookies
}

type knownSession struct {
	Session
	who       person
	principal principal.Principal
	until     time.Time
}

// cookies are the names and the nature of ours.
type cookies struct {
	secure          bool
	session, signIn string
}

// newCookies chooses by the address that browsers come to. The prefix makes
// browsers refuse these cookies from any other host, path or scheme (RFC 6265bis,
// 4.1.3.2, The "__Host-" Prefix); on plain HTTP, which is only for development on
// the same machine, they would refuse it from us too.
func newCookies(redirectURI string) cookies {
	if strings.HasPrefix(redirectURI, "https://") {
		return cookies{true, "__Host-badge_session", "__Host-badge_sign_in"}
	}
	return cookies{false, "badge_session", "badge_sign_in"}
}

// NewSessions makes a Sessions. It does not talk to the cache yet.
func NewSessions(parts Parts, people *People, roles *Roles) *Sessions {
	cfg, tenant := parts.Config, parts.Tenant
	s := &Sessions{
		idle: cfg.SessionIdle, limit: cfg.SessionLimit, development: cfg.DevelopmentSignIn,
		drawer: drawer{parts.Cache, "auth.session.", sealingKey(cfg.SessionKey, tenant.ClientSecret)},
		people: people, roles: roles, audit: parts.Audit, now: parts.Now, log: parts.Log,
		known: newMemo[[sha256.Size]byte, knownSession](sessionMemory), cookies: newCookies(tenant.RedirectURI),
	}
	if s.idle == 0 {
		s.idle = Default().SessionIdle
	}
	if s.limit == 0 {
		s.limit = Default().SessionLimit
	}
	if u, err := url.Parse(tenant.RedirectURI); err == nil && u.Host != "" {
		s.origins = []string{u.Scheme + "://" + u.Host}
	}
	return s
}

// sealingKey is the server's own part of what seals sessions. Every replica must
// come to the same one, and so must the next start.
func sealingKey(secrets ...config.Secret) []byte {
	for _, secret := range secrets {
		if secret != "" {
			sum := sha256.Sum256([]byte("badge-engine session " + secret.Reveal()))
			return sum[:]
		}
	}
	return nil
}

// Begin begins a session and answers the value of its cookie, always a new one
// (whoever knew the old one knows nothing), and ends the one the browser had.
func (s *Sessions) Begin(ctx context.Context, session Session, old string) (string, error) {
	value := newSecret()
	session.Begun, session.Used = s.now().UTC(), s.now().UTC()
	if err := s.drawer.put(ctx, value, session, min(s.idle, s.limit)); err != nil {
		return "", err
	}
	if old != "" {
		if err := s.End(ctx, old); err != nil {
			s.log.WarnContext(ctx, "former session not ended", slog.Any("error", err))
		}
	}
	return value, nil
}

// End ends a session; one that has ended already is no error.
func (s *Sessions) End(ctx context.Context, value string) error {
	s.known.drop(sha256.Sum256([]byte(value)))
	if !secretForm.MatchString(value) {
		return nil
	}
	// A request under way may write the session once more. The mark outlives that.
	key := s.drawer.named(value)
	if err := s.drawer.cache.Set(ctx, key+".ended", []byte{1}, s.limit); err != nil {
		return err
	}
	return s.drawer.cache.Delete(ctx, key)
}

// EndOf ends every session that came out of a session of Entra.
func (s *Sessions) EndOf(ctx context.Context, entraSession string) error {
	err := s.drawer.cache.Set(ctx, outsideKey(entraSession), strconv.AppendInt(nil, s.now().Unix(), 10), s.limit)
	s.known.clear() // it is not indexed by that, and this is rare
	return err
}

func outsideKey(entraSession string) string {
	sum := sha256.Sum256([]byte(entraSession))
	return "auth.signed_out." + hex.EncodeToString(sum[:])
}

// Authenticate says whose session a request shows. Without the cookie that is
// nobody. It answers with [ErrSessionEnded], [ErrCSRF], [ErrDeactivated],
// [ErrNotProvisioned] and with faults of kind Unavailable.
func (s *Sessions) Authenticate(ctx context.Context, c httpserver.Credentials) (principal.Principal, error) {
	value := cookieOf(c.Cookie, s.cookies.session)
	if value == "" {
		return principal.Principal{}, nil
	}
	if err := s.intended(c, value, c.CSRF); err != nil {
		return principal.Principal{}, err
	}
	found, err := s.find(ctx, value)
	return found.principal, err
}

// Of answers the session that a Cookie header shows, and the token that its pages
// must send back.
func (s *Sessions) Of(ctx context.Context, cookie string) (session Session, csrf string, err error) {
	value := cookieOf(cookie, s.cookies.session)
	if value == "" {
		return Session{}, "", ErrSessionEnded
	}
	found, err := s.find(ctx, value)
	return found.Session, csrfOf(value), err
}

func (s *Sessions) find(ctx context.Context, value string) (knownSession, error) {
	key := sha256.Sum256([]byte(value))
	now := s.now()
	k, found := s.known.get(key)
	if !found || !now.Before(k.until) || s.roles.stale(k.Standing, now) {
		var err error
		if k, err = s.load(ctx, value, now); err != nil {
			s.known.drop(key)
			return knownSession{}, s.explain(ctx, value, err)
		}
		s.known.put(key, k)
	}
	if !s.alive(k.Session, now) {
		return knownSession{}, ErrSessionEnded
	}
	if err := s.people.allowed(k.who, k.Begun); err != nil {
		return knownSession{}, s.explain(ctx, value, err)
	}
	return k, nil
}

func (s *Sessions) explain(ctx context.Context, value string, err error) error {
	if errors.Is(err, ErrDeactivated) || errors.Is(err, ErrNotProvisioned) {
		s.log.InfoContext(ctx, "session refused", slog.Any("reason", err))
		if end := s.End(ctx, value); end != nil {
			s.log.WarnContext(ctx, "refused session not ended", slog.Any("error", end))
		}
	}
	return err
}

func (s *Sessions) alive(session Session, now time.Time) bool {
	return now.Before(session.Begun.Add(s.limit)) && now.Before(session.Used.Add(s.idle)) && (s.development || !session.Development)
}

// load takes the session out of the cache, finds the roles out again when it is
// time to, and notes that it is in use.
func (s *Sessions) load(ctx context.Context, value string, now time.Time) (knownSession, error) {
	var session Session
	err := s.drawer.get(ctx, value, &session)
	if errors.Is(err, errNothing) || err == nil && !s.alive(session, now) {
		return knownSession{}, ErrSessionEnded
	}
	if err != nil {
		return knownSession{}, err
	}
	if err := s.notEnded(ctx, value, session); err != nil {
		return knownSession{}, err
	}
	write := now.Sub(session.Used) >= min(sessionNote, s.idle/4)
	if s.roles.stale(session.Standing, now) {
		if err := s.reconsider(ctx, &session, now); err != nil {
			return knownSession{}, err
		}
		write = true
	}
	if write {
		session.Used = now.UTC()
		if err := s.drawer.put(ctx, value, session, min(s.idle, session.Begun.Add(s.limit).Sub(now))); err != nil {
			s.log.WarnContext(ctx, "session use not noted", slog.Any("error", err))
		}
	}
	return knownSession{session, personOf(session.Claims.TenantID, session.Claims.ObjectID), session.principal(), now.Add(SessionKnown)}, nil
}

func (s *Sessions) notEnded(ctx context.Context, value string, session Session) error {
	_, ended, err := s.drawer.cache.Get(ctx, s.drawer.named(value)+".ended")
	if err != nil {
		return err
	}
	if ended {
		return ErrSessionEnded
	}
	if session.Claims.Session == "" {
		return nil
	}
	at, ended, err := s.drawer.cache.Get(ctx, outsideKey(session.Claims.Session))
	if err != nil || !ended {
		return err
	}
	if unix, err := strconv.ParseInt(string(at), 10, 64); err != nil || session.Begun.Unix() <= unix {
		return ErrSessionEnded
	}
	return nil
}

// reconsider finds out again who may come in and as what.
func (s *Sessions) reconsider(ctx context.Context, session *Session, now time.Time) error {
	if session.Development {
		session.Standing.Until, session.Standing.Era = now.Add(rolesHold), s.roles.era.Load()
		return nil
	}
	if err := s.people.admit(ctx, session.Claims, session.Begun); err != nil {
		return err
	}
	standing, err := s.roles.Of(ctx, session.Claims, false)
	if err != nil {
		return err
	}
	if !slices.Equal(standing.Roles, session.Standing.Roles) {
		id := session.principal().ID
		s.log.InfoContext(ctx, "roles changed", slog.String("principal_id", id), slog.Any("before", session.Standing.Roles), slog.Any("after", standing.Roles))
		if err := record(ctx, s.audit, Event{Action: "auth.roles_changed", Actor: id, Target: id, Outcome: "success", Reason: strings.Join(standing.Roles, " ")}); err != nil {
			return err
		}
	}
	session.Standing = standing
	return nil
}

// intended answers [ErrCSRF] for a request that could change something and does
// not prove that it comes from a page of this server.
func (s *Sessions) intended(c httpserver.Credentials, value, token string) error {
	switch c.Method {
	case "GET", "HEAD", "OPTIONS", "TRACE": // RFC 9110, 9.2.1 (Safe Methods)
		return nil
	}
	if err := s.sameOrigin(c); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(token), []byte(csrfOf(value))) != 1 {
		return ErrCSRF.Detailf("Send the csrfToken of /auth/me in the header X-CSRF-Token.")
	}
	return nil
}

// sameOrigin refuses what a browser says comes from another site. Sec-Fetch-Site
// is what no page can set; a browser too old for it sends Origin.
func (s *Sessions) sameOrigin(c httpserver.Credentials) error {
	if c.FetchSite != "" && c.FetchSite != "same-origin" || c.FetchSite == "" && c.Origin != "" && !slices.Contains(s.origins, c.Origin) {
		return ErrCSRF.Detailf("It comes from a page of another site.")
	}
	return nil
}

// csrfOf makes the token that pages of a session must send back: bound to the
// session, and of no use for finding its cookie.
func csrfOf(value string) string {
	mac := hmac.New(sha256.New, []byte(value))
	mac.Write([]byte("csrf"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// cookieOf takes one cookie out of the header (RFC 6265, 4.2.1).
func cookieOf(header, name string) string {
	for header != "" {
		var pair string
		pair, header, _ = strings.Cut(header, ";")
		if n, value, ok := strings.Cut(strings.TrimLeft(pair, " "), "="); ok && n == name {
			return value
		}
	}
	return ""
}
