package auth

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// nameLength is how many characters a token's name may have.
const nameLength = 100

// Service holds the rules of API tokens. It is the guard of the server.
type Service struct {
	bootstrap *[sha256.Size]byte // of BOOTSTRAP_ADMIN_TOKEN; nil without one
	tokens    Tokens
	cache     cache.Cache
	usage     *Usage
	known     *memo[[sha256.Size]byte, acquaintance] // by the hash of their text
	work      Work                                   // nil without audit
	audit     Audit                                  // nil: none
	now       func() time.Time
	log       *slog.Logger
}

// New builds the service. It answers with the error of [Config.Check].
func New(cfg Config, tokens Tokens, cache cache.Cache, usage *Usage, now func() time.Time, log *slog.Logger) (*Service, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	s := &Service{tokens: tokens, cache: cache, usage: usage, known: newMemo[[sha256.Size]byte, acquaintance](knownTokens), now: now, log: log}
	if token := cfg.BootstrapAdminToken.Reveal(); token != "" {
		sum := sha256.Sum256([]byte(token))
		s.bootstrap = &sum
	}
	return s, nil
}

// Audited makes the service record what happens to tokens, each deed and its event
// in one unit of work. Without an audit it changes nothing.
func (s *Service) Audited(work Work, audit Audit) *Service {
	s.work, s.audit = work, audit
	return s
}

// recorded does a deed to a token and writes it down, as one unit.
func (s *Service) recorded(ctx context.Context, e Event, deed func(ctx context.Context) error) error {
	if s.audit == nil {
		return deed(ctx)
	}
	return s.work.Do(ctx, func(ctx context.Context) error {
		if err := deed(ctx); err != nil {
			return err
		}
		e.Outcome = "success"
		return record(ctx, s.audit, e)
	})
}

// Start warns if a bootstrap token is in force.
func (s *Service) Start(ctx context.Context) {
	if s.bootstrap != nil {
		s.log.WarnContext(ctx, "bootstrap admin token is in force: create a token with scope admin and unset BOOTSTRAP_ADMIN_TOKEN")
	}
}

func (s *Service) stamp() time.Time { return s.now().UTC().Truncate(time.Second) }

// Create makes a token and answers its text, which is shown this one time and
// kept nowhere. A zero expires means never; [ParseExpiry] reads what people
// write. It answers with [ErrInvalid].
func (s *Service) Create(ctx context.Context, name string, scopes []string, expires time.Time) (text string, token Token, err error) {
	name = strings.TrimSpace(name)
	violations := append(checkName(name), checkScopes(scopes)...)
	if violations = append(violations, checkExpiry(expires, s.now())...); len(violations) > 0 {
		return "", Token{}, invalid(violations...)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", Token{}, err
	}
	text, prefix, hash := compose(id)
	token = Token{ID: id.String(), Name: name, Prefix: prefix, Scopes: inOrder(scopes), Created: s.stamp(), Expires: expires, hash: hash}
	err = s.recorded(ctx, Event{Action: "auth.token.created", Target: token.ID, Reason: strings.Join(token.Scopes, " ")}, func(ctx context.Context) error {
		return s.tokens.Insert(ctx, token)
	})
	if err != nil {
		return "", Token{}, err
	}
	s.log.InfoContext(ctx, "token created", slog.String("token_id", token.ID), slog.Any("scopes", token.Scopes), slog.Time("expires", token.Expires))
	return text, token, nil
}

func checkName(name string) []fault.Violation {
	v := fault.Violation{
		Pointer: "/name", Rule: "Badge Engine: a token has a name of 1 to 100 printable characters",
		Remedy: "Name it for who will use it, such as \"course platform\".",
	}
	switch {
	case name == "":
		v.Detail = "The token has no name."
	case utf8.RuneCountInString(name) > nameLength:
		v.Detail = "The name is too long."
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		v.Detail = "The name has characters that cannot be shown."
	default:
		return nil
	}
	return []fault.Violation{v}
}

func checkScopes(scopes []string) []fault.Violation {
	const rule = "Badge Engine: a token holds one or more of the known scopes"
	known := principal.Scopes()
	remedy := "The scopes are: " + strings.Join(known, ", ") + "."
	if len(scopes) == 0 {
		return []fault.Violation{{Pointer: "/scopes", Rule: rule, Detail: "The token has no scope.", Remedy: remedy}}
	}
	for i, scope := range scopes {
		if !slices.Contains(known, scope) {
			return []fault.Violation{{Pointer: "/scopes/" + strconv.Itoa(i), Rule: rule, Detail: "There is no scope " + strconv.Quote(clip(scope)) + ".", Remedy: remedy}}
		}
	}
	return nil
}

// inOrder puts scopes into the order in which they are shown, each once.
func inOrder(scopes []string) []string {
	return slices.DeleteFunc(principal.Scopes(), func(known string) bool { return !slices.Contains(scopes, known) })
}

// List answers every token, revoked and expired ones included, the newest first.
func (s *Service) List(ctx context.Context) ([]Token, error) { return s.tokens.List(ctx) }

// Revoke revokes the one token that is meant by its id, by its text or the
// beginning of it that lists show, by its name, or by the beginning of its name.
// Names mean only tokens not yet revoked. It answers the token, [ErrNotFound] or
// [ErrAmbiguous].
func (s *Service) Revoke(ctx context.Context, reference string) (Token, error) {
	if _, err := uuid.Parse(reference); err == nil {
		return s.RevokeID(ctx, reference)
	}
	all, err := s.tokens.List(ctx)
	if err != nil {
		return Token{}, err
	}
	meant := choose(all, reference)
	switch len(meant) {
	case 0:
		return Token{}, ErrNotFound.Detailf("No token that is not yet revoked has this name or prefix.")
	case 1:
		return s.RevokeID(ctx, meant[0].ID)
	}
	var ids []string
	for _, t := range meant {
		ids = append(ids, t.ID+" ("+t.Name+")")
	}
	return Token{}, ErrAmbiguous.Detailf("Give the id of one of: %s.", strings.Join(ids, ", "))
}

// choose finds the tokens that reference means: the first kind of match that
// finds any decides.
func choose(all []Token, reference string) []Token {
	if reference == "" {
		return nil
	}
	for _, match := range []func(Token) bool{
		func(t Token) bool { return strings.HasPrefix(reference, t.Prefix) },
		func(t Token) bool { return t.Revoked.IsZero() && t.Name == reference },
		func(t Token) bool { return t.Revoked.IsZero() && strings.HasPrefix(t.Name, reference) },
	} {
		if meant := slices.DeleteFunc(slices.Clone(all), func(t Token) bool { return !match(t) }); len(meant) > 0 {
			return meant
		}
	}
	return nil
}

// RevokeID revokes the token of this id, or answers [ErrNotFound]. Revoking
// again changes nothing. A token that was just in use may go on working for
// [Remembered] on other replicas, and here should a request have been reading it at
// this moment.
func (s *Service) RevokeID(ctx context.Context, id string) (Token, error) {
	u, err := uuid.Parse(id)
	if err != nil {
		return Token{}, ErrNotFound.Detailf("%q is not an identifier; identifiers here are UUIDs.", clip(id))
	}
	token, err := s.tokens.Find(ctx, u.String())
	if err != nil {
		return Token{}, err
	}
	if token.Revoked.IsZero() {
		token.Revoked = s.stamp()
		err := s.recorded(ctx, Event{Action: "auth.token.revoked", Target: token.ID}, func(ctx context.Context) error {
			return s.tokens.Revoke(ctx, token.ID, token.Revoked)
		})
		if err != nil {
			return Token{}, err
		}
		s.log.InfoContext(ctx, "token revoked", slog.String("token_id", token.ID))
	}
	s.forget(ctx, token.ID)
	return token, nil
}
