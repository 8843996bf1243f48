package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
)

var _ httpserver.Guard = (*Service)(nil)

// Remembered is how long a known token costs no database query. It bounds how
// long a revoked token may still work on a replica with a cache of its own.
const Remembered = 5 * time.Second

// BootstrapID is the identifier of whoever shows BOOTSTRAP_ADMIN_TOKEN.
const BootstrapID = "bootstrap"

// maxBearer is longer than any token worth looking at.
const maxBearer = 512

// bearer is the syntax of RFC 6750, 2.1 (Authorization Request Header Field).
var bearer = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

var (
	errScheme  = errors.New("not of the form Bearer and a token")
	errSecret  = errors.New("the secret does not match")
	errRevoked = errors.New("revoked")
	errExpired = errors.New("expired")
)

// Authenticate implements [httpserver.Guard]. A stranger learns only
// [ErrTokenInvalid]; why stands in the log.
func (s *Service) Authenticate(ctx context.Context, c httpserver.Credentials) (principal.Principal, error) {
	if c.Authorization == "" {
		return principal.Principal{}, nil
	}
	text, err := present(c.Authorization)
	if err != nil {
		return s.refuse(ctx, c, "", err)
	}
	if s.isBootstrap(text) {
		return principal.Principal{ID: BootstrapID, Name: BootstrapID, Scopes: []string{principal.ScopeAdmin}}, nil
	}
	id, hash, err := dissect(text)
	if err != nil {
		return s.refuse(ctx, c, "", err)
	}
	token, err := s.recall(ctx, id)
	now := s.now()
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
	return principal.Principal{ID: "token:" + id, Name: token.Name, Scopes: token.Scopes}, nil
}

// present takes the token out of the header.
func present(authorization string) (string, error) {
	scheme, text, _ := strings.Cut(authorization, " ")
	text = strings.TrimLeft(text, " ")
	// RFC 9110, 11.1 (Authentication Scheme): the scheme is case-insensitive.
	if !strings.EqualFold(scheme, "Bearer") || len(text) > maxBearer || !bearer.MatchString(text) {
		return "", errScheme
	}
	return text, nil
}

func (s *Service) isBootstrap(text string) bool {
	if s.bootstrap == nil {
		return false
	}
	// Hashing first makes the comparison take the same time for every length.
	sum := sha256.Sum256([]byte(text))
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
}

func cacheKey(id string) string { return "auth.token." + id }

// recall finds a token in the cache or else where tokens are kept. A cache that
// does not answer is a miss.
func (s *Service) recall(ctx context.Context, id string) (Token, error) {
	if data, found, err := s.cache.Get(ctx, cacheKey(id)); err == nil && found {
		var m memory
		if json.Unmarshal(data, &m) == nil {
			return Token{ID: id, Name: m.Name, Scopes: m.Scopes, Expires: m.Expires, Revoked: m.Revoked, hash: m.Hash}, nil
		}
	}
	token, err := s.tokens.Find(ctx, id)
	if err != nil {
		return Token{}, err
	}
	data, err := json.Marshal(memory{token.Name, token.Scopes, token.Expires, token.Revoked, token.hash})
	if err == nil {
		err = s.cache.Set(ctx, cacheKey(id), data, Remembered)
	}
	if err != nil {
		s.log.DebugContext(ctx, "token not remembered", slog.String("token_id", id), slog.Any("error", err))
	}
	return token, nil
}

func (s *Service) forget(ctx context.Context, id string) {
	if err := s.cache.Delete(ctx, cacheKey(id)); err != nil {
		s.log.WarnContext(ctx, "token stays remembered for a moment", slog.String("token_id", id), slog.Any("error", err))
	}
}
