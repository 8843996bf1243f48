package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
)

var _ httpserver.Guard = (*Service)(nil)

// Remembered is how long a known token costs neither network nor database query,
// counted from the query. It bounds how long a revoked token may still work on
// another replica than the one that revoked it.
const Remembered = 5 * time.Second

// knownTokens are remembered in the process, each at a few hundred bytes.
const knownTokens = 8 << 10

// acquaintance is a token that was lately found to be good, in this process: the
// next request with it costs a hash and nothing else. Its text is not kept.
type acquaintance struct {
	id    string
	until time.Time // not known any more
	principal.Principal
}

// BootstrapID is the identifier of whoever shows BOOTSTRAP_ADMIN_TOKEN.
const BootstrapID = "bootstrap"

// maxBearer is longer than any token worth looking at.
const maxBearer = 512

// bearer reports whether a text has the syntax of RFC 6750, 2.1 (Authorization
// Request Header Field): b64token.
func bearer(text string) bool {
	body := strings.TrimRight(text, "=")
	for i := range len(body) {
		b := body[i]
		if (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && strings.IndexByte("-._~+/", b) < 0 {
			return false
		}
	}
	return body != ""
}

var (
	errScheme  = errors.New("not of the form Bearer and a token")
	errSecret  = errors.New("the secret does not match")
	errRevoked = errors.New("revoked")
	errExpired = errors.New("expired")
)

// Authenticate implements [httpserver.Guard]. A stranger learns only
// [ErrTokenInvalid]; why stands in the log.
func (s *Service) Authenticate(ctx context.Context, c httpserver.Credentials) (principal.Principal, error) {
	p, err := s.identify(ctx, c)
	if err != nil {
		return principal.Principal{}, err
	}
	return confine(p, c.Path)
}

func (s *Service) identify(ctx context.Context, c httpserver.Credentials) (principal.Principal, error) {
	if c.Authorization == "" {
		return principal.Principal{}, nil
	}
	text, err := present(c.Authorization)
	if err != nil {
		return s.refuse(ctx, c, "", err)
	}
	// Hashing first makes every comparison take the same time for every length.
	var room [maxBearer]byte // on the stack: this is done for every request
	sum := sha256.Sum256(room[:copy(room[:], text)])
	if s.isBootstrap(sum) {
		return principal.Principal{ID: BootstrapID, Name: BootstrapID, Scopes: []string{principal.ScopeAdmin}}, nil
	}
	now := s.now()
	if a, found := s.known.get(sum); found && now.Before(a.until) {
		s.usage.note(a.id, now)
		return a.Principal, nil
	}
	if !bearer(text) {
		return s.refuse(ctx, c, "", errScheme)
	}
	id, hash, err := dissect(text)
	if err != nil {
		return s.refuse(ctx, c, "", err)
	}
	token, err := s.recall(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return s.refuse(ctx, c, id, err)
	case err != nil:
		return principal.Principal{}, err
	case subtle.ConstantTimeCompare(token.hash, hash) != 1:
		return s.refuse(ctx, c, id, errSecret)
	case !token.Revoked.IsZero():
		return s.refuse(ctx, c, id, errRevoked)
	case token.Expired(now):
		return s.refuse(ctx, c, id, errExpired)
	}
	s.usage.note(id, now)
	p := principal.Principal{ID: "token:" + id, Name: token.Name, Scopes: token.Scopes}
	if token.Client != "" {
		p.ID = "client:" + token.Client
	}
	until := token.found.Add(Remembered)
	if !token.Expires.IsZero() && token.Expires.Before(until) {
		until = token.Expires
	}
	s.known.put(sum, acquaintance{id, until, p})
	return p, nil
}

// present takes the token out of the header.
func present(authorization string) (string, error) {
	scheme, text, _ := strings.Cut(authorization, " ")
	text = strings.TrimLeft(text, " ")
	// RFC 9110, 11.1 (Authentication Scheme): the scheme is case-insensitive.
	if !strings.EqualFold(scheme, "Bearer") || len(text) > maxBearer {
		return "", errScheme
	}
	return text, nil
}

func (s *Service) isBootstrap(sum [sha256.Size]byte) bool {
	if s.bootstrap == nil {
		return false
	}
	return subtle.ConstantTimeCompare(sum[:], s.bootstrap[:]) == 1
}

func (s *Service) refuse(ctx context.Context, c httpserver.Credentials, id string, reason error) (principal.Principal, error) {
	s.log.InfoContext(ctx, "token refused", slog.Any("reason", reason), slog.String("token_id", id), slog.String("remote_ip", c.RemoteIP))
	return principal.Principal{}, ErrTokenInvalid
}

// memory is what the cache keeps of a token. Its key is the token's id, so that
// neither key nor value opens anything.
type memory struct {
	Name    string    `json:"name"`
	Scopes  []string  `json:"scopes"`
	Expires time.Time `json:"expires"`
	Revoked time.Time `json:"revoked"`
	Hash    []byte    `json:"hash"`
	Client  string    `json:"client,omitempty"`
	Found   time.Time `json:"found"`
}

func cacheKey(id string) string { return "auth.token." + id }

// recall finds a token in the cache or else where tokens are kept. A cache that
// does not answer is a miss.
func (s *Service) recall(ctx context.Context, id string) (Token, error) {
	if data, found, err := s.cache.Get(ctx, cacheKey(id)); err == nil && found {
		var m memory
		if json.Unmarshal(data, &m) == nil {
			return Token{ID: id, Name: m.Name, Scopes: m.Scopes, Expires: m.Expires, Revoked: m.Revoked, Client: m.Client, hash: m.Hash, found: m.Found}, nil
		}
	}
	token, err := s.tokens.Find(ctx, id)
	if err != nil {
		return Token{}, err
	}
	token.found = s.now()
	data, err := json.Marshal(memory{token.Name, token.Scopes, token.Expires, token.Revoked, token.hash, token.Client, token.found})
	if err == nil {
		err = s.cache.Set(ctx, cacheKey(id), data, Remembered)
	}
	if err != nil {
		s.log.DebugContext(ctx, "token not remembered", slog.String("token_id", id), slog.Any("error", err))
	}
	return token, nil
}

func (s *Service) forget(ctx context.Context, ids ...string) {
	if len(ids) == 0 {
		return
	}
	s.known.clear() // revoking is rare, and every other token is found again at once
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = cacheKey(id)
	}
	if err := s.cache.Delete(ctx, keys...); err != nil {
		s.log.WarnContext(ctx, "tokens stay remembered for a moment", slog.Any("token_ids", ids), slog.Any("error", err))
	}
}
